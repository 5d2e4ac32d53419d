//! Why a check ended as it did.

use std::fmt;
use std::net::IpAddr;

use super::place::Place;
use super::record::Qualifier;
use super::syntax::SyntaxError;
use super::{Identity, Prefix, SpfResult};
use crate::address::AddressError;
use crate::dns::{LookupError, Name, RecordType};

/// The reason of a result. [`Display`](fmt::Display) says it in one sentence for a postmaster.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Cause {
    /// A directive matched; its qualifier is the result (§4.6.2).
    Matched(Matched),
    /// No directive matched, and no redirect led further: neutral (§4.7).
    NoMatch {
        /// The record that was evaluated last.
        place: Place,
        /// The client.
        client: IpAddr,
    },
    /// The domain has no SPF record: none (§4.5).
    NoRecord {
        /// The domain.
        domain: Name,
    },
    /// The domain does not exist: none (§4.3).
    NoSuchDomain {
        /// The domain.
        domain: Name,
    },
    /// The identity holds no domain that could have a record: none (§4.3).
    UnusableDomain {
        /// Which identity.
        identity: Identity,
        /// What it holds, with `\xNN` for octets that are not visible ASCII.
        text: Box<str>,
        /// What is wrong with it: the error of [`Domain::parse`](crate::Domain::parse), or that it is an
        /// address, a single label, or (in HELO, RFC 8616 4) not ASCII.
        error: Box<str>,
    },
    /// MAIL FROM is neither null nor a mailbox: none. It is not taken for the null reverse-path.
    MalformedReversePath {
        /// What it holds, with `\xNN` for octets that are not visible ASCII.
        text: Box<str>,
        /// What is wrong with it.
        #[cfg_attr(feature = "serde", serde(serialize_with = "as_text"))]
        error: AddressError,
    },
    /// The session says too little to check anything: none. Holds what is not known, as in `the
    /// argument of HELO`.
    Unknown(&'static str),
    /// More than one SPF record: permerror (§4.5).
    SeveralRecords {
        /// Where they were found.
        place: Place,
        /// How many.
        count: usize,
    },
    /// A syntax error in a record: permerror (§4.6).
    Syntax {
        /// Whose record it is.
        place: Place,
        /// The error.
        error: SyntaxError,
    },
    /// The target of an include or redirect has no SPF record: permerror (§5.2, §6.1).
    TargetWithoutRecord {
        /// The term.
        place: Place,
        /// The target.
        target: Name,
    },
    /// The target of an include or redirect expands to nothing that could have a record: permerror
    /// (§5.2, §6.1).
    UnusableTarget {
        /// The term.
        place: Place,
    },
    /// A limit was exceeded: permerror (§4.6.4).
    Limit {
        /// Where.
        place: Place,
        /// Which.
        limit: Limit,
    },
    /// The DNS gave no answer: temperror (§4.4, §5).
    Dns {
        /// For which record and term.
        place: Place,
        /// The name that was asked for.
        name: Name,
        /// The type that was asked for.
        record_type: RecordType,
        /// What happened.
        error: LookupError,
    },
}

impl Cause {
    /// The result word that follows.
    #[must_use]
    pub fn result(&self) -> SpfResult {
        match self {
            Self::Matched(matched) => match matched.qualifier {
                Qualifier::Pass => SpfResult::Pass,
                Qualifier::Fail => SpfResult::Fail,
                Qualifier::Softfail => SpfResult::Softfail,
                Qualifier::Neutral => SpfResult::Neutral,
            },
            Self::NoMatch { .. } => SpfResult::Neutral,
            Self::NoRecord { .. }
            | Self::NoSuchDomain { .. }
            | Self::UnusableDomain { .. }
            | Self::MalformedReversePath { .. }
            | Self::Unknown(_) => SpfResult::None,
            Self::SeveralRecords { .. }
            | Self::Syntax { .. }
            | Self::TargetWithoutRecord { .. }
            | Self::UnusableTarget { .. }
            | Self::Limit { .. } => SpfResult::Permerror,
            Self::Dns { .. } => SpfResult::Temperror,
        }
    }

