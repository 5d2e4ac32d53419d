//! What a receiver may decide for itself.

use std::time::Duration;

use crate::limits::DkimLimits;

/// How signatures are judged where the RFCs leave it to the receiver.
///
/// ```
/// use mailproof::dkim::{LengthPolicy, Settings};
///
/// let mut settings = Settings::default();
/// settings.length = LengthPolicy::Refuse;
/// settings.forbidden_unsigned.push("Subject".into());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// Accepts `rsa-sha1`, which RFC 8301 3.1 forbids; for looking at old mail only. Default: no.
    pub allow_sha1: bool,
    /// How much clocks may differ when `x=` and `t=` are held against the time. Default: 5 minutes.
    pub clock_skew: Duration,
    /// Fields of which a signature must cover every instance that is present (§8.15 on fields that
    /// are added). Default: none.
    pub forbidden_unsigned: Vec<String>,
    /// What `l=` is worth. Default: only a signature over the whole body counts.
    pub length: LengthPolicy,
    /// Bounds on the work.
    pub limits: DkimLimits,
    /// How old `t=` may be, against replay; `None` for any age. Default: any.
    pub maximum_age: Option<Duration>,
    /// Refuses a `t=` in the future (§3.5: ‘Implementations MAY ignore signatures that have a
    /// timestamp in the future’). Default: no, since a wrong clock does not unsign a message.
    pub refuse_future: bool,
    /// Fields that `h=` must name beside From. Default: none.
    pub required_fields: Vec<String>,
    /// What a signature by a testing key is worth. Default: as much as none.
    pub testing_keys: TestingKeys,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            allow_sha1: false,
            clock_skew: Duration::from_secs(300),
            forbidden_unsigned: Vec::new(),
            length: LengthPolicy::default(),
            limits: DkimLimits::default(),
            maximum_age: None,
            refuse_future: false,
            required_fields: Vec::new(),
            testing_keys: TestingKeys::default(),
        }
    }
}

/// What to make of `l=`, which lets anybody append to the body (§8.2).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum LengthPolicy {
    /// A signature with `l=` may pass whatever follows the signed part.
    Allow,
    /// Only if it covers the whole canonical body.
    #[default]
    CoverBody,
    /// A signature with `l=` never passes.
    Refuse,
}

/// What to make of a key with `t=y`. §3.6.1: ‘Verifiers MUST NOT treat messages from Signers in
/// testing mode differently from unsigned email’. The result word is not changed by it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum TestingKeys {
    /// The signature authenticates nothing, for DMARC as if it were not there.
    #[default]
    Unsigned,
    /// The signature counts as any other.
    Count,
}
