//! The examples of RFC 9989, appendix B.1 and B.2; those of 4.10 and B.4 are in `dmarc_tree_walk.rs`.

use mailproof::dmarc::{
    self, Authorization, Disposition, DmarcResult, Evaluation, Record, ReportKind, ReportUri,
    Settings,
};
use mailproof::dns::{Zone, block_on};
use mailproof::identifier::{AuthenticatedIdentifier, Method, Status};
use mailproof::message::Author;
use mailproof::{Address, Domain};

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

fn zone(records: &[(&str, &str)]) -> Zone {
    let mut zone = Zone::new();
    for (name, record) in records {
        zone.add_txt(name, record).unwrap();
    }
    zone
}

fn evaluate(zone: &Zone, from: &str, identified: Option<(Method, &str)>) -> Evaluation {
    let author = Author::One(Address::parse(from.as_bytes()).unwrap());
    let identifiers: Vec<_> = identified
        .into_iter()
        .map(|(method, name)| {
            AuthenticatedIdentifier::trust_result_obtained_elsewhere(
                domain(name),
                method,
                Status::Pass,
            )
        })
        .collect();
    let settings = Settings::default();
    let found = block_on(dmarc::Discovery::of_author(zone, &author, &settings));
    let found = found.with_identifiers(zone, &identifiers, &settings);
    block_on(found).evaluate(&author, &identifiers, &settings)
}

/// B.1.1 and B.1.2: strict, relaxed, and no alignment, by SPF and by DKIM.
#[test]
fn alignment() {
    let zone = zone(&[("_dmarc.example.com", "v=DMARC1; p=reject")]);
    for (method, name, from, strict, relaxed) in [
        (Method::Spf, "example.com", "sender@example.com", true, true),
        (
            Method::Spf,
            "child.example.com",
            "sender@example.com",
            false,
            true,
        ),
        (
            Method::Spf,
            "example.net",
            "sender@child.example.com",
            false,
            false,
        ),
        (
            Method::Dkim,
            "example.com",
            "sender@example.com",
            true,
            true,
        ),
        (
            Method::Dkim,
            "example.com",
            "sender@child.example.com",
            false,
            true,
        ),
        (
            Method::Dkim,
            "example.net",
            "sender@child.example.com",
            false,
            false,
        ),
    ] {
        let verdict = evaluate(&zone, from, Some((method, name)));
        let alignment = &verdict.identifiers()[0];
        assert_eq!((alignment.strict(), alignment.relaxed()), (strict, relaxed));
        let passes = verdict.result() == DmarcResult::Pass;
        assert_eq!(passes, relaxed, "{method} {name} {from}");
        assert_eq!(verdict.is_aligned(method), relaxed);
    }
}

/// B.2.1 and B.2.2: monitoring, with both kinds of reports.
#[test]
fn monitoring() {
    let record = "v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com; \
                  ruf=mailto:auth-reports@example.com";
    let zone = zone(&[("_dmarc.example.com", record)]);
    let verdict = evaluate(&zone, "joe@example.com", None);
    assert_eq!(verdict.result(), DmarcResult::Fail);
    assert_eq!(verdict.disposition(), Disposition::None);
    let record = verdict.record().unwrap();
    assert_eq!(
        record.rua()[0].as_str(),
        "mailto:dmarc-feedback@example.com"
    );
    assert_eq!(record.ruf()[0].as_str(), "mailto:auth-reports@example.com");
    assert!(record.warnings().is_empty());
    assert_eq!(record.to_string().as_bytes(), record.as_bytes());
}

/// B.2.3: failure reports to a third party that agrees.
#[test]
fn reports_to_a_third_party() {
    let uri = ReportUri::parse(b"mailto:auth-reports@thirdparty.example.net").unwrap();
    let name = "example.com._report._dmarc.thirdparty.example.net";
    let settings = Settings::default();
    let ask = |zone: &Zone| {
        let example = domain("example.com");
        block_on(uri.authorize(zone, &example, ReportKind::Failure, &settings))
    };
    let agrees = zone(&[(name, "v=DMARC1;")]);
    assert_eq!(ask(&agrees).destinations(&uri), std::slice::from_ref(&uri));
    assert_eq!(ask(&Zone::new()), Authorization::Refused);
}

/// B.2.4: the third party names other mailboxes of its own.
#[test]
fn destinations_that_the_third_party_overrides() {
    let record = "v=DMARC1; rua=mailto:aggregate-reports@thirdparty.example.net; \
                  ruf=mailto:failure-reports@thirdparty.example.net";
    let zone = zone(&[("example.com._report._dmarc.thirdparty.example.net", record)]);
    let uri = ReportUri::parse(b"mailto:auth-reports@thirdparty.example.net").unwrap();
    let (example, settings) = (domain("example.com"), Settings::default());
    for (kind, expected) in [
        (
            ReportKind::Aggregate,
            "mailto:aggregate-reports@thirdparty.example.net",
        ),
        (
            ReportKind::Failure,
            "mailto:failure-reports@thirdparty.example.net",
        ),
    ] {
        let answer = block_on(uri.authorize(&zone, &example, kind, &settings));
        let destinations = answer.destinations(&uri);
        assert_eq!(destinations.len(), 1);
        assert_eq!(destinations[0].as_str(), expected);
    }
}

/// B.2.5: a subdomain under test, then enforced.
#[test]
fn a_subdomain_under_test() {
    let tested = "v=DMARC1; p=quarantine; rua=mailto:dmarc-feedback@example.com,\
                  mailto:tld-test@thirdparty.example.net; t=y";
    let enforced = "v=DMARC1; p=reject; rua=mailto:dmarc-feedback@example.com,\
                    mailto:tld-test@thirdparty.example.net";
    for (record, published, disposition) in [
        (tested, Disposition::Quarantine, Disposition::None),
        (enforced, Disposition::Reject, Disposition::Reject),
    ] {
        assert_eq!(Record::parse(record.as_bytes()).unwrap().rua().len(), 2);
        let zone = zone(&[("_dmarc.test.example.com", record)]);
        let verdict = evaluate(&zone, "joe@test.example.com", None);
        assert_eq!(verdict.published(), Some(published));
        assert_eq!(verdict.disposition(), disposition);
        // ‘It is applied only to this subdomain’.
        let other = evaluate(&zone, "joe@example.com", None);
        assert_eq!(other.result(), DmarcResult::None);
    }
}
