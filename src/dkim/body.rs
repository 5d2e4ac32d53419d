//! Canonicalization of bodies as they stream by (§3.4.3, §3.4.4).
//!
//! Almost all octets of almost all bodies are their own canonical form, and are passed on as they
//! lie. What may or may not follow (white space, empty lines at the end) is kept as counts, never as
//! octets, so memory does not depend on the body.

use super::Canonicalization;
use super::white_space::WhiteSpace;

/// Brings a body into canonical form, in chunks of any size.
#[derive(Clone, Debug)]
pub(super) struct BodyCanonicalizer {
    /// What relaxed does before both do the same.
    white_space: Option<WhiteSpace>,
    lines: Lines,
}

impl BodyCanonicalizer {
    /// Begins a body.
    pub(super) fn new(canonicalization: Canonicalization) -> Self {
        let relaxed = canonicalization == Canonicalization::Relaxed;
        Self {
            white_space: relaxed.then(WhiteSpace::new),
            lines: Lines::default(),
        }
    }

    /// Takes a chunk of the body and passes canonical pieces to `out`, in order.
    pub(super) fn update(&mut self, chunk: &[u8], mut out: impl FnMut(&[u8])) {
        let lines = &mut self.lines;
        match &mut self.white_space {
            Some(white_space) => white_space.update(chunk, |piece| lines.update(piece, &mut out)),
            None => lines.update(chunk, &mut out),
        }
    }

    /// Ends the body and passes on what is still due.
    pub(super) fn finish(mut self, mut out: impl FnMut(&[u8])) {
        let relaxed = self.white_space.is_some();
        if let Some(white_space) = self.white_space {
            white_space.finish(|piece| self.lines.update(piece, &mut out));
        }
        let has_text = self.lines.finish(&mut out);
        // §3.4.3: ‘If there is no body or no trailing CRLF on the message body, a CRLF is added.’
        // §3.4.4: ‘If the body is non-empty but does not end with a CRLF, a CRLF is added.’
        if has_text || !relaxed {
            out(b"\r\n");
        }
    }
}

/// §3.4.3: ‘Ignore all empty lines at the end of the message body’, which §3.4.4 has as well. The end
/// of the last line goes with them.
#[derive(Clone, Debug, Default)]
struct Lines {
    /// Line ends seen but not passed on, since nothing but line ends may follow.
    line_ends: u64,
    /// A CR at the end of the last piece, which a LF may follow.
    cr: bool,
    /// Whether anything has been passed on.
    has_text: bool,
}

impl Lines {
    fn update(&mut self, piece: &[u8], out: &mut impl FnMut(&[u8])) {
        let mut rest = piece;
        if self.cr {
            let Some(first) = rest.first() else { return };
            self.cr = false;
            if *first == b'\n' {
                self.line_ends += 1;
                rest = rest.get(1..).unwrap_or_default();
            } else {
                self.pass(b"\r", out);
            }
        }
        let mut text = rest;
        if let Some(before) = text.strip_suffix(b"\r") {
            self.cr = true;
            text = before;
        }
        let mut line_ends = 0;
        while let Some(before) = text.strip_suffix(b"\r\n") {
            line_ends += 1;
            text = before;
        }
        if !text.is_empty() {
            self.pass(text, out);
        }
        self.line_ends += line_ends;
    }

    /// Whether there is any text.
    fn finish(mut self, out: &mut impl FnMut(&[u8])) -> bool {
        if self.cr {
            self.pass(b"\r", out);
        }
        self.has_text
    }

    /// Passes text on, and before it the line ends that were held back.
    fn pass(&mut self, text: &[u8], out: &mut impl FnMut(&[u8])) {
        while self.line_ends != 0 {
            let count = usize::try_from(self.line_ends).unwrap_or(usize::MAX);
            let count = count.min(LINE_ENDS.len() / 2);
            out(LINE_ENDS.get(..count * 2).unwrap_or_default());
            self.line_ends = self
                .line_ends
                .saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        }
        self.has_text = true;
        out(text);
    }
}

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
        for number in 0..60 {
            let mut body = Vec::new();
            while body.len() < 200 + 20 * number {
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

    #[test]
    fn equals_the_naive_one_at_borders() {
        let atoms = [" ", "\t", "  \t", " \r\n", "\t \r\n", " \r", "\r\n\r\n"];
        for atom in atoms {
            for at in [62, 63, 64, 127, 510, 511, 512, 574, 1_022, 1_023, 1_024] {
                let body = format!("{}{atom}{}", "x".repeat(at), "y z\r\n".repeat(130));
                let expected = naive_body(Canonicalization::Relaxed, body.as_bytes());
                for cut in [0, 1, 64, 512, at, at + 1, at + 2, at + 3] {
                    let (first, second) = body.as_bytes().split_at(cut);
                    let got = streamed(Canonicalization::Relaxed, &[first, second]);
                    assert_eq!(got, expected, "{atom:?} at {at}, cut at {cut}");
                }
            }
        }
    }
}
