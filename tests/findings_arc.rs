//! What is said of a sealed message: who vouches for what, and of a chain that does not hold the
//! cause, the set, the sealer, and what was changed.

#[path = "scenarios/case.rs"]
#[allow(dead_code, reason = "the cases are in another test")]
mod case;

use std::time::{Duration, SystemTime};

use case::found;
use mailproof::arc::{self, Sealer};
use mailproof::crypto::SigningKey;
use mailproof::diagnosis::{Finding, Value};
use mailproof::dkim::{self, KeyRecord};
use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::verifier::Settings;
use mailproof::{Message, Session, Verdict, Verifier};

const MAIL: &str = "From: a@author.test\r\nTo: list@list.test\r\nSubject: Is dinner ready?\r\n\
    Date: Tue, 16 May 2023 08:59:31 +0000\r\n\r\nHello\r\n";

/// The second hop has a key of RSA, whose signatures can be opened.
fn key(hop: u8) -> SigningKey {
    match hop {
        2 => SigningKey::from_pem(include_bytes!("data/dkim/rsa2048.pem")).unwrap(),
        hop => SigningKey::ed25519(&[hop; 32]).unwrap(),
    }
}

fn record(hop: u8) -> String {
    KeyRecord::new(key(hop).verifying_key()).to_string()
}

fn zone(without: &str) -> Zone {
    let mut zone = Zone::new();
    zone.add_txt("_dmarc.author.test", "v=DMARC1; p=reject")
        .unwrap();
    for hop in 1..=3 {
        let name = format!("s._domainkey.hop{hop}.test");
        if name != without {
            zone.add_txt(&name, record(hop)).unwrap();
        }
    }
    zone
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_684_227_600)
}

fn validate(mail: &str) -> arc::Validation {
    let message = Message::parse(mail.as_bytes());
    let settings = arc::Settings::default();
    let collected = arc::Collected::read(message.head(), now(), &settings);
    let keys = block_on(dkim::Keys::fetch(&zone(""), &collected.key_names()));
    let mut hasher = collected.body_hasher();
    hasher.update(message.body());
    collected.validate(&keys, &hasher.finish(), &settings)
}

/// Seals a message of which the sealer thinks that it is `believed`.
fn seal(hop: u8, mail: &str, believed: &str) -> String {
    let domain = format!("hop{hop}.test").parse().unwrap();
    let sealer = Sealer::new(key(hop), domain, "s").unwrap();
    let results = format!(
        "mx.hop{hop}.test; spf=pass smtp.mailfrom=author.test; dmarc=fail header.from=author.test"
    );
    let message = Message::parse(mail.as_bytes());
    let payload = results.parse().unwrap();
    let sealed = sealer
        .seal(&message, &payload, &validate(believed), now())
        .unwrap();
    format!("{}{mail}", sealed.header())
}

fn chain(hops: u8) -> String {
    (1..=hops).fold(MAIL.to_owned(), |mail, hop| seal(hop, &mail, &mail))
}

fn verdict(mail: &str, zone: &Zone, settings: fn(&mut Settings)) -> Verdict {
    let mut chosen = Settings::default();
    settings(&mut chosen);
    let session = Session::new([192, 0, 2, 1].into(), "mx.hop2.test", "a@hop2.test");
    let verifier = Verifier::with_settings(zone, chosen);
    let message = Message::parse(mail.as_bytes());
    block_on(verifier.at(now()).verify(&session, &message))
}

/// The finding about the chain.
fn of_chain(verdict: &Verdict, code: &str, words: &[&str]) -> Finding {
    let findings = verdict.diagnosis();
    let about = |one: &Finding| one.code().as_str().starts_with("arc-");
    let about: Vec<Finding> = findings.into_iter().filter(about).collect();
    assert_eq!(about.len(), 1, "{about:?}");
    found(&about, &[(code, words)]);
    about.into_iter().next().unwrap()
}

/// The fields of a set without their line ends, results first.
fn fields(mail: &str, hop: u8) -> [String; 3] {
    let message = Message::parse(mail.as_bytes());
    let instance = format!("i={hop};");
    let names = [
        "ARC-Authentication-Results",
        "ARC-Message-Signature",
        "ARC-Seal",
    ];
    names.map(|name| {
        let mut fields = message.head().named(name.as_bytes());
        let field = fields.find(|field| {
            let value = String::from_utf8_lossy(field.value());
            value.trim_start().starts_with(&instance)
        });
        let value = String::from_utf8_lossy(field.unwrap().value()).into_owned();
        format!("{name}:{value}\r\n")
    })
}

/// A chain of two with one field of a set changed.
fn changed(hop: u8, field: usize, change: impl Fn(&str) -> String) -> String {
    let mail = chain(2);
    let field = &fields(&mail, hop)[field];
    assert!(mail.contains(field.as_str()), "{field}");
    let new = change(field);
    assert_ne!(&new, field);
    mail.replace(field.as_str(), &new)
}

