//! What came of one signature.

use std::borrow::Cow;
use std::fmt;

use super::algorithm::DkimResult;
use super::atps::AtpsHash;
use super::body_hash::BodyHash;
use super::cause::Cause;
use super::header::{SignedFields, UnsignedField};
use super::signature::Signature;
use super::signature_error::Salvage;
use crate::auth_results::{Method, MethodResult, Property};
use crate::domain::Domain;
use crate::identifier::{self, AuthenticatedIdentifier};
use crate::text;

/// The result of one signature, why, and what it covers.
///
/// Prints as one sentence that names the domain, the selector and the cause.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Verification {
    pub(super) position: usize,
    result: DkimResult,
    cause: Cause,
    domain: Option<Domain>,
    selector: Option<String>,
    identity: Option<String>,
    algorithm: Option<Cow<'static, str>>,
    prefix: Option<String>,
    timestamp: Option<u64>,
    expiration: Option<u64>,
    testing: bool,
    key_bits: Option<usize>,
    header_intact: Option<bool>,
    pub(super) signed_fields: SignedFields,
    pub(super) unsigned_fields: Vec<UnsignedField>,
    body_signed: Option<u64>,
    body_total: Option<u64>,
    computed_body_hash: Option<String>,
    claimed_body_hash: Option<String>,
    pub(super) third_party: Option<(Domain, AtpsHash)>,
    wants_reports: bool,
    pub(super) counts: bool,
}

/// What was learned from the key.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct KeyFacts {
    pub(super) bits: Option<usize>,
    pub(super) testing: bool,
    pub(super) header_intact: Option<bool>,
}

impl Verification {
    pub(super) fn of(
        signature: &Signature,
        cause: Cause,
        key: KeyFacts,
        body: Option<&BodyHash>,
    ) -> Self {
        Self {
            position: 0,
            result: cause.result(),
            cause,
            domain: Some(signature.signing_domain().clone()),
            selector: Some(signature.selector().to_owned()),
            identity: Some(signature.identity().to_text()),
            algorithm: Some(Cow::Borrowed(signature.algorithm().as_str())),
            prefix: Some(signature.prefix().to_owned()),
            timestamp: signature.timestamp(),
            expiration: signature.expiration(),
            testing: key.testing,
            key_bits: key.bits,
            header_intact: key.header_intact,
            signed_fields: SignedFields::default(),
            unsigned_fields: Vec::new(),
            body_signed: body.map(|body| body.hashed),
            body_total: body.map(|body| body.total),
            computed_body_hash: body.map(|body| text::base64_encode(body.digest.as_ref())),
            claimed_body_hash: Some(text::base64_encode(signature.body_hash())),
            third_party: signature.third_party.clone(),
            wants_reports: signature.wants_reports(),
            counts: true,
        }
    }

    pub(super) fn broken(salvage: &Salvage, cause: Cause) -> Self {
        Self {
            position: 0,
            result: cause.result(),
            cause,
            domain: salvage.domain.clone(),
            selector: salvage.selector.clone(),
            identity: salvage.identity.clone(),
            algorithm: salvage.algorithm.clone().map(Cow::Owned),
            prefix: salvage.prefix.clone(),
            timestamp: None,
            expiration: None,
            testing: false,
            key_bits: None,
            header_intact: None,
            signed_fields: SignedFields::default(),
            unsigned_fields: Vec::new(),
            body_signed: None,
            body_total: None,
            computed_body_hash: None,
            claimed_body_hash: None,
            third_party: None,
            wants_reports: false,
            counts: true,
        }
    }

    /// The result word.
    #[must_use]
    pub fn result(&self) -> DkimResult {
        self.result
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
        self.domain.as_ref()
    }

    /// `s=`, if it could be read; in A-labels, unless the signature is malformed.
    #[must_use]
    pub fn selector(&self) -> Option<&str> {
        self.selector.as_deref()
    }

    /// `i=`, decoded, or `@` and `d=` where it is not given; as written if the signature is
    /// malformed.
    #[must_use]
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    /// `a=` as written.
    #[must_use]
    pub fn algorithm(&self) -> Option<&str> {
        self.algorithm.as_deref()
    }

    /// The first eight characters of `b=`.
    #[must_use]
    pub fn prefix(&self) -> Option<&str> {
        self.prefix.as_deref()
    }

    /// `t=`, in seconds since 1970.
    #[must_use]
    pub fn timestamp(&self) -> Option<u64> {
        self.timestamp
    }

