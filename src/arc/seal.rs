//! Sealing (§5.1).

use std::fmt;
use std::time::SystemTime;

use super::payload::Payload;
use super::plan::{Layout, Plan, Template};
use super::validation::Validation;
use super::words::ArcResult;
use crate::crypto::{SigningKey, SigningKeyError};
use crate::dkim::key_check::signed_octets;
use crate::dkim::{
    BodyHasher, BodyHashes, Canonicalization, SignError, SignatureAlgorithm, Signed,
};
use crate::dns::Name;
use crate::domain::Domain;
use crate::message::{Head, Message};

/// Who seals, with which key, and how.
///
/// `K` is the key: a [`SigningKey`], or one that is held elsewhere ([`external`](Sealer::external)).
///
/// Seal last: after all changes to the message, and after signing it with DKIM (§5.1, step 1).
///
/// ```
/// use mailproof::crypto::SigningKey;
/// use mailproof::{Message, Session, Verifier, arc, dns};
///
/// let key = SigningKey::ed25519(&[7; 32])?;
/// let sealer = arc::Sealer::new(key, "example.org".parse()?, "2026")?;
/// let mut zone = dns::Zone::new();
/// zone.add_txt("2026._domainkey.example.org", "v=DKIM1; k=ed25519; \
///     p=6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=")?;
/// let verifier = Verifier::new(zone);
/// let session = Session::new([192, 0, 2, 1].into(), "mail.example.com", "a@example.com");
///
/// // On arrival: what is this message?
/// let mail = b"From: a@example.com\r\nSubject: hi\r\n\r\nHello\r\n";
/// let message = Message::parse(mail);
/// let verdict = dns::block_on(verifier.verify(&session, &message));
/// // On departure: the results, the chain, and the message as it leaves.
/// let results = verdict.authentication_results(&"mx.example.org".parse()?);
/// let now = std::time::SystemTime::now();
/// let sealed = sealer.seal(&message, &arc::Payload::new(&results), verdict.arc(), now)?;
/// let mail = [sealed.header().as_bytes(), mail].concat();
///
/// let verdict = dns::block_on(verifier.verify(&session, &Message::parse(&mail)));
/// assert_eq!(verdict.arc().result(), arc::ArcResult::Pass);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Sealer<K = SigningKey> {
    pub(super) key: K,
    pub(super) template: Template,
}

impl<K> Sealer<K> {
    /// Sets how the message signature canonicalizes header and body (`c=`); relaxed/relaxed
    /// otherwise. Seals know only one way.
    #[must_use]
    pub fn canonicalization(mut self, header: Canonicalization, body: Canonicalization) -> Self {
        self.template.header = header;
        self.template.body = body;
        self
    }

    /// Sets which header fields the message signature covers: these names in this order. Otherwise
    /// those that [DKIM signs](crate::dkim::Signer::fields), and DKIM-Signature.
    ///
    /// # Errors
    ///
    /// [`SignError`], if the names do not include From, or have one that must not be signed:
    /// Authentication-Results and ARC fields (§4.1.2), trace fields.
    pub fn fields(
        mut self,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, SignError> {
        self.template
            .set_fields(names.into_iter().map(Into::into).collect())?;
        Ok(self)
    }

    /// Writes the tags in alphabetical order on one line: the layout on which test suites agree, so
    /// that the signatures of different sealers can be compared. Otherwise the instance comes first, as
    /// §4.1 has it, and lines have at most 78 characters.
    #[must_use]
    pub fn sorted_tags(mut self) -> Self {
        self.template.layout = Layout::Sorted;
        self
    }

    /// The sealing domain (`d=`).
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.template.domain
    }

    /// The selector (`s=`).
    #[must_use]
    pub fn selector(&self) -> &str {
        self.template.selector.as_str()
    }

    /// The name under which the public key must stand in the DNS, as a DKIM key record.
    #[must_use]
    pub fn key_name(&self) -> &Name {
        &self.template.key_name
    }
}

impl Sealer {
    /// A sealer for `domain`. The algorithm is that of the key.
    ///
    /// # Errors
    ///
    /// [`SignError`] for a domain or selector that no seal can have.
    pub fn new(key: SigningKey, domain: Domain, selector: &str) -> Result<Self, SignError> {
        Ok(Self {
            template: Template::new(SignatureAlgorithm::of(&key), domain, selector)?,
            key,
        })
    }

    /// Seals a whole message.
    ///
    /// # Errors
    ///
    /// [`SignError`], where no seal can be added.
    pub fn seal(
        &self,
        message: &Message<'_>,
        payload: &Payload,
        incoming: &Validation,
        now: SystemTime,
    ) -> Result<Signed, SignError> {
        let sealing = self.prepare(message.head(), payload, incoming, now)?;
        let mut hasher = sealing.body_hasher();
        hasher.update(message.body());
        sealing.finish(&hasher.finish())
    }
}

impl<K: Clone> Sealer<K> {
    /// The first half of sealing: the header of the message as it leaves. `payload` is what was
    /// found when it arrived, and `incoming` the state of its chain then. It borrows nothing.
    ///
    /// # Errors
    ///
    /// [`SignError`], where no seal can be added.
    pub fn prepare(
        &self,
        head: &Head<'_>,
        payload: &Payload,
        incoming: &Validation,
        now: SystemTime,
    ) -> Result<Sealing<K>, SignError> {
        Ok(Sealing {
            plan: self.template.plan(head, payload, incoming, now)?,
            key: self.key.clone(),
        })
    }
}

impl<K> fmt::Debug for Sealer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sealer").field(&self.template).finish()
    }
}

/// A set that waits for the body.
#[derive(Clone)]
pub struct Sealing<K = SigningKey> {
    pub(super) key: K,
    pub(super) plan: Plan,
}

impl<K> fmt::Debug for Sealing<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Sealing").field(&self.plan).finish()
    }
}

impl<K> Sealing<K> {
    /// The number of the set (`i=`).
    #[must_use]
    pub fn instance(&self) -> u8 {
        self.plan.instance
    }

    /// What the seal will say of the chain (`cv=`).
    #[must_use]
    pub fn chain_validation(&self) -> ArcResult {
        self.plan.chain_validation
    }

    /// A hasher for the body, which notices what makes the [hazards](Signed::hazards) as well.
    #[must_use]
    pub fn body_hasher(&self) -> BodyHasher {
        BodyHasher::of([self.plan.request()]).with_hazards()
    }
}

impl Sealing {
    /// Makes the set.
    ///
    /// # Errors
    ///
    /// [`SignError::BodyNotHashed`] for a body hashed by another hasher, [`SignError::Key`] if the
    /// key cannot sign.
    pub fn finish(self, bodies: &BodyHashes) -> Result<Signed, SignError> {
        let algorithm = self.plan.template.algorithm;
        let sign = |header: &[u8]| -> Result<Vec<u8>, SigningKeyError> {
            self.key.sign(&signed_octets(algorithm, header.to_vec()))
        };
        let unsigned = self.plan.message_signature(bodies)?;
        let message_signature = unsigned.finish(&sign(&unsigned.header)?);
        let unsigned = self.plan.seal(&message_signature);
        let seal = unsigned.finish(&sign(&unsigned.header)?);
        Ok(self.plan.signed(message_signature, seal, bodies))
    }
}
