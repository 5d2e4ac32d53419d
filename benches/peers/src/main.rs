//! The same work done by mailproof, by a peer, by a naive twin and by the bare crypto library as the
//! floor, all on one crypto library.
//!
//! `cargo run --release [-- WORD ...]` prints the rows that have all the words. All candidates of a row
//! take turns, so the ratios hold on a busy machine, and the times do not. With `--ours=N`, `--peer=N`
//! or `--floor=N` only that candidate is run, N times, for profilers to watch.

#[path = "../../harness/mod.rs"]
mod harness;

#[cfg(feature = "aws-lc-rs")]
use aws_lc_rs as library;
#[cfg(not(feature = "aws-lc-rs"))]
use ring as library;

mod arc;
mod dkim;
mod dmarc;
mod growth;
mod header;
mod keys;
mod mails;
mod naive;
mod peer;
mod pipeline;
mod records;
mod spf;
mod srs;
mod streams;

use std::time::Duration;

use mailproof::dns::Zone;

use crate::peer::Data;

fn main() {
    let arguments = std::env::args().skip(1);
    let (options, words): (Vec<String>, _) = arguments.partition(|word| word.starts_with("--"));
    let only = options.first().and_then(|option| option.split_once('='));
    let only = only.map(|(who, times)| (who.to_owned(), times.parse().expect("a number")));
    let mut table = Table::new(words, only);
    dkim::rows(&mut table);
    arc::rows(&mut table);
    header::rows(&mut table);
    records::rows(&mut table);
    pipeline::rows(&mut table);
    spf::rows(&mut table);
    dmarc::rows(&mut table);
    srs::rows(&mut table);
    growth::lines(&table);
    streams::lines(&table);
    table.finish();
}

/// A row of the table: a piece of work, and those who do it.
struct Row<'a> {
    name: &'a str,
    ours: &'a dyn Fn(),
    peer: Option<&'a dyn Fn()>,
    twin: Option<&'a dyn Fn()>,
    floor: Option<&'a dyn Fn()>,
}

impl<'a> Row<'a> {
    fn new(name: &'a str, ours: &'a dyn Fn()) -> Self {
        Self {
            name,
            ours,
            peer: None,
            twin: None,
            floor: None,
        }
    }

    /// Another library.
    fn peer(mut self, work: &'a dyn Fn()) -> Self {
        self.peer = Some(work);
        self
    }

    /// The same written without a thought of speed.
    fn twin(mut self, work: &'a dyn Fn()) -> Self {
        self.twin = Some(work);
        self
    }

    /// What cannot be done without.
    fn floor(mut self, work: &'a dyn Fn()) -> Self {
        self.floor = Some(work);
        self
    }
}

/// Runs rows and prints them.
struct Table {
    words: Vec<String>,
    /// One candidate by its option, and how often it is to run.
    only: Option<(String, u32)>,
    behind: Vec<String>,
}

impl Table {
    fn new(words: Vec<String>, only: Option<(String, u32)>) -> Self {
        if only.is_none() {
            Self::print_head();
        }
        Self {
            words,
            only,
            behind: Vec::new(),
        }
    }

    fn print_head() {
        println!(
            "{:45} {:>10} | {:>8} {:>8} | {:>8} {:>8} | {:>8} | {:>6} {:>6} {:>6} | {:>10} {:>10} {:>10}",
            peer::NAME,
            "ours us",
            "x floor",
            "(best)",
            "x peer",
            "(best)",
            "x twin",
            "allocs",
            "peer's",
            "floor's",
            "peak",
            "peer's",
            "floor's"
        );
    }

    /// Whether anybody wants to see what is no row.
    fn wants_line(&self, name: &str) -> bool {
        self.only.is_none() && self.wants(name)
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
        if let Some((who, times)) = &self.only {
            let work = match who.as_str() {
                "--ours" => Some(row.ours),
                "--peer" => row.peer,
                _ => row.floor,
            };
            let work = work.expect("somebody to do it");
            return (0..*times).for_each(|_| work());
        }
        let others = [row.floor, row.peer, row.twin];
        let candidates: Vec<&dyn Fn()> = std::iter::once(row.ours)
            .chain(others.into_iter().flatten())
            .collect();
        let times = harness::race(TIME, &candidates);
        let mut times = times.iter();
        let Some(ours) = times.next() else {
            return;
        };
        let [floor, peer, twin] = others.map(|other| other.and_then(|_| times.next()));
        let or_dash = |value: Option<String>| value.unwrap_or_else(|| "-".into());
        let ratio =
            |to: Option<&harness::Times>| or_dash(to.map(|to| format!("{:.3}", ours.ratio(to))));
        let best = |to: Option<&harness::Times>| {
            or_dash(to.map(|to| format!("{:.3}", ours.best() / to.best())))
        };
        let allocations = |work: Option<&dyn Fn()>| {
            or_dash(work.map(|work| harness::allocations(work).to_string()))
        };
        let peak =
            |work: Option<&dyn Fn()>| or_dash(work.map(|work| harness::peak(work).to_string()));
        println!(
            "{:45} {:10.2} | {:>8} {:>8} | {:>8} {:>8} | {:>8} | {:>6} {:>6} {:>6} | {:>10} {:>10} {:>10}",
            row.name,
            ours.median() / 1e3,
            ratio(floor),
            best(floor),
            ratio(peer),
            best(peer),
            ratio(twin),
            allocations(Some(row.ours)),
            allocations(row.peer),
            allocations(row.floor),
            peak(Some(row.ours)),
            peak(row.peer),
            peak(row.floor),
        );
        if peer.is_some_and(|peer| ours.ratio(peer) > 1.0) {
            self.behind.push(row.name.into());
        }
    }

    fn finish(&self) {
        if self.only.is_some() {
            return;
        }
        println!("\nbehind the peer: {:?}", self.behind);
    }
}

/// For each row.
const TIME: Duration = Duration::from_millis(250);

/// Our resolver with these records.
fn zone(records: &[(String, Data)]) -> Zone {
    let mut zone = Zone::new();
    for (name, data) in records {
        match data {
            Data::A(address) => zone.add_address(name, (*address).into()),
            Data::Mx(exchange) => zone.add_mx(name, 10, exchange),
            Data::Txt(text) => zone.add_txt(name, text),
        }
        .unwrap();
    }
    zone
}
