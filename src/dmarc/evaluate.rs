//! The judgement: alignment and result (§4.4, §5.3), from facts alone.
//!
//! A message passes only where [`judge`] finds an identifier that passed and is aligned; whatever
//! else happens, including what nobody thought of, is not a pass.

use super::discover::{self, Failure, Policy};
use super::evaluation::{Alignments, Disagreement};
use super::record::Scope;
use super::walk;
use super::{
    Alignment, AlignmentMode, Cause, Discovery, Disposition, DmarcResult, Evaluation, Record,
    RuleSet, Settings, WhyNot,
};
use crate::domain::Domain;
use crate::identifier::{AuthenticatedIdentifier, Status};
use crate::message::Author;

impl Discovery {
    /// Decides, from what was found. Asks nobody, and has a result for every input: the author of the
    /// message, and what SPF and DKIM authenticated.
    ///
    /// ```
    /// use mailproof::dmarc::{Discovery, DmarcResult, Settings};
    /// use mailproof::message::Author;
    ///
    /// let settings = Settings::default();
    /// let verdict = Discovery::default().evaluate(&Author::Missing, &[], &settings);
    /// assert_eq!(verdict.result(), DmarcResult::Permerror);
    /// assert_eq!(verdict.cause().to_string(), "the message has no author");
    /// ```
    #[must_use]
    pub fn evaluate(
        &self,
        author: &Author,
        identifiers: &[AuthenticatedIdentifier],
        settings: &Settings,
    ) -> Evaluation {
        let cause = match author {
            Author::One(address) => {
                return of_domain(address.domain(), self, identifiers, settings);
            }
            Author::SameDomain { domain, .. } => {
                return of_domain(domain, self, identifiers, settings);
            }
            Author::SeveralDomains(domains) => Cause::SeveralDomains {
                count: domains.len(),
            },
            Author::SeveralFields { fields, .. } => Cause::SeveralFields { fields: *fields },
            Author::Missing => Cause::NoAuthor,
            Author::Unparseable(error) => Cause::AuthorUnreadable(error.clone()),
        };
        strictest(author, self, identifiers, settings)
            .unwrap_or_else(|| refused(cause, identifiers, settings))
    }
}

/// §11.5: ‘apply the most strict policy selected among the checks that fail’.
fn strictest(
    author: &Author,
    discovery: &Discovery,
    identifiers: &[AuthenticatedIdentifier],
    settings: &Settings,
) -> Option<Evaluation> {
    discover::author_domains(author, settings)
        .iter()
        .map(|domain| of_domain(domain, discovery, identifiers, settings))
        .filter_map(|evaluation| {
            let strictness = match (evaluation.result, evaluation.disposition) {
                (DmarcResult::Fail, Disposition::Reject) => 3,
                // It may yet fail, and with any policy: a milder failure beside it must not decide.
                (DmarcResult::Temperror, _) => 2,
                (DmarcResult::Fail, Disposition::Quarantine) => 1,
                (DmarcResult::Fail, Disposition::None) => 0,
                (DmarcResult::None | DmarcResult::Pass | DmarcResult::Permerror, _) => return None,
            };
            Some((strictness, evaluation))
        })
        .max_by_key(|(strictness, _)| *strictness)
        .map(|(_, evaluation)| evaluation)
}

/// The evaluation of a message without one author domain.
fn refused(
    cause: Cause,
    identifiers: &[AuthenticatedIdentifier],
    settings: &Settings,
) -> Evaluation {
    Evaluation {
        result: cause.result(),
        cause,
        rules: settings.rules(),
        author_domain: None,
        policy_domain: None,
        organizational_domain: None,
        record: None,
        published: None,
        to_apply: None,
        disposition: Disposition::None,
        identifiers: Alignments::of(identifiers, without_author),
        disagreements: Vec::new(),
    }
}

