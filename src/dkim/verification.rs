//! What came of one signature.

use std::fmt;

use super::algorithm::DkimResult;
use super::atps::AtpsHash;
use super::body_hash::BodyHash;
use super::cause::Cause;
use super::header::Coverage;
use super::signature::{Prefix, Signature};
use super::signature_error::Salvage;
use crate::auth_results::{Method, MethodResult, Property};
use crate::domain::Domain;
use crate::identifier::{self, AuthenticatedIdentifier};
use crate::text;

/// The result of one signature, why, and what it covers.
///
/// Prints as one sentence that names the domain, the selector and the cause.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Verification {
    pub(super) position: usize,
    pub(super) cause: Cause,
    /// What was read, or as much of it as could be.
    pub(super) read: Result<Signature, Salvage>,
    pub(super) key: KeyFacts,
    pub(super) coverage: Coverage,
    pub(super) body: Option<BodyHash>,
    pub(super) counts: bool,
}

/// What was learned from the key.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct KeyFacts {
    pub(super) bits: Option<usize>,
    pub(super) testing: bool,
    pub(super) header_intact: Option<bool>,
}

impl Verification {
    fn signature(&self) -> Option<&Signature> {
        self.read.as_ref().ok()
    }

    /// The result word.
    #[must_use]
    pub fn result(&self) -> DkimResult {
        self.cause.result()
    }

    /// Why.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Where the DKIM-Signature field stands among [`Head::fields`](crate::message::Head::fields).
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// `d=`, if it could be read.
    #[must_use]
    pub fn domain(&self) -> Option<&Domain> {
        match &self.read {
            Ok(signature) => Some(signature.signing_domain()),
            Err(salvage) => salvage.domain.as_ref(),
        }
    }

    /// `s=`, if it could be read; in A-labels, unless the signature is malformed.
    #[must_use]
    pub fn selector(&self) -> Option<&str> {
        match &self.read {
            Ok(signature) => Some(signature.selector()),
            Err(salvage) => salvage.selector.as_deref(),
        }
    }

    /// `i=`, decoded, or `@` and `d=` where it is not given; as written if the signature is
    /// malformed.
    #[must_use]
    pub fn identity(&self) -> Option<String> {
        match &self.read {
            Ok(signature) => Some(signature.identity()),
            Err(salvage) => salvage.identity.clone(),
        }
    }

    /// `a=` as written.
    #[must_use]
    pub fn algorithm(&self) -> Option<&str> {
        match &self.read {
            Ok(signature) => Some(signature.algorithm().as_str()),
            Err(salvage) => salvage.algorithm.as_deref(),
        }
    }

    /// The first eight characters of `b=`.
    #[must_use]
    pub fn prefix(&self) -> Option<&str> {
        match &self.read {
            Ok(signature) => Some(signature.prefix()),
            Err(salvage) => salvage.prefix.as_ref().map(Prefix::as_str),
        }
    }

    /// `t=`, in seconds since 1970.
    #[must_use]
    pub fn timestamp(&self) -> Option<u64> {
        self.signature().and_then(Signature::timestamp)
    }

    /// `x=`, in seconds since 1970.
    #[must_use]
    pub fn expiration(&self) -> Option<u64> {
        self.signature().and_then(Signature::expiration)
    }

    /// Whether the key says that its domain is testing (`t=y`).
    #[must_use]
    pub fn is_testing(&self) -> bool {
        self.key.testing
    }

    /// The length of the key in bits, where one was found: the modulus of RSA, 256 for Ed25519.
    #[must_use]
    pub fn key_bits(&self) -> Option<usize> {
        self.key.bits
    }

    /// Whether the signature fits the signed header fields and the key, apart from the body; `None`
    /// where no usable key was found. `Some(true)` beside a result of fail tells that only the body
    /// was changed.
    #[must_use]
    pub fn header_intact(&self) -> Option<bool> {
        self.key.header_intact
    }

    /// The names as they stand in `h=`, each with the position of its field in
    /// [`Head::fields`](crate::message::Head::fields); `None` where no (further) field has the name,
    /// so that adding one breaks the signature. Empty where the signature was refused before that
    /// mattered.
    pub fn signed_fields(&self) -> impl Iterator<Item = (&str, Option<usize>)> {
        self.coverage.signed()
    }

    /// The header fields that are present but not covered: names in lower case, and how many fields of
    /// each are not.
    pub fn unsigned_fields(&self) -> impl Iterator<Item = (&str, usize)> {
        self.coverage.unsigned()
    }

    /// Octets of the canonical body that are covered.
    #[must_use]
    pub fn body_signed(&self) -> Option<u64> {
        self.body.map(|body| body.hashed)
    }

    /// Octets of the canonical body.
    #[must_use]
    pub fn body_total(&self) -> Option<u64> {
        self.body.map(|body| body.total)
    }

    /// The body hash as computed, in base64.
    #[must_use]
    pub fn computed_body_hash(&self) -> Option<String> {
        let digest = self.body.map(|body| body.digest)?;
        Some(text::base64_encode(digest.as_ref()))
    }

