//! As much of DER as RSA keys need.

use std::ops::Range;

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const SEQUENCE: u8 = 0x30;

/// 1.2.840.113549.1.1.1, rsaEncryption, with its tag and length.
const RSA_ENCRYPTION: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
];

/// Where the modulus stands, and the exponent, which is at the end; both without leading zeros.
pub(super) fn rsa_public_key(der: &[u8]) -> Option<(Range<usize>, &[u8])> {
    let (modulus, exponent, behind) = public_numbers(der)?;
    let end = der.len().checked_sub(behind)?;
    Some((end.checked_sub(modulus.len())?..end, exponent))
}

/// Modulus and exponent, and how many octets stand behind the modulus.
fn public_numbers(der: &[u8]) -> Option<(&[u8], &[u8], usize)> {
    let (content, rest) = element(der, SEQUENCE)?;
    if !rest.is_empty() {
        return None;
    }
    let Some((algorithm, rest)) = element(content, SEQUENCE) else {
        return modulus_and_exponent(content);
    };
    let parameters = algorithm.strip_prefix(RSA_ENCRYPTION)?;
    // RFC 3279 2.3.1: the parameters field MUST be NULL; some keys leave it out.
    if !parameters.is_empty() && parameters != [0x05, 0x00] {
        return None;
    }
    let (bits, rest) = element(rest, BIT_STRING)?;
    let (key, after) = element(bits.strip_prefix(&[0])?, SEQUENCE)?;
    (rest.is_empty() && after.is_empty()).then_some(())?;
    modulus_and_exponent(key)
}

/// Modulus and public exponent of an RSAPrivateKey (RFC 8017 A.1.2), without leading zeros.
pub(super) fn rsa_private_key(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (content, rest) = element(der, SEQUENCE)?;
    rest.is_empty().then_some(())?;
    let (version, content) = element(content, INTEGER)?;
    (version == [0]).then_some(())?;
    let (modulus, content) = element(content, INTEGER)?;
    let (exponent, _) = element(content, INTEGER)?;
    Some((positive(modulus)?, positive(exponent)?))
}

/// Whether it is one SEQUENCE, with nothing behind it.
pub(super) fn is_sequence(der: &[u8]) -> bool {
    element(der, SEQUENCE).is_some_and(|(_, rest)| rest.is_empty())
}

/// The RSAPrivateKey inside a PrivateKeyInfo (RFC 5958 2).
pub(super) fn rsa_in_pkcs8(der: &[u8]) -> Option<&[u8]> {
    let (content, rest) = element(der, SEQUENCE)?;
    rest.is_empty().then_some(())?;
    let (version, content) = element(content, INTEGER)?;
    (version == [0]).then_some(())?;
    let (algorithm, content) = element(content, SEQUENCE)?;
    algorithm.strip_prefix(RSA_ENCRYPTION)?;
    let (key, _) = element(content, OCTET_STRING)?;
    Some(key)
}

/// A SubjectPublicKeyInfo (RFC 5280 4.1) of an RSA key.
pub(super) fn write_rsa_public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let numbers = [write_integer(modulus), write_integer(exponent)].concat();
    let key = write(SEQUENCE, &numbers);
    let algorithm = write(SEQUENCE, &[RSA_ENCRYPTION, &[0x05, 0x00]].concat());
    let bits = write(BIT_STRING, &[&[0], key.as_slice()].concat());
    write(SEQUENCE, &[algorithm, bits].concat())
}

/// A positive INTEGER: a leading zero keeps the first bit from being taken for a sign.
fn write_integer(magnitude: &[u8]) -> Vec<u8> {
    if magnitude.first().is_some_and(|octet| octet & 0x80 != 0) {
        return write(INTEGER, &[&[0], magnitude].concat());
    }
    write(INTEGER, magnitude)
}

fn write(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let leading = length.iter().take_while(|octet| **octet == 0).count();
    let length = length.get(leading..).unwrap_or_default();
    let mut out = vec![tag];
    match length {
        [] => out.push(0),
        [short] if *short < 0x80 => out.push(*short),
        // At most eight octets of length, so their number fits into the low bits.
        _ => {
            out.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
            out.extend_from_slice(length);
        }
    }
    out.extend_from_slice(content);
    out
}

fn modulus_and_exponent(content: &[u8]) -> Option<(&[u8], &[u8], usize)> {
    let (modulus, behind) = element(content, INTEGER)?;
    let (exponent, rest) = element(behind, INTEGER)?;
    rest.is_empty().then_some(())?;
    Some((positive(modulus)?, positive(exponent)?, behind.len()))
}

/// The magnitude of a positive INTEGER.
fn positive(mut octets: &[u8]) -> Option<&[u8]> {
    if octets.first()? & 0x80 != 0 {
        return None;
    }
    while let Some(rest) = octets.strip_prefix(&[0]) {
        octets = rest;
    }
    (!octets.is_empty()).then_some(octets)
}

/// Takes one element with the given tag: its content and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.split_first()?;
    if first != tag {
        return None;
    }
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = if length < 0x80 {
        (usize::from(length), rest)
    } else {
        let (octets, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
        // Two octets of length hold keys far beyond any that we accept.
        if octets.is_empty() || octets.len() > 2 {
            return None;
        }
        (
            octets
                .iter()
                .fold(0, |sum, octet| sum << 8 | usize::from(*octet)),
            rest,
        )
    };
    rest.split_at_checked(length)
}
