//! A message as it came over the wire: raw header fields in order, and the body.
//!
//! Nothing is decoded and nothing repaired: signatures cover octets. Lines end with CRLF and with
//! nothing else; a CR or LF on its own is an octet like any other, and recorded in [`Anomalies`].

mod author;
#[cfg(feature = "report")]
pub(crate) mod parts;

use std::borrow::Cow;

pub use author::{Author, AuthorError};

use crate::text;

/// A whole message.
///
/// ```
/// use mailproof::Message;
///
/// let message = Message::parse(b"From: a@example.com\r\nSubject: hi\r\n\r\nHello\r\n");
/// assert_eq!(message.head().fields().len(), 2);
/// assert_eq!(message.body(), b"Hello\r\n");
/// ```
#[derive(Clone, Debug)]
pub struct Message<'a> {
    head: Head<'a>,
    body: &'a [u8],
}

impl<'a> Message<'a> {
    /// Splits a message at the first empty line. Never fails: what is wrong with the message is
    /// told by [`Head::anomalies`].
    #[must_use]
    pub fn parse(octets: &'a [u8]) -> Self {
        let (head, body) = Head::parse(octets);
        Self { head, body }
    }

    /// Puts a message together from a header block and a body.
    #[must_use]
    pub fn new(head: Head<'a>, body: &'a [u8]) -> Self {
        Self { head, body }
    }

    /// The header block.
    #[must_use]
    pub fn head(&self) -> &Head<'a> {
        &self.head
    }

    /// The body: all octets after the empty line.
    #[must_use]
    pub fn body(&self) -> &'a [u8] {
        self.body
    }
}

/// The header block of a message: its fields, top to bottom.
#[derive(Clone, Debug, Default)]
pub struct Head<'a> {
    fields: Vec<Field<'a>>,
    anomalies: Anomalies,
    /// Whether each CR and LF is part of a fold.
    folds_only: bool,
}

impl<'a> Head<'a> {
    /// The most fields that a header block is split into, 0.6 MB of them; ten million octets of `a:`
    /// would make 2.5 million. Mail that is read by people has some hundreds at most.
    pub const MAX_FIELDS: usize = 10_000;

    /// Reads the header block at the start of `octets`; returns it and what follows the empty line
    /// that ends it.
    ///
    /// Behind [`MAX_FIELDS`](Self::MAX_FIELDS) fields the header block is taken to end without an
    /// empty line: nothing is lost, what follows is body, for signatures as well. Since readers
    /// without that limit find other fields there, such a message has no
    /// [`author`](Self::author); see [`Anomalies::too_many_fields`].
    #[must_use]
    pub fn parse(octets: &'a [u8]) -> (Self, &'a [u8]) {
        let mut head = Self {
            fields: Vec::with_capacity(EXPECTED_FIELDS),
            ..Self::default()
        };
        let mut rest = octets;
        let mut ends = LineEnds::default();
        let body = loop {
            if let Some(body) = rest.strip_prefix(b"\r\n") {
                break body;
            }
            if rest.is_empty() {
                head.anomalies.unseparated = true;
                break rest;
            }
            if head.fields.len() == Self::MAX_FIELDS {
                head.anomalies.too_many_fields = true;
                break rest;
            }
            let (line, following) = logical_line(rest, &mut ends);
            head.push_line(line);
            rest = following;
        };
        let length = octets.len().saturating_sub(rest.len());
        let block = octets.get(..length).unwrap_or_default();
        if !ends.are_orderly(block) || has_long_line(block) {
            head.anomalies.count(block);
        }
        head.folds_only = head.anomalies.bare_cr == 0 && head.anomalies.bare_lf == 0;
        (head, body)
    }

    /// Takes fields that something else has split: name, and everything between the colon and the
    /// final CRLF exactly as received, white space after the colon included.
    #[must_use]
    pub fn from_pairs(pairs: impl IntoIterator<Item = (&'a [u8], &'a [u8])>) -> Self {
        Self::from_fields(
            pairs
                .into_iter()
                .map(|(name, value)| Field::new(name, Cow::Borrowed(value))),
        )
    }

