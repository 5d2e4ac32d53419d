//! A DNS that fails, delays, floods and lies, at every question in turn; verifications given up at
//! every point; clocks that are wrong. Every verdict stays within the words of its method, what the
//! DNS is to blame for is temporary, and another attempt gives the right answer.

#[path = "faults/clocks.rs"]
mod clocks;
#[path = "faults/resolver.rs"]
mod resolver;

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use mailproof::auth_results::AuthenticationResults;
use mailproof::dns::{Cache, LookupError, Resolver, Zone, block_on};
use mailproof::{Action, Message, Session, Verdict, Verifier};
use resolver::{Fault, Faulty};

fn read(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/scenarios")
        .join(file);
    std::fs::read(path).unwrap()
}

fn zone() -> Zone {
    let mut text = [read("base.zone"), read("keys.zone")].concat();
    text.extend_from_slice(b"_dmarc.firma-a.tld. TXT \"v=DMARC1; p=reject\"\n");
    Zone::from_text(&text).unwrap()
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_684_227_600)
}

/// A message and how it came.
struct Arrival {
    octets: Vec<u8>,
    session: Session,
}

/// One that passes by both methods, one that a list sent on and one that it sealed, one that is
/// forged, and one with many signatures.
fn arrivals() -> Vec<Arrival> {
    let rewritten = "Verteilername+SRS=y1OwP=BF=firma-a.tld=userA@firma-b.tld";
    let exchange = "mail-b.outbound.protection.outlook.com";
    [
        (
            "b-author-signed.eml",
            [192, 0, 2, 10],
            "mx.firma-a.tld",
            "userA@firma-a.tld",
        ),
        (
            "b-list-author-signed.eml",
            [104, 47, 11, 20],
            exchange,
            rewritten,
        ),
        ("b-list-sealed.eml", [104, 47, 11, 20], exchange, rewritten),
        (
            "b-plain.eml",
            [203, 0, 113, 66],
            "mx.attack.example",
            "userA@firma-a.tld",
        ),
        ("eight-signatures.eml", [104, 47, 11, 20], exchange, ""),
    ]
    .map(|(file, ip, helo, mail_from)| Arrival {
        octets: read(file),
        session: Session::new(ip.into(), helo, mail_from),
    })
    .into()
}

impl Arrival {
    fn verdict(&self, resolver: &dyn Resolver) -> Verdict {
        let message = Message::parse(&self.octets);
        let verdict = block_on(
            Verifier::new(resolver)
                .at(now())
                .verify(&self.session, &message),
        );
        let results = verdict.authentication_results(&"mx.example".parse().unwrap());
        let field = results.to_field();
        let (_, value) = field.split_once(':').unwrap();
        assert_eq!(AuthenticationResults::parse(value.as_bytes()), Ok(results));
        assert!(verdict.diagnosis().len() < 100);
        verdict
    }
}

/// Everything a verdict says, as text, but for the order of its questions.
fn shown(verdict: &Verdict) -> String {
    let mut value = serde_json::to_value(verdict).unwrap();
    let questions = value.get_mut("dns").unwrap().as_array_mut().unwrap();
    questions.sort_by_key(ToString::to_string);
    value.to_string()
}

/// The word of each part, beside its name.
fn words(verdict: &Verdict) -> Vec<(&'static str, &'static str)> {
    let spf = [verdict.spf().helo(), verdict.spf().mail_from()];
    let spf = spf.into_iter().flatten();
    let dkim = verdict.dkim().iter();
    spf.map(|one| ("spf", one.result().as_str()))
        .chain(dkim.map(|one| ("dkim", one.result().as_str())))
        .chain([
            ("arc", verdict.arc().result().as_str()),
            ("dmarc", verdict.dmarc().result().as_str()),
        ])
        .collect()
}

/// Each method gives what it gives without a fault, or says that it cannot tell for now. ARC knows
/// no temporary failure (RFC 8617 5.2.1).
#[track_caller]
fn assert_temporary(healthy: &Verdict, faulty: &Verdict, what: &str) {
    let pairs = words(healthy).into_iter().zip(words(faulty));
    for ((method, right), (_, given)) in pairs {
        let temporary = if method == "arc" { "fail" } else { "temperror" };
        assert!(
            given == right || given == temporary,
            "{what}: {method}={given}, not {right}"
        );
    }
    let actions = [healthy.action(), Action::Defer];
    assert!(
        actions.contains(&faulty.action()),
        "{what}: {}",
        faulty.action()
    );
    if faulty.action() == Action::Defer {
        let reply = faulty.smtp_reply().unwrap().to_string();
        assert!(reply.starts_with("451 4."), "{what}: {reply}");
    }
}

