//! Findings about SPF.

use super::View;
use super::catalogue::{Entry, spf as texts};
use super::finding::{Draft, Finding, Severity, Value};
use crate::dmarc::DmarcResult;
use crate::identifier::Method;
use crate::spf::{Cause, Evaluation, Identity, Matched, Place, SpfResult};
use crate::verdict::{Action, Reason};

pub(super) fn findings(view: &View<'_>) -> Vec<Finding> {
    let spf = view.verdict.spf();
    let evaluation = spf.authoritative();
    let mut findings = Vec::new();
    findings.extend(failure(view, evaluation));
    if evaluation.identity() == Identity::MailFrom
        && let Some(helo) = spf.helo()
        && !matches!(helo.result(), SpfResult::Pass | SpfResult::None)
    {
        findings.push(
            Draft::new(&texts::HELO)
                .domain_or("domain", helo.domain(), "none")
                .text("spf", helo.result())
                .text("cause", helo.cause())
                .finish(),
        );
    }
    findings
}

/// The cause of a result that is not a pass.
fn failure(view: &View<'_>, evaluation: &Evaluation) -> Option<Finding> {
    let cause = evaluation.cause();
    let entry: &'static Entry = match cause {
        Cause::Matched(matched) => matched_entry(matched, evaluation.result())?,
        Cause::NoMatch { .. } => &texts::NO_MATCH,
        Cause::NoRecord { .. } => &texts::NO_RECORD,
        Cause::NoSuchDomain { .. } => &texts::NO_SUCH_DOMAIN,
        Cause::UnusableDomain { .. } => &texts::UNUSABLE_DOMAIN,
        Cause::MalformedReversePath { .. } => &texts::MALFORMED_PATH,
        Cause::Unknown(_) => &texts::SESSION_UNKNOWN,
        Cause::SeveralRecords { .. } => &texts::SEVERAL_RECORDS,
        Cause::Syntax { .. } => &texts::SYNTAX,
        Cause::TargetWithoutRecord { .. } => &texts::TARGET_WITHOUT_RECORD,
        Cause::UnusableTarget { .. } => &texts::UNUSABLE_TARGET,
        Cause::Limit { .. } => &texts::LIMIT,
        Cause::Dns { .. } => &texts::DNS,
    };
    let mut draft = Draft::new(entry)
        .domain_or("envelope", view.envelope, "the sender")
        .client(view.verdict.session().client_ip())
        .text("cause", cause)
        .severity(severity(view, evaluation, entry));
    if let Some(place) = cause.place() {
        draft = at(draft, place);
    }
    match cause {
        Cause::TargetWithoutRecord { target, .. } => {
            draft = draft.with("name", Value::Name(target.clone()));
        }
        Cause::Dns { name, error, .. } => {
            draft = draft
                .with("name", Value::Name(name.clone()))
                .with("answer", Value::Answer(error.to_string()));
        }
        _ => {}
    }
    Some(draft.finish())
}

fn matched_entry(matched: &Matched, result: SpfResult) -> Option<&'static Entry> {
    match result {
        SpfResult::Fail if matched.place.is_all() => Some(&texts::NOT_LISTED),
        SpfResult::Fail => Some(&texts::FAIL_TERM),
        SpfResult::Softfail => Some(&texts::SOFTFAIL),
        SpfResult::Neutral => Some(&texts::NEUTRAL),
        SpfResult::Pass | SpfResult::None | SpfResult::Permerror | SpfResult::Temperror => None,
    }
}

/// SPF decided where it could have authenticated the author and nothing else did, or where the
/// receiver enforces it.
fn severity(view: &View<'_>, evaluation: &Evaluation, entry: &Entry) -> Severity {
    let enforced = matches!(
        view.verdict.reason(),
        Reason::SpfFail | Reason::SpfPermerror | Reason::SeveralMethods
    );
    let could_align = evaluation
        .domain()
        .is_some_and(|domain| view.is_authors(domain));
    let fails = matches!(
        view.verdict.dmarc().result(),
        DmarcResult::Fail | DmarcResult::Temperror
    );
    let deferred =
        view.verdict.action() == Action::Defer && evaluation.result() == SpfResult::Temperror;
    match entry.severity {
        Severity::Warning if enforced || deferred || (could_align && fails) => Severity::Decisive,
        other => other,
    }
}

/// What makes a pass worth less than it looks.
pub(super) fn weak_pass(view: &View<'_>) -> Vec<Finding> {
    let evaluation = view.verdict.spf().authoritative();
    let (Some(matched), Some(envelope)) = (evaluation.matched(), evaluation.domain()) else {
        return Vec::new();
    };
    if evaluation.result() != SpfResult::Pass {
        return Vec::new();
    }
    // It matters where the pass is all there is for the author, or for a forwarder.
    let dmarc = view.verdict.dmarc();
    let matters = !dmarc.is_aligned(Method::Dkim)
        && (dmarc.is_aligned(Method::Spf) || view.verdict.relay().srs.is_some());
    let place = &matched.place;
    let draft = |entry: &'static Entry| {
        let draft = Draft::new(entry).domain("envelope", envelope);
        let draft = draft.severity(match matters {
            true => entry.severity,
            false => Severity::Note,
        });
        at(draft, place).client(Some(matched.client))
    };
    if place.is_all() {
        return vec![draft(&texts::EVERYBODY).finish()];
    }
    let mut findings = Vec::new();
    let foreign = place
        .domain()
        .to_domain()
        .is_some_and(|domain| !domain.is_within(envelope) && !envelope.is_within(&domain));
    if place.is_included() && foreign {
        findings.push(draft(&texts::SHARED).finish());
    }
    if let Some(addresses) = matched.addresses
        && is_wide(matched, addresses)
    {
        let addresses = u64::try_from(addresses).unwrap_or(u64::MAX);
        let draft = draft(&texts::WIDE).with("count", Value::Count(addresses));
        findings.push(draft.finish());
    }
    findings
}

/// More than a /16 of IPv4 or a /32 of IPv6, as allocated to a provider.
fn is_wide(matched: &Matched, addresses: u128) -> bool {
    match matched.client.is_ipv4() {
        true => addresses > 1 << 16,
        false => addresses > 1 << 96,
    }
}

fn at(draft: Draft, place: &Place) -> Draft {
    let term = place.term().unwrap_or("the record");
    draft
        .with("term", Value::Term(term.to_owned()))
        .with("record", Value::Name(place.domain().clone()))
}
