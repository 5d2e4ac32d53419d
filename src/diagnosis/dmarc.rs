//! Findings about the author, the policy and alignment.

use super::View;
use super::catalogue::{self, Entry, dmarc as texts};
use super::dkim::is_tenant;
use super::finding::{Draft, Finding, Severity, Value};
use crate::dmarc::{Alignment, Cause, Disposition, DmarcResult, WhyNot};
use crate::dns::{LookupError, Name};
use crate::domain::Domain;
use crate::identifier::Method;
use crate::message::Author;
use crate::spf::{self, SpfResult};
use crate::verdict::{Action, Reason, Verdict};

impl Verdict {
    /// What SPF says about the author domain itself, which some receivers check although RFC 7208
    /// 2.4 has them check MAIL FROM: `evaluation` is that check, made by the caller for the same
    /// client. `None` where the message has no single author domain.
    #[must_use]
    pub fn author_spf(&self, evaluation: &spf::Evaluation) -> Option<Finding> {
        let author = View::of(self).author?;
        Some(
            Draft::new(&texts::SOME_CHECK_FROM)
                .domain("author", author)
                .text("spf", evaluation.result())
                .client(self.session().client_ip())
                .text("cause", evaluation.cause())
                .finish(),
        )
    }
}

/// What keeps DMARC from a result, or from mattering.
pub(super) fn before(view: &View<'_>) -> Vec<Finding> {
    let dmarc = view.verdict.dmarc();
    let cause = dmarc.cause();
    let draft = match cause {
        Cause::Aligned { .. } | Cause::NothingAligned { .. } => None,
        Cause::NoPolicy { domain } => return without_policy(view, domain),
        Cause::UnusablePolicy { domain } => {
            Some(with_author(&texts::UNUSABLE_POLICY, view).domain("policy_domain", domain))
        }
        Cause::SeveralRecords { domain } => {
            Some(with_author(&texts::SEVERAL_RECORDS, view).domain("policy_domain", domain))
        }
        Cause::PolicyUnknown { name, error } => Some(asked(
            with_author(&texts::POLICY_UNKNOWN, view),
            name,
            error,
        )),
        Cause::ExistenceUnknown { name, error } => Some(asked(
            with_author(&texts::EXISTENCE_UNKNOWN, view),
            name,
            error,
        )),
        Cause::AlignmentUnknown {
            domain,
            name,
            error,
        } => {
            let draft = with_author(&texts::ALIGNMENT_UNKNOWN, view).domain("domain", domain);
            Some(asked(draft, name, error))
        }
        Cause::IdentifierUnknown { domain, method } => Some(
            with_author(&texts::IDENTIFIER_UNKNOWN, view)
                .domain("domain", domain)
                .text("method", method),
        ),
        Cause::NotDiscovered { domain } => {
            Some(Draft::new(&texts::NOT_DISCOVERED).domain("domain", domain))
        }
        Cause::NoAuthor => Some(Draft::new(&catalogue::AUTHOR_MISSING).text("cause", cause)),
        Cause::AuthorUnreadable(error) => {
            Some(Draft::new(&catalogue::AUTHOR_UNREADABLE).text("cause", error))
        }
        Cause::SeveralDomains { .. } => Some(
            Draft::new(&catalogue::AUTHOR_SEVERAL_DOMAINS).text("domains", author_domains(view)),
        ),
        Cause::SeveralFields { fields } => Some(
            Draft::new(&catalogue::AUTHOR_SEVERAL_FIELDS)
                .with("fields", count(*fields))
                .text("domains", author_domains(view)),
        ),
    };
    draft.map(Draft::finish).into_iter().collect()
}

fn author_domains(view: &View<'_>) -> String {
    let author: &Author = view.verdict.author();
    let domains: Vec<&str> = author.domains().iter().map(Domain::as_str).collect();
    if domains.is_empty() {
        "no domain that can be read".into()
    } else {
        domains.join(", ")
    }
}

