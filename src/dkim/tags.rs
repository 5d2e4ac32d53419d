//! Tags that signatures of DKIM and ARC have in common.

use super::canonicalize::Canonicalization;
use super::signature_error::SignatureError;
use crate::domain::Domain;
use crate::tag_list::TagList;
use crate::text;

/// The tags of a signature of DKIM or ARC.
pub(crate) struct Tags<'a>(TagList<'a>);

impl<'a> Tags<'a> {
    /// No tags, to be [read](Self::read).
    pub(crate) fn new() -> Self {
        Self(TagList::new())
    }

    /// Reads a tag list in which only whole folds are white space.
    pub(crate) fn read(&mut self, value: &'a [u8]) -> Result<(), SignatureError> {
        if let Some(at) = broken_fold(value) {
            return Err(SignatureError::Fold { at });
        }
        Ok(self.0.read(value)?)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.0.get(name.as_bytes())
    }

    pub(crate) fn required(&self, tag: &'static str) -> Result<&'a [u8], SignatureError> {
        self.get(tag).ok_or(SignatureError::Missing { tag })
    }

    pub(crate) fn base64(&self, tag: &'static str) -> Result<Vec<u8>, SignatureError> {
        let mut octets = Vec::new();
        self.base64_onto(tag, &mut octets)?;
        Ok(octets)
    }

    /// Decodes behind what `out` has; returns how many octets there are now.
    pub(super) fn base64_onto(
        &self,
        tag: &'static str,
        out: &mut Vec<u8>,
    ) -> Result<usize, SignatureError> {
        let before = out.len();
        match text::base64_decode_onto(self.required(tag)?, out) {
            Ok(()) if out.len() != before => Ok(out.len()),
            _ => Err(SignatureError::Base64 { tag }),
        }
    }

    pub(crate) fn domain(&self, tag: &'static str) -> Result<Domain, SignatureError> {
        let value = self.required(tag)?;
        if value.ends_with(b".") {
            return Err(SignatureError::Value { tag });
        }
        Domain::parse(value).map_err(|error| SignatureError::Domain { tag, error })
    }

    pub(crate) fn number(
        &self,
        tag: &'static str,
        digits: usize,
    ) -> Result<Option<u64>, SignatureError> {
        let Some(value) = self.get(tag) else {
            return Ok(None);
        };
        let sound =
            !value.is_empty() && value.len() <= digits && value.iter().all(u8::is_ascii_digit);
        if !sound {
            return Err(SignatureError::Number { tag });
        }
        // ‘Implementations ... must be prepared’ for 76 digits: more than any body has is too much,
        // however much it is.
        Ok(Some(text::decimal(value, digits).unwrap_or(u64::MAX)))
    }

    pub(crate) fn canonicalization(
        &self,
    ) -> Result<(Canonicalization, Canonicalization), SignatureError> {
        let Some(value) = self.get("c") else {
            return Ok(Default::default());
        };
        Canonicalization::parse_pair(value).ok_or_else(|| SignatureError::Canonicalization {
            canonicalization: text::one_line(&text::lossy(value), SHOWN),
        })
    }

    /// §3.5 q=: ‘Unrecognized query mechanisms MUST be ignored’, ‘dns/txt’ is the only one defined.
    pub(crate) fn query_methods(&self) -> Result<(), SignatureError> {
        let Some(value) = self.get("q") else {
            return Ok(());
        };
        value
            .split(|octet| *octet == b':')
            .any(|method| text::trim_fws(method) == b"dns/txt")
            .then_some(())
            .ok_or(SignatureError::QueryMethod)
    }

    /// §3.5 h=: ‘The field MUST contain the complete list of header fields in the order presented’,
    /// §5.4: ‘The From header field MUST be signed’.
    pub(crate) fn signed_fields(&self, limit: usize) -> Result<FieldNames, SignatureError> {
        let names = FieldNames::parse(self.required("h")?, 1, limit)?;
        if !names.contains("From") {
            return Err(SignatureError::FromNotSigned);
        }
        Ok(names)
    }
}

/// The names in `h=` as written, with the colons and white space between them.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldNames(String);

impl FieldNames {
    /// Reads at most `limit` names, each of at least so many octets, 0 or 1.
    pub(crate) fn parse(
        value: &[u8],
        least_octets: usize,
        limit: usize,
    ) -> Result<Self, SignatureError> {
        if !are_plain_names(value, limit) {
            check_names(value, least_octets, limit)?;
        }
        let names = std::str::from_utf8(text::trim_fws(value));
        let names = names.map_err(|_| SignatureError::FieldName)?;
        Ok(Self(names.to_owned()))
    }

    /// The names as written and in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        let mut rest = Some(self.0.as_str()).filter(|names| !names.is_empty());
        std::iter::from_fn(move || {
            let names = rest?;
            let end = names.bytes().position(|octet| octet == b':');
            let (name, tail) = names.split_at_checked(end.unwrap_or(names.len()))?;
            rest = tail.get(1..);
            Some(name.trim_ascii())
        })
    }

