//! The same work done by mailproof, by its peers, and by the bare crypto library as the floor.
//!
//! `cargo run --release [-- WORD ...]` prints the rows that have all the words. All candidates of a row
//! take turns, so the ratios hold on a busy machine, and the times do not. With `--ours` only our
//! part is run, many times, for profilers to watch.

#[path = "../../harness/mod.rs"]
mod harness;

mod dkim;
mod mails;
mod others;
mod peer;

use std::time::Duration;

/// A row of the table: a piece of work, and those who do it.
struct Row<'a> {
    name: &'a str,
    ours: &'a dyn Fn(),
    peer: &'a dyn Fn(),
    floor: Option<&'a dyn Fn()>,
}

fn main() {
    let arguments = std::env::args().skip(1);
    let (options, words): (Vec<String>, _) = arguments.partition(|word| word.starts_with("--"));
    let mut table = Table::new(words, options.iter().any(|option| option == "--ours"));
    dkim::rows(&mut table);
    others::rows(&mut table);
    table.finish();
}

/// Runs rows and prints them.
struct Table {
    words: Vec<String>,
    ours_only: bool,
    behind: Vec<String>,
}

impl Table {
    fn new(words: Vec<String>, ours_only: bool) -> Self {
        println!(
            "{:45} {:>10} {:>10} {:>10} | {:>8} {:>8} | {:>8} {:>8} | {:>6} {:>6}",
            "",
            "ours us",
            "peer us",
            "floor us",
            "x floor",
            "(best)",
            "x peer",
            "(best)",
            "allocs",
            "peer's"
        );
        Self {
            words,
            ours_only,
            behind: Vec::new(),
        }
    }

    /// Whether anybody wants to see the row.
    fn wants(&self, name: &str) -> bool {
        let words: Vec<&str> = name.split_whitespace().collect();
        self.words.iter().all(|word| words.contains(&word.as_str()))
    }

    fn run(&mut self, row: &Row<'_>) {
        if !self.wants(row.name) {
            return;
        }
        if self.ours_only {
            return (0..5_000).for_each(|_| (row.ours)());
        }
        let candidates: Vec<&dyn Fn()> =
            [row.ours, row.peer].into_iter().chain(row.floor).collect();
        let times = harness::race(TIME, &candidates);
        let [ours, peer, rest @ ..] = times.as_slice() else {
            return;
        };
        let floor = rest.first();
        let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".into());
        println!(
            "{:45} {:10.2} {:10.2} {:>10} | {:>8} {:>8} | {:8.3} {:8.3} | {:6} {:6}",
            row.name,
            ours.median() / 1e3,
            peer.median() / 1e3,
            or_dash(floor.map(|floor| format!("{:.2}", floor.median() / 1e3))),
            or_dash(floor.map(|floor| format!("{:.3}", ours.ratio(floor)))),
            or_dash(floor.map(|floor| format!("{:.3}", ours.best() / floor.best()))),
            ours.ratio(peer),
            ours.best() / peer.best(),
            harness::allocations(row.ours),
            harness::allocations(row.peer),
        );
        if ours.ratio(peer) > 1.0 {
            self.behind.push(row.name.into());
        }
    }

    fn finish(&self) {
        println!("\nbehind the peer: {:?}", self.behind);
    }
}

/// For each row.
const TIME: Duration = Duration::from_millis(250);
