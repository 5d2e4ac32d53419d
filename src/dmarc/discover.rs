//! Finding policies and organizational domains in the DNS (§4.10; RFC 7489 6.6.3).

use std::cmp::Reverse;

use super::few::Few;
use super::record::Scope;
use super::walk::{self, Published};
use super::{Record, Settings, WhyNot};
use crate::dns::{LookupError, Name, Resolver, Txt};
use crate::domain::Domain;
use crate::identifier::AuthenticatedIdentifier;
use crate::message::Author;

/// What the DNS said about the author domain's policy, and about organizational domains.
///
/// A look-up that failed is kept with its name and error. No name is asked twice.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    /// Boxed, as it goes from one future to the next.
    found: Box<Found>,
}

/// What was found, and what was asked for it.
#[derive(Clone, Debug, Default)]
struct Found {
    policies: Few<(Domain, Policy)>,
    organizations: Few<(Domain, Result<Domain, WhyNot>)>,
    answers: Few<(Domain, Answer)>,
    queries: Few<Name>,
    walks: usize,
}

/// The policy of one author domain.
#[derive(Clone, Debug)]
pub(super) enum Policy {
    /// There is none.
    Absent,
    /// One applies.
    Found {
        /// Which of the answers has the record, see [`Discovery::published`].
        answer: usize,
        scope: Result<Scope, Failure>,
    },
    /// A name has several records, which by RFC 7489 6.6.3 ends the search.
    Several(Domain),
    /// It could not be looked up.
    Unknown(Failure),
}

/// A look-up that failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Failure {
    pub(super) name: Name,
    pub(super) error: LookupError,
}

/// What stands at `_dmarc.` below a name.
#[derive(Clone, Debug)]
enum Answer {
    Failed(Failure),
    /// `exists`: whether the DNS knows a name below this one, and so this one.
    Nothing {
        exists: bool,
    },
    One(Record),
    Several,
}

impl Discovery {
    /// Finds the policy of the author domain: the first walk.
    ///
    /// An author without exactly one domain causes no query, except with
    /// [`strictest_of_several_authors`](Settings::strictest_of_several_authors). Failures of the
    /// DNS are kept inside.
    pub async fn of_author(resolver: &dyn Resolver, author: &Author, settings: &Settings) -> Self {
        let mut discovery = Self::default();
        for domain in author_domains(author, settings) {
            if discovery.policy_of(domain).is_none() {
                let policy = discovery.find_policy(resolver, domain, settings).await;
                discovery.found.policies.push((domain.clone(), policy));
            }
        }
        discovery
    }

    /// Finds the organizational domain of any domain (§4.10.2), by the method that is set.
    pub async fn of_organization(
        resolver: &dyn Resolver,
        domain: &Domain,
        settings: &Settings,
    ) -> (Result<Domain, WhyNot>, Self) {
        let mut discovery = Self::default();
        let organization = discovery.organization(resolver, domain, settings).await;
        (organization, discovery)
    }

    /// Finds the organizational domains of authenticated identifiers: the second walk.
    ///
    /// It is made only where a policy was found, alignment is relaxed and the answer can matter;
    /// the names that were asked before are not asked again.
    #[must_use]
    pub async fn with_identifiers(
        mut self,
        resolver: &dyn Resolver,
        identifiers: &[AuthenticatedIdentifier],
        settings: &Settings,
    ) -> Self {
        for index in 0..self.found.policies.as_slice().len() {
            if let Some((author_domain, candidates)) = self.lacking(index, identifiers, settings) {
                let author_domain = author_domain.clone();
                // Boxed, like all that few messages come to: a future is as large as its largest part.
                Box::pin(self.walk_identifiers(resolver, &author_domain, candidates, settings))
                    .await;
            }
        }
        self
    }

    /// Whether [`with_identifiers`](Self::with_identifiers) has nothing to do.
    pub(crate) fn suffices(
        &self,
        identifiers: &[AuthenticatedIdentifier],
        settings: &Settings,
    ) -> bool {
        let mut policies = 0..self.found.policies.as_slice().len();
        policies.all(|index| self.lacking(index, identifiers, settings).is_none())
    }

