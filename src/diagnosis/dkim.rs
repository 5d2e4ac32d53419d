//! Findings about signatures.

use super::View;
use super::catalogue::{Entry, dkim as texts};
use super::dmarc::count;
use super::finding::{Draft, Finding, Severity, Value};
use crate::dkim::{Cause, DkimResult, Verification};
use crate::dns::Name;
use crate::domain::Domain;

/// Signatures that did not pass; those of the author's organization first, which would have helped.
pub(super) fn failures(view: &View<'_>) -> Vec<Finding> {
    let mut failed: Vec<&Verification> = view
        .verdict
        .dkim()
        .iter()
        .filter(|one| one.result() != DkimResult::Pass)
        .collect();
    failed.sort_by_key(|one| !is_authors(view, one));
    failed
        .into_iter()
        .take(SHOWN)
        .filter_map(|one| failure(view, one))
        .collect()
}

/// Who sends thousands of broken signatures is told of twice as many as are evaluated by default.
const SHOWN: usize = 20;

pub(super) fn is_authors(view: &View<'_>, verification: &Verification) -> bool {
    verification
        .domain()
        .is_some_and(|domain| view.is_authors(domain))
}

fn failure(view: &View<'_>, verification: &Verification) -> Option<Finding> {
    let cause = verification.cause();
    let entry = entry(cause)?;
    let draft = signed_by(entry, verification);
    // The sentences say what the outer cause says.
    let draft = match cause {
        Cause::Syntax(error) => draft.text("cause", error),
        Cause::KeySyntax(error) => draft.text("cause", error),
        Cause::KeyName(error) => draft.text("cause", error),
        Cause::KeyUnavailable(Some(error)) => draft.text("cause", error),
        Cause::KeyUnavailable(None) => draft.text("cause", "there was no answer in time"),
        cause => draft.text("cause", cause),
    };
    let mut draft = draft.text(
        "header",
        match verification.header_intact() {
            Some(true) => "intact",
            Some(false) => "changed as well",
            None => "not checked",
        },
    );
    let number = |number: u64| Value::Octets(number);
    draft = match cause {
        Cause::Expired {
            expiration,
            seconds,
        } => draft
            .with("expiration", Value::Count(*expiration))
            .with("seconds", Value::Count(*seconds)),
        Cause::FromFuture { timestamp, .. } => draft.with("timestamp", Value::Count(*timestamp)),
        Cause::TooOld { seconds, .. } => draft.with("seconds", Value::Count(*seconds)),
        Cause::NotEvaluated { limit } => draft.with("limit", count(*limit)),
        Cause::KeyTooLong { bits, .. } | Cause::KeyTooShort { bits, .. } => {
            draft.with("bits", count(*bits))
        }
        Cause::LengthBeyondBody { length, total } => draft
            .with("signed", number(*length))
            .with("total", number(*total)),
        Cause::PartialBody { signed, total } => draft
            .with("signed", number(*signed))
            .with("total", number(*total)),
        Cause::RequiredFieldUnsigned { name } | Cause::UnsignedInstance { name } => {
            draft.with("field", field(name))
        }
        _ => draft,
    };
    // A stranger's signature decides nothing: RFC 6376 6.1 treats it as absent.
    let severity = match (view.passes, is_authors(view, verification)) {
        (true, _) => Severity::Note.min(lower(entry.severity)),
        (false, true) => entry.severity,
        (false, false) => lower(entry.severity),
    };
    Some(draft.severity(severity).finish())
}

fn lower(severity: Severity) -> Severity {
    match severity {
        Severity::Decisive => Severity::Warning,
        Severity::Warning | Severity::Note => Severity::Note,
    }
}

/// The text for each cause; `None` only for a pass.
fn entry(cause: &Cause) -> Option<&'static Entry> {
    Some(match cause {
        Cause::Passed => return None,
        Cause::BodyHashMismatch => &texts::BODY_HASH,
        Cause::BodyNotHashed => &texts::BODY_NOT_HASHED,
        Cause::Expired { .. } => &texts::EXPIRED,
        Cause::FromFuture { .. } => &texts::FROM_FUTURE,
        Cause::HashNotAllowed => &texts::HASH_NOT_ALLOWED,
        Cause::HeaderTooLong { .. } => &texts::HEADER_TOO_LONG,
        Cause::IdentityNotAllowed => &texts::IDENTITY_NOT_ALLOWED,
        Cause::KeyName(_) => &texts::KEY_NAME,
        Cause::KeyNotForMail => &texts::KEY_NOT_FOR_MAIL,
        Cause::KeyRevoked => &texts::KEY_REVOKED,
        Cause::KeySyntax(_) => &texts::KEY_SYNTAX,
        Cause::KeyTooLong { .. } => &texts::KEY_TOO_LONG,
        Cause::KeyTooShort { .. } => &texts::KEY_TOO_SHORT,
        Cause::KeyTypeMismatch { .. } => &texts::KEY_TYPE,
        Cause::KeyUnavailable(_) => &texts::KEY_UNAVAILABLE,
        Cause::LengthBeyondBody { .. } => &texts::LENGTH_BEYOND,
        Cause::LengthGiven => &texts::LENGTH_GIVEN,
        Cause::NoKey => &texts::NO_KEY,
        Cause::NotEvaluated { .. } => &texts::NOT_EVALUATED,
        Cause::PartialBody { .. } => &texts::PARTIAL_BODY,
        Cause::RequiredFieldUnsigned { .. } => &texts::REQUIRED_UNSIGNED,
        Cause::Sha1 => &texts::SHA1,
        Cause::SignatureMismatch => &texts::SIGNATURE,
        Cause::Syntax(_) => &texts::SYNTAX,
        Cause::TooOld { .. } => &texts::TOO_OLD,
        Cause::UnsignedInstance { .. } => &texts::UNSIGNED_INSTANCE,
    })
}

