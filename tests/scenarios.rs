//! The two field reports behind the crate, case by case: a Teams invitation whose envelope and From
//! belong to different organizations (a), and a list forwarder that rewrites the envelope sender
//! (b). Each case runs through the front door and asserts every word a receiver would act on.

#[path = "scenarios/case.rs"]
mod case;

use case::{A, B, Case, Expected};
use mailproof::Action;
use mailproof::arc::ArcResult;
use mailproof::verdict::{OverrideKind, RejectRule};
use mailproof::verifier::Settings;

/// As reported: everything is in order, and no DMARC policy applies.
#[test]
fn a0() {
    let case = Case {
        message: "a-sealed",
        ..A
    };
    case.gives(&Expected {
        spf: ("pass", "netatwork.de"),
        dkim: &["pass"],
        dmarc: "none",
        requested: "none",
        action: "deliver",
        enforced: "deliver",
        reply: None,
        enforced_reply: None,
    });
    let verdict = case.verdict(RejectRule::Corroborated);
    assert_eq!(verdict.arc().result(), ArcResult::Pass, "{}", verdict.arc());
    let [set] = verdict.arc().sets() else {
        panic!("{:?}", verdict.arc());
    };
    assert_eq!(set.domain().unwrap().as_str(), "microsoft.com");
    assert_eq!(set.selector(), Some("arcselector9901"));
    assert_eq!(set.chain_validation(), Some(ArcResult::None));
    assert_eq!(
        set.results_text().unwrap(),
        "mx.microsoft.com 1; spf=pass smtp.mailfrom=netatwork.de; dmarc=pass action=none \
         header.from=netatwork.onmicrosoft.com; dkim=pass header.d=netatwork.onmicrosoft.com; \
         arc=none"
    );
    let results = set.results().unwrap();
    assert_eq!(results.authserv_id().unwrap().as_str(), "mx.microsoft.com");
    let words: Vec<String> = results
        .results()
        .iter()
        .map(|result| format!("{}={}", result.method, result.result))
        .collect();
    assert_eq!(words, ["spf=pass", "dmarc=pass", "dkim=pass", "arc=none"]);
}

/// The author domain asks to reject; its own signature makes DMARC pass, without SPF.
#[test]
fn a3() {
    Case {
        message: "a-signed",
        zone: "_dmarc.netatwork.onmicrosoft.com. TXT \"v=DMARC1; p=reject\"\n",
        ip: "203.0.113.7",
        helo: "relay.example.net",
        without: &["netatwork.de", "_spf.netatwork.de"],
        ..A
    }
    .gives(&Expected {
        spf: ("none", "netatwork.de"),
        dkim: &["pass"],
        dmarc: "pass",
        requested: "none",
        action: "deliver",
        enforced: "deliver",
        reply: None,
        enforced_reply: None,
    });
}

/// As reported: SPF passes and DKIM passes, both for the forwarder; DMARC fails, and the author
/// domain asks for nothing.
#[test]
fn b0() {
    Case {
        message: "b-list",
        zone: "_dmarc.firma-a.tld. TXT \"v=DMARC1; p=none; rua=mailto:dmarc@firma-a.tld; \
               ruf=mailto:dmarc@firma-a.tld\"\n",
        ..B
    }
    .gives(&Expected {
        spf: ("pass", "firma-b.tld"),
        dkim: &["pass"],
        dmarc: "fail",
        requested: "none",
        action: "deliver",
        enforced: "deliver",
        reply: None,
        enforced_reply: None,
    });
}

/// The author domain asks to reject: quarantined, since an authenticated third party visibly
/// relayed the message.
#[test]
fn b0r() {
    Case {
        message: "b-list",
        zone: REJECT,
        ..B
    }
    .gives(&Expected {
        spf: ("pass", "firma-b.tld"),
        dkim: &["pass"],
        dmarc: "fail",
        requested: "reject",
        action: "quarantine",
        enforced: "reject",
        reply: None,
        enforced_reply: Some("550 5.7.1 DMARC"),
    });
}

