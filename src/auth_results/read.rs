//! Reading the fields that the world sends.

use super::{
    AuthservId, Keyword, Method, MethodResult, ParseError, Property, PropertyType, ResultWord,
    parse,
};
use crate::text;

/// Reads the value of an Authentication-Results or ARC-Authentication-Results field, as tolerantly
/// as can be without reading anything into it.
///
/// A field by the grammar is read by the grammar. Of any other, what cannot be read is left out, and
/// [`Reading::tolerated`] lists what was wrong: Microsoft's fields without authserv-id and with
/// `action=none`, values that should be quoted, empty results, and so on. A quoted string or comment
/// that does not end takes everything behind it along.
///
/// ```
/// use mailproof::auth_results::{self, Method, ResultWord, Tolerated};
///
/// let value = b"spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=example.com;\r\n \
///     dmarc=pass action=none header.from=example.com;compauth=pass reason=100";
/// let reading = auth_results::read(value)?;
/// assert_eq!(reading.authserv_id(), None);
/// let dmarc = reading.of(&Method::Dmarc).next().unwrap();
/// assert_eq!(dmarc.result, ResultWord::Pass);
/// assert_eq!(dmarc.properties[0].value, "example.com");
/// assert_eq!(
///     reading.tolerated(),
///     [Tolerated::NoAuthservId, Tolerated::NotAProperty("action=none".into())]
/// );
/// # Ok::<(), mailproof::auth_results::ParseError>(())
/// ```
///
/// # Errors
///
/// [`ParseError`] for what is not even text: control characters, line breaks that are not folding,
/// more than 64 KiB, or nothing at all.
pub fn read(value: &[u8]) -> Result<Reading, ParseError> {
    parse::check_octets(value)?;
    let strict = match parse::payload(value) {
        Ok(field) => {
            return Ok(Reading {
                authserv_id: Some(field.authserv_id),
                version: field.version,
                results: field.results,
                ..Reading::default()
            });
        }
        Err(error) => error,
    };
    let mut reading = Reading::default();
    let mut segments = Segments(Some(value)).peekable();
    if segments.peek().is_none_or(|first| first.is_blank()) {
        return Err(strict);
    }
    // RFC 8617 4.1.1: ‘arc-info = instance [CFWS] ";" authres-payload’.
    if let Some(instance) = segments.peek().and_then(Segment::instance) {
        reading.instance = Some(instance);
        segments.next();
    }
    reading.read_authserv_id(&mut segments);
    for segment in segments {
        reading.read_segment(&segment);
    }
    if reading.results.is_empty() && reading.tolerated.is_empty() && reading.instance.is_none() {
        reading.tolerate(Tolerated::NoResults);
    }
    Ok(reading)
}

/// Reads the results of trusted upstreams: at most `most` fields, counted from the top of the
/// header, as long as each is by one of `trusted`.
///
/// Every server puts its field above those that it found. So what a trusted server wrote stands on
/// top; below the first field by anybody else, even a trusted name may be forged. `most` is how many
/// fields the trusted servers add between them: a sender can put as many below as it likes.
///
/// ```
/// use mailproof::auth_results::read_trusted;
///
/// let values = [
///     &b"mx.example.com; spf=fail"[..],
///     b"mx.example.com; spf=pass smtp.mailfrom=bank.example",
/// ];
/// let readings = read_trusted(values, &["mx.example.com".parse()?], 1);
/// assert_eq!(readings.len(), 1);
/// assert_eq!(readings[0].results()[0].result.as_str(), "fail");
/// # Ok::<(), mailproof::auth_results::AuthservIdError>(())
/// ```
pub fn read_trusted<'a>(
    values: impl IntoIterator<Item = &'a [u8]>,
    trusted: &[AuthservId],
    most: usize,
) -> Vec<Reading> {
    let is_trusted = |reading: &Reading| {
        reading.version == 1
            && reading
                .authserv_id()
                .is_some_and(|id| trusted.iter().any(|trusted| trusted.is_same(id)))
    };
    values
        .into_iter()
        .take(most)
        .map_while(|value| read(value).ok().filter(is_trusted))
        .collect()
}

/// What a field says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reading {
    authserv_id: Option<AuthservId>,
    instance: Option<u32>,
    version: u32,
    results: Vec<MethodResult>,
    tolerated: Vec<Tolerated>,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            authserv_id: None,
            instance: None,
            version: 1,
            results: Vec::new(),
            tolerated: Vec::new(),
        }
    }
}

impl Reading {
    /// Who says so; `None` where the field does not say.
    #[must_use]
    pub fn authserv_id(&self) -> Option<&AuthservId> {
        self.authserv_id.as_ref()
    }

    /// The instance of an ARC-Authentication-Results field (RFC 8617 4.1.1).
    #[must_use]
    pub fn instance(&self) -> Option<u32> {
        self.instance
    }

    /// The version of the syntax; a reader that knows 1 must not rely on results in another.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The results, in the order of the field.
    #[must_use]
    pub fn results(&self) -> &[MethodResult] {
        &self.results
    }

    /// The results of one method.
    pub fn of<'a>(&'a self, method: &'a Method) -> impl Iterator<Item = &'a MethodResult> {
        self.results
            .iter()
            .filter(move |result| result.method == *method)
    }

