//! Octet text: white space as the mail RFCs define it, base64 with white space in it, quoting, and
//! the writer that folds header fields.
//!
//! The only room that names `base64` and `memchr`.

use std::borrow::Cow;

use base64::Engine as _;

/// WSP: space or tab (RFC 5234 B.1).
#[must_use]
pub(crate) fn is_wsp(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t')
}

/// WSP and the line breaks that folding adds. A bare CR or LF counts as well: the places that use
/// this only skip, they never give such octets a meaning.
#[must_use]
pub(crate) fn is_fws(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r' | b'\n')
}

/// The octets without [`is_fws`] octets at either end.
#[must_use]
pub(crate) fn trim_fws(mut octets: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = octets
        && is_fws(*first)
    {
        octets = rest;
    }
    while let [rest @ .., last] = octets
        && is_fws(*last)
    {
        octets = rest;
    }
    octets
}

/// Finds the first occurrence of `octet`.
#[must_use]
pub(crate) fn find(octets: &[u8], octet: u8) -> Option<usize> {
    memchr::memchr(octet, octets)
}

/// Finds the last occurrence of `octet`.
#[must_use]
pub(crate) fn rfind(octets: &[u8], octet: u8) -> Option<usize> {
    memchr::memrchr(octet, octets)
}

/// Finds the first occurrence of either octet.
#[must_use]
pub(crate) fn find_either(octets: &[u8], one: u8, other: u8) -> Option<usize> {
    memchr::memchr2(one, other, octets)
}

/// How often `octet` occurs.
#[must_use]
pub(crate) fn count(octets: &[u8], octet: u8) -> usize {
    memchr::memchr_iter(octet, octets).count()
}

/// Whether there is neither NUL nor a CR or LF without the other; judged by a loop that the
/// compiler vectorizes.
#[must_use]
pub(crate) fn is_orderly(octets: &[u8]) -> bool {
    let Some(last) = octets.last() else {
        return true;
    };
    let seconds = octets.get(1..).unwrap_or_default();
    let mut odd = 0;
    for (first, second) in octets.iter().zip(seconds) {
        odd |= u8::from(((*first == b'\r') != (*second == b'\n')) | (*first == 0));
    }
    odd == 0 && !octets.starts_with(b"\n") && !matches!(last, b'\r' | 0)
}

/// Splits at the first `octet`, which belongs to neither side.
#[must_use]
pub(crate) fn split_once(octets: &[u8], octet: u8) -> Option<(&[u8], &[u8])> {
    let (head, tail) = octets.split_at_checked(find(octets, octet)?)?;
    Some((head, tail.get(1..)?))
}

