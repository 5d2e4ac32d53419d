//! What the caller may decide about DMARC.

use std::sync::Arc;

use super::PublicSuffixList;

/// How DMARC is evaluated. The default is RFC 9989 with its tree walk.
///
/// ```
/// use std::sync::Arc;
/// use mailproof::dmarc::{PublicSuffixList, Settings};
///
/// let list = PublicSuffixList::parse(b"com\nco.uk\n").ok_or("the list has no rules")?;
/// let mut settings = Settings::default();
/// settings.public_suffix_list = Some(Arc::new(list));
/// settings.pct_sample = 17; // from the caller's random numbers
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// A list of public suffixes, which the caller has to keep up to date. With one, RFC 7489
    /// applies, and organizational domains are found by the list (RFC 7489 3.2); without, as by
    /// default, RFC 9989 does, and they are found by the DNS (RFC 9989 4.10).
    pub public_suffix_list: Option<Arc<PublicSuffixList>>,
    /// Whether a message with several author domains in one From field is evaluated for each (RFC
    /// 9989 11.5): the strictest policy among those that fail applies; a domain that cannot be
    /// evaluated for now makes the result temperror, unless another one's policy is reject already.
    /// Where none fails, or there are more than [`max_author_domains`](Self::max_author_domains), the
    /// result is permerror still: it is never pass or none.
    ///
    /// By default the result is permerror, and no query is made. Several From fields are refused in
    /// any case.
    pub strictest_of_several_authors: bool,
    /// A random number from 0 to 99 for `pct` (RFC 7489 6.6.4): the policy applies in full where it
    /// is below the published percentage. At 0, the default, only `pct=0` spares a message.
    pub pct_sample: u8,
    /// A public suffix list to compare the tree walk with: where the two find different
    /// organizational domains, [`Evaluation::disagreements`](super::Evaluation::disagreements)
    /// says so. Nothing else changes, but the author domain's walk is always made in full.
    pub compare_with: Option<Arc<PublicSuffixList>>,
    /// Author domains evaluated where a message has several and the strictest policy shall decide
    /// (RFC 9989 11.5).
    pub max_author_domains: usize,
    /// Authenticated domains whose organizational domain is looked up. The domains are the
    /// sender's to choose, and each costs up to [`max_walk_queries`](Self::max_walk_queries) queries.
    pub max_walks: usize,
    /// Queries in one DNS tree walk. RFC 9989 4.10 arrives at 8.
    pub max_walk_queries: usize,
    /// TXT records looked at where one name has many.
    pub max_records: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            public_suffix_list: None,
            strictest_of_several_authors: false,
            pct_sample: 0,
            compare_with: None,
            max_author_domains: 4,
            max_walks: 4,
            max_walk_queries: 8,
            max_records: 100,
        }
    }
}

impl Settings {
    /// The RFC whose tags and rules apply.
    #[must_use]
    pub fn rules(&self) -> RuleSet {
        match self.public_suffix_list {
            None => RuleSet::Rfc9989,
            Some(_) => RuleSet::Rfc7489,
        }
    }
}

/// A specification of DMARC: by which records are read, and in whose schema aggregate reports are
/// written.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum RuleSet {
    /// RFC 9989, with reports by RFC 9990: `np`, `psd` and `t` count; `pct`, `rf` and `ri` are
    /// historic.
    #[default]
    Rfc9989,
    /// RFC 7489, with its own schema of reports: `pct`, `rf` and `ri` count; `np`, `psd` and `t` are
    /// unknown.
    Rfc7489,
}
