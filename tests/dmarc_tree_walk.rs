//! The DNS tree walk of RFC 9989: the RFC's examples, its pitfalls, failures at every step, and what
//! each costs in queries.

use mailproof::dmarc::{Cause, Discovery, DmarcResult, Evaluation, Settings, WhyNot};
use mailproof::dns::{LookupError, RecordType, Zone, block_on};
use mailproof::identifier::{AuthenticatedIdentifier, Method, Status};
use mailproof::message::Author;
use mailproof::{Address, Domain};

fn zone(records: &[(&str, &str)]) -> Zone {
    let mut zone = Zone::new();
    for (domain, record) in records {
        zone.add_txt(&format!("_dmarc.{domain}"), record).unwrap();
    }
    zone
}

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

fn author(text: &str) -> Author {
    Author::One(Address::new("joe", domain(text)).unwrap())
}

fn pass(method: Method, text: &str) -> AuthenticatedIdentifier {
    AuthenticatedIdentifier::trust_result_obtained_elsewhere(domain(text), method, Status::Pass)
}

/// The organizational domain, and the names that were asked without their `_dmarc.`.
fn organization(zone: &Zone, start: &str) -> (Result<Domain, WhyNot>, Vec<String>) {
    let (start, settings) = (domain(start), Settings::default());
    let found = Discovery::of_organization(zone, &start, &settings);
    let (organization, discovery) = block_on(found);
    (organization, asked(discovery.queries()))
}

fn asked(queries: &[mailproof::dns::Name]) -> Vec<String> {
    queries
        .iter()
        .map(|name| name.as_str().trim_start_matches("_dmarc.").to_owned())
        .collect()
}

/// The evaluation, and the names that each walk asked.
fn evaluate(
    zone: &Zone,
    from: &str,
    identifiers: &[AuthenticatedIdentifier],
    settings: &Settings,
) -> (Evaluation, Vec<String>, Vec<String>) {
    let author = author(from);
    let first = block_on(Discovery::of_author(zone, &author, settings));
    let by_policy = asked(first.queries());
    let second = first.with_identifiers(zone, identifiers, settings);
    let second = block_on(second);
    let by_identifiers = asked(second.queries()).split_off(by_policy.len());
    let evaluation = second.evaluate(&author, identifiers, settings);
    (evaluation, by_policy, by_identifiers)
}

#[track_caller]
fn assert_organization(records: &[(&str, &str)], start: &str, expected: &str) {
    let (organization, _) = organization(&zone(records), start);
    assert_eq!(organization, Ok(domain(expected)));
}

/// §4.10.2's three examples.
#[test]
fn examples_of_section_4_10() {
    let both = [
        ("mail.example.com", "v=DMARC1; p=none"),
        ("example.com", "v=DMARC1; p=none"),
    ];
    assert_organization(&both, "a.mail.example.com", "example.com");
    let (_, asked) = organization(&zone(&both), "a.mail.example.com");
    assert_eq!(
        asked,
        [
            "a.mail.example.com",
            "mail.example.com",
            "example.com",
            "com"
        ]
    );
    let unit = [("mail.example.com", "v=DMARC1; p=none; psd=n")];
    assert_organization(&unit, "a.mail.example.com", "mail.example.com");
    let registry = [("com", "v=DMARC1; p=none; psd=y")];
    assert_organization(&registry, "a.mail.example.com", "example.com");
}

/// §4.10: ‘would require the following eight queries’.
#[test]
fn eight_queries_at_most() {
    let (organization, asked) = organization(&zone(&[]), "a.b.c.d.e.f.g.h.i.j.mail.example.com");
    assert_eq!(
        asked,
        [
            "a.b.c.d.e.f.g.h.i.j.mail.example.com",
            "g.h.i.j.mail.example.com",
            "h.i.j.mail.example.com",
            "i.j.mail.example.com",
            "j.mail.example.com",
            "mail.example.com",
            "example.com",
            "com"
        ]
    );
    let start = domain("a.b.c.d.e.f.g.h.i.j.mail.example.com");
    assert_eq!(organization, Ok(start));
}