const FAILURES: [LookupError; 5] = [
    LookupError::ServFail,
    LookupError::Timeout,
    LookupError::Truncated,
    LookupError::Refused,
    LookupError::Malformed,
];

/// The n-th question fails, for every n: temporary, and right with the next attempt, through a cache
/// as well, which keeps no failure.
#[test]
fn the_nth_question_fails() {
    let mut temporary = 0;
    for arrival in arrivals() {
        let healthy = arrival.verdict(&zone());
        for failure in FAILURES {
            for at in 0..healthy.questions().len() {
                let faulty = Faulty::new(zone(), Fault::Fail(failure.clone()), at);
                let cached = Cache::new(&faulty, || Duration::ZERO);
                let verdict = arrival.verdict(&cached);
                assert_temporary(&healthy, &verdict, &format!("{failure} at {at}"));
                temporary += usize::from(words(&verdict) != words(&healthy));
                faulty.heal();
                assert_eq!(shown(&arrival.verdict(&faulty)), shown(&healthy));
                assert_eq!(words(&arrival.verdict(&cached)), words(&healthy));
            }
        }
    }
    assert!(temporary > 50, "{temporary}");
}

/// All questions from the n-th on fail, as where a resolver dies.
#[test]
fn everything_fails_from_the_nth_question_on() {
    for arrival in arrivals() {
        let healthy = arrival.verdict(&zone());
        for at in 0..healthy.questions().len() {
            let faulty =
                Faulty::new(zone(), Fault::Fail(LookupError::ServFail), at).and_all_later();
            let verdict = arrival.verdict(&faulty);
            assert_temporary(&healthy, &verdict, &format!("from {at} on"));
            faulty.heal();
            assert_eq!(shown(&arrival.verdict(&faulty)), shown(&healthy));
        }
    }
}

/// An answer that comes later is the same answer.
#[test]
fn delays() {
    for arrival in arrivals() {
        let healthy = shown(&arrival.verdict(&zone()));
        for polls in [1, 2, 7] {
            let slow = Faulty::new(zone(), Fault::Delay { polls }, 0).and_all_later();
            assert_eq!(shown(&arrival.verdict(&slow)), healthy);
        }
    }
}

/// An answer that never comes, at every question in turn, and a deadline.
#[test]
fn the_nth_answer_never_comes() {
    for arrival in arrivals() {
        let healthy = arrival.verdict(&zone());
        for at in 0..healthy.questions().len() {
            let silent = Faulty::new(zone(), Fault::Silence, at);
            let message = Message::parse(&arrival.octets);
            let verifier = Verifier::new(&silent);
            let verifier = verifier.at(now());
            let mut polls = 0;
            let deadline = std::future::poll_fn(|context| {
                polls += 1;
                context.waker().wake_by_ref();
                match polls {
                    0..50 => Poll::Pending,
                    _ => Poll::Ready(()),
                }
            });
            let verdict = block_on(verifier.verify_until(&arrival.session, &message, deadline));
            assert_temporary(&healthy, &verdict, &format!("silence at {at}"));
            silent.heal();
            assert_eq!(shown(&arrival.verdict(&silent)), shown(&healthy));
        }
    }
}

/// Given up after every number of polls: nothing is left behind, whoever asks next is answered.
#[test]
fn dropped_at_every_point() {
    for arrival in arrivals() {
        let healthy = words(&arrival.verdict(&zone()));
        let slow = Faulty::new(zone(), Fault::Delay { polls: 1 }, 0).and_all_later();
        let cache = Cache::new(&slow, || Duration::ZERO);
        let message = Message::parse(&arrival.octets);
        for polls in 0.. {
            let verifier = Verifier::new(&cache);
            let verifier = verifier.at(now());
            let mut verification = pin!(verifier.verify(&arrival.session, &message));
            let mut context = Context::from_waker(Waker::noop());
            let done = (0..polls).any(|_| verification.as_mut().poll(&mut context).is_ready());
            if done {
                assert!(polls > 1);
                break;
            }
        }
        assert_eq!(words(&arrival.verdict(&cache)), healthy);
        // And without the cache, each time from the beginning.
        for polls in 0..100 {
            let fresh = Faulty::new(zone(), Fault::Delay { polls: 1 }, 0).and_all_later();
            {
                let verifier = Verifier::new(&fresh);
                let verifier = verifier.at(now());
                let mut verification = pin!(verifier.verify(&arrival.session, &message));
                let mut context = Context::from_waker(Waker::noop());
                if (0..polls).any(|_| verification.as_mut().poll(&mut context).is_ready()) {
                    break;
                }
            }
            assert_eq!(words(&arrival.verdict(&fresh)), healthy, "{polls}");
        }
    }
}

