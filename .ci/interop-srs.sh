#!/bin/sh
# Holds our SRS against Mail::SRS and PostSRSd as black boxes, both directions, one and two hops,
# over 10,000 random addresses. For slow CI: needs the packages libmail-srs-perl and postsrsd.
set -eu

cd "$(dirname "$0")/.."
count=${1:-10000}
work=$(mktemp -d)
postsrsd_pid=
finish() {
    [ -z "$postsrsd_pid" ] || kill "$postsrsd_pid" 2>/dev/null || true
    rm -rf "$work"
}
trap finish EXIT

perl -MMail::SRS -e 1 || { echo "libmail-srs-perl is missing" >&2; exit 2; }
postsrsd=$(PATH="$PATH:/usr/sbin" command -v postsrsd) || { echo "postsrsd is missing" >&2; exit 2; }
cargo build --quiet --example srs
srs=${CARGO_TARGET_DIR:-target}/debug/examples/srs
now=$(date +%s)
ours() { # ours --forward|--reverse DOMAIN < addresses
    # The others emit addresses of any length.
    "$srs" "$1" - --secret "secret of $2" --domain "$2" --now "$now" | sed 's/^too long: .*: //'
}

perl -e '
    srand 20231114;
    my @local = ("a".."z", "A".."Z", 0..9, split //, "=+-_.!#\$&*?~");
    my @host = ("a".."z", "A".."Z", 0..9, "-");
    for (1..$ARGV[0]) {
        my $local = join "", map { $local[rand @local] } 1..1 + rand 24;
        $local =~ s/\.+/./g; $local =~ s/^\.|\.$/x/g;
        my $host = join ".", map { "h" . join("", map { $host[rand @host] } 0..rand 8) . "t" } 0..rand 2;
        print "$local\@$host.example\n";
    }' "$count" | grep -vi '^srs[01][=+-]' > "$work/senders"

# Mail::SRS: reads addresses, writes what it makes of them.
cat > "$work/mail-srs" <<'PERL'
use Mail::SRS;
my ($direction, $domain) = @ARGV;
my $srs = Mail::SRS->new(Secret => ["secret of $domain"], MaxAge => 21, HashLength => 4, HashMin => 4);
while (<STDIN>) {
    chomp;
    my $out = eval { $direction eq "forward" ? $srs->forward($_, $domain) : $srs->reverse($_) };
    print defined $out ? $out : "error", "\n";
}
PERL

# PostSRSd: Postfix's tcp_table protocol, keys and values percent-encoded.
cat > "$work/postsrsd" <<'PERL'
use IO::Socket::INET;
my $socket = IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => $ARGV[0]) or die "no postsrsd: $!";
$socket->autoflush(1);
while (<STDIN>) {
    chomp;
    s/([^A-Za-z0-9@._-])/sprintf "%%%02x", ord $1/ge;
    print $socket "get $_\n";
    my $answer = <$socket>;
    my ($value) = $answer =~ /^200 (.*)/;
    $value =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge if defined $value;
    print defined $value ? $value : "error", "\n";
}
PERL

same() { # same WHAT FILE FILE
    if cmp -s "$2" "$3"; then
        echo "ok   $1 ($(wc -l < "$2") addresses)"
    else
        echo "FAIL $1"
        diff "$2" "$3" | head -5
        failed=1
    fi
}
failed=0

start_postsrsd() { # start_postsrsd DOMAIN PORT
    [ -z "$postsrsd_pid" ] || { kill "$postsrsd_pid"; wait "$postsrsd_pid" 2>/dev/null || true; }
    echo "secret of $1" > "$work/secret"
    "$postsrsd" -4 -s"$work/secret" -d"$1" -f"$2" -r"$(($2 + 1))" 2> "$work/log" &
    postsrsd_pid=$!
    sleep 1
}

# A: the first hop.
ours --forward a.example < "$work/senders" > "$work/srs0"
perl "$work/mail-srs" forward a.example < "$work/senders" > "$work/srs0.perl"
same "Mail::SRS writes the same SRS0" "$work/srs0" "$work/srs0.perl"
perl "$work/mail-srs" reverse a.example < "$work/srs0" > "$work/back"
same "Mail::SRS reverses our SRS0" "$work/senders" "$work/back"
ours --reverse a.example < "$work/srs0.perl" > "$work/back"
same "we reverse its SRS0" "$work/senders" "$work/back"
start_postsrsd a.example 21001
perl "$work/postsrsd" 21001 < "$work/senders" > "$work/srs0.postsrsd"
ours --reverse a.example < "$work/srs0.postsrsd" > "$work/back"
same "we reverse PostSRSd's SRS0" "$work/senders" "$work/back"
perl "$work/postsrsd" 21002 < "$work/srs0" > "$work/back"
same "PostSRSd reverses our SRS0" "$work/senders" "$work/back"

# B: the second hop.
ours --forward b.example < "$work/srs0" > "$work/srs1"
perl "$work/mail-srs" forward b.example < "$work/srs0" > "$work/srs1.perl"
same "Mail::SRS writes the same SRS1" "$work/srs1" "$work/srs1.perl"
perl "$work/mail-srs" reverse b.example < "$work/srs1" > "$work/back"
same "Mail::SRS reverses our SRS1" "$work/srs0" "$work/back"
ours --reverse b.example < "$work/srs1.perl" > "$work/back"
same "we reverse its SRS1" "$work/srs0" "$work/back"
start_postsrsd b.example 21003
perl "$work/postsrsd" 21003 < "$work/srs0" > "$work/srs1.postsrsd"
ours --reverse b.example < "$work/srs1.postsrsd" > "$work/back"
same "we reverse PostSRSd's SRS1" "$work/srs0" "$work/back"
perl "$work/postsrsd" 21004 < "$work/srs1" > "$work/back"
same "PostSRSd reverses our SRS1" "$work/srs0" "$work/back"
exit "$failed"