#[test]
fn every_length_of_name() {
    for labels in 1..=127_usize {
        let start = vec!["a"; labels].join(".");
        let (organization, asked) = organization(&zone(&[]), &start);
        let expected = Ok(domain(&start));
        assert_eq!(organization, expected, "{labels}");
        // `_dmarc.` and 124 labels of one letter are what a query can hold; longer names of this
        // kind have no record of their own.
        let own = usize::from(labels <= 123);
        assert_eq!(asked.len(), own + (labels - 1).min(7), "{labels}");
    }
}

#[test]
fn example_b_4_1() {
    let zone = zone(&[
        ("example.com", "v=DMARC1; p=reject"),
        ("signing.example.com", "v=DMARC1; p=reject"),
    ]);
    let identifiers = [
        pass(Method::Spf, "example.com"),
        pass(Method::Dkim, "signing.example.com"),
    ];
    let (verdict, first, second) =
        evaluate(&zone, "example.com", &identifiers, &Settings::default());
    assert_eq!(verdict.result(), DmarcResult::Pass);
    assert!(verdict.is_aligned(Method::Spf) && verdict.is_aligned(Method::Dkim));
    assert_eq!(first, ["example.com"]);
    // Answers are kept: neither example.com nor com is asked twice.
    assert_eq!(second, ["com", "signing.example.com"]);
}

#[test]
fn example_b_4_2() {
    let zone = zone(&[
        ("example.com", "v=DMARC1; p=reject"),
        ("signing.example.com", "v=DMARC1; p=reject"),
    ]);
    let identifiers = [
        pass(Method::Spf, "example.com"),
        pass(Method::Dkim, "signing.example.com"),
    ];
    let from = "a.b.c.d.e.f.g.h.i.j.k.example.com";
    let (verdict, first, second) = evaluate(&zone, from, &identifiers, &Settings::default());
    assert_eq!(verdict.result(), DmarcResult::Pass);
    assert!(verdict.is_aligned(Method::Spf) && verdict.is_aligned(Method::Dkim));
    assert_eq!(verdict.policy_domain(), Some(&domain("example.com")));
    assert_eq!(first.len(), 8);
    assert_eq!(first[1], "g.h.i.j.k.example.com");
    assert_eq!(second, ["signing.example.com"]);
}

#[test]
fn example_b_4_3() {
    let zone = zone(&[
        ("bank.example", "v=DMARC1; p=reject; psd=y"),
        ("giant.bank.example", "v=DMARC1; p=quarantine"),
    ]);
    let identifiers = [
        pass(Method::Spf, "mail.giant.bank.example"),
        pass(Method::Dkim, "mail.mega.bank.example"),
    ];
    let settings = Settings::default();
    let (verdict, first, second) = evaluate(&zone, "giant.bank.example", &identifiers, &settings);
    assert_eq!(verdict.result(), DmarcResult::Pass);
    assert!(verdict.is_aligned(Method::Spf));
    assert!(!verdict.is_aligned(Method::Dkim));
    let organization = domain("giant.bank.example");
    assert_eq!(verdict.organizational_domain(), Some(&organization));
    assert_eq!(first, ["giant.bank.example"]);
    // The other bank lies outside the author's organization: nothing about it is asked.
    assert_eq!(second, ["bank.example", "mail.giant.bank.example"]);
    assert_organization(
        &[("bank.example", "v=DMARC1; psd=y")],
        "mail.mega.bank.example",
        "mega.bank.example",
    );
}

/// psd=y at the start ends the walk and is the organizational domain: it speaks for itself.
#[test]
fn public_suffix_at_the_start() {
    let records = [
        ("mail.example.com", "v=DMARC1; p=none; psd=y"),
        ("example.com", "v=DMARC1; p=none"),
    ];
    assert_organization(&records, "mail.example.com", "mail.example.com");
    let (_, asked) = organization(&zone(&records), "mail.example.com");
    assert_eq!(asked, ["mail.example.com"]);
    // Its own mail is judged by p, its registrants' by sp.
    let zone = zone(&[("bank.example", "v=DMARC1; p=quarantine; sp=reject; psd=y")]);
    let settings = Settings::default();
    let own = evaluate(&zone, "bank.example", &[], &settings).0;
    assert_eq!(own.published().unwrap().as_str(), "quarantine");
    let sub = evaluate(&zone, "giant.bank.example", &[], &settings).0;
    assert_eq!(sub.published().unwrap().as_str(), "reject");
    assert_eq!(sub.policy_domain(), Some(&domain("bank.example")));
    let organization = domain("giant.bank.example");
    assert_eq!(sub.organizational_domain(), Some(&organization));
}

