//! The words of reports: those of the schemas as types, all others as they were written.

use std::fmt;

use crate::dkim::DkimResult;
use crate::dmarc::{AlignmentMode, Disposition, DmarcResult, RuleSet};
use crate::spf::{Identity, SpfResult};
use crate::verdict::Override;

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
    ($($type:ty { $($word:literal $variant:ident,)* })*) => {$(
        impl Vocabulary for $type {
            fn read(text: &str) -> Option<Self> {
                $(if text.eq_ignore_ascii_case($word) {
                    return Some(Self::$variant);
                })*
                None
            }

            fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => $word,)*
                })
            }
        }
    )*};
}

vocabulary! {
    Applied {
        "none" None,
        "pass" Pass,
        "quarantine" Quarantine,
        "reject" Reject,
    }
    AlignmentMode {
        "r" Relaxed,
        "s" Strict,
    }
    Disposition {
        "none" None,
        "quarantine" Quarantine,
        "reject" Reject,
    }
    DkimResult {
        "none" None,
        "pass" Pass,
        "fail" Fail,
        "policy" Policy,
        "neutral" Neutral,
        "temperror" Temperror,
        "permerror" Permerror,
    }
    DmarcResult {
        "none" None,
        "pass" Pass,
        "fail" Fail,
        "temperror" Temperror,
        "permerror" Permerror,
    }
    SpfResult {
        "none" None,
        "neutral" Neutral,
        "pass" Pass,
        "fail" Fail,
        "softfail" Softfail,
        "temperror" Temperror,
        "permerror" Permerror,
    }
    Identity {
        "helo" Helo,
        "mfrom" MailFrom,
    }
    Override {
        "local_policy" LocalPolicy,
        "mailing_list" MailingList,
        "other" Other,
        "policy_test_mode" PolicyTestMode,
        "trusted_forwarder" TrustedForwarder,
    }
    // RFC 9990 3.1.1.4: ‘"psl" is the method from [RFC7489] and "treewalk" is described in’ RFC 9989.
    RuleSet {
        "psl" Rfc7489,
        "treewalk" Rfc9989,
    }
}

/// The `testing` element.
impl Vocabulary for bool {
    fn read(text: &str) -> Option<Self> {
        match text {
            "n" | "N" => Some(false),
            "y" | "Y" => Some(true),
            _ => None,
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self { "y" } else { "n" })
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