    /// The author domain of a policy, and the identifiers whose organizational domains may matter, if
    /// the walk is to be made.
    fn lacking<'i>(
        &self,
        index: usize,
        identifiers: &'i [AuthenticatedIdentifier],
        settings: &Settings,
    ) -> Option<(&Domain, Vec<&'i AuthenticatedIdentifier>)> {
        let (author_domain, policy) = self.found.policies.as_slice().get(index)?;
        let (_, record) = self.published(policy)?;
        let candidates = walk::candidates(author_domain, record, identifiers);
        let walks = !candidates.is_empty() || settings.compare_with.is_some();
        walks.then_some((author_domain, candidates))
    }

    /// The names that were asked, in order.
    #[must_use]
    pub fn queries(&self) -> &[Name] {
        self.found.queries.as_slice()
    }

    /// The domains that publish several DMARC records, all of which are ignored.
    pub fn several_records(&self) -> impl Iterator<Item = &Domain> {
        self.found
            .answers
            .iter()
            .filter(|(_, answer)| matches!(answer, Answer::Several))
            .map(|(domain, _)| domain)
    }

    /// The look-ups of records that failed, and how.
    pub fn failures(&self) -> impl Iterator<Item = (&Name, &LookupError)> {
        self.found
            .answers
            .iter()
            .filter_map(|(_, answer)| match answer {
                Answer::Failed(failure) => Some((&failure.name, &failure.error)),
                Answer::Nothing { .. } | Answer::One(_) | Answer::Several => None,
            })
    }

    /// The domain and the record whose policy applies to the first author domain, if any.
    #[must_use]
    pub fn policy(&self) -> Option<(&Domain, &Record)> {
        let (_, policy) = self.found.policies.as_slice().first()?;
        self.published(policy)
    }

    /// The domain and the record of a policy that was found.
    pub(super) fn published(&self, policy: &Policy) -> Option<(&Domain, &Record)> {
        let Policy::Found { answer, .. } = policy else {
            return None;
        };
        match self.found.answers.as_slice().get(*answer)? {
            (domain, Answer::One(record)) => Some((domain, record)),
            _ => None,
        }
    }

    /// The organizational domain of a domain, as far as it was looked for.
    ///
    /// # Errors
    ///
    /// [`WhyNot::NotDiscovered`] where it was not, [`WhyNot::LimitReached`] where too many domains
    /// claim to be related to the author's, [`WhyNot::OrganizationUnknown`] where a look-up failed.
    pub fn organizational_domain(&self, domain: &Domain) -> Result<&Domain, &WhyNot> {
        self.looked_for(domain)
            .map_or(Err(&WhyNot::NotDiscovered), Result::as_ref)
    }

    fn looked_for(&self, domain: &Domain) -> Option<&Result<Domain, WhyNot>> {
        let entry = self
            .found
            .organizations
            .iter()
            .find(|(known, _)| known == domain);
        entry.map(|(_, organization)| organization)
    }

    pub(super) fn policy_of(&self, author_domain: &Domain) -> Option<&Policy> {
        let mut policies = self.found.policies.iter();
        let entry = policies.find(|(known, _)| known == author_domain);
        entry.map(|(_, policy)| policy)
    }

    /// The DMARC record of a domain, from memory where it was asked before.
    async fn record_at(
        &mut self,
        resolver: &dyn Resolver,
        domain: &Domain,
        settings: &Settings,
    ) -> &Answer {
        let at = self.answer_for(resolver, domain, settings).await;
        self.answer(at)
    }

    /// Which of the answers is the one for a domain, which is asked unless it was before.
    async fn answer_for(
        &mut self,
        resolver: &dyn Resolver,
        domain: &Domain,
        settings: &Settings,
    ) -> usize {
        if let Some(at) = self.known_answer(domain) {
            return at;
        }
        let answer = self.ask(resolver, domain, settings).await;
        self.found.answers.push((domain.clone(), answer));
        self.found.answers.as_slice().len() - 1
    }

    fn known_answer(&self, domain: &Domain) -> Option<usize> {
        let mut answers = self.found.answers.iter();
        answers.position(|(known, _)| known == domain)
    }

    fn answer(&self, at: usize) -> &Answer {
        let answer = self.found.answers.as_slice().get(at);
        answer.map_or(&Answer::Nothing { exists: false }, |(_, answer)| answer)
    }

    /// Asks for the DMARC record of a domain.
    async fn ask(
        &mut self,
        resolver: &dyn Resolver,
        domain: &Domain,
        settings: &Settings,
    ) -> Answer {
        // A name that does not fit into a query has no records.
        let Ok(name) = Name::below(b"_dmarc", domain) else {
            return Answer::Nothing { exists: false };
        };
        let answer = match resolver.txt(&name).await {
            Ok(outcome) => {
                let records = outcome.as_slice();
                let records = records.iter().take(settings.max_records);
                only_record(records, !outcome.is_no_such_name())
            }
            Err(error) => Answer::Failed(Failure {
                name: name.clone(),
                error,
            }),
        };
        self.found.queries.push(name);
        answer
    }

    /// The records that a walk from `start` finds, those of the longest names first.
    async fn walk(
        &mut self,
        resolver: &dyn Resolver,
        start: &Domain,
        settings: &Settings,
    ) -> Result<Vec<Published>, Failure> {
        let mut found = Vec::new();
        for domain in walk::targets(start, settings.max_walk_queries) {
            match self.record_at(resolver, &domain, settings).await {
                Answer::Failed(failure) => return Err(failure.clone()),
                // ‘If multiple DMARC Policy Records are returned for a single target, they are all
                // discarded’ (§4.10, steps 2 and 6).
                Answer::Nothing { .. } | Answer::Several => {}
                Answer::One(record) => {
                    let record = record.clone();
                    let stops = walk::stops_at(&record);
                    found.push(Published { domain, record });
                    if stops {
                        break;
                    }
                }
            }
        }
        Ok(found)
    }

    /// Looks for the organizational domain of `domain` and keeps it.
    pub(super) async fn organization(
        &mut self,
        resolver: &dyn Resolver,
        domain: &Domain,
        settings: &Settings,
    ) -> Result<Domain, WhyNot> {
        if let Some(known) = self.looked_for(domain) {
            return known.clone();
        }
        let organization = match &settings.public_suffix_list {
            Some(list) => Ok(list.organizational_domain(domain)),
            None => match self.walk(resolver, domain, settings).await {
                Ok(found) => Ok(walk::organizational_domain(domain, &found)),
                Err(Failure { name, error }) => Err(WhyNot::OrganizationUnknown { name, error }),
            },
        };
        self.found
            .organizations
            .push((domain.clone(), organization.clone()));
        organization
    }

    /// The policy of an author domain, by the method that is set.
    async fn find_policy(
        &mut self,
        resolver: &dyn Resolver,
        author_domain: &Domain,
        settings: &Settings,
    ) -> Policy {
        let answer = self.answer_for(resolver, author_domain, settings).await;
        match self.answer(answer) {
            // ‘If the DMARC Policy Record to be applied is that of the Author Domain, then the
            // Domain Owner Assessment Policy is taken from the "p" tag’ (§4.10.1), even where the
            // organizational domain has a record as well.
            Answer::One(_) => {
                let scope = Ok(Scope::Domain);
                return Policy::Found { answer, scope };
            }
            Answer::Failed(failure) => return Policy::Unknown(failure.clone()),
            Answer::Several if is_listed(settings) => {
                return Policy::Several(author_domain.clone());
            }
            Answer::Several | Answer::Nothing { .. } => {}
        }
        match Box::pin(self.find_inherited(resolver, author_domain, settings)).await {
            Ok(Published { domain, record }) => {
                let scope = Box::pin(self.scope(resolver, author_domain, &record, settings)).await;
                match self.known_answer(&domain) {
                    Some(answer) => Policy::Found { answer, scope },
                    None => Policy::Absent,
                }
            }
            Err(policy) => policy,
        }
    }

    /// The record that applies to an author domain without one of its own; as an error, the policy
    /// without a record.
    async fn find_inherited(
        &mut self,
        resolver: &dyn Resolver,
        author_domain: &Domain,
        settings: &Settings,
    ) -> Result<Published, Policy> {
        match &settings.public_suffix_list {
            None => {
                let walk = self.walk(resolver, author_domain, settings).await;
                let found = walk.map_err(Policy::Unknown)?;
                let organization = walk::organizational_domain(author_domain, &found);
                self.found
                    .organizations
                    .push((author_domain.clone(), Ok(organization)));
                walk::policy(author_domain, found).ok_or(Policy::Absent)
            }
            Some(list) => {
                let domain = list.organizational_domain(author_domain);
                match self.record_at(resolver, &domain, settings).await {
                    Answer::One(record) => Ok(Published {
                        record: record.clone(),
                        domain,
                    }),
                    Answer::Nothing { .. } => Err(Policy::Absent),
                    Answer::Several => Err(Policy::Several(domain)),
                    Answer::Failed(failure) => Err(Policy::Unknown(failure.clone())),
                }
            }
        }
    }

    /// Whether `sp` or `np` applies; asks only where they differ.
    async fn scope(
        &mut self,
        resolver: &dyn Resolver,
        author_domain: &Domain,
        record: &Record,
        settings: &Settings,
    ) -> Result<Scope, Failure> {
        let rules = settings.rules();
        let published = |scope| record.published(scope, rules);
        let exists = self.found.answers.iter().any(|(known, answer)| {
            known == author_domain && !matches!(answer, Answer::Nothing { exists: false })
        });
        if exists || published(Scope::Subdomain) == published(Scope::NonexistentSubdomain) {
            return Ok(Scope::Subdomain);
        }
        let Ok(name) = Name::from_octets(author_domain.as_str().as_bytes()) else {
            return Ok(Scope::NonexistentSubdomain);
        };
        // §3.2.13: ‘if the response code received for a query for a domain name is NXDOMAIN, then
        // the domain name and any possible subdomains do not exist’; the type does not matter.
        let outcome = resolver.a(&name).await;
        self.found.queries.push(name.clone());
        match outcome {
            Ok(outcome) if outcome.is_no_such_name() => Ok(Scope::NonexistentSubdomain),
            Ok(_) => Ok(Scope::Subdomain),
            Err(error) => Err(Failure { name, error }),
        }
    }

    /// Walks the identifiers that may be aligned with one author domain.
    async fn walk_identifiers(
        &mut self,
        resolver: &dyn Resolver,
        author_domain: &Domain,
        mut candidates: Vec<&AuthenticatedIdentifier>,
        settings: &Settings,
    ) {
        let Ok(organization) = self.organization(resolver, author_domain, settings).await else {
            return;
        };
        candidates.retain(|identifier| identifier.domain().is_within(&organization));
        // Who signs with many domains chooses their order; those that passed and are nearest to
        // the author come first.
        candidates.sort_by_key(|identifier| {
            let shared = walk::shared_labels(identifier.domain(), author_domain);
            (identifier.status(), Reverse(shared))
        });
        for identifier in candidates {
            let domain = identifier.domain();
            if self.looked_for(domain).is_some() {
                continue;
            }
            if self.found.walks >= settings.max_walks && !is_listed(settings) {
                let entry = (domain.clone(), Err(WhyNot::LimitReached));
                self.found.organizations.push(entry);
                continue;
            }
            self.found.walks += 1;
            // What comes of it is kept.
            let _ = self.organization(resolver, domain, settings).await;
        }
    }
}

