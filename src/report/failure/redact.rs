//! Replaces local parts (RFC 6590), so that who reads a report can tell users apart, but not who
//! they are.

use super::FailureReport;
use crate::crypto::{HashAlgorithm, HmacKey};
use crate::message::parts::Fields;
use crate::text;

/// A transformation that is ‘consistent’ and ‘reasonably collision-resistant’ (RFC 6590 3): HMAC,
/// of which 96 bits are kept.
#[derive(Debug)]
pub(super) struct Redactor(HmacKey);

impl Redactor {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self(HmacKey::new(HashAlgorithm::Sha256, secret))
    }

    /// The report without local parts and without the body, in which nobody could find everything
    /// that is private. RFC 6591 3.2.4: what is canonical ‘MUST NOT be included’ when redacted.
    pub(super) fn redact(&self, report: &FailureReport) -> FailureReport {
        let text = |text: &String| self.text(text);
        let mut redacted = report.clone();
        redacted.authentication_results = report
            .authentication_results
            .iter()
            .map(|value| lossy(&self.addresses(value.as_bytes(), true)))
            .collect();
        redacted.original_mail_from = report.original_mail_from.as_ref().map(text);
        redacted.original_rcpt_to = report.original_rcpt_to.iter().map(text).collect();
        redacted.dkim_identity = report.dkim_identity.as_ref().map(text);
        redacted.reported_uris = report.reported_uris.iter().map(text).collect();
        redacted.spf_dns = without_macros(report);
        redacted.header = self.header(&report.header);
        redacted.dkim_canonicalized_header = None;
        redacted.dkim_canonicalized_body = None;
        redacted.body = None;
        redacted
    }

    fn text(&self, text: &str) -> String {
        lossy(&self.addresses(text.as_bytes(), false))
    }

    fn header(&self, header: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(header.len());
        for (name, value) in Fields(header) {
            let is = |names: &[&str]| {
                let mut names = names.iter();
                names.any(|other| name.eq_ignore_ascii_case(other.as_bytes()))
            };
            out.extend_from_slice(name);
            out.push(b':');
            if is(KEPT) {
                out.extend_from_slice(value);
            } else if is(DESTINATIONS) {
                out.extend(self.destinations(value));
            } else {
                out.extend(self.addresses(value, is(TAGGED)));
            }
        }
        out
    }

    /// Replaces whatever looks like the local part of an address. `tagged` tells that it may have a
    /// name and `=` in front.
    fn addresses(&self, octets: &[u8], tagged: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(octets.len() + 16);
        let mut rest = octets;
        while let Some((before, at, after)) = split_at_sign(rest) {
            let (kept, local_part) = match at {
                b"@" => local_part(before, tagged),
                _ => local_part_in_uri(before),
            };
            out.extend_from_slice(kept);
            if !local_part.is_empty() {
                out.extend_from_slice(self.token(local_part).as_bytes());
            }
            out.extend_from_slice(at);
            rest = after;
        }
        out.extend_from_slice(rest);
        out
    }

    /// The addresses alone: the names beside them are those of the receiver's users.
    fn destinations(&self, value: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut rest = value;
        while let Some((before, after)) = text::split_once(rest, b'@') {
            let (_, local_part) = local_part(before, false);
            let end = after.iter().position(|octet| !is_domain(*octet));
            let (domain, following) = after.split_at(end.unwrap_or(after.len()));
            rest = following;
            if !local_part.is_empty() {
                out.extend_from_slice(if out.is_empty() { b" " } else { b",\r\n\t" });
                out.extend_from_slice(self.token(local_part).as_bytes());
                out.push(b'@');
                out.extend_from_slice(domain);
            }
        }
        out.extend_from_slice(b"\r\n");
        out
    }

    /// The same for every way of writing the same mailbox.
    fn token(&self, local_part: &[u8]) -> String {
        let inner = local_part.strip_prefix(b"\"");
        let inner = inner.and_then(|inner| inner.strip_suffix(b"\""));
        let tag = self
            .0
            .sign(&inner.unwrap_or(local_part).to_ascii_lowercase());
        text::base64_encode(tag.as_ref().get(..TOKEN).unwrap_or_default())
    }
}

