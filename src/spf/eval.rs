//! check_host() (§4): the evaluation of records, in the order and by the recursion of the RFC.

use std::net::IpAddr;

use super::cause::{Cause, Limit, Matched};
use super::evaluation::Evaluation;
use super::fetch::Target;
use super::level::{Level, Span};
use super::lookup::{Check, Site};
use super::macros::MacroString;
use super::place::{Place, Via};
use super::prefix::Prefix;
use super::record::{Mechanism, Modifier, Qualifier, Record, Selection, TermKind, ascii};
use super::request::Request;
use super::settings::Settings;
use super::trace::Event;
use crate::dns::{Name, Resolver};

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
    let domain = match request.usable_domain() {
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
    let conclusion = check.domain(Name::from(&domain)).await;
    let void_lookups = check.void_lookups();
    let cause = match conclusion {
        Err(cause) => *cause,
        Ok(Conclusion::NoRecord { no_such_name: true }) => Cause::NoSuchDomain {
            domain: Name::from(&domain),
        },
        Ok(Conclusion::NoRecord { .. }) => Cause::NoRecord {
            domain: Name::from(&domain),
        },
        Ok(Conclusion::Matched(_) | Conclusion::NoMatch) => match check.cause {
            Some(cause) => cause,
            // What goes without a cause is below an include, and so never at the top.
            None => Cause::NoMatch {
                place: Place::new(Name::from(&domain), None, Box::default()),
                client: request.client_ip(),
            },
        },
    };
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
        depends_on_sender: check.depends_on_sender,
        trace: check.recorder.finish(),
    }
}

/// How the evaluation of a record ended, errors aside; why is in [`Check::cause`].
#[derive(Clone, Copy)]
enum Conclusion {
    /// A directive matched.
    Matched(Qualifier),
    /// No directive matched: neutral (§4.7).
    NoMatch,
    /// There is no record: none.
    NoRecord { no_such_name: bool },
}

/// How far the evaluation of a record has come.
enum Progress {
    /// The record is to be found.
    New,
    /// There are terms to evaluate.
    Open,
    /// The result of this domain's record is wanted, see [`Level::via`].
    Waiting(Name),
    Concluded(Conclusion),
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
    /// `include`, by the term of the included record that is in [`Check::cause`].
    Included,
}

