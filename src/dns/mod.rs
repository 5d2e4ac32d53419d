//! Asking the DNS, through whatever resolver the caller brings.
//!
//! [`Resolver`] is the one door. Its implementations turn a [`Name`] into an [`Outcome`] or a
//! [`LookupError`]; what either means is each protocol's business. In the box:
//!
//! - [`Zone`], a resolver in memory for tests and offline use, with the feature `zone-file` from
//!   text;
//! - `HickoryResolver`, with the feature `hickory`, which asks real name servers;
//! - [`Cache`], [`Recording`] and [`Observed`], which go around any resolver;
//!   [`Transcript::replay`] answers as a recording says;
//! - [`block_on`] for callers without an async runtime.

mod cache;
mod gate;
#[cfg(feature = "hickory")]
mod hickory;
mod join;
mod name;
mod observed;
mod record;
mod recording;
mod zone;
#[cfg(feature = "zone-file")]
mod zone_file;

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

pub use cache::Cache;
use gate::Gate;
#[cfg(feature = "hickory")]
pub use hickory::{HickoryError, HickoryResolver};
pub use join::block_on;
pub(crate) use join::join_all;
pub use name::{Name, NameError};
pub use observed::Observed;
pub use recording::{Answer, Question, Recording, Transcript, TranscriptError};
pub use zone::Zone;
#[cfg(feature = "zone-file")]
pub use zone_file::ZoneFileError;

/// Looks names up in the DNS.
///
/// Names are fully qualified; an implementation must not apply a search list, must follow CNAMEs,
/// and must report an answer that is truncated or otherwise incomplete as an error. It may be asked
/// for several names at once. Cancelling a look-up (dropping its future) must be harmless.
///
/// A resolver that blocks answers with [`Lookup::ready`]; the whole verification then completes in
/// the first poll, and [`block_on`] is all the executor it needs.
///
/// ```
/// use mailproof::dns::{LookupError, Lookup, Mx, Name, Outcome, Resolver, Txt};
/// use std::net::{Ipv4Addr, Ipv6Addr};
///
/// /// Knows one key and nothing else.
/// struct OneKey;
///
/// impl Resolver for OneKey {
///     fn txt<'a>(&'a self, name: &'a Name) -> Lookup<'a, Txt> {
///         Lookup::ready(Ok(match name.as_str() {
///             "s._domainkey.example.com" => Outcome::records([Txt::new(b"v=DKIM1; p=")]),
///             _ => Outcome::no_such_name(),
///         }))
///     }
///     fn a<'a>(&'a self, _: &'a Name) -> Lookup<'a, Ipv4Addr> {
///         Lookup::ready(Err(LookupError::Refused))
///     }
/// #   fn aaaa<'a>(&'a self, _: &'a Name) -> Lookup<'a, Ipv6Addr> {
/// #       Lookup::ready(Err(LookupError::Refused))
/// #   }
/// #   fn mx<'a>(&'a self, _: &'a Name) -> Lookup<'a, Mx> { Lookup::ready(Err(LookupError::Refused)) }
/// #   fn ptr<'a>(&'a self, _: &'a Name) -> Lookup<'a, Name> { Lookup::ready(Err(LookupError::Refused)) }
///     // aaaa, mx and ptr alike
/// }
/// let outcome = mailproof::dns::block_on(OneKey.txt(&"example.com".parse()?))?;
/// assert!(outcome.is_no_such_name());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Resolver: Send + Sync {
    /// The TXT records of a name.
    fn txt<'a>(&'a self, name: &'a Name) -> Lookup<'a, Txt>;

    /// The IPv4 addresses of a name.
    fn a<'a>(&'a self, name: &'a Name) -> Lookup<'a, Ipv4Addr>;

    /// The IPv6 addresses of a name.
    fn aaaa<'a>(&'a self, name: &'a Name) -> Lookup<'a, Ipv6Addr>;

    /// The mail exchangers of a name, in the order of the answer.
    fn mx<'a>(&'a self, name: &'a Name) -> Lookup<'a, Mx>;

    /// The names that a name in `in-addr.arpa` or `ip6.arpa` points to, see [`Name::reverse`].
    fn ptr<'a>(&'a self, name: &'a Name) -> Lookup<'a, Name>;
}

macro_rules! forward_resolver {
    ($($type:ty),*) => {$(
        impl<R: Resolver + ?Sized> Resolver for $type {
            fn txt<'a>(&'a self, name: &'a Name) -> Lookup<'a, Txt> {
                (**self).txt(name)
            }

            fn a<'a>(&'a self, name: &'a Name) -> Lookup<'a, Ipv4Addr> {
                (**self).a(name)
            }

            fn aaaa<'a>(&'a self, name: &'a Name) -> Lookup<'a, Ipv6Addr> {
                (**self).aaaa(name)
            }

            fn mx<'a>(&'a self, name: &'a Name) -> Lookup<'a, Mx> {
                (**self).mx(name)
            }

            fn ptr<'a>(&'a self, name: &'a Name) -> Lookup<'a, Name> {
                (**self).ptr(name)
            }
        }
    )*};
}

