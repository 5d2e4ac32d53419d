//! Looking at what a domain publishes, for those who run it.

use super::external::authorize;
use super::{
    Authorization, Discovery, OrganizationalDomain, ReportKind, ReportUri, Settings, discover,
    report_uris,
};
use crate::address::Address;
use crate::dns::{Answer, Name, Resolver};
use crate::domain::Domain;
use crate::message::Author;

/// All that a domain publishes for DMARC, as far as the DNS tells. [`warnings`](Self::warnings)
/// says what is wrong with it.
#[derive(Clone, Debug)]
pub struct Survey {
    pub(super) domain: Domain,
    pub(super) discovery: Discovery,
    pub(super) organization: OrganizationalDomain,
    pub(super) destinations: Vec<(ReportUri, Authorization)>,
    pub(super) dkim: DkimInSight,
}

impl Survey {
    /// The domain.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// The policy that applies to it, and where that was found.
    #[must_use]
    pub fn discovery(&self) -> &Discovery {
        &self.discovery
    }

    /// Its organizational domain.
    #[must_use]
    pub fn organization(&self) -> &OrganizationalDomain {
        &self.organization
    }

    /// Where its reports go, and whether they may.
    #[must_use]
    pub fn destinations(&self) -> &[(ReportUri, Authorization)] {
        &self.destinations
    }

    /// Whether it seems to have DKIM keys.
    #[must_use]
    pub fn dkim(&self) -> DkimInSight {
        self.dkim
    }
}

/// Whether a domain seems to have DKIM keys.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum DkimInSight {
    /// No name exists below `_domainkey`, so no key does (RFC 8020).
    No,
    /// Nobody knows: the look-up failed.
    Unknown,
    /// Something exists there.
    Yes,
}

/// Looks at what a domain publishes: its policy, its organization, whether the destinations of its
/// reports agree, and whether DKIM keys are in sight.
///
/// ```
/// use mailproof::dmarc::{self, LintWarning, Settings};
/// use mailproof::dns::{Zone, block_on};
///
/// let mut zone = Zone::new();
/// zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject; rua=mailto:d@example.net")?;
/// let domain = "example.com".parse().unwrap();
/// let survey = block_on(dmarc::survey(&zone, &domain, &Settings::default()));
/// let warnings = survey.warnings();
/// assert!(warnings.contains(&LintWarning::NoDkim));
/// assert!(warnings.iter().any(|w| matches!(w, LintWarning::UnauthorizedDestination { .. })));
/// # Ok::<(), mailproof::dns::NameError>(())
/// ```
pub async fn survey(resolver: &dyn Resolver, domain: &Domain, settings: &Settings) -> Survey {
    let author = match Address::new("postmaster", domain.clone()) {
        Ok(address) => Author::One(address),
        Err(_) => Author::Missing,
    };
    let mut discovery = discover(resolver, &author, settings).await;
    let organization = discovery.organization(resolver, domain, settings).await;
    let mut destinations = Vec::new();
    if let Some((policy_domain, record)) = discovery.policy() {
        for kind in [ReportKind::Aggregate, ReportKind::Failure] {
            for uri in report_uris(record, kind) {
                let answer = authorize(resolver, policy_domain, &uri, kind, settings).await;
                destinations.push((uri, answer));
            }
        }
    }
    Survey {
        domain: domain.clone(),
        discovery,
        organization,
        destinations,
        dkim: dkim_in_sight(resolver, domain).await,
    }
}

/// RFC 8020: where `_domainkey` itself does not exist, nothing below it does.
async fn dkim_in_sight(resolver: &dyn Resolver, domain: &Domain) -> DkimInSight {
    let Ok(name) = Name::below(b"_domainkey", domain) else {
        return DkimInSight::No;
    };
    match resolver.txt(&name).await {
        Ok(outcome) => match outcome.answer() {
            Answer::NoSuchName => DkimInSight::No,
            Answer::NoData | Answer::Records(_) => DkimInSight::Yes,
        },
        Err(_) => DkimInSight::Unknown,
    }
}
