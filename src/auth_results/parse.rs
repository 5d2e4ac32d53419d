//! The grammar of §2.2, as it stands. What the world sends besides is the business of `read`.

use nom::branch::alt;
use nom::bytes::complete::{tag_no_case, take_while1};
use nom::character::complete::{char, digit1};
use nom::combinator::{all_consuming, map, map_opt, opt, recognize};
use nom::error::{ErrorKind, ParseError as NomError};
use nom::multi::{many0, separated_list1};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use super::{
    AuthenticationResults, AuthservId, Keyword, Method, MethodResult, ParseError, Property,
    PropertyType, ResultWord,
};
use crate::text;

/// `authres-payload`, without or with its CRLF, folded or not.
pub(super) fn payload(value: &[u8]) -> Result<AuthenticationResults, ParseError> {
    check_octets(value)?;
    match all_consuming(field).parse(value) {
        Ok((_, results)) => Ok(results),
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => {
            Err(fault.rule.at(value.len().saturating_sub(fault.rest)))
        }
        // Only parsers of streams ask for more.
        Err(nom::Err::Incomplete(_)) => Err(Rule::End.at(value.len())),
    }
}

/// Refuses what no field may hold, whatever the grammar: control characters, line breaks that are
/// not folding, too much of anything.
pub(super) fn check_octets(value: &[u8]) -> Result<(), ParseError> {
    if value.len() > MAX_OCTETS {
        return Err(Rule::Length.at(MAX_OCTETS));
    }
    let mut rest = value;
    while let Some((octet, after)) = rest.split_first() {
        let rule = match (octet, after) {
            (b'\t', _) | (b'\r', [b'\n', ..]) | (b'\n', [] | [b' ' | b'\t', ..]) => None,
            (b'\r' | b'\n', _) => Some(Rule::LineBreak),
            (octet, _) => octet.is_ascii_control().then_some(Rule::Control),
        };
        if let Some(rule) = rule {
            let at = value.len().saturating_sub(rest.len());
            return Err(rule.at(at));
        }
        rest = after;
    }
    Ok(())
}

/// The rules of [`ParseError`], before it is known where they are broken.
#[derive(Clone, Copy, Debug)]
enum Rule {
    AuthservId,
    Control,
    End,
    Length,
    LineBreak,
    Method,
    Property,
    Quoting,
    Result,
    Value,
}

impl Rule {
    fn at(self, at: usize) -> ParseError {
        match self {
            Self::AuthservId => ParseError::AuthservId(at),
            Self::Control => ParseError::Control(at),
            Self::End => ParseError::End(at),
            Self::Length => ParseError::Length(at),
            Self::LineBreak => ParseError::LineBreak(at),
            Self::Method => ParseError::Method(at),
            Self::Property => ParseError::Property(at),
            Self::Quoting => ParseError::Quoting(at),
            Self::Result => ParseError::Result(at),
            Self::Value => ParseError::Value(at),
        }
    }
}

/// Where parsing stopped, counted from the end, and what should have been there.
#[derive(Debug)]
pub(super) struct Fault {
    rest: usize,
    rule: Rule,
}

impl NomError<&[u8]> for Fault {
    fn from_error_kind(rest: &[u8], _: ErrorKind) -> Self {
        Self {
            rest: rest.len(),
            rule: Rule::End,
        }
    }

    /// Of several alternatives, the one that came furthest says what is wrong.
    fn or(self, other: Self) -> Self {
        if other.rest < self.rest { other } else { self }
    }

