//! Attacks by the message: signatures that cover less than they seem to (15.5), messages sent
//! again, and names that look like others (Shen et al., ‘Weak Links in Authentication Chains’, USENIX
//! Security 2021).

use std::time::Duration;

use mailproof::Action;
use mailproof::auth_results::AuthenticationResults;
use mailproof::dkim::{Cause, KeyRecord};
use mailproof::dns::Zone;
use mailproof::message::{Author, AuthorError, Head};

use super::dkim_support::{craft, key};
use super::{ATTACKER, Attempt, VICTIM, VICTIM_IP, assert_finding, assert_words, now, signed};

/// The zone, where the signer that writes any tags has the victim's key.
fn zone() -> Zone {
    let mut zone = super::zone();
    let record = KeyRecord::new(key().verifying_key()).to_string();
    let name = format!("t._domainkey.{VICTIM}");
    zone.add_txt(&name, record).unwrap();
    zone
}

/// Field reports of May 2024: `l=`, and a Content-Type that is not signed or stands once more, let
/// the whole body be replaced for the reader.
#[test]
fn length_tag_and_another_body() {
    let body = "The invoice is right.\r\n";
    let header = "From: a@legitimate.example\r\nSubject: invoice\r\nContent-Type: text/plain\r\n";
    for names in ["From:Subject", "From:Subject:Content-Type"] {
        for length in [0, body.len()] {
            let tags = format!("d={VICTIM}; s=t; l={length}; h={names};");
            let honest = craft(&tags, header, body, length);
            let replaced = honest.replace(
                "From: a@",
                "Content-Type: multipart/mixed; boundary=x\r\nFrom: a@",
            );
            let mail = format!("{replaced}--x\r\n\r\nPay to this account.\r\n--x--\r\n");
            let mut attempt = Attempt::new(&mail);
            attempt.zone = zone();
            let verdict = attempt.verdict();
            assert_words(&verdict, "pass", &["policy"], "fail", Action::Reject);
            assert!(matches!(
                verdict.dkim()[0].cause(),
                Cause::PartialBody { signed, .. } if *signed == u64::try_from(length).unwrap()
            ));
            assert_finding(&verdict, "dkim-partial-body");
        }
    }
}

/// Signed mail that is sent again unchanged passes wherever it goes: that is what DKIM is. What a
/// receiver can hold against it is its age, its expiry, and the signature's own mark, by which
/// repetitions can be counted.
#[test]
fn replay() {
    let mail = "From: a@legitimate.example\r\nTo: me@freemail.example\r\n\r\nBuy.\r\n";
    let mail = signed(VICTIM, mail);
    let mut attempt = Attempt::new(&mail);
    let verdict = attempt.verdict();
    assert_words(&verdict, "pass", &["pass"], "pass", Action::Deliver);
    let mark = verdict.dkim()[0].prefix().unwrap().to_owned();
    let again = Attempt::new(&mail)
        .envelope("x.attack.example", "other@attack.example")
        .verdict();
    assert_eq!(again.dkim()[0].prefix(), Some(mark.as_str()));
    assert_eq!(again.dkim()[0].timestamp(), Some(1_700_000_000));
    attempt.settings.dkim.maximum_age = Some(Duration::from_secs(86_400));
    for (hours, dkim, dmarc, action) in [
        (24, "pass", "pass", Action::Deliver),
        (25, "policy", "fail", Action::Reject),
    ] {
        attempt.now = now() + Duration::from_secs(hours * 3_600);
        let verdict = attempt.verdict();
        assert_words(&verdict, "pass", &[dkim], dmarc, action);
        if action == Action::Reject {
            assert_finding(&verdict, "dkim-too-old");
        }
    }
    // The signer's own limit.
    let tags = format!("d={VICTIM}; s=t; t=1699990000; x=1699999000; h=From;");
    let body = "Buy.\r\n";
    let expired = craft(&tags, "From: a@legitimate.example\r\n", body, body.len());
    let mut attempt = Attempt::new(&expired);
    attempt.zone = zone();
    let verdict = attempt.verdict();
    assert_words(&verdict, "pass", &["fail"], "fail", Action::Reject);
    assert_finding(&verdict, "dkim-expired");
}

/// A second To or Subject above the signed one, where the signer named each once.
#[test]
fn replay_with_fields_added() {
    let body = "Buy.\r\n";
    let tags = format!("d={VICTIM}; s=t; h=From:To:Subject;");
    let header = "From: a@legitimate.example\r\nTo: me@freemail.example\r\nSubject: hello\r\n";
    let honest = craft(&tags, header, body, body.len());
    let added = format!("To: victim@other.example\r\nSubject: URGENT\r\n{honest}");
    let mut attempt = Attempt::new(&added);
    attempt.zone = zone();
    // RFC 6376 5.4.2 lets it pass; it is told.
    let verdict = attempt.verdict();
    assert_words(&verdict, "pass", &["pass"], "pass", Action::Deliver);
    let unsigned: Vec<&str> = verdict.dkim()[0]
        .unsigned_fields()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(unsigned, ["to", "subject"]);
    assert_finding(&verdict, "dkim-unsigned-fields");
    attempt.settings.dkim.forbidden_unsigned = vec!["Subject".into()];
    let verdict = attempt.verdict();
    assert_words(&verdict, "pass", &["policy"], "fail", Action::Reject);
    assert_finding(&verdict, "dkim-unsigned-instance");
    // What we sign names such fields once more than they occur: nothing can be added.
    let oversigned = signed(VICTIM, &format!("{header}\r\n{body}"));
    let added = format!("Subject: URGENT\r\n{oversigned}");
    let verdict = Attempt::new(&added).verdict();
    assert_words(&verdict, "pass", &["fail"], "fail", Action::Reject);
    assert_finding(&verdict, "dkim-signature-mismatch");
}

