//! Our naive twin: DKIM as one writes it at first, line by line and octet by octet, with no thought of
//! speed and none of hostile input.

use std::collections::{HashMap, HashSet};

use crate::library::{digest, signature};
use crate::peer::Data;

/// How many signatures pass.
pub fn verify(message: &[u8], zone: &[(String, Data)]) -> usize {
    let message: String = message.iter().map(|octet| char::from(*octet)).collect();
    let (header, body) = message.split_once("\r\n\r\n").unwrap();
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in header.split("\r\n") {
        if line.starts_with([' ', '\t']) {
            let (_, value) = fields.last_mut().unwrap();
            value.push_str("\r\n");
            value.push_str(line);
        } else {
            let (name, value) = line.split_once(':').unwrap();
            fields.push((name.to_string(), value.to_string()));
        }
    }
    (0..fields.len())
        .filter(|own| fields[*own].0.eq_ignore_ascii_case("DKIM-Signature"))
        .filter(|own| passes(&fields, *own, body, zone))
        .count()
}

fn passes(fields: &[(String, String)], own: usize, body: &str, zone: &[(String, Data)]) -> bool {
    let (name, value) = &fields[own];
    let tags = tags(value);
    let (header_form, body_form) = tags["c"].split_once('/').unwrap();
    let hash = digest::digest(&digest::SHA256, &octets(&canonical_body(body_form, body)));
    if hash.as_ref() != base64(&tags["bh"]) {
        return false;
    }
    let mut signed = String::new();
    let mut used = HashSet::from([own]);
    for wanted in tags["h"].split(':') {
        let found = (0..fields.len())
            .rev()
            .find(|at| !used.contains(at) && fields[*at].0.eq_ignore_ascii_case(wanted.trim()));
        if let Some(found) = found {
            used.insert(found);
            signed += &canonical_field(header_form, &fields[found].0, &fields[found].1);
            signed += "\r\n";
        }
    }
    let specs: Vec<String> = value
        .split(';')
        .map(|spec| match spec.split_once('=') {
            Some((name, _)) if name.trim() == "b" => format!("{name}="),
            _ => spec.to_string(),
        })
        .collect();
    signed += &canonical_field(header_form, name, &specs.join(";"));
    let key_name = format!("{}._domainkey.{}", tags["s"], tags["d"]);
    zone.iter().any(|(name, data)| match data {
        Data::Txt(record) => *name == key_name && fits(record, &tags, &octets(&signed)),
        _ => false,
    })
}

fn fits(record: &str, signature: &HashMap<String, String>, signed: &[u8]) -> bool {
    let key = base64(&tags(record)["p"]);
    let octets = base64(&signature["b"]);
    if signature["a"] == "ed25519-sha256" {
        let hash = digest::digest(&digest::SHA256, signed);
        let key = signature::UnparsedPublicKey::new(&signature::ED25519, key);
        return key.verify(hash.as_ref(), &octets).is_ok();
    }
    // SubjectPublicKeyInfo has 22 octets before a key of 1024 bits, 24 before longer ones.
    let skip = if key.len() < 256 { 22 } else { 24 };
    let algorithm = &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY;
    let key = signature::UnparsedPublicKey::new(algorithm, key[skip..].to_vec());
    key.verify(signed, &octets).is_ok()
}

fn tags(list: &str) -> HashMap<String, String> {
    list.split(';')
        .filter_map(|spec| spec.split_once('='))
        .map(|(name, value)| (name.trim().to_string(), value.trim().to_string()))
        .collect()
}

fn canonical_field(form: &str, name: &str, value: &str) -> String {
    if form == "simple" {
        return format!("{name}:{value}");
    }
    let words: Vec<&str> = value.split_ascii_whitespace().collect();
    format!("{}:{}", name.to_lowercase(), words.join(" "))
}

fn canonical_body(form: &str, body: &str) -> String {
    let mut lines: Vec<String> = body.split("\r\n").map(str::to_string).collect();
    if form == "relaxed" {
        for line in &mut lines {
            let mut relaxed = String::new();
            for character in line.trim_end_matches([' ', '\t']).chars() {
                let space = character == ' ' || character == '\t';
                if !space {
                    relaxed.push(character);
                } else if !relaxed.ends_with(' ') {
                    relaxed.push(' ');
                }
            }
            *line = relaxed;
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines.iter().map(|line| format!("{line}\r\n")).collect()
}

fn octets(text: &str) -> Vec<u8> {
    text.chars().map(|character| character as u8).collect()
}

fn base64(text: &str) -> Vec<u8> {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = 0_u32;
    let mut count = 0;
    let mut out = Vec::new();
    for digit in text
        .chars()
        .filter_map(|character| ALPHABET.find(character))
    {
        bits = bits << 6 | digit as u32;
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    out
}
