//! SRS at its limits: what just fits and what just does not, and hashes that hold for what no
//! address can be.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::srs::{
    Claimed, Construction, Forwarded, Malformed, Reversed, Rewriter, SettingError,
};

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

fn rewriter(domain: &str) -> Rewriter {
    Rewriter::new(domain.parse().unwrap(), "mysecret").unwrap()
}

/// A domain of so many octets, at least 66.
fn domain(octets: usize) -> String {
    let labels = [&"a".repeat(60)[..]; 4].join(".");
    let (tail, head) = (".example", octets - 8);
    format!("{}{tail}", &labels[labels.len() - head..])
}

#[test]
fn an_address_may_have_254_octets() {
    // `SRS0=hash=G3=example.com=alice@` has 31.
    for (octets, fits) in [(253, true), (254, true), (255, false)] {
        let rewriter = rewriter(&domain(octets - 31));
        match rewriter.forward("alice@example.com", now()) {
            Forwarded::Srs0(address) => assert!(fits && address.len() == octets, "{octets}"),
            Forwarded::TooLong { length, limit, .. } => {
                assert!(!fits, "{octets}");
                assert_eq!((length, limit), (octets, 254));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_local_part_may_have_64_octets() {
    // `SRS0=hash=G3=example.com=` has 25.
    for (octets, fits) in [(63, true), (64, true), (65, false)] {
        let sender = format!("{}@example.com", "a".repeat(octets - 25));
        match rewriter("fwd.example").forward(sender, now()) {
            Forwarded::Srs0(_) => assert!(fits, "{octets}"),
            Forwarded::TooLong { length, limit, .. } => {
                assert!(!fits, "{octets}");
                assert_eq!((length, limit), (octets, 64));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_thousand_octets_are_read_without_the_secret() {
    for (octets, read) in [(1_000, true), (1_001, false)] {
        let user = "a".repeat(octets - "SRS0=E4us=G3=example.com=@fwd.example".len());
        let address = format!("SRS0=E4us=G3=example.com={user}@fwd.example");
        assert_eq!(Claimed::decode(address).is_some(), read, "{octets}");
    }
}

#[test]
fn stamps_are_valid_for_less_than_their_period() {
    assert!(rewriter("fwd.example").maximum_age(1_022).is_ok());
    assert!(matches!(
        rewriter("fwd.example").maximum_age(1_023),
        Err(SettingError::MaximumAge { days: 1_023 })
    ));
}

#[test]
fn the_hash_covers_the_last_octet_of_long_users() {
    for construction in [Construction::Compatible, Construction::Delimited] {
        let rewriter = rewriter("fwd.example").construction(construction);
        for octets in 90..150 {
            let sender = format!("{}@example.com", "a".repeat(octets));
            let Forwarded::TooLong { address, .. } = rewriter.forward(&sender, now()) else {
                panic!("{octets} octets fit");
            };
            let changed = address.replace("a@", "b@");
            assert_eq!(
                rewriter.reverse(changed, now()),
                Reversed::Forged,
                "{octets}"
            );
            match rewriter.reverse(address, now()) {
                Reversed::Valid { address, .. } => assert_eq!(address, sender),
                other => panic!("{octets}: {other:?}"),
            }
        }
    }
}

/// What becomes of `before?behind` with each character in place of `?` that is a valid hash. Other
/// software with the same secret may write what we do not.
fn signed(before: &str, behind: &str) -> Vec<Reversed> {
    let rewriter = rewriter("fwd.example").minimum_hash_length(1).unwrap();
    let letters = ('A'..='Z').chain('0'..='9').chain(['+', '/']);
    let recipients = letters.map(|hash| format!("{before}{hash}{behind}"));
    let answers = recipients.map(|recipient| rewriter.reverse(recipient, now()));
    answers
        .filter(|answer| *answer != Reversed::Forged)
        .collect()
}

fn valid(address: &str) -> Reversed {
    Reversed::Valid {
        address: address.to_owned(),
        is_sender: true,
        age: Some(0),
    }
}

#[test]
fn quotes_are_put_only_where_they_stood() {
    let answers = signed("SRS0=", "=G3=example.com=a[b@fwd.example");
    assert_eq!(answers, [Reversed::Malformed(Malformed::User)]);
    let answers = signed("\"SRS0=", "=G3=example.com=a[b\"@fwd.example");
    assert_eq!(answers, [valid("\"a[b\"@example.com")]);
}

#[test]
fn what_quotes_cannot_mend_is_no_address() {
    // One hash is that of `a\"b`, which is an address in quotes; the other that of `a"b`.
    let answers = signed("\"SRS0=", r#"=G3=example.com=a\"b"@fwd.example"#);
    assert!(answers.contains(&valid(r#""a\"b"@example.com"#)));
    assert!(answers.contains(&Reversed::Malformed(Malformed::User)));
    assert_eq!(answers.len(), 2);
}
