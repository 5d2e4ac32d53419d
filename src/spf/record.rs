//! SPF records: their terms, and which of a name's TXT records is one.

use std::fmt;
use std::net::IpAddr;

use super::macros::MacroString;
use super::parse;
use super::prefix::Prefix;
use super::syntax::SyntaxError;
use crate::dns::Txt;

/// An SPF record whose syntax was checked from end to end (§4.6).
///
/// It borrows from the octets that it was read from. [`Display`](fmt::Display) prints it as it was written;
/// [`to_normal_form`](Self::to_normal_form) prints what was understood.
///
/// ```
/// use mailproof::spf::{Record, SyntaxRule};
///
/// let record = Record::parse(b"v=spf1 +A/24  IP4:192.0.2.0/28 -all")?;
/// assert_eq!(record.terms().len(), 3);
/// assert_eq!(record.to_string(), "v=spf1 +A/24  IP4:192.0.2.0/28 -all");
/// assert_eq!(record.to_normal_form(), "v=spf1 a/24 ip4:192.0.2.0/28 -all");
///
/// let error = Record::parse(b"v=spf1 mx ipv4:192.0.2.1 -all").unwrap_err();
/// assert_eq!(error.rule(), SyntaxRule::UnknownMechanism);
/// assert_eq!((error.offset(), error.term()), (10, "ipv4:192.0.2.1"));
/// # Ok::<(), mailproof::spf::SyntaxError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record<'a> {
    octets: &'a [u8],
    terms: Vec<Term<'a>>,
}

impl<'a> Record<'a> {
    /// Reads a record, `v=spf1` included.
    ///
    /// # Errors
    ///
    /// [`SyntaxError`] for the first departure from the grammar.
    pub fn parse(octets: &'a [u8]) -> Result<Self, SyntaxError> {
        let terms = parse::record(octets)?;
        Ok(Self { octets, terms })
    }

    /// Finds the SPF record among the TXT records of a name (§4.5).
    pub(super) fn select(records: &'a [Txt]) -> Selection<'a> {
        let is_spf = |(_, record): &(usize, &Txt)| parse::is_spf(record.as_bytes());
        let mut candidates = records.iter().enumerate().filter(is_spf);
        match (candidates.next(), candidates.count()) {
            (None, _) => Selection::None,
            (Some((index, record)), 0) => Selection::One { index, record },
            (Some(_), others) => Selection::Several { count: others + 1 },
        }
    }

    /// The terms in their order.
    #[must_use]
    pub fn terms(&self) -> &[Term<'a>] {
        &self.terms
    }

    /// The directives in their order: what is evaluated (§4.6.2).
    pub fn directives(&self) -> impl Iterator<Item = (&Term<'a>, Qualifier, &Mechanism<'a>)> {
        self.terms.iter().filter_map(|term| {
            let (qualifier, mechanism) = term.directive()?;
            Some((term, qualifier, mechanism))
        })
    }

    /// The `redirect` modifier (§6.1).
    #[must_use]
    pub fn redirect(&self) -> Option<(&Term<'a>, &MacroString<'a>)> {
        self.terms.iter().find_map(|term| match &term.kind {
            TermKind::Modifier(Modifier::Redirect(target)) => Some((term, target)),
            _ => None,
        })
    }

    /// The `exp` modifier (§6.2).
    #[must_use]
    pub fn explanation(&self) -> Option<&MacroString<'a>> {
        self.terms.iter().find_map(|term| match &term.kind {
            TermKind::Modifier(Modifier::Explanation(target)) => Some(target),
            _ => None,
        })
    }

