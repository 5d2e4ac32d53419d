//! Findings that neither the scenarios nor the combinations of `diagnosis.rs` lead to: each from a
//! message and DNS data of its own.

#[path = "scenarios/case.rs"]
#[allow(dead_code, reason = "the cases are in another test")]
mod case;
#[allow(dead_code, reason = "other tests use the rest")]
mod dkim_support;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use dkim_support::craft;
use mailproof::crypto::SigningKey;
use mailproof::diagnosis::Finding;
use mailproof::dkim::BodyHashes;
use mailproof::dkim::{Canonicalization, KeyRecord, Signer};
use mailproof::dmarc::PublicSuffixList;
use mailproof::dns::{LookupError, RecordType, Zone, block_on};
use mailproof::spf::Prefix;
use mailproof::verdict::TrustedForwarder;
use mailproof::verifier::Settings;
use mailproof::{Message, Session, Verdict, Verifier, dkim};

const NOW: u64 = 1_700_000_000;
const HEADER: &str = "From: a@author.test\r\nSubject: hello\r\n";
const BODY: &str = "one\r\ntwo\r\n";
const TAGS: &str = "d=author.test; s=s; h=From:Subject;";
const KEY: &str = "s._domainkey.author.test";

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(NOW)
}

fn record() -> String {
    KeyRecord::new(dkim_support::key().verifying_key()).to_string()
}

/// The author asks to reject; the key is `record`.
fn zone(record: &str) -> Zone {
    let mut zone = Zone::new();
    zone.add_txt("_dmarc.author.test", "v=DMARC1; p=reject")
        .unwrap();
    zone.add_txt(KEY, record).unwrap();
    zone
}

fn session(mail_from: &str) -> Session {
    Session::new([192, 0, 2, 1].into(), "mx.author.test", mail_from)
}

fn verify(zone: &Zone, session: &Session, mail: &str, settings: fn(&mut Settings)) -> Verdict {
    let mut chosen = Settings::default();
    settings(&mut chosen);
    let verifier = Verifier::with_settings(zone, chosen);
    let message = Message::parse(mail.as_bytes());
    block_on(verifier.at(now()).verify(session, &message))
}

/// The finding is there, and its sentence names the words.
fn has(findings: &[Finding], code: &str, words: &[&str]) {
    let finding = findings.iter().find(|one| one.code().as_str() == code);
    let finding = finding.unwrap_or_else(|| panic!("no {code} among {findings:#?}"));
    for word in words {
        assert!(finding.sentence().contains(word), "{word}: {finding}");
    }
    findings.iter().for_each(case::complete);
}

/// Tags and record of a signature, settings, and what comes of them.
struct Signature<'s> {
    tags: &'s str,
    /// Octets of the body that are hashed.
    length: usize,
    record: String,
    settings: fn(&mut Settings),
    code: &'s str,
}

fn plain<'s>(tags: &'s str, record: &str, code: &'s str) -> Signature<'s> {
    Signature {
        tags,
        length: BODY.len(),
        record: record.to_owned(),
        settings: |_| {},
        code,
    }
}

#[test]
fn signatures() {
    let good = record();
    let with = |tag: &str| format!("{good}; {tag}");
    let rsa = format!("v=DKIM1; p={}", rsa(1_024));
    let long = format!(
        "d=author.test; s={}; h=From:Subject;",
        [63, 63, 63, 40].map(|most| "x".repeat(most)).join(".")
    );
    let cases = [
        plain(
            "d=author.test; s=s; t=1; x=2; h=From:Subject;",
            &good,
            "dkim-expired",
        ),
        Signature {
            settings: |settings| settings.dkim.refuse_future = true,
            ..plain(
                "d=author.test; s=s; t=1900000000; h=From:Subject;",
                &good,
                "dkim-from-future",
            )
        },
        plain(TAGS, &with("h=sha1"), "dkim-hash-not-allowed"),
        plain("d=author.test; s=s; h=From;", &good, "dkim-unsigned-fields"),
        plain(TAGS, &with("s=tlsrpt"), "dkim-key-not-for-mail"),
        plain(TAGS, &with("t=y"), "dkim-testing-key"),
        plain(TAGS, &rsa, "dkim-key-type-mismatch"),
        plain(&long, &good, "dkim-key-name"),
        plain(
            "d=author.test; i=@sub.author.test; s=s; h=From:Subject;",
            &with("t=s"),
            "dkim-identity-not-allowed",
        ),
        Signature {
            length: 5,
            ..plain(
                "d=author.test; s=s; l=5; h=From:Subject;",
                &good,
                "dkim-partial-body",
            )
        },
        Signature {
            length: 5,
            settings: |settings| settings.dkim.allow_partial_body = true,
            ..plain(
                "d=author.test; s=s; l=5; h=From:Subject;",
                &good,
                "dkim-length-tag",
            )
        },
        Signature {
            settings: |settings| settings.dkim.refuse_length = true,
            ..plain(
                "d=author.test; s=s; l=10; h=From:Subject;",
                &good,
                "dkim-length-given",
            )
        },
        plain(
            "d=author.test; s=s; l=11; h=From:Subject;",
            &good,
            "dkim-length-beyond-body",
        ),
        Signature {
            settings: |settings| settings.dkim.forbidden_unsigned = vec!["Subject".into()],
            ..plain(
                "d=author.test; s=s; h=From;",
                &good,
                "dkim-unsigned-instance",
            )
        },
    ];
    for Signature {
        tags,
        length,
        record,
        settings,
        code,
    } in cases
    {
        let mail = craft(tags, HEADER, BODY, length);
        let verdict = verify(&zone(&record), &session("a@author.test"), &mail, settings);
        has(&verdict.diagnosis(), code, &["author.test"]);
    }
}

