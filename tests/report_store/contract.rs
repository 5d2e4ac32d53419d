//! What every store promises, as checks that any implementation can run against itself.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::report::aggregate::{ReportKey, Row};
use mailproof::report::{Claim, Store, StoreError};

const LEASE: Duration = Duration::from_secs(3_600);
const DAY: u64 = 86_400;
/// 2023-05-16
const BEGIN: u64 = 1_684_195_200;

/// Panics where a store, which must be empty, breaks a promise.
pub fn check(store: &dyn Store) {
    rows_are_counted_once(store);
    a_report_is_closed_and_claimed_once(store);
    a_claim_that_was_left_is_claimed_again(store);
    the_oldest_comes_first(store);
    many_at_once(store);
    assert_eq!(claim(store, BEGIN + 100 * DAY), None, "everything was sent");
}

pub fn key(domain: &str, day: u64) -> ReportKey {
    let begin = BEGIN + day * DAY;
    let key = format!("{domain} {begin} treewalk v=DMARC1; p=none; rua=mailto:d@{domain}");
    key.parse().unwrap()
}

/// A row that survives being written as XML, as most stores do.
pub fn row(header_from: &str, count: u64) -> Row {
    let mut row = Row::default();
    row.source_ip = "192.0.2.1".into();
    row.disposition = "none".into();
    row.dkim = "fail".into();
    row.spf = "fail".into();
    header_from.clone_into(&mut row.header_from);
    row.count = count;
    row
}

pub fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn claim(store: &dyn Store, seconds: u64) -> Option<Claim> {
    store.claim(at(seconds), LEASE).unwrap()
}

/// Whether no rows are given for a claim: an empty report would take the place of a sent one.
fn is_lost(store: &dyn Store, claim: &Claim) -> bool {
    let mut rows = 0;
    let result = store.rows(claim, &mut |_| rows += 1);
    matches!(result, Err(StoreError::Lost)) && rows == 0
}

fn rows_are_counted_once(store: &dyn Store) {
    let key = key("once.example", 0);
    let before = row("a.example", 5);
    assert!(store.add(&key, "1", &before).unwrap());
    assert!(!store.add(&key, "1", &row("b.example", 7)).unwrap());
    assert!(store.add(&key, "2", &before).unwrap());
    assert!(
        store
            .add(&key, "3", &row("b'\"<&\u{e4}.example", 1))
            .unwrap()
    );
    // The same name in another report is another row.
    let other = self::key("other.example", 0);
    assert!(store.add(&other, "1", &before).unwrap());
    assert_eq!(claim(store, BEGIN), None, "the day is not over");
    assert_eq!(claim(store, BEGIN + DAY - 1), None, "the day is not over");
    for _ in 0..2 {
        let claim = claim(store, BEGIN + DAY).unwrap();
        let rows = store.summed(&claim).unwrap();
        let counts: Vec<_> = rows
            .iter()
            .map(|row| (&*row.header_from, row.count))
            .collect();
        if *claim.key() == key {
            assert_eq!(counts, [("b'\"<&\u{e4}.example", 1), ("a.example", 10)]);
        } else {
            assert_eq!(*claim.key(), other);
            assert_eq!(counts, [("a.example", 5)]);
        }
        assert!(store.mark_sent(&claim, at(BEGIN + DAY)).unwrap());
    }
}

fn a_report_is_closed_and_claimed_once(store: &dyn Store) {
    let key = key("closed.example", 1);
    store.add(&key, "1", &row("a.example", 1)).unwrap();
    let now = BEGIN + 2 * DAY + 60;
    let first = claim(store, now).unwrap();
    assert_eq!(claim(store, now + 3_599), None, "the lease runs");
    assert!(!store.add(&key, "1", &row("a.example", 1)).unwrap());
    let late = store.add(&key, "2", &row("a.example", 1));
    assert!(matches!(late, Err(StoreError::Closed)), "{late:?}");
    assert!(store.mark_sent(&first, at(now)).unwrap());
    assert!(!store.mark_sent(&first, at(now)).unwrap(), "it is marked");
    assert!(is_lost(store, &first), "it is marked");
    assert_eq!(claim(store, now + DAY), None, "it was sent");
    let late = store.add(&key, "3", &row("a.example", 1));
    assert!(matches!(late, Err(StoreError::Closed)), "{late:?}");
}

fn a_claim_that_was_left_is_claimed_again(store: &dyn Store) {
    let key = key("left.example", 2);
    store.add(&key, "1", &row("a.example", 2)).unwrap();
    let now = BEGIN + 3 * DAY + 60;
    let first = claim(store, now).unwrap();
    let second = claim(store, now + 3_600).unwrap();
    assert_eq!((first.key(), second.key()), (&key, &key));
    assert!(second.token() > first.token());
    assert!(is_lost(store, &first), "another has it");
    assert_eq!(store.summed(&second).unwrap(), [row("a.example", 2)]);
    assert!(
        !store.mark_sent(&first, at(now + 3_601)).unwrap(),
        "another has it"
    );
    assert_eq!(claim(store, now + 3_602), None);
    // A lease that is over, and that nobody else took, is still good enough.
    assert!(store.mark_sent(&second, at(now + 99_999)).unwrap());
}

fn the_oldest_comes_first(store: &dyn Store) {
    for (domain, day) in [
        ("b.example", 5),
        ("c.example", 4),
        ("a.example", 6),
        ("c.example", 6),
    ] {
        store
            .add(&key(domain, day), "1", &row("a.example", 1))
            .unwrap();
    }
    let now = BEGIN + 7 * DAY;
    let mut order = Vec::new();
    while let Some(claim) = claim(store, now) {
        order.push(claim.key().begin());
        assert!(store.mark_sent(&claim, at(now)).unwrap());
    }
    assert_eq!(order, [4, 5, 6, 6].map(|day| BEGIN + day * DAY));
}

/// Four threads add the same rows, and then claim the same report.
fn many_at_once(store: &dyn Store) {
    let key = key("many.example", 7);
    let (added, claimed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let everybody = |act: &(dyn Fn() + Sync)| {
        thread::scope(|scope| (0..4).for_each(|_| drop(scope.spawn(act))));
    };
    everybody(&|| {
        for number in 0..50 {
            let new = store
                .add(&key, &format!("{number}"), &row("a.example", 1))
                .unwrap();
            added.fetch_add(usize::from(new), Ordering::Relaxed);
        }
    });
    assert_eq!(added.into_inner(), 50);
    let now = BEGIN + 8 * DAY;
    everybody(&|| {
        if let Some(claim) = claim(store, now) {
            claimed.fetch_add(1, Ordering::Relaxed);
            assert_eq!(store.summed(&claim).unwrap(), [row("a.example", 50)]);
            assert!(store.mark_sent(&claim, at(now)).unwrap());
        }
    });
    assert_eq!(claimed.into_inner(), 1);
}
