//! Sealing with keys that are held elsewhere.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::payload::Payload;
use super::plan::{Plan, Template};
use super::seal::{SealError, Sealed, sealer_setters};
use super::validation::Validation;
use crate::crypto::HashAlgorithm;
use crate::dkim::key_check::signed_octets;
use crate::dkim::{BodyHasher, BodyHashes, ExternalKey, SignError, ToSign};
use crate::domain::Domain;
use crate::message::{Head, Message};

/// As [`Sealer`](super::Sealer), with a key that is held elsewhere.
#[derive(Clone)]
pub struct ExternalSealer {
    key: Arc<dyn ExternalKey>,
    template: Template,
}

impl ExternalSealer {
    /// A sealer for `domain`.
    ///
    /// # Errors
    ///
    /// [`SignError`] for a domain or selector that no seal can have, or rsa-sha1 (RFC 8301 3.1).
    pub fn new(
        key: Arc<dyn ExternalKey>,
        domain: Domain,
        selector: &str,
    ) -> Result<Self, SignError> {
        Ok(Self {
            template: Template::new(key.algorithm(), domain, selector)?,
            key,
        })
    }

    sealer_setters!();

    /// The first half of sealing, see [`Sealer::prepare`](super::Sealer::prepare).
    ///
    /// # Errors
    ///
    /// [`SealError`], where no seal can be added.
    pub fn prepare(
        &self,
        head: &Head<'_>,
        payload: &Payload,
        incoming: &Validation,
        now: SystemTime,
    ) -> Result<ExternalSealing, SealError> {
        Ok(ExternalSealing {
            plan: self.template.plan(head, payload, incoming, now)?,
            key: Arc::clone(&self.key),
        })
    }

    /// Seals a whole message.
    ///
    /// # Errors
    ///
    /// [`SealError`], where no seal can be added, or what the key says.
    pub async fn seal(
        &self,
        message: &Message<'_>,
        payload: &Payload,
        incoming: &Validation,
        now: SystemTime,
    ) -> Result<Sealed, SealError> {
        let sealing = self.prepare(message.head(), payload, incoming, now)?;
        let mut hasher = sealing.body_hasher();
        hasher.update(message.body());
        Ok(sealing.finish(&hasher.finish()).await?)
    }
}

impl fmt::Debug for ExternalSealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ExternalSealer")
            .field(&self.template)
            .finish()
    }
}

/// A set that waits for the body and for a key held elsewhere.
#[derive(Clone)]
pub struct ExternalSealing {
    key: Arc<dyn ExternalKey>,
    plan: Plan,
}

impl ExternalSealing {
    /// A hasher for the body.
    #[must_use]
    pub fn body_hasher(&self) -> BodyHasher {
        BodyHasher::new([self.plan.request()])
    }

    /// Makes the set, asking the key twice.
    ///
    /// # Errors
    ///
    /// [`SignError::BodyNotHashed`] for a body hashed by another hasher, or what the key says.
    pub async fn finish(self, bodies: &BodyHashes) -> Result<Sealed, SignError> {
        let unsigned = self.plan.message_signature(bodies)?;
        let message_signature = unsigned.finish(&self.sign(&unsigned.header).await?);
        let unsigned = self.plan.seal(&message_signature);
        let seal = unsigned.finish(&self.sign(&unsigned.header).await?);
        Ok(Sealed::new(self.plan, message_signature, seal))
    }

    async fn sign(&self, header: &[u8]) -> Result<Vec<u8>, SignError> {
        let digest = HashAlgorithm::Sha256.digest(header);
        let message = signed_octets(self.plan.template.algorithm, header.to_vec());
        self.key.sign(ToSign::new(&message, digest)).await
    }
}

impl fmt::Debug for ExternalSealing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ExternalSealing").field(&self.plan).finish()
    }
}
