//! Keeping answers for as long as they may be kept.

mod flight;
mod key;
mod shard;

use std::fmt;
use std::hash::RandomState;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::record::{Record, resolve_by};
use super::{Lookup, LookupError, Mx, Name, Outcome, Resolver, Txt};
use flight::{Passenger, Role};
use key::Key;
use shard::{Kept, Shard};

/// A resolver that keeps the answers of another one for their TTL.
///
/// Negative answers are kept as well (RFC 2308), errors never. A question that comes while the same
/// one is under way waits for its answer; if the look-up under way is dropped, one of those that
/// wait takes over. An error is given to all who waited for it: asking again for each would only
/// multiply the load on a name server that is in trouble.
///
/// The memory is bounded ([`max_entries`](Self::max_entries), [`max_bytes`](Self::max_bytes)): what was
/// not asked for since the last round leaves first.
///
/// ```
/// use mailproof::dns::{Cache, Resolver, Zone, block_on};
/// use std::time::{Duration, Instant};
///
/// let mut zone = Zone::new();
/// zone.add_txt("example.com", "v=spf1 -all")?;
/// let start = Instant::now();
/// let cache = Cache::new(zone, move || start.elapsed()).max_entries(10_000);
/// let name = "example.com".parse()?;
/// for _ in 0..2 {
///     assert_eq!(block_on(cache.txt(&name))?.as_slice().len(), 1);
/// }
/// assert_eq!(cache.entries(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Cache<R> {
    resolver: R,
    clock: Box<dyn Fn() -> Duration + Send + Sync>,
    settings: Settings,
    hasher: RandomState,
    shard: Mutex<Shard>,
    more_shards: Box<[Mutex<Shard>]>,
}

impl<R> Cache<R> {
    /// A cache around `resolver`: 100,000 answers in 64 MiB, and the usual times.
    ///
    /// The clock gives the time since any fixed point and must not run backwards.
    pub fn new(resolver: R, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        let settings = Settings::default();
        let (shard, more_shards) = settings.shards();
        Self {
            resolver,
            clock: Box::new(clock),
            hasher: RandomState::new(),
            shard,
            more_shards,
            settings,
        }
    }

    /// How many answers are kept at most: 100,000. What is kept already is forgotten.
    #[must_use]
    pub fn max_entries(mut self, entries: usize) -> Self {
        self.settings.entries = entries;
        (self.shard, self.more_shards) = self.settings.shards();
        self
    }

    /// How many octets the answers take up at most, the cache's own included: 64 MiB. What is kept
    /// already is forgotten.
    #[must_use]
    pub fn max_bytes(mut self, bytes: usize) -> Self {
        self.settings.bytes = bytes;
        (self.shard, self.more_shards) = self.settings.shards();
        self
    }

    /// How long records are kept at most, whatever their TTL: a day, as resolvers do.
    #[must_use]
    pub fn max_ttl(mut self, ttl: Duration) -> Self {
        self.settings.max_ttl = ttl;
        self
    }

    /// How long negative answers are kept at most: an hour. RFC 2308 5: ‘values of one to three hours
    /// have been found to work well’.
    #[must_use]
    pub fn max_negative_ttl(mut self, ttl: Duration) -> Self {
        self.settings.max_negative_ttl = ttl;
        self
    }

    /// How long records are kept whose TTL the resolver does not know: a minute. Negative answers
    /// without TTL are not kept.
    #[must_use]
    pub fn unknown_ttl(mut self, ttl: Duration) -> Self {
        self.settings.unknown_ttl = ttl;
        self
    }

