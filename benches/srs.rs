//! Forwarding and reversing one address, against the two HMACs that they cannot do without.
//!
//! Prints nanoseconds, and how much is allocated besides the results.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use mailproof::srs::{Forwarded, Reversed, Rewriter};
use ring::hmac;

struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const SENDER: &str = "alice@example.com";

const MAXIMUM_RATIO: f64 = 1.6;

fn main() {
    let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let rewriter = Rewriter::new("fwd.example".parse().unwrap(), "mysecret").unwrap();
    let round_trip = || {
        let Forwarded::Srs0(srs) = rewriter.forward(black_box(SENDER), now) else {
            panic!("rewritten");
        };
        let Reversed::Valid(valid) = rewriter.reverse(&srs, now) else {
            panic!("valid");
        };
        black_box(valid);
    };
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"mysecret");
    let floor = || {
        for _ in 0..2 {
            black_box(hmac::sign(&key, black_box(b"g3example.comalice")));
        }
    };
    round_trip();
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    round_trip();
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    // Turn about, so that a busy machine is busy for both; the quietest of five rounds counts.
    let rounds = (0..5).map(|_| {
        let pairs: Vec<(f64, f64)> = (0..41).map(|_| (time(&round_trip), time(&floor))).collect();
        let ratio = median(pairs.iter().map(|(ours, floor)| ours / floor).collect());
        let ours = median(pairs.iter().map(|(ours, _)| *ours).collect());
        let floor = median(pairs.iter().map(|(_, floor)| *floor).collect());
        (ratio, ours, floor)
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

/// Nanoseconds per call.
fn time(work: &impl Fn()) -> f64 {
    const CALLS: u32 = 500;
    let start = Instant::now();
    for _ in 0..CALLS {
        work();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
