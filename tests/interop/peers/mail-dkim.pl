# Mail::DKIM over folders: can | sign FOLDER-OF-KEYS IN OUT | verify FILE-OF-RECORDS IN
use strict;
use warnings;
use Mail::DKIM::DNS;
use Mail::DKIM::Signer;
use Mail::DKIM::Verifier;
use Net::DNS;

my ($action, $keys, $in, $out) = @ARGV;
my @algorithms = ("rsa");
push @algorithms, "ed25519" if eval { require Mail::DKIM::Algorithm::ed25519_sha256 };

my %records;
no warnings "redefine";
*Mail::DKIM::DNS::query = sub {
    my ($name) = @_;
    my $record = $records{$name};
    if (!defined $record) { $@ = ""; return }
    return Net::DNS::RR->new(name => $name, type => "TXT", txtdata => [unpack "(A200)*", $record]);
};

sub messages {
    opendir my $folder, $in or die "$in: $!";
    return map { s/\.eml$//r } sort grep { /\.eml$/ } readdir $folder;
}

sub contents {
    open my $file, "<:raw", "$in/$_[0].eml" or die "$_[0]: $!";
    local $/;
    return <$file>;
}

if ($action eq "can") {
    print "@algorithms\n";
} elsif ($action eq "sign") {
    my %lists = (
        default => {},
        fields => { map { $_ => "*" } qw(Comments X-Repeated X-Long X-Empty X-Blank X-Colon X-Utf-8) },
        more => { map { $_ => "+" } qw(From Subject To Date Comments X-Repeated X-Blank X-Absent) },
    );
    for my $name (messages()) {
        my $mail = contents($name);
        for my $algorithm (@algorithms) {
            for my $pair (qw(simple/simple simple/relaxed relaxed/simple relaxed/relaxed)) {
                for my $list (sort keys %lists) {
                    my $signer = Mail::DKIM::Signer->new(
                        Algorithm => "$algorithm-sha256", Method => $pair,
                        Domain => "interop.example", Selector => $algorithm,
                        KeyFile => "$keys/$algorithm.pem",
                        ExtendedHeaders => { %{ $lists{$list} } });
                    $signer->PRINT($mail);
                    $signer->CLOSE;
                    my $field = $signer->signature->as_string;
                    $field =~ s/\015?\012/\015\012/g;
                    my $path = "$out/$name.$algorithm." . $pair =~ s{/}{-}r . ".$list.eml";
                    open my $file, ">:raw", $path or die "$path: $!";
                    print $file $field, "\015\012", $mail;
                    close $file or die "$path: $!";
                }
            }
        }
    }
} else {
    open my $file, "<", $keys or die "$keys: $!";
    while (<$file>) { chomp; my ($name, $record) = split / /, $_, 2; $records{$name} = $record }
    for my $name (messages()) {
        my $verifier = Mail::DKIM::Verifier->new;
        $verifier->PRINT(contents($name));
        $verifier->CLOSE;
        my @results = map { $_->result_detail =~ s/ /-/gr } $verifier->signatures;
        print "$name @results\n";
    }
}
