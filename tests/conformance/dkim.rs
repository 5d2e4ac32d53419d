//! Suites of DKIM: whole messages, canonicalization, syntax.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::crypto::HashAlgorithm;
use mailproof::dkim::{
    self, BodyCanonicalizer, BodyHashRequest, BodyHasher, Canonicalization, DkimResult, KeyRecord,
    Settings, Signature, SignatureError, Verification,
};
use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::{Domain, Message};
use serde_json::Value;

use crate::report::{self, Report};

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
            settings.limits.rsa_bits_min = 1;
            let legacy = verify(&octets, &zone, now, &settings);
            judge_legacy(&format!("{name} (legacy)"), case, &legacy, report);
            by_signature = legacy;
        }
        signatures(name, case, &by_signature, report);
    }
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
    let author = message.head().author(&Default::default());
    let collected = dkim::collect(message.head(), author.domain(), now, settings);
    let keys = block_on(dkim::fetch(zone, &collected.key_names()));
    let mut hasher = collected.body_hasher();
    for chunk in message.body().chunks(7) {
        hasher.update(chunk);
    }
    let chunked = dkim::verify(collected, &keys, &hasher.finish(), settings);
    assert_eq!(whole, chunked);
    whole
}

/// Canonicalization: `canon.json`, or any file with `vectors` or `body_hashes`.
pub fn canonicalization(suite: &Path, report: &mut Report) -> Result<(), String> {
    for (_, file) in files(suite)? {
        for vector in list(&file, "vectors").unwrap_or_default() {
            if text(vector, "kind") == Some("c-tag") {
                c_tag(vector, report);
            } else {
                vector_case(vector, report)?;
            }
        }
        for hash in list(&file, "body_hashes").unwrap_or_default() {
            body_hash_case(suite, hash, report)?;
        }
    }
    Ok(())
}

fn algorithm(value: &Value) -> Result<Canonicalization, String> {
    match text(value, "algo") {
        Some("simple") => Ok(Canonicalization::Simple),
        Some("relaxed") => Ok(Canonicalization::Relaxed),
        other => Err(format!("canonicalization {other:?}")),
    }
}

/// The value of `c=`, in a signature that is otherwise sound.
fn c_tag(vector: &Value, report: &mut Report) {
    let input = text(vector, "in");
    let tag = input.map(|value| format!("c={value};")).unwrap_or_default();
    let list = format!(
        "v=1; a=rsa-sha256; d=example.com; s=s; h=from; {tag}\
         bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA"
    );
    let got = match Signature::parse(list.as_bytes(), 1_000) {
        Ok(signature) => format!(
            "{}/{}",
            signature.header_canonicalization(),
            signature.body_canonicalization()
        ),
        Err(_) => "error".into(),
    };
    let expected = match (text(vector, "header"), text(vector, "body")) {
        (Some(header), Some(body)) => format!("{header}/{body}"),
        _ => "error".into(),
    };
    // White space around a value belongs to the tag list, which is read first.
    let trimmed = input.is_none_or(|value| value.trim() == value);
    let name = format!("c={}", input.unwrap_or("(absent)"));
    report.case(&name, got == expected || !trimmed, &expected, &got, "");
}

fn vector_case(vector: &Value, report: &mut Report) -> Result<(), String> {
    let canonicalization = algorithm(vector)?;
    let kind = text(vector, "kind").ok_or("vector without kind")?;
    let input = &vector["in"];
    let name = format!("{kind} {canonicalization} {input}");
    if report.skips(&name) {
        return Ok(());
    }
    let expected = octets(text(vector, "out").unwrap_or_default());
    let lenient = vector["lenient_lf"] == true;
    let got = match kind {
        "body" => body(canonicalization, &chunks(input), &expected, lenient),
        "headers" => headers(canonicalization, vector),
        _ => {
            let input = chunks(input).concat();
            let message = Message::parse(&input);
            let mut out = Vec::new();
            for field in message.head().fields() {
                let name = [field.name(), field.gap()].concat();
                out.extend(canonicalization.header_field(&name, field.value()));
            }
            // Some vectors leave the CRLF out on either side.
            if !expected.ends_with(b"\r\n") && out.ends_with(b"\r\n") {
                out.truncate(out.len() - 2);
            }
            out
        }
    };
    let show = |octets: &[u8]| octets.escape_ascii().to_string();
    let source = text(vector, "source").unwrap_or_default();
    report.case(
        &name,
        got == expected,
        &show(&expected),
        &show(&got),
        source,
    );
    Ok(())
}

