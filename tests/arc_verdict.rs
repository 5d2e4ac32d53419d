//! ARC through the front door: one pass and one question for DKIM and ARC, and what seals change
//! about the action.

use std::time::{Duration, SystemTime};

use mailproof::arc::{ArcResult, Payload, Sealer};
use mailproof::crypto::SigningKey;
use mailproof::dkim::{self, KeyRecord, Signer};
use mailproof::dns::{Zone, block_on};
use mailproof::verdict::{Override, Reason, RejectRule};
use mailproof::verifier::Settings;
use mailproof::{Action, Message, Session, Verdict, Verifier};

const MAIL: &[u8] =
    b"From: a@author.example\r\nTo: list@example.org\r\nSubject: hi\r\n\r\nHello\r\n";

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn key(n: u8) -> SigningKey {
    SigningKey::ed25519(&[n; 32]).unwrap()
}

fn zone() -> Zone {
    let mut zone = Zone::new();
    zone.add_txt("_dmarc.author.example", "v=DMARC1; p=reject")
        .unwrap();
    zone.add_txt("author.example", "v=spf1 -all").unwrap();
    for n in 1..=3 {
        let record = KeyRecord::new(key(n).verifying_key()).to_string();
        zone.add_txt(&format!("s._domainkey.hop{n}.example"), record)
            .unwrap();
    }
    zone
}

/// A relay that nobody lists.
fn session() -> Session {
    Session::new(
        [203, 0, 113, 7].into(),
        "relay.example.net",
        "bounce@relay.example.net",
    )
}

fn verify(mail: &[u8], settings: Settings) -> Verdict {
    let verifier = Verifier::with_settings(zone(), settings);
    block_on(verifier.at(now()).verify(&session(), &Message::parse(mail)))
}

fn sealed(n: u8, payload: &str, mail: &[u8]) -> Vec<u8> {
    let incoming = verify(mail, Settings::default());
    let sealer = Sealer::new(key(n), format!("hop{n}.example").parse().unwrap(), "s").unwrap();
    let payload: Payload = payload.parse().unwrap();
    let sealed = sealer
        .seal(&Message::parse(mail), &payload, incoming.arc(), now())
        .unwrap();
    [sealed.header().as_bytes(), mail].concat()
}

fn trusting(domains: &[&str], rule: RejectRule) -> Settings {
    let mut settings = Settings::default();
    settings.policy.reject_rule = rule;
    settings.policy.trusted_sealers = domains.iter().map(|name| name.parse().unwrap()).collect();
    settings
}

const SAW_PASS: &str = "mx.hop.example; dmarc=pass header.from=author.example";

/// The forwarder signs and seals with the same key: asked once, and the body read once.
#[test]
fn one_pass_and_one_question() {
    let signer = Signer::new(key(1), "hop1.example".parse().unwrap(), "s").unwrap();
    let signed = dkim::Signer::sign(&[signer], &Message::parse(MAIL), now()).unwrap();
    let signed = [signed.header().as_bytes(), MAIL].concat();
    let mail = sealed(1, SAW_PASS, &signed);
    let verifier = Verifier::new(zone());
    let message = Message::parse(&mail);
    let (lookups, mut hasher) = verifier.at(now()).begin(&session(), message.head());
    let answers = block_on(lookups.run(zone()));
    for chunk in message.body().chunks(1) {
        hasher.update(chunk);
    }
    let verdict = verifier.finish(answers, hasher.finish());
    assert_eq!(verdict.arc().result(), ArcResult::Pass);
    assert_eq!(verdict.dkim()[0].result(), dkim::DkimResult::Pass);
    let key_name = "s._domainkey.hop1.example";
    let asked = verdict
        .questions()
        .filter(|question| question.name.as_str() == key_name);
    assert_eq!(asked.count(), 1);
    let field = verdict
        .authentication_results(&"mx.example".parse().unwrap())
        .to_field();
    let field = field.replace("\r\n\t", " ");
    assert!(
        field.contains("; arc=pass smtp.remote-ip=203.0.113.7 header.oldest-pass=0;"),
        "{field}"
    );
    let unsealed = verify(MAIL, Settings::default());
    let field = unsealed
        .authentication_results(&"mx.example".parse().unwrap())
        .to_field();
    assert!(field.contains("arc=none;"), "{field}");
}

