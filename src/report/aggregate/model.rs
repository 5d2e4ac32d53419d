//! A report as RFC 9990 and RFC 7489 have it, in one set of types.

use std::net::IpAddr;

use super::{Applied, Extension, Word};
use crate::dkim::DkimResult;
use crate::dmarc::{AlignmentMode, Disposition, DmarcResult, RuleSet};
use crate::spf::{Identity, SpfResult};
use crate::verdict::Override;

/// A whole aggregate report.
///
/// Elements that only one of the two schemas has are left out where the other is written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// The XML namespace of a report that was read; `None` where it has none.
    pub namespace: Option<String>,
    /// The version that a report claims: `1.0`, where it follows an RFC.
    pub version: Option<String>,
    /// The reporting organization; often, but not always, a domain.
    pub org_name: String,
    /// Its mail address.
    pub email: String,
    /// How else to reach it.
    pub extra_contact_info: Option<Text>,
    /// Tells this report from all others on the same domain.
    pub report_id: String,
    /// The beginning of the period, in seconds since 1970.
    pub begin: u64,
    /// Its end, in seconds since 1970.
    pub end: u64,
    /// What is wrong with the policy record. RFC 9990 has one such element, so that several become
    /// one where it is written.
    pub errors: Vec<Text>,
    /// The software that made the report.
    pub generator: Option<String>,
    /// The policy that was found.
    pub policy: PublishedPolicy,
    /// Elements that some extension defines (RFC 9990 5).
    pub extensions: Vec<Extension>,
    /// The rows: a source, what was found, and how often.
    pub rows: Vec<Row>,
}

/// The policy that was found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct PublishedPolicy {
    /// The policy domain: where the record was found.
    pub domain: String,
    /// What it asks for.
    pub p: Word<Disposition>,
    /// What it asks for subdomains.
    pub sp: Option<Word<Disposition>>,
    /// What it asks for subdomains that do not exist.
    pub np: Option<Word<Disposition>>,
    /// How DKIM identifiers must be aligned.
    pub adkim: Option<Word<AlignmentMode>>,
    /// How the SPF identifier must be aligned.
    pub aspf: Option<Word<AlignmentMode>>,
    /// How the record was found: `treewalk` (RFC 9989) or `psl` (RFC 7489).
    pub discovery_method: Option<Word<RuleSet>>,
    /// When failure reports are wanted.
    pub fo: Option<String>,
    /// Whether the policy is being tested (`t=y`).
    pub testing: Option<Word<bool>>,
    /// To how many of a hundred messages the policy applies (RFC 7489).
    pub pct: Option<Word<u8>>,
}

/// What was found about messages that have all of it in common.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Row {
    /// The client they came from.
    pub source_ip: Word<IpAddr>,
    /// How many they are.
    pub count: u64,
    /// What was done with them.
    pub disposition: Word<Applied>,
    /// Whether DKIM gave an aligned pass; the schemas know pass and fail.
    pub dkim: Word<DmarcResult>,
    /// Whether SPF gave an aligned pass; likewise.
    pub spf: Word<DmarcResult>,
    /// Why something else was done than what the policy asks for.
    pub reasons: Vec<Reason>,
    /// The author domain.
    pub header_from: String,
    /// The domain of MAIL FROM; empty for the null reverse-path.
    pub envelope_from: Option<String>,
    /// The domain of RCPT TO.
    pub envelope_to: Option<String>,
    /// The results of their signatures.
    pub dkim_results: Vec<DkimAuth>,
    /// The results of SPF. RFC 9990 has one at most.
    pub spf_results: Vec<SpfAuth>,
    /// Elements that some extension defines.
    pub extensions: Vec<Extension>,
}

/// Why something else was done than what the policy asks for.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Reason {
    /// The kind. `forwarded` and `sampled_out` of RFC 7489 are
    /// [`Word::Other`], and become `other` where RFC 9990 is written.
    pub kind: Word<Override>,
    /// More about it.
    pub comment: Option<Text>,
}

/// The result of one signature.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct DkimAuth {
    /// `d=`.
    pub domain: String,
    /// `s=`. RFC 9990 requires it; where it is missing, an empty one is written.
    pub selector: Option<String>,
    /// The result.
    pub result: Word<DkimResult>,
    /// More about it.
    pub human_result: Option<Text>,
}

/// The result of SPF.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SpfAuth {
    /// The domain that was checked.
    pub domain: String,
    /// Where the domain is from.
    pub scope: Option<Word<Identity>>,
    /// The result.
    pub result: Word<SpfResult>,
    /// More about it.
    pub human_result: Option<Text>,
}

/// Text for people.
#[derive(Clone, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Text {
    /// The text.
    pub text: String,
    /// Its language (RFC 5646), where it is not English or was named all the same.
    pub lang: Option<String>,
}

impl Text {
    /// Text in a language.
    #[must_use]
    pub fn in_language(text: impl Into<String>, lang: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            lang: Some(lang.into()),
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self { text, lang: None }
    }
}

impl Report {
    /// How many messages the rows stand for.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.rows
            .iter()
            .fold(0, |sum, row| sum.saturating_add(row.count))
    }
}
