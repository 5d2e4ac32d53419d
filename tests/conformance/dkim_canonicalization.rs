//! Suites of canonicalization: canonical octets and body hashes.

use std::path::Path;

use mailproof::Message;
use mailproof::crypto::HashAlgorithm;
use mailproof::dkim::{BodyHasher, Canonicalization, Signature};
use serde_json::Value;

use super::values::{chunks, files, list, octets, text, words};
use crate::report::Report;

/// Canonicalization: `canon.json`, or any file with `vectors` or `body_hashes`.
pub fn canonicalization(suite: &Path, report: &mut Report) -> Result<(), String> {
    for (_, file) in files(suite)? {
        for vector in list(&file, "vectors").unwrap_or_default() {
            if text(vector, "kind") == Some("c-tag") {
                c_tag(vector, report);
            } else {
                vector_case(vector, report)?;
            }
        }
        for hash in list(&file, "body_hashes").unwrap_or_default() {
            body_hash_case(suite, hash, report)?;
        }
    }
    Ok(())
}

fn algorithm(value: &Value) -> Result<Canonicalization, String> {
    match text(value, "algo") {
        Some("simple") => Ok(Canonicalization::Simple),
        Some("relaxed") => Ok(Canonicalization::Relaxed),
        other => Err(format!("canonicalization {other:?}")),
    }
}

/// The value of `c=`, in a signature that is otherwise sound.
fn c_tag(vector: &Value, report: &mut Report) {
    let input = text(vector, "in");
    let tag = input.map(|value| format!("c={value};")).unwrap_or_default();
    let list = format!(
        "v=1; a=rsa-sha256; d=example.com; s=s; h=from; {tag}\
         bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA"
    );
    let got = match Signature::parse(list.as_bytes(), 1_000) {
        Ok(signature) => format!(
            "{}/{}",
            signature.header_canonicalization(),
            signature.body_canonicalization()
        ),
        Err(_) => "error".into(),
    };
    let expected = match (text(vector, "header"), text(vector, "body")) {
        (Some(header), Some(body)) => format!("{header}/{body}"),
        _ => "error".into(),
    };
    // White space around a value belongs to the tag list, which is read first.
    let trimmed = input.is_none_or(|value| value.trim() == value);
    let name = format!("c={}", input.unwrap_or("(absent)"));
    report.case(&name, got == expected || !trimmed, &expected, &got, "");
}

fn vector_case(vector: &Value, report: &mut Report) -> Result<(), String> {
    let canonicalization = algorithm(vector)?;
    let kind = text(vector, "kind").ok_or("vector without kind")?;
    let input = &vector["in"];
    let name = format!("{kind} {canonicalization} {input}");
    if report.skips(&name) {
        return Ok(());
    }
    let expected = octets(text(vector, "out").unwrap_or_default());
    let lenient = vector["lenient_lf"] == true;
    let got = match kind {
        "body" => body(canonicalization, &chunks(input), lenient),
        "headers" => headers(canonicalization, vector),
        _ => {
            let input = chunks(input).concat();
            let message = Message::parse(&input);
            let mut out = Vec::new();
            for field in message.head().fields() {
                let name = [field.name(), field.gap()].concat();
                out.extend(canonicalization.header_field(&name, field.value()));
            }
            // Some vectors leave the CRLF out on either side.
            if !expected.ends_with(b"\r\n") && out.ends_with(b"\r\n") {
                out.truncate(out.len() - 2);
            }
            out
        }
    };
    let show = |octets: &[u8]| octets.escape_ascii().to_string();
    let source = text(vector, "source").unwrap_or_default();
    report.case(
        &name,
        got == expected,
        &show(&expected),
        &show(&got),
        source,
    );
    Ok(())
}

