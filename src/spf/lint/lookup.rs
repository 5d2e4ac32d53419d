//! Follows everything that a record refers to.

use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::pin::Pin;

use super::{Cost, Survey, Warning};
use crate::dns::{LookupError, Name, RecordType, Resolver, Txt};
use crate::domain::Domain;
use crate::spf::cause::{Cause, Limit};
use crate::spf::macros::MacroString;
use crate::spf::place::{Place, Step, Via, Words};
use crate::spf::prefix::Prefix;
use crate::spf::record::{Mechanism, Qualifier, Record, Selection, Term};
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
    /// assert!(survey.errors.is_empty() && survey.warnings.is_empty() && survey.is_complete);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn of(resolver: &dyn Resolver, domain: &Domain, settings: &Settings) -> Self {
        let mut walk = Walk {
            resolver,
            settings,
            queries: 0,
            path: Vec::new(),
            survey: Self {
                is_complete: true,
                ..Self::default()
            },
        };
        let name = Name::from(domain);
        let total = walk.domain(&name, false).await;
        let Walk { mut survey, .. } = walk;
        survey.total = total;
        let most = settings.max_lookup_terms;
        let lookups = total.lookups;
        let about_all = [
            (lookups > most).then_some(Warning::OverLookupLimit { lookups }),
            (lookups <= most && lookups.saturating_add(2) >= most)
                .then_some(Warning::NearLookupLimit { lookups }),
            (total.void_lookups > settings.max_void_lookups).then_some(Warning::OverVoidLimit {
                void_lookups: total.void_lookups,
            }),
        ];
        for warning in about_all.into_iter().flatten() {
            survey.warnings.push((name.clone(), warning));
        }
        survey
    }
}

struct Walk<'a> {
    resolver: &'a dyn Resolver,
    settings: &'a Settings,
    queries: usize,
    /// The includes and redirects that are being followed.
    path: Vec<Step>,
    survey: Survey,
}

/// A record that is looked at.
struct Frame<'f> {
    domain: &'f Name,
    record: &'f Txt,
    included: bool,
}

impl Frame<'_> {
    fn words(&self, term: &Term<'_>) -> Words {
        Words::new(self.record.shared(), term.offset, term.octets.len())
    }
}

