//! Reports as they come: what readers of reports were burnt by, one test each.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use mailproof::Limits;
use mailproof::dmarc::DmarcResult;
use mailproof::report::aggregate::{Applied, ReadError, Reader, Report, Row, Text, Warning, Word};

/// Warnings with their rows.
type Told = Vec<(u64, Warning)>;

/// All of a report, the errors of its rows, and the warnings.
fn read(octets: &[u8]) -> Result<(Report, Vec<ReadError>, Told), ReadError> {
    let mut reader = Reader::new(octets, &Limits::default())?;
    let mut errors = Vec::new();
    let rows = reader
        .by_ref()
        .filter_map(|row| row.map_err(|error| errors.push(error)).ok());
    let rows: Vec<Row> = rows.collect();
    let mut report = reader.report().clone();
    report.rows = rows;
    Ok((report, errors, reader.warnings().to_vec()))
}

fn whole(octets: &[u8]) -> Report {
    let (report, errors, _) = read(octets).unwrap();
    assert_eq!(errors, []);
    report
}

fn warnings(octets: &[u8]) -> Told {
    read(octets).unwrap().2
}

const HEAD: &str = "<report_metadata><org_name>Example</org_name><email>d@example.net</email>\
    <report_id>1</report_id><date_range><begin>1684195200</begin><end>1684281599</end></date_range>\
    </report_metadata><policy_published><domain>example.com</domain><p>none</p></policy_published>";

const ROW: &str = "<record><row><source_ip>192.0.2.1</source_ip><count>2</count><policy_evaluated>\
    <disposition>none</disposition><dkim>fail</dkim><spf>pass</spf></policy_evaluated></row>\
    <identifiers><header_from>example.com</header_from></identifiers><auth_results><spf>\
    <domain>example.com</domain><result>pass</result></spf></auth_results></record>";

fn feedback(rows: &str) -> String {
    format!("<feedback>{HEAD}{rows}</feedback>")
}

fn plain() -> Report {
    whole(feedback(ROW).as_bytes())
}

#[test]
fn a_plain_report() {
    let (report, errors, warnings) = read(feedback(ROW).as_bytes()).unwrap();
    assert_eq!((errors, warnings), (vec![], vec![]));
    assert_eq!(report.messages(), 2);
    assert_eq!(report.rows[0].dkim, DmarcResult::Fail.into());
}

#[test]
fn any_namespace() {
    let plain = plain();
    for (open, close, namespace) in [
        (
            "<feedback xmlns=\"urn:ietf:params:xml:ns:dmarc-2.0\">",
            "</feedback>",
            "urn:ietf:params:xml:ns:dmarc-2.0",
        ),
        (
            "<feedback xmlns=\"http://dmarc.org/dmarc-xml/0.1\">",
            "</feedback>",
            "http://dmarc.org/dmarc-xml/0.1",
        ),
        (
            "<ns0:feedback xmlns:ns0='urn:x'>",
            "</ns0:feedback>",
            "urn:x",
        ),
        (
            "<feedback xmlns:xsi='urn:y' xmlns='urn:x'>",
            "</feedback>",
            "urn:x",
        ),
    ] {
        let mut report = whole(format!("{open}{HEAD}{ROW}{close}").as_bytes());
        assert_eq!(report.namespace.take().as_deref(), Some(namespace));
        assert_eq!(report, plain);
    }
    // Prefixes here and there.
    let mixed = feedback(ROW)
        .replace("source_ip>", "a:source_ip>")
        .replace("record>", "b:record>");
    assert_eq!(whole(mixed.as_bytes()), plain);
}

#[test]
fn a_schema_that_was_not_closed() {
    let schema = "<?xml version='1.0'?><xs:schema xmlns:xs='http://www.w3.org/2001/XMLSchema'>";
    let (report, errors, warnings) = read(format!("{schema}{}", feedback(ROW)).as_bytes()).unwrap();
    assert_eq!((report, errors), (plain(), vec![]));
    assert_eq!(warnings, [(0, Warning::NoRoot)]);
}

