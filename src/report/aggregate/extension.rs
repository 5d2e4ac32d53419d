//! Elements that extensions define (RFC 9990 5).

use super::read::declarations;
use super::read::xml::{Token, Xml};
use super::write::escape;
use crate::report::ReadError;

/// An element of an extension, with all it contains: XML that can stand anywhere, since each of its
/// elements names its own namespace.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Extension {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) xml: String,
}

impl Extension {
    /// Reads one element.
    ///
    /// ```
    /// use mailproof::report::aggregate::Extension;
    ///
    /// let element = Extension::parse("<x:arc xmlns:x=\"urn:example\"><x:cv>pass</x:cv></x:arc>")?;
    /// assert_eq!((element.namespace(), element.name()), ("urn:example", "arc"));
    /// assert_eq!(element.as_xml(), "<arc xmlns=\"urn:example\"><cv>pass</cv></arc>");
    /// # Ok::<(), mailproof::report::ReadError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ReadError`], if the text does not begin with a whole element.
    pub fn parse(xml: &str) -> Result<Self, ReadError> {
        let mut xml = Xml::of_text(xml);
        loop {
            match xml.next()? {
                Token::Start => return Self::read(&mut xml, &[]),
                Token::Text if xml.text.trim().is_empty() => {}
                Token::Text | Token::End | Token::Eof => return Err(ReadError::NotAReport),
            }
        }
    }

    /// Reads the element whose start tag was just read.
    pub(super) fn read(
        xml: &mut Xml<'_>,
        declared: &[(String, String)],
    ) -> Result<Self, ReadError> {
        let mut copy = Copy {
            outside: declared,
            declared: Vec::new(),
            open: Vec::new(),
            text: String::new(),
            out: String::new(),
        };
        let name = plain(xml.name());
        copy.start(xml)?;
        let namespace = copy.open.first().map(|open| open.namespace.clone());
        while !copy.open.is_empty() {
            match xml.next()? {
                Token::Start => copy.start(xml)?,
                Token::Text => copy.text.push_str(&xml.text),
                Token::End => copy.end(),
                Token::Eof => return Err(ReadError::Truncated),
            }
        }
        Ok(Self {
            namespace: namespace.unwrap_or_default(),
            name,
            xml: copy.out,
        })
    }

    /// The namespace, which is the URI of the extension's definition; empty where the reporter did
    /// not name it.
    #[must_use]
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The name, without prefix.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The element as XML.
    #[must_use]
    pub fn as_xml(&self) -> &str {
        &self.xml
    }
}

/// Copies elements, with namespaces in place of prefixes.
struct Copy<'a> {
    /// Prefixes and namespaces of the elements around.
    outside: &'a [(String, String)],
    /// Those of the elements that are copied, of inner ones last.
    declared: Vec<(String, String)>,
    open: Vec<Open>,
    /// The text since the last tag, which comes in pieces.
    text: String,
    out: String,
}

/// An element that was not closed yet.
struct Open {
    name: String,
    namespace: String,
    /// How many declarations there were outside.
    declared: usize,
}

impl Copy<'_> {
    fn start(&mut self, xml: &mut Xml<'_>) -> Result<(), ReadError> {
        self.flush();
        let outside = self.declared.len();
        let attributes = xml.attributes();
        self.declared.extend(declarations(attributes.clone()));
        let (prefix, _) = split(xml.qualified_name());
        let open = Open {
            name: plain(xml.name()),
            namespace: self.namespace(prefix),
            declared: outside,
        };
        self.out.push('<');
        self.out.push_str(&open.name);
        // A namespace that was declared once is written wherever it is used: that counts as well.
        if self.open.last().map(|outer| &outer.namespace) != Some(&open.namespace) {
            xml.keep(open.namespace.len())?;
            self.attribute("xmlns", &open.namespace);
        }
        // Declarations do not count, so that what is written here is read alike.
        let mut number = 0;
        for (name, value) in &attributes {
            match split(name) {
                ("", "xmlns") | ("xmlns", _) => {}
                ("", name) => self.attribute(&plain(name), value),
                ("xml", name) => self.attribute(&format!("xml:{}", plain(name)), value),
                (prefix, name) => {
                    let namespace = self.namespace(prefix);
                    if !namespace.is_empty() {
                        number += 1;
                        xml.keep(namespace.len())?;
                        self.attribute(&format!("xmlns:n{number}"), &namespace);
                        self.attribute(&format!("n{number}:{}", plain(name)), value);
                    }
                }
            }
        }
        self.out.push('>');
        self.open.push(open);
        Ok(())
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.out.push_str(&format!(" {name}=\"{}\"", escape(value)));
    }

    /// Writes the text before a tag. White space between elements is no more than layout.
    fn flush(&mut self) {
        if !self.text.trim().is_empty() {
            self.out.push_str(&escape(&self.text));
        }
        self.text.clear();
    }

    fn end(&mut self) {
        self.flush();
        if let Some(open) = self.open.pop() {
            self.out.push_str(&format!("</{}>", open.name));
            self.declared.truncate(open.declared);
        }
    }

    fn namespace(&self, prefix: &str) -> String {
        let mut declared = self.declared.iter().rev().chain(self.outside);
        let found = declared.find(|(known, _)| known == prefix);
        found
            .map(|(_, namespace)| namespace.clone())
            .unwrap_or_default()
    }
}

fn split(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

/// A name that can stand in a tag; the reader below lets others pass.
fn plain(name: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    let mut plain: String = name
        .chars()
        .map(|c| if fits(c) { c } else { '_' })
        .collect();
    if !plain.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        plain.insert(0, '_');
    }
    plain
}
