//! The sets of a message, put together from its header fields, and their structure (§5.2, steps 1 to
//! 3).

use std::collections::BTreeMap;

use super::cause::Cause;
use super::fields::{self, MessageSignature, Seal, SealError};
use super::settings::Settings;
use super::words::{ArcResult, SetField};
use crate::dkim::SignatureError;
use crate::message::{Field, Head};

/// The ARC fields of a message by instance.
#[derive(Debug, Default)]
pub(super) struct Chain {
    pub(super) links: BTreeMap<u8, Link>,
    /// A field that belongs to no set.
    stray: Option<SetField>,
}

/// The fields of one instance, each with its position in the header block.
#[derive(Debug, Default)]
pub(super) struct Link {
    pub(super) results: Vec<usize>,
    pub(super) signatures: Vec<(usize, Result<MessageSignature, SignatureError>)>,
    pub(super) seals: Vec<(usize, Result<Seal, SealError>)>,
}

impl Link {
    /// How many there are of a field.
    fn count(&self, field: SetField) -> usize {
        match field {
            SetField::AuthenticationResults => self.results.len(),
            SetField::MessageSignature => self.signatures.len(),
            SetField::Seal => self.seals.len(),
        }
    }

    /// Where its fields stand.
    pub(super) fn positions(&self) -> impl Iterator<Item = usize> {
        let signatures = self.signatures.iter().map(|(position, _)| *position);
        let seals = self.seals.iter().map(|(position, _)| *position);
        self.results.iter().copied().chain(signatures).chain(seals)
    }

    /// The `cv=` of the seal, if it can be read.
    pub(super) fn chain_validation(&self) -> Option<ArcResult> {
        match self.seals.as_slice() {
            [(_, Ok(seal))] => Some(seal.chain_validation),
            _ => None,
        }
    }
}

impl Chain {
    /// Reads all ARC fields.
    pub(super) fn read(head: &Head<'_>, settings: &Settings) -> Self {
        let mut chain = Self::default();
        for (position, field) in head.fields().iter().enumerate() {
            let kind = SetField::ALL
                .into_iter()
                .find(|kind| field.is(kind.as_str().as_bytes()));
            if let Some(kind) = kind
                && !chain.add(kind, position, field, settings)
            {
                chain.stray = chain.stray.or(Some(kind));
            }
        }
        chain
    }

    fn add(
        &mut self,
        kind: SetField,
        position: usize,
        field: &Field<'_>,
        settings: &Settings,
    ) -> bool {
        let value = field.value();
        let instance = match kind {
            SetField::AuthenticationResults => {
                fields::instance_of_results(value).map(|(instance, _)| instance)
            }
            SetField::MessageSignature | SetField::Seal => fields::instance_of_tags(value),
        };
        let Some(instance) = instance else {
            return false;
        };
        let dkim = &settings.dkim;
        let too_long =
            (value.len() > dkim.max_signature_octets).then_some(SignatureError::TooLong {
                length: value.len(),
            });
        let link = self.links.entry(instance).or_default();
        match kind {
            SetField::AuthenticationResults => link.results.push(position),
            SetField::MessageSignature => {
                let signature = match too_long {
                    Some(error) => Err(error),
                    None => MessageSignature::parse(value, dkim.max_signed_fields),
                };
                link.signatures.push((position, signature));
            }
            SetField::Seal => {
                let seal = match too_long {
                    Some(error) => Err(error.into()),
                    None => Seal::parse(value),
                };
                link.seals.push((position, seal));
            }
        }
        true
    }

    /// The highest instance; 0 without sets.
    pub(super) fn newest(&self) -> u8 {
        self.links
            .last_key_value()
            .map_or(0, |(instance, _)| *instance)
    }

    /// Steps 1 to 3, and what of the seals' syntax makes step 6 fail whatever the keys say.
    pub(super) fn check(&self, settings: &Settings) -> Result<(), Cause> {
        if self.links.is_empty() && self.stray.is_none() {
            return Err(Cause::NotSealed);
        }
        // ‘The maximum number of ARC Sets that can be attached to a message is 50.’
        let newest = self.newest();
        let limit = settings.max_sets.min(MAX_SETS);
        if usize::from(newest) > limit {
            return Err(Cause::TooManySets { limit });
        }
        if let Some((instance, link)) = self.links.last_key_value()
            && link.chain_validation() == Some(ArcResult::Fail)
        {
            return Err(Cause::FailedBefore {
                instance: *instance,
            });
        }
        if let Some(field) = self.stray.map(SetField::as_str) {
            return Err(Cause::Instance { field });
        }
        for instance in 1..=newest {
            let link = self
                .links
                .get(&instance)
                .ok_or(Cause::MissingSet { instance })?;
            for field in SetField::ALL {
                let count = link.count(field);
                let field = field.as_str();
                match count {
                    0 => return Err(Cause::MissingField { instance, field }),
                    1 => {}
                    _ => return Err(Cause::RepeatedField { instance, field }),
                }
            }
        }
        self.links
            .iter()
            .try_for_each(|(instance, link)| check_seal(*instance, link))
    }
}

/// ‘For ARC Sets with instance values > 1, the values MUST be "pass". For the ARC Set with instance
/// value = 1, the value MUST be "none".’
fn check_seal(instance: u8, link: &Link) -> Result<(), Cause> {
    let field = SetField::Seal.as_str();
    let seal = match link.seals.first() {
        Some((_, Ok(seal))) => seal,
        Some((_, Err(SealError::NamesFields))) => return Err(Cause::SealNamesFields { instance }),
        Some((_, Err(SealError::Syntax(error)))) => {
            let error = error.clone();
            return Err(Cause::Malformed {
                instance,
                field,
                error,
            });
        }
        None => return Err(Cause::MissingField { instance, field }),
    };
    let expected = if instance == 1 {
        ArcResult::None
    } else {
        ArcResult::Pass
    };
    if seal.chain_validation == expected {
        return Ok(());
    }
    Err(Cause::ChainValidation {
        instance,
        found: seal.chain_validation,
    })
}

/// §4.2.1: ‘Instance tag values can range from 1-50 (inclusive).’
pub(super) const MAX_SETS: usize = 50;
