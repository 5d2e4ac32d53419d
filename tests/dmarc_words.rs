//! What DMARC says about an evaluation and a domain: words for logs and people, and facts that are
//! true of each identifier.

use std::sync::Arc;

use mailproof::dmarc::{
    AlignmentMode, Discovery, DmarcResult, PublicSuffixList, Record, Settings, Survey, WhyNot,
};
use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::identifier::{AuthenticatedIdentifier, Method, Status};
use mailproof::message::Author;
use mailproof::{Address, Domain};

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

fn identifier(text: &str, status: Status) -> AuthenticatedIdentifier {
    AuthenticatedIdentifier::trust_result_obtained_elsewhere(domain(text), Method::Dkim, status)
}

#[test]
fn results_print_as_their_words() {
    for (result, word) in [
        (DmarcResult::None, "none"),
        (DmarcResult::Pass, "pass"),
        (DmarcResult::Fail, "fail"),
        (DmarcResult::Temperror, "temperror"),
        (DmarcResult::Permerror, "permerror"),
    ] {
        assert_eq!((result.as_str(), &*result.to_string()), (word, word));
    }
}

#[test]
fn reasons_tell_themselves_apart() {
    let name = "_dmarc.example.com".parse().unwrap();
    let error = LookupError::Timeout;
    for (why_not, part) in [
        (WhyNot::NotChecked, "for now"),
        (WhyNot::NoPolicy, "no policy"),
        (WhyNot::OtherOrganization, "another organization"),
        (WhyNot::StrictAlignment, "very same domain"),
        (
            WhyNot::OrganizationUnknown { name, error },
            "_dmarc.example.com: no answer in time",
        ),
        (WhyNot::NotDiscovered, "not looked up"),
        (WhyNot::LimitReached, "too many"),
    ] {
        assert!(why_not.to_string().contains(part), "{why_not}");
    }
}

/// §4.7: `r` is the default, and valid in either case of letters.
#[test]
fn modes_of_alignment() {
    for (tag, mode, warnings) in [
        ("", AlignmentMode::Relaxed, 0),
        ("r", AlignmentMode::Relaxed, 0),
        ("R", AlignmentMode::Relaxed, 0),
        ("s", AlignmentMode::Strict, 0),
        ("S", AlignmentMode::Strict, 0),
        ("x", AlignmentMode::Relaxed, 2),
    ] {
        let tags = match tag {
            "" => String::new(),
            tag => format!("; adkim={tag}; aspf={tag}"),
        };
        let record = format!("v=DMARC1; p=none; rua=mailto:r@example.com{tags}");
        let record = Record::parse(record.as_bytes()).unwrap();
        assert_eq!((record.adkim(), record.aspf()), (mode, mode), "{tag}");
        assert_eq!(record.warnings().len(), warnings, "{:?}", record.warnings());
    }
}

/// Without an author domain nothing is aligned, but what authenticated still did.
#[test]
fn identifiers_without_an_author() {
    let identifiers = [
        identifier("a.example", Status::Pass),
        identifier("b.example", Status::Temperror),
    ];
    let (author, settings) = (Author::Missing, Settings::default());
    let zone = Zone::new();
    let discovery = block_on(Discovery::of_author(&zone, &author, &settings));
    let evaluation = discovery.evaluate(&author, &identifiers, &settings);
    let passed: Vec<_> = evaluation
        .identifiers()
        .iter()
        .map(|one| one.passed())
        .collect();
    assert_eq!(passed, [true, false]);
}

/// Each domain once, the author's first.
#[test]
fn each_disagreement_is_told_once() {
    let mut zone = Zone::new();
    zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject")
        .unwrap();
    zone.add_txt("_dmarc.unit.example.com", "v=DMARC1; p=reject; psd=n")
        .unwrap();
    let mut settings = Settings::default();
    let list = PublicSuffixList::parse(b"// ===BEGIN ICANN DOMAINS===\ncom\n").unwrap();
    settings.compare_with = Some(Arc::new(list));
    let author = Author::One(Address::new("joe", domain("unit.example.com")).unwrap());
    let identifiers = [
        "www.unit.example.com",
        "unit.example.com",
        "www.unit.example.com",
    ];
    let identifiers = identifiers.map(|text| identifier(text, Status::Pass));
    let discovery = block_on(Discovery::of_author(&zone, &author, &settings));
    let discovery = block_on(discovery.with_identifiers(&zone, &identifiers, &settings));
    let evaluation = discovery.evaluate(&author, &identifiers, &settings);
    let told: Vec<_> = evaluation
        .disagreements()
        .map(|(domain, ..)| domain.as_str())
        .collect();
    assert_eq!(told, ["unit.example.com", "www.unit.example.com"]);
}

/// RFC 8020: below a name that does not exist, there is no key.
#[test]
fn keys_in_sight() {
    let key = "selector._domainkey.example.com";
    let has_dkim = |zone: &Zone| {
        let (domain, settings) = (domain("example.com"), Settings::default());
        block_on(Survey::of(zone, &domain, &settings)).has_dkim()
    };
    let mut zone = Zone::new();
    zone.add_txt("_dmarc.example.com", "v=DMARC1; p=none")
        .unwrap();
    assert_eq!(has_dkim(&zone), Some(false));
    zone.add_txt(key, "p=").unwrap();
    assert_eq!(has_dkim(&zone), Some(true));
    zone.fail("_domainkey.example.com", LookupError::ServFail)
        .unwrap();
    assert_eq!(has_dkim(&zone), None);
}
