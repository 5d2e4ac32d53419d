//! Reading reports, row by row.

mod elements;
mod feed;
mod source;
pub(super) mod xml;
mod zip;

use std::fmt;
use std::io::Read;

use super::{Extension, Report, Row};
use crate::report::Limits;
use crate::report::{ReadError, Warning};
use elements::{Element, shown};
use feed::Feed;
use xml::{Token, Xml};

/// Reads an aggregate report: XML of either generation and of the drafts before, in any namespace or
/// none, compressed with gzip or zlib, in a zip archive, or attached to a message. Which of these it
/// is, the content tells.
///
/// Memory does not grow with the report: rows are read one by one. All
/// [limits](crate::report::Limits) have errors of their own. A row that cannot be understood is
/// an error that is not [fatal](ReadError::is_fatal); the next row follows.
///
/// ```
/// use mailproof::report::Limits;
/// use mailproof::report::aggregate::Reader;
///
/// let file = b"<feedback><report_metadata><org_name>Example</org_name></report_metadata>
///     <policy_published><domain>example.com</domain><p>none</p></policy_published>
///     <record><row><source_ip>192.0.2.1</source_ip><count>2</count></row></record>
///     <record><row><source_ip>192.0.2.2</source_ip><count>two</count></row></record>
///     <record><row><source_ip>192.0.2.3</source_ip><count>3</count></row></record></feedback>";
/// let mut reader = Reader::new(file.as_slice(), &Limits::default())?;
/// assert_eq!(reader.report().policy.domain, "example.com");
/// let (rows, errors): (Vec<_>, Vec<_>) = reader.by_ref().partition(|row| row.is_ok());
/// assert_eq!(rows.into_iter().flatten().map(|row| row.count).sum::<u64>(), 5);
/// assert_eq!(errors[0].as_ref().unwrap_err().to_string(), "row 2 has the count \"two\"");
/// assert!(!reader.warnings().is_empty());
/// # Ok::<(), mailproof::report::ReadError>(())
/// ```
pub struct Reader<'a> {
    xml: Xml<'a>,
    report: Report,
    /// Prefixes that the root declares, and their namespaces.
    namespaces: Vec<(String, String)>,
    /// How many elements are open where `feedback` begins, once it was met.
    root: Option<usize>,
    state: State,
    row: u64,
    max_rows: u64,
    warnings: Vec<(u64, Warning)>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
    /// Not in a row.
    Between,
    /// The start tag of a row was read.
    AtRow,
    Done,
}

/// Warnings that are kept; more of them tell nobody more.
const MAX_WARNINGS: usize = 100;

/// Namespaces of the root that are known in extensions. Each element of them is looked up.
const MAX_NAMESPACES: usize = 50;

impl<'a> Reader<'a> {
    /// Finds the report in a file or message, and reads what stands before its first row.
    ///
    /// A message, or a zip archive, is read into memory first.
    ///
    /// # Errors
    ///
    /// [`ReadError`], if there is no report in it.
    pub fn new(source: impl Read + Send + 'a, limits: &Limits) -> Result<Self, ReadError> {
        let source = source::open(source, limits)?;
        let mut reader = Self::of_xml(source.stream, limits);
        if source.more {
            reader.warn(Warning::MoreReports);
        }
        reader.find_row()?;
        reader.note_repairs();
        reader.check_head();
        Ok(reader)
    }

    fn of_xml(stream: Box<dyn Read + Send + 'a>, limits: &Limits) -> Self {
        Self {
            xml: Xml::new(Feed::new(stream, limits), limits),
            report: Report::default(),
            namespaces: Vec::new(),
            root: None,
            state: State::Between,
            row: 0,
            max_rows: limits.rows,
            warnings: Vec::new(),
        }
    }

    /// The report without its rows. What some reporter put after the rows is known when they have
    /// been read.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// What was not as it should be so far, each with the row that it was in: 1 is the first, 0 what
    /// is outside of rows. No more than a hundred are kept.
    #[must_use]
    pub fn warnings(&self) -> &[(u64, Warning)] {
        &self.warnings
    }

    fn warn(&mut self, warning: Warning) {
        if self.warnings.len() < MAX_WARNINGS {
            let row = if self.state == State::AtRow {
                self.row
            } else {
                0
            };
            self.warnings.push((row, warning));
        }
    }

    /// The text is read ahead, so that nobody knows which row it belongs to.
    fn note_repairs(&mut self) {
        let repaired = (0, Warning::Repaired);
        if self.xml.was_repaired() && !self.warnings.contains(&repaired) {
            self.warnings.push(repaired);
        }
    }

