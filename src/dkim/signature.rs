//! The DKIM-Signature field (§3.5).

use std::sync::Arc;

use super::algorithm::SignatureAlgorithm;
use super::atps::AtpsHash;
use super::canonicalize::Canonicalization;
use super::header;
use super::quoted_printable;
use super::signature_error::SignatureError;
use super::tags::{FieldNames, SHOWN, Tags};
use crate::dns::{Name, NameError};
use crate::domain::{Domain, is_plain};
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
/// assert_eq!(signature.identity(), "@example.com");
/// # Ok::<(), mailproof::dkim::SignatureError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signature {
    algorithm: SignatureAlgorithm,
    /// Those of `b=`, and behind them those of `bh=`.
    octets: Vec<u8>,
    signature_length: usize,
    header_canonicalization: Canonicalization,
    body_canonicalization: Canonicalization,
    signing_domain: Domain,
    /// The selector, `_domainkey`, and the signing domain.
    key_name: Arc<str>,
    selector_length: usize,
    /// Of `i=`, often empty.
    local_part: String,
    identity_domain: Domain,
    signed_fields: FieldNames,
    length: Option<u64>,
    timestamp: Option<u64>,
    expiration: Option<u64>,
    copied_fields: Option<Vec<u8>>,
    third_party: Option<(Domain, AtpsHash)>,
    wants_reports: bool,
    prefix: Prefix,
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
        let mut tags = Tags::new();
        tags.read(value)?;
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
        let of_domain = |_: &Tags<'_>, domain: &Domain| Ok((String::new(), domain.clone()));
        let mut tags = Tags::new();
        tags.read(value)?;
        Self::read(&tags, signed_fields, of_domain)
    }

    fn read(
        tags: &Tags<'_>,
        signed_fields: usize,
        identity: impl FnOnce(&Tags<'_>, &Domain) -> Result<(String, Domain), SignatureError>,
    ) -> Result<Self, SignatureError> {
        let algorithm = tags.required("a")?;
        let algorithm =
            SignatureAlgorithm::parse(algorithm).ok_or_else(|| SignatureError::Algorithm {
                algorithm: text::one_line(&text::lossy(algorithm), SHOWN),
            })?;
        let mut octets = Vec::with_capacity(OCTETS);
        let signature_length = tags.base64_onto("b", &mut octets)?;
        let length = tags.base64_onto("bh", &mut octets)? - signature_length;
        let expected = algorithm.hash().digest_length();
        if length != expected {
            return Err(SignatureError::BodyHashLength { length, expected });
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
        let (key_name, selector_length) = selected_key(tags, &signing_domain)?;
        let (local_part, identity_domain) = identity(tags, &signing_domain)?;
        Ok(Self {
            algorithm,
            octets,
            signature_length,
            header_canonicalization,
            body_canonicalization,
            key_name,
            selector_length,
            local_part,
            identity_domain,
            signing_domain,
            signed_fields: tags.signed_fields(signed_fields)?,
            length: tags.number("l", 76)?,
            timestamp,
            expiration,
            copied_fields: tags.get("z").map(<[u8]>::to_vec),
            third_party: third_party(tags),
            // RFC 6651 3.2: any other value is to be ignored.
            wants_reports: tags.get("r") == Some(b"y"),
            prefix: Prefix::new(tags.get("b").unwrap_or_default()),
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
        let octets = self.octets.get(..self.signature_length);
        octets.unwrap_or_default()
    }

    /// The first eight characters of `b=`, by which RFC 6008 tells signatures apart.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.prefix.as_str()
    }

    /// The octets of `bh=`, as many as the hash has.
    #[must_use]
    pub fn body_hash(&self) -> &[u8] {
        let octets = self.octets.get(self.signature_length..);
        octets.unwrap_or_default()
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
        let selector = self.key_name.get(..self.selector_length);
        selector.unwrap_or_default()
    }

    /// `i=`, decoded, or `@` and the signing domain where it is not given: the agent or user on whose
    /// behalf the signature was made.
    #[must_use]
    pub fn identity(&self) -> String {
        [&self.local_part, "@", self.identity_domain.as_str()].concat()
    }

    /// The domain of `i=`: the signing domain or below it.
    #[must_use]
    pub fn identity_domain(&self) -> &Domain {
        &self.identity_domain
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

    /// [`third_party`](Self::third_party), and `atpsh=`.
    pub(super) fn authorization(&self) -> Option<&(Domain, AtpsHash)> {
        self.third_party.as_ref()
    }

    /// Drops [`copied_fields`](Self::copied_fields), which may be long.
    pub(super) fn without_copies(self) -> Self {
        Self {
            copied_fields: None,
            ..self
        }
    }

    /// Where the key stands (§3.6.2.1).
    pub(crate) fn key_name(&self) -> Result<Name, NameError> {
        Name::from_shared(&self.key_name)
    }
}

/// The text of the key's name, and how much of it is the selector.
fn selected_key(tags: &Tags<'_>, domain: &Domain) -> Result<(Arc<str>, usize), SignatureError> {
    let value = tags.required("s")?;
    if is_plain(value)
        && let Ok(selector) = std::str::from_utf8(value)
    {
        return Ok((key_name(selector, domain), selector.len()));
    }
    let selector = tags.domain("s")?;
    let selector = selector.as_str();
    Ok((key_name(selector, domain), selector.len()))
}

/// Where the key of a selector stands (§3.6.2.1). The name is put together where it costs nothing, as shared
/// text is a copy in any case.
pub(crate) fn key_name(selector: &str, domain: &Domain) -> Arc<str> {
    let mut octets = [0; KEY_NAME];
    let mut length = 0;
    for part in [selector, "._domainkey.", domain.as_str()] {
        let rest = octets.get_mut(length..).unwrap_or_default();
        for (place, octet) in rest.iter_mut().zip(part.bytes()) {
            *place = octet;
        }
        length += part.len();
    }
    let name = octets.get(..length).unwrap_or_default();
    std::str::from_utf8(name).unwrap_or_default().into()
}

/// Two domain names of 253 octets, and what stands between them.
const KEY_NAME: usize = 2 * 253 + 12;

/// §3.5 i=: ‘The domain part of the address MUST be the same as, or a subdomain of, the value of
/// the "d=" tag.’
fn identity(tags: &Tags<'_>, signing_domain: &Domain) -> Result<(String, Domain), SignatureError> {
    let Some(value) = tags.get("i") else {
        return Ok((String::new(), signing_domain.clone()));
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
    Ok((local_part, domain))
}

/// RFC 6541 4: both tags must be there and make sense, else they are as if absent.
fn third_party(tags: &Tags<'_>) -> Option<(Domain, AtpsHash)> {
    let hash = AtpsHash::parse(tags.get("atpsh")?)?;
    Some((Domain::parse(tags.get("atps")?).ok()?, hash))
}

/// The beginning of the value of `b=` (RFC 6008).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Prefix {
    /// UTF-8 as far as it goes, then NUL; what is no text takes three octets for one.
    octets: [u8; 3 * PREFIX],
    length: usize,
}

impl Prefix {
    pub(super) fn new(value: &[u8]) -> Self {
        let mut prefix = Self::default();
        let octets = value.iter().filter(|octet| !text::is_fws(**octet));
        for (place, octet) in prefix.octets.iter_mut().zip(octets.take(PREFIX)) {
            *place = *octet;
            prefix.length += 1;
        }
        if !prefix.octets.is_ascii() {
            let octets = prefix.octets.get(..prefix.length).unwrap_or_default();
            let text = text::lossy(octets).into_owned();
            prefix.octets = Default::default();
            prefix.length = text.len();
            for (place, octet) in prefix.octets.iter_mut().zip(text.bytes()) {
                *place = octet;
            }
        }
        prefix
    }

    pub(super) fn as_str(&self) -> &str {
        let octets = self.octets.get(..self.length).unwrap_or_default();
        std::str::from_utf8(octets).unwrap_or_default()
    }
}

/// RFC 6008 4: the first eight characters are enough to tell signatures apart.
const PREFIX: usize = 8;

/// The octets of `b=` and `bh=`, with the room that decoding takes, of an RSA key of 2048 bits.
const OCTETS: usize = 384;
