//! Where the XML is: in the open, compressed, or attached to a message. Names and media types lie, so
//! the content decides.

use std::io::{self, BufRead as _, BufReader, Cursor, Read};

use flate2::bufread::GzDecoder;
use flate2::read::{DeflateDecoder, ZlibDecoder};

use super::zip;
use crate::message::parts::{Part, parts};
use crate::report::Limits;
use crate::report::ReadError;
use crate::text;

/// XML, decompressed while it is read.
pub(super) struct Source<'a> {
    pub(super) stream: Box<dyn Read + Send + 'a>,
    /// Whether there were other candidates.
    pub(super) more: bool,
}

/// What a file is, by its first octets.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Gzip,
    Zlib,
    Zip,
    Xml,
    Mail,
}

/// Octets by which the kind is told.
const SNIFFED: u64 = 4_096;

/// Finds the report in a file or message.
pub(super) fn open<'a>(
    source: impl Read + Send + 'a,
    limits: &Limits,
) -> Result<Source<'a>, ReadError> {
    let (head, source) = peek(source)?;
    match kind(&head) {
        Some(Kind::Mail) => attached(&whole(source, limits)?, limits),
        Some(kind) => file(kind, source, limits),
        None => Err(ReadError::NotAReport),
    }
}

/// Reads the beginning; returns it, and all of the source.
fn peek<'a>(mut source: impl Read + Send + 'a) -> io::Result<(Vec<u8>, impl Read + Send + 'a)> {
    let mut head = Vec::new();
    source.by_ref().take(SNIFFED).read_to_end(&mut head)?;
    Ok((head.clone(), Cursor::new(head).chain(source)))
}

fn kind(head: &[u8]) -> Option<Kind> {
    match head {
        [0x1f, 0x8b, ..] => Some(Kind::Gzip),
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Kind::Zip),
        // RFC 1950 2.2: deflate with a window of 32 KiB, and the usual levels.
        [0x78, 0x01 | 0x5e | 0x9c | 0xda, ..] => Some(Kind::Zlib),
        _ if is_xml(head) => Some(Kind::Xml),
        _ => is_mail(head).then_some(Kind::Mail),
    }
}

fn is_xml(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    // UTF-16 gets its own error further on.
    text::trim_fws(head).starts_with(b"<") || matches!(head, [0xff, 0xfe, ..] | [0xfe, 0xff, ..])
}

/// Whether it begins with a header field, or with the line that mail boxes put before one.
fn is_mail(head: &[u8]) -> bool {
    let name = text::split_once(head, b':').map(|(name, _)| name);
    head.starts_with(b"From ")
        || name.is_some_and(|name| !name.is_empty() && name.iter().all(u8::is_ascii_graphic))
}

/// Reads a file or message into memory.
fn whole(source: impl Read, limits: &Limits) -> Result<Vec<u8>, ReadError> {
    let mut octets = Vec::new();
    Counted::new(source, limits).read_to_end(&mut octets)?;
    Ok(octets)
}

fn file<'a>(
    kind: Kind,
    source: impl Read + Send + 'a,
    limits: &Limits,
) -> Result<Source<'a>, ReadError> {
    let mut more = false;
    let stream: Box<dyn Read + Send + 'a> = match kind {
        Kind::Xml => Box::new(source),
        Kind::Gzip => inflate(Members::new(Counted::new(source, limits)), limits),
        Kind::Zlib => inflate(ZlibDecoder::new(Counted::new(source, limits)), limits),
        Kind::Zip => {
            let content = zip::content(whole(source, limits)?, limits.zip_entries)?;
            more = content.more;
            if content.deflated {
                inflate(
                    DeflateDecoder::new(Counted::new(content.stream, limits)),
                    limits,
                )
            } else {
                content.stream
            }
        }
        Kind::Mail => return Err(ReadError::NotAReport),
    };
    let (head, stream) = peek(stream)?;
    if !is_xml(&head) {
        return Err(ReadError::NotAReport);
    }
    let stream = Box::new(stream);
    Ok(Source { stream, more })
}

/// The first part of a message that is a report.
fn attached<'a>(message: &[u8], limits: &Limits) -> Result<Source<'a>, ReadError> {
    let message = match message.strip_prefix(b"From ") {
        // The line that mail boxes put before a message.
        Some(line) => text::split_once(line, b'\n').map_or(line, |(_, message)| message),
        None => message,
    };
    let mut found: Option<Source<'a>> = None;
    for part in parts(message, limits.parts, limits.part_depth) {
        let part = part.map_err(|_| ReadError::TooManyParts)?;
        let Some((kind, content)) = candidate(&part) else {
            continue;
        };
        if let Some(source) = &mut found {
            source.more = true;
            break;
        }
        match file(kind, Cursor::new(content), limits) {
            Ok(source) => found = Some(source),
            // TLS reports come compressed as well.
            Err(ReadError::NotAReport) => {}
            Err(error) => return Err(error),
        }
    }
    found.ok_or(ReadError::NotAReport)
}

