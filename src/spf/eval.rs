//! check_host() (§4): the evaluation of records, in the order and by the recursion of the RFC.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;

use super::Identity;
use super::cause::{Cause, Limit, Matched, UnusableDomain, Via};
use super::evaluation::{CacheScope, Evaluation};
use super::fetch::Target;
use super::lookup::{Check, Frame, Link, Site};
use super::prefix::Prefix;
use super::record::{
    Directive, DomainSpec, DualPrefix, Mechanism, Qualifier, Record, Selection, Term,
};
use super::request::Request;
use super::settings::Settings;
use super::trace::Event;
use crate::dns::{Name, Resolver};
use crate::domain::Domain;

/// The function check_host() of §4: may the client of `request` send for its domain?
///
/// ```
/// use mailproof::dns::{block_on, Zone};
/// use mailproof::spf::{check_host, Request, Settings, SpfResult};
///
/// let mut zone = Zone::new();
/// zone.add_txt("example.com", "v=spf1 include:_spf.example.net -all exp=why.example.com")?
///     .add_txt("_spf.example.net", "v=spf1 ip6:2001:db8::/32 ip4:198.51.100.0/24 ?all")?
///     .add_txt("why.example.com", "%{i} is not one of our hosts")?;
///
/// let settings = Settings::default();
/// let check = |client: [u8; 4]| {
///     let request = Request::mail_from(client.into(), "mx.example.com", "user@example.com");
///     block_on(check_host(&zone, &request, &settings))
/// };
///
/// let pass = check([198, 51, 100, 7]);
/// assert_eq!(pass.result(), SpfResult::Pass);
/// assert_eq!(
///     pass.cause().to_string(),
///     "`ip4:198.51.100.0/24` in the record of _spf.example.net (via include of example.com) \
///      covers 198.51.100.7"
/// );
/// assert_eq!(pass.matched().unwrap().addresses, Some(256));
///
/// let fail = check([192, 0, 2, 1]);
/// assert_eq!(fail.result(), SpfResult::Fail);
/// assert_eq!(fail.explanation().unwrap().as_str(), "192.0.2.1 is not one of our hosts");
/// # Ok::<(), mailproof::dns::NameError>(())
/// ```
pub async fn check_host(
    resolver: &dyn Resolver,
    request: &Request<'_>,
    settings: &Settings,
) -> Evaluation {
    let identity = request.identity();
    let domain = match usable_domain(request) {
        Ok(domain) => domain,
        Err(error) => {
            let text = request.domain().escape_ascii().to_string().into();
            let cause = Cause::UnusableDomain {
                identity,
                text,
                error,
            };
            return Evaluation::unasked(identity, cause);
        }
    };
    let mut check = Check::new(resolver, request, settings);
    let name = Name::from(&domain);
    let frame = Frame {
        domain: &name,
        parent: None,
        included: false,
    };
    let cause = match check.domain(&frame).await {
        Ok(conclusion) => check.cause(conclusion, &frame),
        Err(cause) => *cause,
    };
    let void_lookups = check.void_lookups();
    Evaluation {
        result: cause.result(),
        identity,
        domain: Some(domain),
        cause,
        explanation: check.explanation,
        lookups: check.budget.lookups,
        void_lookups,
        queries: check.budget.queries,
        ttl: check.ttl,
        cache_scope: if check.depends_on_sender {
            CacheScope::Request
        } else {
            CacheScope::DomainAndClient
        },
        trace: check.recorder.finish(),
    }
}

/// §4.3: ‘If the <domain> is malformed (e.g., label longer than 63 characters, zero-length label not
/// at the end, etc.) or is not a multi-label domain name [..] check_host() immediately returns the
/// result "none".’
fn usable_domain(request: &Request<'_>) -> Result<Domain, UnusableDomain> {
    let octets = request.domain();
    // An IPv4 address without brackets looks like a domain; no top-level domain is all digits.
    let is_address = |text: &str| text.parse::<Ipv4Addr>().is_ok();
    let is_literal = match octets {
        [b'[', ..] => true,
        [.., b'0'..=b'9'] => std::str::from_utf8(octets).is_ok_and(is_address),
        _ => false,
    };
    if is_literal {
        return Err(UnusableDomain::AddressLiteral);
    }
    if request.identity() == Identity::Helo && !octets.is_ascii() {
        return Err(UnusableDomain::NotAscii);
    }
    let domain = Domain::parse(octets).map_err(UnusableDomain::Malformed)?;
    if !domain.as_str().contains('.') {
        return Err(UnusableDomain::SingleLabel);
    }
    Ok(domain)
}

