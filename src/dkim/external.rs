//! Signing with keys that are held elsewhere: in a hardware module, a key service, another process.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::SystemTime;

use super::algorithm::SignatureAlgorithm;
use super::body_hash::{BodyHasher, BodyHashes};
use super::hazards::Hazards;
use super::header::FieldIndex;
use super::sign::{SignError, Signed, seconds};
use super::template::{Prepared, Template, template_setters};
use crate::crypto::{Digest, HashAlgorithm};
use crate::domain::Domain;
use crate::message::{Head, Message};

/// A private key that only signs.
///
/// ```
/// use mailproof::dkim::{ExternalKey, SignError, SignatureAlgorithm, Signature, ToSign};
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
///         to_sign: ToSign<'a>,
///     ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, SignError>> + Send + 'a>> {
///         Box::pin(async move {
///             // Here goes the call: PKCS#1 v1.5 with SHA-256 over `to_sign.message()`.
///             Err(SignError::External("the module is not connected".into()))
///         })
///     }
/// }
/// ```
pub trait ExternalKey: Send + Sync {
    /// The algorithm of the key: rsa-sha256 or ed25519-sha256.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// Signs. Failures are best told by [`SignError::External`].
    fn sign<'a>(
        &'a self,
        to_sign: ToSign<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, SignError>> + Send + 'a>>;
}

/// What is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct ToSign<'a> {
    message: &'a [u8],
    digest: Digest,
}

impl<'a> ToSign<'a> {
    /// `message` is what the algorithm takes, `digest` that of the canonical header.
    pub(crate) fn new(message: &'a [u8], digest: Digest) -> Self {
        Self { message, digest }
    }

    /// What the algorithm takes: for RSA the canonical header, to be hashed with SHA-256; for Ed25519
    /// the SHA-256 digest of it, as it is (RFC 8463 3).
    #[must_use]
    pub fn message(&self) -> &'a [u8] {
        self.message
    }

    /// The SHA-256 digest of the canonical header, for modules that sign digests.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

/// As [`Signer`](super::Signer), with a key that is held elsewhere.
#[derive(Clone)]
pub struct ExternalSigner {
    key: Arc<dyn ExternalKey>,
    template: Template,
}

impl ExternalSigner {
    /// A signer for mail of `domain`.
    ///
    /// # Errors
    ///
    /// [`SignError`] for a domain or selector that no signature can have, or rsa-sha1 (RFC 8301 3.1).
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

    template_setters!();

    /// The first half of signing: the header. It borrows nothing.
    #[must_use]
    pub fn prepare(signers: &[Self], head: &Head<'_>, now: SystemTime) -> ExternalSigning {
        let index = FieldIndex::new(head);
        let now = seconds(now);
        ExternalSigning {
            parts: signers
                .iter()
                .map(|signer| {
                    let prepared = signer.template.prepare(head, &index, now);
                    (Arc::clone(&signer.key), prepared)
                })
                .collect(),
            hazards: Hazards::of_head(head),
        }
    }
}

impl fmt::Debug for ExternalSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ExternalSigner")
            .field(&self.template)
            .finish()
    }
}

/// Signatures that wait for the body and for keys held elsewhere.
pub struct ExternalSigning {
    parts: Vec<(Arc<dyn ExternalKey>, Prepared)>,
    hazards: Hazards,
}

impl ExternalSigning {
    /// A hasher for the body, which serves all signatures in one pass.
    #[must_use]
    pub fn body_hasher(&self) -> BodyHasher {
        BodyHasher::new(self.parts.iter().map(|(_, prepared)| prepared.request()))
    }

    /// Makes the signatures, one after the other.
    ///
    /// # Errors
    ///
    /// [`SignError::BodyNotHashed`] for a body hashed by another hasher, or what the key says.
    pub async fn finish(self, bodies: &BodyHashes) -> Result<Signed, SignError> {
        let mut fields = Vec::with_capacity(self.parts.len());
        for (key, prepared) in &self.parts {
            let unsigned = prepared.unsigned(bodies)?;
            let (message, digest) = match prepared.algorithm() {
                SignatureAlgorithm::Ed25519Sha256 => {
                    let digest = HashAlgorithm::Sha256.digest(&unsigned.header);
                    (digest.as_ref().to_vec(), digest)
                }
                SignatureAlgorithm::RsaSha1 | SignatureAlgorithm::RsaSha256 => {
                    let digest = HashAlgorithm::Sha256.digest(&unsigned.header);
                    (unsigned.header, digest)
                }
            };
            let to_sign = ToSign {
                message: &message,
                digest,
            };
            fields.push(unsigned.field.finish(&key.sign(to_sign).await?));
        }
        Ok(Signed {
            fields,
            hazards: self.hazards.with_body(bodies.facts()),
        })
    }
}

impl fmt::Debug for ExternalSigning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExternalSigning").finish_non_exhaustive()
    }
}

/// As [`sign`](super::sign()), with keys that are held elsewhere.
///
/// # Errors
///
/// What the key says.
pub async fn sign_externally(
    signers: &[ExternalSigner],
    message: &Message<'_>,
    now: SystemTime,
) -> Result<Signed, SignError> {
    let signing = ExternalSigner::prepare(signers, message.head(), now);
    let mut hasher = signing.body_hasher();
    hasher.update(message.body());
    signing.finish(&hasher.finish()).await
}
