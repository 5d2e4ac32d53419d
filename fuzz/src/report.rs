//! Reports that strangers send, and reports that we write.

use mailproof::dmarc::RuleSet;
use mailproof::report::Limits;
use mailproof::report::ReadError;
use mailproof::report::aggregate::{Extension, Reader, Reason, Report, Row, SpfAuth, Text, Word};

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.octets = 1 << 20;
    limits
}

fn read(octets: &[u8]) -> Result<Report, ReadError> {
    let mut reader = Reader::new(octets, &limits())?;
    let mut rows = Vec::new();
    let mut fatal = 0;
    for row in reader.by_ref() {
        match row {
            Ok(row) => rows.push(row),
            Err(error) => fatal += usize::from(error.is_fatal()),
        }
        assert!(fatal <= 1, "reading ends with what is fatal");
    }
    assert!(reader.next().is_none());
    assert!(reader.warnings().len() <= 101);
    let mut report = reader.report().clone();
    report.rows = rows;
    Ok(report)
}

/// What is written may be longer than what was read; else it can be read again.
fn again(xml: &str) -> Option<Report> {
    match read(xml.as_bytes()) {
        Ok(report) => Some(report),
        Err(
            ReadError::RowTooLong { .. }
            | ReadError::TextTooLong { .. }
            | ReadError::TooDeep { .. }
            | ReadError::TooMuchXml { .. },
        ) => None,
        Err(error) => panic!("{error}: {xml}"),
    }
}

/// Writing and reading changes nothing from the second time on: the first may replace what XML or
/// the schema has no room for.
fn settles(report: &Report) {
    for rules in [RuleSet::Rfc9989, RuleSet::Rfc7489] {
        let Some(once) = again(&report.to_xml(rules)) else {
            return;
        };
        if once.rows.len() != report.rows.len() {
            // The row that became too long was the last that was read.
            return;
        }
        let Some(twice) = again(&once.to_xml(rules)) else {
            return;
        };
        assert_eq!(once, twice);
    }
    for row in &report.rows {
        let Ok(once) = Row::from_xml(&row.to_xml()) else {
            return;
        };
        assert_eq!(Row::from_xml(&once.to_xml()), Ok(once));
    }
}

/// XML, and an element of an extension.
pub fn xml(data: &[u8]) {
    if let Ok(report) = read(data) {
        settles(&report);
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(element) = Extension::parse(text)
        && element.as_xml().len() < 30_000
    {
        assert_eq!(Extension::parse(element.as_xml()), Ok(element));
    }
}

/// Archives and messages.
pub fn container(data: &[u8]) {
    let _ = read(data);
}

/// A report whose texts are anybody's.
pub fn round_trip(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut texts = text.split('\0').map(str::to_owned).cycle();
    let mut next = || texts.next().unwrap_or_default();
    let mut report = Report::default();
    report.org_name = next();
    report.extra_contact_info = Some(Text::in_language(next(), next()));
    report.report_id = next();
    report.errors = vec![next().into(), next().into()];
    report.policy.domain = next();
    report.policy.p = next().as_str().into();
    report.policy.fo = Some(next());
    let mut row = Row::default();
    row.source_ip = Word::Other(format!("x{}", next()));
    row.count = 7;
    row.disposition = next().as_str().into();
    let mut reason = Reason::default();
    reason.kind = next().as_str().into();
    reason.comment = Some(next().into());
    row.reasons = vec![reason];
    row.header_from = next();
    row.envelope_from = Some(next());
    let mut spf = SpfAuth::default();
    spf.domain = next();
    spf.result = next().as_str().into();
    row.spf_results = vec![spf];
    report.rows = vec![row.clone(), row];
    settles(&report);
    if let Some(read) = again(&report.to_xml(RuleSet::Rfc9989)) {
        let plain = |text: &str| text.chars().all(|c| !c.is_control() && c < '\u{fffe}');
        let name = &report.org_name;
        if plain(name) {
            assert_eq!(read.org_name, name.trim());
        }
        assert_eq!(read.rows.len(), 2);
    }
}
