//! Why a signature has the result it has.

use super::algorithm::DkimResult;
use super::key::KeyRecordError;
use super::signature_error::SignatureError;
use crate::dns::{LookupError, NameError};

/// What decided about a signature. Prints as one sentence; [`Verification`](super::Verification)
/// prints the same sentence with the names in it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// The body is not the one that was signed.
    #[error("the body was changed after signing (its hash is not the one in bh=)")]
    BodyHashMismatch,
    /// The caller fed no body, or one hashed for other signatures.
    #[error("the body was not hashed")]
    BodyNotHashed,
    /// `x=` has passed.
    #[error("the signature expired (x={expiration}) {seconds} seconds ago")]
    Expired {
        /// The value of `x=`.
        expiration: u64,
        /// How long ago that was.
        seconds: u64,
    },
    /// `t=` lies in the future, and the settings forbid that.
    #[error("the signature was made in the future (t={timestamp})")]
    FromFuture {
        /// The value of `t=`.
        timestamp: u64,
    },
    /// The key allows other hashes only (`h=`).
    #[error("the key record does not allow the hash of the signature")]
    HashNotAllowed,
    /// The header fields to be hashed exceed a limit.
    #[error("the signed header fields exceed {limit} octets in total and were not hashed")]
    HeaderTooLong {
        /// The limit, for all signatures of the message.
        limit: usize,
    },
    /// The key has `t=s`, and `i=` is a subdomain.
    #[error("the key record does not allow a subdomain in i= (t=s)")]
    IdentityNotAllowed,
    /// The name of the key is none that the DNS could have.
    #[error("the key's name cannot exist: {0}")]
    KeyName(NameError),
    /// The key is not for mail (`s=`).
    #[error("the key is not for mail (s=)")]
    KeyNotForMail,
    /// The key was revoked.
    #[error("the key was revoked (its record has an empty p=)")]
    KeyRevoked,
    /// A record is there, but it is no usable key record.
    #[error("the key record is unusable: {0}")]
    KeySyntax(KeyRecordError),
    /// The key has too many bits.
    #[error("the key has {bits} bits, more than the {limit} that are checked")]
    KeyTooLong {
        /// Its length.
        bits: usize,
        /// The limit.
        limit: usize,
    },
    /// The key has too few bits.
    #[error("the key has {bits} bits, fewer than the {limit} that are accepted")]
    KeyTooShort {
        /// Its length.
        bits: usize,
        /// The limit.
        limit: usize,
    },
    /// The key is of another kind than the signature.
    #[error("the key is of another type ({key_type}) than the signature")]
    KeyTypeMismatch {
        /// Its kind, as in `k=`.
        key_type: &'static str,
    },
    /// The look-up of the key failed; `None` if it was not finished in time.
    #[error("the key could not be looked up ({})", unavailable(.0.as_ref()))]
    KeyUnavailable(Option<LookupError>),
    /// `l=` is more than there is.
    #[error("{length} octets of the body were signed, but it has only {total}")]
    LengthBeyondBody {
        /// The value of `l=`.
        length: u64,
        /// Octets of the canonical body.
        total: u64,
    },
    /// `l=` is given, and the settings forbid that.
    #[error("the signature limits the signed length of the body (l=)")]
    LengthGiven,
    /// No key record.
    #[error("there is no key record at the name that d= and s= make")]
    NoKey,
    /// Too many signatures.
    #[error("not evaluated, since the message has more than {limit} signatures")]
    NotEvaluated {
        /// How many are evaluated.
        limit: usize,
    },
    /// `l=` leaves a part of the body unsigned.
    #[error("only {signed} of the {total} octets of the body are signed (l=)")]
    PartialBody {
        /// Octets signed.
        signed: u64,
        /// Octets of the canonical body.
        total: u64,
    },
    /// All is well.
    #[error("the signature verified")]
    Passed,
    /// A field that must be signed is not named in `h=`.
    #[error("the field {name} is not signed, which is required here")]
    RequiredFieldUnsigned {
        /// Its name.
        name: String,
    },
    /// SHA-1 is not accepted.
    #[error("rsa-sha1 is not accepted (RFC 8301)")]
    Sha1,
    /// The signature does not fit the header and the key.
    #[error("the signature does not fit: signed header fields were changed, or the key is another")]
    SignatureMismatch,
    /// The field breaks a rule.
    #[error("the DKIM-Signature field is malformed: {0}")]
    Syntax(SignatureError),
    /// `t=` is too long ago.
    #[error("the signature is {seconds} seconds old, which is too old here")]
    TooOld {
        /// Its age.
        seconds: u64,
    },
    /// An instance of a field is not signed that must be.
    #[error("the message has a field {name} that is not signed, which is not accepted here")]
    UnsignedInstance {
        /// Its name.
        name: String,
    },
}

