//! What can be wrong with a report that is read.

use std::io;

/// Why a report, a row of it, or its key could not be read.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The source failed.
    #[error("reading failed: {0}")]
    Io(String),
    /// There is no report of the kind in it: for an aggregate report no XML, compressed or not,
    /// attached or not; for a failure report no part `message/feedback-report`.
    #[error("there is no report in it")]
    NotAReport,
    /// The text is not one that a [`ReportKey`](super::aggregate::ReportKey) prints.
    #[error("not the key of a report")]
    Key,
    /// The compressed data are broken.
    #[error("the compressed data are broken")]
    Corrupt,
    /// The zip archive is encrypted.
    #[error("the zip archive is encrypted")]
    Encrypted,
    /// The zip archive is compressed by an uncommon method.
    #[error("the zip archive is compressed by method {method}, which nobody uses for reports")]
    Method {
        /// The method's number.
        method: u16,
    },
    /// The XML is in UTF-16, which is not supported.
    #[error("the report is in UTF-16")]
    Utf16,
    /// The XML is not well-formed.
    #[error("the XML is malformed at octet {at}: {problem}")]
    Malformed {
        /// Where, counted in the decompressed XML.
        at: u64,
        /// What is wrong.
        problem: String,
    },
    /// It ends too early.
    #[error("the report ends too early")]
    Truncated,
    /// It has a document type definition, which could hold anything.
    #[error("the report has a document type definition, which is refused")]
    Dtd,
    /// It refers to an entity that is not one of XML's own five.
    #[error("the report refers to the entity {name}, which is refused")]
    Entity {
        /// The entity.
        name: String,
    },
    /// The file or message is too large.
    #[error("the file has more than {limit} octets")]
    TooLarge {
        /// The limit: [`compressed_octets`](crate::report::Limits::compressed_octets).
        limit: u64,
    },
    /// The XML is too large.
    #[error("the report has more than {limit} octets")]
    TooMuchXml {
        /// The limit: [`octets`](crate::report::Limits::octets).
        limit: u64,
    },
    /// It decompresses to too much.
    #[error("the file decompresses to more than {limit} times its size")]
    Ratio {
        /// The limit: [`ratio`](crate::report::Limits::ratio).
        limit: u64,
    },
    /// The zip archive has too many entries.
    #[error("the zip archive has more than {limit} entries")]
    TooManyEntries {
        /// The limit: [`zip_entries`](crate::report::Limits::zip_entries).
        limit: usize,
    },
    /// The gzip file consists of more members than what is in them explains.
    #[error("the gzip file has too many members")]
    TooManyMembers,
    /// The message has more parts, or deeper ones, than
    /// [`Limits`](crate::report::Limits) allows.
    #[error("the message has too many parts")]
    TooManyParts,
    /// Elements lie too deep in elements.
    #[error("the elements lie deeper than {limit}")]
    TooDeep {
        /// The limit: [`depth`](crate::report::Limits::depth).
        limit: usize,
    },
    /// The report has too many rows.
    #[error("the report has more than {limit} rows")]
    TooManyRows {
        /// The limit: [`rows`](crate::report::Limits::rows).
        limit: u64,
    },
    /// A text, tag or comment is too long.
    #[error("a text has more than {limit} octets")]
    TextTooLong {
        /// The limit: [`text_octets`](crate::report::Limits::text_octets).
        limit: usize,
    },
    /// A row is too long, or what stands before the first.
    #[error("a row has more than {limit} octets")]
    RowTooLong {
        /// The limit: [`row_octets`](crate::report::Limits::row_octets).
        limit: usize,
    },
    /// The row lacks what makes it one. The rows that follow can be read.
    #[error("row {row} has no {element}")]
    RowWithout {
        /// The row, counted from 1.
        row: u64,
        /// What is missing.
        element: &'static str,
    },
    /// The row does not say of how many messages it is. The rows that follow can be read.
    #[error("row {row} has the count {text:?}")]
    RowCount {
        /// The row, counted from 1.
        row: u64,
        /// What stands there.
        text: String,
    },
}

impl ReadError {
    /// Whether nothing more can be read; otherwise it is one row that is lost.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        !matches!(self, Self::RowWithout { .. } | Self::RowCount { .. })
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        // Our own limits come out of the layers between as errors of reading.
        if let Some(ours) = error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<Self>())
        {
            return ours.clone();
        }
        match error.kind() {
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => Self::Corrupt,
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Io(error.to_string()),
        }
    }
}

impl From<ReadError> for io::Error {
    fn from(error: ReadError) -> Self {
        Self::other(error)
    }
}

/// Something about a report that is not as it should be, and was made the best of.
#[derive(Clone, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Warning {
    /// A field that may stand once stands again; the first counts.
    #[error("the field {name} stands more than once")]
    Duplicate {
        /// The field.
        name: &'static str,
    },
    /// A field has a value that it cannot have, and is passed over.
    #[error("the field {name} cannot be read: {value}")]
    Malformed {
        /// The field.
        name: &'static str,
        /// The beginning of its value.
        value: String,
    },
    /// An element or a field that must be there is missing, or empty.
    #[error("{name} is missing")]
    Missing {
        /// The element or field.
        name: &'static str,
    },
    /// The file or message holds more reports, which have to be read one by one.
    #[error("there are more reports in it")]
    MoreReports,
    /// The failure report comes without the header block of the message.
    #[error("the header block of the message is missing")]
    NoHeader,
    /// The root is not `feedback`.
    #[error("the element feedback is not the root")]
    NoRoot,
    /// A number is none, or has a fraction.
    #[error("{element} is {text:?}, which is no whole number")]
    Number {
        /// The element.
        element: &'static str,
        /// What stands there.
        text: String,
    },
    /// The period is longer than a day, or ends before it begins.
    #[error("the period is not one of a day or less")]
    Period,
    /// The failure report has more than 1,000 fields; the others are passed over.
    #[error("the report has too many fields")]
    TooManyFields,
    /// A part of the message has a transfer encoding that it does not keep to.
    #[error("a part cannot be decoded")]
    Undecodable,
    /// Some text is not in the encoding that it should have.
    #[error("some text is not UTF-8")]
    Repaired,
    /// An element that neither schema has, and that no extension could have put there; skipped.
    #[error("{name:?} is an unknown element")]
    UnknownElement {
        /// Its name.
        name: String,
    },
    /// A word that the schemas do not know; kept.
    #[error("{element} has the unknown word {word:?}")]
    UnknownWord {
        /// The element.
        element: &'static str,
        /// The word.
        word: String,
    },
}
