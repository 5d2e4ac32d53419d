//! How often the first finding of the forensics names what really was changed: over a corpus of
//! messages by third-party signers that were changed in one way each, where it is at hand.

#[path = "conformance/zone.rs"]
mod zone;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use mailproof::diagnosis::{Finding, Value};
use mailproof::dkim::DkimResult;
use mailproof::dns::{Zone, block_on};
use mailproof::{Message, Session, Verifier};

/// The change by the name of the file, the code that names it, and the field.
const CHANGES: &[(&str, &[&str], Option<&str>)] = &[
    ("subj-respace", &["header-folded"], Some("subject")),
    (
        "subj-edit",
        &["header-field-changed", "header-field-likely"],
        Some("subject"),
    ),
    ("hdr-upcase", &["header-name-case"], None),
    ("hdr-trailing-ws", &["header-folded"], Some("date")),
    ("drop-date", &["header-field-removed"], Some("date")),
    ("from-second-top", &["header-field-added"], Some("from")),
    ("from-second-bottom", &["header-field-added"], Some("from")),
    ("sig-t-edit", &["signature-field-changed"], None),
    ("sig-upcase-name", &["signature-field-changed"], None),
    ("body-append", &["body-appended"], None),
    ("body-trailing-ws", &["body-white-space-changed"], None),
    ("body-inner-ws", &["body-white-space-changed"], None),
    ("body-leading-blank", &["body-prepended"], None),
    ("body-edit", &["body-edited"], None),
];

#[test]
fn names_the_true_change() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/suites/dkim-interop");
    let Ok(text) = std::fs::read_to_string(suite.join("dns.json")) else {
        println!("SKIPPED: no suites");
        return;
    };
    let zone = zone::zone(&serde_json::from_str(&text).unwrap()).unwrap();
    let mut counted: Vec<(bool, bool)> = Vec::new();
    for file in files(&suite.join("messages")) {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let Some((_, change)) = name.split_once("--") else {
            continue;
        };
        let expected = CHANGES.iter().find(|(known, ..)| *known == change);
        let Some((_, codes, field)) = expected else {
            continue;
        };
        let octets = std::fs::read(&file).unwrap();
        let Some(first) = first_finding(&zone, &octets) else {
            continue;
        };
        let right = codes.contains(&first.code().as_str())
            && field.is_none_or(|field| named(&first).eq_ignore_ascii_case(field));
        if !right {
            println!("{name}: {}: {first}", first.code());
        }
        let scored = !change.starts_with("body-") || change == "body-append";
        counted.push((right, scored));
    }
    let right = counted.iter().filter(|(right, _)| *right).count();
    let scored = counted.iter().filter(|(_, scored)| *scored).count();
    let both = counted
        .iter()
        .filter(|(right, scored)| *right && *scored)
        .count();
    println!("all changes: {right} of {} named", counted.len());
    println!("header fields and appended bodies: {both} of {scored} named");
    assert!(scored != 0 && both * 10 >= scored * 9);
}

fn first_finding(zone: &Zone, octets: &[u8]) -> Option<Finding> {
    // After any t= of the corpus.
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
    let session = Session::new([192, 0, 2, 1].into(), "mail.example.net", "a@example.net");
    let message = Message::parse(octets);
    let verdict = block_on(Verifier::new(zone).at(now).verify(&session, &message));
    let first = verdict.forensics(&message).into_iter().next();
    let failed = verdict
        .dkim()
        .iter()
        .any(|one| one.result() == DkimResult::Fail);
    assert_eq!(first.is_some(), failed, "{:?}", verdict.dkim());
    first
}

fn named(finding: &Finding) -> String {
    match finding.value("field") {
        Some(Value::Field { name, .. }) => name.clone(),
        _ => String::new(),
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
