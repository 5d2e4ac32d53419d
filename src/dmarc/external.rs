//! Report destinations outside the domain that asks for reports (RFC 9990 4; RFC 7489 7.1).

use super::{Discovery, Record, ReportUri, Settings, WhyNot};
use crate::dns::{LookupError, Name, Resolver};
use crate::domain::Domain;

/// Whether a destination may get reports about a domain.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Authorization {
    /// Policy and destination are of one organization: no consent is needed.
    SameOrganization,
    /// The destination agrees.
    Granted {
        /// Where it wants the reports instead; empty to leave the URI as it is.
        instead: Vec<ReportUri>,
    },
    /// The destination does not agree: the URI must be ignored.
    Refused,
    /// The destination names a replacement of another host, after which the receiver ‘MUST NOT
    /// generate a report to either the original or the override URI’.
    RefusedRedirection,
    /// A look-up failed; it may be tried again later.
    Unknown {
        /// The name that was asked.
        name: Name,
        /// What went wrong.
        error: LookupError,
    },
}

impl Authorization {
    /// Where reports for the URI go: itself, what replaces it, or nowhere.
    #[must_use]
    pub fn destinations<'a>(&'a self, uri: &'a ReportUri) -> &'a [ReportUri] {
        match self {
            Self::SameOrganization => std::slice::from_ref(uri),
            Self::Granted { instead } if instead.is_empty() => std::slice::from_ref(uri),
            Self::Granted { instead } => instead,
            Self::Refused | Self::RefusedRedirection | Self::Unknown { .. } => &[],
        }
    }
}

/// Which tag a URI is from, and so which tag may replace it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "rua and ruf")]
pub enum ReportKind {
    /// `rua`.
    Aggregate,
    /// `ruf`.
    Failure,
}

impl Record {
    /// The URIs that the policy names for a kind of report, the first twenty of them. A public suffix
    /// gets no failure reports: ‘ruf’ on a record with `psd=y` is ignored (RFC 9991 2).
    #[must_use]
    pub fn report_uris(&self, kind: ReportKind) -> Vec<ReportUri> {
        let mut uris = match (kind, self.psd()) {
            (ReportKind::Aggregate, _) => self.rua(),
            (ReportKind::Failure, Some(true)) => Vec::new(),
            (ReportKind::Failure, Some(false) | None) => self.ruf(),
        };
        uris.truncate(MAX_URIS);
        uris
    }
}

/// RFC 9989 4.6: ‘A report SHOULD be sent to each listed URI’, but each costs up to 17 queries, a record
/// has room for thousands, and any message can name its domain. RFC 7489 6.2 let receivers limit them.
const MAX_URIS: usize = 20;

impl ReportUri {
    /// Asks whether the host of the URI agrees to get reports about the domain that publishes it.
    ///
    /// What the destination says is not followed any further: a replacement has to keep the host, and
    /// is not verified in turn, so that no two domains can send the question round in circles.
    ///
    /// ```
    /// use mailproof::dmarc::{Authorization, ReportKind, ReportUri, Settings};
    /// use mailproof::dns::{Zone, block_on};
    ///
    /// let mut zone = Zone::new();
    /// zone.add_txt("blue.example.com._report._dmarc.red.example.net", "v=DMARC1")?;
    /// let uri = ReportUri::parse(b"mailto:reports@red.example.net").unwrap();
    /// let ask = |domain: &str| {
    ///     let domain = domain.parse().unwrap();
    ///     block_on(uri.authorize(&zone, &domain, ReportKind::Aggregate, &Settings::default()))
    /// };
    /// assert_eq!(ask("blue.example.com"), Authorization::Granted { instead: vec![] });
    /// assert_eq!(ask("green.example.com"), Authorization::Refused);
    /// # Ok::<(), mailproof::dns::NameError>(())
    /// ```
    pub async fn authorize(
        &self,
        resolver: &dyn Resolver,
        policy_domain: &Domain,
        kind: ReportKind,
        settings: &Settings,
    ) -> Authorization {
        match same_organization(resolver, policy_domain, self.host(), settings).await {
            Ok(true) => return Authorization::SameOrganization,
            Ok(false) => {}
            Err((name, error)) => return Authorization::Unknown { name, error },
        }
        let labels = format!("{policy_domain}._report._dmarc");
        // A name beyond the limits of the DNS cannot be asked, so nothing confirms the destination.
        let Ok(name) = Name::below(labels.as_bytes(), self.host()) else {
            return Authorization::Refused;
        };
        let outcome = match resolver.txt(&name).await {
            Ok(outcome) => outcome,
            Err(error) => return Authorization::Unknown { name, error },
        };
        let records = outcome.as_slice().iter().take(settings.max_records);
        let consents: Vec<_> = records
            .filter_map(Record::from_txt)
            .map(|record| match kind {
                ReportKind::Aggregate => record.rua(),
                ReportKind::Failure => record.ruf(),
            })
            .collect();
        // ‘If at least one TXT resource record remains in the set after parsing, then the external
        // reporting arrangement was authorized’; one that leads elsewhere spoils the others.
        if consents.is_empty() {
            return Authorization::Refused;
        }
        if consents
            .iter()
            .flatten()
            .any(|other| other.host() != self.host())
        {
            return Authorization::RefusedRedirection;
        }
        let mut instead = consents.into_iter().find(|uris| !uris.is_empty());
        if let Some(uris) = &mut instead {
            uris.truncate(MAX_URIS);
        }
        Authorization::Granted {
            instead: instead.unwrap_or_default(),
        }
    }
}

