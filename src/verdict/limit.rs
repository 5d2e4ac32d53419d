//! The limits that a message ran into.

use std::fmt;

use super::Verdict;
use crate::arc;
use crate::dkim::{self, DkimResult, KeyRecordError, SignatureError};
use crate::dmarc::WhyNot;
use crate::dns::{Answer, Name, Question, Transcript};
use crate::domain::Domain;
use crate::message::{Author, AuthorError};
use crate::spf;

/// A limit that kept something from being done, see [limits](crate::howto::limits).
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
    /// A DKIM-Signature field was too long to be read.
    DkimField {
        /// Its length in octets.
        octets: usize,
    },
    /// The `h=` of a signature names too many fields.
    DkimSignedFields {
        /// How many it may name.
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
    /// A key record was too long to be read.
    DkimKeyRecord {
        /// Its length in octets.
        octets: usize,
    },
    /// More records stand where a key was looked for than keys are tried, and none that was tried
    /// fits the signature.
    DkimKeyRecords {
        /// The name of the key.
        name: Name,
        /// How many keys are tried.
        limit: usize,
    },
    /// More records stand where a policy was looked for than are looked at.
    DmarcRecords {
        /// The name of the policy.
        name: Name,
        /// How many are looked at.
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
            Self::DkimField { octets } => write!(f, "a DKIM-Signature field of {octets} octets"),
            Self::DkimSignedFields { limit } => {
                write!(f, "more than {limit} fields in the h= of a DKIM signature")
            }
            Self::DkimKeyRecord { octets } => write!(f, "a DKIM key record of {octets} octets"),
            Self::DkimKeyRecords { name, limit } => {
                write!(f, "more than {limit} DKIM keys at {name}")
            }
            Self::DmarcRecords { name, limit } => {
                write!(f, "more than {limit} TXT records at {name}")
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
        if let Some(limit) = hit_by(verification.cause())
            && !dkim.contains(&limit)
        {
            dkim.push(limit);
        }
    }
    let crowded = verdict.facts.crowded.iter();
    let crowded = crowded.filter(|hit| match hit {
        LimitHit::DkimKeyRecords { name, .. } => is_wanted(verdict, name),
        _ => true,
    });
    let too_many = Some(&WhyNot::LimitReached);
    let identifiers = verdict.dmarc().identifiers().iter();
    let walks = identifiers
        .filter(|alignment| alignment.why_not() == too_many)
        .map(|alignment| LimitHit::DmarcWalks {
            domain: alignment.domain().clone(),
        });
    let arc = match verdict.arc().cause() {
        arc::Cause::TooManySets { limit } => Some(LimitHit::ArcSets { limit: *limit }),
        arc::Cause::MessageSignature { cause, .. } | arc::Cause::Seal { cause, .. } => {
            hit_by(cause).filter(|hit| !dkim.contains(hit))
        }
        _ => None,
    };
    author
        .into_iter()
        .chain(spf)
        .chain(arc)
        .chain(dkim)
        .chain(crowded.cloned())
        .chain(walks)
        .collect()
}

fn hit_by(cause: &dkim::Cause) -> Option<LimitHit> {
    Some(match *cause {
        dkim::Cause::NotEvaluated { limit } => LimitHit::DkimSignatures { limit },
        dkim::Cause::HeaderTooLong { limit } => LimitHit::DkimHeader { limit },
        dkim::Cause::KeyTooLong { bits, limit } => LimitHit::DkimKey { bits, limit },
        dkim::Cause::Syntax(SignatureError::TooLong { length: octets }) => {
            LimitHit::DkimField { octets }
        }
        dkim::Cause::Syntax(SignatureError::TooManyFields { limit }) => {
            LimitHit::DkimSignedFields { limit }
        }
        dkim::Cause::KeySyntax(KeyRecordError::TooLong { length: octets }) => {
            LimitHit::DkimKeyRecord { octets }
        }
        _ => return None,
    })
}

/// Whether a signature that did not pass has its key there.
fn is_wanted(verdict: &Verdict, name: &Name) -> bool {
    let failed = verdict.dkim().iter();
    let mut failed = failed.filter(|one| one.result() != DkimResult::Pass);
    failed.any(|one| {
        let (Some(selector), Some(domain)) = (one.selector(), one.domain()) else {
            return false;
        };
        name.as_str() == format!("{selector}._domainkey.{domain}")
    })
}

/// The names of keys and policies that have more records than `keys` and `policies`: the limits,
/// which the facts alone do not tell.
pub(crate) fn crowded(transcript: &Transcript, keys: usize, policies: usize) -> Vec<LimitHit> {
    let questions = transcript.questions();
    let hit = questions.filter_map(|Question { name, answer, .. }| {
        let Answer::Records(records) = answer else {
            return None;
        };
        if records > policies && name.as_str().starts_with("_dmarc.") {
            let limit = policies;
            Some(LimitHit::DmarcRecords { name, limit })
        } else if records > keys && name.as_str().contains("._domainkey.") {
            let limit = keys;
            Some(LimitHit::DkimKeyRecords { name, limit })
        } else {
            None
        }
    });
    hit.collect()
}
