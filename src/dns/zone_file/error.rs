//! Why a zone file cannot be read.

use crate::dns::NameError;

/// A line that cannot be read, by the rule that it breaks. The number in each is that of the line,
/// from 1, which [`line`](Self::line) tells as well.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum ZoneFileError {
    /// No address of the record's type.
    #[error("line {0}: malformed address")]
    Address(usize),
    /// A class other than IN.
    #[error("line {0}: class other than IN")]
    Class(usize),
    /// Data in the generic form (RFC 3597 5) that does not fit itself or its type.
    #[error("line {0}: malformed generic data")]
    Data(usize),
    /// A directive that we do not know.
    #[error("line {0}: unknown directive")]
    Directive(usize),
    /// A backslash that escapes nothing.
    #[error("line {0}: malformed escape")]
    Escape(usize),
    /// More fields than the type has.
    #[error("line {0}: superfluous field")]
    Extra(usize),
    /// FAIL without a failure, or for a type that is not looked up.
    #[error("line {0}: unknown failure")]
    Failure(usize),
    /// `$GENERATE`, which we refuse.
    #[error("line {0}: $GENERATE is not supported")]
    Generate(usize),
    /// `$INCLUDE`, which we refuse.
    #[error("line {0}: $INCLUDE is not supported")]
    Include(usize),
    /// Fewer fields than the type has, or no type.
    #[error("line {0}: missing field")]
    Missing(usize),
    /// A name that is none.
    #[error("line {0}: malformed name: {1}")]
    Name(usize, NameError),
    /// `@` before the first `$ORIGIN`.
    #[error("line {0}: @ without $ORIGIN")]
    NoOrigin(usize),
    /// The first record begins with white space.
    #[error("line {0}: no owner before the first record")]
    NoOwner(usize),
    /// A parenthesis that is not closed, not opened, or inside another.
    #[error("line {0}: unbalanced parentheses")]
    Parenthesis(usize),
    /// An MX preference that is no 16-bit number.
    #[error("line {0}: malformed preference")]
    Preference(usize),
    /// A quote that is not closed on its line.
    #[error("line {0}: unclosed quote")]
    Quote(usize),
    /// More than 1 MiB of text.
    #[error("line {0}: more than 1 MiB of text")]
    TooLarge(usize),
    /// A TTL over 2147483647 s (RFC 2181 8), or none at all.
    #[error("line {0}: malformed TTL")]
    Ttl(usize),
    /// A type that we do not know; RFC 3597 5 writes such types as `TYPE` and a number.
    #[error("line {0}: unknown type {1:?}")]
    Type(usize, String),
}

impl ZoneFileError {
    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        match self {
            Self::Address(line)
            | Self::Class(line)
            | Self::Data(line)
            | Self::Directive(line)
            | Self::Escape(line)
            | Self::Extra(line)
            | Self::Failure(line)
            | Self::Generate(line)
            | Self::Include(line)
            | Self::Missing(line)
            | Self::Name(line, _)
            | Self::NoOrigin(line)
            | Self::NoOwner(line)
            | Self::Parenthesis(line)
            | Self::Preference(line)
            | Self::Quote(line)
            | Self::TooLarge(line)
            | Self::Ttl(line)
            | Self::Type(line, _) => *line,
        }
    }
}
