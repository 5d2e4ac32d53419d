//! The decision: what the author domain asks for, as far as this receiver goes along.

use super::Facts;
use super::action::{
    Action, Decision, Override, OverrideKind, Policy, Reason, RejectRule, Unknown,
};
use super::local::{self, TrustOutcome};
use super::relay::Party;
use crate::arc::Set;
use crate::dmarc::{Disposition, DmarcResult};
use crate::domain::Domain;
use crate::identifier::{Method, Status};
use crate::spf::SpfResult;

/// Decides. DMARC is asked first, since a pass settles the matter.
pub(super) fn decide(policy: &Policy, facts: &Facts) -> Decision {
    let mut decision = by_results(policy, facts);
    decision.trust = local::trust(&policy.trusted_forwarders, facts);
    decision.trusted_set = first_trusted(policy, facts).map(Set::instance);
    decision
}

fn by_results(policy: &Policy, facts: &Facts) -> Decision {
    if policy.spf_only {
        let decision = plain(Action::Deliver, Reason::NothingAgainst);
        return enforce_spf(policy, facts, decision);
    }
    let decision = match facts.dmarc.result() {
        DmarcResult::Pass => return on_pass(policy, facts),
        DmarcResult::Fail => on_fail(policy, facts),
        DmarcResult::Permerror => plain(
            match policy.reject_rule {
                RejectRule::Enforce => Action::Reject,
                RejectRule::Corroborated | RejectRule::Never => Action::Quarantine,
            },
            Reason::AuthorUnusable,
        ),
        // Whatever the policy says, an identifier identical to the author domain is aligned.
        DmarcResult::Temperror if author_is_authenticated(facts) => {
            plain(Action::Deliver, Reason::AuthorAuthenticated)
        }
        // RFC 9989 5.4: p=none asks for nothing, whatever a later attempt would find.
        DmarcResult::Temperror if facts.dmarc.published() == Some(Disposition::None) => {
            plain(Action::Deliver, Reason::NothingAgainst)
        }
        DmarcResult::Temperror => plain(Action::Defer, Reason::TemporaryFailure(unknown(facts))),
        DmarcResult::None => plain(Action::Deliver, Reason::NothingAgainst),
    };
    enforce_spf(policy, facts, decision)
}

fn plain(action: Action, reason: Reason) -> Decision {
    Decision {
        action,
        reason,
        overridden: None,
        trust: None,
        trusted_set: None,
    }
}

/// A pass settles the matter, unless it is SPF's alone and the receiver looks behind it.
fn on_pass(policy: &Policy, facts: &Facts) -> Decision {
    match local::upgraded(facts) {
        Some(earlier) if policy.distrust_upgraded_spf => {
            let host = earlier.receiver.as_deref().unwrap_or("an earlier host");
            let comment = format!("{host} noted that SPF failed, and DMARC rests on SPF alone");
            overridden(OverrideKind::LocalPolicy, comment, Reason::UpgradedSpf)
        }
        _ => plain(Action::Deliver, Reason::NothingAgainst),
    }
}

/// An exception that this receiver makes from what the author domain asks for.
fn exception(policy: &Policy, facts: &Facts) -> Option<Decision> {
    let deliver = |kind, comment, reason| Decision {
        action: Action::Deliver,
        ..overridden(kind, comment, reason)
    };
    if let Some(trust) = local::trust(&policy.trusted_forwarders, facts)
        && trust.outcome == TrustOutcome::Vouches
    {
        let comment = format!(
            "{} forwarded it, proven by {}",
            trust.forwarder, trust.proof
        );
        let reason = Reason::TrustedForwarder(trust.forwarder);
        return Some(deliver(OverrideKind::TrustedForwarder, comment, reason));
    }
    let list = policy.mailing_lists.as_ref();
    if facts.relay.list.is_some()
        && let Some(comment) = list.and_then(|rule| rule.ask(facts))
    {
        return Some(deliver(
            OverrideKind::MailingList,
            comment,
            Reason::Excepted,
        ));
    }
    let comment = policy.exceptions.as_ref()?.ask(facts)?;
    Some(deliver(
        OverrideKind::LocalPolicy,
        comment,
        Reason::Excepted,
    ))
}

/// What the author domain asks for, as far as the rule allows it and nobody who is trusted knows better.
fn on_fail(policy: &Policy, facts: &Facts) -> Decision {
    if facts.dmarc.disposition() != Disposition::None
        && let Some(decision) = exception(policy, facts).or_else(|| lifted_by_sealer(policy, facts))
    {
        return decision;
    }
    match facts.dmarc.disposition() {
        Disposition::None => plain(Action::Deliver, Reason::NothingAgainst),
        Disposition::Quarantine => plain(Action::Quarantine, Reason::DmarcPolicy),
        Disposition::Reject => match policy.reject_rule {
            RejectRule::Enforce => refuse(policy, facts),
            RejectRule::Never => overridden(
                OverrideKind::LocalPolicy,
                "this receiver does not reject on DMARC".into(),
                Reason::RejectRuleNever,
            ),
            RejectRule::Corroborated => match corroborating_party(policy, facts) {
                None => refuse(policy, facts),
                Some(party) => {
                    let kind = match party {
                        Party::List { .. } => OverrideKind::MailingList,
                        Party::Forwarder { .. } | Party::Sealer { .. } => OverrideKind::LocalPolicy,
                    };
                    overridden(kind, party.to_string(), Reason::Relayed(party))
                }
            },
        },
    }
}