    /// The body hash of `bh=`, in base64.
    #[must_use]
    pub fn claimed_body_hash(&self) -> Option<String> {
        let hash = self.signature()?.body_hash();
        Some(text::base64_encode(hash))
    }

    /// The domain that is said to authorize this signer (`atps=`, RFC 6541); see
    /// [`check_third_party`](Self::check_third_party).
    #[must_use]
    pub fn third_party(&self) -> Option<&Domain> {
        self.signature().and_then(Signature::third_party)
    }

    /// The same, and how the name to ask is made.
    pub(super) fn authorization(&self) -> Option<&(Domain, AtpsHash)> {
        self.signature().and_then(Signature::authorization)
    }

    /// Whether the signer asks for reports of failures (`r=y`, RFC 6651 3.1).
    #[must_use]
    pub fn wants_reports(&self) -> bool {
        self.signature().is_some_and(Signature::wants_reports)
    }

    /// What DMARC may take from this signature: its `d=`, where it passed or could not be checked
    /// now. A testing key vouches for nothing unless
    /// [`Settings::count_testing_keys`](super::Settings::count_testing_keys) was set.
    #[must_use]
    pub fn authenticated_identifier(&self) -> Option<AuthenticatedIdentifier> {
        let status = match self.result() {
            DkimResult::Pass => identifier::Status::Pass,
            DkimResult::Temperror => identifier::Status::Temperror,
            DkimResult::None
            | DkimResult::Fail
            | DkimResult::Policy
            | DkimResult::Neutral
            | DkimResult::Permerror => return None,
        };
        let domain = self.domain().filter(|_| self.counts)?.clone();
        Some(AuthenticatedIdentifier::new(
            domain,
            identifier::Method::Dkim,
            status,
        ))
    }

    /// The result for Authentication-Results (RFC 8601 2.7.1, RFC 6008).
    #[must_use]
    pub fn to_method_result(&self) -> MethodResult {
        let mut result = MethodResult::new(Method::Dkim, self.result().into());
        if self.result() != DkimResult::Pass {
            result = result.with_reason(self.cause.to_string());
        }
        let identity = self.identity();
        let properties = [
            ("d", self.domain().map(Domain::as_str)),
            ("i", identity.as_deref()),
            ("s", self.selector()),
            ("a", self.algorithm()),
            ("b", self.prefix()),
        ];
        for (name, value) in properties {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                result = result.with_property(Property::header(name, value));
            }
        }
        result
    }
}

impl fmt::Display for Verification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let domain = self.domain().map_or("?", Domain::as_str);
        let selector = text::one_line(self.selector().unwrap_or("?"), 255);
        write!(
            f,
            "dkim={} for d={domain}, s={selector}: {}",
            self.result(),
            self.cause
        )
    }
}

/// How a [`Verification`] is serialized.
#[cfg(feature = "serde")]
#[derive(serde::Serialize)]
#[serde(rename = "Verification")]
struct Shown<'v> {
    position: usize,
    result: DkimResult,
    cause: &'v Cause,
    domain: Option<&'v Domain>,
    selector: Option<&'v str>,
    identity: Option<String>,
    algorithm: Option<&'v str>,
    prefix: Option<&'v str>,
    timestamp: Option<u64>,
    expiration: Option<u64>,
    testing: bool,
    key_bits: Option<usize>,
    header_intact: Option<bool>,
    signed_fields: Vec<SignedField<'v>>,
    unsigned_fields: Vec<UnsignedField<'v>>,
    body_signed: Option<u64>,
    body_total: Option<u64>,
    computed_body_hash: Option<String>,
    claimed_body_hash: Option<String>,
    third_party: Option<&'v (Domain, AtpsHash)>,
    wants_reports: bool,
    counts: bool,
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize)]
struct SignedField<'v> {
    name: &'v str,
    position: Option<usize>,
}

#[cfg(feature = "serde")]
#[derive(serde::Serialize)]
struct UnsignedField<'v> {
    name: &'v str,
    instances: usize,
}

#[cfg(feature = "serde")]
impl serde::Serialize for Verification {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let signed = self.signed_fields();
        let signed = signed.map(|(name, position)| SignedField { name, position });
        let unsigned = self.unsigned_fields();
        let unsigned = unsigned.map(|(name, instances)| UnsignedField { name, instances });
        let shown = Shown {
            position: self.position,
            result: self.result(),
            cause: &self.cause,
            domain: self.domain(),
            selector: self.selector(),
            identity: self.identity(),
            algorithm: self.algorithm(),
            prefix: self.prefix(),
            timestamp: self.timestamp(),
            expiration: self.expiration(),
            testing: self.is_testing(),
            key_bits: self.key_bits(),
            header_intact: self.header_intact(),
            signed_fields: signed.collect(),
            unsigned_fields: unsigned.collect(),
            body_signed: self.body_signed(),
            body_total: self.body_total(),
            computed_body_hash: self.computed_body_hash(),
            claimed_body_hash: self.claimed_body_hash(),
            third_party: self.authorization(),
            wants_reports: self.wants_reports(),
            counts: self.counts,
        };
        shown.serialize(serializer)
    }
}
