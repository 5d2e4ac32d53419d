//! What of the header block a signature covers: selection (§5.4.2) and the octets that are hashed
//! (§3.7). ARC uses the same, so nothing here knows what the signature's field is called.

use std::cmp::Ordering;

use super::canonicalize::Canonicalization;
use super::tags::FieldNames;
use crate::message::{Field, Head};
use crate::text;

/// The fields of a header block by name, for any number of signatures.
#[derive(Debug)]
pub(crate) struct FieldIndex<'h> {
    /// The fields, top to bottom.
    fields: Vec<Entry<'h>>,
    last: LastFields,
    /// How often was selected.
    selections: usize,
}

/// Where the last field of each name is found.
#[derive(Debug)]
enum LastFields {
    /// Of [few](FEW) fields: one more than its position, at the place of the name or behind it, and 0
    /// where there is none.
    Hashed([u8; PLACES]),
    /// Of many: all positions, in the order of the names.
    Sorted(Vec<usize>),
}

/// A field, and its neighbours of the same name.
#[derive(Debug)]
struct Entry<'h> {
    key: Key<'h>,
    above: Option<usize>,
    below: Option<usize>,
    /// The selection that took the field last.
    taken: usize,
    /// Of the last field of a name: a selection, and the field that the name stands for next in it,
    /// unless that is taken.
    next: (usize, Option<usize>),
}

impl<'h> FieldIndex<'h> {
    pub(crate) fn new(head: &'h Head<'_>) -> Self {
        let fields = head.fields().iter();
        let fields: Vec<_> = fields.map(|field| Entry::new(field.name())).collect();
        let few = fields.len() <= FEW;
        let mut index = Self {
            fields,
            last: LastFields::Hashed([0; PLACES]),
            selections: 0,
        };
        if few {
            index.hash();
        } else {
            index.sort();
        }
        index
    }

    fn hash(&mut self) {
        let mut places = [0; PLACES];
        for (at, number) in (0..self.fields.len()).zip(1..) {
            let Some(entry) = self.fields.get(at) else {
                return;
            };
            let (place, above) = self.look_up(&places, &entry.key);
            self.link(above, at);
            if let Some(last) = places.get_mut(place) {
                *last = number;
            }
        }
        self.last = LastFields::Hashed(places);
    }

    fn sort(&mut self) {
        let keys = self.fields.iter().map(|entry| entry.key);
        let mut sorted: Vec<_> = keys.zip(0..).collect();
        sorted.sort_unstable();
        for (one, other) in sorted.iter().zip(sorted.iter().skip(1)) {
            if one.0 == other.0 {
                self.link(Some(one.1), other.1);
            }
        }
        self.last = LastFields::Sorted(sorted.into_iter().map(|(_, at)| at).collect());
    }

    fn link(&mut self, above: Option<usize>, at: usize) {
        if let Some(entry) = above.and_then(|above| self.fields.get_mut(above)) {
            entry.below = Some(at);
        }
        if let Some(entry) = self.fields.get_mut(at) {
            entry.above = above;
        }
    }

    /// The place of the name, and its last field.
    fn look_up(&self, places: &[u8; PLACES], key: &Key<'_>) -> (usize, Option<usize>) {
        let mut place = key.place();
        // There are more places than fields.
        loop {
            let last = places.get(place).and_then(|number| number.checked_sub(1));
            let last = last.map(usize::from);
            match last.and_then(|last| self.fields.get(last)) {
                Some(entry) if entry.key != *key => place = (place + 1) % PLACES,
                _ => return (place, last),
            }
        }
    }

    /// The position of the last field of the name.
    fn last(&self, name: &str) -> Option<usize> {
        let key = Key::new(name.as_bytes());
        let sorted = match &self.last {
            LastFields::Hashed(places) => return self.look_up(places, &key).1,
            LastFields::Sorted(sorted) => sorted,
        };
        let entry = |at: &usize| self.fields.get(*at);
        let end = sorted.partition_point(|at| entry(at).is_some_and(|entry| entry.key <= key));
        let last = sorted.get(end.checked_sub(1)?)?;
        entry(last).filter(|entry| entry.key == key).map(|_| *last)
    }

    fn above(&self, at: usize) -> Option<usize> {
        self.fields.get(at)?.above
    }

    fn below(&self, at: usize) -> Option<usize> {
        self.fields.get(at)?.below
    }

    /// How many fields have the name.
    pub(crate) fn count(&self, name: &str) -> usize {
        std::iter::successors(self.last(name), |at| self.above(*at)).count()
    }

