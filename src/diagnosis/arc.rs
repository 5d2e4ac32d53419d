//! Findings about ARC.

use super::View;
use super::catalogue::{Entry, arc as texts};
use super::dmarc::count;
use super::finding::{Draft, Finding, Severity};
use crate::arc::{ArcResult, Cause, Set};
use crate::dkim;
use crate::verdict::Reason;

pub(super) fn findings(view: &View<'_>) -> Vec<Finding> {
    let arc = view.verdict.arc();
    let newest = arc.sets().last();
    match arc.result() {
        ArcResult::None => Vec::new(),
        ArcResult::Fail => failed(view, newest).into_iter().collect(),
        ArcResult::Pass => passed(view, newest).into_iter().collect(),
    }
}

fn failed(view: &View<'_>, newest: Option<&Set>) -> Option<Finding> {
    let cause = view.verdict.arc().cause();
    // Without the body, nobody can tell.
    let unknown = matches!(
        cause,
        Cause::MessageSignature { cause, .. } if *cause == dkim::Cause::BodyNotHashed
    );
    (!unknown).then(|| {
        let draft = sealed(&texts::FAILED, view, newest);
        draft
            .text("code", cause.code())
            .text("cause", cause)
            .finish()
    })
}

fn passed(view: &View<'_>, newest: Option<&Set>) -> Option<Finding> {
    let author = view.author?;
    let sets = view.verdict.arc().sets();
    if let Reason::TrustedSealer { sealer, instance } = view.verdict.decision().reason() {
        return Some(
            Draft::new(&texts::TRUSTED)
                .domain("sealer", sealer)
                .with("instance", count(usize::from(*instance)))
                .domain("author", author)
                .finish(),
        );
    }
    let entry: &'static Entry = match sets.iter().any(|set| set.reports_dmarc_pass(author)) {
        true => &texts::NOT_TRUSTED,
        false => &texts::NO_HELP,
    };
    Some(sealed(entry, view, newest).finish())
}

fn sealed(entry: &'static Entry, view: &View<'_>, newest: Option<&Set>) -> Draft {
    let sealer = newest.and_then(Set::domain);
    let instance = newest.map_or(0, |set| usize::from(set.instance()));
    // Where DMARC passes or asks for nothing, nobody needs the chain.
    let severity = match view.passes || view.verdict.dmarc().record().is_none() {
        true => Severity::Note,
        false => entry.severity,
    };
    Draft::new(entry)
        .domain_or("sealer", sealer, "an unreadable domain")
        .with("instance", count(instance))
        .domain_or("author", view.author, "the author")
        .severity(severity)
}
