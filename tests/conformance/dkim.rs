//! Suites of DKIM: whole messages. Canonicalization and syntax stand in files of their own.

#[path = "dkim_canonicalization.rs"]
mod canonicalization;
#[path = "dkim_syntax.rs"]
mod syntax;
#[path = "dkim_values.rs"]
mod values;

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::crypto::SigningKey;
use mailproof::dkim::{self, Canonicalization, DkimResult, Keys, Settings, Signer, Verification};
use mailproof::dns::{Outcome, Txt, Zone, block_on};
use mailproof::{Domain, Message};
use serde_json::Value;

pub use canonicalization::canonicalization;
pub use syntax::syntax;

use crate::report::{self, Report};
use crate::zone::zone;
use values::{list, text, words};

/// Messages: `cases.json`, `dns.json` for those without DNS data of their own, `messages/`.
pub fn messages(suite: &Path, report: &mut Report) -> Result<(), String> {
    let shared = report::json(&suite.join("dns.json")).unwrap_or_default();
    let cases = report::json(&suite.join("cases.json"))?;
    for case in list(&cases, "cases")? {
        let file = text(case, "file").ok_or("case without file")?;
        let name = text(case, "id").unwrap_or(file);
        if report.skips(name) {
            continue;
        }
        let path = [suite.join("messages").join(file), suite.join(file)];
        let octets = path
            .iter()
            .find_map(|path| std::fs::read(path).ok())
            .ok_or(format!("{file} cannot be read"))?;
        let octets = with_line_ends(octets);
        let zone = zone(case.get("dns").unwrap_or(&shared))?;
        let now = match case.get("now").and_then(Value::as_u64) {
            Some(seconds) => UNIX_EPOCH + Duration::from_secs(seconds),
            None => SystemTime::now(),
        };
        let strict = verify(&octets, &zone, now, &Settings::default());
        judge(name, case, "expect", &strict, report);
        let mut by_signature = strict;
        if case
            .get("expect_legacy")
            .is_some_and(|expect| !expect.is_null())
        {
            let mut settings = Settings::default();
            settings.allow_sha1 = true;
            settings.min_rsa_bits = 1;
            let legacy = verify(&octets, &zone, now, &settings);
            judge_legacy(&format!("{name} (legacy)"), case, &legacy, report);
            by_signature = legacy;
        }
        signatures(name, case, &by_signature, report);
    }
    if let Ok(vectors) = report::json(&suite.join("sign-vectors.json")) {
        for (number, vector) in list(&vectors, "vectors")?.into_iter().enumerate() {
            sign_vector(number, vector, &shared, report)?;
        }
    }
    Ok(())
}

/// A message that another signer made: its signature must verify, and ours over the same message
/// must have the same body hash. The order of tags is each signer's own, so no more can be equal.
fn sign_vector(
    number: usize,
    vector: &Value,
    dns: &Value,
    report: &mut Report,
) -> Result<(), String> {
    let key = text(vector, "key").ok_or("sign vector without key")?;
    let message = text(vector, "message").ok_or("sign vector without message")?;
    let signature = text(vector, "sig").ok_or("sign vector without sig")?;
    let mail = format!("{}\r\n{message}", signature.trim_end());
    let parsed = Message::parse(mail.as_bytes());
    let settings = Settings::default();
    let collected = dkim::Collected::read(parsed.head(), None, SystemTime::now(), &settings);
    // The key of the vector is published under one of the names of the suite.
    let ed25519 = key.contains("ed25519");
    let mut records = Vec::new();
    for (name, value) in dns.as_object().into_iter().flatten() {
        let record = words(value).concat();
        if name.starts_with(key.split(['-', '.']).next().unwrap_or_default())
            && record.contains("k=ed25519") == ed25519
        {
            records.push(Txt::new(record));
        }
    }
    let mut keys = Keys::default();
    for name in collected.key_names() {
        keys.insert(name, Ok(Outcome::records(records.clone())));
    }
    let mut hasher = collected.body_hasher();
    hasher.update(parsed.body());
    let verifications = collected.verify(&keys, &hasher.finish(), &settings);
    let (result, cause) = overall(&verifications);
    let name = format!("sign vector {number}");
    let passed = result == DkimResult::Pass;
    report.case(&name, passed, "pass", result.as_str(), &cause);
    let Some(theirs) = verifications
        .first()
        .and_then(|first| first.claimed_body_hash())
    else {
        return Ok(());
    };
    let simple = Canonicalization::Simple;
    let key = SigningKey::ed25519(&[1; 32]).map_err(|error| error.to_string())?;
    let domain = "example.com"
        .parse::<Domain>()
        .map_err(|error| error.to_string())?;
    let signer = Signer::new(key, domain, "s")
        .map_err(|error| error.to_string())?
        .canonicalization(simple, simple);
    let message = Message::parse(message.as_bytes());
    let ours = dkim::Signer::sign(&[signer], &message, SystemTime::now())
        .map_err(|error| error.to_string())?
        .header();
    let same = ours.contains(&format!("bh={theirs};"));
    report.case(&format!("{name} bh="), same, &theirs, &ours, "");
    Ok(())
}