    /// Which instance each name of `h=` stands for.
    ///
    /// §5.4.2: header fields are signed ‘in order from the bottom of the header field block to the
    /// top’, so each repetition of a name takes the next instance further up; a name without a field
    /// stands for nothing at all. `own` is the signature field, which never covers itself this way.
    ///
    /// No repetition of a name looks again at what those before it took, so the time is all but linear
    /// in fields and names.
    pub(crate) fn select<'n>(
        &mut self,
        names: impl Iterator<Item = &'n str>,
        own: usize,
    ) -> Vec<Option<usize>> {
        self.selections += 1;
        self.take(own);
        let mut selected = Vec::with_capacity(EXPECTED_NAMES);
        selected.extend(names.map(|name| self.select_one(name)));
        selected
    }

    fn select_one(&mut self, name: &str) -> Option<usize> {
        let last = self.last(name)?;
        let next = match self.fields.get(last)?.next {
            (selection, next) if selection == self.selections => next,
            _ => Some(last),
        };
        let mut instances = std::iter::successors(next, |at| self.above(*at));
        let position = instances.find(|at| self.is_free(*at));
        let next = position.and_then(|position| self.above(position));
        self.fields.get_mut(last)?.next = (self.selections, next);
        self.take(position?);
        position
    }

    fn take(&mut self, at: usize) {
        if let Some(entry) = self.fields.get_mut(at) {
            entry.taken = self.selections;
        }
    }

    fn is_free(&self, at: usize) -> bool {
        let entry = self.fields.get(at);
        entry.is_some_and(|entry| entry.taken != self.selections)
    }

    /// The fields that are present, but that the last selection did not take.
    pub(super) fn unsigned(&self) -> UnsignedFields {
        let mut unsigned = UnsignedFields::default();
        for (at, entry) in self.fields.iter().enumerate() {
            if entry.above.is_some() {
                continue;
            }
            let fields = std::iter::successors(Some(at), |at| self.below(*at));
            let instances = fields.filter(|at| self.is_free(*at)).count();
            if instances != 0 {
                unsigned.push(entry.key.name, instances);
            }
        }
        unsigned
    }
}

impl<'h> Entry<'h> {
    fn new(name: &'h [u8]) -> Self {
        Self {
            key: Key::new(name),
            above: None,
            below: None,
            taken: 0,
            next: (0, None),
        }
    }
}

/// As many fields have a table of places. With names that all want the same place and all names that
/// `h=` may have, that is 64,000 comparisons for a signature; more fields are sorted.
const FEW: usize = 64;

/// Twice as many as fields, so that names seldom meet.
const PLACES: usize = 2 * FEW;

/// A name for which letter case does not matter.
#[derive(Clone, Copy, Debug)]
struct Key<'h> {
    /// The first and the last eight octets in lower case, of a shorter name all in the one. Together
    /// with the length they are the whole of a name of 16 octets.
    ends: [u64; 2],
    name: &'h [u8],
}

impl<'h> Key<'h> {
    fn new(name: &'h [u8]) -> Self {
        let ends = match (name.first_chunk(), name.last_chunk()) {
            (Some(first), Some(last)) => [u64::from_be_bytes(*first), u64::from_be_bytes(*last)],
            _ => {
                let short = name.iter();
                [
                    short.fold(0, |word, octet| word << 8 | u64::from(*octet)),
                    0,
                ]
            }
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

/// The names in `h=` and what they stand for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(into = "Vec<OwnedSignedField>")
)]
pub(super) struct SignedFields {
    pub(super) names: FieldNames,
    /// The position for each name.
    pub(super) positions: Vec<Option<usize>>,
}

impl SignedFields {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Option<usize>)> {
        self.names.iter().zip(self.positions.iter().copied())
    }
}

/// How [`SignedFields`] are serialized.
#[cfg(feature = "serde")]
#[derive(serde::Serialize)]
struct OwnedSignedField {
    name: String,
    position: Option<usize>,
}

#[cfg(feature = "serde")]
impl From<SignedFields> for Vec<OwnedSignedField> {
    fn from(fields: SignedFields) -> Self {
        let owned = |(name, position): (&str, Option<usize>)| OwnedSignedField {
            name: name.to_owned(),
            position,
        };
        fields.iter().map(owned).collect()
    }
}

/// Names of header fields that are present, but not covered by a signature, and how many of each are
/// not.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(into = "Vec<OwnedUnsignedField>")
)]
pub(super) struct UnsignedFields {
    /// The names in lower case, each as often as there are fields of it, with a colon behind each.
    names: String,
}

impl UnsignedFields {
    fn push(&mut self, name: &[u8], instances: usize) {
        if self.names.is_empty() {
            self.names.reserve(EXPECTED_UNSIGNED);
        }
        let name = text::lossy(name);
        for _ in 0..instances {
            let begin = self.names.len();
            self.names.push_str(&name);
            self.names.push(':');
            if let Some(name) = self.names.get_mut(begin..) {
                name.make_ascii_lowercase();
            }
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, usize)> {
        let mut names = self.names.split_terminator(':').peekable();
        std::iter::from_fn(move || {
            let name = names.next()?;
            let further = std::iter::from_fn(|| names.next_if(|next| *next == name)).count();
            Some((name, 1 + further))
        })
    }
}

/// Many messages have no more names of trace fields and the like.
const EXPECTED_UNSIGNED: usize = 256;

/// How [`UnsignedFields`] are serialized.
#[cfg(feature = "serde")]
#[derive(serde::Serialize)]
struct OwnedUnsignedField {
    name: String,
    instances: usize,
}

#[cfg(feature = "serde")]
impl From<UnsignedFields> for Vec<OwnedUnsignedField> {
    fn from(fields: UnsignedFields) -> Self {
        let owned = |(name, instances): (&str, usize)| OwnedUnsignedField {
            name: name.to_owned(),
            instances,
        };
        fields.iter().map(owned).collect()
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
