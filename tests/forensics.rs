//! How often the first finding of the forensics names what really was changed: over a corpus of
//! messages by third-party signers that were changed in one way each, where it is at hand.

#[path = "scenarios/case.rs"]
#[allow(dead_code, reason = "the cases are in another test")]
mod case;
#[path = "conformance/zone.rs"]
mod zone;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use mailproof::arc::ArcResult;
use mailproof::diagnosis::{Finding, Value};
use mailproof::dkim::DkimResult;
use mailproof::dns::{Zone, block_on};
use mailproof::{Message, Session, Verifier};

/// A kind of change, by the name of the files that have it.
struct Change {
    name: &'static str,
    /// The codes that name it.
    codes: &'static [&'static str],
    /// The field that it was made in.
    field: Option<&'static str>,
}

const fn change(
    name: &'static str,
    codes: &'static [&'static str],
    field: Option<&'static str>,
) -> Change {
    Change { name, codes, field }
}

const DKIM: &[Change] = &[
    change("subj-respace", &["header-folded"], Some("Subject")),
    change(
        "subj-edit",
        &["header-field-changed", "header-field-likely"],
        Some("Subject"),
    ),
    change("hdr-upcase", &["header-name-case"], None),
    change("hdr-trailing-ws", &["header-folded"], Some("Date")),
    change("drop-date", &["header-field-removed"], Some("Date")),
    change("from-second-top", &["header-field-added"], Some("From")),
    change("from-second-bottom", &["header-field-added"], Some("From")),
    change("sig-t-edit", &["signature-field-changed"], None),
    change("sig-upcase-name", &["signature-field-changed"], None),
    change("body-append", &["body-appended"], None),
    change("body-trailing-ws", &["body-white-space-changed"], None),
    change("body-inner-ws", &["body-white-space-changed"], None),
    change("body-leading-blank", &["body-prepended"], None),
    change("body-edit", &["body-edited"], None),
];

const RESULTS: Option<&str> = Some("ARC-Authentication-Results");
const MESSAGE_SIGNATURE: Option<&str> = Some("ARC-Message-Signature");
const SEAL: Option<&str> = Some("ARC-Seal");

const ARC: &[Change] = &[
    change("body-append", &["body-appended"], None),
    change("subject-edit", &["header-field-likely"], Some("Subject")),
    change("cv-fail", &["arc-failed-before"], SEAL),
    change("cv-none-last", &["arc-cv-out-of-place"], SEAL),
    change("drop-last-aar", &["arc-field-missing"], RESULTS),
    change("drop-last-ams", &["arc-field-missing"], MESSAGE_SIGNATURE),
    change("drop-last-seal", &["arc-field-missing"], SEAL),
    change("drop-set-1", &["arc-set-missing"], None),
    change("renumber-last", &["arc-set-missing"], None),
    change("dup-seal", &["arc-field-repeated"], SEAL),
    change("edit-aar1", &["arc-field-changed"], RESULTS),
    change("old-ams-broken", &["arc-field-likely"], MESSAGE_SIGNATURE),
    // Of a message with a footer, the set of the host that appended it.
    change("drop-last-set", &["body-appended"], None),
    change("seal-b-edit", &["signature-not-by-this-key"], SEAL),
];

/// How often a kind of change was met, and how often its name was found.
#[derive(Clone, Copy, Default)]
struct Count {
    met: usize,
    named: usize,
}

#[test]
fn names_the_true_change() {
    let body = |change: &str| change.starts_with("body-") && change != "body-append";
    let counts = measure("dkim-interop", DKIM);
    let white_space_apart = counts.iter().filter(|(change, _)| !body(change));
    assert_ninety(white_space_apart.map(|(_, count)| *count));
    assert_ninety(counts.values().copied());
}

#[test]
fn names_the_true_change_in_a_chain() {
    let counts = measure("arc-interop", ARC);
    assert_ninety(counts.values().copied());
}

/// Header fields and appended bodies are to be named nine times in ten.
fn assert_ninety(counts: impl Iterator<Item = Count>) {
    let sum = counts.fold(Count::default(), |sum, count| Count {
        met: sum.met + count.met,
        named: sum.named + count.named,
    });
    assert!(sum.named * 10 >= sum.met * 9);
}

/// Prints a line for each kind of change, and one for all.
fn measure(suite: &str, changes: &[Change]) -> BTreeMap<&'static str, Count> {
    let mut counts = BTreeMap::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared/suites")
        .join(suite);
    let Ok(text) = std::fs::read_to_string(folder.join("dns.json")) else {
        println!("SKIPPED: no suite {suite}");
        return counts;
    };
    let zone = zone::zone(&serde_json::from_str(&text).unwrap()).unwrap();
    for file in files(&folder.join("messages")) {
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        let change = name.split_once("--").map_or("", |(_, change)| change);
        let known = changes.iter().find(|known| known.name == change);
        let octets = std::fs::read(&file).unwrap();
        let Some(first) = first_finding(&zone, &octets) else {
            continue;
        };
        let Some(known) = known else {
            panic!("{name}: {first}");
        };
        let right = known.codes.contains(&first.code().as_str())
            && known
                .field
                .is_none_or(|field| named(&first).eq_ignore_ascii_case(field));
        if !right {
            println!("{name}: {}: {first}", first.code());
        }
        let count: &mut Count = counts.entry(known.name).or_default();
        count.met += 1;
        count.named += usize::from(right);
    }
    assert_eq!(
        counts.len(),
        changes.len(),
        "a change of the list is not met"
    );
    let mut all = Count::default();
    for (change, count) in &counts {
        println!("{suite}: {change}: {} of {} named", count.named, count.met);
        all.met += count.met;
        all.named += count.named;
    }
    println!("{suite}: all changes: {} of {} named", all.named, all.met);
    counts
}

/// The first finding of the forensics, or, where the structure of a chain is broken, which no more
/// is needed to see, that of the diagnosis about it.
fn first_finding(zone: &Zone, octets: &[u8]) -> Option<Finding> {
    // After any t= of the corpus.
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_900_000_000);
    let session = Session::new([192, 0, 2, 1].into(), "mail.example.net", "a@example.net");
    let message = Message::parse(octets);
    let verdict = block_on(Verifier::new(zone).at(now).verify(&session, &message));
    let forensics = verdict.forensics(&message);
    let diagnosis = verdict.diagnosis();
    diagnosis.iter().chain(&forensics).for_each(case::complete);
    let of_chain = |finding: &Finding| finding.code().as_str().starts_with("arc-");
    let failed = verdict.arc().result() == ArcResult::Fail;
    let of_chain = diagnosis.into_iter().find(of_chain).filter(|_| failed);
    assert_eq!(of_chain.is_some(), failed, "{}", verdict.arc());
    let first = forensics.into_iter().next().or(of_chain);
    let signature_failed = verdict
        .dkim()
        .iter()
        .any(|one| one.result() == DkimResult::Fail);
    assert_eq!(
        first.is_some(),
        failed || signature_failed,
        "{:?}",
        verdict.dkim()
    );
    first
}

fn named(finding: &Finding) -> String {
    match finding.value("field") {
        Some(Value::Field { name, .. }) => name.clone(),
        _ => String::new(),
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}
