//! A recorded verification gives the same verdict again, field by field, without any DNS.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use mailproof::dns::{LookupError, Transcript, Zone, block_on};
use mailproof::{Message, Session, Verifier};
use serde_json::Value;

/// Enough messages to meet every way in which a signature can fail.
const MESSAGES: usize = 500;

#[test]
fn third_party_messages() {
    let suites = match std::env::var("MAILPROOF_SUITES") {
        Ok(list) => list.split(':').map(PathBuf::from).collect(),
        Err(_) => vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/suites")],
    };
    let mut replayed = 0;
    let mut failing = 0;
    for suite in suites.iter().flat_map(|root| folders(root)) {
        let Ok(dns) = fs::read(suite.join("dns.json")) else {
            continue;
        };
        let zone = zone(&serde_json::from_slice(&dns).unwrap());
        for file in folders(&suite.join("messages")) {
            let octets = fs::read(&file).unwrap();
            failing += usize::from(!replays(&zone, &octets));
            replayed += 1;
        }
    }
    if replayed == 0 {
        println!("SKIPPED: no suites with messages");
        return;
    }
    println!("{replayed} messages replayed, {failing} of them do not pass DKIM");
    if std::env::var("MAILPROOF_SUITES").is_err() {
        assert!(replayed >= MESSAGES, "only {replayed} messages");
        assert!(failing > 0 && failing < replayed);
    }
}

/// Replays one message; whether one of its signatures passes.
fn replays(zone: &Zone, octets: &[u8]) -> bool {
    let session = Session::new([192, 0, 2, 1].into(), "mx.example.com", "a@example.com");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
    let message = Message::parse(octets);
    let verdict = block_on(Verifier::new(zone).at(now).verify(&session, &message));
    let text = verdict.transcript().to_string();
    let replay = Transcript::from_text(&text).unwrap().replay();
    let again = block_on(Verifier::new(replay).at(now).verify(&session, &message));
    assert_eq!(
        serde_json::to_value(&verdict).unwrap(),
        serde_json::to_value(&again).unwrap()
    );
    assert_eq!(text, again.transcript().to_string());
    verdict
        .dkim()
        .iter()
        .any(|one| one.result().as_str() == "pass")
}

/// What lies in a folder, by name.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn zone(dns: &Value) -> Zone {
    let mut zone = Zone::new();
    for (name, records) in dns.as_object().unwrap() {
        let records = records.get("TXT").unwrap_or(records);
        for record in records.as_array().into_iter().flatten() {
            // A name that the DNS cannot hold is never asked.
            let _ = zone.add_txt(name, record.as_str().unwrap_or_default());
        }
        if records.get("error").is_some() {
            let _ = zone.fail(name, LookupError::ServFail);
        }
    }
    zone
}
