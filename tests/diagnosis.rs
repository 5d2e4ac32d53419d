//! Over many combinations of sessions, messages and DNS data: nothing but a clean pass comes without a
//! finding, and no finding without its evidence.

#[path = "scenarios/case.rs"]
#[allow(dead_code, reason = "the cases are in another test")]
mod case;

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use mailproof::diagnosis::Finding;
use mailproof::dkim;
use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::verifier::Settings;
use mailproof::{Message, Session, Verdict, Verifier};

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

const SPF: &[&str] = &[
    "",
    "v=spf1 ip4:192.0.2.1 -all",
    "v=spf1 -all",
    "v=spf1 -ip4:192.0.2.0/24 +all",
    "v=spf1 ~all",
    "v=spf1 ?all",
    "v=spf1 +all",
    "v=spf1 ip4:192.0.0.0/8 -all",
    "v=spf1 a:nowhere.test",
    "v=spf1 include:wide.test -all",
    "v=spf1 include:nothing.test -all",
    "v=spf1 include:%{h}.%{d2r}.%{l} -all",
    "v=spf1 ip4:192.0.2.1/33 -all",
    "v=spf1 a mx a:a.test a:b.test a:c.test -all",
    "v=spf1 include:down.test -all",
];

const DMARC: &[&str] = &[
    "",
    "v=DMARC1; p=none",
    "v=DMARC1; p=quarantine",
    "v=DMARC1; p=reject",
    "v=DMARC1; p=reject; aspf=s; adkim=s",
    "v=DMARC1; p=reject; t=y",
    "v=DMARC1; p=nonsense",
];

const MESSAGES: &[&str] = &[
    "From: a@author.test\r\n\r\nHi\r\n",
    "From: a@author.test\r\nSender: <b@sender.test>\r\nResent-From: c@resent.test\r\n\r\nHi\r\n",
    "From: a@author.test\r\nList-Id: <l.list.test>\r\n\r\nHi\r\n",
    "From: a@author.test, b@other.test\r\n\r\nHi\r\n",
    "From: a@author.test\r\nFrom: b@other.test\r\n\r\nHi\r\n",
    "From: nobody\r\n\r\nHi\r\n",
    "Subject: x\r\n\r\nHi\r\n",
    " x\r\nFrom : a@author.test\nnonsense\0\r\nb",
    "DKIM-Signature: v=2; d=author.test; s=x\r\nFrom: a@author.test\r\n\r\nHi\r\n",
    "DKIM-Signature: v=1; a=rsa-sha256; d=author.test; s=none; h=From; b=AAAA; \
     bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=\r\nFrom: a@author.test\r\n\r\nHi\r\n",
    "DKIM-Signature: v=1; a=rsa-sha256; d=sub.author.test; s=down; h=From; b=AAAA; \
     bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=\r\nFrom: a@author.test\r\n\r\nHi\r\n",
    "Received-SPF: fail receiver=mx.test; envelope-from=\"x@author.test\"\r\n\
     From: a@author.test\r\n\r\nHi\r\n",
];

const PATHS: &[&str] = &[
    "a@author.test",
    "a@bounce.author.test",
    "b@other.test",
    "SRS0=HHHH=TT=author.test=a@forwarder.test",
    "x+SRS=y1OwP=BF=else.test=u@forwarder.test",
    "",
    "not an address",
];

/// Findings that some combination leads to and no other test is about.
const SEEN: &[&str] = &[
    "author-missing",
    "author-several-domains",
    "author-several-fields",
    "author-unreadable",
    "header-line-ends",
    "header-malformed",
    "dmarc-unusable-policy",
    "dmarc-policy-unknown",
    "dmarc-identifier-unknown",
    "dmarc-nothing-authenticated",
    "align-not-checked",
    "dmarc-policy-lowered",
    "action-deferred",
    "envelope-srs",
    "relayed-by-list",
    "resent",
    "null-reverse-path",
    "dkim-key-unavailable",
    "spf-client-refused",
    "spf-softfail",
    "spf-neutral",
    "spf-no-match",
    "spf-no-such-domain",
    "spf-malformed-reverse-path",
    "spf-syntax",
    "spf-target-without-record",
    "spf-limit",
    "spf-dns-failure",
    "spf-wide-pass",
    "spf-everybody-passes",
    "dns-trouble",
];

