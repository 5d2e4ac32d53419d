//! Hostile input: bounds hold, and time grows no faster than the input.

mod dkim_support;

use std::time::{Duration, Instant, SystemTime};

use dkim_support::{craft, verify, zone};
use mailproof::crypto::HashAlgorithm;
use mailproof::dkim::{
    self, BodyHasher, Canonicalization, Cause, DkimResult, Settings, SignatureError,
};
use mailproof::dns::Zone;
use mailproof::{Domain, Message};

const HEADER: &str = "From: a@example.com\r\nSubject: hello\r\n";
const BODY: &str = "one\r\ntwo\r\n";

/// The time that this thread has had, which does not grow while others have the processor; where
/// the system does not tell, the time by the clock.
fn clock(start: Instant) -> Duration {
    // The count is brought up to date when the scheduler runs.
    std::thread::yield_now();
    std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|text| text.split(' ').next()?.parse().ok())
        .map_or_else(|| start.elapsed(), Duration::from_nanos)
}

/// The shortest of several runs.
fn time(mut work: impl FnMut()) -> Duration {
    let start = Instant::now();
    let run = |_| {
        let before = clock(start);
        work();
        clock(start).saturating_sub(before)
    };
    (0..3).map(run).min().unwrap()
}

/// Sixteen times the input may take 64 times as long on a busy machine, but not 256 times, as
/// quadratic work would.
fn assert_linear(what: &str, mut work: impl FnMut(usize)) {
    let mut measured = (Duration::MAX, Duration::ZERO);
    for _ in 0..3 {
        measured = (time(|| work(1)), time(|| work(16)));
        if measured.1 < measured.0 * 64 + Duration::from_millis(2) {
            return;
        }
    }
    panic!("{what}: {:?}, then {:?}", measured.0, measured.1);
}

fn field(tags: &str) -> String {
    let mail = craft(tags, HEADER, BODY, BODY.len());
    mail.split_once(HEADER).unwrap().0.to_owned()
}

#[test]
fn signatures_beyond_the_limit() {
    let zone = zone(&["example.com", "example.net"]);
    let other = field("d=example.net; s=s; h=From;");
    let ours = field("d=example.com; s=s; h=From;");
    let broken = "DKIM-Signature: v=2\r\n";
    let mail = [
        &other.repeat(12),
        broken,
        &ours,
        &other.repeat(2),
        HEADER,
        "\r\n",
        BODY,
    ]
    .concat();
    let verifications = verify(&zone, &mail, &Settings::default());
    assert_eq!(verifications.len(), 16);
    // The author's own comes first, wherever it stands; nine others follow in order.
    for (at, verification) in verifications.iter().enumerate() {
        let expected = match at {
            0..=8 | 13 => Cause::Passed,
            12 => Cause::Syntax(SignatureError::Version {
                version: "2".into(),
            }),
            _ => Cause::NotEvaluated { limit: 10 },
        };
        assert_eq!(verification.cause(), &expected, "{at}");
        assert_eq!(verification.position(), at);
    }
    // Nothing is asked for those that are not evaluated.
    let message = Message::parse(mail.as_bytes());
    let author: Domain = "example.com".parse().unwrap();
    let mut settings = Settings::default();
    settings.max_signatures = 1;
    let collected =
        dkim::Collected::read(message.head(), Some(&author), SystemTime::now(), &settings);
    let names = collected.key_names();
    assert_eq!(names.len(), 1);
    assert_eq!(names[0].as_str(), "s._domainkey.example.com");
}

#[test]
fn long_lists_and_fields_are_refused() {
    let zone = Zone::new();
    let settings = Settings::default();
    let cause = |mail: &str| verify(&zone, mail, &settings)[0].cause().clone();
    let names = |count: usize| format!("d=example.com; s=s; h=From{};", ":a".repeat(count - 1));
    let mail = |count: usize| craft(&names(count), HEADER, BODY, BODY.len());
    assert_eq!(cause(&mail(1_000)), Cause::NoKey);
    assert_eq!(
        cause(&mail(1_001)),
        Cause::Syntax(SignatureError::TooManyFields { limit: 1_000 })
    );
    assert!(matches!(
        cause(&mail(100_000)),
        Cause::Syntax(SignatureError::TooLong { .. })
    ));
    let colons = format!("d=example.com; s=s; h={};", ":".repeat(1_000));
    assert_eq!(
        cause(&craft(&colons, HEADER, BODY, BODY.len())),
        Cause::Syntax(SignatureError::FieldName)
    );
    let copies = format!("d=example.com; s=s; h=From; z={};", "x".repeat(66_000));
    assert!(matches!(
        cause(&craft(&copies, HEADER, BODY, BODY.len())),
        Cause::Syntax(SignatureError::TooLong { .. })
    ));
    let tags = "t".repeat(60_000);
    let many = format!(
        "DKIM-Signature: {};\r\n{HEADER}\r\n",
        tags.replace('t', "t;")
    );
    assert!(matches!(cause(&many), Cause::Syntax(_)));
}

