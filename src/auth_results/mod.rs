//! Authentication-Results (RFC 8601): what was checked, in a form that others can read.
//!
//! This room knows the syntax and none of the protocols; each protocol puts its own results into a
//! [`MethodResult`]. ‘§’ is a section of RFC 8601.

mod format;

use std::borrow::Cow;
use std::fmt;

use crate::text;

/// An Authentication-Results field: who checked, and what came of it.
///
/// ```
/// use mailproof::auth_results::{AuthenticationResults, Method, MethodResult, Property, ResultWord};
///
/// let mut results = AuthenticationResults::new("mx.example.com".parse()?);
/// results.results.push(
///     MethodResult::new(Method::Spf, ResultWord::Pass)
///         .with_property(Property::smtp("mailfrom", "example.net")),
/// );
/// assert_eq!(
///     results.to_field(),
///     "Authentication-Results: mx.example.com; spf=pass smtp.mailfrom=example.net"
/// );
/// # Ok::<(), mailproof::auth_results::AuthservIdError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AuthenticationResults {
    /// Who did the checks (§2.5).
    pub authserv_id: AuthservId,
    /// The results in the order in which they are written; none prints as `none`.
    pub results: Vec<MethodResult>,
}

impl AuthenticationResults {
    /// A field without results.
    #[must_use]
    pub fn new(authserv_id: AuthservId) -> Self {
        Self {
            authserv_id,
            results: Vec::new(),
        }
    }

    /// The whole header field, folded, without the CRLF that ends it.
    #[must_use]
    pub fn to_field(&self) -> String {
        format::field(self)
    }
}

/// The name under which an administrative domain publishes results (§2.5), usually a host or
/// domain name. It compares without regard to letter case.
#[derive(Clone, Debug)]
pub struct AuthservId(Box<str>);

impl AuthservId {
    /// The identifier as text, not quoted.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Eq for AuthservId {}

impl PartialEq for AuthservId {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl fmt::Display for AuthservId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for AuthservId {
    type Err = AuthservIdError;

    fn from_str(text: &str) -> Result<Self, AuthservIdError> {
        if text.is_empty() {
            return Err(AuthservIdError::Empty);
        }
        if text.chars().any(char::is_control) {
            return Err(AuthservIdError::Control);
        }
        Ok(Self(text.into()))
    }
}

/// Why a text is no authserv-id.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthservIdError {
    /// It has control characters.
    #[error("control character in the authserv-id")]
    Control,
    /// It is empty.
    #[error("empty authserv-id")]
    Empty,
}

/// The result of one method.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct MethodResult {
    /// What was checked.
    pub method: Method,
    /// What came of it.
    pub result: ResultWord,
    /// Why, for people.
    pub reason: Option<String>,
    /// What the result is about.
    pub properties: Vec<Property>,
}

impl MethodResult {
    /// A result without reason and properties.
    #[must_use]
    pub fn new(method: Method, result: ResultWord) -> Self {
        Self {
            method,
            result,
            reason: None,
            properties: Vec::new(),
        }
    }

    /// Adds the reason.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Adds a property.
    #[must_use]
    pub fn with_property(mut self, property: Property) -> Self {
        self.properties.push(property);
        self
    }
}

/// What a result is about: `ptype.name=value` (§2.3).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Property {
    /// Where the value comes from.
    pub ptype: PropertyType,
    /// The name.
    pub name: Keyword,
    /// The value, not quoted. The writer quotes it where it must, and drops control characters.
    pub value: String,
}

impl Property {
    /// A property of any kind.
    #[must_use]
    pub fn new(ptype: PropertyType, name: Keyword, value: impl Into<String>) -> Self {
        Self {
            ptype,
            name,
            value: value.into(),
        }
    }

    /// `smtp.name`, a fact of the SMTP session.
    #[must_use]
    pub fn smtp(name: &'static str, value: impl Into<String>) -> Self {
        Self::new(PropertyType::Smtp, Keyword(name.into()), value)
    }