    /// Whether the name stands among them; letter case does not matter.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}

impl Eq for FieldNames {}

impl PartialEq for FieldNames {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// Whether these are no more names than the limit, with white space nowhere but behind a colon or at
/// the beginning, as nearly all signers write them; told by a loop that the compiler vectorizes.
fn are_plain_names(value: &[u8], limit: usize) -> bool {
    let mut odd = 0;
    for (before, octet) in value.iter().zip(value.get(1..).unwrap_or_default()) {
        let (before, octet) = (*before, *octet);
        let ends_name = (before > b' ') & (before != b':');
        let is_name = (octet > b' ') & (octet < 0x7f) & (octet != b':');
        let is_space = (octet == b' ') | (octet == b'\t') | (octet == b'\r') | (octet == b'\n');
        let sound = is_name | (is_space & !ends_name) | ((octet == b':') & ends_name);
        odd |= u8::from(!sound);
    }
    let [first, .., last] = value else {
        return false;
    };
    let ends = (first.is_ascii_graphic() || text::is_fws(*first)) && *first != b':';
    let colons = text::count(value, b':');
    odd == 0 && ends && last.is_ascii_graphic() && *last != b':' && colons < limit
}

/// Finds what is wrong with the names, if anything is.
fn check_names(value: &[u8], least_octets: usize, limit: usize) -> Result<(), SignatureError> {
    // Octets of the name, and whether white space stands behind it.
    let (mut length, mut ended, mut number) = (0, false, 0);
    let end_name = |length: usize, number: usize| {
        if length < least_octets {
            return Err(SignatureError::FieldName);
        }
        if number == limit {
            return Err(SignatureError::TooManyFields { limit });
        }
        Ok(())
    };
    for &octet in value {
        if octet == b':' {
            end_name(length, number)?;
            (length, ended, number) = (0, false, number + 1);
        } else if octet.is_ascii_graphic() && !ended {
            length += 1;
        } else if text::is_fws(octet) {
            ended = length != 0;
        } else {
            return Err(SignatureError::FieldName);
        }
    }
    end_name(length, number)
}

/// FWS = [*WSP CRLF] 1*WSP: a line break that nothing continues, or half of one, is no white space.
fn broken_fold(value: &[u8]) -> Option<usize> {
    let mut searched = 0;
    loop {
        let rest = value.get(searched..)?;
        let at = searched + text::find_either(rest, b'\r', b'\n')?;
        match value.get(at..) {
            Some([b'\r', b'\n', b' ' | b'\t', ..]) => searched = at + 3,
            _ => return Some(at),
        }
    }
}

/// How much of an unknown word is kept to be shown.
pub(super) const SHOWN: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    /// Lists of all kinds of octets: the quick look lets none through that the other one refuses.
    #[test]
    fn plain_names_are_names() {
        const OCTETS: &[u8] = b"aaF-:: \t\r\n\0\x7f\xff";
        let mut state = 1_u32;
        let mut below = |bound: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            usize::try_from(state >> 12).unwrap() % bound
        };
        let rounds = if cfg!(miri) { 1_000 } else { 50_000 };
        let (mut plain, mut sound) = (0, 0);
        for _ in 0..rounds {
            let kinds = [6, 6, 7, OCTETS.len()][below(4)];
            let value: Vec<u8> = (0..below(9)).map(|_| OCTETS[below(kinds)]).collect();
            let checked = check_names(&value, 1, 3);
            sound += usize::from(checked.is_ok());
            if are_plain_names(&value, 3) {
                plain += 1;
                assert_eq!(checked, Ok(()), "{}", value.escape_ascii());
            }
        }
        assert!(
            plain > sound / 2 && sound > rounds / 50,
            "{plain} of {sound}"
        );
    }

    #[test]
    fn names() {
        let names = |value: &[u8]| {
            let names = FieldNames::parse(value, 1, 3)?;
            Ok(names.iter().map(str::to_owned).collect::<Vec<_>>())
        };
        let three = ["From", "To", "X-Y"].map(str::to_owned).to_vec();
        for value in [
            "From:To:X-Y",
            " From :\tTo : X-Y ",
            "From:\r\n\tTo:X-Y\r\n\t",
        ] {
            assert_eq!(names(value.as_bytes()), Ok(three.clone()), "{value}");
        }
        for value in [
            "",
            " ",
            "From:",
            ":From",
            "From::To",
            "Fr om",
            "F\u{e4}",
            "From: :To",
        ] {
            let error = SignatureError::FieldName;
            assert_eq!(names(value.as_bytes()), Err(error), "{value}");
        }
        let error = SignatureError::TooManyFields { limit: 3 };
        assert_eq!(names(b"a:b:c:d"), Err(error));
        let none = FieldNames::parse(b" ", 0, 3).unwrap();
        assert_eq!(none.iter().count(), 0);
    }
}
