//! What holds for any record, any macro-string, any zone. The inputs come from a small generator
//! with fixed seeds, so that a failure can be repeated.

use std::time::Duration;

use mailproof::dns::{Cache, LookupError, Zone, block_on};
use mailproof::spf::{
    Evaluation, Identity, MacroString, ReceivedSpf, Record, Request, Settings, SpfResult,
    check_host, check_session,
};
use mailproof::{Session, dns};

/// xorshift64*, which is random enough.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % bound
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const NAMES: &[&str] = &[
    "a.example",
    "b.example",
    "c.example",
    "d.example",
    "e.example",
    "x.a.example",
];

const PIECES: &[&str] = &[
    "%{d}",
    "%{i}",
    "%{ir}",
    "%{s}",
    "%{l1r-}",
    "%{o2}",
    "%{p}",
    "%{v}",
    "%{H}",
    "%%",
    "%_",
    "%-",
    "%{d1r+-.,/_=}",
    "x",
    "a-b",
    "_",
    ".",
    ":",
    "/",
    "=",
    "24",
];

fn domain_spec(random: &mut Random) -> String {
    let mut spec = String::new();
    for _ in 0..random.below(4) {
        spec.push_str(random.pick(PIECES));
    }
    match random.below(3) {
        0 => spec.push_str(random.pick(&["%{d}", "%{o}", "%{p}", "%-"])),
        1 if spec.is_empty() => spec.push_str(random.pick(NAMES)),
        _ => {
            spec.push('.');
            spec.push_str(random.pick(NAMES));
            spec.push_str(random.pick(&["", "", "."]));
        }
    }
    spec
}

fn term(random: &mut Random) -> String {
    let sign = random.pick(&["", "", "+", "-", "~", "?"]);
    let spec = if random.below(2) == 0 {
        random.pick(NAMES).to_owned()
    } else {
        domain_spec(random)
    };
    let dual = random.pick(&["", "", "/0", "/24", "//0", "//64", "/32//128", "/8//8"]);
    match random.below(14) {
        0 => format!("{sign}all"),
        1 | 2 => format!("{sign}include:{spec}"),
        3 => format!("{sign}a{dual}"),
        4 => format!("{sign}A:{spec}{dual}"),
        5 => format!("{sign}mx{dual}"),
        6 => format!("{sign}mx:{spec}{dual}"),
        7 => format!("{sign}ptr"),
        8 => format!("{sign}PTR:{spec}"),
        9 => format!(
            "{sign}ip4:198.51.100.{}/{}",
            random.below(256),
            random.below(33)
        ),
        10 => format!(
            "{sign}ip6:2001:DB8::{:x}/{}",
            random.below(65_536),
            random.below(129)
        ),
        11 => format!("{sign}exists:{spec}"),
        12 => format!("x-{}=%{{i}}{}", random.below(10), random.pick(PIECES)),
        _ => format!("ra={}", random.pick(&["postmaster", "", "a/b:c"])),
    }
}

fn record(random: &mut Random) -> String {
    let mut record = random.pick(&["v=spf1", "v=SPF1", "V=spf1"]).to_owned();
    for _ in 0..random.below(8) {
        record.push_str(random.pick(&[" ", "  "]));
        record.push_str(&term(random));
    }
    if random.below(3) == 0 {
        record.push_str(&format!(" redirect={}", domain_spec(random)));
    }
    if random.below(3) == 0 {
        record.push_str(&format!(" exp={}", domain_spec(random)));
    }
    record.push_str(random.pick(&["", " ", "   "]));
    record
}

/// Printing what was read gives what was written; the normal form means the same.
#[test]
fn printing_loses_nothing() {
    let mut random = Random::new(1);
    let mut sound = 0;
    for _ in 0..5_000 {
        let text = record(&mut random);
        let Ok(record) = Record::parse(text.as_bytes()) else {
            continue;
        };
        sound += 1;
        assert_eq!(record.to_string(), text);
        let normal = record.to_normal_form();
        let again = Record::parse(normal.as_bytes())
            .unwrap_or_else(|error| panic!("{text} became {normal}: {error}"));
        assert_eq!(again.to_normal_form(), normal, "{text}");
        assert_eq!(again.terms().len(), record.terms().len());
        for (one, other) in record.directives().zip(again.directives()) {
            assert_eq!((one.1, one.2), (other.1, other.2), "{text}");
        }
        assert_eq!(
            record.redirect().map(|found| found.1),
            again.redirect().map(|found| found.1)
        );
        assert_eq!(record.explanation(), again.explanation());
    }
    assert!(sound > 2_500, "{sound}");
}

/// Octets of any kind, and records with a few octets changed.
fn hostile(random: &mut Random) -> Vec<u8> {
    let mut octets = if random.below(2) == 0 {
        record(random).into_bytes()
    } else {
        let mut octets = b"v=spf1 ".to_vec();
        octets
            .extend((0..random.below(60)).map(|_| b" %{}:/=.-0129alx\xff\0\t~"[random.below(20)]));
        octets
    };
    for _ in 0..random.below(4) {
        let at = random.below(octets.len());
        octets[at] = random.next().to_le_bytes()[0];
    }
    octets
}

#[test]
fn nothing_makes_the_parsers_panic() {
    let mut random = Random::new(2);
    for _ in 0..20_000 {
        let octets = hostile(&mut random);
        match Record::parse(&octets) {
            Ok(record) => assert_eq!(record.to_string().as_bytes(), octets),
            Err(error) => assert!(error.offset() <= octets.len(), "{error}"),
        }
        if let Ok(text) = MacroString::parse_explanation(&octets) {
            assert_eq!(text.as_str().as_bytes(), octets);
        }
        if let Ok(field) = ReceivedSpf::parse(&octets) {
            let written = field.to_field();
            let body = written.strip_prefix("Received-SPF:").unwrap();
            assert_eq!(ReceivedSpf::parse(body.as_bytes()), Ok(field), "{written}");
        }
    }
}