    fn append(_: &[u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// Says what should have been there if the parser fails without a reason of its own.
fn expect<'a, T>(
    rule: Rule,
    mut parser: impl Parser<&'a [u8], Output = T, Error = Fault>,
) -> impl FnMut(&'a [u8]) -> IResult<&'a [u8], T, Fault> {
    move |input| {
        parser.parse(input).map_err(|error| {
            error.map(|fault| Fault {
                rest: fault.rest,
                rule: match fault.rule {
                    Rule::End => rule,
                    known => known,
                },
            })
        })
    }
}

fn field(input: &[u8]) -> IResult<&[u8], AuthenticationResults, Fault> {
    let (input, authserv_id) =
        expect(Rule::AuthservId, preceded(cfws, authserv_id)).parse(input)?;
    let (input, version) = opt(preceded(cfws, number)).parse(input)?;
    let (input, results) = alt((results, none)).parse(input)?;
    let (input, _) = cfws(input)?;
    if !input.is_empty() {
        return Err(nom::Err::Error(Fault {
            rest: input.len(),
            rule: if results.is_empty() {
                Rule::End
            } else {
                Rule::Property
            },
        }));
    }
    let mut field = AuthenticationResults::new(authserv_id);
    field.version = version.unwrap_or(1);
    field.results = results;
    Ok((input, field))
}

/// `1*resinfo`. Where a semicolon follows, so must a result: what is wrong with it is worth knowing.
fn results(input: &[u8]) -> IResult<&[u8], Vec<MethodResult>, Fault> {
    let (mut input, first) = result(input)?;
    let mut results = vec![first];
    while let (_, Some(_)) = opt((cfws, char(';'))).parse(input)? {
        let (rest, next) = result(input)?;
        results.push(next);
        input = rest;
    }
    Ok((input, results))
}

/// `no-result`.
fn none(input: &[u8]) -> IResult<&[u8], Vec<MethodResult>, Fault> {
    let none = (cfws, char(';'), cfws, tag_no_case("none"));
    map(none, |_| Vec::new()).parse(input)
}

/// `resinfo`.
fn result(input: &[u8]) -> IResult<&[u8], MethodResult, Fault> {
    let (input, _) = (cfws, char(';'), cfws).parse(input)?;
    let (input, method) = expect(Rule::Method, keyword).parse(input)?;
    let version = preceded((cfws, char('/'), cfws), number);
    let (input, version) = opt(version).parse(input)?;
    let (input, _) = expect(Rule::Method, equals).parse(input)?;
    let (input, word) = expect(Rule::Result, keyword).parse(input)?;
    let (input, comment) = cfws(input)?;
    let (input, reason) = opt(reason).parse(input)?;
    let (input, properties) = many0(property).parse(input)?;
    let mut result = MethodResult::new(Method::from(method), ResultWord::from(word));
    result.version = version.unwrap_or(1);
    result.comment = comment;
    result.reason = reason;
    result.properties = properties;
    Ok((input, result))
}

/// `reasonspec` and the white space behind it.
fn reason(input: &[u8]) -> IResult<&[u8], String, Fault> {
    let name = (tag_no_case("reason"), equals);
    delimited(name, value, cfws).parse(input)
}

/// `propspec`.
pub(super) fn property(input: &[u8]) -> IResult<&[u8], Property, Fault> {
    let (input, ptype) = keyword(input)?;
    let (input, _) = (cfws, char('.'), cfws).parse(input)?;
    let (input, name) = keyword(input)?;
    let (input, _) = equals(input)?;
    let (input, value) = expect(Rule::Value, terminated(pvalue, cfws)).parse(input)?;
    Ok((input, Property::new(PropertyType::from(ptype), name, value)))
}

/// `pvalue`: `value / [ [ local-part ] "@" ] domain-name`. A value may be the beginning of an
/// address, so whatever reaches furthest is meant.
fn pvalue(input: &[u8]) -> IResult<&[u8], String, Fault> {
    let values = [
        value(input),
        address(input),
        text_of(domain_name).parse(input),
    ];
    let furthest = values
        .into_iter()
        .flatten()
        .min_by_key(|(rest, _)| rest.len());
    furthest.map_or_else(|| value(input), Ok)
}

/// `authserv-id`, which is a `value`.
fn authserv_id(input: &[u8]) -> IResult<&[u8], AuthservId, Fault> {
    map_opt(value, |text| text.parse().ok()).parse(input)
}

/// `value` of RFC 2045 5.1: a token or a quoted-string.
fn value(input: &[u8]) -> IResult<&[u8], String, Fault> {
    alt((quoted_string, text_of(take_while1(text::is_token)))).parse(input)
}

/// `[ local-part ] "@" domain-name`, kept as it is written.
fn address(input: &[u8]) -> IResult<&[u8], String, Fault> {
    let local_part = alt((recognize(quoted_string), dot_atom));
    text_of(recognize((opt(local_part), char('@'), domain_name))).parse(input)
}

fn dot_atom(input: &[u8]) -> IResult<&[u8], &[u8], Fault> {
    recognize(separated_list1(char('.'), take_while1(text::is_atext))).parse(input)
}

/// `domain-name` of RFC 6376 3.5, with the U-labels of RFC 6532, and underscores.
fn domain_name(input: &[u8]) -> IResult<&[u8], &[u8], Fault> {
    let is_label =
        |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_') || octet >= 0x80;
    recognize(separated_list1(char('.'), take_while1(is_label))).parse(input)
}

/// Octets as text; RFC 6532 3.2 allows UTF-8 and nothing else.
fn text_of<'a>(
    octets: impl Parser<&'a [u8], Output = &'a [u8], Error = Fault>,
) -> impl Parser<&'a [u8], Output = String, Error = Fault> {
    map_opt(octets, |octets: &[u8]| {
        std::str::from_utf8(octets).ok().map(str::to_owned)
    })
}

/// `Keyword` of RFC 5321 4.1.2.
pub(super) fn keyword(input: &[u8]) -> IResult<&[u8], Keyword, Fault> {
    let octets = take_while1(Keyword::is_octet);
    map_opt(text_of(octets), |text| Keyword::new(&text)).parse(input)
}

pub(super) fn number(input: &[u8]) -> IResult<&[u8], u32, Fault> {
    map_opt(digit1, |digits| {
        u32::try_from(text::decimal(digits, 9)?).ok()
    })
    .parse(input)
}

fn equals(input: &[u8]) -> IResult<&[u8], (), Fault> {
    map((cfws, char('='), cfws), |_| ()).parse(input)
}

/// `quoted-string` of RFC 5322 3.2.4 without the white space around it: what it stands for, line
/// breaks of folding removed.
pub(super) fn quoted_string(input: &[u8]) -> IResult<&[u8], String, Fault> {
    let (mut rest, _) = char('"').parse(input)?;
    let mut octets = Vec::new();
    loop {
        rest = match rest {
            [b'"', rest @ ..] => {
                let text = String::from_utf8(octets).map_err(|_| fault(rest))?;
                return Ok((rest, text));
            }
            [b'\\', octet, rest @ ..] | [octet, rest @ ..] if is_text(*octet) => {
                octets.push(blank(*octet));
                rest
            }
            [b'\r' | b'\n', rest @ ..] => rest,
            rest => return Err(fault(rest)),
        };
    }
}

/// `[CFWS]`; the text of the first comment in it.
pub(super) fn cfws(input: &[u8]) -> IResult<&[u8], Option<String>, Fault> {
    let mut rest = input;
    let mut first = None;
    loop {
        match rest.first() {
            Some(octet) if text::is_fws(*octet) => {
                rest = rest.get(1..).unwrap_or_default();
            }
            Some(b'(') => {
                let (after, comment) = comment(rest)?;
                first = first.or(Some(comment));
                rest = after;
            }
            _ => return Ok((rest, first)),
        }
    }
}

/// `comment` of RFC 5322 3.2.2, which nests: counted, so that depth costs nothing.
fn comment(input: &[u8]) -> IResult<&[u8], String, Fault> {
    let (mut rest, _) = char('(').parse(input)?;
    let mut octets = Vec::new();
    let mut depth = 1_usize;
    loop {
        let (octet, after) = match rest {
            [b'\\', octet, after @ ..] if is_text(*octet) => {
                octets.push(*octet);
                rest = after;
                continue;
            }
            [b'\r' | b'\n', after @ ..] => {
                rest = after;
                continue;
            }
            [octet, after @ ..] if is_text(*octet) => (*octet, after),
            rest => return Err(fault(rest)),
        };
        match octet {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            let text = String::from_utf8(octets).map_err(|_| fault(rest))?;
            return Ok((after, text));
        }
        octets.push(blank(octet));
        rest = after;
    }
}

/// What may stand in quotes and comments: no control characters but the tab of folding.
fn is_text(octet: u8) -> bool {
    octet == b'\t' || !octet.is_ascii_control()
}

/// A tab from folding stands for a space.
fn blank(octet: u8) -> u8 {
    if octet == b'\t' { b' ' } else { octet }
}

fn fault(rest: &[u8]) -> nom::Err<Fault> {
    nom::Err::Error(Fault {
        rest: rest.len(),
        rule: Rule::Quoting,
    })
}

/// No field that reports results comes near; the longest seen has 6 KiB.
pub(super) const MAX_OCTETS: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_comments_hold_text() {
        for (comment, text) in [
            (&b"(a (b) c)"[..], Some("a (b) c")),
            (b"(a\\)b)", Some("a)b")),
            (b"(a\r\n b)", Some("a b")),
            // The line break is folding, and nothing that a backslash could quote.
            (b"(a\\\r\n b)", Some("a\\ b")),
            (b"(a\tb)", Some("a b")),
            (b"(a\x01b)", None),
            (b"(a\\\x01b)", None),
            (b"(a\x7fb)", None),
        ] {
            let inner = comment.strip_prefix(b"(").unwrap();
            let quoted = [b"\"", inner.strip_suffix(b")").unwrap(), b"\""].concat();
            let read = cfws(comment).ok().and_then(|(_, text)| text);
            assert_eq!(read.as_deref(), text, "{}", comment.escape_ascii());
            let read = quoted_string(&quoted).ok().map(|(_, text)| text);
            assert_eq!(read.as_deref(), text, "{}", quoted.escape_ascii());
        }
    }
}
