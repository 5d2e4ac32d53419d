//! Mail of our own: signed, not verified.

use std::time::SystemTime;

use mailproof::dkim::{BodyHasher, SignError, Signer, Signing};
use mailproof::message::Head;
use serde_json::{Value, json};

use crate::edits::{Edits, Outcome};
use crate::serve::Service;

/// Signatures under way.
#[derive(Debug)]
pub(crate) struct Outbound {
    signing: Signing,
    body: BodyHasher,
    /// Whether any key is ours to sign with.
    signs: bool,
}

impl Outbound {
    pub(crate) fn begin(service: &Service, head: &Head<'_>) -> Self {
        let signers = signers(service, head);
        let signing = Signer::prepare(&signers, head, SystemTime::now());
        Self {
            body: signing.body_hasher(),
            signing,
            signs: !signers.is_empty(),
        }
    }

    pub(crate) fn update(&mut self, chunk: &[u8]) {
        self.body.update(chunk);
    }

    pub(crate) fn needs_more(&self) -> bool {
        self.signs && self.body.needs_more()
    }

    /// Signs. Unsigned mail of our own would fail elsewhere, so it stays with the client until it
    /// can be signed.
    pub(crate) fn finish(self, service: &Service, head: &Head<'_>) -> (Outcome, Value) {
        let signed = match self.signing.finish(&self.body.finish()) {
            Ok(signed) => signed,
            Err(error) => {
                let outcome = match error {
                    SignError::TooManyFields { .. } => Outcome::Unsignable,
                    _ => Outcome::TryAgain,
                };
                return (outcome, json!({"error": error.to_string()}));
            }
        };
        let fields = head.fields().iter();
        let border = &service.settings.border;
        let edits = Edits {
            removals: border.strip_plan(fields.map(|field| (field.name(), field.value()))),
            fields: signed.fields().to_vec(),
            hold: None,
        };
        let log = json!({"signatures": edits.fields.len()});
        (Outcome::Accept(edits), log)
    }
}

/// The keys of the author's domain, or of the closest one above it that has any. Who may write as
/// whom is for the mail server to say.
fn signers(service: &Service, head: &Head<'_>) -> Vec<Signer> {
    let author = head.author();
    let Some(author) = author.domain() else {
        return Vec::new();
    };
    let keys = &service.settings.signers;
    let closest = keys
        .iter()
        .map(|(domain, _)| domain)
        .filter(|domain| author.is_within(domain))
        .max_by_key(|domain| domain.label_count());
    keys.iter()
        .filter(|(domain, _)| Some(domain) == closest)
        .map(|(_, signer)| signer.clone())
        .collect()
}
