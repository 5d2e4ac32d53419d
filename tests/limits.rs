//! Every bound on a stranger's input, with the work counted: questions to the DNS, signatures looked
//! at, octets allocated. Where a bound is met, the verdict says so; and whatever a message is made
//! of, it costs no more than the page on limits promises.

#[path = "limits/counting.rs"]
mod counting;
#[expect(
    dead_code,
    reason = "it verifies as well, which is the front door's part here"
)]
mod dkim_support;
#[path = "limits/everything.rs"]
mod everything;

use std::path::Path;
use std::time::{Duration, SystemTime};

use counting::{Counting, Plenty, peak};
use dkim_support::craft;
use mailproof::dns::{LookupError, Resolver, Zone, block_on};
use mailproof::message::{AuthorError, Head};
use mailproof::verdict::LimitHit;
use mailproof::verifier::Settings;
use mailproof::{Message, Session, Verdict, Verifier, spf};

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// The verdict and what was asked.
fn verify_with(
    resolver: impl Resolver,
    mail: impl AsRef<[u8]>,
    settings: Settings,
) -> (Verdict, usize) {
    let resolver = Counting::new(resolver);
    let session = Session::new([192, 0, 2, 1].into(), "mx.example.net", "a@example.net");
    let verifier = Verifier::with_settings(&resolver, settings);
    let message = Message::parse(mail.as_ref());
    let verdict = block_on(verifier.at(now()).verify(&session, &message));
    (verdict, resolver.asked())
}

fn verify(resolver: impl Resolver, mail: impl AsRef<[u8]>) -> (Verdict, usize) {
    verify_with(resolver, mail, Settings::default())
}

#[track_caller]
fn assert_hit(verdict: &Verdict, expected: &[LimitHit]) {
    assert_eq!(verdict.limits_hit(), expected);
    assert!(expected.iter().all(|hit| !hit.to_string().is_empty()));
}

/// What a message costs whose signatures ask for nothing: SPF's records, HELO's and the policy.
const WITHOUT_KEYS: usize = 4;

const FROM: &str = "From: a@example.com\r\n";

fn signature(number: usize) -> String {
    format!(
        "DKIM-Signature: v=1; a=ed25519-sha256; d=d{number}.example; s=s; h=From; b=AAAA;\r\n \
         bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\n"
    )
}

/// Each costs a question and a check: ten are looked at, however many there are.
#[test]
fn many_signatures() {
    for count in [10, 11, 100, 101, 5_000] {
        let signatures: String = (0..count).map(signature).collect();
        let mail = format!("{signatures}{FROM}\r\n");
        let (verdict, asked) = verify(Zone::new(), &mail);
        assert_eq!(verdict.dkim().len(), count);
        let keys = verdict
            .questions()
            .filter(|question| question.name.as_str().contains("._domainkey."));
        assert_eq!(keys.count(), 10);
        assert_eq!(asked, WITHOUT_KEYS + 10);
        let limits: &[LimitHit] = match count {
            10 => &[],
            11 | 100 => &[LimitHit::DkimSignatures { limit: 10 }],
            _ => &[
                LimitHit::DkimSignatures { limit: 10 },
                LimitHit::DkimSignatures { limit: 100 },
            ],
        };
        assert_hit(&verdict, limits);
        let results = verdict.authentication_results(&"mx.example".parse().unwrap());
        assert!(results.results.len() <= 20 + 5);
        let findings = verdict.diagnosis();
        assert!(findings.len() <= 30, "{}", findings.len());
    }
}

/// They cost no question; a hundred are read, and twenty spoken of.
#[test]
fn many_broken_signatures() {
    for broken in ["v=2", "", "d=example.com; b=A", "v=1; a=;", ";;;;;;"] {
        let mail = format!(
            "{}{}{FROM}\r\n",
            format!("DKIM-Signature: {broken}\r\n").repeat(5_000),
            signature(1)
        );
        let ((verdict, asked), peak) = peak(|| verify(Zone::new(), &mail));
        assert_eq!((verdict.dkim().len(), asked), (5_001, WITHOUT_KEYS));
        assert_hit(&verdict, &[LimitHit::DkimSignatures { limit: 100 }]);
        assert!(verdict.diagnosis().len() <= 30);
        let results = verdict.authentication_results(&"mx.example".parse().unwrap());
        assert!(results.to_field().len() < 8_192);
        assert!(peak < 8 << 20, "{peak}");
    }
}

