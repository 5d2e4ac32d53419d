//! Rows of aggregate reports in SQLite: for one machine, with any number of processes.

#[path = "../../report-store/numbers.rs"]
mod numbers;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use mailproof::report::aggregate::{ReportKey, Row};
use mailproof::report::{Claim, Store, StoreError};
use numbers::{REMEMBERED, failed, seconds, whole};
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

/// A store in a file.
///
/// What was added survives the death of the process, and, since each commit reaches the disk before
/// it returns, that of the machine.
pub struct SqliteStore(Mutex<Connection>);

impl SqliteStore {
    /// Opens a file, and makes it if it is not there.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let connection = Connection::open(path).map_err(failed)?;
        // Writers wait for each other rather than fail.
        connection.busy_timeout(PATIENCE).map_err(failed)?;
        connection.execute_batch(SCHEMA).map_err(failed)?;
        Ok(Self(Mutex::new(connection)))
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A transaction that a panic interrupted was rolled back when it was dropped.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for SqliteStore {
    fn add(&self, key: &ReportKey, idempotency_key: &str, row: &Row) -> Result<bool, StoreError> {
        let (report, due) = (key.to_string(), whole(key.end())?);
        let mut connection = self.lock();
        // Immediate, since a transaction that reads first and writes then may find that another
        // wrote in between.
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let known = "SELECT 1 FROM row WHERE report = ?1 AND name = ?2";
        let known = transaction.query_row(known, params![report, idempotency_key], |_| Ok(()));
        if known.optional().map_err(failed)?.is_some() {
            return Ok(false);
        }
        let token = "INSERT INTO report (key, due, token) VALUES (?1, ?2, 0)
            ON CONFLICT (key) DO UPDATE SET due = due RETURNING token";
        let token: i64 = transaction
            .query_row(token, params![report, due], |found| found.get(0))
            .map_err(failed)?;
        if token > 0 {
            return Err(StoreError::Closed);
        }
        let insert = "INSERT INTO row (report, name, content) VALUES (?1, ?2, ?3)";
        let values = params![report, idempotency_key, row.to_xml()];
        transaction.execute(insert, values).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(true)
    }

    fn claim(&self, now: SystemTime, lease: Duration) -> Result<Option<Claim>, StoreError> {
        let now = seconds(now)?;
        let until = now.saturating_add(whole(lease.as_secs())?);
        let connection = self.lock();
        let forget = "DELETE FROM report WHERE sent < ?1";
        connection
            .execute(forget, [now.saturating_sub(REMEMBERED)])
            .map_err(failed)?;
        // One statement is one transaction.
        let claim = "UPDATE report SET token = token + 1, leased_until = ?2
            WHERE key = (SELECT key FROM report
                WHERE due < ?1 AND sent IS NULL AND (leased_until IS NULL OR leased_until <= ?1)
                ORDER BY due, key LIMIT 1)
            RETURNING key, token";
        let claimed = connection
            .query_row(claim, [now, until], |found| {
                Ok((found.get::<_, String>(0)?, found.get::<_, i64>(1)?))
            })
            .optional()
            .map_err(failed)?;
        let Some((key, token)) = claimed else {
            return Ok(None);
        };
        let key = key.parse().map_err(failed)?;
        Ok(Some(Claim::new(key, u64::try_from(token).map_err(failed)?)))
    }

    fn rows(&self, claim: &Claim, take: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        let connection = self.lock();
        // One statement, so that the rows are those of the claim that it looks at.
        let select = "SELECT content FROM row JOIN report ON key = report
            WHERE report = ?1 AND token = ?2 AND sent IS NULL";
        let mut select = connection.prepare(select).map_err(failed)?;
        let values = params![claim.key().to_string(), whole(claim.token())?];
        let mut rows = select.query(values).map_err(failed)?;
        let mut lost = true;
        while let Some(found) = rows.next().map_err(failed)? {
            let content: String = found.get(0).map_err(failed)?;
            take(Row::from_xml(&content).map_err(failed)?);
            lost = false;
        }
        // A report has a row at least.
        if lost { Err(StoreError::Lost) } else { Ok(()) }
    }

    fn mark_sent(&self, claim: &Claim, now: SystemTime) -> Result<bool, StoreError> {
        let (report, token) = (claim.key().to_string(), whole(claim.token())?);
        let mut connection = self.lock();
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let mark = "UPDATE report SET sent = ?3 WHERE key = ?1 AND token = ?2 AND sent IS NULL";
        let values = params![report, token, seconds(now)?];
        let marked = transaction.execute(mark, values).map_err(failed)? > 0;
        if marked {
            let delete = "DELETE FROM row WHERE report = ?1";
            transaction.execute(delete, [report]).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        Ok(marked)
    }
}

const PATIENCE: Duration = Duration::from_secs(30);

/// The write-ahead log lets readers and a writer work at the same time; `FULL` makes each commit wait
/// for the disk.
const SCHEMA: &str = "
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS report (
    key TEXT PRIMARY KEY,
    due INTEGER NOT NULL,
    token INTEGER NOT NULL,
    leased_until INTEGER,
    sent INTEGER
);
CREATE TABLE IF NOT EXISTS row (
    report TEXT NOT NULL,
    name TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (report, name)
) WITHOUT ROWID;
";