impl Check<'_> {
    /// check_host() for a domain that is known to be one. It calls itself for includes and redirects,
    /// here with a list of the levels that wait; the limit of terms that ask the DNS bounds it.
    async fn domain(&mut self, domain: Name) -> Result<Conclusion, Box<Cause>> {
        let mut parents = Vec::new();
        let mut level = Level::new(domain, false);
        let mut progress = Progress::New;
        loop {
            progress = match progress {
                Progress::New => self.open(&parents, &mut level).await?,
                Progress::Open => self.resume(&parents, &mut level).await?,
                Progress::Waiting(name) => {
                    let included = level.included || level.via == Via::Include;
                    let next = Level::new(name, included);
                    parents.push(std::mem::replace(&mut level, next));
                    Progress::New
                }
                Progress::Concluded(conclusion) => {
                    let Some(parent) = parents.pop() else {
                        return Ok(conclusion);
                    };
                    let target = std::mem::replace(&mut level, parent).domain;
                    self.close(&parents, &mut level, target, conclusion).await?
                }
            };
        }
    }

    /// Finds the record of a domain, and checks its syntax.
    async fn open(&mut self, parents: &[Level], level: &mut Level) -> Result<Progress, Box<Cause>> {
        let site = &Site {
            parents,
            level,
            term: None,
        };
        let outcome = self.txt(site, &level.domain).await?;
        let records = outcome.as_slice();
        let (most, found) = (self.settings.max_txt_records, records.len());
        if found > most {
            return Err(site.exceeds(Limit::TxtRecords { most, found }));
        }
        let (index, record) = match Record::select(records) {
            Selection::None => {
                let no_such_name = outcome.is_no_such_name();
                let conclusion = Conclusion::NoRecord { no_such_name };
                return Ok(Progress::Concluded(conclusion));
            }
            Selection::One { index, record } => (index, record),
            Selection::Several { count } => {
                let place = site.place();
                return Err(Box::new(Cause::SeveralRecords { place, count }));
            }
        };
        let (most, found) = (self.settings.max_record_octets, record.as_bytes().len());
        if found > most {
            return Err(site.exceeds(Limit::RecordOctets { most, found }));
        }
        let client = self.request.client_ip();
        if let Err(error) = level.take(outcome, index, client, self.recorder.is_on()) {
            let place = Site {
                parents,
                level,
                term: None,
            }
            .place();
            return Err(Box::new(Cause::Syntax { place, error }));
        }
        self.recorder.push(|| Event::Record {
            domain: level.domain.clone(),
            text: ascii(level.octets()).into(),
        });
        Ok(Progress::Open)
    }

    /// Goes on with the level that waited for the record of `target`.
    async fn close(
        &mut self,
        parents: &[Level],
        level: &mut Level,
        target: Name,
        conclusion: Conclusion,
    ) -> Result<Progress, Box<Cause>> {
        let site = &Site {
            parents,
            level,
            term: Some(level.span),
        };
        let passes = match (level.via, conclusion) {
            (_, Conclusion::NoRecord { .. }) => {
                let place = site.place();
                return Err(Box::new(Cause::TargetWithoutRecord { place, target }));
            }
            // §6.1: ‘The result of this new evaluation of check_host() is then considered the result of
            // the current evaluation with the exception that if no SPF record is found, or if the
            // <target-name> is malformed, the result is a "permerror" rather than "none".’
            (Via::Redirect, conclusion) => return Ok(Progress::Concluded(conclusion)),
            // §5.2: the table of what the result of the included record means.
            (Via::Include, Conclusion::Matched(Qualifier::Pass)) => true,
            (Via::Include, Conclusion::Matched(_) | Conclusion::NoMatch) => false,
        };
        self.tried(site, passes);
        if passes {
            let conclusion = self.matched(site, level.qualifier, Hit::Included);
            if level.qualifier == Qualifier::Fail {
                self.explain_fail(site).await;
            }
            return Ok(Progress::Concluded(conclusion));
        }
        Ok(Progress::Open)
    }

    fn tried(&mut self, site: &Site<'_>, matched: bool) {
        self.recorder.push(|| Event::Tried {
            domain: site.level.domain.clone(),
            term: site
                .term
                .map(|term| site.level.words(term).as_str().into())
                .unwrap_or_default(),
            matched,
        });
    }

    /// §4.6.2: ‘Each mechanism is considered in turn from left to right.’
    async fn resume(
        &mut self,
        parents: &[Level],
        level: &mut Level,
    ) -> Result<Progress, Box<Cause>> {
        while let Some(term) = level.directive() {
            let Some((qualifier, mechanism)) = term.directive() else {
                break;
            };
            let span = Span::from(&term);
            let site = &Site {
                parents,
                level,
                term: Some(span),
            };
            let hit = match mechanism {
                Mechanism::All => Some(Hit::Everything),
                Mechanism::Ip4(prefix) | Mechanism::Ip6(prefix) => prefix
                    .contains(self.request.client_ip())
                    .then_some(Hit::Network(*prefix)),
                Mechanism::Include(target) => {
                    self.count(site)?;
                    if let Some(name) = self.other_domain(site, target).await? {
                        (level.span, level.at) = (span, span.end());
                        (level.qualifier, level.via) = (qualifier, Via::Include);
                        return Ok(Progress::Waiting(name));
                    }
                    None
                }
                mechanism => self.ask(site, mechanism).await?,
            };
            self.tried(site, hit.is_some());
            if let Some(hit) = hit {
                let conclusion = self.matched(site, qualifier, hit);
                if qualifier == Qualifier::Fail {
                    self.explain_fail(site).await;
                }
                return Ok(Progress::Concluded(conclusion));
            }
            level.at = span.end();
        }
        self.redirect(parents, level).await
    }

    /// §6.1: ‘If all mechanisms fail to match, and a "redirect" modifier is present’; an `all` never
    /// fails to.
    async fn redirect(
        &mut self,
        parents: &[Level],
        level: &mut Level,
    ) -> Result<Progress, Box<Cause>> {
        if let Some(term) = level.redirect()
            && let TermKind::Modifier(Modifier::Redirect(target)) = &term.kind
        {
            let span = Span::from(&term);
            let site = &Site {
                parents,
                level,
                term: Some(span),
            };
            self.count(site)?;
            if let Some(name) = self.other_domain(site, target).await? {
                (level.span, level.via) = (span, Via::Redirect);
                return Ok(Progress::Waiting(name));
            }
        }
        let site = &Site {
            parents,
            level,
            term: None,
        };
        self.cause = (!level.included).then(|| Cause::NoMatch {
            place: site.place(),
            client: self.request.client_ip(),
        });
        Ok(Progress::Concluded(Conclusion::NoMatch))
    }

    fn matched(&mut self, site: &Site<'_>, qualifier: Qualifier, hit: Hit) -> Conclusion {
        if site.level.included && qualifier != Qualifier::Pass {
            self.cause = None;
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
                if let Some(Cause::Matched(matched)) = &mut self.cause {
                    matched.qualifier = qualifier;
                }
                return Conclusion::Matched(qualifier);
            }
        };
        self.cause = Some(Cause::Matched(Matched {
            place: site.place(),
            qualifier,
            client: self.request.client_ip(),
            prefix,
            host,
            addresses,
        }));
        Conclusion::Matched(qualifier)
    }

    /// §6.2: the explanation of an included record is not used, that of the target of a redirect is.
    async fn explain_fail(&mut self, site: &Site<'_>) {
        if !site.level.included
            && let Some(term) = site.level.explanation()
            && let TermKind::Modifier(Modifier::Explanation(spec)) = &term.kind
        {
            Box::pin(self.explain(site, spec)).await;
        }
    }

    /// Counts a term that causes look-ups.
    fn count(&mut self, site: &Site<'_>) -> Result<(), Box<Cause>> {
        let counted = self.budget.lookup(self.settings);
        counted.map_err(|limit| site.exceeds(limit))
    }

    /// Evaluates a mechanism that asks the DNS.
    async fn ask(
        &mut self,
        site: &Site<'_>,
        mechanism: &Mechanism<'_>,
    ) -> Result<Option<Hit>, Box<Cause>> {
        self.count(site)?;
        match mechanism {
            // These ask nothing or open another level, and do not come here.
            Mechanism::All | Mechanism::Ip4(_) | Mechanism::Ip6(_) | Mechanism::Include(_) => {
                Ok(None)
            }
            Mechanism::A(target, prefix) => self.a(site, target.as_ref(), *prefix).await,
            Mechanism::Mx(target, prefix) => {
                self.mail_exchangers(site, target.as_ref(), *prefix).await
            }
            Mechanism::Ptr(target) => {
                let Target::Name(target) = self.target(site, target.as_ref()).await? else {
                    return Ok(None);
                };
                let name = Box::pin(self.validated_below(site, &target)).await?;
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
        site: &Site<'_>,
        target: Option<&MacroString<'_>>,
        prefix: (Option<u8>, Option<u8>),
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
        site: &Site<'_>,
        target: Option<&MacroString<'_>>,
        prefix: (Option<u8>, Option<u8>),
    ) -> Result<Option<Hit>, Box<Cause>> {
        let Target::Name(name) = self.target(site, target).await? else {
            return Ok(None);
        };
        let outcome = self.mx(site, &name).await?;
        let exchangers = outcome.as_slice();
        if exchangers.is_empty() {
            self.void(site).await?;
        }
        let most = self.settings.max_mx_names;
        if exchangers.len() > most {
            let found = exchangers.len();
            return Err(site.exceeds(Limit::MxNames { most, found }));
        }
        for mx in exchangers {
            // RFC 7505: the null MX names no host.
            if mx.exchange.is_root() {
                continue;
            }
            if let Some(matched) = self.host(site, &mx.exchange, prefix).await? {
                let host = mx.exchange.clone();
                return Ok(Some(Hit::Host(host, matched.prefix, matched.addresses)));
            }
        }
        Ok(None)
    }

    /// The domain of an include or redirect, which must be one in the sense of §4.3, or else the
    /// inner check_host() would return none; `None` where the term matches nothing (RFC 8616 4).
    async fn other_domain(
        &mut self,
        site: &Site<'_>,
        target: &MacroString<'_>,
    ) -> Result<Option<Name>, Box<Cause>> {
        match self.target(site, Some(target)).await? {
            Target::Name(name) if name.as_str().contains('.') => Ok(Some(name)),
            Target::LocalPartNotAscii => Ok(None),
            Target::Name(_) | Target::Unusable => {
                let place = site.place();
                Err(Box::new(Cause::UnusableTarget { place }))
            }
        }
    }
}