/// The evaluation for one author domain.
fn of_domain(
    author_domain: &Domain,
    discovery: &Discovery,
    identifiers: &[AuthenticatedIdentifier],
    settings: &Settings,
) -> Evaluation {
    let policy = discovery.policy_of(author_domain);
    let scope = match policy {
        Some(Policy::Found { scope, .. }) => scope.as_ref().ok(),
        Some(Policy::Absent | Policy::Several(_) | Policy::Unknown(_)) | None => None,
    };
    let published = policy.and_then(|policy| discovery.published(policy));
    let (policy_domain, record) = published.unzip();
    let rules = settings.rules();
    let requested = record.and_then(|record| record.published(*scope?, rules));
    // A record that cannot be applied to its own domain can be applied to none, and nothing is
    // aligned under it.
    let applicable = record.filter(|record| record.published(Scope::Domain, rules).is_some());
    let reference = Reference {
        author_domain,
        organization: discovery.organizational_domain(author_domain),
        record: applicable,
        discovery,
    };
    let alignments = Alignments::of(identifiers, |identifier| reference.align(identifier));
    let cause = match (policy_domain, applicable) {
        (Some(domain), None) => Cause::UnusablePolicy {
            domain: domain.clone(),
        },
        _ => cause(author_domain, policy, alignments.as_slice()),
    };
    let result = cause.result();
    let to_apply = record.and_then(|record| Some(to_apply(record, requested?, settings)));
    let disposition = match result {
        DmarcResult::Fail => to_apply.unwrap_or_default(),
        DmarcResult::None | DmarcResult::Pass | DmarcResult::Temperror | DmarcResult::Permerror => {
            Disposition::None
        }
    };
    Evaluation {
        result,
        cause,
        rules,
        author_domain: Some(author_domain.clone()),
        policy_domain: policy_domain.cloned(),
        organizational_domain: reference.organization.ok().cloned(),
        record: record.cloned(),
        published: requested,
        to_apply,
        disposition,
        identifiers: alignments,
        disagreements: disagreements(author_domain, discovery, identifiers, settings),
    }
}

/// The cause, from what is known of the policy, which can be applied if there is one, and the alignments
/// under it.
fn cause(author_domain: &Domain, policy: Option<&Policy>, alignments: &[Alignment]) -> Cause {
    match policy {
        None => Cause::NotDiscovered {
            domain: author_domain.clone(),
        },
        Some(Policy::Absent) => Cause::NoPolicy {
            domain: author_domain.clone(),
        },
        Some(Policy::Several(domain)) => Cause::SeveralRecords {
            domain: domain.clone(),
        },
        Some(Policy::Unknown(Failure { name, error })) => Cause::PolicyUnknown {
            name: name.clone(),
            error: error.clone(),
        },
        Some(Policy::Found { scope, .. }) => judge(author_domain, scope.as_ref().err(), alignments),
    }
}

/// From alignments to the cause. An aligned pass decides whatever else is unknown (§5.3.5); without
/// one, what is unknown could have been one.
fn judge(author_domain: &Domain, existence: Option<&Failure>, alignments: &[Alignment]) -> Cause {
    if let Some(aligned) = alignments.iter().find(|a| a.why_not.is_none()) {
        return Cause::Aligned {
            domain: aligned.domain.clone(),
            method: aligned.method,
        };
    }
    for alignment in alignments {
        let domain = alignment.domain.clone();
        match &alignment.why_not {
            Some(WhyNot::NotChecked) => {
                return Cause::IdentifierUnknown {
                    domain,
                    method: alignment.method,
                };
            }
            Some(WhyNot::OrganizationUnknown { name, error }) => {
                return Cause::AlignmentUnknown {
                    domain,
                    name: name.clone(),
                    error: error.clone(),
                };
            }
            Some(WhyNot::NotDiscovered) => return Cause::NotDiscovered { domain },
            Some(
                WhyNot::NoPolicy
                | WhyNot::OtherOrganization
                | WhyNot::StrictAlignment
                | WhyNot::LimitReached,
            )
            | None => {}
        }
    }
    match existence {
        Some(Failure { name, error }) => Cause::ExistenceUnknown {
            name: name.clone(),
            error: error.clone(),
        },
        None => Cause::NothingAligned {
            domain: author_domain.clone(),
        },
    }
}

/// An identifier of a message without an author to hold it against.
fn without_author(identifier: &AuthenticatedIdentifier) -> Alignment {
    Alignment {
        domain: identifier.domain().clone(),
        method: identifier.method(),
        passed: identifier.status() == Status::Pass,
        strict: false,
        relaxed: false,
        why_not: Some(WhyNot::NoPolicy),
    }
}

