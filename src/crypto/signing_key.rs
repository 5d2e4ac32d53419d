//! Private keys: reading, making and using them.

use std::fmt;
use std::sync::Arc;

use super::backend::rand::SystemRandom;
use super::backend::signature::{self, Ed25519KeyPair, KeyPair as _, RsaKeyPair};
use super::{VerifyingKey, der};
use crate::text;

/// A private key that signatures are made with. Cloning is cheap, and copies nothing of the key;
/// `Debug` shows no secret.
///
/// The numbers of the key are in the hands of the crypto library, ring, which keeps them until the
/// last clone is dropped and offers no way to overwrite them then. What is read from PEM is overwritten
/// here; the text itself is the caller's.
///
/// ```
/// use mailproof::crypto::SigningKey;
///
/// let key = SigningKey::ed25519(&[7; 32])?;
/// assert_eq!(key.verifying_key().bits(), 256);
/// # Ok::<(), mailproof::crypto::SigningKeyError>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    pair: Arc<Pair>,
    public: VerifyingKey,
}

enum Pair {
    Ed25519(Ed25519KeyPair),
    Rsa(RsaKeyPair),
}

impl SigningKey {
    /// Reads PEM (RFC 7468): `PRIVATE KEY`, which is PKCS#8 with an RSA or Ed25519 key, or `RSA PRIVATE
    /// KEY`, which is PKCS#1. The first of these in the text counts.
    ///
    /// # Errors
    ///
    /// [`SigningKeyError`] says what the text has instead, or what is wrong with the key.
    pub fn from_pem(text: impl AsRef<[u8]>) -> Result<Self, SigningKeyError> {
        let text = text::lossy(text.as_ref());
        for block in text.split("-----BEGIN ").skip(1) {
            let Some((label, rest)) = block.split_once("-----") else {
                continue;
            };
            let body = match label {
                "PRIVATE KEY" | "RSA PRIVATE KEY" => {
                    rest.split("-----END ").next().unwrap_or_default()
                }
                "ENCRYPTED PRIVATE KEY" => return Err(SigningKeyError::Encrypted),
                "EC PRIVATE KEY" | "DSA PRIVATE KEY" => return Err(SigningKeyError::KeyType),
                _ => continue,
            };
            if body.contains("Proc-Type:") {
                return Err(SigningKeyError::Encrypted);
            }
            let mut der =
                text::base64_decode(body.as_bytes()).map_err(|_| SigningKeyError::Encoding)?;
            let key = Self::from_der(&der);
            // The one copy of the key that is ours.
            der.fill(0);
            std::hint::black_box(&der);
            return key;
        }
        Err(SigningKeyError::NoKey)
    }

    /// Reads DER: PKCS#8 (RFC 5958) with an RSA or Ed25519 key, or PKCS#1 (RFC 8017 A.1.2).
    ///
    /// # Errors
    ///
    /// [`SigningKeyError`]. RSA keys must have 2048, 3072 or 4096 bits and the exponent 65537.
    pub fn from_der(der: &[u8]) -> Result<Self, SigningKeyError> {
        if let Some(pkcs1) = der::rsa_in_pkcs8(der) {
            return Self::rsa(pkcs1);
        }
        if der::rsa_private_key(der).is_some() {
            return Self::rsa(der);
        }
        // aws-lc does not mind what stands behind a key.
        if !der::is_sequence(der) {
            return Err(SigningKeyError::Encoding);
        }
        match Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
            Ok(pair) => Self::of_ed25519(pair),
            Err(rejected) if rejected.to_string() == "WrongAlgorithm" => {
                Err(SigningKeyError::KeyType)
            }
            Err(_) => Err(SigningKeyError::Encoding),
        }
    }

    fn rsa(pkcs1: &[u8]) -> Result<Self, SigningKeyError> {
        let (modulus, exponent) = der::rsa_private_key(pkcs1).ok_or(SigningKeyError::Encoding)?;
        let bits = super::bit_length(modulus);
        if exponent != EXPONENT {
            return Err(SigningKeyError::Exponent);
        }
        if !matches!(bits, 2_048 | 3_072 | 4_096) {
            return Err(SigningKeyError::Bits { bits });
        }
        let pair = RsaKeyPair::from_der(pkcs1).map_err(|rejected| SigningKeyError::Rejected {
            reason: rejected.to_string(),
        })?;
        let public =
            VerifyingKey::rsa(pair.public_key().as_ref()).map_err(|_| SigningKeyError::Encoding)?;
        Ok(Self {
            pair: Arc::new(Pair::Rsa(pair)),
            public,
        })
    }

    fn of_ed25519(pair: Ed25519KeyPair) -> Result<Self, SigningKeyError> {
        let public = VerifyingKey::ed25519(pair.public_key().as_ref())
            .map_err(|_| SigningKeyError::Encoding)?;
        Ok(Self {
            pair: Arc::new(Pair::Ed25519(pair)),
            public,
        })
    }

    /// Takes the 32 octets of an Ed25519 private key (RFC 8032 5.1.5), also called its seed.
    ///
    /// # Errors
    ///
    /// [`SigningKeyError::Encoding`] for any other length.
    pub fn ed25519(seed: &[u8]) -> Result<Self, SigningKeyError> {
        Self::of_ed25519(
            Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| SigningKeyError::Encoding)?,
        )
    }

    /// Makes a new Ed25519 key from the system's random source, and its PKCS#8 PEM to be stored.
    /// RSA keys cannot be made here; `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048`
    /// makes one that [`from_pem`](Self::from_pem) reads.
    ///
    /// # Errors
    ///
    /// [`SigningKeyError::Random`], if there is no randomness to be had.
    pub fn generate_ed25519() -> Result<(Self, String), SigningKeyError> {
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|_| SigningKeyError::Random)?;
        let key = Self::from_der(document.as_ref())?;
        let body = text::base64_encode(document.as_ref());
        let mut pem = String::from("-----BEGIN PRIVATE KEY-----\n");
        for line in body.as_bytes().chunks(64) {
            pem.push_str(&text::lossy(line));
            pem.push('\n');
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        Ok((key, pem))
    }

    /// The public key that belongs to it.
    #[must_use]
    pub fn verifying_key(&self) -> &VerifyingKey {
        &self.public
    }

    /// Signs: RSA by PKCS#1 v1.5 over the SHA-256 of `message`, Ed25519 over `message` itself.
    ///
    /// # Errors
    ///
    /// [`SigningKeyError::Random`], if the system has no randomness for RSA blinding.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningKeyError> {
        match &*self.pair {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; self.public.bits().div_ceil(8)];
                pair.sign(
                    &signature::RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message,
                    &mut signature,
                )
                .map_err(|_| SigningKeyError::Random)?;
                Ok(signature)
            }
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public).finish()
    }
}

