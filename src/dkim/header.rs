//! What of the header block a signature covers: selection (§5.4.2) and the octets that are hashed
//! (§3.7). ARC uses the same, so nothing here knows what the signature's field is called.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::canonicalize::Canonicalization;
use super::tags::FieldNames;
use crate::message::{Field, Head};
use crate::text;

/// The fields of a header block by name, for any number of signatures.
#[derive(Debug)]
pub(crate) struct FieldIndex<'h> {
    /// The names, top to bottom.
    keys: Vec<Key<'h>>,
    order: Order,
}

/// How the fields of a name are found.
#[derive(Debug)]
enum Order {
    /// Of no more than [`FEW`] fields: at the place of a name the bits of all that want it.
    Places([u64; PLACES]),
    /// Of more: all positions, in the order of the names, those of one name top to bottom.
    Sorted(Vec<usize>),
}

impl<'h> FieldIndex<'h> {
    pub(crate) fn new(head: &'h Head<'_>) -> Self {
        let fields = head.fields().iter();
        let keys: Vec<_> = fields.map(|field| Key::new(field.name())).collect();
        let order = if keys.len() <= FEW {
            let mut places = [0; PLACES];
            for (at, key) in keys.iter().enumerate() {
                if let Some(fields) = places.get_mut(key.place()) {
                    *fields |= bit(at);
                }
            }
            Order::Places(places)
        } else {
            let mut sorted: Vec<_> = keys.iter().zip(0..).collect();
            sorted.sort_unstable();
            Order::Sorted(sorted.into_iter().map(|(_, at)| at).collect())
        };
        Self { keys, order }
    }

    /// How many fields have the name.
    pub(crate) fn count(&self, name: &str) -> usize {
        let key = Key::new(name.as_bytes());
        match &self.order {
            Order::Places(_) => self.keys.iter().filter(|known| **known == key).count(),
            Order::Sorted(sorted) => {
                let before = sorted.partition_point(|at| self.keys.get(*at) < Some(&key));
                self.behind(sorted, &key) - before
            }
        }
    }

    /// The place behind the last field of the name.
    fn behind(&self, sorted: &[usize], key: &Key<'_>) -> usize {
        sorted.partition_point(|at| self.keys.get(*at) <= Some(key))
    }

    /// Which instance each name of `h=` stands for.
    ///
    /// §5.4.2: header fields are signed ‘in order from the bottom of the header field block to the
    /// top’, so each repetition of a name takes the next instance further up; a name without a field
    /// stands for nothing at all. `own` is the signature field, which never covers itself this way.
    pub(crate) fn select<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
        own: usize,
    ) -> Vec<Option<usize>> {
        let mut selected = Vec::with_capacity(EXPECTED_NAMES);
        let keys = names.map(|name| Key::new(name.as_bytes()));
        match &self.order {
            Order::Places(places) => {
                let mut taken = bit(own);
                selected.extend(keys.map(|key| self.take(places, &key, &mut taken)));
            }
            Order::Sorted(sorted) => {
                let mut left = BTreeMap::new();
                selected.extend(keys.map(|key| self.take_sorted(sorted, &key, &mut left, own)));
            }
        }
        selected
    }

    /// Takes the lowest field of the name that is not taken.
    fn take(&self, places: &[u64; PLACES], key: &Key<'_>, taken: &mut u64) -> Option<usize> {
        let mut fields = places.get(key.place())? & !*taken;
        // The highest bit is that of the lowest field.
        while let Some(at) = fields.checked_ilog2() {
            let bit = 1 << at;
            let at = usize::try_from(at).ok()?;
            if self.keys.get(at) == Some(key) {
                *taken |= bit;
                return Some(at);
            }
            fields &= !bit;
        }
        None
    }

    /// The same of many fields. `left` has how far those of a name are taken, by the place behind them:
    /// no repetition looks again at what those before it took.
    fn take_sorted(
        &self,
        sorted: &[usize],
        key: &Key<'_>,
        left: &mut BTreeMap<usize, usize>,
        own: usize,
    ) -> Option<usize> {
        let behind = self.behind(sorted, key);
        let left = left.entry(behind).or_insert(behind);
        loop {
            let next = left.checked_sub(1)?;
            let at = *sorted.get(next)?;
            if self.keys.get(at) != Some(key) {
                return None;
            }
            *left = next;
            if at != own {
                return Some(at);
            }
        }
    }
}

