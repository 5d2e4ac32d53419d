//! DMARC (RFC 9989): is the domain in the From field one that authenticated the message, and if not,
//! what does that domain ask for?
//!
//! A [`Discovery`] finds the author domain's policy by the DNS tree walk, and the organizational
//! domains of what SPF and DKIM authenticated; [`Discovery::evaluate`] then decides without asking
//! anybody. RFC 7489, with a public suffix list that the caller brings, is a [setting](Settings).
//! ‘§’ is a section of RFC 9989.
//!
//! ```
//! use mailproof::dmarc::{self, Disposition, DmarcResult, Settings};
//! use mailproof::dns::{Zone, block_on};
//! use mailproof::identifier::{AuthenticatedIdentifier, Method, Status};
//! use mailproof::message::Author;
//!
//! let mut zone = Zone::new();
//! zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject")?;
//! let author = Author::One(mailproof::Address::parse(b"joe@example.com")?);
//! let signed_by = AuthenticatedIdentifier::trust_result_obtained_elsewhere(
//!     "mail.example.com".parse()?,
//!     Method::Dkim,
//!     Status::Pass,
//! );
//! let settings = Settings::default();
//!
//! let policy = block_on(dmarc::Discovery::of_author(&zone, &author, &settings));
//! let unsigned = policy.evaluate(&author, &[], &settings);
//! assert_eq!(unsigned.result(), DmarcResult::Fail);
//! assert_eq!(unsigned.disposition(), Disposition::Reject);
//!
//! let identifiers = [signed_by];
//! let found = block_on(policy.with_identifiers(&zone, &identifiers, &settings));
//! let signed = found.evaluate(&author, &identifiers, &settings);
//! assert_eq!(signed.result(), DmarcResult::Pass);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod builder;
mod cause;
mod discover;
mod evaluate;
mod evaluation;
mod external;
mod few;
mod lint;
mod lookup;
mod public_suffix;
mod record;
mod settings;
mod tags;
mod uri;
mod walk;

use std::fmt;

use crate::auth_results::ResultWord;

pub use cause::{Cause, WhyNot};
pub use discover::Discovery;
pub use evaluation::{Alignment, Evaluation};
pub use external::{Authorization, ReportKind};
pub use lint::Warning;
pub use lookup::Survey;
pub use public_suffix::PublicSuffixList;
pub use record::{AlignmentMode, FailureOptions, Record};
pub use settings::{RuleSet, Settings};
pub use uri::ReportUri;

/// The result of DMARC, as RFC 8601 2.7 (and §9.1) name it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9989 9.1 has these five")]
pub enum DmarcResult {
    /// The domain publishes no policy that could be applied.
    None,
    /// An authenticated identifier is aligned with the author domain.
    Pass,
    /// A policy was found and nothing is aligned.
    Fail,
    /// Something could not be looked up; later it may be.
    Temperror,
    /// The message has no one author domain.
    Permerror,
}

impl DmarcResult {
    /// The word as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Temperror => "temperror",
            Self::Permerror => "permerror",
        }
    }
}

impl fmt::Display for DmarcResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<DmarcResult> for ResultWord {
    fn from(result: DmarcResult) -> Self {
        match result {
            DmarcResult::None => Self::None,
            DmarcResult::Pass => Self::Pass,
            DmarcResult::Fail => Self::Fail,
            DmarcResult::Temperror => Self::Temperror,
            DmarcResult::Permerror => Self::Permerror,
        }
    }
}

/// What a domain owner asks for mail that fails (§4.7, `p`), the mildest first.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9989 4.7 has these three")]
pub enum Disposition {
    /// Nothing in particular.
    #[default]
    None,
    /// Treat it as suspicious.
    Quarantine,
    /// Refuse it.
    Reject,
}

impl Disposition {
    /// The word as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }

    /// The next milder one: what a policy under test (`t=y`) or an unsampled message (`pct`) gets.
    #[must_use]
    pub fn one_level_lower(self) -> Self {
        match self {
            Self::None | Self::Quarantine => Self::None,
            Self::Reject => Self::Quarantine,
        }
    }
}

impl fmt::Display for Disposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
