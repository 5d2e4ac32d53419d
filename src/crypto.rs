//! Digests and signature checks.
//!
//! The only room that names the crypto library: ring, or aws-lc-rs, whose interface is the same, with
//! the feature of that name. ring takes RSA keys of 1017 bits, aws-lc-rs none below 1024, so that
//! `CHECKABLE_BITS` decides for both. What RFC 8301 3.2 demands is for callers to compare with
//! [`VerifyingKey::bits`].

#[cfg(all(test, feature = "aws-lc-rs"))]
mod backends;
mod der;
mod opening;
mod signing_key;
#[cfg(test)]
mod tests;

use std::fmt;
use std::ops::{Range, RangeInclusive};

#[cfg(feature = "aws-lc-rs")]
use aws_lc_rs as backend;
#[cfg(not(feature = "aws-lc-rs"))]
use ring as backend;

use backend::{digest, hmac, signature};
use subtle::ConstantTimeEq as _;

pub use signing_key::{SigningKey, SigningKeyError};

/// A hash algorithm of DKIM and ARC.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[non_exhaustive]
pub enum HashAlgorithm {
    /// SHA-1, which RFC 8301 3.1 forbids for signing and verifying.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl HashAlgorithm {
    /// How many octets a digest has.
    #[must_use]
    pub fn digest_length(self) -> usize {
        self.algorithm().output_len()
    }

    /// The digest of `octets`.
    #[must_use]
    pub fn digest(self, octets: &[u8]) -> Vec<u8> {
        digest::digest(self.algorithm(), octets).as_ref().to_vec()
    }

    fn algorithm(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
        }
    }
}

/// The result of hashing.
#[derive(Clone, Copy)]
pub(crate) struct Digest(digest::Digest);

impl AsRef<[u8]> for Digest {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref()
    }
}

impl Eq for Digest {}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.as_ref() == other.as_ref()
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref()
            .iter()
            .try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// A secret prepared for HMAC (RFC 2104). Its `Debug` shows the algorithm only.
#[derive(Clone, Debug)]
pub(crate) struct HmacKey(hmac::Key);

impl HmacKey {
    /// Prepares a secret of any length.
    pub(crate) fn new(hash: HashAlgorithm, secret: &[u8]) -> Self {
        let algorithm = match hash {
            HashAlgorithm::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            HashAlgorithm::Sha256 => hmac::HMAC_SHA256,
        };
        Self(hmac::Key::new(algorithm, secret))
    }

    /// The tag of octets.
    pub(crate) fn sign(&self, octets: &[u8]) -> HmacTag {
        HmacTag(hmac::sign(&self.0, octets))
    }
}

/// The result of HMAC.
pub(crate) struct HmacTag(hmac::Tag);

impl AsRef<[u8]> for HmacTag {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref()
    }
}

/// Compares in a time that depends on the lengths alone.
#[must_use]
pub(crate) fn constant_time_eq(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}

/// An incremental hash.
#[derive(Clone)]
pub(crate) struct Hasher(digest::Context);

impl Hasher {
    pub(crate) fn new(algorithm: HashAlgorithm) -> Self {
        Self(digest::Context::new(algorithm.algorithm()))
    }

    pub(crate) fn update(&mut self, octets: &[u8]) {
        self.0.update(octets);
    }

    pub(crate) fn finish(self) -> Digest {
        Digest(self.0.finish())
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}

/// A public key that signatures are checked with.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct VerifyingKey(Kind);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Kind {
    Ed25519([u8; 32]),
    Rsa(RsaKey),
}

/// Octets in which the modulus stands, and the exponent at the end.
#[derive(Clone, Debug)]
struct RsaKey {
    octets: Vec<u8>,
    modulus: Range<usize>,
    exponent_length: usize,
}

impl RsaKey {
    fn modulus_and_exponent(&self) -> (&[u8], &[u8]) {
        let modulus = self.octets.get(self.modulus.clone()).unwrap_or_default();
        let exponent = self.octets.len().checked_sub(self.exponent_length);
        let exponent = exponent.and_then(|begin| self.octets.get(begin..));
        (modulus, exponent.unwrap_or_default())
    }
}

impl Eq for RsaKey {}

impl PartialEq for RsaKey {
    fn eq(&self, other: &Self) -> bool {
        self.modulus_and_exponent() == other.modulus_and_exponent()
    }
}

impl VerifyingKey {
    /// Reads an RSA key: DER of a SubjectPublicKeyInfo (RFC 5280 4.1) or of a bare RSAPublicKey
    /// (RFC 8017 A.1.1). RFC 6376 3.6.1 says the latter, the world publishes the former.
    ///
    /// # Errors
    ///
    /// [`KeyError::Der`] for anything else, [`KeyError::Exponent`] for an exponent that is even, 1,
    /// or over 33 bits.
    pub fn rsa(der: &[u8]) -> Result<Self, KeyError> {
        Self::of_der(der.to_vec())
    }

    /// The same as [`rsa`](Self::rsa), of octets that are kept.
    pub(crate) fn of_der(octets: Vec<u8>) -> Result<Self, KeyError> {
        let (modulus, exponent) = der::rsa_public_key(&octets).ok_or(KeyError::Der)?;
        // ring's own bound; a large exponent makes each check as dear as a private key operation.
        let fits = exponent.len() <= 4 || (exponent.len() == 5 && exponent.first() <= Some(&1));
        let odd = exponent.last().is_some_and(|octet| octet % 2 == 1);
        if !fits || !odd || exponent == [1] {
            return Err(KeyError::Exponent);
        }
        Ok(Self(Kind::Rsa(RsaKey {
            modulus,
            exponent_length: exponent.len(),
            octets,
        })))
    }

