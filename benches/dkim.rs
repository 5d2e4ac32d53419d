//! What verifying costs beside its floor: the hash of the canonical body, the hash of the header and
//! the check of the signature, in the same run, with the same crypto library.
//!
//! `cargo bench --bench dkim` prints one row per algorithm, canonicalization and size: the median of
//! many runs of verifying, of the floor, and the ratio; then what canonicalization costs on bodies
//! that need many changes, what signing costs, and how often verifying allocates.

mod harness;

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use mailproof::Message;
use mailproof::crypto::{HashAlgorithm, SigningKey, VerifyingKey};
use mailproof::dkim::{
    self, BodyHasher, Canonicalization, DkimResult, KeyRecord, Keys, Settings, Signer,
};
use mailproof::dns::{Outcome, Txt};
use ring::{digest, signature};

const SIZES: [usize; 4] = [4_096, 65_536, 1_048_576, 10_485_760];

fn main() {
    println!(
        "{:<16} {:<8} {:>10} {:>12} {:>12} {:>7}",
        "algorithm", "body", "octets", "verify", "floor", "ratio"
    );
    for canonicalization in [Canonicalization::Relaxed, Canonicalization::Simple] {
        for size in SIZES {
            let body = text(size);
            rsa_1024(canonicalization, &body);
            for key in [
                SigningKey::from_pem(include_str!("../tests/data/dkim/rsa2048.pem")),
                SigningKey::ed25519(&[1; 32]),
            ] {
                verify_row(&key.expect("a sound key"), canonicalization, &body);
            }
        }
    }
    println!();
    for (name, body) in [
        ("text", text(1_048_576)),
        ("format=flowed", flowed(1_048_576)),
        ("double spaces", b"a  b ".repeat(209_715)),
        ("empty lines", b"\r\n".repeat(524_288)),
        (
            "base64 lines",
            b"x".repeat(76)
                .into_iter()
                .chain(*b"\r\n")
                .collect::<Vec<_>>()
                .repeat(13_443),
        ),
    ] {
        body_row(name, &body);
    }
    println!();
    sign_row();
    allocations();
}

/// Verifying against its floor.
fn verify_row(key: &SigningKey, canonicalization: Canonicalization, body: &[u8]) {
    let domain = "example.com".parse().expect("a domain");
    let signer = Signer::new(key.clone(), domain, "s")
        .expect("a signer")
        .canonicalization(canonicalization, canonicalization);
    let mut mail = header();
    mail.extend_from_slice(body);
    let signed = dkim::Signer::sign(
        std::slice::from_ref(&signer),
        &Message::parse(&mail),
        SystemTime::now(),
    );
    let mail = [signed.expect("a signature").header().as_bytes(), &mail].concat();
    let name = if key.verifying_key().bits() == 256 {
        "ed25519-sha256"
    } else {
        "rsa-2048"
    };
    measure(
        name,
        canonicalization,
        &mail,
        key.verifying_key(),
        &signer.record(),
    );
}

/// ring does not sign with 1024 bits: the signatures over these bodies were made beforehand.
fn rsa_1024(canonicalization: Canonicalization, body: &[u8]) {
    let data = include_str!("../tests/data/dkim/rsa1024-bodies.txt");
    let mut lines = data.lines();
    let record = lines.next().expect("a key record");
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        if words[0] == canonicalization.as_str() && words[1] == body.len().to_string() {
            let mail = format!(
                "DKIM-Signature: v=1; a=rsa-sha256; c={0}/{0}; d=example.com; s=s; h=From;\r\n \
                 bh={1}; b={2}\r\nFrom: a@example.com\r\n\r\n",
                words[0], words[2], words[3]
            );
            let mail = [mail.as_bytes(), body].concat();
            let der = record.split_once("p=").expect("a key").1;
            let key = VerifyingKey::rsa(&harness::base64(der)).expect("a key");
            measure("rsa-1024", canonicalization, &mail, &key, record);
        }
    }
}