#[test]
fn every_verdict_is_explained() {
    let mut seen = BTreeSet::new();
    for (number, spf) in SPF.iter().enumerate() {
        for dmarc in DMARC {
            let zone = zone(spf, dmarc, number % 3 == 0);
            for message in MESSAGES {
                for path in PATHS {
                    explained(&zone, message, path, &mut seen);
                }
            }
        }
    }
    let unseen: Vec<_> = SEEN.iter().filter(|code| !seen.contains(**code)).collect();
    assert!(unseen.is_empty(), "{unseen:?}");
}

fn explained(zone: &Zone, message: &str, path: &str, seen: &mut BTreeSet<String>) {
    let session = Session::new([192, 0, 2, 1].into(), "mail.other.test", path);
    let message = Message::parse(message.as_bytes());
    let verifier = Verifier::new(zone);
    let verdict = block_on(verifier.at(NOW).verify(&session, &message));
    let findings = verdict.diagnosis();
    if verdict.dmarc().result().as_str() != "pass" {
        assert!(!findings.is_empty(), "{verdict:?}");
    }
    for finding in findings.iter().chain(&verdict.forensics(&message)) {
        case::complete(finding);
        assert!(!finding.sentence().contains(char::is_control), "{finding}");
        seen.insert(finding.code().to_string());
    }
    let ordered = findings.is_sorted_by_key(Finding::severity);
    assert!(ordered, "{findings:?}");
}

fn zone(spf: &str, dmarc: &str, down: bool) -> Zone {
    let mut zone = Zone::new();
    for domain in [
        "author.test",
        "bounce.author.test",
        "other.test",
        "forwarder.test",
    ] {
        zone.add_name(domain).unwrap();
        if !spf.is_empty() {
            zone.add_txt(domain, spf).unwrap();
        }
    }
    zone.add_txt("wide.test", "v=spf1 ip4:192.0.2.0/24 -all")
        .unwrap();
    if dmarc == "v=DMARC1; p=nonsense" && down {
        zone.fail("_dmarc.author.test", LookupError::ServFail)
            .unwrap();
    } else if !dmarc.is_empty() {
        zone.add_txt("_dmarc.author.test", dmarc).unwrap();
    }
    zone.fail("down.test", LookupError::Timeout).unwrap();
    zone.fail("down._domainkey.sub.author.test", LookupError::ServFail)
        .unwrap();
    zone
}

/// A key record, settings, and the finding they lead to.
struct Weakened {
    zone: String,
    settings: fn(&mut Settings),
    code: &'static str,
}

/// The causes of DKIM that need a real signature: each settings or key away from a pass.
#[test]
fn signatures_are_explained() {
    let key = |record: &'static str| format!("s1._domainkey.firma-a.tld. TXT \"{record}\"\n");
    let none = String::new;
    let cases = [
        Weakened {
            zone: key("v=DKIM1; p="),
            settings: |_| {},
            code: "dkim-key-revoked",
        },
        Weakened {
            zone: key("v=DKIM1; p=%%%"),
            settings: |_| {},
            code: "dkim-key-syntax",
        },
        Weakened {
            zone: key("v=DKIM1; s=tlsrpt; p=AAAA"),
            settings: |_| {},
            code: "dkim-key-syntax",
        },
        Weakened {
            zone: none(),
            settings: |_| {},
            code: "dkim-no-key",
        },
        Weakened {
            zone: none(),
            settings: |settings| settings.dkim.required_fields = vec!["X-Missing".into()],
            code: "dkim-required-field-unsigned",
        },
        Weakened {
            zone: none(),
            settings: |settings| settings.dkim.refuse_length = true,
            code: "dkim-no-key",
        },
        Weakened {
            zone: none(),
            settings: |settings| settings.dkim.max_signed_octets = 1,
            code: "dkim-header-too-long",
        },
        Weakened {
            zone: none(),
            settings: |settings| settings.dkim.max_signatures = 0,
            code: "dkim-not-evaluated",
        },
        Weakened {
            zone: none(),
            settings: |settings| settings.dkim.maximum_age = Some(Duration::from_secs(1)),
            code: "dkim-too-old",
        },
    ];
    for Weakened {
        zone,
        settings,
        code,
    } in cases
    {
        let verdict = signed(&zone, settings);
        let findings = verdict.diagnosis();
        let found = findings.iter().find(|one| one.code().as_str() == code);
        let finding = found.unwrap_or_else(|| panic!("no {code}: {:?}", verdict.dkim()));
        assert!(finding.sentence().contains("firma-a.tld"), "{finding}");
        findings.iter().for_each(case::complete);
    }
}

