//! A pass that rests on the SPF of a forwarder, where a field by an earlier host says that SPF had
//! failed: the author's record lists the forwarder, who forwards for anybody.

use mailproof::dns::{Zone, block_on};
use mailproof::verdict::Override;
use mailproof::verifier::Settings;
use mailproof::{Action, Message, Session, Verdict, Verifier};

const SENDER: &str = "joe@author.test";

fn verdict(fields: &str, distrust: bool) -> Verdict {
    let mut zone = Zone::new();
    zone.add_txt("author.test", "v=spf1 include:provider.test -all")
        .unwrap();
    zone.add_txt("provider.test", "v=spf1 ip4:192.0.2.0/24 -all")
        .unwrap();
    zone.add_txt("_dmarc.author.test", "v=DMARC1; p=reject")
        .unwrap();
    let mut settings = Settings::default();
    settings.policy.distrust_upgraded_spf = distrust;
    let session = Session::new([192, 0, 2, 1].into(), "out.provider.test", SENDER);
    let message = format!("{fields}From: {SENDER}\r\n\r\nHello\r\n");
    let verifier = Verifier::with_settings(zone, settings);
    block_on(verifier.verify(&session, &Message::parse(message.as_bytes())))
}

const REFUSED: &[(&str, &str)] = &[
    (
        "Received-SPF",
        "Received-SPF: fail receiver=mx.provider.test; envelope-from=\"joe@author.test\"\r\n",
    ),
    (
        "Authentication-Results",
        "Authentication-Results: mx.provider.test; dkim=none;\r\n spf=fail smtp.mailfrom=joe@author.test\r\n",
    ),
    (
        "ARC-Authentication-Results",
        "ARC-Authentication-Results: i=1; mx.provider.test;\r\n spf=fail smtp.mailfrom=author.test\r\n",
    ),
];

#[test]
fn an_earlier_fail_is_found_in_each_field() {
    for (field, fields) in REFUSED {
        let verdict = verdict(fields, false);
        assert_eq!(verdict.dmarc().result().as_str(), "pass");
        assert_eq!(verdict.action(), Action::Deliver);
        let findings = verdict.diagnosis();
        let code = "spf-upgraded-by-forwarding";
        let finding = findings.iter().find(|one| one.code().as_str() == code);
        let sentence = finding.unwrap().sentence();
        for word in [
            *field,
            "mx.provider.test",
            "spf=fail",
            "author.test",
            "anybody",
        ] {
            assert!(sentence.contains(word), "{word}: {sentence}");
        }
    }
}

#[test]
fn distrust_changes_the_action_and_no_result() {
    for (_, fields) in REFUSED {
        let verdict = verdict(fields, true);
        assert_eq!(verdict.spf().authoritative().result().as_str(), "pass");
        assert_eq!(verdict.dmarc().result().as_str(), "pass");
        assert_eq!(verdict.action(), Action::Quarantine);
        let (kind, comment) = verdict.overridden().unwrap();
        assert_eq!(kind, Override::LocalPolicy);
        assert!(comment.contains("mx.provider.test"));
    }
}

#[test]
fn other_results_upgrade_nothing() {
    for fields in [
        "",
        // Passed there as well.
        "Authentication-Results: mx.test; spf=pass smtp.mailfrom=joe@author.test\r\n",
        // Another sender, or nobody's.
        "Authentication-Results: mx.test; spf=fail smtp.mailfrom=joe@other.test\r\n",
        "Authentication-Results: mx.test; spf=fail smtp.helo=author.test\r\n",
        "Authentication-Results: mx.test; spf=unheard-of smtp.mailfrom=author.test\r\n",
        "Authentication-Results: \u{1}\r\n",
        "Received-SPF: fail\r\n",
    ] {
        let verdict = verdict(fields, true);
        assert_eq!(verdict.action(), Action::Deliver, "{fields}");
        let codes = verdict.diagnosis();
        let mut codes = codes.iter().map(|one| one.code().as_str());
        assert!(
            !codes.any(|code| code == "spf-upgraded-by-forwarding"),
            "{fields}"
        );
    }
}

/// What stands below any number of other fields is no longer looked at.
#[test]
fn many_fields_are_bounded() {
    let pass = "Authentication-Results: mx.test; spf=pass smtp.mailfrom=joe@author.test\r\n";
    let (_, fail) = REFUSED[1];
    let of = |above: usize| verdict(&format!("{}{fail}", pass.repeat(above)), true);
    assert_eq!(of(19).action(), Action::Quarantine);
    assert_eq!(of(20).action(), Action::Deliver);
    assert_eq!(of(20).relay().earlier_spf.len(), 20);
}