/// How the evaluation of a record ended, errors aside.
enum Conclusion {
    /// A directive matched. Which, and how, is in [`Check::matched`], except for the failures of an
    /// included record: nobody will read it.
    Matched(Qualifier),
    /// No directive matched: neutral (§4.7).
    NoMatch(Option<Box<Cause>>),
    /// There is no record: none.
    NoRecord { no_such_name: bool },
}

fn no_match(frame: &Frame<'_>, request: &Request<'_>) -> Cause {
    Cause::NoMatch {
        place: frame.place(None),
        client: request.client_ip(),
    }
}

/// What made a mechanism match.
enum Hit {
    /// `all`.
    Everything,
    /// `ip4`, `ip6`.
    Network(Prefix),
    /// `a`, `mx`.
    Host(Name, Prefix, u128),
    /// `ptr`, `exists`.
    Name(Name),
    /// `include`, by the term of the included record that is in [`Check::matched`].
    Included,
}

impl Check<'_> {
    /// The cause that the conclusion about the first record is.
    fn cause(&mut self, conclusion: Conclusion, frame: &Frame<'_>) -> Cause {
        let domain = || frame.domain.clone();
        match conclusion {
            Conclusion::Matched(_) => self.matched.take().map(Cause::Matched),
            Conclusion::NoMatch(cause) => cause.map(|cause| *cause),
            Conclusion::NoRecord { no_such_name: true } => {
                Some(Cause::NoSuchDomain { domain: domain() })
            }
            Conclusion::NoRecord {
                no_such_name: false,
            } => Some(Cause::NoRecord { domain: domain() }),
        }
        // What goes without a cause is below an include, and so never at the top.
        .unwrap_or_else(|| no_match(frame, self.request))
    }

    /// check_host() for a domain that is known to be one: finds the record, checks its syntax from
    /// end to end (§4.6), evaluates it.
    async fn domain(&mut self, frame: &Frame<'_>) -> Result<Conclusion, Box<Cause>> {
        let site = Site { frame, term: None };
        let outcome = self.txt(site, frame.domain).await?;
        let records = outcome.as_slice();
        let (most, found) = (self.settings.limits.txt_records, records.len());
        if found > most {
            return Err(site.exceeds(Limit::TxtRecords { most, found }));
        }
        let octets = match Record::select(records) {
            Selection::None => {
                let no_such_name = outcome.is_no_such_name();
                return Ok(Conclusion::NoRecord { no_such_name });
            }
            Selection::One(octets) => octets,
            Selection::Several { count } => {
                let place = frame.place(None);
                return Err(Box::new(Cause::SeveralRecords { place, count }));
            }
        };
        let most = self.settings.limits.record_octets;
        if octets.len() > most {
            let found = octets.len();
            return Err(site.exceeds(Limit::RecordOctets { most, found }));
        }
        let record = if self.recorder.is_on() {
            Record::parse(octets)
        } else {
            Record::parse_for(octets, self.request.client_ip())
        };
        let record = record.map_err(|error| {
            let place = frame.place(None);
            Box::new(Cause::Syntax { place, error })
        })?;
        self.recorder.push(|| Event::Record {
            domain: frame.domain.clone(),
            text: record.to_string().into(),
        });
        self.record(frame, &record).await
    }

    /// check_host() for the target of an include or redirect, boxed because it calls itself.
    fn descend<'s>(
        &'s mut self,
        frame: &'s Frame<'s>,
    ) -> Pin<Box<dyn Future<Output = Result<Conclusion, Box<Cause>>> + Send + 's>> {
        Box::pin(self.domain(frame))
    }

    /// §4.6.2: ‘Each mechanism is considered in turn from left to right.’
    async fn record(
        &mut self,
        frame: &Frame<'_>,
        record: &Record<'_>,
    ) -> Result<Conclusion, Box<Cause>> {
        for (term, directive) in record.directives() {
            let hit = match &directive.mechanism {
                Mechanism::All => Some(Hit::Everything),
                Mechanism::Ip4(prefix) | Mechanism::Ip6(prefix) => prefix
                    .contains(self.request.client_ip())
                    .then_some(Hit::Network(*prefix)),
                mechanism => self.ask(frame, term, mechanism).await?,
            };
            self.recorder.push(|| Event::Tried {
                domain: frame.domain.clone(),
                term: term.as_str().into(),
                matched: hit.is_some(),
            });
            if let Some(hit) = hit {
                let conclusion = self.matched(frame, term, directive, hit);
                // §6.2: the explanation of an included record is not used, that of the target of a
                // redirect is.
                if directive.qualifier == Qualifier::Fail
                    && !frame.included
                    && let Some(spec) = record.explanation()
                {
                    self.explain(frame, spec).await;
                }
                return Ok(conclusion);
            }
        }
        // §6.1: ‘If all mechanisms fail to match, and a "redirect" modifier is present’; an `all` never
        // fails to.
        if let Some((term, target)) = record.redirect() {
            return self.redirect(frame, term, target).await;
        }
        Ok(self.neutral(frame))
    }

    fn neutral(&self, frame: &Frame<'_>) -> Conclusion {
        Conclusion::NoMatch((!frame.included).then(|| Box::new(no_match(frame, self.request))))
    }

    fn matched(
        &mut self,
        frame: &Frame<'_>,
        term: &Term<'_>,
        directive: &Directive<'_>,
        hit: Hit,
    ) -> Conclusion {
        let qualifier = directive.qualifier;
        if frame.included && qualifier != Qualifier::Pass {
            self.matched = None;
            return Conclusion::Matched(qualifier);
        }
        let all = match self.request.client_ip() {
            IpAddr::V4(_) => 1 << 32,
            IpAddr::V6(_) => u128::MAX,
        };
        let (prefix, host, addresses) = match hit {
            Hit::Everything => (None, None, Some(all)),
            Hit::Network(prefix) => (Some(prefix), None, Some(prefix.address_count())),
            Hit::Host(host, prefix, addresses) => (Some(prefix), Some(host), Some(addresses)),
            Hit::Name(name) => (None, Some(name), None),
            Hit::Included => {
                if let Some(matched) = &mut self.matched {
                    matched.qualifier = qualifier;
                }
                return Conclusion::Matched(qualifier);
            }
        };
        self.matched = Some(Matched {
            place: frame.place(Some(term)),
            qualifier,
            client: self.request.client_ip(),
            prefix,
            host,
            addresses,
        });
        Conclusion::Matched(qualifier)
    }

    /// Evaluates a mechanism that asks the DNS.
    async fn ask(
        &mut self,
        frame: &Frame<'_>,
        term: &Term<'_>,
        mechanism: &Mechanism<'_>,
    ) -> Result<Option<Hit>, Box<Cause>> {
        let site = Site {
            frame,
            term: Some(term),
        };
        if mechanism.causes_lookup() {
            self.budget
                .lookup(self.settings)
                .map_err(|limit| site.exceeds(limit))?;
        }
        match mechanism {
            // These ask nothing, and were compared before.
            Mechanism::All | Mechanism::Ip4(_) | Mechanism::Ip6(_) => Ok(None),
            Mechanism::Include(target) => self.include(site, term, target).await,
            Mechanism::A(target, prefix) => self.a(site, target.as_ref(), *prefix).await,
            Mechanism::Mx(target, prefix) => {
                self.mail_exchangers(site, target.as_ref(), *prefix).await
            }
            Mechanism::Ptr(target) => {
                let Target::Name(target) = self.target(site, target.as_ref()).await? else {
                    return Ok(None);
                };
                let name = self.validated_below(site, &target).await?;
                Ok(name.map(Hit::Name))
            }
            Mechanism::Exists(target) => {
                let Target::Name(name) = self.target(site, Some(target)).await? else {
                    return Ok(None);
                };
                Ok(self.exists(site, &name).await?.then_some(Hit::Name(name)))
            }
        }
    }

    /// §5.3: ‘If any address matches, the mechanism matches.’
    async fn a(
        &mut self,
        site: Site<'_>,
        target: Option<&DomainSpec<'_>>,
        prefix: DualPrefix,
    ) -> Result<Option<Hit>, Box<Cause>> {
        let Target::Name(name) = self.target(site, target).await? else {
            return Ok(None);
        };
        let matched = self.host(site, &name, prefix).await?;
        Ok(matched.map(|matched| Hit::Host(name, matched.prefix, matched.addresses)))
    }

    /// §5.4: the addresses of each mail exchanger. There is no implicit MX: without MX
    /// records nothing matches. §4.6.4: ‘the evaluation of each "MX" record MUST NOT result in querying more than
    /// 10 address records [..]. If this limit is exceeded, the "mx" mechanism MUST produce a
    /// "permerror" result.’
    async fn mail_exchangers(
        &mut self,
        site: Site<'_>,
        target: Option<&DomainSpec<'_>>,
        prefix: DualPrefix,
    ) -> Result<Option<Hit>, Box<Cause>> {
        let Target::Name(name) = self.target(site, target).await? else {
            return Ok(None);
        };
        let outcome = self.mx(site, &name).await?;
        let exchangers = outcome.as_slice();
        if exchangers.is_empty() {
            self.void(site).await?;
        }
        let most = self.settings.limits.mx_names;
        if exchangers.len() > most {
            let found = exchangers.len();
            return Err(site.exceeds(Limit::MxNames { most, found }));
        }
        for mx in exchangers {
            // RFC 7505: the null MX names no host.
            if mx.exchange == Name::root() {
                continue;
            }
            if let Some(matched) = self.host(site, &mx.exchange, prefix).await? {
                let host = mx.exchange.clone();
                return Ok(Some(Hit::Host(host, matched.prefix, matched.addresses)));
            }
        }
        Ok(None)
    }

    /// §5.2: the table of what the result of the included record means.
    async fn include(
        &mut self,
        site: Site<'_>,
        term: &Term<'_>,
        target: &DomainSpec<'_>,
    ) -> Result<Option<Hit>, Box<Cause>> {
        let Some(name) = self.other_domain(site, target, Via::Include).await? else {
            return Ok(None);
        };
        let frame = Frame {
            domain: &name,
            parent: Some(Link {
                frame: site.frame,
                term,
                via: Via::Include,
            }),
            included: true,
        };
        match self.descend(&frame).await? {
            Conclusion::Matched(Qualifier::Pass) => Ok(Some(Hit::Included)),
            Conclusion::Matched(_) | Conclusion::NoMatch(_) => Ok(None),
            Conclusion::NoRecord { .. } => Err(without_record(site, Via::Include, name)),
        }
    }

    /// §6.1: ‘The result of this new evaluation of check_host() is then considered the result of the
    /// current evaluation with the exception that if no SPF record is found, or if the <target-name>
    /// is malformed, the result is a "permerror" rather than "none".’
    async fn redirect(
        &mut self,
        frame: &Frame<'_>,
        term: &Term<'_>,
        target: &DomainSpec<'_>,
    ) -> Result<Conclusion, Box<Cause>> {
        let site = Site {
            frame,
            term: Some(term),
        };
        self.budget
            .lookup(self.settings)
            .map_err(|limit| site.exceeds(limit))?;
        let Some(name) = self.other_domain(site, target, Via::Redirect).await? else {
            return Ok(self.neutral(frame));
        };
        let next = Frame {
            domain: &name,
            parent: Some(Link {
                frame,
                term,
                via: Via::Redirect,
            }),
            included: frame.included,
        };
        match self.descend(&next).await? {
            Conclusion::NoRecord { .. } => Err(without_record(site, Via::Redirect, name)),
            conclusion => Ok(conclusion),
        }
    }

    /// The domain of an include or redirect, which must be one in the sense of §4.3, or else the
    /// inner check_host() would return none; `None` where the term matches nothing (RFC 8616 4).
    async fn other_domain(
        &mut self,
        site: Site<'_>,
        target: &DomainSpec<'_>,
        via: Via,
    ) -> Result<Option<Name>, Box<Cause>> {
        match self.target(site, Some(target)).await? {
            Target::Name(name) if name.as_str().contains('.') => Ok(Some(name)),
            Target::LocalPartNotAscii => Ok(None),
            Target::Name(_) | Target::Unusable => {
                let place = site.frame.place(site.term);
                Err(Box::new(Cause::UnusableTarget { place, via }))
            }
        }
    }
}

fn without_record(site: Site<'_>, via: Via, target: Name) -> Box<Cause> {
    Box::new(Cause::TargetWithoutRecord {
        place: site.frame.place(site.term),
        via,
        target,
    })
}
