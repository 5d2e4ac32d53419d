//! Messages as forwarders change them.

use crate::domain::Domain;
use crate::message::{Field, Message};
use crate::text;

/// The message without some fields, with a header block put above it.
pub(super) fn rebuilt(message: &Message<'_>, above: &str, without: &[usize]) -> Vec<u8> {
    changed(message, above, |index, field| {
        match without.contains(&index) {
            true => None,
            false => Some(field.value().to_vec()),
        }
    })
}

/// The message with a header block put above it, which what it begins with does not continue.
pub(super) fn below(header: &str, octets: &[u8]) -> Vec<u8> {
    match octets.first() {
        Some(first) if text::is_wsp(*first) => rebuilt(&Message::parse(octets), header, &[]),
        _ => [header.as_bytes(), octets].concat(),
    }
}

/// The message with a footer.
pub(super) fn with_footer(message: &Message<'_>, footer: &str) -> Vec<u8> {
    let mut out = rebuilt(message, "", &[]);
    if !out.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    for line in footer.lines() {
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// The message with a prefix in its Subject.
pub(super) fn with_subject_prefix(message: &Message<'_>, prefix: &str) -> Vec<u8> {
    let prefix = text::one_line(prefix, PREFIX);
    changed(message, "", |_, field| {
        let value = field.value();
        Some(match field.is(b"Subject") {
            true => [b" ", prefix.as_bytes(), b" ", value.trim_ascii_start()].concat(),
            false => value.to_vec(),
        })
    })
}

/// The message with its From field naming the list, and the author in Reply-To.
pub(super) fn with_from_of(message: &Message<'_>, mailbox: &str, domain: &Domain) -> Vec<u8> {
    let author = message.head().named(b"From").next();
    let author = author.map(|field| text::lossy(field.value()).into_owned());
    let reply_to = match (&author, message.head().named(b"Reply-To").next()) {
        (Some(author), None) => format!("Reply-To:{author}\r\n"),
        _ => String::new(),
    };
    let from = format!(" <{}@{domain}>", text::one_line(mailbox, PREFIX));
    changed(message, &reply_to, |_, field| {
        Some(match field.is(b"From") {
            true => from.clone().into_bytes(),
            false => field.value().to_vec(),
        })
    })
}

fn changed(
    message: &Message<'_>,
    above: &str,
    value: impl Fn(usize, &Field<'_>) -> Option<Vec<u8>>,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.body().len() + above.len() + 4_096);
    out.extend_from_slice(above.as_bytes());
    for (index, field) in message.head().fields().iter().enumerate() {
        if (above.is_empty() || !continues(field))
            && let Some(value) = value(index, field)
        {
            out.extend_from_slice(field.name());
            out.extend_from_slice(field.gap());
            out.push(b':');
            out.extend_from_slice(&value);
            out.extend_from_slice(b"\r\n");
        }
    }
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(message.body());
    out
}

/// Whether a field would be read as more of the one above it: only the first line of a message can begin
/// with white space and yet be no continuation, until something is put above it.
pub(super) fn continues(field: &Field<'_>) -> bool {
    let first = field.name().first().or(field.gap().first());
    first.is_some_and(|octet| text::is_wsp(*octet))
}

/// Leaves room for the rest of a line (RFC 5322 2.1.1).
const PREFIX: usize = 200;
