//! The parts of a MIME message, for papers that come by mail: reports and bounces.
//!
//! Nothing that is signed is read here, so lines may end with LF alone. Parts are slices of the
//! message; the parameters and transfer encodings of RFC 2045 are left to `mail-parser`.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::parsers::MessageStream;
use mail_parser::{ContentType, HeaderValue};

use crate::text;

/// A part that has no parts itself. An attached message counts as one such part.
#[derive(Clone, Debug)]
pub(crate) struct Part<'a> {
    /// Type and subtype in lower case; `text/plain` where there is none (RFC 2045 5.2).
    pub(crate) media_type: String,
    encoding: Encoding,
    body: &'a [u8],
}

#[derive(Clone, Copy, Debug, Default)]
enum Encoding {
    #[default]
    Identity,
    Base64,
    QuotedPrintable,
}

impl<'a> Part<'a> {
    /// The content, its transfer encoding undone; `None` if that is not possible.
    pub(crate) fn content(&self) -> Option<Cow<'a, [u8]>> {
        match self.encoding {
            Encoding::Identity => Some(Cow::Borrowed(self.body)),
            Encoding::QuotedPrintable => quoted_printable_decode(self.body).map(Cow::Owned),
            Encoding::Base64 => {
                // What follows, a footer that a list appended for example, is not part of it.
                let end = self.body.iter().position(|octet| !is_base64(*octet));
                let body = end.and_then(|end| self.body.get(..end));
                base64_decode(body.unwrap_or(self.body)).map(Cow::Owned)
            }
        }
    }
}

fn is_base64(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=') || text::is_fws(octet)
}

/// A message has more parts, or deeper ones, than are looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the message has too many parts")]
pub(crate) struct TooManyParts;

/// The parts of a message, in their order: at most `most`, each in at most `depth` others.
pub(crate) fn parts(message: &[u8], most: usize, depth: usize) -> Parts<'_> {
    Parts {
        waiting: vec![(message, 0)],
        found: 0,
        most,
        depth,
    }
}

/// The iterator of [`parts`]. Ends after an error.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    /// Entities that were not looked into, the next one last, and how deep each lies.
    waiting: Vec<(&'a [u8], usize)>,
    found: usize,
    most: usize,
    depth: usize,
}

impl<'a> Iterator for Parts<'a> {
    type Item = Result<Part<'a>, TooManyParts>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (entity, depth) = self.waiting.pop()?;
            let (part, boundary) = read(entity);
            let Some(boundary) = boundary else {
                return Some(Ok(part));
            };
            let before = self.waiting.len();
            for child in Children::new(part.body, &boundary) {
                self.found += 1;
                if self.found > self.most || depth >= self.depth {
                    self.waiting.clear();
                    return Some(Err(TooManyParts));
                }
                self.waiting.push((child, depth + 1));
            }
            if let Some(children) = self.waiting.get_mut(before..) {
                children.reverse();
            }
        }
    }
}

/// Reads the fields of an entity that tell what it is; the second is the boundary of its parts.
fn read(entity: &[u8]) -> (Part<'_>, Option<String>) {
    let mut part = Part {
        media_type: "text/plain".into(),
        encoding: Encoding::default(),
        body: &[],
    };
    let mut boundary = None;
    let mut fields = Fields(entity);
    for (name, value) in &mut fields {
        if name.eq_ignore_ascii_case(b"Content-Type") {
            if let Some(content_type) = parameters(value) {
                let subtype = content_type.subtype().unwrap_or_default();
                part.media_type = format!("{}/{subtype}", content_type.ctype());
                part.media_type.make_ascii_lowercase();
                boundary = content_type.attribute("boundary").map(str::to_owned);
            }
        } else if name.eq_ignore_ascii_case(b"Content-Transfer-Encoding") {
            part.encoding = match text::trim_fws(value).to_ascii_lowercase().as_slice() {
                b"base64" => Encoding::Base64,
                b"quoted-printable" => Encoding::QuotedPrintable,
                _ => Encoding::Identity,
            };
        }
    }
    part.body = fields.0;
    let multipart = part.media_type.starts_with("multipart/");
    (part, boundary.filter(|_| multipart))
}

/// A field value of a type and parameters.
fn parameters(value: &[u8]) -> Option<ContentType<'_>> {
    if value.len() > MAX_FIELD {
        return None;
    }
    match MessageStream::new(value).parse_content_type() {
        HeaderValue::ContentType(content_type) => Some(content_type),
        _ => None,
    }
}

/// Octets of a field that is read: type, boundary and a long file name have room.
const MAX_FIELD: usize = 8_192;

/// The header fields of an entity: name, and value with its line end, folds included. Afterwards,
/// what is left is the body.
#[derive(Debug)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (mut field, mut rest) = line(self.0);
            if text::trim_fws(field).is_empty() {
                self.0 = rest;
                return None;
            }
            while rest.first().is_some_and(|octet| text::is_wsp(*octet)) {
                let (folded, following) = line(rest);
                // A line of white space alone ends the header block of some senders.
                if text::trim_fws(folded).is_empty() {
                    break;
                }
                rest = following;
                field = self.0.get(..self.0.len() - rest.len()).unwrap_or_default();
            }
            self.0 = rest;
            if let Some((name, value)) = text::split_once(field, b':') {
                return Some((text::trim_fws(name), value));
            }
        }
    }
}

