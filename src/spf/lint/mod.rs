//! What is allowed in a record, but should not be there.

mod lookup;

use std::fmt;

use super::cause::Cause;
use super::macros::MacroString;
use super::prefix::Prefix;
use super::record::{Directive, Mechanism, Modifier, Qualifier, Record, TermKind};
use crate::dns::Name;

impl Record<'_> {
    /// What is doubtful in this record by itself. [`Survey`] looks at what it refers to as well.
    ///
    /// ```
    /// use mailproof::spf::{Record, Warning};
    ///
    /// let record = Record::parse(b"v=spf1 ptr include:a.example include:A.example ?all mx")?;
    /// let warnings: Vec<String> = record.lint().iter().map(Warning::to_string).collect();
    /// assert_eq!(warnings, [
    ///     "`ptr` is slow and unreliable, and should not be published",
    ///     "`include:A.example` stands there twice",
    ///     "`?all` says nothing about other clients: use ~all or -all",
    ///     "`mx` stands behind `all` and is never reached",
    /// ]);
    /// # Ok::<(), mailproof::spf::SyntaxError>(())
    /// ```
    #[must_use]
    pub fn lint(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut includes: Vec<String> = Vec::new();
        let mut all = false;
        let has_all = self
            .directives()
            .any(|(_, _, mechanism)| *mechanism == Mechanism::All);
        for term in self.terms() {
            let text: Box<str> = term.as_str().into();
            match &term.kind {
                TermKind::Directive(_) if all => warnings.push(Warning::AfterAll { term: text }),
                TermKind::Directive(directive) => {
                    all = directive.mechanism == Mechanism::All;
                    if let Mechanism::Include(target) = &directive.mechanism {
                        let target = target.as_str().to_ascii_lowercase();
                        if includes.contains(&target) {
                            warnings.push(Warning::Repeated { term: text.clone() });
                        }
                        // More terms than this are over the limit anyway.
                        if includes.len() < MAX_INCLUDES {
                            includes.push(target);
                        }
                    }
                    warnings.extend(about_directive(directive, text));
                }
                TermKind::Modifier(Modifier::Redirect(_)) if has_all => {
                    warnings.push(Warning::RedirectShadowed { term: text });
                }
                TermKind::Modifier(modifier) => {
                    warnings.extend(about_modifier(self, modifier, text))
                }
            }
        }
        if !has_all && self.redirect().is_none() {
            warnings.push(Warning::NoDefault);
        }
        let octets = self.to_string().len();
        if octets > RECOMMENDED_OCTETS {
            warnings.push(Warning::Long { octets });
        }
        warnings
    }
}

fn about_directive(directive: &Directive<'_>, term: Box<str>) -> Option<Warning> {
    let host_bits = |prefix: &Prefix| prefix.network() != prefix.address();
    match &directive.mechanism {
        Mechanism::All => match directive.qualifier {
            Qualifier::Pass => Some(Warning::AllPass { term }),
            Qualifier::Neutral => Some(Warning::AllNeutral { term }),
            Qualifier::Fail | Qualifier::Softfail => None,
        },
        Mechanism::Ptr(_) => Some(Warning::Ptr { term }),
        Mechanism::Ip4(prefix) | Mechanism::Ip6(prefix) => {
            if prefix.length() == 0 && directive.qualifier == Qualifier::Pass {
                Some(Warning::AllPass { term })
            } else if host_bits(prefix) {
                let network = prefix.network();
                Some(Warning::HostBits { term, network })
            } else {
                None
            }
        }
        Mechanism::Include(target) | Mechanism::Exists(target) => about_target(target, term),
        Mechanism::A(target, _) | Mechanism::Mx(target, _) => about_target(target.as_ref()?, term),
    }
}

fn about_modifier(record: &Record<'_>, modifier: &Modifier<'_>, term: Box<str>) -> Option<Warning> {
    match modifier {
        Modifier::Redirect(target) | Modifier::Explanation(target) => about_target(target, term),
        Modifier::Unknown { name, .. } => {
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            if is("ra") {
                None
            } else if is("rp") || is("rr") {
                let ignored = record.reporting().is_none();
                ignored.then_some(Warning::ReportingWithoutAddress { term })
            } else {
                Some(Warning::UnknownModifier { term })
            }
        }
    }
}

/// §7.2: the macro `p` is marked ‘do not use’.
fn about_target(target: &MacroString<'_>, term: Box<str>) -> Option<Warning> {
    let has_p = target.needs().validated_name;
    has_p.then_some(Warning::Ptr { term })
}

const MAX_INCLUDES: usize = 100;

/// §3.4: ‘If the size of the DNS message, the combined length of the DNS name and the text of all the
/// records of a given type is under 450 octets, then DNS answers ought to fit in UDP packets.’
const RECOMMENDED_OCTETS: usize = 450;

