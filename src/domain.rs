//! Domain names as mail uses them: A-labels, lower case, without the root dot.
//!
//! Every comparison of domains in the crate goes through [`Domain`], so that letter case, a trailing
//! dot, U-labels and label boundaries are dealt with once. Names that are merely *asked* of the DNS
//! (an SPF macro may expand to almost anything) are [`dns::Name`](crate::dns::Name)s.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A domain name: A-labels (RFC 5890 2.3.2.1), lower case, without the root dot.
///
/// Labels are 1 to 63 octets of letters, digits, hyphen and underscore, the whole at most 253. The
/// underscore is no host name character, but signers publish and use such domains.
/// Cloning is cheap.
///
/// ```
/// use mailproof::Domain;
///
/// let domain: Domain = "Mail.Bücher.EXAMPLE.".parse()?;
/// assert_eq!(domain.as_str(), "mail.xn--bcher-kva.example");
/// assert!(domain.is_subdomain_of(&"xn--bcher-kva.example".parse()?));
/// assert!(!"evilexample.com".parse::<Domain>()?.is_subdomain_of(&"example.com".parse()?));
/// # Ok::<(), mailproof::domain::DomainError>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Domain(Arc<str>);

impl Domain {
    /// Reads a domain name; U-labels are converted to A-labels (UTS 46, non-transitional).
    ///
    /// # Errors
    ///
    /// [`DomainError`] names the rule that was broken and where.
    pub fn parse(octets: &[u8]) -> Result<Self, DomainError> {
        let octets = octets.strip_suffix(b".").unwrap_or(octets);
        if is_plain(octets)
            && let Ok(text) = std::str::from_utf8(octets)
        {
            return Ok(Self(text.into()));
        }
        if octets.is_ascii() {
            return Self::from_ascii(octets);
        }
        if octets.len() > MAX_UNICODE {
            return Err(DomainError::TooLong {
                length: octets.len(),
            });
        }
        let ascii = idna::domain_to_ascii_cow(octets, idna::AsciiDenyList::URL)
            .map_err(|_| DomainError::Idna)?;
        Self::from_ascii(ascii.as_bytes())
    }

    /// Whether [`parse`](Self::parse) would succeed; for ASCII, without allocating.
    pub(crate) fn is_valid(octets: &[u8]) -> bool {
        let octets = octets.strip_suffix(b".").unwrap_or(octets);
        if octets.is_ascii() {
            return Self::check_ascii(octets).is_ok();
        }
        Self::parse(octets).is_ok()
    }

    fn from_ascii(octets: &[u8]) -> Result<Self, DomainError> {
        Self::check_ascii(octets)?;
        // Every octet was just seen to be ASCII, so this cannot fail.
        let text = std::str::from_utf8(octets).map_err(|_| DomainError::Idna)?;
        Ok(Self(text.to_ascii_lowercase().into()))
    }

    fn check_ascii(octets: &[u8]) -> Result<(), DomainError> {
        if octets.is_empty() {
            return Err(DomainError::Empty);
        }
        if octets.len() > MAX_LENGTH {
            return Err(DomainError::TooLong {
                length: octets.len(),
            });
        }
        let mut label = 0_usize;
        for (at, &octet) in octets.iter().enumerate() {
            match octet {
                b'.' if label == 0 => return Err(DomainError::EmptyLabel { at }),
                b'.' => label = 0,
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => {
                    label += 1;
                    if label > MAX_LABEL {
                        return Err(DomainError::LabelTooLong { at });
                    }
                }
                _ => return Err(DomainError::Character { octet, at }),
            }
        }
        if label == 0 {
            return Err(DomainError::EmptyLabel { at: octets.len() });
        }
        Ok(())
    }

    /// The name as text: lower-case A-labels, no root dot.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, shared.
    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// The labels from left to right.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('.')
    }

    /// How many labels the name has (at least 1, at most 127).
    #[must_use]
    pub fn label_count(&self) -> usize {
        self.labels().count()
    }

    /// The name without its leftmost label; `None` for a single label.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, parent) = self.0.split_once('.')?;
        Some(Self(parent.into()))
    }

    /// The rightmost `count` labels; `None` if the name has fewer, or for 0.
    #[must_use]
    pub fn suffix(&self, count: usize) -> Option<Self> {
        let mut rest: &str = &self.0;
        for _ in count..self.label_count() {
            (_, rest) = rest.split_once('.')?;
        }
        (count != 0 && count <= self.label_count()).then(|| Self(rest.into()))
    }

    /// Whether this name lies strictly below `other`, at a label boundary.
    #[must_use]
    pub fn is_subdomain_of(&self, other: &Self) -> bool {
        self.0
            .strip_suffix(other.as_str())
            .is_some_and(|head| head.ends_with('.'))
    }

    /// Whether this name is `other` or lies below it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self == other || self.is_subdomain_of(other)
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl FromStr for Domain {
    type Err = DomainError;

    fn from_str(text: &str) -> Result<Self, DomainError> {
        Self::parse(text.as_bytes())
    }
}

impl TryFrom<&str> for Domain {
    type Error = DomainError;

    fn try_from(text: &str) -> Result<Self, DomainError> {
        Self::parse(text.as_bytes())
    }
}

