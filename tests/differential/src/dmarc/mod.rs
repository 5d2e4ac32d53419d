//! DMARC: what random records say, and what follows for a message, against mail-auth, which follows
//! RFC 9989 as we do by default.

mod causes;
mod generate;

use mail_auth::dmarc::{Alignment, DmarcRecord, Policy, Psd};
use mailproof::Message;
use mailproof::dmarc::{
    AlignmentMode, Discovery, Disposition, Evaluation, Record, ReportUri, Settings,
};
use mailproof::dns::block_on;
use mailproof::identifier::{AuthenticatedIdentifier, Method, Status};

use crate::Run;
use crate::mail_auth::{self as peer, Identifier, Peer};
use crate::random::Random;
use crate::tally::Comparison;
use generate::Case;

const RECORDS: usize = 20_000;

const CASES: usize = 12_000;

pub fn run(run: &Run) -> Vec<Comparison> {
    let mut records = Comparison::new(&format!("DMARC records, {}", peer::NAME));
    for number in run.cases(RECORDS) {
        let text = generate::record(&mut Random::of(run.seed, "dmarc records", number));
        let ours = our_reading(&text);
        let theirs = peer::dmarc_record(text.as_bytes()).map_or("none".to_owned(), their_reading);
        let describe = |text: &String| format!("case {number}: {text:?}");
        records.count(&text, &ours, &theirs, causes::RECORDS, describe);
    }
    let peer = Peer::new();
    let mut messages = Comparison::new(&format!("DMARC, {}", peer::NAME));
    for number in run.cases(CASES) {
        let case = Case::random(&mut Random::of(run.seed, "dmarc", number));
        let ours = case.judge();
        let word = outcome(&ours);
        let spf = Identifier {
            domain: &case.spf.0,
            passed: case.spf.1,
        };
        let dkim = Identifier {
            domain: &case.dkim.0,
            passed: case.dkim.1,
        };
        let theirs = peer.dmarc(&case.records, case.message.as_bytes(), &spf, &dkim);
        let theirs = match theirs.split_once(' ') {
            Some(("fail", _)) | None => theirs,
            Some((word, _)) => word.to_owned(),
        };
        let ours_of_first = outcome(&case.with_first_records().judge());
        let judged = Judged {
            case,
            ours,
            ours_of_first,
            theirs,
        };
        messages.count(&judged, &word, &judged.theirs, causes::MESSAGES, |judged| {
            format!("case {number}: {:?} ({})", judged.case, judged.ours.cause())
        });
    }
    vec![records, messages]
}

/// One message, and what both sides make of it.
pub struct Judged {
    pub case: Case,
    pub ours: Evaluation,
    /// Ours, if each name had the first of its records alone.
    pub ours_of_first: String,
    pub theirs: String,
}

/// The result, and with a fail the policy that applies.
fn outcome(evaluation: &Evaluation) -> String {
    match evaluation.result().as_str() {
        "fail" => format!("fail {}", evaluation.disposition()),
        other => other.to_owned(),
    }
}

impl Case {
    fn judge(&self) -> Evaluation {
        let settings = Settings::default();
        let zone = self.records.zone();
        let message = Message::parse(self.message.as_bytes());
        let author = message.head().author();
        let mut identifiers = Vec::new();
        for (method, (domain, passed)) in [(Method::Spf, &self.spf), (Method::Dkim, &self.dkim)] {
            if *passed {
                identifiers.push(AuthenticatedIdentifier::trust_result_obtained_elsewhere(
                    domain.parse().unwrap(),
                    method,
                    Status::Pass,
                ));
            }
        }
        let discovery = block_on(async {
            let discovery = Discovery::of_author(&zone, &author, &settings).await;
            discovery
                .with_identifiers(&zone, &identifiers, &settings)
                .await
        });
        discovery.evaluate(&author, &identifiers, &settings)
    }
}

fn our_reading(text: &str) -> String {
    let Some(record) = Record::parse(text.as_bytes()) else {
        return "none".to_owned();
    };
    let p = record.p();
    let sp = record.sp().or(p);
    let np = record.np().or(sp);
    let word = |policy: Option<Disposition>| policy.map_or("-", Disposition::as_str);
    let strict = |mode| mode == AlignmentMode::Strict;
    reading(
        [word(p), word(sp), word(np)],
        [
            strict(record.adkim()),
            strict(record.aspf()),
            record.is_testing(),
        ],
        match record.psd() {
            Some(true) => "y",
            Some(false) => "n",
            None => "u",
        },
        [mailto(&record.rua()), mailto(&record.ruf())],
    )
}

/// How many there are of the only kind that all must know.
fn mailto(uris: &[ReportUri]) -> usize {
    uris.iter()
        .filter(|uri| uri.as_str().starts_with("mailto:"))
        .count()
}

fn their_reading(record: DmarcRecord) -> String {
    let word = |policy| match policy {
        Policy::None => "none",
        Policy::Quarantine => "quarantine",
        Policy::Reject => "reject",
        Policy::Unspecified => "-",
    };
    let strict = |mode| mode == Alignment::Strict;
    reading(
        [word(record.p), word(record.sp), word(record.np)],
        [strict(record.adkim), strict(record.aspf), record.t],
        match record.psd {
            Psd::Yes => "y",
            Psd::No => "n",
            Psd::Default => "u",
        },
        [record.rua.len(), record.ruf.len()],
    )
}

fn reading(policies: [&str; 3], flags: [bool; 3], psd: &str, uris: [usize; 2]) -> String {
    let [p, sp, np] = policies;
    let [adkim, aspf, testing] = flags;
    let [rua, ruf] = uris;
    format!("p={p} sp={sp} np={np} strict={adkim}/{aspf} t={testing} psd={psd} rua={rua} ruf={ruf}")
}
