//! The syntax of SRS0 and SRS1 local parts.

use std::borrow::Cow;

use super::stamp::Stamp;
use crate::domain::{Domain, is_plain};
use crate::text;

/// What stands behind `SRS0` or `SRS1`. Everything further in is separated by `=`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Separator {
    /// `=`, what nearly all use.
    #[default]
    Equals,
    /// `-`.
    Minus,
    /// `+`, which sends the address through plus addressing.
    Plus,
}

impl Separator {
    pub(super) fn as_char(self) -> char {
        match self {
            Self::Equals => '=',
            Self::Minus => '-',
            Self::Plus => '+',
        }
    }

    pub(super) fn from_char(character: char) -> Option<Self> {
        match character {
            '=' => Some(Self::Equals),
            '-' => Some(Self::Minus),
            '+' => Some(Self::Plus),
            _ => None,
        }
    }
}

/// The argument of MAIL FROM or RCPT TO, split at its `@`.
pub(super) struct Path<'a> {
    pub(super) local_part: &'a str,
    pub(super) host: &'a str,
}

impl<'a> Path<'a> {
    /// `None` is the null reverse-path. A source route is removed (RFC 5321 appendix C).
    pub(super) fn parse(octets: &'a [u8]) -> Result<Option<Self>, Malformed> {
        let octets = match octets {
            [b'<', inner @ .., b'>'] => inner,
            octets => octets,
        };
        if octets.is_empty() {
            return Ok(None);
        }
        let path = std::str::from_utf8(octets).map_err(|_| Malformed::Address)?;
        let mailbox = match path.strip_prefix('@') {
            Some(route) => route.split_once(':').map_or(path, |(_, mailbox)| mailbox),
            None => path,
        };
        let at = text::rfind(mailbox.as_bytes(), b'@').ok_or(Malformed::Address)?;
        let (local_part, host) = mailbox.split_at_checked(at).ok_or(Malformed::Address)?;
        let host = host.get(1..).unwrap_or_default();
        if !is_local_part(local_part) || !is_host(host) {
            return Err(Malformed::Address);
        }
        Ok(Some(Self { local_part, host }))
    }
}

/// Which of the two schemes a local part begins with.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scheme {
    Srs0,
    Srs1,
}

/// Takes `SRS0` or `SRS1` and the separator off a local part. Without a separator it is somebody's
/// name.
pub(super) fn scheme(local_part: &str) -> Option<(Scheme, Separator, &str)> {
    let (tag, rest) = local_part.split_at_checked(4)?;
    let scheme = if tag.eq_ignore_ascii_case("SRS0") {
        Scheme::Srs0
    } else if tag.eq_ignore_ascii_case("SRS1") {
        Scheme::Srs1
    } else {
        return None;
    };
    let mut rest = rest.chars();
    let separator = Separator::from_char(rest.next()?)?;
    Some((scheme, separator, rest.as_str()))
}

/// Splits at the first `=`. It is near: a search that is made for long texts would take longer.
fn split(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().position(|octet| octet == b'=')?;
    let (head, tail) = text.split_at_checked(at)?;
    Some((head, tail.get(1..)?))
}

/// `hash=stamp=host=user`, what follows `SRS0` and its separator.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Srs0<'a> {
    pub(super) hash: &'a str,
    /// The stamp as it was written: the hash covers its letters.
    pub(super) letters: &'a str,
    pub(super) stamp: Stamp,
    pub(super) host: &'a str,
    pub(super) user: &'a str,
}

impl<'a> Srs0<'a> {
    /// The user may hold further `=`, the host cannot: so the first three of them separate. Whether
    /// the user can be a local part depends on quotes further out, so that is left to the caller.
    pub(super) fn parse(rest: &'a str) -> Result<Self, Malformed> {
        let (hash, rest) = split(rest).ok_or(Malformed::Fields)?;
        let (letters, rest) = split(rest).ok_or(Malformed::Fields)?;
        let (host, user) = split(rest).ok_or(Malformed::Fields)?;
        if hash.is_empty() {
            return Err(Malformed::Hash);
        }
        let stamp = Stamp::parse(letters).ok_or(Malformed::Stamp)?;
        if !is_host(host) {
            return Err(Malformed::Host);
        }
        if user.is_empty() {
            return Err(Malformed::User);
        }
        Ok(Self {
            hash,
            letters,
            stamp,
            host,
            user,
        })
    }
}

/// `hash=host=opaque`, what follows `SRS1` and its separator.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Srs1<'a> {
    pub(super) hash: &'a str,
    /// The first forwarder.
    pub(super) host: &'a str,
    /// The first forwarder's local part without `SRS0`, its separator included.
    pub(super) opaque: &'a str,
}

