//! Keeping what was asked and answered, to see it, to attach it to a ticket, and to replay it.

mod format;
mod replay;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::record::{Record, Told, resolve_by};
use super::{Lookup, LookupError, Mx, Name, Outcome, RecordType, Resolver, Txt};

pub use format::TranscriptError;
use replay::Replay;

/// A resolver that keeps every question that passes through it, with what came of it.
///
/// It is made for one verification and costs next to nothing there: names and records are shared,
/// not copied. It keeps the first 10,000 questions and counts the others, so that one left in place
/// for longer does not grow without end.
///
/// ```
/// use mailproof::dns::{Recording, Resolver, Transcript, Zone, block_on};
///
/// let mut zone = Zone::new();
/// zone.add_txt("example.com", "v=spf1 -all")?;
///
/// let recording = Recording::new(&zone);
/// block_on(recording.txt(&"example.com".parse()?))?;
/// block_on(recording.a(&"example.net".parse()?))?;
/// assert_eq!(recording.questions()[0].to_string(), "TXT example.com: 1 record");
/// assert_eq!(recording.questions()[1].to_string(), "A example.net: no such name");
///
/// // What goes into the ticket, and comes out of it.
/// let text = recording.transcript().to_string();
/// assert_eq!(text, "mailproof dns 1
/// TXT example.com records
///     \"v=spf1 -all\"
/// A example.net no-such-name
/// ");
/// let replay = Transcript::from_text(&text)?.replay();
/// assert_eq!(block_on(replay.txt(&"example.com".parse()?))?.as_slice().len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Recording<R> {
    resolver: R,
    transcript: Mutex<Transcript>,
}

impl<R> Recording<R> {
    /// Passes all look-ups on to `resolver`.
    pub fn new(resolver: R) -> Self {
        Self {
            resolver,
            transcript: Mutex::default(),
        }
    }

    /// The questions so far, in the order in which they were asked.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        self.lock().questions().collect()
    }

    /// All that was asked and answered so far.
    #[must_use]
    pub fn transcript(&self) -> Transcript {
        self.lock().clone()
    }

    /// All that was asked and answered, without a copy.
    #[must_use]
    pub fn into_transcript(self) -> Transcript {
        self.transcript
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Transcript> {
        // Nothing panics while the lock is held.
        self.transcript
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Resolver> Recording<R> {
    fn lookup<'a, T: Record>(&'a self, name: &'a Name) -> Lookup<'a, T> {
        // The question is noted first: one that is never answered is worth knowing as well.
        let Some(index) = self.lock().ask(name, T::TYPE) else {
            return T::ask(&self.resolver, name);
        };
        T::ask(&self.resolver, name).inspect(move |result| {
            if let Some(exchange) = self.lock().exchanges.get_mut(index) {
                exchange.told = Some(T::told(result.clone()));
            }
        })
    }
}

impl<R: Resolver> Resolver for Recording<R> {
    resolve_by!(lookup);
}

/// Questions and answers in the order of the questions.
///
/// It prints as a text that [`from_text`](Self::from_text) reads: a first line with the version,
/// then a line for each question, and below it an indented line for each record.
///
/// ```text
/// mailproof dns 1
/// TXT example.com records ttl=300 dnssec
///     "v=spf1 mx -all"
/// MX example.com records ttl=300
///     10 mx.example.com
/// A mx.example.com no-data ttl=60
/// AAAA mx.example.com error servfail
/// PTR 25.2.0.192.in-addr.arpa unanswered
/// ```
///
/// The answers are `records`, `no-data`, `no-such-name`, `error` with one of `malformed`, `refused`,
/// `servfail`, `timeout`, `truncated` or a quoted text, and `unanswered` for a look-up that was given
/// up. Octets of texts that are not visible ASCII are written `\DDD`. Blank lines and lines that
/// begin with `;` or `#` mean nothing.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Transcript {
    exchanges: Vec<Exchange>,
    missed: u64,
}

impl Transcript {
    /// The questions in the order in which they were asked.
    pub fn questions(&self) -> impl ExactSizeIterator<Item = Question> {
        self.exchanges.iter().map(Exchange::question)
    }

    /// How many questions came after the 10,000 that are kept.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// A resolver that answers as this transcript says.
    #[must_use]
    pub fn replay(&self) -> impl Resolver + use<> {
        Replay::new(self)
    }

    fn ask(&mut self, name: &Name, record_type: RecordType) -> Option<usize> {
        let index = self.exchanges.len();
        if index >= MAX_QUESTIONS {
            self.missed = self.missed.saturating_add(1);
            return None;
        }
        self.exchanges.push(Exchange {
            name: name.clone(),
            record_type,
            told: None,
        });
        Some(index)
    }
}

/// One question with its answer, if it got one.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Exchange {
    name: Name,
    record_type: RecordType,
    told: Option<Told>,
}

