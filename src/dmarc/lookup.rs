//! Looking at what a domain publishes, for those who run it.

use super::{Authorization, Discovery, ReportKind, ReportUri, Settings, WhyNot};
use crate::address::Address;
use crate::dns::{Name, Resolver};
use crate::domain::Domain;
use crate::message::Author;

/// All that a domain publishes for DMARC, as far as the DNS tells. [`warnings`](Self::warnings)
/// says what is wrong with it.
#[derive(Clone, Debug)]
pub struct Survey {
    pub(super) domain: Domain,
    pub(super) discovery: Discovery,
    pub(super) organization: Result<Domain, WhyNot>,
    pub(super) destinations: Vec<(ReportUri, Authorization)>,
    pub(super) dkim: Option<bool>,
}

impl Survey {
    /// Looks at what a domain publishes: its policy, its organization, whether the destinations of its
    /// reports agree, and whether DKIM keys are in sight.
    ///
    /// ```
    /// use mailproof::dmarc::{Settings, Survey, Warning};
    /// use mailproof::dns::{Zone, block_on};
    ///
    /// let mut zone = Zone::new();
    /// zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject; rua=mailto:d@example.net")?;
    /// let domain = "example.com".parse().unwrap();
    /// let survey = block_on(Survey::of(&zone, &domain, &Settings::default()));
    /// let warnings = survey.warnings();
    /// assert!(warnings.contains(&Warning::NoDkim));
    /// assert!(warnings.iter().any(|w| matches!(w, Warning::UnauthorizedDestination { .. })));
    /// # Ok::<(), mailproof::dns::NameError>(())
    /// ```
    pub async fn of(resolver: &dyn Resolver, domain: &Domain, settings: &Settings) -> Self {
        let author = match Address::new("postmaster", domain.clone()) {
            Ok(address) => Author::One(address),
            Err(_) => Author::Missing,
        };
        let mut discovery = Discovery::of_author(resolver, &author, settings).await;
        let organization = discovery.organization(resolver, domain, settings).await;
        let mut destinations = Vec::new();
        if let Some((policy_domain, record)) = discovery.policy() {
            for kind in [ReportKind::Aggregate, ReportKind::Failure] {
                for uri in record.report_uris(kind) {
                    let answer = uri.authorize(resolver, policy_domain, kind, settings).await;
                    destinations.push((uri, answer));
                }
            }
        }
        Self {
            domain: domain.clone(),
            discovery,
            organization,
            destinations,
            dkim: dkim_in_sight(resolver, domain).await,
        }
    }

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
    ///
    /// # Errors
    ///
    /// [`WhyNot::OrganizationUnknown`] where a look-up failed.
    pub fn organization(&self) -> Result<&Domain, &WhyNot> {
        self.organization.as_ref()
    }

    /// Where its reports go, and whether they may.
    #[must_use]
    pub fn destinations(&self) -> &[(ReportUri, Authorization)] {
        &self.destinations
    }

    /// Whether it seems to have DKIM keys: something exists below `_domainkey`. Where nothing does,
    /// no key does (RFC 8020). `None` where the look-up failed.
    #[must_use]
    pub fn has_dkim(&self) -> Option<bool> {
        self.dkim
    }
}

/// RFC 8020: where `_domainkey` itself does not exist, nothing below it does.
async fn dkim_in_sight(resolver: &dyn Resolver, domain: &Domain) -> Option<bool> {
    let Ok(name) = Name::below(b"_domainkey", domain) else {
        return Some(false);
    };
    match resolver.txt(&name).await {
        Ok(outcome) => Some(!outcome.is_no_such_name()),
        Err(_) => None,
    }
}