/// Empty MAIL FROM: SPF speaks for HELO, which is the attacker's own name.
#[test]
fn null_reverse_path() {
    let mail = "From: admin@legitimate.example\r\n\r\nNow.\r\n";
    let verdict = Attempt::new(mail)
        .envelope("helo.attack.example", "<>")
        .verdict();
    assert_words(&verdict, "pass", &[], "fail", Action::Reject);
    assert_finding(&verdict, "null-reverse-path");
    // HELO with the victim's name is checked for the attacker's address.
    let verdict = Attempt::new(mail).envelope(VICTIM, "").verdict();
    assert_words(&verdict, "fail", &[], "fail", Action::Reject);
}

/// A subdomain that publishes nothing, or does not exist, has its organization's policy.
#[test]
fn subdomain_without_policy() {
    for domain in [
        "sub.legitimate.example",
        "a.b.c.d.e.f.g.h.legitimate.example",
    ] {
        let mail = signed(ATTACKER, &format!("From: admin@{domain}\r\n\r\nNow.\r\n"));
        let verdict = Attempt::new(&mail).verdict();
        assert_words(&verdict, "pass", &["pass"], "fail", Action::Reject);
        assert_eq!(verdict.dmarc().policy_domain().unwrap().as_str(), VICTIM);
    }
}

/// A name that looks like the victim's is another name, and is shown in ASCII; the display name,
/// with whatever marks of direction, says nothing.
#[test]
fn homographs_and_display_names() {
    // A Cyrillic letter for the "e".
    let mail =
        "From: \"\u{202e}elpmaxe.etamitigel\" <admin@l\u{435}gitimate.example>\r\n\r\nNow.\r\n";
    let verdict = Attempt::new(mail).verdict();
    let author = verdict.author().domain().unwrap();
    assert!(author.as_str().starts_with("xn--"), "{author}");
    assert_words(&verdict, "pass", &[], "none", Action::Deliver);
    assert_finding(&verdict, "dmarc-no-policy");
    let mail = "From: \"admin@legitimate.example\" <a@attack.example>\r\n\r\nNow.\r\n";
    let verdict = Attempt::new(mail).verdict();
    assert_eq!(verdict.author().domain().unwrap().as_str(), ATTACKER);
}

/// A second From behind more fields than are read.
#[test]
fn author_behind_many_fields() {
    let header = "a:\r\n".repeat(Head::MAX_FIELDS - 3);
    let mail = |first: &str, last: &str| {
        signed(
            ATTACKER,
            &format!("From: x@{first}\r\n{header}From: x@{last}\r\n\r\nNow.\r\n"),
        )
    };
    // Up to the limit it is seen.
    let verdict = Attempt::new(&mail(ATTACKER, VICTIM)).verdict();
    assert_finding(&verdict, "author-several-fields");
    for (first, last) in [(ATTACKER, VICTIM), (VICTIM, ATTACKER)] {
        let mail = format!("b:\r\n{}", mail(first, last));
        let verdict = Attempt::new(&mail).verdict();
        let limit = Head::MAX_FIELDS;
        let too_many = AuthorError::TooManyFields { limit };
        assert_eq!(verdict.author(), &Author::Unparseable(too_many));
        assert_eq!(verdict.dmarc().result().as_str(), "permerror");
        assert_eq!(verdict.action(), Action::Quarantine);
        assert_finding(&verdict, "author-unreadable");
        assert_finding(&verdict, "header-malformed");
    }
}

/// Results that strangers wrote do not count, and HELO cannot write any (CVE-2019-20790 and
/// CVE-2020-12272 of another implementation).
#[test]
fn forged_results() {
    let mail = "Authentication-Results: mx.receiver.example; dmarc=pass header.from=legitimate.example\r\n\
        From: admin@legitimate.example\r\n\r\nNow.\r\n";
    let helo = "legitimate.example; spf=pass smtp.mailfrom=legitimate.example; dmarc=pass";
    for helo in [helo, "legitimate.example(", "\"legitimate.example"] {
        let verdict = Attempt::new(mail)
            .envelope(helo, "any@legitimate.example")
            .verdict();
        assert_words(&verdict, "fail", &[], "fail", Action::Reject);
        let field = verdict
            .authentication_results(&"mx.receiver.example".parse().unwrap())
            .to_field();
        let (_, value) = field.split_once(':').unwrap();
        let read = AuthenticationResults::read(value.as_bytes()).unwrap();
        assert!(
            read.results()
                .iter()
                .all(|result| result.result.as_str() != "pass"),
            "{field}"
        );
    }
    // The victim's own server gets through all the same.
    let mut honest = Attempt::new(mail).envelope(VICTIM, "any@legitimate.example");
    honest.ip = VICTIM_IP;
    assert_words(&honest.verdict(), "pass", &[], "pass", Action::Deliver);
}