/// A part that may be a report, decoded.
fn candidate(part: &Part<'_>) -> Option<(Kind, Vec<u8>)> {
    let content = part.content()?;
    let kind = kind(content.get(..content.len().min(4_096)).unwrap_or_default())?;
    let wanted = match kind {
        Kind::Gzip | Kind::Zlib | Kind::Zip => true,
        Kind::Xml => part.media_type != "text/html",
        Kind::Mail => false,
    };
    wanted.then(|| (kind, content.into_owned()))
}

/// Counts what is read, up to the limit on files.
struct Counted<R> {
    source: R,
    count: u64,
    limit: u64,
}

impl<R> Counted<R> {
    fn new(source: R, limits: &Limits) -> Self {
        Self {
            source,
            count: 0,
            limit: limits.compressed_octets,
        }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.count = self.count.saturating_add(octets(read));
        if self.count > self.limit {
            return Err(ReadError::TooLarge { limit: self.limit }.into());
        }
        Ok(read)
    }
}

fn octets(read: usize) -> u64 {
    u64::try_from(read).unwrap_or(u64::MAX)
}

/// A decoder that knows how much it has read.
trait Decoder: Read {
    fn consumed(&self) -> u64;
}

macro_rules! decoders {
    ($($decoder:ident)*) => {$(
        impl<R: Read> Decoder for $decoder<Counted<R>> {
            fn consumed(&self) -> u64 {
                self.get_ref().count
            }
        }
    )*};
}

decoders! { DeflateDecoder ZlibDecoder }

/// The members of a gzip file, one after the other. RFC 1952 2.2: ‘The members simply appear one after
/// another in the file, with no additional information before, between, or after them.’ Other octets
/// behind a member are padding that some transport left, and not read.
struct Members<R> {
    member: Member<R>,
    /// How many there were before this one.
    ended: u64,
    /// Octets that they gave.
    written: u64,
}

enum Member<R> {
    Open(GzDecoder<BufReader<R>>),
    /// After the last, with what was read until then.
    Ended(u64),
}

impl<R: Read> Members<Counted<R>> {
    fn new(source: Counted<R>) -> Self {
        Self {
            member: Member::Open(GzDecoder::new(BufReader::new(source))),
            ended: 0,
            written: 0,
        }
    }

    /// Goes on to the member behind the one that ended, if there is any.
    fn next_member(&mut self) -> io::Result<()> {
        let ended = Member::Ended(self.consumed());
        let Member::Open(decoder) = std::mem::replace(&mut self.member, ended) else {
            return Ok(());
        };
        self.ended = self.ended.saturating_add(1);
        if self.ended > FEW_MEMBERS.saturating_add(self.written / MEMBER) {
            return Err(ReadError::TooManyMembers.into());
        }
        let mut rest = decoder.into_inner();
        // The first octet of ID1, ID2: the second may not be here yet.
        if rest.fill_buf()?.first() == Some(&0x1f) {
            self.member = Member::Open(GzDecoder::new(rest));
        }
        Ok(())
    }
}

/// Every member makes a decoder of 40 KiB, and may be 20 octets long and empty. Those who write in
/// blocks put 64 KiB into each.
const MEMBER: u64 = 4_096;

/// So many members may be shorter.
const FEW_MEMBERS: u64 = 1_000;

impl<R: Read> Read for Members<Counted<R>> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Member::Open(decoder) = &mut self.member {
            let read = decoder.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                self.written = self.written.saturating_add(octets(read));
                return Ok(read);
            }
            self.next_member()?;
        }
        Ok(0)
    }
}

impl<R: Read> Decoder for Members<Counted<R>> {
    fn consumed(&self) -> u64 {
        match &self.member {
            Member::Open(decoder) => decoder.get_ref().get_ref().count,
            Member::Ended(consumed) => *consumed,
        }
    }
}

fn inflate<'a>(decoder: impl Decoder + Send + 'a, limits: &Limits) -> Box<dyn Read + Send + 'a> {
    Box::new(Inflated {
        decoder,
        written: 0,
        ratio: limits.ratio,
    })
}

/// Refuses what decompresses to too much.
struct Inflated<D> {
    decoder: D,
    written: u64,
    ratio: u64,
}

impl<D: Decoder> Read for Inflated<D> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.decoder.read(buffer)?;
        self.written = self.written.saturating_add(octets(read));
        let allowed = self.decoder.consumed().saturating_mul(self.ratio);
        if self.written > allowed.max(UNSUSPICIOUS) {
            return Err(ReadError::Ratio { limit: self.ratio }.into());
        }
        Ok(read)
    }
}

/// Octets that a small file may decompress to whatever the ratio: a report of one row is mostly
/// white space in some hands.
const UNSUSPICIOUS: u64 = 1 << 20;
