//! Making signatures (§5).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::algorithm::SignatureAlgorithm;
use super::body_hash::{BodyHashRequest, BodyHasher, BodyHashes};
use super::canonicalize::Canonicalization;
use super::field_writer::FieldWriter;
use super::hazards::Hazards;
use super::header::{self, FieldIndex};
use super::key_check::signed_octets;
use super::quoted_printable;
use crate::crypto::{SigningKey, SigningKeyError};
use crate::dns::{Name, NameError};
use crate::domain::{Domain, DomainError};
use crate::message::{Head, Message};
use crate::text;

/// Who signs, with which key, and how: everything about signatures but the message and the time.
///
/// The defaults are relaxed/relaxed, and the fields of §5.4.1 signed one more time than they occur,
/// so that none can be added ([`Fields::Recommended`]). There is no way to limit the signed length
/// of the body (`l=`), since that lets anybody append to it (§8.2).
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
/// let signed = dkim::sign(&[signer.clone()], &Message::parse(mail), now)?;
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
#[derive(Clone, Debug)]
pub struct Signer {
    key: SigningKey,
    template: Template,
}

/// What a signature says beside its hashes.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) domain: Domain,
    pub(super) selector: Domain,
    identity: Option<String>,
    header: Canonicalization,
    body: Canonicalization,
    fields: Fields,
    timestamp: bool,
    lifetime: Option<Duration>,
}

impl Template {
    pub(super) fn new(
        algorithm: SignatureAlgorithm,
        domain: Domain,
        selector: &str,
    ) -> Result<Self, SignError> {
        if domain.label_count() < 2 {
            return Err(SignError::SingleLabel);
        }
        let selector = Domain::parse(selector.as_bytes()).map_err(SignError::Selector)?;
        let labels = [selector.as_str().as_bytes(), b"._domainkey"].concat();
        Name::below(&labels, &domain).map_err(SignError::KeyName)?;
        Ok(Self {
            algorithm,
            domain,
            selector,
            identity: None,
            header: Canonicalization::Relaxed,
            body: Canonicalization::Relaxed,
            fields: Fields::Recommended,
            timestamp: true,
            lifetime: None,
        })
    }

    /// The name under which the key must stand.
    pub(super) fn key_name(&self) -> Result<Name, NameError> {
        let labels = [self.selector.as_str().as_bytes(), b"._domainkey"].concat();
        Name::below(&labels, &self.domain)
    }
}

macro_rules! template_setters {
    () => {
        /// Sets how header and body are canonicalized (`c=`).
        #[must_use]
        pub fn canonicalization(
            mut self,
            header: crate::dkim::Canonicalization,
            body: crate::dkim::Canonicalization,
        ) -> Self {
            self.template.set_canonicalization(header, body);
            self
        }

        /// Sets which header fields are signed (`h=`).
        ///
        /// # Errors
        ///
        /// [`SignError`](crate::dkim::SignError), if the names do not include From or have one that
        /// must not be signed.
        pub fn fields(
            mut self,
            fields: crate::dkim::Fields,
        ) -> Result<Self, crate::dkim::SignError> {
            self.template.set_fields(fields)?;
            Ok(self)
        }

        /// Sets on whose behalf is signed (`i=`): a local part, which may be empty, and the signing
        /// domain or one below it.
        ///
        /// # Errors
        ///
        /// [`SignError::Identity`](crate::dkim::SignError::Identity) for any other domain.
        pub fn identity(
            mut self,
            local_part: &str,
            domain: &crate::Domain,
        ) -> Result<Self, crate::dkim::SignError> {
            self.template.set_identity(local_part, domain)?;
            Ok(self)
        }

        /// Sets how long after signing the signature expires (`x=`); without it, never.
        #[must_use]
        pub fn expires_after(mut self, lifetime: std::time::Duration) -> Self {
            self.template.set_lifetime(lifetime);
            self
        }

        /// Leaves `t=` out, which otherwise tells the time of signing.
        #[must_use]
        pub fn without_timestamp(mut self) -> Self {
            self.template.omit_timestamp();
            self
        }

        /// The signing domain (`d=`).
        #[must_use]
        pub fn domain(&self) -> &crate::Domain {
            &self.template.domain
        }

        /// The selector (`s=`).
        #[must_use]
        pub fn selector(&self) -> &str {
            self.template.selector.as_str()
        }

        /// The name under which the public key must stand in the DNS.
        ///
        /// # Errors
        ///
        /// None for a signer that could be made.
        pub fn key_name(&self) -> Result<crate::dns::Name, crate::dns::NameError> {
            self.template.key_name()
        }
    };
}

impl Template {
    pub(super) fn set_canonicalization(
        &mut self,
        header: Canonicalization,
        body: Canonicalization,
    ) {
        self.header = header;
        self.body = body;
    }

