//! Which signed header field was changed.

use super::Report;
use super::changes::undo_value;
use super::probe::{Piece, Probe};
use crate::diagnosis::catalogue::forensics as texts;
use crate::diagnosis::finding::Finding;
use crate::dkim::Signature;
use crate::message::Head;
use crate::text;

pub(super) fn explain(
    report: &Report<'_>,
    signature: &Signature,
    mut probe: Probe<'_>,
    head: &Head<'_>,
) -> Vec<Finding> {
    if probe.is_not_by_key() {
        return vec![report.not_by_key()];
    }
    let found = own_field(report, &mut probe)
        .or_else(|| by_copies(report, signature, &mut probe))
        .or_else(|| by_form(report, signature, &mut probe))
        .or_else(|| by_value(report, &mut probe))
        .or_else(|| added(report, &mut probe, head))
        .or_else(|| restored(report, &mut probe))
        .or_else(|| numbers(report, &mut probe));
    match found {
        Some(finding) => vec![finding],
        None => likely(report, signature, &probe),
    }
}

/// The signature field itself: its name and its folding count with simple canonicalization.
fn own_field(report: &Report<'_>, probe: &mut Probe<'_>) -> Option<Finding> {
    if !probe.is_simple() {
        return None;
    }
    let now = probe.own.clone();
    let pieces = probe.pieces.clone();
    let names = [
        report.field.to_owned(),
        title(report.field),
        report.field.to_ascii_lowercase(),
    ];
    for name in names {
        let own = Piece {
            name: name.clone().into_bytes(),
            ..now.clone()
        };
        if own != now && probe.fits(&pieces, &own) {
            let change = format!("its name was written {name}");
            let draft = report.draft(&texts::SIGNATURE_FIELD);
            return Some(draft.text("change", change).finish());
        }
    }
    for value in foldings(&now.value) {
        let own = Piece {
            value,
            ..now.clone()
        };
        if own != now && probe.fits(&pieces, &own) {
            let draft = report.draft(&texts::SIGNATURE_FIELD);
            return Some(draft.text("change", "it was folded differently").finish());
        }
    }
    None
}

/// `z=` holds the fields as they were (RFC 6376 3.5).
fn by_copies(report: &Report<'_>, signature: &Signature, probe: &mut Probe<'_>) -> Option<Finding> {
    let mut copies: Vec<(String, Vec<u8>)> = signature.copied_fields().collect();
    let mut pieces = probe.pieces.clone();
    let mut first: Option<(String, Vec<u8>, Vec<u8>)> = None;
    for piece in &mut pieces {
        let name = text::lossy(&piece.name).into_owned();
        let at = copies
            .iter()
            .position(|(copy, _)| copy.eq_ignore_ascii_case(&name));
        let Some((_, copy)) = at.map(|at| copies.remove(at)) else {
            continue;
        };
        if words(&copy) != words(&piece.value) {
            first.get_or_insert((name, copy.clone(), piece.value.clone()));
            piece.value = copy;
            piece.position = Some(usize::MAX);
        }
    }
    let (name, was, now) = first?;
    let own = probe.own.clone();
    let proven = probe.fits(&pieces, &own);
    Some(match proven {
        true => report
            .changed(&texts::FIELD_CHANGED, &name, &was, &now)
            .finish(),
        false => report
            .changed(&texts::FIELD_COPY, &name, &was, &now)
            .likely()
            .finish(),
    })
}

fn words(value: &[u8]) -> String {
    text::lossy(value).split_whitespace().collect()
}

/// Names in other letters, other folding and spacing: of all fields at once, or of one.
fn by_form(report: &Report<'_>, signature: &Signature, probe: &mut Probe<'_>) -> Option<Finding> {
    if !probe.is_simple() {
        return None;
    }
    letters(report, signature, probe)
        .or_else(|| one_form(report, probe))
        .or_else(|| all_forms(report, probe))
}

/// All names as `h=` has them, or as software usually writes them.
fn letters(report: &Report<'_>, signature: &Signature, probe: &mut Probe<'_>) -> Option<Finding> {
    let now = probe.pieces.clone();
    let own = probe.own.clone();
    let names: Vec<&str> = signature.signed_fields().collect();
    let spellings: [fn(&str) -> String; 3] = [str::to_owned, title, str::to_ascii_lowercase];
    for spelling in spellings {
        let mut pieces = now.clone();
        for (piece, name) in pieces.iter_mut().zip(&names) {
            let known = text::lossy(&piece.name).into_owned();
            let source = if spelling(name).eq_ignore_ascii_case(&known) {
                name
            } else {
                known.as_str()
            };
            piece.name = spelling(source).into_bytes();
        }
        if pieces != now && probe.fits(&pieces, &own) {
            let changed = pieces
                .iter()
                .zip(&now)
                .filter(|(was, is)| was.name != is.name);
            let names: Vec<_> = changed
                .map(|(was, is)| (was.name.clone(), is.name.clone()))
                .collect();
            let (was, is) = names.first()?;
            let field = text::lossy(was).into_owned();
            return Some(report.changed(&texts::CASE, &field, was, is).finish());
        }
    }
    None
}

