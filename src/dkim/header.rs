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
    /// Their positions in the order of their names; empty where they are [few](FEW).
    sorted: Vec<usize>,
}

/// A field, and its neighbours of the same name.
#[derive(Debug)]
struct Entry<'h> {
    key: Key<'h>,
    above: Option<usize>,
    below: Option<usize>,
}

impl<'h> FieldIndex<'h> {
    pub(crate) fn new(head: &'h Head<'_>) -> Self {
        let fields = head.fields().iter();
        let mut index = Self {
            fields: fields.map(|field| Entry::new(field.name())).collect(),
            sorted: Vec::new(),
        };
        if index.fields.len() <= FEW {
            for at in 1..index.fields.len() {
                let (before, from_here) = index.fields.split_at(at);
                let key = from_here.first().map(|entry| entry.key);
                let above = before.iter().rposition(|entry| Some(entry.key) == key);
                index.link(above, at);
            }
            return index;
        }
        let mut sorted: Vec<_> = index
            .fields
            .iter()
            .map(|entry| entry.key)
            .zip(0..)
            .collect();
        sorted.sort_unstable();
        for (one, other) in sorted.iter().zip(sorted.iter().skip(1)) {
            if one.0 == other.0 {
                index.link(Some(one.1), other.1);
            }
        }
        index.sorted = sorted.into_iter().map(|(_, at)| at).collect();
        index
    }

    fn link(&mut self, above: Option<usize>, at: usize) {
        if let Some(entry) = above.and_then(|above| self.fields.get_mut(above)) {
            entry.below = Some(at);
        }
        if let Some(entry) = self.fields.get_mut(at) {
            entry.above = above;
        }
    }

    /// The position of the last field of the name.
    fn last(&self, name: &str) -> Option<usize> {
        let key = Key::new(name.as_bytes());
        if self.sorted.is_empty() {
            return self.fields.iter().rposition(|entry| entry.key == key);
        }
        let entry = |at: &usize| self.fields.get(*at);
        let end = self
            .sorted
            .partition_point(|at| entry(at).is_some_and(|entry| entry.key <= key));
        let last = self.sorted.get(end.checked_sub(1)?)?;
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
    pub(crate) fn select<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
        own: usize,
    ) -> Vec<Option<usize>> {
        self.select_from(names, &mut self.slots(own))
    }

    /// A slot for each field, of which `own` alone is taken.
    pub(super) fn slots(&self, own: usize) -> Vec<Slot> {
        let slot = |at| Slot {
            taken: at == own,
            next: Some(at),
        };
        (0..self.fields.len()).map(slot).collect()
    }

    /// The same as [`select`](Self::select), of those that are not taken. No repetition of a name
    /// looks again at what those before it took, so the time is all but linear in fields and names.
    pub(super) fn select_from<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
        slots: &mut [Slot],
    ) -> Vec<Option<usize>> {
        let select = |name: &str| {
            let last = self.last(name)?;
            let mut instances = std::iter::successors(slots.get(last)?.next, |at| self.above(*at));
            let position = instances.find(|at| is_free(slots, *at));
            slots.get_mut(last)?.next = position.and_then(|position| self.above(position));
            slots.get_mut(position?)?.taken = true;
            position
        };
        let mut selected = Vec::with_capacity(EXPECTED_NAMES);
        selected.extend(names.map(select));
        selected
    }

    /// The fields that are present but not taken.
    pub(super) fn unsigned(&self, slots: &[Slot]) -> UnsignedFields {
        let mut unsigned = UnsignedFields::default();
        for (at, entry) in self.fields.iter().enumerate() {
            if entry.above.is_some() {
                continue;
            }
            let fields = std::iter::successors(Some(at), |at| self.below(*at));
            let instances = fields.filter(|at| is_free(slots, *at)).count();
            if instances != 0 {
                unsigned.push(entry.key.name, instances);
            }
        }
        unsigned
    }
}

/// Whether a name stands for a field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    taken: bool,
    /// Of the last field of a name: the field that the name stands for next, unless it is taken.
    next: Option<usize>,
}

fn is_free(slots: &[Slot], at: usize) -> bool {
    slots.get(at).is_some_and(|slot| !slot.taken)
}

impl<'h> Entry<'h> {
    fn new(name: &'h [u8]) -> Self {
        Self {
            key: Key::new(name),
            above: None,
            below: None,
        }
    }
}

/// As many fields are looked through one by one faster than they are sorted. With all names that
/// `h=` may have, that is 64,000 comparisons for a signature.
const FEW: usize = 64;

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
    /// The names in lower case, one behind the other.
    names: String,
    /// Where each name ends, and how many fields it stands for.
    fields: Vec<(usize, usize)>,
}

