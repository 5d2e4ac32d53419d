//! The URIs of `rua` and `ruf` (§4.6, RFC 3986), with the size limits of RFC 7489 6.2.

use std::fmt::{self, Write as _};

use super::{Warning, tags};
use crate::address::Address;
use crate::domain::Domain;

/// Where a report shall go.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct ReportUri {
    uri: String,
    size_limit: Option<u64>,
    host: Domain,
}

impl ReportUri {
    /// Reads one URI of the list, size limit included; `None` for what cannot be used: not a URI,
    /// or neither `mailto` nor HTTP.
    #[must_use]
    pub fn parse(octets: &[u8]) -> Option<Self> {
        let Parts {
            uri,
            size_limit,
            host,
        } = split(std::str::from_utf8(octets).ok()?)?;
        Some(Self {
            uri: uri.to_owned(),
            size_limit,
            host: host.parse().ok()?,
        })
    }

    /// The URI of a mail address.
    #[must_use]
    pub fn mailto(address: &Address) -> Self {
        let mut uri = String::from("mailto:");
        for octet in address.local_part().bytes() {
            if octet.is_ascii_alphanumeric() || b"-._~+".contains(&octet) {
                uri.push(char::from(octet));
            } else {
                // Writing to a String cannot fail.
                let _ = write!(uri, "%{octet:02X}");
            }
        }
        uri.push('@');
        uri.push_str(address.domain().as_str());
        Self {
            uri,
            size_limit: None,
            host: address.domain().clone(),
        }
    }

    /// The URI without the size limit.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.uri
    }

    /// The largest report that is wanted, in octets (RFC 7489 6.2). RFC 9989 ignores it.
    #[must_use]
    pub fn size_limit(&self) -> Option<u64> {
        self.size_limit
    }

    /// The host of the URI; for `mailto`, the domain of the address. Whoever runs it must agree to
    /// reports on other domains (RFC 9990 4).
    #[must_use]
    pub fn host(&self) -> &Domain {
        &self.host
    }

    /// The address of a `mailto` URI, its percent-encoding undone.
    #[must_use]
    pub fn address(&self) -> Option<Address> {
        let (scheme, rest) = self.uri.split_once(':')?;
        if !scheme.eq_ignore_ascii_case("mailto") {
            return None;
        }
        Address::parse(&percent_decode(mailbox(rest).as_bytes())).ok()
    }
}

impl fmt::Display for ReportUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.uri)?;
        match self.size_limit {
            Some(limit) => write!(f, "!{limit}"),
            None => Ok(()),
        }
    }
}

/// The usable URIs of a list, in order.
pub(super) fn list(value: &[u8]) -> Vec<ReportUri> {
    elements(value).filter_map(ReportUri::parse).collect()
}

/// Whether the list has a usable URI.
pub(super) fn any_valid(value: &[u8]) -> bool {
    elements(value).any(|uri| ReportUri::parse(uri).is_some())
}

/// Says which URIs of a list are left out, and which have size limits.
pub(super) fn warn(name: &'static str, value: &[u8], warnings: &mut Vec<Warning>) {
    for element in elements(value) {
        match ReportUri::parse(element) {
            Some(uri) if uri.size_limit.is_some() => {
                warnings.push(Warning::SizeLimit { name });
            }
            Some(_) => {}
            None => warnings.push(Warning::BadUri {
                name,
                uri: tags::printable(element),
            }),
        }
    }
}

/// dmarc-urilist: commas between, white space around them.
fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|octet| *octet == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|element| !element.is_empty())
}

struct Parts<'a> {
    uri: &'a str,
    size_limit: Option<u64>,
    host: &'a str,
}

fn split(text: &str) -> Option<Parts<'_>> {
    // ‘commas and exclamation points MUST be encoded’, so the first one ends the URI.
    let (uri, size_limit) = match text.split_once('!') {
        Some((uri, size)) => (uri.trim(), Some(size_in_octets(size.trim())?)),
        None => (text, None),
    };
    // What RFC 3986 2 lets stand in a URI.
    let valid = uri
        .bytes()
        .all(|octet| octet.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&octet));
    let (scheme, rest) = uri.split_once(':').filter(|_| valid)?;
    let host = if scheme.eq_ignore_ascii_case("mailto") {
        let (local_part, host) = mailbox(rest).rsplit_once('@')?;
        (!local_part.is_empty()).then_some(host)?
    } else if scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http") {
        authority_host(rest.strip_prefix("//")?)
    } else {
        // §4.7: ‘URIs involving schemes not supported by Mail Receivers MUST be ignored.’
        return None;
    };
    Some(Parts {
        uri,
        size_limit,
        host,
    })
}

/// The address of a mailto URI, without the header fields behind `?`.
fn mailbox(rest: &str) -> &str {
    rest.split_once('?').map_or(rest, |(mailbox, _)| mailbox)
}

