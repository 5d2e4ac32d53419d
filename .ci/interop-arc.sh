#!/bin/sh
# Holds our ARC seals against dkimpy and Mail::DKIM as black boxes: chains of three hops, every
# sealer at every hop, every validator after every hop, unchanged and with a change on the way. For
# slow CI: needs the package libmail-dkim-perl, and dkimpy with authres from PyPI (taken from DKIMPY, a folder, if
# it is set).
set -eu

cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

perl -MMail::DKIM::ARC::Signer -e 1 || { echo "libmail-dkim-perl is missing" >&2; exit 2; }
if [ -z "${DKIMPY:-}" ]; then
    DKIMPY=$work/dkimpy
    python3 -m pip install --quiet --target "$DKIMPY" dkimpy authres
fi
PYTHONPATH=$DKIMPY
export PYTHONPATH
cargo build --quiet --example seal --example verify
examples=${CARGO_TARGET_DIR:-target}/debug/examples

# One key for each hop.
for hop in 1 2 3; do
    openssl genrsa -traditional -out "$work/$hop.pem" 2048 2>/dev/null
    public=$(openssl rsa -in "$work/$hop.pem" -pubout 2>/dev/null | grep -v -- ----- | tr -d '\n')
    printf 's._domainkey.hop%s.example. TXT "v=DKIM1; k=rsa; p=%s" "%s"\n' \
        "$hop" "$(printf %.200s "$public")" "$(printf %s "$public" | cut -c201-)" >> "$work/zone"
    printf 's._domainkey.hop%s.example v=DKIM1; k=rsa; p=%s\n' "$hop" "$public" >> "$work/keys"
done

cat > "$work/dkimpy.py" <<'PY'
import sys, dkim
action, keys = sys.argv[1], dict(line.rstrip("\n").split(" ", 1) for line in open(sys.argv[2]))
def dns(name, timeout=5):
    return keys.get(name.decode().rstrip("."), "").encode()
mail = sys.stdin.buffer.read()
if action == "verify":
    print(dkim.arc_verify(mail, dnsfunc=dns)[0].decode())
else:
    hop = sys.argv[3]
    key = open(sys.argv[4], "rb").read()
    domain = b"hop%s.example" % hop.encode()
    fields = dkim.arc_sign(mail, b"s", domain, key, b"mx." + domain,
                           include_headers=[b"from", b"to", b"subject", b"date"])
    sys.stdout.buffer.write(b"".join(fields) + mail)
PY
cat > "$work/maildkim.pl" <<'PERL'
use strict; use warnings;
use Mail::DKIM::ARC::Signer; use Mail::DKIM::ARC::Verifier; use Mail::DKIM::DNS; use Net::DNS;
my ($action, $keys, $hop, $pem) = @ARGV;
my %keys;
open my $file, "<", $keys or die;
while (<$file>) { chomp; my ($name, $record) = split / /, $_, 2; $keys{$name} = $record }
no warnings "redefine";
*Mail::DKIM::DNS::query = sub {
    my ($name) = @_;
    my $record = $keys{$name};
    if (!defined $record) { $@ = ""; return }
    return Net::DNS::RR->new(name => $name, type => "TXT", txtdata => [unpack "(A200)*", $record]);
};
binmode STDIN; binmode STDOUT;
my $mail = do { local $/; <STDIN> };
if ($action eq "verify") {
    my $verifier = Mail::DKIM::ARC::Verifier->new;
    $verifier->PRINT($mail); $verifier->CLOSE;
    print $verifier->result, "\n";
} else {
    my $signer = Mail::DKIM::ARC::Signer->new(
        Algorithm => "rsa-sha256", Chain => "ar", Domain => "hop$hop.example",
        SrvId => "mx.hop$hop.example", Selector => "s", KeyFile => $pem,
        Headers => "from:to:subject:date");
    $signer->PRINT($mail); $signer->CLOSE;
    die "not sealed: " . $signer->result . "\n" unless $signer->result eq "sealed";
    my $fields = join "\015\012", $signer->as_strings;
    $fields =~ s/\015?\012/\015\012/g;
    print $fields, "\015\012", $mail;
}
PERL

validate() { # validate WHO < message
    case $1 in
        ours) "$examples/verify" --json --message - --zone "$work/zone" |
            python3 -c 'import json, sys; print(json.load(sys.stdin)["arc"]["result"])' ;;
        dkimpy) python3 "$work/dkimpy.py" verify "$work/keys" ;;
        maildkim) perl "$work/maildkim.pl" verify "$work/keys" ;;
    esac
}

seal() { # seal WHO HOP < message
    case $1 in
        ours) "$examples/seal" --key "$work/$2.pem" --domain "hop$2.example" --selector s \
            --authserv-id "mx.hop$2.example" --zone "$work/zone" 2>/dev/null ;;
        dkimpy) python3 "$work/dkimpy.py" seal "$work/keys" "$2" "$work/$2.pem" ;;
        maildkim) perl "$work/maildkim.pl" seal "$work/keys" "$2" "$work/$2.pem" ;;
    esac
}

checks=0
failed=0
expect() { # expect WORD FILE WHAT
    for who in ours dkimpy maildkim; do
        got=$(validate "$who" < "$2") || got="nothing"
        checks=$((checks + 1))
        if [ "$got" != "$1" ]; then
            echo "FAIL $3: $who says $got, not $1"
            failed=1
        fi
    done
}

results() { # results HOP ARC-RESULT: the Authentication-Results field that each hop adds first
    printf 'Authentication-Results: mx.hop%s.example; arc=%s; spf=pass (a b)\r\n' "$1" "$2"
    printf ' smtp.mailfrom=author.example; dmarc=pass header.from=author.example\r\n'
}

printf 'From: "A" <a@author.example>\r\nTo: list@example.org\r\nSubject:  a\r\n  b\r\n' > "$work/0"
printf 'Date: Tue, 16 May 2023 08:59:31 +0000\r\n\r\nHello \t world\r\n\r\n\r\n' >> "$work/0"
expect none "$work/0" "no chain"
for one in ours dkimpy maildkim; do
    { results 1 none; cat "$work/0"; } | seal "$one" 1 > "$work/1"
    expect pass "$work/1" "$one"
    for two in ours dkimpy maildkim; do
        { results 2 pass; cat "$work/1"; } | seal "$two" 2 > "$work/2"
        expect pass "$work/2" "$one $two"
        for three in ours dkimpy maildkim; do
            { results 3 pass; cat "$work/2"; } | seal "$three" 3 > "$work/3"
            expect pass "$work/3" "$one $two $three"
        done
        sed 's/^\(ARC-Authentication-Results: i=1;.*\)/\1 x/' "$work/2" > "$work/edited"
        cmp -s "$work/2" "$work/edited" || expect fail "$work/edited" "$one $two, results edited"
        sed 's/^Hello/hello/' "$work/2" > "$work/edited"
        expect fail "$work/edited" "$one $two, body edited"
    done
done
echo "$checks checks of 3 validators and 3 sealers"
exit "$failed"
