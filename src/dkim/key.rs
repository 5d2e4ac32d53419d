//! Key records (§3.6.1, RFC 8463 4).

use super::quoted_printable;
use crate::crypto::{HashAlgorithm, KeyError, VerifyingKey};
use crate::tag_list::{TagList, TagListError};
use crate::text;

/// A key record, the text at `<selector>._domainkey.<domain>`: [read](Self::parse), or [made](Self::new)
/// to be published.
///
/// ```
/// use mailproof::dkim::KeyRecord;
///
/// let record = KeyRecord::parse(
///     b"v=DKIM1; k=ed25519; t=y; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
/// )?;
/// assert!(record.is_testing() && !record.is_revoked());
/// # Ok::<(), mailproof::dkim::KeyRecordError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct KeyRecord {
    pub(super) kind: KeyType,
    pub(super) key: Option<VerifyingKey>,
    pub(super) allows_sha1: bool,
    pub(super) allows_sha256: bool,
    pub(super) for_mail: bool,
    pub(super) testing: bool,
    pub(super) strict: bool,
    pub(super) note: Option<String>,
}

impl KeyRecord {
    /// Reads a record. White space may stand anywhere between and inside values, line breaks of
    /// broken zone files included; `g=` of RFC 4871 and other unknown tags are ignored.
    ///
    /// # Errors
    ///
    /// The first rule broken.
    pub fn parse(record: &[u8]) -> Result<Self, KeyRecordError> {
        let mut tags = TagList::new();
        tags.read(record)?;
        let get = |name: &str| tags.get(name.as_bytes());
        // §3.6.1: ‘If specified, this tag MUST be set to "DKIM1" (without the quotes). This tag MUST
        // be the first tag in the record.’
        if let Some(version) = get("v") {
            let first = tags.iter().next().is_some_and(|tag| tag.name == b"v");
            if version != b"DKIM1" || !first {
                return Err(KeyRecordError::Version);
            }
        }
        let kind = match get("k") {
            None | Some(b"rsa") => KeyType::Rsa,
            Some(b"ed25519") => KeyType::Ed25519,
            Some(other) => {
                return Err(KeyRecordError::KeyType {
                    key_type: text::one_line(&text::lossy(other), 40),
                });
            }
        };
        let octets = text::base64_decode(get("p").ok_or(KeyRecordError::NoKey)?)
            .map_err(|_| KeyRecordError::Base64)?;
        // ‘An empty value means that this public key has been revoked.’
        let key = match kind {
            _ if octets.is_empty() => None,
            KeyType::Rsa => Some(VerifyingKey::of_der(octets)?),
            KeyType::Ed25519 => Some(VerifyingKey::ed25519(&octets)?),
        };
        let flags = get("t").unwrap_or_default();
        let allows = |hash: &[u8]| {
            get("h").is_none_or(|list| has(list, |word| word.eq_ignore_ascii_case(hash)))
        };
        let is_mail = |word: &[u8]| matches!(word, b"*" | b"email");
        Ok(Self {
            kind,
            key,
            allows_sha1: allows(b"sha1"),
            allows_sha256: allows(b"sha256"),
            for_mail: get("s").is_none_or(|list| has(list, is_mail)),
            testing: has(flags, |flag| flag == b"y"),
            strict: has(flags, |flag| flag == b"s"),
            note: get("n")
                .and_then(quoted_printable::decode_section)
                .map(|note| text::lossy(&note).into_owned()),
        })
    }

    /// `k=`: `rsa` or `ed25519`.
    #[must_use]
    pub fn key_type(&self) -> &'static str {
        self.kind.as_str()
    }

    pub(super) fn kind(&self) -> KeyType {
        self.kind
    }

    /// `p=`; `None` for a key that was revoked.
    #[must_use]
    pub fn key(&self) -> Option<&VerifyingKey> {
        self.key.as_ref()
    }

    /// Whether `p=` is empty.
    #[must_use]
    pub fn is_revoked(&self) -> bool {
        self.key.is_none()
    }

    /// Whether `h=` allows the hash, or is absent.
    #[must_use]
    pub fn allows(&self, hash: HashAlgorithm) -> bool {
        match hash {
            HashAlgorithm::Sha1 => self.allows_sha1,
            HashAlgorithm::Sha256 => self.allows_sha256,
        }
    }

    /// Whether `s=` includes mail, or is absent.
    #[must_use]
    pub fn is_for_mail(&self) -> bool {
        self.for_mail
    }

    /// `t=y`: the domain is testing DKIM.
    #[must_use]
    pub fn is_testing(&self) -> bool {
        self.testing
    }

    /// `t=s`: the domain of `i=` must be that of `d=`.
    #[must_use]
    pub fn is_strict(&self) -> bool {
        self.strict
    }

    /// `n=`: a note for people.
    #[must_use]
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

