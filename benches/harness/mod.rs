//! Times for benches: medians of many runs of candidates that take turns, and counted allocations.
//!
//! Machines are busy and clocks change. What is compared therefore runs in turns, a batch each, so
//! that a busy moment is a busy moment for all.

#![allow(dead_code, reason = "no bench needs all of it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Counts while it is told to: four atomic operations for each allocation are a tenth of the time of work
/// that allocates much.
struct Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);
/// What was allocated and not given back since counting began, less what was given back of before.
static HELD: AtomicIsize = AtomicIsize::new(0);
static PEAK: AtomicIsize = AtomicIsize::new(0);

impl Counting {
    fn grow(size: usize) {
        if COUNTS.load(Ordering::Relaxed) {
            let size = size as isize;
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
            let held = HELD.fetch_add(size, Ordering::Relaxed) + size;
            PEAK.fetch_max(held, Ordering::Relaxed);
        }
    }

    fn shrink(size: usize) {
        if COUNTS.load(Ordering::Relaxed) {
            HELD.fetch_sub(size as isize, Ordering::Relaxed);
        }
    }
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::grow(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Self::shrink(layout.size());
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::shrink(layout.size());
        Self::grow(size);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `work` allocates, a second time.
pub fn allocations<T>(work: impl FnMut() -> T) -> usize {
    count(work).0
}

/// How many octets `work` holds at most, at a second run.
pub fn peak<T>(work: impl FnMut() -> T) -> usize {
    count(work).1
}

fn count<T>(mut work: impl FnMut() -> T) -> (usize, usize) {
    drop(work());
    ALLOCATIONS.store(0, Ordering::Relaxed);
    HELD.store(0, Ordering::Relaxed);
    PEAK.store(0, Ordering::Relaxed);
    COUNTS.store(true, Ordering::Relaxed);
    let result = work();
    let allocations = ALLOCATIONS.load(Ordering::Relaxed);
    drop(result);
    COUNTS.store(false, Ordering::Relaxed);
    (allocations, PEAK.load(Ordering::Relaxed) as usize)
}

/// Whether benches are to run: `cargo test` starts them as well, and then once is enough.
pub fn is_bench() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// What one piece of work costs: median nanoseconds, and allocations.
pub fn measure<T>(mut work: impl FnMut() -> T) -> (f64, usize) {
    let count = allocations(&mut work);
    let mut work = || drop(black_box(work()));
    let calls = calls_in(BATCH, &mut work);
    let times = (0..ROUNDS).map(|_| run(calls, &mut work)).collect();
    (median(times), count)
}

/// Nanoseconds per call of one candidate.
pub struct Times(Vec<f64>);

impl Times {
    /// The middle one.
    pub fn median(&self) -> f64 {
        median(self.0.clone())
    }

    /// The quickest one: what the work costs where nobody disturbs.
    pub fn best(&self) -> f64 {
        self.0.iter().copied().fold(f64::INFINITY, f64::min)
    }

    /// The middle one of the ratios to another candidate, turn by turn.
    pub fn ratio(&self, other: &Self) -> f64 {
        let pairs = self.0.iter().zip(&other.0);
        median(pairs.map(|(one, other)| one / other).collect())
    }
}

/// Runs the candidates in turns, for about `time` all in all. Batches are short, so that many of them
/// pass undisturbed, but long enough that what the others left in the caches does not matter.
pub fn race(time: Duration, candidates: &[&dyn Fn()]) -> Vec<Times> {
    let batches: Vec<u32> = candidates
        .iter()
        .map(|work| calls_in(TURN, &mut || work()))
        .collect();
    let mut times: Vec<Times> = candidates.iter().map(|_| Times(Vec::new())).collect();
    let start = Instant::now();
    for round in 0.. {
        if round >= LEAST_ROUNDS && start.elapsed() > time {
            break;
        }
        for ((work, calls), times) in candidates.iter().zip(&batches).zip(&mut times) {
            times.0.push(run(*calls, &mut || work()));
        }
    }
    times
}

/// How many calls take about as many seconds.
fn calls_in(seconds: f64, work: &mut dyn FnMut()) -> u32 {
    work();
    let mut calls = 1;
    loop {
        let each = run(calls, work) / 1e9;
        if each * f64::from(calls) > seconds / 8.0 || calls > 1 << 20 {
            return (seconds / each).max(1.0) as u32;
        }
        calls *= 4;
    }
}

fn run(calls: u32, work: &mut dyn FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..calls {
        work();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(calls)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The octets that some base64 stands for.
pub fn base64(text: &str) -> Vec<u8> {
    let value = |octet: u8| match octet {
        b'A'..=b'Z' => octet - b'A',
        b'a'..=b'z' => octet - b'a' + 26,
        b'0'..=b'9' => octet - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut out = Vec::new();
    for group in text.trim_end_matches('=').as_bytes().chunks(4) {
        let bits = group
            .iter()
            .fold(0_u32, |bits, octet| bits << 6 | u32::from(value(*octet)));
        let bits = bits << (6 * (4 - group.len()));
        let octets = bits.to_be_bytes();
        out.extend_from_slice(&octets[1..group.len()]);
    }
    out
}

/// Seconds that a batch takes of work that runs alone.
const BATCH: f64 = 0.000_3;

/// Seconds that a batch takes of one candidate among others.
const TURN: f64 = 0.003;

/// Batches of work that runs alone.
const ROUNDS: usize = 201;

/// Turns of each candidate, however long they take.
const LEAST_ROUNDS: u32 = 15;