    pub(super) fn set_fields(&mut self, fields: Fields) -> Result<(), SignError> {
        if let Fields::Exactly(names) = &fields {
            check_names(names)?;
        }
        self.fields = fields;
        Ok(())
    }

    pub(super) fn set_identity(
        &mut self,
        local_part: &str,
        domain: &Domain,
    ) -> Result<(), SignError> {
        if !domain.is_within(&self.domain) || local_part.chars().any(char::is_control) {
            return Err(SignError::Identity);
        }
        let local_part = quoted_printable::encode(local_part.as_bytes());
        self.identity = Some(format!("{local_part}@{domain}"));
        Ok(())
    }

    pub(super) fn set_lifetime(&mut self, lifetime: Duration) {
        self.lifetime = Some(lifetime);
    }

    pub(super) fn omit_timestamp(&mut self) {
        self.timestamp = false;
    }

    /// The header half: names and canonical data of the fields to be signed.
    pub(super) fn prepare(&self, head: &Head<'_>, index: &FieldIndex, now: u64) -> Prepared {
        let names = match &self.fields {
            Fields::Recommended => index.recommended(),
            Fields::Exactly(names) => names.clone(),
        };
        let selected = index.select(names.iter().map(String::as_str), usize::MAX);
        let data = header::write_selected(head, &selected, self.header, usize::MAX);
        Prepared {
            template: self.clone(),
            names,
            data: data.unwrap_or_default(),
            now,
        }
    }
}

/// A signature whose header is hashed and whose body is not.
#[derive(Clone, Debug)]
pub(super) struct Prepared {
    template: Template,
    names: Vec<String>,
    data: Vec<u8>,
    now: u64,
}

impl Prepared {
    pub(super) fn request(&self) -> BodyHashRequest {
        BodyHashRequest::new(self.template.algorithm.hash(), self.template.body)
    }

    /// The field up to and including `b=`, and the octets to be signed. What is emitted is what was
    /// hashed: only the value of `b=` is added behind it, which hashing leaves out (§3.7).
    pub(super) fn unsigned(
        &self,
        bodies: &BodyHashes,
    ) -> Result<(FieldWriter, Vec<u8>), SignError> {
        let body = bodies
            .get(&self.request())
            .ok_or(SignError::BodyNotHashed)?;
        let template = &self.template;
        let mut field = FieldWriter::new("DKIM-Signature:");
        field.tag("v", "1");
        field.tag("a", template.algorithm.as_str());
        field.tag("c", &format!("{}/{}", template.header, template.body));
        field.tag("d", template.domain.as_str());
        field.tag("s", template.selector.as_str());
        if let Some(identity) = &template.identity {
            field.tag("i", identity);
        }
        if template.timestamp {
            field.tag("t", &self.now.to_string());
        }
        if let Some(lifetime) = template.lifetime {
            // x= must be greater than t=.
            let expiration = self.now.saturating_add(lifetime.as_secs().max(1));
            field.tag("x", &expiration.to_string());
        }
        field.list("h", &self.names);
        field.tag("bh", &text::base64_encode(body.digest.as_ref()));
        field.begin("b");
        let mut data = self.data.clone();
        let emitted = field.as_str();
        let (name, value) = emitted.split_once(':').unwrap_or((emitted, ""));
        template
            .header
            .write_header_field(name.as_bytes(), &[], value.as_bytes(), &mut data);
        Ok((field, signed_octets(template.algorithm, data)))
    }
}

impl Signer {
    /// A signer for mail of `domain`. The algorithm is that of the key: rsa-sha256 or ed25519-sha256.
    ///
    /// # Errors
    ///
    /// [`SignError`] for a domain or selector that no signature can have.
    pub fn new(key: SigningKey, domain: Domain, selector: &str) -> Result<Self, SignError> {
        let algorithm = if key.verifying_key().is_ed25519() {
            SignatureAlgorithm::Ed25519Sha256
        } else {
            SignatureAlgorithm::RsaSha256
        };
        Ok(Self {
            template: Template::new(algorithm, domain, selector)?,
            key,
        })
    }

    template_setters!();

    /// The key.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// The text of the TXT record that must stand at [`key_name`](Self::key_name).
    #[must_use]
    pub fn record(&self) -> String {
        super::publish::record(self.key.verifying_key())
    }

