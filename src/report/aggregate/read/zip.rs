//! Zip archives (APPNOTE.TXT), as far as reports need them: one entry, deflated or stored.
//!
//! Nothing is allocated by numbers that the archive states.

use std::io::{Cursor, Read};

use crate::report::ReadError;

/// The entry that is taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Entry {
    /// Where its local header begins.
    at: usize,
    flags: u16,
    method: u16,
    /// Octets that it takes in the archive, where they are known.
    length: Option<usize>,
    /// Whether its name ends as that of a report.
    xml: bool,
}

/// The content of an entry, still compressed by `method`.
pub(super) struct Content {
    pub(super) stream: Box<dyn Read + Send>,
    pub(super) deflated: bool,
    /// Whether there are other entries that might be reports.
    pub(super) more: bool,
}

/// Finds the report in an archive: the first entry named as XML, else the first file.
pub(super) fn content(archive: Vec<u8>, max_entries: usize) -> Result<Content, ReadError> {
    let (entry, more) = chosen(&archive, max_entries)?;
    // Bit 0: encrypted.
    if entry.flags & 1 != 0 {
        return Err(ReadError::Encrypted);
    }
    let header = archive.get(entry.at..).unwrap_or_default();
    if !header.starts_with(LOCAL) {
        return Err(ReadError::Corrupt);
    }
    let name = number(header, 26).ok_or(ReadError::Corrupt)?;
    let extra = number(header, 28).ok_or(ReadError::Corrupt)?;
    let begin = entry.at.saturating_add(30 + name + extra);
    let mut stream = Cursor::new(archive);
    stream.set_position(u64::try_from(begin).unwrap_or(u64::MAX));
    match (entry.method, entry.length) {
        (STORED, Some(length)) => Ok(Content {
            stream: Box::new(stream.take(u64::try_from(length).unwrap_or(u64::MAX))),
            deflated: false,
            more,
        }),
        (STORED, None) => Err(ReadError::Corrupt),
        // Deflated data say themselves where they end.
        (DEFLATED, _) => Ok(Content {
            stream: Box::new(stream),
            deflated: true,
            more,
        }),
        (method, _) => Err(ReadError::Method { method }),
    }
}

fn chosen(archive: &[u8], max_entries: usize) -> Result<(Entry, bool), ReadError> {
    let mut best: Option<Entry> = None;
    let mut reports = 0_usize;
    for (seen, entry) in entries(archive).enumerate() {
        if seen >= max_entries {
            return Err(ReadError::TooManyEntries { limit: max_entries });
        }
        let Some(entry) = entry? else {
            continue;
        };
        reports += usize::from(entry.xml);
        if best.is_none_or(|best| entry.xml && !best.xml) {
            best = Some(entry);
        }
    }
    // An archive that was cut off, or written as a stream by careless software, has its first
    // entry at the start all the same.
    let first = || local(archive).ok_or(ReadError::Corrupt);
    Ok((best.map_or_else(first, Ok)?, reports > 1))
}

/// The entries of the central directory; `None` for folders.
fn entries(archive: &[u8]) -> impl Iterator<Item = Result<Option<Entry>, ReadError>> + '_ {
    let directory = end(archive).and_then(|end| long(end, 16));
    let mut rest = directory
        .and_then(|at| archive.get(at..))
        .unwrap_or_default();
    std::iter::from_fn(move || {
        if !rest.starts_with(CENTRAL) {
            return None;
        }
        let read = central(rest);
        rest = read
            .and_then(|(_, length)| rest.get(length..))
            .unwrap_or_default();
        Some(read.map(|(entry, _)| entry).ok_or(ReadError::Corrupt))
    })
}

/// The end of central directory record: the last that there is, which a comment may follow.
fn end(archive: &[u8]) -> Option<&[u8]> {
    let earliest = archive.len().saturating_sub(MAX_COMMENT + 22);
    let tail = archive.get(earliest..)?;
    let at = tail.windows(END.len()).rposition(|window| window == END)?;
    tail.get(at..)
}

/// An entry of the central directory and its length there.
fn central(entry: &[u8]) -> Option<(Option<Entry>, usize)> {
    let (name, extra, comment) = (number(entry, 28)?, number(entry, 30)?, number(entry, 32)?);
    let file_name = entry.get(46..46 + name)?;
    let folder = file_name.ends_with(b"/") || file_name.starts_with(b"__MACOSX/");
    let read = Entry {
        at: long(entry, 42)?,
        flags: short(entry, 8)?,
        method: short(entry, 10)?,
        length: Some(long(entry, 20)?),
        xml: is_xml(file_name),
    };
    Some(((!folder).then_some(read), 46 + name + extra + comment))
}

/// The entry at the very start.
fn local(archive: &[u8]) -> Option<Entry> {
    archive.starts_with(LOCAL).then_some(())?;
    let flags = short(archive, 6)?;
    // Bit 3: the length follows the data.
    let length = (flags & 8 == 0).then(|| long(archive, 18)).flatten();
    Some(Entry {
        at: 0,
        flags,
        method: short(archive, 8)?,
        length,
        xml: true,
    })
}

fn is_xml(name: &[u8]) -> bool {
    name.last_chunk::<4>()
        .is_some_and(|end| end.eq_ignore_ascii_case(b".xml"))
}

fn short(octets: &[u8], at: usize) -> Option<u16> {
    octets
        .get(at..)?
        .first_chunk()
        .copied()
        .map(u16::from_le_bytes)
}

fn number(octets: &[u8], at: usize) -> Option<usize> {
    short(octets, at).map(usize::from)
}

fn long(octets: &[u8], at: usize) -> Option<usize> {
    let number = octets
        .get(at..)?
        .first_chunk()
        .copied()
        .map(u32::from_le_bytes)?;
    usize::try_from(number).ok()
}

const LOCAL: &[u8] = b"PK\x03\x04";
const CENTRAL: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// The length of a comment is a number of 16 bits.
const MAX_COMMENT: usize = 65_535;
