//! What a long message holds while it streams by, and what two threads do at once.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use mailproof::dkim::Canonicalization;
use mailproof::dns::block_on;
use mailproof::{Message, Session, Verifier, dkim};

use crate::dkim::{Case, now};
use crate::keys::Key;
use crate::{Table, harness, mails};

pub fn lines(table: &Table) {
    if table.wants_line("memory") {
        memory();
    }
    if table.wants_line("threads") {
        threads();
    }
}

/// 100 MiB in chunks of 64 KiB, for two signatures of both forms.
fn memory() {
    let case = Case::new(&Key::rsa_2048(), Canonicalization::Relaxed, b"", 2);
    let chunk = mails::body("html", 64 << 10);
    let verifier = Verifier::new(case.zone());
    let verifier = verifier.at(now());
    let session = Session::new(
        [192, 0, 2, 41].into(),
        "mail.example.com",
        "alice@example.com",
    );
    let peak = harness::peak(|| {
        let message = Message::parse(&case.message);
        let (lookups, mut body) = verifier.begin(&session, message.head());
        for _ in 0..1_600 {
            body.update(black_box(&chunk));
        }
        let answers = block_on(lookups.run(case.zone()));
        verifier.finish(answers, body.finish())
    });
    println!("memory: {peak} octets at most for a message of 100 MiB");
}

/// Messages per second of one thread and of two.
fn threads() {
    let body = mails::body("text", 10 << 10);
    let case = Case::new(&Key::rsa_2048(), Canonicalization::Relaxed, &body, 1);
    let zone = case.zone();
    let settings = dkim::Settings::default();
    let ours = || {
        let message = Message::parse(black_box(&case.message));
        black_box(block_on(dkim::verify_message(
            &zone,
            &message,
            now(),
            &settings,
        )));
    };
    let mut rounds: Vec<(f64, f64)> = (0..9)
        .map(|_| (scaling(&ours), scaling(&|| case.floor())))
        .collect();
    let mut middle = |pick: fn(&(f64, f64)) -> f64| {
        rounds.sort_by(|one, other| pick(one).total_cmp(&pick(other)));
        pick(&rounds[rounds.len() / 2])
    };
    println!(
        "threads: two do {:.2} times the work of one; the floor {:.2}; ratio {:.2}",
        middle(|round| round.0),
        middle(|round| round.1),
        middle(|round| round.0 / round.1)
    );
}

/// How much more two threads do than one.
fn scaling(work: &(impl Fn() + Sync)) -> f64 {
    const TIMES: u32 = 400;
    let run = || (0..TIMES).for_each(|_| work());
    let start = Instant::now();
    run();
    let one = start.elapsed();
    let start = Instant::now();
    thread::scope(|scope| {
        scope.spawn(run);
        scope.spawn(run);
    });
    2.0 * one.as_secs_f64() / start.elapsed().as_secs_f64()
}