impl Walk<'_> {
    async fn domain(&mut self, domain: &Name, included: bool) -> Cost {
        if !self.may_ask() {
            return Cost::default();
        }
        let outcome = match self.resolver.txt(domain).await {
            Ok(outcome) => outcome,
            Err(error) => {
                let place = self.place(domain, None);
                self.failed(place, domain, RecordType::Txt, error);
                return Cost::default();
            }
        };
        let txt = match Record::select(outcome.as_slice()) {
            Selection::One { record, .. } => record,
            Selection::None => {
                self.error(self.without_record(domain, outcome.is_no_such_name()));
                return Cost::default();
            }
            Selection::Several { count } => {
                let place = self.place(domain, None);
                self.error(Cause::SeveralRecords { place, count });
                return Cost::default();
            }
        };
        let frame = Frame {
            domain,
            record: txt,
            included,
        };
        match Record::parse(txt.as_bytes()) {
            Ok(record) => self.record(&frame, &record).await,
            Err(error) => {
                let place = self.place(domain, None);
                self.error(Cause::Syntax { place, error });
                Cost::default()
            }
        }
    }

    fn descend<'s>(
        &'s mut self,
        domain: &'s Name,
        included: bool,
    ) -> Pin<Box<dyn Future<Output = Cost> + Send + 's>> {
        Box::pin(self.domain(domain, included))
    }

    fn place(&self, domain: &Name, term: Option<Words>) -> Place {
        Place::new(domain.clone(), term, self.path.clone().into())
    }

    fn without_record(&self, domain: &Name, no_such_name: bool) -> Cause {
        let domain = domain.clone();
        match self.path.split_last() {
            Some((step, before)) => Cause::TargetWithoutRecord {
                place: Place::new(step.domain.clone(), Some(step.term.clone()), before.into()),
                target: domain,
            },
            None if no_such_name => Cause::NoSuchDomain { domain },
            None => Cause::NoRecord { domain },
        }
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
        for (term, qualifier, mechanism) in record.directives() {
            let mut cost = self.directive(frame, term, mechanism).await;
            if qualifier != Qualifier::Pass {
                (cost.ip4_addresses, cost.ip6_addresses) = (0, 0);
            }
            self.add(term, cost, &mut total);
            if *mechanism == Mechanism::All {
                return total;
            }
        }
        if let Some((term, target)) = record.redirect() {
            let cost = self.follow(frame, term, target, Via::Redirect).await;
            self.add(term, cost, &mut total);
        }
        total
    }

    fn add(&mut self, term: &Term<'_>, cost: Cost, total: &mut Cost) {
        total.add(cost);
        if self.path.is_empty() {
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
        target: &MacroString<'_>,
        via: Via,
    ) -> Cost {
        let mut cost = Cost {
            lookups: 1,
            ..Cost::default()
        };
        let Some(name) = literal(frame, Some(target)) else {
            return cost;
        };
        let is_loop = self.path.iter().any(|step| step.domain == name);
        if is_loop || name == *frame.domain {
            let term = term.as_str().into();
            self.warning(frame, Warning::Loop { term });
            return cost;
        }
        self.path.push(Step {
            domain: frame.domain.clone(),
            term: frame.words(term),
            via,
        });
        let included = frame.included || via == Via::Include;
        cost.add(self.descend(&name, included).await);
        self.path.pop();
        cost
    }

    /// The addresses of both families.
    async fn host(
        &mut self,
        frame: &Frame<'_>,
        term: &Term<'_>,
        name: &Name,
        prefix: (Option<u8>, Option<u8>),
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
        let most = self.settings.max_addresses;
        match (ip4, ip6) {
            (Ok(ip4), Ok(ip6)) => {
                if ip4.as_slice().is_empty() && ip6.as_slice().is_empty() {
                    cost.void_lookups += 1;
                }
                for address in ip4.as_slice().iter().take(most) {
                    cost.cover(Prefix::v4(*address, prefix.0));
                }
                for address in ip6.as_slice().iter().take(most) {
                    cost.cover(Prefix::v6(*address, prefix.1));
                }
            }
            (Err(error), _) => {
                let place = self.place(frame.domain, Some(frame.words(term)));
                self.failed(place, name, RecordType::A, error);
            }
            (_, Err(error)) => {
                let place = self.place(frame.domain, Some(frame.words(term)));
                self.failed(place, name, RecordType::Aaaa, error);
            }
        }
    }

    async fn mail_exchangers(
        &mut self,
        frame: &Frame<'_>,
        term: &Term<'_>,
        name: &Name,
        prefix: (Option<u8>, Option<u8>),
        cost: &mut Cost,
    ) {
        if !self.may_ask() {
            return;
        }
        let outcome = match self.resolver.mx(name).await {
            Ok(outcome) => outcome,
            Err(error) => {
                let place = self.place(frame.domain, Some(frame.words(term)));
                return self.failed(place, name, RecordType::Mx, error);
            }
        };
        let exchangers = outcome.as_slice();
        if exchangers.is_empty() {
            cost.void_lookups += 1;
        }
        let most = self.settings.max_mx_names;
        if exchangers.len() > most {
            let found = exchangers.len();
            let limit = Limit::MxNames { most, found };
            let place = self.place(frame.domain, Some(frame.words(term)));
            return self.error(Cause::Limit { place, limit });
        }
        for mx in exchangers {
            if mx.exchange != Name::root() {
                self.host(frame, term, &mx.exchange, prefix, cost).await;
            }
        }
    }

    fn may_ask(&mut self) -> bool {
        let may = self.queries < self.settings.max_queries;
        self.queries += usize::from(may);
        self.survey.is_complete &= may;
        may
    }

    fn failed(&mut self, place: Place, name: &Name, record_type: RecordType, error: LookupError) {
        self.error(Cause::Dns {
            place,
            name: name.clone(),
            record_type,
            error,
        });
    }

    fn error(&mut self, cause: Cause) {
        if self.may_tell() {
            self.survey.errors.push(cause);
        }
    }

    fn warning(&mut self, frame: &Frame<'_>, warning: Warning) {
        if self.may_tell() {
            self.survey.warnings.push((frame.domain.clone(), warning));
        }
    }

    fn may_tell(&mut self) -> bool {
        let may = self.survey.errors.len() + self.survey.warnings.len() < MAX_FINDINGS;
        self.survey.is_complete &= may;
        may
    }
}

/// A record of 64 KiB can hold thirty thousand doubtful terms; nobody reads as many warnings.
const MAX_FINDINGS: usize = 1_000;

/// The target of a term without macros.
fn literal(frame: &Frame<'_>, target: Option<&MacroString<'_>>) -> Option<Name> {
    match target {
        None => Some(frame.domain.clone()),
        Some(target) => {
            let text = target;
            let octets = text.is_literal().then(|| text.octets())?;
            Name::from_octets(octets).ok()
        }
    }
}
