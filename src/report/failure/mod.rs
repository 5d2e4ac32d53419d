//! Failure reports: one message that failed, told to the domain that it claims to be from.
//!
//! The format is the Abuse Reporting Format (RFC 5965) as extended by RFC 6591 and, for DMARC, by
//! RFC 9991, which is what ‘§’ refers to. A [`Reporter`] decides whether there is anything to
//! report, finds out who may be told, and writes the mail; [`FailureReport::read`] reads what
//! others send.
//!
//! Failure reports carry personal data, and most large receivers send none. What is written here is
//! therefore as little as the RFCs allow unless told otherwise: the header block without the body,
//! and every local part of an address replaced (RFC 6590).
//!
//! ```
//! use mailproof::dns::{Zone, block_on};
//! use mailproof::report::failure::{AuthFailure, FailureReport, RateLimiter, Reporter};
//! use mailproof::report::Limits;
//! use mailproof::{Address, Message, Session, Verifier, dmarc};
//! use std::time::{Duration, UNIX_EPOCH};
//!
//! let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
//! let mut dns = Zone::new();
//! dns.add_txt("_dmarc.example.com", "v=DMARC1; p=reject; ruf=mailto:failures@example.com")?;
//! let session = Session::new([192, 0, 2, 7].into(), "mx.example.org", "list@example.org");
//! let message = Message::parse(b"From: Joe <joe@example.com>\r\nSubject: hello\r\n\r\nHi.\r\n");
//! let verdict = block_on(Verifier::new(&dns).at(now).verify(&session, &message));
//!
//! let limiter = RateLimiter::new(20, Duration::from_secs(3_600));
//! let reporter = Reporter::new(
//!     Address::parse(b"noreply-dmarc@mx.example.net")?,
//!     "mx.example.net".parse()?,
//!     b"a secret that stays the same",
//!     limiter,
//! );
//! let recipients = block_on(reporter.recipients(&dns, &verdict, &dmarc::Settings::default()));
//! assert_eq!(recipients, [Address::parse(b"failures@example.com")?]);
//! for report in reporter.reports(&verdict, &message, now)? {
//!     for recipient in &recipients {
//!         let Some(mail) = reporter.mail(&report, recipient, now) else { continue };
//!         let read = FailureReport::read(&mail, &Limits::default())?;
//!         assert_eq!(read.auth_failure, Some(AuthFailure::Dmarc));
//!         assert!(!String::from_utf8_lossy(read.header()).contains("joe@"));
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alignment;
mod compose;
mod external;
mod guard;
mod limiter;
mod read;
mod redact;
mod reporter;
mod write;

use std::fmt;
use std::net::IpAddr;

pub use limiter::RateLimiter;
pub use reporter::Reporter;

use crate::domain::Domain;
use crate::identifier::Method;
use crate::report::Warning;

/// A failure report, to be written or as it was read.
///
/// What was read is what a stranger says: nothing in it is verified, least of all who sent it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct FailureReport {
    /// The kind of report; `auth-failure` but for the reports of other kinds that this format
    /// carries, such as `abuse`.
    pub feedback_type: String,
    /// What failed; `None` in a report of another kind.
    pub auth_failure: Option<AuthFailure>,
    /// The values of Authentication-Results, each on one line.
    pub authentication_results: Vec<String>,
    /// The methods that had an aligned identifier and could not authenticate it; empty for ‘none’.
    pub identity_alignment: Option<Vec<Method>>,
    /// What became of the message.
    pub delivery_result: Option<DeliveryResult>,
    /// `d=` of the signature that failed.
    pub dkim_domain: Option<Domain>,
    /// `i=` of the signature that failed.
    pub dkim_identity: Option<String>,
    /// `s=` of the signature that failed.
    pub dkim_selector: Option<String>,
    /// The canonical header that the signature was checked against.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub dkim_canonicalized_header: Option<Vec<u8>>,
    /// The canonical body that the signature was checked against.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub dkim_canonicalized_body: Option<Vec<u8>>,
    /// The SPF records that led to the result: the domain and the text of each.
    pub spf_dns: Vec<(String, String)>,
    /// When the message arrived, in seconds since 1970.
    pub arrival_date: Option<u64>,
    /// The address of the client that sent the message.
    pub source_ip: Option<IpAddr>,
    /// The port of that client (RFC 6692).
    pub source_port: Option<u16>,
    /// The envelope identifier (`ENVID`, RFC 3461), or the receiver's own name for the transaction.
    pub original_envelope_id: Option<String>,
    /// MAIL FROM without brackets; empty for the null reverse-path.
    pub original_mail_from: Option<String>,
    /// RCPT TO without brackets, for each recipient that shall be told.
    pub original_rcpt_to: Vec<String>,
    /// The domains that the report is about; the author domain in those of DMARC.
    pub reported_domains: Vec<Domain>,
    /// URIs that the report is about.
    pub reported_uris: Vec<String>,
    /// The server that reports.
    pub reporting_mta: Option<String>,
    /// The program that reports.
    pub user_agent: Option<String>,
    /// How many incidents of this kind the report stands for.
    pub incidents: u32,
    /// What was wrong with the report when it was read; never written.
    pub warnings: Vec<Warning>,
    #[cfg_attr(feature = "serde", serde(skip))]
    header: Vec<u8>,
    #[cfg_attr(feature = "serde", serde(skip))]
    body: Option<Vec<u8>>,
}

