//! What SPF and DKIM hand to DMARC: domains that are, or may be, authenticated.

use std::fmt;

use crate::domain::Domain;

/// A domain that took responsibility for the message (RFC 9989 3.2.1 ‘Authenticated
/// Identifiers’), or might have, had the DNS answered.
///
/// The checks of this crate make these from their own results; nothing else can, except
/// [`trust_result_obtained_elsewhere`](Self::trust_result_obtained_elsewhere).
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct AuthenticatedIdentifier {
    domain: Domain,
    method: Method,
    status: Status,
}

impl AuthenticatedIdentifier {
    pub(crate) fn new(domain: Domain, method: Method, status: Status) -> Self {
        Self {
            domain,
            method,
            status,
        }
    }

    /// Takes over a result that somebody else obtained: a trusted upstream, or a test table.
    ///
    /// Whoever calls this vouches for it: DMARC passes on nothing but such identifiers. For SPF it
    /// must be the domain of MAIL FROM, or of HELO where the reverse-path was null (RFC 9989 4.4.2).
    #[must_use]
    pub fn trust_result_obtained_elsewhere(domain: Domain, method: Method, status: Status) -> Self {
        Self::new(domain, method, status)
    }

    /// The authenticated domain.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }

    /// What authenticated it.
    #[must_use]
    pub fn method(&self) -> Method {
        self.method
    }

    /// Whether it passed or could not be checked.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }
}

/// The mechanism that authenticates an identifier (RFC 9989 3.2.12).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9989 knows these two")]
pub enum Method {
    /// A valid signature; the identifier is its `d=`.
    Dkim,
    /// The client may send for the domain of MAIL FROM.
    Spf,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dkim => "dkim",
            Self::Spf => "spf",
        })
    }
}

/// How sure an identifier is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a third state would be a third meaning for DMARC"
)]
pub enum Status {
    /// The check passed.
    Pass,
    /// The check could not be completed; trying again later may help.
    Temperror,
}