forward_resolver!(&R, Box<R>, Arc<R>);

/// A look-up under way: a future of the [`Outcome`].
///
/// An answer that is at hand needs no allocation ([`ready`](Self::ready)); any other look-up is a
/// boxed future ([`new`](Self::new)).
#[must_use = "a look-up does nothing unless it is awaited"]
pub struct Lookup<'a, T>(State<'a, T>);

enum State<'a, T> {
    Ready(Option<Result<Outcome<T>, LookupError>>),
    Pending(Pin<Box<dyn Future<Output = Result<Outcome<T>, LookupError>> + Send + 'a>>),
}

impl<'a, T: Send + 'a> Lookup<'a, T> {
    /// Lets `done` see the result, at once if it is known.
    fn inspect(
        self,
        done: impl FnOnce(&Result<Outcome<T>, LookupError>) + Send + 'a,
    ) -> Lookup<'a, T> {
        match self.0 {
            State::Ready(result) => {
                if let Some(result) = &result {
                    done(result);
                }
                Self(State::Ready(result))
            }
            State::Pending(future) => Self::new(async move {
                let result = future.await;
                done(&result);
                result
            }),
        }
    }
}

impl<'a, T> Lookup<'a, T> {
    /// A look-up that has to wait for something.
    pub fn new(future: impl Future<Output = Result<Outcome<T>, LookupError>> + Send + 'a) -> Self {
        Self(State::Pending(Box::pin(future)))
    }

    /// A look-up whose result is known.
    pub fn ready(result: Result<Outcome<T>, LookupError>) -> Self {
        Self(State::Ready(Some(result)))
    }
}

impl<T> Future for Lookup<'_, T> {
    type Output = Result<Outcome<T>, LookupError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let state = &mut self.get_mut().0;
        match state {
            State::Pending(future) => {
                let polled = future.as_mut().poll(context);
                if polled.is_ready() {
                    *state = State::Ready(None);
                }
                polled
            }
            // A look-up that is polled after its end neither panics nor waits for ever.
            State::Ready(result) => Poll::Ready(result.take().unwrap_or_else(|| {
                let reason = "the look-up was polled after its end";
                Err(LookupError::Other(reason.into()))
            })),
        }
    }
}

impl<T> fmt::Debug for Lookup<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookup")
    }
}

/// What the DNS said about a name and a type: [records](Self::as_slice), that the name has none of the
/// type, or that there is [no such name](Self::is_no_such_name). Cloning costs next to nothing.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Outcome<T> {
    kind: Kind<T>,
    ttl: Option<Duration>,
    authentic: bool,
}

impl<T> Outcome<T> {
    /// Records; an empty collection is [`no_data`](Self::no_data).
    pub fn records(records: impl Into<Arc<[T]>>) -> Self {
        let records = records.into();
        if records.is_empty() {
            return Self::no_data();
        }
        Self::of(Kind::Records(records))
    }

    /// The name exists, but has no records of the type (NODATA, RFC 2308 2.2).
    #[must_use]
    pub fn no_data() -> Self {
        Self::of(Kind::NoData)
    }

    /// The name does not exist (NXDOMAIN).
    #[must_use]
    pub fn no_such_name() -> Self {
        Self::of(Kind::NoSuchName)
    }

    fn of(kind: Kind<T>) -> Self {
        Self {
            kind,
            ttl: None,
            authentic: false,
        }
    }

    /// Says how long the answer may be kept; for the negative answers, RFC 2308 5.
    #[must_use]
    pub fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// Says whether the resolver vouches for the answer (DNSSEC, the AD bit over a trusted path).
    #[must_use]
    pub fn with_authentic(mut self, authentic: bool) -> Self {
        self.authentic = authentic;
        self
    }

    /// The records; none where there is no data or no such name.
    #[must_use]
    pub fn as_slice(&self) -> &[T] {
        match &self.kind {
            Kind::Records(records) => records,
            Kind::NoData | Kind::NoSuchName => &[],
        }
    }

    /// Whether the name does not exist.
    #[must_use]
    pub fn is_no_such_name(&self) -> bool {
        matches!(self.kind, Kind::NoSuchName)
    }

