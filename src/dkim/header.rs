//! What of the header block a signature covers: selection (§5.4.2) and the octets that are hashed
//! (§3.7). ARC uses the same, so nothing here knows what the signature's field is called.

use std::cmp::Ordering;

use super::canonicalize::Canonicalization;
use crate::message::{Field, Head};
use crate::text;

/// The fields of a header block by name, for any number of signatures.
#[derive(Debug)]
pub(crate) struct FieldIndex<'h> {
    /// The names in their order, each with where its fields end among the positions.
    names: Vec<(&'h [u8], usize)>,
    /// The positions of the fields of the first name, top to bottom, then those of the second.
    positions: Vec<usize>,
}

impl<'h> FieldIndex<'h> {
    pub(crate) fn new(head: &'h Head<'_>) -> Self {
        let fields = head.fields().iter().enumerate();
        let mut fields: Vec<_> = fields.map(|(at, field)| (field.name(), at)).collect();
        fields.sort_unstable_by(|(one, at), (other, other_at)| {
            compare_names(one, other).then(at.cmp(other_at))
        });
        let mut names: Vec<(&[u8], usize)> = Vec::with_capacity(fields.len());
        for (number, (name, _)) in fields.iter().enumerate() {
            match names.last_mut() {
                Some((known, end)) if known.eq_ignore_ascii_case(name) => *end = number + 1,
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
        let order = |(known, _): &(&[u8], usize)| compare_names(known, name);
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
    pub(crate) fn select<N>(
        &self,
        names: impl IntoIterator<Item = N>,
        own: usize,
    ) -> Vec<SignedField>
    where
        N: AsRef<str> + Into<String>,
    {
        let mut taken = vec![0; self.names.len()];
        let mut select = |name: &str| {
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
        let signed = |name: N| SignedField {
            position: select(name.as_ref()),
            name: name.into(),
        };
        names.into_iter().map(signed).collect()
    }

    /// The fields that are present but not among the selected instances, other than `own`.
    pub(crate) fn unsigned(&self, selected: &[SignedField], own: usize) -> Vec<UnsignedField> {
        let mut signed = vec![false; self.positions.len()];
        let positions = selected.iter().filter_map(|field| field.position);
        for position in positions.chain([own]) {
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
                let mut name = text::lossy(name).into_owned();
                name.make_ascii_lowercase();
                unsigned.push((*first, UnsignedField { name, instances }));
            }
        }
        unsigned.sort_unstable_by_key(|(first, _)| *first);
        unsigned.into_iter().map(|(_, field)| field).collect()
    }
}

/// An order of names in which letter case does not matter. Few names have the same length.
fn compare_names(one: &[u8], other: &[u8]) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| {
        let one = one.iter().map(u8::to_ascii_lowercase);
        one.cmp(other.iter().map(u8::to_ascii_lowercase))
    })
}

/// A name in `h=` and the header field it stands for.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SignedField {
    /// The name as it stands in `h=`.
    pub name: String,
    /// The position of the field in [`Head::fields`]; `None` where no (further) field has the name,
    /// so that adding one breaks the signature.
    pub position: Option<usize>,
}

/// A header field that is present, but not covered by a signature.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct UnsignedField {
    /// The name in lower case.
    pub name: String,
    /// How many fields of this name are not covered.
    pub instances: usize,
}

/// Writes the selected fields, each with its CRLF, and gives up beyond `room` octets.
pub(crate) fn write_selected(
    head: &Head<'_>,
    selected: &[SignedField],
    canonicalization: Canonicalization,
    room: usize,
) -> Option<Vec<u8>> {
    let fields = selected.iter().filter_map(|field| field.position);
    let fields = fields.filter_map(|position| head.fields().get(position));
    let octets = |field: &Field<'_>| field.name().len() + field.gap().len() + field.value().len();
    let most: usize = fields.map(|field| octets(field) + 3).sum();
    // The signature's own field is to follow.
    let mut out = Vec::with_capacity(most.min(room).saturating_add(OWN_FIELD));
    for position in selected.iter().filter_map(|field| field.position) {
        let field = head.fields().get(position)?;
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

/// The value of a signature field with the value of its `b=` tag removed, white space around it
/// included: what is hashed (§3.7), before canonicalization.
///
/// ```
/// let value = mailproof::dkim::without_signature(b" bh=B=; b = abc\r\n def ; h=From");
/// assert_eq!(value, b" bh=B=; b =; h=From");
/// ```
#[must_use]
pub fn without_signature(value: &[u8]) -> Vec<u8> {
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
        let selected = FieldIndex::new(&head).select(names.iter().copied(), own);
        selected.iter().map(|field| field.position).collect()
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
    fn lists_what_is_not_signed() {
        let (head, _) = Head::parse(b"D: s\r\nTo: 1\r\nTo: 2\r\nX: 3\r\nFrom: 4\r\n\r\n");
        let index = FieldIndex::new(&head);
        let selected = index.select(["from", "to"], 0);
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