/// What else there is to say: no signature, only a stranger's, weak passes.
pub(super) fn others(view: &View<'_>) -> Vec<Finding> {
    let dkim = view.verdict.dkim();
    let mut findings = Vec::new();
    if dkim.is_empty() {
        let draft = Draft::new(&texts::NONE);
        findings.push(
            draft
                .domain_or("author", view.author, "the author")
                .finish(),
        );
    }
    if let Some(author) = view.author {
        findings.extend(strangers(view, author));
    }
    for verification in dkim.iter().filter(|one| one.result() == DkimResult::Pass) {
        findings.extend(weak_pass(verification));
    }
    findings
}

fn strangers(view: &View<'_>, author: &Domain) -> Vec<Finding> {
    let mut findings = Vec::new();
    let passed: Vec<&Verification> = view
        .verdict
        .dkim()
        .iter()
        .filter(|one| may_pass(one))
        .collect();
    let own = view.verdict.dkim().iter().any(|one| is_authors(view, one));
    if let (Some(first), false) = (passed.first(), own) {
        let draft = signed_by(&texts::THIRD_PARTY, first).domain("author", author);
        findings.push(draft.finish());
    }
    let tenant = passed
        .iter()
        .find(|one| one.domain().is_some_and(is_tenant) && !is_authors(view, one));
    if let Some(tenant) = tenant {
        findings.push(signed_by(&texts::TENANT, tenant).finish());
    }
    if is_tenant(author) {
        let draft = Draft::new(&texts::TENANT_AUTHOR).domain("author", author);
        let draft = draft.domain_or("envelope", view.envelope, "the envelope domain");
        findings.push(draft.finish());
    }
    findings
}

/// Whether a signature passed, or fits the header where the body is not at hand.
fn may_pass(verification: &Verification) -> bool {
    let header_fits = verification.header_intact() == Some(true);
    verification.result() == DkimResult::Pass
        || (*verification.cause() == Cause::BodyNotHashed && header_fits)
}

/// The domain that Exchange Online gives to each tenant, one label below onmicrosoft.com.
pub(super) fn is_tenant(domain: &Domain) -> bool {
    domain.labels().rev().take(2).eq(["com", "onmicrosoft"]) && domain.label_count() > 2
}

fn weak_pass(verification: &Verification) -> Vec<Finding> {
    let mut findings = Vec::new();
    if verification.is_testing() {
        findings.push(signed_by(&texts::TESTING, verification).finish());
    }
    let rsa = verification
        .algorithm()
        .is_some_and(|algorithm| algorithm.to_ascii_lowercase().starts_with("rsa"));
    if let Some(bits) = verification.key_bits().filter(|bits| rsa && *bits < 2_048) {
        let draft = signed_by(&texts::WEAK_KEY, verification);
        findings.push(draft.with("bits", count(bits)).finish());
    }
    if let (Some(signed), Some(total)) = (verification.body_signed(), verification.body_total())
        && signed < total
    {
        let draft = signed_by(&texts::LENGTH_TAG, verification);
        let draft = draft.with("signed", Value::Octets(signed));
        findings.push(draft.with("total", Value::Octets(total)).finish());
    }
    let exposed: Vec<&str> = verification
        .unsigned_fields()
        .filter_map(|(field, _)| {
            let mut shown = SHOWN_TO_READERS.iter().copied();
            shown.find(|name| name.eq_ignore_ascii_case(field))
        })
        .collect();
    if !exposed.is_empty() {
        let draft = signed_by(&texts::UNSIGNED_FIELDS, verification);
        findings.push(draft.text("fields", exposed.join(", ")).finish());
    }
    findings
}

/// A draft with what identifies a signature.
pub(super) fn signed_by(entry: &'static Entry, verification: &Verification) -> Draft {
    let draft =
        Draft::new(entry).domain_or("signer", verification.domain(), "an unreadable domain");
    let draft = draft.text("selector", verification.selector().unwrap_or("unreadable"));
    match key_name(verification) {
        Some(name) => draft.with("name", Value::Name(name)),
        None => draft.text("name", "an unreadable name"),
    }
}

/// Where the key stands.
pub(super) fn key_name(verification: &Verification) -> Option<Name> {
    let labels = format!("{}._domainkey", verification.selector()?);
    Name::below(labels.as_bytes(), verification.domain()?).ok()
}

fn field(name: &str) -> Value {
    Value::Field {
        name: name.to_owned(),
        was: None,
        now: None,
    }
}

/// The fields of RFC 6376 5.4.1 that readers see or that change how the body is read.
const SHOWN_TO_READERS: &[&str] = &[
    "Content-Type",
    "Date",
    "From",
    "MIME-Version",
    "Reply-To",
    "Subject",
    "To",
];