/// The SPF records at names that stand in a record, or are the one that was checked. Others were made
/// by macros, and may hold the sender's local part (RFC 7208 7.2), which nobody can find in them.
fn without_macros(report: &FailureReport) -> Vec<(String, String)> {
    let mut kept: Vec<(String, String)> = Vec::new();
    for (name, record) in &report.spf_dns {
        let known = |(_, text): &(String, String)| {
            let text = text.to_ascii_lowercase();
            let mut words = text.split([' ', ':', '=']);
            words.any(|word| word.trim_end_matches('.') == name.to_ascii_lowercase())
        };
        if kept.is_empty() || kept.iter().any(known) || kept.iter().any(|(at, _)| at == name) {
            kept.push((name.clone(), record.clone()));
        }
    }
    kept
}

/// Splits around the first ‘@’, or its form in a URI: who it was sent to is what a link to unsubscribe
/// often holds.
fn split_at_sign(octets: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut searched = 0;
    loop {
        let at = searched + text::find_either(octets.get(searched..)?, b'@', b'%')?;
        let (before, rest) = octets.split_at_checked(at)?;
        let sign = ["@", "%40"]
            .iter()
            .find(|sign| rest.starts_with(sign.as_bytes()));
        if let Some(sign) = sign {
            let (sign, after) = rest.split_at_checked(sign.len())?;
            return Some((before, sign, after));
        }
        searched = at + 1;
    }
}

/// As [`local_part`], behind what separates the parts of a URI.
fn local_part_in_uri(before: &[u8]) -> (&[u8], &[u8]) {
    let separates = |octet: &u8| is_delimiter(*octet) || b"/?&=#".contains(octet);
    let begin = before.iter().rposition(separates).map_or(0, |at| at + 1);
    before.split_at(begin)
}

/// What stands before the local part at the end, and the local part.
fn local_part(before: &[u8], tagged: bool) -> (&[u8], &[u8]) {
    // Obsolete syntax allows white space before the ‘@’.
    let length = before.iter().rposition(|octet| !text::is_fws(*octet));
    let trimmed = before
        .get(..length.map_or(0, |last| last + 1))
        .unwrap_or_default();
    let begin = match trimmed.split_last() {
        Some((b'"', inner)) => opening_quote(inner),
        _ => trimmed
            .iter()
            .rposition(|octet| is_delimiter(*octet))
            .map_or(0, |delimiter| delimiter + 1),
    };
    let (kept, mut local_part) = trimmed.split_at(begin.min(trimmed.len()));
    let mut kept = kept;
    if tagged
        && let Some((name, value)) = text::split_once(local_part, b'=')
        && !name.is_empty()
        && name
            .iter()
            .all(|o| o.is_ascii_alphanumeric() || b".-_".contains(o))
    {
        local_part = value;
        let length = trimmed.len() - value.len();
        kept = trimmed.get(..length).unwrap_or_default();
    }
    (kept, local_part)
}

/// Where a quoted string begins that ends behind `inner`; everything, where it does not begin.
fn opening_quote(inner: &[u8]) -> usize {
    let mut end = inner.len();
    while let Some(quote) = text::rfind(inner.get(..end).unwrap_or_default(), b'"') {
        let before = inner.get(..quote).unwrap_or_default();
        let backslashes = before.iter().rev().take_while(|o| **o == b'\\').count();
        if backslashes % 2 == 0 {
            return quote;
        }
        end = quote;
    }
    0
}

fn is_delimiter(octet: u8) -> bool {
    octet <= b' ' || b",;:<>()[]\"\\".contains(&octet)
}

fn is_domain(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b".-_[]:".contains(&octet) || octet >= 0x80
}

fn lossy(octets: &[u8]) -> String {
    text::lossy(octets).into_owned()
}

/// The domain owner finds the message in its own logs by these; their left side is no local part.
const KEPT: &[&str] = &[
    "Message-ID",
    "In-Reply-To",
    "References",
    "Resent-Message-ID",
    "Content-ID",
];

/// Who got the message.
const DESTINATIONS: &[&str] = &[
    "To",
    "Cc",
    "Bcc",
    "Resent-To",
    "Resent-Cc",
    "Resent-Bcc",
    "Delivered-To",
    "X-Original-To",
    "Envelope-To",
];

/// Fields made of names and values.
const TAGGED: &[&str] = &[
    "ARC-Authentication-Results",
    "ARC-Message-Signature",
    "ARC-Seal",
    "Authentication-Results",
    "DKIM-Signature",
    "Received-SPF",
];

