//! The text form of transcripts.

use std::fmt::{self, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::time::Duration;

use super::{Exchange, MAX_QUESTIONS, Transcript};
use crate::dns::record::{Record, Told};
use crate::dns::{LookupError, Mx, Name, Outcome, RecordType, Txt};
use crate::text;

impl Transcript {
    /// Reads what [`Display`](fmt::Display) writes. The text may come from a stranger.
    ///
    /// # Errors
    ///
    /// [`TranscriptError`], with the line and the rule that it breaks; texts over 16 MiB, and ones
    /// with over 10,000 questions, are refused.
    pub fn from_text(text: impl AsRef<[u8]>) -> Result<Self, TranscriptError> {
        let text = text.as_ref();
        if text.len() > MAX_TEXT {
            return Err(TranscriptError::TooLarge(1));
        }
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let lines = text.split(|octet| *octet == b'\n');
        let mut lines = (1..)
            .zip(lines)
            .filter(|(_, line)| !is_comment(line))
            .peekable();
        let (number, version) = lines.next().unwrap_or((1, b""));
        if text::trim_fws(version) != VERSION.as_bytes() {
            return Err(TranscriptError::Version(number));
        }
        let mut transcript = Self::default();
        while let Some((number, line)) = lines.next() {
            let line = text::trim_fws(line);
            if let Some(missed) = line.strip_prefix(b"missed ") {
                let missed = text::decimal(missed, 20);
                transcript.missed = missed.ok_or(TranscriptError::Answer(number))?;
                continue;
            }
            if transcript.exchanges.len() >= MAX_QUESTIONS {
                return Err(TranscriptError::TooLarge(number));
            }
            let mut records = Vec::new();
            while let Some((number, record)) = lines.next_if(|(_, line)| is_record(line)) {
                records.push((number, text::trim_fws(record)));
            }
            transcript.exchanges.push(exchange(number, line, &records)?);
        }
        Ok(transcript)
    }
}

/// An indented line is never a comment: a name may begin with `#`.
fn is_comment(line: &[u8]) -> bool {
    matches!(line, [b';' | b'#', ..]) || text::trim_fws(line).is_empty()
}

/// Records are indented below their question.
fn is_record(line: &[u8]) -> bool {
    matches!(line, [b' ' | b'\t', ..])
}

/// Reads a question with its answer.
fn exchange(
    number: usize,
    line: &[u8],
    records: &[(usize, &[u8])],
) -> Result<Exchange, TranscriptError> {
    let (word, rest) = word(line);
    let (name, answer) = self::word(rest);
    let name = std::str::from_utf8(name)
        .ok()
        .and_then(|name| name.parse().ok())
        .ok_or(TranscriptError::Name(number))?;
    let answer = AnswerLine {
        number,
        answer,
        records,
    };
    let (record_type, told) = match word {
        b"A" => (RecordType::A, answer.told::<Ipv4Addr>()?),
        b"AAAA" => (RecordType::Aaaa, answer.told::<Ipv6Addr>()?),
        b"MX" => (RecordType::Mx, answer.told::<Mx>()?),
        b"PTR" => (RecordType::Ptr, answer.told::<Name>()?),
        b"TXT" => (RecordType::Txt, answer.told::<Txt>()?),
        _ => return Err(TranscriptError::Type(number)),
    };
    Ok(Exchange {
        name,
        record_type,
        told,
    })
}

/// What stands after the name, and below.
struct AnswerLine<'a> {
    number: usize,
    answer: &'a [u8],
    records: &'a [(usize, &'a [u8])],
}

impl AnswerLine<'_> {
    fn told<T: Record + Written>(&self) -> Result<Option<Told>, TranscriptError> {
        let broken = TranscriptError::Answer(self.number);
        let (word, rest) = word(self.answer);
        let outcome = match word {
            b"records" if !self.records.is_empty() => Outcome::records(self.read::<T>()?),
            _ if !self.records.is_empty() => return Err(broken),
            b"no-data" => Outcome::no_data(),
            b"no-such-name" => Outcome::no_such_name(),
            b"error" => return Ok(Some(T::told(Err(error(rest).ok_or(broken)?)))),
            b"unanswered" if rest.is_empty() => return Ok(None),
            _ => return Err(broken),
        };
        let outcome = properties(outcome, rest).ok_or(broken)?;
        Ok(Some(T::told(Ok(outcome))))
    }

    fn read<T: Written>(&self) -> Result<Vec<T>, TranscriptError> {
        let records = self
            .records
            .iter()
            .map(|(line, record)| T::read(record).ok_or(TranscriptError::Record(*line)));
        records.collect()
    }
}

/// Splits at the first space.
fn word(text: &[u8]) -> (&[u8], &[u8]) {
    match text::split_once(text, b' ') {
        Some((word, rest)) => (word, text::trim_fws(rest)),
        None => (text, b""),
    }
}

fn properties<T>(mut outcome: Outcome<T>, mut rest: &[u8]) -> Option<Outcome<T>> {
    while !rest.is_empty() {
        let (property, tail) = word(rest);
        outcome = match property.strip_prefix(b"ttl=") {
            Some(ttl) => outcome.with_ttl(duration(ttl)?),
            None if property == b"dnssec" => outcome.with_authentic(true),
            None => return None,
        };
        rest = tail;
    }
    Some(outcome)
}

/// Seconds, with nine decimals where they are not whole.
fn duration(text: &[u8]) -> Option<Duration> {
    let (seconds, nanos) = text::split_once(text, b'.').unwrap_or((text, b"000000000"));
    if nanos.len() != 9 {
        return None;
    }
    let nanos = text::decimal(nanos, 9).and_then(|nanos| u32::try_from(nanos).ok())?;
    Some(Duration::new(text::decimal(seconds, 20)?, nanos))
}