/// One field, its name or its value.
fn one_form(report: &Report<'_>, probe: &mut Probe<'_>) -> Option<Finding> {
    let now = probe.pieces.clone();
    for (index, piece) in now.iter().enumerate() {
        let name = text::lossy(&piece.name).into_owned();
        let cased = Piece {
            name: title(&name).into_bytes(),
            ..piece.clone()
        };
        if probe.fits_with(index, &cased) {
            return Some(
                report
                    .changed(&texts::CASE, &name, &cased.name, &piece.name)
                    .finish(),
            );
        }
        for value in foldings(&piece.value) {
            let folded = Piece {
                value,
                gap: Vec::new(),
                ..piece.clone()
            };
            if probe.fits_with(index, &folded) {
                let draft = report.changed(&texts::FOLDED, &name, &folded.value, &piece.value);
                return Some(draft.finish());
            }
        }
    }
    None
}

/// All fields on one line each.
fn all_forms(report: &Report<'_>, probe: &mut Probe<'_>) -> Option<Finding> {
    let now = probe.pieces.clone();
    let own = probe.own.clone();
    let mut pieces = now.clone();
    for piece in &mut pieces {
        piece.value = foldings(&piece.value)
            .into_iter()
            .next()
            .unwrap_or_default();
        piece.gap.clear();
    }
    let changed = pieces.iter().zip(&now).find(|(was, is)| was != is);
    let (was, is) = changed?;
    if !probe.fits(&pieces, &own) {
        return None;
    }
    let name = text::lossy(&is.name).into_owned();
    Some(
        report
            .changed(&texts::FOLDED, &name, &was.value, &is.value)
            .finish(),
    )
}

/// A value folded and spaced as software usually writes it.
fn foldings(value: &[u8]) -> Vec<Vec<u8>> {
    let text = text::lossy(value).into_owned();
    let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut values: Vec<Vec<u8>> = vec![
        format!(" {plain}").into_bytes(),
        text.replace("\r\n", "").into_bytes(),
        text.trim_end().as_bytes().to_vec(),
        text.replace("\r\n ", "\r\n\t").into_bytes(),
        text.replace("\r\n\t", "\r\n ").into_bytes(),
        text.replace("\r\n\t", " ").into_bytes(),
        plain.replace(", ", ",\r\n ").into_bytes(),
        plain.replace(", ", ",\r\n\t").into_bytes(),
        plain.replace("; ", ";\r\n ").into_bytes(),
        plain.replace("; ", ";\r\n\t").into_bytes(),
    ];
    let folded = values.split_off(6);
    values.extend(
        folded
            .into_iter()
            .map(|value| [b" ", value.as_slice()].concat()),
    );
    values.push(plain.into_bytes());
    values
}

fn title(name: &str) -> String {
    let mut start = true;
    let cased = name.chars().map(|character| {
        let cased = match start {
            true => character.to_ascii_uppercase(),
            false => character.to_ascii_lowercase(),
        };
        start = character == '-';
        cased
    });
    match name.to_ascii_lowercase().as_str() {
        "mime-version" => "MIME-Version".into(),
        "message-id" => "Message-ID".into(),
        "content-id" => "Content-ID".into(),
        _ => cased.collect(),
    }
}

/// One field with another value.
fn by_value(report: &Report<'_>, probe: &mut Probe<'_>) -> Option<Finding> {
    let now = probe.pieces.clone();
    for (index, piece) in now.iter().enumerate() {
        if piece.position.is_none() {
            continue;
        }
        let name = text::lossy(&piece.name).into_owned();
        for value in undo_value(&name, &piece.value) {
            let was = Piece {
                value,
                ..piece.clone()
            };
            if probe.fits_with(index, &was) {
                let draft = report.changed(&texts::FIELD_CHANGED, &name, &was.value, &piece.value);
                return Some(draft.finish());
            }
        }
    }
    None
}

/// A field that was not there, or another of the same name that was meant.
fn added(report: &Report<'_>, probe: &mut Probe<'_>, head: &Head<'_>) -> Option<Finding> {
    let now = probe.pieces.clone();
    let present = |piece: &&Piece| piece.position.is_some();
    for (index, piece) in now.iter().enumerate().filter(|(_, piece)| present(piece)) {
        let name = text::lossy(&piece.name).into_owned();
        // Signed several times, the names stand for the instances further up.
        let same = |other: &Piece| other.name.eq_ignore_ascii_case(&piece.name);
        let mut without: Vec<Piece> = now.clone();
        let chosen: Vec<Piece> = now.iter().filter(|other| same(other)).cloned().collect();
        let mut left = chosen
            .iter()
            .filter(|other| other.position != piece.position);
        for place in without.iter_mut().filter(|other| same(other)) {
            match left.next() {
                Some(next) => *place = next.clone(),
                None => place.position = None,
            }
        }
        let own = probe.own.clone();
        if probe.fits(&without, &own) {
            return Some(field_added(report, &name, piece));
        }
        let others = head
            .fields()
            .iter()
            .enumerate()
            .filter(|(_, field)| field.is(&piece.name));
        for (position, _) in others.take(INSTANCES) {
            let other = Piece::at(head, &name, Some(position));
            if probe.fits_with(index, &other) {
                return Some(field_added(report, &name, piece));
            }
        }
    }
    None
}