    /// Where in the records the check ended; `None` where no record was reached.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Matched(matched) => Some(&matched.place),
            Self::NoMatch { place, .. }
            | Self::SeveralRecords { place, .. }
            | Self::Syntax { place, .. }
            | Self::TargetWithoutRecord { place, .. }
            | Self::UnusableTarget { place, .. }
            | Self::Limit { place, .. }
            | Self::Dns { place, .. } => Some(place),
            Self::NoRecord { .. }
            | Self::NoSuchDomain { .. }
            | Self::UnusableDomain { .. }
            | Self::MalformedReversePath { .. }
            | Self::Unknown(_) => None,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Matched(matched) => matched.fmt(f),
            Self::NoMatch { place, client } => {
                write!(f, "nothing in {place} covers {client}")
            }
            Self::NoRecord { domain } => write!(f, "{domain} has no SPF record"),
            Self::NoSuchDomain { domain } => write!(f, "{domain} does not exist"),
            Self::UnusableDomain {
                identity,
                text,
                error,
            } => {
                let command = match identity {
                    Identity::Helo => "HELO",
                    Identity::MailFrom => "MAIL FROM",
                };
                write!(f, "{command} has no domain to check in \"{text}\": {error}")
            }
            Self::MalformedReversePath { text, error } => {
                write!(f, "MAIL FROM \"{text}\" is not an address: {error}")
            }
            Self::Unknown(what) => write!(f, "{what} is not known"),
            Self::SeveralRecords { place, count } => {
                write!(f, "{} has {count} SPF records", place.record())
            }
            Self::Syntax { place, error } => write!(f, "{error} of {place}"),
            Self::TargetWithoutRecord { place, target, .. } => {
                write!(
                    f,
                    "{place} needs the SPF record of {target}, which has none"
                )
            }
            Self::UnusableTarget { place, .. } => {
                write!(f, "{place} leads to no domain that could have a record")
            }
            Self::Limit { place, limit } => write!(f, "{place} exceeds {limit}"),
            Self::Dns {
                place,
                name,
                record_type,
                error,
            } => write!(
                f,
                "no {record_type} records of {name} to be had for {place}: {error}"
            ),
        }
    }
}

/// A directive that matched, and how the check came to it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Matched {
    /// The directive and its record. Behind an include, this is the directive of the included record.
    pub place: Place,
    /// The result: that of the directive itself, or of the outermost include that led to it.
    pub qualifier: Qualifier,
    /// The client.
    pub client: IpAddr,
    /// The addresses that matched: of `ip4` and `ip6` as written, of `a` and `mx` around the address
    /// of the host.
    pub prefix: Option<Prefix>,
    /// The host or name by which `a`, `mx`, `ptr` or `exists` matched.
    pub host: Option<Name>,
    /// How many addresses of the client's family the directive covers, by the addresses of
    /// [`host`](Self::host); unknown for `ptr` and `exists`. All of IPv6 counts as [`u128::MAX`].
    pub addresses: Option<u128>,
}

impl fmt::Display for Matched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, client, .. } = self;
        if place.is_all() {
            return write!(f, "nothing before {place} covers {client}");
        }
        write!(f, "{place} covers {client}")?;
        match (&self.host, self.prefix) {
            (Some(host), Some(prefix)) => write!(f, " by {prefix} of {host}"),
            (Some(host), None) => write!(f, " by {host}"),
            (None, _) => Ok(()),
        }
    }
}

/// A limit of §4.6.4, or one of the [`Settings`](super::Settings) besides.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Limit {
    /// Addresses of one host, none of those looked at being the client's.
    Addresses {
        /// The most that are looked at.
        most: usize,
        /// How many there are.
        found: usize,
    },
    /// Terms that cause look-ups.
    LookupTerms {
        /// The most that are allowed.
        most: usize,
    },
    /// Look-ups without an answer.
    VoidLookups {
        /// The most that are allowed.
        most: usize,
        /// Whether each empty answer was counted, see
        /// [`Settings::every_empty_answer_is_void`](super::Settings::every_empty_answer_is_void).
        every_empty_answer: bool,
    },
    /// Names in one MX answer.
    MxNames {
        /// The most that are allowed.
        most: usize,
        /// How many there are.
        found: usize,
    },
    /// Questions to the DNS in one check.
    Queries {
        /// The most that are allowed.
        most: usize,
    },
    /// Octets of a record.
    RecordOctets {
        /// The most that are allowed.
        most: usize,
        /// How many there are.
        found: usize,
    },
    /// TXT records at one name, among which that of SPF must be found.
    TxtRecords {
        /// The most that are allowed.
        most: usize,
        /// How many there are.
        found: usize,
    },
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Addresses { most, found } => {
                write!(f, "the limit of {most} addresses of one host with {found}")
            }
            Self::LookupTerms { most } => {
                write!(f, "the limit of {most} terms that ask the DNS")
            }
            Self::VoidLookups {
                most,
                every_empty_answer,
            } => {
                write!(f, "the limit of {most} look-ups without an answer")?;
                if *every_empty_answer {
                    f.write_str(", each address family counted")?;
                }
                Ok(())
            }
            Self::MxNames { most, found } => {
                write!(f, "the limit of {most} mail exchangers with {found}")
            }
            Self::Queries { most } => write!(f, "the limit of {most} questions to the DNS"),
            Self::RecordOctets { most, found } => {
                write!(f, "the limit of {most} octets with {found}")
            }
            Self::TxtRecords { most, found } => {
                write!(f, "the limit of {most} TXT records with {found}")
            }
        }
    }
}

#[cfg(feature = "serde")]
fn as_text<S: serde::Serializer>(
    value: &impl fmt::Display,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}