    /// What the domain wants to be told about failures (RFC 6652 3): the local part of the reporting
    /// address at the SPF domain (`ra=`) as written, how many of 100 incidents (`rp=`; 100 where it is
    /// absent or malformed), and which, as a colon-separated list of `all`, `e`, `f`, `s`, `n`
    /// (`rr=`).
    ///
    /// `None` without a usable `ra=`: ‘In the absence of an "ra=" tag in the SPF record, the "rp=" and
    /// "rr=" tags MUST be ignored’.
    #[must_use]
    pub fn reporting(&self) -> Option<(&'a str, u8, &'a str)> {
        let value = |wanted: &str| {
            self.terms.iter().find_map(|term| match &term.kind {
                TermKind::Modifier(Modifier::Unknown { name, value })
                    if name.eq_ignore_ascii_case(wanted) =>
                {
                    Some(value.as_str())
                }
                _ => None,
            })
        };
        let local_part = value("ra").filter(|local_part| !local_part.is_empty())?;
        let percentage = value("rp")
            .and_then(|text| crate::text::decimal(text.as_bytes(), 12))
            .and_then(|percentage| u8::try_from(percentage).ok())
            .filter(|percentage| *percentage <= 100)
            .unwrap_or(100);
        let types = value("rr").unwrap_or("all");
        Some((local_part, percentage, types))
    }

    /// The record as it was understood: names in lower case, one space between terms, no `+`,
    /// addresses in their canonical form. Reading it gives equal directives and modifiers.
    #[must_use]
    pub fn to_normal_form(&self) -> String {
        use fmt::Write as _;
        let mut out = String::with_capacity(self.octets.len());
        out.push_str("v=spf1");
        for term in &self.terms {
            // Writing to a String cannot fail.
            let _ = write!(out, " {}", term.kind);
        }
        out
    }
}

impl fmt::Display for Record<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(ascii(self.octets))
    }
}

/// Which of a name's TXT records is an SPF record (§4.5).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Selection<'a> {
    /// None is.
    None,
    /// This one is; its syntax is still to be checked.
    One {
        /// Which of the records it is.
        index: usize,
        /// The record.
        record: &'a Txt,
    },
    /// More than one is: permerror.
    Several {
        /// How many.
        count: usize,
    },
}

/// One term of a record (§4.6.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Term<'a> {
    pub(super) octets: &'a [u8],
    pub(super) offset: usize,
    pub(super) kind: TermKind<'a>,
}

impl<'a> Term<'a> {
    /// A network that is to pass.
    pub(super) fn network(octets: &'a [u8], offset: usize, prefix: Prefix) -> Self {
        let mechanism = match prefix.address() {
            IpAddr::V4(_) => Mechanism::Ip4(prefix),
            IpAddr::V6(_) => Mechanism::Ip6(prefix),
        };
        Self {
            octets,
            offset,
            kind: TermKind::Directive(Directive {
                qualifier: Qualifier::Pass,
                mechanism,
            }),
        }
    }

    /// The term as written.
    #[must_use]
    pub fn as_str(&self) -> &'a str {
        ascii(self.octets)
    }

    /// Where in the record it begins, in octets.
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// The mechanism and the result that it gives when it matches (§4.6.1), unless the term is a
    /// modifier.
    #[must_use]
    pub fn directive(&self) -> Option<(Qualifier, &Mechanism<'a>)> {
        match &self.kind {
            TermKind::Directive(directive) => Some((directive.qualifier, &directive.mechanism)),
            TermKind::Modifier(_) => None,
        }
    }

    /// The name and the value of the modifier, unless it is a directive. `redirect` and `exp` are in
    /// lower case; unknown names, which change nothing, are as written.
    #[must_use]
    pub fn modifier(&self) -> Option<(&'a str, &MacroString<'a>)> {
        match &self.kind {
            TermKind::Directive(_) => None,
            TermKind::Modifier(modifier) => Some(match modifier {
                Modifier::Redirect(value) => ("redirect", value),
                Modifier::Explanation(value) => ("exp", value),
                Modifier::Unknown { name, value } => (*name, value),
            }),
        }
    }
}

impl fmt::Display for Term<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A directive or a modifier.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum TermKind<'a> {
    /// May decide the result.
    Directive(Directive<'a>),
    /// Says something more.
    Modifier(Modifier<'a>),
}

impl fmt::Display for TermKind<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Directive(directive) => directive.fmt(f),
            Self::Modifier(modifier) => modifier.fmt(f),
        }
    }
}

/// A mechanism and the result that it gives when it matches (§4.6.1).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Directive<'a> {
    pub(super) qualifier: Qualifier,
    pub(super) mechanism: Mechanism<'a>,
}

impl fmt::Display for Directive<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.qualifier, self.mechanism)
    }
}

