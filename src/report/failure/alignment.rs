//! Which methods had an identifier of the author's organization, and did not authenticate it.

use crate::dkim::Verification;
use crate::dmarc::AlignmentMode;
use crate::domain::Domain;
use crate::identifier::Method;
use crate::spf::SpfResult;
use crate::verdict::Verdict;

/// §4: ‘a comma-separated list of authentication mechanism names that failed to authenticate an
/// aligned identity, or the keyword "none" if none did’. The example of appendix A lists DKIM alone
/// where SPF passed for another organization: a method without an aligned identifier did not fail
/// to authenticate one.
pub(super) fn failed(verdict: &Verdict) -> Vec<Method> {
    let dmarc = verdict.dmarc();
    let mut methods = Vec::new();
    if !dmarc.is_aligned(Method::Dkim) && failed_signature(verdict).is_some() {
        methods.push(Method::Dkim);
    }
    if !dmarc.is_aligned(Method::Spf) && spf_failed(verdict) {
        methods.push(Method::Spf);
    }
    methods
}

/// The first signature of the author's organization, where none passed.
pub(super) fn failed_signature(verdict: &Verdict) -> Option<&Verification> {
    if verdict.dmarc().is_aligned(Method::Dkim) {
        return None;
    }
    verdict.dkim().iter().find(|one| {
        let domain = one.domain();
        domain.is_some_and(|domain| is_aligned(verdict, domain, Method::Dkim))
    })
}

fn spf_failed(verdict: &Verdict) -> bool {
    let spf = verdict.spf().authoritative();
    let domain = spf.domain();
    spf.result() != SpfResult::Pass
        && domain.is_some_and(|domain| is_aligned(verdict, domain, Method::Spf))
}

/// Whether a domain would be aligned, had it been authenticated. By name: nobody looked up the
/// organizational domains of what failed.
fn is_aligned(verdict: &Verdict, domain: &Domain, method: Method) -> bool {
    let dmarc = verdict.dmarc();
    let Some(author) = dmarc.author_domain() else {
        return false;
    };
    let mode = dmarc.record().map(|record| match method {
        Method::Dkim => record.adkim(),
        Method::Spf => record.aspf(),
    });
    match mode.unwrap_or_default() {
        AlignmentMode::Strict => domain == author,
        AlignmentMode::Relaxed => {
            let organization = dmarc.organizational_domain().or(dmarc.policy_domain());
            domain == author || organization.is_some_and(|org| domain.is_within(org))
        }
    }
}
