//! Authentication-Results: what random fields say, strictly read, against authres.

mod causes;
mod generate;

use mailproof::auth_results::{AuthenticationResults, ParseError};
use serde_json::{Value, json};

use crate::process::Process;
use crate::random::Random;
use crate::tally::Comparison;
use crate::{Run, script};

const CASES: usize = 12_000;

/// One value, and what both sides make of it.
pub struct Judged {
    pub value: String,
    pub ours: Result<AuthenticationResults, ParseError>,
    /// Our reading as theirs is written.
    pub words: String,
    pub theirs: String,
}

pub fn run(run: &Run) -> Vec<Comparison> {
    if !run.has_python("authres") {
        return Vec::new();
    }
    let mut authres = Process::python(script("authres.py"));
    let mut comparison = Comparison::new("Authentication-Results, authres 1.2.0");
    for number in run.cases(CASES) {
        let value = generate::value(&mut Random::of(run.seed, "auth-results", number));
        let ours = AuthenticationResults::parse(value.as_bytes());
        let words = ours.as_ref().map_or(Value::Null, reading).to_string();
        let theirs = authres.ask(&json!(value)).to_string();
        let judged = Judged {
            value,
            ours,
            words,
            theirs,
        };
        comparison.count(
            &judged,
            &judged.words,
            &judged.theirs,
            causes::AUTHRES,
            |it| format!("case {number}: {:?} {:?}", it.value, it.ours.as_ref().err()),
        );
    }
    vec![comparison]
}

/// What is compared: all but comments, which it does not keep, and the case of names.
fn reading(field: &AuthenticationResults) -> Value {
    let lower = |word: &str| word.to_ascii_lowercase();
    let results = field.results.iter().map(|one| {
        let properties = one.properties.iter().map(|each| {
            json!([
                lower(each.ptype.as_str()),
                lower(each.name.as_str()),
                each.value
            ])
        });
        let properties: Value = properties.collect();
        let method = lower(one.method.as_str());
        json!([
            method,
            one.version,
            lower(one.result.as_str()),
            one.reason,
            properties
        ])
    });
    let results: Value = results.collect();
    json!([lower(field.authserv_id.as_str()), results])
}
