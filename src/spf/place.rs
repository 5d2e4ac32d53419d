//! Where in the records something happened.

use std::fmt;
use std::sync::Arc;

use super::record::ascii;
use crate::dns::Name;

/// A record, a term in it, and how the check came there.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Place {
    domain: Name,
    term: Option<Words>,
    path: Box<[Step]>,
}

impl Place {
    pub(super) fn new(domain: Name, term: Option<Words>, path: Box<[Step]>) -> Self {
        Self { domain, term, path }
    }

    /// Whose record it is.
    #[must_use]
    pub fn domain(&self) -> &Name {
        &self.domain
    }

    /// The term as written; `None` where the whole record is meant.
    #[must_use]
    pub fn term(&self) -> Option<&str> {
        self.term.as_ref().map(Words::as_str)
    }

    /// The includes and redirects on the way, the outermost first: in whose record each stands, and
    /// the term as written.
    pub fn path(&self) -> impl ExactSizeIterator<Item = (&Name, &str)> {
        self.path
            .iter()
            .map(|step| (&step.domain, step.term.as_str()))
    }

    /// Whether an include is on the way.
    pub(crate) fn is_included(&self) -> bool {
        self.path.iter().any(|step| step.via == Via::Include)
    }

    /// Whether the term is `all`.
    pub(crate) fn is_all(&self) -> bool {
        self.term().is_some_and(|term| {
            term.trim_start_matches(['+', '-', '~', '?'])
                .eq_ignore_ascii_case("all")
        })
    }

    /// The domain, and how the check came there.
    pub(super) fn record(&self) -> impl fmt::Display + '_ {
        Whose(self)
    }
}

struct Whose<'a>(&'a Place);

impl fmt::Display for Whose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { domain, path, .. } = self.0;
        write!(f, "{domain}")?;
        for (index, step) in path.iter().enumerate() {
            f.write_str(if index == 0 { " (via " } else { ", " })?;
            write!(f, "{} of {}", step.via, step.domain)?;
        }
        f.write_str(if path.is_empty() { "" } else { ")" })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(term) = self.term() {
            write!(f, "`{term}` in ")?;
        }
        write!(f, "the record of {}", self.record())
    }
}

/// An include or redirect that was followed.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(super) struct Step {
    pub(super) domain: Name,
    pub(super) term: Words,
    pub(super) via: Via,
}

/// How one record leads to another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
pub(super) enum Via {
    /// `include` (§5.2).
    Include,
    /// `redirect` (§6.1).
    Redirect,
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Include => "include",
            Self::Redirect => "redirect",
        })
    }
}

/// A term as written. It shares the octets of its record.
#[derive(Clone)]
pub(super) struct Words {
    record: Arc<[u8]>,
    offset: usize,
    length: usize,
}

impl Words {
    pub(super) fn new(record: Arc<[u8]>, offset: usize, length: usize) -> Self {
        Self {
            record,
            offset,
            length,
        }
    }

    pub(super) fn as_str(&self) -> &str {
        let words = self.record.get(self.offset..);
        ascii(
            words
                .and_then(|words| words.get(..self.length))
                .unwrap_or_default(),
        )
    }
}

impl Eq for Words {}

impl PartialEq for Words {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Words {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
