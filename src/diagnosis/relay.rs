//! Findings about the envelope and the traces of forwarders.

use super::View;
use super::catalogue::{Entry, relay as texts};
use super::finding::{Draft, Finding, Severity, Value};
use crate::domain::Domain;
use crate::spf::{Identity, SpfResult};
use crate::srs::{Claimed, Form};
use crate::verdict::Trust;

pub(super) fn findings(view: &View<'_>) -> Vec<Finding> {
    let Some(author) = view.author else {
        return Vec::new();
    };
    let relay = view.verdict.relay();
    let mut findings = Vec::new();
    findings.extend(trust(view, author));
    if let Some(srs) = &relay.srs {
        findings.extend(rewritten(view, author, srs));
    } else {
        findings.extend(unrewritten(view, author));
    }
    if let Some(list) = &relay.list {
        let draft = Draft::new(&texts::LIST).text("list", list);
        findings.push(draft.domain("author", author).finish());
    }
    let others: [(&'static Entry, _, _); 2] = [
        (&texts::SENDER, "sender", &relay.sender),
        (&texts::RESENT, "resender", &relay.resent),
    ];
    for (entry, name, domain) in others {
        if let Some(domain) = domain.as_ref().filter(|domain| !view.is_authors(domain)) {
            let draft = Draft::new(entry).domain(name, domain);
            findings.push(draft.domain("author", author).finish());
        }
    }
    findings.extend(upgraded(view, author));
    let spf = view.verdict.spf().authoritative();
    if spf.identity() == Identity::Helo {
        let draft = Draft::new(&texts::NULL_PATH);
        let draft = draft.domain_or("envelope", spf.domain(), "nothing that is a domain");
        findings.push(draft.finish());
    }
    findings
}

/// The forms of SRS, and what they claim.
fn rewritten(view: &View<'_>, author: &Domain, srs: &Claimed) -> Vec<Finding> {
    // The forwarder's own mail is rewritten within its own organization.
    if view.is_authors(srs.forwarder()) {
        return Vec::new();
    }
    let entry: &'static Entry = match srs.form() {
        Form::Exchange => &texts::EXCHANGE_SRS,
        Form::ExchangeOpaque => &texts::EXCHANGE_OPAQUE,
        Form::Database | Form::Exim | Form::Srs0 | Form::Srs1 => &texts::SRS,
    };
    let severity = match view.passes {
        true => Severity::Note,
        false => entry.severity,
    };
    let mut findings = vec![
        Draft::new(entry)
            .domain("forwarder", srs.forwarder())
            .domain("author", author)
            .text("form", srs.form())
            .severity(severity)
            .finish(),
    ];
    if let (Some(original), Some(domain)) = (srs.original(), srs.original_domain()) {
        let entry: &'static Entry = if view.is_authors(domain) {
            &texts::ORIGINAL_IS_AUTHOR
        } else {
            &texts::ORIGINAL_IS_OTHER
        };
        let draft = Draft::new(entry)
            .with("original", Value::Address(original.to_string()))
            .domain("author", author)
            .domain("forwarder", srs.forwarder())
            .severity(match view.passes {
                true => Severity::Note,
                false => entry.severity,
            });
        findings.push(draft.finish());
    }
    findings
}

/// SPF refuses the client for the author's own organization, and nothing else vouches for it.
fn unrewritten(view: &View<'_>, author: &Domain) -> Option<Finding> {
    let spf = view.verdict.spf().authoritative();
    let envelope = spf.domain()?;
    let refused = matches!(spf.result(), SpfResult::Fail | SpfResult::Softfail);
    (refused && !view.passes && view.is_authors(envelope)).then(|| {
        Draft::new(&texts::UNREWRITTEN)
            .client(view.verdict.session().client_ip())
            .domain("envelope", envelope)
            .domain("author", author)
            .finish()
    })
}

/// A forwarder that the receiver trusts.
fn trust(view: &View<'_>, author: &Domain) -> Option<Finding> {
    let (forwarder, trust) = view.verdict.trust()?;
    let entry: &'static Entry = match trust {
        Trust::Vouches => &texts::FORWARDER_TRUSTED,
        Trust::SpfNotPassed | Trust::ProofMissing => &texts::PROOF_FAILED,
        Trust::OtherAuthor => &texts::OTHER_AUTHOR,
        Trust::NoOriginal => &texts::NO_ORIGINAL,
        Trust::SecondHand => &texts::SECOND_HAND,
    };
    let original = view
        .verdict
        .relay()
        .srs
        .as_ref()
        .and_then(Claimed::original);
    let proof = match trust {
        Trust::SpfNotPassed => "SPF does not pass for it".to_owned(),
        _ => forwarder.proof(),
    };
    let mut draft = Draft::new(entry)
        .domain("forwarder", forwarder.domain())
        .domain("author", author)
        .text("proof", proof);
    if let Some(original) = original {
        draft = draft.with("original", Value::Address(original.to_string()));
    }
    Some(draft.finish())
}

/// SPF passes now, but an earlier host noted that it did not for the author's organization.
fn upgraded(view: &View<'_>, author: &Domain) -> Option<Finding> {
    if view.verdict.spf().authoritative().result() != SpfResult::Pass {
        return None;
    }
    let refused = |result| matches!(result, SpfResult::Fail | SpfResult::Softfail);
    let (earlier, domain) = view
        .verdict
        .relay()
        .earlier_spf
        .iter()
        .find_map(|earlier| {
            let domain = earlier.domain.as_ref()?;
            (refused(earlier.result) && view.is_authors(domain)).then_some((earlier, domain))
        })?;
    let host = earlier.receiver.as_deref().unwrap_or("not named there");
    Some(
        Draft::new(&texts::SPF_UPGRADE)
            .text("host", host)
            .text("noted", earlier.field)
            .text("spf", earlier.result)
            .domain("envelope", domain)
            .domain("author", author)
            .finish(),
    )
}
