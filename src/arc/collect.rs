//! The first step: reading the sets of a header block, refusing what can be refused without asking
//! anybody, and keeping what the signatures of the rest were made over.

use std::time::{SystemTime, UNIX_EPOCH};

use super::cause::Cause;
use super::chain::{Chain, Link};
use super::fields::Signature;
use super::set::Set;
use super::settings::Settings;
use super::words::SetField;
use crate::dkim::header::{self, FieldIndex};
use crate::dkim::{self, BodyHashRequest, BodyHasher, Canonicalization, SignatureAlgorithm};
use crate::dns::Name;
use crate::message::{Field, Head};

/// The chain of a message, ready for its keys and the body. It borrows nothing.
#[derive(Clone, Debug)]
pub struct Collected {
    /// From the first set on.
    pub(super) sets: Vec<Pending>,
    /// The result, where it is known already.
    pub(super) refused: Option<Cause>,
    /// The fields of all sets, canonical, in the order in which seals cover them (§5.1.1).
    pub(super) sealed: Vec<u8>,
}

/// A set and what its signatures wait for; nothing, where the chain was refused.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) set: Set,
    pub(super) message: Option<Result<PendingMessage, dkim::Cause>>,
    pub(super) seal: Option<Result<PendingSeal, dkim::Cause>>,
}

/// A message signature that waits for its key and the body.
#[derive(Clone, Debug)]
pub(super) struct PendingMessage {
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) octets: Vec<u8>,
    pub(super) body_hash: Vec<u8>,
    pub(super) length: Option<u64>,
    pub(super) key_name: Name,
    /// What it should have been made over: how the body is canonicalized, and the canonical header.
    pub(super) forms: Vec<(Canonicalization, Vec<u8>)>,
}

/// A seal that waits for its key.
#[derive(Clone, Debug)]
pub(super) struct PendingSeal {
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) octets: Vec<u8>,
    pub(super) key_name: Name,
    /// How much of [`Collected::sealed`] it covers.
    pub(super) covered: usize,
    /// Itself, canonical and without its signature.
    pub(super) own: Vec<u8>,
}

impl Collected {
    /// Reads the ARC fields of a header block and checks the structure of the chain (§5.2, steps 1 to
    /// 3). `now` is for `x=`.
    ///
    /// ```
    /// use mailproof::{arc, message::Head};
    /// use std::time::SystemTime;
    ///
    /// let (head, _) = Head::parse(b"ARC-Seal: i=1; cv=fail\r\nFrom: a@example.com\r\n\r\n");
    /// let collected = arc::Collected::read(&head, SystemTime::now(), &arc::Settings::default());
    /// assert!(collected.key_names().is_empty());
    /// ```
    #[must_use]
    pub fn read(head: &Head<'_>, now: SystemTime, settings: &Settings) -> Self {
        let chain = Chain::read(head, settings);
        let refused = chain.check(settings).err();
        let sets = chain.links.iter().map(|(instance, link)| Pending {
            set: Set::read(*instance, link, head),
            message: None,
            seal: None,
        });
        let mut collected = Self {
            sets: sets.collect(),
            refused,
            sealed: Vec::new(),
        };
        if collected.refused.is_none() {
            collected.prepare(head, chain, now, settings);
        }
        collected
    }

