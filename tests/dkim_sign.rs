//! Signing: round trips, forms of keys, what is signed and how it is written.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::crypto::{SigningKey, SigningKeyError};
use mailproof::dkim::{
    self, Canonicalization, Cause, ExternalKey, KeyRecord, Settings, SignError, Signature,
    SignatureAlgorithm, Signer, Unready, Verification,
};
use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::{Domain, Message};

const MAIL: &[u8] = b"From: A <a@example.com>\r\nTo: b@example.net,\r\n\tc@example.net\r\n\
    Subject:  double  spaces \r\nX-Empty:\r\nReceived: one\r\nMessage-ID: <1@example.com>\r\n\r\n\
    two  spaces \r\n\t\r\n trailing\t \r\n\r\n\r\n";

fn domain() -> Domain {
    "example.com".parse().unwrap()
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn keys() -> Vec<SigningKey> {
    vec![
        SigningKey::ed25519(&[3; 32]).unwrap(),
        SigningKey::from_pem(SigningKey::generate_ed25519().unwrap().1).unwrap(),
        SigningKey::from_pem(include_str!("data/dkim/rsa2048.pem")).unwrap(),
        SigningKey::from_pem(include_str!("data/dkim/rsa2048-pkcs1.pem")).unwrap(),
        SigningKey::from_pem(include_str!("data/dkim/rsa3072.pem")).unwrap(),
        SigningKey::from_pem(include_str!("data/dkim/rsa4096.pem")).unwrap(),
    ]
}

fn verify(signers: &[Signer], mail: &[u8], now: SystemTime) -> Vec<Verification> {
    let mut zone = Zone::new();
    for signer in signers {
        zone.add_txt(signer.key_name().as_str(), signer.record())
            .unwrap();
    }
    let message = Message::parse(mail);
    block_on(dkim::verify_message(
        &zone,
        &message,
        now,
        &Settings::default(),
    ))
}

fn signed(signers: &[Signer], mail: &[u8], now: SystemTime) -> Vec<u8> {
    let signed = dkim::Signer::sign(signers, &Message::parse(mail), now).unwrap();
    [signed.header().as_bytes(), mail].concat()
}

#[test]
fn all_keys_and_canonicalizations() {
    use Canonicalization::{Relaxed, Simple};
    let now = at(1_700_000_000);
    for (number, key) in keys().into_iter().enumerate() {
        for (header, body) in [
            (Relaxed, Relaxed),
            (Relaxed, Simple),
            (Simple, Relaxed),
            (Simple, Simple),
        ] {
            let selector = format!("s{number}");
            let signer = Signer::new(key.clone(), domain(), &selector)
                .unwrap()
                .canonicalization(header, body);
            for mail in [
                MAIL,
                b"From: a@example.com\r\n\r\n",
                b"From: a@example.com\r\n\r\nx",
            ] {
                let mail = signed(std::slice::from_ref(&signer), mail, now);
                let verifications = verify(std::slice::from_ref(&signer), &mail, now);
                assert_eq!(verifications.len(), 1);
                assert_eq!(verifications[0].cause(), &Cause::Passed, "{header}/{body}");
            }
        }
    }
}

#[test]
fn several_signatures_in_one_pass() {
    let now = at(1_700_000_000);
    let signers: Vec<Signer> = keys()
        .into_iter()
        .enumerate()
        .map(|(number, key)| {
            let signer = Signer::new(key, domain(), &format!("s{number}")).unwrap();
            if number % 2 == 0 {
                signer.canonicalization(Canonicalization::Simple, Canonicalization::Simple)
            } else {
                signer
            }
        })
        .collect();
    let message = Message::parse(MAIL);
    let signing = Signer::prepare(&signers, message.head(), now);
    let mut hasher = signing.body_hasher();
    message
        .body()
        .chunks(3)
        .for_each(|chunk| hasher.update(chunk));
    let streamed = signing.finish(&hasher.finish()).unwrap();
    let mail = [streamed.header().as_bytes(), MAIL].concat();
    let verifications = verify(&signers, &mail, now);
    assert_eq!(verifications.len(), signers.len());
    assert!(verifications.iter().all(|v| v.cause() == &Cause::Passed));
    assert_eq!(
        streamed,
        dkim::Signer::sign(&signers, &message, now).unwrap()
    );
}

#[test]
fn the_field_is_written_as_it_is_hashed() {
    let key = SigningKey::from_pem(include_str!("data/dkim/rsa4096.pem")).unwrap();
    let signer = Signer::new(key, domain(), "a-rather-long-selector.2026.mail")
        .unwrap()
        .canonicalization(Canonicalization::Simple, Canonicalization::Simple)
        .identity("first last;=\u{e9}", &"sub.example.com".parse().unwrap())
        .unwrap()
        .expires_after(Duration::from_secs(3_600));
    let mut fields = String::new();
    for number in 0..60 {
        fields.push_str(&format!("Cc: {number}@example.com\r\n"));
    }
    let mail = [fields.as_bytes(), MAIL].concat();
    let now = at(1_700_000_000);
    let mail = signed(std::slice::from_ref(&signer), &mail, now);
    let text = String::from_utf8(mail.clone()).unwrap();
    let (field, _) = text.split_once("\r\nCc:").unwrap();
    for line in field.split("\r\n") {
        assert!(line.len() <= 78, "{line}");
    }
    for (number, line) in field.split("\r\n").enumerate() {
        assert!(number == 0 || line.starts_with('\t'), "{line}");
    }
    let (_, value) = field.split_once(':').unwrap();
    let signature = Signature::parse(value.as_bytes(), 1_000).unwrap();
    assert_eq!(signature.timestamp(), Some(1_700_000_000));
    assert_eq!(signature.expiration(), Some(1_700_003_600));
    assert_eq!(signature.length(), None);
    assert_eq!(signature.identity(), "first last;=\u{e9}@sub.example.com");
    let names = signature.signed_fields();
    let names: Vec<&str> = names.collect();
    let count = |wanted: &str| names.iter().filter(|name| **name == wanted).count();
    assert_eq!(count("From"), 2);
    assert_eq!(count("Cc"), 61);
    assert_eq!(count("Reply-To"), 1);
    assert_eq!(count("Received"), 0);
    let verifications = verify(std::slice::from_ref(&signer), &mail, now);
    assert_eq!(verifications[0].cause(), &Cause::Passed);
    // Five minutes of skew, then it is over.
    let later = verify(std::slice::from_ref(&signer), &mail, at(1_700_003_900));
    assert_eq!(later[0].cause(), &Cause::Passed);
    let later = verify(&[signer], &mail, at(1_700_003_901));
    assert!(matches!(
        later[0].cause(),
        Cause::Expired { seconds: 301, .. }
    ));
}

#[test]
fn nothing_can_be_added_to_what_is_oversigned() {
    let now = SystemTime::now();
    let signer = Signer::new(keys().remove(0), domain(), "s").unwrap();
    let mail = signed(std::slice::from_ref(&signer), MAIL, now);
    for added in [
        "From: x@example.net",
        "Subject: other",
        "Reply-To: x@example.net",
        "Content-Type: text/html",
        "cc: x",
    ] {
        let mail = [added.as_bytes(), b"\r\n", &mail].concat();
        let verifications = verify(std::slice::from_ref(&signer), &mail, now);
        assert_eq!(
            verifications[0].cause(),
            &Cause::SignatureMismatch,
            "{added}"
        );
    }
    for added in [
        "Received: by x",
        "List-Id: <x>",
        "DKIM-Signature: v=2",
        "X: y",
    ] {
        let mail = [added.as_bytes(), b"\r\n", &mail].concat();
        let verifications = verify(std::slice::from_ref(&signer), &mail, now);
        assert_eq!(
            verifications.last().unwrap().cause(),
            &Cause::Passed,
            "{added}"
        );
    }
}

#[test]
fn names_that_cannot_be_signed() {
    let signer = || Signer::new(keys().remove(0), domain(), "s").unwrap();
    let fields = |names: &[&str]| signer().fields(names.iter().copied()).map(|_| ());
    assert_eq!(fields(&["from", "Subject"]), Ok(()));
    assert_eq!(fields(&["Subject"]), Err(SignError::FromNotSigned));
    assert_eq!(fields(&["From"; 1_000]), Ok(()));
    let limit = 1_000;
    assert_eq!(
        fields(&["From"; 1_001]),
        Err(SignError::TooManyFields { limit })
    );
    for trace in ["Received", "return-path", "DKIM-Signature", "ARC-Seal"] {
        assert!(matches!(
            fields(&["From", trace]),
            Err(SignError::TraceField { .. })
        ));
    }
    for bad in ["", "a b", "a:b", "a;b", "\u{e9}"] {
        assert!(matches!(
            fields(&["From", bad]),
            Err(SignError::FieldName { .. })
        ));
    }
    let new = |domain: &str, selector: &str| {
        Signer::new(keys().remove(0), domain.parse().unwrap(), selector).map(|_| ())
    };
    assert_eq!(new("com", "s"), Err(SignError::SingleLabel));
    assert!(matches!(
        new("example.com", ""),
        Err(SignError::Selector(_))
    ));
    assert!(matches!(
        new("example.com", "a\0"),
        Err(SignError::Selector(_))
    ));
    assert!(matches!(
        new("example.com", "a;b"),
        Err(SignError::Selector(_))
    ));
    let long = [["a"; 63].concat().as_str(); 3].join(".");
    assert!(matches!(
        new(&format!("{long}.example.com"), &long),
        Err(SignError::KeyName(_))
    ));
    let identity = |local_part: &str, domain: &str| {
        let domain = domain.parse().unwrap();
        signer().identity(local_part, &domain).map(|_| ())
    };
    assert_eq!(identity("a", "x.example.com"), Ok(()));
    assert_eq!(identity("a", "badexample.com"), Err(SignError::Identity));
    assert_eq!(identity("a\r\n", "example.com"), Err(SignError::Identity));
}

/// A signature that no verifier reads is none: the message has too many of the fields that are signed.
#[test]
fn crowded_headers_cannot_be_signed() {
    let signer = Signer::new(keys().remove(0), domain(), "s").unwrap();
    let mail = |count: usize| {
        let fields = "To: x\r\n".repeat(count);
        [b"From: a@example.com\r\n", fields.as_bytes(), b"\r\nx"].concat()
    };
    // Twelve names are signed once more than they occur.
    let most = 1_000 - 13;
    let signers = [signer];
    let verified = verify(&signers, &signed(&signers, &mail(most), at(0)), at(0));
    assert_eq!(verified[0].cause(), &Cause::Passed);
    let mail = mail(most + 1);
    let message = Message::parse(&mail);
    assert_eq!(
        Signer::sign(&signers, &message, at(0)),
        Err(SignError::TooManyFields { limit: 1_000 })
    );
}

#[test]
fn keys_that_ring_does_not_sign_with() {
    assert!(matches!(
        SigningKey::from_pem(
            "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"
        ),
        Err(SigningKeyError::Encoding)
    ));
    assert_eq!(
        SigningKeyError::Bits { bits: 1_024 }.to_string(),
        "RSA key of 1024 bits; only 2048, 3072 and 4096 are signed with"
    );
}

#[test]
fn hazards_are_told() {
    let signer = [Signer::new(keys().remove(0), domain(), "s").unwrap()];
    let hazards = |mail: &[u8]| {
        let signed = dkim::Signer::sign(&signer, &Message::parse(mail), SystemTime::now()).unwrap();
        signed.hazards().to_string()
    };
    assert_eq!(hazards(MAIL), "");
    let head = b"From: a@example.com\r\n\r\n";
    assert_eq!(hazards(&[&head[..], b"a\nb\r\n"].concat()), "LF without CR");
    assert_eq!(hazards(&[&head[..], b"a\rb\r\n"].concat()), "CR without LF");
    assert_eq!(hazards(&[&head[..], b"\0"].concat()), "NUL octets");
    assert_eq!(hazards(&[&head[..], b"\xe9"].concat()), "8-bit body");
    assert_eq!(hazards(&[&head[..], &[b'x'; 998]].concat()), "");
    assert_eq!(
        hazards(&[&head[..], &[b'x'; 999]].concat()),
        "lines over 998 octets"
    );
    assert_eq!(
        hazards(&[&head[..], &[b'x'; 1_001]].concat()),
        "lines over 998 octets"
    );
    assert_eq!(
        hazards("From: \u{e9} <a@example.com>\r\n\r\n".as_bytes()),
        "8-bit header"
    );
}

/// A key that is reached by a call that takes its time.
struct Remote(SigningKey);

impl ExternalKey for Remote {
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::Ed25519Sha256
    }

    fn sign<'a>(
        &'a self,
        octets: &'a [u8],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, SignError>> + Send + 'a>> {
        Box::pin(async move {
            assert_eq!(octets.len(), 32);
            Ok(self.0.sign(octets)?)
        })
    }
}

