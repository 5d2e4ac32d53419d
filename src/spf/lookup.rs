//! Questions to the DNS, each within the limits of the check.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use super::budget::Budget;
use super::cause::{Cause, Limit, Matched, Place, Step, Via};
use super::evaluation::Explanation;
use super::macros::Values;
use super::prefix::Prefix;
use super::record::{DualPrefix, Term};
use super::request::Request;
use super::settings::Settings;
use super::trace::{Event, Recorder};
use crate::dns::{Answer, LookupError, Mx, Name, Outcome, RecordType, Resolver, Txt};
use crate::domain::Domain;

/// One check_host() under way: its arguments, and what it has spent and learnt.
pub(super) struct Check<'a> {
    pub(super) resolver: &'a dyn Resolver,
    pub(super) request: &'a Request<'a>,
    pub(super) settings: &'a Settings,
    /// RFC 8616 4: ‘All U-labels MUST be converted to A-labels’, those in macros included.
    pub(super) sender_domain: Cow<'a, [u8]>,
    pub(super) budget: Budget,
    pub(super) recorder: Recorder,
    pub(super) ttl: Option<Duration>,
    pub(super) depends_on_sender: bool,
    pub(super) explanation: Option<Explanation>,
    /// The directive that matched last.
    pub(super) matched: Option<Matched>,
    /// Hosts that have no address of the client's family; whether they are void is open.
    pub(super) one_family: Vec<Name>,
}

/// A record under evaluation, and the term that led to it.
#[derive(Clone, Copy)]
pub(super) struct Frame<'f> {
    pub(super) domain: &'f Name,
    pub(super) parent: Option<Link<'f>>,
    /// Whether an include is above: then only a pass is of interest, and `exp` is not (§6.2).
    pub(super) included: bool,
}

#[derive(Clone, Copy)]
pub(super) struct Link<'f> {
    pub(super) frame: &'f Frame<'f>,
    pub(super) term: &'f Term<'f>,
    pub(super) via: Via,
}

impl Frame<'_> {
    /// The place for a cause.
    pub(super) fn place(&self, term: Option<&Term<'_>>) -> Place {
        let mut path = Vec::with_capacity(self.depth());
        let mut parent = self.parent;
        while let Some(link) = parent {
            path.push(Step {
                domain: link.frame.domain.clone(),
                term: link.term.as_str().into(),
                via: link.via,
            });
            parent = link.frame.parent;
        }
        path.reverse();
        Place {
            domain: self.domain.clone(),
            term: term.map(|term| term.as_str().into()),
            path: path.into(),
        }
    }

    fn depth(&self) -> usize {
        let mut depth = 0;
        let mut parent = self.parent;
        while let Some(link) = parent {
            depth += 1;
            parent = link.frame.parent;
        }
        depth
    }

    pub(super) fn exceeds(&self, term: Option<&Term<'_>>, limit: Limit) -> Box<Cause> {
        Box::new(Cause::Limit {
            place: self.place(term),
            limit,
        })
    }
}

/// Where a look-up belongs: the record, and the term unless the record itself is wanted.
#[derive(Clone, Copy)]
pub(super) struct Site<'f> {
    pub(super) frame: &'f Frame<'f>,
    pub(super) term: Option<&'f Term<'f>>,
}

impl Site<'_> {
    fn place(&self) -> Place {
        self.frame.place(self.term)
    }

    pub(super) fn exceeds(&self, limit: Limit) -> Box<Cause> {
        self.frame.exceeds(self.term, limit)
    }

    /// §4.4: any RCODE but 0 and 3, and no answer at all, is a temperror.
    fn failed(&self, name: &Name, record_type: RecordType, error: LookupError) -> Box<Cause> {
        Box::new(Cause::Dns {
            place: self.place(),
            name: name.clone(),
            record_type,
            error,
        })
    }
}

/// An address of a host that matched.
pub(super) struct AddressMatch {
    pub(super) prefix: Prefix,
    pub(super) addresses: u128,
}

impl<'a> Check<'a> {
    pub(super) fn new(
        resolver: &'a dyn Resolver,
        request: &'a Request<'a>,
        settings: &'a Settings,
    ) -> Self {
        Self {
            resolver,
            request,
            settings,
            sender_domain: to_a_labels(request.sender_domain()),
            budget: Budget::default(),
            recorder: Recorder::new(settings.trace_events),
            ttl: None,
            depends_on_sender: false,
            explanation: None,
            matched: None,
            one_family: Vec::new(),
        }
    }

