//! Departures from what the author domain asks for are told as aggregate reports tell them.

use mailproof::dns::{Zone, block_on};
use mailproof::verdict::Override;
use mailproof::verifier::Settings;
use mailproof::{Action, Message, Session, Verdict, Verifier};

/// Mail whose SPF fails, at a receiver that enforces that.
fn verdict(policy: Option<&str>) -> Verdict {
    let mut zone = Zone::new();
    zone.add_txt("example.net", "v=spf1 -all").unwrap();
    if let Some(policy) = policy {
        zone.add_txt("_dmarc.example.com", policy).unwrap();
    }
    let mut settings = Settings::default();
    settings.policy.enforce_spf_fail = true;
    let session = Session::new([192, 0, 2, 1].into(), "mx.example.net", "x@example.net");
    let message = Message::parse(b"From: a@example.com\r\n\r\n");
    block_on(Verifier::with_settings(zone, settings).verify(&session, &message))
}

#[test]
fn spf_enforced_against_the_policy() {
    for policy in ["v=DMARC1; p=none", "v=DMARC1; p=quarantine"] {
        let verdict = verdict(Some(policy));
        assert_eq!(verdict.action(), Action::Reject);
        let (kind, comment) = verdict.overridden().unwrap();
        assert_eq!(kind, Override::LocalPolicy, "{policy}");
        assert_eq!(comment, "SPF failed, which this receiver enforces");
    }
}

#[test]
fn nothing_to_depart_from() {
    for policy in [None, Some("v=DMARC1; p=reject")] {
        let verdict = verdict(policy);
        assert_eq!(verdict.action(), Action::Reject);
        assert!(verdict.overridden().is_none(), "{policy:?}");
    }
}

/// Mail for a list that fails DMARC, at a receiver with rules of its own.
fn excepted(fields: &str, settings: fn(&mut Settings)) -> Verdict {
    let mut zone = Zone::new();
    zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject")
        .unwrap();
    let mut chosen = Settings::default();
    settings(&mut chosen);
    let session = Session::new([192, 0, 2, 1].into(), "mx.example.net", "x@example.net");
    let message = format!("{fields}From: a@example.com\r\n\r\n");
    let verifier = Verifier::with_settings(zone, chosen);
    block_on(verifier.verify(&session, &Message::parse(message.as_bytes())))
}

fn lists(settings: &mut Settings) {
    settings.policy.mailing_lists(|verdict| {
        let list = verdict.relay().list.as_deref()?;
        list.contains("<users.example.org>")
            .then(|| "a list we read".to_owned())
    });
}

fn partners(settings: &mut Settings) {
    settings.policy.exceptions(|verdict| {
        let client = verdict.session().client_ip()?;
        (client.to_string() == "192.0.2.1").then(|| "a partner's gateway".to_owned())
    });
}

/// Delivers what fails, and says so; DMARC's result stays.
fn delivers(fields: &str, settings: fn(&mut Settings), kind: Override, comment: &str) {
    let verdict = excepted(fields, settings);
    assert_eq!(verdict.action(), Action::Deliver);
    assert_eq!(verdict.dmarc().result().as_str(), "fail");
    assert_eq!(verdict.dmarc().disposition().to_string(), "reject");
    assert_eq!(verdict.overridden(), Some((kind, comment)));
    let findings = verdict.diagnosis();
    let code = "policy-overridden";
    let said = findings.iter().find(|one| one.code().as_str() == code);
    assert!(said.unwrap().sentence().contains(comment));
}

#[test]
fn rules_of_the_receiver() {
    let known = "List-Id: <users.example.org>\r\n";
    delivers(known, lists, Override::MailingList, "a list we read");
    delivers("", partners, Override::LocalPolicy, "a partner's gateway");
}

#[test]
fn rules_that_do_not_apply() {
    for fields in ["", "List-Id: <other.example.org>\r\n"] {
        assert_eq!(excepted(fields, lists).action(), Action::Reject, "{fields}");
    }
}
