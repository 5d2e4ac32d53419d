//! What the caller may choose.

use std::time::SystemTime;

use crate::limits::SpfLimits;

/// How SPF is checked.
///
/// ```
/// use mailproof::spf::{Settings, VoidRule};
///
/// let mut settings = Settings::default();
/// settings.receiver = Some("mx.example.com".into());
/// settings.void_rule = VoidRule::EveryAnswer;
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// The bounds on the work of one check.
    pub limits: SpfLimits,
    /// Which answers count as void.
    pub void_rule: VoidRule,
    /// Whether HELO is checked besides MAIL FROM.
    pub helo_rule: HeloRule,
    /// Whether the explanation of a fail is fetched.
    pub explanation_rule: ExplanationRule,
    /// Whether the client's names are looked up.
    pub ptr_rule: PtrRule,
    /// The name of the host that checks, for the macro `r`; ‘unknown’ where it is not given (§7.3).
    pub receiver: Option<String>,
    /// The time of the check, for the macro `t`; ‘unknown’ where it is not given.
    pub now: Option<SystemTime>,
    /// How many events of a check are kept for [`Evaluation::trace`](super::Evaluation::trace);
    /// none by default.
    pub trace_events: usize,
}

/// Which look-ups without an answer are void, of which §4.6.4 allows two.
///
/// By the RFC's words every query that ends in NXDOMAIN or without records counts. Then a
/// client that connects over IPv6 makes void look-ups of all the hosts that have IPv4 addresses
/// only, and a sound `mx` is a permerror for it. Some implementations follow the words, others do not
/// count a host that has the other family.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum VoidRule {
    /// A host that has addresses of the other family is not void. The other family is asked
    /// for only when the limit would be exceeded otherwise.
    #[default]
    EitherFamily,
    /// Each answer without records is void, as §4.6.4 has it.
    EveryAnswer,
}

/// When the HELO identity is checked.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum HeloRule {
    /// §2.3: ‘It is RECOMMENDED that SPF verifiers not only check the "MAIL FROM" identity but also
    /// separately check the "HELO" identity’.
    #[default]
    Always,
    /// Only in place of a null reverse-path (§2.4).
    NullReversePath,
}

/// Whether explanations are fetched (§6.2).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ExplanationRule {
    /// After a fail, which costs one query.
    #[default]
    Fetch,
    /// Never.
    Ignore,
}

/// What becomes of `ptr` and `%{p}`, which §5.5 asks not to publish.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum PtrRule {
    /// They are evaluated: ‘compliant check_host() implementations MUST support it’.
    #[default]
    Follow,
    /// Nothing is looked up: `ptr` matches nothing, and `%{p}` is ‘unknown’.
    Ignore,
}
