//! The first step: reading the signatures of a header block, refusing what can be refused without
//! asking anybody, and hashing or keeping the header data of the rest (§6.1.1).

use std::cmp::Reverse;
use std::time::{SystemTime, UNIX_EPOCH};

use super::algorithm::SignatureAlgorithm;
use super::body_hash::{BodyHashRequest, BodyHasher};
use super::cause::Cause;
use super::header::{self, Coverage, FieldIndex, Present};
use super::key_check::signed_octets;
use super::settings::Settings;
use super::signature::Signature;
use super::signature_error::{Salvage, SignatureError};
use crate::dns::Name;
use crate::domain::Domain;
use crate::message::{Field, Head};

/// The signatures of a message, ready for their keys and the body. It borrows nothing.
#[derive(Clone, Debug)]
pub struct Collected {
    pub(super) candidates: Vec<Candidate>,
}

/// A DKIM-Signature field.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) position: usize,
    pub(super) read: Result<Signature, Salvage>,
    pub(super) coverage: Coverage,
    pub(super) step: Step,
}

/// How far a signature has come.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// The result is known.
    Refused(Cause),
    /// It waits for its key and the body.
    Waiting {
        key_name: Name,
        /// What the signature should have been made over.
        signed: Vec<u8>,
    },
}

impl Collected {
    /// Reads all DKIM-Signature fields of a header block.
    ///
    /// No more than [`max_signatures`](crate::dkim::Settings::max_signatures) get any further: first those
    /// whose `d=` is related to the `preferred` domain, usually the author's, then those higher up.
    /// Of more fields than [`max_signature_fields`](crate::dkim::Settings::max_signature_fields), the further ones
    /// are not read at all. Results keep the order of the message. `now` is for `x=` and `t=`.
    ///
    /// ```
    /// use mailproof::{dkim, message::Head};
    /// use std::time::SystemTime;
    ///
    /// let (head, _) = Head::parse(b"DKIM-Signature: v=2\r\nFrom: a@example.com\r\n\r\n");
    /// let settings = dkim::Settings::default();
    /// let collected = dkim::Collected::read(&head, None, SystemTime::now(), &settings);
    /// assert_eq!(collected.len(), 1);
    /// assert!(collected.key_names().is_empty());
    /// ```
    #[must_use]
    pub fn read(
        head: &Head<'_>,
        preferred: Option<&Domain>,
        now: SystemTime,
        settings: &Settings,
    ) -> Self {
        let mut candidates: Vec<Candidate> = head
            .fields()
            .iter()
            .enumerate()
            .filter(|(_, field)| field.is(b"DKIM-Signature"))
            .enumerate()
            .map(|(number, (position, field))| {
                if number < settings.max_signature_fields {
                    Candidate::read(position, field, now, settings)
                } else {
                    Candidate::unread(position, settings.max_signature_fields)
                }
            })
            .collect();
        if candidates.is_empty() {
            return Self { candidates };
        }
        refuse_beyond_limit(&mut candidates, preferred, settings.max_signatures);
        let index = FieldIndex::new(head);
        let present = Present::of(head);
        let mut room = settings.max_signed_octets;
        for candidate in &mut candidates {
            candidate.select_header(head, &index, &present, &mut room, settings);
        }
        Self { candidates }
    }

    /// How many DKIM-Signature fields the message has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.candidates.len()
    }

    /// Whether the message is not signed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.candidates.is_empty()
    }

    /// The names of the keys that are needed, each once.
    #[must_use]
    pub fn key_names(&self) -> Vec<Name> {
        let mut names: Vec<Name> = Vec::new();
        for candidate in &self.candidates {
            if let Step::Waiting { key_name, .. } = &candidate.step
                && !names.contains(key_name)
            {
                names.push(key_name.clone());
            }
        }
        names
    }

    /// The `d=` of each signature that may still pass; one may stand several times.
    pub fn signing_domains(&self) -> impl Iterator<Item = &Domain> {
        let waiting = self
            .candidates
            .iter()
            .filter(|candidate| matches!(candidate.step, Step::Waiting { .. }));
        waiting.filter_map(|candidate| candidate.read.as_ref().ok().map(Signature::signing_domain))
    }

    pub(crate) fn body_hash_requests(&self) -> impl Iterator<Item = BodyHashRequest> {
        let waiting = self
            .candidates
            .iter()
            .filter(|candidate| matches!(candidate.step, Step::Waiting { .. }));
        waiting
            .filter_map(|candidate| candidate.read.as_ref().ok())
            .map(body_hash_request)
    }

    /// A hasher for the body that computes what the signatures need.
    #[must_use]
    pub fn body_hasher(&self) -> BodyHasher {
        BodyHasher::of(self.body_hash_requests())
    }
}

/// What a signature wants of the body.
pub(super) fn body_hash_request(signature: &Signature) -> BodyHashRequest {
    BodyHashRequest::new(
        signature.algorithm().hash(),
        signature.body_canonicalization(),
    )
    .with_length(signature.length())
}

