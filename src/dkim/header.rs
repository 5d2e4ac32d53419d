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
    /// The names in their order, each with where its fields end among the positions.
    names: Vec<(Key<'h>, usize)>,
    /// The positions of the fields of the first name, top to bottom, then those of the second.
    positions: Vec<usize>,
}

impl<'h> FieldIndex<'h> {
    pub(crate) fn new(head: &'h Head<'_>) -> Self {
        let fields = head.fields().iter().enumerate();
        let mut fields: Vec<_> = fields
            .map(|(at, field)| (Key::new(field.name()), at))
            .collect();
        fields.sort_unstable();
        let mut names: Vec<(Key<'_>, usize)> = Vec::with_capacity(fields.len());
        for (number, (name, _)) in fields.iter().enumerate() {
            match names.last_mut() {
                Some((known, end)) if known == name => *end = number + 1,
                _ => names.push((*name, number + 1)),
            }
        }
        Self {
            names,
            positions: fields.into_iter().map(|(_, at)| at).collect(),
        }
    }

    /// How many fields have the name.
    pub(crate) fn count(&self, name: &str) -> usize {
        let number = self.number(name.as_bytes());
        number.map_or(0, |number| self.instances(number).len())
    }

    /// Which of the names it is.
    fn number(&self, name: &[u8]) -> Option<usize> {
        let name = Key::new(name);
        let number = self
            .names
            .partition_point(|(known, _)| known.digest < name.digest);
        let (found, _) = self.names.get(number)?;
        if *found == name {
            return Some(number);
        }
        // Another name of the same digest may stand before it.
        let order = |(known, _): &(Key<'_>, usize)| known.cmp(&name);
        self.names.binary_search_by(order).ok()
    }

    /// The positions of the fields of a name, top to bottom.
    fn instances(&self, number: usize) -> &[usize] {
        let end = |number: usize| self.names.get(number).map_or(0, |(_, end)| *end);
        let begin = number.checked_sub(1).map_or(0, end);
        self.positions.get(begin..end(number)).unwrap_or_default()
    }

    /// Which instance each name of `h=` stands for.
    ///
    /// §5.4.2: header fields are signed ‘in order from the bottom of the header field block to the
    /// top’, so each repetition of a name takes the next instance further up; a name without a field
    /// stands for nothing at all. `own` is the signature field, which never covers itself this way.
    /// A count of those taken per name keeps the time all but linear in fields and names.
    pub(crate) fn select<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
        own: usize,
    ) -> Vec<Option<usize>> {
        let mut taken = vec![0; self.names.len()];
        let select = |name: &str| {
            let number = self.number(name.as_bytes())?;
            let taken = taken.get_mut(number)?;
            let mut unused = self.instances(number).iter().rev().copied();
            let mut position = unused.nth(*taken);
            *taken += 1;
            if position == Some(own) {
                position = unused.next();
                *taken += 1;
            }
            position
        };
        let mut selected = Vec::with_capacity(EXPECTED_NAMES);
        selected.extend(names.map(select));
        selected
    }

    /// The fields that are present but not among the selected instances, other than `own`.
    pub(crate) fn unsigned(&self, selected: &[Option<usize>], own: usize) -> Vec<UnsignedField> {
        let mut signed = vec![false; self.positions.len()];
        for position in selected.iter().flatten().copied().chain([own]) {
            if let Some(signed) = signed.get_mut(position) {
                *signed = true;
            }
        }
        let mut unsigned: Vec<(usize, UnsignedField)> = Vec::new();
        for (number, (name, _)) in self.names.iter().enumerate() {
            let fields = self.instances(number);
            let instances = fields
                .iter()
                .filter(|position| signed.get(**position) == Some(&false))
                .count();
            if let Some(first) = fields.first()
                && instances != 0
            {
                let mut name = text::lossy(name.name).into_owned();
                name.make_ascii_lowercase();
                unsigned.push((*first, UnsignedField { name, instances }));
            }
        }
        unsigned.sort_unstable_by_key(|(first, _)| *first);
        unsigned.into_iter().map(|(_, field)| field).collect()
    }
}

/// A name for which letter case does not matter. Its digest tells nearly all names apart; where it
/// does not, as anybody may bring about, the names themselves do.
#[derive(Clone, Copy, Debug)]
struct Key<'h> {
    digest: u64,
    name: &'h [u8],
}

impl<'h> Key<'h> {
    fn new(name: &'h [u8]) -> Self {
        let ends = name.first_chunk().zip(name.last_chunk());
        let word = match ends {
            Some((first, last)) => {
                u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(32)
            }
            None => name
                .iter()
                .fold(0, |word, octet| word << 8 | u64::from(*octet)),
        };
        let length = u64::try_from(name.len()).unwrap_or(u64::MAX);
        // Letters that differ in case alone differ in this bit alone.
        let digest = word | LOWER_CASE;
        Self {
            digest: digest ^ length,
            name,
        }
    }
}

impl Eq for Key<'_> {}

impl PartialEq for Key<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest && self.name.eq_ignore_ascii_case(other.name)
    }
}

impl Ord for Key<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.digest.cmp(&other.digest).then_with(|| {
            if self.name.eq_ignore_ascii_case(other.name) {
                return Ordering::Equal;
            }
            let name = self.name.iter().map(u8::to_ascii_lowercase);
            name.cmp(other.name.iter().map(u8::to_ascii_lowercase))
        })
    }
}

impl PartialOrd for Key<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

const LOWER_CASE: u64 = u64::from_le_bytes([0x20; 8]);

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

/// A header field that is present, but not covered by a signature.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(crate) struct UnsignedField {
    /// The name in lower case.
    pub(super) name: String,
    /// How many fields of this name are not covered.
    pub(super) instances: usize,
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
    let value = without_signature(field.value());
    canonicalization.write_header_field(field.name(), field.gap(), &value, out);
}

/// See [`Signature::without_signature`](super::Signature::without_signature).
pub(crate) fn without_signature(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = Some(value);
    while let Some(list) = rest {
        let split = text::split_once(list, b';');
        let spec = split.map_or(list, |(spec, _)| spec);
        match text::split_once(spec, b'=') {
            Some((name, _)) if text::trim_fws(name) == b"b" => {
                out.extend_from_slice(name);
                out.push(b'=');
            }
            _ => out.extend_from_slice(spec),
        }
        rest = split.map(|(_, rest)| rest);
        if rest.is_some() {
            out.push(b';');
        }
    }
    out
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

    #[test]
    fn tells_names_of_one_digest_apart() {
        let head = b"X@: 1\r\nx`: 2\r\nX`: 3\r\nabcdefg@: 4\r\nAbcdefg`: 5\r\n\r\n";
        assert_eq!(Key::new(b"X@").digest, Key::new(b"x`").digest);
        assert_eq!(
            positions(head, &["x@", "X`", "X`", "ABCDEFG`", "abcdefG@", "x@"], 99),
            [Some(0), Some(2), Some(1), Some(4), Some(3), None]
        );
    }

    #[test]
    fn lists_what_is_not_signed() {
        let (head, _) = Head::parse(b"D: s\r\nTo: 1\r\nTo: 2\r\nX: 3\r\nFrom: 4\r\n\r\n");
        let index = FieldIndex::new(&head);
        let selected = index.select(["from", "to"].into_iter(), 0);
        let unsigned: Vec<(String, usize)> = index
            .unsigned(&selected, 0)
            .into_iter()
            .map(|field| (field.name, field.instances))
            .collect();
        assert_eq!(unsigned, [("to".into(), 1), ("x".into(), 1)]);
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