    /// Reads up to the next row, or to the end.
    fn find_row(&mut self) -> Result<(), ReadError> {
        loop {
            let kept = self.xml.kept();
            match self.xml.next()? {
                Token::Start => {
                    if self.child()? {
                        self.xml.set_kept(kept);
                        return Ok(());
                    }
                }
                Token::End if self.root.is_some_and(|root| self.xml.depth() <= root) => break,
                // ‘No root’ is what some reporters have as well.
                Token::Eof if self.root.is_none() && self.is_begun() => break,
                Token::Eof if self.root.is_none() => return Err(ReadError::NotAReport),
                Token::Eof => return Err(ReadError::Truncated),
                Token::End | Token::Text => {}
            }
        }
        self.state = State::Done;
        Ok(())
    }

    fn is_begun(&self) -> bool {
        self.row > 0 || self.report != Report::default()
    }

    /// A child of the root; whether it is a row.
    fn child(&mut self) -> Result<bool, ReadError> {
        match Element::of(self.xml.name()) {
            Element::Feedback => self.enter(),
            Element::Record => {
                self.state = State::AtRow;
                return Ok(true);
            }
            Element::Version => self.report.version = Some(self.xml.element_text()?),
            Element::ReportMetadata => self.metadata()?,
            Element::PolicyPublished => self.policy()?,
            Element::Extension | Element::Extensions => {
                let mut extensions = std::mem::take(&mut self.report.extensions);
                self.extensions(&mut extensions)?;
                self.report.extensions = extensions;
            }
            _ if self.root.is_some() => {
                let mut extensions = std::mem::take(&mut self.report.extensions);
                self.extension(&mut extensions)?;
                self.report.extensions = extensions;
            }
            // A schema that somebody forgot to close, for example: what it holds may be a report.
            _ => self.warn(Warning::NoRoot),
        }
        Ok(false)
    }

    fn enter(&mut self) {
        self.root = Some(self.xml.depth().saturating_sub(1));
        let name = self.xml.qualified_name();
        let prefix = name
            .split_once(':')
            .map_or("", |(prefix, _)| prefix)
            .to_owned();
        self.namespaces = declarations(self.xml.attributes());
        self.namespaces.truncate(MAX_NAMESPACES);
        let own = self.namespaces.iter().find(|(known, _)| *known == prefix);
        self.report.namespace = own.map(|(_, namespace)| namespace.clone());
    }

    fn extension(&mut self, extensions: &mut Vec<Extension>) -> Result<(), ReadError> {
        let extension = Extension::read(&mut self.xml, &self.namespaces)?;
        if extension.namespace.is_empty()
            || Some(&extension.namespace) == self.report.namespace.as_ref()
        {
            let name = shown(&extension.name);
            self.warn(Warning::UnknownElement { name });
        }
        extensions.push(extension);
        Ok(())
    }

    fn extensions(&mut self, extensions: &mut Vec<Extension>) -> Result<(), ReadError> {
        loop {
            match self.xml.next()? {
                Token::Start => extensions.push(Extension::read(&mut self.xml, &self.namespaces)?),
                Token::End => return Ok(()),
                Token::Text => {}
                Token::Eof => return Err(ReadError::Truncated),
            }
        }
    }
}

/// The namespaces that a tag declares, by prefix.
pub(super) fn declarations(attributes: Vec<(String, String)>) -> Vec<(String, String)> {
    attributes
        .into_iter()
        .filter_map(|(name, value)| match name.strip_prefix("xmlns") {
            Some("") => Some((String::new(), value)),
            Some(prefix) => Some((prefix.strip_prefix(':')?.to_owned(), value)),
            None => None,
        })
        .collect()
}

impl Iterator for Reader<'_> {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.state == State::Between
            && let Err(error) = self.find_row()
        {
            self.state = State::Done;
            return Some(Err(error));
        }
        if self.state == State::Done {
            return None;
        }
        self.row += 1;
        let row = if self.row > self.max_rows {
            Err(ReadError::TooManyRows {
                limit: self.max_rows,
            })
        } else {
            self.row()
        };
        self.note_repairs();
        self.state = match &row {
            Err(error) if error.is_fatal() => State::Done,
            Err(_) | Ok(_) => State::Between,
        };
        Some(row)
    }
}

impl fmt::Debug for Reader<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("report", &self.report)
            .field("row", &self.row)
            .finish_non_exhaustive()
    }
}

impl Row {
    /// Reads a row that [`to_xml`](Self::to_xml) has written.
    ///
    /// # Errors
    ///
    /// [`ReadError`], if it is none.
    pub fn from_xml(xml: &str) -> Result<Self, ReadError> {
        let mut reader = Reader::of_xml(Box::new(xml.as_bytes()), &Limits::default());
        reader.next().unwrap_or(Err(ReadError::NotAReport))
    }
}
