//! Macros (§7): their parts, and what each stands for.

use std::fmt;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::pieces::{self, Scope};
use super::record::ascii;
use super::syntax::SyntaxError;

/// A text with macros, whose syntax was checked.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct MacroString<'a>(&'a [u8]);

impl<'a> MacroString<'a> {
    /// Reads the text of an explanation (§6.2): visible ASCII and spaces, all macro letters.
    ///
    /// # Errors
    ///
    /// [`SyntaxError`] for the first departure from the grammar.
    pub fn parse_explanation(octets: &'a [u8]) -> Result<Self, SyntaxError> {
        Self::parse(octets, Scope::Explanation)
    }

    /// Reads a macro-string as terms have them: no spaces, and none of the letters `c`, `r`, `t`.
    ///
    /// # Errors
    ///
    /// [`SyntaxError`] for the first departure from the grammar.
    pub fn parse_term(octets: &'a [u8]) -> Result<Self, SyntaxError> {
        Self::parse(octets, Scope::Term)
    }

    fn parse(octets: &'a [u8], scope: Scope) -> Result<Self, SyntaxError> {
        let first = match scope {
            Scope::Term => b'!',
            Scope::Explanation => b' ',
        };
        if let Some(at) = octets
            .iter()
            .position(|octet| !(first..=b'~').contains(octet))
        {
            let rule = super::SyntaxRule::Character;
            return Err(SyntaxError::new(rule, at, octets));
        }
        pieces::check_macros(octets, scope).map_err(|fault| {
            let at = octets.len().saturating_sub(fault.rest.len());
            SyntaxError::new(fault.rule, at, octets)
        })?;
        Ok(Self(octets))
    }

    /// For the parser, which has checked the text.
    pub(super) fn checked(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    /// The text as written.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        ascii(self.0)
    }

    pub(super) fn octets(self) -> &'a [u8] {
        self.0
    }

    /// Whether there is nothing to expand.
    #[must_use]
    pub fn is_literal(self) -> bool {
        crate::text::find(self.0, b'%').is_none()
    }

    /// What the macros of the text ask for.
    pub(super) fn needs(self) -> Needs {
        let mut needs = Needs::default();
        let mut rest = self.0;
        while let Some((_, behind)) = crate::text::split_once(rest, b'%') {
            // The octet behind another `%`, `_` or `-` begins something else.
            rest = behind.get(1..).unwrap_or_default();
            if let [b'{', letter, ..] = behind
                && let Some(letter) = Letter::new(*letter)
            {
                needs.sender |= letter.depends_on_sender();
                needs.local_part |= letter.has_local_part();
                needs.validated_name |= letter == Letter::ValidatedName;
            }
        }
        needs
    }

    fn pieces(self) -> impl Iterator<Item = Piece<'a>> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (behind, piece) = pieces::piece(rest, Scope::Explanation).ok()?;
            rest = behind;
            Some(piece)
        })
    }

    /// Expands the macros.
    pub(super) fn expand_with(self, values: &Values<'_>) -> Result<Vec<u8>, TooLong> {
        let mut out = Vec::with_capacity(self.0.len() + 64);
        let mut read = 0_usize;
        for piece in self.pieces() {
            match piece {
                Piece::Literal(literal) => out.extend_from_slice(literal),
                Piece::Percent => out.push(b'%'),
                Piece::Space => out.push(b' '),
                Piece::UrlSpace => out.extend_from_slice(b"%20"),
                Piece::Expand(expand) => {
                    read = read.saturating_add(expand.write(values, &mut out));
                }
            }
            if out.len() > MAX_EXPANSION || read > MAX_READ {
                return Err(TooLong);
            }
        }
        Ok(out)
    }
}

impl fmt::Display for MacroString<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for MacroString<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// A macro-string of one record can name the HELO argument ten thousand times. Names end at 253
/// octets and replies at 512; what expands to more than this is of no use as either.
const MAX_EXPANSION: usize = 8_192;

/// Octets of values that are read for one expansion. A record of 64 KiB has room for 13,000 macros that
/// each split a long local part and keep nothing of it.
const MAX_READ: usize = 65_536;

/// The expansion would exceed [`MAX_EXPANSION`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct TooLong;

/// What some macros ask for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Needs {
    /// The sender or HELO (§7.3).
    pub(super) sender: bool,
    /// The local part of the sender.
    pub(super) local_part: bool,
    /// The look-ups of `%{p}`.
    pub(super) validated_name: bool,
}

