//! The two field reports behind the crate, case by case: a Teams invitation whose envelope and From
//! belong to different organizations (a), and a list forwarder that rewrites the envelope sender
//! (b). Each case runs through the front door and asserts every word a receiver would act on, and
//! what the diagnosis says about it.

#[path = "scenarios/case.rs"]
mod case;
#[path = "scenarios/what_ifs.rs"]
mod what_ifs;

use case::{A, B, Case, DELIVERED, Expected, found};
use std::time::{Duration, SystemTime};

use mailproof::Action;
use mailproof::arc::ArcResult;
use mailproof::diagnosis::Severity;
use mailproof::srs::{self, Form, Forwarded, Reversed, Rewriter};
use mailproof::verdict::{Override, RejectRule, TrustedForwarder};
use mailproof::verifier::Settings;

const TENANT: &str = "netatwork.onmicrosoft.com";

/// Report A through a relay that no SPF record lists.
const A_UNLISTED: Case = Case {
    ip: "203.0.113.7",
    helo: "relay.example.net",
    ..A
};

/// Report A through Exchange Online.
const A_EXCHANGE: Case = Case {
    ip: "104.47.12.54",
    helo: "mail-a.outbound.protection.outlook.com",
    ..A
};

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
        findings: &[
            (
                "dmarc-envelope-policy-does-not-apply",
                &["netatwork.de", TENANT],
            ),
            ("dmarc-signed-without-policy", &[TENANT]),
            ("dmarc-no-policy", &[TENANT]),
            ("author-at-tenant-initial-domain", &[TENANT]),
            ("sent-on-behalf", &["netatwork.de"]),
            ("arc-sealer-not-trusted", &["microsoft.com", TENANT]),
        ],
        ..DELIVERED
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

/// Nothing protects the author domain, and its tenant can publish nothing there.
#[test]
fn a1() {
    Case {
        message: "a",
        without: &["netatwork.de", "_spf.netatwork.de"],
        ..A_UNLISTED
    }
    .gives(&Expected {
        spf: ("none", "netatwork.de"),
        findings: &[
            ("dmarc-envelope-policy-does-not-apply", &["netatwork.de"]),
            ("author-domain-unprotected", &[TENANT]),
            ("author-at-tenant-initial-domain", &[TENANT, "Office 365"]),
            ("spf-no-record", &["netatwork.de"]),
            ("dkim-none", &[TENANT]),
        ],
        ..DELIVERED
    });
}

/// The signature is right, but without a policy nobody has to care.
#[test]
fn a1d() {
    Case {
        message: "a-signed",
        without: &["netatwork.de", "_spf.netatwork.de"],
        ..A_UNLISTED
    }
    .gives(&Expected {
        spf: ("none", "netatwork.de"),
        dkim: &["pass"],
        findings: &[
            ("dmarc-envelope-policy-does-not-apply", &["netatwork.de"]),
            (
                "dmarc-signed-without-policy",
                &[TENANT, "nobody has to care"],
            ),
        ],
        ..DELIVERED
    });
}

/// SPF alone passes, for the envelope domain.
#[test]
fn a2() {
    Case {
        message: "a",
        ..A_EXCHANGE
    }
    .gives(&Expected {
        spf: ("pass", "netatwork.de"),
        findings: &[
            ("dmarc-envelope-policy-does-not-apply", &["netatwork.de"]),
            ("author-domain-unprotected", &[TENANT]),
            (
                "spf-shared-include",
                &["netatwork.de", "spf.protection.outlook.com"],
            ),
        ],
        ..DELIVERED
    });
}

/// SPF fails; without DMARC, that alone refuses nothing by default.
#[test]
fn a2x() {
    Case {
        message: "a",
        ..A_UNLISTED
    }
    .gives(&Expected {
        spf: ("fail", "netatwork.de"),
        findings: &[
            ("dmarc-envelope-policy-does-not-apply", &["netatwork.de"]),
            (
                "spf-client-not-listed",
                &["netatwork.de", "`-all`", "203.0.113.7", "_spf.netatwork.de"],
            ),
        ],
        ..DELIVERED
    });
}

