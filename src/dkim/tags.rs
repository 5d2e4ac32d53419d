//! Tags that signatures of DKIM and ARC have in common.

use super::canonicalize::Canonicalization;
use super::signature_error::SignatureError;
use crate::domain::Domain;
use crate::tag_list::{self, Tag};
use crate::text;

/// The tags of a signature of DKIM or ARC.
pub(crate) struct Tags<'a>(Vec<Tag<'a>>);

impl<'a> Tags<'a> {
    /// Reads a tag list in which only whole folds are white space.
    pub(crate) fn parse(value: &'a [u8]) -> Result<Self, SignatureError> {
        if let Some(at) = broken_fold(value) {
            return Err(SignatureError::Fold { at });
        }
        Ok(Self(tag_list::parse(value)?))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&'a [u8]> {
        let tag = self.0.iter().find(|tag| tag.is(name.as_bytes()));
        tag.map(|tag| tag.value)
    }

    pub(crate) fn required(&self, tag: &'static str) -> Result<&'a [u8], SignatureError> {
        self.get(tag).ok_or(SignatureError::Missing { tag })
    }

    pub(crate) fn base64(&self, tag: &'static str) -> Result<Vec<u8>, SignatureError> {
        match text::base64_decode(self.required(tag)?) {
            Ok(octets) if !octets.is_empty() => Ok(octets),
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

/// The names in `h=`, as one text: without white space, colons between them.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct FieldNames(String);

impl FieldNames {
    /// Reads at most `limit` names, each of at least so many octets.
    pub(crate) fn parse(
        value: &[u8],
        least_octets: usize,
        limit: usize,
    ) -> Result<Self, SignatureError> {
        let mut names = Vec::with_capacity(value.len());
        for (number, name) in value.split(|octet| *octet == b':').enumerate() {
            let name = text::trim_fws(name);
            if name.len() < least_octets || !name.iter().all(u8::is_ascii_graphic) {
                return Err(SignatureError::FieldName);
            }
            if number == limit {
                return Err(SignatureError::TooManyFields { limit });
            }
            if number != 0 {
                names.push(b':');
            }
            names.extend_from_slice(name);
        }
        let names = String::from_utf8(names).map_err(|_| SignatureError::FieldName)?;
        Ok(Self(names))
    }

    /// The names as written and in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        let mut rest = Some(self.0.as_str()).filter(|names| !names.is_empty());
        std::iter::from_fn(move || {
            let names = rest?;
            let end = names.bytes().position(|octet| octet == b':');
            let (name, tail) = names.split_at_checked(end.unwrap_or(names.len()))?;
            rest = tail.get(1..);
            Some(name)
        })
    }

    /// Whether the name stands among them; letter case does not matter.
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.iter().any(|known| known.eq_ignore_ascii_case(name))
    }
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
