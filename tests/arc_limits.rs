//! Chains at the limits of what is read and checked, and what is told of each set.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use mailproof::Message;
use mailproof::arc::{self, ArcResult, Cause, Payload, Sealer, Settings, Validation};
use mailproof::auth_results::Method;
use mailproof::crypto::SigningKey;
use mailproof::dkim::{self, KeyRecord, SignatureError, Signed};
use mailproof::dns::{Zone, block_on};

const SIGNED: &str = "From: a@author.example\r\nTo: list@example.org\r\nSubject: hi\r\n";

const SECONDS: u64 = 1_700_000_000;

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn mail() -> String {
    format!("{SIGNED}\r\nHello\r\n")
}

fn key(n: u8) -> SigningKey {
    SigningKey::ed25519(&[n; 32]).unwrap()
}

fn sealer(n: u8) -> Sealer {
    Sealer::new(key(n), format!("hop{n}.example").parse().unwrap(), "s").unwrap()
}

fn validate(mail: &str, now: SystemTime, settings: &Settings) -> Validation {
    static ZONE: LazyLock<Zone> = LazyLock::new(|| {
        let mut zone = Zone::new();
        for n in 1..=3 {
            let record = KeyRecord::new(key(n).verifying_key()).to_string();
            zone.add_txt(&format!("s._domainkey.hop{n}.example"), record)
                .unwrap();
        }
        zone
    });
    let message = Message::parse(mail.as_bytes());
    let collected = arc::Collected::read(message.head(), now, settings);
    let keys = block_on(dkim::Keys::fetch(&*ZONE, &collected.key_names()));
    let mut hasher = collected.body_hasher();
    hasher.update(message.body());
    collected.validate(&keys, &hasher.finish(), settings)
}

fn usual(mail: &str) -> Validation {
    validate(mail, at(SECONDS), &Settings::default())
}

fn sealed(n: u8, mail: &str, payload: &str) -> Signed {
    let payload: Payload = payload.parse().unwrap();
    let message = Message::parse(mail.as_bytes());
    sealer(n)
        .seal(&message, &payload, &usual(mail), at(SECONDS))
        .unwrap()
}

/// Sealed by so many.
fn chain(length: u8) -> String {
    (1..=length).fold(mail(), |mail, n| {
        let payload = format!("mx.hop{n}.example; spf=pass smtp.mailfrom=author.example");
        sealed(n, &mail, &payload).header() + &mail
    })
}

/// What becomes of a chain of one whose message signature has another tag.
fn with_tag(tag: &str, now: SystemTime, settings: &Settings) -> Cause {
    let changed = chain(1).replace(
        "-Message-Signature: i=1;",
        &format!("-Message-Signature: i=1; {tag};"),
    );
    validate(&changed, now, settings).cause().clone()
}

fn message_signature(cause: dkim::Cause) -> Cause {
    Cause::MessageSignature { instance: 1, cause }
}

#[test]
fn what_is_told_of_a_set() {
    let mail = chain(2);
    let validation = usual(&mail);
    assert_eq!(
        validation.to_string(),
        format!("arc=pass: {}", validation.cause())
    );
    let [first, second] = validation.sets() else {
        panic!("{validation}");
    };
    for (set, n) in [(first, 1), (second, 2)] {
        let domain = format!("hop{n}.example").parse().unwrap();
        assert_eq!(set.instance(), n);
        assert_eq!((set.domain(), set.selector()), (Some(&domain), Some("s")));
        assert_eq!(set.signature_domain(), Some(&domain));
        assert_eq!(set.signature_selector(), Some("s"));
        assert_eq!(set.timestamp(), Some(SECONDS));
        assert_eq!(set.seal(), Some(&dkim::Cause::Passed));
        assert_eq!(set.message_signature(), Some(&dkim::Cause::Passed));
        let results = set.results().unwrap();
        assert_eq!(results.of(&Method::Spf).count(), 1);
    }
    assert_eq!(first.chain_validation(), Some(ArcResult::None));
    assert_eq!(second.chain_validation(), Some(ArcResult::Pass));
    let unreadable = usual(&mail.replace("ARC-Seal: ", "ARC-Seal: ;"));
    assert_eq!(unreadable.result(), ArcResult::Fail);
    let absent = usual(&mail.replace("ARC-Message-Signature", "X"));
    let [first, _] = absent.sets() else {
        panic!("{absent}");
    };
    assert_eq!(
        (first.signature_domain(), first.signature_selector()),
        (None, None)
    );
    assert_eq!((first.seal(), first.message_signature()), (None, None));
    assert!(first.domain().is_some());
}

