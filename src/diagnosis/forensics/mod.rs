//! What the message itself tells about signatures and seals that failed: opt-in, bounded, and stated
//! as likely where it is no proof.
//!
//! The verdict keeps what the DNS answered, so that the keys are at hand without a question.

mod body;
mod chain;
mod changes;
mod header;
mod probe;

use super::View;
use super::catalogue::{Entry, forensics as texts};
use super::dkim as signatures;
use super::dmarc::count;
use super::finding::{Draft, Finding, Severity, Value};
use crate::dkim::header::FieldIndex;
use crate::dkim::{self, Cause, Keys, Signature, Verification};
use crate::dns::{self, Name};
use crate::domain::Domain;
use crate::message::Message;
use crate::verdict::Verdict;
use probe::{Piece, Probe, Signed};

pub(super) fn findings(verdict: &Verdict, message: &Message<'_>) -> Vec<Finding> {
    let view = View::of(verdict);
    let mut suspects: Vec<&Verification> = verdict
        .dkim()
        .iter()
        .filter(|one| is_suspect(one.cause()))
        .take(SUSPECTS)
        .collect();
    suspects.sort_by_key(|one| !signatures::is_authors(&view, one));
    let mut findings: Vec<Finding> = suspects
        .into_iter()
        .flat_map(|one| examine(&view, one, message))
        .collect();
    findings.extend(chain::findings(&view, message));
    findings.sort_by_key(Finding::severity);
    findings
}

fn is_suspect(cause: &Cause) -> bool {
    matches!(
        cause,
        Cause::BodyHashMismatch | Cause::SignatureMismatch | Cause::PartialBody { .. }
    )
}

fn examine(view: &View<'_>, verification: &Verification, message: &Message<'_>) -> Vec<Finding> {
    let settings = dkim::Settings::default();
    let position = verification.position();
    let field = message.head().fields().get(position);
    let Some(field) = field.filter(|field| field.is(b"DKIM-Signature")) else {
        return Vec::new();
    };
    let Ok(signature) = Signature::parse(field.value(), settings.max_signed_fields) else {
        return Vec::new();
    };
    // Another message than the one that was verified tells nothing.
    if Some(signature.prefix()) != verification.prefix() {
        return Vec::new();
    }
    let Ok(key_name) = signature.key_name() else {
        return Vec::new();
    };
    let report = Report {
        field: "DKIM-Signature",
        instance: None,
        signer: signature.signing_domain(),
        selector: signature.selector(),
        key_name: &key_name,
        decided: !view.passes && signatures::is_authors(view, verification),
    };
    let suspect = Suspect {
        signature: &signature,
        position,
        selected: verification.signed_fields().collect(),
        header_intact: verification.header_intact(),
    };
    suspect.explain(view, &report, verification.cause(), message)
}

/// The keys, as the verdict saw them.
fn keys(view: &View<'_>, names: &[Name]) -> Keys {
    let replay = view.verdict.transcript().replay();
    dns::block_on(Keys::fetch(&replay, names))
}

/// A signature over a message, by whatever name its field goes.
struct Suspect<'s> {
    signature: &'s Signature,
    position: usize,
    /// The fields that it covers.
    selected: Vec<(&'s str, Option<usize>)>,
    /// Whether it fits the header; `None` where that is not known yet.
    header_intact: Option<bool>,
}

impl<'s> Suspect<'s> {
    fn explain(
        &self,
        view: &View<'_>,
        report: &Report<'_>,
        cause: &Cause,
        message: &Message<'_>,
    ) -> Vec<Finding> {
        let mut findings = Vec::new();
        match cause {
            Cause::PartialBody { signed, total } => findings.push(
                report
                    .draft(&texts::LENGTH_SHORT)
                    .with("octets", Value::Octets(total.saturating_sub(*signed)))
                    .finish(),
            ),
            Cause::BodyHashMismatch => {
                findings.push(body::explain(report, self.signature, message.body()));
            }
            _ => {}
        }
        if self.header_intact == Some(true) {
            return findings;
        }
        let keys = keys(view, std::slice::from_ref(report.key_name));
        let probe = self.probe(report.key_name, message, &keys);
        if self.header_intact.or_else(|| probe.fits_now()) == Some(false) {
            findings.extend(header::explain(
                report,
                self.signature,
                probe,
                message.head(),
            ));
        }
        findings
    }

