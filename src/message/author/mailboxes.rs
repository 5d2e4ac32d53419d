//! The strict reading of a From field's value.

use std::borrow::Cow;
use std::ops::Range;

use super::AuthorError;
use crate::address::Address;
use crate::domain::Domain;
use crate::text;

/// The mailboxes of a field.
pub(super) struct List {
    pub(super) mailboxes: Vec<Address>,
    /// Where the source routes stand.
    pub(super) routes: Vec<Range<usize>>,
}

/// Reads a whole value; at most `limit` mailboxes.
pub(super) fn read(value: &[u8], limit: usize) -> Result<List, AuthorError> {
    let mut parser = Parser {
        value,
        at: 0,
        routes: Vec::new(),
        mailboxes: Vec::new(),
    };
    parser.list(limit)?;
    let Parser {
        routes, mailboxes, ..
    } = parser;
    Ok(List { mailboxes, routes })
}

/// A reader of `mailbox-list` (RFC 5322 3.4), groups (RFC 6854) and the obsolete source routes
/// (RFC 5322 4.4) included, white space between the atoms of an address (4.4) not.
struct Parser<'a> {
    value: &'a [u8],
    at: usize,
    /// Where the source routes stand.
    routes: Vec<Range<usize>>,
    mailboxes: Vec<Address>,
}

