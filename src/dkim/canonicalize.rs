//! Canonicalization of header fields (§3.4.1, §3.4.2), and the naive one of bodies that tests hold
//! the fast one against.

use std::fmt;

use super::body::BodyCanonicalizer;
use crate::text;

/// How header or body are brought into the form that is hashed (§3.4).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "§3.4 has these two")]
pub enum Canonicalization {
    /// Almost no change is tolerated (§3.4.1, §3.4.3); what a signature without `c=` uses.
    #[default]
    Simple,
    /// White space may change (§3.4.2, §3.4.4).
    Relaxed,
}

impl Canonicalization {
    /// The word as it stands in `c=`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        }
    }

    pub(crate) fn parse(word: &[u8]) -> Option<Self> {
        match word {
            b"simple" => Some(Self::Simple),
            b"relaxed" => Some(Self::Relaxed),
            _ => None,
        }
    }

    /// Reads the value of `c=`: one word for the header, optionally one for the body, which is
    /// ‘simple’ otherwise (§3.5).
    pub(crate) fn parse_pair(value: &[u8]) -> Option<(Self, Self)> {
        match text::split_once(value, b'/') {
            Some((header, body)) => Some((Self::parse(header)?, Self::parse(body)?)),
            None => Some((Self::parse(value)?, Self::Simple)),
        }
    }

    /// One header field in canonical form, CRLF included: `name` as written, `value` everything
    /// between the colon and the final CRLF.
    ///
    /// ```
    /// use mailproof::dkim::Canonicalization;
    ///
    /// let field = Canonicalization::Relaxed.header_field(b"B ", b" Y\t\r\n\tZ  ");
    /// assert_eq!(field, b"b:Y Z\r\n");
    /// ```
    #[must_use]
    pub fn header_field(self, name: &[u8], value: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(name.len() + value.len() + 3);
        self.write_header_field(name, &[], value, &mut out);
        out.extend_from_slice(b"\r\n");
        out
    }

    /// A whole body in canonical form (§3.4.3, §3.4.4). What a hash is made of need not be kept: a
    /// [`BodyHasher`](super::BodyHasher) takes the body as it comes.
    ///
    /// ```
    /// use mailproof::dkim::Canonicalization;
    ///
    /// let body = Canonicalization::Relaxed.body(b" C \r\nD \t E\r\n\r\n");
    /// assert_eq!(body, b" C\r\nD E\r\n");
    /// ```
    #[must_use]
    pub fn body(self, octets: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(octets.len().saturating_add(2));
        let mut canonicalizer = BodyCanonicalizer::new(self);
        canonicalizer.update(octets, |piece| out.extend_from_slice(piece));
        canonicalizer.finish(|piece| out.extend_from_slice(piece));
        out
    }

    /// Writes a field without the CRLF that ends it. `gap` is the white space before the colon.
    pub(crate) fn write_header_field(
        self,
        name: &[u8],
        gap: &[u8],
        value: &[u8],
        out: &mut Vec<u8>,
    ) {
        self.begin_field(name, gap, out).push(value);
    }

    /// Writes a field up to the colon; the value is to follow.
    pub(super) fn begin_field<'o>(
        self,
        name: &[u8],
        gap: &[u8],
        out: &'o mut Vec<u8>,
    ) -> ValueWriter<'o> {
        match self {
            Self::Simple => {
                out.extend_from_slice(name);
                out.extend_from_slice(gap);
            }
            Self::Relaxed => {
                let begin = out.len();
                out.extend_from_slice(text::trim_fws(name));
                if let Some(name) = out.get_mut(begin..) {
                    name.make_ascii_lowercase();
                }
            }
        }
        out.push(b':');
        ValueWriter {
            relaxed: self == Self::Relaxed,
            space: false,
            begun: false,
            out,
        }
    }
}

/// Writes the value of a header field, whole or in pieces; no line end is cut in two.
pub(super) struct ValueWriter<'o> {
    relaxed: bool,
    /// White space was seen, but nothing behind it.
    space: bool,
    /// Something was written.
    begun: bool,
    out: &'o mut Vec<u8>,
}

impl ValueWriter<'_> {
    /// §3.4.2: unfold, ‘Convert all sequences of one or more WSP characters to a single SP
    /// character’, and delete it at both ends.
    pub(super) fn push(&mut self, piece: &[u8]) {
        if !self.relaxed {
            self.out.extend_from_slice(piece);
            return;
        }
        let mut rest = piece;
        while let Some((&octet, following)) = rest.split_first() {
            if text::is_wsp(octet) {
                self.space = true;
                rest = following;
            } else if let Some(following) = rest.strip_prefix(b"\r\n") {
                rest = following;
            } else {
                if self.space && self.begun {
                    self.out.push(b' ');
                }
                self.space = false;
                self.begun = true;
                let (run, following) = rest.split_at(unchanged_length(rest));
                self.out.extend_from_slice(run);
                rest = following;
            }
        }
    }
}

/// How many octets from the start on are their own relaxed form, whatever follows them. The first
/// octet is text.
fn unchanged_length(octets: &[u8]) -> usize {
    // A space before white space or a line end, a tab, and, as one comparison is faster than three,
    // any control character.
    let change = |first, second| (first < b' ') | ((first == b' ') & (second <= b' '));
    match first_pair(octets, change) {
        Some(at) => at.max(1),
        None => match octets.split_last() {
            Some((last, before)) if *last <= b' ' => before.len().max(1),
            _ => octets.len(),
        },
    }
}

