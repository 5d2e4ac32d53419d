//! The words of ARC: results and the three fields of a set.

use std::fmt;

use crate::auth_results::ResultWord;

/// The Chain Validation Status (§4.4).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "§4.4 has these three")]
pub enum ArcResult {
    /// There is no chain.
    None,
    /// The chain is valid.
    Pass,
    /// The chain is not valid: ‘MUST be treated the same as a message with no Authenticated Received
    /// Chain’ (§5.2).
    Fail,
}

impl ArcResult {
    /// The word as `cv=` and RFC 8601 write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
        }
    }

    /// Reads the value of `cv=`. seal-cv-tag = %x63.76 [FWS] "=" [FWS] ("none" / "fail" / "pass"),
    /// of which other implementations write lower case only.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        [Self::None, Self::Pass, Self::Fail]
            .into_iter()
            .find(|result| result.as_str().as_bytes() == value)
    }
}

impl fmt::Display for ArcResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<ArcResult> for ResultWord {
    fn from(result: ArcResult) -> Self {
        match result {
            ArcResult::None => Self::None,
            ArcResult::Pass => Self::Pass,
            ArcResult::Fail => Self::Fail,
        }
    }
}

/// The fields that make a set (§4.2), in the order in which they are sealed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum SetField {
    /// ARC-Authentication-Results (AAR).
    AuthenticationResults,
    /// ARC-Message-Signature (AMS).
    MessageSignature,
    /// ARC-Seal (AS).
    Seal,
}

impl SetField {
    /// All three.
    pub(super) const ALL: [Self; 3] = [
        Self::AuthenticationResults,
        Self::MessageSignature,
        Self::Seal,
    ];

    /// The name of the header field.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AuthenticationResults => "ARC-Authentication-Results",
            Self::MessageSignature => "ARC-Message-Signature",
            Self::Seal => "ARC-Seal",
        }
    }
}
