//! The words of DKIM: results and algorithms.

use std::fmt;

use crate::auth_results::ResultWord;
use crate::crypto::{HashAlgorithm, SigningKey};

/// The result of checking one signature, or of a message without any (RFC 8601 2.7.1).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8601 2.7.1 has these seven")]
pub enum DkimResult {
    /// The message is not signed.
    None,
    /// The signature verified, and nothing about it is unacceptable.
    Pass,
    /// The signature does not verify.
    Fail,
    /// The signature may be right, but local policy does not accept it.
    Policy,
    /// The signature has syntax errors or could not be processed.
    Neutral,
    /// The signature could not be checked now; later it might.
    Temperror,
    /// The signature cannot be checked, now or later.
    Permerror,
}

impl DkimResult {
    /// The word as RFC 8601 writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Policy => "policy",
            Self::Neutral => "neutral",
            Self::Temperror => "temperror",
            Self::Permerror => "permerror",
        }
    }
}

impl fmt::Display for DkimResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<DkimResult> for ResultWord {
    fn from(result: DkimResult) -> Self {
        match result {
            DkimResult::None => Self::None,
            DkimResult::Pass => Self::Pass,
            DkimResult::Fail => Self::Fail,
            DkimResult::Policy => Self::Policy,
            DkimResult::Neutral => Self::Neutral,
            DkimResult::Temperror => Self::Temperror,
            DkimResult::Permerror => Self::Permerror,
        }
    }
}

/// The `a=` of a signature (§3.3).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// `ed25519-sha256` (RFC 8463).
    #[cfg_attr(feature = "serde", serde(rename = "ed25519-sha256"))]
    Ed25519Sha256,
    /// `rsa-sha1`, which RFC 8301 3.1 forbids.
    #[cfg_attr(feature = "serde", serde(rename = "rsa-sha1"))]
    RsaSha1,
    /// `rsa-sha256`.
    #[cfg_attr(feature = "serde", serde(rename = "rsa-sha256"))]
    RsaSha256,
}

impl SignatureAlgorithm {
    /// The algorithm that a key signs with.
    pub(crate) fn of(key: &SigningKey) -> Self {
        match key.verifying_key().is_ed25519() {
            true => Self::Ed25519Sha256,
            false => Self::RsaSha256,
        }
    }

    /// Reads the value of `a=`.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        [Self::Ed25519Sha256, Self::RsaSha1, Self::RsaSha256]
            .into_iter()
            .find(|algorithm| algorithm.as_str().as_bytes() == value)
    }

    /// The value of `a=`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519Sha256 => "ed25519-sha256",
            Self::RsaSha1 => "rsa-sha1",
            Self::RsaSha256 => "rsa-sha256",
        }
    }

    /// The hash of header and body.
    #[must_use]
    pub fn hash(self) -> HashAlgorithm {
        match self {
            Self::Ed25519Sha256 | Self::RsaSha256 => HashAlgorithm::Sha256,
            Self::RsaSha1 => HashAlgorithm::Sha1,
        }
    }
}

impl fmt::Display for SignatureAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