impl<'a> Parser<'a> {
    fn list(&mut self, limit: usize) -> Result<(), AuthorError> {
        let mut group = false;
        loop {
            match self.element(group)? {
                Element::Group => {
                    group = true;
                    continue;
                }
                Element::Mailbox(mailbox) if self.mailboxes.len() < limit => {
                    self.mailboxes.push(mailbox);
                }
                Element::Mailbox(_) => return Err(AuthorError::TooMany { limit }),
                // obs-mbox-list lets elements be empty.
                Element::Nothing => {}
            }
            self.skip_cfws()?;
            if group && self.peek() == Some(b';') {
                self.at += 1;
                group = false;
                self.skip_cfws()?;
            }
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(octet) => return Err(self.unexpected(octet)),
                None if group => return Err(AuthorError::Unfinished),
                None => return Ok(()),
            }
        }
    }

    /// A mailbox, the start of a group, or nothing between two commas.
    fn element(&mut self, in_group: bool) -> Result<Element, AuthorError> {
        let mut words = 0;
        let mut word: &[u8] = b"";
        loop {
            self.skip_cfws()?;
            match self.peek() {
                Some(b'<') => return self.angle_addr().map(Element::Mailbox),
                Some(b'@') if words == 1 => return self.domain(word).map(Element::Mailbox),
                Some(b':') if words != 0 && !in_group => {
                    self.at += 1;
                    return Ok(Element::Group);
                }
                Some(b'"') => word = self.quoted_string()?,
                Some(octet) if is_word(octet) => word = self.take_word(),
                None | Some(b',') if words == 0 => return Ok(Element::Nothing),
                Some(b';') if words == 0 && in_group => return Ok(Element::Nothing),
                Some(octet) => return Err(self.unexpected(octet)),
                None => return Err(AuthorError::Unfinished),
            }
            words += 1;
        }
    }

    /// angle-addr = [CFWS] "<" [route ":"] addr-spec ">" [CFWS]
    fn angle_addr(&mut self) -> Result<Address, AuthorError> {
        self.at += 1;
        self.skip_cfws()?;
        if self.peek() == Some(b'@') {
            self.route()?;
        }
        let local_part = match self.peek() {
            Some(b'"') => self.quoted_string()?,
            _ => self.take_word(),
        };
        self.skip_cfws()?;
        match self.peek() {
            Some(b'@') => {}
            Some(octet) => return Err(self.unexpected(octet)),
            None => return Err(AuthorError::Unfinished),
        }
        let address = self.domain(local_part)?;
        self.skip_cfws()?;
        match self.peek() {
            Some(b'>') => {
                self.at += 1;
                Ok(address)
            }
            Some(octet) => Err(self.unexpected(octet)),
            None => Err(AuthorError::Unfinished),
        }
    }

    /// obs-route = obs-domain-list ":", domains with `@` before them and commas between them.
    fn route(&mut self) -> Result<(), AuthorError> {
        let start = self.at;
        loop {
            match self.peek() {
                Some(b'@') => {
                    self.domain(b"relay")?;
                }
                Some(b',') => self.at += 1,
                Some(b':') => {
                    self.at += 1;
                    self.routes.push(start..self.at);
                    return self.skip_cfws();
                }
                Some(octet) => return Err(self.unexpected(octet)),
                None => return Err(AuthorError::Unfinished),
            }
            self.skip_cfws()?;
        }
    }

    /// The `@` and the domain behind a local part.
    fn domain(&mut self, local_part: &[u8]) -> Result<Address, AuthorError> {
        let malformed = AuthorError::LocalPart { at: self.at };
        // RFC 2047 5: an encoded-word ‘MUST NOT appear in any portion of an 'addr-spec'’. Readers
        // that decode before they parse find another address in it.
        if is_encoded(local_part) {
            return Err(malformed);
        }
        self.at += 1;
        self.skip_cfws()?;
        let at = self.at;
        if self.peek() == Some(b'[') {
            return Err(AuthorError::AddressLiteral { at });
        }
        let domain =
            Domain::parse(self.take_word()).map_err(|error| AuthorError::Domain { at, error })?;
        let local_part = std::str::from_utf8(local_part).map_err(|_| malformed.clone())?;
        Address::new(&unfold(local_part), domain).map_err(|_| malformed)
    }

    /// A quoted-string, its quotes included.
    fn quoted_string(&mut self) -> Result<&'a [u8], AuthorError> {
        let start = self.at;
        self.at += 1;
        while let Some(octet) = self.peek() {
            match octet {
                b'"' => {
                    self.at += 1;
                    return Ok(self.value.get(start..self.at).unwrap_or_default());
                }
                b'\\' => self.skip_pair()?,
                octet => self.skip_text(octet)?,
            }
        }
        Err(AuthorError::Unfinished)
    }

    /// Skips white space, folds, and comments, which nest.
    fn skip_cfws(&mut self) -> Result<(), AuthorError> {
        let mut depth = 0_usize;
        while let Some(octet) = self.peek() {
            match octet {
                b'(' => {
                    depth += 1;
                    self.at += 1;
                }
                b')' if depth != 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b'\\' if depth != 0 => self.skip_pair()?,
                b' ' | b'\t' | b'\r' => self.skip_text(octet)?,
                octet if depth != 0 => self.skip_text(octet)?,
                _ => return Ok(()),
            }
        }
        if depth == 0 {
            Ok(())
        } else {
            Err(AuthorError::Unfinished)
        }
    }

    /// quoted-pair = "\" (VCHAR / WSP)
    fn skip_pair(&mut self) -> Result<(), AuthorError> {
        self.at += 1;
        let octet = self.peek().ok_or(AuthorError::Unfinished)?;
        if octet.is_ascii_control() && octet != b'\t' {
            return Err(self.unexpected(octet));
        }
        self.at += 1;
        Ok(())
    }

    /// Text of a quoted-string or comment. A CRLF is a fold here, the header block's lines being
    /// split already; control characters have no place.
    fn skip_text(&mut self, octet: u8) -> Result<(), AuthorError> {
        if octet == b'\r' && self.value.get(self.at + 1) == Some(&b'\n') {
            self.at += 2;
        } else if octet.is_ascii_control() && octet != b'\t' {
            return Err(self.unexpected(octet));
        } else {
            self.at += 1;
        }
        Ok(())
    }

    fn take_word(&mut self) -> &'a [u8] {
        let rest = self.value.get(self.at..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|octet| !is_word(*octet))
            .unwrap_or(rest.len());
        self.at += length;
        rest.get(..length).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.value.get(self.at).copied()
    }

    fn unexpected(&self, octet: u8) -> AuthorError {
        AuthorError::Character { octet, at: self.at }
    }
}

enum Element {
    Group,
    Mailbox(Address),
    Nothing,
}

/// Atoms and the dots between them: obs-phrase has dots in display names, and some providers issue
/// local parts with dots in a row.
fn is_word(octet: u8) -> bool {
    text::is_atext(octet) || octet == b'.'
}

fn is_encoded(local_part: &[u8]) -> bool {
    let has = |mark: &[u8]| local_part.windows(2).any(|pair| pair == mark);
    has(b"=?") && has(b"?=")
}

fn unfold(text: &str) -> Cow<'_, str> {
    if text.contains("\r\n") {
        text.replace("\r\n", "").into()
    } else {
        text.into()
    }
}
