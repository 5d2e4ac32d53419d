//! The store of rows in memory.

#[path = "report_store/contract.rs"]
mod contract;

use std::time::Duration;

use contract::{at, key, row};
use mailproof::report::{MemoryStore, Store, StoreError};

#[test]
fn the_store_in_memory_keeps_its_promises() {
    contract::check(&MemoryStore::new(1_000));
}

#[test]
fn it_is_bounded() {
    let store = MemoryStore::new(3);
    let key = key("a.example", 0);
    assert!(store.add(&key, "1", &row("a.example", 1)).unwrap());
    assert!(store.add(&key, "2", &row("a.example", 1)).unwrap());
    assert!(matches!(
        store.add(&key, "3", &row("a.example", 1)),
        Err(StoreError::Full)
    ));
    // What is there is known, full or not.
    assert!(!store.add(&key, "2", &row("a.example", 1)).unwrap());
    let now = at(key.end() + 1);
    let claim = store.claim(now, Duration::from_secs(60)).unwrap().unwrap();
    assert!(store.mark_sent(&claim, now).unwrap());
    let next = contract::key("a.example", 1);
    assert!(store.add(&next, "1", &row("a.example", 1)).unwrap());
    // After a week it is forgotten that the first was sent.
    let later = at(key.end() + 8 * 86_400 + 1);
    assert_eq!(
        store
            .claim(later, Duration::from_secs(60))
            .unwrap()
            .unwrap()
            .key(),
        &next
    );
    assert!(store.add(&key, "4", &row("a.example", 1)).unwrap());
}
