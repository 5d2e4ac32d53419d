//! The traces that forwarders and mailing lists leave on a message.

use std::fmt;

use super::Facts;
use crate::address::ReversePath;
use crate::domain::Domain;
use crate::identifier::{AuthenticatedIdentifier, Status};
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
}

impl Relay {
    /// Reads the traces.
    pub(crate) fn read(session: &Session, head: &Head<'_>) -> Self {
        let srs = match session.reverse_path() {
            Some(Ok(ReversePath::Mailbox(address))) => srs::decode(address.to_string()),
            Some(Ok(ReversePath::Null) | Err(_)) | None => None,
        };
        let list = ["List-Id", "List-Post"].iter().find_map(|name| {
            let field = head.named(name.as_bytes()).next()?;
            let list = text::one_line(text::lossy(field.value()).trim(), LIST_CHARACTERS);
            (!list.is_empty()).then_some(list)
        });
        Self { srs, list }
    }

    /// The third party that relayed the message and is authenticated itself: the forwarder whose
    /// SRS address passed SPF or who signed, or a list under anybody's passing identifier. The
    /// author's own organization, which asks for strict alignment, is no third party.
    pub(super) fn authenticated_party(&self, facts: &Facts) -> Option<Party> {
        let mut passed = facts.identifiers().filter(|identifier| {
            identifier.status() == Status::Pass && !facts.is_of_author(identifier.domain())
        });
        if let Some(srs) = &self.srs {
            let forwarder = srs.forwarder();
            return passed
                .find(|identifier| identifier.domain().is_within(forwarder))
                .map(|identifier| Party::Forwarder {
                    forwarder: forwarder.clone(),
                    identifier,
                });
        }
        let list = self.list.clone()?;
        passed
            .next()
            .map(|identifier| Party::List { list, identifier })
    }
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
