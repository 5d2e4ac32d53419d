//! Suites of ARC: ValiMail's scenarios of validation and of sealing, and whole messages.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::arc::{self, ArcResult, Payload, Sealer, Validation};
use mailproof::dns::{Zone, block_on};
use mailproof::{Message, dkim};
use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

use crate::dkim as dkim_suites;
use crate::report::{self, Report};
use crate::rsa::PrivateKey;
use crate::zone::zone as shared_zone;

/// Messages: `cases.json`, `dns.json` for those without DNS data of their own, `messages/`.
pub fn messages(suite: &Path, report: &mut Report) -> Result<(), String> {
    let shared = report::json(&suite.join("dns.json")).unwrap_or_default();
    let cases = report::json(&suite.join("cases.json"))?;
    let cases = cases.get("cases").unwrap_or(&cases);
    for case in cases.as_array().ok_or("cases.json has no list of cases")? {
        let text = |key: &str| case.get(key).and_then(Value::as_str);
        let file = text("file").ok_or("case without file")?;
        let name = text("id").unwrap_or(file);
        if report.skips(name) {
            continue;
        }
        let path = [suite.join("messages").join(file), suite.join(file)];
        let octets = path
            .iter()
            .find_map(|path| std::fs::read(path).ok())
            .ok_or(format!("{file} cannot be read"))?;
        let zone = shared_zone(case.get("dns").unwrap_or(&shared))?;
        let now = match case.get("now").and_then(Value::as_u64) {
            Some(seconds) => UNIX_EPOCH + Duration::from_secs(seconds),
            None => SystemTime::now(),
        };
        let expected = ["cv", "expect", "arc", "result"].into_iter().find_map(text);
        let expected = expected.ok_or(format!("{name} expects nothing"))?;
        let validation = validate(&dkim_suites::with_line_ends(octets), &zone, now);
        judge(name, &[expected], &validation, report);
    }
    Ok(())
}

fn judge(name: &str, expected: &[&str], validation: &Validation, report: &mut Report) {
    let got = validation.result().as_str();
    let passed = expected.iter().any(|word| word.eq_ignore_ascii_case(got));
    report.case(
        name,
        passed,
        &expected.join("|"),
        got,
        &validation.cause().to_string(),
    );
}

/// Validates at once, and again in small chunks, which must give the same.
fn validate(octets: &[u8], zone: &Zone, now: SystemTime) -> Validation {
    let message = Message::parse(octets);
    let settings = arc::Settings::default();
    let validate = |size: usize| {
        let collected = arc::Collected::read(message.head(), now, &settings);
        let keys = block_on(dkim::Keys::fetch(zone, &collected.key_names()));
        let mut hasher = collected.body_hasher();
        for chunk in message.body().chunks(size) {
            hasher.update(chunk);
        }
        collected.validate(&keys, &hasher.finish(), &settings)
    };
    let whole = validate(message.body().len().max(1));
    assert_eq!(whole, validate(7));
    whole
}

/// ValiMail's scenarios: every `*.yml` with tests. What has `cv` is validated, what has `AS` is
/// sealed.
pub fn valimail(suite: &Path, report: &mut Report) -> Result<(), String> {
    for file in yaml_files(suite)? {
        let explain = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let text = std::fs::read_to_string(&file).map_err(|error| explain(&error))?;
        let text = with_unique_keys(&text);
        for scenario in YamlLoader::load_from_str(&text).map_err(|error| explain(&error))? {
            let title = scenario["description"].as_str().unwrap_or_default().trim();
            let zone = zone(&scenario)?;
            for (name, test) in scenario["tests"].as_hash().into_iter().flatten() {
                let name = format!("{title}/{}", name.as_str().unwrap_or_default());
                if test["message"].is_badvalue() || report.skips(&name) {
                    continue;
                }
                if !test["cv"].is_badvalue() {
                    validation(&name, test, &zone, report);
                } else if !test["AS"].is_badvalue() {
                    sealing(&name, &scenario, test, &zone, report)?;
                }
            }
        }
    }
    Ok(())
}

/// Some tests share a name, which YAML does not allow: all but the first get a number.
fn with_unique_keys(text: &str) -> String {
    let mut seen = HashMap::new();
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        if line.trim_end() == "---" {
            seen.clear();
        }
        let indented = line.strip_prefix("  ").filter(|key| !key.starts_with(' '));
        match indented.and_then(|key| key.trim_end().strip_suffix(':')) {
            None => out.push_str(line),
            Some(key) => {
                let count = seen.entry(key).or_insert(0_usize);
                *count += 1;
                match *count {
                    1 => out.push_str(line),
                    count => out.push_str(&format!("  {key}_{count}:")),
                }
            }
        }
        out.push('\n');
    }
    out
}

