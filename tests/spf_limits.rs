//! The limits of RFC 7208 4.6.4 and those of our own: what counts, and that every check ends.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mailproof::dns::{Lookup, Mx, Name, Outcome, Resolver, Txt, Zone, block_on};
use mailproof::spf::{Cause, Evaluation, Limit, Record, Request, Settings, SpfResult, check_host};

const CLIENT: &str = "192.0.2.1";

/// A zone of TXT records; an address as text is an A or AAAA record, `mx ` an MX.
fn zone(entries: &[(&str, &str)]) -> Zone {
    let mut zone = Zone::new();
    for (name, data) in entries {
        if let Ok(address) = data.parse() {
            zone.add_address(name, address).unwrap();
        } else if let Some(host) = data.strip_prefix("mx ") {
            zone.add_mx(name, 10, host).unwrap();
        } else {
            zone.add_txt(name, data).unwrap();
        }
    }
    zone
}

fn check_with(
    resolver: &dyn Resolver,
    client: &str,
    sender: &str,
    settings: &Settings,
) -> Evaluation {
    let request = Request::mail_from(client.parse().unwrap(), "mx.example.com", sender);
    block_on(check_host(resolver, &request, settings))
}

fn check(resolver: &dyn Resolver, client: &str, sender: &str) -> Evaluation {
    check_with(resolver, client, sender, &Settings::default())
}

/// Counts what is asked.
struct Counting<R>(R, AtomicUsize);

impl<R: Resolver> Counting<R> {
    fn new(resolver: R) -> Self {
        Self(resolver, AtomicUsize::new(0))
    }

    fn asked(&self) -> usize {
        self.1.load(Ordering::Relaxed)
    }

    fn count(&self) -> &R {
        self.1.fetch_add(1, Ordering::Relaxed);
        &self.0
    }
}

impl<R: Resolver> Resolver for Counting<R> {
    fn txt<'a>(&'a self, name: &'a Name) -> Lookup<'a, Txt> {
        self.count().txt(name)
    }

    fn a<'a>(&'a self, name: &'a Name) -> Lookup<'a, std::net::Ipv4Addr> {
        self.count().a(name)
    }

    fn aaaa<'a>(&'a self, name: &'a Name) -> Lookup<'a, std::net::Ipv6Addr> {
        self.count().aaaa(name)
    }

    fn mx<'a>(&'a self, name: &'a Name) -> Lookup<'a, Mx> {
        self.count().mx(name)
    }

    fn ptr<'a>(&'a self, name: &'a Name) -> Lookup<'a, Name> {
        self.count().ptr(name)
    }
}