/// Octets of the hash, which are 16 characters: few enough for the 64 of a local part, and no two
/// of a billion are likely to be equal.
const TOKEN: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor() -> Redactor {
        Redactor::new(b"potatoes")
    }

    fn header(text: &str) -> String {
        lossy(&redactor().header(text.as_bytes()))
    }

    #[test]
    fn the_same_user_is_the_same_token() {
        let token = |text: &str| redactor().token(text.as_bytes());
        assert_eq!(token("bob").len(), 16);
        assert_eq!(token("bob"), token("BOB"));
        assert_eq!(token("\"bob\""), token("bob"));
        assert_ne!(token("bob"), token("alice"));
        assert_ne!(token("bob"), Redactor::new(b"tomatoes").token(b"bob"));
        assert!(text::is_dot_atom(token("bob").as_bytes()));
    }

    #[test]
    fn every_address_is_found() {
        let bob = redactor().token(b"bob");
        let bounce = redactor().token(b"bounce=bob=b.example");
        for (field, expected) in [
            (
                "From: Bob <bob@b.example>\r\n",
                format!("From: Bob <{bob}@b.example>\r\n"),
            ),
            (
                "From: \"a@b\" <\"bob\"@b.example>\r\n",
                format!(
                    "From: \"{}@b\" <{bob}@b.example>\r\n",
                    redactor().token(b"a")
                ),
            ),
            (
                "Sender: bob @b.example\r\n",
                format!("Sender: {bob}@b.example\r\n"),
            ),
            (
                "Return-Path: <bounce=bob=b.example@c.example>\r\n",
                format!("Return-Path: <{bounce}@c.example>\r\n"),
            ),
            (
                "Authentication-Results: mx; dkim=pass header.i=bob@b.example\r\n",
                format!("Authentication-Results: mx; dkim=pass header.i={bob}@b.example\r\n"),
            ),
            (
                "DKIM-Signature: d=b.example; i=@b.example;\r\n\tb=ab/+=\r\n",
                "DKIM-Signature: d=b.example; i=@b.example;\r\n\tb=ab/+=\r\n".into(),
            ),
            (
                "List-Unsubscribe: <mailto:bob@b.example>\r\n",
                format!("List-Unsubscribe: <mailto:{bob}@b.example>\r\n"),
            ),
            (
                "Received: from x by y\r\n\tfor <bob@b.example>; z\r\n",
                format!("Received: from x by y\r\n\tfor <{bob}@b.example>; z\r\n"),
            ),
            (
                "message-id: <1@b.example>\r\n",
                "message-id: <1@b.example>\r\n".into(),
            ),
            (
                "To: Bob <bob@b.example>, (x) bob@c.example\r\n",
                format!("To: {bob}@b.example,\r\n\t{bob}@c.example\r\n"),
            ),
            ("To: undisclosed-recipients:;\r\n", "To:\r\n".into()),
            (
                "List-Unsubscribe: <https://l.example/u?e=bob%40b.example&x=1>,\r\n\t<mailto:u%40x>\r\n",
                format!(
                    "List-Unsubscribe: <https://l.example/u?e={bob}%40b.example&x=1>,\r\n\t\
                     <mailto:{}%40x>\r\n",
                    redactor().token(b"u")
                ),
            ),
        ] {
            assert_eq!(header(field), expected);
        }
    }

    #[test]
    fn names_that_macros_made_are_left_out() {
        let record = |name: &str, text: &str| (name.to_owned(), text.to_owned());
        let mut report = FailureReport::empty();
        report.spf_dns = vec![
            record(
                "b.example",
                "v=spf1 include:_spf.C.example. include:%{l}.b.example -all",
            ),
            record("_spf.c.example", "v=spf1 redirect=d.example"),
            record("bob.b.example", "v=spf1 include:e.example"),
            record("d.example", "v=spf1 -all"),
            record("e.example", "v=spf1 -all"),
        ];
        let redacted = redactor().redact(&report).spf_dns;
        let names: Vec<_> = redacted.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["b.example", "_spf.c.example", "d.example"]);
    }

    #[test]
    fn hostile_addresses() {
        for value in [
            "@", "@@", "\"@", "\"\\\"@", "a\\\"@b", " \r\n @", "=@", "<@>",
        ] {
            let field = format!("From: {value}\r\n");
            assert!(header(&field).starts_with("From:"), "{value}");
            assert!(header(&format!("To: {value}\r\n")).starts_with("To:"));
        }
        let quotes = "\"\\".repeat(5_000) + "@";
        assert!(!header(&format!("X: {quotes}b\r\n")).is_empty());
    }
}