    /// `header.name`, a fact of the message header.
    #[must_use]
    pub fn header(name: &'static str, value: impl Into<String>) -> Self {
        Self::new(PropertyType::Header, Keyword(name.into()), value)
    }

    /// `policy.name`, a local or published policy that was applied.
    #[must_use]
    pub fn policy(name: &'static str, value: impl Into<String>) -> Self {
        Self::new(PropertyType::Policy, Keyword(name.into()), value)
    }
}

/// A `Keyword` of RFC 5321 4.1.2, which names methods, results and properties: letters, digits and
/// hyphens, the last no hyphen. Some registered names have dots or underscores besides.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Keyword(Cow<'static, str>);

impl Keyword {
    /// A keyword, in lower case; `None` for a text that is none.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let octets = text.as_bytes();
        let valid = octets.last().is_some_and(u8::is_ascii_alphanumeric)
            && octets
                .iter()
                .all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(octet));
        valid.then(|| Self(text.to_ascii_lowercase().into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! open_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$doc])* $variant,)*
            /// Any other.
            Other(Keyword),
        }

        impl $name {
            /// The word as it is written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)*
                    Self::Other(keyword) => keyword.as_str(),
                }
            }
        }

        impl From<Keyword> for $name {
            fn from(keyword: Keyword) -> Self {
                match keyword.as_str() {
                    $($word => Self::$variant,)*
                    _ => Self::Other(keyword),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

open_enum! {
    /// An authentication method (§2.7 and its registry).
    Method {
        /// Authenticated Received Chain (RFC 8617).
        Arc = "arc",
        /// SMTP AUTH.
        Auth = "auth",
        /// DKIM signatures.
        Dkim = "dkim",
        /// Authorized third-party signatures (RFC 6541).
        DkimAtps = "dkim-atps",
        /// DMARC.
        Dmarc = "dmarc",
        /// Forward-confirmed reverse DNS.
        Iprev = "iprev",
        /// SPF.
        Spf = "spf",
    }
}

open_enum! {
    /// A result (§2.7 and its registry).
    ResultWord {
        /// The check failed.
        Fail = "fail",
        /// The check had no clear result.
        Neutral = "neutral",
        /// Nothing to check.
        None = "none",
        /// The check passed.
        Pass = "pass",
        /// The check cannot succeed, now or later.
        Permerror = "permerror",
        /// The check passed, but local policy does not accept it.
        Policy = "policy",
        /// SPF's weak fail.
        Softfail = "softfail",
        /// The check could not be done now.
        Temperror = "temperror",
    }
}

open_enum! {
    /// Where the value of a property comes from (§2.3).
    PropertyType {
        /// The body of the message.
        Body = "body",
        /// The DNS (RFC 8904).
        Dns = "dns",
        /// The header of the message.
        Header = "header",
        /// A policy.
        Policy = "policy",
        /// The SMTP session.
        Smtp = "smtp",
    }
}

/// `value` of §2.2, or the address form of `pvalue`, as it must be written.
fn encode(value: &str) -> Cow<'_, str> {
    if is_bare(value.as_bytes()) {
        value.into()
    } else {
        text::quoted_string(value).into()
    }
}

/// Whether a value may stand without quotes: a MIME token, or `[[local-part] "@"] domain-name`.
fn is_bare(value: &[u8]) -> bool {
    let is_token = |octets: &[u8]| !octets.is_empty() && octets.iter().all(|o| text::is_token(*o));
    match text::split_once(value, b'@') {
        None => is_token(value),
        Some((local_part, domain)) => {
            let is_name = |octet: &u8| octet.is_ascii_alphanumeric() || b"-._".contains(octet);
            (local_part.is_empty() || (local_part.is_ascii() && text::is_dot_atom(local_part)))
                && domain.iter().all(is_name)
                && text::is_dot_atom(domain)
        }
    }
}