/// A public key of a length, which nothing is signed with.
fn rsa(bits: usize) -> String {
    let lines = include_str!("data/dkim/rsa-sizes.txt").lines();
    let mut words = lines.map(|line| line.split(' ').collect::<Vec<_>>());
    let bits = bits.to_string();
    words.find(|words| words[0] == bits).unwrap()[1].to_owned()
}

#[test]
fn lengths_of_keys() {
    let mail = craft(TAGS, HEADER, BODY, BODY.len()).replace("ed25519-sha256", "rsa-sha256");
    for (bits, code) in [(1_023, "dkim-key-too-short"), (8_193, "dkim-key-too-long")] {
        let zone = zone(&format!("v=DKIM1; p={}", rsa(bits)));
        let verdict = verify(&zone, &session("a@author.test"), &mail, |_| {});
        has(
            &verdict.diagnosis(),
            code,
            &["author.test", KEY, &bits.to_string()],
        );
    }
}

/// A key of 1024 bits that is accepted, and a hash that is not.
#[test]
fn aging_cryptography() {
    let lines = include_str!("data/dkim/rsa-sizes.txt").lines();
    let mut words = lines.map(|line| line.split(' ').collect::<Vec<_>>());
    let words = words.find(|words| words[0] == "1024").unwrap();
    let mail = format!(
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=k1024; h=From;\r\n \
         bh=Ba3gj8+xBPQLJTahTfzW6RbWQ/XPgESxkCi2B66PSQg=;\r\n b={}\r\n\
         From: a@example.com\r\n\r\nHello\r\n",
        words[2]
    );
    let mut weak = Zone::new();
    let name = "k1024._domainkey.example.com";
    weak.add_txt(name, format!("v=DKIM1; p={}", words[1]))
        .unwrap();
    let verdict = verify(&weak, &session("a@example.com"), &mail, |_| {});
    let words: &[&str] = &["example.com", name, "1024"];
    has(&verdict.diagnosis(), "dkim-weak-key", words);

    let sha1 = "DKIM-Signature: v=1; a=rsa-sha1; d=author.test; s=s; h=From; \
        bh=2jmj7l5rSw0yVb/vlWAYkK/YBwk=; b=AAAA\r\n";
    let sha1 = format!("{sha1}{HEADER}\r\n{BODY}");
    let verdict = verify(&zone(&record()), &session("a@author.test"), &sha1, |_| {});
    has(&verdict.diagnosis(), "dkim-sha1", &["author.test"]);
}

#[test]
fn without_the_body() {
    let mail = craft(TAGS, HEADER, BODY, BODY.len());
    let message = Message::parse(mail.as_bytes());
    let zone = zone(&record());
    let verifier = Verifier::new(&zone);
    let verifier = verifier.at(now());
    let (lookups, _) = verifier.begin(&session("a@author.test"), message.head());
    let answers = block_on(lookups.run(&zone));
    let verdict = verifier.finish(answers, BodyHashes::unknown());
    has(
        &verdict.diagnosis(),
        "dkim-body-not-hashed",
        &["author.test", "intact"],
    );
    assert!(verdict.forensics(&message).is_empty());
}