    /// Whether the message has no ARC fields.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty() && self.refused == Some(Cause::NotSealed)
    }

    /// The names of the keys that are needed, each once.
    #[must_use]
    pub fn key_names(&self) -> Vec<Name> {
        let mut names: Vec<Name> = Vec::new();
        for pending in &self.sets {
            let message = pending.message.iter().flatten().map(|one| &one.key_name);
            let seal = pending.seal.iter().flatten().map(|one| &one.key_name);
            for name in message.chain(seal) {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
        names
    }

    /// A hasher for the body that computes what the chain needs. One pass can serve
    /// [DKIM as well](BodyHasher::and).
    #[must_use]
    pub fn body_hasher(&self) -> BodyHasher {
        BodyHasher::of(self.body_hash_requests())
    }

    pub(crate) fn body_hash_requests(&self) -> impl Iterator<Item = BodyHashRequest> {
        let waiting = self
            .sets
            .iter()
            .flat_map(|set| set.message.iter().flatten());
        waiting.flat_map(PendingMessage::requests)
    }

    fn prepare(&mut self, head: &Head<'_>, chain: Chain, now: SystemTime, settings: &Settings) {
        let index = FieldIndex::new(head);
        let mut room = settings.dkim.max_signed_octets;
        let mut links: Vec<Link> = chain.links.into_values().collect();
        let checked = if settings.check_older { links.len() } else { 1 };
        // From the newest down: if room is lacking, the old ones, on which less depends, lack it.
        let newest_first = self.sets.iter_mut().zip(&mut links).rev();
        for (pending, link) in newest_first.take(checked) {
            pending.message = Some(prepare_message(
                head, link, &index, &mut room, now, settings,
            ));
        }
        let fields = links.iter().flat_map(Link::positions);
        let fields = fields.filter_map(|position| head.fields().get(position));
        self.sealed.reserve(fields.map(written_length).sum());
        for (pending, link) in self.sets.iter_mut().zip(links) {
            pending.seal = Some(prepare_seal(
                head,
                link,
                &mut self.sealed,
                &mut room,
                settings,
            ));
        }
        self.refuse();
    }

    /// What fails whatever the DNS says need not be asked about.
    fn refuse(&mut self) {
        if let Some(newest) = self.sets.last()
            && let Some(Err(cause)) = &newest.message
        {
            let instance = newest.set.instance();
            self.refused = Some(match cause {
                dkim::Cause::Syntax(error) => Cause::Malformed {
                    instance,
                    field: SetField::MessageSignature.as_str(),
                    error: error.clone(),
                },
                cause => Cause::MessageSignature {
                    instance,
                    cause: cause.clone(),
                },
            });
        }
        if self.refused.is_none() {
            self.refused = self.sets.iter().rev().find_map(|pending| {
                let cause = pending.seal.as_ref()?.as_ref().err()?.clone();
                let instance = pending.set.instance();
                Some(Cause::Seal { instance, cause })
            });
        }
        if self.refused.is_some() {
            for pending in &mut self.sets {
                pending.message = None;
                pending.seal = None;
            }
        }
    }
}

impl PendingMessage {
    fn requests(&self) -> impl Iterator<Item = BodyHashRequest> {
        self.forms.iter().map(|(body, _)| self.request(*body))
    }

    pub(super) fn request(&self, body: Canonicalization) -> BodyHashRequest {
        BodyHashRequest::new(self.algorithm.hash(), body).with_length(self.length)
    }
}

fn prepare_message(
    head: &Head<'_>,
    link: &mut Link,
    index: &FieldIndex<'_>,
    room: &mut usize,
    now: SystemTime,
    settings: &Settings,
) -> Result<PendingMessage, dkim::Cause> {
    let Some((position, parsed)) = link.signatures.first_mut() else {
        return Err(dkim::Cause::NoKey);
    };
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return Err(dkim::Cause::Syntax(error.clone())),
    };
    let key_name = key_name(&parsed.signature, settings)?;
    let seconds = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    if let Some(expiration) = parsed.expiration
        && seconds > expiration.saturating_add(settings.dkim.clock_skew.as_secs())
    {
        return Err(dkim::Cause::Expired {
            expiration,
            seconds: seconds.saturating_sub(expiration),
        });
    }
    if parsed.length.is_some() && settings.dkim.refuse_length {
        return Err(dkim::Cause::LengthGiven);
    }
    let selected = index.select(parsed.signed_fields.iter(), *position);
    let mut forms = Vec::with_capacity(parsed.forms.len());
    for (canonicalization, body) in &parsed.forms {
        let data = header::write_selected(head, &selected, *canonicalization, *room);
        let (Some(mut header), Some(own)) = (data, head.fields().get(*position)) else {
            let limit = settings.dkim.max_signed_octets;
            return Err(dkim::Cause::HeaderTooLong { limit });
        };
        *room -= header.len();
        header::write_own(own, *canonicalization, &mut header);
        forms.push((*body, header));
    }
    Ok(PendingMessage {
        algorithm: parsed.signature.algorithm,
        octets: std::mem::take(&mut parsed.signature.octets),
        body_hash: std::mem::take(&mut parsed.body_hash),
        length: parsed.length,
        key_name,
        forms,
    })
}

/// §5.1.1: sets ‘in increasing instance order’, and in each ARC-Authentication-Results,
/// ARC-Message-Signature, ARC-Seal; the seal itself last and without the value of its `b=`.
fn prepare_seal(
    head: &Head<'_>,
    mut link: Link,
    sealed: &mut Vec<u8>,
    room: &mut usize,
    settings: &Settings,
) -> Result<PendingSeal, dkim::Cause> {
    let results = link.results.first().copied();
    let message = link.signatures.first().map(|(position, _)| *position);
    for position in results.into_iter().chain(message) {
        write_sealed(head, position, sealed);
    }
    let covered = sealed.len();
    let Some((position, Ok(seal))) = link.seals.pop() else {
        return Err(dkim::Cause::NoKey);
    };
    write_sealed(head, position, sealed);
    let key_name = key_name(&seal.signature, settings)?;
    // Each seal covers all sets below it, so that the octets to be hashed grow with the square of
    // the chain.
    *room = room
        .checked_sub(covered)
        .ok_or(dkim::Cause::HeaderTooLong {
            limit: settings.dkim.max_signed_octets,
        })?;
    let mut own = Vec::new();
    if let Some(field) = head.fields().get(position) {
        own.reserve(written_length(field));
        header::write_own(field, Canonicalization::Relaxed, &mut own);
    }
    Ok(PendingSeal {
        algorithm: seal.signature.algorithm,
        octets: seal.signature.octets,
        key_name,
        covered,
        own,
    })
}

/// §4.1.3: ‘only "relaxed" header field canonicalization ... is used’.
pub(super) fn write_sealed(head: &Head<'_>, position: usize, sealed: &mut Vec<u8>) {
    if let Some(field) = head.fields().get(position) {
        Canonicalization::Relaxed.write_header_field(
            field.name(),
            field.gap(),
            field.value(),
            sealed,
        );
        sealed.extend_from_slice(b"\r\n");
    }
}

/// At most as many octets has a field in relaxed form.
fn written_length(field: &Field<'_>) -> usize {
    field.name().len() + field.value().len() + 3
}

fn key_name(signature: &Signature, settings: &Settings) -> Result<Name, dkim::Cause> {
    if signature.algorithm == SignatureAlgorithm::RsaSha1 && !settings.dkim.allow_sha1 {
        return Err(dkim::Cause::Sha1);
    }
    signature.key_name().map_err(dkim::Cause::KeyName)
}
