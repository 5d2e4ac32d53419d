//! What reports tell, in the words of the library's findings.

use mailproof::Domain;
use mailproof::diagnosis::Code;
use mailproof::dkim::DkimResult;
use mailproof::dmarc::AlignmentMode;
use mailproof::report::aggregate::{PublishedPolicy, Row, Word};
use mailproof::spf::SpfResult;

use crate::table::plain;

/// Why messages were treated as they were: the code of a finding, where one says just that, and a
/// sentence.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Cause {
    pub code: Option<&'static str>,
    pub sentence: String,
}

/// What is known about the messages of a row, for the words of our findings.
#[derive(Default)]
pub struct Facts {
    pub author: String,
    pub client: String,
    pub envelope: String,
    pub spf: String,
    pub policy_domain: String,
    /// Domains that passed: by a signature, by SPF.
    pub signer: Option<String>,
    pub passed_by_spf: Option<String>,
    /// A signature of the author's organization that failed: domain and selector.
    pub broken: Option<(String, Option<String>)>,
    pub strict_dkim: bool,
    pub strict_spf: bool,
    /// Why the receiver did something else than what was asked for: action, kind and comment.
    pub overridden: Option<[String; 3]>,
    pub requested: String,
}

impl Facts {
    pub fn of_row(row: &Row, policy: &PublishedPolicy) -> Self {
        let strict = |mode: &Option<Word<AlignmentMode>>| {
            mode.as_ref().and_then(Word::known) == Some(&AlignmentMode::Strict)
        };
        let spf = row.spf_results.first();
        let passed = spf.filter(|one| one.result.known() == Some(&SpfResult::Pass));
        let is_pass = |result: &Word<DkimResult>| result.known() == Some(&DkimResult::Pass);
        let own = |domain: &str| is_within(domain, &policy.domain) || domain == row.header_from;
        let signers = row.dkim_results.iter();
        // Where one is aligned, it is the one that matters.
        let signer = signers.clone().filter(|one| is_pass(&one.result));
        let signer = signer.min_by_key(|one| !own(&one.domain));
        let mut signers = signers.filter(|one| !is_pass(&one.result));
        let broken = signers.find(|one| own(&one.domain));
        let reason = row.reasons.first();
        let overrides = row.disposition.to_string() != policy.p.to_string();
        Self {
            author: row.header_from.clone(),
            client: row.source_ip.to_string(),
            envelope: spf.map_or(String::new(), |one| one.domain.clone()),
            spf: spf.map_or("none".into(), |one| one.result.to_string()),
            policy_domain: policy.domain.clone(),
            signer: signer.map(|one| one.domain.clone()),
            passed_by_spf: passed.map(|one| one.domain.clone()),
            broken: broken.map(|one| (one.domain.clone(), one.selector.clone())),
            strict_dkim: strict(&policy.adkim),
            strict_spf: strict(&policy.aspf),
            overridden: reason.filter(|_| overrides).map(|reason| {
                let comment = reason.comment.as_ref();
                let comment = comment.map_or("no reason given".into(), |c| c.text.clone());
                [
                    row.disposition.to_string(),
                    reason.kind.to_string(),
                    comment,
                ]
            }),
            requested: policy.p.to_string(),
        }
    }

    /// The finding that fits best, most telling first, given which methods are aligned.
    pub fn cause(&self, dkim: bool, spf: bool) -> Cause {
        let own = |domain: &Option<String>| {
            let domain = domain.as_deref();
            domain.is_some_and(|domain| is_within(domain, &self.policy_domain))
        };
        let code = match (dkim, spf) {
            (true, true) => return Cause::default(),
            (true, false) => "pass-by-dkim-alone",
            (false, true) => "pass-by-spf-alone",
            (false, false) if self.overridden.is_some() => "policy-overridden",
            (false, false) if self.broken.is_some() => return self.broken(),
            (false, false) if self.strict_dkim && own(&self.signer) => "align-strict-mode",
            (false, false) if self.strict_spf && own(&self.passed_by_spf) => "align-strict-mode",
            (false, false) if self.passed_by_spf.is_some() => "align-spf-other-organization",
            (false, false) if self.signer.is_some() => "align-dkim-other-organization",
            (false, false) if is_within(&self.envelope, &self.author) => {
                "forwarded-unrewritten-or-forged"
            }
            (false, false) => "dmarc-nothing-authenticated",
        };
        self.words(code)
    }

    /// An aggregate report does not tell whether it was the body or a field; our findings do.
    pub fn broken(&self) -> Cause {
        let (signer, selector) = self.broken.clone().unwrap_or_default();
        let selector = selector.unwrap_or_else(unknown);
        Cause {
            code: None,
            sentence: plain(&format!(
                "The signature of {signer} (s={selector}) fails: the message was changed after \
                 signing, or the key is another."
            )),
        }
    }

    /// The sentence of a finding, with what is known put in.
    pub fn words(&self, code: &'static str) -> Cause {
        let by_signature = match code {
            "align-strict-mode" => self.strict_dkim && self.signer.is_some(),
            code => code.starts_with("align-dkim") || code.starts_with("pass-by-dkim"),
        };
        let (signer, selector) = match (&self.broken, &self.signer) {
            (Some((signer, selector)), _) if !by_signature => (Some(signer), selector.clone()),
            (_, signer) => (signer.as_ref(), None),
        };
        let (signer, selector) = (
            signer.cloned().unwrap_or_else(unknown),
            selector.unwrap_or_else(unknown),
        );
        let domain = match by_signature {
            true => self.signer.clone(),
            false => self.passed_by_spf.clone(),
        };
        let [action, kind, comment] = self.overridden.clone().unwrap_or_default();
        let evidence = [
            ("author", self.author.clone()),
            ("client", self.client.clone()),
            ("envelope", self.envelope.clone()),
            ("spf", self.spf.clone()),
            ("policy_domain", self.policy_domain.clone()),
            ("name", format!("{selector}._domainkey.{signer}")),
            ("signer", signer),
            ("selector", selector),
            ("domain", domain.unwrap_or_else(unknown)),
            (
                "method",
                if by_signature { "DKIM" } else { "SPF" }.to_owned(),
            ),
            (
                "tag",
                if by_signature { "adkim" } else { "aspf" }.to_owned(),
            ),
            ("requested", self.requested.clone()),
            ("action", action),
            ("kind", kind),
            ("comment", comment),
        ];
        let found = Code::all().find(|one| one.as_str() == code);
        let template = found.map_or(code, Code::template);
        let mut sentence = String::new();
        let mut rest = template;
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, following) = behind.split_once('}').unwrap_or((behind, ""));
            let value = evidence.iter().find(|(known, _)| *known == name);
            sentence += before;
            // Other evidence is not in reports.
            sentence += value.map_or("not told", |(_, value)| value);
            rest = following;
        }
        Cause {
            code: Some(code),
            sentence: plain(&(sentence + rest)),
        }
    }
}

fn unknown() -> String {
    "unknown".to_owned()
}

pub fn is_within(domain: &str, organization: &str) -> bool {
    let parse = |text: &str| text.parse::<Domain>().ok();
    matches!((parse(domain), parse(organization)), (Some(one), Some(other)) if one.is_within(&other))
}
