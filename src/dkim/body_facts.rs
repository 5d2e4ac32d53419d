//! What is unusual about a body, noticed on the way.

use crate::text;

/// What is unusual about a body, as far as it was fed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct BodyFacts {
    /// CR without LF behind it.
    pub(super) bare_cr: u64,
    /// LF without CR before it.
    pub(super) bare_lf: u64,
    /// Octets above 127.
    pub(super) eight_bit: bool,
    /// Stretches of more than 998 octets without a LF (RFC 5322 2.1.1).
    pub(super) long_lines: u64,
    /// NUL octets.
    pub(super) nul: u64,
}

/// Counts the facts. Ordinary blocks are judged by a vectorized loop and counted no further.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    facts: BodyFacts,
    previous: u8,
    /// Octets since the last LF, up to [`TOO_LONG`].
    line: usize,
}

impl Facts {
    pub(super) fn update(&mut self, block: &[u8]) {
        let (Some(first), Some(last)) = (block.first(), block.last()) else {
            return;
        };
        self.count_pair(self.previous, *first);
        let seconds = block.get(1..).unwrap_or_default();
        let (mut split, mut union, mut least) = (0, *last, *last);
        for (first, second) in block.iter().zip(seconds) {
            split |= u8::from((*first == b'\r') != (*second == b'\n'));
            union |= *first;
            least = least.min(*first);
        }
        if split != 0 || least == 0 {
            for (first, second) in block.iter().zip(seconds) {
                self.count_pair(*first, *second);
            }
        }
        self.facts.eight_bit |= union >= 0x80;
        self.measure_lines(block);
        self.previous = *last;
    }

    fn count_pair(&mut self, first: u8, second: u8) {
        self.facts.bare_cr += u64::from(first == b'\r' && second != b'\n');
        self.facts.bare_lf += u64::from(first != b'\r' && second == b'\n');
        self.facts.nul += u64::from(second == 0);
    }

    /// Leaps to the last LF of as many octets as a line may have; only where there is none is the
    /// line too long.
    fn measure_lines(&mut self, block: &[u8]) {
        let mut rest = block;
        while !rest.is_empty() {
            let room = TOO_LONG.saturating_sub(self.line);
            let window = rest.get(..room).unwrap_or(rest);
            let found = if room == 0 {
                text::find(rest, b'\n')
            } else {
                text::rfind(window, b'\n')
            };
            let taken = match found {
                Some(found) => {
                    self.line = 0;
                    found + 1
                }
                None if room == 0 => return,
                None => {
                    self.line += window.len();
                    self.facts.long_lines += u64::from(self.line == TOO_LONG);
                    window.len()
                }
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
    }

    pub(super) fn finish(mut self) -> BodyFacts {
        let ends_with_cr = self.previous == b'\r';
        self.facts.bare_cr += u64::from(ends_with_cr);
        // The last line, if nothing ends it.
        self.facts.long_lines += u64::from(self.line + 1 == TOO_LONG && !ends_with_cr);
        self.facts
    }
}

/// RFC 5322 2.1.1: a line may have 998 octets and its CR; with one more it is too long.
const TOO_LONG: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_do_not_depend_on_the_cuts() {
        let mut body = b"a\rb\nc\0\xff\r\n".to_vec();
        body.extend_from_slice(&[b'x'; 998]);
        body.extend_from_slice(b"\r\n");
        body.extend_from_slice(&[b'y'; 999]);
        body.extend_from_slice(b"\r\n");
        body.extend_from_slice(&[b'z'; 3_000]);
        body.push(b'\r');
        let expected = BodyFacts {
            bare_cr: 2,
            bare_lf: 1,
            eight_bit: true,
            long_lines: 2,
            nul: 1,
        };
        for size in [1, 2, 3, 7, 64, 999, 1_000, 1_001, body.len()] {
            let mut facts = Facts::default();
            body.chunks(size).for_each(|chunk| facts.update(chunk));
            assert_eq!(facts.finish(), expected, "{size}");
        }
    }
}
