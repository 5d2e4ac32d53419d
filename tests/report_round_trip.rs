//! What is written can be read, and is the same: reports of random models, and of verdicts.

#[path = "report_support/mod.rs"]
mod support;

use std::time::{Duration, UNIX_EPOCH};

use mailproof::Address;
use mailproof::dmarc::RuleSet;
use mailproof::report::Limits;
use mailproof::report::ReadError;
use mailproof::report::aggregate::{
    Accumulator, Extension, Reader, Report, ReportKey, Reporter, Row,
};
use support::{Random, report, verdict};

const RULES: [RuleSet; 2] = [RuleSet::Rfc9989, RuleSet::Rfc7489];

fn read(octets: &[u8]) -> Report {
    let mut reader = Reader::new(octets, &Limits::default()).unwrap();
    let rows: Result<Vec<Row>, ReadError> = reader.by_ref().collect();
    let mut report = reader.report().clone();
    report.rows = rows.unwrap();
    report
}

#[test]
fn models() {
    for seed in 0..500 {
        for rules in RULES {
            let mut random = Random::new(seed);
            let report = report(&mut random, rules);
            let xml = report.to_xml(rules);
            assert_eq!(read(xml.as_bytes()), report, "seed {seed}: {xml}");
            if rules == RuleSet::Rfc9989 {
                for row in &report.rows {
                    assert_eq!(
                        Row::from_xml(&row.to_xml()).as_ref(),
                        Ok(row),
                        "seed {seed}"
                    );
                }
            }
        }
    }
}

/// Attributes with prefixes get new ones, which do not depend on what else the tag declares.
#[test]
fn extensions() {
    for (text, expected) in [
        (
            "<a:b xmlns:a=\"u\" a:c=\"d\" xml:lang=\"e\"/>",
            "<b xmlns=\"u\" xmlns:n1=\"u\" n1:c=\"d\" xml:lang=\"e\"></b>",
        ),
        (
            "<b x=\"1\" p:y=\"2\" xmlns:p=\"v\" xmlns:q=\"w\" q:z=\"3\">&lt;</b>",
            "<b xmlns=\"\" x=\"1\" xmlns:n1=\"v\" n1:y=\"2\" xmlns:n2=\"w\" n2:z=\"3\">&lt;</b>",
        ),
    ] {
        let element = Extension::parse(text).unwrap();
        assert_eq!(element.as_xml(), expected);
        assert_eq!(Extension::parse(element.as_xml()), Ok(element));
    }
}

fn reporter(rules: RuleSet) -> Reporter {
    let email = mailproof::Address::parse(b"dmarc@mx.example.net").unwrap();
    let mut reporter = Reporter::new(
        "Example & <Söhne>",
        email,
        "mx.example.net".parse().unwrap(),
    );
    reporter.rules = rules;
    reporter
}

/// The reports on many verdicts, as `(key, rows)`.
fn gathered(verdicts: u64) -> Vec<(ReportKey, Vec<Row>)> {
    let mut accumulator = Accumulator::default();
    for seed in 0..verdicts {
        let (verdict, received) = verdict(&mut Random::new(seed));
        accumulator.add(&verdict, received);
        if let Some((key, row)) = Row::observe(&verdict, received) {
            assert_eq!(key.to_string().parse(), Ok(key));
            assert_eq!(Row::from_xml(&row.to_xml()), Ok(row));
        }
    }
    assert_eq!(accumulator.dropped(), 0);
    let end = UNIX_EPOCH + Duration::from_secs(2_000_000_000);
    accumulator.take_due(end).collect()
}

/// Every report of verdicts is read back as it was, sent by mail. Where `MAILPROOF_REPORTS` names a
/// folder, the reports are put there for other people's validators.
#[test]
fn verdicts() {
    let folder = std::env::var("MAILPROOF_REPORTS").ok();
    let reports = gathered(if folder.is_some() { 2_000 } else { 400 });
    assert!(reports.len() > 20, "{}", reports.len());
    let counted: u64 = reports
        .iter()
        .flat_map(|(_, rows)| rows)
        .map(|row| row.count)
        .sum();
    assert!(counted > 150, "{counted}");
    let now = UNIX_EPOCH + Duration::from_secs(1_684_500_000);
    let to = [Address::parse(b"d@example.com").unwrap()];
    for (number, (key, rows)) in reports.into_iter().enumerate() {
        for rules in RULES {
            let reporter = reporter(rules);
            let mut expected = reporter.report(&key, rows.clone());
            let xml = expected.to_xml(rules);
            if let Some(folder) = &folder {
                let name = format!("{folder}/{rules:?}-{number}.xml");
                std::fs::write(name, &xml).unwrap();
            }
            let mail = reporter.mail(&key, rows.clone(), &to, now).unwrap();
            let got = read(&mail);
            assert_eq!(got, read(xml.as_bytes()));
            if rules == RuleSet::Rfc9989 {
                expected.version = got.version.clone();
                expected.namespace = got.namespace.clone();
                let errors: Vec<_> = expected.errors.drain(..).map(|e| e.text).collect();
                if !errors.is_empty() {
                    // What XML cannot hold is replaced.
                    let joined = errors.join("; ").replace('\u{1}', "\u{fffd}");
                    expected.errors.push(joined.into());
                }
                expected.policy.pct = None;
                for row in &mut expected.rows {
                    for reason in &mut row.reasons {
                        if reason.kind.to_string() == "sampled_out" {
                            reason.kind = "other".into();
                            reason.comment = Some("sampled_out".into());
                        }
                    }
                }
                assert_eq!(got, expected);
            }
        }
    }
}