#[test]
fn sealers_keep_their_key_to_themselves() {
    let settings = Settings::default();
    let instance = |mail: &str| {
        let (message, payload) = (Message::parse(mail.as_bytes()), "mx.example; none".parse());
        let incoming = usual(mail);
        let sealing = sealer(1).prepare(message.head(), &payload.unwrap(), &incoming, at(SECONDS));
        sealing.unwrap().instance()
    };
    assert_eq!((instance(&mail()), instance(&chain(2))), (1, 3));
    let shown = format!("{:?}", sealer(1));
    assert!(
        shown.starts_with("Sealer(") && shown.contains("hop1.example"),
        "{shown}"
    );
    let head_only = mail();
    let message = Message::parse(head_only.as_bytes());
    let incoming = validate(&head_only, at(SECONDS), &settings);
    let payload = "mx.example; none".parse().unwrap();
    let sealing = sealer(1)
        .prepare(message.head(), &payload, &incoming, at(SECONDS))
        .unwrap();
    let shown = format!("{sealing:?}");
    assert!(
        shown.starts_with("Sealing(") && shown.contains("hop1.example"),
        "{shown}"
    );
}

#[test]
fn a_header_without_arc_fields_is_empty() {
    let is_empty = |mail: &str| {
        let message = Message::parse(mail.as_bytes());
        arc::Collected::read(message.head(), at(SECONDS), &Settings::default()).is_empty()
    };
    assert!(is_empty(&mail()));
    assert!(!is_empty(&chain(1)));
    // Neither a set nor nothing.
    assert!(!is_empty(&format!("ARC-Seal: nonsense\r\n{}", mail())));
}

#[test]
fn fields_have_a_longest_length() {
    let mail = chain(1);
    let message = Message::parse(mail.as_bytes());
    let fields = message.head().named(b"ARC-Message-Signature");
    let signature = fields.map(|field| field.value().len()).max().unwrap();
    let fields = message.head().named(b"ARC-Seal");
    let longest = fields
        .map(|field| field.value().len())
        .max()
        .unwrap()
        .max(signature);
    let mut settings = Settings::default();
    settings.dkim.max_signature_octets = longest;
    assert_eq!(
        validate(&mail, at(SECONDS), &settings).result(),
        ArcResult::Pass
    );
    settings.dkim.max_signature_octets = longest - 1;
    assert_eq!(
        validate(&mail, at(SECONDS), &settings).cause(),
        &Cause::Malformed {
            instance: 1,
            field: "ARC-Message-Signature",
            error: SignatureError::TooLong { length: signature },
        }
    );
}

/// RFC 6376 3.5: ‘Signatures MAY be considered invalid if the verification time at the Verifier is past
/// the expiration date’, less what clocks may differ.
#[test]
fn message_signatures_expire() {
    let settings = Settings::default();
    let skew = settings.dkim.clock_skew.as_secs();
    let expiration = SECONDS + 10;
    let tag = format!("x={expiration}");
    for (late, expired) in [(skew - 1, false), (skew, false), (skew + 1, true)] {
        // The tag was not signed, which is only looked at if it does not expire.
        let expected = match expired {
            true => dkim::Cause::Expired {
                expiration,
                seconds: late,
            },
            false => dkim::Cause::SignatureMismatch,
        };
        let cause = with_tag(&tag, at(expiration + late), &settings);
        assert_eq!(cause, message_signature(expected), "{late}");
    }
}

#[test]
fn a_length_reaches_to_the_end_of_the_body_at_most() {
    let mut settings = Settings::default();
    settings.dkim.refuse_length = false;
    for (length, expected) in [
        (6, dkim::Cause::BodyHashMismatch),
        (7, dkim::Cause::SignatureMismatch),
        (
            8,
            dkim::Cause::LengthBeyondBody {
                length: 8,
                total: 7,
            },
        ),
    ] {
        let cause = with_tag(&format!("l={length}"), at(SECONDS), &settings);
        assert_eq!(cause, message_signature(expected), "{length}");
    }
}