fn measure(
    name: &str,
    canonicalization: Canonicalization,
    mail: &[u8],
    key: &VerifyingKey,
    record: &str,
) {
    let settings = Settings::default();
    let now = SystemTime::now();
    let message = Message::parse(mail);
    let mut keys = Keys::default();
    for key_name in dkim::Collected::read(message.head(), None, now, &settings).key_names() {
        keys.insert(key_name, Ok(Outcome::records([Txt::new(record)])));
    }
    let verify = || {
        let message = Message::parse(mail);
        let collected = dkim::Collected::read(message.head(), None, now, &settings);
        let mut hasher = collected.body_hasher();
        hasher.update(message.body());
        let verified = collected.verify(&keys, &hasher.finish(), &settings);
        assert_eq!(verified[0].result(), DkimResult::Pass);
    };
    let floor = floor(&message, canonicalization, key);
    let (verify, floor, ratio) = race(&verify, &floor);
    println!(
        "{name:<16} {:<8} {:>10} {verify:>12?} {floor:>12?} {ratio:>7.3}",
        canonicalization.as_str(),
        message.body().len(),
    );
}

/// The least that must be done: hash the canonical body, hash the header, check the signature.
fn floor<'m>(
    message: &Message<'m>,
    canonicalization: Canonicalization,
    key: &VerifyingKey,
) -> impl Fn() + use<'m> {
    let body = canonicalization.body(message.body());
    let field = &message.head().fields()[0];
    let parsed = dkim::Signature::parse(field.value(), 1_000).expect("a signature");
    let mut header = Vec::new();
    let mut used = vec![false; message.head().fields().len()];
    for name in parsed.signed_fields() {
        let mut fields = message.head().fields().iter().enumerate().skip(1);
        let found = fields.rfind(|(at, field)| !used[*at] && field.is(name.as_bytes()));
        if let Some((at, field)) = found {
            used[at] = true;
            header.extend(canonicalization.header_field(field.name(), field.value()));
        }
    }
    let own = dkim::Signature::without_signature(field.value());
    let own = canonicalization.header_field(field.name(), &own);
    header.extend_from_slice(own.strip_suffix(b"\r\n").expect("a line"));
    let octets = parsed.octets().to_vec();
    let bits = key.bits();
    let record = KeyRecord::new(key).to_string();
    let public = harness::base64(record.split_once("p=").expect("a key").1);
    // SubjectPublicKeyInfo has 22 octets before the key of 1024 bits, 24 before longer ones.
    let skip = match bits {
        256 => 0,
        1_024 => 22,
        _ => 24,
    };
    move || {
        black_box(digest::digest(&digest::SHA256, &body));
        let valid = if bits == 256 {
            let digest = digest::digest(&digest::SHA256, &header);
            signature::UnparsedPublicKey::new(&signature::ED25519, &public)
                .verify(digest.as_ref(), &octets)
        } else {
            signature::UnparsedPublicKey::new(
                &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
                &public[skip..],
            )
            .verify(&header, &octets)
        };
        assert!(valid.is_ok());
    }
}

/// Canonicalizing and hashing a body against hashing it as it is.
fn body_row(name: &str, body: &[u8]) {
    for canonicalization in [Canonicalization::Relaxed, Canonicalization::Simple] {
        let ours = || {
            let mut hasher =
                BodyHasher::new().with_hash(HashAlgorithm::Sha256, canonicalization, None);
            hasher.update(body);
            black_box(hasher.finish());
        };
        let bare = || {
            black_box(digest::digest(&digest::SHA256, body));
        };
        let (ours, bare, _) = race(&ours, &bare);
        let rate = |time: Duration| body.len() as f64 / time.as_secs_f64() / 1e6;
        println!(
            "body {name:<14} {:<8} {:>8.0} MB/s, SHA-256 of the octets as they are {:>8.0} MB/s",
            canonicalization.as_str(),
            rate(ours),
            rate(bare),
        );
    }
}