fn field_added(report: &Report<'_>, name: &str, piece: &Piece) -> Finding {
    let now = Some(super::shown(&piece.value));
    report.about(&texts::FIELD_ADDED, name, None, now).finish()
}

/// A field that is missing and whose value can be guessed.
fn restored(report: &Report<'_>, probe: &mut Probe<'_>) -> Option<Finding> {
    let now = probe.pieces.clone();
    for (index, piece) in now.iter().enumerate() {
        if piece.position.is_some() {
            continue;
        }
        let name = text::lossy(&piece.name).to_ascii_lowercase();
        let (_, values) = GUESSES
            .iter()
            .find(|(guess, _)| *guess == name)
            .copied()
            .unwrap_or_default();
        for value in values {
            let was = Piece {
                value: format!(" {value}").into_bytes(),
                position: Some(usize::MAX),
                ..piece.clone()
            };
            if probe.fits_with(index, &was) {
                let was = Some((*value).to_owned());
                let name = text::lossy(&piece.name).into_owned();
                return Some(
                    report
                        .about(&texts::FIELD_REMOVED, &name, was, None)
                        .finish(),
                );
            }
        }
    }
    None
}

/// A digit of `t=`: what a careless test or a forger changes.
fn numbers(report: &Report<'_>, probe: &mut Probe<'_>) -> Option<Finding> {
    let now = probe.own.clone();
    let pieces = probe.pieces.clone();
    let start = now
        .value
        .windows(2)
        .position(|pair| pair == b"t=")?
        .checked_add(2)?;
    let digits = now
        .value
        .iter()
        .skip(start)
        .take_while(|octet| octet.is_ascii_digit())
        .count();
    for at in start..start.saturating_add(digits) {
        for digit in b'0'..=b'9' {
            let mut own = now.clone();
            *own.value.get_mut(at)? = digit;
            if own != now && probe.fits(&pieces, &own) {
                let draft = report.draft(&texts::SIGNATURE_FIELD);
                return Some(
                    draft
                        .text("change", "a digit of its time t= is another")
                        .finish(),
                );
            }
        }
    }
    None
}

/// Without proof: a field that must be there and is not, else the one that is changed most.
fn likely(report: &Report<'_>, signature: &Signature, probe: &Probe<'_>) -> Vec<Finding> {
    let present = |name: &str| {
        probe.pieces.iter().any(|piece| {
            piece.position.is_some() && piece.name.eq_ignore_ascii_case(name.as_bytes())
        })
    };
    let signed = |name: &&&str| {
        signature
            .signed_fields()
            .any(|signed| signed.eq_ignore_ascii_case(name))
    };
    let missing = EXPECTED.iter().filter(signed).find(|name| !present(name));
    if let Some(name) = missing {
        let draft = report.about(&texts::FIELD_REMOVED, name, None, None);
        return vec![draft.likely().finish()];
    }
    let often = OFTEN.iter().filter(signed).find(|name| present(name));
    let first = signature.signed_fields().next().unwrap_or("From");
    let name = often.copied().unwrap_or(first);
    vec![
        report
            .about(&texts::LIKELY, name, None, None)
            .likely()
            .finish(),
    ]
}

/// Fields that hosts remove, with the values they mostly have.
const GUESSES: &[(&str, &[&str])] = &[
    ("mime-version", &["1.0"]),
    (
        "content-transfer-encoding",
        &["7bit", "8bit", "quoted-printable", "base64", "binary"],
    ),
    (
        "content-type",
        &[
            "text/plain",
            "text/plain; charset=utf-8",
            "text/plain; charset=\"utf-8\"",
            "text/plain; charset=us-ascii",
        ],
    ),
    ("x-ms-exchange-senderadcheck", &["1", "0"]),
];

/// Fields that every message must have (RFC 5322 3.6), so that a signer that names them saw them;
/// others are often named to keep anybody from adding them.
const EXPECTED: &[&str] = &["Date", "From"];

/// Signed fields in the order in which lists and gateways change them (RFC 7960 3.2.3).
const OFTEN: &[&str] = &[
    "Subject",
    "To",
    "Cc",
    "Reply-To",
    "Content-Type",
    "From",
    "Content-Transfer-Encoding",
    "MIME-Version",
    "Date",
    "Message-ID",
];

/// Instances of one field that are tried.
const INSTANCES: usize = 20;