/// The first line with its end, and what follows.
fn line(octets: &[u8]) -> (&[u8], &[u8]) {
    text::find(octets, b'\n')
        .and_then(|feed| octets.split_at_checked(feed + 1))
        .unwrap_or((octets, &[]))
}

/// The parts between the boundary lines of a multipart body (RFC 2046 5.1.1).
#[derive(Debug)]
struct Children<'a> {
    rest: &'a [u8],
    delimiter: String,
    begun: bool,
}

impl<'a> Children<'a> {
    fn new(body: &'a [u8], boundary: &str) -> Self {
        Self {
            rest: body,
            delimiter: format!("--{boundary}"),
            begun: false,
        }
    }

    /// Whether a line delimits parts, and whether it is the last that does.
    fn delimits(&self, line: &[u8]) -> Option<bool> {
        let after = line.strip_prefix(self.delimiter.as_bytes())?;
        let last = after.strip_prefix(b"--");
        text::trim_fws(last.unwrap_or(after))
            .is_empty()
            .then_some(last.is_some())
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<Self::Item> {
        let mut rest = self.rest;
        while !rest.is_empty() {
            let (line, following) = line(rest);
            let Some(last) = self.delimits(line) else {
                rest = following;
                continue;
            };
            // ‘The CRLF preceding the boundary delimiter line is conceptually attached to the
            // boundary’.
            let length = self.rest.len() - rest.len();
            let child = self.rest.get(..length).unwrap_or_default();
            let child = child.strip_suffix(b"\n").unwrap_or(child);
            let child = child.strip_suffix(b"\r").unwrap_or(child);
            self.rest = if last { &[] } else { following };
            if std::mem::replace(&mut self.begun, true) {
                return Some(child);
            }
            rest = self.rest;
        }
        // A message that was cut off still has what came before.
        let child = std::mem::take(&mut self.rest);
        (self.begun && !child.is_empty()).then_some(child)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(message: &str) -> Vec<(String, String)> {
        parts(message.as_bytes(), 100, 8)
            .map(|part| {
                let part = part.unwrap();
                let content = part.content().unwrap();
                let content = String::from_utf8_lossy(&content).into_owned();
                (part.media_type, content)
            })
            .collect()
    }

    const NESTED: &str = "Subject: x\r\nContent-Type: multipart/mixed;\r\n\tboundary=\"a b\"\r\n\r\n\
        preamble\r\n--a b\r\nContent-Type: multipart/alternative; boundary=ab\r\n\r\n\
        --ab\r\n\r\nplain\r\n\r\n--abc\r\n--ab\r\nContent-Type: TEXT/Html\r\n\
        Content-Transfer-Encoding: Quoted-Printable\r\n\r\n<p>=3D</p>=\r\n\r\n--ab--\r\n\r\n\
        --a b  \r\nContent-Type: application/gzip\r\n\
        Content-Transfer-Encoding: BASE64\r\n\r\naGVs\r\nbG8=\r\n-- \r\nlist footer\r\n\
        --a b--\r\nepilogue\r\n--a b\r\n\r\nno part\r\n";

    #[test]
    fn finds_nested_parts_in_order() {
        let expected = [
            ("text/plain", "plain\r\n\r\n--abc"),
            ("text/html", "<p>=</p>"),
            ("application/gzip", "hello"),
        ];
        let expected = expected.map(|(kind, content)| (kind.to_owned(), content.to_owned()));
        assert_eq!(shape(NESTED), expected);
        let lf: Vec<_> = expected.map(|(k, c)| (k, c.replace('\r', ""))).into();
        assert_eq!(shape(&NESTED.replace('\r', "")), lf);
    }

    #[test]
    fn a_message_without_parts_is_one() {
        let single = shape("Content-Type: application/zip\nX\n y: z\n\nPK");
        assert_eq!(single, [("application/zip".into(), "PK".into())]);
        assert_eq!(shape(""), [("text/plain".into(), String::new())]);
        // Without a boundary there are no parts to find.
        assert_eq!(shape("Content-Type: multipart/mixed\n\nx").len(), 1);
    }

    #[test]
    fn a_message_that_was_cut_off_keeps_its_parts() {
        let cut = shape("Content-Type: multipart/mixed; boundary=a\n\n--a\n\none\n--a\n\ntw");
        let contents: Vec<_> = cut.iter().map(|(_, content)| content).collect();
        assert_eq!(contents, ["one", "tw"]);
        assert!(shape("Content-Type: multipart/mixed; boundary=a\n\nnothing").is_empty());
    }

    #[test]
    fn too_many_parts_and_too_deep_ones_are_refused() {
        let flat = |count: usize| {
            let parts = "--a\n\nx\n".repeat(count);
            format!("Content-Type: multipart/mixed; boundary=a\n\n{parts}")
        };
        let deep = |depth: usize| {
            (0..depth).fold(String::new(), |message, level| {
                message
                    + &format!("Content-Type: multipart/mixed; boundary=b{level}\n\n--b{level}\n")
            }) + "\nx"
        };
        let ends = |message: String| parts(message.as_bytes(), 100, 8).last().unwrap().is_ok();
        assert!(ends(flat(100)));
        assert!(!ends(flat(101)));
        assert!(ends(deep(8)));
        assert!(!ends(deep(9)));
    }
}
