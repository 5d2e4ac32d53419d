//! Turns what an observer is told into counters, as a server would for its metrics.
//!
//! Verifies a message that comes with it several times, through a cache, and prints what was counted
//! on both sides of the cache in the text format that many monitoring systems read.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use mailproof::dkim::Verification;
use mailproof::dns::{Cache, Observed, Question, Zone, block_on};
use mailproof::verdict::LimitHit;
use mailproof::verifier::Observer;
use mailproof::{Message, Session, Verdict, Verifier};

/// Counts by metric and label.
struct Counters {
    start: Instant,
    /// Which side of the cache the look-ups are counted on.
    side: &'static str,
    counts: Mutex<BTreeMap<String, u64>>,
}

impl Counters {
    fn new(side: &'static str) -> Arc<Self> {
        Arc::new(Self {
            start: Instant::now(),
            side,
            counts: Mutex::default(),
        })
    }

    fn add(&self, key: String, amount: u64) {
        *self.counts.lock().unwrap().entry(key).or_default() += amount;
    }

    fn print(&self) {
        for (key, count) in self.counts.lock().unwrap().iter() {
            println!("{key} {count}");
        }
    }
}

impl Observer for Counters {
    fn now(&self) -> Option<Duration> {
        Some(self.start.elapsed())
    }

    fn lookup(&self, question: &Question, elapsed: Option<Duration>) {
        let Self { side, .. } = self;
        let (record_type, answer) = (question.record_type, &question.answer);
        self.add(
            format!("lookups{{side=\"{side}\",type=\"{record_type}\",answer=\"{answer}\"}}"),
            1,
        );
        let elapsed = elapsed.unwrap_or_default().as_nanos();
        self.add(
            format!("lookup_nanoseconds{{side=\"{side}\"}}"),
            elapsed.try_into().unwrap_or(u64::MAX),
        );
    }

    fn signature(&self, verification: &Verification) {
        self.add(
            format!("signatures{{result=\"{}\"}}", verification.result()),
            1,
        );
    }

    fn limit(&self, limit: &LimitHit) {
        self.add(format!("limits{{limit=\"{limit}\"}}"), 1);
    }

    fn verdict(&self, verdict: &Verdict) {
        let (result, action) = (verdict.dmarc().result(), verdict.action());
        self.add(
            format!("verdicts{{dmarc=\"{result}\",action=\"{action}\"}}"),
            1,
        );
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let upstream = Counters::new("network");
    let server = Counters::new("verifier");
    let start = Instant::now();
    let zone = Zone::from_text(include_bytes!("data/forwarded.zone"))?;
    let counters = Arc::clone(&upstream);
    let network = Observed::new(zone, move |question, elapsed| {
        counters.lookup(question, elapsed);
    })
    .clock(move || start.elapsed());
    let cache = Cache::new(network, move || start.elapsed());
    let verifier = Verifier::new(cache).observed_by(Arc::clone(&server));

    let helo = "mail-b.outbound.protection.outlook.com";
    let mail_from = "Verteilername+SRS=y1OwP=BF=firma-a.tld=userA@firma-b.tld";
    let session = Session::new([104, 47, 11, 20].into(), helo, mail_from);
    let message = Message::parse(include_bytes!("data/forwarded.eml"));
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_684_227_600);
    for _ in 0..10 {
        block_on(verifier.at(now).verify(&session, &message));
    }
    server.print();
    upstream.print();
    Ok(())
}
