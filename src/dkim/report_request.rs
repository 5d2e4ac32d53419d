//! Who wants to hear of failed signatures (RFC 6651 3).

use super::cause::Cause;
use super::quoted_printable;
use crate::address::Address;
use crate::domain::Domain;
use crate::tag_list::TagList;
use crate::text;

/// A reporting record: the text at `_report._domainkey.<d=>`.
///
/// ```
/// use mailproof::dkim::{Cause, ReportRequest};
///
/// let domain = "example.com".parse()?;
/// let request = ReportRequest::parse(b"ra=dkim-errors; rp=50; rr=v:x", &domain).unwrap();
/// assert_eq!(request.address().map(|address| address.to_string()).as_deref(),
///     Some("dkim-errors@example.com"));
/// assert!(request.wants(&Cause::BodyHashMismatch) && !request.wants(&Cause::NoKey));
/// # Ok::<(), mailproof::domain::DomainError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ReportRequest {
    address: Option<Address>,
    percentage: u8,
    reasons: Vec<String>,
    smtp_text: Option<String>,
}

impl ReportRequest {
    /// Reads a record of the signing domain. RFC 6651 3.3, step 5: one with any error counts as absent.
    #[must_use]
    pub fn parse(record: &[u8], signing_domain: &Domain) -> Option<Self> {
        let mut tags = TagList::new();
        tags.read(record).ok()?;
        let get = |name: &[u8]| tags.get(name);
        let decoded = |name: &[u8]| match get(name) {
            None => Some(None),
            Some(value) => {
                let octets = quoted_printable::decode(value)?;
                Some(Some(String::from_utf8(octets).ok()?))
            }
        };
        // The reports go to the signing domain and nowhere else.
        let address = match decoded(b"ra")? {
            None => None,
            Some(local_part) => Some(Address::new(&local_part, signing_domain.clone()).ok()?),
        };
        let percentage = match get(b"rp") {
            None => 100,
            Some(value) => u8::try_from(text::decimal(value, 3)?)
                .ok()
                .filter(|percentage| *percentage <= 100)?,
        };
        let reasons = get(b"rr").unwrap_or(b"all").split(|octet| *octet == b':');
        Some(Self {
            address,
            percentage,
            reasons: reasons
                .map(|reason| text::lossy(text::trim_fws(reason)).into_owned())
                .collect(),
            smtp_text: decoded(b"rs")?,
        })
    }

    /// Where reports go: `ra=` at the signing domain. Without it, none are wanted.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        self.address.as_ref()
    }

    /// `rp=`: how many of a hundred failures are to be reported, chosen at random.
    #[must_use]
    pub fn percentage(&self) -> u8 {
        self.percentage
    }

    /// `rr=`: the reasons to report, as written.
    #[must_use]
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    /// `rs=`: text for the SMTP reply to a message that is rejected for this. It is a stranger's:
    /// take one line of it at most.
    #[must_use]
    pub fn smtp_text(&self) -> Option<&str> {
        self.smtp_text.as_deref()
    }

    /// Whether a failure for this cause is to be reported (RFC 6651 5.1).
    #[must_use]
    pub fn wants(&self, cause: &Cause) -> bool {
        let Some(reason) = reason(cause) else {
            return false;
        };
        self.address.is_some()
            && self
                .reasons
                .iter()
                .any(|wanted| wanted == "all" || wanted == reason)
    }
}

/// The token of RFC 6651 5.1 that covers a cause; `None` for what did not fail.
fn reason(cause: &Cause) -> Option<&'static str> {
    Some(match cause {
        Cause::Passed => return None,
        Cause::KeyName(_) | Cause::KeyUnavailable(_) | Cause::NoKey => "d",
        Cause::FromFuture { .. }
        | Cause::HeaderTooLong { .. }
        | Cause::KeyTooLong { .. }
        | Cause::KeyTooShort { .. }
        | Cause::LengthGiven
        | Cause::NotEvaluated { .. }
        | Cause::PartialBody { .. }
        | Cause::RequiredFieldUnsigned { .. }
        | Cause::Sha1
        | Cause::TooOld { .. }
        | Cause::UnsignedInstance { .. } => "p",
        Cause::KeySyntax(_) | Cause::Syntax(_) => "s",
        Cause::BodyHashMismatch | Cause::LengthBeyondBody { .. } | Cause::SignatureMismatch => "v",
        Cause::Expired { .. } => "x",
        Cause::BodyNotHashed
        | Cause::HashNotAllowed
        | Cause::IdentityNotAllowed
        | Cause::KeyNotForMail
        | Cause::KeyRevoked
        | Cause::KeyTypeMismatch { .. } => "o",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_records() {
        let domain: Domain = "example.com".parse().unwrap();
        let parse = |record: &str| ReportRequest::parse(record.as_bytes(), &domain);
        let request = parse("ra=post=20master; rp=1; rr=d: o :x; rs=Error=20Message;").unwrap();
        assert_eq!(
            request.address().unwrap().to_string(),
            "post master@example.com"
        );
        assert_eq!(request.percentage(), 1);
        assert_eq!(request.reasons(), ["d", "o", "x"]);
        assert_eq!(request.smtp_text(), Some("Error Message"));
        assert!(request.wants(&Cause::KeyRevoked) && !request.wants(&Cause::Sha1));
        let request = parse("ra=a").unwrap();
        assert!(request.wants(&Cause::Sha1) && !request.wants(&Cause::Passed));
        assert!(!parse("rp=100").unwrap().wants(&Cause::Sha1));
        for bad in [
            "ra=a; rp=101",
            "ra=a; rp=",
            "ra==",
            "ra=a; ra=b",
            "x",
            "ra==0D=0A",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
