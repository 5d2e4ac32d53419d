//! Makes the signed messages that tests and examples read, and the zone with their keys.
//!
//! Run by hand from the root of the repository: `cargo run --package mailproof-generator`. Keys and
//! clocks are fixed, and both signature schemes are deterministic, so that a second run changes
//! nothing. Messages that were changed on the way are made here too, from the signed ones: no file
//! is edited by hand.

mod messages;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use mailproof::arc::{self, Sealer};
use mailproof::crypto::SigningKey;
use mailproof::dkim::{self, Canonicalization, KeyRecord, Signer};
use mailproof::{Domain, Message};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// 2020-09-24T11:19:14Z
const REPORT_A: Duration = Duration::from_secs(1_600_946_354);

/// 2023-05-16T09:00:00Z
const REPORT_B: Duration = Duration::from_secs(1_684_227_600);

/// The fields that Exchange Online signs.
const EXCHANGE_FIELDS: &[&str] = &[
    "From",
    "Date",
    "Subject",
    "Message-ID",
    "Content-Type",
    "MIME-Version",
    "X-MS-Exchange-SenderADCheck",
];

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tenant_a = signer(
        "netatwork.pem",
        "netatwork.onmicrosoft.com",
        "selector1-netatwork-onmicrosoft-com",
    )?
    .fields(EXCHANGE_FIELDS.iter().copied())?;
    let tenant_b = signer(
        "firmab.pem",
        "FirmaB.onmicrosoft.com",
        "selector2-FirmaB-onmicrosoft-com",
    )?
    .fields(EXCHANGE_FIELDS.iter().copied())?;
    let author = signer("firma-a.pem", "firma-a.tld", "s1")?;

    let folder = root.join("tests/data/scenarios");
    let write = |file: &str, octets: &[u8]| write(&folder.join(file), octets);
    let teams = messages::teams();
    write("a.eml", &teams)?;
    let teams_signed = sign(&[&tenant_a], &teams, REPORT_A)?;
    write("a-signed.eml", &teams_signed)?;
    let microsoft = sealer("microsoft.pem", "microsoft.com", "arcselector9901")?;
    let teams_sealed = seal(&microsoft, messages::TEAMS_RESULTS, &teams_signed, REPORT_A)?;
    write("a-sealed.eml", &teams_sealed)?;

    let changed = messages::replaced(
        &sign(&[&tenant_a], &teams, REPORT_A)?,
        "SenderADCheck: 1",
        "SenderADCheck: 0",
    );
    write("a-check-changed.eml", &changed)?;

    let list = messages::list();
    write("b-plain.eml", &list)?;
    let author_signed = sign(&[&author], &list, REPORT_B)?;
    write("b-author-signed.eml", &author_signed)?;
    let list_signed = sign(&[&tenant_b], &list, REPORT_B)?;
    write("b-list.eml", &list_signed)?;
    let forwarder = sealer("firmab.pem", "FirmaB.onmicrosoft.com", tenant_b.selector())?;
    let list_sealed = seal(&forwarder, messages::LIST_RESULTS, &list_signed, REPORT_B)?;
    write("b-list-sealed.eml", &list_sealed)?;
    write(
        "b-list-author-signed.eml",
        &sign(&[&tenant_b], &author_signed, REPORT_B)?,
    )?;
    let footer = [author_signed.as_slice(), messages::FOOTER].concat();
    write("b-list-footer.eml", &sign(&[&tenant_b], &footer, REPORT_B)?)?;
    let tagged = messages::replaced(&author_signed, "Subject: ", "Subject: [Verteiler] ");
    write(
        "b-list-subject.eml",
        &sign(&[&tenant_b], &tagged, REPORT_B)?,
    )?;
    let eight = (1..=8).map(|n| signer("firma-a.pem", "firma-a.tld", &format!("s{n}")));
    let eight = eight.collect::<Result<Vec<_>>>()?;
    let all: Vec<&Signer> = eight.iter().collect();
    write("eight-signatures.eml", &sign(&all, &list, REPORT_B)?)?;

    let mut zone = String::from("; The public keys of all signers.\n");
    for signer in [&tenant_a, &tenant_b].into_iter().chain(all) {
        zone.push_str(&record(signer)?);
    }
    let microsoft = signer("microsoft.pem", "microsoft.com", "arcselector9901")?;
    zone.push_str(&record(&microsoft)?);
    write("keys.zone", zone.as_bytes())?;

    let example = root.join("examples/data");
    fs::create_dir_all(&example)?;
    let forwarded = sign(&[&tenant_b], &list, REPORT_B)?;
    self::write(&example.join("forwarded.eml"), &forwarded)?;
    let zone = format!("{}{}", messages::EXAMPLE_ZONE, record(&tenant_b)?);
    self::write(&example.join("forwarded.zone"), zone.as_bytes())
}

fn signer(key: &str, domain: &str, selector: &str) -> Result<Signer> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys").join(key);
    let key = SigningKey::from_pem(fs::read(file)?)?;
    let signer = Signer::new(key, domain.parse::<Domain>()?, selector)?;
    Ok(signer.canonicalization(Canonicalization::Relaxed, Canonicalization::Relaxed))
}

/// The message with a signature of each signer above it.
fn sign(signers: &[&Signer], message: &[u8], now: Duration) -> Result<Vec<u8>> {
    let signers: Vec<Signer> = signers.iter().map(|signer| (*signer).clone()).collect();
    let signed = dkim::Signer::sign(
        &signers,
        &Message::parse(message),
        SystemTime::UNIX_EPOCH + now,
    )?;
    Ok([signed.header().as_bytes(), message].concat())
}

fn sealer(key: &str, domain: &str, selector: &str) -> Result<Sealer> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("keys").join(key);
    let key = SigningKey::from_pem(fs::read(file)?)?;
    Ok(Sealer::new(key, domain.parse::<Domain>()?, selector)?
        .fields(EXCHANGE_FIELDS.iter().copied())?)
}

/// The message, which has no seals yet, with one above it.
fn seal(sealer: &Sealer, results: &str, message: &[u8], now: Duration) -> Result<Vec<u8>> {
    let now = SystemTime::UNIX_EPOCH + now;
    let parsed = Message::parse(message);
    let settings = arc::Settings::default();
    let unsealed = arc::Collected::read(parsed.head(), now, &settings).validate(
        &Default::default(),
        &Default::default(),
        &settings,
    );
    let sealed = sealer.seal(&parsed, &results.parse()?, &unsealed, now)?;
    Ok([sealed.header().as_bytes(), message].concat())
}

/// The key record of a signer as a line of a zone, cut into character-strings of 255 octets.
fn record(signer: &Signer) -> Result<String> {
    let strings = KeyRecord::new(signer.key().verifying_key()).to_zone_strings();
    Ok(format!("{}. TXT {strings}\n", signer.key_name()))
}

fn write(path: &PathBuf, octets: &[u8]) -> Result<()> {
    println!("{}: {} octets", path.display(), octets.len());
    Ok(fs::write(path, octets)?)
}
