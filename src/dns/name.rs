//! Names as they are asked of the DNS.

use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;

use crate::domain::{Domain, is_plain};

/// A fully qualified DNS name of any octets, in lower case.
///
/// It is kept as RFC 1035 5.1 writes names, without the final dot: octets that are not visible
/// ASCII, dots inside labels, and the characters that are special in zone files are escaped. So the
/// text is safe to print, and equal names have equal text. Cloning is cheap.
///
/// ```
/// use mailproof::dns::Name;
///
/// let name = Name::from_octets(b"A.b c.Example.")?;
/// assert_eq!(name.as_str(), r"a.b\032c.example");
/// assert_eq!(name, r"a.b\032c.example.".parse()?);
/// # Ok::<(), mailproof::dns::NameError>(())
/// ```
#[derive(Clone, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Name(Arc<str>);

impl Name {
    /// The root, which prints as a dot.
    #[must_use]
    pub fn root() -> Self {
        Self(".".into())
    }

    /// Whether this is the root.
    pub(crate) fn is_root(&self) -> bool {
        &*self.0 == "."
    }

    /// Splits octets at their dots. One final dot is allowed; no octet is an escape.
    ///
    /// # Errors
    ///
    /// [`NameError`] where the octets do not fit into a name.
    pub fn from_octets(octets: &[u8]) -> Result<Self, NameError> {
        let octets = octets.strip_suffix(b".").unwrap_or(octets);
        // Ordinary labels in lower case are the text of the name.
        if let Some(name) = Self::from_plain(octets) {
            return Ok(name);
        }
        Self::from_labels(octets.split(|octet| *octet == b'.'))
    }

    /// The name of octets that are its text just as it is kept.
    fn from_plain(octets: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(octets).ok();
        text.filter(|_| is_plain(octets))
            .map(|text| Self(text.into()))
    }

