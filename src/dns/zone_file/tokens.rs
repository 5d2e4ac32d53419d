//! Master-file text as entries of tokens (RFC 1035 5.1).

use super::ZoneFileError;

/// One entry: a line, or several that parentheses hold together.
pub(super) struct Entry<'a> {
    /// The line on which it begins.
    pub(super) line: usize,
    /// Whether it begins with white space, which stands for the owner of the entry before.
    pub(super) blank: bool,
    /// At least one.
    pub(super) tokens: Vec<Token<'a>>,
}

/// A word or a quoted string, its escapes still in place.
#[derive(Clone, Copy)]
pub(super) struct Token<'a> {
    pub(super) raw: &'a [u8],
    pub(super) quoted: bool,
    pub(super) line: usize,
}

impl Token<'_> {
    /// Whether it is this word, in any letter case.
    pub(super) fn is(&self, word: &str) -> bool {
        !self.quoted && self.raw.eq_ignore_ascii_case(word.as_bytes())
    }

    /// The octets that it stands for: ‘\X’ is X, ‘\DDD’ the octet of that number.
    pub(super) fn octets(&self) -> Result<Vec<u8>, ZoneFileError> {
        let escape = || self.broken(ZoneFileError::Escape);
        let mut octets = Vec::with_capacity(self.raw.len());
        let mut rest = self.raw.iter().copied();
        while let Some(octet) = rest.next() {
            octets.push(match octet {
                b'\\' => match rest.next().ok_or_else(escape)? {
                    first @ b'0'..=b'9' => {
                        let (second, third) = (rest.next(), rest.next());
                        let digits = [first, second.unwrap_or(0), third.unwrap_or(0)];
                        crate::text::decimal(&digits, 3)
                            .and_then(|value| u8::try_from(value).ok())
                            .ok_or_else(escape)?
                    }
                    octet => octet,
                },
                octet => octet,
            });
        }
        Ok(octets)
    }

    /// The error that this token breaks a rule.
    pub(super) fn broken(&self, rule: impl FnOnce(usize) -> ZoneFileError) -> ZoneFileError {
        rule(self.line)
    }
}

/// Reads entries from text.
pub(super) struct Entries<'a> {
    rest: &'a [u8],
    line: usize,
}

impl<'a> Entries<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self {
            rest: text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text),
            line: 1,
        }
    }

    /// The next entry that has tokens; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Entry<'a>>, ZoneFileError> {
        while !self.rest.is_empty() {
            let line = self.line;
            let blank = self.rest.first().is_some_and(|octet| is_space(*octet));
            let tokens = self.tokens()?;
            if !tokens.is_empty() {
                return Ok(Some(Entry {
                    line,
                    blank,
                    tokens,
                }));
            }
        }
        Ok(None)
    }

    /// The tokens up to a line end outside parentheses.
    fn tokens(&mut self) -> Result<Vec<Token<'a>>, ZoneFileError> {
        let mut tokens = Vec::new();
        let mut opened = None;
        while let [octet, rest @ ..] = self.rest {
            match octet {
                b'\n' => {
                    self.rest = rest;
                    self.line += 1;
                    if opened.is_none() {
                        return Ok(tokens);
                    }
                }
                b';' => self.rest = at(rest, |octet| octet == b'\n').1,
                b'(' | b')' => {
                    // Parentheses do not nest (RFC 1035 5.1 knows only one level).
                    if opened.is_some() != (*octet == b')') {
                        return Err(ZoneFileError::Parenthesis(self.line));
                    }
                    opened = (*octet == b'(').then_some(self.line);
                    self.rest = rest;
                }
                b'"' => {
                    let (raw, rest) = at(rest, |octet| matches!(octet, b'"' | b'\n'));
                    let [b'"', rest @ ..] = rest else {
                        return Err(ZoneFileError::Quote(self.line));
                    };
                    tokens.push(self.token(raw, true));
                    self.rest = rest;
                }
                octet if is_space(*octet) => self.rest = rest,
                _ => {
                    let (raw, rest) = at(self.rest, ends_word);
                    tokens.push(self.token(raw, false));
                    self.rest = rest;
                }
            }
        }
        match opened {
            Some(line) => Err(ZoneFileError::Parenthesis(line)),
            None => Ok(tokens),
        }
    }

    fn token(&self, raw: &'a [u8], quoted: bool) -> Token<'a> {
        Token {
            raw,
            quoted,
            line: self.line,
        }
    }
}

/// Splits before the first octet that ends the token; an octet after a backslash ends none, unless
/// it is a line end.
fn at(octets: &[u8], ends: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let mut escaped = false;
    let end = octets.iter().position(|octet| {
        let ends = *octet == b'\n' && escaped || !escaped && ends(*octet);
        escaped = *octet == b'\\' && !escaped;
        ends
    });
    octets
        .split_at_checked(end.unwrap_or(octets.len()))
        .unwrap_or((octets, &[]))
}

fn ends_word(octet: u8) -> bool {
    is_space(octet) || matches!(octet, b'\n' | b'"' | b';' | b'(' | b')')
}

/// White space inside a line. A CR is either part of the line end or of no meaning.
fn is_space(octet: u8) -> bool {
    matches!(octet, b' ' | b'\t' | b'\r')
}
