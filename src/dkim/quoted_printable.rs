//! dkim-quoted-printable (§2.11): quoted-printable without soft line breaks, white space ignored.

use std::fmt::Write as _;

use crate::text;

/// Decodes; `None` where an `=` is not followed by two upper-case hexadecimal digits.
///
/// §2.11 lets ‘FWS’ stand anywhere; it means nothing. Octets above 127 stand for themselves (RFC
/// 8616 5).
pub(crate) fn decode(value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(value.len());
    let mut octets = value.iter().copied().filter(|octet| !text::is_fws(*octet));
    while let Some(octet) = octets.next() {
        if octet != b'=' {
            out.push(octet);
            continue;
        }
        let high = hex(octets.next()?)?;
        let low = hex(octets.next()?)?;
        out.push(high << 4 | low);
    }
    Some(out)
}

/// Decodes a `qp-section` (the `n=` of §3.6.1), in which white space stands for itself.
pub(crate) fn decode_section(value: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(value.len());
    let mut octets = value.iter().copied();
    while let Some(octet) = octets.next() {
        if octet != b'=' {
            out.push(octet);
            continue;
        }
        let high = hex(octets.next()?)?;
        let low = hex(octets.next()?)?;
        out.push(high << 4 | low);
    }
    Some(out)
}

/// Encodes a `qp-section`, in which spaces may stand, but not at its ends. Quotes and backslashes are
/// encoded as well, which keeps the text plain in zone files.
pub(crate) fn encode_section(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let last = text.len().saturating_sub(1);
    for (at, octet) in text.bytes().enumerate() {
        let inner_space = octet == b' ' && at != 0 && at != last;
        let plain = octet.is_ascii_graphic() && !matches!(octet, b';' | b'=' | b'"' | b'\\');
        if plain || inner_space {
            out.push(char::from(octet));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "={octet:02X}");
        }
    }
    out
}

/// Encodes what is no ‘dkim-safe-char’: all but visible ASCII, `;` and `=`.
pub(crate) fn encode(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len());
    for &octet in octets {
        if octet.is_ascii_graphic() && !matches!(octet, b';' | b'=') {
            out.push(char::from(octet));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "={octet:02X}");
        }
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        // ‘hex-octet’ is upper case; RFC 2045 6.7 advises to read lower case as well.
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes() {
        for (value, expected) in [
            (&b"joe=20@"[..], Some(&b"joe @"[..])),
            (b"a \r\n b", Some(b"ab")),
            (b"=3D=3b", Some(b"=;")),
            (b"= 3\tD", Some(b"=")),
            (b"=", None),
            (b"=3", None),
            (b"=G0", None),
            (b"\xc3\xb8", Some(b"\xc3\xb8")),
        ] {
            assert_eq!(decode(value).as_deref(), expected, "{value:?}");
        }
    }
}