/// The canonical body for the chunks as given; an answer that differs for another cut of the same
/// octets is returned instead.
fn body(
    canonicalization: Canonicalization,
    chunks: &[Vec<u8>],
    expected: &[u8],
    lenient: bool,
) -> Vec<u8> {
    // Bare LF as a line end is a choice that we leave to the caller.
    let whole = if lenient {
        let joined = chunks.concat();
        let mut out = Vec::new();
        for octet in joined {
            if octet == b'\n' && out.last() != Some(&b'\r') {
                out.push(b'\r');
            }
            out.push(octet);
        }
        out
    } else {
        chunks.concat()
    };
    let canonical = |chunks: &mut dyn Iterator<Item = &[u8]>| {
        let mut canonicalizer = BodyCanonicalizer::new(canonicalization);
        let mut out = Vec::new();
        for chunk in chunks {
            canonicalizer.update(chunk, |piece| out.extend_from_slice(piece));
        }
        canonicalizer.finish(|piece| out.extend_from_slice(piece));
        out
    };
    if !lenient {
        let given = canonical(&mut chunks.iter().map(Vec::as_slice));
        if given != expected {
            return given;
        }
    }
    for at in 0..=whole.len() {
        let (first, second) = whole.split_at(at);
        let got = canonical(&mut [first, second].into_iter());
        if got != expected {
            return got;
        }
    }
    canonical(&mut whole.chunks(1))
}

/// Selected fields: `headers` as name and value, `h` the names.
fn headers(canonicalization: Canonicalization, vector: &Value) -> Vec<u8> {
    let fields: Vec<(Vec<u8>, Vec<u8>)> = vector["headers"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|pair| {
            let part = |at: usize| octets(pair[at].as_str().unwrap_or_default());
            (part(0), part(1))
        })
        .collect();
    let mut used = vec![false; fields.len()];
    let mut out = Vec::new();
    for name in words(&vector["h"]) {
        let found = (0..fields.len())
            .rev()
            .find(|at| !used[*at] && fields[*at].0.eq_ignore_ascii_case(name.as_bytes()));
        if let Some(at) = found {
            used[at] = true;
            out.extend(canonicalization.header_field(&fields[at].0, &fields[at].1));
        }
    }
    out
}

fn body_hash_case(suite: &Path, case: &Value, report: &mut Report) -> Result<(), String> {
    let canonicalization = algorithm(case)?;
    let hash = match text(case, "hash") {
        Some("sha1") => HashAlgorithm::Sha1,
        Some("sha256") => HashAlgorithm::Sha256,
        other => return Err(format!("hash {other:?}")),
    };
    let body = match (text(case, "body"), text(case, "file")) {
        (Some(body), _) => octets(body),
        (None, Some(file)) => {
            let message = std::fs::read(suite.join(file)).map_err(|e| format!("{file}: {e}"))?;
            let mut crlf = Vec::new();
            for octet in message {
                if octet == b'\n' && crlf.last() != Some(&b'\r') {
                    crlf.push(b'\r');
                }
                crlf.push(octet);
            }
            Message::parse(&crlf).body().to_vec()
        }
        (None, None) => return Err("body hash without body".into()),
    };
    let length = case["l"].as_u64();
    let request = BodyHashRequest::new(hash, canonicalization).with_length(length);
    let expected = text(case, "bh").unwrap_or_default();
    let from = text(case, "file").unwrap_or("body");
    let name = format!("body hash {canonicalization} {hash:?} {length:?} {from}");
    let mut got = String::new();
    for size in [1, 2, 3, 5, body.len().max(1)] {
        let mut hasher = BodyHasher::new([request]);
        body.chunks(size).for_each(|chunk| hasher.update(chunk));
        let hashes = hasher.finish();
        got = base64(hashes.get(&request).unwrap().digest.as_ref());
        if got != expected {
            break;
        }
    }
    report.case(&name, got == expected, expected, &got, "");
    Ok(())
}