    fn probe<'k>(&self, key_name: &Name, message: &Message<'_>, keys: &'k Keys) -> Probe<'k> {
        let head = message.head();
        let signature = self.signature;
        let signed = Signed {
            algorithm: signature.algorithm(),
            octets: signature.octets().to_vec(),
            canonicalization: signature.header_canonicalization(),
            identity_below: signature.identity_domain() != signature.signing_domain(),
            key_name: key_name.clone(),
        };
        let pieces = self.selected.iter();
        let pieces = pieces.map(|(name, position)| Piece::at(head, name, *position));
        let own = Piece::at(head, "", Some(self.position));
        Probe::new(signed, pieces.collect(), own, keys)
    }

    /// A signature at a position, which covers the fields that it names.
    fn at(signature: &'s Signature, position: usize, message: &Message<'_>) -> Self {
        let index = FieldIndex::new(message.head());
        let positions = index.select(signature.signed_fields(), position);
        let selected = signature.signed_fields().zip(positions);
        Self {
            signature,
            position,
            selected: selected.collect(),
            header_intact: None,
        }
    }
}

/// What all findings about one signature or seal have in common.
struct Report<'r> {
    /// The name of its field.
    field: &'static str,
    /// The ARC set it is of.
    instance: Option<u8>,
    signer: &'r Domain,
    selector: &'r str,
    key_name: &'r Name,
    /// Whether DMARC hangs on it.
    decided: bool,
}

impl Report<'_> {
    fn draft(&self, entry: &'static Entry) -> Draft {
        let draft = Draft::new(entry)
            .domain("signer", self.signer)
            .text("selector", self.selector)
            .with("name", Value::Name(self.key_name.clone()))
            .text("signature", self.field)
            .text("who", self.who())
            .severity(match self.decided {
                true => entry.severity,
                false => entry.severity.max(Severity::Warning),
            });
        match self.instance {
            Some(instance) => draft.with("instance", count(usize::from(instance))),
            None => draft,
        }
    }

    /// The signer, by its domain alone where it is that of a DKIM-Signature.
    fn who(&self) -> String {
        match self.instance {
            Some(instance) => format!("{} (ARC set {instance})", self.signer),
            None => self.signer.to_string(),
        }
    }

    /// A finding about a field that was something else.
    fn changed(&self, entry: &'static Entry, name: &str, was: &[u8], now: &[u8]) -> Draft {
        let (was, now) = (shown(was), shown(now));
        let change = format!("it was \"{was}\" and is \"{now}\"");
        self.about(entry, name, Some(was), Some(now))
            .text("change", change)
    }

    /// A finding about what stands in `b=`.
    fn not_by_key(&self) -> Finding {
        let draft = self.about(&texts::OTHER_KEY, self.field, None, None);
        draft.finish()
    }

    fn about(
        &self,
        entry: &'static Entry,
        name: &str,
        was: Option<String>,
        now: Option<String>,
    ) -> Draft {
        let name = name.to_owned();
        self.draft(entry)
            .with("field", Value::Field { name, was, now })
    }
}

fn shown(value: &[u8]) -> String {
    let text = crate::text::lossy(value);
    crate::text::one_line(text.trim(), SHOWN)
}

/// Each costs up to [`probe::TRIES`] checks of a signature; more signatures than these fail together
/// and for the same reason.
const SUSPECTS: usize = 4;

/// Characters of a value.
const SHOWN: usize = 120;