/// authority = [ userinfo "@" ] host [ ":" port ]
fn authority_host(rest: &str) -> &str {
    let authority = rest
        .split_once(['/', '?', '#'])
        .map_or(rest, |(authority, _)| authority);
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    host.split_once(':').map_or(host, |(host, _)| host)
}

/// obs-dmarc-report-size, in octets: 1*DIGIT and a unit, of which RFC 7489 6.2 says they are
/// powers of two.
fn size_in_octets(size: &str) -> Option<u64> {
    let (digits, shift) = match size.char_indices().next_back()? {
        (at, 'k' | 'K') => (size.get(..at)?, 10),
        (at, 'm' | 'M') => (size.get(..at)?, 20),
        (at, 'g' | 'G') => (size.get(..at)?, 30),
        (at, 't' | 'T') => (size.get(..at)?, 40),
        _ => (size, 0),
    };
    let digits = digits.trim();
    if digits.is_empty() || !digits.bytes().all(|octet| octet.is_ascii_digit()) {
        return None;
    }
    // A limit beyond all sizes is none.
    let number: u64 = digits.parse().unwrap_or(u64::MAX);
    Some(number.saturating_mul(1 << shift))
}

fn percent_decode(octets: &[u8]) -> Vec<u8> {
    let digit = |octet: Option<&u8>| {
        let digit = char::from(*octet?).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    let mut decoded = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while let Some((&octet, tail)) = rest.split_first() {
        rest = tail;
        let pair = (digit(tail.first()), digit(tail.get(1)));
        match pair {
            (Some(high), Some(low)) if octet == b'%' => {
                decoded.push((high << 4) | low);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => decoded.push(octet),
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<(String, Option<u64>, String)> {
        let uri = ReportUri::parse(text.as_bytes())?;
        Some((uri.uri, uri.size_limit, uri.host.to_string()))
    }

    #[test]
    fn reads_uris() {
        for (text, uri, limit, host) in [
            (
                "mailto:a@Example.COM",
                "mailto:a@Example.COM",
                None,
                "example.com",
            ),
            (
                "MAILTO:a@b.example!10k",
                "MAILTO:a@b.example",
                Some(10_240),
                "b.example",
            ),
            (
                "mailto:a@b.example!10m",
                "mailto:a@b.example",
                Some(10_485_760),
                "b.example",
            ),
            (
                "mailto:a@b.example!1G",
                "mailto:a@b.example",
                Some(1 << 30),
                "b.example",
            ),
            (
                "mailto:a@b.example!2t",
                "mailto:a@b.example",
                Some(2 << 40),
                "b.example",
            ),
            (
                "mailto:a@b.example!500",
                "mailto:a@b.example",
                Some(500),
                "b.example",
            ),
            (
                "mailto:a%2Cb@c.example",
                "mailto:a%2Cb@c.example",
                None,
                "c.example",
            ),
            (
                "mailto:a@b.example?subject=x@y",
                "mailto:a@b.example?subject=x@y",
                None,
                "b.example",
            ),
            (
                "https://u@r.example:8443/d?x",
                "https://u@r.example:8443/d?x",
                None,
                "r.example",
            ),
        ] {
            let expected = Some((uri.to_owned(), limit, host.to_owned()));
            assert_eq!(parse(text), expected, "{text}");
        }
        let huge = format!("mailto:a@b.example!{}t", "9".repeat(50));
        assert_eq!(parse(&huge).unwrap().1, Some(u64::MAX));
    }

    #[test]
    fn refuses_what_cannot_be_used() {
        for text in [
            "",
            "a@b.example",
            "mailto:",
            "mailto:b.example",
            "mailto:@b.example",
            "mailto:a@",
            "mailto:a@b..example",
            "mailto:a@b.example!",
            "mailto:a@b.example!10p",
            "mailto:a@b.example!k",
            "mailto:a@b.example!-1",
            "mailto:a b@c.example",
            "mailto:<a@b.example>",
            "mailto:\u{e4}@b.example",
            "ftp://b.example",
            "https:b.example",
            "https://",
            "https://[::1]/",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn addresses() {
        let address = |text: &str| ReportUri::parse(text.as_bytes()).unwrap().address();
        let decoded = address("mailto:user%20x%2c%zz@b.example").unwrap();
        assert_eq!(decoded.local_part(), "user x,%zz");
        assert_eq!(address("https://b.example/"), None);
        let odd = Address::parse(b"\"a,b!c\"@b.example").unwrap();
        let uri = ReportUri::mailto(&odd);
        assert_eq!(uri.as_str(), "mailto:%22a%2Cb%21c%22@b.example");
        assert_eq!(uri.address(), Some(odd));
        assert_eq!(ReportUri::parse(uri.as_str().as_bytes()), Some(uri));
    }
}
