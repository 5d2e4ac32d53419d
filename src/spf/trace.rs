//! A record of everything that a check did, for those who ask for it.

use std::fmt;

use crate::dns::{Answer, Name, RecordType};

/// What a check did, in order; see [`Evaluation::trace`](super::Evaluation::trace).
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(super) struct Trace {
    events: Vec<Event>,
    dropped: usize,
}

impl Trace {
    pub(super) fn lines(&self) -> impl ExactSizeIterator<Item = String> {
        self.events.iter().map(Event::to_string)
    }

    pub(super) fn dropped(&self) -> usize {
        self.dropped
    }
}

/// Something that happened in a check.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
pub(super) enum Event {
    /// A question was put to the DNS.
    Asked {
        /// The name.
        name: Name,
        /// The type.
        record_type: RecordType,
        /// What came of it.
        answer: Answer,
    },
    /// A record was found and is sound.
    Record {
        /// Whose record it is.
        domain: Name,
        /// Its text.
        text: Box<str>,
    },
    /// A macro-string was expanded.
    Expanded {
        /// The text with its macros.
        text: Box<str>,
        /// What became of it, with `\xNN` for octets that are not visible ASCII.
        expansion: Box<str>,
    },
    /// A directive was compared with the client.
    Tried {
        /// Whose record it stands in.
        domain: Name,
        /// The directive.
        term: Box<str>,
        /// Whether it matched.
        matched: bool,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked {
                name,
                record_type,
                answer,
            } => write!(f, "{record_type} of {name}: {answer}"),
            Self::Record { domain, text } => write!(f, "the record of {domain} is `{text}`"),
            Self::Expanded { text, expansion } => write!(f, "`{text}` expands to `{expansion}`"),
            Self::Tried {
                domain,
                term,
                matched,
            } => {
                let verb = if *matched {
                    "matches"
                } else {
                    "does not match"
                };
                write!(f, "`{term}` in the record of {domain} {verb}")
            }
        }
    }
}

/// Collects events up to a number; with the number 0 it costs a comparison.
#[derive(Debug)]
pub(super) struct Recorder {
    trace: Trace,
    most: usize,
}

impl Recorder {
    pub(super) fn new(most: usize) -> Self {
        Self {
            trace: Trace::default(),
            most,
        }
    }

    /// Whether anybody asked for events.
    pub(super) fn is_on(&self) -> bool {
        self.most != 0
    }

    #[inline]
    pub(super) fn push(&mut self, event: impl FnOnce() -> Event) {
        if self.is_on() {
            self.keep(event);
        }
    }

    fn keep(&mut self, event: impl FnOnce() -> Event) {
        if self.trace.events.len() < self.most {
            self.trace.events.push(event());
        } else {
            self.trace.dropped += 1;
        }
    }

    pub(super) fn finish(self) -> Option<Trace> {
        if !self.is_on() {
            return None;
        }
        Some(self.trace)
    }
}
