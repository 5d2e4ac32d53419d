//! Nothing that holds a secret prints it, and no error repeats what it was made from.

use std::fmt::Debug;
use std::path::Path;
use std::time::SystemTime;

use mailproof::arc::{Payload, Sealer};
use mailproof::crypto::{SigningKey, SigningKeyError};
use mailproof::dkim::{self, Signer};
use mailproof::dns::{Zone, block_on};
use mailproof::forwarding::Forwarder;
use mailproof::message::Head;
use mailproof::srs::{Construction, Rewriter};
use mailproof::{Domain, Message, Session, Verifier};

const SECRET: &str = "correct horse battery staple";
const OLDER: &str = "Tr0ub4dor&3";
const SEED: [u8; 32] = *b"0123456789abcdefghijklmnopqrstuv";
const MAIL: &[u8] = b"From: a@example.com\r\n\r\nHello\r\n";

fn pem(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    std::fs::read_to_string(path).unwrap()
}

fn domain() -> Domain {
    "example.com".parse().unwrap()
}

/// The ways in which octets are printed: as text, in hexadecimal, as a list, escaped.
fn spellings(secret: &[u8]) -> Vec<String> {
    let join = |separator: &str, print: &dyn Fn(&u8) -> String| {
        let octets: Vec<String> = secret.iter().map(print).collect();
        octets.join(separator)
    };
    vec![
        String::from_utf8_lossy(secret).into_owned(),
        secret.escape_ascii().to_string(),
        join("", &|octet| format!("{octet:02x}")),
        join("", &|octet| format!("{octet:02X}")),
        join(", ", &|octet| octet.to_string()),
        join(" ", &|octet| format!("{octet:02x}")),
    ]
}

/// Holds the text against parts of each secret: sixteen octets, or all of a shorter one.
#[track_caller]
fn assert_keeps(text: &str, secrets: &[&[u8]]) {
    for secret in secrets {
        for part in secret.chunks(16).filter(|part| part.len() > 8) {
            for spelling in spellings(part) {
                assert!(!text.contains(&spelling), "{spelling} is in {text}");
            }
        }
    }
}

#[track_caller]
fn assert_quiet(value: &impl Debug, secrets: &[&[u8]]) {
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        assert!(!text.is_empty());
        assert_keeps(&text, secrets);
        // The pretty form of a list has an octet a line.
        let lines: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_keeps(&lines.replace(" ,", ","), secrets);
    }
}

/// The check itself finds what it looks for.
#[test]
fn the_check_can_fail() {
    for text in [
        format!("{SEED:?}"),
        format!("{SEED:#?}"),
        SECRET.to_owned(),
        format!("{:02x?}", SEED).replace(", ", ""),
    ] {
        let lines: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let found = std::panic::catch_unwind(|| assert_keeps(&lines, &[&SEED, SECRET.as_bytes()]));
        assert!(found.is_err(), "{text}");
    }
}

/// Private keys, and all that hold one, Ed25519 and RSA.
#[test]
fn signing_keys() {
    let rsa = pem("tests/data/dkim/rsa2048.pem");
    let body: String = rsa.lines().filter(|line| !line.starts_with('-')).collect();
    let secrets: [&[u8]; 2] = [&SEED, body.as_bytes()];
    for key in [
        SigningKey::ed25519(&SEED).unwrap(),
        SigningKey::from_pem(&rsa).unwrap(),
    ] {
        assert_quiet(&key, &secrets);
        let signer = Signer::new(key.clone(), domain(), "s").unwrap();
        assert_quiet(&signer, &secrets);
        assert_keeps(&signer.record(), &secrets);
        let now = SystemTime::now();
        let (head, _) = Head::parse(MAIL);
        assert_quiet(
            &Signer::prepare(std::slice::from_ref(&signer), &head, now),
            &secrets,
        );
        let signed =
            dkim::Signer::sign(std::slice::from_ref(&signer), &Message::parse(MAIL), now).unwrap();
        assert_quiet(&signed, &secrets);
        let sealer = Sealer::new(key, domain(), "s").unwrap();
        assert_quiet(&sealer, &secrets);
        let verdict =
            block_on(Verifier::new(Zone::new()).verify(&Session::unknown(), &Message::parse(MAIL)));
        let payload: Payload = "mx.example; none".parse().unwrap();
        let sealing = sealer.prepare(&head, &payload, verdict.arc(), now).unwrap();
        assert_quiet(&sealing, &secrets);
        let forwarder = Forwarder::new(
            "mx.example".parse().unwrap(),
            Rewriter::new(domain(), SECRET).unwrap(),
        );
        let forwarder = forwarder.signers([signer]).sealer(sealer);
        assert_quiet(&forwarder, &secrets);
        assert_quiet(&forwarder, &[SECRET.as_bytes()]);
    }
}

/// What is wrong with a key is said without the key.
#[test]
fn errors_of_signing_keys() {
    for file in [
        "tests/data/dkim/rsa2048.pem",
        "tests/data/dkim/rsa2048-pkcs1.pem",
        "tests/generator/keys/firma-a.pem",
    ] {
        let text = pem(file);
        let body: String = text.lines().filter(|line| !line.starts_with('-')).collect();
        let mut errors = 0;
        for at in (0..text.len()).step_by(53) {
            for broken in [
                text[..at].to_owned(),
                format!("{}*{}", &text[..at], &text[at..]),
                format!("{}AAAA{}", &text[..at], &text[at..]),
            ] {
                let Err(error) = SigningKey::from_pem(&broken) else {
                    continue;
                };
                errors += 1;
                assert_quiet(&error, &[body.as_bytes()]);
                assert_keeps(&error.to_string(), &[body.as_bytes()]);
            }
        }
        assert!(errors > 3, "{errors}");
    }
    assert_eq!(
        SigningKey::ed25519(&SEED[..31]).unwrap_err(),
        SigningKeyError::Encoding
    );
}

/// SRS secrets, the present one and older ones, in either construction.
#[test]
fn srs_secrets() {
    let secrets: [&[u8]; 2] = [SECRET.as_bytes(), OLDER.as_bytes()];
    for construction in [Construction::Compatible, Construction::Delimited] {
        let rewriter = Rewriter::new(domain(), SECRET)
            .unwrap()
            .older_secret(OLDER)
            .unwrap()
            .construction(construction);
        assert_quiet(&rewriter, &secrets);
        let now = SystemTime::now();
        let forwarded = rewriter.forward("a@example.net", now);
        assert_quiet(&forwarded, &secrets);
        let reversed = rewriter.reverse("SRS0=AAAA=AA=example.net=a@example.com", now);
        assert_quiet(&reversed, &secrets);
        let error = rewriter.hash_length(99).unwrap_err();
        assert_quiet(&error, &secrets);
        assert_keeps(&error.to_string(), &secrets);
    }
}
