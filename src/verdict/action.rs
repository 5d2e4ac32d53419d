//! From results to what the receiver does.

use std::fmt;

use super::Facts;
use super::local::{self, Rule, Trust, TrustOutcome, TrustedForwarder};
use super::relay::Party;
use crate::dmarc::{Disposition, DmarcResult};
use crate::domain::Domain;
use crate::identifier::{Method, Status};
use crate::spf::SpfResult;

/// What the receiver does with a message.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a server must do one of these four"
)]
pub enum Action {
    /// Accept it.
    Deliver,
    /// Accept it, but treat it as suspicious.
    Quarantine,
    /// Refuse it for good.
    Reject,
    /// Refuse it for now.
    Defer,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Deliver => "deliver",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
            Self::Defer => "defer",
        })
    }
}

/// What this receiver does about results. The default follows RFC 9989 7.4 and rejects nothing on
/// SPF alone.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Policy {
    /// What is done where the author domain asks to reject.
    pub reject_rule: RejectRule,
    /// Whether an SPF fail is reason enough to reject, whatever DMARC says unless it passes. RFC
    /// 7208 8.4 leaves this to the receiver; forwarded mail suffers.
    pub enforce_spf_fail: bool,
    /// Whether a broken SPF record is reason enough to reject (RFC 7208 8.7), likewise.
    pub enforce_spf_permerror: bool,
    /// Whether DMARC and DKIM have no say, as at a receiver that checks SPF only: to find out what
    /// such a receiver does.
    pub spf_only: bool,
    /// Whether mail is quarantined that passes DMARC by SPF alone, although an earlier host noted
    /// that SPF failed for the author's organization (‘SPF upgrade’: the last host sits in the
    /// author's SPF record and forwards for anybody).
    pub distrust_upgraded_spf: bool,
    /// Forwarders whose word is taken for the author of what they forward; nobody by default.
    pub trusted_forwarders: Vec<TrustedForwarder>,
    /// A rule for mail of lists that fails DMARC (override `mailing_list`).
    pub mailing_lists: Option<Rule>,
    /// A rule for any other mail that fails DMARC (override `local_policy`).
    pub exceptions: Option<Rule>,
}

/// What is done with mail that fails DMARC where the author domain asks to reject it.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[non_exhaustive]
pub enum RejectRule {
    /// Reject, but quarantine where an authenticated third party visibly relayed the message: RFC
    /// 9989 7.4 forbids rejecting ‘solely on the basis of a published policy of "reject"’.
    #[default]
    Corroborated,
    /// Always reject.
    Enforce,
    /// Always quarantine instead.
    Never,
}

/// What to do with a message, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Decision {
    action: Action,
    reason: Reason,
    overridden: Option<Override>,
    trust: Option<Trust>,
}

impl Decision {
    /// What came of holding the message against
    /// [`trusted_forwarders`](Policy::trusted_forwarders); `None` where its envelope names none.
    #[must_use]
    pub fn trust(&self) -> Option<&Trust> {
        self.trust.as_ref()
    }

    /// What to do.
    #[must_use]
    pub fn action(&self) -> Action {
        self.action
    }

    /// Why.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.reason
    }

    /// Why the action is not what the author domain asked for, in the terms of aggregate reports
    /// (RFC 9990 3.1.1.6); `None` where it is.
    #[must_use]
    pub fn overridden(&self) -> Option<&Override> {
        self.overridden.as_ref()
    }
}

/// A departure from the policy that the author domain published.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Override {
    /// The kind.
    pub kind: OverrideKind,
    /// One sentence about it.
    pub comment: String,
}

/// The kinds of departure that aggregate reports know (RFC 9990 3.1.1.6).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum OverrideKind {
    /// The receiver has a rule of its own.
    LocalPolicy,
    /// The message came through a mailing list.
    MailingList,
    /// The message came through a forwarder that the receiver trusts.
    TrustedForwarder,
}

impl fmt::Display for OverrideKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LocalPolicy => "local_policy",
            Self::MailingList => "mailing_list",
            Self::TrustedForwarder => "trusted_forwarder",
        })
    }
}