fn error(text: &[u8]) -> Option<LookupError> {
    Some(match text {
        b"malformed" => LookupError::Malformed,
        b"refused" => LookupError::Refused,
        b"servfail" => LookupError::ServFail,
        b"timeout" => LookupError::Timeout,
        b"truncated" => LookupError::Truncated,
        _ => LookupError::Other(String::from_utf8(unquote(text)?).ok()?),
    })
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{VERSION}")?;
        for exchange in &self.exchanges {
            write!(f, "{} {} ", exchange.record_type, exchange.name)?;
            match &exchange.told {
                None => f.write_str("unanswered\n")?,
                Some(Told::A(result)) => write_result(f, result)?,
                Some(Told::Aaaa(result)) => write_result(f, result)?,
                Some(Told::Mx(result)) => write_result(f, result)?,
                Some(Told::Ptr(result)) => write_result(f, result)?,
                Some(Told::Txt(result)) => write_result(f, result)?,
            }
        }
        if self.missed != 0 {
            writeln!(f, "missed {}", self.missed)?;
        }
        Ok(())
    }
}

fn write_result<T: Written>(
    f: &mut fmt::Formatter<'_>,
    result: &Result<Outcome<T>, LookupError>,
) -> fmt::Result {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(error) => {
            f.write_str("error ")?;
            write_error(f, error)?;
            return f.write_char('\n');
        }
    };
    f.write_str(match outcome.as_slice() {
        [] if outcome.is_no_such_name() => "no-such-name",
        [] => "no-data",
        _ => "records",
    })?;
    if let Some(ttl) = outcome.ttl() {
        write!(f, " ttl={}", ttl.as_secs())?;
        if ttl.subsec_nanos() != 0 {
            write!(f, ".{:09}", ttl.subsec_nanos())?;
        }
    }
    if outcome.is_authentic() {
        f.write_str(" dnssec")?;
    }
    f.write_char('\n')?;
    for record in outcome.as_slice() {
        f.write_str("    ")?;
        record.write(f)?;
        f.write_char('\n')?;
    }
    Ok(())
}

fn write_error(f: &mut fmt::Formatter<'_>, error: &LookupError) -> fmt::Result {
    match error {
        LookupError::Malformed => f.write_str("malformed"),
        LookupError::Other(reason) => write_quoted(f, reason.as_bytes()),
        LookupError::Refused => f.write_str("refused"),
        LookupError::ServFail => f.write_str("servfail"),
        LookupError::Timeout => f.write_str("timeout"),
        LookupError::Truncated => f.write_str("truncated"),
    }
}

/// Data with a text form of one line.
trait Written: Sized {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    fn read(text: &[u8]) -> Option<Self>;
}

macro_rules! written_as_displayed {
    ($($type:ty),*) => {$(
        impl Written for $type {
            fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }

            fn read(text: &[u8]) -> Option<Self> {
                Self::from_str(std::str::from_utf8(text).ok()?).ok()
            }
        }
    )*};
}

written_as_displayed!(Ipv4Addr, Ipv6Addr, Name);

impl Written for Mx {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.preference, self.exchange)
    }

    fn read(text: &[u8]) -> Option<Self> {
        let (preference, exchange) = word(text);
        Some(Self {
            preference: text::decimal(preference, 5)?.try_into().ok()?,
            exchange: Name::read(exchange)?,
        })
    }
}

impl Written for Txt {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_quoted(f, self.as_bytes())
    }

    fn read(text: &[u8]) -> Option<Self> {
        unquote(text).map(Self::new)
    }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, octets: &[u8]) -> fmt::Result {
    f.write_char('"')?;
    for &octet in octets {
        match octet {
            b'"' | b'\\' => write!(f, "\\{}", char::from(octet))?,
            b' '..=b'~' => f.write_char(char::from(octet))?,
            _ => write!(f, "\\{octet:03}")?,
        }
    }
    f.write_char('"')
}

fn unquote(text: &[u8]) -> Option<Vec<u8>> {
    let text = text.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'"' => return None,
            b'\\' => match rest.next()? {
                digit @ b'0'..=b'9' => {
                    let digits = [digit, rest.next()?, rest.next()?];
                    u8::try_from(text::decimal(&digits, 3)?).ok()?
                }
                octet => octet,
            },
            octet => octet,
        });
    }
    Some(octets)
}

/// A line of a transcript that cannot be read, by the rule that it breaks. The number in each is that
/// of the line, from 1, which [`line`](Self::line) tells as well.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TranscriptError {
    /// No answer that we know, or one that does not fit the records below it.
    #[error("line {0}: malformed answer")]
    Answer(usize),
    /// A name that is none.
    #[error("line {0}: malformed name")]
    Name(usize),
    /// A record that does not fit the type of the question.
    #[error("line {0}: malformed record")]
    Record(usize),
    /// More than 16 MiB of text or 10,000 questions.
    #[error("line {0}: too large")]
    TooLarge(usize),
    /// A record type that is not looked up.
    #[error("line {0}: unknown record type")]
    Type(usize),
    /// The first line is not that of a transcript, or of a version that we do not know.
    #[error("line {0}: not a transcript of version 1")]
    Version(usize),
}

impl TranscriptError {
    /// The line, from 1.
    #[must_use]
    pub fn line(self) -> usize {
        match self {
            Self::Answer(line)
            | Self::Name(line)
            | Self::Record(line)
            | Self::TooLarge(line)
            | Self::Type(line)
            | Self::Version(line) => line,
        }
    }
}

const VERSION: &str = "mailproof dns 1";

/// 250 answers of 64 KiB, the most that DNS can carry. A verification stays far below.
const MAX_TEXT: usize = 16 << 20;