/// Answers every question, the one for TXT with a record that asks for more.
struct Endless(&'static str);

impl Resolver for Endless {
    fn txt<'a>(&'a self, name: &'a Name) -> Lookup<'a, Txt> {
        let record = self.0.replace("NAME", name.as_str());
        Lookup::ready(Ok(Outcome::records([Txt::new(record)])))
    }

    fn a<'a>(&'a self, _: &'a Name) -> Lookup<'a, std::net::Ipv4Addr> {
        let addresses: Vec<_> = (0..5_000_u32).map(std::net::Ipv4Addr::from_bits).collect();
        Lookup::ready(Ok(Outcome::records(addresses)))
    }

    fn aaaa<'a>(&'a self, _: &'a Name) -> Lookup<'a, std::net::Ipv6Addr> {
        Lookup::ready(Ok(Outcome::no_data()))
    }

    fn mx<'a>(&'a self, name: &'a Name) -> Lookup<'a, Mx> {
        let hosts: Vec<Mx> = (0..10)
            .map(|preference| Mx {
                preference,
                exchange: format!("m{preference}.{name}").parse().unwrap(),
            })
            .collect();
        Lookup::ready(Ok(Outcome::records(hosts)))
    }

    fn ptr<'a>(&'a self, _: &'a Name) -> Lookup<'a, Name> {
        let names: Vec<Name> = (0..5_000)
            .map(|index| format!("p{index}.example").parse().unwrap())
            .collect();
        Lookup::ready(Ok(Outcome::records(names)))
    }
}

/// Includes without end, a loop, terms that multiply, names that multiply: each check ends within
/// the bound on questions, and says so.
#[test]
fn bombs_end() {
    for (record, most) in [
        // One record after another, ever deeper.
        ("v=spf1 include:x.NAME -all", 11),
        ("v=spf1 redirect=x.NAME", 11),
        // The same record again and again.
        ("v=spf1 include:loop.example include:loop.example -all", 11),
        // Ten terms of ten hosts each.
        ("v=spf1 mx mx mx mx mx mx mx mx mx mx mx -all", 111),
        // Ten includes of ten mail exchangers each, as deep as it goes.
        ("v=spf1 mx include:x.NAME include:y.NAME -all", 61),
        // A client with five thousand names.
        ("v=spf1 ptr:example ptr:example ptr:example -all", 34),
        (
            "v=spf1 exists:%{p}.%{p}.example exists:%{p}.NAME exists:%{p}.NAME a:%{p}.NAME -all",
            150,
        ),
    ] {
        let resolver = Counting::new(Endless(record));
        let evaluation = check(&resolver, CLIENT, "user@loop.example");
        assert!(
            resolver.asked() <= most,
            "{record}: {} questions, {}",
            resolver.asked(),
            evaluation.cause()
        );
        assert_eq!(resolver.asked(), evaluation.queries(), "{record}");
        // IPv6 hosts are all void here, so that every other family is asked for.
        let resolver = Counting::new(Endless(record));
        check(&resolver, "2001:db8::1", "user@loop.example");
        assert!(resolver.asked() <= 150, "{record}: {}", resolver.asked());
    }
}

/// Gives every answer of a zone a time to live: as many seconds as the name has octets.
struct Lasting(Zone);

impl Lasting {
    fn timed<'a, T: Send + Sync + 'a>(name: &'a Name, lookup: Lookup<'a, T>) -> Lookup<'a, T> {
        let ttl = Duration::from_secs(name.as_str().len().try_into().unwrap());
        Lookup::new(async move { lookup.await.map(|outcome| outcome.with_ttl(ttl)) })
    }
}

impl Resolver for Lasting {
    fn txt<'a>(&'a self, name: &'a Name) -> Lookup<'a, Txt> {
        Self::timed(name, self.0.txt(name))
    }

    fn a<'a>(&'a self, name: &'a Name) -> Lookup<'a, std::net::Ipv4Addr> {
        Self::timed(name, self.0.a(name))
    }

    fn aaaa<'a>(&'a self, name: &'a Name) -> Lookup<'a, std::net::Ipv6Addr> {
        Self::timed(name, self.0.aaaa(name))
    }

    fn mx<'a>(&'a self, name: &'a Name) -> Lookup<'a, Mx> {
        Self::timed(name, self.0.mx(name))
    }

    fn ptr<'a>(&'a self, name: &'a Name) -> Lookup<'a, Name> {
        Self::timed(name, self.0.ptr(name))
    }
}

/// The shortest time to live counts, negative answers included, the explanation's not.
#[test]
fn time_to_live() {
    let resolver = Lasting(zone(&[
        (
            "example.com",
            "v=spf1 a:none.example include:b.example -all exp=x.test",
        ),
        ("b.example", "v=spf1 ip4:10.0.0.0/8 -all"),
        ("x.test", "no"),
    ]));
    let evaluation = check(&resolver, CLIENT, "user@example.com");
    assert_eq!(evaluation.result(), SpfResult::Fail);
    assert_eq!(evaluation.explanation().unwrap().as_str(), "no");
    assert_eq!(evaluation.ttl(), Some(Duration::from_secs(9)));
}

#[test]
fn the_bound_on_questions_is_a_permerror() {
    let mut settings = Settings::default();
    settings.max_queries = 7;
    settings.max_addresses = usize::MAX;
    let resolver = Counting::new(Endless("v=spf1 mx ?all"));
    let evaluation = check_with(&resolver, "203.0.113.1", "user@loop.example", &settings);
    assert_eq!(resolver.asked(), 7);
    let limit = Limit::Queries { most: 7 };
    assert!(matches!(evaluation.cause(), Cause::Limit { limit: found, .. } if *found == limit));
    assert_eq!(evaluation.result(), SpfResult::Permerror);
}