/// RFC 6376 3.5: domain-name = sub-domain 1*("." sub-domain)
#[test]
fn sealers_have_at_least_two_labels() {
    let of = |domain: &str| {
        let changed = chain(1).replace("d=hop1.example", &format!("d={domain}"));
        usual(&changed).cause().clone()
    };
    let domain = "localhost".parse().unwrap();
    assert_eq!(
        of("localhost"),
        Cause::Malformed {
            instance: 1,
            field: "ARC-Seal",
            error: SignatureError::SingleLabel { domain },
        }
    );
    for domain in ["a.example", "a.b.example"] {
        assert!(
            matches!(of(domain), Cause::MessageSignature { .. }),
            "{domain}"
        );
    }
}

/// A field as RFC 6376 3.4.2 makes it, for the plain ones of these tests.
fn relaxed(name: &str, value: &[u8]) -> usize {
    let value = String::from_utf8(value.to_vec()).unwrap();
    let words: Vec<_> = value.split_ascii_whitespace().collect();
    name.len() + ":".len() + words.join(" ").len() + "\r\n".len()
}

/// What is hashed for all sets together is bounded: the signed fields for each set, and what each
/// seal covers.
#[test]
fn all_sets_share_one_limit() {
    let signed: usize = SIGNED.len() - 3;
    for length in 1..=3 {
        let mail = chain(length);
        let message = Message::parse(mail.as_bytes());
        let mut needed = signed * usize::from(length);
        let mut sealed = 0;
        for n in 1..=length {
            let field = |name: &str| {
                let instance = format!("i={n};");
                let mut named = message.head().named(name.as_bytes());
                let value = named.find_map(|field| {
                    let value = field.value().trim_ascii_start();
                    value.starts_with(instance.as_bytes()).then_some(value)
                });
                relaxed(name, value.unwrap())
            };
            sealed += field("ARC-Authentication-Results") + field("ARC-Message-Signature");
            needed += sealed;
            sealed += field("ARC-Seal");
        }
        let mut settings = Settings::default();
        settings.dkim.max_signed_octets = needed;
        let validation = validate(&mail, at(SECONDS), &settings);
        assert_eq!(
            validation.result(),
            ArcResult::Pass,
            "{length} {validation}"
        );
        settings.dkim.max_signed_octets = needed - 1;
        let validation = validate(&mail, at(SECONDS), &settings);
        let limit = needed - 1;
        let cause = dkim::Cause::HeaderTooLong { limit };
        assert_eq!(
            validation.cause(),
            &Cause::Seal {
                instance: length,
                cause
            }
        );
    }
}

/// RFC 5322 2.1.1: lines SHOULD be no more than 78 characters. An instance may have two digits.
#[test]
fn results_begin_on_the_line_where_they_fit() {
    for (octets, fits) in [(43, true), (44, true), (45, false)] {
        let payload = format!("{}; none", "m".repeat(octets - "; none".len()));
        let sealed = sealed(1, &mail(), &payload);
        let [.., results] = sealed.fields() else {
            panic!("{sealed:?}");
        };
        let fold = if fits { " " } else { "\r\n\t" };
        let expected = format!("ARC-Authentication-Results: i=1;{fold}{payload}");
        assert_eq!(*results, expected);
    }
}

/// §4.1.1: what DMARC says of which author domain.
#[test]
fn a_property_is_found_by_type_and_name() {
    let author = "author.example".parse().unwrap();
    for (properties, reported) in [
        ("header.from=author.example", true),
        ("header.d=other.example header.from=author.example", true),
        ("policy.from=other.example header.from=author.example", true),
        ("header.d=author.example", false),
        ("smtp.from=author.example", false),
        ("header.from=other.example", false),
    ] {
        let payload = format!("mx.example; dmarc=pass {properties}");
        let mail = sealed(1, &mail(), &payload).header() + &mail();
        let validation = usual(&mail);
        let found = validation.sets()[0].reports_dmarc_pass(&author);
        assert_eq!(found, reported, "{properties}");
    }
}
