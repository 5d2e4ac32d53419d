//! Who may be told.

use super::guard::is_same;
use super::reporter::Reporter;
use crate::address::Address;
use crate::dmarc::{self, ReportKind};
use crate::dns::Resolver;
use crate::verdict::Verdict;

impl Reporter {
    /// The addresses that the author domain's policy names for failure reports (`ruf`), as far as
    /// they agree: §5 demands the same consent of other organizations as for aggregate reports. The
    /// first ten URIs are looked at; those that are not `mailto` are left out, and so are those
    /// whose consent cannot be looked up now. Each is to get a mail of its own.
    ///
    /// Ask only for a message that [`reports`](Self::reports) has something to say about.
    pub async fn recipients(
        &self,
        resolver: &dyn Resolver,
        verdict: &Verdict,
        settings: &dmarc::Settings,
    ) -> Vec<Address> {
        let mut recipients: Vec<Address> = Vec::new();
        let dmarc = verdict.dmarc();
        let (Some(record), Some(domain)) = (dmarc.record(), dmarc.policy_domain()) else {
            return recipients;
        };
        let kind = ReportKind::Failure;
        for uri in record.report_uris(kind).into_iter().take(URIS) {
            let consent = uri.authorize(resolver, domain, kind, settings).await;
            let addresses = consent
                .destinations(&uri)
                .iter()
                .take(URIS)
                .filter_map(|uri| uri.address());
            for address in addresses {
                let known = recipients.iter().any(|other| is_same(other, &address));
                // A report about our own domain need not be answered by another.
                if !known && !is_same(&address, self.from()) && recipients.len() < URIS {
                    recipients.push(address);
                }
            }
        }
        recipients
    }
}

/// §2: ‘the report generator MUST make an attempt to deliver to each of them’. RFC 7489 6.2 allowed
/// a limit from two on; nobody names ten.
const URIS: usize = 10;