impl Cause {
    /// The result that follows (RFC 8601 2.7.1).
    ///
    /// ‘neutral’ is for what ‘contained syntax errors or were not otherwise able to be processed’,
    /// ‘permerror’ for what is ‘unrecoverable, such as a required header field being absent’.
    #[must_use]
    pub fn result(&self) -> DkimResult {
        match self {
            Self::Passed => DkimResult::Pass,
            Self::BodyHashMismatch
            | Self::Expired { .. }
            | Self::LengthBeyondBody { .. }
            | Self::SignatureMismatch => DkimResult::Fail,
            Self::FromFuture { .. }
            | Self::KeyTooLong { .. }
            | Self::KeyTooShort { .. }
            | Self::LengthGiven
            | Self::PartialBody { .. }
            | Self::RequiredFieldUnsigned { .. }
            | Self::Sha1
            | Self::TooOld { .. }
            | Self::UnsignedInstance { .. } => DkimResult::Policy,
            Self::KeyUnavailable(_) => DkimResult::Temperror,
            Self::Syntax(SignatureError::FromNotSigned)
            | Self::HashNotAllowed
            | Self::IdentityNotAllowed
            | Self::KeyName(_)
            | Self::KeyNotForMail
            | Self::KeyRevoked
            | Self::KeySyntax(_)
            | Self::KeyTypeMismatch { .. }
            | Self::NoKey => DkimResult::Permerror,
            Self::Syntax(_)
            | Self::BodyNotHashed
            | Self::HeaderTooLong { .. }
            | Self::NotEvaluated { .. } => DkimResult::Neutral,
        }
    }

    /// A short word for the cause, for logs and metrics; it does not change between versions.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::BodyHashMismatch => "body-hash-mismatch",
            Self::BodyNotHashed => "body-not-hashed",
            Self::Expired { .. } => "expired",
            Self::FromFuture { .. } => "from-future",
            Self::HashNotAllowed => "hash-not-allowed",
            Self::HeaderTooLong { .. } => "header-too-long",
            Self::IdentityNotAllowed => "identity-not-allowed",
            Self::KeyName(_) => "key-name",
            Self::KeyNotForMail => "key-not-for-mail",
            Self::KeyRevoked => "key-revoked",
            Self::KeySyntax(_) => "key-syntax",
            Self::KeyTooLong { .. } => "key-too-long",
            Self::KeyTooShort { .. } => "key-too-short",
            Self::KeyTypeMismatch { .. } => "key-type-mismatch",
            Self::KeyUnavailable(_) => "key-unavailable",
            Self::LengthBeyondBody { .. } => "length-beyond-body",
            Self::LengthGiven => "length-given",
            Self::NoKey => "no-key",
            Self::NotEvaluated { .. } => "not-evaluated",
            Self::PartialBody { .. } => "partial-body",
            Self::Passed => "passed",
            Self::RequiredFieldUnsigned { .. } => "required-field-unsigned",
            Self::Sha1 => "sha1",
            Self::SignatureMismatch => "signature-mismatch",
            Self::Syntax(_) => "syntax",
            Self::TooOld { .. } => "too-old",
            Self::UnsignedInstance { .. } => "unsigned-instance",
        }
    }
}

fn unavailable(error: Option<&LookupError>) -> String {
    error.map_or_else(|| "not answered in time".to_owned(), ToString::to_string)
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
