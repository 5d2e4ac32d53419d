//! The changes that hosts are known to make, backwards.

use crate::text;

/// A kind of change to a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Undo {
    Encoding,
    Escaping,
    LineEnds,
    WhiteSpace,
}

/// The body as it may have been, each with the words for what makes it so.
pub(super) fn undo_body(body: &[u8]) -> impl Iterator<Item = (Undo, &'static str, Vec<u8>)> {
    let by_line = |change: fn(&[u8]) -> Vec<u8>| -> Vec<u8> {
        body.split_inclusive(|octet| *octet == b'\n')
            .flat_map(change)
            .collect()
    };
    [
        (
            Undo::LineEnds,
            "making bare LF and CR into CRLF",
            crlf(body),
        ),
        (Undo::LineEnds, "making CRLF into LF", without_cr(body)),
        (
            Undo::Escaping,
            "removing one of two leading dots",
            by_line(unstuff),
        ),
        (Undo::Escaping, "doubling leading dots", by_line(stuff)),
        (
            Undo::Escaping,
            "removing > before From",
            by_line(unquote_from),
        ),
        (Undo::Escaping, "putting > before From", by_line(quote_from)),
        (
            Undo::WhiteSpace,
            "removing white space at the end of lines",
            by_line(trim_end),
        ),
        (
            Undo::WhiteSpace,
            "putting back the space behind --",
            by_line(delimiter),
        ),
        (
            Undo::WhiteSpace,
            "joining lines that were broken at their greatest length",
            joined(body),
        ),
        (
            Undo::Encoding,
            "decoding quoted-printable",
            decode_quoted(body),
        ),
        (
            Undo::Encoding,
            "decoding base64",
            text::base64_decode(body).unwrap_or_default(),
        ),
    ]
    .into_iter()
    .filter(move |(_, _, changed)| changed.as_slice() != body && !changed.is_empty())
}

fn crlf(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + body.len() / 32);
    let mut octets = body.iter().copied().peekable();
    while let Some(octet) = octets.next() {
        match octet {
            b'\r' => {
                octets.next_if_eq(&b'\n');
                out.extend_from_slice(b"\r\n");
            }
            b'\n' => out.extend_from_slice(b"\r\n"),
            other => out.push(other),
        }
    }
    out
}

fn without_cr(body: &[u8]) -> Vec<u8> {
    body.iter()
        .copied()
        .filter(|octet| *octet != b'\r')
        .collect()
}

fn unstuff(line: &[u8]) -> Vec<u8> {
    match line.strip_prefix(b"..") {
        Some(rest) => [b".", rest].concat(),
        None => line.to_vec(),
    }
}

fn stuff(line: &[u8]) -> Vec<u8> {
    match line.starts_with(b".") {
        true => [b".", line].concat(),
        false => line.to_vec(),
    }
}

fn unquote_from(line: &[u8]) -> Vec<u8> {
    let unquoted = line.strip_prefix(b">");
    unquoted
        .filter(|rest| rest.starts_with(b"From "))
        .unwrap_or(line)
        .to_vec()
}

fn quote_from(line: &[u8]) -> Vec<u8> {
    match line.starts_with(b"From ") {
        true => [b">", line].concat(),
        false => line.to_vec(),
    }
}

fn trim_end(line: &[u8]) -> Vec<u8> {
    let (text, end) = match line.strip_suffix(b"\r\n") {
        Some(text) => (text, &b"\r\n"[..]),
        None => (line, &b""[..]),
    };
    [text.trim_ascii_end(), end].concat()
}

/// RFC 3676 4.3: a signature is set off by dash, dash, space; the space is the first to go.
fn delimiter(line: &[u8]) -> Vec<u8> {
    match line {
        b"--\r\n" => b"-- \r\n".to_vec(),
        other => other.to_vec(),
    }
}

/// Lines of 990 and more octets go on in the next: hosts break what exceeds 998 (RFC 5322 2.1.1).
fn joined(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|octet| *octet == b'\n') {
        let long = line.len() >= 992;
        match line.strip_suffix(b"\r\n").filter(|_| long) {
            Some(text) => out.extend_from_slice(text.strip_suffix(b"!").unwrap_or(text)),
            None => out.extend_from_slice(line),
        }
    }
    out
}

fn decode_quoted(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((octet, following)) = rest.split_first() {
        rest = following;
        if *octet != b'=' {
            out.push(*octet);
            continue;
        }
        if let Some(behind) = following.strip_prefix(b"\r\n") {
            rest = behind;
            continue;
        }
        let digits = following
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                rest = following.get(2..).unwrap_or_default();
            }
            None => out.push(*octet),
        }
    }
    out
}