/// Rejects; but a refusal is for good, so where somebody that the DNS kept us from knowing might
/// have spoken for the message, it is put off.
fn refuse(policy: &Policy, facts: &Facts) -> Decision {
    let heard = match policy.reject_rule {
        RejectRule::Corroborated => true,
        RejectRule::Enforce | RejectRule::Never => {
            !policy.trusted_forwarders.is_empty() || !policy.trusted_sealers.is_empty()
        }
    };
    match facts.relay.unknown_party(facts).filter(|_| heard) {
        Some(unknown) => plain(Action::Defer, Reason::TemporaryFailure(unknown)),
        None => plain(Action::Reject, rejection(policy, facts)),
    }
}

/// The third party that relayed the message visibly. A forwarder that is known here, but does not
/// prove itself or forwards for somebody else, is none.
fn corroborating_party(policy: &Policy, facts: &Facts) -> Option<Party> {
    let trust = local::trust(&policy.trusted_forwarders, facts);
    match trust.map(|trust| trust.outcome) {
        Some(
            TrustOutcome::SpfNotPassed | TrustOutcome::ProofMissing | TrustOutcome::OtherAuthor,
        ) => None,
        Some(TrustOutcome::Vouches | TrustOutcome::NoOriginal) | None => {
            facts.relay.authenticated_party(facts)
        }
    }
}

/// The oldest set from which on all sealers are trusted.
fn first_trusted<'f>(policy: &Policy, facts: &'f Facts) -> Option<&'f Set> {
    let is_trusted = |domain: &Domain| policy.trusted_sealers.contains(domain);
    facts
        .arc
        .first_trusted(|set| set.domain().is_some_and(is_trusted))
}

/// RFC 8617 7.2.1: ‘As a matter of local policy, a DMARC processor MAY choose to accept the
/// authentication assessments provided by an Authenticated Received Chain’. RFC 9989 knows nothing of
/// it, so that DMARC's result stays.
fn lifted_by_sealer(policy: &Policy, facts: &Facts) -> Option<Decision> {
    let set = first_trusted(policy, facts)?;
    let author = facts.author.domain()?;
    if !set.reports_dmarc_pass(author) {
        return None;
    }
    Some(Decision {
        action: Action::Deliver,
        reason: Reason::TrustedSealer {
            sealer: set.domain()?.clone(),
            instance: set.instance(),
        },
        overridden: Some(Override {
            kind: OverrideKind::LocalPolicy,
            comment: facts.arc.report_comment(),
        }),
        trust: None,
        trusted_set: None,
    })
}

fn overridden(kind: OverrideKind, comment: String, reason: Reason) -> Decision {
    let overridden = Some(Override { kind, comment });
    Decision {
        action: Action::Quarantine,
        reason,
        overridden,
        trust: None,
        trusted_set: None,
    }
}

/// Several methods failed (RFC 7372 3.3) where SPF, too, speaks against the author's own
/// organization, or is enforced by itself. A failed signature is no such method: RFC 6376 6.1
/// treats the message as unsigned.
fn rejection(policy: &Policy, facts: &Facts) -> Reason {
    let spf = facts.spf.authoritative();
    if spf.result() != SpfResult::Fail {
        return Reason::DmarcPolicy;
    }
    let own = spf
        .domain()
        .is_some_and(|domain| facts.is_of_author(domain));
    if own || policy.enforce_spf_fail {
        Reason::SeveralMethods
    } else {
        Reason::DmarcPolicy
    }
}

/// Adds what this receiver enforces of SPF; never weakens a decision, and lets a later attempt find
/// out whether DMARC passes.
fn enforce_spf(policy: &Policy, facts: &Facts, decision: Decision) -> Decision {
    if matches!(decision.action, Action::Reject | Action::Defer) {
        return decision;
    }
    match facts.spf.authoritative().result() {
        SpfResult::Fail if policy.enforce_spf_fail => enforced(facts, Reason::SpfFail),
        SpfResult::Permerror if policy.enforce_spf_permerror => {
            enforced(facts, Reason::SpfPermerror)
        }
        // What may turn out to be a fail cannot be delivered where fails are rejected.
        SpfResult::Temperror if policy.enforce_spf_fail && decision.action == Action::Deliver => {
            plain(Action::Defer, Reason::TemporaryFailure(Unknown::Spf))
        }
        SpfResult::Fail
        | SpfResult::Permerror
        | SpfResult::Temperror
        | SpfResult::None
        | SpfResult::Neutral
        | SpfResult::Pass
        | SpfResult::Softfail => decision,
    }
}

/// A rejection that the author domain did not ask for.
fn enforced(facts: &Facts, reason: Reason) -> Decision {
    let failed = facts.dmarc.result() == DmarcResult::Fail;
    let departs = failed && facts.dmarc.disposition() != Disposition::Reject;
    let overridden = departs.then(|| Override {
        kind: OverrideKind::LocalPolicy,
        comment: reason.to_string(),
    });
    Decision {
        overridden,
        ..plain(Action::Reject, reason)
    }
}

/// Whether the author domain itself, not just its organization, is authenticated.
fn author_is_authenticated(facts: &Facts) -> bool {
    facts.identifiers().any(|identifier| {
        identifier.status() == Status::Pass && Some(identifier.domain()) == facts.author.domain()
    })
}

/// What kept DMARC from a conclusion: the policy, if it is unknown; else the first identifier that
/// might have passed.
fn unknown(facts: &Facts) -> Unknown {
    if facts.dmarc.record().is_none() {
        return Unknown::Policy;
    }
    let unknown: Vec<Method> = facts
        .identifiers()
        .filter(|identifier| identifier.status() == Status::TempError)
        .map(|identifier| identifier.method())
        .collect();
    if unknown.contains(&Method::Dkim) {
        Unknown::DkimKey
    } else if unknown.contains(&Method::Spf) {
        Unknown::Spf
    } else {
        Unknown::Policy
    }
}
