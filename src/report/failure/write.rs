//! The mail that a report is (RFC 6522, RFC 5965 2).

use std::net::IpAddr;
use std::time::SystemTime;

use super::compose::words;
use super::{AuthFailure, FailureReport};
use crate::address::Address;
use crate::crypto::HashAlgorithm;
use crate::domain::Domain;
use crate::identifier::Method;
use crate::message::parts::Fields;
use crate::report::{date, mailbox};
use crate::text::{self, FoldingWriter};

/// The mail to one recipient.
pub(super) fn mail(
    report: &FailureReport,
    from: &Address,
    recipient: &Address,
    now: SystemTime,
) -> Vec<u8> {
    let date = date::date_time(now);
    let (host, from, recipient) = (from.domain(), mailbox(from), mailbox(recipient));
    let parts = [
        (
            "text/plain; charset=us-ascii",
            explanation(report).into_bytes(),
        ),
        ("message/feedback-report", feedback(report).into_bytes()),
        original(report),
    ];
    // The hash of all parts stands in none of them, so that it can delimit them.
    let mut content = format!("{date} {from} {recipient}").into_bytes();
    parts
        .iter()
        .for_each(|(_, part)| content.extend_from_slice(part));
    let id = identifier(&content);
    let boundary = format!("=_{id}");
    let mut body = Vec::new();
    for (media_type, part) in &parts {
        push_part(&mut body, &boundary, media_type, part);
    }
    body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());

    let mut head = String::new();
    for (name, value) in [
        ("From", from.as_str()),
        ("To", &recipient),
        ("Subject", &subject(report)),
        ("Date", &date),
        ("Message-ID", &format!("<{id}@{host}>")),
        ("Auto-Submitted", "auto-generated"),
        ("MIME-Version", "1.0"),
        (
            "Content-Type",
            &format!("multipart/report; report-type=feedback-report; boundary=\"{boundary}\""),
        ),
        ("Content-Transfer-Encoding", encoding(&body)),
    ] {
        push_field(&mut head, name, value);
    }
    [head.as_bytes(), b"\r\n", &body].concat()
}

/// The message that failed, or its header block (RFC 5965 2 d).
fn original(report: &FailureReport) -> (&'static str, Vec<u8>) {
    let mut original = lines(&report.header);
    if !original.is_empty() && !original.ends_with(b"\n") {
        original.extend_from_slice(b"\r\n");
    }
    let Some(body) = &report.body else {
        return ("text/rfc822-headers", original);
    };
    original.extend_from_slice(b"\r\n");
    original.extend(lines(body));
    ("message/rfc822", original)
}

fn push_part(out: &mut Vec<u8>, boundary: &str, media_type: &str, content: &[u8]) {
    let encoding = encoding(content);
    let head = format!(
        "--{boundary}\r\nContent-Type: {media_type}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    );
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(content);
    out.extend_from_slice(b"\r\n");
}

fn encoding(content: &[u8]) -> &'static str {
    match content.is_ascii() {
        true => "7bit",
        false => "8bit",
    }
}

/// For people (RFC 5965 2 b).
fn explanation(report: &FailureReport) -> String {
    let mut out = String::from("This is an authentication failure report for a message");
    if let Some(source) = report.source_ip {
        out += &format!("\r\nreceived from {source}");
    }
    if let Some(seconds) = report.arrival_date {
        out += &format!("\r\non {}", date::format(seconds));
    }
    out += ".\r\n";
    if let Some(failure) = report.auth_failure {
        out += &format!("\r\nWhat failed: {failure}\r\n");
    }
    push_fields(&mut out, "Result", &report.authentication_results);
    if report.incidents > 1 {
        out += &format!("Incidents of this kind: {}\r\n", report.incidents);
    }
    out += "\r\nThe domain owner asked for it with the tag ruf of its DMARC record.\r\n\
            The format is that of RFC 5965, RFC 6591 and RFC 9991.\r\n";
    out
}

