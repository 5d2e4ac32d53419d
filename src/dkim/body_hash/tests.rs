//! Tests of body hashes.

use super::*;
use crate::text;

fn request(canonicalization: Canonicalization) -> BodyHashRequest {
    BodyHashRequest::new(HashAlgorithm::Sha256, canonicalization)
}

fn hashes(requests: &[BodyHashRequest], chunks: &[&[u8]]) -> BodyHashes {
    let mut hasher = BodyHasher::of(requests.iter().copied());
    for chunk in chunks {
        hasher.update(chunk);
    }
    hasher.finish()
}

#[test]
fn empty_bodies() {
    for (algorithm, canonicalization, expected) in [
        (
            HashAlgorithm::Sha256,
            Canonicalization::Simple,
            "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=",
        ),
        (
            HashAlgorithm::Sha256,
            Canonicalization::Relaxed,
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        ),
        (
            HashAlgorithm::Sha1,
            Canonicalization::Simple,
            "uoq1oCgLlTqpdDX/iUbLy7J1Wic=",
        ),
        (
            HashAlgorithm::Sha1,
            Canonicalization::Relaxed,
            "2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
        ),
    ] {
        let request = BodyHashRequest::new(algorithm, canonicalization);
        for body in [&b""[..], b"\r\n", b"\r\n\r\n"] {
            let hashes = hashes(&[request], &[body]);
            let hash = hashes.get(&request).unwrap();
            assert_eq!(text::base64_encode(hash.digest.as_ref()), expected);
        }
    }
}

#[test]
fn one_pass_serves_different_lengths() {
    let body = b"one \r\ntwo\r\n\r\n";
    let whole = request(Canonicalization::Relaxed);
    let requests = [
        whole,
        whole.with_length(Some(3)),
        whole.with_length(Some(10)),
        whole.with_length(Some(99)),
        whole.with_length(Some(0)),
    ];
    for at in 0..body.len() {
        let (first, second) = body.split_at(at);
        let hashes = hashes(&requests, &[first, second]);
        for (request, expected) in requests.iter().zip([
            &b"one\r\ntwo\r\n"[..],
            b"one",
            b"one\r\ntwo\r\n",
            b"one\r\ntwo\r\n",
            b"",
        ]) {
            let hash = hashes.get(request).unwrap();
            assert_eq!(hash.digest.as_ref(), HashAlgorithm::Sha256.digest(expected));
            assert_eq!(hash.hashed, octets(expected));
            assert_eq!(hash.total, 10);
        }
    }
}

#[test]
fn says_when_it_has_seen_enough() {
    assert!(!BodyHasher::of([]).needs_more());
    let whole = request(Canonicalization::Simple);
    let mut hasher = BodyHasher::of([whole.with_length(Some(3))]);
    hasher.update(b"abc");
    assert!(hasher.needs_more());
    hasher.update(b"d");
    assert!(!hasher.needs_more());
    let mut hasher = BodyHasher::of([whole.with_length(Some(3)), whole]);
    hasher.update(b"abcdef");
    assert!(hasher.needs_more());
}

#[test]
fn two_hashers_make_one() {
    let whole = request(Canonicalization::Simple);
    let part = whole.with_length(Some(3));
    let relaxed = request(Canonicalization::Relaxed);
    let first = BodyHasher::of([part, relaxed]);
    let mut both = first.and(BodyHasher::of([whole, part]).with_hazards());
    both.update(b"a  b\n");
    let hashes = both.finish();
    for (request, expected) in [
        (whole, &b"a  b\n\r\n"[..]),
        (part, b"a  "),
        (relaxed, b"a b\n\r\n"),
    ] {
        let digest = hashes.digest(request.algorithm, request.canonicalization, request.length);
        assert_eq!(
            digest,
            Some(HashAlgorithm::Sha256.digest(expected).as_slice())
        );
    }
    assert_eq!(hashes.total(Canonicalization::Relaxed), Some(6));
    assert!(hashes.hazards().unwrap().bare_lf);
    assert_eq!(BodyHashes::unknown().total(Canonicalization::Simple), None);
}