/// Without a policy nothing is asked for; what there is tells which cure is nearest.
fn without_policy(view: &View<'_>, author: &Domain) -> Vec<Finding> {
    let dkim = view.verdict.dkim();
    let signer = dkim
        .iter()
        .filter_map(|one| one.authenticated_identifier())
        .find(|identifier| view.is_authors(identifier.domain()));
    let place = match is_tenant(author) {
        true => format!("_dmarc of a custom domain, since only Microsoft can publish at {author}"),
        false => format!("_dmarc.{author}"),
    };
    let draft = |entry| {
        let draft = Draft::new(entry).domain("author", author);
        draft.text("place", &place)
    };
    let mut findings = Vec::new();
    if let Some(envelope) = view.envelope
        && !view.is_authors(envelope)
    {
        let draft = draft(&texts::ENVELOPE_POLICY);
        findings.push(draft.domain("envelope", envelope).finish());
    }
    findings.push(match signer {
        Some(signer) => draft(&texts::SIGNED_WITHOUT_POLICY)
            .domain("signer", signer.domain())
            .finish(),
        None => draft(&texts::UNPROTECTED).finish(),
    });
    findings.push(draft(&texts::NO_POLICY).finish());
    findings
}

/// Each authenticated domain that did not make DMARC pass.
pub(super) fn alignment(view: &View<'_>) -> Vec<Finding> {
    let Some(author) = view.author else {
        return Vec::new();
    };
    let dmarc = view.verdict.dmarc();
    let mut findings: Vec<Finding> = dmarc
        .identifiers()
        .iter()
        .filter_map(|alignment| unaligned(view, author, alignment))
        .collect();
    let fails = dmarc.result() == DmarcResult::Fail;
    if fails && dmarc.identifiers().is_empty() {
        let draft = Draft::new(&texts::NOTHING_AUTHENTICATED).domain("author", author);
        findings.push(draft.finish());
    }
    let spf = view.verdict.spf().authoritative();
    if let Some(envelope) = view.envelope
        && dmarc.record().is_some()
        && spf.result() != SpfResult::Pass
        && spf.result() != SpfResult::Temperror
        && !view.is_authors(envelope)
    {
        let severity = match fails {
            true => Severity::Decisive,
            false => Severity::Note,
        };
        let draft = Draft::new(&texts::SPF_NEVER).domain("author", author);
        findings.push(
            draft
                .domain("envelope", envelope)
                .severity(severity)
                .finish(),
        );
    }
    findings
}

fn unaligned(view: &View<'_>, author: &Domain, alignment: &Alignment) -> Option<Finding> {
    let method = alignment.method();
    let entry: &'static Entry = match alignment.why_not()? {
        WhyNot::NoPolicy => return None,
        WhyNot::NotChecked => &texts::NOT_CHECKED,
        WhyNot::OtherOrganization => match method {
            Method::Spf => &texts::SPF_OTHER,
            Method::Dkim => &texts::DKIM_OTHER,
        },
        WhyNot::StrictAlignment => &texts::STRICT,
        WhyNot::OrganizationUnknown { .. } => &texts::ORGANIZATION_UNKNOWN,
        WhyNot::NotDiscovered => &texts::ALIGN_NOT_DISCOVERED,
        WhyNot::LimitReached => &texts::ALIGN_LIMIT,
    };
    // Strict alignment does not look at organizations; the names often tell.
    let entry = match (entry.code == texts::STRICT.code, method) {
        (true, Method::Spf) if !view.is_authors(alignment.domain()) => &texts::SPF_OTHER,
        (true, Method::Dkim) if !view.is_authors(alignment.domain()) => &texts::DKIM_OTHER,
        _ => entry,
    };
    let policy_domain = view.verdict.dmarc().policy_domain();
    let mut draft = Draft::new(entry)
        .domain("domain", alignment.domain())
        .domain("author", author)
        .text("method", method)
        .domain_or("policy_domain", policy_domain, author.as_str())
        .text(
            "tag",
            match method {
                Method::Spf => "aspf",
                Method::Dkim => "adkim",
            },
        );
    if let Some(WhyNot::OrganizationUnknown { name, error }) = alignment.why_not() {
        draft = asked(draft, name, error);
    }
    // Beside a pass, other organizations are nothing unusual.
    let severity = match view.passes {
        true => Severity::Note,
        false => entry.severity,
    };
    Some(draft.severity(severity).finish())
}

/// What decided apart from DMARC.
pub(super) fn decision(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let reason = view.verdict.reason();
    if let (Reason::SpfFail, Some(finding)) = (reason, dkim_would_have_helped(view)) {
        findings.push(finding);
    }
    if let Some(unknown) = reason.unknown() {
        findings.push(
            Draft::new(&texts::DEFERRED)
                .text("what", unknown)
                .domain_or(
                    "domain",
                    view.verdict.unknown_domain().as_ref(),
                    "the sender",
                )
                .finish(),
        );
    }
    findings
}