#[test]
fn b1() {
    let zone = "_dmarc.firma-a.tld. TXT \"v=DMARC1; p=quarantine\"\n";
    Case {
        message: "b-list",
        zone,
        ..B
    }
    .gives(&Expected {
        spf: ("pass", "firma-b.tld"),
        dkim: &["pass"],
        dmarc: "fail",
        requested: "quarantine",
        action: "quarantine",
        enforced: "quarantine",
        reply: None,
        enforced_reply: None,
    });
}

/// The author signs, and the list changes nothing.
#[test]
fn b2() {
    Case {
        message: "b-list-author-signed",
        zone: REJECT,
        ..B
    }
    .gives(&Expected {
        spf: ("pass", "firma-b.tld"),
        dkim: &["pass", "pass"],
        dmarc: "pass",
        requested: "none",
        action: "deliver",
        enforced: "deliver",
        reply: None,
        enforced_reply: None,
    });
}

/// Forwarded without rewriting, or forged.
#[test]
fn b5() {
    Case {
        message: "b-plain",
        zone: REJECT,
        mail_from: "userA@firma-a.tld",
        ..B
    }
    .gives(&Expected {
        spf: ("fail", "firma-a.tld"),
        dkim: &[],
        dmarc: "fail",
        requested: "reject",
        action: "reject",
        enforced: "reject",
        reply: Some("550 5.7.26 "),
        enforced_reply: Some("550 5.7.26 "),
    });
}

/// Direct from the author's own server, but with an envelope domain that strict alignment refuses.
#[test]
fn b7() {
    Case {
        message: "b-plain",
        zone: "_dmarc.firma-a.tld. TXT \"v=DMARC1; p=reject; aspf=s\"\n",
        ip: "192.0.2.10",
        helo: "mx.firma-a.tld",
        mail_from: "x@bounce.firma-a.tld",
        ..B
    }
    .gives(&Expected {
        spf: ("pass", "bounce.firma-a.tld"),
        dkim: &[],
        dmarc: "fail",
        requested: "reject",
        action: "reject",
        enforced: "reject",
        reply: Some("550 5.7.1 DMARC"),
        enforced_reply: Some("550 5.7.1 DMARC"),
    });
}

/// A trusted sealer saw that DMARC passed: delivered, and DMARC's result stays.
#[test]
fn b10() {
    let case = Case {
        message: "b-list-sealed",
        zone: REJECT,
        ..B
    };
    // Nobody is trusted by default.
    case.gives(&Expected {
        spf: ("pass", "firma-b.tld"),
        dkim: &["pass"],
        dmarc: "fail",
        requested: "reject",
        action: "quarantine",
        enforced: "reject",
        reply: None,
        enforced_reply: Some("550 5.7.1 DMARC"),
    });
    for rule in [RejectRule::Corroborated, RejectRule::Enforce] {
        let mut settings = Settings::default();
        settings.policy.reject_rule = rule;
        let trusted = &mut settings.policy.trusted_sealers;
        trusted.push("firmab.onmicrosoft.com".parse().unwrap());
        let verdict = case.verdict_with(settings);
        assert_eq!(verdict.arc().result(), ArcResult::Pass);
        assert_eq!(verdict.dmarc().result().as_str(), "fail");
        assert_eq!(verdict.dmarc().disposition().to_string(), "reject");
        assert_eq!(verdict.action(), Action::Deliver);
        assert_eq!(verdict.smtp_reply(), None);
        let overridden = verdict.decision().overridden().unwrap();
        assert_eq!(overridden.kind, OverrideKind::LocalPolicy);
        assert_eq!(
            overridden.comment,
            "arc=pass as[1].d=firmab.onmicrosoft.com as[1].s=selector2-firmab-onmicrosoft-com \
             remote-ip[1]=192.0.2.10"
        );
    }
    // Another domain's trust is none of its business.
    let mut settings = Settings::default();
    let trusted = &mut settings.policy.trusted_sealers;
    trusted.push("onmicrosoft.com".parse().unwrap());
    assert_eq!(case.verdict_with(settings).action(), Action::Quarantine);
}

const REJECT: &str = "_dmarc.firma-a.tld. TXT \"v=DMARC1; p=reject\"\n";
