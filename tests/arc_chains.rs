//! Chains of ARC sets, made by the sealer and then broken in every way.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use mailproof::Message;
use mailproof::arc::{self, ArcResult, Cause, Payload, Sealer, Settings, Validation};
use mailproof::crypto::SigningKey;
use mailproof::dkim::{self, KeyRecord, SignError};
use mailproof::dns::{LookupError, Zone, block_on};

const MAIL: &[u8] = b"From: a@author.example\r\nTo: list@example.org\r\nSubject: hi\r\n\
    X-Unsigned: yes\r\n\r\nHello\r\n";

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// The sealer of hop `n`, each with a key of its own.
fn sealer(n: u8) -> Sealer {
    let key = SigningKey::ed25519(&[n; 32]).unwrap();
    Sealer::new(key, format!("hop{n}.example").parse().unwrap(), "s").unwrap()
}

fn zone() -> Zone {
    let mut zone = Zone::new();
    for n in 1..=60 {
        let key = SigningKey::ed25519(&[n; 32]).unwrap();
        let record = KeyRecord::new(key.verifying_key()).to_string();
        zone.add_txt(&format!("s._domainkey.hop{n}.example"), record)
            .unwrap();
    }
    zone
}

fn validate_in(zone: &Zone, mail: &[u8]) -> Validation {
    validate_by(&Settings::default(), zone, mail)
}

fn validate_by(settings: &Settings, zone: &Zone, mail: &[u8]) -> Validation {
    let message = Message::parse(mail);
    let collected = arc::Collected::read(message.head(), now(), settings);
    let keys = block_on(dkim::Keys::fetch(zone, &collected.key_names()));
    let mut hasher = collected.body_hasher();
    hasher.update(message.body());
    collected.validate(&keys, &hasher.finish(), settings)
}

fn validate(mail: &[u8]) -> Validation {
    static ZONE: LazyLock<Zone> = LazyLock::new(zone);
    validate_in(&ZONE, mail)
}

fn payload(n: u8) -> Payload {
    format!("mx.hop{n}.example; spf=pass smtp.mailfrom=author.example; arc=pass")
        .parse()
        .unwrap()
}

fn seal(n: u8, mail: &[u8]) -> Result<Vec<u8>, SignError> {
    let incoming = validate(mail);
    let message = Message::parse(mail);
    let sealing = sealer(n).prepare(message.head(), &payload(n), &incoming, now())?;
    assert_eq!(sealing.chain_validation(), incoming.result());
    let sealed = sealer(n).seal(&message, &payload(n), &incoming, now())?;
    Ok([sealed.header().as_bytes(), mail].concat())
}

fn chain(length: u8) -> Vec<u8> {
    (1..=length).fold(MAIL.to_vec(), |mail, n| seal(n, &mail).unwrap())
}

fn text(mail: &[u8]) -> String {
    String::from_utf8(mail.to_vec()).unwrap()
}

fn cause(mail: &str) -> Cause {
    validate(mail.as_bytes()).cause().clone()
}

#[test]
fn chains_of_every_length() {
    let mut mail = MAIL.to_vec();
    assert_eq!(validate(&mail).result(), ArcResult::None);
    for n in 1..=50 {
        mail = seal(n, &mail).unwrap();
        if [1, 2, 3, 49, 50].contains(&n) {
            let validation = validate(&mail);
            assert_eq!(validation.result(), ArcResult::Pass, "{validation}");
            assert_eq!(validation.oldest_pass(), Some(0));
            let instances: Vec<u8> = validation.sets().iter().map(|set| set.instance()).collect();
            assert_eq!(instances, (1..=n).collect::<Vec<u8>>());
        }
    }
    assert_eq!(seal(51, &mail), Err(SignError::ChainFull));
    // One more by somebody who does not count.
    let newest = text(&mail);
    let mut more = String::new();
    for field in newest
        .split_inclusive("\r\n")
        .take_while(|line| !line.contains("i=49"))
    {
        more.push_str(&field.replace("i=50;", "i=51;"));
    }
    let validation = validate(format!("{more}{newest}").as_bytes());
    assert_eq!(validation.cause(), &Cause::TooManySets { limit: 50 });
    let mut settings = Settings::default();
    settings.max_sets = 49;
    let message = Message::parse(&mail);
    let collected = arc::Collected::read(message.head(), now(), &settings);
    assert!(collected.key_names().is_empty());
    let validation = collected.validate(&Default::default(), &Default::default(), &settings);
    assert_eq!(validation.cause(), &Cause::TooManySets { limit: 49 });
}