/// The part for programs.
fn feedback(report: &FailureReport) -> String {
    let mut out = String::new();
    let identity_alignment = report.identity_alignment.as_ref().map(|methods| {
        let methods: Vec<String> = methods.iter().map(Method::to_string).collect();
        match methods.is_empty() {
            true => "none".to_owned(),
            false => methods.join(", "),
        }
    });
    let path = |address: &String| format!("<{address}>");
    let text = |value: &Option<String>| value.clone();
    for (name, value) in [
        ("Feedback-Type", Some(report.feedback_type.clone())),
        ("Version", Some("1".to_owned())),
        ("User-Agent", text(&report.user_agent)),
        (
            "Auth-Failure",
            report
                .auth_failure
                .map(AuthFailure::as_str)
                .map(str::to_owned),
        ),
        ("Identity-Alignment", identity_alignment),
        (
            "Delivery-Result",
            report.delivery_result.map(|result| result.to_string()),
        ),
        (
            "DKIM-Domain",
            report.dkim_domain.as_ref().map(Domain::to_string),
        ),
        ("DKIM-Identity", text(&report.dkim_identity)),
        ("DKIM-Selector", text(&report.dkim_selector)),
        (
            "DKIM-Canonicalized-Header",
            report.dkim_canonicalized_header.as_deref().map(base64),
        ),
        (
            "DKIM-Canonicalized-Body",
            report.dkim_canonicalized_body.as_deref().map(base64),
        ),
        ("Original-Envelope-Id", text(&report.original_envelope_id)),
        (
            "Original-Mail-From",
            report.original_mail_from.as_ref().map(path),
        ),
        ("Arrival-Date", report.arrival_date.map(date::format)),
        ("Source-IP", report.source_ip.map(literal)),
        (
            "Source-Port",
            report.source_port.map(|port| port.to_string()),
        ),
        ("Reporting-MTA", text(&report.reporting_mta)),
        (
            "Incidents",
            (report.incidents != 1).then(|| report.incidents.to_string()),
        ),
    ] {
        if let Some(value) = value {
            push_field(&mut out, name, &value);
        }
    }
    let records = report
        .spf_dns
        .iter()
        .map(|(domain, record)| format!("txt : {domain} : {}", text::quoted_string(record)));
    push_fields(&mut out, "SPF-DNS", records);
    push_fields(
        &mut out,
        "Authentication-Results",
        &report.authentication_results,
    );
    push_fields(
        &mut out,
        "Original-Rcpt-To",
        report.original_rcpt_to.iter().map(path),
    );
    push_fields(&mut out, "Reported-Domain", &report.reported_domains);
    push_fields(&mut out, "Reported-URI", &report.reported_uris);
    out
}

fn push_fields<V: ToString>(out: &mut String, name: &str, values: impl IntoIterator<Item = V>) {
    for value in values {
        push_field(out, name, &value.to_string());
    }
}

/// Adds a field; none that cannot be folded into lines that SMTP carries.
fn push_field(out: &mut String, name: &str, value: &str) {
    let value = words(&ascii(value));
    if value.split(' ').any(|word| word.len() > MAX_WORD) {
        return;
    }
    let mut field = FoldingWriter::new(name);
    value.split(' ').for_each(|word| field.word(word));
    out.push_str(&field.finish());
    out.push_str("\r\n");
}

/// RFC 5965 7.1: ‘"7bit" encoding is sufficient and MUST be used’.
fn ascii(text: &str) -> String {
    let text = text.chars();
    text.map(|c| match c {
        ' '..='~' | '\t' | '\r' | '\n' => c,
        _ => '?',
    })
    .collect()
}

/// In words that lines can hold.
fn base64(octets: &[u8]) -> String {
    let mut out = String::new();
    for chunk in octets.chunks(BASE64_LINE) {
        out += &text::base64_encode(chunk);
        out.push(' ');
    }
    out
}

/// RFC 5965 3.2: ‘formatted as per section 4.1.3 of [SMTP]’.
fn literal(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("IPv6:{address}"),
    }
}

/// RFC 5965 2 f: that of the message behind ‘a typical forwarding prefix’.
fn subject(report: &FailureReport) -> String {
    let mut fields = Fields(&report.header);
    let original = fields.find(|(name, _)| name.eq_ignore_ascii_case(b"Subject"));
    let original = original.map(|(_, value)| text::lossy(value).into_owned());
    let subject = format!("FW: {}", original.unwrap_or_default());
    match words(&subject) {
        subject if subject.split(' ').all(|word| word.len() <= MAX_WORD) => subject,
        _ => "FW:".to_owned(),
    }
}

/// 192 bits of the hash, in hexadecimal digits.
fn identifier(content: &[u8]) -> String {
    let digest = HashAlgorithm::Sha256.digest(content);
    let octets = digest.iter().take(24);
    octets.map(|octet| format!("{octet:02x}")).collect()
}

/// Octets of a message in lines that SMTP carries.
fn lines(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    let mut rest = octets;
    while !rest.is_empty() {
        let end = rest.iter().position(|octet| matches!(octet, b'\r' | b'\n'));
        let (line, following) = rest.split_at(end.unwrap_or(rest.len()));
        let mut chunks = line.chunks(MAX_WORD);
        out.extend(
            chunks
                .next()
                .unwrap_or_default()
                .iter()
                .filter(|o| **o != 0),
        );
        for chunk in chunks {
            out.extend_from_slice(b"\r\n");
            out.extend(chunk.iter().filter(|octet| **octet != 0));
        }
        let ended = following.strip_prefix(b"\r\n").or(following.get(1..));
        if ended.is_some() {
            out.extend_from_slice(b"\r\n");
        }
        rest = ended.unwrap_or_default();
    }
    out
}

/// RFC 5322 2.1.1: a line has 998 characters; this leaves room for the field name.
const MAX_WORD: usize = 900;

/// 72 characters.
const BASE64_LINE: usize = 54;
