//! Random messages, signed by a naive signer of our own that can say anything in a signature, and then
//! changed or not.

use std::fmt::Write;

use super::naive::{self, Field};
use super::{Keys, Way};
use crate::random::Random;

/// Our clock. That of mail-auth and of OpenDKIM is the system's and cannot be set, so other times are
/// before and after whatever it may show (in 2023 and 2096): inputs and results are always the same.
pub const NOW: u64 = 1_800_000_000;
const PAST: u64 = 1_700_000_000;
const FUTURE: u64 = 4_000_000_000;

pub struct Case {
    pub message: Vec<u8>,
    pub selector: String,
    /// The key record, where there is one.
    pub record: Option<String>,
    pub way: Way,
    /// What is unusual, by name.
    pub odd: Vec<&'static str>,
}

impl Case {
    pub fn is(&self, odd: &str) -> bool {
        self.odd.contains(&odd)
    }
}

const NAMES: &[&str] = &[
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "X-One",
    "x-ONE",
    "Received",
];

const VALUES: &[&str] = &[
    " one",
    "two",
    " three  blanks\t and tabs \t",
    " folded\r\n line",
    " folded\r\n\t  twice\r\n   over",
    "",
    " ",
    " a: b; c=d",
    " =?utf-8?q?J=C3=B6rg?= <j@example.org>",
    " trailing \r\n ",
    "\r\n begins folded",
    " \"q\\\"uoted\"",
];

const BODIES: &[&str] = &[
    "",
    "\r\n",
    "\r\n\r\n\r\n",
    "one line\r\n",
    "no end",
    "blanks \t \r\n",
    " \r\n\t\r\n",
    "two\r\nlines\r\n",
    "empty lines after\r\n\r\n\r\n",
    "in  the\t middle\r\n \r\nlast \t\r\n",
    ".\r\n..dots\r\n",
    "-- \r\nfooter\r\n",
    "\r\nbegins empty\r\n",
    "one\r\ntwo \t",
    "8-bit: Gr\u{fc}\u{df}e\r\n",
];

pub fn random(random: &mut Random, keys: &Keys, number: usize) -> Case {
    let mut odd = Vec::new();
    let mut fields = header(random, &mut odd);
    let body = random.pick(BODIES).as_bytes().to_vec();
    let way = Way {
        ed25519: random.once_in(3),
        relaxed_header: !random.once_in(3),
        relaxed_body: !random.once_in(3),
    };
    let selector = format!("s{number}");
    let tags = tags(random, &mut odd, &way, &fields, &body, &selector);
    let value = layout(random, &mut odd, &tags);
    let name = random.pick(&[
        "DKIM-Signature",
        "DKIM-Signature",
        "DKIM-Signature",
        "dkim-signature",
    ]);
    fields.insert(0, naive::sign(&fields, name, &value, &way, keys));
    let mut message = naive::message(&fields, &body);
    if random.once_in(3) {
        change(random, &mut odd, &mut message);
    }
    let kind = if way.ed25519 { "ed25519" } else { "rsa" };
    let record = record(random, &mut odd, keys.record(way.ed25519));
    let record = record.map(|record| record.replace("KIND", kind));
    Case {
        message,
        selector,
        record,
        way,
        odd,
    }
}

fn header(random: &mut Random, odd: &mut Vec<&'static str>) -> Vec<Field> {
    let mut fields = vec![Field::new("From", " Alice <alice@differential.example>")];
    match random.below(30) {
        0 => {
            fields.push(Field::new("From", " mallory@differential.example"));
            odd.push("two From fields");
        }
        1 => {
            fields.clear();
            odd.push("no From field");
        }
        2 => fields[0].value = "\r\n alice@differential.example".into(),
        3 => fields[0].name = "FROM".into(),
        _ => {}
    }
    for _ in 0..random.below(7) {
        let value = random.pick(VALUES);
        fields.push(Field::new(random.pick(NAMES), value));
        if value.trim().is_empty() {
            odd.push("empty field");
        }
    }
    if random.once_in(40) {
        fields.push(Field::new("X-Blank ", " before the colon"));
        odd.push("blank before a colon");
    }
    random.shuffle(&mut fields);
    fields
}

