//! Reads what others send: whatever can be made out, with a note of what cannot.

use std::borrow::Cow;
use std::net::IpAddr;

use super::compose::words;
use super::{AuthFailure, DeliveryResult, FailureReport};
use crate::identifier::Method;
use crate::message::parts::{Fields, parts};
use crate::report::Limits;
use crate::report::{ReadError, Warning, date};
use crate::text;

impl FailureReport {
    /// Reads a mail with a report of any type of RFC 5965: as it came over SMTP, or from a file with
    /// other line ends, or as an attachment of another mail.
    ///
    /// ```
    /// use mailproof::report::Limits;
    /// use mailproof::report::Warning;
    /// use mailproof::report::failure::{AuthFailure, FailureReport};
    ///
    /// let mail = b"Content-Type: multipart/report; boundary=x\n\n--x\n\
    ///     Content-Type: message/feedback-report\n\nFeedback-Type: auth-failure\nVersion: 1\n\
    ///     User-Agent: x/1\nAuth-Failure: bodyhash\nSource-IP: 192.0.2.1\n\
    ///     Authentication-Results: mx.example.com; dkim=fail header.d=example.net\n\n--x--\n";
    /// let report = FailureReport::read(mail, &Limits::default())?;
    /// assert_eq!(report.auth_failure, Some(AuthFailure::BodyHash));
    /// assert_eq!(report.warnings, [Warning::NoHeader]);
    /// # Ok::<(), mailproof::report::ReadError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ReadError`], where there is no such report or more than the limits allow.
    pub fn read(mail: &[u8], limits: &Limits) -> Result<Self, ReadError> {
        let limit = limits.compressed_octets;
        if u64::try_from(mail.len()).map_or(true, |length| length > limit) {
            return Err(ReadError::TooLarge { limit });
        }
        let mut mail = Cow::Borrowed(mail);
        for _ in 0..ATTACHED {
            let mut reader = Reader::default();
            let mut attached = None;
            for part in parts(&mail, limits.parts, limits.part_depth) {
                let part = part.map_err(|_| ReadError::TooManyParts)?;
                let kind = Kind::of(&part.media_type);
                let Some(kind) = kind else { continue };
                match part.content() {
                    Some(content) => reader.take(kind, &content, &mut attached),
                    None => reader.report.warnings.push(Warning::Undecodable),
                }
            }
            match (reader.found, attached) {
                (true, _) => return Ok(reader.finish()),
                (false, Some(attached)) => mail = Cow::Owned(attached),
                (false, None) => break,
            }
        }
        Err(ReadError::NotAReport)
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Feedback,
    Header,
    Message,
}

impl Kind {
    fn of(media_type: &str) -> Option<Self> {
        match media_type {
            "message/feedback-report" => Some(Self::Feedback),
            "text/rfc822-headers" | "message/rfc822-headers" | "message/global-headers" => {
                Some(Self::Header)
            }
            "message/rfc822" | "message/global" => Some(Self::Message),
            _ => None,
        }
    }
}

struct Reader {
    report: FailureReport,
    found: bool,
    /// The fields that stand once.
    seen: Vec<&'static str>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            report: FailureReport::empty(),
            found: false,
            seen: Vec::new(),
        }
    }
}

impl Reader {
    /// Takes the first part of each kind. A message in front of any report may hold it.
    fn take(&mut self, kind: Kind, content: &[u8], attached: &mut Option<Vec<u8>>) {
        match kind {
            Kind::Feedback if !self.found => {
                self.found = true;
                self.fields(content);
            }
            Kind::Header | Kind::Message if self.report.header.is_empty() => {
                if attached.is_none() && matches!(kind, Kind::Message) {
                    *attached = Some(content.to_vec());
                }
                let mut fields = Fields(content);
                let last = fields.by_ref().last();
                let body = fields.0;
                if last.is_none() {
                    return;
                }
                let length = content.len() - body.len();
                let header = without_blank_line(content.get(..length).unwrap_or_default());
                self.report.header = header.to_vec();
                self.report.body = matches!(kind, Kind::Message).then(|| body.to_vec());
            }
            Kind::Feedback | Kind::Header | Kind::Message => {}
        }
    }