    /// How many answers are kept, those among them whose time is up.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.shards().map(|shard| lock(shard).entries()).sum()
    }

    /// How many octets the answers take up, by a generous reckoning.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.shards().map(|shard| lock(shard).bytes()).sum()
    }

    /// Forgets all answers. Look-ups under way go on.
    pub fn clear(&self) {
        self.shards().for_each(|shard| lock(shard).clear());
    }

    fn shards(&self) -> impl Iterator<Item = &Mutex<Shard>> {
        std::iter::once(&self.shard).chain(&self.more_shards)
    }

    fn shard_of(&self, key: &Key) -> &Mutex<Shard> {
        let index = key.middle().checked_rem(self.more_shards.len() + 1);
        let shard = index.and_then(|index| self.more_shards.get(index));
        shard.unwrap_or(&self.shard)
    }

    /// How long an answer is kept.
    fn lifetime<T>(&self, outcome: &Outcome<T>) -> Option<Duration> {
        let lifetime = if outcome.as_slice().is_empty() {
            // RFC 2308 5: ‘Negative responses without SOA records SHOULD NOT be cached’; without
            // the record there is no TTL.
            outcome.ttl()?.min(self.settings.max_negative_ttl)
        } else {
            let ttl = outcome.ttl().unwrap_or(self.settings.unknown_ttl);
            ttl.min(self.settings.max_ttl)
        };
        Some(lifetime).filter(|lifetime| !lifetime.is_zero())
    }
}

impl<R: Resolver> Cache<R> {
    fn lookup<'a, T: Record>(&'a self, name: &'a Name) -> Lookup<'a, T> {
        let key = Key::new(name.clone(), T::TYPE, &self.hasher);
        let kept = lock(self.shard_of(&key)).kept(&key, (self.clock)());
        match kept {
            Some(outcome) => Lookup::ready(Ok(outcome)),
            None => Lookup::new(self.fetch(name, key)),
        }
    }

    async fn fetch<T: Record>(&self, name: &Name, key: Key) -> Result<Outcome<T>, LookupError> {
        // The look-up may be polled long after it was made, so there may be an answer by now.
        let shard = self.shard_of(&key);
        let mut passenger = match Passenger::board(shard, key, (self.clock)()) {
            Ok(outcome) => return Ok(outcome),
            Err(passenger) => passenger,
        };
        if let Role::Follower(told) = passenger.role().await {
            let result = T::result(&told).cloned();
            return result.unwrap_or(Err(LookupError::Malformed));
        }
        let result = T::ask(&self.resolver, name).await;
        let kept = result.as_ref().ok().and_then(|outcome| {
            let lifetime = self.lifetime(outcome)?;
            Some(Kept::new(outcome, (self.clock)(), lifetime))
        });
        passenger.land(T::told(result.clone()), kept, (self.clock)());
        result
    }
}

impl<R: Resolver> Resolver for Cache<R> {
    resolve_by!(lookup);
}

impl<R: fmt::Debug> fmt::Debug for Cache<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("resolver", &self.resolver)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// What is kept, and for how long; each has a method of [`Cache`].
#[derive(Clone, Debug)]
struct Settings {
    entries: usize,
    bytes: usize,
    max_ttl: Duration,
    max_negative_ttl: Duration,
    unknown_ttl: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            entries: 100_000,
            bytes: 64 << 20,
            max_ttl: Duration::from_secs(86_400),
            max_negative_ttl: Duration::from_secs(3_600),
            unknown_ttl: Duration::from_secs(60),
        }
    }
}

impl Settings {
    /// Empty shards: one, and the others.
    fn shards(&self) -> (Mutex<Shard>, Box<[Mutex<Shard>]>) {
        let room = (self.bytes / SHARD_BYTES).min(self.entries / SHARD_ENTRIES);
        let count = room.clamp(1, MAX_SHARDS);
        let shard = || Mutex::new(Shard::new(self.entries / count, self.bytes / count));
        (shard(), (1..count).map(|_| shard()).collect())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while one of these locks is held.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Few threads meet in one of so many shards.
const MAX_SHARDS: usize = 32;

/// A shard keeps nothing that is larger than itself. The largest answer has 64 KiB, but five times that and
/// more with the room for what is read from its records.
const SHARD_BYTES: usize = 256 << 10;

/// A shard with few entries would depend on how names happen to spread.
const SHARD_ENTRIES: usize = 64;