/// The result of a matching directive (§4.6.2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7208 4.6.2 has these four")]
pub enum Qualifier {
    /// `+`, also where nothing is written.
    Pass,
    /// `-`.
    Fail,
    /// `~`.
    Softfail,
    /// `?`.
    Neutral,
}

impl fmt::Display for Qualifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pass => "",
            Self::Fail => "-",
            Self::Softfail => "~",
            Self::Neutral => "?",
        })
    }
}

/// What a directive compares with the client (§5).
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 7208 5 has these eight")]
pub enum Mechanism<'a> {
    /// Everything (§5.1).
    All,
    /// The result of another domain's record (§5.2).
    Include(MacroString<'a>),
    /// The addresses of a host (§5.3), with the prefix lengths for IPv4 and IPv6 where they are given.
    A(Option<MacroString<'a>>, (Option<u8>, Option<u8>)),
    /// The addresses of a domain's mail exchangers (§5.4), with the same lengths.
    Mx(Option<MacroString<'a>>, (Option<u8>, Option<u8>)),
    /// The validated names of the client (§5.5, do not use).
    Ptr(Option<MacroString<'a>>),
    /// An IPv4 prefix (§5.6).
    Ip4(Prefix),
    /// An IPv6 prefix (§5.6).
    Ip6(Prefix),
    /// Whether a name has an IPv4 address (§5.7).
    Exists(MacroString<'a>),
}

impl Mechanism<'_> {
    /// Whether evaluating it asks the DNS, which §4.6.4 counts.
    #[must_use]
    pub fn causes_lookup(&self) -> bool {
        match self {
            Self::Include(_) | Self::A(..) | Self::Mx(..) | Self::Ptr(_) | Self::Exists(_) => true,
            Self::All | Self::Ip4(_) | Self::Ip6(_) => false,
        }
    }
}

impl fmt::Display for Mechanism<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let target = |f: &mut fmt::Formatter<'_>, target: &Option<MacroString<'_>>| match target {
            Some(target) => write!(f, ":{target}"),
            None => Ok(()),
        };
        let network = |f: &mut fmt::Formatter<'_>, name: &str, prefix: &Prefix| {
            if prefix.address_count() == 1 {
                write!(f, "{name}:{}", prefix.address())
            } else {
                write!(f, "{name}:{prefix}")
            }
        };
        let lengths = |f: &mut fmt::Formatter<'_>, (ip4, ip6): &(Option<u8>, Option<u8>)| {
            if let Some(length) = ip4 {
                write!(f, "/{length}")?;
            }
            match ip6 {
                Some(length) => write!(f, "//{length}"),
                None => Ok(()),
            }
        };
        match self {
            Self::All => f.write_str("all"),
            Self::Include(domain) => write!(f, "include:{domain}"),
            Self::A(domain, prefix) => {
                f.write_str("a")?;
                target(f, domain)?;
                lengths(f, prefix)
            }
            Self::Mx(domain, prefix) => {
                f.write_str("mx")?;
                target(f, domain)?;
                lengths(f, prefix)
            }
            Self::Ptr(domain) => {
                f.write_str("ptr")?;
                target(f, domain)
            }
            Self::Ip4(prefix) => network(f, "ip4", prefix),
            Self::Ip6(prefix) => network(f, "ip6", prefix),
            Self::Exists(domain) => write!(f, "exists:{domain}"),
        }
    }
}

/// A modifier (§6).
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Modifier<'a> {
    /// Where to go on when no directive matches (§6.1).
    Redirect(MacroString<'a>),
    /// Where the explanation of a fail is (§6.2).
    Explanation(MacroString<'a>),
    /// Any other; it changes nothing, but is kept.
    Unknown {
        /// The name as written.
        name: &'a str,
        /// The value.
        value: MacroString<'a>,
    },
}

impl fmt::Display for Modifier<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Redirect(domain) => write!(f, "redirect={domain}"),
            Self::Explanation(domain) => write!(f, "exp={domain}"),
            Self::Unknown { name, value } => {
                write!(f, "{}={value}", name.to_ascii_lowercase())
            }
        }
    }
}

/// What the parser let pass is visible ASCII and spaces.
pub(super) fn ascii(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap_or_default()
}