fn yaml_files(suite: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(suite).map_err(|error| error.to_string())?;
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            path.extension()
                .is_some_and(|end| end == "yml" || end == "yaml")
        })
        // Set aside by the authors of the suite: made for an earlier layout than its README fixes.
        .filter(|path| !path.ends_with("unused_tests.yml"))
        .collect();
    files.sort();
    Ok(files)
}

fn zone(scenario: &Yaml) -> Result<Zone, String> {
    let mut zone = Zone::new();
    for key in ["txt-records", "txt_records"] {
        for (name, record) in scenario[key].as_hash().into_iter().flatten() {
            if let (Some(name), Some(record)) = (name.as_str(), record.as_str()) {
                zone.add_txt(name, record)
                    .map_err(|error| format!("{name}: {error}"))?;
            }
        }
    }
    Ok(zone)
}

fn octets(message: &Yaml) -> Vec<u8> {
    let text = message.as_str().unwrap_or_default();
    dkim_suites::with_line_ends(text.as_bytes().to_vec())
}

/// An empty `cv` means that the chain was found to be broken before: fail, or as good as none.
fn validation(name: &str, test: &Yaml, zone: &Zone, report: &mut Report) {
    let words = match test["cv"].as_str().unwrap_or_default() {
        "" => vec!["fail", ArcResult::None.as_str()],
        word => vec![word],
    };
    let validation = validate(&octets(&test["message"]), zone, SystemTime::now());
    judge(name, &words, &validation, report);
}

/// Seals with the layout on which the suite agrees, so that all three fields must come out as it has
/// them, the signatures included; white space apart, of which none matters there.
fn sealing(
    name: &str,
    scenario: &Yaml,
    test: &Yaml,
    zone: &Zone,
    report: &mut Report,
) -> Result<(), String> {
    let text = |yaml: &Yaml| yaml.as_str().unwrap_or_default().to_owned();
    let key = PrivateKey::from_pem(&text(&scenario["privatekey"])).ok_or("unreadable key")?;
    let domain = text(&scenario["domain"]);
    let domain = domain
        .parse()
        .map_err(|error| format!("{domain}: {error}"))?;
    let names: Vec<String> = text(&test["sig-headers"])
        .split(':')
        .map(Into::into)
        .collect();
    let sealer = Sealer::external(Arc::new(key), domain, &text(&scenario["sel"]))
        .and_then(|sealer| sealer.sorted_tags().fields(names))
        .map_err(|error| error.to_string())?;
    let octets = octets(&test["message"]);
    let message = Message::parse(&octets);
    let authserv_id = text(&test["srv-id"])
        .parse()
        .map_err(|error| format!("srv-id: {error}"))?;
    let payload = Payload::combined(message.head(), &authserv_id);
    let seconds = test["t"].as_i64().and_then(|t| u64::try_from(t).ok());
    let now = UNIX_EPOCH + Duration::from_secs(seconds.ok_or("test without t")?);
    let incoming = validate(&octets, zone, now);
    let sealed = block_on(sealer.seal_externally(&message, &payload, &incoming, now));

    let names = [
        "ARC-Seal",
        "ARC-Message-Signature",
        "ARC-Authentication-Results",
    ];
    let expected: Vec<String> = ["AS", "AMS", "AAR"]
        .iter()
        .zip(names)
        .map(|(key, name)| match text(&test[*key]).trim() {
            "" => String::new(),
            value => without_space(&format!("{name}:{value}")),
        })
        .collect();
    let got: Vec<String> = match sealed {
        Ok(sealed) => sealed
            .fields()
            .iter()
            .map(|field| without_space(field))
            .collect(),
        Err(dkim::SignError::ChainFailed) => vec![String::new(); 3],
        Err(error) => return Err(format!("{name}: {error}")),
    };
    let passed = got == expected;
    let cause = incoming.cause().to_string();
    report.case(name, passed, &expected.join(" "), &got.join(" "), &cause);
    Ok(())
}

fn without_space(text: &str) -> String {
    text.chars().filter(|c| !c.is_ascii_whitespace()).collect()
}
