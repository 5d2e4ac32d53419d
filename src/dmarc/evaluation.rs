//! What an evaluation says: result, policy, and each identifier's part in it.

use super::{Cause, Disposition, DmarcResult, Record, RuleSet, WhyNot};
use crate::auth_results::{self, MethodResult, Property};
use crate::domain::Domain;
use crate::identifier::Method;

/// What DMARC found out about a message.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Evaluation {
    pub(super) result: DmarcResult,
    pub(super) cause: Cause,
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(super) rules: RuleSet,
    pub(super) author_domain: Option<Domain>,
    pub(super) policy_domain: Option<Domain>,
    pub(super) organizational_domain: Option<Domain>,
    pub(super) record: Option<Record>,
    pub(super) published: Option<Disposition>,
    pub(super) to_apply: Option<Disposition>,
    pub(super) disposition: Disposition,
    pub(super) identifiers: Alignments,
    pub(super) disagreements: Vec<Disagreement>,
}

impl Evaluation {
    /// The result.
    #[must_use]
    pub fn result(&self) -> DmarcResult {
        self.result
    }

    /// Why this is the result.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The specification that the record was applied by.
    #[must_use]
    pub fn rules(&self) -> RuleSet {
        self.rules
    }

    /// The author domain: the one there is, or that of several whose policy applies.
    #[must_use]
    pub fn author_domain(&self) -> Option<&Domain> {
        self.author_domain.as_ref()
    }

    /// The domain whose record applies: the author domain, its organizational domain, or their
    /// public suffix.
    #[must_use]
    pub fn policy_domain(&self) -> Option<&Domain> {
        self.policy_domain.as_ref()
    }

    /// The author domain's organizational domain, where it mattered and could be found.
    #[must_use]
    pub fn organizational_domain(&self) -> Option<&Domain> {
        self.organizational_domain.as_ref()
    }

    /// The policy that applies to the author domain, as published: `p`, `sp` or `np`.
    #[must_use]
    pub fn published(&self) -> Option<Disposition> {
        self.published
    }

    /// What the domain owner asks to be done with this message: the published policy, one level
    /// lower where it is tested (`t=y`) or the message is not sampled (`pct`). None unless the
    /// result is fail. Whether to heed it is the receiver's decision.
    #[must_use]
    pub fn disposition(&self) -> Disposition {
        self.disposition
    }

    /// The record that applies.
    #[must_use]
    pub fn record(&self) -> Option<&Record> {
        self.record.as_ref()
    }

    /// Every identifier, in the order in which they were given.
    #[must_use]
    pub fn identifiers(&self) -> &[Alignment] {
        self.identifiers.as_slice()
    }

    /// Whether the method gave an aligned pass.
    #[must_use]
    pub fn is_aligned(&self, method: Method) -> bool {
        self.identifiers()
            .iter()
            .any(|identifier| identifier.method == method && identifier.why_not.is_none())
    }

    /// Where the list of [`Settings::compare_with`](super::Settings::compare_with) finds another
    /// organizational domain than the tree walk: the domain, its organization by the tree walk, and
    /// its organization by the list. Empty without such a list.
    pub fn disagreements(&self) -> impl ExactSizeIterator<Item = (&Domain, &Domain, &Domain)> {
        self.disagreements
            .iter()
            .map(|one| (&one.domain, &one.by_tree_walk, &one.by_list))
    }

    /// The result for Authentication-Results (§9.1): the author domain, and the policy with `t` or `pct` taken
    /// into account.
    #[must_use]
    pub fn to_method_result(&self) -> MethodResult {
        let mut result = MethodResult::new(auth_results::Method::Dmarc, self.result.into());
        match self.result {
            DmarcResult::Pass | DmarcResult::None => {}
            DmarcResult::Fail | DmarcResult::Temperror | DmarcResult::Permerror => {
                result = result.with_reason(self.cause.to_string());
            }
        }
        if let Some(domain) = &self.author_domain {
            result = result.with_property(Property::header("from", domain.as_str()));
        }
        // §9.1: ‘The evaluated DMARC policy applied/to be applied after policy options have been
        // processed’, whatever the result.
        if let Some(to_apply) = self.to_apply {
            result = result.with_property(Property::policy("dmarc", to_apply.as_str()));
        }
        result
    }
}

/// Some alignments. Nearly all messages have one identifier by SPF and one by DKIM, and need no
/// list for them.
#[derive(Clone, Debug)]
pub(super) enum Alignments {
    None,
    One([Alignment; 1]),
    Two([Alignment; 2]),
    More(Vec<Alignment>),
}

impl Alignments {
    /// Each identifier by the function.
    pub(super) fn of<T>(identifiers: &[T], align: impl Fn(&T) -> Alignment) -> Self {
        match identifiers {
            [] => Self::None,
            [one] => Self::One([align(one)]),
            [one, other] => Self::Two([align(one), align(other)]),
            more => Self::More(more.iter().map(align).collect()),
        }
    }

    pub(super) fn as_slice(&self) -> &[Alignment] {
        match self {
            Self::None => &[],
            Self::One(one) => one,
            Self::Two(two) => two,
            Self::More(more) => more,
        }
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Alignments {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_slice().serialize(serializer)
    }
}

/// An identifier, held against the author domain.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Alignment {
    pub(super) domain: Domain,
    pub(super) method: Method,
    pub(super) passed: bool,
    pub(super) strict: bool,
    pub(super) relaxed: bool,
    pub(super) why_not: Option<WhyNot>,
}

impl Alignment {
    /// The domain.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// What authenticated it, or should have.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// Whether it is authenticated; otherwise it could not be checked for now.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.passed
    }

    /// Whether it is the author domain.
    #[must_use]
    pub fn strict(&self) -> bool {
        self.strict
    }

    /// Whether it is known to have the author's organizational domain. Where the policy asks for
    /// strict alignment, this is not looked up and so false for other domains than the author's,
    /// unless it became known anyway.
    #[must_use]
    pub fn relaxed(&self) -> bool {
        self.relaxed
    }

    /// Why it does not make the message pass; `None` if it does.
    #[must_use]
    pub fn why_not(&self) -> Option<&WhyNot> {
        self.why_not.as_ref()
    }
}

/// A domain for which the tree walk and a public suffix list find different organizations.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(super) struct Disagreement {
    pub(super) domain: Domain,
    pub(super) by_tree_walk: Domain,
    pub(super) by_list: Domain,
}
