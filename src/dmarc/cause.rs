//! Why DMARC came to its result.

use std::fmt;

use super::DmarcResult;
use crate::dns::{LookupError, Name};
use crate::domain::Domain;
use crate::identifier::Method;
use crate::message::AuthorError;

/// Why DMARC came to its result; prints as one sentence for a postmaster.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Cause {
    /// An authenticated identifier is aligned.
    Aligned {
        /// The authenticated domain.
        domain: Domain,
        /// What authenticated it.
        method: Method,
    },
    /// Whether an authenticated domain is aligned could not be found out.
    AlignmentUnknown {
        /// The authenticated domain.
        domain: Domain,
        /// The name that was asked.
        name: Name,
        /// What went wrong.
        error: LookupError,
    },
    /// The From field could not be read with certainty.
    AuthorUnreadable(AuthorError),
    /// The DNS did not say whether the author domain exists, on which its policy depends.
    ExistenceUnknown {
        /// The name that was asked.
        name: Name,
        /// What went wrong.
        error: LookupError,
    },
    /// An identifier that would be aligned could not be checked.
    IdentifierUnknown {
        /// The domain that could not be authenticated.
        domain: Domain,
        /// What could not be completed.
        method: Method,
    },
    /// There is no From field, or nobody in it.
    NoAuthor,
    /// The author domain has no policy.
    NoPolicy {
        /// The author domain.
        domain: Domain,
    },
    /// The look-ups for this domain have not been made.
    NotDiscovered {
        /// The domain.
        domain: Domain,
    },
    /// A policy was found, and nothing is aligned with the author domain.
    NothingAligned {
        /// The author domain.
        domain: Domain,
    },
    /// The policy could not be looked up.
    PolicyUnknown {
        /// The name that was asked.
        name: Name,
        /// What went wrong.
        error: LookupError,
    },
    /// The author's mailboxes have several domains.
    SeveralDomains {
        /// How many.
        count: usize,
    },
    /// There are several From fields.
    SeveralFields {
        /// How many.
        fields: usize,
    },
    /// A name has several DMARC records, which ends the search by RFC 7489 6.6.3.
    SeveralRecords {
        /// The domain that publishes them.
        domain: Domain,
    },
    /// The record that was found has no policy that could be applied.
    UnusablePolicy {
        /// The domain that publishes it.
        domain: Domain,
    },
}

impl Cause {
    /// The result that follows.
    #[must_use]
    pub fn result(&self) -> DmarcResult {
        match self {
            Self::Aligned { .. } => DmarcResult::Pass,
            Self::NothingAligned { .. } => DmarcResult::Fail,
            Self::NoPolicy { .. } | Self::SeveralRecords { .. } | Self::UnusablePolicy { .. } => {
                DmarcResult::None
            }
            Self::AlignmentUnknown { .. }
            | Self::ExistenceUnknown { .. }
            | Self::IdentifierUnknown { .. }
            | Self::NotDiscovered { .. }
            | Self::PolicyUnknown { .. } => DmarcResult::Temperror,
            Self::AuthorUnreadable(_)
            | Self::NoAuthor
            | Self::SeveralDomains { .. }
            | Self::SeveralFields { .. } => DmarcResult::Permerror,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aligned { domain, method } => write!(
                f,
                "{domain}, authenticated by {method}, is aligned with the author domain"
            ),
            Self::AlignmentUnknown {
                domain,
                name,
                error,
            } => write!(
                f,
                "whether {domain} is aligned could not be found out: {name}: {error}"
            ),
            Self::AuthorUnreadable(error) => write!(f, "the author cannot be told: {error}"),
            Self::ExistenceUnknown { name, error } => write!(
                f,
                "whether the author domain exists could not be found out: {name}: {error}"
            ),
            Self::IdentifierUnknown { domain, method } => {
                write!(f, "{method} for {domain} could not be checked for now")
            }
            Self::NoAuthor => f.write_str("the message has no author"),
            Self::NoPolicy { domain } => write!(f, "{domain} has no DMARC policy"),
            Self::NotDiscovered { domain } => write!(f, "{domain} has not been looked up"),
            Self::NothingAligned { domain } => {
                write!(f, "nothing that authenticated is aligned with {domain}")
            }
            Self::PolicyUnknown { name, error } => {
                write!(f, "the policy could not be looked up: {name}: {error}")
            }
            Self::SeveralDomains { count } => {
                write!(f, "the message has authors of {count} domains")
            }
            Self::SeveralFields { fields } => write!(f, "the message has {fields} From fields"),
            Self::SeveralRecords { domain } => {
                write!(f, "{domain} publishes several DMARC records")
            }
            Self::UnusablePolicy { domain } => {
                write!(f, "the DMARC record of {domain} has no valid policy")
            }
        }
    }
}

/// Why an identifier did not make DMARC pass.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum WhyNot {
    /// It could not be authenticated for now.
    NotChecked,
    /// There is no policy that could say how it must be aligned.
    NoPolicy,
    /// It belongs to another organization than the author domain.
    OtherOrganization,
    /// It is of the author's organization, but the policy asks for the very same domain.
    StrictAlignment,
    /// Its organizational domain, or the author's, could not be looked up.
    OrganizationUnknown {
        /// The name that was asked.
        name: Name,
        /// What went wrong.
        error: LookupError,
    },
    /// Its organizational domain has not been looked up.
    NotDiscovered,
    /// Its organizational domain was not looked up: too many others were
    /// ([`max_walks`](super::Settings::max_walks)).
    LimitReached,
}

impl fmt::Display for WhyNot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotChecked => f.write_str("it could not be checked for now"),
            Self::NoPolicy => f.write_str("there is no policy"),
            Self::OtherOrganization => f.write_str("it belongs to another organization"),
            Self::StrictAlignment => f.write_str("the policy asks for the very same domain"),
            Self::OrganizationUnknown { name, error } => {
                write!(f, "its organizational domain is unknown: {name}: {error}")
            }
            Self::NotDiscovered => f.write_str("its organizational domain was not looked up"),
            Self::LimitReached => f.write_str("too many domains authenticated the message"),
        }
    }
}
