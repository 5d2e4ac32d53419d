//! Findings about ARC.

use super::View;
use super::catalogue::{Entry, arc as texts};
use super::dmarc::count;
use super::finding::{Draft, Finding, Severity, Value};
use crate::arc::{ArcResult, Cause, Set, SetField};
use crate::dkim;
use crate::dns::Name;
use crate::domain::Domain;

pub(super) fn findings(view: &View<'_>) -> Option<Finding> {
    match view.verdict.arc().result() {
        ArcResult::None => None,
        ArcResult::Fail => failed(view),
        ArcResult::Pass => passed(view),
    }
}

/// The set that decided, or the newest one, and what is wrong with it.
fn failed(view: &View<'_>) -> Option<Finding> {
    let arc = view.verdict.arc();
    let cause = arc.cause();
    let entry = entry(cause)?;
    let decided = arc
        .sets()
        .iter()
        .find(|set| Some(set.instance()) == cause.instance());
    let set = decided.or(arc.sets().last());
    let field = field(cause);
    let (sealer, selector) = match field {
        Some(MESSAGE_SIGNATURE) => set.map_or((None, None), |set| {
            (set.signature_domain(), set.signature_selector())
        }),
        _ => set.map_or((None, None), |set| (set.domain(), set.selector())),
    };
    // Where one of its fields is missing, another may tell whose set it is.
    let sealer = sealer.or(set.and_then(|set| set.domain().or(set.signature_domain())));
    let instance = cause.instance().or(set.map(Set::instance)).unwrap_or(0);
    let mut draft = about(entry, view, sealer, instance).text("code", cause.code());
    if let Some(field) = field {
        let name = field.to_owned();
        let (was, now) = (None, None);
        draft = draft.with("field", Value::Field { name, was, now });
    }
    draft = match key_name(sealer, selector) {
        Some(name) => draft.with("name", Value::Name(name)),
        None => draft.text("name", "an unreadable name"),
    };
    draft = match cause {
        Cause::ChainValidation { found, .. } => draft.text("found", found),
        Cause::TooManySets { limit } => draft.with("limit", count(*limit)),
        _ => draft,
    };
    Some(match cause {
        Cause::MessageSignature { cause, .. } | Cause::Seal { cause, .. } => {
            draft.text("cause", cause).finish()
        }
        Cause::Malformed { error, .. } => draft.text("cause", error).finish(),
        cause => draft.text("cause", cause).finish(),
    })
}

/// The text for each cause; `None` where nothing failed or, without the body, nobody can tell.
fn entry(cause: &Cause) -> Option<&'static Entry> {
    Some(match cause {
        Cause::NotSealed | Cause::Passed => return None,
        Cause::MessageSignature { cause, .. } => signature_entry(cause, &texts::HEADER)?,
        Cause::Seal { cause, .. } => signature_entry(cause, &texts::SEAL)?,
        Cause::ChainValidation { .. } => &texts::CHAIN_VALIDATION,
        Cause::FailedBefore { .. } => &texts::FAILED_BEFORE,
        Cause::Instance { .. } => &texts::NO_INSTANCE,
        Cause::Malformed { .. } => &texts::MALFORMED,
        Cause::MissingField { .. } => &texts::MISSING_FIELD,
        Cause::MissingSet { .. } => &texts::MISSING_SET,
        Cause::RepeatedField { .. } => &texts::REPEATED,
        Cause::SealNamesFields { .. } => &texts::NAMES_FIELDS,
        Cause::TooManySets { .. } => &texts::TOO_MANY,
    })
}

