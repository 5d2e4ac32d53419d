//! One row of the table: of an aggregate report, or made of a failure report.

use mailproof::Domain;
use mailproof::dmarc::DmarcResult;
use mailproof::identifier::Method;
use mailproof::report::aggregate::{PublishedPolicy, Row, Word};
use mailproof::report::failure::{AuthFailure, FailureReport};

use crate::facts::{Cause, Facts, is_within};
use crate::table::plain;

/// One row of the table, without its count.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Line {
    /// Failing lines are printed first.
    pub passes: bool,
    pub source: String,
    pub from: String,
    pub spf: String,
    pub dkim: String,
    pub aligned: &'static str,
    pub action: String,
    pub cause: Cause,
}

impl Line {
    pub fn of_row(row: &Row, policy: &PublishedPolicy) -> Self {
        let pass = |word: &Word<DmarcResult>| word.known() == Some(&DmarcResult::Pass);
        let (dkim, spf) = (pass(&row.dkim), pass(&row.spf));
        let facts = Facts::of_row(row, policy);
        let cause = facts.cause(dkim, spf);
        let results = row
            .dkim_results
            .iter()
            .map(|one| format!("{} {}", one.result, one.domain));
        Self {
            passes: dkim || spf,
            source: plain(&row.source_ip.to_string()),
            from: plain(&row.header_from),
            spf: row.spf_results.first().map_or("none".into(), |one| {
                plain(&format!("{} {}", one.result, one.domain))
            }),
            dkim: some_of(results),
            aligned: aligned(dkim, spf),
            action: plain(&row.disposition.to_string()),
            cause,
        }
    }

    /// A failure report says what failed; of the rest it says nothing.
    pub fn of_failure(report: &FailureReport) -> Self {
        let from = report.reported_domains.first().map_or("", Domain::as_str);
        let signer = report.dkim_domain.as_ref().map_or("", Domain::as_str);
        let failed = |method| match &report.identity_alignment {
            Some(methods) => methods.contains(&method),
            None => false,
        };
        let dkim = !signer.is_empty() || failed(Method::Dkim);
        let spf = report.auth_failure == Some(AuthFailure::Spf) || failed(Method::Spf);
        let client = report.source_ip.map(|source| source.to_string());
        let envelope = report.original_mail_from.as_deref().unwrap_or_default();
        let facts = Facts {
            author: from.to_owned(),
            client: client.clone().unwrap_or("unknown".into()),
            envelope: envelope.rsplit('@').next().unwrap_or_default().to_owned(),
            broken: dkim.then(|| (signer.to_owned(), report.dkim_selector.clone())),
            ..Facts::default()
        };
        let cause = match report.auth_failure {
            Some(AuthFailure::BodyHash) => facts.words("dkim-body-hash-mismatch"),
            Some(AuthFailure::Revoked) => facts.words("dkim-key-revoked"),
            Some(AuthFailure::Signature) => facts.words("dkim-signature-mismatch"),
            _ if facts.broken.is_none() && is_other(&facts.envelope, from) => {
                facts.words("spf-could-not-align")
            }
            _ => facts.cause(false, false),
        };
        let action = report.delivery_result.map(|result| result.to_string());
        let or_not = |failed: bool, domain: &str| match failed {
            true => plain(&format!("fail {domain}")),
            false => "-".to_owned(),
        };
        Self {
            passes: false,
            source: client.unwrap_or("unknown".into()),
            from: plain(from),
            spf: or_not(spf, &facts.envelope),
            dkim: or_not(dkim, signer),
            aligned: "none",
            action: action.unwrap_or("-".into()),
            cause,
        }
    }
}

/// Whether MAIL FROM is known to be of another domain than From.
fn is_other(envelope: &str, author: &str) -> bool {
    !envelope.is_empty() && !is_within(envelope, author) && !is_within(author, envelope)
}

fn aligned(dkim: bool, spf: bool) -> &'static str {
    match (dkim, spf) {
        (true, true) => "dkim+spf",
        (true, false) => "dkim",
        (false, true) => "spf",
        (false, false) => "none",
    }
}

/// The first two results, and how many more there are.
fn some_of(results: impl Iterator<Item = String>) -> String {
    let results: Vec<String> = results.map(|one| plain(&one)).collect();
    match results.as_slice() {
        [] => "none".to_owned(),
        [one] => one.clone(),
        [one, other] => format!("{one}, {other}"),
        [one, other, more @ ..] => format!("{one}, {other}, {} more", more.len()),
    }
}