/// What hosts do to bodies and fields, found by undoing it.
#[test]
fn undone() {
    let appended = craft(
        "d=author.test; s=s; l=10; h=From:Subject;",
        HEADER,
        BODY,
        BODY.len(),
    );
    let appended = format!("{appended}more\r\n");
    let copied = "d=author.test; s=s; z=Subject:good=20morning; h=From:Subject;";
    let copied = craft(copied, HEADER, BODY, BODY.len()).replace("hello", "other");
    // Hashed as it was, but for the name of the canonicalization: white space was not reduced.
    let spaced = "one  two\r\n";
    let simple = craft(TAGS, HEADER, spaced, spaced.len());
    let quoted = craft(TAGS, HEADER, "caf\u{e9}\r\n", "caf\u{e9}\r\n".len());
    let quoted = quoted.replace("caf\u{e9}", "caf=C3=A9");
    // A line longer than 998 octets, which a host broke in two.
    let long = format!("{}\r\n", "x".repeat(1_500));
    let wrapped = craft(TAGS, HEADER, &long, long.len());
    let wrapped = wrapped.replace(&"x".repeat(991), &format!("{}\r\n", "x".repeat(991)));
    for (mail, code, words) in [
        (&wrapped, "body-white-space-changed", "joining lines"),
        (&appended, "body-beyond-length", "6 octets"),
        (&copied, "header-field-differs-from-copy", "Subject"),
        (&simple, "body-other-canonicalization", "simple"),
        (
            &quoted,
            "body-transfer-encoding-changed",
            "quoted-printable",
        ),
    ] {
        let verdict = verify(&zone(&record()), &session("a@author.test"), mail, |_| {});
        let findings = verdict.forensics(&Message::parse(mail.as_bytes()));
        has(&findings, code, &["author.test", words]);
    }
}

/// With z=, what a field was is known, and a signature that fits proves it.
#[test]
fn copies_prove() {
    let mail = craft(
        "d=author.test; s=s; z=Subject:hello; h=From:Subject;",
        HEADER,
        BODY,
        BODY.len(),
    );
    let mail = mail.replace("Subject: hello", "Subject: other");
    let verdict = verify(&zone(&record()), &session("a@author.test"), &mail, |_| {});
    let findings = verdict.forensics(&Message::parse(mail.as_bytes()));
    has(
        &findings,
        "header-field-changed",
        &["Subject", "\"hello\"", "\"other\""],
    );
}

/// Simple canonicalization, and a body of nothing but white space.
#[test]
fn sparse_bodies() {
    let key = dkim_support::key();
    let simple = Canonicalization::Simple;
    let signer = Signer::new(key, "author.test".parse().unwrap(), "s").unwrap();
    let signer = signer.canonicalization(simple, simple);
    let mail = format!("{HEADER}\r\n \t \r\n  \r\n");
    let message = Message::parse(mail.as_bytes());
    let header = dkim::Signer::sign(&[signer], &message, now())
        .unwrap()
        .header();
    let mail = format!("{header}{HEADER}\r\n   \t\r\n \t\r\n");
    let verdict = verify(&zone(&record()), &session("a@author.test"), &mail, |_| {});
    let findings = verdict.forensics(&Message::parse(mail.as_bytes()));
    has(&findings, "body-white-space-likely", &["author.test"]);
}

/// What the DNS could not say, and what was not asked.
#[test]
fn policies() {
    let mail = |from: &str| format!("From: a@{from}\r\n\r\nHello\r\n");
    let spf = |zone: &mut Zone, domain: &str| {
        zone.add_txt(domain, "v=spf1 ip4:192.0.2.1 -all").unwrap();
    };
    let author = mail("author.test");
    let mut unknown = zone("x");
    spf(&mut unknown, "sub.author.test");
    unknown
        .fail("_dmarc.sub.author.test", LookupError::Timeout)
        .unwrap();
    let sub = session("a@sub.author.test");
    let verdict = verify(&unknown, &sub, &author, |_| {});
    let words: &[&str] = &["sub.author.test", "author.test", "_dmarc.sub.author.test"];
    has(&verdict.diagnosis(), "dmarc-alignment-unknown", words);
    has(&verdict.diagnosis(), "align-organization-unknown", words);

    let mut neighbour = zone("x");
    spf(&mut neighbour, "sub.author.test");
    let verdict = verify(&neighbour, &sub, &author, |settings| {
        settings.dmarc.max_walks = 0;
    });
    has(
        &verdict.diagnosis(),
        "align-limit",
        &["sub.author.test", "author.test"],
    );

    let mut existence = Zone::new();
    existence
        .add_txt("_dmarc.author.test", "v=DMARC1; p=none; np=reject")
        .unwrap();
    existence
        .fail_type("a.author.test", RecordType::A, LookupError::Timeout)
        .unwrap();
    let verdict = verify(
        &existence,
        &session("a@other.test"),
        &mail("a.author.test"),
        |_| {},
    );
    has(
        &verdict.diagnosis(),
        "dmarc-existence-unknown",
        &["a.author.test"],
    );

    let mut several = zone("x");
    several
        .add_txt("_dmarc.author.test", "v=DMARC1; p=none")
        .unwrap();
    let verdict = verify(&several, &session("a@other.test"), &author, |settings| {
        let list = b"// ===BEGIN ICANN DOMAINS===\ntest\n// ===END ICANN DOMAINS===\n";
        let list = PublicSuffixList::parse(list).unwrap();
        settings.dmarc.public_suffix_list = Some(Arc::new(list));
    });
    has(
        &verdict.diagnosis(),
        "dmarc-several-records",
        &["author.test"],
    );
}

