//! Small reports, and how they are packed.

#![allow(dead_code, reason = "no test needs all of it")]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use mailproof::report::Limits;
use mailproof::report::aggregate::{Reader, Report, Row};
use mailproof::report::{ReadError, Warning};

/// Warnings with their rows.
pub type Told = Vec<(u64, Warning)>;

/// All of a report, the errors of its rows, and the warnings.
pub fn read(octets: &[u8]) -> Result<(Report, Vec<ReadError>, Told), ReadError> {
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

pub fn whole(octets: &[u8]) -> Report {
    let (report, errors, _) = read(octets).unwrap();
    assert_eq!(errors, []);
    report
}

pub fn warnings(octets: &[u8]) -> Told {
    read(octets).unwrap().2
}

pub const HEAD: &str = "<report_metadata><org_name>Example</org_name><email>d@example.net</email>\
    <report_id>1</report_id><date_range><begin>1684195200</begin><end>1684281599</end></date_range>\
    </report_metadata><policy_published><domain>example.com</domain><p>none</p></policy_published>";

pub const ROW: &str = "<record><row><source_ip>192.0.2.1</source_ip><count>2</count><policy_evaluated>\
    <disposition>none</disposition><dkim>fail</dkim><spf>pass</spf></policy_evaluated></row>\
    <identifiers><header_from>example.com</header_from></identifiers><auth_results><spf>\
    <domain>example.com</domain><result>pass</result></spf></auth_results></record>";

pub fn feedback(rows: &str) -> String {
    format!("<feedback>{HEAD}{rows}</feedback>")
}

pub fn plain() -> Report {
    whole(feedback(ROW).as_bytes())
}

pub fn gzip(content: &str) -> Vec<u8> {
    let mut file = GzEncoder::new(Vec::new(), Compression::default());
    file.write_all(content.as_bytes()).unwrap();
    file.finish().unwrap()
}

pub fn mail(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut mail = "From: d@example.net\nContent-Type: multipart/mixed; boundary=b\n\n".to_owned();
    for (head, content) in parts {
        mail.push_str(&format!("--b\n{head}\n\n{content}\n"));
    }
    (mail + "--b--\n").into_bytes()
}
