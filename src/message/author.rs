//! Who a message says it is from: the one question where two readers must never differ.
//!
//! Attacks on DMARC show one author to the check and another to the reader (Chen et al., ‘Composition
//! Kills’, USENIX Security 2020). So the From field is read by a strict parser of RFC 5322's
//! address lists, and again by `mail-parser`, which reads it as mail readers do; where the two
//! find different domains, the field is refused.

use std::borrow::Cow;

use mail_parser::MessageParser;

use super::Head;
use crate::address::Address;
use crate::domain::{Domain, DomainError};
use crate::limits::MessageLimits;
use crate::text;

/// Who the message says it is from. Only [`One`](Self::One) and [`SameDomain`](Self::SameDomain)
/// have an author domain; none of the others may be read as ‘no policy applies’.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[expect(
    clippy::exhaustive_enums,
    reason = "DMARC must decide for each of these"
)]
pub enum Author {
    /// One mailbox in one field.
    One(Address),
    /// Several mailboxes of one domain in one field, which RFC 9989 5.3.1 allows.
    SameDomain {
        /// The domain of all of them.
        domain: Domain,
        /// How many there are.
        mailboxes: usize,
    },
    /// Mailboxes of several domains in one field.
    SeveralDomains(Vec<Domain>),
    /// Several From fields, which RFC 5322 3.6 forbids.
    SeveralFields {
        /// How many fields there are.
        fields: usize,
        /// The domains of those that could be read.
        domains: Vec<Domain>,
    },
    /// No From field, or one without any mailbox.
    Missing,
    /// A From field that could not be read with certainty.
    Unparseable(AuthorError),
}

impl Author {
    /// The author domain (RFC 9989 3.2.2), where there is exactly one.
    #[must_use]
    pub fn domain(&self) -> Option<&Domain> {
        match self {
            Self::One(address) => Some(address.domain()),
            Self::SameDomain { domain, .. } => Some(domain),
            Self::SeveralDomains(_)
            | Self::SeveralFields { .. }
            | Self::Missing
            | Self::Unparseable(_) => None,
        }
    }

    /// Every domain that could be read: one, several, or none.
    #[must_use]
    pub fn domains(&self) -> &[Domain] {
        match self {
            Self::One(address) => std::slice::from_ref(address.domain()),
            Self::SameDomain { domain, .. } => std::slice::from_ref(domain),
            Self::SeveralDomains(domains) | Self::SeveralFields { domains, .. } => domains,
            Self::Missing | Self::Unparseable(_) => &[],
        }
    }
}

/// Why a From field was refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum AuthorError {
    /// An address literal, which names no domain.
    #[error("address literal instead of a domain at {at}")]
    AddressLiteral {
        /// Its offset in the field's value.
        at: usize,
    },
    /// Something that no address list has there.
    #[error("octet 0x{octet:02x} at {at} does not belong into an address list")]
    Character {
        /// The octet.
        octet: u8,
        /// Its offset in the field's value.
        at: usize,
    },
    /// The domain of a mailbox is unusable.
    #[error("unusable domain at {at}: {error}")]
    Domain {
        /// Its offset in the field's value.
        at: usize,
        /// What is wrong with it.
        #[cfg_attr(feature = "serde", serde(serialize_with = "as_text"))]
        error: DomainError,
    },
    /// Two readers of address lists do not find the same domains.
    #[error("the field can be read in more than one way")]
    Ambiguous,
    /// The header block begins with a continuation line, which readers treat differently.
    #[error("the header block begins with white space")]
    HeadBeginsWithFold,
    /// The local part of a mailbox cannot be read.
    #[error("malformed local part before {at}")]
    LocalPart {
        /// The offset of its `@`.
        at: usize,
    },
    /// The field is longer than we read.
    #[error("From field of {octets} octets")]
    TooLong {
        /// Its length in octets.
        octets: usize,
    },
    /// More mailboxes than we read.
    #[error("more than {limit} mailboxes in the From field")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// The field ends inside a mailbox, a comment or a quoted string.
    #[error("the field ends in the middle of a mailbox")]
    Unfinished,
}

#[cfg(feature = "serde")]
fn as_text<S: serde::Serializer>(error: &DomainError, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(error)
}