const RESULTS: usize = 0;
const SIGNATURE: usize = 1;
const SEAL: usize = 2;

/// Broken in its structure: what is wrong, in which set, and whose it is.
#[test]
fn structures() {
    let stray = |field: &str| format!("{field}: i=0; x\r\n{}", chain(2));
    let cases: &[(String, &str, &[&str])] = &[
        (
            changed(2, SEAL, |_| String::new()),
            "arc-field-missing",
            &["set 2", "hop2.test", "no ARC-Seal"],
        ),
        (
            changed(1, SIGNATURE, |_| String::new()),
            "arc-field-missing",
            &["set 1", "hop1.test", "no ARC-Message-Signature"],
        ),
        (
            changed(2, SEAL, |field| field.repeat(2)),
            "arc-field-repeated",
            &["set 2", "hop2.test", "more than one ARC-Seal"],
        ),
        (
            changed(2, SEAL, |field| field.replace("cv=pass", "cv=fail")),
            "arc-failed-before",
            &["hop2.test", "i=2", "cv=fail"],
        ),
        (
            changed(2, SEAL, |field| field.replace("cv=pass", "cv=none")),
            "arc-cv-out-of-place",
            &["hop2.test", "i=2", "cv=none"],
        ),
        (
            changed(2, SEAL, |field| field.replace("cv=pass", "cv=pass; h=From")),
            "arc-seal-names-fields",
            &["hop2.test", "i=2"],
        ),
        (
            changed(2, SEAL, |field| field.replace("rsa-sha256", "rsa-sha3")),
            "arc-field-malformed",
            &["set 2", "hop2.test", "rsa-sha3"],
        ),
        (
            stray("ARC-Authentication-Results"),
            "arc-instance-unreadable",
            &["ARC-Authentication-Results", "hop2.test"],
        ),
    ];
    for (mail, code, words) in cases {
        let verdict = verdict(mail, &zone(""), |_| {});
        of_chain(&verdict, code, words);
        assert!(
            verdict
                .forensics(&Message::parse(mail.as_bytes()))
                .is_empty()
        );
    }
    let first = fields(&chain(2), 1)
        .iter()
        .fold(chain(2), |mail, field| mail.replace(field.as_str(), ""));
    let gone = verdict(&first, &zone(""), |_| {});
    of_chain(&gone, "arc-set-missing", &["set 1", "hop2.test"]);
    let many = verdict(&chain(2), &zone(""), |settings| settings.arc.max_sets = 1);
    of_chain(
        &many,
        "arc-too-many-sets",
        &["a number above 1", "hop2.test"],
    );
}

/// Keys that are not there, not now, or not good enough.
#[test]
fn keys() {
    let name = "s._domainkey.hop1.test";
    let missing = verdict(&chain(2), &zone(name), |_| {});
    of_chain(&missing, "arc-key-unusable", &["hop1.test", "i=1", name]);
    let mut down = zone(name);
    down.fail(name, LookupError::Timeout).unwrap();
    let down = verdict(&chain(2), &down, |_| {});
    of_chain(&down, "arc-key-unavailable", &["hop1.test", "set 1", name]);
    let sha1 = changed(2, SIGNATURE, |field| {
        field.replace("rsa-sha256", "rsa-sha1")
    });
    let sha1 = sha1.replace(
        &format!("bh={}", hash(&sha1, 2)),
        "bh=2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
    );
    let sha1 = verdict(&sha1, &zone(""), |_| {});
    of_chain(&sha1, "arc-signature-not-accepted", &["hop2.test", "i=2"]);
}

fn hash(mail: &str, hop: u8) -> String {
    let signature = &fields(mail, hop)[SIGNATURE];
    let (_, hash) = signature.split_once("bh=").unwrap();
    hash.split(';').next().unwrap().to_owned()
}