    /// Reads an Ed25519 key: its 32 octets (RFC 8463 4).
    ///
    /// # Errors
    ///
    /// [`KeyError::Length`] for any other length, [`KeyError::SmallOrder`] for a key that fits
    /// signatures made without a private key, all zeros among them.
    pub fn ed25519(octets: &[u8]) -> Result<Self, KeyError> {
        let length = octets.len();
        let key: [u8; 32] = octets.try_into().map_err(|_| KeyError::Length { length })?;
        if has_small_order(&key) {
            return Err(KeyError::SmallOrder);
        }
        Ok(Self(Kind::Ed25519(key)))
    }

    /// The length of the RSA modulus, or 256 for Ed25519, in bits.
    #[must_use]
    pub fn bits(&self) -> usize {
        match &self.0 {
            Kind::Ed25519(_) => 256,
            Kind::Rsa(key) => bit_length(key.modulus_and_exponent().0),
        }
    }

    /// Whether it is an Ed25519 key.
    pub(crate) fn is_ed25519(&self) -> bool {
        matches!(self.0, Kind::Ed25519(_))
    }

    /// The key as DKIM publishes it: SubjectPublicKeyInfo for RSA, the 32 octets of Ed25519.
    pub(crate) fn to_octets(&self) -> Vec<u8> {
        match &self.0 {
            Kind::Ed25519(key) => key.to_vec(),
            Kind::Rsa(key) => {
                let (modulus, exponent) = key.modulus_and_exponent();
                der::write_rsa_public_key(modulus, exponent)
            }
        }
    }

    /// Whether `signature` is this key's signature over `message`.
    ///
    /// RSA is PKCS#1 v1.5 over the hash of `message`; Ed25519 is PureEdDSA over `message` itself,
    /// which for DKIM is the SHA-256 digest of the header data (RFC 8463 3).
    #[must_use]
    pub(crate) fn verify(&self, hash: HashAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Kind::Ed25519(key) => signature::UnparsedPublicKey::new(&signature::ED25519, key)
                .verify(message, signature),
            Kind::Rsa(key) => {
                if !CHECKABLE_BITS.contains(&self.bits()) {
                    return false;
                }
                let (n, e) = key.modulus_and_exponent();
                let parameters = match hash {
                    HashAlgorithm::Sha1 => &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY,
                    HashAlgorithm::Sha256 => {
                        &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
                    }
                };
                signature::RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
        }
        .is_ok()
    }

    /// What `signature` says was signed, whatever that was.
    pub(crate) fn open(&self, signature: &[u8]) -> Opened {
        match &self.0 {
            Kind::Rsa(key) if self.bits() <= OPENABLE_BITS => {
                let (modulus, exponent) = key.modulus_and_exponent();
                match opening::digest(modulus, exponent, signature) {
                    Some(digest) => Opened::Digest(digest),
                    None => Opened::NotByThisKey,
                }
            }
            Kind::Ed25519(_) | Kind::Rsa(_) => Opened::Sealed,
        }
    }
}

/// What a signature holds.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Opened {
    /// The digest of what was signed.
    Digest(Vec<u8>),
    /// The private key did not make it.
    NotByThisKey,
    /// Its kind does not tell.
    Sealed,
}

/// Longer moduli take more than some ten milliseconds.
const OPENABLE_BITS: usize = 4_096;

/// The RSA keys that signatures can be checked with, whichever the crypto library.
pub(crate) const CHECKABLE_BITS: RangeInclusive<usize> = 1_024..=8_192;

/// Whether an Ed25519 key is one of the points whose multiple by eight is the neutral element. RFC
/// 8032 5.1.7 leaves such keys to the verifier, and the crypto library takes them.
fn has_small_order(key: &[u8; 32]) -> bool {
    let mut y = *key;
    // The first bit is the sign of x; both signs have the same order.
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    SMALL_ORDER.contains(&y)
}

/// The y of these points, little-endian: 0, 1, the two of order eight, p - 1, and p and p + 1, which
/// are 0 and 1 not reduced.
const SMALL_ORDER: [[u8; 32]; 7] = [
    [0; 32],
    near_zero(1),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67,
        0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac,
        0x03, 0x7a,
    ],
    near_p(0xec),
    near_p(0xed),
    near_p(0xee),
];

const fn near_zero(first: u8) -> [u8; 32] {
    let mut y = [0; 32];
    y[0] = first;
    y
}

/// A number with the high octets of p, 2^255 - 19.
const fn near_p(first: u8) -> [u8; 32] {
    let mut y = [0xff; 32];
    y[0] = first;
    y[31] = 0x7f;
    y
}

/// How many bits a number without leading zero octets has.
fn bit_length(number: &[u8]) -> usize {
    let leading = number.first().map_or(0, |octet| octet.leading_zeros());
    (number.len() * 8).saturating_sub(usize::try_from(leading).unwrap_or_default())
}

/// Why some octets are not a usable public key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum KeyError {
    /// Neither a SubjectPublicKeyInfo with an RSA key nor an RSAPublicKey.
    #[error("not a DER-encoded RSA public key")]
    Der,
    /// An RSA exponent that cannot be right or is too large to be safe.
    #[error("RSA exponent is even, 1, or over 33 bits")]
    Exponent,
    /// An Ed25519 key that is not 32 octets long.
    #[error("Ed25519 key of {length} octets, 32 are needed")]
    Length {
        /// Its length.
        length: usize,
    },
    /// An Ed25519 key for which anybody can sign.
    #[error("Ed25519 key of small order, for which anybody can sign")]
    SmallOrder,
}
