//! Reads suites of kind `spf`: `*.yml` in the openspf schema, records and macros in JSON, and
//! Received-SPF fields.

use std::path::{Path, PathBuf};

use mailproof::dns::{LookupError, Name, RecordType, Zone, block_on};
use mailproof::spf::{
    Evaluation, MacroString, ReceivedSpf, Record, Request, Settings, SyntaxRule, check_host,
};
use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

use super::report::{Report, json};

pub fn run(folder: &Path, report: &mut Report) -> Result<(), String> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(|error| error.to_string())?
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.sort();
    for file in files {
        let name = file
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        let stem = name.split('.').next().unwrap_or_default().to_owned();
        if name.ends_with(".yml") || name.ends_with(".yaml") {
            openspf(&file, &stem, report)?;
        } else if name.ends_with(".json") && name != "suite.json" {
            entries(&json(&file)?, &stem, report);
        }
    }
    Ok(())
}

/// A list of entries, or an object of such lists. What an entry is about is told by its keys.
fn entries(content: &Value, stem: &str, report: &mut Report) {
    let lists: Vec<&Vec<Value>> = match content {
        Value::Object(lists) => lists.values().filter_map(Value::as_array).collect(),
        list => list.as_array().into_iter().collect(),
    };
    for entry in lists.into_iter().flatten() {
        if entry["record"].is_string() {
            record(entry, stem, report);
        } else if entry["macro"].is_string() {
            macros(entry, stem, report);
        } else if entry["header"].is_string() {
            received_spf(entry, stem, report);
        }
    }
}

/// What is expected; where the origin departs from the RFC, `expect_rfc` has the RFC's word.
fn expected(entry: &Value) -> Option<&str> {
    entry["expect_rfc"].as_str().or(entry["expect"].as_str())
}

/// A file of scenarios: tests, and the zone that they see.
fn openspf(file: &Path, stem: &str, report: &mut Report) -> Result<(), String> {
    let explain = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| explain(&error))?;
    for scenario in YamlLoader::load_from_str(&text).map_err(|error| explain(&error))? {
        let zone = zone(&scenario["zonedata"]).map_err(|error| explain(&error))?;
        for (name, test) in scenario["tests"].as_hash().into_iter().flatten() {
            let case = format!("{stem}/{}", name.as_str().unwrap_or_default());
            if !report.skips(&case) {
                openspf_case(&case, test, &zone, report);
            }
        }
    }
    Ok(())
}

fn openspf_case(case: &str, test: &Yaml, zone: &Zone, report: &mut Report) {
    let text = |key: &str| test[key].as_str().unwrap_or_default();
    let Ok(client_ip) = text("host").parse() else {
        report.case(case, false, "an address", text("host"), "unreadable");
        return;
    };
    let request = match text("mailfrom") {
        "" => Request::helo(client_ip, text("helo")),
        sender => Request::mail_from(client_ip, text("helo"), sender),
    };
    let mut settings = Settings::default();
    settings.receiver = test["receiver"].as_str().map(str::to_owned);
    let evaluation = block_on(check_host(zone, &request, &settings));

    let expected: Vec<&str> = match &test["result"] {
        Yaml::Array(results) => results.iter().filter_map(Yaml::as_str).collect(),
        result => result.as_str().into_iter().collect(),
    };
    let result = evaluation.result().as_str();
    let mut passed = expected
        .iter()
        .any(|word| word.eq_ignore_ascii_case(result));
    let mut expected = expected.join("|");
    let mut got = result.to_owned();
    if let Some(explanation) = test["explanation"].as_str() {
        let ours = explanation_of(&evaluation);
        passed &= ours == explanation;
        expected = format!("{expected} \"{explanation}\"");
        got = format!("{got} \"{ours}\"");
    }
    report.case(
        case,
        passed,
        &expected,
        &got,
        &evaluation.cause().to_string(),
    );
}

/// `DEFAULT` is the receiver's own text, for when the domain has none to offer.
fn explanation_of(evaluation: &Evaluation) -> String {
    evaluation
        .explanation()
        .map_or("DEFAULT", |explanation| explanation.as_str())
        .to_owned()
}

pub fn zone(data: &Yaml) -> Result<Zone, String> {
    let mut zone = Zone::new();
    for (owner, records) in data.as_hash().into_iter().flatten() {
        let owner = owner_name(owner.as_str().ok_or("an owner is no string")?)?;
        let records = records.as_vec().ok_or("records are no list")?;
        add_records(&mut zone, &owner, records).map_err(|error| format!("{owner}: {error}"))?;
    }
    Ok(zone)
}

