//! The last step: judging, from what was collected, fetched and hashed (§6.1.3).

use super::body_hash::{BodyHash, BodyHashes};
use super::cause::Cause;
use super::collect::{Candidate, Collected, Step, body_hash_request};
use super::key_check::{self, KeyUse};
use super::keys::Keys;
use super::settings::Settings;
use super::signature::Signature;
use super::verification::{KeyFacts, Verification};

impl Collected {
    /// Judges every signature, in the order of the message.
    ///
    /// §6.1: ‘Verifiers MUST NOT attribute ultimate meaning to the order of multiple DKIM-Signature header
    /// fields’; no signature is made better or worse by another. A key that is missing from `keys` counts
    /// as not available now.
    ///
    /// ```
    /// use mailproof::{Message, dkim};
    /// use std::time::SystemTime;
    ///
    /// let message = Message::parse(b"DKIM-Signature: v=2; d=example.com\r\n\r\n");
    /// let settings = dkim::Settings::default();
    /// let collected = dkim::Collected::read(message.head(), None, SystemTime::now(), &settings);
    /// let mut hasher = collected.body_hasher();
    /// hasher.update(message.body());
    /// let verifications = collected.verify(&dkim::Keys::default(), &hasher.finish(), &settings);
    /// assert_eq!(verifications[0].result(), dkim::DkimResult::Neutral);
    /// ```
    #[must_use]
    pub fn verify(
        self,
        keys: &Keys,
        bodies: &BodyHashes,
        settings: &Settings,
    ) -> Vec<Verification> {
        self.candidates
            .into_iter()
            .map(|candidate| judge(candidate, keys, bodies, settings))
            .collect()
    }
}

fn judge(
    candidate: Candidate,
    keys: &Keys,
    bodies: &BodyHashes,
    settings: &Settings,
) -> Verification {
    let mut key = KeyFacts::default();
    let mut body = None;
    let cause = match (&candidate.read, candidate.step) {
        (Ok(signature), Step::Waiting { key_name, signed }) => {
            let key_use = KeyUse {
                algorithm: signature.algorithm(),
                identity_below: signature.identity_domain() != signature.signing_domain(),
                signed: &signed,
                signature: signature.octets(),
            };
            let check = key_check::check(keys, &key_name, &key_use, settings);
            body = bodies.get(&body_hash_request(signature));
            key = KeyFacts {
                bits: check.key_bits,
                testing: check.testing,
                header_intact: match check.cause {
                    Cause::Passed => Some(true),
                    Cause::SignatureMismatch => Some(false),
                    _ => None,
                },
            };
            let claim = Claim {
                hash: signature.body_hash(),
                length: signature.length(),
            };
            conclude(check.cause, &claim, body, settings)
        }
        (_, Step::Refused(cause)) => cause,
        // A signature that could not be read never waits.
        (Err(_), Step::Waiting { .. }) => Cause::BodyNotHashed,
    };
    Verification {
        position: candidate.position,
        cause,
        read: candidate.read.map(Signature::without_copies),
        key,
        coverage: candidate.coverage,
        body: body.copied(),
        counts: !key.testing || settings.count_testing_keys,
    }
}

/// What a signature says of the body that it was made over.
pub(crate) struct Claim<'a> {
    /// `bh=`
    pub(crate) hash: &'a [u8],
    /// `l=`
    pub(crate) length: Option<u64>,
}

/// §6.1.3: a key that cannot be used decides first, then the body hash, then the signature, and last
/// what policy makes of octets that are not signed.
pub(crate) fn conclude(
    key: Cause,
    claim: &Claim<'_>,
    body: Option<&BodyHash>,
    settings: &Settings,
) -> Cause {
    if !matches!(key, Cause::Passed | Cause::SignatureMismatch) {
        return key;
    }
    let Some(body) = body else {
        return Cause::BodyNotHashed;
    };
    if let Some(length) = claim.length
        && length > body.total
    {
        // §3.5 l=: ‘This value MUST NOT be larger than the actual number of octets in the
        // canonicalized message body.’
        return Cause::LengthBeyondBody {
            length,
            total: body.total,
        };
    }
    if body.digest.as_ref() != claim.hash {
        return Cause::BodyHashMismatch;
    }
    if key == Cause::Passed && body.hashed < body.total && !settings.allow_partial_body {
        return Cause::PartialBody {
            signed: body.hashed,
            total: body.total,
        };
    }
    key
}