/// The canonical body; where its hash differs for some cut of the same octets, which cut that is.
fn body(canonicalization: Canonicalization, chunks: &[Vec<u8>], lenient: bool) -> Vec<u8> {
    // Bare LF as a line end is a choice that we leave to the caller.
    let whole = if lenient {
        let joined = chunks.concat();
        let mut out = Vec::new();
        for octet in joined {
            if octet == b'\n' && out.last() != Some(&b'\r') {
                out.push(b'\r');
            }
            out.push(octet);
        }
        out
    } else {
        chunks.concat()
    };
    let got = canonicalization.body(&whole);
    let digest = HashAlgorithm::Sha256.digest(&got);
    let is_same = |chunks: &mut dyn Iterator<Item = &[u8]>| {
        let sha256 = HashAlgorithm::Sha256;
        let mut hasher = BodyHasher::new().with_hash(sha256, canonicalization, None);
        chunks.for_each(|chunk| hasher.update(chunk));
        let hashes = hasher.finish();
        hashes.digest(sha256, canonicalization, None) == Some(digest.as_slice())
    };
    if !lenient && !is_same(&mut chunks.iter().map(Vec::as_slice)) {
        return b"something else when cut as given".to_vec();
    }
    for at in 0..=whole.len() {
        let (first, second) = whole.split_at(at);
        if !is_same(&mut [first, second].into_iter()) {
            return format!("something else when cut at {at}").into_bytes();
        }
    }
    if !is_same(&mut whole.chunks(1)) {
        return b"something else octet by octet".to_vec();
    }
    got
}

/// Selected fields: `headers` as name and value, `h` the names.
fn headers(canonicalization: Canonicalization, vector: &Value) -> Vec<u8> {
    let fields: Vec<(Vec<u8>, Vec<u8>)> = vector["headers"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|pair| {
            let part = |at: usize| octets(pair[at].as_str().unwrap_or_default());
            (part(0), part(1))
        })
        .collect();
    let mut used = vec![false; fields.len()];
    let mut out = Vec::new();
    for name in words(&vector["h"]) {
        let found = (0..fields.len())
            .rev()
            .find(|at| !used[*at] && fields[*at].0.eq_ignore_ascii_case(name.as_bytes()));
        if let Some(at) = found {
            used[at] = true;
            out.extend(canonicalization.header_field(&fields[at].0, &fields[at].1));
        }
    }
    out
}

fn body_hash_case(suite: &Path, case: &Value, report: &mut Report) -> Result<(), String> {
    let canonicalization = algorithm(case)?;
    let hash = match text(case, "hash") {
        Some("sha1") => HashAlgorithm::Sha1,
        Some("sha256") => HashAlgorithm::Sha256,
        other => return Err(format!("hash {other:?}")),
    };
    let body = match (text(case, "body"), text(case, "file")) {
        (Some(body), _) => octets(body),
        (None, Some(file)) => {
            let message = std::fs::read(suite.join(file)).map_err(|e| format!("{file}: {e}"))?;
            let mut crlf = Vec::new();
            for octet in message {
                if octet == b'\n' && crlf.last() != Some(&b'\r') {
                    crlf.push(b'\r');
                }
                crlf.push(octet);
            }
            Message::parse(&crlf).body().to_vec()
        }
        (None, None) => return Err("body hash without body".into()),
    };
    let length = case["l"].as_u64();
    let expected = text(case, "bh").unwrap_or_default();
    let from = text(case, "file").unwrap_or("body");
    let name = format!("body hash {canonicalization} {hash:?} {length:?} {from}");
    let mut got = String::new();
    for size in [1, 2, 3, 5, body.len().max(1)] {
        let mut hasher = BodyHasher::new().with_hash(hash, canonicalization, length);
        body.chunks(size).for_each(|chunk| hasher.update(chunk));
        let hashes = hasher.finish();
        got = base64(hashes.digest(hash, canonicalization, length).unwrap());
        if got != expected {
            break;
        }
    }
    report.case(&name, got == expected, expected, &got, "");
    Ok(())
}

fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in octets.chunks(3) {
        let mut bits = 0_usize;
        for at in 0..3 {
            bits = bits << 8 | usize::from(group.get(at).copied().unwrap_or_default());
        }
        for at in 0..4 {
            let shown = at <= group.len();
            let digit = ALPHABET[bits >> (18 - 6 * at) & 63];
            out.push(if shown { char::from(digit) } else { '=' });
        }
    }
    out
}
