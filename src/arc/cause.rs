//! Why a chain has the result it has.

use super::words::ArcResult;
use crate::dkim::{self, SignatureError};

/// What decided about a chain. Prints as one sentence.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// A seal's `cv=` is not what its place asks for: none in the first set, pass in all others.
    #[error("ARC set {instance} says cv={found}, which cannot be in its place")]
    ChainValidation {
        /// The set.
        instance: u8,
        /// Its `cv=`.
        found: ArcResult,
    },
    /// The last sealer already found the chain to be broken.
    #[error("the last sealer, of ARC set {instance}, found the chain to be broken (cv=fail)")]
    FailedBefore {
        /// The newest set.
        instance: u8,
    },
    /// A field without an instance from 1 to 50.
    #[error("an {field} field has no usable instance (i=)")]
    Instance {
        /// Which of the three fields of a set, by its name.
        field: &'static str,
    },
    /// A signature or seal breaks a rule of syntax.
    #[error("the {field} field of set {instance} is malformed: {error}")]
    Malformed {
        /// The set.
        instance: u8,
        /// Which of the three fields of a set, by its name.
        field: &'static str,
        /// The rule.
        error: SignatureError,
    },
    /// The newest message signature does not verify.
    #[error("the ARC-Message-Signature of set {instance} does not hold: {cause}")]
    MessageSignature {
        /// The newest set.
        instance: u8,
        /// Why.
        cause: dkim::Cause,
    },
    /// A set lacks one of its fields.
    #[error("ARC set {instance} has no {field} field")]
    MissingField {
        /// The set.
        instance: u8,
        /// Its name.
        field: &'static str,
    },
    /// A set is missing below the newest.
    #[error("ARC set {instance} is missing")]
    MissingSet {
        /// The set.
        instance: u8,
    },
    /// The message has no ARC fields.
    #[error("the message has no ARC sets")]
    NotSealed,
    /// All is well.
    #[error("the chain is valid")]
    Passed,
    /// A field stands more than once in a set.
    #[error("ARC set {instance} has more than one {field} field")]
    RepeatedField {
        /// The set.
        instance: u8,
        /// Its name.
        field: &'static str,
    },
    /// A seal does not verify.
    #[error("the ARC-Seal of set {instance} does not hold: {cause}")]
    Seal {
        /// The set.
        instance: u8,
        /// Why.
        cause: dkim::Cause,
    },
    /// A seal has `h=`.
    #[error("the ARC-Seal of set {instance} has h=, which no seal may have")]
    SealNamesFields {
        /// The set.
        instance: u8,
    },
    /// A set whose number is higher than allowed.
    #[error("an ARC set has a number above {limit}")]
    TooManySets {
        /// The highest that is.
        limit: usize,
    },
}

impl Cause {
    /// The result that follows. §5.2.1: ‘All errors, including DNS failures, become unrecoverable and
    /// are considered permanent.’
    #[must_use]
    pub fn result(&self) -> ArcResult {
        match self {
            Self::NotSealed => ArcResult::None,
            Self::Passed => ArcResult::Pass,
            Self::ChainValidation { .. }
            | Self::FailedBefore { .. }
            | Self::Instance { .. }
            | Self::Malformed { .. }
            | Self::MessageSignature { .. }
            | Self::MissingField { .. }
            | Self::MissingSet { .. }
            | Self::RepeatedField { .. }
            | Self::Seal { .. }
            | Self::SealNamesFields { .. }
            | Self::TooManySets { .. } => ArcResult::Fail,
        }
    }

    /// Whether the DNS is to blame: the result is no other for that.
    pub(crate) fn is_temporary(&self) -> bool {
        match self {
            Self::MessageSignature { cause, .. } | Self::Seal { cause, .. } => {
                matches!(cause, dkim::Cause::KeyUnavailable(_))
            }
            _ => false,
        }
    }

    /// The set that decided, if one did.
    #[must_use]
    pub fn instance(&self) -> Option<u8> {
        match self {
            Self::ChainValidation { instance, .. }
            | Self::FailedBefore { instance }
            | Self::Malformed { instance, .. }
            | Self::MessageSignature { instance, .. }
            | Self::MissingField { instance, .. }
            | Self::MissingSet { instance }
            | Self::RepeatedField { instance, .. }
            | Self::Seal { instance, .. }
            | Self::SealNamesFields { instance } => Some(*instance),
            Self::Instance { .. } | Self::NotSealed | Self::Passed | Self::TooManySets { .. } => {
                None
            }
        }
    }

    /// A short word for the cause, for logs and metrics; it does not change between versions.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::ChainValidation { .. } => "chain-validation",
            Self::FailedBefore { .. } => "failed-before",
            Self::Instance { .. } => "instance",
            Self::Malformed { .. } => "malformed",
            Self::MessageSignature { .. } => "message-signature",
            Self::MissingField { .. } => "missing-field",
            Self::MissingSet { .. } => "missing-set",
            Self::NotSealed => "not-sealed",
            Self::Passed => "passed",
            Self::RepeatedField { .. } => "repeated-field",
            Self::Seal { .. } => "seal",
            Self::SealNamesFields { .. } => "seal-names-fields",
            Self::TooManySets { .. } => "too-many-sets",
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Cause {
    /// The code and the sentence.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut fields = serializer.serialize_struct("Cause", 2)?;
        fields.serialize_field("code", self.code())?;
        fields.serialize_field("sentence", &self.to_string())?;
        fields.end()
    }
}
