//! Keys: their lengths, their records, several at one name.

use std::time::SystemTime;

use mailproof::Message;
use mailproof::dkim::{self, Cause, DkimResult, KeyRecordError, Settings, Verification};
use mailproof::dns::{Zone, block_on};

/// Bits, public key, signature.
fn sizes() -> Vec<(usize, String, String)> {
    let lines = include_str!("data/dkim/rsa-sizes.txt").lines();
    let words = lines.map(|line| line.split(' ').map(str::to_owned).collect::<Vec<_>>());
    words
        .map(|words| {
            (
                words[0].parse().unwrap(),
                words[1].clone(),
                words[2].clone(),
            )
        })
        .collect()
}

fn mail(bits: usize, signature: &str) -> String {
    format!(
        "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=k{bits}; h=From;\r\n \
         bh=Ba3gj8+xBPQLJTahTfzW6RbWQ/XPgESxkCi2B66PSQg=;\r\n b={signature}\r\n\
         From: a@example.com\r\n\r\nHello\r\n"
    )
}

fn verify(zone: &Zone, mail: &str, settings: &Settings) -> Verification {
    let message = Message::parse(mail.as_bytes());
    let now = SystemTime::now();
    let mut all = block_on(dkim::verify_message(zone, &message, now, settings));
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn zone(bits: usize, records: &[&str]) -> Zone {
    let mut zone = Zone::new();
    for record in records {
        zone.add_txt(&format!("k{bits}._domainkey.example.com"), record)
            .unwrap();
    }
    zone
}

#[test]
fn the_floor_and_the_ceiling_are_exact() {
    let settings = Settings::default();
    for (bits, key, signature) in sizes() {
        let zone = zone(bits, &[&format!("v=DKIM1; p={key}")]);
        let verification = verify(&zone, &mail(bits, &signature), &settings);
        let expected = match bits {
            1_023 => Cause::KeyTooShort { bits, limit: 1_024 },
            8_193 => Cause::KeyTooLong { bits, limit: 8_192 },
            _ => Cause::Passed,
        };
        assert_eq!(verification.cause(), &expected);
        assert_eq!(verification.key_bits(), Some(bits));
        if expected != Cause::Passed {
            assert_eq!(verification.result(), DkimResult::Policy);
            assert_eq!(
                verification.computed_body_hash(),
                verification.claimed_body_hash()
            );
        }
    }
    // The bounds are settings, but what no crypto library checks is not.
    for (bits, key, signature) in sizes() {
        let mut settings = Settings::default();
        settings.min_rsa_bits = 1_000;
        settings.max_rsa_bits = 4_096;
        let zone = zone(bits, &[&format!("p={key}")]);
        let verification = verify(&zone, &mail(bits, &signature), &settings);
        assert_eq!(
            verification.cause() == &Cause::Passed,
            (1_024..=4_096).contains(&bits),
            "{bits}"
        );
    }
}

#[test]
fn records_and_their_results() {
    let (bits, key, signature) = sizes().remove(2);
    let mail = mail(bits, &signature);
    let ed25519 = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
    let good = format!("v=DKIM1; p={key}");
    let cases: &[(&[&str], Result<(), DkimResult>)] = &[
        (&[&good], Ok(())),
        (&[&format!("p={key}")], Ok(())),
        (&[&format!("g=x; k=rsa; p={key}; n=x; z=;")], Ok(())),
        (&[&format!("h=sha1:sha256; s=email:x; p={key}")], Ok(())),
        (&["v=spf1 -all", ed25519, &good], Ok(())),
        (&["", "x", "v=DMARC1; p=none", "v=DKIM1", &good], Ok(())),
        (&[], Err(DkimResult::Permerror)),
        (&["v=DKIM1; p="], Err(DkimResult::Permerror)),
        (&["v=spf1 -all"], Err(DkimResult::Permerror)),
        (&[ed25519], Err(DkimResult::Permerror)),
        (&[&format!("h=sha1; p={key}")], Err(DkimResult::Permerror)),
        (&[&format!("s=tlsrpt; p={key}")], Err(DkimResult::Permerror)),
        // Three keys are tried, not four.
        (
            &[ed25519, ed25519, ed25519, &good],
            Err(DkimResult::Permerror),
        ),
    ];
    for (records, expected) in cases {
        let verification = verify(&zone(bits, records), &mail, &Settings::default());
        let expected = expected.err().unwrap_or(DkimResult::Pass);
        assert_eq!(
            verification.result(),
            expected,
            "{records:?}: {verification}"
        );
    }
    let cause = |records: &[&str]| {
        let verification = verify(&zone(bits, records), &mail, &Settings::default());
        verification.cause().clone()
    };
    assert_eq!(cause(&[]), Cause::NoKey);
    assert_eq!(cause(&["v=DKIM1; p="]), Cause::KeyRevoked);
    assert_eq!(cause(&["v=DKIM1"]), Cause::KeySyntax(KeyRecordError::NoKey));
    assert!(matches!(cause(&[ed25519]), Cause::KeyTypeMismatch { .. }));
    assert_eq!(cause(&["junk", "v=DKIM1; p="]), Cause::KeyRevoked);
    let other = format!("p={}", sizes()[1].1);
    assert_eq!(cause(&[ed25519, &other, "junk"]), Cause::SignatureMismatch);
    let long = format!("p={key}; n={}", "x".repeat(8_192));
    assert!(matches!(
        cause(&[&long]),
        Cause::KeySyntax(KeyRecordError::TooLong { .. })
    ));
}

#[test]
fn bare_rsa_keys_verify_as_well() {
    // The SubjectPublicKeyInfo of a 2048-bit key without its outer 24 octets, 32 digits of base64.
    let (bits, key, signature) = sizes().remove(2);
    let zone = zone(bits, &[&format!("p={}", key.get(32..).unwrap())]);
    let verification = verify(&zone, &mail(bits, &signature), &Settings::default());
    assert_eq!(verification.cause(), &Cause::Passed);
    assert_eq!(verification.key_bits(), Some(2_048));
}

#[test]
fn testing_keys_authenticate_nothing() {
    let (bits, key, signature) = sizes().remove(2);
    let zone = zone(bits, &[&format!("t=y; p={key}")]);
    let mail = mail(bits, &signature);
    let verification = verify(&zone, &mail, &Settings::default());
    assert_eq!(verification.result(), DkimResult::Pass);
    assert!(verification.is_testing());
    assert_eq!(verification.authenticated_identifier(), None);
    let mut settings = Settings::default();
    settings.count_testing_keys = true;
    let verification = verify(&zone, &mail, &settings);
    assert!(verification.is_testing());
    assert!(verification.authenticated_identifier().is_some());
}
