//! RFC 7489 as a setting: discovery by an injected public suffix list, and the tags of its time.

use std::sync::Arc;

use mailproof::dmarc::{self, Cause, DmarcResult, Evaluation, PublicSuffixList, Settings};
use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::identifier::{AuthenticatedIdentifier, Method, Status};
use mailproof::message::Author;
use mailproof::{Address, Domain};

const LIST: &str = "// ===BEGIN ICANN DOMAINS===
com
uk
co.uk   // text behind white space is no part of the rule
*.ck
!www.ck
b\u{fc}cher.example
// ===END ICANN DOMAINS===
// ===BEGIN PRIVATE DOMAINS===
hosting.com
// ===END PRIVATE DOMAINS===
";

fn list() -> PublicSuffixList {
    PublicSuffixList::parse(LIST.as_bytes()).unwrap()
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.public_suffix_list = Some(Arc::new(list()));
    settings
}

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

fn pass(text: &str) -> AuthenticatedIdentifier {
    AuthenticatedIdentifier::trust_result_obtained_elsewhere(
        domain(text),
        Method::Dkim,
        Status::Pass,
    )
}

fn evaluate(
    zone: &Zone,
    from: &str,
    signer: Option<&str>,
    settings: &Settings,
) -> (Evaluation, Vec<String>) {
    let author = Author::One(Address::new("joe", domain(from)).unwrap());
    let identifiers: Vec<_> = signer.map(pass).into_iter().collect();
    let first = block_on(dmarc::Discovery::of_author(zone, &author, settings));
    let second = first.with_identifiers(zone, &identifiers, settings);
    let second = block_on(second);
    let queries = second.queries().iter().map(ToString::to_string).collect();
    let evaluation = second.evaluate(&author, &identifiers, settings);
    (evaluation, queries)
}

fn zone(records: &[(&str, &str)]) -> Zone {
    let mut zone = Zone::new();
    for (domain, record) in records {
        zone.add_txt(&format!("_dmarc.{domain}"), record).unwrap();
    }
    zone
}

#[test]
fn lists() {
    let all = list();
    for (name, registrable) in [
        ("com", None),
        ("EXAMPLE.com", Some("example.com")),
        ("a.b.example.co.uk", Some("example.co.uk")),
        ("co.uk", None),
        ("example.uk", Some("example.uk")),
        ("ck", None),
        ("any.ck", None),
        ("a.any.ck", Some("a.any.ck")),
        ("a.www.ck", Some("www.ck")),
        ("www.ck", Some("www.ck")),
        ("xn--bcher-kva.example", None),
        ("a.b\u{fc}cher.example", Some("a.xn--bcher-kva.example")),
        ("unlisted", None),
        ("a.b.unlisted", Some("b.unlisted")),
        ("hosting.com", None),
        ("customer.hosting.com", Some("customer.hosting.com")),
    ] {
        let got = all.registrable_domain(&domain(name));
        assert_eq!(got, registrable.map(domain), "{name}");
    }
    let icann = PublicSuffixList::parse_icann(LIST.as_bytes()).unwrap();
    let customer = icann.registrable_domain(&domain("customer.hosting.com"));
    assert_eq!(customer, Some(domain("hosting.com")));
    assert_eq!(all.organizational_domain(&domain("co.uk")), domain("co.uk"));
}

#[test]
fn a_list_without_rules_is_refused() {
    for text in ["", "\n\n", "// only a comment\r\n", "!\n*\n*.\n..\n"] {
        let list = PublicSuffixList::parse(text.as_bytes());
        assert!(list.is_none(), "{text:?}");
    }
}

#[test]
fn asks_two_names_and_no_more() {
    let zone = zone(&[(
        "example.co.uk",
        "v=DMARC1; p=reject; sp=quarantine; np=none",
    )]);
    let from = "a.b.c.example.co.uk";
    let (verdict, queries) = evaluate(&zone, from, Some("other.example.co.uk"), &settings());
    assert_eq!(verdict.result(), DmarcResult::Pass);
    assert_eq!(
        queries,
        ["_dmarc.a.b.c.example.co.uk", "_dmarc.example.co.uk"]
    );
    // np is not known: sp applies to names that do not exist as well.
    let (verdict, _) = evaluate(&zone, from, Some("other.co.uk"), &settings());
    assert_eq!(verdict.disposition().as_str(), "quarantine");
    assert_eq!(verdict.policy_domain(), Some(&domain("example.co.uk")));
}

