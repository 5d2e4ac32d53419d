//! The three fields of a set: instance tags, message signatures, seals (§4.1, §4.2.1).

use super::words::{ArcResult, SetField};
use crate::dkim::tags::{FieldNames, Tags};
use crate::dkim::{self, Canonicalization, SignatureAlgorithm, SignatureError};
use crate::dns::{Name, NameError};
use crate::domain::Domain;
use crate::{tag_list, text};

/// What message signatures and seals have in common.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) octets: Vec<u8>,
    pub(super) domain: Domain,
    pub(super) selector: Domain,
    pub(super) timestamp: Option<u64>,
}

impl Signature {
    fn read(tags: &Tags<'_>) -> Result<Self, SignatureError> {
        let algorithm = tags.required("a")?;
        let algorithm =
            SignatureAlgorithm::parse(algorithm).ok_or_else(|| SignatureError::Algorithm {
                algorithm: text::one_line(&text::lossy(algorithm), SHOWN),
            })?;
        let octets = tags.base64("b")?;
        let domain = tags.domain("d")?;
        // RFC 6376 3.5: domain-name = sub-domain 1*("." sub-domain)
        if domain.label_count() < 2 {
            return Err(SignatureError::SingleLabel { domain });
        }
        Ok(Self {
            algorithm,
            octets,
            domain,
            selector: tags.domain("s")?,
            timestamp: tags.number("t", 12)?,
        })
    }

    /// Where the key stands (RFC 6376 3.6.2.1).
    pub(super) fn key_name(&self) -> Result<Name, NameError> {
        Name::from_shared(&dkim::key_name(self.selector.as_str(), &self.domain))
    }
}

/// An ARC-Message-Signature (§4.1.2): a DKIM-Signature without `v=`, whose `i=` is the instance.
#[derive(Clone, Debug)]
pub(super) struct MessageSignature {
    pub(super) signature: Signature,
    pub(super) body_hash: Vec<u8>,
    /// Canonicalizations of header and body, to be tried in this order.
    pub(super) forms: Vec<(Canonicalization, Canonicalization)>,
    pub(super) signed_fields: FieldNames,
    pub(super) length: Option<u64>,
    pub(super) expiration: Option<u64>,
}

impl MessageSignature {
    /// Reads the value of the field; ‘if seen, a version tag MUST be ignored’.
    pub(super) fn parse(value: &[u8], signed_fields: usize) -> Result<Self, SignatureError> {
        let mut tags = Tags::new();
        tags.read(value)?;
        let signature = Signature::read(&tags)?;
        let body_hash = tags.base64("bh")?;
        let expected = signature.algorithm.hash().digest_length();
        if body_hash.len() != expected {
            return Err(SignatureError::BodyHashLength {
                length: body_hash.len(),
                expected,
            });
        }
        let mut forms = vec![tags.canonicalization()?];
        if tags.get("c").is_none() {
            // RFC 6376 3.5 makes that simple/simple. ARC began with relaxed as the only way, and
            // there are signatures that mean it without saying so.
            forms.push((Canonicalization::Relaxed, Canonicalization::Relaxed));
        }
        let expiration = tags.number("x", 12)?;
        if let (Some(timestamp), Some(expiration)) = (signature.timestamp, expiration)
            && expiration <= timestamp
        {
            return Err(SignatureError::ExpiresBeforeMade);
        }
        tags.query_methods()?;
        Ok(Self {
            signature,
            body_hash,
            forms,
            signed_fields: names(tags.required("h")?, signed_fields)?,
            length: tags.number("l", 76)?,
            expiration,
        })
    }
}

/// The names in `h=`. §4.1.2: ‘ARC-related header fields ... MUST NOT be included’. Sealers of earlier
/// drafts did include ARC-Authentication-Results, and all validators known accept that; a seal is
/// made over the message signature, so that none can cover the other. An empty list vouches for the
/// body alone, and the seals for the chain.
fn names(value: &[u8], limit: usize) -> Result<FieldNames, SignatureError> {
    let names = FieldNames::parse(value, 0, limit)?;
    if names.contains(SetField::Seal.as_str()) {
        return Err(SignatureError::Value { tag: "h" });
    }
    Ok(names)
}

/// An ARC-Seal (§4.1.3).
#[derive(Clone, Debug)]
pub(super) struct Seal {
    pub(super) signature: Signature,
    pub(super) chain_validation: ArcResult,
}

/// What is wrong with a seal.
#[derive(Clone, Debug)]
pub(super) enum SealError {
    /// It has `h=`.
    NamesFields,
    Syntax(SignatureError),
}

impl From<SignatureError> for SealError {
    fn from(error: SignatureError) -> Self {
        Self::Syntax(error)
    }
}

