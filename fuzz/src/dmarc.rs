//! DMARC: records, discovery over a fuzzed zone, author extraction, public suffix lists.

use std::sync::Arc;

use mailproof::dmarc::{
    self, Disposition, DmarcResult, PublicSuffixList, Record, RuleSet, Settings,
};
use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::identifier::{AuthenticatedIdentifier, Method, Status};
use mailproof::message::{Author, Head};
use mailproof::{Address, Domain};

/// A record is read, explained and printed without loss of meaning.
pub fn record(data: &[u8]) {
    let Some(record) = Record::parse(data) else {
        return;
    };
    assert_eq!(record.as_bytes(), data);
    for warning in record.warnings() {
        let text = warning.to_string();
        assert!(!text.is_empty());
    }
    let printed = record.to_string();
    let again = Record::parse(printed.as_bytes()).expect("what we print is a record");
    assert_eq!(again.to_string(), printed);
    let unchanged = record.clone().with_testing(record.is_testing());
    assert_eq!(unchanged, again);
    assert_eq!(
        (again.p(), again.sp(), again.np(), again.psd(), again.fo()),
        (
            record.p(),
            record.sp(),
            record.np(),
            record.psd(),
            record.fo()
        )
    );
    assert_eq!(
        (again.adkim(), again.aspf(), again.is_testing(), again.pct()),
        (
            record.adkim(),
            record.aspf(),
            record.is_testing(),
            record.pct()
        )
    );
    assert_eq!((again.rua(), again.ruf()), (record.rua(), record.ruf()));
    for rules in [RuleSet::Rfc9989, RuleSet::Rfc7489] {
        // Where a record applies, it applies at least to its own domain as it says, or as p=none.
        if let Some([p, ..]) = record.policies(rules) {
            assert!(p == Disposition::None || record.p() == Some(p));
        }
    }
    for uri in record.rua() {
        if let Some(address) = uri.address() {
            assert_eq!(address.domain(), uri.host());
        }
    }
}

/// Lines of `name record` are a zone; the first is the author domain, and others sign. Nothing
/// passes without an identifier that passed; queries stay within bounds.
pub fn discovery(data: &[u8]) {
    let mut zone = Zone::new();
    let mut domains: Vec<Domain> = Vec::new();
    for line in data.split(|octet| *octet == b'\n').take(50) {
        let at = line.iter().position(|octet| *octet == b' ');
        let (name, record) = line.split_at(at.unwrap_or(line.len()));
        let Ok(domain) = Domain::parse(name) else {
            continue;
        };
        let owner = format!("_dmarc.{domain}");
        let added = match record.trim_ascii() {
            b"fail" => zone.fail(&owner, LookupError::ServFail).is_ok(),
            b"" => zone.add_name(domain.as_str()).is_ok(),
            record => zone.add_txt(&owner, record).is_ok(),
        };
        if added {
            domains.push(domain);
        }
    }
    let Some(first) = domains.first() else {
        return;
    };
    let author = Author::One(Address::new("a", first.clone()).expect("a is a local part"));
    let several = Author::SeveralDomains(domains.clone());
    let mut tree = Settings::default();
    tree.strictest_of_several_authors = true;
    let mut listed = tree.clone();
    let list = PublicSuffixList::parse(b"com\nco.uk\n*.ck\n!www.ck\n");
    listed.public_suffix_list = Some(Arc::new(list.expect("it has rules")));
    for settings in [&tree, &listed] {
        for (author, authors) in [(&author, 1), (&several, settings.max_author_domains)] {
            for status in [Status::Pass, Status::Temperror] {
                let identifiers: Vec<_> = domains
                    .iter()
                    .skip(1)
                    .map(|domain| {
                        AuthenticatedIdentifier::trust_result_obtained_elsewhere(
                            domain.clone(),
                            Method::Dkim,
                            status,
                        )
                    })
                    .collect();
                check(&zone, author, authors, &identifiers, settings);
            }
        }
    }
}

fn check(
    zone: &Zone,
    author: &Author,
    authors: usize,
    identifiers: &[AuthenticatedIdentifier],
    settings: &Settings,
) {
    let discovery = block_on(dmarc::Discovery::of_author(zone, author, settings));
    let first = discovery.queries().len();
    assert!(first <= 9 * authors);
    let discovery = block_on(discovery.with_identifiers(zone, identifiers, settings));
    let second = discovery.queries().len() - first;
    assert!(second <= 8 * (authors + settings.max_walks));
    let verdict = discovery.evaluate(author, identifiers, settings);
    assert!(!verdict.cause().to_string().is_empty());
    assert_eq!(verdict.result(), verdict.cause().result());
    if verdict.result() == DmarcResult::Pass {
        assert!(author.domain().is_some());
        let aligned = verdict.identifiers().iter().any(|identifier| {
            identifier.passed() && identifier.relaxed() && identifier.why_not().is_none()
        });
        assert!(aligned);
    } else {
        assert!(verdict.identifiers().iter().all(|i| i.why_not().is_some()));
    }
    if verdict.result() != DmarcResult::Fail {
        assert_eq!(verdict.disposition(), Disposition::None);
    }
    if author.domain().is_none() {
        assert_ne!(verdict.result(), DmarcResult::None);
    }
}

/// The header block is read as one, several or no author; what is found is written there, and
/// fields that are none of the author's change nothing.
pub fn author(data: &[u8]) {
    let (head, _) = Head::parse(data);
    let author = head.author();
    assert_eq!(
        author.domain().is_some(),
        matches!(author, Author::One(_) | Author::SameDomain { .. })
    );
    let lower = data.to_ascii_lowercase();
    for domain in author.domains() {
        // U-labels are written in another form than they are read.
        let written = lower
            .windows(domain.as_str().len())
            .any(|window| window == domain.as_str().as_bytes());
        assert!(written || domain.as_str().contains("xn--"));
    }
    if let Author::One(address) = &author {
        let fields = head.named(b"From").count();
        assert_eq!(fields, 1);
        assert!(!address.local_part().is_empty());
    }
    let more = [b"Subject: x\r\n", data].concat();
    let again = Head::parse(&more).0.author();
    if !head.anomalies().begins_with_fold {
        assert_eq!(again, author);
    }
}

/// A list is read without loss of sense: a registrable domain is one label below its suffix.
pub fn public_suffix_list(data: &[u8]) {
    for parse in [PublicSuffixList::parse, PublicSuffixList::parse_icann] {
        let Some(list) = parse(data) else {
            continue;
        };
        let words = data.split(|octet| octet.is_ascii_whitespace());
        for name in words.take(50).filter_map(|name| Domain::parse(name).ok()) {
            for domain in [Domain::parse(format!("a.b.{name}").as_bytes()), Ok(name)] {
                let Ok(domain) = domain else { continue };
                let organization = list.organizational_domain(&domain);
                assert!(domain.is_within(&organization));
                match list.registrable_domain(&domain) {
                    Some(registrable) => {
                        assert_eq!(registrable, organization);
                        let again = list.registrable_domain(&registrable);
                        assert_eq!(again, Some(registrable));
                    }
                    None => assert_eq!(organization, domain),
                }
            }
        }
    }
}