/// The bit of a field, of those that have one.
fn bit(at: usize) -> u64 {
    u32::try_from(at).map_or(0, |at| 1_u64.checked_shl(at).unwrap_or(0))
}

/// As many fields have a bit each. With names that all want the same place and all names that `h=` may
/// have, that is 64,000 comparisons for a signature; more fields are sorted.
const FEW: usize = 64;

/// So many that few of the usual names meet.
const PLACES: usize = 16;

/// A name for which letter case does not matter.
#[derive(Clone, Copy, Debug)]
struct Key<'h> {
    /// The first and the last octets in lower case: eight each, of a short name four, of a very short
    /// one all in the one. Together with the length they are the whole of a name of 16 octets.
    ends: [u64; 2],
    name: &'h [u8],
}

impl<'h> Key<'h> {
    fn new(name: &'h [u8]) -> Self {
        let ends = if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            [first, last].map(|end| u64::from_be_bytes(*end))
        } else if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
            [first, last].map(|end| u64::from(u32::from_be_bytes(*end)))
        } else {
            let all = name.iter();
            [all.fold(0, |word, octet| word << 8 | u64::from(*octet)), 0]
        };
        Self {
            ends: ends.map(lower_case),
            name,
        }
    }

    /// Which of the [`PLACES`] it wants.
    fn place(&self) -> usize {
        let [first, last] = self.ends;
        // 2^64 by the golden ratio: neighbours come far apart.
        let hash = (first ^ last.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let [octet, ..] = hash.to_be_bytes();
        usize::from(octet) % PLACES
    }

    /// What the ends do not tell.
    fn inner(&self) -> impl Iterator<Item = u8> {
        let inner = self.name.get(8..).and_then(|rest| {
            let (inner, _) = rest.split_last_chunk::<8>()?;
            Some(inner)
        });
        inner.unwrap_or_default().iter().map(u8::to_ascii_lowercase)
    }
}

impl Eq for Key<'_> {}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.ends == other.ends
            && self.name.len() == other.name.len()
            && (self.name.len() <= 16 || self.inner().eq(other.inner()))
    }
}

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let ends = self.ends.cmp(&other.ends);
        ends.then(self.name.len().cmp(&other.name.len()))
            .then_with(|| self.inner().cmp(other.inner()))
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Eight octets with their upper-case letters in lower case.
fn lower_case(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    // Each sum reaches the highest bit of its octet from `A` on, or only beyond `Z`.
    let low = word & (0x7f * ONES);
    let from_a = low + (0x80 - 0x41) * ONES;
    let beyond_z = low + (0x7f - 0x5a) * ONES;
    let upper = (from_a ^ beyond_z) & !word & (0x80 * ONES);
    word | upper >> 2
}

/// Most signatures have fewer names in `h=`.
const EXPECTED_NAMES: usize = 32;

/// What a signature covers of the header.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Coverage {
    /// The names in `h=`.
    pub(super) names: FieldNames,
    /// What each of them stands for.
    pub(super) positions: Vec<Option<usize>>,
    /// The position of the signature itself.
    pub(super) own: usize,
    pub(super) present: Present,
}

impl Coverage {
    /// The names in `h=`, and what each stands for.
    pub(super) fn signed(&self) -> impl Iterator<Item = (&str, Option<usize>)> {
        self.names.iter().zip(self.positions.iter().copied())
    }

    /// The names of the fields that are present but not covered, and how many of each are not.
    pub(super) fn unsigned(&self) -> impl Iterator<Item = (&str, usize)> {
        let covered: BTreeSet<_> = self.positions.iter().flatten().collect();
        let mut unsigned: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for (at, name) in self.present.names().enumerate() {
            if at != self.own && !covered.contains(&at) {
                unsigned.entry(name).or_insert((at, 0)).1 += 1;
            }
        }
        let mut unsigned: Vec<_> = unsigned.into_iter().collect();
        unsigned.sort_unstable_by_key(|(_, (first, _))| *first);
        unsigned.into_iter().map(|(name, (_, count))| (name, count))
    }