/// What the value of a header field may have been, the most usual changes first.
pub(super) fn undo_value(name: &str, value: &[u8]) -> Vec<Vec<u8>> {
    let text = text::lossy(value).into_owned();
    let plain = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = name.to_ascii_lowercase();
    let mut values = Vec::new();
    // A flag that software sets anew, such as X-MS-Exchange-SenderADCheck.
    if let [digit] = plain.as_bytes()
        && digit.is_ascii_digit()
    {
        values.extend((b'0'..=b'9').map(|digit| char::from(digit).to_string()));
    }
    match name.as_str() {
        "subject" => values.extend(subjects(&plain)),
        "from" | "to" | "cc" | "reply-to" | "sender" => values.extend(addresses(&plain)),
        "content-type" => values.extend(parameters(&plain)),
        "content-transfer-encoding" => {
            let all = ["7bit", "8bit", "quoted-printable", "base64", "binary"];
            values.extend(all.map(str::to_owned));
        }
        "date" => values.extend(dates(&plain)),
        "mime-version" => values.push("1.0".into()),
        _ => {}
    }
    values.push(without_comments(&plain));
    values.push(plain.to_lowercase());
    values.push(plain.to_uppercase());
    values.push(plain.trim_matches(['<', '>']).to_owned());
    values.push(format!("<{plain}>"));
    // With simple canonicalization, the space after the colon counts.
    values.push(plain.clone());
    let simple = values.iter().map(|value| format!(" {value}").into_bytes());
    let mut out: Vec<Vec<u8>> = simple.collect();
    out.push(text.replace("\r\n", "").into_bytes());
    out.push(text.trim_end().as_bytes().to_vec());
    out.push(plain.into_bytes());
    out.retain(|candidate| candidate != value);
    out.dedup();
    out
}

/// A tag in brackets, a prefix with a colon, words before or behind.
fn subjects(plain: &str) -> Vec<String> {
    let mut subjects = Vec::new();
    if let Some((_, rest)) = plain.split_once(']') {
        subjects.push(rest.trim_start().to_owned());
    }
    for (at, _) in plain.match_indices('[') {
        if let (Some(before), Some(behind)) = (plain.get(..at), plain.get(at..))
            && let Some((_, behind)) = behind.split_once(']')
        {
            subjects.push(format!("{before}{}", behind.trim_start()));
        }
    }
    let words: Vec<&str> = plain.split(' ').collect();
    let most = words.len().min(SUBJECT_WORDS);
    for count in 1..most {
        subjects.push(words.get(count..).unwrap_or_default().join(" "));
        let kept = words.len().saturating_sub(count);
        subjects.push(words.get(..kept).unwrap_or_default().join(" "));
    }
    // A tag that was taken away.
    subjects.extend(["Re: ", "RE: ", "AW: ", "Fwd: "].map(|tag| format!("{tag}{plain}")));
    subjects
}

/// Quotes around display names, spaces behind commas, an address added to the list.
fn addresses(plain: &str) -> Vec<String> {
    let mut lists = vec![
        plain.replace('"', ""),
        plain.replace(", ", ","),
        plain.replace(',', ", ").replace(",  ", ", "),
    ];
    if let Some((display, address)) = plain.rsplit_once('<') {
        let display = display.trim();
        lists.push(format!("\"{display}\" <{address}"));
        lists.push(address.trim_end_matches('>').to_owned());
        lists.push(format!("<{address}"));
        lists.push(format!("{display}<{address}"));
    } else {
        lists.push(format!("<{plain}>"));
    }
    if let Some((first, rest)) = plain.split_once(", ") {
        lists.push(rest.to_owned());
        lists.push(first.to_owned());
    }
    if let Some((rest, _)) = plain.rsplit_once(", ") {
        lists.push(rest.to_owned());
    }
    if let Some((local, domain)) = plain.rsplit_once('@') {
        lists.push(format!("{local}@{}", domain.to_lowercase()));
    }
    lists
}

/// Quotes and spaces around parameters.
fn parameters(plain: &str) -> Vec<String> {
    let quoted: Vec<String> = plain
        .split("; ")
        .map(|part| match part.split_once('=') {
            Some((name, value)) if !value.starts_with('"') => format!("{name}=\"{value}\""),
            _ => part.to_owned(),
        })
        .collect();
    let mut types = vec![
        plain.replace('"', ""),
        quoted.join("; "),
        plain.replace("; ", ";"),
        plain.replace(';', "; ").replace(";  ", "; "),
        format!("{plain}; charset=utf-8"),
        format!("{plain}; charset=\"utf-8\""),
        format!("{plain}; charset=us-ascii"),
    ];
    if let Some((rest, _)) = plain.rsplit_once(';') {
        types.push(rest.to_owned());
    }
    types
}

/// Zones by name and by number, the comment behind them, the zero before the day.
fn dates(plain: &str) -> Vec<String> {
    let bare = without_comments(plain);
    let mut dates = vec![
        bare.replace("GMT", "+0000"),
        bare.replace("UTC", "+0000"),
        bare.replace("+0000", "GMT"),
        bare.replace("-0000", "+0000"),
        bare.replace("+0000", "-0000"),
        format!("{bare} (UTC)"),
        format!("{bare} (GMT)"),
        bare.replace(", 0", ", "),
        bare.replace(", ", ", 0"),
    ];
    dates.push(bare);
    dates
}

fn without_comments(plain: &str) -> String {
    let mut depth = 0_usize;
    let kept: String = plain
        .chars()
        .filter(|character| {
            let before = depth;
            match character {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            before == 0 && depth == 0
        })
        .collect();
    kept.trim().to_owned()
}

/// Words that a tag may have.
const SUBJECT_WORDS: usize = 9;
