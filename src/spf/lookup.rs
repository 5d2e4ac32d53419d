//! Questions to the DNS, each within the limits of the check.

use std::borrow::Cow;
use std::net::IpAddr;
use std::time::Duration;

use super::budget::Budget;
use super::cause::{Cause, Limit};
use super::evaluation::Explanation;
use super::level::{Level, Span};
use super::macros::Values;
use super::place::Place;
use super::prefix::Prefix;
use super::request::Request;
use super::settings::Settings;
use super::trace::{Event, Recorder};
use crate::dns::{Answer, LookupError, Mx, Name, Outcome, RecordType, Resolver, Txt, shorter};
use crate::domain::Domain;

/// One check_host() under way: its arguments, and what it has spent and learnt.
pub(super) struct Check<'a> {
    pub(super) resolver: &'a dyn Resolver,
    pub(super) request: &'a Request<'a>,
    pub(super) settings: &'a Settings,
    pub(super) budget: Budget,
    pub(super) recorder: Recorder,
    pub(super) ttl: Option<Duration>,
    pub(super) depends_on_sender: bool,
    pub(super) explanation: Option<Explanation>,
    /// Why the record that was evaluated last ended as it did. `None` for the failures of an included
    /// record: nobody will read it.
    pub(super) cause: Option<Cause>,
    /// Hosts that have no address of the client's family; whether they are void is open.
    pub(super) one_family: Vec<Name>,
}

/// Where a look-up belongs: the record, and the term unless the record itself is wanted.
#[derive(Clone, Copy)]
pub(super) struct Site<'f> {
    /// The levels above, the outermost first.
    pub(super) parents: &'f [Level],
    pub(super) level: &'f Level,
    pub(super) term: Option<Span>,
}

impl Site<'_> {
    /// The place for a cause.
    pub(super) fn place(&self) -> Place {
        let Self {
            parents,
            level,
            term,
        } = self;
        let term = term.map(|term| level.words(term));
        let path = parents.iter().map(Level::step).collect();
        Place::new(level.domain.clone(), term, path)
    }

    pub(super) fn exceeds(&self, limit: Limit) -> Box<Cause> {
        Box::new(Cause::Limit {
            place: self.place(),
            limit,
        })
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
            budget: Budget::default(),
            recorder: Recorder::new(settings.trace_events),
            ttl: None,
            depends_on_sender: false,
            explanation: None,
            cause: None,
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
        sender_domain: &'v [u8],
        validated_name: Option<&'v [u8]>,
    ) -> Values<'v> {
        Values {
            local_part: self.request.local_part(),
            sender_domain,
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
            self.ttl = shorter(self.ttl, outcome.ttl());
        }
        self.recorder.push(|| Event::Asked {
            name: name.clone(),
            record_type,
            answer: Answer::from(result),
        });
    }

    pub(super) async fn txt(
        &mut self,
        site: &Site<'_>,
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
        site: &Site<'_>,
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
        site: &Site<'_>,
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
    pub(super) async fn exists(
        &mut self,
        site: &Site<'_>,
        name: &Name,
    ) -> Result<bool, Box<Cause>> {
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
        site: &Site<'_>,
        name: &Name,
        prefix: (Option<u8>, Option<u8>),
    ) -> Result<Result<Addresses, LookupError>, Box<Cause>> {
        self.budget
            .query(self.settings)
            .map_err(|limit| site.exceeds(limit))?;
        let most = self.settings.max_addresses;
        match self.request.client_ip() {
            IpAddr::V4(_) => {
                let result = self.resolver.a(name).await;
                self.told(name, RecordType::A, &result);
                Ok(result.map(|outcome| {
                    let all = outcome.as_slice();
                    let prefixes = all.iter().take(most);
                    let prefixes = prefixes.map(|address| Prefix::v4(*address, prefix.0));
                    self.compare(prefixes, all.len(), outcome.is_no_such_name())
                }))
            }
            IpAddr::V6(_) => {
                let result = self.resolver.aaaa(name).await;
                self.told(name, RecordType::Aaaa, &result);
                Ok(result.map(|outcome| {
                    let all = outcome.as_slice();
                    let prefixes = all.iter().take(most);
                    let prefixes = prefixes.map(|address| Prefix::v6(*address, prefix.1));
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
        site: &Site<'_>,
        name: &Name,
        prefix: (Option<u8>, Option<u8>),
    ) -> Result<Option<AddressMatch>, Box<Cause>> {
        let record_type = match self.request.client_ip() {
            IpAddr::V4(_) => RecordType::A,
            IpAddr::V6(_) => RecordType::Aaaa,
        };
        let found = self
            .addresses(site, name, prefix)
            .await?
            .map_err(|error| site.failed(name, record_type, error))?;
        let most = self.settings.max_addresses;
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
    pub(super) async fn void(&mut self, site: &Site<'_>) -> Result<(), Box<Cause>> {
        self.budget
            .void(self.settings)
            .map_err(|limit| site.exceeds(limit))?;
        self.settle_void(site).await
    }

    /// Finds out which hosts have no address at all, once it matters.
    async fn settle_void(&mut self, site: &Site<'_>) -> Result<(), Box<Cause>> {
        if self.void_lookups() <= self.settings.max_void_lookups {
            return Ok(());
        }
        Box::pin(self.settle_one_family(site)).await
    }

    async fn settle_one_family(&mut self, site: &Site<'_>) -> Result<(), Box<Cause>> {
        while self.void_lookups() > self.settings.max_void_lookups {
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
        site: &Site<'_>,
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

/// RFC 8616 4: ‘All U-labels MUST be converted to A-labels’, those in macros included.
pub(super) fn to_a_labels(domain: &[u8]) -> Cow<'_, [u8]> {
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