/// Whether one of the words between the colons is wanted.
fn has(list: &[u8], wanted: impl Fn(&[u8]) -> bool) -> bool {
    list.split(|octet| *octet == b':')
        .any(|word| wanted(text::trim_fws(word)))
}

/// The kind of a key (`k=`).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum KeyType {
    /// Ed25519 (RFC 8463).
    Ed25519,
    /// RSA.
    Rsa,
}

impl KeyType {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Rsa => "rsa",
        }
    }
}

/// Why a record is no usable key record.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRecordError {
    /// `p=` is not base64.
    #[error("p= is not base64")]
    Base64,
    /// `p=` is not a key of the kind that `k=` says.
    #[error("p= is unusable: {0}")]
    Key(#[from] KeyError),
    /// A `k=` that is not known.
    #[error("unknown key type k={key_type}")]
    KeyType {
        /// Its value.
        key_type: String,
    },
    /// No `p=`.
    #[error("no p= tag")]
    NoKey,
    /// It is not a tag list.
    #[error("{0}")]
    TagList(#[from] TagListError),
    /// It is longer than [`max_key_record_octets`](crate::dkim::Settings::max_key_record_octets).
    #[error("record of {length} octets")]
    TooLong {
        /// Its length.
        length: usize,
    },
    /// A `v=` that is not `DKIM1`, or not the first tag.
    #[error("v= is not DKIM1 or not the first tag")]
    Version,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    fn parse(tags: &str) -> Result<KeyRecord, KeyRecordError> {
        KeyRecord::parse(format!("k=ed25519; {ED25519}; {tags}").as_bytes())
    }

    #[test]
    fn version_is_first_and_exact() {
        assert!(KeyRecord::parse(format!("v = DKIM1 ; k=ed25519;{ED25519}").as_bytes()).is_ok());
        for bad in ["v=DKIM1", "v=DKIM2", "v=dkim1"] {
            assert_eq!(parse(bad), Err(KeyRecordError::Version));
        }
        for bad in ["v=dkim1; p=", "v=DMARC1; p=none", "v=DKIM1:; p="] {
            assert_eq!(
                KeyRecord::parse(bad.as_bytes()),
                Err(KeyRecordError::Version)
            );
        }
        assert!(parse("V=DKIM2").is_ok());
    }

    #[test]
    fn flags_services_and_hashes() {
        let record = parse("t= y : s :yy; s=tlsrpt; h=sha1; g=; n=a=20 b").unwrap();
        assert!(record.is_testing() && record.is_strict());
        assert!(!record.is_for_mail());
        assert!(record.allows(HashAlgorithm::Sha1) && !record.allows(HashAlgorithm::Sha256));
        assert_eq!(record.note(), Some("a  b"));
        let record = parse("s=x:*; h=sha512 : SHA256").unwrap();
        assert!(record.is_for_mail() && record.allows(HashAlgorithm::Sha256));
        assert!(!record.is_testing() && !record.is_strict());
        assert!(parse("").unwrap().is_for_mail());
        assert!(!parse("s=").unwrap().is_for_mail());
    }

    #[test]
    fn keys() {
        let error = |record: &[u8]| KeyRecord::parse(record).unwrap_err();
        assert!(KeyRecord::parse(b"p=").unwrap().is_revoked());
        assert!(KeyRecord::parse(b"k=ed25519; p= ;").unwrap().is_revoked());
        assert_eq!(error(b"v=DKIM1"), KeyRecordError::NoKey);
        assert_eq!(error(b"p=!!!"), KeyRecordError::Base64);
        assert_eq!(error(b"p=YWJj"), KeyRecordError::Key(KeyError::Der));
        assert_eq!(
            error(b"k=ed25519; p=YWJj"),
            KeyRecordError::Key(KeyError::Length { length: 3 })
        );
        assert_eq!(
            error(b"k=dsa; p=YWJj"),
            KeyRecordError::KeyType {
                key_type: "dsa".into()
            }
        );
        assert!(matches!(error(b""), KeyRecordError::TagList(_)));
        assert!(matches!(error(b"p=; p="), KeyRecordError::TagList(_)));
        assert!(matches!(error(b"k=rsa; t; p="), KeyRecordError::TagList(_)));
        let spaced = "k=ed25519; p=11qY AYKxCrfVS/7Ty\tWQHOg7hc\r\n vPapiMlrwIaaPcHURo";
        let record = KeyRecord::parse(spaced.as_bytes()).unwrap();
        assert_eq!(record.key(), parse("").unwrap().key());
    }
}
