//! Who a message says it is from: the one question where two readers must never differ.
//!
//! Attacks on DMARC show one author to the check and another to the reader (Chen et al., ‘Composition
//! Kills’, USENIX Security 2020). So the From field is read by a strict parser of RFC 5322's
//! address lists, and again by `mail-parser`, which reads it as mail readers do; where the two
//! find different domains, the field is refused.

mod mailboxes;

use std::borrow::Cow;
use std::ops::Range;

use mail_parser::parsers::MessageStream;

use super::Head;
use crate::address::Address;
use crate::domain::{Domain, DomainError};
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
    /// The most mailboxes that are read. A message by more authors has no one domain to check.
    pub const MAX_MAILBOXES: usize = 100;

    /// The most octets of a From field that are read.
    pub const MAX_OCTETS: usize = 65_536;

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
    /// A field name has something invisible around `From`, which some readers ignore.
    #[error("a field name reads as From to some readers only")]
    DisguisedField,
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
    /// A CR or LF alone, at which some readers end a line, precedes what they take for a From
    /// field.
    #[error("a From field hides behind a line break that only some readers see")]
    HiddenField,
    /// The local part of a mailbox cannot be read.
    #[error("malformed local part before {at}")]
    LocalPart {
        /// The offset of its `@`.
        at: usize,
    },
    /// The field is longer than [`MAX_OCTETS`](Author::MAX_OCTETS).
    #[error("From field of {octets} octets")]
    TooLong {
        /// Its length in octets.
        octets: usize,
    },
    /// The header block has more than [`MAX_FIELDS`](super::Head::MAX_FIELDS) fields: another From
    /// field may stand among those that were not read.
    #[error("the header block has more than {limit} fields")]
    TooManyFields {
        /// The limit.
        limit: usize,
    },
    /// More than [`MAX_MAILBOXES`](Author::MAX_MAILBOXES) mailboxes.
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

pub(super) fn of(head: &Head<'_>) -> Author {
    if head.anomalies().begins_with_fold {
        return Author::Unparseable(AuthorError::HeadBeginsWithFold);
    }
    if head.anomalies().too_many_fields {
        let limit = Head::MAX_FIELDS;
        return Author::Unparseable(AuthorError::TooManyFields { limit });
    }
    if hides_an_author(head) {
        return Author::Unparseable(AuthorError::HiddenField);
    }
    if disguises_an_author(head) {
        return Author::Unparseable(AuthorError::DisguisedField);
    }
    let mut fields = head.named(b"From");
    match (fields.next(), fields.count()) {
        (None, _) => Author::Missing,
        (Some(field), 0) => match read(field.value()) {
            Ok(mailboxes) => one_field(mailboxes),
            Err(error) => Author::Unparseable(error),
        },
        (Some(_), further) => Author::SeveralFields {
            fields: further + 1,
            domains: distinct(
                head.named(b"From")
                    .filter_map(|field| read(field.value()).ok())
                    .flatten()
                    .take(Author::MAX_MAILBOXES),
            ),
        },
    }
}

/// Whether readers that end lines at a CR or LF alone find a From field that is none for us: the
/// rest of another field, or part of its name.
fn hides_an_author(head: &Head<'_>) -> bool {
    if head.folds_only {
        return false;
    }
    let breaks: &[u8] = match head.anomalies().bare_cr {
        0 => b"\n",
        _ => b"\r\n",
    };
    head.fields().iter().any(|field| {
        breaks.iter().any(|line_break| {
            after_each(field.name(), *line_break).any(|rest| behind_from(rest) == Some(None))
                || after_each(field.value(), *line_break)
                    .any(|rest| behind_from(rest) == Some(Some(b':')))
        })
    })
}

/// Whether readers that trim names of more than white space (control characters, no-break spaces,
/// byte order marks) find a From field that is none for us.
fn disguises_an_author(head: &Head<'_>) -> bool {
    head.anomalies().malformed_names != 0
        && head.fields().iter().any(|field| {
            let visible = field.name().iter().position(u8::is_ascii_graphic);
            let name = visible.and_then(|start| field.name().get(start..));
            !field.is(b"From") && name.is_some_and(|name| behind_from(name) == Some(None))
        })
}