pub(super) fn of(head: &Head<'_>, limits: &MessageLimits) -> Author {
    if head.anomalies().begins_with_fold {
        return Author::Unparseable(AuthorError::HeadBeginsWithFold);
    }
    let mut fields = head.named(b"From");
    match (fields.next(), fields.count()) {
        (None, _) => Author::Missing,
        (Some(field), 0) => match read(field.value(), limits) {
            Ok(mailboxes) => one_field(mailboxes),
            Err(error) => Author::Unparseable(error),
        },
        (Some(_), further) => Author::SeveralFields {
            fields: further + 1,
            domains: distinct(
                head.named(b"From")
                    .filter_map(|field| read(field.value(), limits).ok())
                    .flatten()
                    .take(limits.author_mailboxes),
            ),
        },
    }
}

fn one_field(mut mailboxes: Vec<Address>) -> Author {
    let count = mailboxes.len();
    match (mailboxes.pop(), count) {
        (None, _) => Author::Missing,
        (Some(mailbox), 1) => Author::One(mailbox),
        (Some(last), _)
            if mailboxes
                .iter()
                .all(|mailbox| mailbox.domain() == last.domain()) =>
        {
            Author::SameDomain {
                domain: last.domain().clone(),
                mailboxes: count,
            }
        }
        (Some(last), _) => {
            mailboxes.push(last);
            Author::SeveralDomains(distinct(mailboxes))
        }
    }
}

fn distinct(mailboxes: impl IntoIterator<Item = Address>) -> Vec<Domain> {
    let mut domains: Vec<Domain> = Vec::new();
    for mailbox in mailboxes {
        if !domains.contains(mailbox.domain()) {
            domains.push(mailbox.domain().clone());
        }
    }
    domains
}

/// The mailboxes of a From field, if both readers agree on them.
fn read(value: &[u8], limits: &MessageLimits) -> Result<Vec<Address>, AuthorError> {
    if value.len() > limits.author_octets {
        return Err(AuthorError::TooLong {
            octets: value.len(),
        });
    }
    let mut parser = Parser {
        value,
        at: 0,
        routed: false,
        mailboxes: Vec::new(),
    };
    parser.list(limits.author_mailboxes)?;
    let Parser {
        routed, mailboxes, ..
    } = parser;
    // mail-parser does not know source routes; what precedes them is ours to judge alone.
    if routed || agrees(value, &mailboxes) {
        Ok(mailboxes)
    } else {
        Err(AuthorError::Ambiguous)
    }
}

/// Whether mail-parser finds mailboxes of the same domains in the same order.
fn agrees(value: &[u8], mailboxes: &[Address]) -> bool {
    let octets = [b"From:", value, b"\r\n\r\n"].concat();
    let message = MessageParser::new()
        .with_address_headers()
        .parse_headers(&octets);
    let from = message.as_ref().and_then(|message| message.from());
    let mut theirs = from
        .into_iter()
        .flat_map(|list| list.iter())
        .map(|mailbox| {
            let address: &str = mailbox.address.as_deref().unwrap_or_default();
            address
                .rsplit_once('@')
                .and_then(|(_, domain)| Domain::parse(domain.trim().as_bytes()).ok())
        });
    mailboxes
        .iter()
        .all(|mailbox| theirs.next().flatten().as_ref() == Some(mailbox.domain()))
        && theirs.next().is_none()
}