    /// How many fields of the name are present but not covered.
    pub(super) fn count_unsigned(&self, name: &str, index: &FieldIndex<'_>) -> usize {
        let own = usize::from(index.keys.get(self.own) == Some(&Key::new(name.as_bytes())));
        let covered = self
            .signed()
            .filter(|(signed, position)| position.is_some() && signed.eq_ignore_ascii_case(name));
        index.count(name).saturating_sub(covered.count() + own)
    }
}

/// The names of all fields, top to bottom, shared by all signatures of a message: which of them a
/// signature leaves out is told when somebody asks, as signatures are fields themselves.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Present {
    /// In lower case, with a colon behind each.
    names: Arc<str>,
}

impl Present {
    pub(super) fn of(head: &Head<'_>) -> Self {
        let fields = head.fields().iter();
        let length = fields.clone().map(|field| field.name().len() + 1).sum();
        let mut names = Vec::with_capacity(length);
        for field in fields {
            names.extend_from_slice(field.name());
            names.push(b':');
        }
        names.make_ascii_lowercase();
        let names = String::from_utf8(names);
        let names = names.unwrap_or_else(|error| text::lossy(error.as_bytes()).into_owned());
        Self {
            names: names.into(),
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.names.split_terminator(':')
    }
}

/// Writes the selected fields, each with its CRLF, and gives up beyond `room` octets.
pub(crate) fn write_selected(
    head: &Head<'_>,
    selected: &[Option<usize>],
    canonicalization: Canonicalization,
    room: usize,
) -> Option<Vec<u8>> {
    let positions = selected.iter().flatten();
    let fields = positions.filter_map(|position| head.fields().get(*position));
    let octets = |field: &Field<'_>| field.name().len() + field.gap().len() + field.value().len();
    let most: usize = fields.map(|field| octets(field) + 3).sum();
    // The signature's own field is to follow.
    let mut out = Vec::with_capacity(most.min(room).saturating_add(OWN_FIELD));
    for position in selected.iter().flatten() {
        let field = head.fields().get(*position)?;
        canonicalization.write_header_field(field.name(), field.gap(), field.value(), &mut out);
        out.extend_from_slice(b"\r\n");
        if out.len() > room {
            return None;
        }
    }
    Some(out)
}

/// More than most signature fields have.
const OWN_FIELD: usize = 1_024;

/// Writes the signature's own field. §3.7: ‘the value of the "b=" tag (including all surrounding
/// whitespace) deleted (i.e., treated as the empty string)’, ‘without a trailing CRLF’.
pub(crate) fn write_own(field: &Field<'_>, canonicalization: Canonicalization, out: &mut Vec<u8>) {
    let mut writer = canonicalization.begin_field(field.name(), field.gap(), out);
    each_without_signature(field.value(), |piece| writer.push(piece));
}

/// See [`Signature::without_signature`](super::Signature::without_signature).
pub(crate) fn without_signature(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    each_without_signature(value, |piece| out.extend_from_slice(piece));
    out
}

/// Passes on the pieces of a value between which the values of `b=` stand.
fn each_without_signature<'v>(value: &'v [u8], mut out: impl FnMut(&'v [u8])) {
    let mut pieces = value;
    let mut specs = value;
    loop {
        let end = text::find(specs, b';');
        let spec = end.and_then(|end| specs.get(..end)).unwrap_or(specs);
        if is_signature(spec)
            && let Some(name) = text::find(spec, b'=')
        {
            let begin = value.len() - specs.len();
            let (piece, _) = pieces.split_at(begin + name + 1 - (value.len() - pieces.len()));
            out(piece);
            pieces = value.get(begin + spec.len()..).unwrap_or_default();
        }
        let Some(end) = end else {
            return out(pieces);
        };
        specs = specs.get(end + 1..).unwrap_or_default();
    }
}

/// Whether a tag-spec is that of `b=`.
fn is_signature(spec: &[u8]) -> bool {
    let mut octets = spec.iter().skip_while(|octet| text::is_fws(**octet));
    octets.next() == Some(&b'b') && octets.find(|octet| !text::is_fws(**octet)) == Some(&b'=')
}

#[cfg(test)]
mod tests;
