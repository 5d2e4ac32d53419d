//! Suites of kind `dmarc-reports`: the facts in reports, in the open, compressed and attached.

use std::fmt::Display;
use std::fs::File;
use std::path::Path;

use mailproof::report::Limits;
use mailproof::report::aggregate::{DkimAuth, PublishedPolicy, Reader, Reason, Row, SpfAuth};
use serde_json::{Map, Value, json};

use crate::failure_reports;
use crate::report::{self, Report};

pub fn run(folder: &Path, report: &mut Report) -> Result<(), String> {
    let cases = report::json(&folder.join("cases.json"))?;
    for case in cases.as_array().ok_or("cases.json is no list")? {
        let text = |key: &str| case.get(key).and_then(Value::as_str);
        let file = text("file").ok_or(format!("{case} has no file"))?;
        if report.skips(file) {
            continue;
        }
        match text("kind") {
            Some("aggregate" | "aggregate-mail") => {
                let octets = File::open(folder.join(file)).map_err(|error| error.to_string())?;
                aggregate(file, case, octets, report);
            }
            Some("failure") => failure_reports::run(folder, file, case, report)?,
            kind => return Err(format!("{file}: unknown kind {kind:?}")),
        }
    }
    Ok(())
}

fn aggregate(file: &str, case: &Value, octets: File, report: &mut Report) {
    let expected = case.get("expect").and_then(Value::as_str);
    let got = facts(octets);
    let word = if got.is_ok() {
        "valid"
    } else {
        "malformed-xml"
    };
    let cause = got.as_ref().err().cloned().unwrap_or_default();
    let expected = expected.unwrap_or("valid");
    report.case(file, word == expected, expected, word, &cause);
    let (Ok(got), Some(facts)) = (got, case.get("facts")) else {
        return;
    };
    let facts = known(facts);
    let got = &got;
    for (key, expected) in &facts {
        let got = got.get(key).cloned().unwrap_or_default();
        let name = format!("{file} {key}");
        report.case(
            &name,
            got == *expected,
            &expected.to_string(),
            &got.to_string(),
            "",
        );
    }
    for (key, got) in got.iter().filter(|(key, _)| !facts.contains_key(*key)) {
        report.case(
            &format!("{file} {key}"),
            false,
            "nothing",
            &got.to_string(),
            "",
        );
    }
}

/// The facts without nulls, and without tags that neither schema has.
fn known(facts: &Value) -> Map<String, Value> {
    let mut facts = facts.as_object().cloned().unwrap_or_default();
    facts.retain(|_, value| !value.is_null());
    if let Some(Value::Object(policy)) = facts.get_mut("policy") {
        policy.retain(|tag, _| !tag.starts_with("unknown-tag"));
    }
    facts
}

/// What the reader makes of a report, in the words of the suite.
fn facts(source: File) -> Result<Map<String, Value>, String> {
    let limits = Limits::default();
    let mut reader = Reader::new(source, &limits).map_err(|error| error.to_string())?;
    let rows: Result<Vec<Row>, _> = reader.by_ref().collect();
    let rows = rows.map_err(|error| error.to_string())?;
    let report = reader.report();
    let errors: Vec<&str> = report.errors.iter().map(|one| one.text.as_str()).collect();
    let mut facts = object([
        ("namespace", report.namespace.clone()),
        ("version", report.version.clone()),
        ("org_name", Some(report.org_name.clone())),
        ("email", Some(report.email.clone())),
        (
            "extra_contact_info",
            report
                .extra_contact_info
                .as_ref()
                .map(|info| info.text.clone()),
        ),
        ("report_id", Some(report.report_id.clone())),
        ("generator", report.generator.clone()),
        ("begin", Some(report.begin.to_string())),
        ("end", Some(report.end.to_string())),
    ]);
    if !errors.is_empty() {
        facts.insert("errors".into(), json!(errors));
    }
    facts.insert("policy".into(), Value::Object(policy(&report.policy)));
    facts.insert("record_count".into(), json!(rows.len()));
    let messages: u64 = rows.iter().map(|row| row.count).sum();
    facts.insert("message_count".into(), json!(messages));
    let shown = if rows.len() > 12 { 4 } else { rows.len() };
    let records: Vec<Value> = rows.iter().take(shown).map(record).collect();
    facts.insert("records".into(), json!(records));
    Ok(facts)
}

fn policy(policy: &PublishedPolicy) -> Map<String, Value> {
    object([
        ("domain", Some(policy.domain.clone())),
        ("p", word(Some(&policy.p))),
        ("sp", word(policy.sp.as_ref())),
        ("np", word(policy.np.as_ref())),
        ("adkim", word(policy.adkim.as_ref())),
        ("aspf", word(policy.aspf.as_ref())),
        ("discovery_method", word(policy.discovery_method.as_ref())),
        ("fo", policy.fo.clone()),
        ("testing", word(policy.testing.as_ref())),
        ("pct", word(policy.pct.as_ref())),
    ])
}

fn record(row: &Row) -> Value {
    let mut record = object([
        ("source_ip", word(Some(&row.source_ip))),
        ("count", Some(row.count.to_string())),
        ("disposition", word(Some(&row.disposition))),
        ("dkim", word(Some(&row.dkim))),
        ("spf", word(Some(&row.spf))),
        ("header_from", Some(row.header_from.clone())),
        ("envelope_from", row.envelope_from.clone()),
        ("envelope_to", row.envelope_to.clone()),
    ]);
    let reason = |reason: &Reason| {
        object([
            ("type", word(Some(&reason.kind))),
            (
                "comment",
                reason.comment.as_ref().map(|comment| comment.text.clone()),
            ),
        ])
    };
    let dkim = |entry: &DkimAuth| {
        object([
            ("domain", Some(entry.domain.clone())),
            ("selector", entry.selector.clone()),
            ("result", word(Some(&entry.result))),
            (
                "human_result",
                entry.human_result.as_ref().map(|text| text.text.clone()),
            ),
        ])
    };
    let spf = |entry: &SpfAuth| {
        object([
            ("domain", Some(entry.domain.clone())),
            ("scope", word(entry.scope.as_ref())),
            ("result", word(Some(&entry.result))),
            (
                "human_result",
                entry.human_result.as_ref().map(|text| text.text.clone()),
            ),
        ])
    };
    let lists = [
        (
            "reasons",
            row.reasons.iter().map(reason).collect::<Vec<_>>(),
        ),
        ("auth_dkim", row.dkim_results.iter().map(dkim).collect()),
        ("auth_spf", row.spf_results.iter().map(spf).collect()),
    ];
    for (key, list) in lists {
        if !list.is_empty() {
            record.insert(key.into(), json!(list));
        }
    }
    Value::Object(record)
}

fn word(word: Option<&impl Display>) -> Option<String> {
    word.map(ToString::to_string)
}

/// The suite leaves out what is missing or empty.
fn object<const N: usize>(fields: [(&str, Option<String>); N]) -> Map<String, Value> {
    fields
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value.filter(|v| !v.is_empty())?.into())))
        .collect()
}
