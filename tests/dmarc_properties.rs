//! Over random zones, messages and policies: nothing unauthenticated ever passes, and the verdict is
//! that of a naive twin.

use std::collections::HashMap;

use mailproof::Domain;
use mailproof::dmarc::{self, Disposition, DmarcResult, Evaluation, Record, Settings};
use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::identifier::{AuthenticatedIdentifier, Method, Status};
use mailproof::message::{Author, Head};

/// A small deterministic generator (xorshift64*).
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(high).unwrap() % n
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    /// A name in a small tree, so that names meet.
    fn name(&mut self) -> String {
        let labels = match self.below(12) {
            0 => 1,
            1 => 9 + self.below(4),
            n => 1 + n % 5,
        };
        let mut name = self.one_of(&["com", "example"]).to_owned();
        for _ in 1..labels {
            name = format!("{}.{name}", self.one_of(&["a", "b"]));
        }
        name
    }

    fn record(&mut self) -> String {
        let mut record = String::from("v=DMARC1");
        if self.below(8) != 0 {
            record += "; p=";
            record += self.one_of(&["none", "quarantine", "reject"]);
        }
        for (tag, values) in [
            ("sp", &["none", "quarantine", "reject", "bogus"][..]),
            ("np", &["none", "quarantine", "reject"][..]),
            ("adkim", &["r", "s", "S"][..]),
            ("aspf", &["r", "s"][..]),
            ("psd", &["y", "n", "u"][..]),
            ("t", &["y", "n"][..]),
            ("rua", &["mailto:a@b.example", "nonsense"][..]),
        ] {
            if self.below(3) == 0 {
                record += &format!("; {tag}={}", self.one_of(values));
            }
        }
        record
    }

    /// A record with a few octets changed.
    fn damaged_record(&mut self) -> Vec<u8> {
        let mut record = self.record().into_bytes();
        for _ in 0..=self.below(3) {
            let at = self.below(record.len());
            match self.below(3) {
                0 => record[at] = b" ;=:,!\\\0\xff\tsR"[self.below(12)],
                1 => drop(record.remove(at)),
                _ => record.insert(at, b" ;=vpr"[self.below(6)]),
            }
        }
        record
    }

    fn identifiers(&mut self, author: &str) -> Vec<AuthenticatedIdentifier> {
        let count = self.below(4);
        (0..count)
            .map(|_| {
                let name = match self.below(4) {
                    0 => author.to_owned(),
                    1 => format!("a.{author}"),
                    _ => self.name(),
                };
                let method = [Method::Dkim, Method::Spf][self.below(2)];
                let status = [Status::Pass, Status::Pass, Status::Temperror][self.below(3)];
                AuthenticatedIdentifier::trust_result_obtained_elsewhere(
                    domain(&name),
                    method,
                    status,
                )
            })
            .collect()
    }
}

fn domain(text: &str) -> Domain {
    text.parse().unwrap()
}

fn author(from: &str) -> Author {
    let head = format!("From: {from}\r\n\r\n");
    Head::parse(head.as_bytes()).0.author()
}

fn evaluate(
    zone: &Zone,
    author: &Author,
    identifiers: &[AuthenticatedIdentifier],
    settings: &Settings,
) -> Evaluation {
    let first = block_on(dmarc::Discovery::of_author(zone, author, settings));
    let asked = first.queries().len();
    assert!(asked <= 9 * author.domains().len(), "{asked}");
    let second = first.with_identifiers(zone, identifiers, settings);
    let second = block_on(second);
    let more = second.queries().len() - asked;
    assert!(more <= (1 + settings.max_walks) * 8, "{more}");
    let mut names: Vec<_> = second.queries().to_vec();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), second.queries().len(), "asked twice");
    second.evaluate(author, identifiers, settings)
}

/// The rules, naively: text in, text out.
struct Twin<'a> {
    zone: &'a HashMap<String, Vec<String>>,
    exists: &'a [String],
}

type Tags<'a> = HashMap<&'a str, &'a str>;