/// What follows each occurrence of the octet.
fn after_each(octets: &[u8], octet: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = octets;
    std::iter::from_fn(move || {
        (_, rest) = text::split_once(rest, octet)?;
        Some(rest)
    })
}

/// The first visible octet behind `From` at the start of a line, if that is what stands there.
fn behind_from(line: &[u8]) -> Option<Option<u8>> {
    let (name, rest) = line.split_at_checked(b"from".len())?;
    let visible = || rest.iter().copied().find(u8::is_ascii_graphic);
    name.eq_ignore_ascii_case(b"from").then(visible)
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
fn read(value: &[u8]) -> Result<Vec<Address>, AuthorError> {
    if value.len() > Author::MAX_OCTETS {
        return Err(AuthorError::TooLong {
            octets: value.len(),
        });
    }
    let mailboxes::List { mailboxes, routes } = mailboxes::read(value, Author::MAX_MAILBOXES)?;
    if is_plain(value) || agrees(&without(&routes, value), &mailboxes) {
        Ok(mailboxes)
    } else {
        Err(AuthorError::Ambiguous)
    }
}

/// Whether the value is so plain that no two readers differ: at most one space before it, words of
/// letters and digits, perhaps encoded or all in quotes, and one address, in angle brackets where
/// there are words.
fn is_plain(value: &[u8]) -> bool {
    let value = value.strip_prefix(b" ").unwrap_or(value);
    let (words, address) = match text::split_once(value, b'<') {
        Some((words, rest)) => (words, rest.strip_suffix(b">").unwrap_or_default()),
        None => (&b""[..], value),
    };
    let words = words.strip_suffix(b" ").unwrap_or(words);
    let quoted = words
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""));
    let mut words = quoted.unwrap_or(words).split(|octet| *octet == b' ');
    let is_plain_word = |word: &[u8]| word.iter().all(is_plain_octet);
    let has_parts = text::split_once(address, b'@').is_some_and(|(local_part, domain)| {
        let parts = [local_part, domain];
        parts
            .iter()
            .all(|part| !part.is_empty() && is_plain_word(part))
    });
    has_parts && words.all(|word| is_plain_word(word) || is_plain_encoded_word(word))
}

fn is_plain_octet(octet: &u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'-' | b'_' | b'+')
}

/// encoded-word = "=?" charset "?" encoding "?" encoded-text "?=" (RFC 2047 2)
fn is_plain_encoded_word(word: &[u8]) -> bool {
    let inner = word
        .strip_prefix(b"=?")
        .and_then(|rest| rest.strip_suffix(b"?="));
    let mut parts = inner.unwrap_or_default().split(|octet| *octet == b'?');
    let (Some(charset), Some(encoding), Some(encoded), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    matches!(encoding, b"Q" | b"q" | b"B" | b"b")
        && !charset.is_empty()
        && charset.iter().all(is_plain_octet)
        && encoded
            .iter()
            .all(|octet| is_plain_octet(octet) || matches!(octet, b'=' | b'/'))
}

/// The value with blanks for the source routes, which mail-parser does not know.
fn without<'a>(routes: &[Range<usize>], value: &'a [u8]) -> Cow<'a, [u8]> {
    let mut value = Cow::Borrowed(value);
    for route in routes {
        if let Some(octets) = value.to_mut().get_mut(route.clone()) {
            octets.fill(b' ');
        }
    }
    value
}

/// Whether mail-parser finds mailboxes of the same domains in the same order.
fn agrees(value: &[u8], mailboxes: &[Address]) -> bool {
    let octets = [value, b"\r\n"].concat();
    let from = MessageStream::new(&octets).parse_address();
    let mut theirs = from
        .as_address()
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

#[cfg(test)]
mod tests;