/// The name list of `h=`: `a:a:a` takes two octets an entry, a colon one.
#[test]
fn long_lists_of_signed_fields() {
    for (names, hit) in [
        (format!("From{}", ":a".repeat(999)), None),
        (
            format!("From{}", ":a".repeat(1_000)),
            Some(LimitHit::DkimSignedFields { limit: 1_000 }),
        ),
        (
            format!("From{}", ":a".repeat(100_000)),
            Some(LimitHit::DkimField { octets: 200_108 }),
        ),
        (
            format!("From{}", ":".repeat(100_000)),
            Some(LimitHit::DkimField { octets: 100_108 }),
        ),
    ] {
        let mail = signature(1).replace("h=From", &format!("h={names}"));
        let mail = format!("{mail}{FROM}{}\r\n", "a: b\r\n".repeat(1_000));
        let ((verdict, asked), peak) = peak(|| verify(Zone::new(), &mail));
        assert_eq!(asked, WITHOUT_KEYS + usize::from(hit.is_none()));
        assert_hit(&verdict, hit.as_slice());
        assert!(peak < 1 << 20, "{peak}");
    }
}

/// Copied fields are not kept.
#[test]
fn copied_fields() {
    let copies = |octets: usize| format!("h=From; z={};", "x".repeat(octets));
    let mail = |octets| {
        let field = signature(1).replace("h=From;", &copies(octets));
        format!("{field}{FROM}\r\n")
    };
    let ((verdict, _), peak) = peak(|| verify(Zone::new(), mail(60_000)));
    assert_hit(&verdict, &[]);
    assert!(peak < 1 << 20, "{peak}");
    let (verdict, asked) = verify(Zone::new(), mail(66_000));
    assert!(matches!(
        verdict.limits_hit().as_slice(),
        [LimitHit::DkimField { .. }]
    ));
    assert_eq!(asked, WITHOUT_KEYS);
}

fn keys(record: &str, count: usize) -> Zone {
    let mut zone = Zone::new();
    for _ in 0..count {
        zone.add_txt("s._domainkey.d1.example", record).unwrap();
    }
    zone
}

/// A modulus of 8193 bits, a record of 64 KiB, and more keys at one name than are tried.
#[test]
fn long_keys_and_many() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/dkim");
    let sizes = std::fs::read_to_string(folder.join("rsa-sizes.txt")).unwrap();
    let key = sizes
        .lines()
        .find_map(|line| line.strip_prefix("8193 "))
        .and_then(|line| line.split(' ').next())
        .unwrap();
    let rsa = signature(1).replace("ed25519", "rsa");
    let mail = format!("{rsa}{FROM}\r\n");
    let (verdict, _) = verify(keys(&format!("p={key}"), 1), &mail);
    let (bits, limit) = (8_193, 8_192);
    assert_hit(&verdict, &[LimitHit::DkimKey { bits, limit }]);
    let long = format!("p={}", "A".repeat(65_000));
    let (verdict, _) = verify(keys(&long, 1), &mail);
    assert_hit(&verdict, &[LimitHit::DkimKeyRecord { octets: 65_002 }]);
    // The signer's own key is the fourth.
    let mail = craft("d=d1.example; s=s; h=From;", FROM, "", 0);
    let other = "k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let right = mailproof::dkim::KeyRecord::new(dkim_support::key().verifying_key()).to_string();
    for (others, hit) in [(2, false), (3, true)] {
        let mut zone = keys(other, others);
        zone.add_txt("s._domainkey.d1.example", &right).unwrap();
        let (verdict, _) = verify(zone, &mail);
        let name = "s._domainkey.d1.example".parse().unwrap();
        let expected = LimitHit::DkimKeyRecords { name, limit: 3 };
        assert_hit(&verdict, Some(expected).filter(|_| hit).as_slice());
        let word = if hit { "fail" } else { "pass" };
        assert_eq!(verdict.dkim()[0].result().as_str(), word);
    }
}

/// The octets of all signed fields together, whatever they are.
#[test]
fn much_signed_header() {
    let long = format!("{FROM}Subject: {}\r\n", "x".repeat(3_000_000));
    let one = signature(1).replace("h=From", "h=From:Subject");
    let mail = format!("{}{long}\r\n", one.repeat(10));
    let ((verdict, _), peak) = peak(|| verify(Zone::new(), &mail));
    let limit = 10_485_760;
    assert_hit(&verdict, &[LimitHit::DkimHeader { limit }]);
    // The last that does not fit was being written.
    assert!(peak < (10 + 4) << 20, "{peak}");
}

