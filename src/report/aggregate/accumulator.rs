//! Rows gathered until their reports are due.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use super::{ReportKey, Row};
use crate::report::Limits;
use crate::verdict::Verdict;

/// Counts verdicts in memory, by report and row.
///
/// ```
/// # use mailproof::dns::{Zone, block_on};
/// # use mailproof::{Message, Session, Verifier};
/// # use std::time::{Duration, UNIX_EPOCH};
/// use mailproof::report::aggregate::Accumulator;
///
/// # let mut zone = Zone::new();
/// # zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject; rua=mailto:d@example.com")?;
/// # let verifier = Verifier::new(zone);
/// # let session = Session::new([192, 0, 2, 1].into(), "mail.example.com", "me@example.com");
/// # let message = Message::parse(b"From: me@example.com\r\n\r\nHello\r\n");
/// # let verdict = block_on(verifier.verify(&session, &message));
/// # let received = UNIX_EPOCH + Duration::from_secs(1_684_227_600);
/// # let tomorrow = received + Duration::from_secs(86_400);
/// let mut accumulator = Accumulator::default();
/// accumulator.add(&verdict, received);
/// accumulator.add(&verdict, received);
///
/// let due: Vec<_> = accumulator.take_due(tomorrow).collect();
/// let [(key, rows)] = due.as_slice() else { panic!("one report") };
/// assert_eq!(key.policy_domain().as_str(), "example.com");
/// assert_eq!(rows.iter().map(|row| row.count).collect::<Vec<_>>(), [2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Accumulator {
    reports: BTreeMap<ReportKey, HashMap<Row, u64>>,
    rows: usize,
    dropped: u64,
    limits: Limits,
}

impl Accumulator {
    /// An accumulator that keeps at most [`kept_rows`](Limits::kept_rows).
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Counts a message, if there is something to report about it ([`Row::observe`]).
    pub fn add(&mut self, verdict: &Verdict, received: SystemTime) {
        if let Some((key, row)) = Row::observe(verdict, received) {
            self.add_row(key, row);
        }
    }

    /// Adds a row: its count to that of the same row, where there is one.
    pub fn add_row(&mut self, key: ReportKey, mut row: Row) {
        let count = std::mem::take(&mut row.count);
        let full = self.rows >= self.limits.kept_rows;
        if full
            && !self
                .reports
                .get(&key)
                .is_some_and(|rows| rows.contains_key(&row))
        {
            self.dropped = self.dropped.saturating_add(count);
            return;
        }
        let rows = self.reports.entry(key).or_default();
        let before = rows.len();
        let sum = rows.entry(row).or_default();
        *sum = sum.saturating_add(count);
        self.rows = self.rows.saturating_add(rows.len().saturating_sub(before));
    }

    /// How many messages were not counted because there were too many rows.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Takes out the reports whose day is over, with their rows in order.
    pub fn take_due(
        &mut self,
        now: SystemTime,
    ) -> impl Iterator<Item = (ReportKey, Vec<Row>)> + use<> {
        let now = now.duration_since(SystemTime::UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_secs());
        let (due, rest) = std::mem::take(&mut self.reports)
            .into_iter()
            .partition(|(key, _)| key.end() < now);
        self.reports = rest;
        self.rows = self.reports.values().map(HashMap::len).sum();
        let due: BTreeMap<ReportKey, HashMap<Row, u64>> = due;
        due.into_iter().map(|(key, rows)| {
            let mut rows: Vec<(Row, u64)> = rows.into_iter().collect();
            rows.sort();
            let rows = rows.into_iter().map(|(row, count)| Row { count, ..row });
            (key, rows.collect())
        })
    }
}
