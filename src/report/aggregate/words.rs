//! The words of reports: those of the schemas as types, all others as they were written.

use std::fmt;

use crate::dkim::DkimResult;
use crate::dmarc::{AlignmentMode, Disposition, DmarcResult, RuleSet};
use crate::spf::{Identity, SpfResult};
use crate::verdict::OverrideKind;

/// A word of a report. What reporters write beside the schema is kept, not lost.
///
/// Prints as it is written in reports.
///
/// ```
/// use mailproof::report::aggregate::{Applied, Word};
///
/// let word: Word<Applied> = " Quarantine ".into();
/// assert_eq!(word, Word::Known(Applied::Quarantine));
/// let word: Word<Applied> = "softfail".into();
/// assert_eq!(word, Word::Other("softfail".into()));
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "a word is known or it is not")]
pub enum Word<T> {
    /// A word that the schemas know; letter case does not matter.
    Known(T),
    /// Any other text, or none at all where the element is empty or missing.
    Other(String),
}

impl<T> Word<T> {
    /// The word, if the schemas know it.
    #[must_use]
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(word) => Some(word),
            Self::Other(_) => None,
        }
    }
}

impl<T: Vocabulary> From<&str> for Word<T> {
    fn from(text: &str) -> Self {
        let text = text.trim();
        T::read(text).map_or_else(|| Self::Other(text.to_owned()), Self::Known)
    }
}

impl<T> From<T> for Word<T> {
    fn from(word: T) -> Self {
        Self::Known(word)
    }
}

impl<T> Default for Word<T> {
    /// No word.
    fn default() -> Self {
        Self::Other(String::new())
    }
}

impl<T: Vocabulary> fmt::Display for Word<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(word) => word.write(f),
            Self::Other(text) => f.write_str(text),
        }
    }
}

#[cfg(feature = "serde")]
impl<T: Vocabulary> serde::Serialize for Word<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What was done with a message (RFC 9990 `ActionDispositionType`).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[expect(clippy::exhaustive_enums, reason = "the schema has these four")]
pub enum Applied {
    /// Nothing.
    None,
    /// Nothing, since it passed DMARC under a policy that asks for more. RFC 7489 has no such word
    /// and says `none`.
    Pass,
    /// It failed and was treated as suspicious.
    Quarantine,
    /// It failed and was refused.
    Reject,
}

/// Types whose values are words of reports.
pub trait Vocabulary: Sized {
    /// Reads a word in any letter case.
    fn read(text: &str) -> Option<Self>;
    /// Writes the word.
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

macro_rules! vocabulary {
    ($($type:ty { $($word:literal $value:pat => $make:expr,)* })*) => {$(
        impl Vocabulary for $type {
            fn read(text: &str) -> Option<Self> {
                $(if text.eq_ignore_ascii_case($word) {
                    return Some($make);
                })*
                None
            }

            fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $($value => $word,)*
                })
            }
        }
    )*};
}

vocabulary! {
    Applied {
        "none" Self::None => Self::None,
        "pass" Self::Pass => Self::Pass,
        "quarantine" Self::Quarantine => Self::Quarantine,
        "reject" Self::Reject => Self::Reject,
    }
    AlignmentMode {
        "r" Self::Relaxed => Self::Relaxed,
        "s" Self::Strict => Self::Strict,
    }
    Disposition {
        "none" Self::None => Self::None,
        "quarantine" Self::Quarantine => Self::Quarantine,
        "reject" Self::Reject => Self::Reject,
    }
    DkimResult {
        "none" Self::None => Self::None,
        "pass" Self::Pass => Self::Pass,
        "fail" Self::Fail => Self::Fail,
        "policy" Self::Policy => Self::Policy,
        "neutral" Self::Neutral => Self::Neutral,
        "temperror" Self::Temperror => Self::Temperror,
        "permerror" Self::Permerror => Self::Permerror,
    }
    DmarcResult {
        "none" Self::None => Self::None,
        "pass" Self::Pass => Self::Pass,
        "fail" Self::Fail => Self::Fail,
        "temperror" Self::Temperror => Self::Temperror,
        "permerror" Self::Permerror => Self::Permerror,
    }
    SpfResult {
        "none" Self::None => Self::None,
        "neutral" Self::Neutral => Self::Neutral,
        "pass" Self::Pass => Self::Pass,
        "fail" Self::Fail => Self::Fail,
        "softfail" Self::Softfail => Self::Softfail,
        "temperror" Self::Temperror => Self::Temperror,
        "permerror" Self::Permerror => Self::Permerror,
    }
    Identity {
        "helo" Self::Helo => Self::Helo,
        "mfrom" Self::MailFrom => Self::MailFrom,
    }
    OverrideKind {
        "local_policy" Self::LocalPolicy => Self::LocalPolicy,
        "mailing_list" Self::MailingList => Self::MailingList,
        "other" Self::Other => Self::Other,
        "policy_test_mode" Self::PolicyTestMode => Self::PolicyTestMode,
        "trusted_forwarder" Self::TrustedForwarder => Self::TrustedForwarder,
    }
    // RFC 9990 3.1.1.4: ‘"psl" is the method from [RFC7489] and "treewalk" is described in’ RFC 9989.
    RuleSet {
        "psl" Self::Rfc7489 => Self::Rfc7489,
        "treewalk" Self::Rfc9989 => Self::Rfc9989,
    }
    // The `testing` element.
    bool {
        "n" false => false,
        "y" true => true,
    }
}

macro_rules! plain_vocabulary {
    ($($type:ty)*) => {$(
        impl Vocabulary for $type {
            fn read(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{self}")
            }
        }
    )*};
}

plain_vocabulary! { u8 std::net::IpAddr }