#[test]
fn envelopes() {
    let mail = format!("{HEADER}\r\n{BODY}");
    let mut zone = zone("x");
    for (domain, record) in [
        ("several.test", "v=spf1 -all"),
        ("several.test", "v=spf1 +all"),
        ("target.test", "v=spf1 include:a..b%{l}.test -all"),
        ("forwarder.test", "v=spf1 ip4:192.0.2.1 -all"),
        ("other.test", "v=spf1 ip4:192.0.2.1 -all"),
        ("mx.author.test", "v=spf1 -all"),
    ] {
        zone.add_txt(domain, record).unwrap();
    }
    let cases: &[(Session, &str, &[&str])] = &[
        (
            session("a@several.test"),
            "spf-several-records",
            &["several.test"],
        ),
        (
            session("a@target.test"),
            "spf-unusable-target",
            &["target.test", "include:"],
        ),
        (
            session("a@other.test"),
            "spf-helo-not-pass",
            &["mx.author.test", "fail"],
        ),
        (
            Session::unknown(),
            "spf-session-unknown",
            &["could not be checked"],
        ),
        (
            Session::new([192, 0, 2, 1].into(), "[192.0.2.1]", ""),
            "spf-unusable-domain",
            &["no domain"],
        ),
    ];
    for (session, code, words) in cases {
        has(
            &verify(&zone, session, &mail, |_| {}).diagnosis(),
            code,
            words,
        );
    }
    // The long form of Exchange's rewriting by a forwarder who is trusted and proven.
    let opaque = session("bounces+SRS=DmMzc=V3@forwarder.test");
    let verdict = verify(&zone, &opaque, &mail, |settings| {
        let addresses = [Prefix::host([192, 0, 2, 1].into())];
        let domain = "forwarder.test".parse().unwrap();
        let forwarder = TrustedForwarder::by_addresses(domain, addresses);
        settings.policy.trusted_forwarders.push(forwarder);
    });
    let words: &[&str] = &["forwarder.test", "author.test"];
    has(&verdict.diagnosis(), "forwarder-claims-nobody", words);
}

/// What machines read: codes, kinds of evidence and parties as words, addresses and numbers as such.
#[test]
fn as_json() {
    let mail = format!("{HEADER}\r\n{BODY}");
    let mut zone = zone("x");
    zone.add_txt("author.test", "v=spf1 ip4:192.0.2.9 -all")
        .unwrap();
    let verdict = verify(&zone, &session("a@author.test"), &mail, |_| {});
    let findings = verdict.diagnosis();
    let code = "spf-client-not-listed";
    let finding = findings.iter().find(|one| one.code().as_str() == code);
    let json = serde_json::to_value(finding.unwrap()).unwrap();
    assert_eq!(json["code"], code);
    assert_eq!(json["severity"], "decisive");
    assert_eq!(json["certainty"], "certain");
    assert_eq!(json["remedies"][0]["who"], "envelope-domain");
    let evidence = json["evidence"].as_array().unwrap();
    let value = |name: &str| &evidence.iter().find(|one| one["name"] == name).unwrap()["value"];
    assert_eq!(value("envelope")["domain"], "author.test");
    assert_eq!(value("client")["client"], "192.0.2.1");
    assert_eq!(value("term")["term"], "-all");
}

/// Records that are no keys stand between two that are: the key that was tried when the signature was
/// checked is tried when it is explained.
#[test]
fn the_key_behind_other_records() {
    let rsa = |pem: &[u8]| {
        let key = SigningKey::from_pem(pem).unwrap();
        Signer::new(key, "author.test".parse().unwrap(), "s").unwrap()
    };
    let signer = rsa(include_bytes!("data/dkim/rsa2048.pem"));
    let mut zone = zone(&rsa(include_bytes!("data/dkim/rsa3072.pem")).record());
    for record in ["v=spf1 -all", "x", &signer.record()] {
        zone.add_txt(KEY, record).unwrap();
    }
    let mail = format!("{HEADER}\r\n{BODY}");
    let signed = Signer::sign(&[signer], &Message::parse(mail.as_bytes()), now()).unwrap();
    let mail = signed.header() + &mail.replace("hello", "[list] hello");
    let verdict = verify(&zone, &session("a@author.test"), &mail, |_| ());
    assert_eq!(verdict.dkim()[0].header_intact(), Some(false));
    let findings = verdict.forensics(&Message::parse(mail.as_bytes()));
    assert_eq!(findings[0].code().as_str(), "header-field-changed");
}
