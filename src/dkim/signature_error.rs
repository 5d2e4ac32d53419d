//! What can be wrong with a DKIM-Signature field, and what can be saved of one.

use super::signature::Prefix;
use crate::domain::{Domain, DomainError};
use crate::tag_list::{self, TagListError};
use crate::text;

/// The rule of §3.5 that a signature breaks.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// An `a=` that is not known.
    #[error("unknown algorithm a={algorithm}")]
    Algorithm {
        /// Its value.
        algorithm: String,
    },
    /// A `b=` or `bh=` that is empty or not base64.
    #[error("{tag}= is not base64")]
    Base64 {
        /// The tag.
        tag: &'static str,
    },
    /// A `bh=` that is not as long as the hash of `a=`.
    #[error("bh= has {length} octets, the hash of a= has {expected}")]
    BodyHashLength {
        /// Its length.
        length: usize,
        /// The length of the hash.
        expected: usize,
    },
    /// A `c=` that is not known.
    #[error("unknown canonicalization c={canonicalization}")]
    Canonicalization {
        /// Its value.
        canonicalization: String,
    },
    /// A `d=`, `s=` or `i=` that is no domain name.
    #[error("{tag}= is unusable: {error}")]
    Domain {
        /// The tag.
        tag: &'static str,
        /// What is wrong with it.
        error: DomainError,
    },
    /// `x=` is not after `t=`.
    #[error("x= is not after t=")]
    ExpiresBeforeMade,
    /// A name in `h=` that no field can have, an empty one included.
    #[error("h= has something that is no field name")]
    FieldName,
    /// A line break that is not followed by white space.
    #[error("stray CR or LF at {at}")]
    Fold {
        /// Its offset.
        at: usize,
    },
    /// `h=` does not name From (§5.4).
    #[error("h= does not name the From field")]
    FromNotSigned,
    /// An `i=` outside of `d=`.
    #[error("the domain of i=, {domain}, is neither that of d= nor below it")]
    IdentityOutside {
        /// Its domain.
        domain: Domain,
    },
    /// A required tag is missing.
    #[error("no {tag}= tag")]
    Missing {
        /// The tag.
        tag: &'static str,
    },
    /// An `l=`, `t=` or `x=` that is no number, or has too many digits.
    #[error("{tag}= is not a number")]
    Number {
        /// The tag.
        tag: &'static str,
    },
    /// A `q=` without `dns/txt`.
    #[error("q= does not allow dns/txt")]
    QueryMethod,
    /// A `d=` of a single label.
    #[error("d={domain} is a single label")]
    SingleLabel {
        /// Its value.
        domain: Domain,
    },
    /// It is not a tag list.
    #[error("{0}")]
    TagList(#[from] TagListError),
    /// The field is longer than [`max_signature_octets`](crate::dkim::Settings::max_signature_octets).
    #[error("field of {length} octets")]
    TooLong {
        /// Its length.
        length: usize,
    },
    /// `h=` has more names than [`max_signed_fields`](crate::dkim::Settings::max_signed_fields) allows.
    #[error("h= has more than {limit} names")]
    TooManyFields {
        /// How many are allowed.
        limit: usize,
    },
    /// A value that the grammar of its tag does not allow.
    #[error("malformed value of {tag}=")]
    Value {
        /// The tag.
        tag: &'static str,
    },
    /// A `v=` other than 1.
    #[error("unknown version v={version}")]
    Version {
        /// Its value.
        version: String,
    },
}

/// What could be read of a signature that breaks a rule, so that it can still be named.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Salvage {
    /// `a=`, as written.
    pub(super) algorithm: Option<String>,
    /// `d=`, if it is a domain.
    pub(super) domain: Option<Domain>,
    /// `i=`, as written.
    pub(super) identity: Option<String>,
    /// The first eight characters of `b=`.
    pub(super) prefix: Option<Prefix>,
    /// `s=`, as written.
    pub(super) selector: Option<String>,
}

impl Salvage {
    /// Reads what is there, whatever else is wrong; of tags that stand twice, the first.
    pub(super) fn read(value: &[u8]) -> Self {
        let mut salvage = Self::default();
        for tag in tag_list::specs(value).take(SALVAGED).flatten() {
            let shown = || Some(text::one_line(&text::lossy(tag.value), 255));
            match tag.name {
                b"a" if salvage.algorithm.is_none() => salvage.algorithm = shown(),
                b"b" if salvage.prefix.is_none() => salvage.prefix = Some(Prefix::new(tag.value)),
                b"d" if salvage.domain.is_none() => salvage.domain = Domain::parse(tag.value).ok(),
                b"i" if salvage.identity.is_none() => salvage.identity = shown(),
                b"s" if salvage.selector.is_none() => salvage.selector = shown(),
                _ => {}
            }
        }
        salvage
    }
}

/// Tags looked at for salvage; the real ones stand among the first dozen.
const SALVAGED: usize = 64;
