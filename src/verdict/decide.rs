//! The decision: what the author domain asks for, as far as this receiver goes along.

use super::action::{Action, Decision, Overridden, Override, Policy, Reason, RejectRule};
use super::local::{self, Trust, Trusted};
use super::{Facts, Verdict};
use crate::arc::Set;
use crate::dmarc::{Alignment, Disposition, DmarcResult};
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
        DmarcResult::Temperror => plain(Action::Defer, unknown(facts)),
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
            overridden(Override::LocalPolicy, comment, Reason::UpgradedSpf)
        }
        _ => plain(Action::Deliver, Reason::NothingAgainst),
    }
}

/// The decision that a rule of this receiver makes about a message that fails, in the place of the one
/// that the verdict has.
pub(super) fn excepted(policy: &Policy, verdict: &Verdict) -> Option<Decision> {
    let Verdict { facts, decision } = verdict;
    let asked = facts.dmarc.disposition() != Disposition::None;
    if policy.spf_only || !asked || decision.is_vouched() {
        return None;
    }
    let lists = policy.mailing_lists.as_ref();
    let lists = lists.filter(|_| facts.relay.list.is_some());
    let (kind, comment) = match lists.and_then(|rule| rule.ask(verdict)) {
        Some(comment) => (Override::MailingList, comment),
        None => {
            let comment = policy.exceptions.as_ref()?.ask(verdict)?;
            (Override::LocalPolicy, comment)
        }
    };
    let excepted = Decision {
        action: Action::Deliver,
        trust: decision.trust.clone(),
        trusted_set: decision.trusted_set,
        ..overridden(kind, comment, Reason::Excepted)
    };
    Some(enforce_spf(policy, facts, excepted))
}

/// A forwarder that is trusted here speaks for the author.
fn vouched(policy: &Policy, facts: &Facts) -> Option<Decision> {
    let Trusted { forwarder, trust } = local::trust(&policy.trusted_forwarders, facts)?;
    if trust != Trust::Vouches {
        return None;
    }
    let domain = forwarder.domain().clone();
    let comment = format!("{domain} forwarded it, proven by {}", forwarder.proof());
    let reason = Reason::TrustedForwarder(domain);
    Some(Decision {
        action: Action::Deliver,
        ..overridden(Override::TrustedForwarder, comment, reason)
    })
}

/// What the author domain asks for, as far as the rule allows it and nobody who is trusted knows better.
fn on_fail(policy: &Policy, facts: &Facts) -> Decision {
    if facts.dmarc.disposition() != Disposition::None
        && let Some(decision) = vouched(policy, facts).or_else(|| lifted_by_sealer(policy, facts))
    {
        return decision;
    }
    match facts.dmarc.disposition() {
        Disposition::None => plain(Action::Deliver, Reason::NothingAgainst),
        Disposition::Quarantine => plain(Action::Quarantine, Reason::DmarcPolicy),
        Disposition::Reject => match policy.reject_rule {
            RejectRule::Enforce => refuse(policy, facts),
            RejectRule::Never => overridden(
                Override::LocalPolicy,
                "this receiver does not reject on DMARC".into(),
                Reason::RejectRuleNever,
            ),
            RejectRule::Corroborated => match corroborating_party(policy, facts) {
                None => refuse(policy, facts),
                Some(party) => {
                    let kind = match party {
                        Reason::RelayedByList { .. } => Override::MailingList,
                        _ => Override::LocalPolicy,
                    };
                    overridden(kind, party.relayed().unwrap_or_default(), party)
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
        Some(unknown) => plain(Action::Defer, unknown),
        None => plain(Action::Reject, rejection(policy, facts)),
    }
}

/// The third party that relayed the message visibly. A forwarder that is known here, but does not
/// prove itself or forwards for somebody else, is none.
fn corroborating_party(policy: &Policy, facts: &Facts) -> Option<Reason> {
    let trust = local::trust(&policy.trusted_forwarders, facts);
    match trust.map(|trusted| trusted.trust) {
        Some(Trust::SpfNotPassed | Trust::ProofMissing | Trust::OtherAuthor) => None,
        Some(Trust::Vouches | Trust::NoOriginal | Trust::SecondHand) | None => {
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
        overridden: Some(Overridden {
            kind: Override::LocalPolicy,
            comment: facts.arc.report_comment(),
        }),
        trust: None,
        trusted_set: None,
    })
}

fn overridden(kind: Override, comment: String, reason: Reason) -> Decision {
    let overridden = Some(Overridden { kind, comment });
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
            plain(Action::Defer, Reason::SpfUnknown)
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
    let overridden = departs.then(|| Overridden {
        kind: Override::LocalPolicy,
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

/// What kept DMARC from a conclusion: an identifier that might have passed, or else the policy.
fn unknown(facts: &Facts) -> Reason {
    match facts.unknown_identifier().map(Alignment::method) {
        Some(Method::Dkim) => Reason::KeyUnknown,
        Some(Method::Spf) => Reason::SpfUnknown,
        None => Reason::PolicyUnknown,
    }
}