/// Why a private key cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningKeyError {
    /// An RSA key of a length that the crypto library does not sign with.
    #[error("RSA key of {bits} bits; only 2048, 3072 and 4096 are signed with")]
    Bits {
        /// Its length.
        bits: usize,
    },
    /// Not base64, not DER, or not of the right length.
    #[error("malformed private key")]
    Encoding,
    /// A key that a pass phrase protects. Decrypt it first, with `openssl pkey`.
    #[error("the private key is encrypted")]
    Encrypted,
    /// An RSA key whose public exponent is not 65537.
    #[error("RSA key with a public exponent other than 65537")]
    Exponent,
    /// Neither RSA nor Ed25519.
    #[error("the private key is neither RSA nor Ed25519")]
    KeyType,
    /// No private key in the text.
    #[error("no private key in the text")]
    NoKey,
    /// The system gave no random octets.
    #[error("no random octets from the system")]
    Random,
    /// The crypto library found the numbers of an RSA key to be inconsistent.
    #[error("inconsistent RSA key ({reason})")]
    Rejected {
        /// In its words.
        reason: String,
    },
}

/// 65537, the only public exponent that ring signs with.
const EXPONENT: &[u8] = &[1, 0, 1];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::HashAlgorithm;

    /// RFC 8463 A.2.
    const SEED: &[u8] = b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";

    #[test]
    fn ed25519_in_all_forms() {
        let seed = text::base64_decode(SEED).unwrap();
        let key = SigningKey::ed25519(&seed).unwrap();
        let public = text::base64_decode(b"11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
        let public = VerifyingKey::ed25519(&public.unwrap()).unwrap();
        assert_eq!(key.verifying_key(), &public);
        let signature = key.sign(b"octets").unwrap();
        assert!(public.verify(HashAlgorithm::Sha256, b"octets", &signature));
        assert!(!public.verify(HashAlgorithm::Sha256, b"Octets", &signature));

        // PKCS#8 version 1, as `openssl genpkey` writes it: without the public key.
        let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
        der.extend_from_slice(&seed);
        let pem = format!(
            "-----BEGIN PRIVATE KEY-----\r\n{}\r\n-----END PRIVATE KEY-----\r\n",
            text::base64_encode(&der)
        );
        let read = SigningKey::from_pem(&pem).unwrap();
        assert_eq!(read.verifying_key(), &public);
        assert!(!format!("{read:?}").contains("nWGx"));
    }

    #[test]
    fn makes_keys() {
        let (key, pem) = SigningKey::generate_ed25519().unwrap();
        let read = SigningKey::from_pem(&pem).unwrap();
        assert_eq!(read.verifying_key(), key.verifying_key());
    }

    #[test]
    fn says_what_is_wrong() {
        let error = |pem: &str| SigningKey::from_pem(pem).unwrap_err();
        assert_eq!(error(""), SigningKeyError::NoKey);
        assert_eq!(
            error("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"),
            SigningKeyError::NoKey
        );
        assert_eq!(
            error("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END"),
            SigningKeyError::Encrypted
        );
        assert_eq!(
            error("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END"),
            SigningKeyError::Encrypted
        );
        assert_eq!(
            error("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END"),
            SigningKeyError::KeyType
        );
        assert_eq!(
            error("-----BEGIN PRIVATE KEY-----\n****\n-----END"),
            SigningKeyError::Encoding
        );
        assert_eq!(
            SigningKey::ed25519(&[0; 31]).unwrap_err(),
            SigningKeyError::Encoding
        );
        // Version, a modulus of two octets, and the exponents 3 and 65537.
        let short = |exponent: &[u8]| {
            let length = u8::try_from(exponent.len()).unwrap();
            let head = [0x30, 9 + length, 2, 1, 0, 2, 2, 0x7f, 1, 2, length];
            SigningKey::from_der(&[&head, exponent].concat()).unwrap_err()
        };
        assert_eq!(short(&[3]), SigningKeyError::Exponent);
        assert_eq!(short(&[1, 0, 1]), SigningKeyError::Bits { bits: 15 });
    }
}
