//! A set under construction: what is signed, and how it is written (§5.1).

use std::time::SystemTime;

use super::chain::{self, Chain};
use super::collect::write_sealed;
use super::payload::Payload;
use super::settings::Settings;
use super::validation::Validation;
use super::words::{ArcResult, SetField};
use crate::dkim::field_writer::FieldWriter;
use crate::dkim::header::{self, FieldIndex};
use crate::dkim::{
    self, BodyHashRequest, BodyHashes, Canonicalization, Hazards, SignError, SignatureAlgorithm,
    Signed, signer_names,
};
use crate::dns::Name;
use crate::domain::Domain;
use crate::message::Head;
use crate::text;

/// Who seals, and how, but for the key.
#[derive(Clone, Debug)]
pub(super) struct Template {
    pub(super) algorithm: SignatureAlgorithm,
    pub(super) domain: Domain,
    pub(super) selector: Domain,
    pub(super) key_name: Name,
    pub(super) header: Canonicalization,
    pub(super) body: Canonicalization,
    /// The recommended ones, where there are none.
    fields: Option<Vec<String>>,
    pub(super) layout: Layout,
}

/// How the tags of message signature and seal are written.
#[derive(Clone, Copy, Debug)]
pub(super) enum Layout {
    /// The instance first, as §4.1 has it, on lines of at most 78 characters.
    Folded,
    /// In alphabetical order on one line: the layout on which test suites agree, so that the
    /// signatures of different sealers can be compared.
    Sorted,
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
            header: Canonicalization::Relaxed,
            body: Canonicalization::Relaxed,
            fields: None,
            layout: Layout::Folded,
        })
    }

    pub(super) fn set_fields(&mut self, names: Vec<String>) -> Result<(), SignError> {
        dkim::check_names(&names, TRACE_FIELDS)?;
        self.fields = Some(names);
        Ok(())
    }

    /// §5.1, steps 2 and 3, and the header half of step 4.
    pub(super) fn plan(
        &self,
        head: &Head<'_>,
        payload: &Payload,
        incoming: &Validation,
        now: SystemTime,
    ) -> Result<Plan, SignError> {
        let settings = Settings::default();
        let chain = Chain::read(head, &settings);
        let newest = chain.newest();
        // ‘with the most recent AS reporting "cv=fail", there is no need to proceed and the
        // algorithm stops here.’
        let last = chain.links.last_key_value();
        if last.and_then(|(_, link)| link.chain_validation()) == Some(ArcResult::Fail) {
            return Err(SignError::ChainFailed);
        }
        if usize::from(newest) >= chain::MAX_SETS {
            return Err(SignError::ChainFull);
        }
        let intact = match incoming.result() {
            ArcResult::None => chain.links.is_empty(),
            ArcResult::Pass => {
                chain.check(&settings).is_ok() && usize::from(newest) == incoming.sets().len()
            }
            ArcResult::Fail => true,
        };
        if !intact {
            return Err(SignError::ChainChanged);
        }
        let index = FieldIndex::new(head);
        let names = self.names(&index);
        dkim::check_count(&names)?;
        let selected = index.select(names.iter().map(String::as_str), usize::MAX);
        let data = header::write_selected(head, &selected, self.header, usize::MAX);
        let instance = newest.saturating_add(1);
        let name = SetField::AuthenticationResults.as_str();
        Ok(Plan {
            template: self.clone(),
            instance,
            chain_validation: incoming.result(),
            results: format!("{name}: i={instance};{}", payload.below(name)),
            names,
            data: data.unwrap_or_default(),
            sealed: sealed(head, &chain, incoming.result()),
            seconds: dkim::seconds(now),
            hazards: Hazards::of_head(head),
        })
    }

    /// §4.1.2: ‘the signature of the AMS header field SHOULD include any DKIM-Signature header fields
    /// already present in the message.’
    fn names(&self, index: &FieldIndex<'_>) -> Vec<String> {
        match &self.fields {
            Some(names) => names.clone(),
            None => {
                let mut names = index.recommended();
                let signatures = index.count(DKIM_SIGNATURE);
                names.extend(std::iter::repeat_n(DKIM_SIGNATURE.to_owned(), signatures));
                names
            }
        }
    }
}

/// The sets that the new seal covers beside its own, canonical. §5.1.2: where the chain failed, ‘as
/// if this newest ARC Set was the only set present’.
fn sealed(head: &Head<'_>, chain: &Chain, incoming: ArcResult) -> Vec<u8> {
    let mut sealed = Vec::new();
    if incoming == ArcResult::Pass {
        for link in chain.links.values() {
            let results = link.results.iter().copied();
            let message = link.signatures.iter().map(|(position, _)| *position);
            let seal = link.seals.iter().map(|(position, _)| *position);
            for position in results.chain(message).chain(seal) {
                write_sealed(head, position, &mut sealed);
            }
        }
    }
    sealed
}