/// The same at a receiver that refuses what fails SPF.
#[test]
fn a2x_enforced() {
    Case {
        message: "a",
        settings: |settings| settings.policy.enforce_spf_fail = true,
        ..A_UNLISTED
    }
    .gives(&Expected {
        spf: ("fail", "netatwork.de"),
        action: "reject",
        enforced: "reject",
        reply: Some("550 5.7.23 "),
        enforced_reply: Some("550 5.7.23 "),
        findings: &[
            ("dmarc-envelope-policy-does-not-apply", &["netatwork.de"]),
            (
                "spf-client-not-listed",
                &["netatwork.de", "`-all`", "203.0.113.7"],
            ),
        ],
        ..DELIVERED
    });
}

/// The author domain asks to reject; its own signature makes DMARC pass, without SPF.
#[test]
fn a3() {
    Case {
        message: "a-signed",
        zone: A_REJECT,
        without: &["netatwork.de", "_spf.netatwork.de"],
        ..A_UNLISTED
    }
    .gives(&Expected {
        spf: ("none", "netatwork.de"),
        dkim: &["pass"],
        dmarc: "pass",
        row: "pass dkim=pass spf=fail",
        findings: &[("pass-by-dkim-alone", &[TENANT, "netatwork.de"])],
        ..DELIVERED
    });
}

/// SPF passes too, but is not aligned: all hangs on the signature.
#[test]
fn a4() {
    Case {
        message: "a-signed",
        zone: A_REJECT,
        ..A_EXCHANGE
    }
    .gives(&Expected {
        spf: ("pass", "netatwork.de"),
        dkim: &["pass"],
        dmarc: "pass",
        row: "pass dkim=pass spf=fail",
        findings: &[
            ("pass-by-dkim-alone", &[TENANT, "netatwork.de"]),
            ("align-spf-other-organization", &["netatwork.de", TENANT]),
        ],
        ..DELIVERED
    });
}

/// SPF fails, DKIM saves the message.
#[test]
fn a5() {
    Case {
        message: "a-signed",
        zone: A_REJECT,
        ..A_UNLISTED
    }
    .gives(&Expected {
        spf: ("fail", "netatwork.de"),
        dkim: &["pass"],
        dmarc: "pass",
        row: "pass dkim=pass spf=fail",
        findings: &[
            ("pass-by-dkim-alone", &[TENANT, "fail for netatwork.de"]),
            ("spf-client-not-listed", &["netatwork.de", "203.0.113.7"]),
            ("spf-could-not-align", &["netatwork.de", TENANT]),
        ],
        ..DELIVERED
    });
}

/// The same at a receiver that checks SPF only.
#[test]
fn a5n() {
    Case {
        message: "a-signed",
        zone: A_REJECT,
        settings: spf_only,
        ..A_UNLISTED
    }
    .gives(&Expected {
        spf: ("fail", "netatwork.de"),
        dkim: &["neutral"],
        dmarc: "fail",
        requested: "reject",
        action: "reject",
        enforced: "reject",
        reply: Some("550 5.7.23 "),
        enforced_reply: Some("550 5.7.23 "),
        row: "reject dkim=fail spf=fail",
        findings: &[
            ("dkim-would-have-helped", &[TENANT]),
            ("spf-client-not-listed", &["netatwork.de", "203.0.113.7"]),
        ],
        ..DELIVERED
    });
}

/// What a receiver sees that wrongly holds SPF against the From domain.
#[test]
fn a5h() {
    for (base, result) in [(A_UNLISTED, "fail"), (A_EXCHANGE, "pass")] {
        let case = Case {
            message: "a-signed",
            zone: A_REJECT,
            ..base
        };
        let evaluation = case.spf_of("Teamname@netatwork.onmicrosoft.com");
        assert_eq!(evaluation.result().as_str(), result);
        let verdict = case.verdict(RejectRule::Corroborated);
        let note = verdict.author_spf(&evaluation).unwrap();
        assert_eq!(note.severity(), Severity::Note);
        let words = [TENANT, case.ip, result];
        found(&[note], &[("some-receivers-check-author-spf", &words)]);
        assert_eq!(verdict.dmarc().result().as_str(), "pass");
    }
}