/// Every octet of the ARC fields and of the signed fields counts; no other does.
#[test]
fn every_flipped_octet_is_noticed() {
    let mail = chain(2);
    let zone = zone();
    let end = mail.windows(4).position(|end| end == b"\r\n\r\n").unwrap();
    let unsigned = text(&mail).find("X-Unsigned").unwrap();
    for at in 0..end {
        let mut flipped = mail.clone();
        flipped[at] ^= 1;
        let validation = validate_in(&zone, &flipped);
        let noticed = validation.result() != ArcResult::Pass;
        let counts = at < unsigned;
        assert_eq!(
            noticed,
            counts,
            "{at}: {:?} {validation}",
            char::from(mail[at])
        );
    }
    // The seals themselves cover no body, but the newest message signature does.
    let mut flipped = mail.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let validation = validate_in(&zone, &flipped);
    let Cause::MessageSignature { instance: 2, cause } = validation.cause() else {
        panic!("{validation}");
    };
    assert_eq!(cause, &dkim::Cause::BodyHashMismatch);
    assert_eq!(validation.oldest_pass(), None);
}

/// Three sets; a list between the first sealer and the second adds a footer.
fn changed_on_the_way() -> Vec<u8> {
    let first = chain(1);
    let incoming = validate(&first);
    let changed = [first.as_slice(), b"-- \r\nthe list\r\n"].concat();
    let message = Message::parse(&changed);
    let sealed = sealer(2)
        .seal(&message, &payload(2), &incoming, now())
        .unwrap();
    let mail = [sealed.header().as_bytes(), &changed].concat();
    seal(3, &mail).unwrap()
}

/// The result rests on the newest message signature and on all seals (§5.2, steps 4 and 6).
#[test]
fn leaves_older_message_signatures_out_if_told_to() {
    let mut settings = Settings::default();
    settings.check_older = false;
    let zone = zone();
    let mail = changed_on_the_way();
    let validation = validate_by(&settings, &zone, &mail);
    assert_eq!(validation.result(), ArcResult::Pass, "{validation}");
    assert_eq!(validation.oldest_pass(), None);
    let checked = validation.sets().iter().map(|set| set.message_signature());
    let passed = Some(&dkim::Cause::Passed);
    assert_eq!(checked.collect::<Vec<_>>(), [None, None, passed]);
    let sealed = validation.sets().iter().all(|set| set.seal() == passed);
    assert!(sealed, "{validation}");
    // All that is needed fails as it does otherwise.
    for (octet, cause) in [("Hello", "message signature 3"), ("cv=none", "seal 1")] {
        let at = text(&mail).rfind(octet).unwrap() + octet.len() - 1;
        let mut flipped = mail.clone();
        flipped[at] ^= 1;
        let expected = validate_in(&zone, &flipped);
        let validation = validate_by(&settings, &zone, &flipped);
        assert_eq!(validation.cause(), expected.cause(), "{cause}");
        assert_eq!(validation.result(), ArcResult::Fail, "{cause}");
    }
}

#[test]
fn tells_where_the_message_was_changed_last() {
    let mail = changed_on_the_way();
    let validation = validate(&mail);
    assert_eq!(validation.result(), ArcResult::Pass, "{validation}");
    assert_eq!(validation.oldest_pass(), Some(2));
    let result = validation.to_method_result(Some([192, 0, 2, 1].into()));
    let mut results =
        mailproof::auth_results::AuthenticationResults::new("mx.example".parse().unwrap());
    results.results.push(result);
    assert_eq!(
        results.to_field().replace("\r\n\t", " "),
        "Authentication-Results: mx.example; arc=pass smtp.remote-ip=192.0.2.1 \
         header.oldest-pass=2"
    );
    assert_eq!(
        validation.report_comment(),
        "arc=pass as[3].d=hop3.example as[3].s=s as[2].d=hop2.example as[2].s=s \
         as[1].d=hop1.example as[1].s=s"
    );
}