    /// The first half of signing: the header. It borrows nothing.
    #[must_use]
    pub fn prepare(signers: &[Self], head: &Head<'_>, now: SystemTime) -> Signing {
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

pub(super) fn seconds(now: SystemTime) -> u64 {
    now.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Signatures that wait for the body.
#[derive(Clone, Debug)]
pub struct Signing {
    parts: Vec<(SigningKey, Prepared)>,
    hazards: Hazards,
}

impl Signing {
    /// A hasher for the body, which serves all signatures in one pass.
    #[must_use]
    pub fn body_hasher(&self) -> BodyHasher {
        BodyHasher::new(self.parts.iter().map(|(_, prepared)| prepared.request()))
    }

    /// Makes the signatures.
    ///
    /// # Errors
    ///
    /// [`SignError::BodyNotHashed`] for a body hashed by another hasher, [`SignError::Key`] if the
    /// key cannot sign.
    pub fn finish(self, bodies: &BodyHashes) -> Result<Signed, SignError> {
        let mut fields = Vec::with_capacity(self.parts.len());
        for (key, prepared) in &self.parts {
            let (field, octets) = prepared.unsigned(bodies)?;
            fields.push(field.finish(&key.sign(&octets)?));
        }
        Ok(Signed {
            fields,
            hazards: self.hazards.with_body(bodies.facts()),
        })
    }
}

/// Signs a whole message, with one pass over the body for all signers. The signatures belong above
/// the message, see [`Signed::header`].
///
/// # Errors
///
/// [`SignError::Key`], if a key cannot sign.
pub fn sign(
    signers: &[Signer],
    message: &Message<'_>,
    now: SystemTime,
) -> Result<Signed, SignError> {
    let signing = Signer::prepare(signers, message.head(), now);
    let mut hasher = signing.body_hasher();
    hasher.update(message.body());
    signing.finish(&hasher.finish())
}

/// Signatures that were made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Signed {
    pub(super) fields: Vec<String>,
    pub(super) hazards: Hazards,
}

impl Signed {
    /// The DKIM-Signature fields in the order of the signers, each without the CRLF that ends it. They
    /// must go into the message exactly as they are.
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

    /// What about the message will break the signatures on the way.
    #[must_use]
    pub fn hazards(&self) -> &Hazards {
        &self.hazards
    }
}

/// Which header fields are signed.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fields {
    /// From, Reply-To, Subject, Date, To, Cc, Message-ID, In-Reply-To, References and the MIME fields, each
    /// once more than it occurs, so that none can be added unseen; and Resent-*, List-* and Sender
    /// as often as they occur, since mailing lists add those.
    #[default]
    Recommended,
    /// These names in this order, no more and no less.
    Exactly(Vec<String>),
}

/// Why no signature was made, or no signer.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The body was not fed to the hasher of this signing.
    #[error("the body was not hashed for these signatures")]
    BodyNotHashed,
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
    /// A selector that is none.
    #[error("unusable selector: {0}")]
    Selector(DomainError),
    /// A signing domain of one label, which §3.5 does not allow.
    #[error("the signing domain is a single label")]
    SingleLabel,
    /// A field that changes on the way (§5.4.1).
    #[error("{name} changes on the way and must not be signed")]
    TraceField {
        /// Its name.
        name: String,
    },
}

fn check_names(names: &[String]) -> Result<(), SignError> {
    for name in names {
        let octets = name.as_bytes();
        let sound = |octet: &u8| octet.is_ascii_graphic() && !matches!(octet, b':' | b';');
        if octets.is_empty() || !octets.iter().all(sound) {
            return Err(SignError::FieldName { name: name.clone() });
        }
        if TRACE_FIELDS
            .iter()
            .any(|trace| name.eq_ignore_ascii_case(trace))
        {
            return Err(SignError::TraceField { name: name.clone() });
        }
    }
    if !names.iter().any(|name| name.eq_ignore_ascii_case("From")) {
        return Err(SignError::FromNotSigned);
    }
    Ok(())
}

impl FieldIndex {
    /// The names of [`Fields::Recommended`] for this header block.
    fn recommended(&self) -> Vec<String> {
        let mut names = Vec::new();
        for name in OVERSIGNED {
            let count = self.count(name).saturating_add(1);
            names.extend(std::iter::repeat_n((*name).to_owned(), count));
        }
        for name in SIGNED {
            names.extend(std::iter::repeat_n((*name).to_owned(), self.count(name)));
        }
        names
    }
}

/// §5.4.1, and the MIME fields, without which a body can be made to look different.
const OVERSIGNED: &[&str] = &[
    "From",
    "Reply-To",
    "Subject",
    "Date",
    "To",
    "Cc",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// §5.4.1: fields that others may rightly add.
const SIGNED: &[&str] = &[
    "Sender",
    "Resent-Date",
    "Resent-From",
    "Resent-To",
    "Resent-Cc",
    "List-Id",
    "List-Help",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-Subscribe",
    "List-Post",
    "List-Owner",
    "List-Archive",
];

/// §5.4.1: ‘the Return-Path and Received header fields’, and those that each host adds or removes.
const TRACE_FIELDS: &[&str] = &[
    "Return-Path",
    "Received",
    "Received-SPF",
    "Authentication-Results",
    "ARC-Authentication-Results",
    "ARC-Message-Signature",
    "ARC-Seal",
    "DKIM-Signature",
];
