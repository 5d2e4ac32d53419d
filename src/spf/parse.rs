//! The grammar of records (§12), on octets.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::macros::MacroString;
use super::network::{Cursor, network};
use super::pieces::{Scope, check_macros};
use super::prefix::Prefix;
use super::record::{Directive, Mechanism, Modifier, Qualifier, Term, TermKind, ascii};
use super::syntax::{SyntaxError, SyntaxRule};

/// What is known of the octets of a term.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Text {
    /// Nothing.
    Any,
    /// That all are visible.
    Visible,
    /// That all are visible, and none begins a macro.
    Literal,
    /// That they are a term: its syntax was checked before.
    Checked,
}

/// The rule that was broken, and what was left to read at that point.
#[derive(Debug)]
pub(super) struct Fault<'a> {
    pub(super) rule: SyntaxRule,
    pub(super) rest: &'a [u8],
}

pub(super) fn fault<T>(rule: SyntaxRule, rest: &[u8]) -> Result<T, Fault<'_>> {
    Err(Fault { rule, rest })
}

/// §4.5: ‘a version section of exactly "v=spf1"’, ‘terminated by either an SP character or the end
/// of the record’. By the ABNF its letter case does not matter.
pub(super) fn is_spf(octets: &[u8]) -> bool {
    octets
        .split_at_checked(VERSION.len())
        .is_some_and(|(version, rest)| {
            version.eq_ignore_ascii_case(VERSION) && matches!(rest, [] | [b' ', ..])
        })
}

pub(super) const VERSION: &[u8] = b"v=spf1";

/// A term of a record.
pub(super) enum Seen<'s, 'a> {
    /// An IPv4 network that is to pass, as far as [`network`] reads them, with its length.
    Ip4(Ipv4Addr, u8),
    /// The same of IPv6.
    Ip6(Ipv6Addr, u8),
    /// Any other.
    Term(&'s TermKind<'a>),
}

/// record = version terms *SP; terms = *( 1*SP ( directive / modifier ) )
///
/// Shows all terms to `see` with their place. §6: ‘These two modifiers MUST NOT appear in a
/// record more than once each.’ Others may.
#[inline]
pub(super) fn terms<'a>(
    octets: &'a [u8],
    mut see: impl FnMut(Range<usize>, Seen<'_, 'a>),
) -> Result<(), SyntaxError> {
    if !is_spf(octets) {
        let word = octets.split(|octet| *octet == b' ').next();
        let word = word.unwrap_or_default();
        return Err(SyntaxError::new(SyntaxRule::Version, 0, word));
    }
    // Without an early end this is done for many octets at once.
    let mut all_visible = true;
    let mut has_macros = false;
    for octet in octets {
        all_visible &= matches!(octet, b' '..=b'~');
        has_macros |= *octet == b'%';
    }
    let text = match (all_visible, has_macros) {
        (false, _) => Text::Any,
        (true, true) => Text::Visible,
        (true, false) => Text::Literal,
    };
    let (mut redirects, mut explanations) = (0, 0);
    let mut repeated = None;
    let mut at = VERSION.len();
    while let Some(octet) = octets.get(at) {
        if *octet == b' ' {
            at += 1;
            continue;
        }
        let offset = at;
        if let Some((end, seen)) = network(octets, offset) {
            at = end;
            see(offset..end, seen);
            continue;
        }
        let word = word(octets.get(offset..).unwrap_or_default());
        let kind = match whole_term(word, text) {
            Ok(kind) => kind,
            Err(fault) => {
                let at = offset + word.len().saturating_sub(fault.rest.len());
                return Err(SyntaxError::new(fault.rule, at, word));
            }
        };
        let count = match &kind {
            TermKind::Modifier(Modifier::Redirect(_)) => &mut redirects,
            TermKind::Modifier(Modifier::Explanation(_)) => &mut explanations,
            TermKind::Modifier(Modifier::Unknown { .. }) | TermKind::Directive(_) => &mut 0,
        };
        *count += 1;
        if *count > 1 && repeated.is_none() {
            repeated = Some(SyntaxError::new(SyntaxRule::Duplicate, offset, word));
        }
        at = offset + word.len();
        see(offset..at, Seen::Term(&kind));
    }
    repeated.map_or(Ok(()), Err)
}

