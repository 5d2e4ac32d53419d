//! Files that are meant to exhaust a reader: each is refused at once, with its own error, in little
//! memory. And: a report of many rows takes no more memory than one of few.
//!
//! The allocator counts, so these have a program, and one thread, of their own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use mailproof::report::Limits;
use mailproof::report::ReadError;
use mailproof::report::aggregate::Reader;

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: all work is the system allocator's; only sizes are counted here.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Octets that `work` needs at most beside what there was.
fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = LIVE.load(Ordering::Relaxed);
    PEAK.store(before, Ordering::Relaxed);
    let result = work();
    (result, PEAK.load(Ordering::Relaxed) - before)
}

/// How long it takes when no other program keeps us waiting: the best of five.
fn quickest(work: impl Fn()) -> Duration {
    let times = (0..5).map(|_| {
        let start = Instant::now();
        work();
        start.elapsed()
    });
    times.min().unwrap()
}

/// Reads all there is; the error that ended it.
fn end(source: impl Read + Send) -> Option<ReadError> {
    let mut reader = match Reader::new(source, &Limits::default()) {
        Ok(reader) => reader,
        Err(error) => return Some(error),
    };
    reader
        .by_ref()
        .find_map(|row| row.err().filter(ReadError::is_fatal))
}

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut file = GzEncoder::new(Vec::new(), Compression::best());
    file.write_all(content).unwrap();
    file.finish().unwrap()
}

/// An archive with this many entries, all of the same data, which lie there once.
fn zip(content: &[u8], entries: u16) -> Vec<u8> {
    let mut data = DeflateEncoder::new(Vec::new(), Compression::best());
    data.write_all(content).unwrap();
    let data = data.finish().unwrap();
    let sizes = [data.len(), content.len()].map(|size| u32::try_from(size).unwrap().to_le_bytes());
    let mut archive = [
        b"PK\x03\x04\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0",
        sizes.concat().as_slice(),
    ]
    .concat();
    archive.extend(b"\x05\0\0\0a.xml");
    archive.extend(&data);
    let directory = u32::try_from(archive.len()).unwrap().to_le_bytes();
    for _ in 0..entries {
        archive.extend(b"PK\x01\x02\x14\0\x14\0\0\0\x08\0\0\0\0\0\0\0\0\0");
        archive.extend(sizes.concat());
        archive.extend(b"\x05\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a.xml");
    }
    let length = u32::from(entries) * 51;
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend([entries.to_le_bytes(), entries.to_le_bytes()].concat());
    archive.extend(length.to_le_bytes());
    archive.extend(directory);
    archive.extend(b"\0\0");
    archive
}

const MIB: usize = 1 << 20;

fn feedback(inside: &str) -> Vec<u8> {
    format!("<feedback>{inside}</feedback>").into_bytes()
}

fn bombs() -> Vec<(&'static str, Vec<u8>, ReadError)> {
    let limits = Limits::default();
    let members = ReadError::TooManyMembers;
    // No text is longer than it may be.
    let blank = feedback(&format!("{}<!---->", " ".repeat(60_000)).repeat(300));
    let ratio = ReadError::Ratio {
        limit: limits.ratio,
    };
    let text = ReadError::TextTooLong {
        limit: limits.text_octets,
    };
    let row = ReadError::RowTooLong {
        limit: limits.row_octets,
    };
    let deep = ReadError::TooDeep {
        limit: limits.depth,
    };
    let entries = ReadError::TooManyEntries {
        limit: limits.zip_entries,
    };
    let entity = |name: &str| ReadError::Entity { name: name.into() };
    let mail = |file: &[u8]| {
        let mut mail =
            b"Content-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n".to_vec();
        mail.extend(base64(file).into_bytes());
        mail
    };
    let laughs: String = ('b'..='z')
        .map(|name| {
            let inner = char::from_u32(u32::from(name) - 1).unwrap();
            format!("<!ENTITY {name} \"{}\">", format!("&{inner};").repeat(10))
        })
        .collect();
    let laughs =
        format!("<!DOCTYPE feedback [<!ENTITY a \"ha\">{laughs}]><feedback>&z;</feedback>");
    let quadratic = format!(
        "<!DOCTYPE feedback [<!ENTITY a \"{}\">]><feedback>{}</feedback>",
        "a".repeat(50_000),
        "&a;".repeat(50_000)
    );
    let record = |inside: &str| feedback(&format!("<record>{inside}</record>"));
    let long = "a".repeat(8 * MIB);
    vec![
        ("gzip", gzip(&blank), ratio.clone()),
        ("gzip in a mail", mail(&gzip(&blank)), ratio.clone()),
        ("gzip of nothing", gzip(b"").repeat(MIB), members.clone()),
        ("gzip of spaces", gzip(b" ").repeat(MIB), members),
        ("zip", zip(&blank, 1), ratio),
        ("zip of many entries", zip(&blank, 60_000), entries),
        ("laughs", laughs.into_bytes(), ReadError::Dtd),
        ("quadratic entities", quadratic.into_bytes(), ReadError::Dtd),
        (
            "DTD from elsewhere",
            b"<!DOCTYPE f SYSTEM \"file:///etc/passwd\"><f/>".to_vec(),
            ReadError::Dtd,
        ),
        (
            "DTD without end",
            format!("<!DOCTYPE {long}").into_bytes(),
            text.clone(),
        ),
        ("entity", feedback("&a;"), entity("a")),
        (
            "entity in a row",
            record("<row><count>&nbsp;</count></row>"),
            entity("nbsp"),
        ),
        ("depth", "<a>".repeat(2_000_000).into_bytes(), deep.clone()),
        ("depth in a row", record(&"<a>".repeat(2_000_000)), deep),
        ("text", feedback(&format!("<version>{long}")), text.clone()),
        (
            "text in pieces",
            feedback(&format!("<version>{}", "a<!-- -->".repeat(MIB))),
            text.clone(),
        ),
        ("comment", feedback(&format!("<!--{long}-->")), text.clone()),
        (
            "CDATA",
            feedback(&format!("<![CDATA[{long}]]>")),
            text.clone(),
        ),
        (
            "instruction",
            feedback(&format!("<?a {long}?>")),
            text.clone(),
        ),
        ("name", feedback(&format!("<{long}/>")), text.clone()),
        (
            "attributes",
            feedback(&format!("<a{}/>", " a='b'".repeat(MIB))),
            text,
        ),
        (
            "signatures",
            record(&format!("<auth_results>{}", "<dkim/>".repeat(MIB))),
            row.clone(),
        ),
        (
            "extensions",
            feedback(&"<x:a xmlns:x='y'/>".repeat(MIB)),
            row.clone(),
        ),
        (
            "extensions between rows",
            feedback(&"<x/><record/>".repeat(MIB)),
            row.clone(),
        ),
        (
            "namespace in attributes",
            repeated_namespace(" n:a=''"),
            row.clone(),
        ),
        (
            "namespace in elements",
            repeated_namespace("><n:a/><b/"),
            row.clone(),
        ),
        (
            "errors",
            feedback(&format!(
                "<report_metadata>{}",
                "<error>e</error>".repeat(MIB)
            )),
            row,
        ),
    ]
}

fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in octets.chunks(3) {
        let bits = group
            .iter()
            .fold(0_u32, |bits, octet| bits << 8 | u32::from(*octet));
        let bits = bits << (8 * (3 - group.len()));
        for digit in 0..4 {
            let value = usize::try_from(bits >> (18 - 6 * digit) & 63).unwrap();
            out.push(if digit > group.len() {
                '='
            } else {
                char::from(ALPHABET[value])
            });
        }
    }
    out
}

/// The namespaces of the root are looked up for each element of an extension.
fn namespaces() -> Vec<u8> {
    let declared: String = (0..3_000).map(|n| format!(" xmlns:n{n}='u'")).collect();
    let rows = "<record><row><source_ip>::1</source_ip><count>1</count></row><z:a/></record>";
    format!("<feedback{declared}>{}</feedback>", rows.repeat(2_000)).into_bytes()
}

/// One long namespace, written out wherever it is used.
fn repeated_namespace(inside: &str) -> Vec<u8> {
    let namespace = "u".repeat(30_000);
    let inside = inside.repeat(4_000);
    feedback(&format!(
        "<record><x xmlns:n='{namespace}'{inside}></x></record>"
    ))
}

/// A report of rows, made while it is read.
struct Rows {
    left: usize,
    ready: Vec<u8>,
}

impl Read for Rows {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.ready.is_empty() && self.left > 0 {
            self.left -= 1;
            self.ready = format!(
                "<record><row><source_ip>2001:db8::{:x}</source_ip><count>3</count>\
                 <policy_evaluated><disposition>none</disposition><dkim>pass</dkim>\
                 <spf>fail</spf></policy_evaluated></row><identifiers>\
                 <header_from>example.com</header_from></identifiers><auth_results><dkim>\
                 <domain>example.com</domain><selector>s</selector><result>pass</result></dkim>\
                 </auth_results></record>\n",
                self.left % 65_536
            )
            .into_bytes();
        }
        let length = self.ready.as_slice().read(buffer)?;
        self.ready.drain(..length);
        Ok(length)
    }
}

fn rows(count: usize) -> (usize, usize) {
    peak(|| {
        let report = b"<feedback>".chain(Rows {
            left: count,
            ready: Vec::new(),
        });
        let report = report.chain(&b"</feedback>"[..]);
        let reader = Reader::new(report, &Limits::default()).unwrap();
        reader
            .map(|row| row.unwrap())
            .filter(|row| row.count == 3)
            .count()
    })
}

#[test]
fn all_is_bounded() {
    // Time is that of an optimized build; without optimization all is ten times slower.
    let slow = if cfg!(debug_assertions) { 10 } else { 1 };
    for (name, bomb, expected) in bombs() {
        let quickest = quickest(|| {
            let (error, peak) = peak(|| end(bomb.as_slice()));
            assert_eq!(error.as_ref(), Some(&expected), "{name}");
            assert!(peak < 16 * MIB, "{name}: {peak} octets");
        });
        println!("{name:24} {:6} octets  {quickest:?}", bomb.len());
        assert!(
            quickest < Duration::from_millis(100) * slow,
            "{name}: {quickest:?}"
        );
    }
    let namespaces = namespaces();
    let quickest = quickest(|| assert_eq!(end(namespaces.as_slice()), None));
    assert!(quickest < Duration::from_millis(500) * slow, "{quickest:?}");

    let count = if cfg!(debug_assertions) {
        10_000
    } else {
        1_000_000
    };
    let (few, many) = (rows(100), rows(count));
    assert_eq!((few.0, many.0), (100, count));
    println!("peak of 100 rows: {}, of {count}: {}", few.1, many.1);
    assert!(many.1 <= few.1 + 4_096, "{few:?} {many:?}");
    assert!(many.1 < MIB, "{many:?}");
}