/// A message that was changed, and seals that do not fit: what it was.
#[test]
fn changes() {
    let footer = format!("{}footer\r\n", chain(2));
    let subject = chain(2).replace("dinner", "lunch");
    let tagged = chain(2).replace("Subject: ", "Subject: [list] ");
    let results = changed(1, RESULTS, |field| field.replace("spf=", "SPF="));
    let laundered = {
        let mail = chain(2);
        let failed = mail.replace("dinner", "lunch");
        let sealed = seal(3, &failed, &failed);
        assert!(sealed.contains("cv=fail"), "{sealed}");
        sealed.replace("cv=fail", "cv=pass")
    };
    let flip = |field: &str| {
        let mut tags = field.match_indices("b=").map(|(at, _)| at);
        let at = tags.find(|at| field[..*at].ends_with([' ', '\t']));
        let (before, signature) = field.split_at(at.unwrap() + 2);
        let first = if signature.starts_with('A') { 'B' } else { 'A' };
        format!("{before}{first}{}", &signature[1..])
    };
    let cases: &[(&str, &str, &str, &[&str], bool)] = &[
        (
            &footer,
            "arc-body-changed",
            "body-appended",
            &["hop2.test", "8 octets"],
            true,
        ),
        (
            &subject,
            "arc-header-changed",
            "header-field-likely",
            &["hop2.test", "Subject"],
            false,
        ),
        (
            &tagged,
            "arc-header-changed",
            "header-field-changed",
            &["hop2.test", "Subject", "[list]"],
            true,
        ),
        (
            &results,
            "arc-seal-mismatch",
            "arc-field-changed",
            &[
                "ARC-Authentication-Results",
                "set 1",
                "hop1.test",
                "\"spf=pass\"",
                "\"SPF=pass\"",
            ],
            true,
        ),
        (
            &changed(1, RESULTS, |field| {
                field.replace("dmarc=fail", "dmarc=pass")
            }),
            "arc-seal-mismatch",
            "arc-field-likely",
            &["ARC-Authentication-Results", "set 1", "hop1.test"],
            false,
        ),
        (
            &changed(1, SIGNATURE, flip),
            "arc-seal-mismatch",
            "arc-field-likely",
            &["ARC-Message-Signature", "set 1", "hop1.test"],
            false,
        ),
        (
            &changed(2, SEAL, flip),
            "arc-seal-mismatch",
            "signature-not-by-this-key",
            &["ARC-Seal", "hop2.test", "s._domainkey.hop2.test"],
            true,
        ),
        (
            &changed(2, SIGNATURE, flip),
            "arc-header-changed",
            "signature-not-by-this-key",
            &["ARC-Message-Signature", "hop2.test"],
            true,
        ),
    ];
    for (mail, code, forensics, words, certain) in cases {
        let verdict = verdict(mail, &zone(""), |_| {});
        of_chain(&verdict, code, &["hop"]);
        let findings = verdict.forensics(&Message::parse(mail.as_bytes()));
        found(&findings, &[(forensics, words)]);
        assert_eq!(findings[0].is_certain(), *certain, "{}", findings[0]);
    }
    let verdict = verdict(&laundered, &zone(""), |_| {});
    let findings = verdict.forensics(&Message::parse(laundered.as_bytes()));
    let words: &[&str] = &[
        "ARC-Seal",
        "set 3",
        "hop3.test",
        "\"cv=fail\"",
        "\"cv=pass\"",
    ];
    found(&findings, &[("arc-field-changed", words)]);
}

/// Without the key of a set, nobody can tell whether that set was changed.
#[test]
fn nothing_is_guessed_without_a_key() {
    let broken = changed(1, RESULTS, |field| {
        field.replace("dmarc=fail", "dmarc=pass")
    });
    let verdict = verdict(&broken, &zone("s._domainkey.hop1.test"), |_| {});
    of_chain(&verdict, "arc-seal-mismatch", &["hop2.test", "i=2"]);
    let findings = verdict.forensics(&Message::parse(broken.as_bytes()));
    assert!(findings.is_empty(), "{findings:?}");
    // Nor about another message.
    let other = verdict.forensics(&Message::parse(chain(1).as_bytes()));
    assert!(other.is_empty(), "{other:?}");
}

/// A sealer who did not look at what it sealed.
#[test]
fn broken_before() {
    let broken = changed(1, RESULTS, |field| {
        field.replace("dmarc=fail", "dmarc=pass")
    });
    let sealed = seal(3, &broken, &chain(2));
    let verdict = verdict(&sealed, &zone(""), |_| {});
    of_chain(&verdict, "arc-seal-mismatch", &["hop2.test", "i=2"]);
    let findings = verdict.forensics(&Message::parse(sealed.as_bytes()));
    let words: &[&str] = &["hop1.test", "i=1", "hop3.test", "i=3"];
    found(&findings, &[("arc-seal-broken-before", words)]);
}

/// A chain that holds: trusted or not, and what the first trusted hop saw.
#[test]
fn trust() {
    let unknown = verdict(&chain(2), &zone(""), |_| {});
    let words: &[&str] = &["hop2.test", "i=2", "author.test"];
    of_chain(&unknown, "arc-does-not-help", words);
    let trusted = verdict(&chain(2), &zone(""), |settings| {
        let sealers = &mut settings.policy.trusted_sealers;
        sealers.extend(["hop1.test", "hop2.test"].map(|one| one.parse().unwrap()));
    });
    let words: &[&str] = &["hop1.test", "i=1", "author.test", "dmarc=fail"];
    let finding = of_chain(&trusted, "arc-trusted-sealer-saw", words);
    let saw = finding.value("saw").map(Value::to_string).unwrap();
    assert!(saw.starts_with("mx.hop1.test; spf=pass"), "{saw}");
    assert_eq!(trusted.action(), unknown.action());
}