/// Syntax: `dkim-syntax.json` with any of its lists, and lists of published key records.
pub fn syntax(suite: &Path, report: &mut Report) -> Result<(), String> {
    for (_, file) in files(suite)? {
        if let Some(records) = file.as_array() {
            for record in records {
                published_record(record, report);
            }
            continue;
        }
        for case in list(&file, "key_records").unwrap_or_default() {
            key_record(case, report);
        }
        for case in list(&file, "signatures").unwrap_or_default() {
            signature(case, report);
        }
        for case in list(&file, "tag_lists").unwrap_or_default() {
            tag_list(case, report);
        }
        for case in list(&file, "strip_b").unwrap_or_default() {
            strip_b(case, report);
        }
    }
    Ok(())
}

fn published_record(case: &Value, report: &mut Report) {
    let record = text(case, "record").unwrap_or_default();
    let name = text(case, "name").unwrap_or(record);
    let parsed = KeyRecord::parse(record.as_bytes());
    let cause = parsed.as_ref().err().map(ToString::to_string);
    let got = if parsed.is_ok() { "valid" } else { "invalid" };
    report.case(
        name,
        parsed.is_ok(),
        "valid",
        got,
        &cause.unwrap_or_default(),
    );
}

fn key_record(case: &Value, report: &mut Report) {
    let record = text(case, "record").unwrap_or_default();
    let expected = text(case, "expect").unwrap_or_default();
    let parsed = KeyRecord::parse(record.as_bytes());
    let (got, cause) = match &parsed {
        Ok(record) if record.is_revoked() => ("revoked", String::new()),
        // A key for something else is of no use to a signature.
        Ok(record) if record.is_for_mail() => ("valid", String::new()),
        Ok(_) => ("invalid", "not for mail".into()),
        Err(error) => ("invalid", error.to_string()),
    };
    let name = format!("key record {record}");
    let passed = got == expected || expected == "either";
    report.case(&name, passed, expected, got, &cause);
    if let (Ok(record), Some(fields)) = (&parsed, case.get("fields")) {
        for (tag, value) in fields.as_object().into_iter().flatten() {
            let got = match tag.as_str() {
                "n" => Value::from(record.note()),
                "t" => {
                    let known = [("y", record.is_testing()), ("s", record.is_strict())];
                    let expected = words(value);
                    let wrong = known
                        .iter()
                        .any(|(flag, set)| expected.iter().any(|word| word == flag) != *set);
                    if wrong { Value::Null } else { value.clone() }
                }
                _ => continue,
            };
            let name = format!("{name} {tag}=");
            report.case(
                &name,
                got == *value,
                &value.to_string(),
                &got.to_string(),
                "",
            );
        }
    }
}

fn parse_signature(header: &str) -> Result<Signature, SignatureError> {
    let octets = octets(header);
    let message = Message::parse(&octets);
    let field = message.head().fields().first().cloned();
    Signature::parse(field.as_ref().map(|f| f.value()).unwrap_or_default(), 1_000)
}

fn signature(case: &Value, report: &mut Report) {
    let header = text(case, "header").unwrap_or_default();
    let expected = text(case, "expect").unwrap_or_default();
    let parsed = parse_signature(header);
    let got = if parsed.is_ok() { "valid" } else { "invalid" };
    let cause = parsed.as_ref().err().map(ToString::to_string);
    let passed = got == expected || expected == "either";
    report.case(header, passed, expected, got, &cause.unwrap_or_default());
    let (Ok(signature), Some(fields)) = (&parsed, case.get("fields")) else {
        return;
    };
    for (tag, value) in fields.as_object().into_iter().flatten() {
        let got = match tag.as_str() {
            "a" => Value::from(signature.algorithm().as_str()),
            "s" => signature.selector().into(),
            "d" => signature.signing_domain().as_str().into(),
            "h" => signature.signed_fields().to_vec().into(),
            "c" => format!(
                "{}/{}",
                signature.header_canonicalization(),
                signature.body_canonicalization()
            )
            .into(),
            "l" => signature.length().into(),
            "i" => signature.identity().to_string().into(),
            "t" => signature.timestamp().into(),
            "x" => signature.expiration().into(),
            "z" => signature
                .copied_fields()
                .map(|(name, value)| format!("{name}:{}", String::from_utf8_lossy(&value)))
                .collect::<Vec<_>>()
                .into(),
            _ => continue,
        };
        let name = format!("{header} {tag}=");
        report.case(
            &name,
            got == *value,
            &value.to_string(),
            &got.to_string(),
            "",
        );
    }
}

