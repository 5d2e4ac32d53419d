//! What the message itself tells about signatures that failed: opt-in, bounded, and stated as
//! likely where it is no proof.
//!
//! The verdict keeps what the DNS answered, so that the key is at hand without a question.

mod body;
mod changes;
mod header;
mod probe;

use super::catalogue::{Entry, forensics as texts};
use super::dkim::{key_name, signed_by};
use super::finding::{Draft, Finding, Severity, Value};
use super::{View, dkim as signatures};
use crate::dkim::{Cause, Signature, Verification, fetch};
use crate::dns;
use crate::limits::DkimLimits;
use crate::message::Message;
use crate::verdict::Verdict;
use probe::Probe;

pub(super) fn findings(verdict: &Verdict, message: &Message<'_>) -> Vec<Finding> {
    let view = View::of(verdict);
    let mut suspects: Vec<&Verification> = verdict
        .dkim()
        .iter()
        .filter(|one| is_suspect(one))
        .take(SUSPECTS)
        .collect();
    suspects.sort_by_key(|one| !signatures::is_authors(&view, one));
    let mut findings: Vec<Finding> = suspects
        .into_iter()
        .flat_map(|one| examine(&view, one, message))
        .collect();
    findings.sort_by_key(Finding::severity);
    findings
}

fn is_suspect(verification: &Verification) -> bool {
    matches!(
        verification.cause(),
        Cause::BodyHashMismatch | Cause::SignatureMismatch | Cause::PartialBody { .. }
    )
}

fn examine(view: &View<'_>, verification: &Verification, message: &Message<'_>) -> Vec<Finding> {
    let limits = DkimLimits::default();
    let field = message.head().fields().get(verification.position());
    let Some(field) = field.filter(|field| field.is(b"DKIM-Signature")) else {
        return Vec::new();
    };
    let Ok(signature) = Signature::parse(field.value(), limits.signed_fields) else {
        return Vec::new();
    };
    // Another message than the one that was verified tells nothing.
    if Some(signature.prefix()) != verification.prefix() {
        return Vec::new();
    }
    let report = Report { view, verification };
    let mut findings = Vec::new();
    match verification.cause() {
        Cause::PartialBody { signed, total } => findings.push(
            report
                .draft(&texts::LENGTH_SHORT)
                .with("octets", Value::Octets(total.saturating_sub(*signed)))
                .finish(),
        ),
        Cause::BodyHashMismatch => {
            findings.push(body::explain(&report, &signature, message.body()));
        }
        _ => {}
    }
    if verification.header_intact() == Some(false)
        && let Some(name) = key_name(verification)
    {
        let replay = view.verdict.transcript().replay();
        let keys = dns::block_on(fetch(&replay, std::slice::from_ref(&name)));
        let probe = Probe::new(&signature, field, verification, message.head(), keys, name);
        findings.extend(header::explain(&report, &signature, probe, message.head()));
    }
    findings
}

/// What all findings about one signature have in common.
struct Report<'r> {
    view: &'r View<'r>,
    verification: &'r Verification,
}

impl Report<'_> {
    fn draft(&self, entry: &'static Entry) -> Draft {
        let decided = !self.view.passes && signatures::is_authors(self.view, self.verification);
        signed_by(entry, self.verification).severity(match decided {
            true => entry.severity,
            false => Severity::Warning,
        })
    }

    /// A finding about a field that was something else.
    fn changed(&self, entry: &'static Entry, name: &str, was: &[u8], now: &[u8]) -> Draft {
        let (was, now) = (shown(was), shown(now));
        let change = format!("it was \"{was}\" and is \"{now}\"");
        self.about(entry, name, Some(was), Some(now))
            .text("change", change)
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