fn owner_name(text: &str) -> Result<String, String> {
    let name = Name::from_octets(&octets(text)).map_err(|error| format!("{text}: {error}"))?;
    Ok(name.to_string())
}

fn target(value: &Yaml) -> Result<String, String> {
    match value.as_str().ok_or("a target is no string")? {
        "" | "." => Ok(".".to_owned()),
        text => owner_name(text),
    }
}

fn add_records(zone: &mut Zone, owner: &str, records: &[Yaml]) -> Result<(), String> {
    let entries: Vec<(&str, &Yaml)> = records
        .iter()
        .filter_map(Yaml::as_hash)
        .flatten()
        .filter_map(|(key, value)| Some((key.as_str()?, value)))
        .collect();
    // ‘SPF’ stands for TXT as well, unless the name has TXT of its own; ‘TXT: NONE’ is none.
    let own_txt = entries.iter().any(|(key, _)| *key == "TXT");
    let mut seen = Vec::new();
    for (key, value) in entries {
        match key {
            "TXT" if value.as_str() == Some("NONE") => {}
            "SPF" if own_txt => {}
            "TXT" | "SPF" => {
                zone.add_txt(owner, txt(value)).map_err(|e| e.to_string())?;
                seen.push(RecordType::Txt);
            }
            "A" | "AAAA" => {
                let address = value.as_str().unwrap_or_default();
                let address = address.parse().map_err(|_| format!("address {address}"))?;
                zone.add_address(owner, address)
                    .map_err(|e| e.to_string())?;
                let is_a = key == "A";
                seen.push(if is_a {
                    RecordType::A
                } else {
                    RecordType::Aaaa
                });
            }
            "MX" => {
                let preference = value[0].as_i64().unwrap_or_default();
                let preference = u16::try_from(preference).map_err(|error| error.to_string())?;
                zone.add_mx(owner, preference, &target(&value[1])?)
                    .map_err(|e| e.to_string())?;
                seen.push(RecordType::Mx);
            }
            "PTR" => {
                // Nobody asks for the PTR of what is no address.
                let _ = add_ptr(zone, owner, &target(value)?);
                seen.push(RecordType::Ptr);
            }
            "CNAME" => {
                zone.add_cname(owner, &target(value)?)
                    .map_err(|e| e.to_string())?;
            }
            // Other types have no part in SPF, but their owners exist.
            _ => {}
        }
    }
    let is_timeout =
        |record: &Yaml| record.as_str() == Some("TIMEOUT") || !record["TIMEOUT"].is_badvalue();
    if records.iter().any(is_timeout) {
        let types = [
            RecordType::A,
            RecordType::Aaaa,
            RecordType::Mx,
            RecordType::Ptr,
            RecordType::Txt,
        ];
        for record_type in types.into_iter().filter(|kind| !seen.contains(kind)) {
            zone.fail_type(owner, record_type, LookupError::Timeout)
                .map_err(|e| e.to_string())?;
        }
    }
    zone.add_name(owner).map_err(|e| e.to_string())?;
    Ok(())
}

/// The zone takes PTR records by address.
fn add_ptr(zone: &mut Zone, owner: &str, name: &str) -> Result<(), String> {
    let address = if let Some(reverse) = owner.strip_suffix(".in-addr.arpa") {
        let octets: Vec<&str> = reverse.split('.').rev().collect();
        octets.join(".").parse().ok()
    } else if let Some(reverse) = owner.strip_suffix(".ip6.arpa") {
        let digits: String = reverse.split('.').rev().collect();
        u128::from_str_radix(&digits, 16)
            .ok()
            .filter(|_| digits.len() == 32)
            .map(|bits| std::net::Ipv6Addr::from_bits(bits).into())
    } else {
        None
    };
    let address = address.ok_or("PTR of a name that is no address")?;
    zone.add_ptr(address, name).map_err(|e| e.to_string())?;
    Ok(())
}

fn txt(value: &Yaml) -> Vec<u8> {
    match value {
        Yaml::Array(strings) => strings
            .iter()
            .filter_map(Yaml::as_str)
            .flat_map(octets)
            .collect(),
        value => octets(value.as_str().unwrap_or_default()),
    }
}

/// The escape "\x96" means the octet 0x96; YAML has made it a character.
fn octets(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    for character in text.chars() {
        match u8::try_from(u32::from(character)) {
            Ok(octet) => octets.push(octet),
            Err(_) => octets.extend_from_slice(character.to_string().as_bytes()),
        }
    }
    octets
}