/// The author domains that are evaluated.
pub(super) fn author_domains<'a>(author: &'a Author, settings: &Settings) -> &'a [Domain] {
    match author {
        Author::One(_) | Author::SameDomain { .. } => author.domains(),
        // §11.5 speaks of ‘a syntactically valid multi-valued RFC5322.From field’; several fields
        // are not that, and one of them may have hidden authors.
        Author::SeveralDomains(domains)
            if settings.strictest_of_several_authors
                && domains.len() <= settings.max_author_domains =>
        {
            domains
        }
        Author::SeveralDomains(_)
        | Author::SeveralFields { .. }
        | Author::Missing
        | Author::Unparseable(_) => &[],
    }
}

fn is_listed(settings: &Settings) -> bool {
    settings.public_suffix_list.is_some()
}

/// ‘Records that do not start with a "v" tag that identifies the current version of DMARC are
/// discarded’ (§4.10, step 2).
fn only_record<'a>(texts: impl Iterator<Item = &'a Txt>, exists: bool) -> Answer {
    let mut records = texts.filter_map(Record::from_txt);
    match (records.next(), records.next()) {
        (None, _) => Answer::Nothing { exists },
        (Some(record), None) => Answer::One(record),
        (Some(_), Some(_)) => Answer::Several,
    }
}