impl Candidate {
    fn read(position: usize, field: &Field<'_>, now: SystemTime, settings: &Settings) -> Self {
        let value = field.value();
        let parsed = if value.len() > settings.max_signature_octets {
            Err(SignatureError::TooLong {
                length: value.len(),
            })
        } else {
            Signature::parse(value, settings.max_signed_fields)
        };
        let (read, step) = match parsed {
            Err(error) => (
                Err(Salvage::read(value)),
                Step::Refused(Cause::Syntax(error)),
            ),
            Ok(signature) => {
                let step = first_look(&signature, now, settings);
                (Ok(signature), step.unwrap_or_else(Step::Refused))
            }
        };
        Self {
            position,
            read,
            coverage: Coverage::default(),
            step,
        }
    }

    /// A field that is only counted.
    fn unread(position: usize, limit: usize) -> Self {
        Self {
            position,
            read: Err(Salvage::default()),
            coverage: Coverage::default(),
            step: Step::Refused(Cause::NotEvaluated { limit }),
        }
    }

    fn select_header(
        &mut self,
        head: &Head<'_>,
        index: &FieldIndex<'_>,
        present: &Present,
        room: &mut usize,
        settings: &Settings,
    ) {
        let (Ok(signature), Step::Waiting { signed, .. }) = (&mut self.read, &mut self.step) else {
            return;
        };
        let names = signature.take_signed_fields();
        self.coverage = Coverage {
            positions: index.select(names.iter(), self.position),
            names,
            own: self.position,
            present: present.clone(),
        };
        let forbidden = &settings.forbidden_unsigned;
        let is_forbidden = |unsigned: &str| {
            forbidden
                .iter()
                .any(|name| name.eq_ignore_ascii_case(unsigned))
        };
        // Only where there is one are all listed, to name the first of the message.
        let mut counts = forbidden
            .iter()
            .map(|name| self.coverage.count_unsigned(name, index));
        if counts.any(|count| count != 0)
            && let Some((name, _)) = self
                .coverage
                .unsigned()
                .find(|(name, _)| is_forbidden(name))
        {
            let name = name.to_owned();
            self.step = Step::Refused(Cause::UnsignedInstance { name });
            return;
        }
        let canonicalization = signature.header_canonicalization();
        let selected = &self.coverage.positions;
        let data = header::write_selected(head, selected, canonicalization, *room);
        let (Some(mut data), Some(own)) = (data, head.fields().get(self.position)) else {
            let limit = settings.max_signed_octets;
            self.step = Step::Refused(Cause::HeaderTooLong { limit });
            return;
        };
        *room -= data.len();
        header::write_own(own, canonicalization, &mut data);
        *signed = signed_octets(signature.algorithm(), data);
    }
}

/// What can be refused before anything is asked or hashed.
fn first_look(signature: &Signature, now: SystemTime, settings: &Settings) -> Result<Step, Cause> {
    if signature.algorithm() == SignatureAlgorithm::RsaSha1 && !settings.allow_sha1 {
        return Err(Cause::Sha1);
    }
    check_times(signature, now, settings)?;
    if signature.length().is_some() && settings.refuse_length {
        return Err(Cause::LengthGiven);
    }
    let missing = settings.required_fields.iter().find(|required| {
        let mut signed = signature.signed_fields();
        !signed.any(|name| name.eq_ignore_ascii_case(required))
    });
    if let Some(name) = missing {
        return Err(Cause::RequiredFieldUnsigned { name: name.clone() });
    }
    Ok(Step::Waiting {
        key_name: signature.key_name().map_err(Cause::KeyName)?,
        signed: Vec::new(),
    })
}

fn check_times(signature: &Signature, now: SystemTime, settings: &Settings) -> Result<(), Cause> {
    let now = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let skew = settings.clock_skew.as_secs();
    if let Some(expiration) = signature.expiration()
        && now > expiration.saturating_add(skew)
    {
        return Err(Cause::Expired {
            expiration,
            seconds: now.saturating_sub(expiration),
        });
    }
    let Some(timestamp) = signature.timestamp() else {
        return Ok(());
    };
    if settings.refuse_future && timestamp > now.saturating_add(skew) {
        return Err(Cause::FromFuture { timestamp });
    }
    let seconds = now.saturating_sub(timestamp);
    match settings.maximum_age {
        Some(maximum) if seconds > maximum.as_secs().saturating_add(skew) => {
            Err(Cause::TooOld { seconds })
        }
        _ => Ok(()),
    }
}

/// §6.1: ‘A Verifier MAY limit the number of signatures it tries, in order to avoid denial-of-service
/// attacks’.
fn refuse_beyond_limit(candidates: &mut [Candidate], preferred: Option<&Domain>, limit: usize) {
    let relation = |candidate: &Candidate| match (&candidate.read, preferred) {
        (Ok(signature), Some(preferred)) => {
            let domain = signature.signing_domain();
            if domain == preferred {
                2
            } else {
                u8::from(domain.is_within(preferred) || preferred.is_within(domain))
            }
        }
        _ => 0,
    };
    if candidates.len() <= limit {
        return;
    }
    let mut waiting: Vec<&mut Candidate> = candidates
        .iter_mut()
        .filter(|candidate| matches!(candidate.step, Step::Waiting { .. }))
        .collect();
    waiting.sort_by_key(|candidate| Reverse(relation(candidate)));
    for candidate in waiting.into_iter().skip(limit) {
        candidate.step = Step::Refused(Cause::NotEvaluated { limit });
    }
}
