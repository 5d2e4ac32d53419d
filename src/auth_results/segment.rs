//! The pieces of a field that does not follow the grammar.

use super::read::Tolerated;
use super::{Keyword, Method, MethodResult, Property, PropertyType, ResultWord, parse};
use crate::text;

/// What stands between two semicolons, quoted strings and comments apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment<'a> {
    pub(super) octets: &'a [u8],
    /// A quoted string or comment in it does not end.
    pub(super) broken: bool,
}

/// Splits a field at its semicolons.
pub(super) struct Segments<'a>(Option<&'a [u8]>);

impl<'a> Segments<'a> {
    pub(super) fn of(field: &'a [u8]) -> Self {
        Self(Some(field))
    }
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        let all = self.0?;
        let mut rest = all;
        let mut broken = false;
        loop {
            rest = match rest {
                [] => break,
                [b';', ..] => break,
                [b'"', ..] => skip(
                    parse::quoted_string(rest).ok().map(|(rest, _)| rest),
                    &mut broken,
                ),
                [b'(', ..] => skip(parse::cfws(rest).ok().map(|(rest, _)| rest), &mut broken),
                [_, rest @ ..] => rest,
            };
        }
        let length = all.len().saturating_sub(rest.len());
        self.0 = rest.get(1..);
        Some(Segment {
            octets: all.get(..length).unwrap_or_default(),
            broken,
        })
    }
}

/// Behind a quoted string or comment; at the end of the field if it has none.
fn skip<'a>(rest: Option<&'a [u8]>, broken: &mut bool) -> &'a [u8] {
    *broken |= rest.is_none();
    rest.unwrap_or_default()
}

impl<'a> Segment<'a> {
    /// The octets without white space and comments in front, and white space at the end.
    pub(super) fn trimmed(&self) -> &'a [u8] {
        text::trim_fws(behind_cfws(self.octets))
    }

    pub(super) fn is_blank(&self) -> bool {
        !self.broken && self.trimmed().is_empty()
    }

    pub(super) fn is_none(&self) -> bool {
        let octets = self.trimmed();
        octets
            .get(..4)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"none"))
            && octets
                .get(4..)
                .is_some_and(|rest| behind_cfws(rest).is_empty())
    }

    /// `i=1`.
    pub(super) fn instance(&self) -> Option<u32> {
        let rest = self.trimmed().strip_prefix(b"i")?;
        let rest = behind_cfws(rest).strip_prefix(b"=")?;
        let (rest, number) = parse::number(behind_cfws(rest)).ok()?;
        behind_cfws(rest).is_empty().then_some(number)
    }

    /// The authserv-id, whether it was quoted, and the version.
    pub(super) fn authserv_id(&self) -> Option<(String, bool, Option<u32>)> {
        if self.broken {
            return None;
        }
        let octets = self.trimmed();
        let (rest, word, quoted) = match parse::quoted_string(octets) {
            Ok((rest, word)) => (rest, word, true),
            Err(_) => {
                let (word, rest) = octets.split_at_checked(run(octets))?;
                (rest, text::lossy(word).into_owned(), false)
            }
        };
        if !quoted && (word.contains('=') || word.is_empty()) {
            return None;
        }
        let rest = behind_cfws(rest);
        if rest.is_empty() {
            return Some((word, quoted, None));
        }
        let (rest, version) = parse::number(rest).ok()?;
        behind_cfws(rest)
            .is_empty()
            .then_some((word, quoted, Some(version)))
    }

    /// The result, and what follows it.
    pub(super) fn result(&self) -> Option<(MethodResult, &'a [u8])> {
        if self.broken {
            return None;
        }
        let (rest, method) = parse::keyword(self.trimmed()).ok()?;
        let mut rest = behind_cfws(rest);
        let mut version = 1;
        if let [b'/', after @ ..] = rest {
            let (after, number) = parse::number(behind_cfws(after)).ok()?;
            version = number;
            rest = behind_cfws(after);
        }
        let rest = behind_cfws(rest.strip_prefix(b"=")?);
        let (rest, word) = parse::keyword(rest).ok()?;
        // `pass.example` is not `pass`.
        let ends = rest
            .first()
            .is_none_or(|octet| text::is_fws(*octet) || *octet == b'(');
        let (rest, comment) = parse::cfws(rest).ok().filter(|_| ends)?;
        let mut result = MethodResult::new(Method::from(method), ResultWord::from(word));
        result.version = version;
        result.comment = comment;
        Some((result, rest))
    }
}