impl Twin<'_> {
    fn record(&self, name: &str) -> Option<Tags<'_>> {
        match self.zone.get(name).map(Vec::as_slice) {
            Some([one]) => Some(one.split("; ").filter_map(|t| t.split_once('=')).collect()),
            _ => None,
        }
    }

    fn walk(&self, start: &str) -> Vec<(String, Tags<'_>)> {
        let labels: Vec<&str> = start.split('.').collect();
        let mut found = Vec::new();
        for count in (1..=labels.len()).rev() {
            if count != labels.len() && count > 7 {
                continue;
            }
            let name = labels[labels.len() - count..].join(".");
            if let Some(tags) = self.record(&name) {
                let last = matches!(tags.get("psd"), Some(&"y" | &"n"));
                found.push((name, tags));
                if last {
                    break;
                }
            }
        }
        found
    }

    fn organization(&self, start: &str) -> String {
        let found = self.walk(start);
        for (name, tags) in &found {
            if tags.get("psd") == Some(&"n") {
                return name.clone();
            }
            if tags.get("psd") == Some(&"y") && name != start {
                let below = start.strip_suffix(&format!(".{name}")).unwrap();
                let label = below.rsplit('.').next().unwrap();
                return format!("{label}.{name}");
            }
        }
        found.last().map_or(start.into(), |(name, _)| name.clone())
    }

    /// The applied record's tags and the policy that applies; `None` for no DMARC.
    fn policy(&self, author: &str) -> Option<(Tags<'_>, String)> {
        let own = self.record(author);
        let is_own = own.is_some();
        let tags = own.or_else(|| {
            let organization = self.organization(author);
            self.record(&organization).or_else(|| {
                let mut found = self.walk(author).into_iter();
                found
                    .find(|(_, tags)| tags.get("psd") == Some(&"y"))
                    .map(|(_, tags)| tags)
            })
        })?;
        let sound = |tag: &str| tags.get(tag) != Some(&"bogus");
        let policy = if tags.contains_key("p") && sound("sp") {
            let exists = self.exists.iter().any(|name| name == author);
            let order = match (is_own, exists) {
                (true, _) => &["p"][..],
                (false, true) => &["sp", "p"],
                (false, false) => &["np", "sp", "p"],
            };
            order.iter().find_map(|tag| tags.get(tag))?.to_string()
        } else if tags.get("rua").is_some_and(|rua| rua.starts_with("mailto")) {
            "none".into()
        } else {
            return None;
        };
        Some((tags, policy))
    }

    fn verdict(&self, author: &str, identifiers: &[AuthenticatedIdentifier]) -> (String, String) {
        let Some((tags, policy)) = self.policy(author) else {
            return ("none".into(), "none".into());
        };
        let aligned = |identifier: &&AuthenticatedIdentifier| {
            let mode = match identifier.method() {
                Method::Dkim => tags.get("adkim"),
                Method::Spf => tags.get("aspf"),
            };
            let name = identifier.domain().as_str();
            name == author
                || (!matches!(mode, Some(&"s" | &"S"))
                    && self.organization(name) == self.organization(author))
        };
        let statuses: Vec<Status> = identifiers
            .iter()
            .filter(aligned)
            .map(AuthenticatedIdentifier::status)
            .collect();
        let result = if statuses.contains(&Status::Pass) {
            "pass"
        } else if statuses.contains(&Status::Temperror) {
            "temperror"
        } else {
            "fail"
        };
        let disposition = match (result, policy.as_str(), tags.get("t") == Some(&"y")) {
            ("fail", "reject", true) => "quarantine",
            ("fail", "reject", false) => "reject",
            ("fail", "quarantine", false) => "quarantine",
            _ => "none",
        };
        (result.into(), disposition.into())
    }
}

#[test]
fn agrees_with_the_naive_twin() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut seen: HashMap<String, u32> = HashMap::new();
    let mut settings = Settings::default();
    settings.max_walks = 10;
    for round in 0..3_000 {
        let mut texts: HashMap<String, Vec<String>> = HashMap::new();
        let mut zone = Zone::new();
        let from = random.name();
        for _ in 0..random.below(6) {
            let name = match random.below(3) {
                0 => from.clone(),
                _ => random.name(),
            };
            let record = random.record();
            zone.add_txt(&format!("_dmarc.{name}"), &record).unwrap();
            texts.entry(name).or_default().push(record);
        }
        let mut exists: Vec<String> = Vec::new();
        for _ in 0..random.below(3) {
            let name = if random.below(2) == 0 {
                from.clone()
            } else {
                random.name()
            };
            zone.add_name(&name).unwrap();
            exists.push(name);
        }
        // A name exists if one below it does.
        let below = |name: &String| {
            let published = texts.keys().map(|owner| format!("_dmarc.{owner}"));
            let mut all = published.chain(exists.iter().cloned());
            all.any(|other| other.ends_with(&format!(".{name}")))
        };
        if below(&from) {
            exists.push(from.clone());
        }
        let identifiers = random.identifiers(&from);
        let author = author(&format!("joe@{from}"));
        let ours = evaluate(&zone, &author, &identifiers, &settings);
        let twin = Twin {
            zone: &texts,
            exists: &exists,
        };
        let (result, disposition) = twin.verdict(&from, &identifiers);
        let context = || format!("{round}: {from} {texts:?} {identifiers:?} {}", ours.cause());
        assert_eq!(ours.result().as_str(), result, "{}", context());
        assert_eq!(ours.disposition().as_str(), disposition, "{}", context());
        *seen.entry(result).or_default() += 1;
    }
    for word in ["none", "pass", "fail", "temperror"] {
        assert!(seen[word] > 50, "{seen:?}");
    }
}

