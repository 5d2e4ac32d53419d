//! The traces that forwarders and mailing lists leave on a message.

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
            Some(Ok(ReversePath::Mailbox(address))) => srs::Claimed::of(&address),
            Some(Ok(ReversePath::Null) | Err(_)) | None => None,
        };
        let list = ["List-Id", "List-Post"].iter().find_map(|name| {
            let field = head.named(name.as_bytes()).next()?;
            let value = field.value();
            let beginning = value.get(..FIELD_OCTETS).unwrap_or(value);
            let list = text::one_line(text::lossy(beginning).trim(), LIST_CHARACTERS);
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
    pub(super) fn authenticated_party(&self, facts: &Facts) -> Option<Reason> {
        self.party(facts, Status::Pass, facts.arc.result() == ArcResult::Pass)
    }

    /// What kept us from knowing whether there is such a party, where the DNS did.
    pub(super) fn unknown_party(&self, facts: &Facts) -> Option<Reason> {
        let party = self.party_in_question(facts)?;
        Some(
            match party.identifier().map(AuthenticatedIdentifier::method) {
                Some(Method::Spf) => Reason::SpfUnknown,
                Some(Method::Dkim) | None => Reason::KeyUnknown,
            },
        )
    }

    /// Whose key could have shown such a party.
    pub(super) fn unknown_signer(&self, facts: &Facts) -> Option<Domain> {
        match self.party_in_question(facts)? {
            Reason::RelayedBySealer { sealer } => Some(sealer),
            party => party.identifier().map(|one| one.domain().clone()),
        }
    }

    fn party_in_question(&self, facts: &Facts) -> Option<Reason> {
        self.party(facts, Status::Temperror, facts.arc.cause().is_temporary())
    }

    /// The party that relayed the message, as the reason of a decision.
    fn party(&self, facts: &Facts, status: Status, sealed: bool) -> Option<Reason> {
        let passed = || {
            facts.identifiers().filter(|identifier| {
                identifier.status() == status && !facts.is_of_author(identifier.domain())
            })
        };
        if let Some(forwarder) = self.srs.as_ref().map(srs::Claimed::forwarder)
            && forwarder.label_count() > 1
            && let Some(identifier) = passed().find(|one| one.domain().is_within(forwarder))
        {
            let forwarder = forwarder.clone();
            return Some(Reason::RelayedByForwarder {
                forwarder,
                identifier,
            });
        }
        if let Some(list) = &self.list
            && let Some(identifier) = passed().next()
        {
            let list = list.clone();
            return Some(Reason::RelayedByList { list, identifier });
        }
        let newest = facts.arc.sets().last().filter(|_| sealed)?;
        let sealer = newest
            .domain()
            .filter(|domain| !facts.is_of_author(domain))?
            .clone();
        Some(Reason::RelayedBySealer { sealer })
    }
}

/// The domain of the address in the first of the fields that the header block has.
fn domain_in(head: &Head<'_>, names: &[&str]) -> Option<Domain> {
    let field = names
        .iter()
        .find_map(|name| head.named(name.as_bytes()).next())?;
    if field.value().len() > FIELD_OCTETS {
        return None;
    }
    let value = text::lossy(text::trim_fws(field.value())).into_owned();
    let address = match value.rsplit_once('<') {
        Some((_, address)) => address.strip_suffix('>')?,
        None => &value,
    };
    Some(Address::parse(address.as_bytes()).ok()?.domain().clone())
}

/// Far more than an address or a name takes up; strangers write fields of any length.
const FIELD_OCTETS: usize = 65_536;

/// A List-Id is at most 255 octets (RFC 2919 3); a phrase may precede it.
const LIST_CHARACTERS: usize = 300;
