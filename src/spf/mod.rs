//! SPF (RFC 7208): may this client send for this domain?
//!
//! [`check_session`] checks the HELO and MAIL FROM identities of an SMTP session; [`check_host`] is the
//! RFC's function for one identity; [`Record`] reads and prints records. Every [`Evaluation`] says
//! why: the term that matched and how it was reached, or the limit, error or DNS failure that
//! ended the check.
//!
//! ‘§’ is a section of [RFC 7208](https://www.rfc-editor.org/rfc/rfc7208) in this room.

mod budget;
mod cause;
mod eval;
mod evaluation;
mod fetch;
mod level;
mod lint;
mod lookup;
mod macros;
mod network;
mod parse;
mod pieces;
mod place;
mod prefix;
mod received_spf;
mod record;
mod request;
mod session;
mod settings;
mod syntax;
mod trace;

use std::fmt;

use crate::auth_results::ResultWord;

pub use cause::{Cause, Limit, Matched};
pub use eval::check_host;
pub use evaluation::{Evaluation, Explanation};
pub use lint::{Cost, Survey, Warning};
pub use macros::MacroString;
pub use place::Place;
pub use prefix::Prefix;
pub use received_spf::ReceivedSpf;
pub use record::{Mechanism, Qualifier, Record, Term};
pub use request::Request;
pub use session::{SessionEvaluation, check_session};
pub use settings::Settings;
pub use syntax::{SyntaxError, SyntaxRule};

/// The result of check_host() (§2.6).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7208 2.6 has these seven")]
pub enum SpfResult {
    /// No domain to check, or no record.
    None,
    /// The domain makes no statement about the client.
    Neutral,
    /// The client is authorized.
    Pass,
    /// The client is not authorized.
    Fail,
    /// The client is probably not authorized.
    Softfail,
    /// The check could not be completed now.
    Temperror,
    /// The domain's records cannot be interpreted.
    Permerror,
}

impl SpfResult {
    /// The word as RFC 8601 2.7.2 writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Neutral => "neutral",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Softfail => "softfail",
            Self::Temperror => "temperror",
            Self::Permerror => "permerror",
        }
    }

    /// Reads the word, in any letter case.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [
            Self::None,
            Self::Neutral,
            Self::Pass,
            Self::Fail,
            Self::Softfail,
            Self::Temperror,
            Self::Permerror,
        ]
        .into_iter()
        .find(|result| result.as_str().eq_ignore_ascii_case(word))
    }
}

impl fmt::Display for SpfResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<SpfResult> for ResultWord {
    fn from(result: SpfResult) -> Self {
        match result {
            SpfResult::None => Self::None,
            SpfResult::Neutral => Self::Neutral,
            SpfResult::Pass => Self::Pass,
            SpfResult::Fail => Self::Fail,
            SpfResult::Softfail => Self::Softfail,
            SpfResult::Temperror => Self::Temperror,
            SpfResult::Permerror => Self::Permerror,
        }
    }
}

/// Which name of the SMTP session was checked (§2.3, §2.4).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7208 knows these two")]
pub enum Identity {
    /// The name given in HELO or EHLO.
    Helo,
    /// The domain of the reverse-path.
    MailFrom,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Helo => "helo",
            Self::MailFrom => "mailfrom",
        })
    }
}