/// What identifiers are held against.
struct Reference<'a> {
    author_domain: &'a Domain,
    /// The author's organizational domain.
    organization: Result<&'a Domain, &'a WhyNot>,
    /// The record that says how they must be aligned.
    record: Option<&'a Record>,
    discovery: &'a Discovery,
}

impl Reference<'_> {
    fn align(&self, identifier: &AuthenticatedIdentifier) -> Alignment {
        let domain = identifier.domain();
        let method = identifier.method();
        // §4.4: strict is equality, and equal domains have one organizational domain.
        let strict = self.author_domain == domain;
        let related = if strict {
            Ok(())
        } else {
            self.same_organization(domain)
        };
        let relaxed = related.is_ok();
        let aligned = match self.record.map(|record| walk::mode(record, method)) {
            None => Err(WhyNot::NoPolicy),
            Some(AlignmentMode::Relaxed) => related,
            Some(AlignmentMode::Strict) if strict => Ok(()),
            Some(AlignmentMode::Strict) => match related {
                Err(WhyNot::OtherOrganization) => related,
                // It cannot be aligned, whatever its organization is.
                Ok(()) | Err(_) => Err(WhyNot::StrictAlignment),
            },
        };
        let (passed, why_not) = match (identifier.status(), aligned) {
            (Status::Pass, aligned) => (true, aligned.err()),
            (Status::Temperror, Ok(())) => (false, Some(WhyNot::NotChecked)),
            (Status::Temperror, Err(why_not)) => (false, Some(why_not)),
        };
        Alignment {
            domain: domain.clone(),
            method,
            passed,
            strict,
            relaxed,
            why_not,
        }
    }

    /// Whether another domain than the author's has the same organizational domain.
    fn same_organization(&self, domain: &Domain) -> Result<(), WhyNot> {
        let organization = match self.organization {
            Ok(organization) => organization,
            // An organizational domain is its domain or above it: what shares nothing with the
            // author needs no look-up.
            Err(_) if walk::shared_labels(self.author_domain, domain) == 0 => {
                return Err(WhyNot::OtherOrganization);
            }
            Err(why_not) => return Err(why_not.clone()),
        };
        if !domain.is_within(organization) {
            return Err(WhyNot::OtherOrganization);
        }
        match self.discovery.organizational_domain(domain) {
            Ok(its_own) if its_own == organization => Ok(()),
            Ok(_) => Err(WhyNot::OtherOrganization),
            Err(why_not) => Err(why_not.clone()),
        }
    }
}

/// §4.7, `t`: ‘the policy applied to any failing messages will be one level below the specified
/// policy’. RFC 7489 6.6.4 says the same of messages outside `pct`.
fn to_apply(record: &Record, requested: Disposition, settings: &Settings) -> Disposition {
    let spared = match settings.rules() {
        RuleSet::Rfc9989 => record.is_testing(),
        RuleSet::Rfc7489 => settings.pct_sample >= record.pct(),
    };
    if spared {
        requested.one_level_lower()
    } else {
        requested
    }
}

fn disagreements(
    author_domain: &Domain,
    discovery: &Discovery,
    identifiers: &[AuthenticatedIdentifier],
    settings: &Settings,
) -> Vec<Disagreement> {
    let Some(list) = &settings.compare_with else {
        return Vec::new();
    };
    let mut disagreements: Vec<Disagreement> = Vec::new();
    let identified = identifiers.iter().map(AuthenticatedIdentifier::domain);
    for domain in std::iter::once(author_domain).chain(identified) {
        let by_list = list.organizational_domain(domain);
        match discovery.organizational_domain(domain) {
            Ok(by_tree_walk)
                if *by_tree_walk != by_list
                    && disagreements.iter().all(|known| known.domain != *domain) =>
            {
                disagreements.push(Disagreement {
                    domain: domain.clone(),
                    by_tree_walk: by_tree_walk.clone(),
                    by_list,
                });
            }
            Ok(_) | Err(_) => {}
        }
    }
    disagreements
}
