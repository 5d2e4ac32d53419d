//! Reports as they come: what readers of reports were burnt by, one test each.

#[path = "report_support/samples.rs"]
mod samples;

use mailproof::dmarc::DmarcResult;
use mailproof::report::Limits;
use mailproof::report::aggregate::{Applied, Reader, Text, Word};
use mailproof::report::{ReadError, Warning};
use samples::{HEAD, ROW, feedback, gzip, mail, plain, read, warnings, whole};

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
                name: "disposition"
            }
        )]
    );
}

#[test]
fn little_is_required() {
    let bare = "<record><row><source_ip>::1</source_ip><count>1</count></row></record>";
    let (report, errors, warnings) = read(feedback(bare).as_bytes()).unwrap();
    assert_eq!((report.rows.len(), errors), (1, vec![]));
    let missing = |name| (1, Warning::Missing { name });
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
    assert_eq!(whole(fraction.as_bytes()).begin, 1_684_195_200);
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
        (report.org_name, warnings)
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
    assert_eq!(report.extra_contact_info, Some(info));
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
    limits.rows = 2;
    let xml = feedback(&ROW.repeat(3));
    let outcomes: Vec<_> = Reader::new(xml.as_bytes(), &limits).unwrap().collect();
    assert!(matches!(
        outcomes.as_slice(),
        [Ok(_), Ok(_), Err(ReadError::TooManyRows { limit: 2 })]
    ));
    limits.octets = 100;
    let error = Reader::new(xml.as_bytes(), &limits).unwrap_err();
    assert_eq!(error, ReadError::TooMuchXml { limit: 100 });
    limits.compressed_octets = 50;
    let error = Reader::new(gzip(&xml).as_slice(), &limits).unwrap_err();
    assert_eq!(error, ReadError::TooLarge { limit: 50 });
    limits.parts = 2;
    limits.compressed_octets = 10_000;
    let message = mail(&[("", "a"), ("", "b"), ("", "c")]);
    let error = Reader::new(message.as_slice(), &limits).unwrap_err();
    assert_eq!(error, ReadError::TooManyParts);
}