/// A signed field was changed on the way, and nothing else authenticates the author.
#[test]
fn a5x() {
    let case = Case {
        message: "a-check-changed",
        zone: A_REJECT,
        ..A_UNLISTED
    };
    case.gives(&Expected {
        spf: ("fail", "netatwork.de"),
        dkim: &["fail"],
        dmarc: "fail",
        requested: "reject",
        action: "reject",
        enforced: "reject",
        reply: Some("550 5.7.1 DMARC"),
        enforced_reply: Some("550 5.7.1 DMARC"),
        row: "reject dkim=fail spf=fail",
        findings: &[
            ("dkim-signature-mismatch", &[TENANT]),
            ("spf-could-not-align", &["netatwork.de", TENANT]),
            ("spf-client-not-listed", &["netatwork.de"]),
        ],
        ..DELIVERED
    });
    case.explains(&[(
        "header-field-changed",
        &[TENANT, "X-MS-Exchange-SenderADCheck", "\"1\"", "\"0\""],
    )]);
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
        row: "none dkim=fail spf=fail",
        findings: &[
            ("envelope-exchange-srs", &["firma-b.tld", "firma-a.tld"]),
            (
                "srs-original-is-author",
                &["userA@firma-a.tld", "firma-a.tld", "firma-b.tld"],
            ),
            (
                "align-spf-other-organization",
                &["firma-b.tld", "firma-a.tld"],
            ),
            ("align-dkim-other-organization", &["firmab.onmicrosoft.com"]),
            (
                "dkim-third-party-only",
                &["firmab.onmicrosoft.com", "firma-a.tld"],
            ),
            ("dkim-tenant-initial-domain", &["firmab.onmicrosoft.com"]),
            ("dmarc-without-dkim", &["firma-a.tld"]),
            ("dmarc-monitoring-only", &["firma-a.tld"]),
        ],
        ..DELIVERED
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
        enforced_reply: Some("550 5.7.1 DMARC"),
        overridden: Some("local_policy"),
        row: "quarantine dkim=fail spf=fail local_policy",
        findings: &[
            ("envelope-exchange-srs", &["firma-b.tld", "firma-a.tld"]),
            (
                "srs-original-is-author",
                &["userA@firma-a.tld", "firma-a.tld", "firma-b.tld"],
            ),
            (
                "align-spf-other-organization",
                &["firma-b.tld", "firma-a.tld"],
            ),
            ("align-dkim-other-organization", &["firmab.onmicrosoft.com"]),
            (
                "dkim-third-party-only",
                &["firmab.onmicrosoft.com", "firma-a.tld"],
            ),
            ("dkim-tenant-initial-domain", &["firmab.onmicrosoft.com"]),
            ("dmarc-without-dkim", &["firma-a.tld"]),
            ("policy-overridden", &["firma-a.tld", "local_policy"]),
        ],
        ..DELIVERED
    });
}

