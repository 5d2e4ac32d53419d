//! What of the header block a signature covers: selection (§5.4.2) and the octets that are hashed
//! (§3.7). ARC uses the same, so nothing here knows what the signature's field is called.

use std::collections::HashMap;

use super::canonicalize::Canonicalization;
use crate::message::{Field, Head};
use crate::text;

/// The fields of a header block by name, in one pass, for any number of signatures.
#[derive(Debug)]
pub(crate) struct FieldIndex {
    /// Lower-case name to the positions of its instances, top to bottom.
    by_name: HashMap<Vec<u8>, Vec<usize>>,
    /// Lower-case names in the order of their first occurrence.
    names: Vec<Vec<u8>>,
}

impl FieldIndex {
    pub(crate) fn new(head: &Head<'_>) -> Self {
        let mut by_name: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
        let mut names = Vec::new();
        for (position, field) in head.fields().iter().enumerate() {
            let name = field.name().to_ascii_lowercase();
            let instances = by_name.entry(name.clone()).or_default();
            if instances.is_empty() {
                names.push(name);
            }
            instances.push(position);
        }
        Self { by_name, names }
    }

    /// How many fields have the name.
    pub(crate) fn count(&self, name: &str) -> usize {
        let name = name.to_ascii_lowercase();
        self.by_name.get(name.as_bytes()).map_or(0, Vec::len)
    }

    /// Which instance each name of `h=` stands for.
    ///
    /// §5.4.2: header fields are signed ‘in order from the bottom of the header field block to the
    /// top’, so each repetition of a name takes the next instance further up; a name without a field
    /// stands for nothing at all. `own` is the signature field, which never covers itself this way.
    /// A cursor per name keeps the time linear in fields and names.
    pub(crate) fn select<'n>(
        &self,
        names: impl IntoIterator<Item = &'n str>,
        own: usize,
    ) -> Vec<SignedField> {
        let mut cursors: HashMap<&[u8], usize> = HashMap::new();
        let mut lower = Vec::new();
        let mut selected = Vec::new();
        for name in names {
            lower.clear();
            lower.extend(name.bytes().map(|octet| octet.to_ascii_lowercase()));
            let position =
                self.by_name
                    .get_key_value(lower.as_slice())
                    .and_then(|(key, instances)| {
                        let used = cursors.entry(key.as_slice()).or_default();
                        let mut unused = instances.iter().rev().skip(*used);
                        let mut position = unused.next();
                        *used += 1;
                        if position == Some(&own) {
                            position = unused.next();
                            *used += 1;
                        }
                        position.copied()
                    });
            selected.push(SignedField {
                name: name.to_owned(),
                position,
            });
        }
        selected
    }

    /// The fields that are present but not among the selected instances, other than `own`.
    pub(crate) fn unsigned(&self, selected: &[SignedField], own: usize) -> Vec<UnsignedField> {
        let mut signed: Vec<usize> = selected.iter().filter_map(|field| field.position).collect();
        signed.push(own);
        signed.sort_unstable();
        let unsigned = |name: &Vec<u8>| {
            let instances = self.by_name.get(name)?;
            let count = instances
                .iter()
                .filter(|position| signed.binary_search(position).is_err())
                .count();
            (count != 0).then(|| UnsignedField {
                name: text::lossy(name).into_owned(),
                instances: count,
            })
        };
        self.names.iter().filter_map(unsigned).collect()
    }
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
    let mut out = Vec::new();
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
    for (number, spec) in value.split(|octet| *octet == b';').enumerate() {
        if number != 0 {
            out.push(b';');
        }
        match text::split_once(spec, b'=') {
            Some((name, _)) if text::trim_fws(name) == b"b" => {
                out.extend_from_slice(name);
                out.push(b'=');
            }
            _ => out.extend_from_slice(spec),
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
