//! Who counts as the authenticated third party that turns a rejection into quarantine.

use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::spf::Prefix;
use mailproof::verdict::{RejectRule, TrustedForwarder};
use mailproof::verifier::Settings;
use mailproof::{Action, Message, Session, Verifier};

/// What is done with mail of an author who asks for rejection and strict alignment.
fn action(mail_from: &str, fields: &str) -> Action {
    let mut zone = Zone::new();
    for domain in ["bounce.example.com", "list.example.net"] {
        zone.add_txt(domain, "v=spf1 ip4:192.0.2.1 -all").unwrap();
    }
    zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject; aspf=s")
        .unwrap();
    let session = Session::new([192, 0, 2, 1].into(), "mx.example.net", mail_from);
    let message = format!("From: a@example.com\r\n{fields}\r\n");
    let verifier = Verifier::new(zone);
    block_on(verifier.verify(&session, &Message::parse(message.as_bytes()))).action()
}

const LIST: &str = "List-Id: <list.example.net>\r\n";

#[test]
fn a_list_of_somebody_else() {
    assert_eq!(action("l@list.example.net", LIST), Action::Quarantine);
    assert_eq!(action("l@list.example.net", ""), Action::Reject);
    let announcements = "List-Post: NO\r\n";
    assert_eq!(
        action("l@list.example.net", announcements),
        Action::Quarantine
    );
}

/// RFC 2919 3: a List-Id has at least its label.
#[test]
fn an_empty_field_names_no_list() {
    assert_eq!(
        action("l@list.example.net", "List-Id: \r\n"),
        Action::Reject
    );
}

#[test]
fn the_authors_organization_is_no_third_party() {
    assert_eq!(action("x@bounce.example.com", LIST), Action::Reject);
    let rewritten = "x+SRS=y1OwP=BF=example.org=joe@bounce.example.com";
    assert_eq!(action(rewritten, ""), Action::Reject);
}

/// A refusal is for good: where the DNS kept us from knowing whether a third party relayed the
/// message, it is put off; not where nobody claims to have, or where nobody would be heard.
#[test]
fn a_party_that_the_dns_does_not_tell_of() {
    let signature = "DKIM-Signature: v=1; a=ed25519-sha256; d=list.example.net; s=s; h=From; b=AAAA;\r\n \
        bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\n";
    let reply = |mail_from: &str, fields: &str, rule: RejectRule, trusted: &[&str]| {
        let mut zone = Zone::new();
        zone.fail("fwd.example", LookupError::ServFail).unwrap();
        zone.fail("s._domainkey.list.example.net", LookupError::Timeout)
            .unwrap();
        zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject")
            .unwrap();
        let mut settings = Settings::default();
        settings.policy.reject_rule = rule;
        let trusted = trusted.iter().map(|sealer| sealer.parse().unwrap());
        settings.policy.trusted_sealers = trusted.collect();
        let session = Session::new([192, 0, 2, 1].into(), "mx.example.net", mail_from);
        let message = format!("{fields}From: a@example.com\r\n\r\n");
        let verifier = Verifier::with_settings(zone, settings);
        let verdict = block_on(verifier.verify(&session, &Message::parse(message.as_bytes())));
        assert_eq!(verdict.dmarc().result().as_str(), "fail");
        verdict.smtp_reply().unwrap().to_string()
    };
    let srs = "SRS0=AAAA=AA=example.com=a@fwd.example";
    let list = format!("{signature}{LIST}");
    for (mail_from, fields, expected) in [
        (
            srs,
            "",
            "451 4.7.24 the DNS could not be asked about SPF of fwd.example, try again",
        ),
        (
            "l@other.example",
            list.as_str(),
            "451 4.7.5 the DNS could not be asked about a DKIM key of list.example.net, try again",
        ),
        ("l@fwd.example", "", "550 5.7.1 "),
        ("l@other.example", signature, "550 5.7.1 "),
        ("l@other.example", LIST, "550 5.7.1 "),
    ] {
        let given = reply(mail_from, fields, RejectRule::Corroborated, &[]);
        assert!(given.starts_with(expected), "{mail_from} {fields}: {given}");
        let enforced = reply(mail_from, fields, RejectRule::Enforce, &[]);
        assert!(enforced.starts_with("550 5.7.1 "), "{enforced}");
        let trusting = reply(mail_from, fields, RejectRule::Enforce, &["sealer.example"]);
        assert!(trusting.starts_with(expected), "{trusting}");
    }
}

/// A forwarder that is trusted speaks for the sender that it saw. What another forwarder claims in the
/// address, anybody can have written, and pass SPF with it at the trusted one.
#[test]
fn a_trusted_forwarder_vouches_for_the_sender_that_it_saw() {
    let action = |mail_from: &str| {
        let mut zone = Zone::new();
        zone.add_txt("fwd.example", "v=spf1 ip4:192.0.2.1 -all")
            .unwrap();
        zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject")
            .unwrap();
        let mut settings = Settings::default();
        let addresses = [Prefix::host([192, 0, 2, 1].into())];
        let forwarder = TrustedForwarder::by_addresses("fwd.example".parse().unwrap(), addresses);
        settings.policy.trusted_forwarders.push(forwarder);
        let session = Session::new([192, 0, 2, 1].into(), "mx.fwd.example", mail_from);
        let message = Message::parse(b"From: ceo@example.com\r\n\r\n");
        let verdict = block_on(Verifier::with_settings(zone, settings).verify(&session, &message));
        let second_hand = "forwarder-claims-second-hand";
        let findings = verdict.diagnosis();
        let told = findings
            .iter()
            .any(|one| one.code().as_str() == second_hand);
        assert_eq!(told, verdict.action() == Action::Quarantine);
        verdict.action()
    };
    let seen = "SRS0=AAAA=AA=example.com=ceo@fwd.example";
    assert_eq!(action(seen), Action::Deliver);
    for second_hand in [
        "SRS1=AAAA=attack.example==AAAA=AA=example.com=ceo@fwd.example",
        "SRS0=AAAA=AA=attack.example=SRS0=AAAA=AA=example.com=ceo@fwd.example",
        "x+SRS=y1OwP=BF=attack.example=SRS0=AAAA=AA=example.com=ceo@fwd.example",
    ] {
        assert_eq!(action(second_hand), Action::Quarantine, "{second_hand}");
    }
}

/// What is put off tells whose records were out of reach, and of all that were, which mattered.
#[test]
fn tells_whose_records_could_not_be_had() {
    let mut zone = Zone::new();
    zone.fail("mail.example.com", LookupError::ServFail)
        .unwrap();
    zone.fail("s._domainkey.list.example.net", LookupError::Timeout)
        .unwrap();
    zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject")
        .unwrap();
    let message = "DKIM-Signature: v=1; a=ed25519-sha256; d=list.example.net; s=s; h=From; b=AAAA;\r\n \
        bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\r\nFrom: a@example.com\r\n\r\n";
    let session = Session::new(
        [192, 0, 2, 1].into(),
        "mx.example.net",
        "a@mail.example.com",
    );
    let verdict =
        block_on(Verifier::new(zone).verify(&session, &Message::parse(message.as_bytes())));
    assert_eq!(
        verdict.smtp_reply().unwrap().to_string(),
        "451 4.7.24 the DNS could not be asked about SPF of mail.example.com, try again"
    );
    let findings = verdict.diagnosis();
    let deferred = findings
        .iter()
        .find(|one| one.code().as_str() == "action-deferred");
    let sentence = deferred.unwrap().sentence();
    assert!(sentence.contains("SPF of mail.example.com;"), "{sentence}");
}