/// SPF: names without end, thousands of addresses and names of the client.
#[test]
fn spf_bombs() {
    type Check = fn(&spf::Limit) -> bool;
    let terms: Check = |limit| matches!(limit, spf::Limit::LookupTerms { most: 10 });
    let addresses: Check = |limit| matches!(limit, spf::Limit::Addresses { most: 100, .. });
    for (record, hit) in [
        ("v=spf1 include:x.NAME -all", Some(terms)),
        (
            "v=spf1 mx mx mx mx mx mx mx mx mx mx mx -all",
            Some(addresses),
        ),
        ("v=spf1 a:x.NAME -all", Some(addresses)),
        (
            "v=spf1 exists:%{p}.%{p}.NAME a:%{p}.%{p}.NAME ptr:%{p} ptr:%{p}.a -all",
            None,
        ),
    ] {
        let ((verdict, asked), peak) = peak(|| verify(Plenty(record), FROM));
        let evaluations = [verdict.spf().helo(), verdict.spf().mail_from()];
        for evaluation in evaluations.into_iter().flatten() {
            assert!(evaluation.queries() <= 150, "{record}");
            assert!(evaluation.lookups() <= 10, "{record}");
        }
        // HELO and MAIL FROM.
        let hits = verdict.limits_hit();
        if let Some(hit) = hit {
            let is_it = |one: &&LimitHit| matches!(one, LimitHit::Spf { limit, .. } if hit(limit));
            assert_eq!(hits.iter().filter(is_it).count(), 2, "{record}: {hits:?}");
        }
        assert!(asked <= 300 + 10, "{record}: {asked}");
        assert!(peak < 16 << 20, "{record}: {peak}");
    }
}

/// What a record may be long, and how deep it may lead: includes nest ten deep, no deeper.
#[test]
fn long_and_deep_spf_records() {
    let mut zone = Zone::new();
    zone.add_txt(
        "example.net",
        format!("v=spf1 {}-all", "a ".repeat(500_000)),
    )
    .unwrap();
    let ((verdict, _), peak) = peak(|| verify(&zone, FROM));
    let hit = verdict.limits_hit();
    assert!(
        matches!(
            hit.as_slice(),
            [LimitHit::Spf {
                identity: spf::Identity::MailFrom,
                ..
            }]
        ),
        "{hit:?}"
    );
    assert!(peak < 4 << 20, "{peak}");
    let mut zone = Zone::new();
    zone.add_txt("example.net", "v=spf1 include:d1.example -all")
        .unwrap();
    for depth in 1..1_000 {
        let next = format!("v=spf1 include:d{}.example -all", depth + 1);
        zone.add_txt(&format!("d{depth}.example"), next).unwrap();
    }
    let (verdict, _) = verify(&zone, FROM);
    assert_eq!(verdict.spf().authoritative().queries(), 11);
    assert_eq!(verdict.limits_hit().len(), 1);
}

/// TXT records where a policy should be.
#[test]
fn many_records_at_the_policy() {
    for (count, hit) in [(99, false), (100, true)] {
        let mut zone = Zone::new();
        for number in 0..count {
            zone.add_txt("_dmarc.example.com", format!("verification={number}"))
                .unwrap();
        }
        zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject")
            .unwrap();
        let (verdict, _) = verify(zone, FROM);
        let name = "_dmarc.example.com".parse().unwrap();
        let expected = LimitHit::DmarcRecords { name, limit: 100 };
        assert_hit(&verdict, Some(expected).filter(|_| hit).as_slice());
    }
}

/// The sender chooses `d=`: at most four of them are walked, eight questions each.
#[test]
fn walks_of_signers() {
    let labels = "a.".repeat(12);
    let domain = |number| format!("{labels}d{number}.x.example");
    let signatures: String = (0..10)
        .map(|number| signature(number).replace(&format!("d{number}.example"), &domain(number)))
        .collect();
    let mail = format!("{signatures}From: a@{}\r\n\r\n", domain(10));
    let mut zone = Zone::new();
    zone.add_txt("_dmarc.x.example", "v=DMARC1; p=reject")
        .unwrap();
    for number in 0..10 {
        zone.fail(
            &format!("s._domainkey.{}", domain(number)),
            LookupError::ServFail,
        )
        .unwrap();
    }
    let (verdict, asked) = verify(zone, &mail);
    let skipped = verdict.limits_hit();
    assert!(
        skipped
            .iter()
            .all(|hit| matches!(hit, LimitHit::DmarcWalks { .. })),
        "{skipped:?}"
    );
    assert_eq!(skipped.len(), 6);
    let policies = verdict
        .questions()
        .filter(|question| question.name.as_str().starts_with("_dmarc."));
    assert!(policies.count() <= 8 + 4 * 8);
    assert!(asked <= 2 + 10 + 1 + 8 + 4 * 8, "{asked}");
}

