//! Mistakes that other implementations made, and what people publish in the field.

use mailproof::Domain;
use mailproof::dmarc::{
    self, AlignmentMode, Cause, Disposition, DmarcResult, Evaluation, Record, RuleSet, Settings,
    Warning,
};
use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::identifier::{AuthenticatedIdentifier, Method, Status};
use mailproof::message::Head;

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

fn identifier(text: &str, method: Method, status: Status) -> AuthenticatedIdentifier {
    AuthenticatedIdentifier::trust_result_obtained_elsewhere(domain(text), method, status)
}

fn zone(records: &[(&str, &str)]) -> Zone {
    let mut zone = Zone::new();
    for (domain, record) in records {
        zone.add_txt(&format!("_dmarc.{domain}"), record).unwrap();
    }
    zone
}

/// The verdict on a message with this header section.
fn evaluate(
    zone: &Zone,
    head: &str,
    identifiers: &[AuthenticatedIdentifier],
    settings: &Settings,
) -> Evaluation {
    let head = format!("{head}\r\n\r\n");
    let author = Head::parse(head.as_bytes()).0.author();
    let first = block_on(dmarc::Discovery::of_author(zone, &author, settings));
    let second = first.with_identifiers(zone, identifiers, settings);
    block_on(second).evaluate(&author, identifiers, settings)
}

/// One implementation fell through to pass where nothing was aligned and no error was recorded.
#[test]
fn nothing_aligned_is_a_fail() {
    let zone = zone(&[("example.com", "v=DMARC1; p=reject")]);
    let settings = Settings::default();
    let from = "From: joe@example.com";
    for identifiers in [
        vec![],
        vec![identifier("example.net", Method::Dkim, Status::Pass)],
        vec![
            identifier("example.net", Method::Spf, Status::Pass),
            identifier("com", Method::Dkim, Status::Pass),
            identifier("notexample.com", Method::Dkim, Status::Pass),
        ],
    ] {
        let verdict = evaluate(&zone, from, &identifiers, &settings);
        assert_eq!(verdict.result(), DmarcResult::Fail);
        assert_eq!(verdict.disposition(), Disposition::Reject);
        assert!(verdict.identifiers().iter().all(|i| i.why_not().is_some()));
    }
}

/// For years, one treated `adkim=s` as relaxed, and missed `adkim=S` and spaces around `=`.
#[test]
fn strict_is_strict_in_every_spelling() {
    let settings = Settings::default();
    let sub = [
        identifier("mail.example.com", Method::Dkim, Status::Pass),
        identifier("mail.example.com", Method::Spf, Status::Pass),
    ];
    for record in [
        "v=DMARC1; p=reject; adkim=s; aspf=s",
        "v = DMARC1 ; p = reject ; adkim = S ; aspf = S ;",
        "v=DMARC1;p=reject;adkim=s;aspf=s;",
        "V=DMARC1; P=REJECT; ADKIM=s; ASPF=S",
        "v=DMARC1\t;\tp=Reject;aspf\t= s ;adkim= s",
    ] {
        let zone = zone(&[("example.com", record)]);
        let verdict = evaluate(&zone, "From: joe@example.com", &sub, &settings);
        assert_eq!(verdict.result(), DmarcResult::Fail, "{record}");
        assert_eq!(verdict.disposition(), Disposition::Reject, "{record}");
    }
}

/// Siblings deep below one organization are aligned when relaxed.
#[test]
fn siblings_are_aligned() {
    let zone = zone(&[("example.org", "v=DMARC1; p=reject")]);
    let signer = [identifier("a.b.c.example.org", Method::Dkim, Status::Pass)];
    let settings = Settings::default();
    let verdict = evaluate(&zone, "From: joe@z.example.org", &signer, &settings);
    assert_eq!(verdict.result(), DmarcResult::Pass);
    let above = [identifier("example.org", Method::Dkim, Status::Pass)];
    let verdict = evaluate(&zone, "From: joe@z.example.org", &above, &settings);
    assert_eq!(verdict.result(), DmarcResult::Pass);
}

