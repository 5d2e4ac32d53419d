//! Where the rows of aggregate reports wait for the end of their day.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::aggregate::{ReportKey, Row};

/// Keeps rows until their report was sent, for any number of processes at once.
///
/// What every store promises:
///
/// * *A row is counted once.* Each comes with an idempotency key, which the server chooses: the name
///   of the message in its queue, or, where it sums up in memory first, its own name and the number of
///   the batch. A row that was added under the same key to the same report is not added again, so
///   that who does not know whether an attempt succeeded can repeat it. When
///   [`add`](Self::add) returns, the row survives whatever the store is made to survive.
/// * *A report is one piece of work.* [`claim`](Self::claim) gives a report whose day is over to one
///   process, for the time of a lease. From the first claim on the report is closed and its rows do
///   not change, so that whoever makes it makes the same.
/// * *A report is not forgotten.* One that was claimed but not marked as
///   [sent](Self::mark_sent) can be claimed again when the lease is over, with a new token; a claim
///   with an older one then counts for nothing ([`StoreError::Lost`]).
///
/// A report is thus sent once, unless a process dies, or is slower than its lease, after the mail
/// left and before that was noted. The mail that is sent again is the same:
/// [`report_id`](super::aggregate::Reporter::report_id) is made of the key alone, and receivers know
/// by it that they have the report already.
///
/// Clocks are the caller's. Those of different machines may differ by less than the time that one
/// waits after midnight before it claims: what arrives from a slow one after the claim is refused
/// ([`StoreError::Closed`]). Give `claim` a time some minutes ago.
///
/// The methods block. They are called once for a message and a few times a day, embedded databases
/// are synchronous, and there is no async runtime that this crate could choose for everybody; a
/// server that has one calls them where it may block.
///
/// The packages `report-sqlite` and `report-postgres` among the examples of the repository are stores
/// that outlive their process, and `tests/report_store/contract.rs` is a test for any other.
///
/// ```
/// use mailproof::report::aggregate::{ReportKey, Row};
/// use mailproof::report::{MemoryStore, Store};
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let key: ReportKey = "example.com 1684195200 treewalk v=DMARC1; p=none".parse()?;
/// let mut row = Row::default();
/// row.count = 1;
///
/// let store = MemoryStore::new(100_000);
/// assert!(store.add(&key, "queue-1", &row)?);
/// assert!(store.add(&key, "queue-2", &row)?);
/// assert!(!store.add(&key, "queue-2", &row)?);
///
/// let now = UNIX_EPOCH + Duration::from_secs(key.end() + 600);
/// let claim = store.claim(now, Duration::from_secs(3_600))?.expect("a report is due");
/// assert_eq!(claim.key(), &key);
/// assert_eq!(store.summed(&claim)?[0].count, 2);
/// // Here the mail is made and handed to the queue.
/// assert!(store.mark_sent(&claim, now)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Store: Send + Sync {
    /// Adds a row to its report. `false` if a row is there under this idempotency key already.
    ///
    /// # Errors
    ///
    /// [`StoreError::Closed`] where the report was claimed before; whatever else the store says.
    fn add(&self, key: &ReportKey, idempotency_key: &str, row: &Row) -> Result<bool, StoreError>;

    /// Claims a report whose day is over by `now`, the oldest first, which is neither sent nor held
    /// under a lease that runs; `None` where there is none.
    ///
    /// # Errors
    ///
    /// Whatever the store says.
    fn claim(&self, now: SystemTime, lease: Duration) -> Result<Option<Claim>, StoreError>;

    /// Hands out the rows of a claimed report, in any order, each as it was added: all of them, of
    /// which there is one at least, or an error.
    ///
    /// # Errors
    ///
    /// [`StoreError::Lost`] where the claim is not the last one, or the report was sent: a report
    /// without its rows would take the place of the one that has them. Whatever else the store says;
    /// what was handed out before is then not all of it.
    fn rows(&self, claim: &Claim, take: &mut dyn FnMut(Row)) -> Result<(), StoreError>;

    /// Notes that a report was sent; its rows can be forgotten. That it was sent must be known for
    /// longer than a row may be late, a week at least. `false` where the claim is not the last one,
    /// or was marked before.
    ///
    /// # Errors
    ///
    /// Whatever the store says.
    fn mark_sent(&self, claim: &Claim, now: SystemTime) -> Result<bool, StoreError>;

    /// The rows of a claimed report in order, those that are alike as one.
    ///
    /// # Errors
    ///
    /// Those of [`rows`](Self::rows).
    fn summed(&self, claim: &Claim) -> Result<Vec<Row>, StoreError> {
        let mut sums: HashMap<Row, u64> = HashMap::new();
        self.rows(claim, &mut |mut row| {
            let count = std::mem::take(&mut row.count);
            let sum = sums.entry(row).or_default();
            *sum = sum.saturating_add(count);
        })?;
        let rows = sums.into_iter().map(|(row, count)| Row { count, ..row });
        let mut rows: Vec<Row> = rows.collect();
        rows.sort();
        Ok(rows)
    }
}

