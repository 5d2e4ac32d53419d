//! Follows everything that a record refers to.

use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::pin::Pin;

use super::{Cost, Finding, Survey, Warning};
use crate::dns::{LookupError, Name, RecordType, Resolver};
use crate::domain::Domain;
use crate::spf::cause::{Cause, Limit, Via};
use crate::spf::lookup::{Frame, Link};
use crate::spf::prefix::Prefix;
use crate::spf::record::{DomainSpec, DualPrefix, Mechanism, Qualifier, Record, Selection, Term};
use crate::spf::settings::Settings;

impl Survey {
    /// Looks at a domain's record and at all that it refers to: what is wrong or doubtful, what each
    /// term costs of the look-ups that are allowed, how many addresses are authorized.
    ///
    /// Terms with macros depend on the mail; they are counted, but not followed. No more questions are
    /// asked than the limits of `settings` allow for one check.
    ///
    /// ```
    /// use mailproof::dns::{block_on, Zone};
    /// use mailproof::spf::{Settings, Survey};
    ///
    /// let mut zone = Zone::new();
    /// zone.add_txt("example.com", "v=spf1 include:_spf.example.net mx -all")?
    ///     .add_mx("example.com", 10, "mx.example.com")?
    ///     .add_address("mx.example.com", [192, 0, 2, 25].into())?
    ///     .add_txt("_spf.example.net", "v=spf1 a:gone.example.net ip4:198.51.100.0/24 ~all")?;
    ///
    /// let survey = block_on(Survey::of(&zone, &"example.com".parse()?, &Settings::default()));
    /// assert_eq!((survey.total.lookups, survey.total.void_lookups), (3, 1));
    /// assert_eq!(survey.total.ip4_addresses, 257);
    /// assert_eq!(survey.terms[0].1.lookups, 2);
    /// assert!(survey.findings.is_empty() && survey.is_complete);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn of(resolver: &dyn Resolver, domain: &Domain, settings: &Settings) -> Self {
        let mut walk = Walk {
            resolver,
            settings,
            queries: 0,
            survey: Self {
                is_complete: true,
                ..Self::default()
            },
        };
        let name = Name::from(domain);
        let frame = Frame {
            domain: &name,
            parent: None,
            included: false,
        };
        let total = walk.domain(&frame).await;
        let Walk { mut survey, .. } = walk;
        survey.total = total;
        let most = settings.limits.lookup_terms;
        let lookups = total.lookups;
        let about_all = [
            (lookups > most).then_some(Warning::OverLookupLimit { lookups }),
            (lookups <= most && lookups.saturating_add(2) >= most)
                .then_some(Warning::NearLookupLimit { lookups }),
            (total.void_lookups > settings.limits.void_lookups).then_some(Warning::OverVoidLimit {
                void_lookups: total.void_lookups,
            }),
        ];
        for warning in about_all.into_iter().flatten() {
            let domain = name.clone();
            survey.findings.push(Finding::Warning { domain, warning });
        }
        survey
    }
}

struct Walk<'a> {
    resolver: &'a dyn Resolver,
    settings: &'a Settings,
    queries: usize,
    survey: Survey,
}