/// What stands in the DNS, with the policy for the domain itself.
#[test]
fn records_of_the_field() {
    let none = Some(Disposition::None);
    let reject = Some(Disposition::Reject);
    for (record, expected) in [
        ("v=DMARC1; p=reject; ; fo=1", Some(reject)),
        ("v=DMARC1;;p=reject", Some(reject)),
        ("v=DMARC1; p=reject;", Some(reject)),
        ("v=DMARC1 ; p=reject ; ", Some(reject)),
        ("v=DMARC1; p:reject; rua=mailto:a@example.com", Some(none)),
        ("v=DMARC1; p:reject", Some(None)),
        (
            "v=DMARC1; p=reject; rf:afrf; pct=50; ri=86400",
            Some(reject),
        ),
        (
            "v=DMARC1; p=reject; rua=mailto:x@example.com!10m",
            Some(reject),
        ),
        ("v=DMARC1; rua=mailto:x@example.com", Some(none)),
        ("v=DMARC1; rua=x@example.com", Some(None)),
        ("v=DMARC1; p=reject; p=none", Some(reject)),
        ("v=DMARC1; sp=none; p=reject", Some(reject)),
        ("v=DMARC1; p=reject; sp=nonsense", Some(None)),
        (
            "v=DMARC1; p=reject; np=nonsense; rua=mailto:a@b.example",
            Some(none),
        ),
        (
            "v=DMARC1; p=reject; adkim=strict; fo=x; t=maybe; psd=",
            Some(reject),
        ),
        ("v=DMARC1", Some(None)),
        ("v=DMARC1 p=reject", None),
        ("v=dmarc1; p=reject", None),
        ("v=DMARC1.0; p=reject", None),
        ("p=reject; v=DMARC1", None),
        (" v=DMARC1; p=reject", None),
        ("v=spf1 -all", None),
        ("", None),
    ] {
        let parsed = Record::parse(record.as_bytes());
        let got = parsed.map(|r| r.policies(RuleSet::Rfc9989).map(|[p, ..]| p));
        assert_eq!(got, expected, "{record}");
    }
    let lenient = Record::parse(b"v=DMARC1; p=reject; adkim=strict; fo=x; t=maybe; psd=").unwrap();
    assert_eq!(lenient.adkim(), AlignmentMode::Relaxed);
    assert_eq!(lenient.psd(), None);
    assert!(!lenient.is_testing());
    let invalid = |name| move |w: &Warning| matches!(w, Warning::InvalidValue { name: found, .. } if *found == name);
    for name in ["adkim", "fo", "t", "psd"] {
        assert!(lenient.warnings().iter().any(invalid(name)), "{name}");
    }
}

/// np is invalid only where it is known.
#[test]
fn rule_sets_differ_in_what_is_known() {
    let record = Record::parse(b"v=DMARC1; p=reject; np=nonsense").unwrap();
    assert_eq!(record.policies(RuleSet::Rfc9989), None);
    let old = record.policies(RuleSet::Rfc7489);
    assert_eq!(old, Some([Disposition::Reject; 3]));
}

/// A message without one readable author is never ‘none’, and never passes.
#[test]
fn authors_other_than_one() {
    let zone = zone(&[
        ("good.example", "v=DMARC1; p=reject"),
        ("bad.example", "v=DMARC1; p=none"),
    ]);
    let identifiers = [
        identifier("good.example", Method::Dkim, Status::Pass),
        identifier("bad.example", Method::Dkim, Status::Pass),
    ];
    let settings = Settings::default();
    type Check = fn(&Cause) -> bool;
    let cases: [(&str, Check); 9] = [
        ("Subject: x", |c| *c == Cause::NoAuthor),
        ("From: ", |c| *c == Cause::NoAuthor),
        ("Sender: joe@good.example", |c| *c == Cause::NoAuthor),
        ("From: joe@good.example, eve@bad.example", |c| {
            *c == Cause::SeveralDomains { count: 2 }
        }),
        ("From: joe@good.example\r\nFrom: eve@bad.example", |c| {
            *c == Cause::SeveralFields { fields: 2 }
        }),
        ("From: joe@good.example\r\nFrom: joe@good.example", |c| {
            *c == Cause::SeveralFields { fields: 2 }
        }),
        ("From: joe@good.example>", |c| {
            matches!(c, Cause::AuthorUnreadable(_))
        }),
        ("From: <joe@[192.0.2.1]>", |c| {
            matches!(c, Cause::AuthorUnreadable(_))
        }),
        (" From: joe@good.example", |c| {
            matches!(c, Cause::AuthorUnreadable(_))
        }),
    ];
    for (head, expected) in cases {
        let verdict = evaluate(&zone, head, &identifiers, &settings);
        assert_eq!(verdict.result(), DmarcResult::Permerror, "{head}");
        assert!(expected(verdict.cause()), "{head}: {}", verdict.cause());
        assert_eq!(verdict.disposition(), Disposition::None);
        assert!(!verdict.is_aligned(Method::Dkim));
    }
    let one = "From: A <a@good.example>, B <b@GOOD.example>";
    let verdict = evaluate(&zone, one, &identifiers, &settings);
    assert_eq!(verdict.result(), DmarcResult::Pass);
}