/// A record between the author and the public suffix that is not at the organizational domain does
/// not count; the suffix's does.
#[test]
fn organizational_domain_without_a_record() {
    let zone = zone(&[
        ("a.b.example", "v=DMARC1; p=none"),
        ("example", "v=DMARC1; p=reject; psd=y"),
    ]);
    let settings = Settings::default();
    let (verdict, first, _) = evaluate(&zone, "x.a.b.example", &[], &settings);
    assert_eq!(verdict.organizational_domain(), Some(&domain("b.example")));
    assert_eq!(verdict.policy_domain(), Some(&domain("example")));
    assert_eq!(verdict.published().unwrap().as_str(), "reject");
    assert_eq!(
        first,
        ["x.a.b.example", "a.b.example", "b.example", "example"]
    );
}

/// The name below a public suffix may be one that the walk skipped.
#[test]
fn organizational_domain_that_was_skipped() {
    let records = [("b.c.d.e.f.g.h", "v=DMARC1; p=none; psd=y")];
    let start = "z.y.x.a.b.c.d.e.f.g.h";
    assert_organization(&records, start, "a.b.c.d.e.f.g.h");
}

/// The author's own record is the policy, while its parent is the organization.
#[test]
fn policy_and_organization_differ() {
    let zone = zone(&[
        ("news.example.com", "v=DMARC1; p=reject"),
        ("example.com", "v=DMARC1; p=none; sp=none"),
    ]);
    let identifiers = [pass(Method::Spf, "bounce.example.com")];
    let settings = Settings::default();
    let (verdict, ..) = evaluate(&zone, "news.example.com", &identifiers, &settings);
    assert_eq!(verdict.result(), DmarcResult::Pass);
    assert_eq!(verdict.policy_domain(), Some(&domain("news.example.com")));
    assert_eq!(
        verdict.organizational_domain(),
        Some(&domain("example.com"))
    );
    let (alone, ..) = evaluate(&zone, "news.example.com", &[], &settings);
    assert_eq!(alone.disposition().as_str(), "reject");
}

#[test]
fn record_at_the_top_level() {
    // Without psd=, the top-level domain becomes the organization of all below it.
    let records = [("example", "v=DMARC1; p=none")];
    assert_organization(&records, "a.b.example", "example");
    // With psd=u as well; with psd=y, its registrants are.
    let records = [("example", "v=DMARC1; p=none; psd=u")];
    assert_organization(&records, "a.b.example", "example");
    let records = [("example", "v=DMARC1; p=none; psd=y")];
    assert_organization(&records, "a.b.example", "b.example");
    let own = evaluate(&zone(&records), "example", &[], &Settings::default()).0;
    assert_eq!(own.result(), DmarcResult::Fail);
}

#[test]
fn several_records_count_as_none() {
    let mut zone = zone(&[("example.com", "v=DMARC1; p=reject; sp=quarantine")]);
    for record in ["v=DMARC1; p=none", "v=DMARC1; p=none", "something else"] {
        zone.add_txt("_dmarc.news.example.com", record).unwrap();
    }
    let (verdict, first, _) = evaluate(&zone, "news.example.com", &[], &Settings::default());
    assert_eq!(verdict.policy_domain(), Some(&domain("example.com")));
    assert_eq!(verdict.published().unwrap().as_str(), "quarantine");
    assert_eq!(first, ["news.example.com", "example.com", "com"]);
    let (author, settings) = (author("news.example.com"), Settings::default());
    let discovery = block_on(Discovery::of_author(&zone, &author, &settings));
    let several: Vec<_> = discovery.several_records().collect();
    assert_eq!(several, [&domain("news.example.com")]);
}

/// Wildcards and other people's TXT records at `_dmarc` are passed over.
#[test]
fn other_records_do_not_matter() {
    let mut zone = zone(&[("example.com", "v=DMARC1; p=reject")]);
    zone.add_txt("_dmarc.example.com", "v=spf1 -all").unwrap();
    zone.add_txt("_dmarc.example.com", " v=DMARC1; p=none")
        .unwrap();
    zone.add_txt("_dmarc.example.com", "v=dmarc1; p=none")
        .unwrap();
    zone.add_txt("_dmarc.example.com", [0xff, 0]).unwrap();
    let (verdict, ..) = evaluate(&zone, "example.com", &[], &Settings::default());
    assert_eq!(verdict.published().unwrap().as_str(), "reject");
}