#[test]
fn keys_held_elsewhere() {
    let now = at(1_700_000_000);
    let key = keys().remove(0);
    let local = Signer::new(key.clone(), domain(), "s").unwrap();
    let remote = Signer::external(Arc::new(Remote(key)), domain(), "s").unwrap();
    let message = Message::parse(MAIL);
    let signed = block_on(dkim::Signer::sign_externally(&[remote], &message, now)).unwrap();
    // Ed25519 is deterministic.
    assert_eq!(
        signed.fields(),
        dkim::Signer::sign(&[local], &message, now)
            .unwrap()
            .fields()
    );
}

#[test]
fn checks_before_going_live() {
    let now = SystemTime::now();
    let mut keys = keys();
    let signer = Signer::new(keys.remove(2), domain(), "new").unwrap();
    let check = |zone: &Zone, from: &str| {
        let from = from.parse().unwrap();
        block_on(signer.check(zone, &from, now))
    };
    let name = "new._domainkey.example.com";
    let with = |record: &str| {
        let mut zone = Zone::new();
        zone.add_txt(name, record).unwrap();
        zone
    };
    let good = signer.record();
    assert_eq!(check(&Zone::new(), "example.com"), [Unready::NoKey]);
    assert_eq!(check(&with(&good), "example.com"), []);
    assert_eq!(check(&with(&good), "news.example.com"), []);
    assert_eq!(check(&with(&good), "example.net"), [Unready::Unaligned]);
    let other = KeyRecord::new(keys.remove(0).verifying_key()).to_string();
    assert_eq!(check(&with(&other), "example.com"), [Unready::OtherKey]);
    assert!(matches!(
        check(&with("v=DKIM1"), "example.com")[..],
        [Unready::KeySyntax(_)]
    ));
    let testing = KeyRecord::new(signer.key().verifying_key()).with_testing(true);
    assert_eq!(
        check(&with(&testing.to_string()), "example.com"),
        [Unready::Testing]
    );
    let mut both = with(&good);
    both.add_txt(name, &other).unwrap();
    assert_eq!(
        check(&both, "example.com"),
        [Unready::SeveralRecords { count: 2 }]
    );
    let forbids = good.replace("; p=", "; h=sha1; p=");
    assert_eq!(
        check(&with(&forbids), "example.com"),
        [Unready::DoesNotVerify(Cause::HashNotAllowed)]
    );
    let mut failing = Zone::new();
    failing.fail(name, LookupError::Timeout).unwrap();
    assert_eq!(
        check(&failing, "example.com"),
        [Unready::KeyUnavailable(LookupError::Timeout)]
    );
}