fn sign_row() {
    let mail = [header(), text(4_096)].concat();
    for (name, key) in [
        (
            "rsa-2048",
            SigningKey::from_pem(include_str!("../tests/data/dkim/rsa2048.pem")),
        ),
        ("ed25519", SigningKey::ed25519(&[1; 32])),
    ] {
        let domain = "example.com".parse().expect("a domain");
        let key = key.expect("a key");
        let signer = [Signer::new(key.clone(), domain, "s").expect("a signer")];
        let now = SystemTime::now();
        let sign = || {
            let message = Message::parse(&mail);
            black_box(dkim::Signer::sign(&signer, &message, now)).expect("a signature");
        };
        let bare = || {
            black_box(key.sign(&[0; 32])).expect("a signature");
        };
        let (sign, bare, _) = race(&sign, &bare);
        println!("sign {name}, 4096 octets: {sign:?}, the private key operation alone {bare:?}");
    }
}

fn allocations() {
    let domain = "example.com".parse().expect("a domain");
    let key = SigningKey::ed25519(&[1; 32]).expect("a key");
    let signer = [Signer::new(key, domain, "s").expect("a signer")];
    for size in SIZES {
        let mail = [header(), text(size)].concat();
        let signed = dkim::Signer::sign(&signer, &Message::parse(&mail), SystemTime::now());
        let mail = [signed.expect("a signature").header().as_bytes(), &mail].concat();
        let message = Message::parse(&mail);
        let settings = Settings::default();
        let collect = || dkim::Collected::read(message.head(), None, SystemTime::now(), &settings);
        let collected = collect();
        let header = harness::allocations(collect);
        let body = harness::allocations(|| {
            let mut hasher = collected.body_hasher();
            hasher.update(message.body());
            hasher.finish()
        });
        println!("allocations for {size} octets: {header} for the header, {body} for the body");
    }
}

/// The medians of two pieces of work, which take turns, and of the ratios.
fn race(one: &dyn Fn(), other: &dyn Fn()) -> (Duration, Duration, f64) {
    let times = harness::race(Duration::from_millis(300), &[one, other]);
    let [one, other] = times.as_slice() else {
        panic!("two candidates");
    };
    let time = |nanoseconds: f64| Duration::from_nanos(nanoseconds as u64);
    (time(one.median()), time(other.median()), one.ratio(other))
}

fn header() -> Vec<u8> {
    let mut header = Vec::new();
    for number in 0..12 {
        header.extend_from_slice(
            format!("Received: from mx{number}.example.net by mx.example.com with ESMTPS;\r\n\tFri, 10 Dec 2021 20:09:08 +0100\r\n").as_bytes(),
        );
    }
    header.extend_from_slice(
        b"From: A Sender <a@example.com>\r\nTo: B <b@example.net>\r\nSubject: A message\r\n\
          Date: Fri, 10 Dec 2021 20:09:08 +0100\r\nMessage-ID: <1@example.com>\r\n\
          MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
    );
    header
}

/// Words of two to ten letters, twelve to a line, an empty line after every twentieth: exactly `size`
/// octets, the last two a line end.
fn text(size: usize) -> Vec<u8> {
    let mut body = Vec::with_capacity(size + 16);
    let mut word = 0_usize;
    while body.len() < size {
        let letter = b'a' + u8::try_from(word % 26).expect("a letter");
        body.extend(std::iter::repeat_n(letter, word * 7 % 9 + 2));
        word += 1;
        if word.is_multiple_of(240) {
            body.extend_from_slice(b"\r\n\r\n");
        } else if word.is_multiple_of(12) {
            body.extend_from_slice(b"\r\n");
        } else {
            body.push(b' ');
        }
    }
    body.truncate(size - 3);
    body.extend_from_slice(b".\r\n");
    body
}

/// The same with a space at the end of every line, as format=flowed (RFC 3676) has.
fn flowed(size: usize) -> Vec<u8> {
    let text = String::from_utf8(text(size)).expect("ASCII");
    text.replace("\r\n", " \r\n").into_bytes()
}
