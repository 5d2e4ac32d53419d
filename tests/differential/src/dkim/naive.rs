//! A naive signer, with no thought of speed and none of hostile input, which shares no code with the
//! crate but for the keys: what it signs, a verifier must pass by RFC 6376.

use std::fmt::Write;

use ring::digest;

use super::{Keys, Way};

#[derive(Clone)]
pub struct Field {
    pub name: String,
    /// Behind the colon, as it stands.
    pub value: String,
}

impl Field {
    pub fn new(name: &str, value: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: value.to_owned(),
        }
    }

    fn canonical(&self, relaxed: bool) -> String {
        let Self { name, value } = self;
        if !relaxed {
            return format!("{name}:{value}");
        }
        let words: Vec<&str> = value.split_ascii_whitespace().collect();
        format!("{}:{}", name.trim().to_lowercase(), words.join(" "))
    }
}

pub fn message(fields: &[Field], body: &[u8]) -> Vec<u8> {
    let mut message = String::new();
    for Field { name, value } in fields {
        write!(message, "{name}:{value}\r\n").unwrap();
    }
    message.push_str("\r\n");
    [message.as_bytes(), body].concat()
}

/// The signature's field. The value has an empty `b=` tag, which is filled, and `h=` tells what is
/// signed.
pub fn sign(fields: &[Field], name: &str, value: &str, way: &Way, keys: &Keys) -> Field {
    let mut used = vec![false; fields.len()];
    let mut signed = String::new();
    for wanted in tag(value, "h").split(':') {
        let found = (0..fields.len())
            .rev()
            .find(|at| !used[*at] && fields[*at].name.trim().eq_ignore_ascii_case(wanted.trim()));
        if let Some(found) = found {
            used[found] = true;
            signed += &fields[found].canonical(way.relaxed_header);
            signed += "\r\n";
        }
    }
    // 3.7: the value of b= is deleted ‘including all surrounding whitespace’.
    let own = Field::new(name, &with(value, |_| String::new()));
    signed += &own.canonical(way.relaxed_header);
    let octets = keys.sign(way.ed25519, signed.as_bytes());
    let b = base64(&octets);
    Field::new(name, &with(value, |blank| format!("{blank}{b}")))
}

/// The tag list with what `b=` makes of the white space in its place.
fn with(value: &str, b: impl Fn(&str) -> String) -> String {
    let spec = |spec: &str| match spec.split_once('=') {
        Some((name, blank)) if name.trim() == "b" => format!("{name}={}", b(blank)),
        _ => spec.to_owned(),
    };
    let specs: Vec<String> = value.split(';').map(spec).collect();
    specs.join(";")
}

fn tag<'a>(value: &'a str, name: &str) -> &'a str {
    let specs = value.split(';').filter_map(|spec| spec.split_once('='));
    let mut found = specs.filter(|(found, _)| found.trim() == name);
    found.next().map_or("", |(_, value)| value.trim())
}

pub fn body(body: &[u8], relaxed: bool) -> Vec<u8> {
    let text: String = body.iter().map(|octet| char::from(*octet)).collect();
    let mut lines: Vec<String> = text.split("\r\n").map(str::to_owned).collect();
    if relaxed {
        for line in &mut lines {
            let mut out = String::new();
            for character in line.trim_end_matches([' ', '\t']).chars() {
                let blank = matches!(character, ' ' | '\t');
                if !blank || !out.ends_with(' ') {
                    out.push(if blank { ' ' } else { character });
                }
            }
            *line = out;
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    let mut out: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
    if lines.is_empty() && !relaxed {
        out.push_str("\r\n");
    }
    out.chars().map(|character| character as u8).collect()
}

pub fn sha256(octets: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, octets).as_ref().to_vec()
}

pub fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in octets.chunks(3) {
        let bits = (0..3).fold(0, |bits, at| {
            bits << 8 | usize::from(*group.get(at).unwrap_or(&0))
        });
        for digit in 0..4 {
            let is_there = digit <= group.len();
            let place = bits >> (18 - 6 * digit) & 63;
            out.push(if is_there {
                char::from(ALPHABET[place])
            } else {
                '='
            });
        }
    }
    out
}
