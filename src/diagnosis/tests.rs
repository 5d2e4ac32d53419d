//! The list of codes and its page.

use super::*;
use crate::dmarc;
use crate::dns::{Zone, block_on};
use crate::session::Session;
use crate::verdict::{Facts, Policy};
use crate::verifier::Verifier;
use std::collections::BTreeSet;

#[test]
fn codes_are_unique_and_kebab_case() {
    let mut seen = BTreeSet::new();
    for code in Code::all() {
        let text = code.as_str();
        assert!(seen.insert(text), "{text} stands twice");
        assert!(
            text.chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{text}"
        );
        assert!(
            !code.rfc().is_empty() && code.template().ends_with(['.', '}']),
            "{text}"
        );
        assert!(
            code.remedy_templates().next().is_some(),
            "{text} has no remedy"
        );
    }
}

/// The page of the documentation is made from the list; after a change of the list, this writes it
/// anew where `MAILPROOF_WRITE_CODES` is set.
#[test]
fn page_lists_the_codes() {
    let page = page();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/diagnosis/codes.md");
    if std::env::var_os("MAILPROOF_WRITE_CODES").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert!(
        include_str!("codes.md") == page || std::env::var_os("MAILPROOF_WRITE_CODES").is_some(),
        "codes.md and the list differ: run this test with MAILPROOF_WRITE_CODES=1"
    );
}

fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    for code in Code::all() {
        let evidence: BTreeSet<&str> = names(code.template())
            .chain(code.remedy_templates().flat_map(|(_, how)| names(how)))
            .collect();
        let evidence: Vec<String> = evidence.iter().map(|name| format!("`{name}`")).collect();
        let remedies: Vec<String> = code
            .remedy_templates()
            .map(|(who, how)| format!("{who}: {}", prose(how)))
            .collect();
        page.push_str(&format!(
            "| `{code}` | {} | {} | {} | {} |\n",
            prose(code.template()),
            evidence.join(", "),
            remedies.join("<br>"),
            code.rfc()
        ));
    }
    page
}

/// Evaluations for which not all was looked up: the verifier makes none.
#[test]
fn discovery_that_was_not_run() {
    let mut zone = Zone::new();
    zone.add_txt("sub.author.test", "v=spf1 +all").unwrap();
    zone.add_txt("_dmarc.author.test", "v=DMARC1; p=reject")
        .unwrap();
    let message = Message::parse(b"From: a@author.test\r\n\r\nHello\r\n");
    let session = Session::new([192, 0, 2, 1].into(), "mx.test", "a@sub.author.test");
    let verdict = block_on(Verifier::new(&zone).verify(&session, &message));
    let settings = dmarc::Settings::default();
    let first = block_on(dmarc::Discovery::of_author(
        &zone,
        verdict.author(),
        &settings,
    ));
    let cases = [
        (
            dmarc::Discovery::default(),
            "dmarc-not-discovered",
            "author.test",
        ),
        (first, "align-not-discovered", "sub.author.test"),
    ];
    for (discovery, code, domain) in cases {
        let identifiers: Vec<_> = verdict
            .spf()
            .authenticated_identifier()
            .into_iter()
            .collect();
        let facts = Facts {
            session: verdict.session().clone(),
            author: verdict.author().clone(),
            anomalies: *verdict.anomalies(),
            relay: verdict.relay().clone(),
            spf: verdict.spf().clone(),
            dkim: verdict.dkim().to_vec(),
            arc: verdict.arc().clone(),
            dmarc: discovery.evaluate(verdict.author(), &identifiers, &settings),
            transcript: verdict.transcript().clone(),
            crowded: Vec::new(),
        };
        let findings = Verdict::new(facts, &Policy::default()).diagnosis();
        let finding = findings.iter().find(|one| one.code().as_str() == code);
        assert!(finding.unwrap().sentence().contains(domain), "{findings:?}");
    }
}

fn prose(template: &str) -> String {
    template.replace(['{', '}'], "*").replace('|', "\\|")
}

fn names(template: &str) -> impl Iterator<Item = &str> {
    template
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
}

const INTRODUCTION: &str = "\
Why a verdict is what it is, who can change that, and how.

[`Verdict::diagnosis`](crate::verdict::Verdict::diagnosis) explains a verdict from the facts it keeps;
`Verdict::forensics` adds what only the message itself can tell. Nothing is asked of the DNS for it, and
nothing is computed unless it is called for. Each [`Finding`] has a code that does not change, a
sentence for a postmaster, the [evidence](Finding::evidence) behind it, and what each party can do. The most
decisive findings come first.

# Codes

Words in *italics* are evidence of that name.

| code | cause | evidence | remedy | RFC |
|---|---|---|---|---|
";
