//! Reduction of the white space in bodies as they stream by (§3.4.4).
//!
//! Two octets ahead decide whether an octet of white space stays: it goes before further white space
//! and before a line end. So nothing depends on what came before, and the octets of a chunk are
//! judged side by side, by loops that the compiler turns into vector instructions.

use crate::text::is_wsp;

/// ‘Ignore all whitespace at the end of lines’, ‘Reduce all sequences of WSP within a line to a
/// single SP’.
#[derive(Clone, Debug)]
pub(super) struct WhiteSpace {
    /// White space that ended the last chunk, of which one space is due if text follows.
    space: bool,
    /// A CR behind it, which a LF may follow.
    cr: bool,
    /// Where blocks that change are put together, if there are any.
    buffer: Vec<u8>,
}

impl WhiteSpace {
    pub(super) fn new() -> Self {
        Self {
            space: false,
            cr: false,
            buffer: Vec::new(),
        }
    }

    /// Takes a chunk of the body and passes on what is left of it, in order.
    pub(super) fn update(&mut self, chunk: &[u8], mut out: impl FnMut(&[u8])) {
        let settled = self.settle(chunk, &mut out);
        let mut rest = self.hold(settled);
        while let Some(block) = rest.get(..BLOCK + LOOKAHEAD) {
            let (taken, following) = rest.split_at(BLOCK);
            if may_change(block) {
                self.make_room();
                let length = reduce(block, &mut self.buffer);
                out(self.buffer.get(..length).unwrap_or_default());
            } else {
                out(taken);
            }
            rest = following;
        }
        self.reduce_end(rest, &mut out);
    }

    fn make_room(&mut self) {
        self.buffer.resize(BLOCK + 3 * CHUNK, 0);
    }

    /// Ends the body: white space that was held back ends a line, unless a CR of its own follows.
    pub(super) fn finish(self, mut out: impl FnMut(&[u8])) {
        if self.cr {
            out(b" \r");
        }
    }

    /// Decides about what was held back, as far as the next chunk tells; what of that is left.
    fn settle<'c>(&mut self, chunk: &'c [u8], out: &mut impl FnMut(&[u8])) -> &'c [u8] {
        if !self.space || chunk.is_empty() {
            return chunk;
        }
        if self.cr {
            if !chunk.starts_with(b"\n") {
                out(b" ");
            }
            out(b"\r");
            (self.space, self.cr) = (false, false);
            return chunk;
        }
        let spaces = chunk.iter().take_while(|octet| is_wsp(**octet)).count();
        let rest = chunk.get(spaces..).unwrap_or_default();
        match rest {
            [] => {}
            [b'\r'] => self.cr = true,
            [b'\r', b'\n', ..] => self.space = false,
            _ => {
                out(b" ");
                self.space = false;
            }
        }
        if self.space { &[] } else { rest }
    }

    /// Holds back white space at the end of the chunk, and a CR behind it; what stands before.
    fn hold<'c>(&mut self, chunk: &'c [u8]) -> &'c [u8] {
        let before_cr = chunk.strip_suffix(b"\r").unwrap_or(chunk);
        let mut text = before_cr;
        while let [before @ .., last] = text
            && is_wsp(*last)
        {
            text = before;
        }
        if text.len() == before_cr.len() {
            return chunk;
        }
        self.space = true;
        self.cr = before_cr.len() != chunk.len();
        text
    }

    /// Reduces what is less than a block, filled up with octets that mean nothing.
    fn reduce_end(&mut self, rest: &[u8], out: &mut impl FnMut(&[u8])) {
        if !any_may_change(rest, rest.get(1..).unwrap_or_default()) {
            return out(rest);
        }
        self.make_room();
        let whole = rest.len().saturating_sub(LOOKAHEAD) / CHUNK * CHUNK;
        let mut length = reduce(rest, &mut self.buffer);
        let end = rest.get(whole..).unwrap_or_default();
        let mut filled = [0; 2 * CHUNK + LOOKAHEAD];
        for (place, octet) in filled.iter_mut().zip(end) {
            *place = *octet;
        }
        let room = self.buffer.get_mut(length..).unwrap_or_default();
        length += reduce(&filled, room) - (2 * CHUNK - end.len());
        out(self.buffer.get(..length).unwrap_or_default());
    }
}