/// The terms of a record.
pub(super) fn record(octets: &[u8]) -> Result<Vec<Term<'_>>, SyntaxError> {
    // `ip4:192.0.2.0/24` and its space are an average term; short records have shorter ones.
    let mut found = Vec::with_capacity((octets.len() / 16 + 3).min(USUAL_TERMS));
    terms(octets, |place, seen| {
        let offset = place.start;
        let octets = octets.get(place).unwrap_or_default();
        found.push(match seen {
            Seen::Ip4(address, length) => {
                Term::network(octets, offset, Prefix::v4(address, Some(length)))
            }
            Seen::Ip6(address, length) => {
                Term::network(octets, offset, Prefix::v6(address, Some(length)))
            }
            Seen::Term(kind) => Term {
                octets,
                offset,
                kind: kind.clone(),
            },
        });
    })?;
    Ok(found)
}

/// The first directive from an offset on; a network only where `is_wanted` wants what stands there.
/// The syntax was checked before.
pub(super) fn directive(
    octets: &[u8],
    from: usize,
    is_wanted: impl Fn(usize) -> bool,
) -> Option<Term<'_>> {
    let mut at = from;
    while let Some(octet) = octets.get(at) {
        if *octet == b' ' {
            at += 1;
            continue;
        }
        if !is_wanted(at)
            && let Some((end, _)) = network(octets, at)
        {
            at = end;
            continue;
        }
        let term = term_at(octets, at)?;
        if term.directive().is_some() {
            return Some(term);
        }
        at += term.octets.len();
    }
    None
}

/// The term at an offset, of a record whose syntax was checked before.
pub(super) fn term_at(octets: &[u8], offset: usize) -> Option<Term<'_>> {
    let octets = word(octets.get(offset..)?);
    let kind = whole_term(octets, Text::Checked).ok()?;
    Some(Term {
        octets,
        offset,
        kind,
    })
}

/// What stands before the first space.
pub(super) fn word(input: &[u8]) -> &[u8] {
    // Most words are too short for a search by many octets at once to pay.
    split_while(input, |octet| *octet != b' ').0
}

/// Room is made for this many terms at once; longer records are rare or hostile.
const USUAL_TERMS: usize = 32;

/// A directive or modifier, which is all of the word.
#[inline]
fn whole_term(word: &[u8], text: Text) -> Result<TermKind<'_>, Fault<'_>> {
    let is_strange = |octet: &u8| !matches!(octet, b'!'..=b'~');
    if text == Text::Any
        && let Some(at) = word.iter().position(is_strange)
    {
        let rest = word.get(at..).unwrap_or_default();
        return fault(SyntaxRule::Character, rest);
    }
    let (rest, qualifier) = qualifier(word);
    // §4.6.1: ‘Modifiers always contain an equals ('=') character immediately after the name, and
    // before any ":" or "/" characters’. A qualifier is no part of a name.
    let (name, behind) = split_while(rest, |octet| !matches!(octet, b':' | b'/' | b'='));
    if let [b'=', value @ ..] = behind {
        if qualifier.is_some() || !is_name(name) {
            return fault(SyntaxRule::UnknownMechanism, word);
        }
        return modifier(name, value, text).map(TermKind::Modifier);
    }
    Ok(TermKind::Directive(Directive {
        qualifier: qualifier.unwrap_or(Qualifier::Pass),
        mechanism: mechanism(name, behind, word, text)?,
    }))
}

/// name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." )
fn is_name(octets: &[u8]) -> bool {
    let is_in_name =
        |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
    octets.first().is_some_and(u8::is_ascii_alphabetic) && octets.iter().all(is_in_name)
}

fn modifier<'a>(name: &'a [u8], value: &'a [u8], text: Text) -> Result<Modifier<'a>, Fault<'a>> {
    // unknown-modifier: ‘where name is not any known modifier’. So a malformed redirect or exp is an
    // error, not an unknown modifier.
    if name.eq_ignore_ascii_case(b"redirect") {
        return domain_spec(value, text).map(Modifier::Redirect);
    }
    if name.eq_ignore_ascii_case(b"exp") {
        return domain_spec(value, text).map(Modifier::Explanation);
    }
    behind_macros(value, text)?;
    Ok(Modifier::Unknown {
        name: ascii(name),
        value: MacroString::checked(value),
    })
}

