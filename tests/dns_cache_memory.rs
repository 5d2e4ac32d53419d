//! The cache's own reckoning of its memory against what the allocator hands out.

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mailproof::dns::{Cache, Lookup, LookupError, Mx, Name, Outcome, Resolver, Txt, block_on};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all work is the system allocator's; only sizes are counted here.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Answers of many sizes and types, for every name.
struct Plenty;

fn seed(name: &Name) -> usize {
    name.as_str().bytes().fold(7, |seed: usize, octet| {
        seed.wrapping_mul(31).wrapping_add(usize::from(octet))
    })
}

fn kept<T>(records: Vec<T>) -> Lookup<'static, T> {
    Lookup::ready(Ok(
        Outcome::records(records).with_ttl(Duration::from_secs(60))
    ))
}

impl Resolver for Plenty {
    fn txt<'a>(&'a self, name: &'a Name) -> Lookup<'a, Txt> {
        let seed = seed(name);
        kept(
            (0..seed % 5)
                .map(|n| Txt::new(vec![b'x'; seed % 997 * n]))
                .collect(),
        )
    }

    fn a<'a>(&'a self, name: &'a Name) -> Lookup<'a, Ipv4Addr> {
        kept(vec![Ipv4Addr::LOCALHOST; seed(name) % 50])
    }

    fn aaaa<'a>(&'a self, _: &'a Name) -> Lookup<'a, Ipv6Addr> {
        Lookup::ready(Err(LookupError::Refused))
    }

    fn mx<'a>(&'a self, name: &'a Name) -> Lookup<'a, Mx> {
        let mx = |n| {
            let exchange = format!("mx{n}.{name}").parse().expect("a name");
            Mx {
                preference: n,
                exchange,
            }
        };
        kept(
            (0..u16::try_from(seed(name) % 20).expect("a few"))
                .map(mx)
                .collect(),
        )
    }

    fn ptr<'a>(&'a self, name: &'a Name) -> Lookup<'a, Name> {
        kept(vec![name.clone()])
    }
}

#[test]
fn the_reckoning_covers_the_memory() {
    let name = |number| {
        format!("n{number}.example")
            .parse::<Name>()
            .expect("a name")
    };
    for bytes in [256 << 10, 4 << 20] {
        let before = LIVE.load(Ordering::Relaxed);
        let cache = Cache::new(Plenty, || Duration::ZERO).max_bytes(bytes);
        let mut highest = 0;
        for number in 0..20_000 {
            let name = name(number);
            let asked = [
                block_on(cache.txt(&name)).is_ok(),
                block_on(cache.a(&name)).is_ok(),
                block_on(cache.mx(&name)).is_ok(),
                block_on(cache.ptr(&name)).is_ok(),
            ];
            assert_eq!(asked, [true; 4]);
            let live = LIVE.load(Ordering::Relaxed) - before;
            highest = highest.max(live);
            // 16 KiB for the cache's frame and the names of this step.
            assert!(live <= bytes + (16 << 10), "{live} of {bytes} at {number}");
        }
        assert!(highest >= bytes / 2, "only {highest} of {bytes} are used");
    }
}
