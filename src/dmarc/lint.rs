//! What is unwise or without effect in what a domain publishes.

use super::{AlignmentMode, Authorization, Disposition, Record, ReportUri, RuleSet, Survey};
use crate::domain::Domain;
use crate::tag_list::TagListError;

/// Something that the owner of a domain should know: what is ignored in its record or looks like a
/// mistake ([`Record::warnings`]), and what is unwise ([`Survey::warnings`]).
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// A URI of `rua` or `ruf` that is none.
    #[error("{name}= has a URI that cannot be used: {uri}")]
    BadUri {
        /// The tag.
        name: &'static str,
        /// The URI, as far as it can be printed.
        uri: String,
    },
    /// A tag that stood before; this one is ignored.
    #[error("{name}= stands twice; the first counts")]
    DuplicateTag {
        /// The tag.
        name: &'static str,
    },
    /// `fo` without `ruf` has no effect.
    #[error("fo= without ruf= has no effect")]
    FailureOptionsWithoutRuf,
    /// A tag that RFC 9989 no longer knows.
    #[error("{name}= is no longer used (RFC 9989)")]
    HistoricTag {
        /// The tag.
        name: &'static str,
    },
    /// A known tag with a value that it does not have.
    #[error("{name}={value} is not valid")]
    InvalidValue {
        /// The tag.
        name: &'static str,
        /// The value, as far as it can be printed.
        value: String,
    },
    /// Text that is no tag.
    #[error("{error}")]
    Malformed {
        /// What is wrong with it.
        error: TagListError,
    },
    /// There is no `p`.
    #[error("there is no p=")]
    MissingPolicy,
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
    /// The organizational domain is above this domain: siblings can authenticate its mail unless
    /// alignment is strict or the record has `psd=n`.
    #[error(
        "the organizational domain is {organization}: all below it is aligned with this domain"
    )]
    OrganizationAbove {
        /// The organizational domain.
        organization: Domain,
    },
    /// The organizational domain is a top-level domain: its record lacks `psd=y`, and all its
    /// registrants are aligned with each other.
    #[error("the organizational domain is {organization}, whose record has no psd=y")]
    OrganizationIsTopLevel {
        /// The top-level domain.
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
    /// A size limit behind a URI, which RFC 9989 ignores.
    #[error("{name}= has a size limit, which is no longer used (RFC 9989)")]
    SizeLimit {
        /// The tag.
        name: &'static str,
    },
    /// Alignment is strict although the policy is none: reports will show failures that relaxed
    /// alignment has not, and nothing is protected.
    #[error("alignment is strict although the policy asks for nothing (p=none)")]
    StrictWithoutPolicy,
    /// `sp` and `np` of a record below the organizational domain apply to nothing (§4.7).
    #[error("sp= and np= have no effect: the organizational domain is {organization}")]
    SubdomainPolicyUnused {
        /// The organizational domain.
        organization: Domain,
    },
    /// `sp` is milder than `p`.
    #[error("sp={sp} is weaker than p={p}: subdomains are easier to forge than the domain")]
    SubdomainWeaker {
        /// `sp`.
        sp: Disposition,
        /// `p`.
        p: Disposition,
    },
    /// The policy is being tested, and so applied one level lower.
    #[error("the policy is being tested (t=y) and applied one level lower")]
    Testing,
    /// The destination of reports does not agree (RFC 9990 4).
    #[error("{uri} gets no reports: its domain does not agree to reports on this one")]
    UnauthorizedDestination {
        /// The URI.
        uri: ReportUri,
    },
    /// The destination of reports could not be asked.
    #[error("whether {uri} may get reports could not be found out")]
    UnknownDestination {
        /// The URI.
        uri: ReportUri,
    },
    /// A tag that nobody knows.
    #[error("unknown tag {name}=")]
    UnknownTag {
        /// The tag.
        name: String,
    },
    /// The record has no valid policy and no reports address, and so no effect at all.
    #[error("the record has no valid policy and has no effect")]
    Unusable,
}