impl Exchange {
    fn question(&self) -> Question {
        let question = Question::unanswered(&self.name, self.record_type);
        match &self.told {
            None => question,
            Some(Told::A(result)) => question.answered(result),
            Some(Told::Aaaa(result)) => question.answered(result),
            Some(Told::Mx(result)) => question.answered(result),
            Some(Told::Ptr(result)) => question.answered(result),
            Some(Told::Txt(result)) => question.answered(result),
        }
    }
}

/// A question and what came of it, in short.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Question {
    /// The name that was asked for.
    pub name: Name,
    /// The record type that was asked for.
    pub record_type: RecordType,
    /// What came of it.
    pub answer: Answer,
    /// How long the answer may be kept, if the resolver knows; `serde` writes whole seconds.
    #[cfg_attr(feature = "serde", serde(serialize_with = "seconds"))]
    pub ttl: Option<Duration>,
    /// Whether the resolver vouches for the answer (DNSSEC).
    pub authentic: bool,
}

impl Question {
    pub(super) fn unanswered(name: &Name, record_type: RecordType) -> Self {
        Self {
            name: name.clone(),
            record_type,
            answer: Answer::Unanswered,
            ttl: None,
            authentic: false,
        }
    }

    pub(super) fn answered<T>(self, result: &Result<Outcome<T>, LookupError>) -> Self {
        let outcome = result.as_ref().ok();
        Self {
            answer: result.into(),
            ttl: outcome.and_then(Outcome::ttl),
            authentic: outcome.is_some_and(Outcome::is_authentic),
            ..self
        }
    }
}

#[cfg(feature = "serde")]
fn seconds<S: serde::Serializer>(ttl: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    serde::Serialize::serialize(&ttl.map(|ttl| ttl.as_secs()), serializer)
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.record_type, self.name, self.answer)
    }
}

/// What came of a question, in short.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Answer {
    /// The look-up failed.
    Error(LookupError),
    /// The name exists, but not with this type.
    NoData,
    /// The name does not exist.
    NoSuchName,
    /// This many records.
    Records(usize),
    /// The look-up was given up before it came to an end, or still goes on.
    Unanswered,
}

impl<T> From<&Result<Outcome<T>, LookupError>> for Answer {
    fn from(result: &Result<Outcome<T>, LookupError>) -> Self {
        match result {
            Ok(outcome) if outcome.is_no_such_name() => Self::NoSuchName,
            Ok(outcome) => match outcome.as_slice() {
                [] => Self::NoData,
                records => Self::Records(records.len()),
            },
            Err(error) => Self::Error(error.clone()),
        }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => write!(f, "error: {error}"),
            Self::NoData => f.write_str("no data"),
            Self::NoSuchName => f.write_str("no such name"),
            Self::Records(1) => f.write_str("1 record"),
            Self::Records(count) => write!(f, "{count} records"),
            Self::Unanswered => f.write_str("unanswered"),
        }
    }
}

/// Far above what one verification can ask (`spf::Settings::max_queries` and a few for each signature).
const MAX_QUESTIONS: usize = 10_000;
