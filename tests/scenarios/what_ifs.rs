//! Before sending (b13), and when it came back (b14).

use std::path::Path;
use std::time::{Duration, SystemTime};

use mailproof::arc::Sealer;
use mailproof::crypto::SigningKey;
use mailproof::diagnosis::{Bounce, Finding};
use mailproof::dkim::BodyHashes;
use mailproof::dkim::{Canonicalization, Signer};
use mailproof::dns::block_on;
use mailproof::forwarding::{ForwardError, Forwarder, Hop, Station};
use mailproof::srs::Rewriter;
use mailproof::verdict::RejectRule;
use mailproof::verifier::Settings;
use mailproof::{Message, Session, Verifier};

use super::REJECT;
use super::case::{B, Case, found, read};

const MONITORING: &str = "_dmarc.firma-a.tld. TXT \"v=DMARC1; p=none\"\n";

/// What is sent, what the list does, and the words at firma-c.tld.
struct WhatIf {
    message: &'static str,
    zone: &'static str,
    change: fn(Hop) -> Hop,
    expected: [&'static str; 5],
}

/// Simulated from station 1: words at firma-c.tld, and the first finding.
#[test]
fn b13() {
    let plain = |_: Hop| plain();
    let rows = [
        WhatIf {
            message: "b-plain",
            zone: MONITORING,
            change: |hop| hop,
            expected: ["pass", "pass", "fail", "deliver", "envelope-exchange-srs"],
        },
        WhatIf {
            message: "b-author-signed",
            zone: REJECT,
            change: |hop| hop,
            expected: ["pass", "pass pass", "pass", "deliver", "pass-by-dkim-alone"],
        },
        WhatIf {
            message: "b-author-signed",
            zone: REJECT,
            change: |hop| hop.footer("-- \nVerteiler"),
            expected: ["pass", "pass fail", "fail", "quarantine", "body-appended"],
        },
        WhatIf {
            message: "b-author-signed",
            zone: REJECT,
            change: |hop| hop.subject_prefix("[Verteiler]"),
            expected: [
                "pass",
                "pass fail",
                "fail",
                "quarantine",
                "header-field-changed",
            ],
        },
        WhatIf {
            message: "b-plain",
            zone: REJECT,
            change: plain,
            expected: [
                "fail",
                "",
                "fail",
                "reject",
                "forwarded-unrewritten-or-forged",
            ],
        },
    ];
    for WhatIf {
        message,
        zone,
        change,
        expected,
    } in rows
    {
        let hop = change(list());
        let case = Case { zone, ..B };
        let octets = read(&format!("{message}.eml"));
        let session = Session::new(
            [192, 0, 2, 10].into(),
            "mx.firma-a.tld",
            "userA@firma-a.tld",
        );
        let settings = Settings::default();
        let zone = case.zone();
        let message = Message::parse(&octets);
        let route = [hop];
        let stations = Station::simulate(&zone, &session, &message, &route, &settings, now());
        let stations = block_on(stations).unwrap();
        assert_eq!(stations.len(), 2);
        assert_eq!(stations[0].verdict.dmarc().result().as_str(), "pass");
        let verdict = &stations[1].verdict;
        let dkim: Vec<&str> = verdict
            .dkim()
            .iter()
            .map(|one| one.result().as_str())
            .collect();
        let got = [
            verdict.spf().authoritative().result().as_str(),
            &dkim.join(" "),
            verdict.dmarc().result().as_str(),
            &verdict.action().to_string(),
            stations[1].findings[0].code().as_str(),
        ];
        assert_eq!(got, expected);
        found(&stations[1].findings, &[]);
    }
}

/// A list that writes itself into From aligns with itself.
#[test]
fn b13_from_rewritten() {
    let domain = "firma-b.tld".parse().unwrap();
    let hop = list().from("verteiler", domain).srs(rewriter());
    let zone = Case { zone: REJECT, ..B }.zone();
    let octets = read("b-plain.eml");
    let message = Message::parse(&octets);
    let session = Session::new(
        [192, 0, 2, 10].into(),
        "mx.firma-a.tld",
        "userA@firma-a.tld",
    );
    let settings = Settings::default();
    let route = [hop];
    let stations = Station::simulate(&zone, &session, &message, &route, &settings, now());
    let stations = block_on(stations).unwrap();
    let author = stations[1].verdict.author().domain().unwrap();
    assert_eq!(author.as_str(), "firma-b.tld");
    let text = String::from_utf8(stations[1].message.clone()).unwrap();
    assert!(
        text.contains("Reply-To: \"UserA\" <userA@firma-a.tld>\r\n"),
        "{text}"
    );
    assert!(
        stations[1]
            .session
            .mail_from()
            .unwrap()
            .starts_with(b"SRS0=")
    );
}

/// The same list seals, and firma-c.tld trusts its seals: a footer does no harm.
#[test]
fn b13_sealed() {
    let key = SigningKey::ed25519(&[7; 32]).unwrap();
    let sealer = Sealer::new(key, "firma-b.tld".parse().unwrap(), "arc").unwrap();
    let mut zone = Case { zone: REJECT, ..B }.zone();
    let record = "v=DKIM1; k=ed25519; p=6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=";
    zone.add_txt("arc._domainkey.firma-b.tld", record).unwrap();
    let hop = list().footer("Verteiler").sealer(sealer);
    let octets = read("b-author-signed.eml");
    let message = Message::parse(&octets);
    let session = Session::new(
        [192, 0, 2, 10].into(),
        "mx.firma-a.tld",
        "userA@firma-a.tld",
    );
    let mut settings = Settings::default();
    settings
        .policy
        .trusted_sealers
        .push("firma-b.tld".parse().unwrap());
    let route = [hop];
    let stations = Station::simulate(&zone, &session, &message, &route, &settings, now());
    let stations = block_on(stations).unwrap();
    let verdict = &stations[1].verdict;
    assert_eq!(verdict.dmarc().result().as_str(), "fail");
    assert_eq!(verdict.action().to_string(), "deliver", "{}", verdict.arc());
    let findings = &stations[1].findings;
    let trusted = findings
        .iter()
        .find(|one| one.code().as_str() == "arc-trusted-sealer");
    assert!(trusted.unwrap().sentence().contains("firma-b.tld"));
}

/// The bounce in hand: what its reply means, from the header alone.
#[test]
fn b14() {
    let octets = read("b-list.eml");
    let text = String::from_utf8(octets).unwrap();
    let (header, _) = text.split_once("\r\n\r\n").unwrap();
    let bounce = format!(
        "Your message could not be delivered:\n\n550 5.7.23 The message was rejected because of \
         Sender Policy Framework violation -> 550 DMARC Sender Invalid - envelope rejected\n\n\
         Return-Path: <{}>\nReceived: from {} ([{}]) by mx.firma-c.tld\n{}\n",
        B.mail_from,
        B.helo,
        B.ip,
        header.replace("\r\n", "\n")
    );
    let bounce = Bounce::parse(bounce.as_bytes());
    assert_eq!(
        (bounce.code(), bounce.enhanced()),
        (Some(550), Some("5.7.23"))
    );
    assert!(
        bounce.reply().ends_with("envelope rejected"),
        "{}",
        bounce.reply()
    );
    let zone = Case {
        zone: MONITORING,
        ..B
    }
    .zone();
    let verifier = Verifier::new(&zone);
    let verifier = verifier.at(now());
    let (head, _) = mailproof::message::Head::parse(bounce.header());
    let (lookups, _) = verifier.begin(&bounce.session(), &head);
    let verdict = verifier.finish(block_on(lookups.run(&zone)), BodyHashes::unknown());
    let findings: Vec<Finding> = bounce.diagnosis(&verdict);
    found(
        &findings,
        &[
            (
                "bounce-spf-code-means-dmarc",
                &["5.7.23", "firma-b.tld", "firma-a.tld"],
            ),
            ("envelope-exchange-srs", &["firma-b.tld", "firma-a.tld"]),
            ("srs-original-is-author", &["userA@firma-a.tld"]),
            ("dkim-third-party-only", &["firmab.onmicrosoft.com"]),
            ("dkim-tenant-initial-domain", &["firmab.onmicrosoft.com"]),
            ("dmarc-without-dkim", &["firma-a.tld"]),
            ("dmarc-monitoring-only", &["firma-a.tld"]),
            ("body-unknown", &["firmab.onmicrosoft.com", "yes"]),
            ("bounce-reply", &["550", "5.7.23"]),
        ],
    );
}

/// A forwarder vouches for nothing that failed, unless it is told to.
#[test]
fn forwarding_refuses_what_failed() {
    let case = Case {
        message: "b-plain",
        zone: REJECT,
        mail_from: "userA@firma-a.tld",
        ..B
    };
    let verdict = case.verdict(RejectRule::Corroborated);
    let octets = read("b-plain.eml");
    let message = Message::parse(&octets);
    let forwarder = Forwarder::new("mx.firma-b.tld".parse().unwrap(), rewriter());
    let forwarder = forwarder.signers([signer()]);
    let refused = forwarder.forward(&verdict, &message, now());
    assert!(
        matches!(refused, Err(ForwardError::Refused { .. })),
        "{refused:?}"
    );
    let forced = forwarder.clone().vouching_for_failures();
    let outgoing = forced.forward(&verdict, &message, now()).unwrap();
    assert!(outgoing.mail_from.starts_with("SRS0="));

    // What passed leaves signed, with our results and without those that claim to be ours.
    let forged = [
        b"Authentication-Results: mx.firma-b.tld; spf=pass\r\n",
        octets.as_slice(),
    ]
    .concat();
    let direct = Case {
        ip: "192.0.2.10",
        helo: "mx.firma-a.tld",
        ..case
    };
    let verdict = direct.verdict(RejectRule::Corroborated);
    let outgoing = forwarder
        .forward(&verdict, &Message::parse(&forged), now())
        .unwrap();
    assert_eq!(outgoing.removed, [0]);
    let sent = Message::parse(&outgoing.message);
    let names: Vec<&[u8]> = sent
        .head()
        .fields()
        .iter()
        .take(2)
        .map(|field| field.name())
        .collect();
    assert_eq!(names, [&b"DKIM-Signature"[..], b"Authentication-Results"]);
    assert_eq!(sent.head().named(b"Authentication-Results").count(), 1);
    assert_eq!(sent.body(), message.body());
    let session = Session::new([104, 47, 11, 20].into(), B.helo, &outgoing.mail_from);
    let verifier = Verifier::new(case.zone());
    let next = block_on(verifier.at(now()).verify(&session, &sent));
    assert_eq!(
        next.dkim()[0].result().as_str(),
        "pass",
        "{}",
        next.dkim()[0]
    );
    assert_eq!(next.spf().authoritative().result().as_str(), "pass");
}

fn plain() -> Hop {
    Hop::new(
        "firma-b.tld",
        B.ip.parse().unwrap(),
        B.helo.parse().unwrap(),
    )
}

fn list() -> Hop {
    let domain = "firma-b.tld".parse().unwrap();
    let hop = plain().exchange_srs("Verteilername", domain);
    hop.signer(signer())
}

fn rewriter() -> Rewriter {
    Rewriter::new("firma-b.tld".parse().unwrap(), "a secret of firma-b").unwrap()
}

fn signer() -> Signer {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/generator/keys/firmab.pem");
    let key = SigningKey::from_pem(std::fs::read(path).unwrap()).unwrap();
    let selector = "selector2-FirmaB-onmicrosoft-com";
    let signer = Signer::new(key, "FirmaB.onmicrosoft.com".parse().unwrap(), selector).unwrap();
    let relaxed = Canonicalization::Relaxed;
    let fields = [
        "From",
        "Date",
        "Subject",
        "Message-ID",
        "Content-Type",
        "MIME-Version",
    ];
    signer
        .canonicalization(relaxed, relaxed)
        .fields(fields)
        .unwrap()
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(B.now)
}
