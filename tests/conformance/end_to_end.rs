//! Whole verifications: a session, a message, one `zone.json`, and the word of each method.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use mailproof::dns::{Zone, block_on};
use mailproof::{Message, Session, Verdict, Verifier, iprev};
use serde_json::Value;

use crate::report::{self, Report};
use crate::zone::zone;

/// Cases stand in any JSON file beside `zone.json`, as a list or as the list `cases`.
pub fn run(suite: &Path, report: &mut Report) -> Result<(), String> {
    let shared = report::json(&suite.join("zone.json")).unwrap_or_default();
    let mut files: Vec<_> = fs::read_dir(suite)
        .map_err(|error| error.to_string())?
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .filter(|path| !path.ends_with("zone.json") && !path.ends_with("suite.json"))
        .collect();
    files.sort();
    for file in files {
        let content = report::json(&file)?;
        let cases = content.get("cases").unwrap_or(&content);
        for (index, case) in cases
            .as_array()
            .ok_or("no list of cases")?
            .iter()
            .enumerate()
        {
            let number = index.to_string();
            let named = ["id", "name", "file"]
                .iter()
                .find_map(|key| text(case, key));
            let name = named.unwrap_or(&number);
            if !report.skips(name) {
                let zone = zone(case.get("zone").or(case.get("dns")).unwrap_or(&shared))?;
                let named = |error| format!("{name}: {error}");
                let verdict = verdict(suite, case, &zone).map_err(named)?;
                judge(name, case, &zone, &verdict, report)?;
            }
        }
    }
    Ok(())
}

fn verdict(suite: &Path, case: &Value, zone: &Zone) -> Result<Verdict, String> {
    let mut session = Session::unknown();
    if let Some(ip) = text(case, "ip") {
        session = session.with_client_ip(ip.parse().map_err(|_| "not an address")?);
    }
    if let Some(helo) = text(case, "helo") {
        session = session.with_helo(helo);
    }
    if let Some(mail_from) = text(case, "mail_from").or(text(case, "mailfrom")) {
        session = session.with_mail_from(mail_from);
    }
    let octets = message(suite, case)?;
    let now = match case.get("now").and_then(Value::as_u64) {
        Some(seconds) => SystemTime::UNIX_EPOCH + Duration::from_secs(seconds),
        None => SystemTime::now(),
    };
    let verifier = Verifier::new(zone);
    Ok(block_on(
        verifier.at(now).verify(&session, &Message::parse(&octets)),
    ))
}

/// The message itself, or the name of its file.
fn message(suite: &Path, case: &Value) -> Result<Vec<u8>, String> {
    let named = text(case, "message")
        .or(text(case, "file"))
        .ok_or("no message")?;
    let octets = if named.contains('\n') {
        named.as_bytes().to_vec()
    } else {
        let paths = [suite.join(named), suite.join("messages").join(named)];
        let found = paths.iter().find_map(|path| fs::read(path).ok());
        found.ok_or(format!("{named} cannot be read"))?
    };
    // A file without any CRLF was stored with the line ends of the system, not of mail.
    if octets.windows(2).any(|pair| pair == b"\r\n") {
        return Ok(octets);
    }
    let lines = octets.split_inclusive(|octet| *octet == b'\n');
    Ok(lines
        .flat_map(|line| match line.strip_suffix(b"\n") {
            Some(line) => [line, b"\r\n"].concat(),
            None => line.to_vec(),
        })
        .collect())
}

fn judge(
    name: &str,
    case: &Value,
    zone: &Zone,
    verdict: &Verdict,
    report: &mut Report,
) -> Result<(), String> {
    let expected = case
        .get("expect")
        .and_then(Value::as_object)
        .ok_or("no expectations")?;
    for (method, expected) in expected {
        let (got, cause) = match method.as_str() {
            "spf" => {
                let spf = verdict.spf().authoritative();
                (vec![spf.result().as_str()], spf.cause().to_string())
            }
            "dkim" => dkim(verdict, expected),
            "iprev" => {
                let ip = verdict.session().client_ip().ok_or("no client for iprev")?;
                let iprev = block_on(iprev::Evaluation::of(zone, ip));
                (vec![iprev.result().as_str()], iprev.cause().to_string())
            }
            "arc" => {
                let arc = verdict.arc();
                (vec![arc.result().as_str()], arc.cause().to_string())
            }
            "dmarc" => {
                let dmarc = verdict.dmarc();
                (vec![dmarc.result().as_str()], dmarc.cause().to_string())
            }
            _ => continue,
        };
        let passed = match expected {
            // One word for each signature, or several acceptable words.
            Value::Array(words) => {
                let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
                words == got || (got.len() == 1 && words.contains(&got[0]))
            }
            word => got.len() == 1 && word.as_str() == Some(got[0]),
        };
        let case = format!("{name}/{method}");
        report.case(&case, passed, &expected.to_string(), &got.join(" "), &cause);
    }
    Ok(())
}

/// The word of each signature where the case lists them, else of the one that counts: the first
/// that passes, or the first.
fn dkim<'a>(verdict: &'a Verdict, expected: &Value) -> (Vec<&'a str>, String) {
    let all = verdict.dkim();
    let words: Vec<&str> = all.iter().map(|one| one.result().as_str()).collect();
    let cause = all
        .first()
        .map_or("not signed".into(), |one| one.cause().to_string());
    if expected
        .as_array()
        .is_some_and(|list| list.len() == words.len() && words.len() > 1)
    {
        return (words, cause);
    }
    let counts = words.iter().find(|word| **word == "pass").or(words.first());
    (vec![counts.copied().unwrap_or("none")], cause)
}

fn text<'a>(case: &'a Value, key: &str) -> Option<&'a str> {
    case.get(key).and_then(Value::as_str)
}