#[test]
fn a_trusted_sealer_lifts_a_reject() {
    let mail = sealed(2, "mx.hop2.example; arc=pass", &sealed(1, SAW_PASS, MAIL));
    let trusted = ["hop1.example", "hop2.example"];
    let verdict = verify(&mail, trusting(&trusted, RejectRule::Enforce));
    assert_eq!(verdict.action(), Action::Deliver);
    assert_eq!(verdict.dmarc().result().as_str(), "fail");
    let Reason::TrustedSealer {
        sealer,
        instance: 1,
    } = verdict.reason()
    else {
        panic!("{}", verdict.reason());
    };
    assert_eq!(sealer.as_str(), "hop1.example");
    let (kind, comment) = verdict.overridden().unwrap();
    assert_eq!(kind, Override::LocalPolicy);
    assert_eq!(
        comment,
        "arc=pass as[2].d=hop2.example as[2].s=s as[1].d=hop1.example as[1].s=s"
    );
}

#[test]
fn whom_not_to_trust() {
    let mail = sealed(2, SAW_PASS, &sealed(1, SAW_PASS, MAIL));
    let enforced = |mail: &[u8], trusted: &[&str]| {
        verify(mail, trusting(trusted, RejectRule::Enforce)).action()
    };
    // The last sealer could have changed what the first saw.
    assert_eq!(enforced(&mail, &["hop1.example"]), Action::Reject);
    assert_eq!(enforced(&mail, &["hop2.example"]), Action::Deliver);
    assert_eq!(enforced(&mail, &["example"]), Action::Reject);
    assert_eq!(enforced(&mail, &[]), Action::Reject);
    // A chain that is broken is worth nothing, whoever made it.
    let trusted = ["hop1.example", "hop2.example"];
    let broken = String::from_utf8(mail.clone())
        .unwrap()
        .replace("Hello", "Jello");
    assert_eq!(enforced(broken.as_bytes(), &trusted), Action::Reject);
    // The trusted sealer saw something else.
    for saw in [
        "mx.hop1.example; dmarc=fail header.from=author.example",
        "mx.hop1.example; dmarc=pass header.from=other.example",
        "mx.hop1.example; none",
    ] {
        assert_eq!(enforced(&sealed(1, saw, MAIL), &trusted), Action::Reject);
    }
}

/// A valid chain of anybody's shows that the message was relayed, which is all it takes not to reject
/// on a published policy alone.
#[test]
fn a_seal_corroborates() {
    let mail = sealed(1, SAW_PASS, MAIL);
    let verdict = verify(&mail, Settings::default());
    assert_eq!(verdict.action(), Action::Quarantine, "{}", verdict.reason());
    assert_eq!(verify(MAIL, Settings::default()).action(), Action::Reject);
}

/// A rewritten envelope whose forwarder is not authenticated does not take away what the seal shows.
#[test]
fn an_unproven_envelope_beside_a_seal() {
    let mail = sealed(1, SAW_PASS, MAIL);
    for mail_from in [
        "b@relay.example.net",
        "SRS0=AAAA=AA=author.example=a@relay.example.net",
    ] {
        let session = Session::new([203, 0, 113, 7].into(), "relay.example.net", mail_from);
        let verdict = block_on(
            Verifier::new(zone())
                .at(now())
                .verify(&session, &Message::parse(&mail)),
        );
        let sealer = "hop1.example".parse().unwrap();
        assert_eq!(
            verdict.reason(),
            &Reason::RelayedBySealer { sealer },
            "{mail_from}"
        );
        assert_eq!(verdict.action(), Action::Quarantine);
    }
}