    /// Where the field departs from the grammar, in the order of the field.
    #[must_use]
    pub fn tolerated(&self) -> &[Tolerated] {
        &self.tolerated
    }

    fn tolerate(&mut self, tolerated: Tolerated) {
        if self.tolerated.len() < MAX_RESULTS {
            self.tolerated.push(tolerated);
        }
    }

    fn read_authserv_id<'a>(
        &mut self,
        segments: &mut std::iter::Peekable<impl Iterator<Item = Segment<'a>>>,
    ) {
        let Some(segment) = segments.peek() else {
            return self.tolerate(Tolerated::NoAuthservId);
        };
        let Some((word, quoted, version)) = segment.authserv_id() else {
            // Microsoft begins with the first result.
            return self.tolerate(Tolerated::NoAuthservId);
        };
        let valid = word.parse().ok();
        if !quoted && !word.bytes().all(text::is_token) {
            self.tolerate(Tolerated::AuthservId(shown(word.as_bytes())));
        }
        if valid.is_none() {
            self.tolerate(Tolerated::NoAuthservId);
        }
        self.authserv_id = valid;
        self.version = version.unwrap_or(1);
        segments.next();
    }

    fn read_segment(&mut self, segment: &Segment<'_>) {
        if segment.is_blank() {
            return self.tolerate(Tolerated::EmptyResult);
        }
        if segment.is_none() {
            return;
        }
        if self.results.len() >= MAX_RESULTS {
            return self.tolerate(Tolerated::TooMany);
        }
        if let Some((result, rest)) = segment.result() {
            self.results.push(result);
            return self.read_properties(rest);
        }
        // Microsoft puts semicolons between properties too.
        if !self.results.is_empty() && !segment.broken && parse::property(segment.trimmed()).is_ok()
        {
            self.tolerate(Tolerated::Separated(shown(segment.octets)));
            return self.read_properties(segment.trimmed());
        }
        self.tolerate(Tolerated::Dropped(shown(segment.octets)));
    }

    /// Reads what follows a result, into the last one.
    fn read_properties(&mut self, mut rest: &[u8]) {
        while let Some(item) = Item::take(&mut rest) {
            if let Some(tolerated) = item.tolerated {
                self.tolerate(tolerated);
            }
            let Some(result) = self.results.last_mut() else {
                return;
            };
            match item.content {
                Some(Content::Property(property)) => result.properties.push(property),
                Some(Content::Reason(reason)) => {
                    result.reason.get_or_insert(reason);
                }
                None => {}
            }
        }
    }
}

/// Where a field departs from the grammar.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Tolerated {
    /// An authserv-id that should stand in quotes.
    AuthservId(String),
    /// A result that could not be read, or stands in or behind a quoted string or comment that does
    /// not end. It was left out.
    Dropped(String),
    /// A semicolon without a result, at the end for instance.
    EmptyResult,
    /// Octets that are not UTF-8, replaced by U+FFFD.
    Encoding,
    /// The field does not say who wrote it.
    NoAuthservId,
    /// Neither a result nor `none`.
    NoResults,
    /// Something like a property without type, as `action=none`. It was left out.
    NotAProperty(String),
    /// A property behind a semicolon, taken to belong to the result before it.
    Separated(String),
    /// More results than are read.
    TooMany,
    /// A value that should stand in quotes.
    Unquoted(String),
}

/// What stands between two semicolons, quoted strings and comments apart.
#[derive(Clone, Copy, Debug)]
struct Segment<'a> {
    octets: &'a [u8],
    /// A quoted string or comment in it does not end.
    broken: bool,
}

/// Splits a field at its semicolons.
struct Segments<'a>(Option<&'a [u8]>);

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
    fn trimmed(&self) -> &'a [u8] {
        text::trim_fws(behind_cfws(self.octets))
    }

    fn is_blank(&self) -> bool {
        !self.broken && self.trimmed().is_empty()
    }

    fn is_none(&self) -> bool {
        let octets = self.trimmed();
        octets
            .get(..4)
            .is_some_and(|word| word.eq_ignore_ascii_case(b"none"))
            && octets
                .get(4..)
                .is_some_and(|rest| behind_cfws(rest).is_empty())
    }

    /// `i=1`.
    fn instance(&self) -> Option<u32> {
        let rest = self.trimmed().strip_prefix(b"i")?;
        let rest = behind_cfws(rest).strip_prefix(b"=")?;
        let (rest, number) = parse::number(behind_cfws(rest)).ok()?;
        behind_cfws(rest).is_empty().then_some(number)
    }

    /// The authserv-id, whether it was quoted, and the version.
    fn authserv_id(&self) -> Option<(String, bool, Option<u32>)> {
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
    fn result(&self) -> Option<(MethodResult, &'a [u8])> {
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
struct Item {
    content: Option<Content>,
    tolerated: Option<Tolerated>,
}

enum Content {
    Property(Property),
    Reason(String),
}

impl Item {
    fn take(rest: &mut &[u8]) -> Option<Self> {
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
fn shown(octets: &[u8]) -> String {
    text::one_line(&text::lossy(text::trim_fws(octets)), 80)
}

/// Results read from one field, and departures listed. OpenDMARC once overflowed at 16; a field with
/// this many comes from somebody who is trying that.
const MAX_RESULTS: usize = 100;