impl Seal {
    /// Reads the value of the field. ‘the only supported tags are’ seven, so that others are as
    /// unknown ones in DKIM; only `h=`, ‘if found, MUST result in a cv status of "fail"’.
    pub(super) fn parse(value: &[u8]) -> Result<Self, SealError> {
        let mut tags = Tags::new();
        tags.read(value)?;
        if tags.get("h").is_some() {
            return Err(SealError::NamesFields);
        }
        let chain_validation =
            ArcResult::parse(tags.required("cv")?).ok_or(SignatureError::Value { tag: "cv" })?;
        Ok(Self {
            signature: Signature::read(&tags)?,
            chain_validation,
        })
    }
}

/// The instance of an ARC-Message-Signature or ARC-Seal: the value of the first `i=`.
///
/// §4.1.2: ‘instance [CFWS] ";" tag-list’, so it comes first. Implementations that sort their tags
/// are about, and all validators known accept that.
pub(super) fn instance_of_tags(value: &[u8]) -> Option<u8> {
    let tags = tag_list::specs(value).take(SEARCHED).flatten();
    let instance = tags.into_iter().find(|tag| tag.name == b"i")?;
    number(instance.value)
}

/// The instance of an ARC-Authentication-Results field, and what stands behind it.
///
/// §4.1.1: arc-info = instance [CFWS] ";" authres-payload; §4.2.1: instance = [CFWS] %s"i" [CFWS]
/// "=" [CFWS] 1*2DIGIT. The rest is hashed and nothing more: however odd, it never fails the chain.
pub(super) fn instance_of_results(value: &[u8]) -> Option<(u8, &[u8])> {
    let rest = skip_cfws(value)?.strip_prefix(b"i")?;
    let rest = skip_cfws(skip_cfws(rest)?.strip_prefix(b"=")?)?;
    let digits = rest.iter().take_while(|octet| octet.is_ascii_digit());
    let (digits, rest) = rest.split_at_checked(digits.count())?;
    let payload = skip_cfws(rest)?.strip_prefix(b";")?;
    Some((number(digits)?, payload))
}

fn number(digits: &[u8]) -> Option<u8> {
    let instance = u8::try_from(text::decimal(digits, 2)?).ok()?;
    (instance != 0).then_some(instance)
}

/// What follows white space and comments, which nest (RFC 5322 3.2.2); `None` where a comment does
/// not end.
pub(super) fn skip_cfws(value: &[u8]) -> Option<&[u8]> {
    let mut rest = value;
    let mut depth = 0_usize;
    loop {
        rest = match (depth, rest) {
            (_, [b'(', rest @ ..]) => {
                depth += 1;
                rest
            }
            (0, [octet, after @ ..]) if text::is_fws(*octet) => after,
            (0, rest) => return Some(rest),
            (_, [b'\\', _, rest @ ..]) => rest,
            (_, [b')', rest @ ..]) => {
                depth -= 1;
                rest
            }
            (_, [_, rest @ ..]) => rest,
            (_, []) => return None,
        };
    }
}

/// How much of an unknown word is kept to be shown.
const SHOWN: usize = 40;

/// Tags looked at for the instance; it stands first, or sorted among a dozen.
const SEARCHED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances() {
        let results = |value: &'static str| {
            instance_of_results(value.as_bytes()).map(|(instance, _)| instance)
        };
        assert_eq!(results(" i=1; mx.example; none"), Some(1));
        assert_eq!(results("(a (b\\)) ;i=3) i (c) = \r\n 02 (d);"), Some(2));
        for bad in [
            "mx.example; i=1; none",
            "i=1 mx.example; none",
            "i=0; mx.example",
            "i=100; mx.example",
            "i=; mx.example",
            "I=1; mx.example",
            "(i=1; mx.example",
            "",
        ] {
            assert_eq!(results(bad), None, "{bad}");
        }
        assert_eq!(instance_of_tags(b" a=rsa-sha256; b=x; i = 7; d=e"), Some(7));
        for bad in [
            &b"a=1"[..],
            b"i=",
            b"i=a",
            b"i=0",
            b"i=1x",
            b"i=111",
            b"I=1",
        ] {
            assert_eq!(instance_of_tags(bad), None);
        }
    }

    #[test]
    fn seals() {
        let seal = |extra: &str| {
            Seal::parse(format!("i=1; a=rsa-sha256; d=example.com; s=s; b=AAAA{extra}").as_bytes())
        };
        assert!(seal("; cv=none; t=1; x=y").is_ok());
        assert!(matches!(seal("; cv=none; h="), Err(SealError::NamesFields)));
        for bad in [
            "",
            "; cv=",
            "; cv=None",
            "; cv=bad",
            "; cv=none; t=",
            "; cv=none; cv=none",
        ] {
            assert!(matches!(seal(bad), Err(SealError::Syntax(_))), "{bad}");
        }
    }
}
