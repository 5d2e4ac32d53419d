//! The DNS tree walk (§4.10) without the DNS: which names are asked, and what the answers mean.

use super::{AlignmentMode, Record};
use crate::domain::Domain;
use crate::identifier::{AuthenticatedIdentifier, Method};

/// A record and the domain that publishes it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Published {
    pub(super) domain: Domain,
    pub(super) record: Record,
}

/// The names of a walk, the start first, the top-level domain last.
///
/// ‘If x < 8, remove the left-most label from the subject domain. If x >= 8, remove the left-most
/// labels from the subject domain until 7 labels remain’ (§4.10, step 4); 8 is `limit`.
pub(super) fn targets(start: &Domain, limit: usize) -> impl Iterator<Item = Domain> {
    let longest = start
        .label_count()
        .saturating_sub(1)
        .min(limit.saturating_sub(1));
    std::iter::once(start.clone()).chain((1..=longest).rev().filter_map(|n| start.suffix(n)))
}

/// Whether a walk ends at this record (§4.10, steps 2 and 6).
pub(super) fn stops_at(record: &Record) -> bool {
    record.psd().is_some()
}

/// §4.10.2: the organizational domain, from the records that a walk from `start` found, those of
/// the longest names first.
pub(super) fn organizational_domain(start: &Domain, found: &[Published]) -> Domain {
    for Published { domain, record } in found {
        match record.psd() {
            Some(false) => return domain.clone(),
            // ‘other than the one for the domain where the tree walk started’
            Some(true) if domain != start => {
                let below = start.suffix(domain.label_count() + 1);
                return below.unwrap_or_else(|| start.clone());
            }
            Some(true) | None => {}
        }
    }
    // ‘Otherwise, select the DMARC Policy Record found at the name with the fewest number of
    // labels’; without any, ‘the initial target domain is the Organizational Domain’.
    found
        .last()
        .map_or_else(|| start.clone(), |last| last.domain.clone())
}

/// §4.10.1: the record that applies to an author domain without one of its own: that of the
/// organizational domain, else that of the public suffix.
pub(super) fn policy(start: &Domain, found: Vec<Published>) -> Option<Published> {
    let organization = organizational_domain(start, &found);
    let mut public_suffix = None;
    for published in found {
        if published.domain == organization {
            return Some(published);
        }
        if published.record.psd() == Some(true) {
            public_suffix = Some(published);
        }
    }
    public_suffix
}

/// How many labels two names have in common, from the right.
pub(super) fn shared_labels(a: &Domain, b: &Domain) -> usize {
    let pairs = a.labels().rev().zip(b.labels().rev());
    pairs.take_while(|(a, b)| a == b).count()
}

/// The identifiers whose alignment depends on organizational domains. §4.10.2: no need for those where
/// the two are the same domain, or alignment is strict. Nor where they share no label: an
/// organizational domain is its domain or above it.
pub(super) fn candidates<'a>(
    author_domain: &Domain,
    record: &Record,
    identifiers: &'a [AuthenticatedIdentifier],
) -> Vec<&'a AuthenticatedIdentifier> {
    let matters = |identifier: &&AuthenticatedIdentifier| {
        mode(record, identifier.method()) == AlignmentMode::Relaxed
            && identifier.domain() != author_domain
            && shared_labels(identifier.domain(), author_domain) != 0
    };
    identifiers.iter().filter(matters).collect()
}

/// How identifiers of a method must be aligned.
pub(super) fn mode(record: &Record, method: Method) -> AlignmentMode {
    match method {
        Method::Dkim => record.adkim(),
        Method::Spf => record.aspf(),
    }
}
