//! What a receiver may decide for itself.

use std::time::Duration;

use crate::limits::DkimLimits;

/// How signatures are judged where the RFCs leave it to the receiver.
///
/// ```
/// use mailproof::dkim::Settings;
///
/// let mut settings = Settings::default();
/// settings.refuse_length = true;
/// settings.forbidden_unsigned.push("Subject".into());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// Lets a signature with `l=` pass whatever follows the signed part, so that anybody may append to
    /// the body (§8.2). Default: no; it passes only if it covers the whole canonical body.
    pub allow_partial_body: bool,
    /// Accepts `rsa-sha1`, which RFC 8301 3.1 forbids; for looking at old mail only. Default: no.
    pub allow_sha1: bool,
    /// How much clocks may differ when `x=` and `t=` are held against the time. Default: 5 minutes.
    pub clock_skew: Duration,
    /// Takes a signature by a key with `t=y` for as good as any other; the result word is the same
    /// either way. Default: no, it authenticates nothing, for DMARC as if it were not there. §3.6.1:
    /// ‘Verifiers MUST NOT treat messages from Signers in testing mode differently from unsigned
    /// email’.
    pub count_testing_keys: bool,
    /// Fields of which a signature must cover every instance that is present (§8.15 on fields that
    /// are added). Default: none.
    pub forbidden_unsigned: Vec<String>,
    /// Bounds on the work.
    pub limits: DkimLimits,
    /// How old `t=` may be, against replay; `None` for any age. Default: any.
    pub maximum_age: Option<Duration>,
    /// Refuses a `t=` in the future (§3.5: ‘Implementations MAY ignore signatures that have a
    /// timestamp in the future’). Default: no, since a wrong clock does not unsign a message.
    pub refuse_future: bool,
    /// Refuses every signature with `l=`, even one that covers the whole body. Default: no.
    pub refuse_length: bool,
    /// Fields that `h=` must name beside From. Default: none.
    pub required_fields: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow_partial_body: false,
            allow_sha1: false,
            clock_skew: Duration::from_secs(300),
            count_testing_keys: false,
            forbidden_unsigned: Vec::new(),
            limits: DkimLimits::default(),
            maximum_age: None,
            refuse_future: false,
            refuse_length: false,
            required_fields: Vec::new(),
        }
    }
}