/// A report that a process works on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claim {
    key: ReportKey,
    token: u64,
}

impl Claim {
    /// A claim, as a store makes it. Each claim of the same report has a greater token than the one
    /// before.
    #[must_use]
    pub fn new(key: ReportKey, token: u64) -> Self {
        Self { key, token }
    }

    /// The report.
    #[must_use]
    pub fn key(&self) -> &ReportKey {
        &self.key
    }

    /// What tells the claim from those before it.
    #[must_use]
    pub fn token(&self) -> u64 {
        self.token
    }
}

/// Why a store could not do something.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The report was claimed before the row came; whether it holds the row is not known if it was
    /// sent since.
    #[error("the report is closed, and the row is too late for it")]
    Closed,
    /// Another process has claimed the report since, or it was sent: there is nothing left to do.
    #[error("the claim on the report was lost")]
    Lost,
    /// The store holds as many rows as it may.
    #[error("the store is full")]
    Full,
    /// The store's own reason.
    #[error("the store failed: {0}")]
    Failed(Box<dyn Error + Send + Sync>),
}

/// A store in memory, for tests and for servers that may forget with a restart.
#[derive(Debug)]
pub struct MemoryStore {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    reports: BTreeMap<ReportKey, Kept>,
    rows: usize,
}

#[derive(Debug, Default)]
struct Kept {
    rows: HashMap<String, Row>,
    /// The last claim, and when its lease ends.
    claim: Option<(u64, SystemTime)>,
    sent: Option<SystemTime>,
}

impl Kept {
    /// Whether it is the last claim, and the report was not sent.
    fn is_held(&self, claim: &Claim) -> bool {
        let last = self.claim.map(|(token, _)| token);
        last == Some(claim.token()) && self.sent.is_none()
    }
}

impl MemoryStore {
    /// A store for at most `capacity` rows and reports together.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            state: Mutex::default(),
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        // Nothing panics while the lock is held, but for a caller's function; then the state is
        // whole all the same.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        act(&mut state)
    }
}

impl Store for MemoryStore {
    fn add(&self, key: &ReportKey, idempotency_key: &str, row: &Row) -> Result<bool, StoreError> {
        self.with(|state| {
            let full = state.rows.saturating_add(state.reports.len()) >= self.capacity;
            if let Some(kept) = state.reports.get(key) {
                if kept.rows.contains_key(idempotency_key) {
                    return Ok(false);
                }
                if kept.claim.is_some() {
                    return Err(StoreError::Closed);
                }
            }
            if full {
                return Err(StoreError::Full);
            }
            let kept = state.reports.entry(key.clone()).or_default();
            kept.rows.insert(idempotency_key.to_owned(), row.clone());
            state.rows = state.rows.saturating_add(1);
            Ok(true)
        })
    }

    fn claim(&self, now: SystemTime, lease: Duration) -> Result<Option<Claim>, StoreError> {
        let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        self.with(|state| {
            state.reports.retain(|_, kept| {
                let age = kept.sent.and_then(|sent| now.duration_since(sent).ok());
                age.is_none_or(|age| age < REMEMBERED)
            });
            let due = state.reports.iter_mut().filter(|(key, kept)| {
                let held = kept.claim.is_some_and(|(_, until)| until > now);
                key.end() < seconds && kept.sent.is_none() && !held
            });
            let oldest = due.min_by_key(|(key, _)| key.begin());
            Ok(oldest.map(|(key, kept)| {
                let token = kept.claim.map_or(1, |(token, _)| token.saturating_add(1));
                kept.claim = Some((token, now.checked_add(lease).unwrap_or(now)));
                Claim::new(key.clone(), token)
            }))
        })
    }

    fn rows(&self, claim: &Claim, take: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        let rows: Vec<Row> = self.with(|state| {
            let kept = state.reports.get(claim.key());
            let kept = kept
                .filter(|kept| kept.is_held(claim))
                .ok_or(StoreError::Lost)?;
            Ok::<_, StoreError>(kept.rows.values().cloned().collect())
        })?;
        rows.into_iter().for_each(take);
        Ok(())
    }

    fn mark_sent(&self, claim: &Claim, now: SystemTime) -> Result<bool, StoreError> {
        self.with(|state| {
            let Some(kept) = state.reports.get_mut(claim.key()) else {
                return Ok(false);
            };
            if !kept.is_held(claim) {
                return Ok(false);
            }
            kept.sent = Some(now);
            let rows = std::mem::take(&mut kept.rows);
            state.rows = state.rows.saturating_sub(rows.len());
            Ok(true)
        })
    }
}

/// How long it is known that a report was sent: a queue gives up a message after five days.
const REMEMBERED: Duration = Duration::from_secs(8 * 86_400);
