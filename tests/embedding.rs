//! The ways in which servers embed the crate: spawned on a runtime, without one, behind `dyn`,
//! streamed, with a deadline. All of them give the same verdict.

use std::future::{Future, ready};
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use mailproof::dns::{Resolver, Zone, block_on};
use mailproof::message::Head;
use mailproof::{Message, Session, Verdict, Verifier};

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

fn session() -> Session {
    let helo = "mail-b.outbound.protection.outlook.com";
    let mail_from = "Verteilername+SRS=y1OwP=BF=firma-a.tld=userA@firma-b.tld";
    Session::new([104, 47, 11, 20].into(), helo, mail_from)
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_684_227_600)
}

/// Everything a verdict says, as text.
fn shown(verdict: &Verdict) -> String {
    format!("{:#}", serde_json::to_value(verdict).unwrap())
}

fn expected(message: &str) -> String {
    let octets = read(message);
    let verifier = Verifier::new(zone());
    let verdict = block_on(
        verifier
            .at(now())
            .verify(&session(), &Message::parse(&octets)),
    );
    assert_eq!(verdict.dmarc().result().as_str(), "pass");
    shown(&verdict)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn spawned_on_tokio() {
    let resolver: Arc<dyn Resolver> = Arc::new(zone());
    let verifier = Arc::new(Verifier::new(resolver));
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let verifier = Arc::clone(&verifier);
            tokio::spawn(async move {
                let octets = read("b-list-author-signed.eml");
                let message = Message::parse(&octets);
                shown(&verifier.at(now()).verify(&session(), &message).await)
            })
        })
        .collect();
    let expected = expected("b-list-author-signed.eml");
    for task in tasks {
        assert_eq!(task.await.unwrap(), expected);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streamed_with_look_ups_beside() {
    let octets = read("b-list-author-signed.eml");
    let expected = expected("b-list-author-signed.eml");
    let resolver: Arc<dyn Resolver> = Arc::new(zone());
    let verifier = Verifier::new(Arc::clone(&resolver));
    for size in [1, 2, 3, 7, 64, 1_000_000] {
        let (head, body) = Head::parse(&octets);
        let (lookups, mut hasher) = verifier.at(now()).begin(&session(), &head);
        drop(head);
        let answers = tokio::spawn(lookups.run(Arc::clone(&resolver)));
        for chunk in body.chunks(size) {
            hasher.update(chunk);
            tokio::task::yield_now().await;
        }
        let verdict = verifier.finish(answers.await.unwrap(), hasher.finish());
        assert_eq!(shown(&verdict), expected, "chunks of {size}");
    }
}

#[test]
fn every_split_of_the_body() {
    let octets = read("b-list-author-signed.eml");
    let expected = expected("b-list-author-signed.eml");
    let verifier = Verifier::new(zone());
    let (head, body) = Head::parse(&octets);
    for split in 0..=body.len() {
        let (lookups, mut hasher) = verifier.at(now()).begin(&session(), &head);
        let (first, second) = body.split_at(split);
        hasher.update(first);
        hasher.update(second);
        let verdict = verifier.finish(block_on(lookups.run(zone())), hasher.finish());
        assert_eq!(shown(&verdict), expected, "split at {split}");
    }
}

#[test]
fn fields_from_a_milter() {
    let octets = read("b-list-author-signed.eml");
    let (head, body) = Head::parse(&octets);
    let unfolded: Vec<(Vec<u8>, Vec<u8>)> = head
        .fields()
        .iter()
        .map(|field| {
            let value = String::from_utf8(field.value().to_vec())
                .unwrap()
                .replace("\r\n", "\n");
            (field.name().to_vec(), value.into_bytes())
        })
        .collect();
    let pairs = unfolded
        .iter()
        .map(|(name, value)| (name.as_slice(), value.as_slice()));
    let message = Message::new(Head::from_milter(pairs, true), body);
    let verdict = block_on(Verifier::new(zone()).at(now()).verify(&session(), &message));
    assert_eq!(shown(&verdict), expected("b-list-author-signed.eml"));
}

/// Eight keys, each held back: all have been asked for before the first is answered.
#[test]
fn keys_are_asked_for_at_once() {
    let octets = read("eight-signatures.eml");
    let mut zone = zone();
    let names: Vec<String> = (1..=8)
        .map(|n| format!("s{n}._domainkey.firma-a.tld"))
        .collect();
    for name in &names {
        zone.hold(name).unwrap();
    }
    let verifier = Verifier::new(&zone);
    let verifier = verifier.at(now());
    let message = Message::parse(&octets);
    let session = session();
    let mut verification = Box::pin(verifier.verify(&session, &message));
    let mut context = Context::from_waker(Waker::noop());
    assert!(verification.as_mut().poll(&mut context).is_pending());
    assert!(names.iter().all(|name| zone.held(name) == 1));
    names.iter().rev().for_each(|name| zone.release(name));
    let verdict = block_on(verification);
    let words: Vec<&str> = verdict
        .dkim()
        .iter()
        .map(|one| one.result().as_str())
        .collect();
    assert_eq!(words, ["pass"; 8]);
}

/// What was answered before the deadline counts; what was not is a temporary failure.
#[test]
fn a_deadline_keeps_what_is_known() {
    let octets = read("eight-signatures.eml");
    let mut zone = zone();
    zone.hold("s3._domainkey.firma-a.tld").unwrap();
    let verifier = Verifier::new(zone);
    let verifier = verifier.at(now());
    let message = Message::parse(&octets);
    let verdict = block_on(verifier.verify_until(&session(), &message, ready(())));
    let words: Vec<&str> = verdict
        .dkim()
        .iter()
        .map(|one| one.result().as_str())
        .collect();
    let pass = "pass";
    assert_eq!(
        words,
        [pass, pass, "temperror", pass, pass, pass, pass, pass]
    );
    assert_eq!(verdict.dmarc().result().as_str(), "pass");
}

#[test]
fn a_deadline_that_comes_first() {
    let octets = read("b-list.eml");
    let mut zone = zone();
    zone.hold("_dmarc.firma-a.tld").unwrap();
    zone.hold("firma-b.tld").unwrap();
    let verifier = Verifier::new(zone);
    let verifier = verifier.at(now());
    let message = Message::parse(&octets);
    let verdict = block_on(verifier.verify_until(&session(), &message, ready(())));
    assert_eq!(verdict.spf().authoritative().result().as_str(), "temperror");
    assert_eq!(verdict.dkim().first().unwrap().result().as_str(), "pass");
    assert_eq!(verdict.dmarc().result().as_str(), "temperror");
    assert_eq!(verdict.smtp_reply().unwrap().code, 451);
}

/// Dropping a verification in the middle leaves the verifier as it was.
#[test]
fn dropped_in_the_middle() {
    let octets = read("b-list-author-signed.eml");
    let mut zone = zone();
    zone.hold("firma-b.tld").unwrap();
    let verifier = Verifier::new(&zone);
    let verifier = verifier.at(now());
    let message = Message::parse(&octets);
    let session = session();
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..3 {
        let mut verification = Box::pin(verifier.verify(&session, &message));
        assert!(matches!(
            verification.as_mut().poll(&mut context),
            Poll::Pending
        ));
    }
    zone.release("firma-b.tld");
    let verdict = block_on(verifier.verify(&session, &message));
    assert_eq!(shown(&verdict), expected("b-list-author-signed.eml"));
}