#[test]
fn header_data_is_bounded() {
    let zone = zone(&["example.com"]);
    let long = format!("Subject: {}\r\n", "x".repeat(100_000));
    let header = format!("From: a@example.com\r\n{long}");
    let tags = "d=example.com; s=s; h=From:Subject;";
    let mail = craft(tags, &header, BODY, BODY.len());
    let (signature, rest) = mail.split_once("From: a").unwrap();
    let mail = format!("{}From: a{rest}", signature.repeat(3));
    let mut settings = Settings::default();
    settings.max_signed_octets = 250_000;
    let verifications = verify(&zone, &mail, &settings);
    assert_eq!(verifications[0].cause(), &Cause::Passed);
    assert_eq!(verifications[1].cause(), &Cause::Passed);
    assert_eq!(
        verifications[2].cause(),
        &Cause::HeaderTooLong { limit: 250_000 }
    );
    assert_eq!(verifications[2].result(), DkimResult::Neutral);
}

#[test]
fn body_hashes_have_one_length() {
    let zone = zone(&["example.com"]);
    for hash in ["AAAA", "Ba3gj8+xBPQLJTahTfzW6RbWQ/XPgESxkCi2B66PSQgA"] {
        let mail = format!(
            "DKIM-Signature: v=1; a=ed25519-sha256; d=example.com; s=s; h=From; bh={hash}; \
             b=AAAA\r\n{HEADER}\r\n"
        );
        let verifications = verify(&zone, &mail, &Settings::default());
        assert!(matches!(
            verifications[0].cause(),
            Cause::Syntax(SignatureError::BodyHashLength { .. })
        ));
    }
}

#[test]
fn header_selection_is_linear() {
    let zone = zone(&["example.com"]);
    let mut settings = Settings::default();
    settings.max_signed_fields = 100_000;
    settings.max_signature_octets = 1_000_000;
    assert_linear("h= of one name over as many fields", |factor| {
        let count = 300 * factor;
        let names = format!("d=example.com; s=s; h=From{};", ":a".repeat(count));
        let field = format!(
            "DKIM-Signature: v=1; a=ed25519-sha256; {names} b=AAAA; \
             bh=Ba3gj8+xBPQLJTahTfzW6RbWQ/XPgESxkCi2B66PSQg=\r\n"
        );
        let mail = [&field, &"A: x\r\n".repeat(count), HEADER, "\r\n"].concat();
        let verifications = verify(&zone, &mail, &settings);
        assert_eq!(verifications[0].signed_fields().count(), count + 1);
        assert!(verifications[0].signed_fields().last().unwrap().1.is_some());
    });
    assert_linear("9,600 fields of different names", |factor| {
        let fields: String = (0..600 * factor).map(|n| format!("X-{n}: x\r\n")).collect();
        let signature = "DKIM-Signature: v=1; a=ed25519-sha256; d=example.com; s=s; h=From; b=AAAA; \
             bh=Ba3gj8+xBPQLJTahTfzW6RbWQ/XPgESxkCi2B66PSQg=\r\n";
        let mail = [signature, &fields, HEADER, "\r\n"].concat();
        let verifications = verify(&zone, &mail, &Settings::default());
        assert!(verifications[0].unsigned_fields().count() >= 600 * factor);
    });
    assert_linear("signature fields", |factor| {
        let mail = [
            "DKIM-Signature: v=1; a=b\r\n".repeat(500 * factor),
            HEADER.into(),
        ]
        .concat();
        let verifications = verify(&zone, &mail, &Settings::default());
        assert_eq!(verifications.len(), 500 * factor);
    });
}

fn hasher_of_both() -> BodyHasher {
    BodyHasher::new()
        .with_hash(HashAlgorithm::Sha256, Canonicalization::Relaxed, None)
        .with_hash(HashAlgorithm::Sha256, Canonicalization::Simple, None)
}

#[test]
fn bodies_take_linear_time() {
    let shapes: [(&str, &[u8]); 7] = [
        ("one line", b"x"),
        ("empty lines", b"\r\n"),
        ("spaces", b" "),
        ("tabs", b"\t"),
        ("CR", b"\r"),
        ("LF", b"\n"),
        ("lines of a space", b" \r\n"),
    ];
    for (what, octets) in shapes {
        for chunk in [17, 65_536] {
            assert_linear(what, |factor| {
                let body = octets.repeat(15_000 / octets.len() * factor);
                let mut hasher = hasher_of_both();
                body.chunks(chunk).for_each(|chunk| hasher.update(chunk));
                let hashes = hasher.finish();
                assert!(hashes.total(Canonicalization::Simple).is_some());
            });
        }
    }
}

#[test]
fn large_bodies_of_the_worst_shapes() {
    let total = |body: &[u8]| {
        let mut hasher = hasher_of_both();
        hasher.update(body);
        let hashes = hasher.finish();
        let total = |form| hashes.total(form).unwrap();
        (
            total(Canonicalization::Relaxed),
            total(Canonicalization::Simple),
        )
    };
    let size = 10_485_760;
    assert_eq!(total(&vec![b'x'; size]), (10_485_762, 10_485_762));
    assert_eq!(total(&vec![b' '; size]), (0, 10_485_762));
    assert_eq!(total(&b"\r\n".repeat(5_000_000)), (0, 2));
    let mut lines = b"\r\n".repeat(5_000_000);
    lines.push(b'x');
    assert_eq!(total(&lines), (10_000_003, 10_000_003));
}
