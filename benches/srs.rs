//! Forwarding and reversing one address, against the two HMACs that they cannot do without.
//!
//! Prints nanoseconds, and how much is allocated besides the results.

mod harness;

use std::hint::black_box;
use std::time::{Duration, UNIX_EPOCH};

use mailproof::srs::{Forwarded, Reversed, Rewriter};
use ring::hmac;

const SENDER: &str = "alice@example.com";

const MAXIMUM_RATIO: f64 = 1.6;

fn main() {
    let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let rewriter = Rewriter::new("fwd.example".parse().unwrap(), "mysecret").unwrap();
    let round_trip = || {
        let Forwarded::Srs0(srs) = rewriter.forward(black_box(SENDER), now) else {
            panic!("rewritten");
        };
        let Reversed::Valid { address, .. } = rewriter.reverse(&srs, now) else {
            panic!("valid");
        };
        black_box(address);
    };
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"mysecret");
    let floor = || {
        for _ in 0..2 {
            black_box(hmac::sign(&key, black_box(b"g3example.comalice")));
        }
    };
    // The work grows with the address and no faster.
    for length in [16, 32, 64, 128] {
        let sender = format!("{}@example.com", "a".repeat(length));
        let (time, allocations) = harness::measure(|| rewriter.forward(black_box(&sender), now));
        println!(
            "srs forward, local part of {length:<4} {time:8.0} ns {allocations:4} allocations"
        );
    }
    let allocations = harness::allocations(round_trip);
    // The quietest of five rounds counts.
    let rounds = (0..5).map(|_| {
        let times = harness::race(Duration::from_millis(150), &[&round_trip, &floor]);
        let [ours, floor] = times.as_slice() else {
            panic!("two candidates");
        };
        (ours.ratio(floor), ours.median(), floor.median())
    });
    let (ratio, ours, floor) = rounds
        .min_by(|one, other| one.0.total_cmp(&other.0))
        .expect("five rounds");
    println!("srs forward + reverse  {ours:8.0} ns");
    println!("two HMAC-SHA1          {floor:8.0} ns");
    println!("ratio                  {ratio:8.2} (at most {MAXIMUM_RATIO})");
    println!("allocations            {allocations:8} (two results)");
    assert_eq!(allocations, 2, "only the results are allocated");
    assert!(ratio <= MAXIMUM_RATIO, "too slow");
}