fn qualifier(input: &[u8]) -> (&[u8], Option<Qualifier>) {
    match input {
        [b'+', rest @ ..] => (rest, Some(Qualifier::Pass)),
        [b'-', rest @ ..] => (rest, Some(Qualifier::Fail)),
        [b'~', rest @ ..] => (rest, Some(Qualifier::Softfail)),
        [b'?', rest @ ..] => (rest, Some(Qualifier::Neutral)),
        rest => (rest, None),
    }
}

/// What stands behind the name of a mechanism; `term` is the whole, for the blame.
#[inline]
fn mechanism<'a>(
    name: &[u8],
    input: &'a [u8],
    term: &'a [u8],
    text: Text,
) -> Result<Mechanism<'a>, Fault<'a>> {
    let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
    let mut lengths = (None, None);
    if is(b"ip4") {
        ip4(input)
    } else if is(b"ip6") {
        ip6(input)
    } else if is(b"include") {
        domain_spec(behind_colon(input)?, text).map(Mechanism::Include)
    } else if is(b"a") {
        host(input, text, &mut lengths).map(|domain| Mechanism::A(domain, lengths))
    } else if is(b"mx") {
        host(input, text, &mut lengths).map(|domain| Mechanism::Mx(domain, lengths))
    } else if is(b"all") {
        end(input, Mechanism::All)
    } else if is(b"exists") {
        domain_spec(behind_colon(input)?, text).map(Mechanism::Exists)
    } else if is(b"ptr") {
        match input {
            [b':', spec @ ..] => domain_spec(spec, text).map(|spec| Mechanism::Ptr(Some(spec))),
            rest => end(rest, Mechanism::Ptr(None)),
        }
    } else {
        fault(SyntaxRule::UnknownMechanism, term)
    }
}

/// A mechanism that takes nothing more.
fn end<'a>(rest: &'a [u8], mechanism: Mechanism<'a>) -> Result<Mechanism<'a>, Fault<'a>> {
    if rest.is_empty() {
        return Ok(mechanism);
    }
    fault(SyntaxRule::TrailingText, rest)
}

fn behind_colon(input: &[u8]) -> Result<&[u8], Fault<'_>> {
    match input {
        [b':', rest @ ..] => Ok(rest),
        _ => fault(SyntaxRule::DomainMissing, input),
    }
}

/// [ ":" domain-spec ] [ dual-cidr-length ]
///
/// A domain-spec may hold "/" and digits, so the lengths are taken off the right end first.
fn host<'a>(
    input: &'a [u8],
    text: Text,
    lengths: &mut (Option<u8>, Option<u8>),
) -> Result<Option<MacroString<'a>>, Fault<'a>> {
    match split_dual_prefix(input, lengths)? {
        [] => Ok(None),
        [b':', spec @ ..] => domain_spec(spec, text).map(Some),
        head => fault(SyntaxRule::PrefixLength, head),
    }
}

/// dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]; gives what stands before it.
fn split_dual_prefix<'a>(
    input: &'a [u8],
    (ip4, ip6): &mut (Option<u8>, Option<u8>),
) -> Result<&'a [u8], Fault<'a>> {
    let mut head = input;
    let (before, digits) = trailing_digits(head);
    if digits.is_empty() {
        return Ok(head);
    }
    if let Some(before) = before.strip_suffix(b"//") {
        *ip6 = Some(length(digits, 128)?);
        head = before;
    }
    let (before, digits) = trailing_digits(head);
    if !digits.is_empty()
        && let Some(before) = before.strip_suffix(b"/")
        && !before.ends_with(b"/")
    {
        *ip4 = Some(length(digits, 32)?);
        head = before;
    }
    Ok(head)
}

fn trailing_digits(input: &[u8]) -> (&[u8], &[u8]) {
    let start = input
        .iter()
        .rposition(|octet| !octet.is_ascii_digit())
        .map_or(0, |last| last + 1);
    input.split_at_checked(start).unwrap_or((input, b""))
}

