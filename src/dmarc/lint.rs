//! What is unwise or without effect in what a domain publishes.

use super::{
    AlignmentMode, Authorization, Disposition, OrganizationalDomain, PublicSuffixFlag, Record,
    RecordDiagnostic, ReportUri, RuleSet, Scope, Survey,
};
use crate::domain::Domain;

/// Something that the owner of a domain should know.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LintWarning {
    /// Part of the record is ignored, or looks like a mistake.
    #[error("{0}")]
    Record(RecordDiagnostic),
    /// §7.4: ‘domains that publish "p=reject" MUST NOT rely solely on SPF to secure a DMARC pass’;
    /// forwarding breaks it.
    #[error("a policy is enforced, but no DKIM keys are in sight: forwarded mail will fail")]
    NoDkim,
    /// Nothing is published, and nothing above it applies.
    #[error("no DMARC policy applies to this domain")]
    NoPolicy,
    /// Without `rua`, nobody sends reports.
    #[error("no reports are asked for (rua=)")]
    NoReports,
    /// `np` is milder than `sp` or `p`: names that do not exist are easier to forge.
    #[error("np={np} is weaker than the policy for existing subdomains, {sp}")]
    NonexistentWeaker {
        /// `np`.
        np: Disposition,
        /// What applies to subdomains that exist.
        sp: Disposition,
    },
    /// The organizational domain is a top-level domain: its record lacks `psd=y`, and all its
    /// registrants are aligned with each other.
    #[error("the organizational domain is {organization}, whose record has no psd=y")]
    OrganizationIsTopLevel {
        /// The top-level domain.
        organization: Domain,
    },
    /// The organizational domain is above this domain: siblings can authenticate its mail unless
    /// alignment is strict or the record has `psd=n`.
    #[error(
        "the organizational domain is {organization}: all below it is aligned with this domain"
    )]
    OrganizationAbove {
        /// The organizational domain.
        organization: Domain,
    },
    /// A record with `psd=y` gets no failure reports (RFC 9991 2).
    #[error("ruf= is ignored in a record with psd=y")]
    RufOnPublicSuffix,
    /// A name publishes several records: all are ignored.
    #[error("{domain} publishes several DMARC records, which are all ignored")]
    SeveralRecords {
        /// The domain.
        domain: Domain,
    },
    /// Alignment is strict although the policy is none: reports will show failures that relaxed
    /// alignment has not, and nothing is protected.
    #[error("alignment is strict although the policy asks for nothing (p=none)")]
    StrictWithoutPolicy,
    /// `sp` is milder than `p`.
    #[error("sp={sp} is weaker than p={p}: subdomains are easier to forge than the domain")]
    SubdomainWeaker {
        /// `sp`.
        sp: Disposition,
        /// `p`.
        p: Disposition,
    },
    /// `sp` and `np` of a record below the organizational domain apply to nothing (§4.7).
    #[error("sp= and np= have no effect: the organizational domain is {organization}")]
    SubdomainPolicyUnused {
        /// The organizational domain.
        organization: Domain,
    },
    /// The policy is being tested, and so applied one level lower.
    #[error("the policy is being tested (t=y) and applied one level lower")]
    Testing,
    /// The destination of reports could not be asked.
    #[error("whether {uri} may get reports could not be found out")]
    UnknownDestination {
        /// The URI.
        uri: ReportUri,
    },
    /// The destination of reports does not agree (RFC 9990 4).
    #[error("{uri} gets no reports: its domain does not agree to reports on this one")]
    UnauthorizedDestination {
        /// The URI.
        uri: ReportUri,
    },
    /// The record has no valid policy and no reports address, and so no effect at all.
    #[error("the record has no valid policy and has no effect")]
    Unusable,
}

impl Survey {
    /// What the owner of the domain should know. Empty if nothing is unwise.
    #[must_use]
    pub fn warnings(&self) -> Vec<LintWarning> {
        let mut warnings: Vec<_> = self
            .discovery
            .several_records()
            .cloned()
            .map(|domain| LintWarning::SeveralRecords { domain })
            .collect();
        let Some((policy_domain, record)) = self.discovery.policy() else {
            warnings.push(LintWarning::NoPolicy);
            return warnings;
        };
        self.organization_warnings(policy_domain, record, &mut warnings);
        record_warnings(record, &mut warnings);
        let enforced = record.published(Scope::Domain, RuleSet::Rfc9989);
        if enforced > Some(Disposition::None) && self.dkim == Some(false) {
            warnings.push(LintWarning::NoDkim);
        }
        for (uri, answer) in &self.destinations {
            let uri = uri.clone();
            match answer {
                Authorization::SameOrganization | Authorization::Granted { .. } => {}
                Authorization::Refused | Authorization::RefusedRedirection => {
                    warnings.push(LintWarning::UnauthorizedDestination { uri });
                }
                Authorization::Unknown { .. } => {
                    warnings.push(LintWarning::UnknownDestination { uri });
                }
            }
        }
        warnings
    }

    /// Surprises of the tree walk.
    fn organization_warnings(
        &self,
        policy_domain: &Domain,
        record: &Record,
        warnings: &mut Vec<LintWarning>,
    ) {
        let OrganizationalDomain::Known(organization) = &self.organization else {
            return;
        };
        let organization = organization.clone();
        if organization == self.domain {
            return;
        }
        if *policy_domain == self.domain && (record.sp().is_some() || record.np().is_some()) {
            warnings.push(LintWarning::SubdomainPolicyUnused {
                organization: organization.clone(),
            });
        }
        if organization.label_count() == 1 {
            warnings.push(LintWarning::OrganizationIsTopLevel { organization });
        } else if record.adkim() == AlignmentMode::Relaxed
            || record.aspf() == AlignmentMode::Relaxed
        {
            warnings.push(LintWarning::OrganizationAbove { organization });
        }
    }
}