/// Where the first two neighbours stand that are `wanted`, found by loops that the compiler
/// vectorizes.
fn first_pair(octets: &[u8], wanted: impl Fn(u8, u8) -> bool) -> Option<usize> {
    let (_, firsts) = octets.split_last()?;
    let (_, seconds) = octets.split_first()?;
    let has_none = |firsts: &[u8; BLOCK], seconds: &[u8; BLOCK]| {
        let pairs = firsts.iter().zip(seconds);
        pairs.fold(0, |any, (first, second)| {
            any | u8::from(wanted(*first, *second))
        }) == 0
    };
    let (first_blocks, _) = firsts.as_chunks();
    let (second_blocks, _) = seconds.as_chunks();
    let blocks = first_blocks.iter().zip(second_blocks);
    let blocks = blocks.take_while(|(firsts, seconds)| has_none(firsts, seconds));
    let begin = blocks.count() * BLOCK;
    // What is behind the last whole block is looked at together with the end of that.
    if begin == first_blocks.len() * BLOCK
        && let (Some(firsts), Some(seconds)) = (firsts.last_chunk(), seconds.last_chunk())
        && has_none(firsts, seconds)
    {
        return None;
    }
    let firsts = firsts.get(begin..).unwrap_or_default();
    let seconds = seconds.get(begin..).unwrap_or_default();
    let mut pairs = firsts.iter().zip(seconds);
    let offset = pairs.position(|(first, second)| wanted(*first, *second))?;
    Some(begin + offset)
}

/// Octets judged at once: a vector of the narrowest kind.
const BLOCK: usize = 16;

impl fmt::Display for Canonicalization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The canonical body, straight from §3.4.3 and §3.4.4.
#[cfg(test)]
pub(super) fn naive_body(canonicalization: Canonicalization, body: &[u8]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
    let mut rest = body;
    while let Some((octet, following)) = rest.split_first() {
        if let Some(following) = rest.strip_prefix(b"\r\n") {
            lines.push(Vec::new());
            rest = following;
            continue;
        }
        lines.last_mut().unwrap().push(*octet);
        rest = following;
    }
    if canonicalization == Canonicalization::Relaxed {
        for line in &mut lines {
            let mut relaxed: Vec<u8> = Vec::new();
            for octet in line.drain(..) {
                match octet {
                    b' ' | b'\t' if relaxed.last() == Some(&b' ') => {}
                    b' ' | b'\t' => relaxed.push(b' '),
                    octet => relaxed.push(octet),
                }
            }
            if relaxed.last() == Some(&b' ') {
                relaxed.pop();
            }
            *line = relaxed;
        }
    }
    while lines.last().is_some_and(Vec::is_empty) {
        lines.pop();
    }
    if lines.is_empty() && canonicalization == Canonicalization::Simple {
        lines.push(Vec::new());
    }
    lines
        .into_iter()
        .flat_map(|line| [line, b"\r\n".to_vec()].concat())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(canonicalization: Canonicalization, name: &str, value: &str) -> String {
        let field = canonicalization.header_field(name.as_bytes(), value.as_bytes());
        String::from_utf8(field).unwrap()
    }

    #[test]
    fn example_of_section_3_4_5() {
        use Canonicalization::{Relaxed, Simple};
        assert_eq!(header(Relaxed, "A", " X"), "a:X\r\n");
        assert_eq!(header(Relaxed, "B ", " Y\t\r\n\tZ  "), "b:Y Z\r\n");
        assert_eq!(header(Simple, "A", " X"), "A: X\r\n");
        assert_eq!(
            header(Simple, "B ", " Y\t\r\n\tZ  "),
            "B : Y\t\r\n\tZ  \r\n"
        );
        let body = b" C \r\nD \t E\r\n\r\n\r\n";
        assert_eq!(naive_body(Relaxed, body), b" C\r\nD E\r\n");
        assert_eq!(naive_body(Simple, body), b" C \r\nD \t E\r\n");
    }

    #[test]
    fn shapes_of_header_fields() {
        use Canonicalization::Relaxed;
        for (name, value, canonical) in [
            ("X-MS-Has-Attach", "", "x-ms-has-attach:\r\n"),
            ("X", " ", "x:\r\n"),
            ("X", "\r\n\tValue", "x:Value\r\n"),
            ("X", " a\r\n \r\n b", "x:a b\r\n"),
            ("X", " a\rb\nc", "x:a\rb\nc\r\n"),
            ("SubJect", " \u{c4}\u{d6} x", "subject:\u{c4}\u{d6} x\r\n"),
        ] {
            assert_eq!(header(Relaxed, name, value), canonical);
        }
    }

    #[test]
    fn words() {
        use Canonicalization::{Relaxed, Simple};
        let pair = Canonicalization::parse_pair;
        assert_eq!(pair(b"relaxed"), Some((Relaxed, Simple)));
        assert_eq!(pair(b"simple/relaxed"), Some((Simple, Relaxed)));
        for bad in [
            &b""[..],
            b"future",
            b"relaxed/",
            b"/simple",
            b"simple/simple/simple",
        ] {
            assert_eq!(pair(bad), None);
        }
    }
}