impl Walk<'_> {
    async fn domain(&mut self, frame: &Frame<'_>) -> Cost {
        let mut total = Cost::default();
        if !self.may_ask() {
            return total;
        }
        let outcome = match self.resolver.txt(frame.domain).await {
            Ok(outcome) => outcome,
            Err(error) => {
                self.failed(frame, None, frame.domain, RecordType::Txt, error);
                return total;
            }
        };
        let octets = match Record::select(outcome.as_slice()) {
            Selection::One(octets) => octets,
            Selection::None => {
                self.error(without_record(frame, outcome.is_no_such_name()));
                return total;
            }
            Selection::Several { count } => {
                let place = frame.place(None);
                self.error(Cause::SeveralRecords { place, count });
                return total;
            }
        };
        match Record::parse(octets) {
            Ok(record) => total = self.record(frame, &record).await,
            Err(error) => {
                let place = frame.place(None);
                self.error(Cause::Syntax { place, error });
            }
        }
        total
    }

    fn descend<'s>(
        &'s mut self,
        frame: &'s Frame<'s>,
    ) -> Pin<Box<dyn Future<Output = Cost> + Send + 's>> {
        Box::pin(self.domain(frame))
    }

    async fn record(&mut self, frame: &Frame<'_>, record: &Record<'_>) -> Cost {
        for warning in record.lint() {
            // An included `?all` or the lack of an `all` means nothing.
            let is_about_end = matches!(warning, Warning::AllNeutral { .. } | Warning::NoDefault);
            if !(frame.included && is_about_end) {
                self.warning(frame, warning);
            }
        }
        let mut total = Cost::default();
        for (term, directive) in record.directives() {
            let mut cost = self.directive(frame, term, &directive.mechanism).await;
            if directive.qualifier != Qualifier::Pass {
                (cost.ip4_addresses, cost.ip6_addresses) = (0, 0);
            }
            self.add(frame, term, cost, &mut total);
            if directive.mechanism == Mechanism::All {
                return total;
            }
        }
        if let Some((term, target)) = record.redirect() {
            let cost = self.follow(frame, term, target, Via::Redirect).await;
            self.add(frame, term, cost, &mut total);
        }
        total
    }

    fn add(&mut self, frame: &Frame<'_>, term: &Term<'_>, cost: Cost, total: &mut Cost) {
        total.add(cost);
        if frame.parent.is_none() {
            let term = term.as_str().into();
            self.survey.terms.push((term, cost));
        }
    }

    async fn directive(
        &mut self,
        frame: &Frame<'_>,
        term: &Term<'_>,
        mechanism: &Mechanism<'_>,
    ) -> Cost {
        let mut cost = Cost {
            lookups: usize::from(mechanism.causes_lookup()),
            ..Cost::default()
        };
        match mechanism {
            Mechanism::All => {
                cost.cover(Prefix::v4(Ipv4Addr::UNSPECIFIED, Some(0)));
                cost.cover(Prefix::v6(Ipv6Addr::UNSPECIFIED, Some(0)));
            }
            Mechanism::Ip4(prefix) | Mechanism::Ip6(prefix) => cost.cover(*prefix),
            Mechanism::Include(target) => {
                return self.follow(frame, term, target, Via::Include).await;
            }
            Mechanism::A(target, prefix) => {
                if let Some(name) = literal(frame, target.as_ref()) {
                    self.host(frame, term, &name, *prefix, &mut cost).await;
                }
            }
            Mechanism::Mx(target, prefix) => {
                if let Some(name) = literal(frame, target.as_ref()) {
                    self.mail_exchangers(frame, term, &name, *prefix, &mut cost)
                        .await;
                }
            }
            // Whom these authorize cannot be listed.
            Mechanism::Ptr(_) | Mechanism::Exists(_) => {}
        }
        cost
    }

    async fn follow(
        &mut self,
        frame: &Frame<'_>,
        term: &Term<'_>,
        target: &DomainSpec<'_>,
        via: Via,
    ) -> Cost {
        let mut cost = Cost {
            lookups: 1,
            ..Cost::default()
        };
        let Some(name) = literal(frame, Some(target)) else {
            return cost;
        };
        if is_loop(frame, &name) {
            let term = term.as_str().into();
            self.warning(frame, Warning::Loop { term });
            return cost;
        }
        let next = Frame {
            domain: &name,
            parent: Some(Link { frame, term, via }),
            included: frame.included || via == Via::Include,
        };
        cost.add(self.descend(&next).await);
        cost
    }

    /// The addresses of both families.
    async fn host(
        &mut self,
        frame: &Frame<'_>,
        term: &Term<'_>,
        name: &Name,
        prefix: DualPrefix,
        cost: &mut Cost,
    ) {
        if !self.may_ask() {
            return;
        }
        let ip4 = self.resolver.a(name).await;
        if !self.may_ask() {
            return;
        }
        let ip6 = self.resolver.aaaa(name).await;
        let most = self.settings.limits.addresses;
        match (ip4, ip6) {
            (Ok(ip4), Ok(ip6)) => {
                if ip4.as_slice().is_empty() && ip6.as_slice().is_empty() {
                    cost.void_lookups += 1;
                }
                for address in ip4.as_slice().iter().take(most) {
                    cost.cover(Prefix::v4(*address, prefix.ip4));
                }
                for address in ip6.as_slice().iter().take(most) {
                    cost.cover(Prefix::v6(*address, prefix.ip6));
                }
            }
            (Err(error), _) => self.failed(frame, Some(term), name, RecordType::A, error),
            (_, Err(error)) => self.failed(frame, Some(term), name, RecordType::Aaaa, error),
        }
    }

    async fn mail_exchangers(
        &mut self,
        frame: &Frame<'_>,
        term: &Term<'_>,
        name: &Name,
        prefix: DualPrefix,
        cost: &mut Cost,
    ) {
        if !self.may_ask() {
            return;
        }
        let outcome = match self.resolver.mx(name).await {
            Ok(outcome) => outcome,
            Err(error) => return self.failed(frame, Some(term), name, RecordType::Mx, error),
        };
        let exchangers = outcome.as_slice();
        if exchangers.is_empty() {
            cost.void_lookups += 1;
        }
        let most = self.settings.limits.mx_names;
        if exchangers.len() > most {
            let found = exchangers.len();
            let limit = Limit::MxNames { most, found };
            return self.error(*frame.exceeds(Some(term), limit));
        }
        for mx in exchangers {
            if mx.exchange != Name::root() {
                self.host(frame, term, &mx.exchange, prefix, cost).await;
            }
        }
    }

    fn may_ask(&mut self) -> bool {
        let may = self.queries < self.settings.limits.queries;
        self.queries += usize::from(may);
        self.survey.is_complete &= may;
        may
    }

    fn failed(
        &mut self,
        frame: &Frame<'_>,
        term: Option<&Term<'_>>,
        name: &Name,
        record_type: RecordType,
        error: LookupError,
    ) {
        self.error(Cause::Dns {
            place: frame.place(term),
            name: name.clone(),
            record_type,
            error,
        });
    }

    fn error(&mut self, cause: Cause) {
        self.push(Finding::Error(cause));
    }

    fn warning(&mut self, frame: &Frame<'_>, warning: Warning) {
        let domain = frame.domain.clone();
        self.push(Finding::Warning { domain, warning });
    }

    fn push(&mut self, finding: Finding) {
        if self.survey.findings.len() < MAX_FINDINGS {
            self.survey.findings.push(finding);
        } else {
            self.survey.is_complete = false;
        }
    }
}

/// A record of 64 KiB can hold thirty thousand doubtful terms; nobody reads as many warnings.
const MAX_FINDINGS: usize = 1_000;

/// The target of a term without macros.
fn literal(frame: &Frame<'_>, target: Option<&DomainSpec<'_>>) -> Option<Name> {
    match target {
        None => Some(frame.domain.clone()),
        Some(target) => {
            let text = target.macro_string();
            let octets = text.is_literal().then(|| text.octets())?;
            Name::from_octets(octets).ok()
        }
    }
}

fn is_loop(frame: &Frame<'_>, name: &Name) -> bool {
    let mut frame = Some(frame);
    while let Some(current) = frame {
        if current.domain == name {
            return true;
        }
        frame = current.parent.map(|link| link.frame);
    }
    false
}

fn without_record(frame: &Frame<'_>, no_such_name: bool) -> Cause {
    let domain = frame.domain.clone();
    match frame.parent {
        Some(Link { frame, term, via }) => Cause::TargetWithoutRecord {
            place: frame.place(Some(term)),
            via,
            target: domain,
        },
        None if no_such_name => Cause::NoSuchDomain { domain },
        None => Cause::NoRecord { domain },
    }
}
