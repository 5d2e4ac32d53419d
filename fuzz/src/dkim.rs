//! Targets for DKIM.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::Message;
use mailproof::crypto::{HashAlgorithm, SigningKey};
use mailproof::dkim::{
    self, BodyHasher, Canonicalization, Cause, DkimResult, KeyRecord, Keys, ReportRequest,
    Settings, SignError, Signature, Signed, Signer,
};
use mailproof::dns::{Outcome, Txt, Zone, block_on};

/// Reads a DKIM-Signature value: what is read keeps the rules of RFC 6376 3.5.
pub fn dkim_signature(data: &[u8]) {
    let stripped = dkim::Signature::without_signature(data);
    assert!(stripped.len() <= data.len());
    assert_eq!(dkim::Signature::without_signature(&stripped), stripped);
    let Ok(signature) = Signature::parse(data, 100) else {
        return;
    };
    let names: Vec<&str> = signature.signed_fields().collect();
    assert!(names.len() <= 100);
    assert!(names.iter().any(|name| name.eq_ignore_ascii_case("from")));
    let domain = signature.signing_domain();
    assert!(domain.label_count() >= 2);
    assert!(signature.identity_domain().is_within(domain));
    let digest = signature.algorithm().hash().digest_length();
    assert_eq!(signature.body_hash().len(), digest);
    if let (Some(made), Some(expires)) = (signature.timestamp(), signature.expiration()) {
        assert!(made < expires);
    }
    let _ = signature.copied_fields().count();
    // A signature without its b= cannot be one.
    assert!(Signature::parse(&stripped, 100).is_err());
}

/// Reads key and reporting records; what is read survives being published again.
pub fn dkim_key_record(data: &[u8]) {
    let _ = ReportRequest::parse(data, &"example.com".parse().expect("a domain"));
    let Ok(record) = KeyRecord::parse(data) else {
        return;
    };
    assert_eq!(record.is_revoked(), record.key().is_none());
    assert_eq!(KeyRecord::parse(record.to_string().as_bytes()), Ok(record));
}

/// The fast canonicalization equals one straight from the RFC, however the body is cut. The first
/// octet says where.
pub fn dkim_canonicalize(data: &[u8]) {
    let Some((cut, body)) = data.split_first() else {
        return;
    };
    for canonicalization in [Canonicalization::Simple, Canonicalization::Relaxed] {
        let expected = naive(canonicalization, body);
        assert_eq!(canonicalization.body(body), expected);
        let size = usize::from(*cut).max(1);
        for chunks in [
            body.chunks(size),
            body.chunks(body.len().max(1)),
            body.chunks(1),
        ] {
            let sha256 = HashAlgorithm::Sha256;
            let part = Some(u64::from(*cut));
            let mut hasher = BodyHasher::new()
                .with_hash(sha256, canonicalization, None)
                .with_hash(sha256, canonicalization, part);
            chunks.for_each(|chunk| hasher.update(chunk));
            let hashes = hasher.finish();
            let digest = |octets: &[u8]| sha256.digest(octets);
            let hash = |length| {
                let hash = hashes.digest(sha256, canonicalization, length);
                hash.expect("a hash")
            };
            assert_eq!(hash(None), digest(&expected));
            let length = expected.len().min(usize::from(*cut));
            assert_eq!(hash(part), digest(&expected[..length]));
        }
    }
}

fn naive(canonicalization: Canonicalization, body: &[u8]) -> Vec<u8> {
    let mut lines = vec![Vec::new()];
    let mut rest = body;
    while let Some((octet, following)) = rest.split_first() {
        if let Some(following) = rest.strip_prefix(b"\r\n") {
            lines.push(Vec::new());
            rest = following;
        } else {
            lines.last_mut().expect("a line").push(*octet);
            rest = following;
        }
    }
    if canonicalization == Canonicalization::Relaxed {
        for line in &mut lines {
            let mut relaxed = Vec::new();
            for octet in line.drain(..) {
                let octet = if octet == b'\t' { b' ' } else { octet };
                if octet != b' ' || relaxed.last() != Some(&b' ') {
                    relaxed.push(octet);
                }
            }
            if relaxed.last() == Some(&b' ') {
                relaxed.pop();
            }
            *line = relaxed;
        }
    }
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    if lines.is_empty() && canonicalization == Canonicalization::Simple {
        lines.push(Vec::new());
    }
    lines
        .join(&b"\r\n"[..])
        .into_iter()
        .chain(end(&lines))
        .collect()
}

fn end(lines: &[Vec<u8>]) -> Vec<u8> {
    if lines.is_empty() {
        Vec::new()
    } else {
        b"\r\n".to_vec()
    }
}

/// Verifies a message with a key record: the record up to the first NUL, then the message. Nothing may
/// pass that is not signed with a known key, and the cuts of the body make no difference.
pub fn dkim_verify(data: &[u8]) {
    let at = data.iter().position(|octet| *octet == 0);
    let (record, mail) = data.split_at(at.unwrap_or_default());
    let message = Message::parse(mail);
    let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let settings = Settings::default();
    let collected = dkim::Collected::read(message.head(), None, now, &settings);
    assert!(collected.key_names().len() <= settings.max_signatures);
    let mut keys = Keys::default();
    for name in collected.key_names() {
        keys.insert(name, Ok(Outcome::records([Txt::new(record)])));
    }
    let judge = |size: usize| {
        let mut hasher = collected.body_hasher();
        message
            .body()
            .chunks(size)
            .for_each(|chunk| hasher.update(chunk));
        collected.clone().verify(&keys, &hasher.finish(), &settings)
    };
    let verifications = judge(message.body().len().max(1));
    assert_eq!(verifications, judge(1));
    assert_eq!(verifications.len(), collected.len());
    let usable = KeyRecord::parse(record).is_ok_and(|record| !record.is_revoked());
    for verification in verifications {
        assert_eq!(verification.result(), verification.cause().result());
        assert!(usable || verification.result() != DkimResult::Pass);
        assert!(!verification.to_string().contains(['\r', '\n']));
        let _ = verification.to_method_result();
    }
}