/// Something behind a result.
pub(super) struct Item {
    pub(super) content: Option<Content>,
    pub(super) tolerated: Option<Tolerated>,
}

pub(super) enum Content {
    Property(Property),
    Reason(String),
}

impl Item {
    pub(super) fn take(rest: &mut &[u8]) -> Option<Self> {
        *rest = behind_cfws(rest);
        if rest.is_empty() {
            return None;
        }
        if let Some((after, property)) = strict_property(rest) {
            *rest = after;
            return Some(Self {
                content: Some(Content::Property(property)),
                tolerated: None,
            });
        }
        let whole = *rest;
        let (name, after) = rest.split_at_checked(run_until(rest, b'='))?;
        let Some(after) = after.strip_prefix(b"=") else {
            // A word of its own. Where a parenthesis opens and nothing closes it, all the rest.
            *rest = if name.is_empty() { &[] } else { after };
            return Some(Self::junk(whole, rest));
        };
        let (value, quoted, after) = value(after)?;
        *rest = after;
        let text = text::lossy(&value).into_owned();
        if name.eq_ignore_ascii_case(b"reason") && !text.is_empty() {
            let tolerated = (!quoted && !value.iter().all(|octet| text::is_token(*octet)))
                .then(|| Tolerated::Unquoted(shown(&value)));
            return Some(Self {
                content: Some(Content::Reason(text)),
                tolerated,
            });
        }
        let Some((ptype, name)) = property_name(name).filter(|_| quoted || !text.is_empty()) else {
            return Some(Self::junk(whole, rest));
        };
        let tolerated = if std::str::from_utf8(&value).is_err() {
            Tolerated::Encoding
        } else {
            Tolerated::Unquoted(shown(&value))
        };
        Some(Self {
            content: Some(Content::Property(Property::new(ptype, name, text))),
            tolerated: Some(tolerated),
        })
    }

    fn junk(whole: &[u8], rest: &[u8]) -> Self {
        let length = whole.len().saturating_sub(rest.len());
        let octets = whole.get(..length).unwrap_or_default();
        Self {
            content: None,
            tolerated: Some(Tolerated::NotAProperty(shown(octets))),
        }
    }
}

/// A property by the grammar, unless its value goes on where the grammar stops.
fn strict_property(input: &[u8]) -> Option<(&[u8], Property)> {
    let (rest, property) = parse::property(input).ok()?;
    let consumed = input.len().saturating_sub(rest.len());
    let last = input.get(..consumed).and_then(<[u8]>::last);
    let ends = rest.is_empty()
        || last.is_some_and(|octet| text::is_fws(*octet) || matches!(octet, b')' | b'"'));
    ends.then_some((rest, property))
}

fn property_name(name: &[u8]) -> Option<(PropertyType, Keyword)> {
    let (ptype, name) = text::split_once(name, b'.')?;
    let keyword = |octets| std::str::from_utf8(octets).ok().and_then(Keyword::new);
    Some((PropertyType::from(keyword(ptype)?), keyword(name)?))
}

/// A value up to the next white space or comment, possibly folded away from its `=`.
fn value(input: &[u8]) -> Option<(Vec<u8>, bool, &[u8])> {
    let next = behind_cfws(input);
    if let Ok((rest, text)) = parse::quoted_string(next) {
        return Some((text.into_bytes(), true, rest));
    }
    let (word, rest) = next.split_at_checked(run(next))?;
    // Behind a space stands the next property rather than the value.
    if next.len() != input.len()
        && text::split_once(word, b'=').is_some_and(|(name, _)| property_name(name).is_some())
    {
        return Some((Vec::new(), false, input));
    }
    Some((word.to_vec(), false, rest))
}

fn behind_cfws(input: &[u8]) -> &[u8] {
    parse::cfws(input).map_or(input, |(rest, _)| rest)
}

/// How many octets there are before white space or a comment.
fn run(octets: &[u8]) -> usize {
    let ends = |octet: &u8| text::is_fws(*octet) || *octet == b'(';
    octets.iter().position(ends).unwrap_or(octets.len())
}

/// As [`run`], and before `stop`.
fn run_until(octets: &[u8], stop: u8) -> usize {
    let length = run(octets);
    let run = octets.get(..length).unwrap_or_default();
    text::find(run, stop).unwrap_or(length)
}

/// Network text for the list of what was wrong.
pub(super) fn shown(octets: &[u8]) -> String {
    text::one_line(&text::lossy(text::trim_fws(octets)), 80)
}