fn signature_entry(cause: &dkim::Cause, mismatch: &'static Entry) -> Option<&'static Entry> {
    use dkim::Cause;
    Some(match cause {
        Cause::Passed | Cause::BodyNotHashed => return None,
        Cause::BodyHashMismatch => &texts::BODY,
        Cause::SignatureMismatch => mismatch,
        Cause::HashNotAllowed
        | Cause::IdentityNotAllowed
        | Cause::KeyName(_)
        | Cause::KeyNotForMail
        | Cause::KeyRevoked
        | Cause::KeySyntax(_)
        | Cause::KeyTooLong { .. }
        | Cause::KeyTooShort { .. }
        | Cause::KeyTypeMismatch { .. }
        | Cause::NoKey => &texts::KEY,
        Cause::KeyUnavailable(_) => &texts::KEY_UNAVAILABLE,
        Cause::Expired { .. }
        | Cause::FromFuture { .. }
        | Cause::HeaderTooLong { .. }
        | Cause::LengthBeyondBody { .. }
        | Cause::LengthGiven
        | Cause::NotEvaluated { .. }
        | Cause::PartialBody { .. }
        | Cause::RequiredFieldUnsigned { .. }
        | Cause::Sha1
        | Cause::Syntax(_)
        | Cause::TooOld { .. }
        | Cause::UnsignedInstance { .. } => &texts::NOT_ACCEPTED,
    })
}

const MESSAGE_SIGNATURE: &str = SetField::MessageSignature.as_str();

/// The name of the field that decided, if one did.
fn field(cause: &Cause) -> Option<&'static str> {
    match cause {
        Cause::Instance { field }
        | Cause::Malformed { field, .. }
        | Cause::MissingField { field, .. }
        | Cause::RepeatedField { field, .. } => Some(field),
        Cause::MessageSignature { .. } => Some(MESSAGE_SIGNATURE),
        Cause::ChainValidation { .. }
        | Cause::FailedBefore { .. }
        | Cause::Seal { .. }
        | Cause::SealNamesFields { .. } => Some(SetField::Seal.as_str()),
        Cause::MissingSet { .. } | Cause::NotSealed | Cause::Passed | Cause::TooManySets { .. } => {
            None
        }
    }
}

fn key_name(sealer: Option<&Domain>, selector: Option<&str>) -> Option<Name> {
    let labels = format!("{}._domainkey", selector?);
    Name::below(labels.as_bytes(), sealer?).ok()
}

/// Whom the receiver trusts, and what the first trusted hop saw.
fn passed(view: &View<'_>) -> Option<Finding> {
    let author = view.author?;
    let sets = view.verdict.arc().sets();
    let reports_pass = |set: &&Set| set.reports_dmarc_pass(author);
    let instance = view.verdict.trusted_set();
    let trusted = sets.iter().find(|set| Some(set.instance()) == instance);
    if let Some(trusted) = trusted {
        let entry = match reports_pass(&trusted) {
            true => &texts::TRUSTED,
            false => &texts::TRUSTED_SAW,
        };
        let draft = about(entry, view, trusted.domain(), trusted.instance());
        return Some(saw(draft, trusted).finish());
    }
    let newest = sets.last()?;
    let draft = |entry| about(entry, view, newest.domain(), newest.instance());
    Some(match sets.iter().find(reports_pass) {
        Some(set) => saw(draft(&texts::NOT_TRUSTED), set).finish(),
        None => saw(draft(&texts::NO_HELP), newest).finish(),
    })
}

/// What a sealer says that it saw.
fn saw(draft: Draft, set: &Set) -> Draft {
    draft.text(
        "saw",
        set.results_text().unwrap_or("nothing that can be read"),
    )
}

fn about(entry: &'static Entry, view: &View<'_>, sealer: Option<&Domain>, instance: u8) -> Draft {
    // Where DMARC passes or asks for nothing, nobody needs the chain.
    let severity = match view.passes || view.verdict.dmarc().record().is_none() {
        true => Severity::Note,
        false => entry.severity,
    };
    Draft::new(entry)
        .domain_or("sealer", sealer, "an unreadable domain")
        .with("instance", count(usize::from(instance)))
        .domain_or("author", view.author, "the author")
        .severity(severity)
}