    /// Takes fields as a milter receives them: folded lines joined by LF alone. `leading_space`
    /// tells whether the values still have the white space after the colon (`SMFIP_HDR_LEADSPC`
    /// was negotiated); otherwise one space is assumed there, which is a guess that breaks
    /// signatures with simple header canonicalization wherever it is wrong.
    #[must_use]
    pub fn from_milter(
        pairs: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
        leading_space: bool,
    ) -> Self {
        Self::from_fields(
            pairs
                .into_iter()
                .map(|(name, value)| Field::new(name, milter_value(value, leading_space))),
        )
    }

    fn from_fields(fields: impl Iterator<Item = Field<'a>>) -> Self {
        let mut head = Self::default();
        for field in fields {
            head.anomalies.scan(field.value());
            head.push(field);
        }
        // The caller has room for them.
        head.anomalies.too_many_fields = head.fields.len() > Self::MAX_FIELDS;
        head
    }

    fn push_line(&mut self, line: &'a [u8]) {
        if self.fields.is_empty() && line.first().is_some_and(|octet| text::is_wsp(*octet)) {
            self.anomalies.begins_with_fold = true;
        }
        let name_end = line.iter().position(|octet| !is_name_octet(*octet));
        let (name, rest) = line.split_at(name_end.unwrap_or(line.len()));
        if let [b':', value @ ..] = rest
            && !name.is_empty()
        {
            self.fields.push(Field {
                name,
                gap: &[],
                value: Cow::Borrowed(value),
            });
            return;
        }
        match text::split_once(line, b':') {
            Some((name, value)) => self.push(Field::new(name, Cow::Borrowed(value))),
            None => self.anomalies.lines_without_colon += 1,
        }
    }

    fn push(&mut self, field: Field<'a>) {
        if !field.gap.is_empty() {
            self.anomalies.spaces_before_colon += 1;
        }
        if !is_field_name(field.name) {
            self.anomalies.malformed_names += 1;
        }
        self.fields.push(field);
    }

    /// The fields, top to bottom.
    #[must_use]
    pub fn fields(&self) -> &[Field<'a>] {
        &self.fields
    }

    /// The fields of one name, top to bottom.
    pub fn named(&self, name: &[u8]) -> impl DoubleEndedIterator<Item = &Field<'a>> {
        self.fields.iter().filter(move |field| field.is(name))
    }

    /// What is unusual about the header block.
    #[must_use]
    pub fn anomalies(&self) -> &Anomalies {
        &self.anomalies
    }

    /// Who the message says it is from.
    #[must_use]
    pub fn author(&self) -> Author {
        author::of(self)
    }
}

/// The LFs of a header block.
#[derive(Default)]
struct LineEnds {
    /// Those with a CR before them.
    whole: usize,
    bare: usize,
}

impl LineEnds {
    /// Whether the block that they are of has neither NUL nor a CR or LF without the other.
    fn are_orderly(&self, block: &[u8]) -> bool {
        self.bare == 0 && text::count(block, b'\r') == self.whole && text::find(block, 0).is_none()
    }
}

/// A line and the lines that continue it; without its CRLF, and what follows that.
fn logical_line<'o>(octets: &'o [u8], ends: &mut LineEnds) -> (&'o [u8], &'o [u8]) {
    let mut searched = 0;
    loop {
        let unsearched = octets.get(searched..).unwrap_or_default();
        let Some(feed) = text::find(unsearched, b'\n').map(|found| searched + found) else {
            return (octets, &[]);
        };
        searched = feed + 1;
        let Some(line) = octets.get(..feed).and_then(|line| line.strip_suffix(b"\r")) else {
            ends.bare += 1;
            continue;
        };
        ends.whole += 1;
        let following = octets.get(searched..).unwrap_or_default();
        if following.first().is_none_or(|octet| !text::is_wsp(*octet)) {
            return (line, following);
        }
    }
}

fn milter_value(value: &[u8], leading_space: bool) -> Cow<'_, [u8]> {
    let mut out = Vec::with_capacity(value.len() + 8);
    if !leading_space {
        out.push(b' ');
    }
    let mut previous = 0;
    for &octet in value {
        if octet == b'\n' && previous != b'\r' {
            out.push(b'\r');
        }
        out.push(octet);
        previous = octet;
    }
    if out == value {
        Cow::Borrowed(value)
    } else {
        Cow::Owned(out)
    }
}

