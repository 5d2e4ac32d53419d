//! Canonicalization of bodies as they stream by (§3.4.3, §3.4.4).
//!
//! Almost all octets of almost all bodies are their own canonical form. So both algorithms look for
//! the longest piece that needs no change, in blocks that the compiler turns into vector
//! instructions, and pass it on as it lies. What remains (trailing white space, empty lines that may
//! or may not be the last) is kept as counts, never as octets, so memory does not depend on the body.

use super::Canonicalization;
use crate::text::is_wsp;

/// Brings a body into canonical form, in chunks of any size.
///
/// ```
/// use mailproof::dkim::{BodyCanonicalizer, Canonicalization};
///
/// let mut canonicalizer = BodyCanonicalizer::new(Canonicalization::Relaxed);
/// let mut out = Vec::new();
/// for chunk in [&b" C \r"[..], b"\nD \t E\r\n\r", b"\n"] {
///     canonicalizer.update(chunk, |piece| out.extend_from_slice(piece));
/// }
/// canonicalizer.finish(|piece| out.extend_from_slice(piece));
/// assert_eq!(out, b" C\r\nD E\r\n");
/// ```
#[derive(Clone, Debug)]
pub struct BodyCanonicalizer {
    relaxed: bool,
    /// Line ends seen but not passed on, since nothing but line ends may follow.
    line_ends: u64,
    /// White space seen on this line, but nothing after it yet.
    space: bool,
    /// A CR at the end of the last chunk, which a LF may follow.
    cr: bool,
    /// Whether something of this line has been passed on.
    mid_line: bool,
}

impl BodyCanonicalizer {
    /// Begins a body.
    #[must_use]
    pub fn new(canonicalization: Canonicalization) -> Self {
        Self {
            relaxed: canonicalization == Canonicalization::Relaxed,
            line_ends: 0,
            space: false,
            cr: false,
            mid_line: false,
        }
    }

    /// Takes a chunk of the body and passes canonical pieces to `out`, in order.
    pub fn update(&mut self, chunk: &[u8], mut out: impl FnMut(&[u8])) {
        if self.relaxed {
            self.update_relaxed(chunk, &mut out);
        } else {
            self.update_simple(chunk, &mut out);
        }
    }

    /// Ends the body and passes on what is still due.
    pub fn finish(mut self, mut out: impl FnMut(&[u8])) {
        if self.cr {
            self.release(&mut out);
            out(b"\r");
            self.mid_line = true;
        }
        // §3.4.3: ‘If there is no body or no trailing CRLF on the message body, a CRLF is added.’
        // §3.4.4: ‘If the body is non-empty but does not end with a CRLF, a CRLF is added.’
        if self.mid_line || !self.relaxed {
            out(b"\r\n");
        }
    }

    /// §3.4.3: ‘ignores all empty lines at the end of the message body’, changes nothing else.
    fn update_simple(&mut self, chunk: &[u8], out: &mut impl FnMut(&[u8])) {
        let mut rest = chunk;
        if self.cr {
            let Some(first) = rest.first() else { return };
            self.cr = false;
            if *first == b'\n' {
                self.line_ends += 1;
                rest = rest.get(1..).unwrap_or_default();
            } else {
                self.release(out);
                out(b"\r");
            }
        }
        let mut content = rest;
        if let Some(before) = content.strip_suffix(b"\r") {
            self.cr = true;
            content = before;
        }
        let mut line_ends = 0;
        while let Some(before) = content.strip_suffix(b"\r\n") {
            line_ends += 1;
            content = before;
        }
        if !content.is_empty() {
            self.release(out);
            out(content);
        }
        self.line_ends += line_ends;
    }

    /// §3.4.4: ‘Ignore all whitespace at the end of lines’, ‘Reduce all sequences of WSP within a
    /// line to a single SP’, then ‘Ignore all empty lines at the end of the message body’.
    fn update_relaxed(&mut self, chunk: &[u8], out: &mut impl FnMut(&[u8])) {
        let mut rest = chunk;
        while let Some((&first, following)) = rest.split_first() {
            if self.cr {
                self.cr = false;
                if first == b'\n' {
                    self.end_line(out);
                    rest = following;
                    continue;
                }
                // A CR on its own is text like any other.
                self.release(out);
                out(b"\r");
                self.mid_line = true;
            }
            match first {
                b' ' | b'\t' => {
                    self.space = true;
                    rest = following.get(wsp_length(following)..).unwrap_or_default();
                }
                b'\r' => {
                    if let Some(following) = following.strip_prefix(b"\n") {
                        self.end_line(out);
                        rest = following;
                    } else {
                        self.cr = true;
                        rest = following;
                    }
                }
                _ => {
                    self.release(out);
                    let (run, following) = rest.split_at(unchanged_length(rest));
                    out(run);
                    self.mid_line = !run.ends_with(b"\r\n");
                    rest = following;
                }
            }
        }
    }

