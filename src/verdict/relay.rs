//! The traces that forwarders and mailing lists leave on a message.

use std::fmt;

use super::earlier::{self, EarlierSpf};
use super::{Facts, Reason};
use crate::address::{Address, ReversePath};
use crate::arc::ArcResult;
use crate::domain::Domain;
use crate::identifier::{AuthenticatedIdentifier, Method, Status};
use crate::message::Head;
use crate::session::Session;
use crate::{srs, text};

/// What envelope and header tell about the way of a message. All of it is a claim of whoever wrote
/// it.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Relay {
    /// The reverse-path was rewritten (SRS): by whom, and what it was before.
    pub srs: Option<srs::Claimed>,
    /// The List-Id field (RFC 2919), or that there is a List-Post field (RFC 2369).
    pub list: Option<String>,
    /// The domain of the Sender field, where there is one and it holds a plain address.
    pub sender: Option<Domain>,
    /// The domain of the topmost Resent-Sender or Resent-From field (RFC 5322 3.6.6), likewise.
    pub resent: Option<Domain>,
    /// What earlier hosts say that SPF gave, top to bottom.
    pub earlier_spf: Vec<EarlierSpf>,
}

impl Relay {
    /// Reads the traces.
    pub(crate) fn read(session: &Session, head: &Head<'_>) -> Self {
        let srs = match session.reverse_path() {
            Some(Ok(ReversePath::Mailbox(address))) => srs::Claimed::decode(address.to_string()),
            Some(Ok(ReversePath::Null) | Err(_)) | None => None,
        };
        let list = ["List-Id", "List-Post"].iter().find_map(|name| {
            let field = head.named(name.as_bytes()).next()?;
            let list = text::one_line(text::lossy(field.value()).trim(), LIST_CHARACTERS);
            (!list.is_empty()).then_some(list)
        });
        Self {
            srs,
            list,
            sender: domain_in(head, &["Sender"]),
            resent: domain_in(head, &["Resent-Sender", "Resent-From"]),
            earlier_spf: earlier::read(head),
        }
    }

    /// The third party that relayed the message and is authenticated itself: the forwarder whose
    /// SRS address passed SPF or who signed, a list under anybody's passing identifier, or the last
    /// sealer of a valid ARC chain. The author's own organization, which asks for strict alignment,
    /// is no third party; nor is a top-level domain a forwarder.
    pub(super) fn authenticated_party(&self, facts: &Facts) -> Option<Party> {
        self.party(facts, Status::Pass, facts.arc.result() == ArcResult::Pass)
    }

    /// What kept us from knowing whether there is such a party, where the DNS did.
    pub(super) fn unknown_party(&self, facts: &Facts) -> Option<Reason> {
        let party = self.party(facts, Status::TempError, facts.arc.cause().is_temporary())?;
        Some(match party {
            Party::Forwarder { identifier, .. } | Party::List { identifier, .. } => {
                match identifier.method() {
                    Method::Dkim => Reason::KeyUnknown,
                    Method::Spf => Reason::SpfUnknown,
                }
            }
            Party::Sealer { .. } => Reason::KeyUnknown,
        })
    }

    fn party(&self, facts: &Facts, status: Status, sealed: bool) -> Option<Party> {
        let mut passed = facts.identifiers().filter(|identifier| {
            identifier.status() == status && !facts.is_of_author(identifier.domain())
        });
        if let Some(srs) = &self.srs {
            let forwarder = srs.forwarder();
            return passed
                .find(|identifier| {
                    forwarder.label_count() > 1 && identifier.domain().is_within(forwarder)
                })
                .map(|identifier| Party::Forwarder {
                    forwarder: forwarder.clone(),
                    identifier,
                });
        }
        if let Some(list) = &self.list
            && let Some(identifier) = passed.next()
        {
            let list = list.clone();
            return Some(Party::List { list, identifier });
        }
        let newest = facts.arc.sets().last().filter(|_| sealed)?;
        let sealer = newest
            .domain()
            .filter(|domain| !facts.is_of_author(domain))?
            .clone();
        Some(Party::Sealer { sealer })
    }
}

/// The domain of the address in the first of the fields that the header block has.
fn domain_in(head: &Head<'_>, names: &[&str]) -> Option<Domain> {
    let field = names
        .iter()
        .find_map(|name| head.named(name.as_bytes()).next())?;
    let value = text::lossy(text::trim_fws(field.value())).into_owned();
    let address = match value.rsplit_once('<') {
        Some((_, address)) => address.strip_suffix('>')?,
        None => &value,
    };
    Some(Address::parse(address.as_bytes()).ok()?.domain().clone())
}

/// An authenticated third party between author and receiver.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Party {
    /// A forwarder that rewrites envelope senders (SRS).
    Forwarder {
        /// Its domain.
        forwarder: Domain,
        /// What authenticates it.
        identifier: AuthenticatedIdentifier,
    },
    /// Whoever sealed the message last (ARC).
    Sealer {
        /// The `d=` of the seal.
        sealer: Domain,
    },
    /// A mailing list.
    List {
        /// Its List-Id.
        list: String,
        /// What authenticates whoever sent the message on.
        identifier: AuthenticatedIdentifier,
    },
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Forwarder {
                forwarder,
                identifier,
            } => write!(
                f,
                "{forwarder}, authenticated by {}, relayed the message and rewrote its envelope \
                 sender (SRS)",
                identifier.method()
            ),
            Self::Sealer { sealer } => {
                write!(f, "{sealer} relayed the message and sealed it (ARC)")
            }
            Self::List { list, identifier } => write!(
                f,
                "{}, authenticated by {}, relayed the message for the list {list}",
                identifier.domain(),
                identifier.method()
            ),
        }
    }
}

/// A List-Id is at most 255 octets (RFC 2919 3); a phrase may precede it.
const LIST_CHARACTERS: usize = 300;