/// A part of a macro-string.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'a> {
    Literal(&'a [u8]),
    Percent,
    Space,
    UrlSpace,
    Expand(Expand<'a>),
}

/// `%{...}`
#[derive(Clone, Copy, Debug)]
pub(super) struct Expand<'a> {
    pub(super) letter: Letter,
    pub(super) escape: bool,
    pub(super) keep: Option<usize>,
    pub(super) reverse: bool,
    pub(super) delimiters: &'a [u8],
}

impl Expand<'_> {
    fn write(&self, values: &Values<'_>, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        self.letter.write(values, out);
        let read = out.len().saturating_sub(start);
        if self.keep.is_some() || self.reverse || !self.delimiters.is_empty() {
            self.transform(out, start);
        }
        if self.escape {
            let value = out.split_off(start);
            url_escape(&value, out);
        }
        read
    }

    /// §7.3: ‘the replacement value for a macro letter is split into parts separated by one or more
    /// of the specified delimiter characters. After performing any reversal operation and/or removal
    /// of left-hand parts, the parts are rejoined using "."’. The parts ‘might contain empty
    /// strings.’
    ///
    /// The value is what `out` holds from `start`, and is changed where it is.
    fn transform(&self, out: &mut Vec<u8>, start: usize) {
        let delimiters = if self.delimiters.is_empty() {
            b"."
        } else {
            self.delimiters
        };
        let is_delimiter = |octet: &u8| delimiters.contains(octet);
        let value = out.get_mut(start..).unwrap_or_default();
        if self.reverse {
            value.reverse();
            value.split_mut(is_delimiter).for_each(<[u8]>::reverse);
        }
        // What is left of the delimiter before the parts to keep goes.
        let ends = value.iter().enumerate().rev();
        let mut ends = ends.filter(|(_, octet)| is_delimiter(octet));
        let cut = self.keep.and_then(|keep| ends.nth(keep.saturating_sub(1)));
        let cut = cut.map_or(0, |(at, _)| at + 1);
        for octet in value.iter_mut().filter(|octet| is_delimiter(octet)) {
            *octet = b'.';
        }
        out.drain(start..start + cut);
    }
}

/// §7.3: ‘URL escaping MUST be performed for characters not in the "unreserved" set’ (RFC 3986 2.3).
fn url_escape(value: &[u8], out: &mut Vec<u8>) {
    for &octet in value {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
            out.push(octet);
        } else {
            out.extend_from_slice(&[b'%', hex(octet >> 4), hex(octet & 15)]);
        }
    }
}

/// A macro letter (§7.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Letter {
    Sender,
    LocalPart,
    SenderDomain,
    Domain,
    Address,
    ValidatedName,
    Version,
    Helo,
    ReadableAddress,
    Receiver,
    Time,
}

impl Letter {
    pub(super) fn new(letter: u8) -> Option<Self> {
        Some(match letter.to_ascii_lowercase() {
            b's' => Self::Sender,
            b'l' => Self::LocalPart,
            b'o' => Self::SenderDomain,
            b'd' => Self::Domain,
            b'i' => Self::Address,
            b'p' => Self::ValidatedName,
            b'v' => Self::Version,
            b'h' => Self::Helo,
            b'c' => Self::ReadableAddress,
            b'r' => Self::Receiver,
            b't' => Self::Time,
            _ => return None,
        })
    }

    /// §7.2: ‘The following macro letters are allowed only in "exp" text’.
    pub(super) fn is_for_explanations(self) -> bool {
        matches!(self, Self::ReadableAddress | Self::Receiver | Self::Time)
    }

    /// §7.3: with none of these the result can be cached by domain and client address alone.
    pub(super) fn depends_on_sender(self) -> bool {
        matches!(
            self,
            Self::Sender | Self::LocalPart | Self::SenderDomain | Self::Helo
        )
    }

    /// RFC 8616 4 singles these out where the local part is not ASCII.
    pub(super) fn has_local_part(self) -> bool {
        matches!(self, Self::Sender | Self::LocalPart)
    }