impl UnsignedFields {
    fn push(&mut self, name: &[u8], instances: usize) {
        let begin = self.names.len();
        self.names.push_str(&text::lossy(name));
        if let Some(name) = self.names.get_mut(begin..) {
            name.make_ascii_lowercase();
        }
        self.fields.push((self.names.len(), instances));
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, usize)> {
        let mut begin = 0;
        self.fields.iter().map(move |(end, instances)| {
            let name = self.names.get(begin..*end).unwrap_or_default();
            begin = *end;
            (name, *instances)
        })
    }
}

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
mod tests {
    use super::*;

    fn positions(head: &[u8], names: &[&str], own: usize) -> Vec<Option<usize>> {
        let (head, _) = Head::parse(head);
        FieldIndex::new(&head).select(names.iter().copied(), own)
    }

    #[test]
    fn selects_from_the_bottom_up() {
        let head = b"From: 1\r\nReceived: a\r\nfrom: 2\r\nSubject: s\r\n\r\n";
        assert_eq!(
            positions(head, &["From", "from", "FROM", "x"], 99),
            [Some(2), Some(0), None, None]
        );
        assert_eq!(
            positions(head, &["From", "Subject", "From"], 2),
            [Some(0), Some(3), None]
        );
        let received = b"Received: 1\r\nReceived: 2\r\nReceived: 3\r\nReceived: 4\r\n\r\n";
        assert_eq!(
            positions(received, &["Received"; 5], 99),
            [Some(3), Some(2), Some(1), Some(0), None]
        );
    }

    /// Names that are nearly the same, few of them and so many that they are sorted.
    #[test]
    fn tells_names_apart() {
        let names = [
            "X@",
            "x`",
            "X[",
            "x{",
            "-",
            "--",
            "Abcdefg",
            "abcdefgh",
            "abcdefgH1",
            "Abcdefgh-12345678",
            "abcdefgh_12345678",
            "abcdefgh-z12345678",
            "abcdefghZ-12345678",
        ];
        for others in [0, 200] {
            let mut octets: String = (0..others).map(|n| format!("O{n}: o\r\n")).collect();
            octets.extend(names.iter().map(|name| format!("{name}: 1\r\n")));
            octets.extend(
                names
                    .iter()
                    .map(|name| format!("{}: 2\r\n", name.to_uppercase())),
            );
            let (head, _) = Head::parse(octets.as_bytes());
            let index = FieldIndex::new(&head);
            for (number, name) in names.iter().enumerate() {
                assert_eq!(index.count(name), 2, "{name}");
                let lower = name.to_ascii_lowercase();
                let selected = index.select([*name, lower.as_str(), name].into_iter(), 999);
                let (upper, lower) = (others + number, others + number + names.len());
                assert_eq!(selected, [Some(lower), Some(upper), None], "{name}");
            }
            assert_eq!(index.select(["y@", "x"].into_iter(), 999), [None, None]);
        }
    }

    #[test]
    fn letters_alone_have_a_lower_case() {
        for octet in 0..=u8::MAX {
            let word = u64::from_be_bytes([0, octet, 0xff, octet, b'A', octet, 0, octet]);
            let octets = word.to_be_bytes().map(|octet| octet.to_ascii_lowercase());
            assert_eq!(lower_case(word), u64::from_be_bytes(octets), "{octet}");
        }
    }

    #[test]
    fn lists_what_is_not_signed() {
        let (head, _) = Head::parse(b"D: s\r\nTo: 1\r\nTo: 2\r\nX: 3\r\nFrom: 4\r\n\r\n");
        let index = FieldIndex::new(&head);
        let mut slots = index.slots(0);
        index.select_from(["from", "to"].into_iter(), &mut slots);
        let unsigned = index.unsigned(&slots);
        assert_eq!(unsigned.iter().collect::<Vec<_>>(), [("to", 1), ("x", 1)]);
    }

    #[test]
    fn removes_the_signature() {
        for (value, expected) in [
            (&b"b=abc;h=From"[..], &b"b=;h=From"[..]),
            (b"bh=B64b=;h=From;b=abc", b"bh=B64b=;h=From;b="),
            (b" b\r\n =\r\n abc = ; bb=1", b" b\r\n =; bb=1"),
            (b"B=abc;z=b=1", b"B=abc;z=b=1"),
            (b"b=", b"b="),
            (b"", b""),
        ] {
            assert_eq!(without_signature(value), expected);
        }
    }
}