#[test]
fn the_strictest_policy_of_several_authors() {
    let zone = zone(&[
        ("good.example", "v=DMARC1; p=reject"),
        ("bad.example", "v=DMARC1; p=quarantine"),
        ("none.example", "v=DMARC1; p=none"),
    ]);
    let mut settings = Settings::default();
    settings.strictest_of_several_authors = true;
    let head = "From: a@none.example, b@good.example, c@bad.example";
    let verdict = evaluate(&zone, head, &[], &settings);
    assert_eq!(verdict.result(), DmarcResult::Fail);
    assert_eq!(verdict.disposition(), Disposition::Reject);
    assert_eq!(verdict.author_domain(), Some(&domain("good.example")));

    // Only the checks that fail choose the policy.
    let signer = [identifier("good.example", Method::Dkim, Status::Pass)];
    let verdict = evaluate(&zone, head, &signer, &settings);
    assert_eq!(verdict.disposition(), Disposition::Quarantine);

    // None of them fails: still no pass, and not ‘none’.
    let all = ["none.example", "good.example", "bad.example"]
        .map(|signer| identifier(signer, Method::Dkim, Status::Pass));
    let verdict = evaluate(&zone, head, &all, &settings);
    assert_eq!(verdict.result(), DmarcResult::Permerror);
    let nobody = evaluate(&zone, "From: a@x.example, b@y.example", &[], &settings);
    assert_eq!(nobody.result(), DmarcResult::Permerror);

    // A domain that is unknown for now is not outvoted by a milder one, but by p=reject.
    let mut broken = zone.clone();
    broken
        .fail("_dmarc.victim.example", LookupError::ServFail)
        .unwrap();
    let unknown = "From: a@none.example, v@victim.example, c@bad.example";
    let verdict = evaluate(&broken, unknown, &[], &settings);
    assert_eq!(verdict.result(), DmarcResult::Temperror);
    let reject = "From: a@good.example, v@victim.example";
    let verdict = evaluate(&broken, reject, &[], &settings);
    assert_eq!(verdict.disposition(), Disposition::Reject);

    // Several fields are not several authors of one field.
    let fields = "From: a@none.example\r\nFrom: b@good.example";
    let verdict = evaluate(&zone, fields, &[], &settings);
    assert_eq!(verdict.result(), DmarcResult::Permerror);

    // More authors than the limit are refused without a query.
    settings.max_author_domains = 2;
    let verdict = evaluate(&zone, head, &[], &settings);
    assert_eq!(verdict.result(), DmarcResult::Permerror);
}

/// A DKIM temperror without an aligned pass: the server may ask again later.
#[test]
fn temporary_failures() {
    let zone = zone(&[("example.com", "v=DMARC1; p=reject")]);
    let settings = Settings::default();
    let from = "From: joe@example.com";
    let later = identifier("mail.example.com", Method::Dkim, Status::Temperror);
    let verdict = evaluate(&zone, from, std::slice::from_ref(&later), &settings);
    assert_eq!(verdict.result(), DmarcResult::Temperror);
    assert!(matches!(verdict.cause(), Cause::IdentifierUnknown { .. }));
    // One of a stranger changes nothing.
    let stranger = [identifier("example.net", Method::Dkim, Status::Temperror)];
    let verdict = evaluate(&zone, from, &stranger, &settings);
    assert_eq!(verdict.result(), DmarcResult::Fail);
    let passed = [later, identifier("example.com", Method::Spf, Status::Pass)];
    let verdict = evaluate(&zone, from, &passed, &settings);
    assert_eq!(verdict.result(), DmarcResult::Pass);
}

#[test]
fn results_for_other_servers() {
    let zone = zone(&[("example.com", "v=DMARC1; p=reject; sp=quarantine; t=y")]);
    let settings = Settings::default();
    let field = |from: &str| {
        let mut results =
            mailproof::auth_results::AuthenticationResults::new("mx.example".parse().unwrap());
        let verdict = evaluate(&zone, from, &[], &settings);
        results.results.push(verdict.to_method_result());
        results.to_field().replace("\r\n", "")
    };
    let failed = field("From: joe@www.example.com");
    assert!(failed.contains("dmarc=fail"), "{failed}");
    assert!(failed.contains("header.from=www.example.com"), "{failed}");
    assert!(failed.contains("policy.dmarc=none"), "{failed}");
    let none = field("From: joe@example.net");
    assert!(
        none.contains("dmarc=none header.from=example.net"),
        "{none}"
    );
    let nobody = field("Subject: x");
    assert!(nobody.contains("dmarc=permerror"), "{nobody}");
    assert!(!nobody.contains("header.from"), "{nobody}");
}

#[test]
fn verdicts_can_be_serialized() {
    let zone = zone(&[("example.com", "v=DMARC1; p=reject; t=y")]);
    let identifiers = [identifier("example.net", Method::Spf, Status::Pass)];
    let settings = Settings::default();
    let verdict = evaluate(&zone, "From: joe@example.com", &identifiers, &settings);
    let value = serde_json::to_value(&verdict).unwrap();
    assert_eq!(value["result"], "fail");
    assert_eq!(value["disposition"], "quarantine");
    assert_eq!(value["record"], "v=DMARC1; p=reject; t=y");
    assert_eq!(value["identifiers"][0]["why_not"], "other-organization");
    assert_eq!(value["cause"]["nothing-aligned"]["domain"], "example.com");
}
