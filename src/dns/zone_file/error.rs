//! Why a zone file cannot be read.

use crate::dns::NameError;

/// A line that cannot be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[error("line {line}: {rule}")]
#[non_exhaustive]
pub struct ZoneFileError {
    /// The line, from 1.
    pub line: usize,
    /// The rule that it breaks.
    pub rule: ZoneFileRule,
}

/// The rules that a line of a zone file can break.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum ZoneFileRule {
    /// No address of the record's type.
    #[error("malformed address")]
    Address,
    /// A class other than IN.
    #[error("class other than IN")]
    Class,
    /// Data in the generic form (RFC 3597 5) that does not fit itself or its type.
    #[error("malformed generic data")]
    Data,
    /// A directive that we do not know.
    #[error("unknown directive")]
    Directive,
    /// A backslash that escapes nothing.
    #[error("malformed escape")]
    Escape,
    /// More fields than the type has.
    #[error("superfluous field")]
    Extra,
    /// FAIL without a failure, or for a type that is not looked up.
    #[error("unknown failure")]
    Failure,
    /// `$GENERATE`, which we refuse.
    #[error("$GENERATE is not supported")]
    Generate,
    /// `$INCLUDE`, which we refuse.
    #[error("$INCLUDE is not supported")]
    Include,
    /// Fewer fields than the type has, or no type.
    #[error("missing field")]
    Missing,
    /// A name that is none.
    #[error("malformed name: {0}")]
    Name(NameError),
    /// `@` before the first `$ORIGIN`.
    #[error("@ without $ORIGIN")]
    NoOrigin,
    /// The first record begins with white space.
    #[error("no owner before the first record")]
    NoOwner,
    /// A parenthesis that is not closed, not opened, or inside another.
    #[error("unbalanced parentheses")]
    Parenthesis,
    /// An MX preference that is no 16-bit number.
    #[error("malformed preference")]
    Preference,
    /// A quote that is not closed on its line.
    #[error("unclosed quote")]
    Quote,
    /// More than 1 MiB of text.
    #[error("more than 1 MiB of text")]
    TooLarge,
    /// A TTL over 2147483647 s (RFC 2181 8), or none at all.
    #[error("malformed TTL")]
    Ttl,
    /// A type that we do not know; RFC 3597 5 writes such types as `TYPE` and a number.
    #[error("unknown type {0:?}")]
    Type(String),
}
