//! What a signature says and covers, but for its hashes.

use std::time::Duration;

use super::algorithm::SignatureAlgorithm;
use super::body_hash::{BodyHashRequest, BodyHashes};
use super::canonicalize::Canonicalization;
use super::field_writer::FieldWriter;
use super::header::{self, FieldIndex};
use super::quoted_printable;
use super::settings::Settings;
use super::sign::{LAST_TIME, SignError, Signer};
use crate::dns::Name;
use crate::domain::Domain;
use crate::message::Head;
use crate::text;

/// What a signature says beside its hashes.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) domain: Domain,
    pub(super) selector: Domain,
    pub(super) key_name: Name,
    identity: Option<String>,
    header: Canonicalization,
    body: Canonicalization,
    /// The recommended ones, where there are none.
    fields: Option<Vec<String>>,
    timestamp: bool,
    lifetime: Option<Duration>,
}

impl Template {
    pub(super) fn new(
        algorithm: SignatureAlgorithm,
        domain: Domain,
        selector: &str,
    ) -> Result<Self, SignError> {
        let (selector, key_name) = signer_names(algorithm, &domain, selector)?;
        Ok(Self {
            algorithm,
            domain,
            selector,
            key_name,
            identity: None,
            header: Canonicalization::Relaxed,
            body: Canonicalization::Relaxed,
            fields: None,
            timestamp: true,
            lifetime: None,
        })
    }
}

/// Checks who signs with what: the selector, and the name under which its key must stand.
pub(crate) fn signer_names(
    algorithm: SignatureAlgorithm,
    domain: &Domain,
    selector: &str,
) -> Result<(Domain, Name), SignError> {
    if algorithm == SignatureAlgorithm::RsaSha1 {
        return Err(SignError::Sha1);
    }
    if domain.label_count() < 2 {
        return Err(SignError::SingleLabel);
    }
    let selector = Domain::parse(selector.as_bytes()).map_err(SignError::Selector)?;
    let labels = [selector.as_str().as_bytes(), b"._domainkey"].concat();
    let key_name = Name::below(&labels, domain).map_err(SignError::KeyName)?;
    Ok((selector, key_name))
}

impl<K> Signer<K> {
    /// Sets how header and body are canonicalized (`c=`).
    #[must_use]
    pub fn canonicalization(mut self, header: Canonicalization, body: Canonicalization) -> Self {
        self.template.set_canonicalization(header, body);
        self
    }

    /// Sets which header fields are signed (`h=`): these names in this order, no more and no less.
    ///
    /// Otherwise From, Reply-To, Subject, Date, To, Cc, Message-ID, In-Reply-To, References and the
    /// MIME fields are, each once more than it occurs, so that none can be added unseen; and Resent-*,
    /// List-* and Sender as often as they occur, since mailing lists add those.
    ///
    /// # Errors
    ///
    /// [`SignError`], if the names do not include From or have one that must not be signed.
    pub fn fields(
        mut self,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, SignError> {
        self.template
            .set_fields(names.into_iter().map(Into::into).collect())?;
        Ok(self)
    }

    /// Sets on whose behalf is signed (`i=`): a local part, which may be empty, and the signing
    /// domain or one below it.
    ///
    /// # Errors
    ///
    /// [`SignError::Identity`] for any other domain.
    pub fn identity(mut self, local_part: &str, domain: &Domain) -> Result<Self, SignError> {
        self.template.set_identity(local_part, domain)?;
        Ok(self)
    }

    /// Sets how long after signing the signature expires (`x=`); without it, never. The field has
    /// room for twelve digits, so a longer lifetime ends in the year 33658.
    #[must_use]
    pub fn expires_after(mut self, lifetime: Duration) -> Self {
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
    pub fn domain(&self) -> &Domain {
        &self.template.domain
    }

    /// The selector (`s=`).
    #[must_use]
    pub fn selector(&self) -> &str {
        self.template.selector.as_str()
    }

    /// The name under which the public key must stand in the DNS.
    #[must_use]
    pub fn key_name(&self) -> &Name {
        &self.template.key_name
    }
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

    pub(super) fn set_fields(&mut self, names: Vec<String>) -> Result<(), SignError> {
        check_names(&names, TRACE_FIELDS)?;
        self.fields = Some(names);
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
    pub(super) fn prepare(&self, head: &Head<'_>, index: &FieldIndex<'_>, now: u64) -> Prepared {
        let names = match &self.fields {
            None => index.recommended(),
            Some(names) => names.clone(),
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

/// A field that lacks only the signature, and the canonical header to be signed.
#[derive(Debug)]
pub(super) struct Unsigned {
    pub(super) field: FieldWriter,
    pub(super) header: Vec<u8>,
}

impl Prepared {
    pub(super) fn algorithm(&self) -> SignatureAlgorithm {
        self.template.algorithm
    }

    pub(super) fn request(&self) -> BodyHashRequest {
        BodyHashRequest::new(self.template.algorithm.hash(), self.template.body)
    }

    /// The field up to and including `b=`, and the octets to be signed. What is emitted is what was
    /// hashed: only the value of `b=` is added behind it, which hashing leaves out (§3.7).
    pub(super) fn unsigned(&self, bodies: &BodyHashes) -> Result<Unsigned, SignError> {
        check_count(&self.names)?;
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
            // x= must be greater than t=; by a clock at the end of its digits there is none.
            let expiration = self.now.saturating_add(lifetime.as_secs().max(1));
            let expiration = expiration.min(LAST_TIME);
            if expiration > self.now {
                field.tag("x", &expiration.to_string());
            }
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
        Ok(Unsigned {
            field,
            header: data,
        })
    }
}

/// Whether a signature may be made over these names; the `trace` fields are those that each host
/// adds, removes or renames.
pub(crate) fn check_names(names: &[String], trace: &[&str]) -> Result<(), SignError> {
    check_count(names)?;
    for name in names {
        let sound = |octet: u8| octet.is_ascii_graphic() && !matches!(octet, b':' | b';');
        if name.is_empty() || !name.bytes().all(sound) {
            return Err(SignError::FieldName { name: name.clone() });
        }
        let mut trace = trace.iter();
        if trace.any(|trace| name.eq_ignore_ascii_case(trace)) {
            return Err(SignError::TraceField { name: name.clone() });
        }
    }
    if names.iter().any(|name| name.eq_ignore_ascii_case("From")) {
        return Ok(());
    }
    Err(SignError::FromNotSigned)
}

/// Whether there are no more names than are accepted from others by default: a signature over more is worth
/// nothing.
pub(crate) fn check_count(names: &[String]) -> Result<(), SignError> {
    let limit = Settings::default().max_signed_fields;
    if names.len() > limit {
        return Err(SignError::TooManyFields { limit });
    }
    Ok(())
}

impl FieldIndex<'_> {
    /// The names that are signed by default, for this header block.
    pub(crate) fn recommended(&self) -> Vec<String> {
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

/// §5.4.1 has Return-Path, Received, Comments and Keywords as examples of fields not to be signed; these
/// here are added, changed or removed by hosts on the way.
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