/// The author domain asks for quarantine.
#[test]
fn b1() {
    Case {
        message: "b-list",
        zone: "_dmarc.firma-a.tld. TXT \"v=DMARC1; p=quarantine\"\n",
        ..B
    }
    .gives(&Expected {
        spf: ("pass", "firma-b.tld"),
        dkim: &["pass"],
        dmarc: "fail",
        requested: "quarantine",
        action: "quarantine",
        enforced: "quarantine",
        row: "quarantine dkim=fail spf=fail",
        findings: &[
            ("envelope-exchange-srs", &["firma-b.tld", "firma-a.tld"]),
            (
                "srs-original-is-author",
                &["userA@firma-a.tld", "firma-a.tld", "firma-b.tld"],
            ),
            (
                "align-spf-other-organization",
                &["firma-b.tld", "firma-a.tld"],
            ),
            ("align-dkim-other-organization", &["firmab.onmicrosoft.com"]),
            (
                "dkim-third-party-only",
                &["firmab.onmicrosoft.com", "firma-a.tld"],
            ),
            ("dkim-tenant-initial-domain", &["firmab.onmicrosoft.com"]),
            ("dmarc-without-dkim", &["firma-a.tld"]),
        ],
        ..DELIVERED
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
        row: "pass dkim=pass spf=fail",
        findings: &[("pass-by-dkim-alone", &["firma-a.tld", "firma-b.tld"])],
        ..DELIVERED
    });
}

/// The list appends a footer.
#[test]
fn b3() {
    let case = Case {
        message: "b-list-footer",
        zone: REJECT,
        ..B
    };
    case.gives(&Expected {
        spf: ("pass", "firma-b.tld"),
        dkim: &["pass", "fail"],
        dmarc: "fail",
        requested: "reject",
        action: "quarantine",
        enforced: "reject",
        enforced_reply: Some("550 5.7.1 DMARC"),
        overridden: Some("local_policy"),
        row: "quarantine dkim=fail spf=fail local_policy",
        findings: &[
            ("dkim-body-hash-mismatch", &["firma-a.tld", "intact"]),
            ("envelope-exchange-srs", &["firma-b.tld"]),
        ],
        ..DELIVERED
    });
    case.explains(&[("body-appended", &["firma-a.tld", "64 octets"])]);
}

/// The list puts its name before the Subject.
#[test]
fn b4() {
    let case = Case {
        message: "b-list-subject",
        zone: REJECT,
        ..B
    };
    case.gives(&Expected {
        spf: ("pass", "firma-b.tld"),
        dkim: &["pass", "fail"],
        dmarc: "fail",
        requested: "reject",
        action: "quarantine",
        enforced: "reject",
        enforced_reply: Some("550 5.7.1 DMARC"),
        overridden: Some("local_policy"),
        row: "quarantine dkim=fail spf=fail local_policy",
        findings: &[
            ("dkim-signature-mismatch", &["firma-a.tld"]),
            ("envelope-exchange-srs", &["firma-b.tld"]),
        ],
        ..DELIVERED
    });
    case.explains(&[(
        "header-field-changed",
        &["firma-a.tld", "Subject", "[Verteiler] Angebot"],
    )]);
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
        dmarc: "fail",
        requested: "reject",
        action: "reject",
        enforced: "reject",
        reply: Some("550 5.7.26 "),
        enforced_reply: Some("550 5.7.26 "),
        row: "reject dkim=fail spf=fail",
        findings: &[
            (
                "forwarded-unrewritten-or-forged",
                &["104.47.11.20", "firma-a.tld", "nothing here can tell"],
            ),
            ("spf-client-not-listed", &["firma-a.tld", "104.47.11.20"]),
            ("dkim-none", &["firma-a.tld"]),
        ],
        ..DELIVERED
    });
}

/// It passes because author and forwarder share a provider, and so would any other tenant.
#[test]
fn b6() {
    Case {
        message: "b-plain",
        zone: "_dmarc.firma-a.tld. TXT \"v=DMARC1; p=reject\"\n\
            firma-a.tld. TXT \"v=spf1 ip4:192.0.2.10 include:spf.protection.outlook.com -all\"\n",
        without: &["firma-a.tld"],
        mail_from: "userA@firma-a.tld",
        ..B
    }
    .gives(&Expected {
        spf: ("pass", "firma-a.tld"),
        dmarc: "pass",
        row: "pass dkim=fail spf=pass",
        findings: &[
            (
                "spf-shared-include",
                &[
                    "firma-a.tld",
                    "spf.protection.outlook.com",
                    "proves nothing about one tenant",
                ],
            ),
            ("pass-by-spf-alone", &["firma-a.tld"]),
            ("dmarc-without-dkim", &["firma-a.tld"]),
        ],
        ..DELIVERED
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
        dmarc: "fail",
        requested: "reject",
        action: "reject",
        enforced: "reject",
        reply: Some("550 5.7.1 DMARC"),
        enforced_reply: Some("550 5.7.1 DMARC"),
        row: "reject dkim=fail spf=fail",
        findings: &[(
            "align-strict-mode",
            &[
                "bounce.firma-a.tld",
                "aspf=s",
                "relaxed alignment would pass",
            ],
        )],
        ..DELIVERED
    });
}

