//! Elements and text, one after the other: a thin layer over `quick-xml` that knows limits and
//! refuses what could hide anything.

use quick_xml::errors::{Error, IllFormedError, SyntaxError};
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;

use quick_xml::{Reader, XmlVersion};

use super::super::write::{clean, is_xml};
use super::feed::Feed;
use crate::report::Limits;
use crate::report::ReadError;

/// Octets that an element counts for besides its tag: what it becomes takes room even where it says
/// nothing.
const ELEMENT: usize = 32;

/// Reads XML token by token; what belongs to the last token stands in the fields.
pub(in super::super) struct Xml<'a> {
    reader: Reader<Feed<'a>>,
    buffer: Vec<u8>,
    /// The last start tag, without its brackets.
    tag: String,
    name_length: usize,
    /// The last text.
    pub(in super::super) text: String,
    depth: usize,
    /// What the row may keep in memory so far, in octets.
    kept: usize,
    limits: Limits,
}

/// What comes next.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in super::super) enum Token {
    Start,
    End,
    Text,
    Eof,
}

impl<'a> Xml<'a> {
    pub(super) fn new(feed: Feed<'a>, limits: &Limits) -> Self {
        let mut reader = Reader::from_reader(feed);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        // "Smith & Sons" happens.
        config.allow_dangling_amp = true;
        Self {
            reader,
            buffer: Vec::new(),
            tag: String::new(),
            name_length: 0,
            text: String::new(),
            depth: 0,
            kept: 0,
            limits: limits.clone(),
        }
    }

    /// Reads text of our own, or of the caller's.
    pub(in super::super) fn of_text(text: &'a str) -> Self {
        let limits = Limits::default();
        Self::new(Feed::new(Box::new(text.as_bytes()), &limits), &limits)
    }