impl<'a> Srs1<'a> {
    pub(super) fn parse(rest: &'a str) -> Result<Self, Malformed> {
        let (hash, rest) = split(rest).ok_or(Malformed::Fields)?;
        let (host, opaque) = split(rest).ok_or(Malformed::Fields)?;
        if !is_host(host) {
            return Err(Malformed::Host);
        }
        // The hash covers host and opaque part without anything between them, so `fwd.exampl` and
        // `e=...` would hash alike. The separator with which every opaque part begins tells.
        let separator = opaque.chars().next().and_then(Separator::from_char);
        if separator.is_none() {
            return Err(Malformed::Opaque);
        }
        Ok(Self { hash, host, opaque })
    }
}

/// A local part that is one quoted string, without its quotes and escapes. Exim quotes the whole
/// where the original local part was quoted.
pub(super) fn unquote(local_part: &str) -> Cow<'_, str> {
    let inner = local_part
        .strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'));
    match inner {
        Some(inner) if inner.contains('\\') => {
            let mut characters = inner.chars();
            let mut plain = String::with_capacity(inner.len());
            while let Some(character) = characters.next() {
                let escaped = (character == '\\').then(|| characters.next()).flatten();
                plain.push(escaped.unwrap_or(character));
            }
            Cow::Owned(plain)
        }
        Some(inner) => Cow::Borrowed(inner),
        None => Cow::Borrowed(local_part),
    }
}

/// Whether a host can stand in an address: a domain, or an address literal (RFC 5321 4.1.3).
pub(super) fn is_host(host: &str) -> bool {
    if is_plain(host.as_bytes()) {
        return true;
    }
    let literal = host
        .strip_prefix('[')
        .and_then(|inner| inner.strip_suffix(']'));
    match literal {
        Some(inner) => {
            !inner.is_empty()
                && inner
                    .bytes()
                    .all(|octet| octet.is_ascii_alphanumeric() || b".:-".contains(&octet))
        }
        None => !host.ends_with('.') && Domain::is_valid(host.as_bytes()),
    }
}

/// Whether a local part, or a part of one, can stand before an `@`: atoms, dots and quoted strings
/// in any order, because SRS puts quoted local parts behind its own fields. It puts address literals
/// there as well, brackets and all.
pub(super) fn is_local_part(local_part: &str) -> bool {
    let is_plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'=');
    if !local_part.is_empty() && local_part.bytes().all(is_plain) {
        return true;
    }
    // C1 control characters are no ASCII, and so no concern of atext.
    if !local_part.is_ascii() && local_part.chars().any(char::is_control) {
        return false;
    }
    let literal: &[u8] = match scheme(local_part) {
        Some(_) => b"[]:",
        None => b"",
    };
    let mut octets = local_part.bytes();
    while let Some(octet) = octets.next() {
        match octet {
            b'"' => {
                if !skip_quoted(&mut octets) {
                    return false;
                }
            }
            b'.' => {}
            octet => {
                if !text::is_atext(octet) && !literal.contains(&octet) {
                    return false;
                }
            }
        }
    }
    !local_part.is_empty()
}

/// Skips to behind the closing quote.
fn skip_quoted(octets: &mut impl Iterator<Item = u8>) -> bool {
    while let Some(octet) = octets.next() {
        match octet {
            b'"' => return true,
            b'\\' => match octets.next() {
                Some(escaped) if !escaped.is_ascii_control() => {}
                _ => return false,
            },
            octet if octet.is_ascii_control() => return false,
            _ => {}
        }
    }
    false
}

/// The rule that an address at our SRS domain, or one that calls itself SRS, breaks.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Malformed {
    /// It is no address: no `@`, an unusable domain or local part, or not UTF-8.
    #[error("not an address")]
    Address,
    /// Fewer fields than SRS0 (hash, time stamp, host, user) or SRS1 (hash, host, opaque part) has.
    #[error("missing fields")]
    Fields,
    /// The hash is empty or shorter than any that we accept.
    #[error("hash too short")]
    Hash,
    /// The host is neither a domain nor an address literal.
    #[error("impossible host")]
    Host,
    /// The opaque part of SRS1 does not begin with the separator of the SRS0 address that it was.
    #[error("opaque part without separator")]
    Opaque,
    /// The time stamp is not two letters of base32.
    #[error("malformed time stamp")]
    Stamp,
    /// The user is empty, or no local part.
    #[error("impossible user")]
    User,
}