/// What follows from the result, and what it hangs on.
pub(super) fn outcome(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let verdict = view.verdict;
    let dmarc = verdict.dmarc();
    if let Some((kind, comment)) = verdict.overridden() {
        findings.push(
            with_author(&texts::OVERRIDDEN, view)
                .text("requested", dmarc.disposition())
                .text("action", verdict.action())
                .text("kind", kind)
                .text("comment", comment)
                .finish(),
        );
    }
    let Some(author) = view.author else {
        return findings;
    };
    if dmarc.result() == DmarcResult::Fail {
        findings.extend(leniency(view, author));
    }
    if dmarc.record().is_some() {
        findings.extend(hangs_on(view, author));
    }
    findings
}

/// Why less is asked for than a policy of reject.
fn leniency(view: &View<'_>, author: &Domain) -> Option<Finding> {
    let dmarc = view.verdict.dmarc();
    let published = dmarc.published()?;
    let requested = dmarc.disposition();
    let policy_domain = dmarc.policy_domain()?;
    if published != requested {
        return Some(
            Draft::new(&texts::LOWERED)
                .domain("author", author)
                .domain("policy_domain", policy_domain)
                .text("published", published)
                .text("requested", requested)
                .finish(),
        );
    }
    (requested == Disposition::None).then(|| {
        Draft::new(&texts::MONITORING)
            .domain("author", author)
            .domain("policy_domain", policy_domain)
            .finish()
    })
}

/// A pass that one change would undo, and a policy that lacks its main support.
fn hangs_on(view: &View<'_>, author: &Domain) -> Vec<Finding> {
    let verdict = view.verdict;
    let dmarc = verdict.dmarc();
    let mut findings = Vec::new();
    let spf = verdict.spf().authoritative();
    let signs = verdict
        .dkim()
        .iter()
        .filter_map(|one| one.domain())
        .any(|domain| view.is_authors(domain));
    if !signs {
        findings.push(
            Draft::new(&texts::WITHOUT_DKIM)
                .domain("author", author)
                .finish(),
        );
    }
    let (by_spf, by_dkim) = (
        dmarc.is_aligned(Method::Spf),
        dmarc.is_aligned(Method::Dkim),
    );
    let signer = dmarc
        .identifiers()
        .iter()
        .find(|one| one.method() == Method::Dkim && one.why_not().is_none());
    if let (Some(signer), false) = (signer, by_spf) {
        findings.push(
            Draft::new(&texts::DKIM_ALONE)
                .domain("author", author)
                .domain("signer", signer.domain())
                .text("spf", spf.result())
                .domain_or("envelope", view.envelope, "no domain")
                .client(verdict.session().client_ip())
                .finish(),
        );
    }
    if by_spf && !by_dkim {
        findings.push(
            Draft::new(&texts::SPF_ALONE)
                .domain("author", author)
                .domain_or("envelope", view.envelope, "no domain")
                .finish(),
        );
    }
    findings
}

/// A signature of the author's that was not used, where SPF alone refused.
fn dkim_would_have_helped(view: &View<'_>) -> Option<Finding> {
    if view.verdict.action() != Action::Reject {
        return None;
    }
    let signer = view.verdict.dkim().iter().find_map(|one| {
        let unused = matches!(one.cause(), crate::dkim::Cause::NotEvaluated { .. });
        let domain = one.domain().filter(|domain| view.is_authors(domain))?;
        (unused || one.result() == crate::dkim::DkimResult::Pass).then_some(domain)
    })?;
    Some(
        with_author(&texts::SPF_ONLY, view)
            .domain("signer", signer)
            .domain_or("envelope", view.envelope, "no domain")
            .client(view.verdict.session().client_ip())
            .finish(),
    )
}

fn with_author(entry: &'static Entry, view: &View<'_>) -> Draft {
    Draft::new(entry).domain_or("author", view.author, "the author")
}

fn asked(draft: Draft, name: &Name, error: &LookupError) -> Draft {
    draft
        .with("name", Value::Name(name.clone()))
        .with("answer", Value::Answer(error.to_string()))
}

pub(super) fn count(number: usize) -> Value {
    Value::Count(u64::try_from(number).unwrap_or(u64::MAX))
}
