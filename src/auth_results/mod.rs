//! Authentication-Results (RFC 8601): what was checked, in a form that others can read.
//!
//! This room knows the syntax and none of the protocols; each protocol puts its own results into a
//! [`MethodResult`]. ‘§’ is a section of RFC 8601.

mod format;
mod parse;
mod read;
mod segment;
mod strip;

use std::borrow::Cow;
use std::fmt;

use crate::domain::Domain;

pub use read::{Reading, Tolerated};
pub use strip::{Border, Removal};

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
/// # Ok::<(), mailproof::auth_results::ParseError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct AuthenticationResults {
    /// Who did the checks (§2.5).
    pub authserv_id: AuthservId,
    /// The version of the syntax (§2.2); 1, which need not be written, is the only one.
    pub version: u32,
    /// The results in the order in which they are written; none prints as `none`.
    pub results: Vec<MethodResult>,
}

impl AuthenticationResults {
    /// A field without results.
    #[must_use]
    pub fn new(authserv_id: AuthservId) -> Self {
        Self {
            authserv_id,
            version: 1,
            results: Vec::new(),
        }
    }

    /// Reads the value of a field, folded or not, by the grammar of §2.2 and RFC 6532.
    ///
    /// This is for fields of our own making, and for measuring those of others. Use
    /// [`read`](Self::read) for what the world sends.
    ///
    /// ```
    /// use mailproof::auth_results::{AuthenticationResults, Method, ResultWord};
    ///
    /// let value = b"mx.example.com; dkim=pass (2048 bits) header.d=example.net; spf=fail";
    /// let field = AuthenticationResults::parse(value)?;
    /// assert_eq!(field.authserv_id, "MX.example.com".parse()?);
    /// assert_eq!(field.results[0].comment.as_deref(), Some("2048 bits"));
    /// assert_eq!(field.results[1].method, Method::Spf);
    /// assert_eq!(field.results[1].result, ResultWord::Fail);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ParseError`] says where the field departs from the grammar.
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        parse::payload(value)
    }

    /// The whole header field, folded, without the CRLF that ends it.
    ///
    /// Every value is encoded, so that none can end the field, its property or its result: control
    /// characters are dropped, and so are properties that would not fit on a line of 998 octets (RFC
    /// 5322 2.1.1). What is written reads the same again.
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

impl AuthservId {
    /// Whether this is `other`, or, where both are domains, a name below it.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self == other
            || matches!(
                (self.domain(), other.domain()),
                (Some(one), Some(other)) if one.is_within(&other)
            )
    }

    /// Whether this is `other`, as text or as a domain.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self == other
            || matches!(
                (self.domain(), other.domain()),
                (Some(one), Some(other)) if one == other
            )
    }

    fn domain(&self) -> Option<Domain> {
        self.0.parse().ok()
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
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.is_empty() {
            return Err(ParseError::AuthservId(0));
        }
        if let Some(at) = text.find(char::is_control) {
            return Err(ParseError::Control(at));
        }
        if text.len() > MAX_AUTHSERV_ID {
            return Err(ParseError::Length(MAX_AUTHSERV_ID));
        }
        Ok(Self(text.into()))
    }
}

/// Where a field or an authserv-id departs from the grammar, by the rule that it breaks there; so do
/// [`Received-SPF`](crate::spf::ReceivedSpf) fields. The number in each is the offset into the value,
/// in octets, which [`at`](Self::at) tells as well.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// §2.2 `authserv-id`: missing or malformed.
    #[error("no authserv-id at {0}")]
    AuthservId(usize),
    /// A control character.
    #[error("control character at {0}")]
    Control(usize),
    /// Neither a result nor `none`, or something behind the end.
    #[error("neither a result nor the end at {0}")]
    End(usize),
    /// More than 64 KiB of a field. More than 255 octets of an authserv-id, which is longer than any
    /// domain and would not fit on a line.
    #[error("too long at {0}")]
    Length(usize),
    /// A line break that is not folding: others may see the next field there.
    #[error("line break without folding at {0}")]
    LineBreak(usize),
    /// §2.2 `methodspec`: no method, or no `=` behind it.
    #[error("no method at {0}")]
    Method(usize),
    /// §2.2 `propspec`: neither a property nor the end of the result.
    #[error("neither a property nor the end of the result at {0}")]
    Property(usize),
    /// A quoted string or comment that does not end, or is not UTF-8.
    #[error("unfinished quoted string or comment at {0}")]
    Quoting(usize),
    /// §2.2 `result`: no result behind the `=`.
    #[error("no result at {0}")]
    Result(usize),
    /// §2.2 `pvalue`: a property without a value.
    #[error("no value at {0}")]
    Value(usize),
}

impl ParseError {
    /// The offset into the value, in octets.
    #[must_use]
    pub fn at(self) -> usize {
        match self {
            Self::AuthservId(at)
            | Self::Control(at)
            | Self::End(at)
            | Self::Length(at)
            | Self::LineBreak(at)
            | Self::Method(at)
            | Self::Property(at)
            | Self::Quoting(at)
            | Self::Result(at)
            | Self::Value(at) => at,
        }
    }
}

/// The result of one method.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct MethodResult {
    /// What was checked.
    pub method: Method,
    /// The version of the method (§2.2); 1 need not be written.
    pub version: u32,
    /// What came of it.
    pub result: ResultWord,
    /// The comment behind the result, for people only.
    pub comment: Option<String>,
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
            version: 1,
            result,
            comment: None,
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

    /// Adds a comment behind the result.
    #[must_use]
    pub fn with_comment(mut self, comment: impl Into<String>) -> Self {
        self.comment = Some(comment.into());
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
/// hyphens, the last no hyphen, at most 64 in all. Underscores are allowed besides, since they are
/// in use.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Keyword(Cow<'static, str>);

impl Keyword {
    /// A keyword, in lower case; `None` for a text that is none.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let octets = text.as_bytes();
        let valid = octets.len() <= MAX_KEYWORD
            && octets.last().is_some_and(u8::is_ascii_alphanumeric)
            && octets.iter().all(|octet| Self::is_octet(*octet));
        valid.then(|| Self(text.to_ascii_lowercase().into()))
    }

    fn is_octet(octet: u8) -> bool {
        octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_')
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

/// As long as a domain, with room for quotes.
const MAX_AUTHSERV_ID: usize = 255;

/// The longest registered one has 16 octets.
const MAX_KEYWORD: usize = 64;