/// Something doubtful in a record.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Warning {
    /// A directive behind `all`, which is ignored (§5.1).
    AfterAll {
        /// The term.
        term: Box<str>,
    },
    /// Other clients are neither authorized nor not.
    AllNeutral {
        /// The term.
        term: Box<str>,
    },
    /// Every client is authorized.
    AllPass {
        /// The term.
        term: Box<str>,
    },
    /// Address bits beyond the prefix length, which count for nothing.
    HostBits {
        /// The term.
        term: Box<str>,
        /// The address without them.
        network: std::net::IpAddr,
    },
    /// A record that is longer than §3.4 recommends.
    Long {
        /// Its length.
        octets: usize,
    },
    /// A record that leads back to itself, and so over the limit on look-ups.
    Loop {
        /// The term.
        term: Box<str>,
    },
    /// The look-ups of a whole check reach eight, where ten are allowed: the next provider that
    /// adds a term makes it an error.
    NearLookupLimit {
        /// How many there are, if nothing matches.
        lookups: usize,
    },
    /// Neither `all` nor `redirect`: what matches nothing is neutral (§4.7).
    NoDefault,
    /// More look-ups than are allowed: permerror for every client that no early term covers (§4.6.4).
    OverLookupLimit {
        /// How many there are, if nothing matches.
        lookups: usize,
    },
    /// More void look-ups than are allowed: permerror likewise.
    OverVoidLimit {
        /// How many there are, if nothing matches.
        void_lookups: usize,
    },
    /// `ptr` or `%{p}` (§5.5 ‘do not use’).
    Ptr {
        /// The term.
        term: Box<str>,
    },
    /// A redirect that `all` makes void (§6.1).
    RedirectShadowed {
        /// The term.
        term: Box<str>,
    },
    /// The same include again.
    Repeated {
        /// The term.
        term: Box<str>,
    },
    /// `rp` or `rr` without a usable `ra`, which are then ignored (RFC 6652 3).
    ReportingWithoutAddress {
        /// The term.
        term: Box<str>,
    },
    /// A modifier that neither RFC 7208 nor RFC 6652 knows, which is ignored (§6).
    UnknownModifier {
        /// The term.
        term: Box<str>,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AfterAll { term } => {
                write!(f, "`{term}` stands behind `all` and is never reached")
            }
            Self::AllNeutral { term } => write!(
                f,
                "`{term}` says nothing about other clients: use ~all or -all"
            ),
            Self::AllPass { term } => write!(f, "`{term}` lets everybody send for the domain"),
            Self::HostBits { term, network } => {
                write!(f, "`{term}` has bits beyond its length; it means {network}")
            }
            Self::Long { octets } => write!(
                f,
                "the record has {octets} octets, more than fit into a plain DNS answer"
            ),
            Self::Loop { term } => write!(f, "`{term}` leads back to its own record"),
            Self::NearLookupLimit { lookups } => write!(
                f,
                "a check takes {lookups} look-ups of the 10 that are allowed"
            ),
            Self::NoDefault => {
                f.write_str("the record ends in neither `all` nor `redirect`: add ~all or -all")
            }
            Self::OverLookupLimit { lookups } => write!(
                f,
                "a check takes {lookups} look-ups, more than are allowed, and ends in permerror"
            ),
            Self::OverVoidLimit { void_lookups } => write!(
                f,
                "a check makes {void_lookups} look-ups that find nothing, more than are allowed, and \
                 ends in permerror"
            ),
            Self::Ptr { term } => write!(
                f,
                "`{term}` is slow and unreliable, and should not be published"
            ),
            Self::RedirectShadowed { term } => {
                write!(f, "`{term}` is ignored because the record has an `all`")
            }
            Self::Repeated { term } => write!(f, "`{term}` stands there twice"),
            Self::ReportingWithoutAddress { term } => {
                write!(f, "`{term}` is ignored without `ra=`")
            }
            Self::UnknownModifier { term } => write!(f, "`{term}` is not known and ignored"),
        }
    }
}

/// All that a domain's record refers to, and what a check costs in which nothing matches.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Survey {
    /// Errors in which checks end that get there, in the order of the terms.
    pub errors: Vec<Cause>,
    /// What is doubtful, and in whose record, in the order of the terms; what is doubtful about the
    /// checks as a whole last.
    pub warnings: Vec<(Name, Warning)>,
    /// The terms of the domain's own record as written, each with what it costs together with all
    /// that it refers to.
    pub terms: Vec<(Box<str>, Cost)>,
    /// What a check costs and covers in all.
    pub total: Cost,
    /// Whether everything was looked at, macros aside; the bound on questions may prevent that.
    pub is_complete: bool,
}

/// Look-ups, and the addresses that they authorize.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Cost {
    /// Terms that ask the DNS (§4.6.4).
    pub lookups: usize,
    /// Look-ups that find nothing: no such name, or a host without any address.
    pub void_lookups: usize,
    /// IPv4 addresses that get a pass. Overlaps are counted twice; terms with macros and `ptr` are not
    /// counted.
    pub ip4_addresses: u128,
    /// IPv6 addresses likewise; all of IPv6 counts as [`u128::MAX`].
    pub ip6_addresses: u128,
}

impl Cost {
    fn add(&mut self, other: Self) {
        self.lookups = self.lookups.saturating_add(other.lookups);
        self.void_lookups = self.void_lookups.saturating_add(other.void_lookups);
        self.ip4_addresses = self.ip4_addresses.saturating_add(other.ip4_addresses);
        self.ip6_addresses = self.ip6_addresses.saturating_add(other.ip6_addresses);
    }

    fn cover(&mut self, prefix: Prefix) {
        let addresses = match prefix.address() {
            std::net::IpAddr::V4(_) => &mut self.ip4_addresses,
            std::net::IpAddr::V6(_) => &mut self.ip6_addresses,
        };
        *addresses = addresses.saturating_add(prefix.address_count());
    }
}
