//! Answers that are at hand: from the cache, with and without a recording around it, future included.
//!
//! Prints nanoseconds, and holds that none of it allocates.

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mailproof::dns::{Cache, Name, Recording, Resolver, Zone, block_on};

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
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const NAMES: usize = 10_000;

/// A cached answer may cost this much at most.
const MAXIMUM: f64 = 1_000.0;

fn main() {
    let mut zone = Zone::new();
    let names: Vec<Name> = (0..NAMES)
        .map(|number| {
            let name = format!("selector{number}._domainkey.example.com");
            zone.add_txt(&name, "v=DKIM1; k=ed25519; p=").unwrap();
            name.parse().unwrap()
        })
        .collect();
    let start = Instant::now();
    let cache = Cache::new(&zone, move || start.elapsed());
    let ask = |resolver: &dyn Resolver, name: &Name| {
        black_box(block_on(resolver.txt(black_box(name)))).unwrap();
    };
    names.iter().for_each(|name| ask(&cache, name));

    let in_memory = median(|| ask(&zone, &names[0]));
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    ask(&cache, &names[0]);
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    let cached = median(|| ask(&cache, &names[0]));
    let mut next = 0;
    let scattered = median(|| {
        next = (next + 7_919) % NAMES;
        ask(&cache, &names[next]);
    });
    let recorded = median(|| ask(&Recording::new(&cache), &names[0]));
    println!("from a zone                    {in_memory:7.0} ns");
    println!("from the cache                 {cached:7.0} ns, {allocations} allocation(s)");
    println!("from the cache, any of {NAMES}   {scattered:7.0} ns");
    println!("the same through a recording   {recorded:7.0} ns");
    assert!(allocations == 0, "{allocations} allocations");
    assert!(cached <= MAXIMUM, "{cached} ns");
}

/// Nanoseconds of one run: the median of 101 batches.
fn median(mut run: impl FnMut()) -> f64 {
    const BATCH: u32 = 1_000;
    let mut times: Vec<Duration> = (0..101)
        .map(|_| {
            let start = Instant::now();
            (0..BATCH).for_each(|_| run());
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1e9 / f64::from(BATCH)
}
