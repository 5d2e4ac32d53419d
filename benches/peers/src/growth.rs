//! What twice the input costs: fields, signatures, names in `h=`, body.

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use mailproof::Message;
use mailproof::crypto::HashAlgorithm;
use mailproof::dkim::{self, BodyHasher, Canonicalization, Settings};

use crate::{Table, harness, mails};

pub fn lines(table: &Table) {
    if !table.wants_line("growth") {
        return;
    }
    let settings = settings();
    let collect = |mail: &[u8]| {
        let message = Message::parse(black_box(mail));
        let author = message.head().author();
        let collected = dkim::Collected::read(
            message.head(),
            author.domain(),
            SystemTime::now(),
            &settings,
        );
        assert!(!collected.key_names().is_empty());
    };
    line("header fields", 500, |count| {
        let fields: String = (0..count)
            .map(|n| format!("X-Field-{n}: value\r\n"))
            .collect();
        let mail = [&signature("From"), fields.as_str(), FROM].concat();
        move || collect(mail.as_bytes())
    });
    line("names in h=", 500, |count| {
        let names: String = (0..count).map(|n| format!(":X-Field-{n}")).collect();
        let fields: String = (0..count)
            .map(|n| format!("X-Field-{n}: value\r\n"))
            .collect();
        let mail = [&signature(&format!("From{names}")), fields.as_str(), FROM].concat();
        move || collect(mail.as_bytes())
    });
    line("signatures", 16, |count| {
        let mail = [&signature("From").repeat(count), FROM].concat();
        move || collect(mail.as_bytes())
    });
    line("octets of body", 1 << 17, |count| {
        let body = mails::body("html", count);
        move || {
            let mut hasher =
                BodyHasher::new().with_hash(HashAlgorithm::Sha256, Canonicalization::Relaxed, None);
            hasher.update(black_box(&body));
            black_box(hasher.finish());
        }
    });
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.max_signatures = 1_000;
    settings.max_signed_fields = 100_000;
    settings.max_signature_octets = 10_000_000;
    settings
}

const FROM: &str = "From: a@example.com\r\n\r\n";

fn signature(names: &str) -> String {
    format!(
        "DKIM-Signature: v=1; a=ed25519-sha256; d=example.com; s=s; h={names};\r\n \
         b=AAAA; bh=Ba3gj8+xBPQLJTahTfzW6RbWQ/XPgESxkCi2B66PSQg=\r\n"
    )
}

/// The time for `count`, twice, four and eight times as much, each against the one before.
fn line<W: Fn()>(name: &str, count: usize, work: impl Fn(usize) -> W) {
    let works: Vec<W> = (0..4).map(|doublings| work(count << doublings)).collect();
    let candidates: Vec<&dyn Fn()> = works.iter().map(|work| work as &dyn Fn()).collect();
    let times = harness::race(Duration::from_millis(400), &candidates);
    print!(
        "growth: {count} {name} {:8.1} us, doubled",
        times[0].median() / 1e3
    );
    for pair in times.windows(2) {
        print!(" x {:.2}", pair[1].ratio(&pair[0]));
    }
    println!();
}