    /// Puts a name together from its labels, left to right.
    ///
    /// # Errors
    ///
    /// [`NameError`] for no label, an empty or over-long label, or an over-long name.
    pub fn from_labels<'a>(labels: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, NameError> {
        let mut text = String::new();
        let mut length = 0;
        let mut labels = labels.into_iter();
        while let Some(label) = labels.next() {
            if label.is_empty() {
                return Err(if length == 0 && labels.next().is_none() {
                    NameError::Empty
                } else {
                    NameError::EmptyLabel
                });
            }
            if label.len() > MAX_LABEL {
                return Err(NameError::LabelTooLong {
                    length: label.len(),
                });
            }
            if length != 0 {
                text.push('.');
                length += 1;
            }
            length += label.len();
            if length > MAX_LENGTH {
                return Err(NameError::TooLong);
            }
            push_escaped(&mut text, label);
        }
        if length == 0 {
            return Err(NameError::Empty);
        }
        Ok(Self(text.into()))
    }

    /// Reads the text form of RFC 1035 5.1 from octets, those above 127 standing for themselves. A
    /// final dot changes nothing.
    pub(super) fn from_text(text: &[u8]) -> Result<Self, NameError> {
        if text == b"." {
            return Ok(Self::root());
        }
        if let Some(name) = Self::from_plain(text) {
            return Ok(name);
        }
        let labels = unescape(text).ok_or(NameError::Escape)?;
        let labels = match labels.as_slice() {
            [labels @ .., last] if last.is_empty() && !labels.is_empty() => labels,
            labels => labels,
        };
        Self::from_labels(labels.iter().map(Vec::as_slice))
    }

    /// The name to ask PTR records of: in `in-addr.arpa` (RFC 1035 3.5) or `ip6.arpa` (RFC 3596 2.5).
    #[must_use]
    pub fn reverse(address: IpAddr) -> Self {
        let mut text = String::with_capacity(72);
        // Writing to a String cannot fail.
        match address {
            IpAddr::V4(address) => {
                for octet in address.octets().iter().rev() {
                    let _ = write!(text, "{octet}.");
                }
                text.push_str("in-addr.arpa");
            }
            IpAddr::V6(address) => {
                for octet in address.octets().iter().rev() {
                    let _ = write!(text, "{:x}.{:x}.", octet & 15, octet >> 4);
                }
                text.push_str("ip6.arpa");
            }
        }
        Self(text.into())
    }

    /// The name with labels put in front, as in `_dmarc.` or `selector._domainkey.`.
    ///
    /// # Errors
    ///
    /// [`NameError`], if the result would be too long or `labels` holds an empty label.
    pub fn below(labels: &[u8], domain: &Domain) -> Result<Self, NameError> {
        let domain = domain.as_str().as_bytes();
        // The octets of any name fit in here, so those that do not are none.
        let mut buffer = [0; MAX_LENGTH];
        let name = buffer
            .get_mut(..labels.len() + 1 + domain.len())
            .ok_or(NameError::TooLong)?;
        let (front, behind) = name.split_at_mut(labels.len());
        front.copy_from_slice(labels);
        if let [dot, behind @ ..] = behind {
            *dot = b'.';
            behind.copy_from_slice(domain);
        }
        Self::from_octets(name)
    }

    /// The same as [`from_octets`](Self::from_octets), sharing a text that is the name as it is kept.
    pub(crate) fn from_shared(text: &Arc<str>) -> Result<Self, NameError> {
        if is_plain(text.as_bytes()) {
            return Ok(Self(Arc::clone(text)));
        }
        Self::from_octets(text.as_bytes())
    }

    /// The name as RFC 1035 5.1 writes it, without the final dot; `.` for the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The octets of each label, left to right; none for the root.
    #[must_use]
    pub fn labels(&self) -> Vec<Vec<u8>> {
        if self.is_root() {
            return Vec::new();
        }
        unescape(self.0.as_bytes()).unwrap_or_default()
    }

    /// The name as a mail domain, if it is one.
    #[must_use]
    pub fn to_domain(&self) -> Option<Domain> {
        self.0.parse().ok()
    }

    /// Whether this name is `other` or lies below it.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        // A dot before `other` is a label boundary unless it is escaped.
        self == other
            || other.is_root()
            || self
                .0
                .strip_suffix(&*other.0)
                .and_then(|head| head.strip_suffix('.'))
                .is_some_and(|head| {
                    let escapes = head
                        .bytes()
                        .rev()
                        .take_while(|octet| *octet == b'\\')
                        .count();
                    escapes % 2 == 0
                })
    }

    /// The name without its leftmost label; `None` for the root.
    pub(crate) fn parent(&self) -> Option<Self> {
        if !self.0.contains('\\') && !self.is_root() {
            let parent = self.0.split_once('.').map(|(_, parent)| parent);
            return Some(parent.map_or_else(Self::root, |parent| Self(parent.into())));
        }
        let labels = self.labels();
        let (_, rest) = labels.split_first()?;
        if rest.is_empty() {
            return Some(Self::root());
        }
        Self::from_labels(rest.iter().map(Vec::as_slice)).ok()
    }
}

impl From<&Domain> for Name {
    fn from(domain: &Domain) -> Self {
        Self(domain.shared())
    }
}

impl FromStr for Name {
    type Err = NameError;

    /// Reads the form of RFC 1035 5.1, `\.` and `\DDD` included; a final dot changes nothing.
    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::from_text(text.as_bytes())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

fn push_escaped(text: &mut String, label: &[u8]) {
    for &octet in label {
        match octet {
            b'.' | b'\\' | b'"' | b';' | b'(' | b')' | b'@' | b'$' => {
                text.push('\\');
                text.push(char::from(octet));
            }
            0x21..=0x7e => text.push(char::from(octet.to_ascii_lowercase())),
            _ => {
                let _ = write!(text, "\\{octet:03}");
            }
        }
    }
}

/// Splits the text form into labels of octets; `None` where a backslash does not escape.
fn unescape(text: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut labels = vec![Vec::new()];
    let mut octets = text.iter().copied();
    while let Some(octet) = octets.next() {
        let octet = match octet {
            b'.' => {
                labels.push(Vec::new());
                continue;
            }
            b'\\' => match octets.next()? {
                digit @ b'0'..=b'9' => {
                    let digits = [digit, octets.next()?, octets.next()?];
                    let value = crate::text::decimal(&digits, 3)?;
                    u8::try_from(value).ok()?
                }
                octet => octet,
            },
            octet => octet,
        };
        labels.last_mut()?.push(octet);
    }
    Some(labels)
}

/// Why something is not a DNS name.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum NameError {
    /// Nothing at all.
    #[error("empty name")]
    Empty,
    /// Two dots in a row, or one at the beginning.
    #[error("empty label")]
    EmptyLabel,
    /// A backslash that escapes nothing.
    #[error("malformed escape")]
    Escape,
    /// A label over 63 octets (RFC 1035 2.3.4).
    #[error("label of {length} octets, at most 63 are allowed")]
    LabelTooLong {
        /// Its length.
        length: usize,
    },
    /// A name over 253 octets, which is 255 on the wire (RFC 1035 2.3.4).
    #[error("name longer than 253 octets")]
    TooLong,
}