/// field-name = 1*ftext: printable US-ASCII except the colon (RFC 5322 2.2).
fn is_field_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(u8::is_ascii_graphic)
}

/// ftext
fn is_name_octet(octet: u8) -> bool {
    octet.is_ascii_graphic() && octet != b':'
}

/// A header field, octet for octet.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Field<'a> {
    name: &'a [u8],
    gap: &'a [u8],
    value: Cow<'a, [u8]>,
}

impl<'a> Field<'a> {
    fn new(name: &'a [u8], value: Cow<'a, [u8]>) -> Self {
        let length = name
            .iter()
            .rposition(|octet| !text::is_fws(*octet))
            .map_or(0, |last| last + 1);
        let (name, gap) = name.split_at(length);
        Self { name, gap, value }
    }

    /// The name as written, without the white space that obsolete syntax allows before the colon.
    #[must_use]
    pub fn name(&self) -> &'a [u8] {
        self.name
    }

    /// The white space between name and colon (RFC 5322 4.5), usually none.
    #[must_use]
    pub fn gap(&self) -> &'a [u8] {
        self.gap
    }

    /// Everything between the colon and the final CRLF, folds included.
    #[must_use]
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// Whether the field has this name; letter case does not matter.
    #[must_use]
    pub fn is(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// What is unusual about a header block. None of it is an error here; a server that refuses such
/// mail before storing it is wise (RFC 5321 4.1.1.4 for bare CR and LF, which SMTP smuggling uses).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Anomalies {
    /// The first line begins with white space, so it continues nothing; but it will continue whatever
    /// field is put above the message, as a stranger's words in a field of ours.
    pub begins_with_fold: bool,
    /// CR without LF behind it.
    pub bare_cr: usize,
    /// LF without CR before it.
    pub bare_lf: usize,
    /// Lines that are neither a field nor a continuation.
    pub lines_without_colon: usize,
    /// Lines of more than 998 octets (RFC 5322 2.1.1).
    pub long_lines: usize,
    /// Fields whose name has characters that no field name may have.
    pub malformed_names: usize,
    /// NUL octets.
    pub nul: usize,
    /// Fields with white space before the colon (RFC 5322 4.5).
    pub spaces_before_colon: usize,
    /// More than [`Head::MAX_FIELDS`] fields.
    pub too_many_fields: bool,
    /// No empty line between header block and body.
    pub unseparated: bool,
}

impl Anomalies {
    fn scan(&mut self, octets: &[u8]) {
        if !text::is_orderly(octets) || has_long_line(octets) {
            self.count(octets);
        }
    }

    fn count(&mut self, octets: &[u8]) {
        let mut line = 0_usize;
        let mut previous = 0;
        for &octet in octets {
            if previous == b'\r' && octet != b'\n' {
                self.bare_cr += 1;
            }
            if octet == b'\n' && previous == b'\r' {
                // The CR was counted.
                self.long_lines += usize::from(line > MAX_LINE + 1);
                line = 0;
            } else {
                line += 1;
                self.bare_lf += usize::from(octet == b'\n');
                self.nul += usize::from(octet == 0);
            }
            previous = octet;
        }
        self.bare_cr += usize::from(previous == b'\r');
        self.long_lines += usize::from(line > MAX_LINE);
    }
}

/// Whether a line has more than [`MAX_LINE`] octets. Leaps to the last LF within as many octets as a
/// line may have; each LF has its CR.
fn has_long_line(octets: &[u8]) -> bool {
    let mut rest = octets;
    while rest.len() > MAX_LINE {
        let window = rest.get(..MAX_LINE + 2).unwrap_or(rest);
        let Some(feed) = text::rfind(window, b'\n') else {
            return true;
        };
        rest = rest.get(feed + 1..).unwrap_or_default();
    }
    false
}

/// Most messages have fewer fields.
const EXPECTED_FIELDS: usize = 32;

/// RFC 5322 2.1.1: ‘Each line of characters MUST be no more than 998 characters’.
const MAX_LINE: usize = 998;

#[cfg(test)]
mod tests;
