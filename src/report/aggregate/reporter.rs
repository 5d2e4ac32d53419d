//! From rows to a report, and to the message that carries it.

use std::fmt::Write as _;
use std::io;
use std::time::SystemTime;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::{Report, ReportKey, Row, Text};
use crate::address::Address;
use crate::crypto::HashAlgorithm;
use crate::dmarc::RuleSet;
use crate::domain::Domain;
use crate::report::date::{self, date_time};
use crate::report::{Unreported, mailbox};
use crate::text::{self, FoldingWriter};

/// Who reports. Makes reports of rows, and messages of reports.
///
/// ```
/// # use mailproof::report::aggregate::Row;
/// # use std::time::{Duration, UNIX_EPOCH};
/// use mailproof::report::aggregate::{ReportKey, Reporter};
///
/// let reporter = Reporter::new(
///     "Example Networks",
///     mailproof::Address::parse(b"dmarc@mx.example.net")?,
///     "mx.example.net".parse()?,
/// );
/// let key: ReportKey = "example.com 1684195200 treewalk v=DMARC1; p=none; rua=mailto:d@example.com"
///     .parse()?;
/// # let now = UNIX_EPOCH + Duration::from_secs(1_684_300_000);
/// # let rows = vec![Row::default()];
/// let to: Vec<_> = key.destinations().iter().filter_map(|uri| uri.address()).collect();
/// let mail = reporter.mail(&key, rows, &to, now)?;
/// assert!(mail.starts_with(b"Date: Wed, 17 May 2023 05:06:40 +0000\r\nFrom: <dmarc@mx.example.net>"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Reporter {
    /// The name of the organization.
    pub org_name: String,
    /// The address for questions, which the messages are from. They ‘MUST conform to the DMARC
    /// mechanism, thereby resulting in an aligned "pass"’ (RFC 9990 3.5.2).
    pub email: Address,
    /// The domain of the receiver, for file name and subject.
    pub domain: Domain,
    /// How else to reach the organization.
    pub extra_contact_info: Option<Text>,
    /// The software.
    pub generator: Option<String>,
    /// Tells apart what several hosts of the same receiver report on their own; empty by default.
    pub instance: String,
    /// The specification whose schema is written: that of RFC 9990, or that of RFC 7489.
    pub rules: RuleSet,
}

impl Reporter {
    /// A reporter, named as this crate where the software is named.
    #[must_use]
    pub fn new(org_name: impl Into<String>, email: Address, domain: Domain) -> Self {
        Self {
            org_name: org_name.into(),
            email,
            domain,
            extra_contact_info: None,
            generator: Some(concat!("mailproof ", env!("CARGO_PKG_VERSION")).to_owned()),
            instance: String::new(),
            rules: RuleSet::default(),
        }
    }

    /// The report on these rows.
    #[must_use]
    pub fn report(&self, key: &ReportKey, rows: Vec<Row>) -> Report {
        Report {
            org_name: self.org_name.clone(),
            email: self.email.to_string(),
            extra_contact_info: self.extra_contact_info.clone(),
            report_id: self.report_id(key),
            begin: key.begin(),
            end: key.end(),
            errors: key.errors(),
            generator: self.generator.clone(),
            policy: key.policy(),
            rows,
            ..Report::default()
        }
    }

    /// The Report-ID: always the same for the same key, so that a report that is sent again is known
    /// to be the same. RFC 9990 3.1.4 wants it equal to the unique-id of the file name, which has
    /// letters and digits only.
    #[must_use]
    pub fn report_id(&self, key: &ReportKey) -> String {
        let about = format!("{}\n{}\n{key}", self.domain, self.instance);
        let digest = HashAlgorithm::Sha256.digest(about.as_bytes());
        let mut id = String::new();
        for octet in digest.iter().take(16) {
            // Writing to a String cannot fail.
            let _ = write!(id, "{octet:02x}");
        }
        id
    }

    /// The name of the compressed file (RFC 9990 3.5.2).
    #[must_use]
    pub fn file_name(&self, key: &ReportKey) -> String {
        format!(
            "{}!{}!{}!{}!{}.xml.gz",
            self.domain,
            key.policy_domain(),
            key.begin(),
            key.end(),
            self.report_id(key)
        )
    }