    /// How many look-ups were void, as far as it is known.
    pub(super) fn void_lookups(&self) -> usize {
        self.budget.void_lookups + self.one_family.len()
    }

    pub(super) fn values<'v>(
        &'v self,
        domain: &'v [u8],
        validated_name: Option<&'v [u8]>,
    ) -> Values<'v> {
        Values {
            local_part: self.request.local_part(),
            sender_domain: &self.sender_domain,
            domain,
            client_ip: self.request.client_ip(),
            helo: self.request.helo_argument().unwrap_or(UNKNOWN),
            validated_name: validated_name.unwrap_or(UNKNOWN),
            receiver: self.settings.receiver.as_deref().unwrap_or("unknown"),
            now: self.settings.now,
        }
    }

    /// Notes an answer: its time to live, and the event.
    fn told<T>(
        &mut self,
        name: &Name,
        record_type: RecordType,
        result: &Result<Outcome<T>, LookupError>,
    ) {
        if let Ok(outcome) = result {
            self.ttl = self.ttl.into_iter().chain(outcome.ttl()).min();
        }
        self.recorder.push(|| Event::Asked {
            name: name.clone(),
            record_type,
            answer: Answer::from(result),
        });
    }

    pub(super) async fn txt(
        &mut self,
        site: Site<'_>,
        name: &Name,
    ) -> Result<Outcome<Txt>, Box<Cause>> {
        self.budget
            .query(self.settings)
            .map_err(|limit| site.exceeds(limit))?;
        let result = self.resolver.txt(name).await;
        self.told(name, RecordType::Txt, &result);
        result.map_err(|error| site.failed(name, RecordType::Txt, error))
    }

    pub(super) async fn mx(
        &mut self,
        site: Site<'_>,
        name: &Name,
    ) -> Result<Outcome<Mx>, Box<Cause>> {
        self.budget
            .query(self.settings)
            .map_err(|limit| site.exceeds(limit))?;
        let result = self.resolver.mx(name).await;
        self.told(name, RecordType::Mx, &result);
        result.map_err(|error| site.failed(name, RecordType::Mx, error))
    }

    /// The names of the client; the inner error is for the caller to overlook (§5.5).
    pub(super) async fn ptr(
        &mut self,
        site: Site<'_>,
    ) -> Result<Result<Outcome<Name>, LookupError>, Box<Cause>> {
        self.budget
            .query(self.settings)
            .map_err(|limit| site.exceeds(limit))?;
        let name = Name::reverse(self.request.client_ip());
        let result = self.resolver.ptr(&name).await;
        self.told(&name, RecordType::Ptr, &result);
        Ok(result)
    }

    /// Whether a name has any IPv4 address (§5.7). NODATA and NXDOMAIN are void.
    pub(super) async fn exists(&mut self, site: Site<'_>, name: &Name) -> Result<bool, Box<Cause>> {
        self.budget
            .query(self.settings)
            .map_err(|limit| site.exceeds(limit))?;
        let result = self.resolver.a(name).await;
        self.told(name, RecordType::A, &result);
        let outcome = result.map_err(|error| site.failed(name, RecordType::A, error))?;
        if outcome.as_slice().is_empty() {
            self.void(site).await?;
            return Ok(false);
        }
        Ok(true)
    }

    /// Whether the client is one of the addresses of a host, or shares a prefix with one (§5.3):
    /// ‘An address lookup is done on the <target-name> using the type of lookup (A or AAAA)
    /// appropriate for the connection type (IPv4 or IPv6)’.
    ///
    /// The inner error and the emptiness of the answer are for the caller to judge.
    pub(super) async fn addresses(
        &mut self,
        site: Site<'_>,
        name: &Name,
        prefix: DualPrefix,
    ) -> Result<Result<Addresses, LookupError>, Box<Cause>> {
        self.budget
            .query(self.settings)
            .map_err(|limit| site.exceeds(limit))?;
        let most = self.settings.limits.addresses;
        match self.request.client_ip() {
            IpAddr::V4(_) => {
                let result = self.resolver.a(name).await;
                self.told(name, RecordType::A, &result);
                Ok(result.map(|outcome| {
                    let all = outcome.as_slice();
                    let prefixes = all.iter().take(most);
                    let prefixes = prefixes.map(|address| Prefix::v4(*address, prefix.ip4));
                    self.compare(prefixes, all.len(), outcome.is_no_such_name())
                }))
            }
            IpAddr::V6(_) => {
                let result = self.resolver.aaaa(name).await;
                self.told(name, RecordType::Aaaa, &result);
                Ok(result.map(|outcome| {
                    let all = outcome.as_slice();
                    let prefixes = all.iter().take(most);
                    let prefixes = prefixes.map(|address| Prefix::v6(*address, prefix.ip6));
                    self.compare(prefixes, all.len(), outcome.is_no_such_name())
                }))
            }
        }
    }

    fn compare(
        &self,
        prefixes: impl Iterator<Item = Prefix>,
        count: usize,
        no_such_name: bool,
    ) -> Addresses {
        let mut found = Addresses {
            matched: None,
            count,
            no_such_name,
        };
        let mut addresses = 0_u128;
        let mut first = None;
        for prefix in prefixes {
            addresses = addresses.saturating_add(prefix.address_count());
            if first.is_none() && prefix.contains(self.request.client_ip()) {
                first = Some(prefix);
            }
        }
        found.matched = first.map(|prefix| AddressMatch { prefix, addresses });
        found
    }

    /// The addresses of a host of `a` or `mx`: failure is a temperror, and no address is void unless
    /// the settings say otherwise.
    pub(super) async fn host(
        &mut self,
        site: Site<'_>,
        name: &Name,
        prefix: DualPrefix,
    ) -> Result<Option<AddressMatch>, Box<Cause>> {
        let record_type = match self.request.client_ip() {
            IpAddr::V4(_) => RecordType::A,
            IpAddr::V6(_) => RecordType::Aaaa,
        };
        let found = self
            .addresses(site, name, prefix)
            .await?
            .map_err(|error| site.failed(name, record_type, error))?;
        let most = self.settings.limits.addresses;
        if found.matched.is_none() && found.count > most {
            let found = found.count;
            return Err(site.exceeds(Limit::Addresses { most, found }));
        }
        if found.count == 0 {
            if found.no_such_name || self.settings.every_empty_answer_is_void {
                self.void(site).await?;
            } else {
                self.one_family.push(name.clone());
                self.settle_void(site).await?;
            }
        }
        Ok(found.matched)
    }

    /// Counts a void look-up.
    pub(super) async fn void(&mut self, site: Site<'_>) -> Result<(), Box<Cause>> {
        self.budget
            .void(self.settings)
            .map_err(|limit| site.exceeds(limit))?;
        self.settle_void(site).await
    }

    /// Finds out which hosts have no address at all, once it matters.
    async fn settle_void(&mut self, site: Site<'_>) -> Result<(), Box<Cause>> {
        while self.void_lookups() > self.settings.limits.void_lookups {
            let Some(name) = self.one_family.pop() else {
                break;
            };
            if self.lacks_other_family(site, &name).await? {
                self.budget
                    .void(self.settings)
                    .map_err(|limit| site.exceeds(limit))?;
            }
        }
        Ok(())
    }

    /// Whether the family that the client does not have is missing too. A failure proves nothing.
    async fn lacks_other_family(
        &mut self,
        site: Site<'_>,
        name: &Name,
    ) -> Result<bool, Box<Cause>> {
        self.budget
            .query(self.settings)
            .map_err(|limit| site.exceeds(limit))?;
        Ok(match self.request.client_ip() {
            IpAddr::V4(_) => {
                let result = self.resolver.aaaa(name).await;
                self.told(name, RecordType::Aaaa, &result);
                result.is_ok_and(|outcome| outcome.as_slice().is_empty())
            }
            IpAddr::V6(_) => {
                let result = self.resolver.a(name).await;
                self.told(name, RecordType::A, &result);
                result.is_ok_and(|outcome| outcome.as_slice().is_empty())
            }
        })
    }
}

/// What a host's addresses are to the client.
pub(super) struct Addresses {
    pub(super) matched: Option<AddressMatch>,
    /// How many there are.
    pub(super) count: usize,
    pub(super) no_such_name: bool,
}

/// What macros give where there is no value (§7.3).
const UNKNOWN: &[u8] = b"unknown";

fn to_a_labels(domain: &[u8]) -> Cow<'_, [u8]> {
    if domain.is_ascii() {
        return Cow::Borrowed(domain);
    }
    match Domain::parse(domain) {
        Ok(domain) => Cow::Owned(domain.as_str().as_bytes().to_vec()),
        Err(_) => Cow::Borrowed(domain),
    }
}

/// The octets of a name, for the macro `d`.
pub(super) fn octets(name: &Name) -> Cow<'_, [u8]> {
    let text = name.as_str().as_bytes();
    if text.contains(&b'\\') {
        Cow::Owned(name.labels().join(&b'.'))
    } else {
        Cow::Borrowed(text)
    }
}