fn signed(zone: &str, change: fn(&mut Settings)) -> Verdict {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/data/scenarios/b-author-signed.eml"
    );
    let octets = std::fs::read(path).unwrap();
    let mut settings = Settings::default();
    change(&mut settings);
    let verifier = Verifier::with_settings(Zone::from_text(zone.as_bytes()).unwrap(), settings);
    let now = NOW + Duration::from_secs(1_684_327_600);
    let session = Session::new(
        [192, 0, 2, 10].into(),
        "mx.firma-a.tld",
        "userA@firma-a.tld",
    );
    block_on(verifier.at(now).verify(&session, &Message::parse(&octets)))
}

/// A body that went through known hands.
#[test]
fn bodies_are_explained() {
    let key = mailproof::crypto::SigningKey::from_pem(
        std::fs::read(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/generator/keys/firma-a.pem"
        ))
        .unwrap(),
    )
    .unwrap();
    let simple = dkim::Canonicalization::Simple;
    let signer = dkim::Signer::new(key, "firma-a.tld".parse().unwrap(), "s1").unwrap();
    let signer = signer.canonicalization(simple, simple);
    let mut zone = Zone::new();
    zone.add_txt("s1._domainkey.firma-a.tld", signer.record())
        .unwrap();
    let head = "From: a@firma-a.tld\r\nTo: \"B\" <b@b.test>, c@c.test\r\nSubject: One two\r\nDate: Tue, 16 May 2023 08:59:31 +0000\r\nMIME-Version: 1.0\r\n\r\n";
    let body = "Hello\r\n..dots\r\n>From here\r\n-- \r\nend\r\n";
    let message = format!("{head}{body}");
    let signed = dkim::Signer::sign(&[signer], &Message::parse(message.as_bytes()), NOW).unwrap();
    let whole = format!("{}{message}", signed.header());
    for (from, to, code, shows) in [
        ("end\r\n", "end\r\nfooter\r\n", "body-appended", "8 octets"),
        (
            "Hello\r\n",
            "banner\r\n\r\nHello\r\n",
            "body-prepended",
            "10 octets",
        ),
        (
            "Hello\r\n",
            "Hello\r\nin between\r\n",
            "body-lines-inserted",
            "12 octets",
        ),
        ("..dots", "...dots", "body-text-escaped", "dots"),
        ("Hello\r\n", "Hello\n", "body-line-ends-changed", "CRLF"),
        ("-- \r\n", "--\r\n", "body-white-space-changed", "--"),
        ("Hello", "Hallo", "body-edited", "firma-a.tld"),
        (
            "Subject: ",
            "Subject: [L] ",
            "header-field-changed",
            "Subject",
        ),
        (
            "Subject: One",
            "Subject: Two",
            "header-field-likely",
            "Subject",
        ),
        (
            "\"B\" <b@b.test>",
            "B <b@b.test>",
            "header-field-changed",
            "To",
        ),
        (
            "MIME-Version: 1.0",
            "MIME-Version: 1.0 (x)",
            "header-field-changed",
            "MIME-Version",
        ),
        (
            "MIME-Version: 1.0\r\n",
            "",
            "header-field-removed",
            "MIME-Version",
        ),
        ("Subject:", "SUBJECT:", "header-name-case", "Subject"),
        ("One two", "One\r\n two", "header-folded", "Subject"),
        (
            "From: a@",
            "From: e@evil.test\r\nFrom: a@",
            "header-field-added",
            "From",
        ),
    ] {
        assert!(whole.contains(from), "{from}");
        let at = whole.find("From: ").unwrap();
        let (field, rest) = whole.split_at(at);
        let changed = format!("{field}{}", rest.replacen(from, to, 1));
        let message = Message::parse(changed.as_bytes());
        let session = Session::new([192, 0, 2, 10].into(), "mx.firma-a.tld", "a@firma-a.tld");
        let verdict = block_on(Verifier::new(&zone).at(NOW).verify(&session, &message));
        let findings = verdict.forensics(&message);
        let first = findings.first().unwrap();
        assert_eq!(first.code().as_str(), code, "{from}: {first}");
        assert!(first.sentence().contains(shows), "{first}");
        findings.iter().for_each(case::complete);
    }
}

/// Every code stands in quotes in a test: in one that leads to it and names what it says.
#[test]
fn every_code_is_tested() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = std::fs::read_to_string(root.join("src/diagnosis/tests.rs")).unwrap();
    for folder in ["tests", "tests/scenarios"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "rs") {
                text.push_str(&std::fs::read_to_string(path).unwrap());
            }
        }
    }
    let untested: Vec<_> = mailproof::diagnosis::Code::all()
        .filter(|code| !text.contains(&format!("\"{code}\"")))
        .collect();
    assert!(untested.is_empty(), "{untested:?}");
}