/// Damaged records, failing look-ups, odd From fields and every setting: a pass needs an identifier
/// that passed, an author with one domain, and a name in common.
#[test]
fn nothing_unauthenticated_passes() {
    let mut random = Random(0xdead_beef_cafe_f00d);
    let mut passes = 0;
    for _ in 0..8_000 {
        let mut zone = Zone::new();
        let from = random.name();
        for _ in 0..random.below(6) {
            let name = match random.below(3) {
                0 => from.clone(),
                _ => random.name(),
            };
            let owner = format!("_dmarc.{name}");
            if random.below(6) == 0 {
                zone.fail(&owner, LookupError::ServFail).unwrap();
            } else if random.below(2) == 0 {
                zone.add_txt(&owner, random.damaged_record()).unwrap();
            } else {
                zone.add_txt(&owner, random.record()).unwrap();
            }
        }
        let other = random.name();
        let value = match random.below(6) {
            0 => format!("a@{from}, b@{other}"),
            1 => format!("a@{from}\r\nFrom: b@{other}"),
            2 => format!("<a@{from}> b@{other}"),
            3 => String::new(),
            _ => format!("\"b@{other}\" <a@{from}>"),
        };
        let author = author(&value);
        let mut settings = Settings::default();
        settings.max_walks = random.below(4);
        if random.below(2) == 0 {
            settings.strictest_of_several_authors = true;
        }
        let identifiers = random.identifiers(&from);
        let verdict = evaluate(&zone, &author, &identifiers, &settings);
        let context = || format!("{value} {identifiers:?} {}", verdict.cause());
        if verdict.result() == DmarcResult::Pass {
            passes += 1;
            let author = author.domain().expect("one author");
            let top = author.suffix(1).unwrap();
            let sound = identifiers.iter().any(|identifier| {
                identifier.status() == Status::Pass && identifier.domain().is_within(&top)
            });
            assert!(sound, "{}", context());
            // Whatever else comes along, a pass stays a pass.
            let mut more = identifiers.clone();
            more.extend(random.identifiers(&from));
            settings.max_walks = 10;
            let again = evaluate(
                &zone,
                &Author::SameDomain {
                    domain: author.clone(),
                    mailboxes: 2,
                },
                &more,
                &settings,
            );
            assert_eq!(again.result(), DmarcResult::Pass, "{}", context());
        } else {
            assert!(!verdict.is_aligned(Method::Dkim) && !verdict.is_aligned(Method::Spf));
        }
        if author.domain().is_none() {
            let refuses = !settings.strictest_of_several_authors;
            match verdict.result() {
                DmarcResult::Permerror => {}
                DmarcResult::Fail | DmarcResult::Temperror if !refuses => {}
                other => panic!("{other}: {}", context()),
            }
        }
        if verdict.result() != DmarcResult::Fail {
            assert_eq!(verdict.disposition(), Disposition::None);
        }
        // Without any pass, no identifier at all: never a pass.
        let failing: Vec<_> = identifiers
            .into_iter()
            .filter(|identifier| identifier.status() != Status::Pass)
            .collect();
        let verdict = evaluate(&zone, &author, &failing, &settings);
        assert_ne!(verdict.result(), DmarcResult::Pass);
    }
    assert!(passes > 200, "{passes}");
}

/// Whatever a record says, printing it and reading it again changes nothing.
#[test]
fn printing_keeps_the_meaning() {
    let mut random = Random(0x0123_4567_89ab_cdef);
    for _ in 0..8_000 {
        let octets = random.damaged_record();
        let Some(record) = Record::parse(&octets) else {
            continue;
        };
        let _ = record.warnings();
        let printed = record.to_string();
        let again = Record::parse(printed.as_bytes()).unwrap();
        assert_eq!(again.to_string(), printed);
        assert_eq!(
            (again.p(), again.sp(), again.np()),
            (record.p(), record.sp(), record.np())
        );
        assert_eq!(
            (again.adkim(), again.aspf()),
            (record.adkim(), record.aspf())
        );
        assert_eq!((again.psd(), again.fo()), (record.psd(), record.fo()));
        assert_eq!((again.rua(), again.ruf()), (record.rua(), record.ruf()));
        assert_eq!(again.is_testing(), record.is_testing());
    }
}
