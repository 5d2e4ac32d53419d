//! Every combination of what SPF and DKIM say, how they relate to the author, and what the policy
//! asks, against a naive twin of the rules that shares no code with the crate.

use mailproof::dmarc::{Discovery, Disposition, DmarcResult, Settings};
use mailproof::dns::{Zone, block_on};
use mailproof::identifier::{AuthenticatedIdentifier, Method, Status};
use mailproof::message::Author;
use mailproof::{Address, Domain};

const SPF: [&str; 7] = [
    "none",
    "neutral",
    "pass",
    "fail",
    "softfail",
    "temperror",
    "permerror",
];

const DKIM: [&str; 7] = [
    "none",
    "pass",
    "fail",
    "policy",
    "neutral",
    "temperror",
    "permerror",
];

/// How an identifier relates to the author domain.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Relation {
    Exact,
    Sub,
    Sibling,
    Foreign,
}

const RELATIONS: [Relation; 4] = [
    Relation::Exact,
    Relation::Sub,
    Relation::Sibling,
    Relation::Foreign,
];

/// The three author domains: the one that publishes the record, one below it that exists, and one
/// that does not.
const AUTHORS: [&str; 3] = ["example.com", "mail.example.com", "ghost.example.com"];

const POLICIES: [&str; 3] = ["none", "quarantine", "reject"];

fn domain(author: &str, relation: Relation) -> Domain {
    let text = match relation {
        Relation::Exact => author.into(),
        Relation::Sub => format!("sub.{author}"),
        Relation::Sibling => "sibling.example.com".into(),
        Relation::Foreign => "example.net".into(),
    };
    text.parse().unwrap()
}

/// What the crate's own checks do: only a pass, or a check that may pass later, is an identifier.
fn identifier(
    author: &str,
    method: Method,
    (word, relation): (&str, Relation),
) -> Option<AuthenticatedIdentifier> {
    let status = match word {
        "pass" => Status::Pass,
        "temperror" => Status::Temperror,
        _ => return None,
    };
    let domain = domain(author, relation);
    Some(AuthenticatedIdentifier::trust_result_obtained_elsewhere(
        domain, method, status,
    ))
}

