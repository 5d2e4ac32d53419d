//! The grammar of macro-strings (§7.1), on octets.

use super::macros::{Expand, Letter, Piece};
use super::parse::{Fault, fault, split_while};
use super::syntax::SyntaxRule;
use crate::text::find;

/// Where macros stand: §7.2 allows `c`, `r` and `t` in explanations only.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Scope {
    Term,
    Explanation,
}

/// Checks the macros of a whole string (macro-string = *( macro-expand / macro-literal )), and gives
/// what stands behind the last one.
pub(super) fn check_macros(input: &[u8], scope: Scope) -> Result<&[u8], Fault<'_>> {
    let (mut rest, mut tail) = (input, input);
    while let Some(at) = find(rest, b'%') {
        (rest, _) = piece(rest.get(at..).unwrap_or_default(), scope)?;
        tail = rest;
    }
    Ok(tail)
}

/// The next macro-expand, or the literal text up to it; and what follows.
pub(super) fn piece(input: &[u8], scope: Scope) -> Result<(&[u8], Piece<'_>), Fault<'_>> {
    match input {
        [b'%', b'%', rest @ ..] => Ok((rest, Piece::Percent)),
        [b'%', b'_', rest @ ..] => Ok((rest, Piece::Space)),
        [b'%', b'-', rest @ ..] => Ok((rest, Piece::UrlSpace)),
        [b'%', b'{', rest @ ..] => {
            expand(rest, scope).map(|(rest, expand)| (rest, Piece::Expand(expand)))
        }
        [b'%', ..] => fault(SyntaxRule::Macro, input),
        _ => {
            let end = find(input, b'%').unwrap_or(input.len());
            let (literal, rest) = input.split_at_checked(end).unwrap_or((input, b""));
            Ok((rest, Piece::Literal(literal)))
        }
    }
}

/// macro-letter transformers *delimiter "}"
fn expand(input: &[u8], scope: Scope) -> Result<(&[u8], Expand<'_>), Fault<'_>> {
    let Some((&first, rest)) = input.split_first() else {
        return fault(SyntaxRule::Macro, input);
    };
    let letter = Letter::new(first)
        .filter(|letter| scope == Scope::Explanation || !letter.is_for_explanations());
    let Some(letter) = letter else {
        return fault(SyntaxRule::MacroLetter, input);
    };
    let (digits, rest) = split_while(rest, u8::is_ascii_digit);
    // More digits than a usize holds ask for more parts than there are, which is all of them.
    let keep = digits.iter().fold(0_usize, |keep, digit| {
        keep.saturating_mul(10)
            .saturating_add(usize::from(digit.saturating_sub(b'0')))
    });
    if keep == 0 && !digits.is_empty() {
        return fault(SyntaxRule::MacroZero, input);
    }
    let (reverse, rest) = match rest {
        [b'r' | b'R', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let is_delimiter = |octet: &u8| matches!(octet, b'.' | b'-' | b'+' | b',' | b'/' | b'_' | b'=');
    let (delimiters, rest) = split_while(rest, is_delimiter);
    let [b'}', rest @ ..] = rest else {
        return fault(SyntaxRule::Macro, rest);
    };
    let expand = Expand {
        letter,
        escape: first.is_ascii_uppercase(),
        keep: (keep != 0).then_some(keep),
        reverse,
        delimiters,
    };
    Ok((rest, expand))
}
