//! A part of the cache under a lock of its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::flight::Flight;
use super::key::{Key, Table};
use crate::dns::Outcome;
use crate::dns::record::{COUNTS, Record, Told};

/// Answers, and the look-ups under way.
pub(super) struct Shard {
    /// Boxed, since up to four of five places in the table are empty.
    kept: Table<Box<Kept>>,
    /// The keys of `kept`, each once, in the order in which they are considered for removal.
    queue: VecDeque<Key>,
    bytes: usize,
    flights: Table<Arc<Flight>>,
    max_entries: usize,
    max_bytes: usize,
}

/// An answer.
pub(super) struct Kept {
    told: Told,
    until: Duration,
    bytes: usize,
    /// Whether it was asked for since it was last considered for removal.
    asked: bool,
}

impl Kept {
    pub(super) fn new<T: Record>(outcome: &Outcome<T>, now: Duration, lifetime: Duration) -> Self {
        let outcome = T::kept(outcome);
        let records = outcome.as_slice();
        let heap: usize = records.iter().map(Record::heap).sum();
        Self {
            bytes: COUNTS + size_of_val(records) + heap,
            told: T::told(Ok(outcome)),
            until: now.saturating_add(lifetime),
            asked: false,
        }
    }
}

impl Shard {
    pub(super) fn new(max_entries: usize, max_bytes: usize) -> Self {
        Self {
            kept: Table::default(),
            queue: VecDeque::new(),
            bytes: 0,
            flights: Table::default(),
            max_entries,
            max_bytes,
        }
    }

    pub(super) fn entries(&self) -> usize {
        self.kept.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn clear(&mut self) {
        self.kept = Table::default();
        self.queue = VecDeque::new();
        self.bytes = 0;
    }

    /// The answer, if its time is not up, with the TTL that is left.
    pub(super) fn kept<T: Record>(&mut self, key: &Key, now: Duration) -> Option<Outcome<T>> {
        let kept = self.kept.get_mut(key)?;
        let left = kept.until.checked_sub(now).filter(|left| !left.is_zero())?;
        kept.asked = true;
        let outcome = T::result(&kept.told)?.as_ref().ok()?.clone();
        Some(match outcome.ttl() {
            Some(_) => outcome.with_ttl(left),
            None => outcome,
        })
    }

    /// Keeps an answer, unless it is larger than the shard, and removes others if there are too many.
    pub(super) fn keep(&mut self, key: Key, mut kept: Kept, now: Duration) {
        kept.bytes += SLOT + COUNTS + key.name.as_str().len();
        if kept.bytes > self.max_bytes {
            return;
        }
        self.bytes += kept.bytes;
        match self.kept.insert(key.clone(), Box::new(kept)) {
            Some(old) => self.bytes -= old.bytes,
            None => self.queue.push_back(key),
        }
        while self.kept.len() > self.max_entries || self.bytes > self.max_bytes {
            let Some(key) = self.queue.pop_front() else {
                return;
            };
            match self.kept.get_mut(&key) {
                // Each entry is spared once for each round in which it was asked for.
                Some(kept) if kept.asked && kept.until > now => {
                    kept.asked = false;
                    self.queue.push_back(key);
                }
                _ => {
                    let removed = self.kept.remove(&key);
                    self.bytes -= removed.map_or(0, |kept| kept.bytes);
                }
            }
        }
    }

    /// The look-up of this key that is under way, or a new one.
    pub(super) fn flight(&mut self, key: &Key) -> Arc<Flight> {
        let flight = self.flights.entry(key.clone()).or_default();
        Arc::clone(flight)
    }

    pub(super) fn end_flight(&mut self, key: &Key) {
        self.flights.remove(key);
    }
}

/// What an entry takes up besides its data. The map doubles when 7/8 of its places are in use, and
/// also when over half of them are and removals have spoilt the others: so it has up to 32/7 places
/// for an entry. The queue has up to two.
const SLOT: usize = size_of::<Kept>() + 5 * size_of::<(Key, Box<Kept>)>() + 2 * size_of::<Key>();
