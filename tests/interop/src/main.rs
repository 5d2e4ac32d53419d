//! Our side of the comparisons with other implementations of DKIM: a folder of messages in, a folder
//! of messages or a line for each of them out. `.ci/interop-dkim` does the rest.
//!
//! - `messages OUT` writes the messages to be signed;
//! - `sign KEYS IN OUT` signs each message in all ways that differ, with `KEYS/rsa.pem` and
//!   `KEYS/ed25519.pem`;
//! - `records KEYS` prints the names and texts of the two keys' records;
//! - `alter IN OUT` changes each signed message twice, in its header and in its body;
//! - `verify ZONE IN` prints `NAME RESULT...` for each message.

mod messages;

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use mailproof::crypto::SigningKey;
use mailproof::dkim::{self, Canonicalization, Signer};
use mailproof::dns::{self, Zone};
use mailproof::{Domain, Message};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const USAGE: &str = "\
usage: mailproof-interop messages OUT | sign KEYS IN OUT | records KEYS | alter IN OUT | verify ZONE IN";

const DOMAIN: &str = "interop.example";

/// The two keys, by the names of their files and their selectors.
const ALGORITHMS: &[&str] = &["rsa", "ed25519"];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        ["messages", out] => write_messages(Path::new(out)),
        ["sign", keys, input, out] => sign_all(Path::new(keys), Path::new(input), Path::new(out)),
        ["records", keys] => print_records(Path::new(keys)),
        ["alter", input, out] => alter_all(Path::new(input), Path::new(out)),
        ["verify", zone, input] => verify_all(Path::new(zone), Path::new(input)),
        _ => Err(USAGE.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn write_messages(out: &Path) -> Result<()> {
    for (name, octets) in messages::all() {
        fs::write(out.join(format!("{name}.eml")), octets)?;
    }
    Ok(())
}

/// The messages of a folder, sorted, by their names without `.eml`.
fn read(folder: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    let mut messages = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        messages.push((name.into_owned(), fs::read(&path)?));
    }
    messages.sort();
    Ok(messages)
}

fn signer(keys: &Path, algorithm: &str) -> Result<Signer> {
    let pem = fs::read(keys.join(format!("{algorithm}.pem")))?;
    let domain: Domain = DOMAIN.parse()?;
    Ok(Signer::new(SigningKey::from_pem(pem)?, domain, algorithm)?)
}

fn print_records(keys: &Path) -> Result<()> {
    for algorithm in ALGORITHMS {
        let signer = signer(keys, algorithm)?;
        println!("{} {}", signer.key_name(), signer.record());
    }
    Ok(())
}

/// What is signed: the crate's own choice, each field that is there once, or some of them more often
/// than they are there.
fn field_lists(message: &Message<'_>) -> Vec<(&'static str, Option<Vec<String>>)> {
    let mut present: Vec<String> = Vec::new();
    for field in message.head().fields() {
        let name = String::from_utf8_lossy(field.name()).into_owned();
        let trace = ["Received", "Return-Path"];
        if !trace.iter().any(|other| name.eq_ignore_ascii_case(other)) {
            present.push(name);
        }
    }
    let mut once = present.clone();
    once.sort_by_key(|name| name.to_ascii_lowercase());
    once.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
    let more = [present.clone(), once.clone(), vec!["X-Absent".to_owned()]].concat();
    vec![
        ("recommended", None),
        ("once", Some(once)),
        ("more", Some(more)),
    ]
}

fn sign_all(keys: &Path, input: &Path, out: &Path) -> Result<()> {
    let signers = [signer(keys, "rsa")?, signer(keys, "ed25519")?];
    for (name, octets) in read(input)? {
        let message = Message::parse(&octets);
        for (fields, list) in field_lists(&message) {
            for (header, body) in pairs() {
                let mut both = Vec::new();
                for signer in &signers {
                    let mut signer = signer.clone().canonicalization(header, body);
                    if let Some(names) = &list {
                        signer = signer.fields(names)?;
                    }
                    both.push(if fields == "more" {
                        with_identity(signer)?
                    } else {
                        signer
                    });
                }
                let way = format!("{}-{}.{fields}", header.as_str(), body.as_str());
                for (algorithm, signers) in [
                    ("rsa", both.get(..1)),
                    ("ed25519", both.get(1..)),
                    ("both", Some(both.as_slice())),
                ] {
                    let signers = signers.unwrap_or_default();
                    let signed = dkim::Signer::sign(signers, &message, SystemTime::now())?;
                    let octets = [signed.header().as_bytes(), &octets].concat();
                    fs::write(out.join(format!("{name}.{algorithm}.{way}.eml")), octets)?;
                }
            }
        }
    }
    Ok(())
}

/// All pairs for `c=`.
fn pairs() -> impl Iterator<Item = (Canonicalization, Canonicalization)> {
    let both = [Canonicalization::Simple, Canonicalization::Relaxed];
    both.into_iter()
        .flat_map(move |header| both.map(|body| (header, body)))
}

/// With `x=`, and an `i=` that needs to be encoded.
fn with_identity(signer: Signer) -> Result<Signer> {
    let below: Domain = format!("users.{DOMAIN}").parse()?;
    let signer = signer.expires_after(Duration::from_secs(86_400));
    Ok(signer.identity("Jos\u{e9} =;", &below)?)
}

/// Another octet in the value of From, and another line of the body.
fn alter_all(input: &Path, out: &Path) -> Result<()> {
    for (name, octets) in read(input)? {
        let from = b"\r\nFrom: ";
        let at = octets
            .windows(from.len())
            .position(|window| window.eq_ignore_ascii_case(from))
            .ok_or("no From")?;
        let (before, after) = octets.split_at(at + from.len());
        let header = [before, b"x", after].concat();
        fs::write(out.join(format!("{name}.header.eml")), header)?;
        let body = [octets.as_slice(), b"altered\r\n"].concat();
        fs::write(out.join(format!("{name}.body.eml")), body)?;
    }
    Ok(())
}

fn verify_all(zone: &Path, input: &Path) -> Result<()> {
    let zone = Zone::from_text(fs::read(zone)?)?;
    let settings = dkim::Settings::default();
    let now = SystemTime::now();
    for (name, octets) in read(input)? {
        let message = Message::parse(&octets);
        let verifications = dns::block_on(dkim::verify_message(&zone, &message, now, &settings));
        let mut line = name;
        for verification in verifications {
            line.push_str(&format!(" {}", verification.result()));
        }
        println!("{line}");
    }
    Ok(())
}