/// A failure at any step of the author's walk leaves the policy unknown.
#[test]
fn dns_failure_at_each_step() {
    let names = ["a.b.example.com", "b.example.com", "example.com", "com"];
    for (step, name) in names.into_iter().enumerate() {
        let mut zone = zone(&[("b.example.com", "v=DMARC1; p=none")]);
        zone.fail(&format!("_dmarc.{name}"), LookupError::ServFail)
            .unwrap();
        let identifiers = [pass(Method::Spf, "a.b.example.com")];
        let settings = Settings::default();
        let (verdict, first, second) = evaluate(&zone, "a.b.example.com", &identifiers, &settings);
        assert_eq!(verdict.result(), DmarcResult::Temperror, "{name}");
        assert!(
            matches!(
                verdict.cause(),
                Cause::PolicyUnknown {
                    error: LookupError::ServFail,
                    ..
                }
            ),
            "{name}: {}",
            verdict.cause()
        );
        let author = author("a.b.example.com");
        let discovery = block_on(Discovery::of_author(&zone, &author, &settings));
        let failures: Vec<_> = discovery.failures().collect();
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert_eq!(first.len(), step + 1);
        assert!(second.is_empty());
    }
}

/// A failure during the second walk matters only where nothing else passes.
#[test]
fn dns_failure_in_the_second_walk() {
    let records = [("example.com", "v=DMARC1; p=reject")];
    let settings = Settings::default();
    for failing in ["com", "x.example.com"] {
        let mut zone = zone(&records);
        zone.fail(&format!("_dmarc.{failing}"), LookupError::Timeout)
            .unwrap();
        let sub = pass(Method::Spf, "x.example.com");
        let (verdict, ..) = evaluate(&zone, "example.com", std::slice::from_ref(&sub), &settings);
        assert_eq!(verdict.result(), DmarcResult::Temperror, "{failing}");
        assert!(matches!(
            verdict.identifiers()[0].why_not(),
            Some(WhyNot::OrganizationUnknown { .. })
        ));
        let identifiers = [sub, pass(Method::Dkim, "example.com")];
        let (verdict, ..) = evaluate(&zone, "example.com", &identifiers, &settings);
        assert_eq!(verdict.result(), DmarcResult::Pass, "{failing}");
    }
}

#[test]
fn existence_is_asked_only_where_it_matters() {
    let settings = Settings::default();
    let same = zone(&[("example.com", "v=DMARC1; p=reject; np=reject")]);
    let (_, first, _) = evaluate(&same, "ghost.example.com", &[], &settings);
    assert_eq!(first, ["ghost.example.com", "example.com", "com"]);

    let mut differ = zone(&[("example.com", "v=DMARC1; p=none; sp=quarantine; np=reject")]);
    let policy = |zone: &Zone| evaluate(zone, "ghost.example.com", &[], &settings);
    let (verdict, first, _) = policy(&differ);
    assert_eq!(verdict.published().unwrap().as_str(), "reject");
    assert_eq!(first.last().unwrap(), "ghost.example.com");
    assert_eq!(first.len(), 4);

    // A name exists that has other data, or only names below it (RFC 8020): NODATA is not NXDOMAIN.
    differ.add_name("www.ghost.example.com").unwrap();
    assert_eq!(
        policy(&differ).0.published().unwrap().as_str(),
        "quarantine"
    );
    // What exists at _dmarc below a name says that the name exists, without another query.
    differ.add_txt("_dmarc.ghost.example.com", "other").unwrap();
    assert_eq!(policy(&differ).1.len(), 3);
}

#[test]
fn existence_that_cannot_be_found_out() {
    let mut zone = zone(&[("example.com", "v=DMARC1; p=none; np=reject")]);
    zone.fail_type("a.example.com", RecordType::A, LookupError::Timeout)
        .unwrap();
    let settings = Settings::default();
    let (verdict, ..) = evaluate(&zone, "a.example.com", &[], &settings);
    assert_eq!(verdict.result(), DmarcResult::Temperror);
    assert!(matches!(verdict.cause(), Cause::ExistenceUnknown { .. }));
    // An aligned pass needs no policy value.
    let identifiers = [pass(Method::Dkim, "a.example.com")];
    let (verdict, ..) = evaluate(&zone, "a.example.com", &identifiers, &settings);
    assert_eq!(verdict.result(), DmarcResult::Pass);
}