    /// Reads the fields; some reporters leave blank lines between them.
    fn fields(&mut self, content: &[u8]) {
        let mut fields = Fields(content);
        let mut count = 0;
        while !fields.0.is_empty() {
            let Some((name, value)) = fields.next() else {
                continue;
            };
            count += 1;
            if count > MAX_FIELDS {
                self.report.warnings.push(Warning::TooManyFields);
                return;
            }
            let name = text::lossy(name).to_ascii_lowercase();
            let value = words(&text::lossy(value));
            self.many(&name, &value);
            self.once(&name, &value);
        }
    }

    /// Fields that may stand any number of times.
    fn many(&mut self, name: &str, value: &str) {
        let report = &mut self.report;
        match name {
            "authentication-results" => report.authentication_results.push(value.to_owned()),
            "original-rcpt-to" => report.original_rcpt_to.push(path(value)),
            "reported-uri" => report.reported_uris.push(value.to_owned()),
            "reported-domain" => match bare(value).parse() {
                Ok(domain) => report.reported_domains.push(domain),
                Err(_) => self.malformed("Reported-Domain", value),
            },
            "spf-dns" => match spf_dns(value) {
                Some(record) => report.spf_dns.push(record),
                None => self.malformed("SPF-DNS", value),
            },
            _ => {}
        }
    }

    /// Fields that may stand once.
    fn once(&mut self, name: &str, value: &str) {
        let Some(field) = ONCE.iter().find(|field| field.eq_ignore_ascii_case(name)) else {
            return;
        };
        // RFC 5965 3.2: ‘Received-Date’ is the historic name, and both are one too many.
        let field = match *field {
            "Received-Date" => "Arrival-Date",
            field => field,
        };
        if self.seen.contains(&field) {
            self.report
                .warnings
                .push(Warning::Duplicate { name: field });
            return;
        }
        self.seen.push(field);
        if self.set(field, value).is_none() {
            self.malformed(field, value);
        }
    }

    /// `None` for a value that the field cannot have.
    fn set(&mut self, field: &str, value: &str) -> Option<()> {
        let report = &mut self.report;
        let word = bare(value);
        let text = || Some(value.to_owned());
        match field {
            "Feedback-Type" => report.feedback_type = word.to_ascii_lowercase(),
            "User-Agent" => report.user_agent = text(),
            "Version" => return (word == "1").then_some(()),
            "Auth-Failure" => {
                let mut all = AuthFailure::ALL.into_iter();
                report.auth_failure =
                    Some(all.find(|one| word.eq_ignore_ascii_case(one.as_str()))?);
            }
            "Identity-Alignment" => report.identity_alignment = Some(methods(&word)?),
            "Delivery-Result" => {
                let mut all = DeliveryResult::ALL.into_iter();
                let found = all.find(|one| word.eq_ignore_ascii_case(one.as_str()));
                report.delivery_result = Some(found?);
            }
            "DKIM-Domain" => report.dkim_domain = Some(word.parse().ok()?),
            "DKIM-Identity" => report.dkim_identity = Some(word),
            "DKIM-Selector" => report.dkim_selector = Some(word),
            "DKIM-Canonicalized-Header" => report.dkim_canonicalized_header = base64(value),
            "DKIM-Canonicalized-Body" => report.dkim_canonicalized_body = base64(value),
            "Original-Envelope-Id" => report.original_envelope_id = text(),
            "Original-Mail-From" => report.original_mail_from = Some(path(value)),
            "Arrival-Date" => report.arrival_date = Some(date::parse(value)?),
            "Source-IP" => report.source_ip = Some(address(&word)?),
            "Source-Port" => report.source_port = Some(word.parse().ok()?),
            "Reporting-MTA" => report.reporting_mta = text(),
            "Incidents" => report.incidents = word.parse().ok()?,
            _ => {}
        }
        Some(())
    }

    fn malformed(&mut self, field: &'static str, value: &str) {
        let value = text::one_line(value, SHOWN);
        self.report
            .warnings
            .push(Warning::Malformed { name: field, value });
    }