    /// `x=`, in seconds since 1970.
    #[must_use]
    pub fn expiration(&self) -> Option<u64> {
        self.expiration
    }

    /// Whether the key says that its domain is testing (`t=y`).
    #[must_use]
    pub fn is_testing(&self) -> bool {
        self.testing
    }

    /// The length of the key in bits, where one was found: the modulus of RSA, 256 for Ed25519.
    #[must_use]
    pub fn key_bits(&self) -> Option<usize> {
        self.key_bits
    }

    /// Whether the signature fits the signed header fields and the key, apart from the body; `None`
    /// where no usable key was found. `Some(true)` beside a result of fail tells that only the body
    /// was changed.
    #[must_use]
    pub fn header_intact(&self) -> Option<bool> {
        self.header_intact
    }

    /// The names as they stand in `h=`, each with the position of its field in
    /// [`Head::fields`](crate::message::Head::fields); `None` where no (further) field has the name,
    /// so that adding one breaks the signature. Empty where the signature was refused before that
    /// mattered.
    pub fn signed_fields(&self) -> impl Iterator<Item = (&str, Option<usize>)> {
        self.signed_fields.iter()
    }

    /// The header fields that are present but not covered: names in lower case, and how many fields of
    /// each are not.
    pub fn unsigned_fields(&self) -> impl Iterator<Item = (&str, usize)> {
        let fields = self.unsigned_fields.iter();
        fields.map(|field| (field.name.as_str(), field.instances))
    }

    /// Octets of the canonical body that are covered.
    #[must_use]
    pub fn body_signed(&self) -> Option<u64> {
        self.body_signed
    }

    /// Octets of the canonical body.
    #[must_use]
    pub fn body_total(&self) -> Option<u64> {
        self.body_total
    }

    /// The body hash as computed, in base64.
    #[must_use]
    pub fn computed_body_hash(&self) -> Option<&str> {
        self.computed_body_hash.as_deref()
    }

    /// The body hash of `bh=`, in base64.
    #[must_use]
    pub fn claimed_body_hash(&self) -> Option<&str> {
        self.claimed_body_hash.as_deref()
    }

    /// The domain that is said to authorize this signer (`atps=`, RFC 6541); see
    /// [`check_third_party`](Self::check_third_party).
    #[must_use]
    pub fn third_party(&self) -> Option<&Domain> {
        self.third_party.as_ref().map(|(domain, _)| domain)
    }

    /// Whether the signer asks for reports of failures (`r=y`, RFC 6651 3.1).
    #[must_use]
    pub fn wants_reports(&self) -> bool {
        self.wants_reports
    }

    /// What DMARC may take from this signature: its `d=`, where it passed or could not be checked
    /// now. A testing key vouches for nothing unless
    /// [`Settings::count_testing_keys`](super::Settings::count_testing_keys) was set.
    #[must_use]
    pub fn authenticated_identifier(&self) -> Option<AuthenticatedIdentifier> {
        let status = match self.result {
            DkimResult::Pass => identifier::Status::Pass,
            DkimResult::Temperror => identifier::Status::TempError,
            DkimResult::None
            | DkimResult::Fail
            | DkimResult::Policy
            | DkimResult::Neutral
            | DkimResult::Permerror => return None,
        };
        let domain = self.domain.clone().filter(|_| self.counts)?;
        Some(AuthenticatedIdentifier::new(
            domain,
            identifier::Method::Dkim,
            status,
        ))
    }

    /// The result for Authentication-Results (RFC 8601 2.7.1, RFC 6008).
    #[must_use]
    pub fn to_method_result(&self) -> MethodResult {
        let mut result = MethodResult::new(Method::Dkim, self.result.into());
        if self.result != DkimResult::Pass {
            result = result.with_reason(self.cause.to_string());
        }
        let domain = self.domain.as_ref().map(Domain::as_str);
        let properties = [
            ("d", domain),
            ("i", self.identity.as_deref()),
            ("s", self.selector.as_deref()),
            ("a", self.algorithm.as_deref()),
            ("b", self.prefix.as_deref()),
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
        let domain = self.domain.as_ref().map_or("?", Domain::as_str);
        let selector = text::one_line(self.selector.as_deref().unwrap_or("?"), 255);
        write!(
            f,
            "dkim={} for d={domain}, s={selector}: {}",
            self.result, self.cause
        )
    }
}
