//! Suites of syntax: key records, signatures, tag lists and what stands in them.

use std::path::Path;

use mailproof::Message;
use mailproof::crypto::VerifyingKey;
use mailproof::dkim::{self, KeyRecord, ReportRequest, Signature, SignatureError};
use serde_json::Value;

use super::values::{files, list, octets, text, words};
use crate::report::Report;

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
        for case in list(&file, "qp_section").unwrap_or_default() {
            qp_section(case, report);
        }
        for case in list(&file, "report_records_rfc6651").unwrap_or_default() {
            report_record(case, report);
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
            "h" => signature.signed_fields().collect::<Vec<_>>().into(),
            "c" => format!(
                "{}/{}",
                signature.header_canonicalization(),
                signature.body_canonicalization()
            )
            .into(),
            "l" => signature.length().into(),
            "i" => signature.identity().into(),
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
    let stripped = dkim::Signature::without_signature(input);
    let got = String::from_utf8_lossy(&stripped).into_owned();
    let name = format!("b= of {}", input.escape_ascii());
    report.case(&name, got == expected, expected, &got, "");
}

/// The note of a key record is a qp-section.
fn qp_section(case: &Value, report: &mut Report) {
    let input = text(case, "in").unwrap_or_default();
    let expected = text(case, "out").unwrap_or_default();
    let key = VerifyingKey::ed25519(&[1; 32]).expect("a key");
    let record = KeyRecord::new(&key).with_note(input).to_string();
    let tag = record.split("; ").find_map(|tag| tag.strip_prefix("n="));
    let got = tag.unwrap_or_default();
    let name = format!("qp-section {input:?}");
    report.case(&name, got == expected, expected, got, "");
}

fn report_record(case: &Value, report: &mut Report) {
    let record = text(case, "record").unwrap_or_default();
    let domain = "example.com".parse().expect("a domain");
    let parsed = ReportRequest::parse(record.as_bytes(), &domain);
    for (tag, value) in case["fields"].as_object().into_iter().flatten() {
        let got = parsed
            .as_ref()
            .map_or(Value::Null, |request| match tag.as_str() {
                "ra" => request.address().map(|address| address.local_part()).into(),
                "rp" => request.percentage().into(),
                "rr" => request.reasons().to_vec().into(),
                "rs" => request.smtp_text().into(),
                _ => value.clone(),
            });
        let name = format!("report record {record} {tag}=");
        report.case(
            &name,
            got == *value,
            &value.to_string(),
            &got.to_string(),
            "",
        );
    }
}