#[test]
fn names_the_set_that_breaks_the_structure() {
    let mail = text(&chain(3));
    let without = |start: &str| {
        let begin = mail.find(start).unwrap();
        let rest = &mail[begin..];
        let length = rest
            .match_indices("\r\n")
            .find(|(at, _)| !rest[at + 2..].starts_with(['\t', ' ']));
        let (length, _) = length.unwrap();
        format!("{}{}", &mail[..begin], &rest[length + 2..])
    };
    let missing = |instance, field| Cause::MissingField { instance, field };
    assert_eq!(cause(&without("ARC-Seal: i=2;")), missing(2, "ARC-Seal"));
    assert_eq!(
        cause(&without("ARC-Message-Signature: i=3;")),
        missing(3, "ARC-Message-Signature")
    );
    assert_eq!(
        cause(&without("ARC-Authentication-Results: i=1;")),
        missing(1, "ARC-Authentication-Results")
    );
    let second = |n: u8| format!("ARC-Authentication-Results: i={n}; again\r\n{mail}");
    let field = "ARC-Authentication-Results";
    assert_eq!(
        cause(&second(2)),
        Cause::RepeatedField { instance: 2, field }
    );
    assert_eq!(cause(&second(0)), Cause::Instance { field });
    assert_eq!(cause(&second(51)), Cause::TooManySets { limit: 50 });
    assert_eq!(
        cause(&mail.replace("i=2;", "i=7;")),
        Cause::MissingSet { instance: 2 }
    );
    let cv = |from: &str, to: &str| cause(&mail.replacen(from, to, 1));
    assert_eq!(
        cv(
            "i=3; a=ed25519-sha256; cv=pass",
            "i=3; a=ed25519-sha256; cv=none"
        ),
        Cause::ChainValidation {
            instance: 3,
            found: ArcResult::None
        }
    );
    assert_eq!(
        cv(
            "i=3; a=ed25519-sha256; cv=pass",
            "i=3; a=ed25519-sha256; cv=fail"
        ),
        Cause::FailedBefore { instance: 3 }
    );
    assert_eq!(
        cv(
            "i=2; a=ed25519-sha256; cv=pass",
            "i=2; a=ed25519-sha256; cv=fail"
        ),
        Cause::ChainValidation {
            instance: 2,
            found: ArcResult::Fail
        }
    );
    assert_eq!(
        cv("cv=none", "h=From; cv=none"),
        Cause::SealNamesFields { instance: 1 }
    );
    let malformed = cv(
        "i=2; a=ed25519-sha256; cv=pass",
        "i=2; a=ed25519-sha256; cv=maybe",
    );
    assert_eq!(malformed.instance(), Some(2));
    assert_eq!(malformed.code(), "malformed");
}

/// Nothing is asked where the structure decides, and each key once where it does not.
#[test]
fn asks_for_each_key_once() {
    let names = |mail: &str| {
        let message = Message::parse(mail.as_bytes());
        let collected = arc::Collected::read(message.head(), now(), &Settings::default());
        collected.key_names().len()
    };
    let mail = text(&chain(3));
    assert_eq!(names(&mail), 3);
    assert_eq!(names(&mail.replacen("cv=none", "cv=pass", 1)), 0);
    assert_eq!(
        names(&mail.replacen("a=ed25519-sha256; c=", "a=rsa-sha1; c=", 1)),
        0
    );
}

/// §5.2.1: all failures are permanent, a look-up that failed included.
#[test]
fn keys_that_cannot_be_had_fail_the_chain() {
    let mail = chain(2);
    let mut zone = zone();
    zone.fail("s._domainkey.hop1.example", LookupError::ServFail)
        .unwrap();
    let validation = validate_in(&zone, &mail);
    assert_eq!(validation.result(), ArcResult::Fail);
    assert_eq!(validation.oldest_pass(), Some(2));
    let Cause::Seal { instance: 1, cause } = validation.cause() else {
        panic!("{validation}");
    };
    let expected = dkim::Cause::KeyUnavailable(Some(LookupError::ServFail));
    assert_eq!(cause, &expected);
}

