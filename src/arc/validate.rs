//! The last step: judging, from what was collected, fetched and hashed (§5.2, steps 4 to 7).

use super::cause::Cause;
use super::collect::{Collected, Pending, PendingMessage, PendingSeal};
use super::settings::Settings;
use super::validation::Validation;
use crate::dkim::key_check::{self, KeyUse, signed_octets};
use crate::dkim::verify::{Claim, conclude};
use crate::dkim::{self, BodyHashes, Canonicalization, Keys};

impl Collected {
    /// Judges the chain. A key that is missing from `keys` counts as not available, which fails the chain
    /// for good (§5.2.1).
    #[must_use]
    pub fn validate(self, keys: &Keys, bodies: &BodyHashes, settings: &Settings) -> Validation {
        let Self {
            mut sets,
            refused,
            sealed,
        } = self;
        let mut oldest_pass = None;
        let cause = match refused {
            Some(cause) => cause,
            None => {
                let newest = check_newest(&mut sets, keys, bodies, settings);
                let seals = newest.and_then(|()| {
                    if settings.check_older {
                        oldest_pass = Some(check_older(&mut sets, keys, bodies, settings));
                    }
                    check_seals(&mut sets, &sealed, keys, settings)
                });
                seals.err().unwrap_or(Cause::Passed)
            }
        };
        let sets = sets.into_iter().map(|pending| pending.set).collect();
        Validation::new(cause, oldest_pass, sets)
    }
}

/// Step 4: ‘Validate the AMS with the greatest instance value’.
fn check_newest(
    sets: &mut [Pending],
    keys: &Keys,
    bodies: &BodyHashes,
    settings: &Settings,
) -> Result<(), Cause> {
    let Some(newest) = sets.last_mut() else {
        return Err(Cause::NotSealed);
    };
    match check_message(newest, keys, bodies, settings) {
        dkim::Cause::Passed => Ok(()),
        cause => Err(Cause::MessageSignature {
            instance: newest.set.instance(),
            cause,
        }),
    }
}

/// Step 5: ‘If an AMS fails to validate (for instance value "M"), then set the oldest-pass value to
/// the lowest AMS instance value that passed (M+1)’; ‘If all AMS header fields verify, set the
/// oldest-pass value to zero (0).’
fn check_older(sets: &mut [Pending], keys: &Keys, bodies: &BodyHashes, settings: &Settings) -> u8 {
    for pending in sets.iter_mut().rev().skip(1) {
        if check_message(pending, keys, bodies, settings) != dkim::Cause::Passed {
            return pending.set.instance().saturating_add(1);
        }
    }
    0
}

/// Step 6: ‘Validate each AS beginning with the greatest instance value’.
fn check_seals(
    sets: &mut [Pending],
    sealed: &[u8],
    keys: &Keys,
    settings: &Settings,
) -> Result<(), Cause> {
    for pending in sets.iter_mut().rev() {
        let cause = match &pending.seal {
            Some(Ok(seal)) => check_seal(seal, sealed, keys, settings),
            Some(Err(cause)) => cause.clone(),
            None => dkim::Cause::NoKey,
        };
        pending.set.seal = Some(cause.clone());
        if cause != dkim::Cause::Passed {
            return Err(Cause::Seal {
                instance: pending.set.instance(),
                cause,
            });
        }
    }
    Ok(())
}

fn check_seal(seal: &PendingSeal, sealed: &[u8], keys: &Keys, settings: &Settings) -> dkim::Cause {
    let covered = sealed.get(..seal.covered).unwrap_or_default();
    let signed = signed_octets(seal.algorithm, [covered, &seal.own].concat());
    let key_use = KeyUse {
        algorithm: seal.algorithm,
        identity_below: false,
        signed: &signed,
        signature: &seal.octets,
    };
    key_check::check(keys, &seal.key_name, &key_use, &settings.dkim).cause
}

/// Checks a message signature and keeps what came of it.
fn check_message(
    pending: &mut Pending,
    keys: &Keys,
    bodies: &BodyHashes,
    settings: &Settings,
) -> dkim::Cause {
    let cause = match pending.message.take() {
        Some(Ok(message)) => judge_message(message, keys, bodies, settings),
        Some(Err(cause)) => cause,
        None => dkim::Cause::NoKey,
    };
    pending.set.message_signature = Some(cause.clone());
    cause
}

/// The result of the first form that passes, or of the first.
fn judge_message(
    mut message: PendingMessage,
    keys: &Keys,
    bodies: &BodyHashes,
    settings: &Settings,
) -> dkim::Cause {
    let mut first = None;
    for (body, header) in std::mem::take(&mut message.forms) {
        let cause = judge_form(&message, header, body, keys, bodies, settings);
        if cause == dkim::Cause::Passed {
            return cause;
        }
        first = first.or(Some(cause));
    }
    first.unwrap_or(dkim::Cause::BodyNotHashed)
}

/// As a DKIM signature.
fn judge_form(
    message: &PendingMessage,
    header: Vec<u8>,
    body: Canonicalization,
    keys: &Keys,
    bodies: &BodyHashes,
    settings: &Settings,
) -> dkim::Cause {
    let signed = signed_octets(message.algorithm, header);
    let key_use = KeyUse {
        algorithm: message.algorithm,
        identity_below: false,
        signed: &signed,
        signature: &message.octets,
    };
    let claim = Claim {
        hash: &message.body_hash,
        length: message.length,
    };
    let key = key_check::check(keys, &message.key_name, &key_use, &settings.dkim).cause;
    conclude(
        key,
        &claim,
        bodies.get(&message.request(body)),
        &settings.dkim,
    )
}
