//! Over corpora of other projects, where they are at hand: nothing but a pass comes without a finding
//! of its method, and no finding without its evidence.

#[path = "scenarios/case.rs"]
#[allow(dead_code, reason = "the cases are in another test")]
mod case;
#[path = "conformance/report.rs"]
#[allow(dead_code, reason = "nothing is scored here")]
mod report;
#[path = "conformance/spf.rs"]
#[allow(dead_code, reason = "only the DNS data are read here")]
mod spf;
#[path = "conformance/zone.rs"]
mod zone;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use mailproof::diagnosis::Finding;
use mailproof::dkim::DkimResult;
use mailproof::dmarc::DmarcResult;
use mailproof::dns::{Zone, block_on};
use mailproof::spf::SpfResult;
use mailproof::{Message, Session, Verdict, Verifier};
use serde_json::Value;
use yaml_rust2::YamlLoader;

/// After any t= of the corpora.
const NOW: u64 = 1_900_000_000;

/// A folder of the suites; none where they are not at hand.
fn suite(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/suites")
        .join(name);
    if !folder.exists() {
        println!("SKIPPED: no suite {name}");
        return None;
    }
    Some(folder)
}

fn verdict(zone: &Zone, session: &Session, octets: &[u8]) -> (Verdict, Vec<Finding>) {
    let message = Message::parse(octets);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW);
    let verdict = block_on(Verifier::new(zone).at(now).verify(session, &message));
    let mut findings = verdict.diagnosis();
    if verdict.dmarc().result() != DmarcResult::Pass {
        assert!(!findings.is_empty());
    }
    findings.extend(verdict.forensics(&message));
    for finding in &findings {
        case::complete(finding);
        assert!(!finding.sentence().contains(char::is_control), "{finding}");
    }
    (verdict, findings)
}

/// Whether a finding is about a method, by its code.
fn about(findings: &[Finding], method: &str) -> usize {
    let codes = findings.iter().map(|one| one.code().as_str());
    codes.filter(|code| code.starts_with(method)).count()
}

#[test]
fn spf_suites() {
    let mut cases = 0;
    for folder in ["spf-openspf", "spf-extra"].into_iter().filter_map(suite) {
        let files = std::fs::read_dir(folder).unwrap();
        let files = files.map(|entry| entry.unwrap().path());
        for file in files.filter(|file| file.extension().is_some_and(|end| end == "yml")) {
            let text = std::fs::read_to_string(file).unwrap();
            for scenario in YamlLoader::load_from_str(&text).unwrap() {
                let zone = spf::zone(&scenario["zonedata"]).unwrap();
                for (_, test) in scenario["tests"].as_hash().into_iter().flatten() {
                    let text = |key: &str| test[key].as_str().unwrap_or_default();
                    let client = text("host").parse().unwrap();
                    let session = Session::new(client, text("helo"), text("mailfrom"));
                    let from = text("mailfrom").rsplit_once('@');
                    let from = from.map_or(text("helo"), |(_, domain)| domain);
                    let message = format!("From: a@{from}\r\n\r\nHello\r\n");
                    let (verdict, findings) = verdict(&zone, &session, message.as_bytes());
                    let spf = verdict.spf().authoritative();
                    let passed = spf.result() == SpfResult::Pass;
                    assert!(passed || about(&findings, "spf-") != 0, "{}", spf.cause());
                    cases += 1;
                }
            }
        }
    }
    println!("spf suites: {cases} verdicts explained");
}

#[test]
fn dmarc_suite() {
    let Some(folder) = suite("dmarc-core") else {
        return;
    };
    let cases = std::fs::read_to_string(folder.join("evaluate.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&cases).unwrap();
    for case in &cases {
        let from = case["from"].as_str().unwrap();
        let envelope = case["spf"]["domain"].as_str().unwrap_or("elsewhere.test");
        let mut zone = zone::zone(&case["zone"]).unwrap();
        if case["spf"]["result"] == "pass" {
            zone.add_txt(envelope, "v=spf1 +all").unwrap();
        }
        let client = [192, 0, 2, 1].into();
        let session = Session::new(client, "mx.elsewhere.test", format!("a@{envelope}"));
        let message = format!("From: a@{from}\r\n\r\nHello\r\n");
        let (verdict, findings) = verdict(&zone, &session, message.as_bytes());
        let explained = ["dmarc-", "align-", "author-", "forwarded-", "spf-could-"];
        let explained = explained.iter().any(|word| about(&findings, word) != 0);
        let passed = verdict.dmarc().result() == DmarcResult::Pass;
        assert!(
            passed || explained,
            "{}: {findings:#?}",
            verdict.dmarc().cause()
        );
    }
    println!("dmarc-core: {} verdicts explained", cases.len());
}

#[test]
fn dkim_suites() {
    let suites = ["rfc", "maildkim", "chasquid", "lieser", "scenarios"];
    for name in suites {
        let name = format!("dkim-{name}");
        let Some(folder) = suite(&name) else {
            return;
        };
        let read = |file: &str| std::fs::read_to_string(folder.join(file)).ok();
        let parse = |text: String| serde_json::from_str::<Value>(&text).unwrap();
        let shared = read("dns.json").map(parse).unwrap_or_default();
        let cases = read("cases.json").map(parse).unwrap();
        let cases = cases.get("cases").unwrap_or(&cases).as_array().unwrap();
        let session = Session::new([192, 0, 2, 1].into(), "mx.test", "a@elsewhere.test");
        let mut messages = 0;
        for case in cases {
            let file = folder.join("messages").join(case["file"].as_str().unwrap());
            let octets = std::fs::read(file).unwrap();
            let zone = zone::zone(case.get("dns").unwrap_or(&shared)).unwrap();
            let (verdict, findings) = verdict(&zone, &session, &octets);
            let failed = verdict.dkim().iter();
            let failed = failed
                .filter(|one| one.result() != DkimResult::Pass)
                .count();
            assert!(about(&findings, "dkim-") >= failed, "{findings:#?}");
            messages += 1;
        }
        println!("{name}: {messages} verdicts explained");
    }
}
