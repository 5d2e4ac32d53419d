//! Mail from outside: verified while its body arrives, then accepted, held or refused.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use mailproof::arc::Payload;
use mailproof::dkim::BodyHasher;
use mailproof::message::Head;
use mailproof::verifier::Answers;
use mailproof::{Action, Message, Session, Verdict};
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;

use crate::config::{Mode, Quarantine};
use crate::edits::{Edits, Outcome};
use crate::serve::Service;

/// A verification under way.
#[derive(Debug)]
pub(crate) struct Inbound {
    answers: AbortOnDropHandle<Answers>,
    body: BodyHasher,
    /// The body, where it is to be sealed: what the seal says is known only behind it.
    kept: Option<Vec<u8>>,
    begun: Instant,
}

impl Inbound {
    /// Asks the DNS from now on; the body is waited for meanwhile.
    pub(crate) fn begin(
        service: &Service,
        session: &Session,
        head: &Head<'_>,
        sealing: bool,
    ) -> Self {
        let (lookups, body) = service.verifier.begin(session, head);
        let time = tokio::time::sleep(service.settings.dns_time);
        let answers = lookups.run_until(Arc::clone(&service.resolver), time);
        Self {
            answers: AbortOnDropHandle::new(tokio::spawn(answers)),
            body,
            kept: sealing.then(Vec::new),
            begun: Instant::now(),
        }
    }

    pub(crate) fn update(&mut self, chunk: &[u8]) {
        self.body.update(chunk);
        if let Some(kept) = &mut self.kept {
            match kept.len().saturating_add(chunk.len()) <= MAX_SEALED {
                true => kept.extend_from_slice(chunk),
                false => self.kept = None,
            }
        }
    }

    pub(crate) fn needs_more(&self) -> bool {
        self.kept.is_some() || self.body.needs_more()
    }

    /// Judges. The second value is for the log.
    pub(crate) async fn finish(self, service: &Service, head: Head<'_>) -> (Outcome, Value) {
        let Ok(answers) = self.answers.await else {
            return (
                Outcome::TryAgain,
                json!({"error": "the look-ups ended early"}),
            );
        };
        let verdict = service.verifier.finish(answers, self.body.finish());
        let mut log = described(&verdict);
        let mut outcome = decide(service, &verdict, &head);
        if let (Outcome::Accept(edits), Some(body)) = (&mut outcome, &self.kept) {
            let sealed = seal(service, &verdict, head, body);
            log["sealed"] = match sealed {
                Ok(fields) => {
                    edits.fields.splice(0..0, fields);
                    true.into()
                }
                // A message without a seal is better than none.
                Err(error) => error.into(),
            };
        }
        log["milliseconds"] = json!(self.begun.elapsed().as_secs_f64() * 1e3);
        (outcome, log)
    }
}

/// Longer bodies are not kept, and so not sealed.
const MAX_SEALED: usize = 64 << 20;

fn decide(service: &Service, verdict: &Verdict, head: &Head<'_>) -> Outcome {
    let settings = &service.settings;
    let fields = head.fields().iter();
    let mut edits = Edits {
        removals: settings
            .border
            .strip_plan(fields.map(|field| (field.name(), field.value()))),
        fields: vec![
            verdict
                .authentication_results(&settings.authserv_id)
                .to_field(),
        ],
        hold: None,
    };
    match (settings.mode, verdict.action()) {
        (Mode::Observe, _) | (_, Action::Deliver) => {}
        (Mode::Enforce, Action::Quarantine) => {
            edits.hold =
                (settings.quarantine == Quarantine::Hold).then(|| verdict.reason().to_string());
        }
        (Mode::Enforce, Action::Reject | Action::Defer) => {
            return verdict
                .smtp_reply()
                .map_or(Outcome::TryAgain, Outcome::Refuse);
        }
    }
    Outcome::Accept(edits)
}

/// Makes an ARC set that says what was found here.
fn seal(
    service: &Service,
    verdict: &Verdict,
    head: Head<'_>,
    body: &[u8],
) -> Result<Vec<String>, String> {
    let Some((sealer, _)) = &service.settings.seal else {
        return Err("no key".to_owned());
    };
    let results = verdict.authentication_results(&service.settings.authserv_id);
    let message = Message::new(head, body);
    let payload = Payload::new(&results);
    let sealed = sealer.seal(&message, &payload, verdict.arc(), SystemTime::now());
    let sealed = sealed.map_err(|error| error.to_string())?;
    Ok(sealed.fields().to_vec())
}

fn described(verdict: &Verdict) -> Value {
    let dkim: Vec<String> = verdict
        .dkim()
        .iter()
        .map(|one| {
            let domain = one.domain().map_or("?", |domain| domain.as_str());
            format!("{} {domain}", one.result())
        })
        .collect();
    let findings: Vec<&str> = verdict
        .diagnosis()
        .iter()
        .map(|finding| finding.code().as_str())
        .collect();
    json!({
        "from": verdict.author().domain().map(|domain| domain.as_str()),
        "spf": verdict.spf().authoritative().result().as_str(),
        "dkim": dkim,
        "arc": verdict.arc().result().as_str(),
        "dmarc": verdict.dmarc().result().as_str(),
        "action": verdict.action().to_string(),
        "reason": verdict.reason().to_string(),
        "findings": findings,
    })
}
