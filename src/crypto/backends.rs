//! Both crypto libraries judge alike, whichever is used.

use super::*;
use crate::text::base64_decode;

const RSA: &str = include_str!("../../tests/data/crypto/rsa.txt");
const ED25519: &str = include_str!("../../tests/data/crypto/ed25519.txt");

const MESSAGE: &[u8] = b"message";

/// What one library says of an RSA signature.
macro_rules! rsa {
    ($library:ident, $hash:expr, $n:expr, $e:expr, $message:expr, $signature:expr) => {{
        use $library::signature::{
            RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY as SHA1,
            RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY as SHA256, RsaPublicKeyComponents,
        };
        let parameters = match $hash {
            HashAlgorithm::Sha1 => &SHA1,
            HashAlgorithm::Sha256 => &SHA256,
        };
        RsaPublicKeyComponents { n: $n, e: $e }
            .verify(parameters, $message, $signature)
            .is_ok()
    }};
}

macro_rules! ed25519 {
    ($library:ident, $key:expr, $message:expr, $signature:expr) => {
        $library::signature::UnparsedPublicKey::new(&$library::signature::ED25519, $key)
            .verify($message, $signature)
            .is_ok()
    };
}

fn lines(data: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    data.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(' ').collect())
}

fn octets(base64: &str) -> Vec<u8> {
    base64_decode(base64.as_bytes()).unwrap()
}

/// The signature, and the ways of spoiling it.
fn variants(signature: &[u8]) -> Vec<Vec<u8>> {
    let mut variants = vec![signature.to_vec(), Vec::new(), vec![0; signature.len()]];
    variants.push(vec![0xff; signature.len()]);
    variants.push(signature[1..].to_vec());
    variants.push(signature[..signature.len() - 1].to_vec());
    variants.push([&[0], signature].concat());
    variants.push([signature, &[0]].concat());
    for at in [0, signature.len() / 2, signature.len() - 1] {
        for bit in [0x01, 0x80] {
            let mut changed = signature.to_vec();
            changed[at] ^= bit;
            variants.push(changed);
        }
    }
    variants
}

#[test]
fn rsa_alike() {
    let mut passed = Vec::new();
    for line in lines(RSA) {
        let [name, key, sha256, sha1] = line[..] else {
            panic!("four words: {line:?}");
        };
        let key = VerifyingKey::rsa(&octets(key)).unwrap();
        let Kind::Rsa(numbers) = &key.0 else {
            panic!("an RSA key: {name}");
        };
        let (modulus, exponent) = numbers.modulus_and_exponent();
        for (hash, signature) in [(HashAlgorithm::Sha256, sha256), (HashAlgorithm::Sha1, sha1)] {
            for (at, signature) in variants(&octets(signature)).iter().enumerate() {
                for message in [MESSAGE, b"massage"] {
                    let ours = key.verify(hash, message, signature);
                    let ring = rsa!(ring, hash, modulus, exponent, message, signature);
                    let aws = rsa!(aws_lc_rs, hash, modulus, exponent, message, signature);
                    // ring takes a modulus of 128 octets for one of 1024 bits.
                    let ring = ring && CHECKABLE_BITS.contains(&key.bits());
                    assert_eq!((ours, ours), (ring, aws), "{name} {hash:?} {at}");
                    if ours {
                        assert_eq!((at, message), (0, MESSAGE), "{name}");
                        passed.push(name);
                    }
                }
            }
        }
    }
    passed.dedup();
    let expected = lines(RSA).map(|line| line[0]);
    let unchecked = ["1016/65537", "1017/65537", "1023/65537", "8193/65537"];
    let expected: Vec<&str> = expected.filter(|name| !unchecked.contains(name)).collect();
    assert_eq!(passed, expected);
}

#[test]
fn rsa_numbers_alike() {
    let line = lines(RSA).find(|line| line[0] == "1024/3").unwrap();
    let key = VerifyingKey::rsa(&octets(line[1])).unwrap();
    let Kind::Rsa(numbers) = &key.0 else {
        panic!("an RSA key");
    };
    let modulus = numbers.modulus_and_exponent().0.to_vec();
    let signature = octets(line[2]);
    let hash = HashAlgorithm::Sha256;
    let mut even = modulus.clone();
    even[127] ^= 1;
    for modulus in [&modulus[..], &even, &[0xff; 128], &[0x80; 128]] {
        for exponent in [
            &[1][..],
            &[2],
            &[3],
            &[5],
            &[1, 0, 1],
            &[0xff, 0xff, 0xff, 0xff],
            &[1, 0xff, 0xff, 0xff, 0xff],
            &[2, 0, 0, 0, 1],
            &[1, 0, 0, 0, 0, 1],
        ] {
            // What cannot become a key at all is not asked about.
            let der = der::write_rsa_public_key(modulus, exponent);
            let Ok(key) = VerifyingKey::rsa(&der) else {
                continue;
            };
            for signature in variants(&signature) {
                let ours = key.verify(hash, MESSAGE, &signature);
                let ring = rsa!(ring, hash, modulus, exponent, MESSAGE, &signature);
                let aws = rsa!(aws_lc_rs, hash, modulus, exponent, MESSAGE, &signature);
                assert_eq!((ours, ours), (ring, aws), "{exponent:?}");
            }
        }
    }
}

#[test]
fn ed25519_alike() {
    for line in lines(ED25519) {
        let [name, key, signature, expected] = line[..] else {
            panic!("four words: {line:?}");
        };
        let key = octets(key);
        for (at, signature) in variants(&octets(signature)).iter().enumerate() {
            let ours = VerifyingKey::ed25519(&key).unwrap();
            let ours = ours.verify(HashAlgorithm::Sha256, MESSAGE, signature);
            let ring = ed25519!(ring, &key, MESSAGE, signature);
            let aws = ed25519!(aws_lc_rs, &key, MESSAGE, signature);
            assert_eq!((ours, ours), (ring, aws), "{name} {at}");
            if at == 0 {
                assert_eq!(ours, expected == "pass", "{name}");
            }
        }
    }
}

#[test]
fn digests_alike() {
    let octets: Vec<u8> = (0..=255).cycle().take(1_000).collect();
    for end in 0..octets.len() {
        let octets = &octets[..end];
        let ring = ring::digest::digest(&ring::digest::SHA256, octets);
        let ours = HashAlgorithm::Sha256.digest(octets);
        assert_eq!(ours, ring.as_ref(), "{end}");
        let ring = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, octets);
        let ours = HashAlgorithm::Sha1.digest(octets);
        assert_eq!(ours, ring.as_ref(), "{end}");
    }
}
