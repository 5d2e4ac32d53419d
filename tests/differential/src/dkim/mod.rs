//! DKIM: verifying random signed messages, against mail-auth, dkimpy and OpenDKIM's library. The two
//! others are driven as in `.ci/interop-dkim`: a folder of messages and a file of records each time.

mod causes;
mod generate;
mod naive;

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, UNIX_EPOCH};

use mailproof::Message;
use mailproof::crypto::SigningKey;
use mailproof::dkim::{self, KeyRecord, Settings, Verification};
use mailproof::dns::block_on;

use crate::Run;
use crate::mail_auth::{self, Peer};
use crate::random::Random;
use crate::records::{Data, Records};
use crate::tally::{Cause, Comparison};
use generate::Case;

const CASES: usize = 6_000;

/// How many messages a peer is given at once.
const AT_ONCE: usize = 500;

/// How a message is signed.
pub struct Way {
    pub ed25519: bool,
    pub relaxed_header: bool,
    pub relaxed_body: bool,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |relaxed| if relaxed { "relaxed" } else { "simple" };
        write!(
            f,
            "{}/{}",
            word(self.relaxed_header),
            word(self.relaxed_body)
        )
    }
}

pub struct Keys {
    rsa: SigningKey,
    ed25519: SigningKey,
}

impl Keys {
    fn new() -> Self {
        let pem = include_bytes!("../../../generator/keys/firmab.pem");
        Self {
            rsa: SigningKey::from_pem(pem).unwrap(),
            ed25519: SigningKey::ed25519(&[7; 32]).unwrap(),
        }
    }

    fn key(&self, ed25519: bool) -> &SigningKey {
        if ed25519 { &self.ed25519 } else { &self.rsa }
    }

    fn sign(&self, ed25519: bool, octets: &[u8]) -> Vec<u8> {
        // RFC 8463 3: Ed25519 signs the hash.
        let hash = naive::sha256(octets);
        let octets = if ed25519 { &hash } else { octets };
        self.key(ed25519).sign(octets).unwrap()
    }

    /// The value of `p=`.
    fn record(&self, ed25519: bool) -> String {
        let record = KeyRecord::new(self.key(ed25519).verifying_key()).to_string();
        record.split("p=").nth(1).unwrap().to_owned()
    }
}

/// One message, and what both sides make of it.
pub struct Judged {
    pub case: Case,
    pub ours: Vec<Verification>,
    pub theirs: String,
}

impl Judged {
    fn new(case: Case) -> Self {
        let ours = case.judge(&Settings::default());
        Self {
            case,
            ours,
            theirs: String::new(),
        }
    }

    fn describe(&self, number: usize) -> String {
        let causes: Vec<String> = self
            .ours
            .iter()
            .map(|one| one.cause().to_string())
            .collect();
        format!(
            "case {number}: {:?} {} ed25519={} {causes:?} [{}]\n  {:?}\n{}",
            self.case.odd,
            self.case.way,
            self.case.way.ed25519,
            self.theirs,
            self.case.record,
            self.case
                .message
                .escape_ascii()
                .to_string()
                .replace("\\r\\n", "\\r\\n\n    ")
        )
    }
}

impl Case {
    fn records(&self) -> Records {
        let mut records = Records::default();
        if let Some(record) = &self.record {
            let name = format!("{}._domainkey.differential.example", self.selector);
            records.add(&name, Data::Txt(record.clone()));
        }
        records
    }

    fn judge(&self, settings: &Settings) -> Vec<Verification> {
        let message = Message::parse(&self.message);
        let zone = self.records().zone();
        let now = UNIX_EPOCH + Duration::from_secs(generate::NOW);
        block_on(dkim::verify_message(&zone, &message, now, settings))
    }
}

/// What is compared: pass, or not pass; a message with several signatures passes by one.
fn word<'a>(mut results: impl Iterator<Item = &'a str>) -> &'static str {
    if results.any(|word| word == "pass") {
        "pass"
    } else {
        "not pass"
    }
}

pub fn run(run: &Run) -> Vec<Comparison> {
    let keys = Keys::new();
    let mut judged: Vec<Judged> = Vec::new();
    for number in run.cases(CASES) {
        let case = generate::random(&mut Random::of(run.seed, "dkim", number), &keys, number);
        judged.push(Judged::new(case));
    }
    let peer = Peer::new();
    let mut comparisons = vec![compare(
        mail_auth::NAME,
        &mut judged,
        causes::MAIL_AUTH,
        |some| {
            some.iter()
                .map(|one| peer.dkim(&one.case.records(), &one.case.message).join(" "))
                .collect()
        },
    )];
    for (name, variable, causes) in [
        ("dkimpy 1.1.8", "DKIMPY_VERIFY", causes::DKIMPY),
        ("OpenDKIM", "OPENDKIM_VERIFY", causes::OPENDKIM),
    ] {
        match std::env::var(variable) {
            Ok(command) => comparisons.push(compare(name, &mut judged, causes, |some| {
                ask(&command, some)
            })),
            Err(_) => println!("SKIPPED: DKIM, {name}: no {variable}"),
        }
    }
    comparisons
}

fn compare(
    name: &str,
    judged: &mut [Judged],
    causes: &[Cause<Judged>],
    ask: impl Fn(&[Judged]) -> Vec<String>,
) -> Comparison {
    let mut comparison = Comparison::new(&format!("DKIM, {name}"));
    let mut number = 0;
    for some in judged.chunks_mut(AT_ONCE) {
        for (one, theirs) in ask(some).into_iter().enumerate() {
            let judged = &mut some[one];
            judged.theirs = theirs;
            let ours = word(judged.ours.iter().map(|one| one.result().as_str()));
            let theirs = word(judged.theirs.split_whitespace());
            comparison.count(&*judged, ours, theirs, causes, |judged| {
                judged.describe(number)
            });
            number += 1;
        }
    }
    comparison
}

/// Runs `COMMAND RECORDS FOLDER`, which prints a line for each message, in the order of their names.
fn ask(command: &str, some: &[Judged]) -> Vec<String> {
    let work = std::env::temp_dir().join(format!("mailproof-differential-{}", std::process::id()));
    let folder = work.join("messages");
    fs::create_dir_all(&folder).unwrap();
    let mut records = String::new();
    for (at, one) in some.iter().enumerate() {
        fs::write(folder.join(format!("{at:04}.eml")), &one.case.message).unwrap();
        for (name, data) in one.case.records().0 {
            if let Data::Txt(text) = data {
                records += &format!("{name} {text}\n");
            }
        }
    }
    let file = work.join("records");
    fs::write(&file, records).unwrap();
    let lines = verify(command, &file, &folder);
    fs::remove_dir_all(&work).unwrap();
    assert_eq!(lines.len(), some.len(), "{command}");
    lines
}

fn verify(command: &str, records: &Path, folder: &Path) -> Vec<String> {
    let mut words = command.split(' ');
    let output = Command::new(words.next().unwrap())
        .args(words)
        .args([records, folder])
        .output()
        .expect("a peer");
    assert!(
        output.status.success(),
        "{command}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines = String::from_utf8_lossy(&output.stdout);
    let results = lines
        .lines()
        .map(|line| line.split_once(' ').map_or("", |(_, words)| words));
    results.map(str::to_owned).collect()
}