/// Signs whatever message, and verifies it.
pub fn dkim_sign(data: &[u8]) {
    let Some((flags, mail)) = data.split_first() else {
        return;
    };
    let canonicalization = |bit: u8| {
        if flags & bit == 0 {
            Canonicalization::Relaxed
        } else {
            Canonicalization::Simple
        }
    };
    let key = SigningKey::ed25519(&[7; 32]).expect("a key");
    let domain = "example.com".parse().expect("a domain");
    let signer = Signer::new(key, domain, "s")
        .expect("a signer")
        .canonicalization(canonicalization(1), canonicalization(2));
    let mut zone = Zone::new();
    let name = signer.key_name().as_str();
    zone.add_txt(name, signer.record()).expect("a name");
    // A header block that begins with a continuation would continue our field.
    if mail
        .first()
        .is_some_and(|octet| matches!(octet, b' ' | b'\t'))
    {
        return;
    }
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let Some(signed) = sign(signer, mail, now) else {
        return;
    };
    let mail = [signed.header().as_bytes(), mail].concat();
    let message = Message::parse(&mail);
    let settings = Settings::default();
    let verifications = block_on(dkim::verify_message(&zone, &message, now, &settings));
    let ours = verifications.first().expect("our signature");
    assert_eq!(ours.cause(), &Cause::Passed);
}

/// Nothing where the message has more fields than verifiers accept.
fn sign(signer: Signer, mail: &[u8], now: SystemTime) -> Option<Signed> {
    match dkim::Signer::sign(&[signer], &Message::parse(mail), now) {
        Ok(signed) => Some(signed),
        Err(SignError::TooManyFields { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

/// Edits, an octet 0xff, and a message: it is signed, then edited. Whatever still passes has the
/// header fields that were signed, and the body.
pub fn dkim_mutate(data: &[u8]) {
    let mut parts = data.splitn(2, |octet| *octet == 0xff);
    let edits = parts.next().unwrap_or_default();
    let mail = parts.next().unwrap_or_default();
    if mail.first().is_none_or(|octet| b" \t\r".contains(octet)) {
        return;
    }
    let key = SigningKey::ed25519(&[7; 32]).expect("a key");
    let domain = "example.com".parse().expect("a domain");
    let signer = Signer::new(key, domain, "s").expect("a signer");
    let mut zone = Zone::new();
    let name = signer.key_name().as_str();
    zone.add_txt(name, signer.record()).expect("a name");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let Some(signed) = sign(signer, mail, now) else {
        return;
    };
    let signed = [signed.header().as_bytes(), mail].concat();
    let original = covered(&zone, &signed, now).expect("our signature");
    let edited = edited(signed, edits);
    if let Some(found) = covered(&zone, &edited, now) {
        assert_eq!(found, original);
    }
}

/// What the first signature that passes covers, canonical by a reading of its own.
fn covered(zone: &Zone, mail: &[u8], now: SystemTime) -> Option<(Vec<Vec<u8>>, Vec<u8>)> {
    let message = Message::parse(mail);
    let settings = Settings::default();
    let verifications = block_on(dkim::verify_message(zone, &message, now, &settings));
    let passed = verifications
        .iter()
        .find(|one| one.result() == DkimResult::Pass)?;
    let fields = passed.signed_fields();
    let fields = fields.filter_map(|(_, position)| message.head().fields().get(position?));
    let canonical = |octets: &[u8]| {
        let words = octets.split(|octet| b" \t\r\n".contains(octet));
        let words = words.filter(|word| !word.is_empty());
        words.collect::<Vec<_>>().join(&b' ')
    };
    let fields = fields.map(|field| {
        [
            &field.name().to_ascii_lowercase(),
            &canonical(field.value())[..],
        ]
        .concat()
    });
    let body = naive(Canonicalization::Relaxed, message.body());
    Some((fields.collect(), body))
}

/// Four octets an edit: what, where (two octets, modulo the length), and with what.
fn edited(mut octets: Vec<u8>, edits: &[u8]) -> Vec<u8> {
    for edit in edits.chunks_exact(4).take(16) {
        let at = usize::from(u16::from_be_bytes([edit[1], edit[2]])) % octets.len().max(1);
        let line = octets[at..].iter().position(|octet| *octet == b'\n');
        let end = line.map_or(octets.len(), |line| at + line + 1);
        match edit[0] % 6 {
            0 if at < octets.len() => octets[at] = edit[3],
            1 => octets.insert(at, edit[3]),
            2 if at < octets.len() => drop(octets.remove(at)),
            // A line, or its end, once more; at the top; or no more.
            3 => {
                let line = octets[at..end].to_vec();
                octets.splice(end..end, line);
            }
            4 => {
                let line = octets[at..end].to_vec();
                octets.splice(..0, line);
            }
            5 => drop(octets.drain(at..end)),
            _ => {}
        }
    }
    octets
}
