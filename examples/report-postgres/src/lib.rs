//! Rows of aggregate reports in PostgreSQL: for any number of machines.

#[path = "../../report-store/numbers.rs"]
mod numbers;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use mailproof::report::aggregate::{ReportKey, Row};
use mailproof::report::{Claim, Store, StoreError};
use numbers::{REMEMBERED, failed, seconds, whole};
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::ToSql;
use postgres::{Client, NoTls};

/// A store over one connection. Where the connection breaks, everything fails from then on; a server
/// opens another store and tries again, which the idempotency keys make safe.
pub struct PostgresStore(Mutex<Client>);

impl PostgresStore {
    /// Connects, as in `host=/run/postgresql dbname=mail`, and makes the tables if they are not
    /// there.
    pub fn open(parameters: &str) -> Result<Self, StoreError> {
        let mut client = Client::connect(parameters, NoTls).map_err(failed)?;
        client.batch_execute(SETTINGS).map_err(failed)?;
        client.batch_execute(SCHEMA).map_err(failed)?;
        Ok(Self(Mutex::new(client)))
    }

    fn lock(&self) -> MutexGuard<'_, Client> {
        // A transaction that a panic interrupted was rolled back when it was dropped.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for PostgresStore {
    fn add(&self, key: &ReportKey, idempotency_key: &str, row: &Row) -> Result<bool, StoreError> {
        let (report, due) = (key.to_string(), whole(key.end())?);
        let mut client = self.lock();
        let mut transaction = client.transaction().map_err(failed)?;
        let make = "INSERT INTO report (key, due) VALUES ($1, $2) ON CONFLICT (key) DO NOTHING";
        transaction
            .execute(make, &[&report, &due])
            .map_err(failed)?;
        // Held until the row is there: nobody closes the report in between.
        let token = "SELECT token FROM report WHERE key = $1 FOR SHARE";
        let token = transaction.query_one(token, &[&report]).map_err(failed)?;
        let closed = token.try_get::<_, i64>(0).map_err(failed)? > 0;
        let known = "SELECT 1 FROM report_row WHERE report = $1 AND name = $2";
        let known = transaction
            .query_opt(known, &[&report, &idempotency_key])
            .map_err(failed)?;
        if known.is_some() {
            return Ok(false);
        }
        if closed {
            return Err(StoreError::Closed);
        }
        // Another process may be adding the same; this waits for it.
        let insert = "INSERT INTO report_row (report, name, content) VALUES ($1, $2, $3)
            ON CONFLICT (report, name) DO NOTHING";
        let added = transaction
            .execute(insert, &[&report, &idempotency_key, &row.to_xml()])
            .map_err(failed)?;
        transaction.commit().map_err(failed)?;
        Ok(added > 0)
    }

    fn claim(&self, now: SystemTime, lease: Duration) -> Result<Option<Claim>, StoreError> {
        let now = seconds(now)?;
        let until = now.saturating_add(whole(lease.as_secs())?);
        let mut client = self.lock();
        let forget = "DELETE FROM report WHERE sent < $1";
        let before = now.saturating_sub(REMEMBERED);
        client.execute(forget, &[&before]).map_err(failed)?;
        // A report that another is about to claim is passed over, so that both get one.
        let claim = "UPDATE report SET token = token + 1, leased_until = $2
            WHERE key = (SELECT key FROM report
                WHERE due < $1 AND sent IS NULL AND (leased_until IS NULL OR leased_until <= $1)
                ORDER BY due, key LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING key, token";
        let claimed = client.query_opt(claim, &[&now, &until]).map_err(failed)?;
        let Some(claimed) = claimed else {
            return Ok(None);
        };
        let key: String = claimed.try_get(0).map_err(failed)?;
        let token: i64 = claimed.try_get(1).map_err(failed)?;
        let key = key.parse().map_err(failed)?;
        Ok(Some(Claim::new(key, u64::try_from(token).map_err(failed)?)))
    }

    fn rows(&self, claim: &Claim, take: &mut dyn FnMut(Row)) -> Result<(), StoreError> {
        let mut client = self.lock();
        // One statement, so that the rows are those of the claim that it looks at.
        let select = "SELECT content FROM report_row JOIN report ON key = report
            WHERE report = $1 AND token = $2 AND sent IS NULL";
        let (report, token) = (claim.key().to_string(), whole(claim.token())?);
        let values: [&(dyn ToSql + Sync); 2] = [&report, &token];
        let mut rows = client.query_raw(select, values).map_err(failed)?;
        let mut lost = true;
        while let Some(found) = rows.next().map_err(failed)? {
            let content: String = found.try_get(0).map_err(failed)?;
            take(Row::from_xml(&content).map_err(failed)?);
            lost = false;
        }
        // A report has a row at least.
        if lost { Err(StoreError::Lost) } else { Ok(()) }
    }

    fn mark_sent(&self, claim: &Claim, now: SystemTime) -> Result<bool, StoreError> {
        let (report, token) = (claim.key().to_string(), whole(claim.token())?);
        let mut client = self.lock();
        let mut transaction = client.transaction().map_err(failed)?;
        let mark = "UPDATE report SET sent = $3 WHERE key = $1 AND token = $2 AND sent IS NULL";
        let marked = transaction
            .execute(mark, &[&report, &token, &seconds(now)?])
            .map_err(failed)?
            > 0;
        if marked {
            let delete = "DELETE FROM report_row WHERE report = $1";
            transaction.execute(delete, &[&report]).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        Ok(marked)
    }
}

/// Whatever the server's defaults are: each statement sees what others committed before it, and a
/// commit waits for the disk.
const SETTINGS: &str = "
SET default_transaction_isolation TO 'read committed';
SET synchronous_commit TO on;
";

/// The lock keeps processes that start at the same time from making the same table.
const SCHEMA: &str = "
BEGIN;
SELECT pg_advisory_xact_lock(7469206);
CREATE TABLE IF NOT EXISTS report (
    key text PRIMARY KEY,
    due bigint NOT NULL,
    token bigint NOT NULL DEFAULT 0,
    leased_until bigint,
    sent bigint
);
CREATE TABLE IF NOT EXISTS report_row (
    report text NOT NULL,
    name text NOT NULL,
    content text NOT NULL,
    PRIMARY KEY (report, name)
);
COMMIT;
";
