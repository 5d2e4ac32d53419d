//! What is counted, and how.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};

use mailproof::dns::{Lookup, Mx, Name, Outcome, Resolver, Txt};

/// Counts the octets of each thread, as tests run beside each other.
struct Allocator;

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all work is the system allocator's; only sizes are counted here.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that is ending counts no more.
        let _ = LIVE.try_with(|live| {
            live.set(live.get().saturating_add(layout.size()));
            PEAK.with(|peak| peak.set(peak.get().max(live.get())));
        });
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let _ = LIVE.try_with(|live| live.set(live.get().saturating_sub(layout.size())));
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

/// What comes of the work, and the most octets it held at once.
pub fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.get();
    PEAK.set(before);
    let output = work();
    (output, PEAK.get() - before)
}

/// Counts what is asked.
pub struct Counting<R> {
    resolver: R,
    asked: AtomicUsize,
}

impl<R: Resolver> Counting<R> {
    pub fn new(resolver: R) -> Self {
        Self {
            resolver,
            asked: AtomicUsize::new(0),
        }
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn count(&self) -> &R {
        self.asked.fetch_add(1, Ordering::Relaxed);
        &self.resolver
    }
}

impl<R: Resolver> Resolver for Counting<R> {
    fn txt<'a>(&'a self, name: &'a Name) -> Lookup<'a, Txt> {
        self.count().txt(name)
    }

    fn a<'a>(&'a self, name: &'a Name) -> Lookup<'a, Ipv4Addr> {
        self.count().a(name)
    }

    fn aaaa<'a>(&'a self, name: &'a Name) -> Lookup<'a, Ipv6Addr> {
        self.count().aaaa(name)
    }

    fn mx<'a>(&'a self, name: &'a Name) -> Lookup<'a, Mx> {
        self.count().mx(name)
    }

    fn ptr<'a>(&'a self, name: &'a Name) -> Lookup<'a, Name> {
        self.count().ptr(name)
    }
}

/// Knows every name. Its TXT records ask for more, where `NAME` stands for the name asked; of hosts
/// and addresses it has as many as an answer can carry.
pub struct Plenty(pub &'static str);

fn many<T>(records: impl Iterator<Item = T>) -> Lookup<'static, T> {
    Lookup::ready(Ok(Outcome::records(records.collect::<Vec<T>>())))
}

impl Resolver for Plenty {
    fn txt<'a>(&'a self, name: &'a Name) -> Lookup<'a, Txt> {
        let record = match name.as_str() {
            policy if policy.starts_with("_dmarc.") => "v=DMARC1; p=reject".into(),
            key if key.contains("._domainkey.") => "v=DKIM1; p=".into(),
            name => self.0.replace("NAME", name),
        };
        many([Txt::new(record)].into_iter())
    }

    fn a<'a>(&'a self, _: &'a Name) -> Lookup<'a, Ipv4Addr> {
        many((1_000..5_000).map(Ipv4Addr::from_bits))
    }

    fn aaaa<'a>(&'a self, _: &'a Name) -> Lookup<'a, Ipv6Addr> {
        many((1_000..2_000).map(Ipv6Addr::from_bits))
    }

    fn mx<'a>(&'a self, name: &'a Name) -> Lookup<'a, Mx> {
        many((0..10).map(move |preference| Mx {
            preference,
            exchange: format!("m{preference}.{name}").parse().unwrap(),
        }))
    }

    fn ptr<'a>(&'a self, _: &'a Name) -> Lookup<'a, Name> {
        many((0..3_000).map(|number| format!("p{number}.example").parse().unwrap()))
    }
}