impl FailureReport {
    fn empty() -> Self {
        Self {
            feedback_type: String::new(),
            auth_failure: None,
            authentication_results: Vec::new(),
            identity_alignment: None,
            delivery_result: None,
            dkim_domain: None,
            dkim_identity: None,
            dkim_selector: None,
            dkim_canonicalized_header: None,
            dkim_canonicalized_body: None,
            spf_dns: Vec::new(),
            arrival_date: None,
            source_ip: None,
            source_port: None,
            original_envelope_id: None,
            original_mail_from: None,
            original_rcpt_to: Vec::new(),
            reported_domains: Vec::new(),
            reported_uris: Vec::new(),
            reporting_mta: None,
            user_agent: None,
            incidents: 1,
            warnings: Vec::new(),
            header: Vec::new(),
            body: None,
        }
    }

    /// The header block of the message, without the empty line behind it; empty where the report
    /// has none.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// The body of the message, where the report has it.
    #[must_use]
    pub fn body(&self) -> Option<&[u8]> {
        self.body.as_deref()
    }

    /// What makes two incidents alike, so that one report can stand for both.
    fn condition(&self) -> String {
        let domains: Vec<&str> = self.reported_domains.iter().map(Domain::as_str).collect();
        let signer = self.dkim_domain.as_ref().map_or("", Domain::as_str);
        format!(
            "{} {:?} {:?} {:?} {signer} {}",
            domains.join(","),
            self.auth_failure,
            self.identity_alignment,
            self.source_ip,
            self.dkim_selector.as_deref().unwrap_or_default(),
        )
    }
}

/// What failed (Auth-Failure, RFC 6591 3.3).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[non_exhaustive]
pub enum AuthFailure {
    /// The signing practices of RFC 5617, which are historic.
    Adsp,
    /// The body of the message is not the one that was signed.
    BodyHash,
    /// DMARC: some or all mechanisms gave no aligned identifier (§4).
    Dmarc,
    /// The key of a signature was revoked.
    Revoked,
    /// A signature does not verify for another reason.
    Signature,
    /// SPF.
    Spf,
}

impl AuthFailure {
    const ALL: [Self; 6] = [
        Self::Adsp,
        Self::BodyHash,
        Self::Dmarc,
        Self::Revoked,
        Self::Signature,
        Self::Spf,
    ];

    /// The word as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Adsp => "adsp",
            Self::BodyHash => "bodyhash",
            Self::Dmarc => "dmarc",
            Self::Revoked => "revoked",
            Self::Signature => "signature",
            Self::Spf => "spf",
        }
    }
}

impl fmt::Display for AuthFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What became of the message (Delivery-Result, RFC 6591 3.2.2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[non_exhaustive]
pub enum DeliveryResult {
    /// It was delivered.
    Delivered,
    /// It was delivered where spam goes.
    Spam,
    /// It did not reach the inbox because a check failed.
    Policy,
    /// It was rejected.
    Reject,
    /// Something else, or nobody's business.
    Other,
}

impl DeliveryResult {
    const ALL: [Self; 5] = [
        Self::Delivered,
        Self::Spam,
        Self::Policy,
        Self::Reject,
        Self::Other,
    ];

    /// The word as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Spam => "spam",
            Self::Policy => "policy",
            Self::Reject => "reject",
            Self::Other => "other",
        }
    }
}

impl fmt::Display for DeliveryResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
