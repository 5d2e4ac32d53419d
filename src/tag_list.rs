//! Tag=value lists (RFC 6376 3.2), the syntax of DKIM signatures, keys, ARC seals and, with more
//! leniency, DMARC records.

use crate::text;

/// One `name=value` of a list, white space around both removed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Tag<'a> {
    /// The name as written.
    pub(crate) name: &'a [u8],
    /// The value without white space at its ends; white space inside is kept.
    pub(crate) value: &'a [u8],
    /// Where the tag-spec begins in the list.
    pub(crate) at: usize,
}

impl Tag<'_> {
    /// Whether it has this name. Length and first octet tell most names apart without a call.
    #[must_use]
    pub(crate) fn is(&self, name: &[u8]) -> bool {
        self.name.len() == name.len() && self.name.first() == name.first() && self.name == name
    }
}

/// The tags of a list, in their order.
#[derive(Clone, Debug)]
pub(crate) struct TagList<'a> {
    first: [Tag<'a>; EXPECTED_TAGS],
    /// How many of these there are.
    count: usize,
    /// A bit for the first octet of each name: most names that are looked for are none of them.
    known: u64,
    further: Vec<Tag<'a>>,
}

impl<'a> TagList<'a> {
    /// A list without tags, to be [read](Self::read): one that is full is too large to be handed on.
    pub(crate) fn new() -> Self {
        let none = Tag {
            name: &[],
            value: &[],
            at: 0,
        };
        Self {
            first: [none; EXPECTED_TAGS],
            count: 0,
            known: 0,
            further: Vec::new(),
        }
    }

    /// Reads a whole list by the strict rules of RFC 6376 3.2.
    ///
    /// # Errors
    ///
    /// The first rule broken. ‘Tags with duplicate names MUST NOT occur within a single tag-list; if a
    /// tag name does occur more than once, the entire tag-list is invalid.’
    pub(crate) fn read(&mut self, list: &'a [u8]) -> Result<(), TagListError> {
        for tag in specs(list) {
            let tag = tag?;
            if self.may_have(tag.name) && self.find(tag.name).is_some() {
                return Err(TagListError::Duplicate {
                    name: text::lossy(tag.name).into_owned(),
                    at: tag.at,
                });
            }
            if self.further.len() == MAX_TAGS - EXPECTED_TAGS {
                return Err(TagListError::TooMany { at: tag.at });
            }
            self.known |= bit(tag.name);
            match self.first.get_mut(self.count) {
                Some(free) => {
                    *free = tag;
                    self.count += 1;
                }
                None => self.further.push(tag),
            }
        }
        if self.count == 0 {
            return Err(TagListError::Empty { at: 0 });
        }
        Ok(())
    }

    /// The tags in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Tag<'a>> {
        self.first.iter().take(self.count).chain(&self.further)
    }

    /// The value of the tag of this name.
    #[inline]
    pub(crate) fn get(&self, name: &[u8]) -> Option<&'a [u8]> {
        let tag = self.may_have(name).then(|| self.find(name))??;
        Some(tag.value)
    }

    #[inline]
    fn may_have(&self, name: &[u8]) -> bool {
        self.known & bit(name) != 0
    }

    fn find(&self, name: &[u8]) -> Option<&Tag<'a>> {
        let first = self.first.get(..self.count).unwrap_or_default();
        let mut first = first.iter();
        first
            .find(|tag| tag.is(name))
            .or_else(|| self.further.iter().find(|tag| tag.is(name)))
    }
}

/// The bit of a name; each letter has one of its own.
fn bit(name: &[u8]) -> u64 {
    name.first().map_or(0, |octet| 1 << (octet % 64))
}

/// The tag-specs of a list one by one, each with what is wrong with it. Duplicates are the caller's
/// to judge. The empty spec after a final ‘;’ is not reported; an empty one elsewhere is.
pub(crate) fn specs(list: &[u8]) -> impl Iterator<Item = Result<Tag<'_>, TagListError>> {
    let mut rest = Some(list);
    let mut at = 0;
    // Nearly every list can be spared the search in each value. Without an early end this is done
    // for many octets at once.
    let has_control = list
        .iter()
        .fold(false, |found, octet| found | is_control(*octet));
    std::iter::from_fn(move || {
        let list = rest?;
        let start = at;
        let spec = match text::split_once(list, b';') {
            Some((spec, tail)) => {
                rest = Some(tail);
                at += spec.len() + 1;
                spec
            }
            None => {
                rest = None;
                if text::trim_fws(list).is_empty() {
                    return None;
                }
                list
            }
        };
        Some(parse_spec(spec, start, has_control))
    })
}

