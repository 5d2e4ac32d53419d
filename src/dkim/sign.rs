//! Making signatures (§5).

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use super::algorithm::SignatureAlgorithm;
use super::body_hash::{BodyHasher, BodyHashes};
use super::hazards::Hazards;
use super::header::FieldIndex;
use super::key::KeyRecord;
use super::key_check::signed_octets;
use super::template::{Prepared, Template};
use crate::crypto::{SigningKey, SigningKeyError};
use crate::dns::NameError;
use crate::domain::{Domain, DomainError};
use crate::message::{Head, Message};

/// Who signs, with which key, and how: everything about signatures but the message and the time.
///
/// The defaults are relaxed/relaxed, and the fields of §5.4.1 signed one more time than they occur,
/// so that none can be added ([`fields`](Self::fields)). There is no way to limit the signed length
/// of the body (`l=`), since that lets anybody append to it (§8.2).
///
/// `K` is the key: a [`SigningKey`], or one that is held elsewhere ([`external`](Signer::external)).
///
/// ```
/// use mailproof::crypto::SigningKey;
/// use mailproof::{Message, dkim, dns};
/// use std::time::SystemTime;
///
/// let key = SigningKey::ed25519(&[7; 32])?;
/// let signer = dkim::Signer::new(key, "example.com".parse()?, "2026")?;
/// let mail = b"From: a@example.com\r\nSubject: hi\r\n\r\nHello\r\n";
/// let now = SystemTime::now();
/// let signed = dkim::Signer::sign(&[signer.clone()], &Message::parse(mail), now)?;
/// let mail = [signed.header().as_bytes(), mail].concat();
///
/// let mut zone = dns::Zone::new();
/// zone.add_txt("2026._domainkey.example.com", signer.record())?;
/// let settings = dkim::Settings::default();
/// let verifications =
///     dns::block_on(dkim::verify_message(&zone, &Message::parse(&mail), now, &settings));
/// assert_eq!(verifications[0].result(), dkim::DkimResult::Pass);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Signer<K = SigningKey> {
    pub(super) key: K,
    pub(super) template: Template,
}

impl Signer {
    /// A signer for mail of `domain`. The algorithm is that of the key: rsa-sha256 or ed25519-sha256.
    ///
    /// # Errors
    ///
    /// [`SignError`] for a domain or selector that no signature can have.
    pub fn new(key: SigningKey, domain: Domain, selector: &str) -> Result<Self, SignError> {
        Ok(Self {
            template: Template::new(SignatureAlgorithm::of(&key), domain, selector)?,
            key,
        })
    }

    /// The text of the TXT record that must stand at [`key_name`](Self::key_name).
    #[must_use]
    pub fn record(&self) -> String {
        KeyRecord::new(self.key.verifying_key()).to_string()
    }

    /// Signs a whole message, with one pass over the body for all signers. The signatures belong above
    /// the message, see [`Signed::header`].
    ///
    /// # Errors
    ///
    /// [`SignError::TooManyFields`], if the message has too many of the fields that are signed,
    /// [`SignError::Key`], if a key cannot sign.
    pub fn sign(
        signers: &[Self],
        message: &Message<'_>,
        now: SystemTime,
    ) -> Result<Signed, SignError> {
        let signing = Self::prepare(signers, message.head(), now);
        let mut hasher = signing.body_hasher();
        hasher.update(message.body());
        signing.finish(&hasher.finish())
    }
}

impl<K> Signer<K> {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &K {
        &self.key
    }
}

impl<K: Clone> Signer<K> {
    /// The first half of signing: the header. It borrows nothing.
    #[must_use]
    pub fn prepare(signers: &[Self], head: &Head<'_>, now: SystemTime) -> Signing<K> {
        let index = FieldIndex::new(head);
        let now = seconds(now);
        Signing {
            parts: signers
                .iter()
                .map(|signer| {
                    (
                        signer.key.clone(),
                        signer.template.prepare(head, &index, now),
                    )
                })
                .collect(),
            hazards: Hazards::of_head(head),
        }
    }
}

impl<K> fmt::Debug for Signer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Signer").field(&self.template).finish()
    }
}

/// What `t=` can express.
pub(crate) fn seconds(now: SystemTime) -> u64 {
    now.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs().min(LAST_TIME))
}

/// §3.5 t= and x=: ‘1*12DIGIT’, which ends in the year 33658.
pub(super) const LAST_TIME: u64 = 999_999_999_999;

/// Signatures that wait for the body.
#[derive(Clone)]
pub struct Signing<K = SigningKey> {
    pub(super) parts: Vec<(K, Prepared)>,
    pub(super) hazards: Hazards,
}