/// What a record says by itself.
fn record_warnings(record: &Record, warnings: &mut Vec<LintWarning>) {
    warnings.extend(record.diagnostics().into_iter().map(LintWarning::Record));
    let published = |scope| record.published(scope, RuleSet::Rfc9989);
    let (Some(p), Some(sp), Some(np)) = (
        published(Scope::Domain),
        published(Scope::Subdomain),
        published(Scope::NonexistentSubdomain),
    ) else {
        warnings.push(LintWarning::Unusable);
        return;
    };
    if sp < p {
        warnings.push(LintWarning::SubdomainWeaker { sp, p });
    }
    if np < sp {
        warnings.push(LintWarning::NonexistentWeaker { np, sp });
    }
    let strict = [record.adkim(), record.aspf()].contains(&AlignmentMode::Strict);
    if strict && p == Disposition::None {
        warnings.push(LintWarning::StrictWithoutPolicy);
    }
    if record.is_testing() && p.max(sp).max(np) > Disposition::None {
        warnings.push(LintWarning::Testing);
    }
    if record.rua().is_empty() {
        warnings.push(LintWarning::NoReports);
    }
    if record.psd() == PublicSuffixFlag::Yes && !record.ruf().is_empty() {
        warnings.push(LintWarning::RufOnPublicSuffix);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dmarc::Settings;
    use crate::dns::{LookupError, Zone, block_on};

    fn warnings(records: &[(&str, &str)], domain: &str) -> Vec<LintWarning> {
        let mut zone = Zone::new();
        for (name, record) in records {
            zone.add_txt(name, record).unwrap();
        }
        zone.fail(
            "example.com._report._dmarc.slow.example",
            LookupError::Timeout,
        )
        .unwrap();
        let domain = domain.parse().unwrap();
        block_on(Survey::of(&zone, &domain, &Settings::default())).warnings()
    }

    const KEY: (&str, &str) = ("s._domainkey.example.com", "v=DKIM1; p=");

    fn of_record(record: &str) -> Vec<LintWarning> {
        warnings(&[("_dmarc.example.com", record), KEY], "example.com")
    }

    #[test]
    fn a_sound_domain() {
        assert_eq!(
            of_record("v=DMARC1; p=reject; rua=mailto:d@example.com"),
            []
        );
        let external = [
            (
                "_dmarc.example.com",
                "v=DMARC1; p=none; rua=mailto:d@other.example",
            ),
            ("*._report._dmarc.other.example", "v=DMARC1"),
            KEY,
        ];
        assert_eq!(warnings(&external, "example.com"), []);
    }

    #[test]
    fn records() {
        use Disposition::{None, Quarantine, Reject};
        for (tags, expected) in [
            ("p=none; adkim=s", LintWarning::StrictWithoutPolicy),
            (
                "p=reject; sp=none",
                LintWarning::SubdomainWeaker {
                    sp: None,
                    p: Reject,
                },
            ),
            (
                "p=quarantine; np=none",
                LintWarning::NonexistentWeaker {
                    np: None,
                    sp: Quarantine,
                },
            ),
            ("p=reject; t=y", LintWarning::Testing),
            (
                "p=reject; psd=y; ruf=mailto:a@example.com",
                LintWarning::RufOnPublicSuffix,
            ),
            (
                "p=reject; pct=50",
                LintWarning::Record(RecordDiagnostic::HistoricTag { name: "pct" }),
            ),
        ] {
            let record = format!("v=DMARC1; rua=mailto:d@example.com; {tags}");
            assert_eq!(of_record(&record), [expected], "{tags}");
        }
        assert_eq!(of_record("v=DMARC1; p=reject"), [LintWarning::NoReports]);
        assert!(of_record("v=DMARC1; p=x").contains(&LintWarning::Unusable));
    }

    #[test]
    fn surroundings() {
        let reject = "v=DMARC1; p=reject; rua=mailto:d@example.com";
        let no_key = [("_dmarc.example.com", reject)];
        assert_eq!(warnings(&no_key, "example.com"), [LintWarning::NoDkim]);
        assert_eq!(warnings(&[], "example.com"), [LintWarning::NoPolicy]);
        let twice = [no_key[0], no_key[0]];
        let several = LintWarning::SeveralRecords {
            domain: "example.com".parse().unwrap(),
        };
        assert_eq!(
            warnings(&twice, "example.com"),
            [several, LintWarning::NoPolicy]
        );
        let foreign =
            of_record("v=DMARC1; p=none; rua=mailto:d@other.example,mailto:d@slow.example");
        assert!(matches!(
            foreign.as_slice(),
            [
                LintWarning::UnauthorizedDestination { .. },
                LintWarning::UnknownDestination { .. }
            ]
        ));
    }

    #[test]
    fn tree_walk_surprises() {
        let reject = "v=DMARC1; p=reject; rua=mailto:d@example.com";
        let top = [
            ("_dmarc.example.com", reject),
            ("_dmarc.com", "v=DMARC1; p=none"),
            KEY,
        ];
        let organization = "com".parse().unwrap();
        assert_eq!(
            warnings(&top, "example.com"),
            [LintWarning::OrganizationIsTopLevel { organization }]
        );
        let unit = "v=DMARC1; p=none; sp=reject; rua=mailto:d@example.com";
        let below = [
            ("_dmarc.unit.example.com", unit),
            ("_dmarc.example.com", reject),
        ];
        let organization: Domain = "example.com".parse().unwrap();
        assert_eq!(
            warnings(&below, "unit.example.com"),
            [
                LintWarning::SubdomainPolicyUnused {
                    organization: organization.clone()
                },
                LintWarning::OrganizationAbove { organization },
            ]
        );
    }
}