/// tag-spec = [FWS] tag-name [FWS] "=" [FWS] tag-value [FWS]
fn parse_spec(spec: &[u8], at: usize, has_control: bool) -> Result<Tag<'_>, TagListError> {
    // The name is short: a search that is made for long texts would take longer.
    let name_end = spec.iter().position(|octet| *octet == b'=');
    let Some((name, [_, value @ ..])) = name_end.and_then(|end| spec.split_at_checked(end)) else {
        return Err(if text::trim_fws(spec).is_empty() {
            TagListError::Empty { at }
        } else {
            TagListError::NoEquals { at }
        });
    };
    let name = text::trim_fws(name);
    // tag-name = ALPHA *ALNUMPUNC ; ALNUMPUNC = ALPHA / DIGIT / "_"
    let valid = name.first().is_some_and(u8::is_ascii_alphabetic)
        && name
            .iter()
            .all(|octet| octet.is_ascii_alphanumeric() || *octet == b'_');
    if !valid {
        return Err(TagListError::Name { at });
    }
    let value = text::trim_fws(value);
    if !has_control {
        return Ok(Tag { name, value, at });
    }
    // tval = 1*VALCHAR, VALCHAR = %x21-3A / %x3C-7E; white space inside. RFC 8616 5 and 6532 add
    // UTF-8, so octets above 127 are left to the tag's own rule.
    match value.iter().position(|octet| is_control(*octet)) {
        Some(offset) => Err(TagListError::Value {
            name: text::lossy(name).into_owned(),
            octet: value.get(offset).copied().unwrap_or_default(),
            at,
        }),
        None => Ok(Tag { name, value, at }),
    }
}

/// Whether the octet may not stand in a value, not even where it is folded.
fn is_control(octet: u8) -> bool {
    octet.is_ascii_control() & !text::is_fws(octet)
}

/// A signature has about a dozen tags; so many are kept without asking for memory.
const EXPECTED_TAGS: usize = 16;

/// More tags than any specification defines, few enough that looking for duplicates one by one
/// costs nothing.
const MAX_TAGS: usize = 64;

/// The rule of RFC 6376 3.2 that a tag list breaks.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TagListError {
    /// A tag stands twice.
    #[error("tag {name}= stands twice (at {at})")]
    Duplicate {
        /// The tag.
        name: String,
        /// The offset of its second occurrence.
        at: usize,
    },
    /// No tag where one must stand.
    #[error("empty tag at {at}")]
    Empty {
        /// The offset of the empty tag.
        at: usize,
    },
    /// A tag name that the grammar does not allow.
    #[error("malformed tag name at {at}")]
    Name {
        /// The offset of the tag.
        at: usize,
    },
    /// Text without `=`.
    #[error("no \"=\" in the tag at {at}")]
    NoEquals {
        /// The offset of the text.
        at: usize,
    },
    /// More than 64 tags.
    #[error("more than 64 tags (at {at})")]
    TooMany {
        /// The offset of the 65th.
        at: usize,
    },
    /// A control character in a value.
    #[error("octet 0x{octet:02x} in the value of {name}= (at {at})")]
    Value {
        /// The tag.
        name: String,
        /// The octet.
        octet: u8,
        /// The offset of the tag.
        at: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[u8]) -> Result<Vec<(String, String)>, TagListError> {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        let mut tags = TagList::new();
        tags.read(list)?;
        Ok(tags
            .iter()
            .map(|tag| (text(tag.name), text(tag.value)))
            .collect())
    }

    #[test]
    fn reads_lists() {
        let tags = pairs(b" a = 1 ;\r\n b=x y=z\r\n ;c=; ").unwrap();
        let expected = [("a", "1"), ("b", "x y=z"), ("c", "")];
        assert_eq!(
            tags,
            expected.map(|(name, value)| (name.into(), value.into()))
        );
        let mut list = TagList::new();
        list.read(b"a=1;b=2").unwrap();
        assert_eq!(list.iter().nth(1).unwrap().at, 4);
    }

    #[test]
    fn names_the_rule() {
        assert_eq!(pairs(b""), Err(TagListError::Empty { at: 0 }));
        assert_eq!(pairs(b"a=1;;b=2"), Err(TagListError::Empty { at: 4 }));
        assert_eq!(pairs(b"a=1;b"), Err(TagListError::NoEquals { at: 4 }));
        assert_eq!(pairs(b"a=1;=2"), Err(TagListError::Name { at: 4 }));
        assert_eq!(pairs(b"a=1;1a=2"), Err(TagListError::Name { at: 4 }));
        assert_eq!(pairs(b"a=1;a b=2"), Err(TagListError::Name { at: 4 }));
        assert_eq!(
            pairs(b"a=1;a=1"),
            Err(TagListError::Duplicate {
                name: "a".into(),
                at: 4
            })
        );
        assert_eq!(
            pairs(b"a=1;b=\x00"),
            Err(TagListError::Value {
                name: "b".into(),
                octet: 0,
                at: 4
            })
        );
        // Names are case-sensitive.
        assert!(pairs(b"a=1;A=1").is_ok());
        let most: String = (0..64).map(|n| format!("t{n}=;")).collect();
        assert_eq!(pairs(most.as_bytes()).unwrap().len(), 64);
        let many: String = (0..65).map(|n| format!("t{n}=;")).collect();
        assert!(matches!(
            pairs(many.as_bytes()),
            Err(TagListError::TooMany { .. })
        ));
    }
}