    /// How long the answer may be kept, if the resolver knows.
    #[must_use]
    pub fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// Whether the resolver vouches for the answer (DNSSEC).
    #[must_use]
    pub fn is_authentic(&self) -> bool {
        self.authentic
    }
}

/// The shorter time to live, as far as they are known.
pub(crate) fn shorter(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// The three things that the DNS can say.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Kind<T> {
    NoData,
    NoSuchName,
    /// At least one.
    Records(Arc<[T]>),
}

/// One TXT record: its character-strings joined without a separator, as SPF (RFC 7208 3.3), DKIM
/// (RFC 6376 3.6.2.2) and DMARC (RFC 9989 4.5) ask.
#[derive(Clone)]
pub struct Txt {
    octets: Arc<[u8]>,
    /// Room for what somebody read from the octets, where the record is likely to be asked for again.
    kept: Option<Arc<OnceLock<Reading>>>,
}

/// What was read; nothing where there is nothing to keep.
struct Reading(Option<Box<dyn Any + Send + Sync>>);

impl Txt {
    /// A record of these octets.
    #[must_use]
    pub fn new(octets: impl AsRef<[u8]>) -> Self {
        Self {
            octets: octets.as_ref().into(),
            kept: None,
        }
    }

    /// The octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.octets
    }

    /// The octets, shared.
    pub(crate) fn shared(&self) -> Arc<[u8]> {
        Arc::clone(&self.octets)
    }

    /// The same record with room for a reading. Policies and keys begin with their version; other
    /// texts nobody reads.
    fn with_room(&self) -> Self {
        let is_versioned = matches!(&*self.octets, [b'v' | b'V', b'=', ..]);
        Self {
            octets: self.shared(),
            kept: is_versioned.then(Arc::default),
        }
    }

    fn all_with_room(outcome: &Outcome<Self>) -> Outcome<Self> {
        let mut outcome = outcome.clone();
        if let Kind::Records(records) = &mut outcome.kind {
            *records = records.iter().map(Self::with_room).collect();
        }
        outcome
    }

    /// How many octets a reading may take up.
    fn room(&self) -> usize {
        256 + 4 * self.octets.len()
    }

    /// What `read` makes of the octets and of the number of octets that it may take up. It is read
    /// once for all that a [`Cache`] answers with this record; `None` where it is not kept.
    pub(crate) fn kept<T: Any + Send + Sync>(
        &self,
        read: impl FnOnce(&[u8], usize) -> Option<T>,
    ) -> Option<&T> {
        let reading = self.kept.as_ref()?.get_or_init(|| {
            Reading(match read(&self.octets, self.room()) {
                Some(reading) => Some(Box::new(reading)),
                None => None,
            })
        });
        reading.0.as_ref()?.downcast_ref()
    }

    /// The octets that the record takes up outside itself.
    fn heap(&self) -> usize {
        let kept = match self.kept {
            Some(_) => record::COUNTS + size_of::<OnceLock<Reading>>() + self.room(),
            None => 0,
        };
        record::COUNTS + self.octets.len() + kept
    }
}

impl Eq for Txt {}

impl PartialEq for Txt {
    fn eq(&self, other: &Self) -> bool {
        self.octets == other.octets
    }
}

impl Hash for Txt {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.octets.hash(state);
    }
}

impl fmt::Debug for Txt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.octets.escape_ascii())
    }
}

/// One MX record.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "RFC 1035 3.3.9")]
pub struct Mx {
    /// Lower is preferred.
    pub preference: u16,
    /// The host; the root for a null MX (RFC 7505).
    pub exchange: Name,
}

/// The record types that the crate asks for.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "UPPERCASE")
)]
#[non_exhaustive]
pub enum RecordType {
    /// IPv4 address.
    A,
    /// IPv6 address.
    Aaaa,
    /// Mail exchanger.
    Mx,
    /// Pointer, for reverse look-ups.
    Ptr,
    /// Text.
    Txt,
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Mx => "MX",
            Self::Ptr => "PTR",
            Self::Txt => "TXT",
        })
    }
}

/// Why a look-up gave no outcome. Each is temporary in the sense of the protocols: nothing is known,
/// least of all that there is no record.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[non_exhaustive]
pub enum LookupError {
    /// The answer could not be understood, or a CNAME chain does not end.
    #[error("malformed answer")]
    Malformed,
    /// The resolver failed in some other way, in its own words.
    #[error("{0}")]
    Other(String),
    /// RCODE 5.
    #[error("the name server refused the query")]
    Refused,
    /// RCODE 2, which is also how a validating resolver reports broken DNSSEC.
    #[error("the name server failed (SERVFAIL)")]
    ServFail,
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The answer was cut short, and could not be had in full over TCP.
    #[error("the answer was truncated")]
    Truncated,
}