fn random_zone(random: &mut Random) -> Zone {
    let mut zone = Zone::new();
    for name in NAMES {
        match random.below(8) {
            0 => drop(zone.fail(name, LookupError::Timeout).unwrap()),
            1 => drop(zone.add_txt(name, hostile(random)).unwrap()),
            2 => drop(zone.add_cname(name, random.pick(NAMES)).unwrap()),
            _ => drop(zone.add_txt(name, record(random)).unwrap()),
        }
        for _ in 0..random.below(4) {
            let host = random.pick(NAMES);
            zone.add_mx(name, 10, host).unwrap();
            zone.add_address(name, [198, 51, 100, 1].into()).unwrap();
        }
    }
    zone.add_ptr([198, 51, 100, 1].into(), random.pick(NAMES))
        .unwrap();
    zone
}

/// Whatever the zone says, a check ends within its bounds, its result follows from its cause, and
/// it can be repeated and told.
#[test]
fn every_check_ends() {
    let mut random = Random::new(3);
    let mut settings = Settings::default();
    settings.trace_events = 50;
    let mut results = [0_usize; 7];
    for _ in 0..3_000 {
        let zone = random_zone(&mut random);
        let helo = hostile(&mut random);
        let client = [[198, 51, 100, 1].into(), "2001:db8::1".parse().unwrap()][random.below(2)];
        let request = Request::new(
            client,
            Identity::MailFrom,
            b"user",
            random.pick(NAMES).as_bytes(),
            Some(&helo),
        );
        let evaluation = block_on(check_host(&zone, &request, &settings));
        assert!(evaluation.queries() <= settings.max_queries + 1);
        assert!(evaluation.lookups() <= settings.max_lookup_terms);
        assert_eq!(evaluation.result(), evaluation.cause().result());
        let traced = evaluation.trace().count();
        assert!((1..=50).contains(&traced));
        assert_eq!(evaluation, block_on(check_host(&zone, &request, &settings)));
        // Without a trace less of each record is kept, but nothing else is different.
        let untraced = block_on(check_host(&zone, &request, &Settings::default()));
        assert_eq!(untraced.trace().count(), 0);
        assert_eq!(findings(&untraced), findings(&evaluation));
        // Nor is it where the records are read once and kept.
        let cache = Cache::new(zone, || Duration::ZERO);
        for _ in 0..2 {
            let kept = block_on(check_host(&cache, &request, &Settings::default()));
            assert_eq!(findings(&kept), findings(&evaluation));
        }
        if let Some(explanation) = evaluation.explanation() {
            assert_eq!(evaluation.result(), SpfResult::Fail);
            assert!(
                explanation
                    .as_str()
                    .bytes()
                    .all(|octet| (b' '..=b'~').contains(&octet))
            );
        }
        let session = Session::new(client, &helo, "user@a.example");
        let field = ReceivedSpf::of(&evaluation, &session, "mx\r\nX: y");
        let written = field.to_field();
        assert!(
            !written.replace("\r\n\t", "").contains(['\r', '\n']),
            "{written}"
        );
        let body = written.strip_prefix("Received-SPF:").unwrap();
        assert_eq!(ReceivedSpf::parse(body.as_bytes()), Ok(field));
        serde_json::to_string(&evaluation).unwrap();
        results[SpfResult::from_word(evaluation.result().as_str()).map_or(0, index)] += 1;
    }
    // The zones are varied enough to reach every result but none, which the names preclude.
    assert!(
        results.iter().skip(1).all(|count| *count > 20),
        "{results:?}"
    );
}

/// All of an evaluation but its trace.
fn findings(evaluation: &Evaluation) -> impl PartialEq + std::fmt::Debug {
    let costs = (
        evaluation.lookups(),
        evaluation.void_lookups(),
        evaluation.queries(),
    );
    (
        evaluation.cause().clone(),
        evaluation.explanation().cloned(),
        costs,
        evaluation.ttl(),
        evaluation.depends_on_sender(),
    )
}

fn index(result: SpfResult) -> usize {
    match result {
        SpfResult::None => 0,
        SpfResult::Neutral => 1,
        SpfResult::Pass => 2,
        SpfResult::Fail => 3,
        SpfResult::Softfail => 4,
        SpfResult::Temperror => 5,
        SpfResult::Permerror => 6,
    }
}

/// The future can be sent to another thread, and dropped half-way.
#[test]
fn checks_can_be_sent_and_dropped() {
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    let mut zone = Zone::new();
    zone.add_txt("a.example", "v=spf1 include:b.example -all")
        .unwrap();
    zone.add_txt("b.example", "v=spf1 +all").unwrap();
    zone.hold("b.example").unwrap();
    let session = Session::new([192, 0, 2, 1].into(), "a.example", "user@a.example");
    let settings = Settings::default();
    let mut future = Box::pin(is_send(check_session(&zone, &session, &settings)));
    let waker = std::task::Waker::noop();
    let mut context = std::task::Context::from_waker(waker);
    assert!(future.as_mut().poll(&mut context).is_pending());
    drop(future);
    zone.release("b.example");
    let evaluation = dns::block_on(check_session(&zone, &session, &settings));
    assert_eq!(evaluation.authoritative().result(), SpfResult::Pass);
}
