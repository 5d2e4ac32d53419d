//! The DKIM-Signature field (§3.5).

use std::fmt;

use super::algorithm::SignatureAlgorithm;
use super::atps::AtpsHash;
use super::canonicalize::Canonicalization;
use super::header;
use super::quoted_printable;
use super::signature_error::SignatureError;
use super::tags::{FieldNames, SHOWN, Tags};
use crate::domain::Domain;
use crate::text;

/// A signature that could be read, with every rule of §3.5 kept.
///
/// ```
/// use mailproof::dkim::Signature;
///
/// let signature = Signature::parse(
///     b" v=1; a=ed25519-sha256; d=example.com; s=2026; h=From:To;\r\n \
///       bh=LjkN2rUhrS3zKXfH2vNgUzz5ERRJkgP9CURXBX0JP0Q=; b=dGVzdA==",
///     1_000,
/// )?;
/// assert_eq!(signature.signing_domain().as_str(), "example.com");
/// assert_eq!(signature.identity().to_string(), "@example.com");
/// # Ok::<(), mailproof::dkim::SignatureError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature {
    algorithm: SignatureAlgorithm,
    signature: Vec<u8>,
    body_hash: Vec<u8>,
    header_canonicalization: Canonicalization,
    body_canonicalization: Canonicalization,
    signing_domain: Domain,
    selector: Domain,
    identity: Identity,
    signed_fields: FieldNames,
    length: Option<u64>,
    timestamp: Option<u64>,
    expiration: Option<u64>,
    copied_fields: Option<Vec<u8>>,
    pub(super) third_party: Option<(Domain, AtpsHash)>,
    wants_reports: bool,
    prefix: String,
}

impl Signature {
    /// Reads the value of a DKIM-Signature field: everything behind the colon. At most
    /// `signed_fields` names may stand in `h=`.
    ///
    /// # Errors
    ///
    /// The first rule broken. §6.1.1: ‘If any tag listed as "required" in Section 3.5 is omitted’, or
    /// is inconsistent, the signature is not to be used.
    pub fn parse(value: &[u8], signed_fields: usize) -> Result<Self, SignatureError> {
        let tags = Tags::parse(value)?;
        let version = tags.required("v")?;
        if version != b"1" {
            return Err(SignatureError::Version {
                version: text::one_line(&text::lossy(version), SHOWN),
            });
        }
        Self::read(&tags, signed_fields, identity)
    }

    /// The value of a signature field with the value of its `b=` tag removed, white space around it
    /// included: what is hashed (§3.7), before canonicalization.
    ///
    /// ```
    /// let value = mailproof::dkim::Signature::without_signature(b" bh=B=; b = abc\r\n def ; h=From");
    /// assert_eq!(value, b" bh=B=; b =; h=From");
    /// ```
    #[must_use]
    pub fn without_signature(value: &[u8]) -> Vec<u8> {
        header::without_signature(value)
    }

    /// Reads the value of an ARC-Message-Signature field (RFC 8617 4.1.2), which has no `v=` and an
    /// instance for `i=`.
    pub(crate) fn parse_sealers(
        value: &[u8],
        signed_fields: usize,
    ) -> Result<Self, SignatureError> {
        let of_domain = |_: &Tags<'_>, domain: &Domain| Ok(Identity::of(domain));
        Self::read(&Tags::parse(value)?, signed_fields, of_domain)
    }