#[test]
fn long_records() {
    // 64 KiB of one macro, each of which stands for a long HELO.
    let macros = format!("v=spf1 exists:{}.example -all", "%{h}".repeat(16_000));
    // Ten thousand terms that ask nothing, and ten thousand that do.
    let networks = format!("v=spf1 {} ?all", "ip4:10.1.2.3 ".repeat(5_000));
    let terms = format!("v=spf1 {} -all", "a ".repeat(10_000));
    let zone = zone(&[
        ("macros.example", &macros),
        ("networks.example", &networks),
        ("terms.example", &terms),
        ("terms.example", "203.0.113.1"),
    ]);
    assert_eq!(
        Record::parse(terms.as_bytes()).unwrap().terms().len(),
        10_001
    );
    let helo = "h".repeat(10_000);
    for (domain, result, queries) in [
        ("macros.example", SpfResult::Fail, 1),
        ("networks.example", SpfResult::Neutral, 1),
        ("terms.example", SpfResult::Permerror, 11),
    ] {
        let resolver = Counting::new(&zone);
        let request = Request::mail_from(CLIENT.parse().unwrap(), &helo, domain);
        let evaluation = block_on(check_host(&resolver, &request, &Settings::default()));
        assert_eq!(evaluation.result(), result, "{}", evaluation.cause());
        assert_eq!(resolver.asked(), queries, "{domain}");
    }
    let mut settings = Settings::default();
    settings.max_record_octets = 1_000;
    let evaluation = check_with(&zone, CLIENT, "terms.example", &settings);
    assert_eq!(
        evaluation.cause().to_string(),
        "the record of terms.example exceeds the limit of 1000 octets with 20012"
    );
}

/// What is read counts as well as what is kept of it: here next to nothing is.
#[test]
fn macros_that_discard_a_long_sender() {
    let split = format!("v=spf1 exists:{}.example -all", "%{l1}".repeat(13_000));
    let zone = zone(&[
        ("split.example", &split),
        ("two.example", "v=spf1 exists:%{l1}.%{l1}.example -all"),
        ("x.x.example", "127.0.0.2"),
    ]);
    let long = format!("{}x", ".".repeat(40_000));
    for (sender, result, queries) in [
        ("a.x@two.example".to_owned(), SpfResult::Pass, 2),
        (format!("{long}@two.example"), SpfResult::Fail, 1),
        (
            format!("{}@split.example", ".".repeat(40_000)),
            SpfResult::Fail,
            1,
        ),
    ] {
        let resolver = Counting::new(&zone);
        let evaluation = check(&resolver, CLIENT, &sender);
        assert_eq!(evaluation.result(), result, "{}", evaluation.cause());
        assert_eq!(resolver.asked(), queries);
    }
}

/// Of a client's names the first ten count, those that are not below the target among them.
#[test]
fn names_of_the_client_beyond_the_limit() {
    for (place, result) in [(10, SpfResult::Pass), (11, SpfResult::Fail)] {
        let mut zone = zone(&[("example.com", "v=spf1 ptr -all"), ("example.com", CLIENT)]);
        for index in 1..=11 {
            let other = format!("p{index}.example");
            let name = if index == place {
                "example.com"
            } else {
                &other
            };
            zone.add_ptr(CLIENT.parse().unwrap(), name).unwrap();
        }
        let evaluation = check(&zone, CLIENT, "example.com");
        assert_eq!(evaluation.result(), result, "{place}");
        assert!(evaluation.queries() <= 3);
    }
}