/// The second walk is made only where it can matter.
#[test]
fn no_second_walk_in_vain() {
    let settings = Settings::default();
    let strict = zone(&[("example.com", "v=DMARC1; p=reject; adkim=s; aspf=s")]);
    let sub = [
        pass(Method::Dkim, "sub.example.com"),
        pass(Method::Spf, "sub.example.com"),
    ];
    assert!(
        evaluate(&strict, "example.com", &sub, &settings)
            .2
            .is_empty()
    );
    let relaxed = zone(&[("example.com", "v=DMARC1; p=reject")]);
    for identifiers in [
        [pass(Method::Dkim, "example.com")],
        [pass(Method::Dkim, "example.net")],
    ] {
        let (_, _, second) = evaluate(&relaxed, "example.com", &identifiers, &settings);
        assert!(second.is_empty(), "{second:?}");
    }
    // Neighbours under one registry cost no more than the author's own walk.
    let neighbours: Vec<_> = (0..50)
        .map(|n| pass(Method::Dkim, &format!("bulk{n}.com")))
        .collect();
    let (_, _, second) = evaluate(&relaxed, "example.com", &neighbours, &settings);
    assert_eq!(second, ["com"]);
    let none = zone(&[]);
    assert!(evaluate(&none, "example.com", &sub, &settings).2.is_empty());
}

/// However many domains sign, the walks are capped; the one nearest to the author comes first.
#[test]
fn second_walks_are_capped() {
    let zone = zone(&[("example.com", "v=DMARC1; p=reject")]);
    let settings = Settings::default();
    let mut many: Vec<_> = (0..50)
        .map(|n| pass(Method::Dkim, &format!("a.b.c.d.e.f.g.h.s{n}.example.com")))
        .collect();
    let (verdict, _, second) = evaluate(&zone, "www.example.com", &many, &settings);
    assert_eq!(verdict.result(), DmarcResult::Pass);
    assert!(second.len() <= 4 * 8, "{}", second.len());
    let refused = verdict
        .identifiers()
        .iter()
        .filter(|identifier| identifier.why_not() == Some(&WhyNot::LimitReached));
    assert_eq!(refused.count(), 46);
    let mut none = Settings::default();
    none.max_walks = 0;
    let (verdict, ..) = evaluate(&zone, "www.example.com", &many, &none);
    assert_eq!(verdict.result(), DmarcResult::Fail);
    // Units of their own take up the walks, but not that of the author's neighbour.
    many.push(pass(Method::Dkim, "mail.www.example.com"));
    let mut units = zone.clone();
    for n in 0..50 {
        let name = format!("_dmarc.s{n}.example.com");
        units.add_txt(&name, "v=DMARC1; p=none; psd=n").unwrap();
    }
    let (verdict, ..) = evaluate(&units, "www.example.com", &many, &settings);
    assert_eq!(verdict.result(), DmarcResult::Pass);
}

#[test]
fn without_the_second_walk_nothing_passes() {
    let zone = zone(&[("example.com", "v=DMARC1; p=reject")]);
    let (author, settings) = (author("example.com"), Settings::default());
    let identifiers = [pass(Method::Spf, "sub.example.com")];
    let discovery = block_on(Discovery::of_author(&zone, &author, &settings));
    let verdict = discovery.evaluate(&author, &identifiers, &settings);
    assert_eq!(verdict.result(), DmarcResult::Temperror);
    let nothing = Discovery::default().evaluate(&author, &identifiers, &settings);
    assert_eq!(nothing.result(), DmarcResult::Temperror);
    assert!(matches!(nothing.cause(), Cause::NotDiscovered { .. }));
}

#[test]
fn the_futures_are_send() {
    fn is_send<T: Send>(_: &T) {}
    let (zone, author, settings) = (zone(&[]), author("example.com"), Settings::default());
    let first = Discovery::of_author(&zone, &author, &settings);
    is_send(&first);
    let second = block_on(first).with_identifiers(&zone, &[], &settings);
    is_send(&second);
}