/// The forwarder is trusted, and proves itself.
#[test]
fn b8() {
    Case {
        message: "b-list",
        zone: REJECT,
        settings: trust,
        ..B
    }
    .gives(&Expected {
        spf: ("pass", "firma-b.tld"),
        dkim: &["pass"],
        dmarc: "fail",
        requested: "reject",
        overridden: Some("trusted_forwarder"),
        row: "none dkim=fail spf=fail trusted_forwarder",
        findings: &[
            ("envelope-exchange-srs", &["firma-b.tld", "firma-a.tld"]),
            (
                "forwarder-trusted",
                &["firma-b.tld", "firma-a.tld", "firmab.onmicrosoft.com"],
            ),
            ("policy-overridden", &["trusted_forwarder"]),
        ],
        ..DELIVERED
    });
}

/// Another tenant of the same provider claims the trusted forwarder.
#[test]
fn b8x() {
    Case {
        message: "b-plain",
        zone: REJECT,
        mail_from: "x+SRS=AAAA=BF=firma-a.tld=ceo@firma-b.tld",
        settings: trust,
        ..B
    }
    .gives(&Expected {
        spf: ("pass", "firma-b.tld"),
        dmarc: "fail",
        requested: "reject",
        action: "reject",
        enforced: "reject",
        reply: Some("550 5.7.1 DMARC"),
        enforced_reply: Some("550 5.7.1 DMARC"),
        row: "reject dkim=fail spf=fail",
        findings: &[
            (
                "forwarder-proof-failed",
                &["firma-b.tld", "firmab.onmicrosoft.com"],
            ),
            (
                "spf-shared-include",
                &["firma-b.tld", "proves nothing about one tenant"],
            ),
        ],
        ..DELIVERED
    });
}

/// The trusted forwarder forwards for somebody else.
#[test]
fn b9() {
    Case {
        message: "b-list",
        zone: REJECT,
        mail_from: "Verteilername+SRS=y1OwP=BF=firma-x.tld=userX@firma-b.tld",
        settings: trust,
        ..B
    }
    .gives(&Expected {
        spf: ("pass", "firma-b.tld"),
        dkim: &["pass"],
        dmarc: "fail",
        requested: "reject",
        action: "reject",
        enforced: "reject",
        reply: Some("550 5.7.1 DMARC"),
        enforced_reply: Some("550 5.7.1 DMARC"),
        row: "reject dkim=fail spf=fail",
        findings: &[
            (
                "forwarder-claims-other-author",
                &["userX@firma-x.tld", "firma-a.tld", "firma-b.tld"],
            ),
            (
                "srs-original-is-other",
                &["userX@firma-x.tld", "firma-a.tld"],
            ),
        ],
        ..DELIVERED
    });
}

/// The bounce comes back: the claimed sender can be read by anybody, but only our own addresses can
/// be reversed, with the secret.
#[test]
fn b11() {
    let claimed = srs::Claimed::decode(B.mail_from).unwrap();
    assert_eq!(claimed.form(), Form::Exchange);
    assert_eq!(claimed.original().unwrap(), "userA@firma-a.tld");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(B.now);
    let rewriter = Rewriter::new("firma-b.tld".parse().unwrap(), "secret of firma-b").unwrap();
    assert!(!matches!(
        rewriter.reverse(B.mail_from, now),
        Reversed::Valid { .. }
    ));
    let Forwarded::Srs0(ours) = rewriter.forward("userA@firma-a.tld", now) else {
        panic!("not rewritten");
    };
    let Reversed::Valid { address, .. } = rewriter.reverse(&ours, now) else {
        panic!("{ours} is not ours");
    };
    assert_eq!(address, "userA@firma-a.tld");
    let other = Rewriter::new("firma-b.tld".parse().unwrap(), "another secret!!").unwrap();
    assert!(!matches!(other.reverse(&ours, now), Reversed::Valid { .. }));
}