impl Survey {
    /// What the owner of the domain should know. Empty if nothing is unwise.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings: Vec<_> = self
            .discovery
            .several_records()
            .cloned()
            .map(|domain| Warning::SeveralRecords { domain })
            .collect();
        let Some((policy_domain, record)) = self.discovery.policy() else {
            warnings.push(Warning::NoPolicy);
            return warnings;
        };
        self.organization_warnings(policy_domain, record, &mut warnings);
        record_warnings(record, &mut warnings);
        let enforced = record.policies(RuleSet::Rfc9989).map(|[p, ..]| p);
        if enforced > Some(Disposition::None) && self.dkim == Some(false) {
            warnings.push(Warning::NoDkim);
        }
        for (uri, answer) in &self.destinations {
            let uri = uri.clone();
            match answer {
                Authorization::SameOrganization | Authorization::Granted { .. } => {}
                Authorization::Refused | Authorization::RefusedRedirection => {
                    warnings.push(Warning::UnauthorizedDestination { uri });
                }
                Authorization::Unknown { .. } => {
                    warnings.push(Warning::UnknownDestination { uri });
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
        warnings: &mut Vec<Warning>,
    ) {
        let Ok(organization) = &self.organization else {
            return;
        };
        let organization = organization.clone();
        if organization == self.domain {
            return;
        }
        if *policy_domain == self.domain && (record.sp().is_some() || record.np().is_some()) {
            warnings.push(Warning::SubdomainPolicyUnused {
                organization: organization.clone(),
            });
        }
        if organization.label_count() == 1 {
            warnings.push(Warning::OrganizationIsTopLevel { organization });
        } else if record.adkim() == AlignmentMode::Relaxed
            || record.aspf() == AlignmentMode::Relaxed
        {
            warnings.push(Warning::OrganizationAbove { organization });
        }
    }
}

/// What a record says by itself.
fn record_warnings(record: &Record, warnings: &mut Vec<Warning>) {
    warnings.extend(record.warnings());
    let Some([p, sp, np]) = record.policies(RuleSet::Rfc9989) else {
        warnings.push(Warning::Unusable);
        return;
    };
    if sp < p {
        warnings.push(Warning::SubdomainWeaker { sp, p });
    }
    if np < sp {
        warnings.push(Warning::NonexistentWeaker { np, sp });
    }
    let strict = [record.adkim(), record.aspf()].contains(&AlignmentMode::Strict);
    if strict && p == Disposition::None {
        warnings.push(Warning::StrictWithoutPolicy);
    }
    if record.is_testing() && p.max(sp).max(np) > Disposition::None {
        warnings.push(Warning::Testing);
    }
    if record.rua().is_empty() {
        warnings.push(Warning::NoReports);
    }
    if record.psd() == Some(true) && !record.ruf().is_empty() {
        warnings.push(Warning::RufOnPublicSuffix);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dmarc::Settings;
    use crate::dns::{LookupError, Zone, block_on};

    fn warnings(records: &[(&str, &str)], domain: &str) -> Vec<Warning> {
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

    fn of_record(record: &str) -> Vec<Warning> {
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
            ("p=none; adkim=s", Warning::StrictWithoutPolicy),
            (
                "p=reject; sp=none",
                Warning::SubdomainWeaker {
                    sp: None,
                    p: Reject,
                },
            ),
            (
                "p=quarantine; np=none",
                Warning::NonexistentWeaker {
                    np: None,
                    sp: Quarantine,
                },
            ),
            ("p=reject; t=y", Warning::Testing),
            (
                "p=reject; psd=y; ruf=mailto:a@example.com",
                Warning::RufOnPublicSuffix,
            ),
            ("p=reject; pct=50", Warning::HistoricTag { name: "pct" }),
        ] {
            let record = format!("v=DMARC1; rua=mailto:d@example.com; {tags}");
            assert_eq!(of_record(&record), [expected], "{tags}");
        }
        assert_eq!(of_record("v=DMARC1; p=reject"), [Warning::NoReports]);
        assert!(of_record("v=DMARC1; p=x").contains(&Warning::Unusable));
    }

    #[test]
    fn surroundings() {
        let reject = "v=DMARC1; p=reject; rua=mailto:d@example.com";
        let no_key = [("_dmarc.example.com", reject)];
        assert_eq!(warnings(&no_key, "example.com"), [Warning::NoDkim]);
        assert_eq!(warnings(&[], "example.com"), [Warning::NoPolicy]);
        let twice = [no_key[0], no_key[0]];
        let several = Warning::SeveralRecords {
            domain: "example.com".parse().unwrap(),
        };
        assert_eq!(
            warnings(&twice, "example.com"),
            [several, Warning::NoPolicy]
        );
        let foreign =
            of_record("v=DMARC1; p=none; rua=mailto:d@other.example,mailto:d@slow.example");
        assert!(matches!(
            foreign.as_slice(),
            [
                Warning::UnauthorizedDestination { .. },
                Warning::UnknownDestination { .. }
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
            [Warning::OrganizationIsTopLevel { organization }]
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
                Warning::SubdomainPolicyUnused {
                    organization: organization.clone()
                },
                Warning::OrganizationAbove { organization },
            ]
        );
    }
}