/// Ten thousand records where one was expected, junk where text was, names and types that have
/// nothing to do with the question: the verdict is one, and bounded.
#[test]
fn floods_and_lies() {
    for arrival in arrivals() {
        let healthy = arrival.verdict(&zone());
        for fault in [
            Fault::Flood,
            Fault::Junk,
            Fault::NoData,
            Fault::NoSuchName,
            Fault::Empty,
        ] {
            for at in 0..healthy.questions().len() {
                let faulty = Faulty::new(zone(), fault.clone(), at);
                let verdict = arrival.verdict(&faulty);
                assert!(verdict.questions().len() < 452);
                // No lie about one name makes a pass of a forgery.
                if healthy.action() == Action::Reject {
                    assert_ne!(
                        words(&verdict).last(),
                        Some(&("dmarc", "pass")),
                        "{fault:?} at {at}"
                    );
                }
            }
            let all = Faulty::new(zone(), fault.clone(), 0).and_all_later();
            let verdict = arrival.verdict(&all);
            assert!(
                verdict
                    .dkim()
                    .iter()
                    .all(|one| one.result().as_str() != "pass")
            );
            assert_ne!(words(&verdict).last(), Some(&("dmarc", "pass")));
        }
    }
}

/// Aliases are the resolver's to follow; a chain without end is its failure, not an empty answer.
#[test]
fn chains_of_aliases() {
    let mail = b"From: a@x.example\r\n\r\n".to_vec();
    let session = Session::new([192, 0, 2, 1].into(), "x.example", "a@x.example");
    let arrival = Arrival {
        octets: mail,
        session,
    };
    for (length, expected) in [(1, "pass"), (8, "pass"), (1_000, "temperror")] {
        let mut zone = Zone::new();
        zone.add_cname("x.example", "c1.example").unwrap();
        for link in 1..length {
            let name = format!("c{link}.example");
            zone.add_cname(&name, &format!("c{}.example", link + 1))
                .unwrap();
        }
        zone.add_txt(&format!("c{length}.example"), "v=spf1 ip4:192.0.2.1 -all")
            .unwrap();
        zone.add_txt("_dmarc.x.example", "v=DMARC1; p=reject")
            .unwrap();
        let verdict = arrival.verdict(&zone);
        assert_eq!(
            verdict.spf().authoritative().result().as_str(),
            expected,
            "{length}"
        );
        assert_eq!(verdict.dmarc().result().as_str(), expected);
    }
    let mut loops = Zone::new();
    loops.add_cname("x.example", "y.example").unwrap();
    loops.add_cname("y.example", "x.example").unwrap();
    loops
        .add_txt("_dmarc.x.example", "v=DMARC1; p=reject")
        .unwrap();
    let verdict = arrival.verdict(&loops);
    assert_eq!(verdict.action(), Action::Defer);
}

/// One cache under eight threads, above a DNS of which every third answer fails: each verdict is
/// right or temporary, and all are right once it is healed.
#[test]
fn a_cache_under_load() {
    let arrivals = Arc::new(arrivals());
    let healthy: Vec<Verdict> = arrivals.iter().map(|one| one.verdict(&zone())).collect();
    let faulty = Faulty::new(zone(), Fault::Fail(LookupError::Timeout), 0).every(3);
    let cache = Cache::new(&faulty, || Duration::ZERO);
    let verify_all = |from: usize| {
        let both = arrivals.iter().zip(&healthy).cycle();
        both.skip(from)
            .take(30)
            .map(|(arrival, healthy)| (arrival.verdict(&cache), healthy))
    };
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let verify_all = &verify_all;
            scope.spawn(move || {
                for (verdict, healthy) in verify_all(thread) {
                    assert_temporary(healthy, &verdict, "under load");
                }
            });
        }
    });
    faulty.heal();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let verify_all = &verify_all;
            scope.spawn(move || {
                for (verdict, healthy) in verify_all(thread) {
                    assert_eq!(words(&verdict), words(healthy));
                }
            });
        }
    });
}