    fn end_line(&mut self, out: &mut impl FnMut(&[u8])) {
        self.space = false;
        if self.mid_line {
            out(b"\r\n");
            self.mid_line = false;
        } else {
            self.line_ends += 1;
        }
    }

    /// Passes on what was held back, since text follows.
    fn release(&mut self, out: &mut impl FnMut(&[u8])) {
        while self.line_ends != 0 {
            let count = usize::try_from(self.line_ends).unwrap_or(usize::MAX);
            let count = count.min(LINE_ENDS.len() / 2);
            out(LINE_ENDS.get(..count * 2).unwrap_or_default());
            self.line_ends = self
                .line_ends
                .saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        }
        if self.space {
            out(b" ");
            self.space = false;
        }
    }
}

/// How many octets from the start on are their own relaxed form, whatever follows them. The first
/// octet must be text, so there is at least one.
fn unchanged_length(octets: &[u8]) -> usize {
    let stop = first_change(octets);
    let mut run = octets.get(..stop).unwrap_or(octets);
    if stop == octets.len() {
        run = run.strip_suffix(b"\r").unwrap_or(run);
    }
    // One line end belongs to the text before it; further ones may be the end of the body.
    while let [before @ .., b'\r', b'\n'] = run
        && before.ends_with(b"\r\n")
    {
        run = before;
    }
    run.len().max(1)
}

/// Where the first white space stands that may not be canonical: a tab, a space before white space
/// or a line end, or either at the very end.
fn first_change(octets: &[u8]) -> usize {
    let Some((last, _)) = octets.split_last() else {
        return 0;
    };
    let seconds = octets.get(1..).unwrap_or_default();
    // Where changes are dense, the first is near.
    let (near, far) = octets.split_at_checked(BLOCK).unwrap_or((octets, &[]));
    if let Some(offset) = position_of_change(near, seconds) {
        return offset;
    }
    let mut begin = near.len();
    let far_seconds = seconds.get(begin..).unwrap_or_default();
    for (firsts, seconds) in far.chunks_exact(BLOCK).zip(far_seconds.chunks_exact(BLOCK)) {
        if may_change(firsts, seconds)
            && let Some(offset) = position_of_change(firsts, seconds)
        {
            return begin + offset;
        }
        begin += BLOCK;
    }
    let firsts = octets.get(begin..).unwrap_or_default();
    let seconds = octets.get(begin + 1..).unwrap_or_default();
    match position_of_change(firsts, seconds) {
        Some(offset) => begin + offset,
        None => octets.len() - usize::from(matches!(last, b' ' | b'\t')),
    }
}

/// The same within a block, in words of eight octets.
fn position_of_change(firsts: &[u8], seconds: &[u8]) -> Option<usize> {
    let (first_words, _) = firsts.as_chunks();
    let (second_words, _) = seconds.as_chunks();
    let mut begin = 0;
    for (first, second) in first_words.iter().zip(second_words) {
        let change = changes(u64::from_le_bytes(*first), u64::from_le_bytes(*second));
        if change != 0 {
            let offset = usize::try_from(change.trailing_zeros() / 8).unwrap_or_default();
            return Some(begin + offset);
        }
        begin += 8;
    }
    let mut rest = firsts.iter().zip(seconds).skip(begin);
    let found =
        rest.position(|(first, second)| *first == b'\t' || (*first == b' ' && *second <= b' '))?;
    Some(begin + found)
}

/// How much white space there is at the start.
fn wsp_length(octets: &[u8]) -> usize {
    let (words, _) = octets.as_chunks();
    let mut length = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let text = HIGH_BITS & !(octets_that_are(b' ', word) | octets_that_are(b'\t', word));
        if text != 0 {
            return length + usize::try_from(text.trailing_zeros() / 8).unwrap_or_default();
        }
        length += 8;
    }
    let rest = octets.iter().skip(length);
    length + rest.take_while(|octet| is_wsp(**octet)).count()
}

/// The high bit of each octet that is a tab, or a space with white space or a control character in the
/// same place of the other word.
fn changes(first: u64, second: u64) -> u64 {
    let spaces = octets_that_are(b' ', first) & octets_up_to(b' ', second);
    octets_that_are(b'\t', first) | spaces
}

fn octets_that_are(octet: u8, word: u64) -> u64 {
    octets_up_to(0, word ^ (EACH * u64::from(octet)))
}

