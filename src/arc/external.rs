//! Sealing with keys that are held elsewhere.

use std::sync::Arc;
use std::time::SystemTime;

use super::payload::Payload;
use super::plan::Template;
use super::seal::{Sealer, Sealing};
use super::validation::Validation;
use crate::dkim::key_check::signed_octets;
use crate::dkim::{BodyHashes, ExternalKey, SignError, Signed};
use crate::domain::Domain;
use crate::message::Message;

impl Sealer<Arc<dyn ExternalKey>> {
    /// A sealer for `domain`, with a key that is held elsewhere.
    ///
    /// # Errors
    ///
    /// [`SignError`] for a domain or selector that no seal can have, or rsa-sha1 (RFC 8301 3.1).
    pub fn external(
        key: Arc<dyn ExternalKey>,
        domain: Domain,
        selector: &str,
    ) -> Result<Self, SignError> {
        Ok(Self {
            template: Template::new(key.algorithm(), domain, selector)?,
            key,
        })
    }

    /// As [`seal`](Sealer::seal), with a key that is held elsewhere.
    ///
    /// # Errors
    ///
    /// [`SignError`], where no seal can be added, or what the key says.
    pub async fn seal_externally(
        &self,
        message: &Message<'_>,
        payload: &Payload,
        incoming: &Validation,
        now: SystemTime,
    ) -> Result<Signed, SignError> {
        let sealing = self.prepare(message.head(), payload, incoming, now)?;
        let mut hasher = sealing.body_hasher();
        hasher.update(message.body());
        sealing.finish_externally(&hasher.finish()).await
    }
}

impl Sealing<Arc<dyn ExternalKey>> {
    /// Makes the set, asking the key twice.
    ///
    /// # Errors
    ///
    /// [`SignError::BodyNotHashed`] for a body hashed by another hasher, or what the key says.
    pub async fn finish_externally(self, bodies: &BodyHashes) -> Result<Signed, SignError> {
        let unsigned = self.plan.message_signature(bodies)?;
        let message_signature = unsigned.finish(&self.sign(&unsigned.header).await?);
        let unsigned = self.plan.seal(&message_signature);
        let seal = unsigned.finish(&self.sign(&unsigned.header).await?);
        Ok(self.plan.signed(message_signature, seal, bodies))
    }

    async fn sign(&self, header: &[u8]) -> Result<Vec<u8>, SignError> {
        let octets = signed_octets(self.plan.template.algorithm, header.to_vec());
        self.key.sign(&octets).await
    }
}
