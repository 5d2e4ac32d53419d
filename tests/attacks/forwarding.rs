//! Forwarders that vouch for what is not theirs (Liu et al., ‘Forward Pass’, EuroS&P 2023), and traces
//! that anybody can write.

use mailproof::arc::{ArcResult, Payload, Sealer};
use mailproof::dns::block_on;
use mailproof::forwarding::{ForwardError, Forwarder, Hop, Station};
use mailproof::srs::Rewriter;
use mailproof::verdict::{Reason, RejectRule};
use mailproof::{Action, Message, Session, Verdict};

use super::{
    ATTACKER, Attempt, VICTIM, VICTIM_IP, assert_finding, assert_words, now, signed, signer, zone,
};

const FORGED: &str = "From: admin@legitimate.example\r\nSubject: pay\r\n\r\nNow.\r\n";

fn forwarder() -> Forwarder {
    let rewriter = Rewriter::new("fwd.example".parse().unwrap(), "a secret of ours").unwrap();
    Forwarder::new("mx.fwd.example".parse().unwrap(), rewriter)
}

/// Open forwarding: the attacker lets a forgery be sent on by a host in the victim's SPF record. We
/// do not send on what failed, rewritten, signed, sealed or not.
#[test]
fn forgeries_are_not_sent_on() {
    let verdict = Attempt::new(FORGED).verdict();
    assert_words(&verdict, "pass", &[], "fail", Action::Reject);
    let message = Message::parse(FORGED.as_bytes());
    let sealer = Sealer::new(signer(VICTIM).key().clone(), VICTIM.parse().unwrap(), "s").unwrap();
    for forwarder in [
        forwarder(),
        forwarder().signers([signer(VICTIM)]),
        forwarder().sealer(sealer),
    ] {
        assert!(matches!(
            forwarder.forward(&verdict, &message, now()),
            Err(ForwardError::Refused { .. })
        ));
    }
}

/// What a message begins with does not become more of the field that is put above it.
#[test]
fn continuations_of_our_own_field() {
    for first in [
        " ; dmarc=pass header.from=b.example: x",
        "\t(",
        " x: y\r\n z",
        " : z",
    ] {
        let mail = format!("{first}\r\n{FORGED}");
        let verdict = Attempt::new(&mail).verdict();
        let message = Message::parse(mail.as_bytes());
        let forwarder = forwarder().vouching_for_failures();
        let outgoing = forwarder.forward(&verdict, &message, now()).unwrap();
        let sent = Message::parse(&outgoing.message);
        let ours = verdict.authentication_results(&"mx.fwd.example".parse().unwrap());
        let field = sent.head().fields().first().unwrap();
        let value = String::from_utf8(field.value().to_vec()).unwrap();
        assert_eq!(format!("Authentication-Results:{value}"), ours.to_field());
        let removed: &[usize] = if first.contains(':') { &[0] } else { &[] };
        assert_eq!(outgoing.removed, removed, "{first}");
        assert!(outgoing.message.ends_with(FORGED.as_bytes()), "{first}");
    }
}