/// RFC 1035 2.3.4: 255 octets on the wire, which leaves 253 for the text.
const MAX_LENGTH: usize = 253;

/// RFC 1035 2.3.4.
const MAX_LABEL: usize = 63;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_octets() {
        for (octets, text) in [
            (&b"example.com"[..], "example.com"),
            (b"EXAMPLE.com.", "example.com"),
            (b"_x.a-b", "_x.a-b"),
            (b"a\\b.c", "a\\\\b.c"),
            (b"\xff\0.x", "\\255\\000.x"),
            (b"user@x.y", "user\\@x.y"),
        ] {
            let name = Name::from_octets(octets).unwrap();
            assert_eq!(name.as_str(), text);
            assert_eq!(text.parse(), Ok(name.clone()));
            let octets = octets
                .strip_suffix(b".")
                .unwrap_or(octets)
                .to_ascii_lowercase();
            assert_eq!(name.labels().join(&b'.'), octets);
        }
        let dotted: Name = r"a\.b.c".parse().unwrap();
        assert_eq!(dotted.labels(), [b"a.b".to_vec(), b"c".to_vec()]);
        assert_eq!(".".parse(), Ok(Name::root()));
        assert_eq!(Name::root().to_string(), ".");
    }

    #[test]
    fn refuses() {
        for (octets, error) in [
            (&b""[..], NameError::Empty),
            (b".", NameError::Empty),
            (b"a..b", NameError::EmptyLabel),
            (b".a.b", NameError::EmptyLabel),
            (b"a.b..", NameError::EmptyLabel),
            (&[b'a'; 64], NameError::LabelTooLong { length: 64 }),
        ] {
            assert_eq!(Name::from_octets(octets), Err(error));
        }
        let long = [b"a.".repeat(126), b"bb".to_vec()].concat();
        assert_eq!(Name::from_octets(&long), Err(NameError::TooLong));
        assert!(Name::from_octets(long.get(1..).unwrap()).is_err());
        assert!(Name::from_octets(long.get(2..).unwrap()).is_ok());
        for text in ["a\\", "a\\25", "a\\256", "a\\2x5"] {
            assert_eq!(text.parse::<Name>(), Err(NameError::Escape), "{text}");
        }
    }

    #[test]
    fn below_and_within() {
        let name = |text: &str| text.parse::<Name>().unwrap();
        let domain = "example.com".parse().unwrap();
        assert_eq!(
            Name::below(b"_dmarc", &domain),
            Ok(name("_dmarc.example.com"))
        );
        assert!(Name::below(b"a..b", &domain).is_err());
        assert!(Name::below(&[b'a'; 64], &domain).is_err());
        assert!(name("a.example.com").is_within(&name("example.com")));
        assert!(!name("aexample.com").is_within(&name("example.com")));
        assert!(!name(r"a\.example.com").is_within(&name("example.com")));
        assert!(name(r"a\\.example.com").is_within(&name("example.com")));
        assert_eq!(name("a.b").parent(), Some(name("b")));
        assert_eq!(name("b").parent(), Some(Name::root()));
        assert_eq!(Name::root().parent(), None);
    }

    #[test]
    fn reverse_names() {
        let reverse = |text: &str| Name::reverse(text.parse().unwrap()).to_string();
        assert_eq!(reverse("192.0.2.3"), "3.2.0.192.in-addr.arpa");
        assert_eq!(
            reverse("2001:db8::cb01"),
            "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
        );
    }
}