#[test]
fn no_root() {
    assert_eq!(whole(format!("{HEAD}{ROW}{ROW}").as_bytes()).rows.len(), 2);
    assert_eq!(
        read(b"<html><body>no</body></html>").unwrap_err(),
        ReadError::NotAReport
    );
    assert_eq!(read(b"").unwrap_err(), ReadError::NotAReport);
    assert_eq!(
        read(b"{\"organization-name\": 1}").unwrap_err(),
        ReadError::NotAReport
    );
}

fn gzip(content: &str) -> Vec<u8> {
    let mut file = GzEncoder::new(Vec::new(), Compression::default());
    file.write_all(content.as_bytes()).unwrap();
    file.finish().unwrap()
}

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

fn mail(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut mail = "From: d@example.net\nContent-Type: multipart/mixed; boundary=b\n\n".to_owned();
    for (head, content) in parts {
        mail.push_str(&format!("--b\n{head}\n\n{content}\n"));
    }
    (mail + "--b--\n").into_bytes()
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

#[test]
fn a_bad_row_is_not_a_bad_report() {
    let no_source = ROW.replace("<source_ip>192.0.2.1</source_ip>", "");
    let no_count = ROW.replace("<count>2</count>", "");
    let bad_count = ROW.replace(">2<", ">-2<");
    let rows = [ROW, &no_source, &no_count, &bad_count, ROW].concat();
    let (report, errors, _) = read(feedback(&rows).as_bytes()).unwrap();
    assert_eq!(report.rows.len(), 2);
    let without = |row, element| ReadError::RowWithout { row, element };
    let count = ReadError::RowCount {
        row: 4,
        text: "-2".into(),
    };
    assert_eq!(
        errors,
        [without(2, "source_ip"), without(3, "count"), count]
    );
    assert!(errors.iter().all(|error| !error.is_fatal()));
}

#[test]
fn what_is_read_before_the_end_is_kept() {
    let cut = &feedback(&ROW.repeat(3))[..HEAD.len() + 10 + 2 * ROW.len() + 100];
    let (report, errors, _) = read(cut.as_bytes()).unwrap();
    assert_eq!((report.rows.len(), errors), (2, vec![ReadError::Truncated]));
    let crossed = feedback(&format!("{ROW}<record><row></record></row>"));
    let (report, errors, _) = read(crossed.as_bytes()).unwrap();
    assert_eq!(report.rows.len(), 1);
    assert!(
        matches!(errors.as_slice(), [ReadError::Malformed { .. }]),
        "{errors:?}"
    );
}

#[test]
fn unknown_words_are_kept() {
    let odd = ROW
        .replace("<disposition>none", "<disposition>softfail")
        .replace("<dkim>fail", "<dkim> Pass ")
        .replace("<result>pass", "<result>hardfail")
        .replace("192.0.2.1", "unknown");
    let (report, errors, told) = read(feedback(&odd).as_bytes()).unwrap();
    assert_eq!(errors, []);
    let row = &report.rows[0];
    assert_eq!(row.disposition, Word::Other("softfail".into()));
    assert_eq!(row.dkim, DmarcResult::Pass.into());
    assert_eq!(row.spf_results[0].result, Word::Other("hardfail".into()));
    assert_eq!(row.source_ip, Word::Other("unknown".into()));
    let unknown = |element, word: &str| {
        (
            1,
            Warning::UnknownWord {
                element,
                word: word.into(),
            },
        )
    };
    assert_eq!(
        told,
        [
            unknown("source_ip", "unknown"),
            unknown("disposition", "softfail"),
            unknown("result", "hardfail")
        ]
    );
    let passed = feedback(&ROW.replace("<disposition>none", "<disposition>pass"));
    assert_eq!(
        whole(passed.as_bytes()).rows[0].disposition,
        Applied::Pass.into()
    );
    let empty = feedback(&ROW.replace("<disposition>none", "<disposition>"));
    assert_eq!(
        warnings(empty.as_bytes()),
        [(
            1,
            Warning::Missing {
                element: "disposition"
            }
        )]
    );
}

#[test]
fn little_is_required() {
    let bare = "<record><row><source_ip>::1</source_ip><count>1</count></row></record>";
    let (report, errors, warnings) = read(feedback(bare).as_bytes()).unwrap();
    assert_eq!((report.rows.len(), errors), (1, vec![]));
    let missing = |element| (1, Warning::Missing { element });
    assert_eq!(
        warnings,
        [missing("policy_evaluated"), missing("header_from")]
    );
    let sparse = ROW
        .replace("<header_from>", "<envelope_from/><header_from>")
        .replace("<domain>example.com</domain>", "");
    let row = whole(feedback(&sparse).as_bytes()).rows.remove(0);
    assert_eq!(row.envelope_from.as_deref(), Some(""));
    assert_eq!(row.spf_results[0].domain, "");
    let none = feedback(&ROW.replace(
        "<spf><domain>example.com</domain><result>pass</result></spf>",
        "",
    ));
    assert_eq!(whole(none.as_bytes()).rows[0].spf_results, []);
    let several = ROW.replace(
        "<auth_results>",
        "<auth_results><dkim><domain>a</domain><result>pass</result></dkim>\
         <dkim><domain>b</domain><selector/><result>fail</result></dkim>",
    );
    let row = whole(feedback(&several).as_bytes()).rows.remove(0);
    let selectors: Vec<_> = row
        .dkim_results
        .iter()
        .map(|one| one.selector.as_deref())
        .collect();
    assert_eq!(selectors, [None, Some("")]);
}

#[test]
fn reasons_as_they_are_written() {
    let with = |reason: &str| {
        let row = ROW.replace("</spf></policy", &format!("</spf>{reason}</policy"));
        read(feedback(&row).as_bytes()).unwrap()
    };
    let (report, _, warnings) = with("<reason>local_policy</reason>");
    assert_eq!(report.rows[0].reasons[0].kind.to_string(), "local_policy");
    assert_eq!(warnings, []);
    let (report, _, warnings) =
        with("<reason><type>sampled_out</type><comment>50</comment></reason>");
    assert_eq!(report.rows[0].reasons[0].comment, Some("50".into()));
    assert_eq!(warnings, []);
    let (_, _, warnings) = with("<reason><type>whim</type></reason><policy_override/>");
    let word = Warning::UnknownWord {
        element: "type",
        word: "whim".into(),
    };
    let element = Warning::UnknownElement {
        name: "policy_override".into(),
    };
    assert_eq!(warnings, [(1, word), (1, element)]);
}

#[test]
fn odd_periods() {
    let fraction = feedback(ROW).replace("1684195200", "1684195200.75");
    assert_eq!(whole(fraction.as_bytes()).metadata.begin, 1_684_195_200);
    let number = Warning::Number {
        element: "begin",
        text: "1684195200.75".into(),
    };
    assert_eq!(warnings(fraction.as_bytes()), [(0, number)]);
    for end in ["1684195100", "1684281601"] {
        let odd = feedback(ROW).replace("1684281599", end);
        assert_eq!(warnings(odd.as_bytes()), [(0, Warning::Period)], "{end}");
    }
    // A day that ends where the next begins.
    assert_eq!(
        warnings(feedback(ROW).replace("1684281599", "1684281600").as_bytes()),
        []
    );
}

#[test]
fn text_in_any_shape() {
    let name = |octets: &[u8]| {
        let (before, after) = HEAD.split_once("Example<").unwrap();
        let report = [
            b"<feedback>",
            before.as_bytes(),
            octets,
            b"<",
            after.as_bytes(),
        ]
        .concat();
        let (report, _, warnings) = read(&[&report, &b"</feedback>"[..]].concat()).unwrap();
        (report.metadata.org_name, warnings)
    };
    assert_eq!(name(b"Smith & Sons").0, "Smith & Sons");
    assert_eq!(name(b"Smith &amp;&#38; S&#xf6;hne").0, "Smith && Söhne");
    assert_eq!(name(b"<![CDATA[<&]]>").0, "<&");
    assert_eq!(name(b"a<!-- b -->c<b>d</b>").0, "ac");
    assert_eq!(name(b"&#0;&#x110000;").0, "\u{fffd}\u{fffd}");
    assert_eq!(name(b"not\n a domain ").0, "not\n a domain");
    assert_eq!(
        name(b"S\xf6hne"),
        ("S\u{fffd}hne".into(), vec![(0, Warning::Repaired)])
    );
    let marked = [b"\xef\xbb\xbf\r\n", feedback(ROW).as_bytes()].concat();
    assert_eq!(whole(&marked), plain());
    let declared = "<?xml version='1.0' encoding='utf-16'?>".encode_utf16();
    let wide: Vec<u8> = declared.flat_map(u16::to_le_bytes).collect();
    assert_eq!(
        read(&[b"\xff\xfe", wide.as_slice()].concat()).unwrap_err(),
        ReadError::Utf16
    );
}

#[test]
fn elements_of_drafts_and_of_both_schemas() {
    let old = feedback(&ROW.replace("identifiers>", "identities>"));
    assert_eq!(whole(old.as_bytes()), plain());
    let new = feedback(ROW)
        .replace(
            "<p>none</p>",
            "<p>none</p><np>reject</np><testing>y</testing><pct>50</pct>",
        )
        .replace(
            "<report_id>",
            "<extra_contact_info lang='de'>Rufen Sie an</extra_contact_info><report_id>",
        );
    let report = whole(new.as_bytes());
    assert_eq!(report.policy.testing, Some(true.into()));
    assert_eq!(report.policy.pct, Some(50.into()));
    let info = Text::in_language("Rufen Sie an", "de");
    assert_eq!(report.metadata.extra_contact_info, Some(info));
}

#[test]
fn extensions_are_kept() {
    let report = format!(
        "<feedback xmlns='urn:ietf:params:xml:ns:dmarc-2.0' xmlns:ext='urn:ext'>{HEAD}\
         <extension><ext:arc-override a=\"1\">never</ext:arc-override></extension>{}</feedback>",
        ROW.replace("</record>", "<ext:arc><ext:cv/></ext:arc></record>")
    );
    let (report, _, warnings) = read(report.as_bytes()).unwrap();
    assert_eq!(warnings, []);
    let [level] = report.extensions.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!(
        (level.namespace(), level.name()),
        ("urn:ext", "arc-override")
    );
    assert_eq!(
        level.as_xml(),
        "<arc-override xmlns=\"urn:ext\" a=\"1\">never</arc-override>"
    );
    assert_eq!(
        report.rows[0].extensions[0].as_xml(),
        "<arc xmlns=\"urn:ext\"><cv></cv></arc>"
    );
    // What claims no namespace of its own is kept, and told.
    let (report, _, warnings) = read(feedback(&format!("<x><y/></x>{ROW}")).as_bytes()).unwrap();
    assert_eq!(report.extensions[0].as_xml(), "<x xmlns=\"\"><y></y></x>");
    assert_eq!(
        warnings,
        [(0, Warning::UnknownElement { name: "x".into() })]
    );
}

#[test]
fn the_limits_on_rows_and_octets() {
    let mut limits = Limits::default();
    limits.report.rows = 2;
    let xml = feedback(&ROW.repeat(3));
    let outcomes: Vec<_> = Reader::new(xml.as_bytes(), &limits).unwrap().collect();
    assert!(matches!(
        outcomes.as_slice(),
        [Ok(_), Ok(_), Err(ReadError::TooManyRows { limit: 2 })]
    ));
    limits.report.octets = 100;
    let error = Reader::new(xml.as_bytes(), &limits).unwrap_err();
    assert_eq!(error, ReadError::TooMuchXml { limit: 100 });
    limits.report.compressed_octets = 50;
    let error = Reader::new(gzip(&xml).as_slice(), &limits).unwrap_err();
    assert_eq!(error, ReadError::TooLarge { limit: 50 });
    limits.message.parts = 2;
    limits.report.compressed_octets = 10_000;
    let message = mail(&[("", "a"), ("", "b"), ("", "c")]);
    let error = Reader::new(message.as_slice(), &limits).unwrap_err();
    assert_eq!(error, ReadError::TooManyParts);
}