/// ip4-cidr-length, ip6-cidr-length: no leading zeros, no more than the address has bits.
fn length(digits: &[u8], most: u32) -> Result<u8, Fault<'_>> {
    let mut cursor = Cursor::new(digits, 0);
    match cursor.qnum().map(u8::try_from) {
        Some(Ok(length)) if u32::from(length) <= most && cursor.rest().is_empty() => Ok(length),
        _ => fault(SyntaxRule::PrefixLength, digits),
    }
}

/// IP4 = "ip4" ":" ip4-network [ ip4-cidr-length ]
fn ip4(input: &[u8]) -> Result<Mechanism<'_>, Fault<'_>> {
    let network = input.strip_prefix(b":").unwrap_or_default();
    let mut cursor = Cursor::new(network, 0);
    let Some(address) = cursor.ip4() else {
        return fault(SyntaxRule::Ip4Network, network);
    };
    let length = network_length(cursor.rest(), network, 32, SyntaxRule::Ip4Network)?;
    Ok(Mechanism::Ip4(Prefix::v4(address, length)))
}

/// IP6 = "ip6" ":" ip6-network [ ip6-cidr-length ]
fn ip6(input: &[u8]) -> Result<Mechanism<'_>, Fault<'_>> {
    let network = input.strip_prefix(b":").unwrap_or_default();
    let mut cursor = Cursor::new(network, 0);
    let Some(address) = cursor.ip6() else {
        return fault(SyntaxRule::Ip6Network, network);
    };
    let length = network_length(cursor.rest(), network, 128, SyntaxRule::Ip6Network)?;
    Ok(Mechanism::Ip6(Prefix::v6(address, length)))
}

/// What may follow an address.
fn network_length<'a>(
    rest: &'a [u8],
    network: &'a [u8],
    most: u32,
    rule: SyntaxRule,
) -> Result<Option<u8>, Fault<'a>> {
    match rest {
        [] => Ok(None),
        [b'/', digits @ ..] => length(digits, most).map(Some),
        _ => fault(rule, network),
    }
}

/// domain-spec = macro-string domain-end; all that is left.
fn domain_spec(input: &[u8], text: Text) -> Result<MacroString<'_>, Fault<'_>> {
    if text == Text::Checked {
        return Ok(MacroString::checked(input));
    }
    if input.is_empty() {
        return fault(SyntaxRule::DomainMissing, input);
    }
    // domain-end = ( "." toplabel [ "." ] ) / macro-expand
    let tail = behind_macros(input, text)?;
    let end = tail.strip_suffix(b".").unwrap_or(tail);
    // The label is short, as a word is.
    let dot = end.iter().rposition(|octet| *octet == b'.');
    let label = dot.and_then(|dot| end.get(dot + 1..));
    if tail.is_empty() || label.is_some_and(is_toplabel) {
        return Ok(MacroString::checked(input));
    }
    fault(SyntaxRule::DomainEnd, label.unwrap_or(tail))
}

/// toplabel: letters, digits and inner hyphens, but not digits alone.
fn is_toplabel(label: &[u8]) -> bool {
    let is_hyphen = |octet: Option<&u8>| octet == Some(&b'-');
    let mut has_other_than_digits = false;
    for octet in label {
        match octet {
            b'0'..=b'9' => {}
            b'a'..=b'z' | b'A'..=b'Z' | b'-' => has_other_than_digits = true,
            _ => return false,
        }
    }
    has_other_than_digits && !is_hyphen(label.first()) && !is_hyphen(label.last())
}

/// What stands behind the last macro of a part of a term.
fn behind_macros(input: &[u8], text: Text) -> Result<&[u8], Fault<'_>> {
    match text {
        Text::Literal => Ok(input),
        Text::Any | Text::Visible | Text::Checked => check_macros(input, Scope::Term),
    }
}

/// Splits behind the octets at the beginning that are wanted.
#[inline]
pub(super) fn split_while(input: &[u8], is_wanted: impl Fn(&u8) -> bool) -> (&[u8], &[u8]) {
    let end = input.iter().position(|octet| !is_wanted(octet));
    input
        .split_at_checked(end.unwrap_or(input.len()))
        .unwrap_or((input, b""))
}
