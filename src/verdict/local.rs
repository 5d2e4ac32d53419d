//! What a receiver knows that the message cannot tell: whom it trusts, and with what proof.
//!
//! None of it changes a result; it changes the action, and says so with an override type of
//! aggregate reports (RFC 9990 3.1.1.6) and a comment.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Facts, Verdict};
use crate::domain::Domain;
use crate::identifier::{Method, Status};
use crate::spf::{Prefix, SpfResult};
use crate::srs::Claimed;

/// A forwarder whose word is taken for the author of what it forwards.
///
/// SPF alone does not make it so: an address that thousands of tenants of one provider share proves
/// nothing about one of them. So a proof is required besides.
///
/// ```
/// use mailproof::verdict::{Policy, TrustedForwarder};
///
/// let mut policy = Policy::default();
/// let (domain, signing_domain) = ("example.com".parse()?, "example.onmicrosoft.com".parse()?);
/// policy.trusted_forwarders.push(TrustedForwarder::by_signature(domain, signing_domain));
/// # Ok::<(), mailproof::domain::DomainError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TrustedForwarder {
    #[cfg_attr(feature = "serde", serde(rename = "forwarder"))]
    domain: Domain,
    proof: Proof,
}

impl TrustedForwarder {
    /// Trusts the forwarder that rewrites envelope senders (SRS) to addresses of `domain`, where a
    /// DKIM signature with the given `d=` passes.
    #[must_use]
    pub fn by_signature(domain: Domain, signing_domain: Domain) -> Self {
        let proof = Proof::Dkim(signing_domain);
        Self { domain, proof }
    }

    /// Trusts the forwarder that rewrites envelope senders (SRS) to addresses of `domain`, where the
    /// client is within these addresses, which must be the forwarder's alone.
    #[must_use]
    pub fn by_addresses(domain: Domain, addresses: impl IntoIterator<Item = Prefix>) -> Self {
        let proof = Proof::Addresses(addresses.into_iter().collect());
        Self { domain, proof }
    }

    /// Its domain.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// What it must prove itself with, in words: as in `a passing signature of example.org`.
    #[must_use]
    pub fn proof(&self) -> String {
        self.proof.to_string()
    }
}

/// What a trusted forwarder must prove itself with.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
enum Proof {
    Dkim(Domain),
    Addresses(Vec<Prefix>),
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dkim(domain) => write!(f, "a passing signature of {domain}"),
            Self::Addresses(prefixes) => {
                f.write_str("a client within ")?;
                for (number, prefix) in prefixes.iter().enumerate() {
                    let separator = if number == 0 { "" } else { ", " };
                    write!(f, "{separator}{prefix}")?;
                }
                Ok(())
            }
        }
    }
}

/// A forwarder that is trusted, held against a message.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(super) struct Trusted {
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub(super) forwarder: TrustedForwarder,
    #[cfg_attr(feature = "serde", serde(rename = "outcome"))]
    pub(super) trust: Trust,
}

/// Whether a trusted forwarder that the envelope names vouches for the message.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Trust {
    /// SPF passes for the forwarder, the proof holds, and the sender that it claims to have seen is of
    /// the author domain.
    Vouches,
    /// SPF does not pass for the forwarder, so the address may be anybody's.
    SpfNotPassed,
    /// The proof is missing.
    ProofMissing,
    /// The address claims a sender of another domain than the author's.
    OtherAuthor,
    /// The address claims no sender.
    NoOriginal,
    /// The address claims a sender of the author domain, but by the word of another forwarder.
    SecondHand,
}

/// Holds the envelope against the trusted forwarders.
pub(super) fn trust(forwarders: &[TrustedForwarder], facts: &Facts) -> Option<Trusted> {
    let srs = facts.relay.srs.as_ref()?;
    let known = forwarders
        .iter()
        .find(|known| known.domain == *srs.forwarder())?;
    let trust = if !spf_passes_for(&known.domain, facts) {
        Trust::SpfNotPassed
    } else if !holds(&known.proof, facts) {
        Trust::ProofMissing
    } else {
        claimed(srs, facts.author.domain())
    };
    Some(Trusted {
        forwarder: known.clone(),
        trust,
    })
}

/// For whom a proven forwarder speaks. What stands behind the sender that it saw, the host of that sender
/// wrote: anybody, who passed SPF there under a name of its own.
fn claimed(srs: &Claimed, author: Option<&Domain>) -> Trust {
    match srs.original_domain() {
        None => Trust::NoOriginal,
        Some(original) if Some(original) != author => Trust::OtherAuthor,
        Some(_) if srs.original() != srs.previous() => Trust::SecondHand,
        Some(_) => Trust::Vouches,
    }
}

fn spf_passes_for(domain: &Domain, facts: &Facts) -> bool {
    let spf = facts.spf.authoritative();
    spf.result() == SpfResult::Pass && spf.domain() == Some(domain)
}

fn holds(proof: &Proof, facts: &Facts) -> bool {
    match proof {
        Proof::Dkim(domain) => facts.identifiers().any(|identifier| {
            identifier.method() == Method::Dkim
                && identifier.status() == Status::Pass
                && identifier.domain() == domain
        }),
        Proof::Addresses(prefixes) => facts
            .session
            .client_ip()
            .is_some_and(|client| contains(prefixes, client)),
    }
}

fn contains(prefixes: &[Prefix], client: IpAddr) -> bool {
    prefixes.iter().any(|prefix| prefix.contains(client))
}

/// An SPF pass that DMARC rests on alone, where an earlier host of the same message saw SPF fail for
/// the author's organization: the last host may have washed a forgery.
pub(super) fn upgraded(facts: &Facts) -> Option<&super::EarlierSpf> {
    let dmarc = &facts.dmarc;
    if dmarc.is_aligned(Method::Dkim) || !dmarc.is_aligned(Method::Spf) {
        return None;
    }
    let author = facts.author.domain()?;
    facts.relay.earlier_spf.iter().find(|earlier| {
        let domain = earlier.domain.as_ref();
        earlier.result == SpfResult::Fail
            && domain.is_some_and(|d| d.is_within(author) || author.is_within(d))
    })
}

/// A rule of the receiver's own about messages that fail DMARC.
#[derive(Clone)]
pub(super) struct Rule(Arc<dyn Judge>);

/// What a rule does.
trait Judge: Send + Sync {
    fn judge(&self, verdict: &Verdict) -> Option<String>;
}

impl<F: Fn(&Verdict) -> Option<String> + Send + Sync> Judge for F {
    fn judge(&self, verdict: &Verdict) -> Option<String> {
        self(verdict)
    }
}

impl Rule {
    pub(super) fn new(rule: impl Fn(&Verdict) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(rule))
    }

    pub(super) fn ask(&self, verdict: &Verdict) -> Option<String> {
        self.0.judge(verdict)
    }
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rule")
    }
}

impl PartialEq for Rule {
    /// Whether both are the same function.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Rule {}