/// What is wrong with a header block is as wrong where the way of the message is simulated: the first
/// station sees what a receiver sees, and nothing continues the field of a hop.
#[test]
fn simulations_repair_nothing() {
    let many = "X: y\r\n".repeat(mailproof::message::Head::MAX_FIELDS);
    for mail in [
        format!(" x: y\r\n{FORGED}"),
        format!("\tx\r\n{FORGED}"),
        FORGED.replace("\r\n\r\n", &format!("\r\n{many}\r\n")),
    ] {
        let mut attempt = Attempt::new(&mail).envelope(VICTIM, "admin@legitimate.example");
        attempt.ip = VICTIM_IP;
        let verdict = attempt.verdict();
        assert_words(&verdict, "pass", &[], "permerror", Action::Quarantine);
        let session = Session::new(attempt.ip.into(), attempt.helo, attempt.mail_from);
        let message = Message::parse(attempt.mail);
        let hop = |name: &str| Hop::new(name, VICTIM_IP.into(), VICTIM.parse().unwrap());
        let key = signer(VICTIM).key().clone();
        let sealer = Sealer::new(key, VICTIM.parse().unwrap(), "s").unwrap();
        let route = [
            hop("signs").signer(signer(VICTIM)),
            hop("seals").sealer(sealer),
        ];
        let (zone, settings) = (zone(), &attempt.settings);
        let stations = Station::simulate(&zone, &session, &message, &route, settings, now());
        let stations = block_on(stations).unwrap();
        let first = &stations[0].verdict;
        assert_words(first, "pass", &[], "permerror", Action::Quarantine);
        assert_eq!(first.anomalies(), verdict.anomalies());
        if first.anomalies().begins_with_fold {
            assert_eq!(stations[1].verdict.dkim()[0].result().as_str(), "pass");
            assert_eq!(stations[2].verdict.arc().result(), ArcResult::Pass);
        }
    }
}

/// It was sent on by another that is careless, from the victim's own address: SPF passes and is
/// aligned. The host noted what SPF gave before; a receiver may act on that.
#[test]
fn spf_washed_by_a_forwarder() {
    let mail = format!(
        "Received-SPF: fail (attacker) receiver=relay.legitimate.example; \
         client-ip=203.0.113.66; envelope-from=\"admin@legitimate.example\"\r\n{FORGED}"
    );
    let mut attempt = Attempt::new(&mail).envelope(VICTIM, "admin@legitimate.example");
    attempt.ip = VICTIM_IP;
    let verdict = attempt.verdict();
    assert_words(&verdict, "pass", &[], "pass", Action::Deliver);
    assert_finding(&verdict, "spf-upgraded-by-forwarding");
    attempt.settings.policy.distrust_upgraded_spf = true;
    let verdict = attempt.verdict();
    assert_words(&verdict, "pass", &[], "pass", Action::Quarantine);
    assert_eq!(verdict.reason(), &Reason::UpgradedSpf);
}

/// An SRS address claims that the victim was the sender: DMARC does not know SRS.
#[test]
fn srs_claims_the_victim() {
    let mut attempt = Attempt::new(FORGED).envelope(
        "helo.attack.example",
        "SRS0=AAAA=AA=legitimate.example=admin@attack.example",
    );
    // Somebody relayed it visibly, under a name of its own: it is not refused by default.
    let verdict = attempt.verdict();
    assert_words(&verdict, "pass", &[], "fail", Action::Quarantine);
    assert_finding(&verdict, "envelope-srs");
    assert_finding(&verdict, "srs-original-is-author");
    attempt.settings.policy.reject_rule = RejectRule::Enforce;
    assert_words(&attempt.verdict(), "pass", &[], "fail", Action::Reject);
}

/// The attacker seals its forgery and says that DMARC passed: a valid chain of nobody we trust.
#[test]
fn seals_of_the_attacker() {
    let incoming = Attempt::new(FORGED).verdict();
    let sealer = signer(ATTACKER);
    let sealer = Sealer::new(sealer.key().clone(), ATTACKER.parse().unwrap(), "s").unwrap();
    let payload: Payload = "mx.google.example; spf=pass; dkim=pass header.d=legitimate.example; \
        dmarc=pass header.from=legitimate.example"
        .parse()
        .unwrap();
    let message = Message::parse(FORGED.as_bytes());
    let sealed = sealer
        .seal(&message, &payload, incoming.arc(), now())
        .unwrap();
    let mail = format!("{}{FORGED}", sealed.header());
    let mut attempt = Attempt::new(&mail);
    let verdict = attempt.verdict();
    assert_eq!(verdict.arc().result(), ArcResult::Pass);
    assert_words(&verdict, "pass", &[], "fail", Action::Quarantine);
    assert_finding(&verdict, "arc-sealer-not-trusted");
    attempt.settings.policy.reject_rule = RejectRule::Enforce;
    attempt.settings.policy.trusted_sealers = vec!["google.example".parse().unwrap()];
    assert_words(&attempt.verdict(), "pass", &[], "fail", Action::Reject);
    // A seal in the name of one we do trust does not hold.
    let stolen = mail.replace("d=attack.example", "d=legitimate.example");
    let mut attempt = Attempt::new(&stolen);
    attempt.settings.policy.trusted_sealers = vec![VICTIM.parse().unwrap()];
    let verdict = attempt.verdict();
    assert_eq!(verdict.arc().result(), ArcResult::Fail);
    assert_words(&verdict, "pass", &[], "fail", Action::Reject);
    assert_finding(&verdict, "arc-header-changed");
}