/// The newest message signature is checked before any seal, and seals from the newest down.
#[test]
fn reports_the_first_failure_in_the_order_of_the_rfc() {
    let zone = Zone::new();
    let validation = validate_in(&zone, &chain(2));
    assert!(matches!(
        validation.cause(),
        Cause::MessageSignature {
            instance: 2,
            cause: dkim::Cause::NoKey
        }
    ));
    let results = text(&chain(3)).replace("mx.hop1.example", "mx.hopX.example");
    assert!(matches!(cause(&results), Cause::Seal { instance: 3, .. }));
}

/// A chain that failed is sealed once more, by itself, and never again.
#[test]
fn seals_a_broken_chain_once() {
    let broken = text(&chain(2)).replace("mx.hop1.example", "mx.hopX.example");
    let incoming = validate(broken.as_bytes());
    assert_eq!(incoming.result(), ArcResult::Fail);
    let mail = seal(3, broken.as_bytes()).unwrap();
    assert!(text(&mail).contains("i=3; a=ed25519-sha256; cv=fail"));
    assert_eq!(
        validate(&mail).cause(),
        &Cause::FailedBefore { instance: 3 }
    );
    assert_eq!(seal(4, &mail), Err(SignError::ChainFailed));
}

#[test]
fn refuses_to_seal_another_chain() {
    let incoming = validate(&chain(1));
    for mail in [MAIL.to_vec(), chain(2)] {
        let sealed = sealer(3).seal(&Message::parse(&mail), &payload(3), &incoming, now());
        assert_eq!(sealed, Err(SignError::ChainChanged));
    }
    let untouched = validate(MAIL);
    let sealed = sealer(3).seal(&Message::parse(&chain(1)), &payload(3), &untouched, now());
    assert_eq!(sealed, Err(SignError::ChainChanged));
}

/// What the results say is sealed and never judged: odd ones do not fail the chain.
#[test]
fn results_never_fail_the_chain() {
    for results in [
        "mx.example; arc=pass (\"domain:s=sel:i=2\"); spf=pass",
        "mx.microsoft.com 1; dmarc=pass action=none header.from=a.example; arc=none (0 oda=1 ltdi=1)",
        "mx.example; arc=pass (a;i=2;b) smtp.x=y",
        "x;;i=2; (((",
        "i=3; none",
        "=",
    ] {
        let payload: Payload = results.parse().unwrap();
        let message = Message::parse(MAIL);
        let sealed = sealer(1)
            .seal(&message, &payload, &validate(MAIL), now())
            .unwrap();
        let mail = [sealed.header().as_bytes(), MAIL].concat();
        let validation = validate(&seal(2, &mail).unwrap());
        assert_eq!(
            validation.result(),
            ArcResult::Pass,
            "{results}: {validation}"
        );
        assert_eq!(validation.sets()[0].results_text(), Some(results));
    }
    assert!("mx.example; spf=pass\r\nX: y".parse::<Payload>().is_err());
}

/// Trust has no gaps: what was seen before an untrusted hop is worth nothing.
#[test]
fn the_first_trusted_hop() {
    let validation = validate(&chain(4));
    let first = |trusted: &[u8]| {
        let set = validation.first_trusted(|set| trusted.contains(&set.instance()));
        set.map(|set| set.instance())
    };
    assert_eq!(first(&[1, 2, 3, 4]), Some(1));
    assert_eq!(first(&[4]), Some(4));
    assert_eq!(first(&[1, 3, 4]), Some(3));
    assert_eq!(first(&[1, 2, 3]), None);
    assert_eq!(first(&[]), None);
    let broken = text(&chain(2)).replace("mx.hop1.example", "mx.hopX.example");
    assert!(
        validate(broken.as_bytes())
            .first_trusted(|_| true)
            .is_none()
    );
}

