//! A short run of every target without a fuzzer: octets at random, words of the protocol strung
//! together, and the corpus cut, spliced and changed. Fails for a panic, for an input that takes too
//! long, and for one allocation of more than 64 MiB.
//!
//! `MAILPROOF_INPUTS` is the number of inputs for each target; the slow checks give a million.
//! `MAILPROOF_TARGETS` names those to run, or the beginnings of their names, with spaces between.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mailproof_fuzz::{TARGETS, Target};

struct Watching;

static LARGEST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all work is the system allocator's; only sizes are looked at here.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

const LARGEST_ALLOCATION: usize = 64 << 20;

/// As much as the fuzzer allows.
const LONGEST: Duration = Duration::from_secs(1);

/// Before an input counts as slow: other programs may be in the way.
const TRIES: usize = 5;

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: PathBuf) -> Vec<PathBuf> {
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder:?}: {error}"));
    let mut files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

/// The words of the dictionary whose name begins the target's, else those of messages.
fn words(target: &str) -> Vec<Vec<u8>> {
    let dictionaries = files(folder().join("dictionaries"));
    let stem = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    let own = dictionaries
        .iter()
        .find(|path| target.starts_with(&stem(path)));
    let general = dictionaries.iter().find(|path| stem(path) == "message");
    let text = fs::read_to_string(own.or(general).unwrap()).unwrap();
    let quoted = text
        .lines()
        .filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    quoted.map(unescaped).collect()
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        match octet {
            b'\\' => match octets.next().unwrap() {
                b'x' => {
                    let digits = [octets.next().unwrap(), octets.next().unwrap()];
                    let digits = std::str::from_utf8(&digits).unwrap();
                    out.push(u8::from_str_radix(digits, 16).unwrap());
                }
                other => out.push(other),
            },
            octet => out.push(octet),
        }
    }
    out
}

/// xorshift64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap();
        usize::try_from(self.next() % bound).unwrap()
    }

    fn octet(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn pick<'a>(&mut self, from: &'a [Vec<u8>]) -> &'a [u8] {
        from.get(self.below(from.len())).map_or(&[], Vec::as_slice)
    }
}

fn input(random: &mut Random, words: &[Vec<u8>], seeds: &[Vec<u8>]) -> Vec<u8> {
    match random.below(4) {
        0 => (0..random.below(200)).map(|_| random.octet()).collect(),
        1 => {
            let mut out = Vec::new();
            for _ in 0..random.below(24) {
                match random.below(8) {
                    0 => out.push(random.octet()),
                    1 => out.push(b" \t;=:.,@\r\n"[random.below(10)]),
                    _ => out.extend_from_slice(random.pick(words)),
                }
            }
            out
        }
        _ => {
            let mut out = random.pick(seeds).to_vec();
            for _ in 0..=random.below(6) {
                change(&mut out, random, words, seeds);
            }
            out
        }
    }
}

fn change(out: &mut Vec<u8>, random: &mut Random, words: &[Vec<u8>], seeds: &[Vec<u8>]) {
    let at = random.below(out.len() + 1);
    let to = (at + random.below(40)).min(out.len());
    match random.below(7) {
        0 => out.truncate(at),
        1 => drop(out.drain(at..to)),
        2 => drop(out.splice(at..at, random.pick(words).iter().copied())),
        3 => drop(out.splice(at..to, random.pick(words).iter().copied())),
        4 => {
            let part = out[at..to].to_vec();
            let times = 1 << random.below(6);
            drop(out.splice(at..at, part.repeat(times)));
        }
        5 => {
            let other = random.pick(seeds);
            let from = random.below(other.len() + 1);
            drop(out.splice(at.., other[from..].iter().copied()));
        }
        _ => {
            let octet = random.octet();
            match out.get_mut(at) {
                Some(place) => *place = octet,
                None => out.push(octet),
            }
        }
    }
}

fn run(name: &str, target: Target, inputs: usize) {
    let words = words(name);
    let seeds: Vec<Vec<u8>> = files(folder().join("corpus").join(name))
        .iter()
        .map(|file| fs::read(file).unwrap())
        .collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let begun = Instant::now();
    let mut longest = Duration::ZERO;
    for _ in 0..inputs {
        let input = input(&mut random, &words, &seeds);
        let outcome = catch_unwind(AssertUnwindSafe(|| time(target, &input)));
        longest = longest.max(outcome.as_ref().copied().unwrap_or_default());
        let largest = LARGEST.load(Ordering::Relaxed);
        assert!(
            outcome.is_ok() && longest < LONGEST && largest <= LARGEST_ALLOCATION,
            "{name}: {longest:?}, {largest} octets: \"{}\"",
            input.escape_ascii()
        );
    }
    let elapsed = begun.elapsed();
    println!("{name}: {inputs} inputs in {elapsed:.1?}, at most {longest:.1?} for one");
}

/// How long an input takes, by the first try that is quick enough.
fn time(target: Target, input: &[u8]) -> Duration {
    let mut tries = (0..TRIES).map(|_| {
        let begun = Instant::now();
        target(input);
        begun.elapsed()
    });
    tries
        .find(|elapsed| *elapsed < LONGEST)
        .unwrap_or(Duration::MAX)
}

/// The targets are shared out among as many threads as there are processors.
#[test]
fn every_target() {
    let inputs = std::env::var("MAILPROOF_INPUTS");
    let inputs = inputs.map_or(500, |inputs| inputs.parse().unwrap());
    let wanted = std::env::var("MAILPROOF_TARGETS").unwrap_or_default();
    let is_wanted = |name: &str| {
        wanted.is_empty()
            || wanted
                .split(' ')
                .any(|beginning| name.starts_with(beginning))
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some((name, target)) = TARGETS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if is_wanted(name) {
                        run(name, *target, inputs);
                    }
                }
            });
        }
    });
}