#[test]
fn customers_of_one_host_are_strangers() {
    let zone = zone(&[("a.hosting.com", "v=DMARC1; p=reject")]);
    let (verdict, _) = evaluate(&zone, "a.hosting.com", Some("b.hosting.com"), &settings());
    assert_eq!(verdict.result(), DmarcResult::Fail);
    // A name that is a suffix itself is aligned with itself.
    let suffix = self::zone(&[("hosting.com", "v=DMARC1; p=reject")]);
    let (verdict, _) = evaluate(&suffix, "hosting.com", Some("hosting.com"), &settings());
    assert_eq!(verdict.result(), DmarcResult::Pass);
}

/// RFC 7489 6.6.3: ‘If the remaining set contains multiple records or no records, policy discovery
/// terminates and DMARC processing is not applied to this message.’
#[test]
fn several_records_end_the_search() {
    let mut zone = zone(&[("example.com", "v=DMARC1; p=reject")]);
    for _ in 0..2 {
        zone.add_txt("_dmarc.news.example.com", "v=DMARC1; p=none")
            .unwrap();
    }
    let (verdict, queries) = evaluate(&zone, "news.example.com", None, &settings());
    assert_eq!(verdict.result(), DmarcResult::None);
    assert!(matches!(verdict.cause(), Cause::SeveralRecords { .. }));
    assert_eq!(queries.len(), 1);
}

#[test]
fn dns_failures() {
    for failing in ["news.example.com", "example.com"] {
        let mut zone = Zone::new();
        zone.fail(&format!("_dmarc.{failing}"), LookupError::Refused)
            .unwrap();
        let (verdict, _) = evaluate(&zone, "news.example.com", None, &settings());
        assert_eq!(verdict.result(), DmarcResult::Temperror);
    }
}

/// RFC 7489 6.6.4: messages outside `pct` get the next lower policy. RFC 9989 ignores it.
#[test]
fn pct_takes_the_callers_random_number() {
    for (pct, sample, disposition) in [
        ("30", 0, "reject"),
        ("30", 29, "reject"),
        ("30", 30, "quarantine"),
        ("30", 99, "quarantine"),
        ("0", 0, "quarantine"),
        ("100", 99, "reject"),
        ("101", 99, "reject"),
        ("x", 99, "reject"),
    ] {
        let record = format!("v=DMARC1; p=reject; t=y; pct={pct}");
        let zone = zone(&[("example.com", &record)]);
        let mut settings = settings();
        settings.pct_sample = sample;
        let (verdict, _) = evaluate(&zone, "example.com", None, &settings);
        assert_eq!(
            verdict.disposition().as_str(),
            disposition,
            "{pct} {sample}"
        );
        assert_eq!(verdict.published().unwrap().as_str(), "reject");
        settings.public_suffix_list = None;
        let (verdict, _) = evaluate(&zone, "example.com", None, &settings);
        assert_eq!(verdict.disposition().as_str(), "quarantine", "t=y");
    }
}

#[test]
fn says_where_the_methods_disagree() {
    let mut settings = Settings::default();
    settings.compare_with = Some(Arc::new(list()));
    let unit = zone(&[
        ("example.com", "v=DMARC1; p=reject"),
        ("unit.example.com", "v=DMARC1; p=reject; psd=n"),
    ]);
    let (verdict, _) = evaluate(
        &unit,
        "unit.example.com",
        Some("www.example.com"),
        &settings,
    );
    assert_eq!(verdict.result(), DmarcResult::Fail);
    let (unit_domain, by_list) = (domain("unit.example.com"), domain("example.com"));
    let disagreements: Vec<_> = verdict.disagreements().collect();
    assert_eq!(disagreements, [(&unit_domain, &unit_domain, &by_list)]);
    let (agreed, _) = evaluate(&unit, "example.com", Some("www.example.com"), &settings);
    assert_eq!(agreed.disagreements().len(), 0);
    settings.compare_with = None;
    let (silent, _) = evaluate(&unit, "unit.example.com", None, &settings);
    assert_eq!(silent.disagreements().len(), 0);
}
