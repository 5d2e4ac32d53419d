//! SPF: check_host() over random zones, against pyspf and mail-auth.

mod causes;
mod generate;

use mailproof::dns::block_on;
use mailproof::spf::{self, Evaluation, Request, Settings};

use crate::mail_auth::{self, Peer};
use crate::process::Process;
use crate::random::Random;
use crate::tally::Comparison;
use crate::{Run, script};
use generate::Case;

const CASES: usize = 12_000;

/// One input, and what both sides make of it.
pub struct Judged {
    pub case: Case,
    pub ours: Evaluation,
    pub theirs: String,
    /// What the peer says besides.
    pub remark: String,
}

impl Judged {
    fn describe(&self, number: usize) -> String {
        let Case {
            client,
            helo,
            sender,
            records,
        } = &self.case;
        // The hosts are the same in all zones.
        let random = records
            .0
            .iter()
            .filter(|(name, _)| name.is_empty() || name.starts_with('d'));
        let records: Vec<String> = random.map(|one| format!("\n    {one:?}")).collect();
        format!(
            "case {number}: {client} HELO {helo} MAIL FROM <{sender}> ({}) [{}]{}",
            self.ours.cause(),
            self.remark,
            records.concat()
        )
    }

    /// Our result under other settings.
    fn result_under(&self, settings: &Settings) -> &'static str {
        self.case.judge(settings).result().as_str()
    }
}

impl Case {
    fn judge(&self, settings: &Settings) -> Evaluation {
        let request = if self.sender.is_empty() {
            Request::helo(self.client, &self.helo)
        } else {
            Request::mail_from(self.client, &self.helo, &self.sender)
        };
        block_on(spf::check_host(&self.records.zone(), &request, settings))
    }
}

pub fn run(run: &Run) -> Vec<Comparison> {
    let mut pyspf = run
        .has_python("spf")
        .then(|| Process::python(script("pyspf.py")));
    let mut by_pyspf = Comparison::new("SPF, pyspf 2.0.14");
    let peer = Peer::new();
    let mut by_mail_auth = Comparison::new(&format!("SPF, {}", mail_auth::NAME));
    for number in run.cases(CASES) {
        let case = Case::random(&mut Random::of(run.seed, "spf", number));
        let ours = case.judge(&Settings::default());
        let word = ours.result().as_str();
        // ‘postmaster’ where there is no local part (4.3) is left to the caller here.
        let at = if case.sender.is_empty() || case.sender.contains('@') {
            ""
        } else {
            "postmaster@"
        };
        let sender = format!("{at}{}", case.sender);
        let theirs = peer.spf(&case.records, case.client, &case.helo, &sender);
        let mut judged = Judged {
            case,
            ours,
            theirs,
            remark: String::new(),
        };
        let describe = |judged: &Judged| judged.describe(number);
        by_mail_auth.count(&judged, word, &judged.theirs, causes::MAIL_AUTH, describe);
        if let Some(pyspf) = &mut pyspf {
            let case = &judged.case;
            let answer = pyspf.ask(&serde_json::json!({
                "client": case.client,
                "helo": case.helo,
                "sender": case.sender,
                "dns": case.records.to_json(),
            }));
            judged.theirs = answer[0].as_str().unwrap().to_owned();
            judged.remark = answer[1].as_str().unwrap().to_owned();
            by_pyspf.count(&judged, word, &judged.theirs, causes::PYSPF, describe);
        }
    }
    let mut comparisons = vec![by_mail_auth];
    if pyspf.is_some() {
        comparisons.push(by_pyspf);
    }
    comparisons
}