/// A set whose header is read and whose body is not.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) template: Template,
    pub(super) instance: u8,
    pub(super) chain_validation: ArcResult,
    /// The ARC-Authentication-Results field.
    pub(super) results: String,
    names: Vec<String>,
    /// The canonical header fields that the message signature covers.
    data: Vec<u8>,
    sealed: Vec<u8>,
    seconds: u64,
    hazards: Hazards,
}

/// A field that lacks only its signature.
#[derive(Debug)]
pub(super) struct Unsigned {
    /// What is to be signed.
    pub(super) header: Vec<u8>,
    field: SetField,
    layout: Layout,
    tags: Vec<(&'static str, String)>,
}

impl Plan {
    /// The finished set.
    pub(super) fn signed(
        self,
        message_signature: String,
        seal: String,
        bodies: &BodyHashes,
    ) -> Signed {
        let fields = vec![seal, message_signature, self.results];
        Signed::new(fields, self.hazards, bodies)
    }

    pub(super) fn request(&self) -> BodyHashRequest {
        BodyHashRequest::new(self.template.algorithm.hash(), self.template.body)
    }

    /// §4.1.2.
    pub(super) fn message_signature(&self, bodies: &BodyHashes) -> Result<Unsigned, SignError> {
        let body = bodies
            .get(&self.request())
            .ok_or(SignError::BodyNotHashed)?;
        let template = &self.template;
        let unsigned = Unsigned {
            header: self.data.clone(),
            field: SetField::MessageSignature,
            layout: template.layout,
            tags: vec![
                ("i", self.instance.to_string()),
                ("a", template.algorithm.to_string()),
                ("c", format!("{}/{}", template.header, template.body)),
                ("d", template.domain.to_string()),
                ("s", template.selector.to_string()),
                ("t", self.seconds.to_string()),
                ("h", self.names.join(":")),
                ("bh", text::base64_encode(body.digest.as_ref())),
            ],
        };
        Ok(unsigned.covering_itself(template.header))
    }

    /// §4.1.3, over the sets before, the results and the finished message signature (§5.1.1).
    pub(super) fn seal(&self, message_signature: &str) -> Unsigned {
        let template = &self.template;
        let mut header = self.sealed.clone();
        for field in [self.results.as_str(), message_signature] {
            write_field(field, Canonicalization::Relaxed, &mut header);
            header.extend_from_slice(b"\r\n");
        }
        let unsigned = Unsigned {
            header,
            field: SetField::Seal,
            layout: template.layout,
            tags: vec![
                ("i", self.instance.to_string()),
                ("a", template.algorithm.to_string()),
                ("cv", self.chain_validation.to_string()),
                ("d", template.domain.to_string()),
                ("s", template.selector.to_string()),
                ("t", self.seconds.to_string()),
            ],
        };
        unsigned.covering_itself(Canonicalization::Relaxed)
    }
}

impl Unsigned {
    fn covering_itself(mut self, canonicalization: Canonicalization) -> Self {
        let own = self.write(&[]);
        write_field(&own, canonicalization, &mut self.header);
        self
    }

    /// The whole field, without the CRLF that ends it.
    pub(super) fn finish(&self, signature: &[u8]) -> String {
        self.write(signature)
    }

    fn write(&self, signature: &[u8]) -> String {
        let name = format!("{}:", self.field.as_str());
        match self.layout {
            Layout::Folded => {
                let mut field = FieldWriter::new(&name);
                for (tag, value) in &self.tags {
                    if *tag == "h" {
                        let names: Vec<String> = value.split(':').map(str::to_owned).collect();
                        field.list(tag, &names);
                    } else {
                        field.tag(tag, value);
                    }
                }
                field.begin("b");
                field.finish(signature)
            }
            Layout::Sorted => {
                let signature = text::base64_encode(signature);
                let mut tags: Vec<(&str, &str)> = self
                    .tags
                    .iter()
                    .map(|(tag, value)| (*tag, value.as_str()))
                    .collect();
                tags.push(("b", &signature));
                tags.sort_unstable();
                let tags: Vec<String> = tags
                    .iter()
                    .map(|(tag, value)| format!("{tag}={value}"))
                    .collect();
                format!("{name} {}", tags.join("; "))
            }
        }
    }
}

/// Writes a field in canonical form, without a CRLF.
fn write_field(field: &str, canonicalization: Canonicalization, out: &mut Vec<u8>) {
    let (name, value) = field.split_once(':').unwrap_or((field, ""));
    canonicalization.write_header_field(name.as_bytes(), &[], value.as_bytes(), out);
}

const DKIM_SIGNATURE: &str = "DKIM-Signature";

/// As for DKIM; but §4.1.2 forbids ‘Authentication-Results header fields’ and ‘ARC-related header
/// fields’, and asks for DKIM-Signature.
const TRACE_FIELDS: &[&str] = &[
    "Return-Path",
    "Received",
    "Received-SPF",
    "Authentication-Results",
    "ARC-Authentication-Results",
    "ARC-Message-Signature",
    "ARC-Seal",
];
