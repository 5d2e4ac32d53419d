//! Departures from what the author domain asks for are told as aggregate reports tell them.

use mailproof::dns::{Zone, block_on};
use mailproof::verdict::OverrideKind;
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
        let overridden = verdict.decision().overridden().unwrap();
        assert_eq!(overridden.kind, OverrideKind::LocalPolicy, "{policy}");
        assert_eq!(
            overridden.comment,
            "SPF failed, which this receiver enforces"
        );
    }
}

#[test]
fn nothing_to_depart_from() {
    for policy in [None, Some("v=DMARC1; p=reject")] {
        let verdict = verdict(policy);
        assert_eq!(verdict.action(), Action::Reject);
        assert!(verdict.decision().overridden().is_none(), "{policy:?}");
    }
}
