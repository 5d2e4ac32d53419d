//! What the caller may choose.

use std::time::SystemTime;

use crate::limits::SpfLimits;

/// How SPF is checked.
///
/// ```
/// use mailproof::spf::Settings;
///
/// let mut settings = Settings::default();
/// settings.receiver = Some("mx.example.com".into());
/// settings.skip_explanation = true;
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// The bounds on the work of one check.
    pub limits: SpfLimits,
    /// Whether each answer without records is void, of which §4.6.4 allows two.
    ///
    /// By the RFC's words every query that ends in NXDOMAIN or without records counts. Then a
    /// client that connects over IPv6 makes void look-ups of all the hosts that have IPv4 addresses
    /// only, and a sound `mx` is a permerror for it. Some implementations follow the words; others,
    /// and this one by default, do not count a host that has the other family. That family is asked
    /// for only when the limit would be exceeded otherwise.
    pub every_empty_answer_is_void: bool,
    /// Leaves out the check of HELO besides MAIL FROM, which §2.3 recommends; in place of a null
    /// reverse-path HELO is checked nevertheless (§2.4).
    pub skip_helo: bool,
    /// Does not fetch the explanation of a fail, which costs one query (§6.2).
    pub skip_explanation: bool,
    /// Does not look up the names of the client: `ptr` matches nothing, and `%{p}` is ‘unknown’. §5.5
    /// asks not to publish either, but ‘compliant check_host() implementations MUST support it’.
    pub skip_ptr: bool,
    /// The name of the host that checks, for the macro `r`; ‘unknown’ where it is not given (§7.3).
    pub receiver: Option<String>,
    /// The time of the check, for the macro `t`; ‘unknown’ where it is not given.
    pub now: Option<SystemTime>,
    /// How many events of a check are kept for [`Evaluation::trace`](super::Evaluation::trace);
    /// none by default.
    pub trace_events: usize,
}