#[test]
fn addresses_and_names_beyond_the_limit() {
    let mut zone = zone(&[
        ("example.com", "v=spf1 a -all"),
        ("m.example", "v=spf1 mx -all"),
    ]);
    for octet in 0..=255 {
        let address = [198, 51, 100, octet].into();
        zone.add_address("example.com", address).unwrap();
        zone.add_mx("m.example", 10, &format!("m{octet}.m.example"))
            .unwrap();
    }
    assert_eq!(
        check(&zone, "198.51.100.99", "example.com").result(),
        SpfResult::Pass
    );
    assert_eq!(
        check(&zone, "198.51.100.100", "example.com").result(),
        SpfResult::Permerror
    );
    let Cause::Limit { limit, .. } = check(&zone, CLIENT, "m.example").cause().clone() else {
        panic!("no limit");
    };
    assert_eq!(
        limit,
        Limit::MxNames {
            most: 10,
            found: 256
        }
    );
}

/// Exactly ten terms that ask the DNS are allowed, for each of them, and eleven are not.
#[test]
fn ten_terms_and_eleven() {
    let mut zone = zone(&[
        ("leaf.example", "v=spf1 -all"),
        ("host.example", "198.51.100.1"),
        ("host.example", "mx host.example"),
    ]);
    zone.add_ptr(CLIENT.parse().unwrap(), "elsewhere.example")
        .unwrap();
    for (index, term) in [
        "include:leaf.example",
        "a:host.example",
        "mx:host.example",
        "ptr:host.example",
        "-exists:host.example",
    ]
    .iter()
    .enumerate()
    {
        let matches = term.starts_with("-exists");
        let term = term.replace("-exists:host", "exists:%{i}.host");
        let mut zone = zone.clone();
        let mut settings = Settings::default();
        if matches {
            // Each of these is void; here only the terms are counted.
            settings.max_void_lookups = 100;
        }
        let ten = [term.as_str(); 10].join(" ");
        let name = format!("t{index}.example");
        zone.add_txt(&format!("ten.{name}"), format!("v=spf1 {ten} ?all"))
            .unwrap();
        zone.add_txt(
            &format!("eleven.{name}"),
            format!("v=spf1 {ten} {term} ?all"),
        )
        .unwrap();
        let ten = check_with(&zone, CLIENT, &format!("ten.{name}"), &settings);
        assert_eq!(ten.result(), SpfResult::Neutral, "{term}: {}", ten.cause());
        assert_eq!(ten.lookups(), 10);
        let eleven = check_with(&zone, CLIENT, &format!("eleven.{name}"), &settings);
        assert_eq!(eleven.result(), SpfResult::Permerror, "{term}");
        let Cause::Limit { limit, place } = eleven.cause() else {
            panic!("{:?}", eleven.cause());
        };
        assert_eq!(*limit, Limit::LookupTerms { most: 10 });
        assert_eq!(place.term(), Some(term.as_str()));
    }
}

#[test]
fn ten_redirects_and_eleven() {
    let mut zone = Zone::new();
    for index in 0..11 {
        let record = format!("v=spf1 redirect=r{}.example", index + 1);
        zone.add_txt(&format!("r{index}.example"), record).unwrap();
    }
    zone.add_txt("r11.example", "v=spf1 -all").unwrap();
    assert_eq!(check(&zone, CLIENT, "r1.example").result(), SpfResult::Fail);
    assert_eq!(
        check(&zone, CLIENT, "r0.example").result(),
        SpfResult::Permerror
    );
}

/// The limit counts terms, not hosts: an `mx` of four hosts is one (a false permerror elsewhere), and
/// reaching the limit in an earlier match is none at all.
#[test]
fn what_counts() {
    let zone = zone(&[
        ("example.com", "v=spf1 mx -all"),
        ("example.com", "mx a.example.com"),
        ("example.com", "mx b.example.com"),
        ("example.com", "mx c.example.com"),
        ("a.example.com", "198.51.100.1"),
        ("b.example.com", "198.51.100.2"),
        ("c.example.com", "198.51.100.3"),
        (
            "early.example",
            "v=spf1 ip4:192.0.2.1 a a a a a a a a a a a a -all",
        ),
    ]);
    let evaluation = check(&zone, CLIENT, "user@example.com");
    assert_eq!(evaluation.result(), SpfResult::Fail);
    assert_eq!((evaluation.lookups(), evaluation.queries()), (1, 5));
    let early = check(&zone, CLIENT, "user@early.example");
    assert_eq!((early.result(), early.lookups()), (SpfResult::Pass, 0));
}