/// §4.1.2: what a message signature must not cover.
#[test]
fn refuses_fields_that_others_change() {
    let fields = |names: &[&str]| sealer(1).fields(names.iter().copied()).map(|_| ());
    assert!(fields(&["From", "DKIM-Signature"]).is_ok());
    for name in [
        "Authentication-Results",
        "arc-seal",
        "ARC-Message-Signature",
        "ARC-Authentication-Results",
        "Received",
    ] {
        let error = fields(&["From", name]).unwrap_err();
        assert!(
            matches!(error, dkim::SignError::TraceField { .. }),
            "{name}"
        );
    }
    assert_eq!(fields(&["To"]), Err(dkim::SignError::FromNotSigned));
    let limit = 1_000;
    assert_eq!(
        fields(&["From"; 1_001]),
        Err(dkim::SignError::TooManyFields { limit })
    );
}

/// What a sealer says about DMARC counts for the author domain that it names, and only where it
/// says nothing else: what stands behind a comment that does not end, or behind more results than are read,
/// is not known.
#[test]
fn what_a_sealer_saw() {
    let many = format!(
        "mx; dmarc=pass header.from=author.example{}; dmarc=fail header.from=author.example",
        "; dkim=neutral".repeat(100)
    );
    let author = "author.example".parse().unwrap();
    for (results, passed, remote_ip) in [
        ("mx; dmarc=pass header.from=author.example", true, None),
        (
            "mx; dmarc=pass action=none header.from=Author.Example",
            true,
            None,
        ),
        (
            "mx; arc=none smtp.remote-ip=192.0.2.7; dmarc=pass (p=none) header.from=author.example",
            true,
            Some("192.0.2.7"),
        ),
        ("mx; dmarc=pass", false, None),
        ("mx; dmarc=pass header.from=other.example", false, None),
        ("mx; dmarc=pass header.from=sub.author.example", false, None),
        ("mx; dmarc=fail header.from=author.example", false, None),
        (
            "mx; x=y reason=\"dmarc=pass header.from=author.example\"",
            false,
            None,
        ),
        (
            "mx; dmarc=pass header.from=author.example; dmarc=fail header.from=author.example",
            false,
            None,
        ),
        (
            "mx; spf=pass (sender is \"a); dmarc=pass header.from=author.example; x=y ((\"@b.example) \
             smtp.mailfrom=b.example; dmarc=fail header.from=author.example",
            false,
            None,
        ),
        (&many, false, None),
        (
            "mx; spf=pass (google.com: domain of a@b designates 2001:db8::1 as permitted sender)",
            false,
            Some("2001:db8::1"),
        ),
        (
            "mx; iprev=pass policy.iprev=192.0.2.9",
            false,
            Some("192.0.2.9"),
        ),
        ("mx; none", false, None),
    ] {
        let payload: Payload = results.parse().unwrap();
        let message = Message::parse(MAIL);
        let sealed = sealer(1)
            .seal(&message, &payload, &validate(MAIL), now())
            .unwrap();
        let validation = validate(&[sealed.header().as_bytes(), MAIL].concat());
        let set = validation.first_trusted(|_| true).unwrap();
        assert_eq!(set.reports_dmarc_pass(&author), passed, "{results}");
        let remote_ip = remote_ip.map(|address| address.parse().unwrap());
        assert_eq!(set.remote_ip(), remote_ip, "{results}");
    }
}

/// Where the instance stands does not matter to validators.
#[test]
fn layouts() {
    let incoming = validate(MAIL);
    let message = Message::parse(MAIL);
    let sealer = sealer(1).sorted_tags();
    let sealed = sealer
        .seal(&message, &payload(1), &incoming, now())
        .unwrap();
    assert!(sealed.fields()[0].starts_with("ARC-Seal: a=ed25519-sha256; b="));
    assert!(!sealed.fields()[1].contains('\r'));
    let mail = [sealed.header().as_bytes(), MAIL].concat();
    assert_eq!(validate(&mail).result(), ArcResult::Pass);
}
