//! The limits that a message ran into.

use std::fmt;

use super::Verdict;
use crate::arc;
use crate::dkim;
use crate::dmarc::WhyNot;
use crate::domain::Domain;
use crate::message::{Author, AuthorError};
use crate::spf;

/// A limit that kept something from being done, see [`Limits`](crate::Limits).
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum LimitHit {
    /// The message has more ARC sets than are looked at.
    ArcSets {
        /// How many are looked at.
        limit: usize,
    },
    /// The From field was too long or had too many mailboxes, or the header block too many fields.
    Author(AuthorError),
    /// Signatures were left out.
    DkimSignatures {
        /// How many are evaluated.
        limit: usize,
    },
    /// Header fields were too long to be hashed.
    DkimHeader {
        /// The octets that are hashed.
        limit: usize,
    },
    /// A key was too long to be used.
    DkimKey {
        /// Its length in bits.
        bits: usize,
        /// The most that is used.
        limit: usize,
    },
    /// The organizational domain of an authenticated domain was not looked up.
    DmarcWalks {
        /// The authenticated domain.
        domain: Domain,
    },
    /// SPF was given up.
    Spf {
        /// The identity that was checked.
        identity: spf::Identity,
        /// The limit.
        limit: spf::Limit,
    },
}

impl fmt::Display for LimitHit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ArcSets { limit } => write!(f, "more than {limit} ARC sets"),
            Self::Author(error) => error.fmt(f),
            Self::DkimSignatures { limit } => {
                write!(
                    f,
                    "more than {limit} DKIM signatures, the others were left out"
                )
            }
            Self::DkimHeader { limit } => {
                write!(f, "more than {limit} octets of signed header fields")
            }
            Self::DkimKey { bits, limit } => {
                write!(f, "a DKIM key of {bits} bits, more than {limit}")
            }
            Self::DmarcWalks { domain } => {
                write!(f, "the organizational domain of {domain} was not looked up")
            }
            Self::Spf { identity, limit } => write!(f, "SPF of {identity} exceeds {limit}"),
        }
    }
}

pub(super) fn hit(verdict: &Verdict) -> Vec<LimitHit> {
    let author = match verdict.author() {
        Author::Unparseable(
            error @ (AuthorError::TooLong { .. }
            | AuthorError::TooMany { .. }
            | AuthorError::TooManyFields { .. }),
        ) => Some(LimitHit::Author(error.clone())),
        _ => None,
    };
    let evaluations = [verdict.spf().mail_from(), verdict.spf().helo()];
    let spf = evaluations
        .into_iter()
        .flatten()
        .filter_map(|evaluation| match evaluation.cause() {
            spf::Cause::Limit { limit, .. } => Some(LimitHit::Spf {
                identity: evaluation.identity(),
                limit: *limit,
            }),
            _ => None,
        });
    let mut dkim: Vec<LimitHit> = Vec::new();
    for verification in verdict.dkim() {
        let limit = match *verification.cause() {
            dkim::Cause::NotEvaluated { limit } => LimitHit::DkimSignatures { limit },
            dkim::Cause::HeaderTooLong { limit } => LimitHit::DkimHeader { limit },
            dkim::Cause::KeyTooLong { bits, limit } => LimitHit::DkimKey { bits, limit },
            _ => continue,
        };
        if !dkim.contains(&limit) {
            dkim.push(limit);
        }
    }
    let too_many = Some(&WhyNot::LimitReached);
    let identifiers = verdict.dmarc().identifiers().iter();
    let walks = identifiers
        .filter(|alignment| alignment.why_not() == too_many)
        .map(|alignment| LimitHit::DmarcWalks {
            domain: alignment.domain().clone(),
        });
    let arc = match *verdict.arc().cause() {
        arc::Cause::TooManySets { limit } => Some(LimitHit::ArcSets { limit }),
        _ => None,
    };
    author
        .into_iter()
        .chain(spf)
        .chain(dkim)
        .chain(arc)
        .chain(walks)
        .collect()
}