/// The tags of the signature but for `b=`, whose place they give.
fn tags(
    random: &mut Random,
    odd: &mut Vec<&'static str>,
    way: &Way,
    fields: &[Field],
    body: &[u8],
    selector: &str,
) -> Vec<(String, String)> {
    let mut tags: Vec<(String, String)> = Vec::new();
    let mut tag = |name: &str, value: &str| tags.push((name.to_owned(), value.to_owned()));
    tag("v", "1");
    tag(
        "a",
        if way.ed25519 {
            "ed25519-sha256"
        } else {
            "rsa-sha256"
        },
    );
    if way.relaxed_header || way.relaxed_body || random.once_in(2) {
        tag("c", &way.to_string());
    }
    tag("d", "differential.example");
    tag("s", selector);
    tag("h", &signed(random, odd, fields));
    let canonical = naive::body(body, way.relaxed_body);
    let mut length = canonical.len();
    if random.once_in(12) {
        match random.below(4) {
            0 => {
                length += 1;
                odd.push("l= beyond the body");
            }
            1 if length > 0 => {
                length -= 1;
                odd.push("l= below the body");
            }
            _ => odd.push("l= of the body"),
        }
        tag("l", &length.to_string());
    }
    let signed = &canonical[..length.min(canonical.len())];
    tag("bh", &naive::base64(&naive::sha256(signed)));
    match random.below(16) {
        0 => tag("t", &PAST.to_string()),
        1 => {
            tag("t", &PAST.to_string());
            tag("x", &FUTURE.to_string());
        }
        2 => {
            tag("t", &(PAST - 1_000_000).to_string());
            tag("x", &PAST.to_string());
            odd.push("expired");
        }
        3 => {
            tag("t", &FUTURE.to_string());
            odd.push("from the future");
        }
        4 => {
            tag("t", &PAST.to_string());
            tag("x", &(PAST - 10).to_string());
            odd.push("x= before t=");
        }
        _ => {}
    }
    match random.below(24) {
        0 => tag("i", "alice@differential.example"),
        1 => tag("i", "@below.differential.example"),
        2 => {
            tag("i", "@other.example");
            odd.push("i= elsewhere");
        }
        3 => {
            tag("i", "differential.example");
            odd.push("i= without @");
        }
        4 => {
            tag("i", "@notdifferential.example");
            odd.push("i= elsewhere");
        }
        5 => tag("q", "dns/txt"),
        6 => {
            tag("q", "http/get");
            odd.push("q= unknown");
        }
        7 => tag("z", "From:alice@differential.example|To:bob=20x"),
        8 => tag("unknown_1", "some value"),
        9 => {
            tag("empty", "");
            odd.push("tag without a value");
        }
        10 => {
            tag("v", "1");
            odd.push("tag twice");
        }
        _ => {}
    }
    if random.once_in(14) {
        unsound(random, odd, &mut tags);
    }
    if random.once_in(4) {
        random.shuffle(&mut tags);
    }
    let at = random.below(tags.len() + 1);
    tags.insert(
        if random.once_in(4) { at } else { tags.len() },
        ("b".to_owned(), String::new()),
    );
    tags
}

/// One tag missing, or wrong.
fn unsound(random: &mut Random, odd: &mut Vec<&'static str>, tags: &mut Vec<(String, String)>) {
    let at = random.below(tags.len());
    match random.below(8) {
        0 => {
            odd.push(match tags.remove(at).0.as_str() {
                "v" => "v= missing",
                "c" => "c= missing",
                "i" | "q" | "t" | "x" | "z" | "unknown_1" | "empty" => "optional tag missing",
                _ => "required tag missing",
            });
        }
        1 => {
            let again = tags[at].clone();
            tags.push(again);
            odd.push("tag twice");
        }
        2 => {
            tags[0].1 = random.pick(&["2", "1.0", "", "0", "11"]).to_owned();
            odd.push("v= unknown");
        }
        3 => {
            tags[at].0.make_ascii_uppercase();
            odd.push("tag in upper case");
        }
        4 => {
            tags[at].0.insert(
                0,
                random.pick(&["1", "_", "-", "x y"]).chars().next().unwrap(),
            );
            odd.push("tag name odd");
        }
        5 => {
            let value = random.change(&tags[at].1, b" ;=:@./\\x7f\"aZ09");
            tags[at].1 = value;
            odd.push("tag value changed");
        }
        6 => {
            tags[1].1 = random
                .pick(&["rsa-sha1", "rsa-md5", "RSA-SHA256", "rsa", "ed25519-sha1"])
                .to_owned();
            odd.push("a= other");
        }
        _ => {
            tags.push((
                "l".to_owned(),
                random
                    .pick(&["-1", "x", "", "1x", "99999999999999999999"])
                    .to_owned(),
            ));
            odd.push("l= malformed");
        }
    }
}

/// The names for `h=`.
fn signed(random: &mut Random, odd: &mut Vec<&'static str>, fields: &[Field]) -> String {
    let mut names: Vec<String> = Vec::new();
    for field in fields {
        if field.name.eq_ignore_ascii_case("from") || !random.once_in(4) {
            names.push(field.name.trim().to_owned());
        }
    }
    match random.below(12) {
        0 => names.push("From".to_owned()),
        1 => names.push("X-Absent".to_owned()),
        2 => names
            .iter_mut()
            .for_each(|name| name.make_ascii_lowercase()),
        3 => {
            names.push("DKIM-Signature".to_owned());
            odd.push("h= names itself");
        }
        4 if random.once_in(3) => {
            names.retain(|name| !name.eq_ignore_ascii_case("from"));
            odd.push("From not signed");
        }
        _ => {}
    }
    random.shuffle(&mut names);
    if names.is_empty() {
        odd.push("h= empty");
    }
    if !names.iter().any(|name| name.eq_ignore_ascii_case("from")) {
        odd.push("From not signed");
    }
    let colon = random.pick(&[":", ":", ":", " : ", ":\r\n\t"]);
    names.join(colon)
}

