//! Known answers, and keys at each edge.

use super::*;
use crate::text::base64_decode;

/// RFC 6376 appendix C.
const SPKI: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkM\
    oGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gb\
    to/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB";

/// RFC 2202 3 test case 2, RFC 4231 4.3.
#[test]
fn hmac_known_answers() {
    for (hash, tag) in [
        (HashAlgorithm::Sha1, &b"7/zfauXrL6LSdBbV8YTfnCWafHk="[..]),
        (
            HashAlgorithm::Sha256,
            b"W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=",
        ),
    ] {
        let key = HmacKey::new(hash, b"Jefe");
        let made = key.sign(b"what do ya want for nothing?");
        let tag = base64_decode(tag).unwrap();
        assert!(constant_time_eq(made.as_ref(), &tag), "{hash:?}");
    }
    assert!(!constant_time_eq(b"a", b"b"));
    assert!(!constant_time_eq(b"a", b"ab"));
    let key = HmacKey::new(HashAlgorithm::Sha1, b"Jefe");
    assert!(!format!("{key:?}").contains("Jefe"));
}

#[test]
fn reads_both_encodings_of_a_key() {
    let spki = base64_decode(SPKI.as_bytes()).unwrap();
    let key = VerifyingKey::rsa(&spki).unwrap();
    assert_eq!(key.bits(), 1024);
    assert_eq!(key.to_octets(), spki);
    let pkcs1 = spki.get(22..).unwrap();
    assert_eq!(VerifyingKey::rsa(pkcs1), Ok(key));
    for cut in 0..spki.len() {
        assert_eq!(VerifyingKey::rsa(&spki[..cut]), Err(KeyError::Der), "{cut}");
    }
    let longer = [&spki[..], &[0]].concat();
    assert_eq!(VerifyingKey::rsa(&longer), Err(KeyError::Der));
}

#[test]
fn opens_signatures() {
    let pem = include_bytes!("../../tests/data/dkim/rsa2048.pem");
    let key = SigningKey::from_pem(pem).unwrap();
    let public = key.verifying_key();
    let message = b"what was signed";
    let digest = HashAlgorithm::Sha256.digest(message);
    let signature = key.sign(message).unwrap();
    let expected = Opened::Digest(digest);
    assert_eq!(public.open(&signature), expected);
    let mut changed = signature.clone();
    changed[0] ^= 1;
    assert_eq!(public.open(&changed), Opened::NotByThisKey);
    let other = VerifyingKey::rsa(&base64_decode(SPKI.as_bytes()).unwrap()).unwrap();
    assert_eq!(other.open(&signature), Opened::NotByThisKey);
}

#[test]
fn bounds_the_exponent() {
    let key = |exponent: &[u8]| {
        let length = u8::try_from(exponent.len()).unwrap();
        VerifyingKey::rsa(&[&[0x30, 5 + length, 2, 1, 0x7f, 2, length], exponent].concat())
    };
    assert_eq!(key(&[3]).unwrap().bits(), 7);
    assert!(key(&[1, 0, 1]).is_ok());
    assert!(key(&[1, 0xff, 0xff, 0xff, 0xff]).is_ok());
    for bad in [&[1][..], &[2], &[2, 0, 0, 0, 1], &[1, 0, 0, 0, 0, 1]] {
        assert_eq!(key(bad), Err(KeyError::Exponent), "{bad:?}");
    }
    for bad in [&[][..], &[0], &[0x81]] {
        assert_eq!(key(bad), Err(KeyError::Der), "{bad:?}");
    }
}

#[test]
fn refuses_keys_of_small_order() {
    for mut key in SMALL_ORDER {
        assert_eq!(VerifyingKey::ed25519(&key), Err(KeyError::SmallOrder));
        key[31] |= 0x80;
        assert_eq!(VerifyingKey::ed25519(&key), Err(KeyError::SmallOrder));
        key[15] ^= 1;
        assert!(VerifyingKey::ed25519(&key).is_ok());
    }
    // What they would let pass: R the neutral element, S zero, and no private key.
    let mut forged = [0; 64];
    forged[0] = 1;
    let key = VerifyingKey(Kind::Ed25519(near_zero(1)));
    assert!(key.verify(HashAlgorithm::Sha256, b"anything", &forged));
}

#[test]
fn verifies_rfc_8032_test_1() {
    let key = base64_decode(b"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=").unwrap();
    let signature = base64_decode(
        b"5VZDAMNgrHKQhuLMgG6CimSHfxhXlDUd+OH2FnJiyG0qpoYk5U6mzhXAUrUC3PI+8Bm3pyD+ssetuAVu9iQGGw==",
    );
    // The message of RFC 8032 7.1 test 1 is empty; this signature is test 1's with one octet
    // changed, so it must fail, as must one of the wrong length.
    let key = VerifyingKey::ed25519(&key).unwrap();
    assert!(!key.verify(HashAlgorithm::Sha256, b"", &signature.unwrap()));
    assert!(!key.verify(HashAlgorithm::Sha256, b"", &[0; 63]));
    assert_eq!(
        VerifyingKey::ed25519(&[0; 31]),
        Err(KeyError::Length { length: 31 })
    );
    assert_eq!(key.bits(), 256);
}