type Check = (&'static str, Relation);

/// No signature, one of each word and relation, and several.
fn signatures() -> Vec<Vec<Check>> {
    use Relation::{Exact, Foreign, Sibling, Sub};
    let mut lists: Vec<Vec<Check>> = vec![vec![]];
    for word in DKIM {
        lists.extend(RELATIONS.map(|relation| vec![(word, relation)]));
    }
    lists.extend([
        vec![("fail", Exact), ("pass", Foreign)],
        vec![("pass", Foreign), ("pass", Exact)],
        vec![("temperror", Exact), ("pass", Sub)],
        vec![("temperror", Foreign), ("fail", Exact), ("pass", Sibling)],
        vec![("permerror", Exact), ("temperror", Sibling)],
        vec![("pass", Foreign), ("pass", Foreign), ("policy", Exact)],
    ]);
    lists
}

/// The twin: result and disposition, from words alone.
struct Expected {
    result: &'static str,
    disposition: &'static str,
    by_spf: bool,
    by_dkim: bool,
}

fn expect(
    spf: Check,
    dkim: &[Check],
    (adkim, aspf): (&str, &str),
    policy: &'static str,
    testing: bool,
) -> Expected {
    let aligned = |relation: Relation, mode: &str| {
        relation == Relation::Exact || (relation != Relation::Foreign && mode != "s" && mode != "S")
    };
    let by_spf = spf.0 == "pass" && aligned(spf.1, aspf);
    let by_dkim = dkim.iter().any(|(w, r)| *w == "pass" && aligned(*r, adkim));
    let later = (spf.0 == "temperror" && aligned(spf.1, aspf))
        || dkim
            .iter()
            .any(|(w, r)| *w == "temperror" && aligned(*r, adkim));
    let result = if by_spf || by_dkim {
        "pass"
    } else if later {
        "temperror"
    } else {
        "fail"
    };
    let disposition = match (result, policy, testing) {
        ("fail", "reject", true) => "quarantine",
        ("fail", "quarantine", true) => "none",
        ("fail", policy, false) => policy,
        _ => "none",
    };
    Expected {
        result,
        disposition,
        by_spf,
        by_dkim,
    }
}

fn found(author: &Author, from: &str, record: &str, settings: &Settings) -> Discovery {
    let mut zone = Zone::new();
    zone.add_txt("_dmarc.example.com", record).unwrap();
    zone.add_name("mail.example.com").unwrap();
    let every: Vec<_> = RELATIONS
        .iter()
        .flat_map(|relation| [(Method::Spf, *relation), (Method::Dkim, *relation)])
        .filter_map(|(method, relation)| identifier(from, method, ("pass", relation)))
        .collect();
    let discovery = block_on(Discovery::of_author(&zone, author, settings));
    block_on(discovery.with_identifiers(&zone, &every, settings))
}

#[test]
fn agrees_with_the_naive_twin() {
    let settings = Settings::default();
    let signatures = signatures();
    let modes = ["", "r", "s", "R", "S"];
    let mut count = 0_u32;
    let mut passes = 0_u32;
    for (scope, from) in AUTHORS.into_iter().enumerate() {
        let author = Author::One(Address::new("joe", from.parse().unwrap()).unwrap());
        for rotation in 0..3 {
            let [p, sp, np] = [0, 1, 2].map(|tag| POLICIES[(tag + rotation) % 3]);
            let policy = [p, sp, np][scope];
            for (adkim, aspf) in modes.iter().flat_map(|a| modes.map(|b| (*a, b))) {
                for t in ["", "y", "N", "Y"] {
                    let record = record([p, sp, np], adkim, aspf, t);
                    let discovery = found(&author, from, &record, &settings);
                    let testing = t == "y" || t == "Y";
                    for (word, relation) in SPF.iter().flat_map(|w| RELATIONS.map(|r| (*w, r))) {
                        for dkim in &signatures {
                            let checks = dkim.iter().map(|check| (Method::Dkim, *check));
                            let identifiers: Vec<_> = checks
                                .chain([(Method::Spf, (word, relation))])
                                .filter_map(|(method, check)| identifier(from, method, check))
                                .collect();
                            let ours = discovery.evaluate(&author, &identifiers, &settings);
                            let twin =
                                expect((word, relation), dkim, (adkim, aspf), policy, testing);
                            let context =
                                || format!("{from} {record} spf {word} {relation:?} dkim {dkim:?}");
                            assert_eq!(ours.result().as_str(), twin.result, "{}", context());
                            assert_eq!(
                                ours.disposition().as_str(),
                                twin.disposition,
                                "{}",
                                context()
                            );
                            assert_eq!(ours.is_aligned(Method::Spf), twin.by_spf);
                            assert_eq!(ours.is_aligned(Method::Dkim), twin.by_dkim);
                            assert_eq!(ours.published().map(Disposition::as_str), Some(policy));
                            count += 1;
                            passes += u32::from(ours.result() == DmarcResult::Pass);
                        }
                    }
                }
            }
        }
    }
    assert_eq!(count, 3 * 3 * 25 * 4 * 28 * 35);
    assert!(
        passes > count / 8 && passes < count / 2,
        "{passes} of {count}"
    );
}

/// A record with these values, in one of the spellings that stand in the DNS.
fn record([p, sp, np]: [&str; 3], adkim: &str, aspf: &str, t: &str) -> String {
    let mut record = match adkim {
        "s" => format!(
            "v = DMARC1 ;p = {p};sp={} ; np\t=\t{np} ;",
            sp.to_uppercase()
        ),
        "R" => format!("V=DMARC1; P={}; SP={sp}; NP={np};", p.to_uppercase()),
        _ => format!("v=DMARC1; p={p}; sp={sp}; np={np};"),
    };
    for (name, value) in [("adkim", adkim), ("aspf", aspf), ("t", t)] {
        if !value.is_empty() {
            record += &format!(" {name}={value};");
        }
    }
    record
}