/// Reads a decimal number of at most `digits` digits; nothing else, no sign, no white space.
#[must_use]
pub(crate) fn decimal(octets: &[u8], digits: usize) -> Option<u64> {
    if octets.is_empty() || octets.len() > digits {
        return None;
    }
    octets.iter().try_fold(0_u64, |value, octet| {
        let digit = octet.checked_sub(b'0').filter(|digit| *digit <= 9)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}

/// Network octets as text for people: UTF-8 where it is, U+FFFD where it is not.
#[must_use]
pub(crate) fn lossy(octets: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(octets)
}

/// Decodes base64 that may have folding white space anywhere (RFC 6376 3.5, the b= tag).
///
/// Padding may be missing, because key records in the wild lack it; anything else outside the
/// alphabet is refused, and so are bits behind the last octet.
///
/// # Errors
///
/// [`Base64Error`], when the octets without white space are not base64.
pub(crate) fn base64_decode(octets: &[u8]) -> Result<Vec<u8>, Base64Error> {
    let mut out = Vec::new();
    base64_decode_onto(octets, &mut out)?;
    Ok(out)
}

/// The same, behind what `out` has.
///
/// With the library, which needs a copy without the white space, this takes 1.4 times as many
/// instructions, and reading the record of an RSA key 1.18 times as many.
pub(crate) fn base64_decode_onto(octets: &[u8], out: &mut Vec<u8>) -> Result<(), Base64Error> {
    let (mut rest, mut length) = (octets, out.len());
    out.resize(length + octets.len().div_ceil(4) * 3, 0);
    loop {
        let (quads, _) = rest.as_chunks();
        let (triples, _) = out.get_mut(length..).unwrap_or_default().as_chunks_mut();
        let mut whole = 0;
        for (quad, triple) in quads.iter().zip(triples) {
            let [0, decoded @ ..] = digits(quad).to_be_bytes() else {
                break;
            };
            *triple = decoded;
            whole += 1;
        }
        length += whole * 3;
        rest = rest.get(whole * 4..).unwrap_or_default();
        // White space or the end is near.
        let mut symbols = rest
            .iter()
            .enumerate()
            .filter(|(_, octet)| !is_fws(**octet));
        let mut quad = [b'='; 4];
        let mut last = None;
        for (symbol, (at, octet)) in quad.iter_mut().zip(&mut symbols) {
            (*symbol, last) = (*octet, Some(at));
        }
        let Some(last) = last else {
            out.truncate(length);
            return Ok(());
        };
        rest = rest.get(last + 1..).unwrap_or_default();
        let decoded = match digits(&quad).to_be_bytes() {
            [0, decoded @ ..] => (decoded, 3),
            _ if rest.iter().all(|octet| is_fws(*octet)) => last_octets(&quad)?,
            _ => return Err(Base64Error),
        };
        let (decoded, count) = decoded;
        if let Some(triple) = out.get_mut(length..).and_then(<[u8]>::first_chunk_mut) {
            *triple = decoded;
        }
        length += count;
    }
}

/// The octets that the last symbols stand for, of which some are padding, and how many they are.
fn last_octets(quad: &[u8; 4]) -> Result<([u8; 3], usize), Base64Error> {
    let (symbols, count) = match *quad {
        [one, two, b'=', b'='] => ([one, two, b'A', b'A'], 1),
        [one, two, three, b'='] => ([one, two, three, b'A'], 2),
        _ => return Err(Base64Error),
    };
    match digits(&symbols).to_be_bytes() {
        [0, one, 0, 0] if count == 1 => Ok(([one, 0, 0], 1)),
        [0, one, two, 0] if count == 2 => Ok(([one, two, 0], 2)),
        _ => Err(Base64Error),
    }
}

/// The 24 bits that four symbols stand for; more where one is none.
fn digits(quad: &[u8; 4]) -> u32 {
    let [one, two, three, four] = quad.map(usize::from);
    let digit = |place: &[u32; 256], symbol| place.get(symbol).copied().unwrap_or(u32::MAX);
    let [first, second, third, fourth] = &DIGITS;
    digit(first, one) | digit(second, two) | digit(third, three) | digit(fourth, four)
}

/// The bits that each symbol stands for at each of the four places.
static DIGITS: [[u32; 256]; 4] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [[u32::MAX; 256]; 4];
    let mut digit = 0;
    while digit < 64 {
        #[expect(
            clippy::as_conversions,
            clippy::cast_possible_truncation,
            clippy::indexing_slicing,
            reason = "at compile time"
        )]
        {
            let symbol = alphabet[digit] as usize;
            table[0][symbol] = (digit as u32) << 18;
            table[1][symbol] = (digit as u32) << 12;
            table[2][symbol] = (digit as u32) << 6;
            table[3][symbol] = digit as u32;
        }
        digit += 1;
    }
    table
};

/// Encodes in the standard alphabet with padding.
#[must_use]
pub(crate) fn base64_encode(octets: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(octets)
}

/// Not base64.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not base64")]
pub(crate) struct Base64Error;

/// Whether the octet may stand in a MIME token (RFC 2045 5.1), which is what RFC 8601 2.2 asks of an
/// unquoted value.
#[must_use]
pub(crate) fn is_token(octet: u8) -> bool {
    octet.is_ascii_graphic()
        && !matches!(
            octet,
            b'(' | b')'
                | b'<'
                | b'>'
                | b'@'
                | b','
                | b';'
                | b':'
                | b'\\'
                | b'"'
                | b'/'
                | b'['
                | b']'
                | b'?'
                | b'='
        )
}

/// `atext` of RFC 5322 3.2.3, with the UTF-8 extension of RFC 6532 3.2.
#[must_use]
pub(crate) fn is_atext(octet: u8) -> bool {
    matches!(
        octet,
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'/'
            | b'=' | b'?' | b'^'..=b'`' | b'{'..=b'~' | 0x80..
    )
}

/// Whether the text is a dot-atom (RFC 5322 3.2.3).
#[must_use]
pub(crate) fn is_dot_atom(text: &[u8]) -> bool {
    text.split(|octet| *octet == b'.')
        .all(|atom| !atom.is_empty() && atom.iter().all(|o| is_atext(*o)))
}

/// The text as a quoted-string (RFC 5322 3.2.4). Control characters, line breaks among them, are
/// dropped: they have no place in a header field, and a line break would end it.
#[must_use]
pub(crate) fn quoted_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars().filter(|character| !character.is_control()) {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    out
}