/// A tag list is read as a signature: what else may be wrong with it is found only later.
fn tag_list(case: &Value, report: &mut Report) {
    let input = text(case, "in").unwrap_or_default();
    let expected = text(case, "expect").unwrap_or_default();
    let parsed = Signature::parse(&octets(input), 1_000);
    let got = match &parsed {
        Err(SignatureError::TagList(_) | SignatureError::Fold { .. }) => "invalid",
        Ok(_) | Err(_) => "valid",
    };
    let cause = parsed.err().map(|error| error.to_string());
    let passed = got == expected || expected == "either";
    let name = format!("tag list {input:?}");
    report.case(&name, passed, expected, got, &cause.unwrap_or_default());
}

fn strip_b(case: &Value, report: &mut Report) {
    let input = octets(text(case, "in").unwrap_or_default());
    let expected = text(case, "out").unwrap_or_default();
    let input = input.strip_suffix(b"\r\n").unwrap_or(&input);
    let stripped = dkim::without_signature(input);
    let got = String::from_utf8_lossy(&stripped).into_owned();
    let name = format!("b= of {}", input.escape_ascii());
    report.case(&name, got == expected, expected, &got, "");
}

fn files(suite: &Path) -> Result<Vec<(String, Value)>, String> {
    let folder = std::fs::read_dir(suite).map_err(|error| error.to_string())?;
    let mut files = Vec::new();
    for entry in folder.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".json") && name != "suite.json" {
            files.push((name, report::json(&entry.path())?));
        }
    }
    files.sort_by(|(first, _), (second, _)| first.cmp(second));
    Ok(files)
}

/// The list itself, or the one under `key`.
fn list<'v>(value: &'v Value, key: &str) -> Result<Vec<&'v Value>, String> {
    value
        .as_array()
        .or_else(|| value.get(key).and_then(Value::as_array))
        .map(|list| list.iter().collect())
        .ok_or(format!("no list {key}"))
}

fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

/// A word, or a list of words.
fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(word) => vec![word.clone()],
        Value::Array(words) => words
            .iter()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

fn octets(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

fn chunks(value: &Value) -> Vec<Vec<u8>> {
    words(value).iter().map(|chunk| octets(chunk)).collect()
}

fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in octets.chunks(3) {
        let mut bits = 0_usize;
        for at in 0..3 {
            bits = bits << 8 | usize::from(group.get(at).copied().unwrap_or_default());
        }
        for at in 0..4 {
            let shown = at <= group.len();
            let digit = ALPHABET[bits >> (18 - 6 * at) & 63];
            out.push(if shown { char::from(digit) } else { '=' });
        }
    }
    out
}

/// DNS data: name to a list of TXT strings, to `{TYPE: [...]}`, or to an error.
fn zone(data: &Value) -> Result<Zone, String> {
    let mut zone = Zone::new();
    for (name, value) in data.as_object().into_iter().flatten() {
        // Names that no key can have are never asked for.
        if name.parse::<Domain>().is_err() {
            continue;
        }
        let mut add = |record: &Value| {
            let record = words(record).concat();
            zone.add_txt(name, record)
                .map(|_| ())
                .map_err(|error| error.to_string())
        };
        match value {
            Value::Array(records) => records.iter().try_for_each(&mut add)?,
            Value::String(_) => add(value)?,
            _ => {
                if let Some(records) = value.get("TXT").and_then(Value::as_array) {
                    records.iter().try_for_each(&mut add)?;
                }
                let failure = match text(value, "error") {
                    Some("TIMEOUT") => LookupError::Timeout,
                    Some("SERVFAIL") => LookupError::ServFail,
                    Some("NXDOMAIN") | None => continue,
                    Some(other) => LookupError::Other(other.into()),
                };
                zone.fail(name, failure)
                    .map_err(|error| error.to_string())?;
            }
        }
    }
    Ok(zone)
}
