//! What a receiver knows that the message cannot tell: whom it trusts, and with what proof.
//!
//! None of it changes a result; it changes the action, and says so with an override type of
//! aggregate reports (RFC 9990 3.1.1.6) and a comment.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::{Facts, Relay};
use crate::dkim;
use crate::dmarc;
use crate::domain::Domain;
use crate::identifier::{Method, Status};
use crate::message::Author;
use crate::session::Session;
use crate::spf::{self, SpfResult};

/// A forwarder whose word is taken for the author of what it forwards.
///
/// SPF alone does not make it so: an address that thousands of tenants of one provider share proves
/// nothing about one of them. So a proof is required besides.
///
/// ```
/// use mailproof::verdict::{Proof, TrustedForwarder};
///
/// let proof = Proof::Dkim("example.onmicrosoft.com".parse()?);
/// let forwarder = TrustedForwarder::new("example.com".parse()?, proof);
/// assert_eq!(forwarder.domain().as_str(), "example.com");
/// # Ok::<(), mailproof::domain::DomainError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TrustedForwarder {
    domain: Domain,
    proof: Proof,
}

impl TrustedForwarder {
    /// Trusts the forwarder that rewrites envelope senders to addresses of `domain`.
    #[must_use]
    pub fn new(domain: Domain, proof: Proof) -> Self {
        Self { domain, proof }
    }

    /// Its domain.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// What it must prove itself with.
    #[must_use]
    pub fn proof(&self) -> &Proof {
        &self.proof
    }
}

/// What a trusted forwarder must prove itself with.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Proof {
    /// A passing signature with this `d=`.
    Dkim(Domain),
    /// A client within these addresses, which must be the forwarder's alone.
    Addresses(Vec<spf::Prefix>),
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

/// What came of holding a message against the trusted forwarders, where its envelope names one.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Trust {
    /// The forwarder.
    pub forwarder: Domain,
    /// The proof that is required of it.
    pub proof: Proof,
    /// What came of it.
    pub outcome: TrustOutcome,
}

/// Whether a trusted forwarder vouches for a message.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum TrustOutcome {
    /// SPF passes for the forwarder, the proof holds, and the sender that its address claims is of
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
}

/// Holds the envelope against the trusted forwarders.
pub(super) fn trust(forwarders: &[TrustedForwarder], facts: &Facts) -> Option<Trust> {
    let srs = facts.relay.srs.as_ref()?;
    let known = forwarders
        .iter()
        .find(|known| known.domain == *srs.forwarder())?;
    let outcome = if !spf_passes_for(&known.domain, facts) {
        TrustOutcome::SpfNotPassed
    } else if !holds(&known.proof, facts) {
        TrustOutcome::ProofMissing
    } else {
        match srs.original() {
            None => TrustOutcome::NoOriginal,
            Some(original) if Some(original.domain()) == facts.author.domain() => {
                TrustOutcome::Vouches
            }
            Some(_) => TrustOutcome::OtherAuthor,
        }
    };
    Some(Trust {
        forwarder: known.domain.clone(),
        proof: known.proof.clone(),
        outcome,
    })
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

fn contains(prefixes: &[spf::Prefix], client: IpAddr) -> bool {
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

/// A rule of the receiver's own about messages that fail DMARC: looks at the facts and returns the
/// comment to report, where the message shall be delivered all the same.
#[derive(Clone)]
pub struct Rule(Arc<dyn Judge>);

/// What a rule does.
trait Judge: Send + Sync {
    fn judge(&self, occasion: &Occasion<'_>) -> Option<String>;
}

impl<F: Fn(&Occasion<'_>) -> Option<String> + Send + Sync> Judge for F {
    fn judge(&self, occasion: &Occasion<'_>) -> Option<String> {
        self(occasion)
    }
}

impl Rule {
    /// Makes a rule of a function.
    ///
    /// ```
    /// use mailproof::verdict::{Policy, Rule};
    ///
    /// let mut policy = Policy::default();
    /// policy.mailing_lists = Some(Rule::new(|occasion| {
    ///     let list = occasion.relay().list.as_deref()?;
    ///     list.contains("<users.lists.example.org>").then(|| "a list we read".to_owned())
    /// }));
    /// ```
    #[must_use]
    pub fn new(rule: impl Fn(&Occasion<'_>) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(rule))
    }

    pub(super) fn ask(&self, facts: &Facts) -> Option<String> {
        self.0.judge(&Occasion(facts))
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

/// What a [`Rule`] may look at.
#[derive(Debug)]
pub struct Occasion<'f>(&'f Facts);

impl Occasion<'_> {
    /// The session in which the message arrived.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.0.session
    }

    /// Who the message says it is from.
    #[must_use]
    pub fn author(&self) -> &Author {
        &self.0.author
    }

    /// The traces that forwarders and lists left.
    #[must_use]
    pub fn relay(&self) -> &Relay {
        &self.0.relay
    }

    /// The results of SPF.
    #[must_use]
    pub fn spf(&self) -> &spf::SessionEvaluation {
        &self.0.spf
    }

    /// The result of each signature.
    #[must_use]
    pub fn dkim(&self) -> &[dkim::Verification] {
        &self.0.dkim
    }

    /// The result of DMARC.
    #[must_use]
    pub fn dmarc(&self) -> &dmarc::Evaluation {
        &self.0.dmarc
    }
}
