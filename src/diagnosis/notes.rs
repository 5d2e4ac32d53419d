//! Findings about the header block, and about names in the DNS that did not answer.

use super::View;
use super::catalogue::{self, spf as texts};
use super::dmarc::count;
use super::finding::{Draft, Finding, Value};
use crate::dns::{Answer, Name, Question};

pub(super) fn findings(view: &View<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let anomalies = view.verdict.anomalies();
    let line_ends = anomalies.bare_cr.saturating_add(anomalies.bare_lf);
    if line_ends != 0 {
        let draft = Draft::new(&catalogue::HEADER_LINE_ENDS);
        findings.push(draft.with("count", count(line_ends)).finish());
    }
    let malformed = [
        (anomalies.begins_with_fold, "it begins with white space"),
        (
            anomalies.lines_without_colon != 0,
            "it has lines without a colon",
        ),
        (
            anomalies.malformed_names != 0,
            "field names have forbidden characters",
        ),
        (anomalies.nul != 0, "it has NUL octets"),
        (
            anomalies.spaces_before_colon != 0,
            "white space stands before a colon",
        ),
        (
            anomalies.too_many_fields,
            "it has more fields than are read",
        ),
        (
            anomalies.unseparated,
            "no empty line separates it from a body",
        ),
    ];
    let malformed: Vec<&str> = malformed
        .into_iter()
        .filter_map(|(is_so, what)| is_so.then_some(what))
        .collect();
    if !malformed.is_empty() {
        let draft = Draft::new(&catalogue::HEADER_MALFORMED);
        findings.push(draft.text("what", malformed.join(", ")).finish());
    }
    let failed = view
        .verdict
        .questions()
        .filter(|question| matches!(question.answer, Answer::Error(_) | Answer::Unanswered));
    findings.extend(failed.take(SHOWN).map(|question| trouble(&question)));
    findings
}

fn trouble(question: &Question) -> Finding {
    Draft::new(&texts::DNS_TROUBLE)
        .with("name", Value::Name(question.name.clone()))
        .with("owner", Value::Text(owner(&question.name)))
        .with("answer", Value::Answer(question.answer.to_string()))
        .finish()
}

/// Whose name it is: what stands behind the labels that protocols put before a domain.
fn owner(name: &Name) -> String {
    let text = name.as_str().trim_end_matches('.');
    let behind = text
        .rsplit_once("._domainkey.")
        .map_or(text, |(_, domain)| domain);
    behind.strip_prefix("_dmarc.").unwrap_or(behind).to_owned()
}

/// A resolver that is down fails for every name.
const SHOWN: usize = 10;