    fn finish(mut self) -> FailureReport {
        let authentication = self.report.feedback_type == "auth-failure";
        let dmarc = self.report.auth_failure == Some(AuthFailure::Dmarc);
        let results = !self.report.authentication_results.is_empty();
        for (field, required) in [
            ("Feedback-Type", true),
            ("User-Agent", true),
            ("Version", true),
            ("Auth-Failure", authentication),
            ("Identity-Alignment", dmarc),
        ] {
            if required && !self.seen.contains(&field) {
                self.report.warnings.push(Warning::Missing { name: field });
            }
        }
        if authentication && !results {
            let warning = Warning::Missing {
                name: "Authentication-Results",
            };
            self.report.warnings.push(warning);
        }
        if self.report.header.is_empty() {
            self.report.warnings.push(Warning::NoHeader);
        }
        self.report
    }
}

/// A value without comments, and without white space at either end.
fn bare(value: &str) -> String {
    let mut depth = 0_usize;
    let mut out = String::new();
    for character in value.chars() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(character),
            _ => {}
        }
    }
    out.trim().to_owned()
}

/// A path with or without its brackets.
fn path(value: &str) -> String {
    let inner = value.strip_prefix('<').unwrap_or(value);
    inner.strip_suffix('>').unwrap_or(inner).to_owned()
}

/// An address as SMTP writes it, or without `IPv6:`, or in brackets.
fn address(word: &str) -> Option<IpAddr> {
    let word = word.trim_matches(['[', ']']);
    let prefix = word.get(..5);
    let word = match prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case("ipv6:")) {
        true => word.get(5..)?,
        false => word,
    };
    word.parse().ok()
}

fn methods(word: &str) -> Option<Vec<Method>> {
    if word.eq_ignore_ascii_case("none") {
        return Some(Vec::new());
    }
    let methods = word.split(',').map(|method| match method.trim() {
        method if method.eq_ignore_ascii_case("dkim") => Some(Method::Dkim),
        method if method.eq_ignore_ascii_case("spf") => Some(Method::Spf),
        _ => None,
    });
    methods.take(MAX_FIELDS).collect()
}

/// `txt : domain : "record"` (RFC 6591 4).
fn spf_dns(value: &str) -> Option<(String, String)> {
    let (kind, rest) = value.split_once(':')?;
    let kind = bare(kind);
    if !kind.eq_ignore_ascii_case("txt") && !kind.eq_ignore_ascii_case("spf") {
        return None;
    }
    let (domain, record) = rest.split_once(':')?;
    let record = record.trim();
    let record = match record.strip_prefix('"') {
        Some(quoted) => unquote(quoted.strip_suffix('"')?),
        None => record.to_owned(),
    };
    Some((bare(domain), record))
}

fn unquote(quoted: &str) -> String {
    let mut out = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => out.extend(characters.next()),
            character => out.push(character),
        }
    }
    out
}

/// RFC 6591 2.3: ‘any characters not in the base64 alphabet are ignored’.
fn base64(value: &str) -> Option<Vec<u8>> {
    let octets = value.bytes();
    let octets: Vec<u8> = octets
        .filter(|o| o.is_ascii_alphanumeric() || matches!(o, b'+' | b'/'))
        .collect();
    text::base64_decode(&octets).ok()
}

/// A header block without the blank line that ends it, where there is one.
fn without_blank_line(header: &[u8]) -> &[u8] {
    let lines = header.strip_suffix(b"\n").unwrap_or(header);
    let last = text::rfind(lines, b'\n').map_or(0, |feed| feed + 1);
    match header.split_at_checked(last) {
        Some((before, last)) if text::trim_fws(last).is_empty() => before,
        _ => header,
    }
}

/// Fields that may stand once, and their historic names.
const ONCE: &[&str] = &[
    "Arrival-Date",
    "Auth-Failure",
    "Delivery-Result",
    "DKIM-Canonicalized-Body",
    "DKIM-Canonicalized-Header",
    "DKIM-Domain",
    "DKIM-Identity",
    "DKIM-Selector",
    "Feedback-Type",
    "Identity-Alignment",
    "Incidents",
    "Original-Envelope-Id",
    "Original-Mail-From",
    "Received-Date",
    "Reporting-MTA",
    "Source-IP",
    "Source-Port",
    "User-Agent",
    "Version",
];

/// A report names each recipient of its message, of which SMTP servers take a hundred at least.
const MAX_FIELDS: usize = 1_000;

/// A report as it came, and one that somebody sent on as an attachment.
const ATTACHED: usize = 2;

/// Characters of a value that a warning shows.
const SHOWN: usize = 100;