    fn read(
        tags: &Tags<'_>,
        signed_fields: usize,
        identity: impl FnOnce(&Tags<'_>, &Domain) -> Result<Identity, SignatureError>,
    ) -> Result<Self, SignatureError> {
        let algorithm = tags.required("a")?;
        let algorithm =
            SignatureAlgorithm::parse(algorithm).ok_or_else(|| SignatureError::Algorithm {
                algorithm: text::one_line(&text::lossy(algorithm), SHOWN),
            })?;
        let signature = tags.base64("b")?;
        let body_hash = tags.base64("bh")?;
        let expected = algorithm.hash().digest_length();
        if body_hash.len() != expected {
            return Err(SignatureError::BodyHashLength {
                length: body_hash.len(),
                expected,
            });
        }
        let signing_domain = tags.domain("d")?;
        // domain-name = sub-domain 1*("." sub-domain)
        if signing_domain.label_count() < 2 {
            return Err(SignatureError::SingleLabel {
                domain: signing_domain,
            });
        }
        let (header_canonicalization, body_canonicalization) = tags.canonicalization()?;
        let timestamp = tags.number("t", 12)?;
        let expiration = tags.number("x", 12)?;
        // §3.5 x=: ‘the value of the "x=" tag MUST be greater than the value of the "t=" tag if both
        // are present.’
        if let (Some(timestamp), Some(expiration)) = (timestamp, expiration)
            && expiration <= timestamp
        {
            return Err(SignatureError::ExpiresBeforeMade);
        }
        tags.query_methods()?;
        Ok(Self {
            algorithm,
            signature,
            body_hash,
            header_canonicalization,
            body_canonicalization,
            selector: tags.domain("s")?,
            identity: identity(tags, &signing_domain)?,
            signing_domain,
            signed_fields: tags.signed_fields(signed_fields)?,
            length: tags.number("l", 76)?,
            timestamp,
            expiration,
            copied_fields: tags.get("z").map(<[u8]>::to_vec),
            third_party: third_party(tags),
            // RFC 6651 3.2: any other value is to be ignored.
            wants_reports: tags.get("r") == Some(b"y"),
            prefix: prefix(tags.get("b").unwrap_or_default()),
        })
    }

    /// `a=`.
    #[must_use]
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    /// The octets of `b=`.
    #[must_use]
    pub fn octets(&self) -> &[u8] {
        &self.signature
    }

    /// The first eight characters of `b=`, by which RFC 6008 tells signatures apart.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The octets of `bh=`, as many as the hash has.
    #[must_use]
    pub fn body_hash(&self) -> &[u8] {
        &self.body_hash
    }

    /// The first word of `c=`.
    #[must_use]
    pub fn header_canonicalization(&self) -> Canonicalization {
        self.header_canonicalization
    }

    /// The second word of `c=`.
    #[must_use]
    pub fn body_canonicalization(&self) -> Canonicalization {
        self.body_canonicalization
    }

    /// `d=`.
    #[must_use]
    pub fn signing_domain(&self) -> &Domain {
        &self.signing_domain
    }

    /// `s=`, in A-labels.
    #[must_use]
    pub fn selector(&self) -> &str {
        self.selector.as_str()
    }

    /// `i=`, or `@` and the signing domain where it is not given.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The names in `h=`, as written and in order.
    pub fn signed_fields(&self) -> impl Iterator<Item = &str> {
        self.signed_fields.iter()
    }

    /// The names in `h=`, which are gone afterwards.
    pub(super) fn take_signed_fields(&mut self) -> FieldNames {
        std::mem::take(&mut self.signed_fields)
    }

    /// `l=`: octets of the canonical body that are signed. What does not fit is `u64::MAX`.
    #[must_use]
    pub fn length(&self) -> Option<u64> {
        self.length
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

    /// `z=`: names and values of header fields as they were when the signature was made, for
    /// finding out what was changed and for nothing else (§3.5). What cannot be decoded is left out.
    pub fn copied_fields(&self) -> impl Iterator<Item = (String, Vec<u8>)> {
        let copies = self.copied_fields.as_deref().unwrap_or_default();
        copies.split(|octet| *octet == b'|').filter_map(|copy| {
            let (name, value) = text::split_once(copy, b':')?;
            let name = text::lossy(text::trim_fws(name)).into_owned();
            Some((name, quoted_printable::decode(value)?))
        })
    }

    /// `atps=` and `atpsh=` (RFC 6541 4): the domain that is said to authorize this signer, and how
    /// the name to ask is made.
    #[must_use]
    pub fn third_party(&self) -> Option<&Domain> {
        self.third_party.as_ref().map(|(domain, _)| domain)
    }

    /// Whether the signer asks for reports of failures (`r=y`, RFC 6651 3.2).
    #[must_use]
    pub fn wants_reports(&self) -> bool {
        self.wants_reports
    }

    /// The labels in front of the signing domain under which the key stands (§3.6.2.1).
    pub(crate) fn key_labels(&self) -> Vec<u8> {
        [self.selector.as_str().as_bytes(), b"._domainkey"].concat()
    }
}

/// The agent or user on whose behalf the signature was made (`i=`).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Identity {
    local_part: String,
    domain: Domain,
}

impl Identity {
    fn of(domain: &Domain) -> Self {
        Self {
            local_part: String::new(),
            domain: domain.clone(),
        }
    }

    /// The local part, decoded; often empty.
    #[must_use]
    pub fn local_part(&self) -> &str {
        &self.local_part
    }

    /// The domain: the signing domain or below it.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// What `Display` writes, at once.
    pub(super) fn to_text(&self) -> String {
        [&self.local_part, "@", self.domain.as_str()].concat()
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local_part, self.domain)
    }
}

/// §3.5 i=: ‘The domain part of the address MUST be the same as, or a subdomain of, the value of
/// the "d=" tag.’
fn identity(tags: &Tags<'_>, signing_domain: &Domain) -> Result<Identity, SignatureError> {
    let Some(value) = tags.get("i") else {
        return Ok(Identity::of(signing_domain));
    };
    let malformed = SignatureError::Value { tag: "i" };
    let value = quoted_printable::decode(value).ok_or(malformed.clone())?;
    let at = text::rfind(&value, b'@').ok_or(malformed.clone())?;
    let (local_part, domain) = value.split_at(at);
    let local_part = String::from_utf8(local_part.to_vec())
        .ok()
        .filter(|text| !text.chars().any(char::is_control))
        .ok_or(malformed)?;
    let domain = Domain::parse(domain.get(1..).unwrap_or_default())
        .map_err(|error| SignatureError::Domain { tag: "i", error })?;
    if !domain.is_within(signing_domain) {
        return Err(SignatureError::IdentityOutside { domain });
    }
    Ok(Identity { local_part, domain })
}

/// RFC 6541 4: both tags must be there and make sense, else they are as if absent.
fn third_party(tags: &Tags<'_>) -> Option<(Domain, AtpsHash)> {
    let hash = AtpsHash::parse(tags.get("atpsh")?)?;
    Some((Domain::parse(tags.get("atps")?).ok()?, hash))
}

pub(super) fn prefix(value: &[u8]) -> String {
    let octets = value.iter().copied().filter(|octet| !text::is_fws(*octet));
    let octets = octets.take(PREFIX);
    if octets.clone().all(|octet| octet.is_ascii()) {
        return octets.map(char::from).collect();
    }
    text::lossy(&octets.collect::<Vec<u8>>()).into_owned()
}

/// RFC 6008 4: the first eight characters are enough to tell signatures apart.
const PREFIX: usize = 8;
