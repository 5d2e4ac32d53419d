//! The grammar of §9.1, with some patience.

use nom::bytes::complete::{tag, take_while, take_while1};
use nom::combinator::opt;
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use super::ReceivedSpf;
use crate::auth_results::ParseError;
use crate::spf::SpfResult;
use crate::text;

/// header-field = "Received-SPF:" [CFWS] result FWS [comment FWS] [ key-value-list ] CRLF
pub(super) fn field(value: &[u8]) -> Result<ReceivedSpf, ParseError> {
    if value.len() > MAX_OCTETS {
        return Err(ParseError::Length(MAX_OCTETS));
    }
    let at = |rest: &[u8]| value.len().saturating_sub(rest.len());
    let (rest, _) = cfws(value).map_err(|_| ParseError::Quoting(0))?;
    let (rest, result) = result(rest).ok_or(ParseError::Result(at(rest)))?;
    let mut field = ReceivedSpf::new(result);
    let (mut rest, comment) = cfws(rest).map_err(|_| ParseError::Quoting(at(rest)))?;
    field.comment = comment;
    while !rest.is_empty() {
        let (behind, pair) = terminated(pair, opt(tag(&b";"[..])))
            .parse(rest)
            .map_err(|_| ParseError::Property(at(rest)))?;
        field.pairs.push(pair);
        (rest, _) = cfws(behind).map_err(|_| ParseError::Quoting(at(behind)))?;
    }
    Ok(field)
}

fn result(input: &[u8]) -> Option<(&[u8], SpfResult)> {
    let length = input
        .iter()
        .position(|octet| !octet.is_ascii_alphabetic())
        .unwrap_or(input.len());
    let (word, rest) = input.split_at_checked(length)?;
    let result = SpfResult::from_word(std::str::from_utf8(word).ok()?)?;
    Some((rest, result))
}

/// Folding white space and comments; gives the first comment.
fn cfws(input: &[u8]) -> IResult<&[u8], Option<String>> {
    let (mut rest, _) = take_while(text::is_fws).parse(input)?;
    let mut first = None;
    while rest.first() == Some(&b'(') {
        let (behind, comment) = comment(rest)?;
        first.get_or_insert(comment);
        (rest, _) = take_while(text::is_fws).parse(behind)?;
    }
    Ok((rest, first))
}

/// A comment with the comments inside it, which are kept as text.
fn comment(input: &[u8]) -> IResult<&[u8], String> {
    let mut depth = 0_usize;
    let mut out = Vec::new();
    let mut octets = input.iter().enumerate();
    while let Some((index, &octet)) = octets.next() {
        match octet {
            b'(' => {
                depth += 1;
                if depth > 1 {
                    out.push(octet);
                }
            }
            b')' if depth == 1 => {
                let rest = input.get(index + 1..).unwrap_or_default();
                return Ok((rest, to_text(&out)));
            }
            b')' => {
                depth = depth.saturating_sub(1);
                out.push(octet);
            }
            b'\\' => out.extend(octets.next().map(|(_, octet)| *octet)),
            octet => out.push(octet),
        }
    }
    Err(malformed(input))
}

/// key-value-pair = key [CFWS] "=" ( dot-atom / quoted-string )
fn pair(input: &[u8]) -> IResult<&[u8], (String, String)> {
    let (rest, name) = key(input)?;
    let (rest, value) = delimited(
        (cfws, tag(&b"="[..])),
        preceded(cfws, value),
        take_while(text::is_fws),
    )
    .parse(rest)?;
    Ok((rest, (to_text(name).to_ascii_lowercase(), value)))
}

fn key(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let (rest, key) =
        take_while1(|octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet))
            .parse(input)?;
    if is_key(key) {
        Ok((rest, key))
    } else {
        Err(malformed(input))
    }
}

/// name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
pub(super) fn is_key(key: &[u8]) -> bool {
    key.first().is_some_and(u8::is_ascii_alphabetic)
        && key
            .iter()
            .all(|octet| octet.is_ascii_alphanumeric() || b"-_.".contains(octet))
}

fn value(input: &[u8]) -> IResult<&[u8], String> {
    if let [b'"', rest @ ..] = input {
        return quoted_string(rest);
    }
    let (rest, value) = take_while(|octet| octet != b';' && !text::is_fws(octet)).parse(input)?;
    Ok((rest, to_text(value)))
}

/// What stands between the quotes, of which the first is read.
fn quoted_string(input: &[u8]) -> IResult<&[u8], String> {
    let mut out = Vec::new();
    let mut octets = input.iter().enumerate();
    while let Some((index, &octet)) = octets.next() {
        match octet {
            b'"' => {
                let rest = input.get(index + 1..).unwrap_or_default();
                return Ok((rest, to_text(&out)));
            }
            b'\\' => out.extend(octets.next().map(|(_, octet)| *octet)),
            octet => out.push(octet),
        }
    }
    Err(malformed(input))
}

fn malformed(input: &[u8]) -> nom::Err<nom::error::Error<&[u8]>> {
    nom::Err::Error(nom::error::Error::new(input, nom::error::ErrorKind::Verify))
}

/// Unfolds: the line breaks go, the white space behind them stays (RFC 5322 2.2.3). Other control
/// characters have no business there either.
fn to_text(octets: &[u8]) -> String {
    text::lossy(octets)
        .chars()
        .filter(|character| *character == '\t' || !character.is_control())
        .map(|character| if character == '\t' { ' ' } else { character })
        .collect()
}

/// As for Authentication-Results: pairs take up many times as much memory as their text.
const MAX_OCTETS: usize = 65_536;