/// A file without any CRLF was stored with the line ends of the system, not of mail.
pub fn with_line_ends(octets: Vec<u8>) -> Vec<u8> {
    if octets.windows(2).any(|pair| pair == b"\r\n") {
        return octets;
    }
    let mut crlf = Vec::with_capacity(octets.len());
    for octet in octets {
        if octet == b'\n' {
            crlf.push(b'\r');
        }
        crlf.push(octet);
    }
    crlf
}

/// The result of a message is that of its best signature.
fn overall(verifications: &[Verification]) -> (DkimResult, String) {
    let best = verifications
        .iter()
        .find(|verification| verification.result() == DkimResult::Pass)
        .or(verifications.first());
    best.map_or((DkimResult::None, "not signed".into()), |best| {
        (best.result(), best.to_string())
    })
}

fn judge(name: &str, case: &Value, key: &str, verifications: &[Verification], report: &mut Report) {
    let expected = words(&case[key]);
    let (result, cause) = overall(verifications);
    let passed = expected.iter().any(|word| word == result.as_str());
    report.case(name, passed, &expected.join("|"), result.as_str(), &cause);
}

/// With keys that are too short for the crypto library, the body hash stands for the whole.
fn judge_legacy(name: &str, case: &Value, verifications: &[Verification], report: &mut Report) {
    let expected = words(&case["expect_legacy"]);
    let (result, cause) = overall(verifications);
    let passed = expected.iter().any(|word| word == result.as_str());
    let short = verifications
        .iter()
        .find(|verification| matches!(verification.cause(), dkim::Cause::KeyTooShort { .. }));
    if let (false, Some(short)) = (passed, short) {
        let right = short.computed_body_hash() == short.claimed_body_hash();
        let got = if right { "pass" } else { "fail" };
        let fits = expected.iter().any(|word| word == got)
            // A changed header is beyond what the body hash can tell.
            || (right && !expected.iter().any(|word| word == "pass"));
        report.case(name, fits, &expected.join("|"), got, &cause);
        return;
    }
    report.case(name, passed, &expected.join("|"), result.as_str(), &cause);
}

fn signatures(name: &str, case: &Value, verifications: &[Verification], report: &mut Report) {
    let Some(expected) = case.get("expect_signatures").and_then(Value::as_array) else {
        return;
    };
    for (number, expected) in expected.iter().enumerate() {
        let expected = words(expected);
        let got = verifications.get(number);
        let (word, cause) = got.map_or(("missing", String::new()), |verification| {
            (verification.result().as_str(), verification.to_string())
        });
        let passed = expected.iter().any(|expected| expected == word);
        let name = format!("{name} [{number}]");
        report.case(&name, passed, &expected.join("|"), word, &cause);
    }
}

/// Verifies at once, and again in small chunks, which must give the same.
fn verify(octets: &[u8], zone: &Zone, now: SystemTime, settings: &Settings) -> Vec<Verification> {
    let message = Message::parse(octets);
    let whole = block_on(dkim::verify_message(zone, &message, now, settings));
    let author = message.head().author();
    let collected = dkim::Collected::read(message.head(), author.domain(), now, settings);
    let keys = block_on(dkim::Keys::fetch(zone, &collected.key_names()));
    let mut hasher = collected.body_hasher();
    for chunk in message.body().chunks(7) {
        hasher.update(chunk);
    }
    let chunked = collected.verify(&keys, &hasher.finish(), settings);
    assert_eq!(whole, chunked);
    whole
}