/// A reader of `mailbox-list` (RFC 5322 3.4), groups (RFC 6854) and the obsolete source routes
/// (RFC 5322 4.4) included, white space between the atoms of an address (4.4) not.
struct Parser<'a> {
    value: &'a [u8],
    at: usize,
    routed: bool,
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
        self.routed = true;
        loop {
            match self.peek() {
                Some(b'@') => {
                    self.domain(b"relay")?;
                }
                Some(b',') => self.at += 1,
                Some(b':') => {
                    self.at += 1;
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

fn unfold(text: &str) -> Cow<'_, str> {
    if text.contains("\r\n") {
        text.replace("\r\n", "").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn author(head: &str) -> Author {
        let octets = format!("{head}\r\n\r\n");
        Head::parse(octets.as_bytes())
            .0
            .author(&MessageLimits::default())
    }

    fn from(value: &str) -> Author {
        author(&format!("From:{value}"))
    }

    fn domains(value: &str) -> Vec<String> {
        match from(value) {
            Author::Unparseable(error) => vec![format!("{error:?}")],
            author => author.domains().iter().map(Domain::to_string).collect(),
        }
    }

    #[test]
    fn one_author() {
        for value in [
            " joe@joe.example",
            "joe@joe.example",
            " Joe Johnson <joe@joe.example>",
            " Joe Q. Johnson <joe@JOE.example>",
            " \"Joe Johnson\" <joe@joe.example>",
            " (Joe \\( (nested) Johnson) joe@joe.example",
            " (,) joe@joe.example",
            " \"Mandel, Bob\" <joe@joe.example>",
            " \"evil@other.example\" <joe@joe.example>",
            " Davide D'Marco\r\n <joe@joe.example>",
            " =?UTF-8?B?QmVkIEJhdGggJiBCZXlvbmQ=?=<BdBth&Byond@joe.example>",
            " J\u{fc}rgen <joe@joe.example>",
            " <\"joe q\"@joe.example>",
            " <@attack.example,@any.example:joe@joe.example>",
            " Group: joe@joe.example;",
            " joe@joe.example,",
            " <joe..x@joe.example>",
        ] {
            assert_eq!(domains(value), ["joe.example"], "{value}");
            assert!(matches!(from(value), Author::One(_)), "{value}");
        }
        assert_eq!(
            domains(" <a@m\u{fc}nchen.example>"),
            ["xn--mnchen-3ya.example"]
        );
    }

    /// A8 to A19 of the ‘Composition Kills’ catalogue; the numbering is the catalogue's.
    #[test]
    fn composition_kills() {
        let a8 = author("From: a@attack.example\r\nFrom: admin@legitimate.example");
        assert!(matches!(&a8, Author::SeveralFields { fields: 2, domains } if domains.len() == 2));
        let a9 = author(" From: <first@attack.example>\r\nFrom: <admin@legitimate.example>");
        assert_eq!(a9, Author::Unparseable(AuthorError::HeadBeginsWithFold));
        let a10 = author("From : <admin@legitimate.example>\r\nFrom: <first@attack.example>");
        assert!(matches!(a10, Author::SeveralFields { fields: 2, .. }));
        let a11 = author("From\r\n : <first@attack.example>\r\nFrom: <admin@legitimate.example>");
        assert!(matches!(a11, Author::SeveralFields { fields: 2, .. }));
        let a12 = author("From: <admin@legitimate.example\r\nSender: <s@attack.example>");
        assert!(matches!(a12, Author::Unparseable(_)));
        let a13 = author("From: \r\nResent-From: <s@attack.example>");
        assert_eq!(a13, Author::Missing);
        let a14 = from(" <first@attack.example>, <admin@legitimate.example>");
        assert!(matches!(&a14, Author::SeveralDomains(domains) if domains.len() == 2));
        for value in [
            "=?..?B?<admin@legitimate.example>?=,<second@attack.example>",
            " <admin@legitimate.example>\\,<second@attack.example>",
            " <any@attack.example>admin@legitimate.example",
        ] {
            assert!(matches!(from(value), Author::Unparseable(_)), "{value}");
        }
        assert_eq!(
            domains(" <@attack.example,@any.example:admin@legitimate.example>"),
            ["legitimate.example"]
        );
        assert_eq!(
            domains(" admin@legitimate.example,<second@attack.example>"),
            ["legitimate.example", "attack.example"]
        );
        assert_eq!(author("Sender: <s@attack.example>"), Author::Missing);
    }

    #[test]
    fn several_of_one_domain() {
        assert_eq!(
            from(" a@x.example, B <b@X.example>"),
            Author::SameDomain {
                domain: "x.example".parse().unwrap(),
                mailboxes: 2
            }
        );
        assert_eq!(
            domains(" Authors: a@x.example, b@x.example;, c@x.example"),
            ["x.example"]
        );
    }

    #[test]
    fn refuses_what_is_not_certain() {
        for value in [
            " <<<><joe@joe.example>>>",
            " Mail From:<joe@joe.example>",
            " \"Johnson <x@y.example>\" joe@joe.example",
            " joe@joe.example>",
            " <joe@joe.example",
            " joe@joe.example (unfinished",
            " \"joe@joe.example",
            " <joe@[192.0.2.1]>",
            " <joe@joe .example>",
            " <joe@joe.example.@x.example>",
            " <joe@>",
            " <@joe.example>",
            " <>",
            " joe@@joe.example",
            " joe",
            " joe <>",
            " joe@joe.example\nx",
            " joe@joe.exa\0mple",
            " <joe@legitimate.example(x.attack.example>",
            " <joe@legitimate.example'a.attack.example>",
        ] {
            assert!(
                matches!(from(value), Author::Unparseable(_)),
                "{value:?} {:?}",
                from(value)
            );
        }
    }

    #[test]
    fn bounds() {
        let many = " a@x.example,".repeat(101);
        assert_eq!(
            from(&many),
            Author::Unparseable(AuthorError::TooMany { limit: 100 })
        );
        let long = format!(" ({}) a@x.example", "x".repeat(70_000));
        assert!(matches!(
            from(&long),
            Author::Unparseable(AuthorError::TooLong { .. })
        ));
    }
}