/// A record that is valid or not: `expect` is valid, permerror or none; or `valid` is a flag.
fn record(entry: &Value, stem: &str, report: &mut Report) {
    let record = entry["record"].as_str().unwrap_or_default();
    let case = format!("{stem}/{record}");
    if report.skips(&case) {
        return;
    }
    let parsed = Record::parse(record.as_bytes());
    let (got, cause) = match &parsed {
        Ok(record) if record.to_string() == entry["record"] => ("valid", String::new()),
        Ok(record) => ("unequal", record.to_string()),
        Err(error) if error.rule() == SyntaxRule::Version => ("none", error.to_string()),
        Err(error) => ("permerror", error.to_string()),
    };
    let (expected, passed) = match (expected(entry), entry["valid"].as_bool()) {
        (Some(expected), _) => (expected, expected == got),
        (None, Some(true)) => ("valid", got == "valid"),
        (None, Some(false)) => ("not valid", got == "none" || got == "permerror"),
        // A null: the origin departs from the grammar, and there is no verdict to hold against.
        (None, None) => return,
    };
    report.case(&case, passed, expected, got, &cause);
}

/// A text with macros and what it expands to; null for a syntax error.
fn macros(entry: &Value, stem: &str, report: &mut Report) {
    let text = entry["macro"].as_str().unwrap_or_default();
    let case = format!("{stem}/{text}");
    if report.skips(&case) {
        return;
    }
    let parsed = match entry["in"].as_str() {
        Some("exp") => MacroString::parse_explanation(text.as_bytes()),
        _ => MacroString::parse_term(text.as_bytes()),
    };
    let got = match parsed {
        Ok(text) => expansion(text, entry),
        Err(_) => "null".to_owned(),
    };
    let expected = expected(entry).unwrap_or("null");
    // Of a name, letter case does not matter, and what exceeds 253 octets loses labels on the left.
    let passed = got.eq_ignore_ascii_case(expected)
        || (got.len() > 253 && expected.len() <= 253 && got.ends_with(&format!(".{expected}")));
    report.case(&case, passed, expected, &got, "expansion");
}

fn expansion(text: MacroString<'_>, entry: &Value) -> String {
    let context = |key: &str| entry["context"][key].as_str();
    let mut zone = Zone::new();
    for (owner, names) in entry["ptr"].as_object().into_iter().flatten() {
        for name in names.as_array().into_iter().flatten() {
            let _ = add_ptr(&mut zone, owner, name.as_str().unwrap_or_default());
        }
    }
    for (owner, addresses) in entry["a"].as_object().into_iter().flatten() {
        for address in addresses.as_array().into_iter().flatten() {
            if let Some(Ok(address)) = address.as_str().map(str::parse) {
                let _ = zone.add_address(owner, address);
            }
        }
    }
    let Some(Ok(client_ip)) = context("ip").map(str::parse) else {
        return "no client address".to_owned();
    };
    let helo = context("helo").unwrap_or_default();
    let sender = context("sender").unwrap_or_default();
    let domain = context("domain").unwrap_or_default();
    let request = Request::mail_from(client_ip, helo, sender).with_domain(domain);
    let mut settings = Settings::default();
    settings.receiver = context("receiver").map(str::to_owned);
    match block_on(text.expand(&zone, &request, &settings)) {
        Some(octets) => String::from_utf8_lossy(&octets).into_owned(),
        None => "no expansion".to_owned(),
    }
}

/// A field: it must read, as `fields` if there are any, and survive being written.
fn received_spf(entry: &Value, stem: &str, report: &mut Report) {
    let case = format!("{stem}/{}", entry["case"].as_str().unwrap_or("field"));
    if report.skips(&case) {
        return;
    }
    let header = entry["header"].as_str().unwrap_or_default();
    let read = |field: &str| {
        let value = field.trim_start_matches("Received-SPF:");
        ReceivedSpf::parse(value.as_bytes())
    };
    let outcome = match read(header) {
        Err(error) => Err(error.to_string()),
        Ok(field) if read(&field.to_field()).as_ref() != Ok(&field) => {
            Err(format!("written as {}", field.to_field()))
        }
        Ok(field) => same_fields(&field, &entry["fields"]),
    };
    let cause = outcome.clone().err().unwrap_or_default();
    let got = outcome.map_or("different", |()| "the same");
    report.case(&case, got == "the same", "the same", got, &cause);
}

fn same_fields(field: &ReceivedSpf, fields: &Value) -> Result<(), String> {
    for (key, value) in fields.as_object().into_iter().flatten() {
        let ours = match key.as_str() {
            "result" => Some(field.result().as_str()),
            "comment" => field.comment(),
            key => field.get(key),
        };
        if ours != value.as_str() {
            return Err(format!("{key} is {ours:?}, not {value}"));
        }
    }
    Ok(())
}