/// Whether a block has a tab, or a space beside a space or a control character: a little more than
/// what must change (a space at the start of a line needs no change), since a maximum and one
/// comparison are less work than looking at each side.
fn may_change(block: &[u8]) -> bool {
    let (firsts, _) = block.as_chunks();
    let (seconds, _) = block.get(1..).unwrap_or_default().as_chunks();
    firsts
        .iter()
        .zip(seconds)
        .any(|(first, second): (&[u8; CHUNK], &[u8; CHUNK])| any_may_change(first, second))
}

fn any_may_change(firsts: &[u8], seconds: &[u8]) -> bool {
    let pairs = firsts.iter().zip(seconds);
    let any = pairs.fold(0, |any, (first, second)| {
        any | u8::from(*first == b'\t') | u8::from(*first.max(second) == b' ')
    });
    any != 0
}

/// Reduces whole chunks, the two octets behind which are there as well; how many octets are left.
/// There is room for a chunk more than that.
fn reduce(text: &[u8], out: &mut [u8]) -> usize {
    let (firsts, _) = text.as_chunks();
    let (seconds, _) = text.get(1..).unwrap_or_default().as_chunks();
    let (thirds, _) = text.get(2..).unwrap_or_default().as_chunks();
    let mut length = 0;
    let mut judged = Judged {
        octets: [0; 2 * CHUNK],
        kept: 0,
    };
    for ((first, second), third) in firsts.iter().zip(seconds).zip(thirds) {
        if !any_may_change(first, second) {
            put(out, length, first);
            length += CHUNK;
            continue;
        }
        judged.judge(first, second, third);
        let mut kept = judged.kept;
        while kept != 0 {
            let start = kept.trailing_zeros();
            // The carry goes through the lowest run of ones, and stands where it ends.
            let carried = kept.wrapping_add(kept & kept.wrapping_neg());
            let run = carried.trailing_zeros() - start;
            if let Some(octets) = judged.chunk_at(start) {
                // More than the run: what follows it is overwritten by the next.
                put(out, length, octets);
            }
            length += usize::try_from(run).unwrap_or_default();
            kept &= carried;
        }
    }
    length
}

fn put(out: &mut [u8], at: usize, chunk: &[u8; CHUNK]) {
    let rest = out.get_mut(at..).unwrap_or_default();
    if let Some(place) = rest.first_chunk_mut() {
        *place = *chunk;
    }
}

/// A chunk about which is decided.
struct Judged {
    /// With spaces for tabs, and as much behind it, so that a chunk can be taken from anywhere.
    octets: [u8; 2 * CHUNK],
    /// A bit for each octet, the lowest for the first.
    kept: u64,
}

impl Judged {
    fn judge(&mut self, first: &[u8; CHUNK], second: &[u8; CHUNK], third: &[u8; CHUNK]) {
        let mut kept = [0; CHUNK];
        let windows = first.iter().zip(second).zip(third);
        let places = self.octets.iter_mut().zip(&mut kept);
        for (((first, second), third), (octet, kept)) in windows.zip(places) {
            let line_end = (*second == b'\r') & (*third == b'\n');
            *kept = u8::from(!(is_wsp(*first) & (is_wsp(*second) | line_end)));
            *octet = if *first == b'\t' { b' ' } else { *first };
        }
        let (words, _) = kept.as_chunks();
        self.kept = words.iter().rev().fold(0, |bits, word| {
            // Each octet is 0 or 1; the product has the eight of them in its highest octet.
            bits << 8 | (u64::from_le_bytes(*word).wrapping_mul(GATHERING) >> 56)
        });
    }

    /// A chunk that begins at an octet of the first one.
    fn chunk_at(&self, start: u32) -> Option<&[u8; CHUNK]> {
        let start = usize::try_from(start).ok()?;
        self.octets.get(start..)?.first_chunk()
    }
}

/// One bit for each octet of a word, which moves its lowest bit to a place of its own in the highest.
const GATHERING: u64 = 0x0102_0408_1020_4080;

/// Octets that are judged at once: as many as a word has bits.
const CHUNK: usize = 64;

/// Octets behind a chunk on which it may depend.
const LOOKAHEAD: usize = 2;

/// Octets that are passed on as they lie, if none of them changes. They are looked at just before
/// they are hashed; with more at a time, looking would wait for memory.
const BLOCK: usize = 512;