    fn write(self, values: &Values<'_>, out: &mut Vec<u8>) {
        match self {
            Self::Sender => {
                out.extend_from_slice(values.local_part);
                out.push(b'@');
                out.extend_from_slice(values.sender_domain);
            }
            Self::LocalPart => out.extend_from_slice(values.local_part),
            Self::SenderDomain => out.extend_from_slice(values.sender_domain),
            Self::Domain => out.extend_from_slice(values.domain),
            Self::Address => write_dotted(values.client_ip, out),
            Self::ValidatedName => out.extend_from_slice(values.validated_name),
            Self::Version => out.extend_from_slice(match values.client_ip {
                IpAddr::V4(_) => b"in-addr",
                IpAddr::V6(_) => b"ip6",
            }),
            Self::Helo => out.extend_from_slice(values.helo),
            Self::ReadableAddress => out.extend_from_slice(values.client_ip.to_string().as_bytes()),
            Self::Receiver => out.extend_from_slice(values.receiver.as_bytes()),
            Self::Time => match values
                .now
                .and_then(|now| now.duration_since(UNIX_EPOCH).ok())
            {
                Some(since) => out.extend_from_slice(since.as_secs().to_string().as_bytes()),
                None => out.extend_from_slice(b"unknown"),
            },
        }
    }
}

/// §7.3: ‘For IPv6 addresses, the "i" macro expands to a dot-format address’ of nibbles.
fn write_dotted(address: IpAddr, out: &mut Vec<u8>) {
    match address {
        IpAddr::V4(address) => {
            for (index, octet) in address.octets().into_iter().enumerate() {
                if index != 0 {
                    out.push(b'.');
                }
                write_decimal(octet, out);
            }
        }
        IpAddr::V6(address) => {
            for (index, octet) in address.octets().into_iter().enumerate() {
                if index != 0 {
                    out.push(b'.');
                }
                out.extend_from_slice(&[hex(octet >> 4), b'.', hex(octet & 15)]);
            }
        }
    }
}

fn write_decimal(octet: u8, out: &mut Vec<u8>) {
    let (hundreds, tens) = (octet / 100, octet / 10);
    if hundreds != 0 {
        out.push(b'0' + hundreds);
    }
    if tens != 0 {
        out.push(b'0' + tens % 10);
    }
    out.push(b'0' + octet % 10);
}

fn hex(nibble: u8) -> u8 {
    match nibble {
        0..=9 => b'0' + nibble,
        _ => b'A' - 10 + (nibble & 15),
    }
}

/// What the letters stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    pub(super) local_part: &'a [u8],
    pub(super) sender_domain: &'a [u8],
    pub(super) domain: &'a [u8],
    pub(super) client_ip: IpAddr,
    pub(super) helo: &'a [u8],
    pub(super) validated_name: &'a [u8],
    pub(super) receiver: &'a str,
    pub(super) now: Option<SystemTime>,
}

/// §7.3: ‘if the expanded domain name exceeds 253 characters [..], the left side is truncated to fit,
/// by removing successive domain labels (and their following dots)’.
///
/// A final dot stays: one is for the name's reader to take, of two the name is none.
pub(super) fn truncate(mut name: &[u8]) -> &[u8] {
    let longest = MAX_NAME + usize::from(name.ends_with(b"."));
    while name.len() > longest {
        match crate::text::split_once(name, b'.') {
            Some((_, rest)) => name = rest,
            None => break,
        }
    }
    name
}

const MAX_NAME: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;

    /// What the pieces of a text ask for, one by one.
    #[test]
    fn needs_are_those_of_the_pieces() {
        let parts = [
            "%", "%%", "%_", "%-", "%{d}", "%{s}", "%{L1r-}", "%{o2}", "%{h}", "%{p}", "{s}", "x",
        ];
        let mut state = 1_u32;
        let mut below = |bound: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            usize::try_from(state >> 16).unwrap() % bound
        };
        let mut sound = 0;
        for _ in 0..if cfg!(miri) { 100 } else { 20_000 } {
            let text: String = (0..below(6)).map(|_| parts[below(parts.len())]).collect();
            let Ok(text) = MacroString::parse_term(text.as_bytes()) else {
                continue;
            };
            sound += 1;
            let letters = || {
                text.pieces().filter_map(|piece| match piece {
                    Piece::Expand(Expand { letter, .. }) => Some(letter),
                    _ => None,
                })
            };
            let needs = text.needs();
            assert_eq!(
                needs.sender,
                letters().any(Letter::depends_on_sender),
                "{text}"
            );
            assert_eq!(
                needs.local_part,
                letters().any(Letter::has_local_part),
                "{text}"
            );
            let is_name = |letter| letter == Letter::ValidatedName;
            assert_eq!(needs.validated_name, letters().any(is_name), "{text}");
        }
        assert!(sound > 50, "{sound}");
    }
}