    /// The content of the Subject field, folded where it is long (RFC 9990 3.5.2).
    #[must_use]
    pub fn subject(&self, key: &ReportKey) -> String {
        let field = self.subject_field(key);
        field
            .split_once(": ")
            .map(|(_, value)| value.to_owned())
            .unwrap_or_default()
    }

    fn subject_field(&self, key: &ReportKey) -> String {
        let mut field = FoldingWriter::new("Subject");
        for word in [
            "Report",
            "Domain:",
            key.policy_domain().as_str(),
            "Submitter:",
        ] {
            field.word(word);
        }
        field.word(self.domain.as_str());
        field.word("Report-ID:");
        field.word(&format!("<{}>", self.report_id(key)));
        field.finish()
    }

    /// The message that carries the report, ready to be signed and sent. Its length is what size
    /// limits of destinations ([`ReportUri::size_limit`](crate::dmarc::ReportUri::size_limit)) speak
    /// of.
    ///
    /// # Errors
    ///
    /// [`Unreported::NoRows`] without rows, of which both schemas want one at least, and
    /// [`Unreported::NoRecipients`] without recipients.
    pub fn mail(
        &self,
        key: &ReportKey,
        rows: Vec<Row>,
        to: &[Address],
        now: SystemTime,
    ) -> Result<Vec<u8>, Unreported> {
        if rows.is_empty() {
            return Err(Unreported::NoRows);
        }
        if to.is_empty() {
            return Err(Unreported::NoRecipients);
        }
        let file = text::base64_encode(&gzip(&self.report(key, rows), self.rules));
        let (id, name) = (self.report_id(key), self.file_name(key));
        let mut recipients = FoldingWriter::new("To");
        for (number, address) in to.iter().enumerate() {
            let separator = if number + 1 == to.len() { "" } else { "," };
            recipients.word(&format!("<{}>{separator}", mailbox(address)));
        }
        let mut mail = format!(
            "Date: {date}\r\nFrom: <{from}>\r\n{to}\r\n{subject}\r\n\
             Message-ID: <{id}@{domain}>\r\nAuto-Submitted: auto-generated\r\n\
             MIME-Version: 1.0\r\nContent-Type: multipart/mixed;\r\n\tboundary=\"=_{id}\"\r\n\r\n\
             --=_{id}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\
             This is an aggregate report of DMARC results (RFC 9990).\r\n\r\n\
             Domain:     {policy_domain}\r\nReporter:   {domain}\r\nReport-ID:  {id}\r\n\
             Beginning:  {begin}\r\n\r\n\
             --=_{id}\r\nContent-Type: application/gzip;\r\n\tname=\"{name}\"\r\n\
             Content-Disposition: attachment;\r\n\tfilename=\"{name}\"\r\n\
             Content-Transfer-Encoding: base64\r\n\r\n",
            date = date_time(now),
            from = mailbox(&self.email),
            to = recipients.finish(),
            subject = self.subject_field(key),
            domain = self.domain,
            policy_domain = key.policy_domain(),
            begin = date::format(key.begin()),
        )
        .into_bytes();
        for line in file.as_bytes().chunks(BASE64_LINE) {
            mail.extend_from_slice(line);
            mail.extend_from_slice(b"\r\n");
        }
        mail.extend_from_slice(format!("--=_{id}--\r\n").as_bytes());
        Ok(mail)
    }
}

/// RFC 2045 6.8: ‘encoded output stream must be represented in lines of no more than 76 characters’.
const BASE64_LINE: usize = 76;

/// The same octets for the same report: the time in the gzip header is left out.
fn gzip(report: &Report, rules: RuleSet) -> Vec<u8> {
    let mut file = GzEncoder::new(Vec::new(), Compression::default());
    let written: io::Result<()> = report.write_xml(rules, &mut file);
    // Writing to a vector cannot fail.
    let _ = written;
    file.finish().unwrap_or_default()
}