#[test]
fn rotation_with_two_selectors() {
    let now = SystemTime::now();
    let mut keys = keys();
    let new = Signer::new(keys.remove(1), domain(), "2026b").unwrap();
    let old = Signer::new(keys.remove(0), domain(), "2026a").unwrap();
    let mut zone = Zone::new();
    zone.add_txt(old.key_name().as_str(), old.record()).unwrap();
    zone.add_txt(new.key_name().as_str(), new.record()).unwrap();
    // Mail that is still under way keeps verifying while both are published.
    for signer in [old, new] {
        let mail = signed(&[signer], MAIL, now);
        let message = Message::parse(&mail);
        let settings = Settings::default();
        let verifications = block_on(dkim::verify_message(&zone, &message, now, &settings));
        assert_eq!(verifications[0].cause(), &Cause::Passed);
    }
}

/// RFC 6376 3.5 has twelve digits for x=; more would void the signature.
#[test]
fn lifetimes_beyond_the_field() {
    for lifetime in [Duration::ZERO, Duration::MAX] {
        let signer = Signer::new(keys().remove(0), domain(), "s0").unwrap();
        let signers = [signer.expires_after(lifetime)];
        let mail = signed(&signers, b"From: a@example.com\r\n\r\nx\r\n", at(1_000));
        let verified = verify(&signers, &mail, at(1_000));
        assert_eq!(verified[0].result(), dkim::DkimResult::Pass, "{lifetime:?}");
    }
}