impl AsRef<str> for Domain {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Domain {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Whether the octets are a domain name just as [`Domain`] keeps it. Nearly all that are asked for are,
/// so this does not look for what is wrong, and does not branch at each octet.
pub(crate) fn is_plain(octets: &[u8]) -> bool {
    let mut plain = true;
    let mut at_start = true;
    for &octet in octets {
        let is_dot = octet == b'.';
        let is_known = IS_PLAIN.get(usize::from(octet)).copied().unwrap_or(false);
        plain &= is_known & !(is_dot & at_start);
        at_start = is_dot;
    }
    let labels_fit = || {
        octets
            .split(|octet| *octet == b'.')
            .all(|label| label.len() <= MAX_LABEL)
    };
    plain && !at_start && octets.len() <= MAX_LENGTH && (octets.len() <= MAX_LABEL || labels_fit())
}

/// Lower-case letters, digits, hyphen, underscore, and the dot between labels.
const IS_PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut octet = 0_u8;
    while octet < 128 {
        #[expect(
            clippy::as_conversions,
            clippy::indexing_slicing,
            reason = "at compile time"
        )]
        {
            table[octet as usize] = matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.');
        }
        octet += 1;
    }
    table
};

/// Why some octets are not a [`Domain`].
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DomainError {
    /// An octet that no mail domain contains.
    #[error("octet 0x{octet:02x} at {at} cannot stand in a domain name")]
    Character {
        /// The octet.
        octet: u8,
        /// Its offset.
        at: usize,
    },
    /// Nothing, or only a dot.
    #[error("empty domain name")]
    Empty,
    /// Two dots in a row, or a leading dot.
    #[error("empty label at {at}")]
    EmptyLabel {
        /// Where the label should begin.
        at: usize,
    },
    /// U-labels that IDNA does not allow, or octets that are not UTF-8.
    #[error("not a valid internationalized domain name")]
    Idna,
    /// A label over 63 octets (RFC 1035 2.3.4).
    #[error("label longer than 63 octets at {at}")]
    LabelTooLong {
        /// The offset of its 64th octet.
        at: usize,
    },
    /// A name over 253 octets (RFC 1035 2.3.4: 255 on the wire).
    #[error("domain name of {length} octets, at most 253 are allowed")]
    TooLong {
        /// Its length in octets.
        length: usize,
    },
}

/// RFC 1035 2.3.4: 255 octets on the wire, which leaves 253 for the text.
const MAX_LENGTH: usize = 253;

/// A character takes at least one octet in A-labels, and at most four as UTF-8. IDNA takes eighty times as
/// long as all else about a text, and strangers write texts of any length.
const MAX_UNICODE: usize = 4 * MAX_LENGTH;

/// RFC 1035 2.3.4.
const MAX_LABEL: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;

    fn domain(text: &str) -> Domain {
        text.parse().unwrap()
    }

    #[test]
    fn normalizes() {
        assert_eq!(domain("EXAMPLE.Com.").as_str(), "example.com");
        assert_eq!(domain("münchen.example").as_str(), "xn--mnchen-3ya.example");
        assert_eq!(domain("straße.example").as_str(), "xn--strae-oqa.example");
        assert_eq!(domain("_spf.a_b.example").as_str(), "_spf.a_b.example");
    }

    #[test]
    fn refuses() {
        let longest = [["a"; 63].concat().as_str(); 4].join(".");
        assert_eq!(longest.len(), 255);
        for (text, error) in [
            ("", DomainError::Empty),
            (".", DomainError::Empty),
            ("a..b", DomainError::EmptyLabel { at: 2 }),
            (".a", DomainError::EmptyLabel { at: 0 }),
            ("a.b..", DomainError::EmptyLabel { at: 4 }),
            ("a b", DomainError::Character { octet: b' ', at: 1 }),
            ("a\0b", DomainError::Character { octet: 0, at: 1 }),
            (
                "legitimate.com(a.attack.com",
                DomainError::Character {
                    octet: b'(',
                    at: 14,
                },
            ),
            ("[192.0.2.1]", DomainError::Character { octet: b'[', at: 0 }),
            ("a\u{200b}\u{ad}..b", DomainError::Idna),
            (&longest, DomainError::TooLong { length: 255 }),
        ] {
            let got = text.parse::<Domain>();
            match error {
                // How much of such a name survives is IDNA's business; that it is refused is ours.
                DomainError::Idna => assert!(got.is_err(), "{text}"),
                error => assert_eq!(got, Err(error), "{text}"),
            }
        }
        assert_eq!(Domain::parse(b"\xff.example"), Err(DomainError::Idna));
        // IDNA, which takes long and would give it another length, is not asked about what cannot be a name.
        let long = "\u{4e00}".repeat(600);
        assert_eq!(
            long.parse::<Domain>(),
            Err(DomainError::TooLong { length: 1_800 })
        );
        assert!(["a"; 63].concat().parse::<Domain>().is_ok());
        assert_eq!(
            ["a"; 64].concat().parse::<Domain>(),
            Err(DomainError::LabelTooLong { at: 63 })
        );
        assert!(longest.get(2..).unwrap().parse::<Domain>().is_ok());
    }

    #[test]
    fn label_boundaries() {
        let base = domain("example.net");
        assert!(domain("a.example.net").is_subdomain_of(&base));
        assert!(!base.is_subdomain_of(&base));
        assert!(base.is_within(&base));
        assert!(!domain("fexample.net").is_within(&base));
        assert_eq!(domain("a.b.c").suffix(2), Some(domain("b.c")));
        assert_eq!(domain("a.b.c").suffix(3), Some(domain("a.b.c")));
        assert_eq!(domain("a.b.c").suffix(4), None);
        assert_eq!(domain("a.b.c").suffix(0), None);
        assert_eq!(domain("c").parent(), None);
        assert_eq!(domain("b.c").parent(), Some(domain("c")));
    }
}
