//! Signs one message with DKIM, as a server does with what its users send.
//!
//! Reads a message from the standard input and writes it with a signature on top. `--help` lists the
//! options.

use std::error::Error;
use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use mailproof::Message;
use mailproof::crypto::SigningKey;
use mailproof::dkim::{self, Signer};

const HELP: &str = "\
Reads a message from the standard input and writes it with a DKIM signature.

usage: sign --key FILE --domain NAME --selector NAME [options] < message

  --key FILE       the private key, PEM: RSA of 2048 bits or more, or Ed25519
  --domain NAME    the signing domain (d=)
  --selector NAME  the selector (s=)
  --days NUMBER    how long the signature is valid; for ever otherwise
  --record         print the TXT record to publish instead of signing
  --help           print this
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sign: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let Some((signer, print_record)) = from_arguments()? else {
        print!("{HELP}");
        return Ok(());
    };
    if print_record {
        println!("{}. TXT {}", signer.key_name(), quoted(&signer.record()));
        return Ok(());
    }
    let mut octets = Vec::new();
    std::io::stdin().read_to_end(&mut octets)?;
    // Lines end with CRLF where a signature is made: what the next host gets is what is signed.
    let octets = with_crlf(&octets);
    let signed = dkim::Signer::sign(&[signer], &Message::parse(&octets), SystemTime::now())?;
    let mut out = std::io::stdout().lock();
    out.write_all(signed.header().as_bytes())?;
    out.write_all(&octets)?;
    Ok(())
}

fn with_crlf(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len() + octets.len() / 32);
    for line in octets.split_inclusive(|octet| *octet == b'\n') {
        match line.strip_suffix(b"\n") {
            Some(text) if !text.ends_with(b"\r") => out.extend([text, b"\r\n"].concat()),
            _ => out.extend_from_slice(line),
        }
    }
    out
}

/// As zone files have it: strings of at most 255 octets.
fn quoted(record: &str) -> String {
    let mut strings = Vec::new();
    let mut rest = record;
    while !rest.is_empty() {
        let (string, following) = rest.split_at(rest.len().min(255));
        strings.push(format!("\"{string}\""));
        rest = following;
    }
    strings.join(" ")
}

/// `None` if only help was asked for.
fn from_arguments() -> Result<Option<(Signer, bool)>, Box<dyn Error>> {
    use lexopt::Arg::Long;
    let (mut key, mut domain, mut selector, mut days) = (None, None, None, None);
    let mut print_record = false;
    let mut arguments = lexopt::Parser::from_env();
    while let Some(argument) = arguments.next()? {
        match argument {
            Long("help") => return Ok(None),
            Long("record") => print_record = true,
            Long("key") => key = Some(SigningKey::from_pem(std::fs::read(arguments.value()?)?)?),
            Long("domain") => domain = Some(arguments.value()?.to_string_lossy().parse()?),
            Long("selector") => selector = Some(arguments.value()?.to_string_lossy().into_owned()),
            Long("days") => days = Some(arguments.value()?.to_string_lossy().parse::<u64>()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let key = key.ok_or("--key is missing (--help tells more)")?;
    let domain = domain.ok_or("--domain is missing")?;
    let mut signer = Signer::new(key, domain, &selector.ok_or("--selector is missing")?)?;
    if let Some(days) = days {
        signer = signer.expires_after(Duration::from_secs(days * 86_400));
    }
    Ok(Some((signer, print_record)))
}
