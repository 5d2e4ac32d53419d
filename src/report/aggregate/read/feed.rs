//! The XML as UTF-8, whatever it is, and no more of it than is allowed.

use std::io::{self, BufRead, Read};

use crate::report::Limits;
use crate::report::ReadError;

/// Feeds the XML reader.
pub(super) struct Feed<'a> {
    source: Box<dyn Read + Send + 'a>,
    /// Valid UTF-8, and how much of it was taken.
    ready: Vec<u8>,
    taken: usize,
    /// The beginning of a character whose end was not read yet.
    cut: Vec<u8>,
    encoding: Encoding,
    repaired: bool,
    total: u64,
    /// What the event that is being read may still have.
    left: usize,
    max_total: u64,
    max_text: usize,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Encoding {
    /// Nothing was read yet.
    Unknown,
    Utf8,
    /// ISO 8859-1, and what calls itself so.
    Latin1,
}

impl<'a> Feed<'a> {
    pub(super) fn new(source: Box<dyn Read + Send + 'a>, limits: &Limits) -> Self {
        Self {
            source,
            ready: Vec::new(),
            taken: 0,
            cut: Vec::new(),
            encoding: Encoding::Unknown,
            repaired: false,
            total: 0,
            left: limits.text_octets,
            max_total: limits.octets,
            max_text: limits.text_octets,
        }
    }

    /// Lets the next event have its octets.
    pub(super) fn begin_event(&mut self) {
        self.left = self.max_text;
    }

    /// Whether some text was not UTF-8, since this was last asked.
    pub(super) fn was_repaired(&mut self) -> bool {
        std::mem::take(&mut self.repaired)
    }

    fn refill(&mut self) -> io::Result<()> {
        let mut raw = std::mem::take(&mut self.ready);
        self.taken = 0;
        raw.clear();
        raw.append(&mut self.cut);
        let before = raw.len();
        self.source.by_ref().take(CHUNK).read_to_end(&mut raw)?;
        let read = raw.len().saturating_sub(before);
        self.total = self
            .total
            .saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        if self.total > self.max_total {
            let limit = self.max_total;
            return Err(ReadError::TooMuchXml { limit }.into());
        }
        if self.encoding == Encoding::Unknown {
            self.encoding = encoding(&raw)?;
        }
        self.ready = match self.encoding {
            Encoding::Latin1 if !raw.is_ascii() => raw
                .iter()
                .copied()
                .map(char::from)
                .collect::<String>()
                .into_bytes(),
            Encoding::Latin1 => raw,
            Encoding::Utf8 | Encoding::Unknown if std::str::from_utf8(&raw).is_ok() => raw,
            Encoding::Utf8 | Encoding::Unknown => self.repair(&raw, read == 0),
        };
        Ok(())
    }

    /// Puts U+FFFD where the octets are not UTF-8; keeps a character that was cut in two for later.
    fn repair(&mut self, raw: &[u8], last: bool) -> Vec<u8> {
        let mut text = String::with_capacity(raw.len());
        let mut chunks = raw.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            if invalid.is_empty() {
                continue;
            }
            let cut = std::str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if cut && !last && chunks.peek().is_none() {
                self.cut = invalid.to_vec();
            } else {
                self.repaired = true;
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        text.into_bytes()
    }
}

/// Octets that are read at once.
const CHUNK: u64 = 32_768;

/// Told by the byte order mark and the XML declaration.
fn encoding(head: &[u8]) -> Result<Encoding, ReadError> {
    if matches!(
        head,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [b'<', 0, ..] | [0, b'<', ..]
    ) {
        return Err(ReadError::Utf16);
    }
    let declaration = head
        .split(|octet| *octet == b'>')
        .next()
        .unwrap_or_default();
    let declaration = String::from_utf8_lossy(declaration).to_ascii_lowercase();
    let latin1 = ["iso-8859-1", "windows-1252", "latin1"]
        .iter()
        .any(|name| declaration.starts_with("<?xml") && declaration.contains(name));
    Ok(if latin1 {
        Encoding::Latin1
    } else {
        Encoding::Utf8
    })
}

impl Read for Feed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl BufRead for Feed<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken >= self.ready.len() {
            self.refill()?;
            // What was read may be less than a character.
            if self.ready.is_empty() && !self.cut.is_empty() {
                self.refill()?;
            }
        }
        let ready = self.ready.get(self.taken..).unwrap_or_default();
        if self.left == 0 && !ready.is_empty() {
            let limit = self.max_text;
            return Err(ReadError::TextTooLong { limit }.into());
        }
        Ok(ready.get(..ready.len().min(self.left)).unwrap_or(ready))
    }

    fn consume(&mut self, amount: usize) {
        self.taken = self.taken.saturating_add(amount);
        self.left = self.left.saturating_sub(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its octets one by one.
    struct Drops<'a>(&'a [u8]);

    impl Read for Drops<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = buffer.len().min(1);
            self.0.read(&mut buffer[..length])
        }
    }

    fn fed(octets: &[u8]) -> (String, bool) {
        let mut feed = Feed::new(Box::new(Drops(octets)), &Limits::default());
        let mut text = String::new();
        feed.read_to_string(&mut text).unwrap();
        (text, feed.was_repaired())
    }

    #[test]
    fn text_becomes_utf_8() {
        assert_eq!(fed("<a>ü€𝄞</a>".as_bytes()), ("<a>ü€𝄞</a>".into(), false));
        assert_eq!(
            fed(b"<a>\xfc\xe2\x82</a>"),
            ("<a>\u{fffd}\u{fffd}</a>".into(), true)
        );
        assert_eq!(fed(b"<a>\xf0\x9d"), ("<a>\u{fffd}".into(), true));
        let latin1 = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xfc</a>";
        assert!(fed(latin1).0.ends_with("<a>ü</a>"));
    }

    /// Characters that lie across the chunks that are read at once.
    #[test]
    fn characters_that_are_cut_in_two_are_whole_again() {
        let chunk = usize::try_from(CHUNK).unwrap();
        for before in chunk - 5..chunk + 1 {
            let text = "a".repeat(before) + "𝄞ü€";
            let limits = Limits {
                text_octets: usize::MAX,
                ..Limits::default()
            };
            let mut feed = Feed::new(Box::new(text.as_bytes()), &limits);
            let mut read = String::new();
            feed.read_to_string(&mut read).unwrap();
            assert_eq!(read, text);
            assert!(!feed.was_repaired());
        }
    }
}
