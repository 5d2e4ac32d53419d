//! What can be wrong with the text of a record.

use std::fmt;

/// A syntax error in a record: the rule that was broken, where, and in which term.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[error("{rule} in `{term}` at octet {offset}")]
pub struct SyntaxError {
    rule: SyntaxRule,
    offset: usize,
    term: Box<str>,
}

impl SyntaxError {
    pub(super) fn new(rule: SyntaxRule, offset: usize, term: &[u8]) -> Self {
        // Enough to recognize the term; the record itself may have 64 KiB.
        let shown = term.get(..MAX_SHOWN).unwrap_or(term);
        Self {
            rule,
            offset,
            term: shown.escape_ascii().to_string().into(),
        }
    }

    /// The rule that was broken.
    #[must_use]
    pub fn rule(&self) -> SyntaxRule {
        self.rule
    }

    /// The octet at which the text departs from the grammar, counted from the record's first.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The offending term, at most 256 octets of it, with `\xNN` for octets that are not visible ASCII.
    #[must_use]
    pub fn term(&self) -> &str {
        &self.term
    }
}

const MAX_SHOWN: usize = 256;

/// The rules of the grammar (§12).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum SyntaxRule {
    /// A control character or an octet above 126: terms are visible ASCII (§3.1), and only spaces
    /// separate them (§4.6.1).
    Character,
    /// A domain-spec that ends neither in a macro nor in a top-level label (§7.1).
    DomainEnd,
    /// A mechanism or modifier without the domain that it needs (§5, §6).
    DomainMissing,
    /// `redirect` or `exp` twice (§6).
    Duplicate,
    /// `ip4` without an IPv4 address (§5.6).
    Ip4Network,
    /// `ip6` without an IPv6 address (§5.6).
    Ip6Network,
    /// A `%` that begins no macro, or a macro that does not end (§7.1).
    Macro,
    /// A macro letter that does not exist, or is allowed only in explanations (§7.2).
    MacroLetter,
    /// ‘If a DIGIT is specified, the value MUST be nonzero’ (§7.3).
    MacroZero,
    /// A prefix length that is no number, has a leading zero, or is too great (§5.6).
    PrefixLength,
    /// Something behind a mechanism that takes nothing more (§5).
    TrailingText,
    /// A mechanism that does not exist (§4.6.1).
    UnknownMechanism,
    /// No `v=spf1` at the beginning (§4.5).
    Version,
}

impl fmt::Display for SyntaxRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Character => "a character that is not allowed",
            Self::DomainEnd => "a domain that ends in neither a macro nor a top-level label",
            Self::DomainMissing => "no domain",
            Self::Duplicate => "a modifier that stood there before",
            Self::Ip4Network => "no IPv4 address",
            Self::Ip6Network => "no IPv6 address",
            Self::Macro => "a malformed macro",
            Self::MacroLetter => "a macro letter that is not allowed",
            Self::MacroZero => "a macro that keeps zero parts",
            Self::PrefixLength => "a malformed prefix length",
            Self::TrailingText => "text behind the end of the term",
            Self::UnknownMechanism => "an unknown mechanism",
            Self::Version => "no version",
        })
    }
}