    pub(in super::super) fn next(&mut self) -> Result<Token, ReadError> {
        loop {
            self.buffer.clear();
            self.reader.get_mut().begin_event();
            let event = match self.reader.read_event_into(&mut self.buffer) {
                Ok(event) => event,
                Err(error) => return Err(read_error(error, self.reader.error_position())),
            };
            match event {
                Event::Start(tag) => {
                    self.depth += 1;
                    if self.depth > self.limits.depth {
                        let limit = self.limits.depth;
                        return Err(ReadError::TooDeep { limit });
                    }
                    self.name_length = tag.name().as_ref().len();
                    self.tag.clear();
                    self.tag.push_str(&tag);
                    self.keep(self.tag.len().saturating_add(ELEMENT))?;
                    return Ok(Token::Start);
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Token::End);
                }
                Event::Text(text) => {
                    self.text.clear();
                    self.text.push_str(&text.xml10_content());
                    self.keep(self.text.trim().len())?;
                    return Ok(Token::Text);
                }
                Event::CData(text) => {
                    self.text.clear();
                    self.text.push_str(&text.xml10_content());
                    self.keep(self.text.trim().len())?;
                    return Ok(Token::Text);
                }
                Event::GeneralRef(name) => {
                    self.text.clear();
                    self.text.push(resolve(&name)?);
                    self.keep(self.text.trim().len())?;
                    return Ok(Token::Text);
                }
                Event::DocType(_) => return Err(ReadError::Dtd),
                Event::Eof => return Ok(Token::Eof),
                // Empty elements come as two events.
                Event::Comment(_) | Event::Decl(_) | Event::Empty(_) | Event::PI(_) => {}
            }
        }
    }

    /// Counts octets that stay in memory, up to the limit on rows.
    pub(in super::super) fn keep(&mut self, octets: usize) -> Result<(), ReadError> {
        self.kept = self.kept.saturating_add(octets);
        if self.kept > self.limits.row_octets {
            let limit = self.limits.row_octets;
            return Err(ReadError::RowTooLong { limit });
        }
        Ok(())
    }

    /// How much of the limit on rows was used up, so that it can be [set](Self::set_kept) again.
    pub(super) fn kept(&self) -> usize {
        self.kept
    }

    /// Sets how much of the limit on rows is used up.
    pub(super) fn set_kept(&mut self, kept: usize) {
        self.kept = kept;
    }

    /// The name in the last start tag, prefix included.
    pub(in super::super) fn qualified_name(&self) -> &str {
        self.tag.get(..self.name_length).unwrap_or_default()
    }

    /// The name in the last start tag. Who declares which prefix differs so much from reporter to
    /// reporter that prefixes mean nothing.
    pub(in super::super) fn name(&self) -> &str {
        let name = self.qualified_name();
        name.split_once(':').map_or(name, |(_, name)| name)
    }

    /// The attributes in the last start tag; values that refer to unknown entities as they are
    /// written.
    pub(in super::super) fn attributes(&self) -> Vec<(String, String)> {
        let tag = BytesStart::from_content(self.tag.as_str(), self.name_length);
        // The check for duplicates would compare each with each.
        let mut attributes = tag.attributes();
        let attributes = attributes.with_checks(false).flatten();
        attributes
            .map(|attribute| {
                let value = attribute.normalized_value(XmlVersion::Implicit1_0);
                let value = value.map_or_else(|_| attribute.value.to_string(), |v| v.into_owned());
                (
                    attribute.key.as_ref().to_owned(),
                    clean(&value).into_owned(),
                )
            })
            .collect()
    }

    pub(in super::super) fn attribute(&self, name: &str) -> Option<String> {
        if self.tag.len() == self.name_length {
            return None;
        }
        let mut attributes = self.attributes().into_iter();
        let found = attributes.find(|(key, _)| key == name);
        found.map(|(_, value)| value)
    }

    /// How many elements are open.
    pub(in super::super) fn depth(&self) -> usize {
        self.depth
    }

    pub(in super::super) fn was_repaired(&mut self) -> bool {
        self.reader.get_mut().was_repaired()
    }

    /// Reads to the end of the element that was just begun; its text, without white space around it.
    /// Elements in it are skipped.
    pub(in super::super) fn element_text(&mut self) -> Result<String, ReadError> {
        let mut text = String::new();
        let outside = self.depth.saturating_sub(1);
        loop {
            match self.next()? {
                Token::Text if self.depth == outside + 1 => {
                    text.push_str(&self.text);
                    if text.len() > self.limits.text_octets {
                        let limit = self.limits.text_octets;
                        return Err(ReadError::TextTooLong { limit });
                    }
                }
                Token::End if self.depth <= outside => break,
                Token::Start | Token::End | Token::Text => {}
                Token::Eof => return Err(ReadError::Truncated),
            }
        }
        match clean(text.trim()) {
            Cow::Borrowed(same) if same.len() == text.len() => Ok(text),
            other => Ok(other.into_owned()),
        }
    }
}

/// The character that `&name;` stands for.
fn resolve(name: &str) -> Result<char, ReadError> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix('x') {
            Some(digits) => u32::from_str_radix(digits, 16),
            None => number.parse(),
        };
        let character = code.ok().and_then(char::from_u32);
        let character = character.filter(|character| is_xml(*character));
        return Ok(character.unwrap_or(char::REPLACEMENT_CHARACTER));
    }
    Ok(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let name = name.chars().take(100).collect();
            return Err(ReadError::Entity { name });
        }
    })
}

fn read_error(error: Error, at: u64) -> ReadError {
    match &error {
        Error::Io(io) => {
            let ours = io
                .get_ref()
                .and_then(|inner| inner.downcast_ref::<ReadError>());
            let kind = io.kind();
            ours.cloned()
                .unwrap_or_else(|| std::io::Error::new(kind, io.to_string()).into())
        }
        Error::Syntax(
            SyntaxError::UnclosedComment
            | SyntaxError::UnclosedCData
            | SyntaxError::UnclosedPI
            | SyntaxError::UnclosedTag
            | SyntaxError::UnclosedXmlDecl,
        )
        | Error::IllFormed(IllFormedError::MissingEndTag(_)) => ReadError::Truncated,
        // Its end was not reached, and need not be.
        Error::Syntax(SyntaxError::UnclosedDoctype)
        | Error::IllFormed(IllFormedError::MissingDoctypeName) => ReadError::Dtd,
        _ => ReadError::Malformed {
            at,
            problem: error.to_string(),
        },
    }
}