async fn same_organization(
    resolver: &dyn Resolver,
    policy_domain: &Domain,
    host: &Domain,
    settings: &Settings,
) -> Result<bool, (Name, LookupError)> {
    if policy_domain == host {
        return Ok(true);
    }
    if super::walk::shared_labels(policy_domain, host) == 0 {
        return Ok(false);
    }
    let mut discovery = Discovery::default();
    let mut organizations = Vec::new();
    for domain in [policy_domain, host] {
        match discovery.organization(resolver, domain, settings).await {
            Ok(organization) => organizations.push(organization),
            Err(WhyNot::OrganizationUnknown { name, error }) => return Err((name, error)),
            Err(_) => return Ok(false),
        }
    }
    Ok(organizations.first() == organizations.last())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Zone, block_on};

    const NAME: &str = "blue.example.com._report._dmarc.red.example.net";

    fn uri(text: &str) -> ReportUri {
        ReportUri::parse(text.as_bytes()).unwrap()
    }

    fn ask(zone: &Zone, policy_domain: &str, destination: &str) -> Authorization {
        let policy_domain = policy_domain.parse().unwrap();
        let (uri, settings) = (uri(destination), Settings::default());
        let kind = ReportKind::Aggregate;
        block_on(uri.authorize(zone, &policy_domain, kind, &settings))
    }

    /// RFC 9990 4's example, and its replacement rule.
    #[test]
    fn consent_and_replacement() {
        let original = uri("mailto:reports@red.example.net");
        let other = uri("mailto:others@red.example.net");
        for (records, destinations) in [
            (vec!["v=DMARC1"], vec![original.clone()]),
            (vec!["v=DMARC1;"], vec![original.clone()]),
            (vec!["v=DMARC1; p=none; bogus"], vec![original.clone()]),
            (
                vec!["v=DMARC1; rua=mailto:others@red.example.net"],
                vec![other.clone()],
            ),
            (
                vec!["v=DMARC1", "v=DMARC1; rua=mailto:others@red.example.net"],
                vec![other],
            ),
            (
                vec!["v=DMARC1; ruf=mailto:a@elsewhere.example"],
                vec![original],
            ),
            // A loop, or abuse: neither destination gets anything.
            (vec!["v=DMARC1; rua=mailto:a@elsewhere.example"], vec![]),
            (vec!["v=DMARC1; rua=mailto:a@blue.example.com"], vec![]),
            (
                vec!["v=DMARC1", "v=DMARC1; rua=mailto:a@x.red.example.net"],
                vec![],
            ),
            (vec!["v=DMARC2"], vec![]),
            (vec!["p=none; v=DMARC1"], vec![]),
            (vec![], vec![]),
        ] {
            let mut zone = Zone::new();
            for record in &records {
                zone.add_txt(NAME, record).unwrap();
            }
            let asked = uri("mailto:reports@red.example.net");
            let answer = ask(&zone, "blue.example.com", asked.as_str());
            assert_eq!(answer.destinations(&asked), destinations, "{records:?}");
        }
    }

    #[test]
    fn organizations_need_no_consent() {
        let mut zone = Zone::new();
        zone.add_txt("_dmarc.example.com", "v=DMARC1; p=none")
            .unwrap();
        for destination in ["mailto:d@example.com", "https://r.example.com/d"] {
            let answer = ask(&zone, "blue.example.com", destination);
            assert_eq!(answer, Authorization::SameOrganization);
        }
        assert_eq!(
            ask(&zone, "example.com", "mailto:d@notexample.com"),
            Authorization::Refused
        );
    }

    #[test]
    fn names_that_are_too_long_and_failures() {
        let mut zone = Zone::new();
        zone.add_txt("*._report._dmarc.red.example.net", "v=DMARC1")
            .unwrap();
        let long = [
            "a".repeat(63),
            "b".repeat(63),
            "c".repeat(63),
            "d".repeat(40),
        ]
        .join(".");
        let answer = ask(&zone, &long, "mailto:d@red.example.net");
        assert_eq!(answer, Authorization::Refused);
        let answer = ask(&zone, "any.example", "mailto:d@red.example.net");
        assert!(matches!(answer, Authorization::Granted { .. }));
        zone.fail(NAME, LookupError::Timeout).unwrap();
        let answer = ask(&zone, "blue.example.com", "mailto:d@red.example.net");
        assert!(matches!(answer, Authorization::Unknown { .. }));
        assert!(
            answer
                .destinations(&uri("mailto:d@red.example.net"))
                .is_empty()
        );
    }

    #[test]
    fn a_record_of_many_destinations_costs_little() {
        let count = if cfg!(miri) { 30 } else { 1_000 };
        let many = |host: &str| {
            let uris: Vec<_> = (0..count).map(|n| format!("mailto:a@{n}{host}")).collect();
            format!("v=DMARC1; p=none; rua={}", uris.join(","))
        };
        let record = Record::parse(many(".example").as_bytes()).unwrap();
        assert_eq!(record.rua().len(), count);
        let asked = record.report_uris(ReportKind::Aggregate);
        assert_eq!(asked.len(), 20);
        assert_eq!(asked.last().unwrap().as_str(), "mailto:a@19.example");
        let mut zone = Zone::new();
        zone.add_txt(
            NAME,
            many("")
                .replace("a@", "a")
                .replace(',', "@red.example.net,"),
        )
        .unwrap();
        let answer = ask(&zone, "blue.example.com", "mailto:d@red.example.net");
        let destination = uri("mailto:d@red.example.net");
        assert_eq!(answer.destinations(&destination).len(), 20);
    }

    #[test]
    fn public_suffixes_get_no_failure_reports() {
        let text = b"v=DMARC1; psd=y; rua=mailto:a@b.example; ruf=mailto:a@b.example";
        let record = Record::parse(text).unwrap();
        assert_eq!(record.report_uris(ReportKind::Aggregate).len(), 1);
        assert!(record.report_uris(ReportKind::Failure).is_empty());
    }
}
