//! Answers that are at hand: from the cache, with and without a recording around it, future included.
//!
//! Prints nanoseconds, and holds that none of it allocates.

mod harness;

use std::hint::black_box;
use std::time::Instant;

use mailproof::dns::{Cache, Name, Recording, Resolver, Zone, block_on};

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

    let (in_memory, _) = harness::measure(|| ask(&zone, &names[0]));
    let (cached, allocations) = harness::measure(|| ask(&cache, &names[0]));
    let mut next = 0;
    let (scattered, _) = harness::measure(|| {
        next = (next + 7_919) % NAMES;
        ask(&cache, &names[next]);
    });
    let (recorded, _) = harness::measure(|| ask(&Recording::new(&cache), &names[0]));
    println!("from a zone                    {in_memory:7.0} ns");
    println!("from the cache                 {cached:7.0} ns, {allocations} allocation(s)");
    println!("from the cache, any of {NAMES}   {scattered:7.0} ns");
    println!("the same through a recording   {recorded:7.0} ns");
    assert!(allocations == 0, "{allocations} allocations");
    assert!(cached <= MAXIMUM, "{cached} ns");
}
