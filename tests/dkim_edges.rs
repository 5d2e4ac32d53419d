//! What verifications and key records tell, where nearly the same input tells something else.

mod dkim_support;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use dkim_support::{craft, key, verify, verify_at, zone};
use mailproof::Message;
use mailproof::auth_results::ResultWord;
use mailproof::crypto::SigningKey;
use mailproof::dkim::{Cause, KeyRecord, Settings, Signer};
use mailproof::dns::Zone;

const HEADER: &str = "From: a@example.com\r\nSubject: hello\r\n";
const BODY: &str = "one\r\ntwo\r\n";

fn mail(tags: &str) -> String {
    let tags = format!("d=example.com; s=s; h=From:Subject; {tags}");
    craft(&tags, HEADER, BODY, BODY.len())
}

#[test]
fn whether_the_header_is_intact() {
    let (zone, settings) = (zone(&["example.com"]), Settings::default());
    let mail = mail("");
    for (mail, zone, intact, passes) in [
        (mail.clone(), &zone, Some(true), true),
        (mail.replace("two", "2"), &zone, Some(true), false),
        (mail.replace("hello", "bye"), &zone, Some(false), false),
        (mail.clone(), &Zone::new(), None, false),
    ] {
        let verification = &verify(zone, &mail, &settings)[0];
        assert_eq!(verification.header_intact(), intact, "{verification}");
        // Only what did not pass needs a reason.
        let result = verification.to_method_result();
        assert_eq!(result.result == ResultWord::Pass, passes, "{verification}");
        assert_eq!(result.reason.is_none(), passes, "{verification}");
    }
}

#[test]
fn times_are_told_as_they_are() {
    let (zone, settings) = (zone(&["example.com"]), Settings::default());
    let now = UNIX_EPOCH + Duration::from_secs(1_500);
    for (tags, timestamp, expiration) in [
        ("", None, None),
        ("t=1000;", Some(1_000), None),
        ("x=2000;", None, Some(2_000)),
        ("t=1000; x=2000;", Some(1_000), Some(2_000)),
    ] {
        let verification = &verify_at(&zone, &mail(tags), &settings, now)[0];
        assert_eq!(verification.cause(), &Cause::Passed, "{tags}");
        let times = (verification.timestamp(), verification.expiration());
        assert_eq!(times, (timestamp, expiration), "{tags}");
    }
}

/// Of tags that stand twice, which void the signature, the first is told.
#[test]
fn the_first_of_two_is_told() {
    let (zone, settings) = (zone(&["example.com"]), Settings::default());
    let field = "v=1; a=rsa-sha256; a=x; d=example.com; d=x.example; s=s1; s=s2; \
        i=a@example.com; i=b@example.com; h=From; bh=AAAA; b=AAAABBBBCCCC; b=DDDDEEEEFFFF";
    let mail = format!("DKIM-Signature: {field}\r\n{HEADER}\r\n{BODY}");
    let verification = &verify(&zone, &mail, &settings)[0];
    assert!(
        matches!(verification.cause(), Cause::Syntax(_)),
        "{verification}"
    );
    assert_eq!(verification.algorithm(), Some("rsa-sha256"));
    assert_eq!(verification.domain().unwrap().as_str(), "example.com");
    assert_eq!(verification.selector(), Some("s1"));
    assert_eq!(verification.identity().as_deref(), Some("a@example.com"));
    assert_eq!(verification.prefix(), Some("AAAABBBB"));
}

/// §3.6.2.2: of several records, the result is that of the one that comes closest, in any order.
#[test]
fn the_closest_of_several_records() {
    let sizes = include_str!("data/dkim/rsa-sizes.txt");
    let line = sizes
        .lines()
        .find(|line| line.starts_with("2048 "))
        .unwrap();
    let rsa = format!("v=DKIM1; p={}", line.split(' ').nth(1).unwrap());
    let other = SigningKey::ed25519(&[6; 32]).unwrap();
    let other = KeyRecord::new(other.verifying_key()).to_string();
    let good = KeyRecord::new(key().verifying_key()).to_string();
    let revoked = "v=DKIM1; p=";
    let mut settings = Settings::default();
    settings.min_rsa_bits = 3_072;
    let by_rsa = mail("").replace("ed25519-sha256", "rsa-sha256");
    let by_ed25519 = mail("");
    let (bits, limit) = (2_048, 3_072);
    for (mail, further, closest, expected) in [
        (&by_ed25519, "v=DKIM1", revoked, Cause::KeyRevoked),
        (&by_rsa, revoked, &*rsa, Cause::KeyTooShort { bits, limit }),
        (&by_rsa, "v=DKIM1", &rsa, Cause::KeyTooShort { bits, limit }),
        (&by_ed25519, revoked, &other, Cause::SignatureMismatch),
        (&by_ed25519, &other, &good, Cause::Passed),
    ] {
        for records in [[further, closest], [closest, further]] {
            let mut zone = Zone::new();
            for record in records {
                zone.add_txt("s._domainkey.example.com", record).unwrap();
            }
            let verification = &verify(&zone, mail, &settings)[0];
            assert_eq!(verification.cause(), &expected, "{records:?}");
        }
    }
}

#[test]
fn key_types_are_told() {
    let ed25519 = KeyRecord::new(key().verifying_key()).to_string();
    for (record, key_type) in [(&*ed25519, "ed25519"), ("p=", "rsa"), ("k=rsa; p=", "rsa")] {
        let record = KeyRecord::parse(record.as_bytes()).unwrap();
        assert_eq!(record.key_type(), key_type);
    }
}

#[test]
fn hazards_are_empty_or_told() {
    let signer = [Signer::new(key(), "example.com".parse().unwrap(), "s").unwrap()];
    for (body, words) in [("one\r\n", ""), ("one\0\r\n", "NUL octets")] {
        let mail = format!("{HEADER}\r\n{body}");
        let message = Message::parse(mail.as_bytes());
        let signed = Signer::sign(&signer, &message, SystemTime::now()).unwrap();
        let hazards = signed.hazards();
        assert_eq!(
            (hazards.is_empty(), &*hazards.to_string()),
            (words.is_empty(), words)
        );
    }
}