/// What a forwarder makes of a message that signs and seals in the victim's name.
fn sent_on(verdict: &Verdict, mail: &str) -> String {
    let sealer = Sealer::new(signer(VICTIM).key().clone(), VICTIM.parse().unwrap(), "s").unwrap();
    let forwarder = forwarder().signers([signer(VICTIM)]).sealer(sealer);
    let message = Message::parse(mail.as_bytes());
    let outgoing = forwarder.forward(verdict, &message, now()).unwrap();
    String::from_utf8(outgoing.message).unwrap()
}

/// The attacker writes a seal that says the chain is broken, after which nobody may seal. Mail that
/// passed is sent on nevertheless, without one more set.
#[test]
fn broken_chains_do_not_stop_mail() {
    let broken = signed(VICTIM, FORGED);
    let broken = format!(
        "ARC-Seal: i=1; a=ed25519-sha256; cv=fail; d=attack.example; s=s; b=AAAA\r\n\
         ARC-Message-Signature: i=1; a=ed25519-sha256; d=attack.example; s=s; h=from; bh=AAAA; b=AAAA\r\n\
         ARC-Authentication-Results: i=1; mx.attack.example; none\r\n{broken}"
    );
    let verdict = Attempt::new(&broken).verdict();
    assert_eq!(verdict.arc().result(), ArcResult::Fail);
    assert_eq!(verdict.action(), Action::Deliver);
    let outgoing = sent_on(&verdict, &broken);
    assert!(outgoing.ends_with(&broken));
    assert_eq!(outgoing.matches("ARC-Seal:").count(), 1);
}

/// So does a message with more fields than a signature or seal may cover, which nobody would accept.
#[test]
fn crowded_headers_do_not_stop_mail() {
    let mail = signed(VICTIM, FORGED).replace("Subject", &("To: x\r\n".repeat(1_000) + "Subject"));
    let mut attempt = Attempt::new(&mail).envelope(VICTIM, "admin@legitimate.example");
    attempt.ip = VICTIM_IP;
    let verdict = attempt.verdict();
    assert_eq!(verdict.action(), Action::Deliver);
    let outgoing = sent_on(&verdict, &mail);
    assert!(outgoing.ends_with(&mail));
    assert!(!outgoing.contains("ARC-Seal") && outgoing.matches("DKIM-Signature:").count() == 1);
}

/// A mailing list's fields cost nothing to write; they soften a refusal by default, never the
/// result, and not where policies are enforced.
#[test]
fn list_fields_of_the_attacker() {
    let mail = signed(
        ATTACKER,
        &format!("List-Id: <friends.attack.example>\r\n{FORGED}"),
    );
    let mut attempt = Attempt::new(&mail);
    let verdict = attempt.verdict();
    assert_words(&verdict, "pass", &["pass"], "fail", Action::Quarantine);
    assert_finding(&verdict, "relayed-by-list");
    attempt.settings.policy.reject_rule = RejectRule::Enforce;
    assert_words(
        &attempt.verdict(),
        "pass",
        &["pass"],
        "fail",
        Action::Reject,
    );
}
