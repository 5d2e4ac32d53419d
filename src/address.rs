//! Mail addresses of the envelope and of DKIM's `i=`: local-part@domain.

use std::fmt;

use crate::domain::{Domain, DomainError};
use crate::text;

/// An address: a local part as it was written, and a [`Domain`].
///
/// The local part may hold anything but control characters: strangers choose it, and nothing here
/// depends on it. The last `@` separates, since a domain has none.
///
/// ```
/// use mailproof::Address;
///
/// let address = Address::parse(b"\"a@b\"@Example.COM")?;
/// assert_eq!(address.local_part(), "\"a@b\"");
/// assert_eq!(address.domain().as_str(), "example.com");
/// # Ok::<(), mailproof::address::AddressError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Address {
    local_part: String,
    domain: Domain,
}

impl Address {
    /// Reads `local-part@domain`, without angle brackets.
    ///
    /// # Errors
    ///
    /// [`AddressError`] names what is missing or malformed.
    pub fn parse(octets: &[u8]) -> Result<Self, AddressError> {
        let at = text::rfind(octets, b'@').ok_or(AddressError::NoAt)?;
        let (local_part, domain) = octets.split_at(at);
        let domain = Domain::parse(domain.get(1..).unwrap_or_default())?;
        Ok(Self {
            local_part: local_part_text(local_part)?,
            domain,
        })
    }

    /// Puts an address together.
    ///
    /// # Errors
    ///
    /// [`AddressError::LocalPart`] for a local part that is empty or holds control characters.
    pub fn new(local_part: &str, domain: Domain) -> Result<Self, AddressError> {
        Ok(Self {
            local_part: local_part_text(local_part.as_bytes())?,
            domain,
        })
    }

    /// The local part as written, quotes included.
    #[must_use]
    pub fn local_part(&self) -> &str {
        &self.local_part
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.domain
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local_part, self.domain)
    }
}

/// The argument of MAIL FROM.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum ReversePath {
    /// `MAIL FROM:<>`.
    Null,
    /// A mailbox. RFC 7208 4.3: one without a local part stands for `postmaster` at its domain.
    Mailbox(Address),
}

impl ReversePath {
    /// Reads the argument of MAIL FROM, with or without its angle brackets.
    ///
    /// A source route (`@relay,@relay:user@domain`) is removed, as RFC 5321 appendix C tells
    /// receivers to do. An unquoted local part must be made of the characters that RFC 5321 4.1.2
    /// gives it; empty atoms (`a..b`) are allowed since some providers issue such addresses, and so
    /// is a second `@`.
    ///
    /// # Errors
    ///
    /// [`AddressError`]. What cannot be read is never treated as the null reverse-path.
    pub fn parse(octets: &[u8]) -> Result<Self, AddressError> {
        let octets = match octets {
            [b'<', inner @ .., b'>'] => inner,
            octets => octets,
        };
        if octets.is_empty() {
            return Ok(Self::Null);
        }
        let octets = match octets {
            [b'@', ..] => text::split_once(octets, b':').map_or(octets, |(_, mailbox)| mailbox),
            octets => octets,
        };
        let (local_part, domain) = match text::rfind(octets, b'@') {
            Some(at) => {
                let (local_part, domain) = octets.split_at(at);
                (local_part, domain.get(1..).unwrap_or_default())
            }
            None => (&b""[..], octets),
        };
        let domain = Domain::parse(domain)?;
        let local_part: &[u8] = if local_part.is_empty() {
            b"postmaster"
        } else {
            local_part
        };
        if !is_local_part(local_part) {
            return Err(AddressError::LocalPart);
        }
        Ok(Self::Mailbox(Address {
            local_part: local_part_text(local_part)?,
            domain,
        }))
    }
}

fn local_part_text(octets: &[u8]) -> Result<String, AddressError> {
    let text = std::str::from_utf8(octets).map_err(|_| AddressError::LocalPart)?;
    if text.is_empty() || text.chars().any(char::is_control) {
        return Err(AddressError::LocalPart);
    }
    Ok(text.to_owned())
}

fn is_local_part(octets: &[u8]) -> bool {
    if let [b'"', inner @ .., b'"'] = octets {
        // qtextSMTP / quoted-pairSMTP: a quote or backslash only behind a backslash.
        let mut octets = inner.iter();
        while let Some(octet) = octets.next() {
            match octet {
                b'"' => return false,
                b'\\' if octets.next().is_none() => return false,
                _ => {}
            }
        }
        return true;
    }
    octets
        .iter()
        .all(|octet| text::is_atext(*octet) || matches!(octet, b'.' | b'@'))
}

/// Why some octets are not an address.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// What follows the last `@` is not a mail domain.
    #[error("unusable domain: {0}")]
    Domain(#[from] DomainError),
    /// A local part that is empty, not UTF-8, or holds characters that need quoting.
    #[error("malformed local part")]
    LocalPart,
    /// No `@`.
    #[error("no \"@\"")]
    NoAt,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox(octets: &[u8]) -> Result<(String, String), AddressError> {
        match ReversePath::parse(octets)? {
            ReversePath::Null => Ok((String::new(), String::new())),
            ReversePath::Mailbox(address) => {
                Ok((address.local_part().into(), address.domain().to_string()))
            }
        }
    }

    #[test]
    fn reads_reverse_paths() {
        for (octets, local_part, domain) in [
            (&b"user@example.com"[..], "user", "example.com"),
            (b"<User@Example.COM>", "User", "example.com"),
            (b"", "", ""),
            (b"<>", "", ""),
            (b"@example.net", "postmaster", "example.net"),
            (b"example.net", "postmaster", "example.net"),
            (b"\"a@b\"@example.net", "\"a@b\"", "example.net"),
            (b"foo..bar@example.net", "foo..bar", "example.net"),
            (b"@a.example,@b.example:user@c.example", "user", "c.example"),
            (
                "jürgen@münchen.example".as_bytes(),
                "jürgen",
                "xn--mnchen-3ya.example",
            ),
        ] {
            assert_eq!(
                mailbox(octets),
                Ok((local_part.into(), domain.into())),
                "{octets:?}"
            );
        }
    }

    /// The envelope senders of field tests against mixed-up components: each is refused or read
    /// one way only, none is taken for the null reverse-path.
    #[test]
    fn hostile_reverse_paths() {
        for octets in [
            &b"(any@legitimate.com"[..],
            b"any@legitimate.com(a.attack.com",
            b"a b@example.com",
            b"a\r\nb@example.com",
            b"user@[192.0.2.1]",
            b"user@",
            b"user@a..b",
            b"\"a\"b\"@example.com",
            b"\"a\\\"@example.com",
            b"\xff@example.com",
            b"<user@example.com",
            b"<",
        ] {
            assert!(mailbox(octets).is_err(), "{}", octets.escape_ascii());
        }
        assert_eq!(
            mailbox(b"any@legitimate.com'@any.attack.com"),
            Ok(("any@legitimate.com'".into(), "any.attack.com".into()))
        );
        assert_eq!(
            mailbox(b"@legitimate.com,@any.com:'any@attack.com"),
            Ok(("'any".into(), "attack.com".into()))
        );
    }
}