/// Four mail exchangers, three of them without IPv6: by the words of the RFC a client on IPv6 makes
/// three void look-ups.
#[test]
fn void_lookups_of_dual_stack_hosts() {
    let zone = zone(&[
        ("example.com", "v=spf1 mx -all"),
        ("example.com", "mx a.example.com"),
        ("example.com", "mx b.example.com"),
        ("example.com", "mx c.example.com"),
        ("example.com", "mx d.example.com"),
        ("a.example.com", "198.51.100.1"),
        ("b.example.com", "198.51.100.2"),
        ("c.example.com", "198.51.100.3"),
        ("d.example.com", "198.51.100.4"),
        ("d.example.com", "2001:db8::4"),
    ]);
    let mut settings = Settings::default();
    let lenient = check_with(&zone, "2001:db8::4", "user@example.com", &settings);
    assert_eq!(lenient.result(), SpfResult::Pass, "{}", lenient.cause());
    settings.every_empty_answer_is_void = true;
    let strict = check_with(&zone, "2001:db8::4", "user@example.com", &settings);
    assert_eq!(strict.result(), SpfResult::Permerror);
    let limit = Limit::VoidLookups {
        most: 2,
        every_empty_answer: true,
    };
    assert!(matches!(strict.cause(), Cause::Limit { limit: found, .. } if *found == limit));
    settings.max_void_lookups = 3;
    let wider = check_with(&zone, "2001:db8::4", "user@example.com", &settings);
    assert_eq!((wider.result(), wider.void_lookups()), (SpfResult::Pass, 3));
}

/// Hosts without any address are void by either rule.
#[test]
fn void_lookups_of_hosts_without_address() {
    let mut zone = zone(&[(
        "example.com",
        "v=spf1 a:a.example a:b.example a:c.example ip4:192.0.2.1 -all",
    )]);
    for name in ["a.example", "b.example", "c.example"] {
        zone.add_name(name).unwrap();
    }
    for every in [false, true] {
        let mut settings = Settings::default();
        settings.every_empty_answer_is_void = every;
        let evaluation = check_with(&zone, CLIENT, "user@example.com", &settings);
        assert_eq!(evaluation.result(), SpfResult::Permerror, "{every}");
        assert!(evaluation.cause().to_string().contains("`a:c.example`"));
    }
}

/// What lies beyond a limit of our own is not silently taken for absent.
#[test]
fn more_than_is_looked_at() {
    let mut zone = Zone::new();
    for n in 0..500 {
        zone.add_txt("example.com", format!("verification={n}"))
            .unwrap();
    }
    zone.add_name("crowded.example").unwrap();
    for n in 0..101_u8 {
        zone.add_address("crowded.example", [198, 51, 100, n].into())
            .unwrap();
    }
    zone.add_txt("a.example", "v=spf1 a:crowded.example -all")
        .unwrap();
    assert_eq!(
        check(&zone, CLIENT, "u@example.com").result(),
        SpfResult::None
    );
    let pass = check(&zone, "198.51.100.99", "u@a.example");
    assert_eq!(pass.result(), SpfResult::Pass);
    for client in ["198.51.100.100", CLIENT] {
        let evaluation = check(&zone, client, "u@a.example");
        assert_eq!(evaluation.result(), SpfResult::Permerror);
        let limit = Limit::Addresses {
            most: 100,
            found: 101,
        };
        assert!(matches!(evaluation.cause(), Cause::Limit { limit: hit, .. } if *hit == limit));
    }
    zone.add_txt("example.com", "v=spf1 +all").unwrap();
    let evaluation = check(&zone, CLIENT, "u@example.com");
    let limit = Limit::TxtRecords {
        most: 500,
        found: 501,
    };
    assert!(matches!(evaluation.cause(), Cause::Limit { limit: hit, .. } if *hit == limit));
}
