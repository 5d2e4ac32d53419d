//! Signing with keys that are held elsewhere: in a hardware module, a key service, another process.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use super::algorithm::SignatureAlgorithm;
use super::body_hash::BodyHashes;
use super::key_check::signed_octets;
use super::sign::{SignError, Signed, Signer, Signing};
use super::template::Template;
use crate::domain::Domain;
use crate::message::Message;

/// A private key that only signs.
///
/// ```
/// use mailproof::dkim::{ExternalKey, SignError, SignatureAlgorithm};
/// use std::future::Future;
/// use std::pin::Pin;
///
/// struct Module;
///
/// impl ExternalKey for Module {
///     fn algorithm(&self) -> SignatureAlgorithm {
///         SignatureAlgorithm::RsaSha256
///     }
///     fn sign<'a>(
///         &'a self,
///         octets: &'a [u8],
///     ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, SignError>> + Send + 'a>> {
///         Box::pin(async move {
///             // Here goes the call: PKCS#1 v1.5 with SHA-256 over `octets`.
///             Err(SignError::External("the module is not connected".into()))
///         })
///     }
/// }
/// ```
pub trait ExternalKey: Send + Sync {
    /// The algorithm of the key: rsa-sha256 or ed25519-sha256.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// Signs `octets`, which are what the algorithm takes: for RSA the canonical header, to be hashed
    /// with SHA-256 ([`HashAlgorithm::digest`](crate::crypto::HashAlgorithm::digest) does it for
    /// modules that sign digests); for Ed25519 the SHA-256 digest of it, as it is (RFC 8463 3).
    /// Failures are best told by [`SignError::External`].
    fn sign<'a>(
        &'a self,
        octets: &'a [u8],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, SignError>> + Send + 'a>>;
}

impl Signer<Arc<dyn ExternalKey>> {
    /// A signer for mail of `domain`, with a key that is held elsewhere.
    ///
    /// # Errors
    ///
    /// [`SignError`] for a domain or selector that no signature can have, or rsa-sha1 (RFC 8301 3.1).
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

    /// As [`sign`](Signer::sign), with keys that are held elsewhere.
    ///
    /// # Errors
    ///
    /// What the key says.
    pub async fn sign_externally(
        signers: &[Self],
        message: &Message<'_>,
        now: SystemTime,
    ) -> Result<Signed, SignError> {
        let signing = Self::prepare(signers, message.head(), now);
        let mut hasher = signing.body_hasher();
        hasher.update(message.body());
        signing.finish_externally(&hasher.finish()).await
    }
}

impl Signing<Arc<dyn ExternalKey>> {
    /// Makes the signatures, one after the other.
    ///
    /// # Errors
    ///
    /// [`SignError::BodyNotHashed`] for a body hashed by another hasher, or what the key says.
    pub async fn finish_externally(self, bodies: &BodyHashes) -> Result<Signed, SignError> {
        let mut fields = Vec::with_capacity(self.parts.len());
        for (key, prepared) in &self.parts {
            let unsigned = prepared.unsigned(bodies)?;
            let octets = signed_octets(prepared.algorithm(), unsigned.header);
            fields.push(unsigned.field.finish(&key.sign(&octets).await?));
        }
        Ok(Signed::new(fields, self.hazards, bodies))
    }
}
