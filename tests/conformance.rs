//! Runs third-party conformance suites, which are data outside this repository.
//!
//! `MAILPROOF_SUITES` names suite folders, or folders of suite folders, separated by colons; without
//! it, `../shared/suites` is taken where it exists. With `MAILPROOF_REQUIRE_SUITES=1` their absence
//! is a failure. Where our answer differs from a suite's on purpose, `conformance/divergences.json`
//! says why.

#[path = "conformance/arc.rs"]
mod arc;
#[path = "conformance/authres.rs"]
mod authres;
#[path = "conformance/dkim.rs"]
mod dkim;
#[path = "conformance/dmarc.rs"]
mod dmarc;
#[path = "conformance/dmarc_reports.rs"]
mod dmarc_reports;
#[path = "conformance/end_to_end.rs"]
mod end_to_end;
#[path = "conformance/failure_reports.rs"]
mod failure_reports;
#[path = "conformance/report.rs"]
mod report;
#[path = "conformance/rsa.rs"]
mod rsa;
#[path = "conformance/spf.rs"]
mod spf;
#[path = "conformance/srs.rs"]
mod srs;
#[path = "conformance/zone.rs"]
mod zone;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use report::{Divergences, Report};

/// Runs the cases of one suite folder.
type Kind = fn(&Path, &mut Report) -> Result<(), String>;

/// How each kind of suite is read.
const KINDS: &[(&str, Kind)] = &[
    ("arc-messages", arc::messages),
    ("arc-valimail", arc::valimail),
    ("authres", authres::run),
    ("dmarc", dmarc::run),
    ("dmarc-reports", dmarc_reports::run),
    ("psl", dmarc::run_psl),
    ("spf", spf::run),
    ("dkim-canonicalization", dkim::canonicalization),
    ("dkim-messages", dkim::messages),
    ("dkim-syntax", dkim::syntax),
    ("srs", srs::run),
    ("end-to-end", end_to_end::run),
];

fn main() -> ExitCode {
    // The flags that `cargo test` passes on mean nothing here.
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let suites = suites();
    if suites.is_empty() {
        println!("SKIPPED: no suites");
        let required = std::env::var("MAILPROOF_REQUIRE_SUITES").is_ok_and(|value| value == "1");
        return if required {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        };
    }
    let divergences = match Divergences::read() {
        Ok(divergences) => divergences,
        Err(error) => {
            println!("FAIL divergences.json: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut sound = true;
    for suite in &suites {
        match run(suite, &divergences) {
            Ok(passed) => sound &= passed,
            Err(error) => {
                println!("FAIL {}: {error}", suite.display());
                sound = false;
            }
        }
    }
    if sound {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn run(suite: &Path, divergences: &Divergences) -> Result<bool, String> {
    let about = report::json(&suite.join("suite.json"))?;
    let text = |key: &str| about.get(key).and_then(|value| value.as_str());
    let name = text("name").ok_or("suite.json has no name")?;
    let kind = text("kind").ok_or("suite.json has no kind")?;
    let (_, run) = KINDS
        .iter()
        .find(|(known, _)| *known == kind)
        .ok_or(format!("unknown kind {kind}"))?;
    let mut report = Report::new(name, divergences);
    let outcome = run(suite, &mut report);
    let sound = report.finish();
    outcome?;
    Ok(sound)
}

/// The suite folders, in the order of their names.
fn suites() -> Vec<PathBuf> {
    let roots: Vec<PathBuf> = match std::env::var("MAILPROOF_SUITES") {
        Ok(list) => list
            .split(':')
            .filter(|root| !root.is_empty())
            .map(Into::into)
            .collect(),
        Err(_) => vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/suites")],
    };
    let mut suites = Vec::new();
    for root in roots {
        if root.join("suite.json").exists() {
            suites.push(root);
            continue;
        }
        let folders = std::fs::read_dir(&root).into_iter().flatten().flatten();
        let mut found: Vec<PathBuf> = folders
            .map(|folder| folder.path())
            .filter(|folder| folder.join("suite.json").exists())
            .collect();
        found.sort();
        suites.extend(found);
    }
    suites
}