impl<K> Signing<K> {
    /// A hasher for the body, which serves all signatures in one pass and notices what makes
    /// the [hazards](Signed::hazards).
    #[must_use]
    pub fn body_hasher(&self) -> BodyHasher {
        BodyHasher::of(self.parts.iter().map(|(_, prepared)| prepared.request())).with_hazards()
    }
}

impl<K> fmt::Debug for Signing<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing").finish_non_exhaustive()
    }
}

impl Signing {
    /// Makes the signatures.
    ///
    /// # Errors
    ///
    /// [`SignError::BodyNotHashed`] for a body hashed by another hasher, [`SignError::TooManyFields`] for a
    /// message that has too many of the fields that are signed, [`SignError::Key`] if the key cannot sign.
    pub fn finish(self, bodies: &BodyHashes) -> Result<Signed, SignError> {
        let mut fields = Vec::with_capacity(self.parts.len());
        for (key, prepared) in &self.parts {
            let unsigned = prepared.unsigned(bodies)?;
            let octets = signed_octets(prepared.algorithm(), unsigned.header);
            fields.push(unsigned.field.finish(&key.sign(&octets)?));
        }
        Ok(Signed::new(fields, self.hazards, bodies))
    }
}

/// Signatures that were made, or the set of a [seal](crate::arc::Sealer::seal).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signed {
    fields: Vec<String>,
    hazards: Hazards,
}

impl Signed {
    /// `head` is what the header has of hazards.
    pub(crate) fn new(fields: Vec<String>, head: Hazards, bodies: &BodyHashes) -> Self {
        Self {
            fields,
            hazards: head.with_body(bodies.facts()),
        }
    }

    /// The DKIM-Signature fields in the order of the signers, or ARC-Seal, ARC-Message-Signature and
    /// ARC-Authentication-Results; each without the CRLF that ends it. They must go into the message
    /// exactly as they are.
    #[must_use]
    pub fn fields(&self) -> &[String] {
        &self.fields
    }

    /// The fields as octets to be put before the message.
    #[must_use]
    pub fn header(&self) -> String {
        self.fields
            .iter()
            .flat_map(|field| [field.as_str(), "\r\n"])
            .collect()
    }

    /// What about the message will break the signatures on the way; about its body, if that was hashed
    /// [with hazards](BodyHasher::with_hazards).
    #[must_use]
    pub fn hazards(&self) -> &Hazards {
        &self.hazards
    }
}

/// Why no signature or seal was made, or no signer or [sealer](crate::arc::Sealer).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The body was not fed to the hasher of this signing.
    #[error("the body was not hashed for these signatures")]
    BodyNotHashed,
    /// The ARC fields of the message are not those that were validated.
    #[error("the ARC fields were changed since the chain was validated")]
    ChainChanged,
    /// The last sealer found the chain to be broken; nothing is to be added (RFC 8617 5.1, step 2).
    #[error("the last seal says that the chain is broken (cv=fail)")]
    ChainFailed,
    /// The message has 50 sets already (RFC 8617 4.2.1).
    #[error("the message has 50 ARC sets, as many as are allowed")]
    ChainFull,
    /// A key held elsewhere did not sign, in its words.
    #[error("the external key did not sign: {0}")]
    External(String),
    /// A name that is no field name.
    #[error("\"{name}\" is no field name")]
    FieldName {
        /// The name.
        name: String,
    },
    /// The list of fields lacks From (§5.4).
    #[error("From must be signed")]
    FromNotSigned,
    /// A domain for `i=` outside the signing domain, or control characters in the local part.
    #[error("the identity is not within the signing domain")]
    Identity,
    /// The key could not sign.
    #[error(transparent)]
    Key(#[from] SigningKeyError),
    /// Selector and domain make no DNS name.
    #[error("selector and domain make no DNS name: {0}")]
    KeyName(NameError),
    /// SHA-1 (RFC 8301 3.1).
    #[error("rsa-sha1 must not be used")]
    Sha1,
    /// A selector that is none.
    #[error("unusable selector: {0}")]
    Selector(DomainError),
    /// A signing domain of one label, which §3.5 does not allow.
    #[error("the signing domain is a single label")]
    SingleLabel,
    /// A list of more fields than verifiers accept, or a message that has as many of those that are signed.
    #[error("more than {limit} fields to be signed")]
    TooManyFields {
        /// How many are allowed.
        limit: usize,
    },
    /// A field that changes on the way (§5.4.1).
    #[error("{name} changes on the way and must not be signed")]
    TraceField {
        /// Its name.
        name: String,
    },
}