/// The text as a comment (RFC 5322 3.2.2), parentheses and backslashes escaped, control characters
/// dropped.
#[must_use]
pub(crate) fn comment(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('(');
    for character in text.chars().filter(|character| !character.is_control()) {
        if matches!(character, '(' | ')' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push(')');
    out
}

/// Network text for one line of an explanation or reply: control characters become spaces, and no
/// more than `limit` characters are kept.
#[must_use]
pub(crate) fn one_line(text: &str, limit: usize) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(limit)
        .collect()
}

/// Writes one header field, folding between words so that lines stay within 78 columns (RFC 5322
/// 2.1.1) where the words allow it.
#[derive(Debug)]
pub(crate) struct FoldingWriter {
    out: String,
    column: usize,
    glue: bool,
}

impl FoldingWriter {
    /// Begins the field `name:`.
    pub(crate) fn new(name: &str) -> Self {
        let out = format!("{name}:");
        Self {
            column: out.len(),
            out,
            glue: false,
        }
    }

    /// Adds a word: a space before it, or a fold where the line would become too long.
    pub(crate) fn word(&mut self, word: &str) {
        let width = word.chars().count();
        if self.glue {
            self.column += width;
        } else if self.column + 1 + width > LINE_WIDTH {
            self.out.push_str("\r\n\t");
            // A tab is shown as up to eight columns.
            self.column = 8 + width;
        } else {
            self.out.push(' ');
            self.column += 1 + width;
        }
        self.glue = false;
        self.out.push_str(word);
    }

    /// Lets the next word follow without white space.
    pub(crate) fn glue(&mut self) {
        self.glue = true;
    }

    /// The field, without the CRLF that ends it.
    pub(crate) fn finish(self) -> String {
        self.out
    }
}

/// RFC 5322 2.1.1: lines SHOULD be no more than 78 characters.
const LINE_WIDTH: usize = 78;

#[cfg(test)]
mod tests {
    use super::*;
    use base64::alphabet;
    use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

    #[test]
    fn numbers() {
        assert_eq!(decimal(b"0", 3), Some(0));
        assert_eq!(decimal(b"999", 3), Some(999));
        for bad in [&b""[..], b"1000", b"-1", b"+1", b" 1", b"1a", b"\xd9\xa1"] {
            assert_eq!(decimal(bad, 3), None, "{bad:?}");
        }
        assert_eq!(decimal(b"18446744073709551615", 76), Some(u64::MAX));
        assert_eq!(decimal(b"18446744073709551616", 76), None);
        assert_eq!(decimal(b"00000000000000000000007", 76), Some(7));
    }

    #[test]
    fn base64_with_white_space() {
        assert_eq!(base64_decode(b" aGV\r\n sbG8 = "), Ok(b"hello".to_vec()));
        assert_eq!(base64_decode(b"aGVsbG8"), Ok(b"hello".to_vec()));
        assert_eq!(base64_decode(b""), Ok(vec![]));
        for bad in [
            &b"aGVsbG8=="[..],
            b"a",
            b"aGVs*G8=",
            b"aGVs=G8=",
            b"=",
            b"aGVsbG8=\0",
        ] {
            assert_eq!(base64_decode(bad), Err(Base64Error), "{bad:?}");
        }
    }

    /// Octets chosen at random: what the library makes of them without their white space.
    #[test]
    fn base64_as_the_library_reads_it() {
        const OCTETS: &[u8] = b"AAAAQgw+/z90ABCD= \t\r\n*";
        let config = GeneralPurposeConfig::new();
        let config = config.with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let library = GeneralPurpose::new(&alphabet::STANDARD, config);
        let mut state = 1_u32;
        let mut below = |bound: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            usize::try_from(state >> 12).unwrap() % bound
        };
        let rounds = if cfg!(miri) { 500 } else { 20_000 };
        let mut sound = 0;
        for _ in 0..rounds {
            // Seldom anything but symbols, or nothing would be read.
            let kinds = [16, 16, 22, OCTETS.len()][below(4)];
            let octets: Vec<u8> = (0..below(20)).map(|_| OCTETS[below(kinds)]).collect();
            let mut octets = octets;
            octets.extend_from_slice([&b""[..], b"=", b"==", b" = =\r\n"][below(4)]);
            let compact: Vec<u8> = octets.iter().copied().filter(|o| !is_fws(*o)).collect();
            let expected = library.decode(compact).map_err(|_| Base64Error);
            sound += usize::from(expected.is_ok());
            assert_eq!(
                base64_decode(&octets),
                expected,
                "{}",
                octets.escape_ascii()
            );
        }
        assert!(sound > rounds / 10, "{sound} of {rounds}");
    }

    #[test]
    fn quoting_keeps_one_line() {
        assert_eq!(
            quoted_string("a\"b\\c\r\nX: y\0\u{85}"),
            "\"a\\\"b\\\\cX: y\""
        );
        assert_eq!(comment("a(b)\r\n"), "(a\\(b\\))");
        assert_eq!(one_line("a\r\nb\tc", 4), "a  b");
    }

    #[test]
    fn folds_between_words() {
        let mut writer = FoldingWriter::new("X");
        writer.word(&"a".repeat(40));
        writer.word(&"b".repeat(40));
        writer.glue();
        writer.word(";");
        let field = writer.finish();
        assert_eq!(
            field,
            format!("X: {}\r\n\t{};", "a".repeat(40), "b".repeat(40))
        );
    }

    #[test]
    fn trims() {
        assert_eq!(trim_fws(b"\r\n a b\t "), b"a b");
        assert_eq!(trim_fws(b" \t"), b"");
        assert_eq!(split_once(b"a=b=c", b'='), Some((&b"a"[..], &b"b=c"[..])));
        assert_eq!(split_once(b"abc", b'='), None);
    }
}