/// Why an action was chosen.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Reason {
    /// Nobody asks for anything but delivery.
    NothingAgainst,
    /// The author domain itself is authenticated; its policy could not be looked up, but has
    /// nothing to add.
    AuthorAuthenticated,
    /// DMARC failed, and this is what the author domain asks for.
    DmarcPolicy,
    /// DMARC failed and the author domain asks to reject, but an authenticated third party relayed
    /// the message ([`RejectRule::Corroborated`]).
    Relayed(Party),
    /// DMARC failed and the author domain asks to reject, but this receiver never does
    /// ([`RejectRule::Never`]).
    RejectRuleNever,
    /// The message has no author domain that could be checked.
    AuthorUnusable,
    /// SPF failed, and this receiver enforces that.
    SpfFail,
    /// The SPF record is broken, and this receiver enforces that.
    SpfPermerror,
    /// DMARC failed and the author domain asks to reject; moreover SPF says that the client may not
    /// send for the author's own organization.
    SeveralMethods,
    /// DMARC failed, but a forwarder that this receiver trusts vouches for the author.
    TrustedForwarder(Domain),
    /// DMARC failed, but a rule of this receiver accepts the message.
    Excepted,
    /// DMARC passed by SPF alone, which an earlier host saw fail.
    UpgradedSpf,
    /// The DNS did not say what the decision depends on.
    TemporaryFailure(Unknown),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingAgainst => f.write_str("nothing speaks against the message"),
            Self::AuthorAuthenticated => {
                f.write_str("the author domain itself is authenticated, whatever its policy says")
            }
            Self::DmarcPolicy => f.write_str("the author domain asks for it"),
            Self::Relayed(party) => write!(
                f,
                "the author domain asks to reject, but {party}, and a published policy alone is \
                 no reason to reject (RFC 9989 7.4)"
            ),
            Self::RejectRuleNever => {
                f.write_str("the author domain asks to reject, which this receiver never does")
            }
            Self::AuthorUnusable => {
                f.write_str("the message does not have exactly one author domain")
            }
            Self::SpfFail => f.write_str("SPF failed, which this receiver enforces"),
            Self::SpfPermerror => f.write_str("the SPF record is broken, which this receiver enforces"),
            Self::SeveralMethods => f.write_str(
                "the author domain asks for it, and its SPF record does not allow the client either",
            ),
            Self::TrustedForwarder(domain) => {
                write!(f, "{domain}, a forwarder trusted here, vouches for the author")
            }
            Self::Excepted => f.write_str("a rule of this receiver accepts the message"),
            Self::UpgradedSpf => {
                f.write_str("DMARC passes by SPF alone, which an earlier host saw fail")
            }
            Self::TemporaryFailure(unknown) => write!(f, "the DNS could not be asked about {unknown}"),
        }
    }
}

/// What a temporary failure kept us from knowing.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[expect(clippy::exhaustive_enums, reason = "each has its reply")]
pub enum Unknown {
    /// A DKIM key.
    DkimKey,
    /// The DMARC policy.
    Policy,
    /// Whether SPF allows the client.
    Spf,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DkimKey => "a DKIM key",
            Self::Policy => "the DMARC policy",
            Self::Spf => "SPF",
        })
    }
}

/// Decides. DMARC is asked first, since a pass settles the matter.
pub(super) fn decide(policy: &Policy, facts: &Facts) -> Decision {
    let mut decision = by_results(policy, facts);
    decision.trust = local::trust(&policy.trusted_forwarders, facts);
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

/// What the author domain asks for, as far as the rule allows it.
fn on_fail(policy: &Policy, facts: &Facts) -> Decision {
    if facts.dmarc.disposition() != Disposition::None
        && let Some(decision) = exception(policy, facts)
    {
        return decision;
    }
    match facts.dmarc.disposition() {
        Disposition::None => plain(Action::Deliver, Reason::NothingAgainst),
        Disposition::Quarantine => plain(Action::Quarantine, Reason::DmarcPolicy),
        Disposition::Reject => match policy.reject_rule {
            RejectRule::Enforce => plain(Action::Reject, rejection(policy, facts)),
            RejectRule::Never => overridden(
                OverrideKind::LocalPolicy,
                "this receiver does not reject on DMARC".into(),
                Reason::RejectRuleNever,
            ),
            RejectRule::Corroborated => match corroborating_party(policy, facts) {
                None => plain(Action::Reject, rejection(policy, facts)),
                Some(party) => {
                    let kind = match party {
                        Party::List { .. } => OverrideKind::MailingList,
                        Party::Forwarder { .. } => OverrideKind::LocalPolicy,
                    };
                    overridden(kind, party.to_string(), Reason::Relayed(party))
                }
            },
        },
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

fn overridden(kind: OverrideKind, comment: String, reason: Reason) -> Decision {
    let overridden = Some(Override { kind, comment });
    Decision {
        action: Action::Quarantine,
        reason,
        overridden,
        trust: None,
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
    // Where no identifier made the organizational domain worth a look-up, the policy's domain is
    // the closest thing to it.
    let dmarc = &facts.dmarc;
    let organization = dmarc.organizational_domain().or(dmarc.policy_domain());
    let own = spf
        .domain()
        .zip(organization)
        .is_some_and(|(domain, organization)| domain.is_within(organization));
    if own || policy.enforce_spf_fail {
        Reason::SeveralMethods
    } else {
        Reason::DmarcPolicy
    }
}

/// Adds what this receiver enforces of SPF; never weakens a decision.
fn enforce_spf(policy: &Policy, facts: &Facts, decision: Decision) -> Decision {
    if decision.action == Action::Reject {
        return decision;
    }
    match facts.spf.authoritative().result() {
        SpfResult::Fail if policy.enforce_spf_fail => plain(Action::Reject, Reason::SpfFail),
        SpfResult::Permerror if policy.enforce_spf_permerror => {
            plain(Action::Reject, Reason::SpfPermerror)
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
