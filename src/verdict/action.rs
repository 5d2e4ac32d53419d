//! From results to what the receiver does.

use std::fmt;

use super::Facts;
use super::relay::Party;
use crate::dmarc::{Disposition, DmarcResult};
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
}

impl Decision {
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
    /// (RFC 9990 3.1.1.6); `None` where it is, or where nothing was asked for since DMARC did not
    /// fail.
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
}

impl fmt::Display for OverrideKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LocalPolicy => "local_policy",
            Self::MailingList => "mailing_list",
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
    let decision = match facts.dmarc.result() {
        DmarcResult::Pass => return plain(Action::Deliver, Reason::NothingAgainst),
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
    }
}

/// What the author domain asks for, as far as the rule allows it.
fn on_fail(policy: &Policy, facts: &Facts) -> Decision {
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
            RejectRule::Corroborated => match facts.relay.authenticated_party(facts) {
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

fn overridden(kind: OverrideKind, comment: String, reason: Reason) -> Decision {
    let overridden = Some(Override { kind, comment });
    Decision {
        action: Action::Quarantine,
        reason,
        overridden,
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

/// Adds what this receiver enforces of SPF; never weakens a decision.
fn enforce_spf(policy: &Policy, facts: &Facts, decision: Decision) -> Decision {
    if decision.action == Action::Reject {
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
    let departs = facts.dmarc.result() == DmarcResult::Fail;
    let overridden = departs.then(|| Override {
        kind: OverrideKind::LocalPolicy,
        comment: reason.to_string(),
    });
    Decision {
        action: Action::Reject,
        reason,
        overridden,
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