/// Header fields, From fields, mailboxes and octets of a From field.
#[test]
fn large_headers() {
    let too_many = |limit| LimitHit::Author(AuthorError::TooManyFields { limit });
    for (line, count) in [("a:\r\n", 2_500_000), ("From: a@b.example\r\n", 500_000)] {
        let mail = format!("{}\r\n", line.repeat(count));
        let ((verdict, _), peak) = peak(|| verify(Zone::new(), &mail));
        assert_hit(&verdict, &[too_many(Head::MAX_FIELDS)]);
        assert!(peak < 2 << 20, "{line}: {peak}");
    }
    // Lines that are no fields take no room at all.
    for octets in ["x\r\n", "\n", "\r", " ", "\0"] {
        let mail = format!("{FROM}{}", octets.repeat(2 << 20));
        let ((_, _), peak) = peak(|| verify(Zone::new(), &mail));
        assert!(peak < 1 << 20, "{octets:?}: {peak}");
    }
    let (verdict, _) = verify(
        Zone::new(),
        format!("From: {}\r\n\r\n", "a@b.example,".repeat(101)),
    );
    let limit = 100;
    assert_hit(
        &verdict,
        &[LimitHit::Author(AuthorError::TooMany { limit })],
    );
    let (verdict, _) = verify(Zone::new(), format!("From: {}\r\n\r\n", "(".repeat(65_536)));
    let octets = 65_537;
    assert_hit(
        &verdict,
        &[LimitHit::Author(AuthorError::TooLong { octets })],
    );
    // Nested comments recurse nowhere.
    let (verdict, _) = verify(Zone::new(), format!("From: {}\r\n\r\n", "(".repeat(65_000)));
    assert!(verdict.author().domain().is_none());
}

/// What others wrote about the way of the message is read to a certain length, whatever it is made of.
#[test]
fn long_traces() {
    let values = [
        vec![0xff; 4 << 20],
        b" a@b.example,".repeat(300_000),
        [&b"pass"[..], &b" a=;".repeat(1 << 20)].concat(),
        [&b"i=1; m; spf=pass"[..], &b" a.b=c".repeat(700_000)].concat(),
    ];
    for name in [
        "Sender",
        "Resent-Sender",
        "Resent-From",
        "List-Id",
        "List-Post",
        "Received-SPF",
        "Authentication-Results",
        "ARC-Authentication-Results",
    ] {
        for value in &values {
            let mail = [name.as_bytes(), b": ", value, b"\r\n", FROM.as_bytes()].concat();
            let ((_, _), peak) = peak(|| verify(Zone::new(), &mail));
            let value = value.get(..20).unwrap().escape_ascii();
            assert!(peak < 1 << 20, "{name}: {value}: {peak}");
        }
    }
    // Properties take up many times as much memory as their text.
    for (properties, most) in [(10_000, 8), (2_700, 20)] {
        let sets = (1..=99).map(|instance| {
            let properties = " a.b=c".repeat(properties);
            format!("ARC-Authentication-Results: i={instance}; m; spf=pass{properties}\r\n")
        });
        let mail = sets.collect::<String>() + FROM;
        let ((_, _), peak) = peak(|| verify(Zone::new(), &mail));
        assert!(peak < most << 20, "{properties}: {peak}");
    }
}

/// As the caller has split them, no more are refused; but they have no author either.
#[test]
fn fields_that_others_split() {
    let pairs = std::iter::repeat_n((&b"a"[..], &b" b"[..]), Head::MAX_FIELDS);
    let from = (&b"From"[..], &b" a@example.com"[..]);
    let head = Head::from_pairs(pairs.clone().skip(1).chain([from]));
    assert!(!head.anomalies().too_many_fields);
    assert!(head.author().domain().is_some());
    let head = Head::from_milter(pairs.chain([from]), true);
    assert_eq!(head.fields().len(), Head::MAX_FIELDS + 1);
    assert!(head.anomalies().too_many_fields);
    assert!(head.author().domain().is_none());
}

/// Behind the limit is the body: no field is lost, and signatures cover it as body.
#[test]
fn what_follows_the_last_field() {
    let fields = "a:\r\n".repeat(Head::MAX_FIELDS);
    let mail = format!("{fields}From: a@example.com\r\n\r\nbody");
    let (head, body) = Head::parse(mail.as_bytes());
    assert_eq!(head.fields().len(), Head::MAX_FIELDS);
    assert_eq!(body, b"From: a@example.com\r\n\r\nbody");
    assert!(head.anomalies().too_many_fields && !head.anomalies().unseparated);
    let mail = format!("{fields}\r\nbody");
    let (head, body) = Head::parse(mail.as_bytes());
    assert_eq!(
        (head.fields().len(), body),
        (Head::MAX_FIELDS, &b"body"[..])
    );
    assert!(!head.anomalies().too_many_fields);
}

/// The body is neither parsed nor kept: messages in messages, lines without end.
#[test]
fn bodies() {
    let nested = "Content-Type: message/rfc822\r\n\r\n".repeat(100_000);
    for body in [nested, "x".repeat(2 << 20), "\r\n".repeat(1 << 20)] {
        let mail = craft("d=d1.example; s=s; h=From;", FROM, "", 0);
        let mail = format!("{mail}{body}");
        let (_, peak) = peak(|| verify(Zone::new(), &mail));
        assert!(peak < 1 << 20, "{peak}");
    }
}