/// The long form of Exchange's rewriting holds no sender.
#[test]
fn b12() {
    let case = Case {
        message: "b-list",
        zone: REJECT,
        mail_from: "bounces+SRS=DmMzc=V3@firma-b.tld",
        ..B
    };
    let verdict = case.verdict(RejectRule::Corroborated);
    let claimed = verdict.relay().srs.as_ref().unwrap();
    assert_eq!(claimed.form(), Form::ExchangeOpaque);
    assert!(claimed.original().is_none());
    let words: &[&str] = &["firma-b.tld", "firma-a.tld", "no original sender"];
    found(
        &verdict.diagnosis(),
        &[("envelope-exchange-srs-opaque", words)],
    );
}

const A_REJECT: &str = "_dmarc.netatwork.onmicrosoft.com. TXT \"v=DMARC1; p=reject\"\n";

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
        enforced_reply: Some("550 5.7.1 DMARC"),
        overridden: Some("local_policy"),
        row: "quarantine dkim=fail spf=fail local_policy",
        findings: &[
            ("envelope-exchange-srs", &["firma-b.tld", "firma-a.tld"]),
            (
                "arc-sealer-not-trusted",
                &["firmab.onmicrosoft.com", "firma-a.tld"],
            ),
        ],
        ..DELIVERED
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
        let (kind, comment) = verdict.overridden().unwrap();
        assert_eq!(kind, Override::LocalPolicy);
        found(
            &verdict.diagnosis(),
            &[
                ("envelope-exchange-srs", &["firma-b.tld"]),
                (
                    "arc-trusted-sealer",
                    &["firmab.onmicrosoft.com", "firma-a.tld"],
                ),
            ],
        );
        assert_eq!(
            comment,
            "arc=pass as[1].d=firmab.onmicrosoft.com as[1].s=selector2-firmab-onmicrosoft-com \
             remote-ip[1]=192.0.2.10"
        );
        let trusting = Case {
            settings: |settings| {
                let trusted = &mut settings.policy.trusted_sealers;
                trusted.push("firmab.onmicrosoft.com".parse().unwrap());
            },
            ..case
        };
        let row = trusting.row(rule).unwrap();
        assert_eq!(row.disposition.to_string(), "none");
        assert_eq!(row.reasons[0].kind.to_string(), "local_policy");
        assert_eq!(row.reasons[0].comment.as_ref().unwrap().text, comment);
    }
    // Another domain's trust is none of its business.
    let mut settings = Settings::default();
    let trusted = &mut settings.policy.trusted_sealers;
    trusted.push("onmicrosoft.com".parse().unwrap());
    assert_eq!(case.verdict_with(settings).action(), Action::Quarantine);
}

const REJECT: &str = "_dmarc.firma-a.tld. TXT \"v=DMARC1; p=reject\"\n";

/// A receiver that checks SPF only.
fn spf_only(settings: &mut Settings) {
    settings.policy.spf_only = true;
    settings.policy.enforce_spf_fail = true;
    settings.dkim.max_signatures = 0;
}

/// A receiver that trusts firma-b.tld where its tenant's signature holds.
fn trust(settings: &mut Settings) {
    let signing_domain = "firmab.onmicrosoft.com".parse().unwrap();
    let domain = "firma-b.tld".parse().unwrap();
    let forwarder = TrustedForwarder::by_signature(domain, signing_domain);
    settings.policy.trusted_forwarders.push(forwarder);
}
