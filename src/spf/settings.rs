//! What the caller may choose.

use std::time::SystemTime;

/// How SPF is checked. The bounds on the work (§4.6.4) are each per check.
///
/// ```
/// use mailproof::spf::Settings;
///
/// let mut settings = Settings::default();
/// settings.receiver = Some("mx.example.com".into());
/// settings.skip_explanation = true;
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Settings {
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
    /// Terms that cause DNS queries: include, a, mx, ptr, exists, redirect.
    pub max_lookup_terms: usize,
    /// Names in one MX answer; more are a permerror.
    pub max_mx_names: usize,
    /// Names of one PTR answer that are looked at; more are ignored.
    pub max_ptr_names: usize,
    /// Look-ups that find nothing: ‘a default of two is RECOMMENDED’.
    pub max_void_lookups: usize,
    /// Address records looked at per name; where none of them is the client's and there are more,
    /// a permerror. The RFC sets no bound; no host that sends mail has this many.
    pub max_addresses: usize,
    /// Octets of one SPF record. §3.4 asks for 450; 64 KiB is what TCP can carry.
    pub max_record_octets: usize,
    /// TXT records at one name; more are a permerror. Real names have 59 and more.
    pub max_txt_records: usize,
    /// All queries of one check. 10 terms of 10 names each, both reverse and forward, stay below.
    pub max_queries: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            every_empty_answer_is_void: false,
            skip_helo: false,
            skip_explanation: false,
            skip_ptr: false,
            receiver: None,
            now: None,
            trace_events: 0,
            max_lookup_terms: 10,
            max_mx_names: 10,
            max_ptr_names: 10,
            max_void_lookups: 2,
            max_addresses: 100,
            max_record_octets: 65_535,
            max_txt_records: 500,
            max_queries: 150,
        }
    }
}
