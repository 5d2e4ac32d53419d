//! From results to what the receiver does.

use std::fmt;

use super::Verdict;
use super::local::{Rule, Trust, Trusted, TrustedForwarder};
use crate::domain::Domain;
use crate::identifier::AuthenticatedIdentifier;

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
///
/// ```
/// use mailproof::verifier::Settings;
///
/// let mut settings = Settings::default();
/// settings.policy.trusted_sealers.push("lists.example.org".parse()?);
/// # Ok::<(), mailproof::domain::DomainError>(())
/// ```
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
    /// ([`Relay::earlier_spf`](super::Relay::earlier_spf)) that SPF failed for the author's
    /// organization (‘SPF upgrade’: the last host sits in the author's SPF record and forwards for
    /// anybody).
    pub distrust_upgraded_spf: bool,
    /// Forwarders whose word is taken for the author of what they forward; nobody by default.
    pub trusted_forwarders: Vec<TrustedForwarder>,
    /// Whose ARC seals (`d=`) are trusted; nobody's by default. Where the chain is valid and the
    /// first trusted hop ([`Validation::first_trusted`](crate::arc::Validation::first_trusted))
    /// reports that DMARC passed for this author domain, mail is delivered that fails DMARC here,
    /// under any [`RejectRule`]. The result of DMARC remains what it is.
    pub trusted_sealers: Vec<Domain>,
    pub(super) mailing_lists: Option<Rule>,
    pub(super) exceptions: Option<Rule>,
}

impl Policy {
    /// Sets a rule for mail of lists that fails DMARC (override
    /// [`MailingList`](Override::MailingList)); there is none by default.
    ///
    /// It looks at the verdict as it is without the rule, and returns the comment to report where the
    /// message shall be delivered all the same; SPF that is [enforced](Self::enforce_spf_fail) is
    /// still enforced. Two policies are equal only if they share the rule.
    ///
    /// ```
    /// use mailproof::verdict::Policy;
    ///
    /// let mut policy = Policy::default();
    /// policy.mailing_lists(|verdict| {
    ///     let list = verdict.relay().list.as_deref()?;
    ///     list.contains("<users.lists.example.org>").then(|| "a list we read".to_owned())
    /// });
    /// ```
    pub fn mailing_lists(
        &mut self,
        rule: impl Fn(&Verdict) -> Option<String> + Send + Sync + 'static,
    ) -> &mut Self {
        self.mailing_lists = Some(Rule::new(rule));
        self
    }

    /// Sets a rule for any other mail that fails DMARC (override
    /// [`LocalPolicy`](Override::LocalPolicy)), as [`mailing_lists`](Self::mailing_lists) does.
    pub fn exceptions(
        &mut self,
        rule: impl Fn(&Verdict) -> Option<String> + Send + Sync + 'static,
    ) -> &mut Self {
        self.exceptions = Some(Rule::new(rule));
        self
    }
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
    /// 9989 7.4 forbids rejecting ‘solely on the basis of a published policy of "reject"’. Defer where
    /// a temporary failure of the DNS keeps that from being known.
    #[default]
    Corroborated,
    /// Always reject; but defer where the failure may concern somebody who is trusted here.
    Enforce,
    /// Always quarantine instead.
    Never,
}

/// What to do with a message, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(super) struct Decision {
    pub(super) action: Action,
    pub(super) reason: Reason,
    pub(super) overridden: Option<Overridden>,
    pub(super) trust: Option<Trusted>,
    /// The oldest ARC set from which on all sealers are trusted.
    pub(super) trusted_set: Option<u8>,
}

impl Decision {
    /// Whether a trusted forwarder vouches for the author.
    pub(super) fn is_vouched(&self) -> bool {
        let trust = self.trust.as_ref();
        trust.is_some_and(|trusted| trusted.trust == Trust::Vouches)
    }
}

/// A departure with a sentence about it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(super) struct Overridden {
    pub(super) kind: Override,
    pub(super) comment: String,
}

/// The kinds of departure from what the author domain asks for, as aggregate reports know them
/// (RFC 9990 3.1.1.6). Prints as the word that they use.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "snake_case")
)]
#[non_exhaustive]
pub enum Override {
    /// The receiver has a rule of its own.
    LocalPolicy,
    /// The message came through a mailing list.
    MailingList,
    /// Something else, which the comment tells.
    Other,
    /// The author domain is testing its policy (`t=y`). A verdict does not call that an override,
    /// since the author domain asks for it; reports do.
    PolicyTestMode,
    /// The message came through a forwarder that the receiver trusts.
    TrustedForwarder,
}

impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LocalPolicy => "local_policy",
            Self::MailingList => "mailing_list",
            Self::Other => "other",
            Self::PolicyTestMode => "policy_test_mode",
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
    /// DMARC failed and the author domain asks to reject, but a forwarder that is authenticated and
    /// rewrites envelope senders (SRS) relayed the message ([`RejectRule::Corroborated`]).
    RelayedByForwarder {
        /// Its domain.
        forwarder: Domain,
        /// What authenticates it.
        identifier: AuthenticatedIdentifier,
    },
    /// As before, but a mailing list did.
    RelayedByList {
        /// Its List-Id.
        list: String,
        /// What authenticates whoever sent the message on.
        identifier: AuthenticatedIdentifier,
    },
    /// As before, but the one who sealed the message last (ARC) did.
    RelayedBySealer {
        /// The `d=` of the seal.
        sealer: Domain,
    },
    /// DMARC failed and the author domain asks to reject, but this receiver never does
    /// ([`RejectRule::Never`]).
    RejectRuleNever,
    /// DMARC failed here, but had passed where a trusted party sealed the message (ARC).
    TrustedSealer {
        /// The `d=` of the seal.
        sealer: Domain,
        /// The instance of its set.
        instance: u8,
    },
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
    /// The DNS failed on a DKIM key, which the decision depends on.
    KeyUnknown,
    /// The DNS failed on the DMARC policy, likewise.
    PolicyUnknown,
    /// The DNS failed on SPF, likewise.
    SpfUnknown,
}

impl Reason {
    /// What a temporary failure of the DNS kept us from knowing.
    pub(crate) fn unknown(&self) -> Option<&'static str> {
        match self {
            Self::KeyUnknown => Some("a DKIM key"),
            Self::PolicyUnknown => Some("the DMARC policy"),
            Self::SpfUnknown => Some("SPF"),
            Self::NothingAgainst
            | Self::AuthorAuthenticated
            | Self::DmarcPolicy
            | Self::RelayedByForwarder { .. }
            | Self::RelayedByList { .. }
            | Self::RelayedBySealer { .. }
            | Self::RejectRuleNever
            | Self::TrustedSealer { .. }
            | Self::AuthorUnusable
            | Self::SpfFail
            | Self::SpfPermerror
            | Self::SeveralMethods
            | Self::TrustedForwarder(_)
            | Self::Excepted
            | Self::UpgradedSpf => None,
        }
    }
}

impl Reason {
    /// What authenticates whoever relayed the message, if not a seal.
    pub(super) fn identifier(&self) -> Option<&AuthenticatedIdentifier> {
        match self {
            Self::RelayedByForwarder { identifier, .. }
            | Self::RelayedByList { identifier, .. } => Some(identifier),
            _ => None,
        }
    }

    /// Who relayed the message, in words.
    pub(super) fn relayed(&self) -> Option<String> {
        match self {
            Self::RelayedByForwarder {
                forwarder,
                identifier,
            } => Some(format!(
                "{forwarder}, authenticated by {}, relayed the message and rewrote its envelope \
                 sender (SRS)",
                identifier.method()
            )),
            Self::RelayedByList { list, identifier } => Some(format!(
                "{}, authenticated by {}, relayed the message for the list {list}",
                identifier.domain(),
                identifier.method()
            )),
            Self::RelayedBySealer { sealer } => {
                Some(format!("{sealer} relayed the message and sealed it (ARC)"))
            }
            _ => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingAgainst => f.write_str("nothing speaks against the message"),
            Self::AuthorAuthenticated => {
                f.write_str("the author domain itself is authenticated, whatever its policy says")
            }
            Self::DmarcPolicy => f.write_str("the author domain asks for it"),
            Self::RelayedByForwarder { .. }
            | Self::RelayedByList { .. }
            | Self::RelayedBySealer { .. } => write!(
                f,
                "the author domain asks to reject, but {}, and a published policy alone is no \
                 reason to reject (RFC 9989 7.4)",
                self.relayed().unwrap_or_default()
            ),
            Self::RejectRuleNever => {
                f.write_str("the author domain asks to reject, which this receiver never does")
            }
            Self::TrustedSealer { sealer, instance } => write!(
                f,
                "{sealer}, which is trusted, sealed the message (ARC set {instance}) and found that \
                 DMARC passed"
            ),
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
            Self::KeyUnknown | Self::PolicyUnknown | Self::SpfUnknown => {
                let unknown = self.unknown().unwrap_or_default();
                write!(f, "the DNS could not be asked about {unknown}")
            }
        }
    }
}
