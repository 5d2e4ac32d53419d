//! Reports as they are packed: archives and messages, sound and broken.

#[path = "report_support/samples.rs"]
mod samples;

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use mailproof::report::Limits;
use mailproof::report::aggregate::Reader;
use mailproof::report::{ReadError, Warning};
use samples::{ROW, feedback, gzip, mail, plain, read, warnings, whole};

/// A stored entry, as an archive that was cut off before its directory.
fn zip(content: &str, name: &str) -> Vec<u8> {
    let size = u32::try_from(content.len()).unwrap().to_le_bytes();
    let length = u16::try_from(name.len()).unwrap().to_le_bytes();
    let mut archive = b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0".to_vec();
    archive.extend([size, size].concat());
    archive.extend([length, [0, 0]].concat());
    archive.extend(name.as_bytes());
    archive.extend(content.as_bytes());
    archive
}

/// The same with its directory, and with other files around.
fn full_zip(files: &[(&str, &str)]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let local = zip(content, name);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&local[4..30]);
        directory.extend([0; 10]);
        directory.extend(u32::try_from(archive.len()).unwrap().to_le_bytes());
        directory.extend(name.as_bytes());
        archive.extend(local);
    }
    let at = u32::try_from(archive.len()).unwrap();
    let count = u16::try_from(files.len()).unwrap().to_le_bytes();
    archive.extend(&directory);
    archive.extend(b"PK\x05\x06\0\0\0\0");
    archive.extend([count, count].concat());
    archive.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    archive.extend(at.to_le_bytes());
    archive.extend(b"\x03\0end");
    archive
}

/// RFC 1952 2.2: a gzip file is a series of members, wherever they part.
#[test]
fn gzip_files_of_several_members() {
    let xml = feedback(ROW);
    for at in [0, 1, xml.len() / 2, xml.len() - 1, xml.len()] {
        let (begin, end) = xml.split_at(at);
        let members = [gzip(begin), gzip(""), gzip(end)].concat();
        assert_eq!(whole(&members), plain(), "{at}");
        let padded = [members.as_slice(), &[0; 512]].concat();
        assert_eq!(whole(&padded), plain(), "{at}");
    }
    // A member that is cut off is not the end of the file.
    let (begin, end) = xml.split_at(xml.len() / 2);
    let cut = [gzip(begin), gzip(end)[..15].to_vec()].concat();
    assert_eq!(last_error(&cut), Some(ReadError::Truncated));
    // The limits are those of the whole file.
    let mut limits = Limits::default();
    let members = [gzip(begin), gzip(end)].concat();
    limits.compressed_octets = u64::try_from(members.len()).unwrap() - 1;
    let too_large = ReadError::TooLarge {
        limit: limits.compressed_octets,
    };
    let error = match Reader::new(members.as_slice(), &limits) {
        Ok(reader) => reader.filter_map(Result::err).last(),
        Err(error) => Some(error),
    };
    assert_eq!(error, Some(too_large));
    // What each member alone may do, all may not: none decompresses to a mebibyte.
    let comments = "<!-- -->".repeat(100_000);
    let bomb = [gzip("<feedback>"), gzip(&comments), gzip(&comments)].concat();
    let ratio = Limits::default().ratio;
    assert_eq!(last_error(&bomb), Some(ReadError::Ratio { limit: ratio }));
}

/// How reading ends, if not well.
fn last_error(file: &[u8]) -> Option<ReadError> {
    match Reader::new(file, &Limits::default()) {
        Ok(reader) => reader.filter_map(Result::err).last(),
        Err(error) => Some(error),
    }
}

#[test]
fn every_container() {
    let plain = plain();
    let xml = feedback(ROW);
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
    zlib.write_all(xml.as_bytes()).unwrap();
    assert_eq!(whole(&zlib.finish().unwrap()), plain);
    assert_eq!(whole(&gzip(&xml)), plain);
    assert_eq!(whole(&[gzip(&xml), b"garbage".to_vec()].concat()), plain);
    assert_eq!(whole(&zip(&xml, "a.xml")), plain);
    let other = ("folder/", "");
    let archive = full_zip(&[
        other,
        ("__MACOSX/a.xml", "x"),
        ("readme", "?"),
        ("A.XML", &xml),
    ]);
    assert_eq!(whole(&archive), plain);
    assert_eq!(whole(&full_zip(&[other, ("report", &xml)])), plain);
    let two = full_zip(&[("1.xml", &xml), ("2.xml", &xml)]);
    assert_eq!(warnings(&two), [(0, Warning::MoreReports)]);
}

#[test]
fn broken_containers() {
    let xml = feedback(ROW);
    let mut encrypted = zip(&xml, "a.xml");
    encrypted[6] |= 1;
    assert_eq!(read(&encrypted).unwrap_err(), ReadError::Encrypted);
    let mut odd = zip(&xml, "a.xml");
    odd[8] = 12;
    assert_eq!(read(&odd).unwrap_err(), ReadError::Method { method: 12 });
    assert_eq!(read(b"PK\x05\x06").unwrap_err(), ReadError::Corrupt);
    let file = gzip(&feedback(&ROW.repeat(1_000)));
    let half = &file[..file.len() / 2];
    let last = match Reader::new(half, &Limits::default()) {
        Ok(reader) => reader.last().unwrap().unwrap_err(),
        Err(error) => error,
    };
    assert_eq!(last, ReadError::Truncated);
    let mut broken = gzip(&xml);
    broken[12] ^= 0xff;
    assert!(read(&broken).map_or(true, |(_, errors, _)| !errors.is_empty()));
}

/// Names and media types lie: the content decides.
#[test]
fn attachments() {
    let plain = plain();
    let xml = feedback(ROW);
    let noise = (
        "Content-Type: text/html",
        "<?xml version='1.0'?><html>feedback</html>",
    );
    let text = ("Content-Type: text/plain", "This is a report.");
    for (media_type, expected) in [
        ("application/gzip", &plain),
        ("application/octet-stream; name=a.xml.gz", &plain),
        ("application/x-zip", &plain),
        ("text/xml; charset=utf-8", &plain),
    ] {
        let head = format!("Content-Type: {media_type}");
        assert_eq!(&whole(&mail(&[text, noise, (&head, &xml)])), expected);
    }
    // A whole file, quoted: "=" is escaped.
    let quoted = xml.replace('=', "=3D").replace("<record>", "=\n<record>");
    let head = "Content-Type: text/xml\nContent-Transfer-Encoding: quoted-printable";
    assert_eq!(whole(&mail(&[(head, &quoted)])), plain);
    // The mail is nothing but the file.
    let bare = format!("Subject: Report domain: x\r\nContent-Type: text/xml\r\n\r\n{xml}");
    assert_eq!(whole(bare.as_bytes()), plain);
    let in_box = format!("From d@example.net Tue May 16 09:00:00 2023\n{bare}");
    assert_eq!(whole(in_box.as_bytes()), plain);

    let unused = ("Content-Type: application/gzip", "unused");
    assert_eq!(
        read(&mail(&[text, unused])).unwrap_err(),
        ReadError::NotAReport
    );
    let report = ("Content-Type: application/gzip", xml.as_str());
    assert_eq!(whole(&mail(&[unused, report])), plain);
    assert_eq!(
        warnings(&mail(&[report, report])),
        [(0, Warning::MoreReports)]
    );
}