/// The tags as a field value, with white space where it may be.
fn layout(random: &mut Random, odd: &mut Vec<&'static str>, tags: &[(String, String)]) -> String {
    let mut value = random.pick(&[" ", " ", "", "\r\n ", "\t"]).to_owned();
    let equals = random.pick(&["=", "=", "=", "=", " = ", "=\r\n\t"]);
    let between = random.pick(&["; ", "; ", ";", ";\r\n\t", " ;\r\n "]);
    for (at, (name, text)) in tags.iter().enumerate() {
        let before = if at == 0 { "" } else { between };
        write!(value, "{before}{name}{equals}{text}").unwrap();
    }
    match random.below(20) {
        0..4 => value.push(';'),
        4 => value.push_str("; "),
        5 => {
            value.push_str(";;");
            odd.push("empty tag");
        }
        6 => {
            value.insert(0, ';');
            odd.push("empty tag");
        }
        7 => {
            value.push_str("; junk");
            odd.push("tag without =");
        }
        _ => {}
    }
    value
}

/// A change after signing.
fn change(random: &mut Random, odd: &mut Vec<&'static str>, message: &mut Vec<u8>) {
    let text = |message: &[u8]| String::from_utf8_lossy(message).into_owned();
    match random.below(8) {
        0..3 => {
            let at = random.below(message.len());
            message[at] = match random.below(4) {
                0 => message[at] ^ 0x20,
                1 => b' ',
                2 => random.octet() & 0x7f,
                _ => message[at].wrapping_add(1),
            };
            odd.push("octet changed");
        }
        3 => {
            let at = random.below(message.len());
            let what = random.pick(&[" ", "\t", "\r\n", "x", "\r\n "]);
            message.splice(at..at, what.bytes());
            odd.push("octets inserted");
        }
        4 => {
            let at = random.below(message.len());
            message.remove(at);
            odd.push("octet removed");
        }
        5 => {
            message.extend_from_slice(random.pick(&["x", "\r\n", "more\r\n", " "]).as_bytes());
            odd.push("octets appended");
        }
        6 => {
            let first = random.pick(&[
                "To: x@y.example\r\n",
                "From: b@y.example\r\n",
                "X-New: 1\r\n",
            ]);
            let place = if random.once_in(2) {
                0
            } else {
                text(message).find("\r\n\r\n").map_or(0, |at| at + 2)
            };
            message.splice(place..place, first.bytes());
            odd.push("field added");
        }
        _ => {
            *message = text(message).replacen("b=", "b=\r\n ", 3).into_bytes();
            odd.push("signature folded");
        }
    }
}

fn record(random: &mut Random, odd: &mut Vec<&'static str>, key: String) -> Option<String> {
    let whole = |rest: &str| Some(format!("{rest}p={key}"));
    if !random.once_in(4) {
        return whole(random.pick(&[
            "v=DKIM1; k=KIND; ",
            "v=DKIM1; k=KIND; t=s; ",
            "k=KIND; ",
            "v=DKIM1;k=KIND;n=note;",
        ]));
    }
    odd.push("record odd");
    match random.below(20) {
        0 => None,
        1 => Some("v=DKIM1; k=KIND; p=".to_owned()),
        2 => Some("v=DKIM1; k=KIND".to_owned()),
        3 => whole("k=KIND; v=DKIM1; "),
        4 => whole("v=DKIM2; k=KIND; "),
        5 => whole("v=DKIM1; k=other; "),
        6 => whole("v=DKIM1; k=KIND; h=sha1; "),
        7 => whole("v=DKIM1; k=KIND; h=sha1:sha256; "),
        8 => whole("v=DKIM1; k=KIND; s=email; "),
        9 => whole("v=DKIM1; k=KIND; s=other; "),
        10 => whole("v=DKIM1; k=KIND; s=other:*; "),
        11 => whole("v=DKIM1; k=KIND; t=y:s; "),
        12 => whole("v=DKIM1; k=KIND; unknown=x; "),
        13 => whole("v=DKIM1; k=KIND; k=KIND; "),
        14 => whole("v = DKIM1 ; k = KIND ; "),
        15 => Some(format!("v=DKIM1; k=KIND; p={key};")),
        16 => Some(format!("v=DKIM1; k=KIND; p={} {}", &key[..10], &key[10..])),
        17 => whole("v=DKIM1; k=KIND; g=; "),
        18 => whole("p=; v=DKIM1; k=KIND; "),
        _ => {
            let text = format!("v=DKIM1; k=KIND; p={key}");
            Some(random.change(&text, b" ;=:/aZ09"))
        }
    }
}