/// The high bit of each octet of the word that is at most this, which is below 128. No sum reaches
/// into the next octet.
fn octets_up_to(most: u8, word: u64) -> u64 {
    let sum = (word & !HIGH_BITS) + EACH * u64::from(0x7f - most);
    !(sum | word) & HIGH_BITS
}

const EACH: u64 = 0x0101_0101_0101_0101;

const HIGH_BITS: u64 = EACH << 7;

/// Whether a block has a tab, or a space beside a space or a control character: a little more than
/// what must change (a space at the start of a line needs no change), since a maximum and one
/// comparison are less work than looking at each side.
fn may_change(firsts: &[u8], seconds: &[u8]) -> bool {
    let pairs = firsts.iter().zip(seconds);
    let any = pairs.fold(0, |any, (first, second)| {
        any | u8::from(*first == b'\t') | u8::from(*first.max(second) == b' ')
    });
    any != 0
}

/// Octets judged at once: four vectors of the narrowest kind.
const BLOCK: usize = 64;

/// Line ends that were held back go out in pieces of this.
const LINE_ENDS: &[u8] = b"\
    \r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\
    \r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\
    \r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\
    \r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\
    \r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\
    \r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\
    \r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\
    \r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\
";

#[cfg(test)]
mod tests {
    use super::super::canonicalize::naive_body;
    use super::*;

    fn streamed(canonicalization: Canonicalization, chunks: &[&[u8]]) -> Vec<u8> {
        let mut canonicalizer = BodyCanonicalizer::new(canonicalization);
        let mut out = Vec::new();
        for chunk in chunks {
            canonicalizer.update(chunk, |piece| out.extend_from_slice(piece));
        }
        canonicalizer.finish(|piece| out.extend_from_slice(piece));
        out
    }

    fn check(body: &[u8]) {
        for canonicalization in [Canonicalization::Simple, Canonicalization::Relaxed] {
            let expected = naive_body(canonicalization, body);
            let octets: Vec<&[u8]> = body.chunks(1).collect();
            assert_eq!(streamed(canonicalization, &octets), expected, "{body:?}");
            for at in 0..=body.len() {
                let (first, second) = body.split_at(at);
                assert_eq!(
                    streamed(canonicalization, &[first, second]),
                    expected,
                    "{canonicalization} {:?} at {at}",
                    body.escape_ascii().to_string()
                );
            }
        }
    }

    #[test]
    fn relaxed_vectors() {
        for (body, expected) in [
            ("", ""),
            ("\r\n", ""),
            ("\r\n\r\n", ""),
            (" \t\r\n\t\r\n", ""),
            ("hey        \r\n", "hey\r\n"),
            (" C \r\nD \t E\r\n\r\n\r\n", " C\r\nD E\r\n"),
            ("\r\nhey \t\r\n \t\r\n", "\r\nhey\r\n"),
            ("hey\r\n \t\r\nthere", "hey\r\n\r\nthere\r\n"),
            (" \r ", " \r\r\n"),
            ("a \n b", "a \n b\r\n"),
        ] {
            let got = streamed(Canonicalization::Relaxed, &[body.as_bytes()]);
            assert_eq!(String::from_utf8(got).unwrap(), expected, "{body:?}");
        }
        for (body, expected) in [("", "\r\n"), ("a", "a\r\n"), ("\r\n \r\n\r\n", "\r\n \r\n")] {
            let got = streamed(Canonicalization::Simple, &[body.as_bytes()]);
            assert_eq!(String::from_utf8(got).unwrap(), expected, "{body:?}");
        }
    }

    #[test]
    fn equals_the_naive_one_on_all_small_bodies() {
        let atoms = [&b"a"[..], b" ", b"\t", b"\r\n", b"\r", b"\n"];
        for length in 0..=5_u32 {
            for mut number in 0..atoms.len().pow(length) {
                let mut body = Vec::new();
                for _ in 0..length {
                    body.extend_from_slice(atoms[number % atoms.len()]);
                    number /= atoms.len();
                }
                check(&body);
            }
        }
    }

    #[test]
    fn equals_the_naive_one_across_blocks() {
        // A linear congruential generator: the same bodies on every run.
        let mut state = 1_u32;
        let mut next = move |bound: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            usize::try_from(state >> 8).unwrap() % bound
        };
        for _ in 0..60 {
            let mut body = Vec::new();
            while body.len() < 400 {
                match next(8) {
                    0 => body.extend_from_slice(b"\r\n"),
                    1 => body.extend(std::iter::repeat_n(b' ', next(4))),
                    2 => body.push(b"\t\r\n \0"[next(5)]),
                    3 => body.extend_from_slice(&b"\r\n".repeat(next(40))),
                    _ => body.extend(std::iter::repeat_n(b'x', next(90))),
                }
            }
            check(&body);
        }
    }
}
