//! What miltr's types do not say: the octets as they came. Its accessors replace whatever is not
//! UTF-8, which no signature survives; what it writes is what it read.

use std::net::IpAddr;

use bytes::BytesMut;
use miltr_common::commands::Connect;
use miltr_common::encoding::Writable;

/// A packet's parts, each of which ends with NUL.
pub(crate) fn parts(packet: &impl Writable) -> Vec<Vec<u8>> {
    let mut octets = BytesMut::with_capacity(packet.len());
    packet.write(&mut octets);
    let mut parts: Vec<Vec<u8>> = octets[..]
        .split(|octet| *octet == 0)
        .map(Vec::from)
        .collect();
    if parts.last().is_some_and(Vec::is_empty) {
        parts.pop();
    }
    parts
}

/// The first part.
pub(crate) fn first(packet: &impl Writable) -> Vec<u8> {
    parts(packet).into_iter().next().unwrap_or_default()
}

/// The address of the SMTP client. Sendmail writes `IPv6:` before those of that family.
pub(crate) fn client_address(connect: &Connect) -> Option<IpAddr> {
    address(&connect.address())
}

pub(crate) fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches(['[', ']']);
    let text = match text.split_at_checked(5) {
        Some((start, rest)) if start.eq_ignore_ascii_case("IPv6:") => rest,
        _ => text,
    };
    text.parse().ok()
}

/// A field as a milter hands it back: name, and value with line breaks of LF alone. `leading_space`
/// tells whether the mail server takes the space after the colon as part of the value, or adds one.
pub(crate) fn field(text: &str, leading_space: bool) -> (Vec<u8>, Vec<u8>) {
    let (name, value) = text.split_once(':').unwrap_or((text, ""));
    let value = match leading_space {
        true => value,
        false => value.strip_prefix(' ').unwrap_or(value),
    };
    (name.into(), value.trim_end().replace("\r\n", "\n").into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use miltr_common::commands::{Header, Helo};

    #[test]
    fn octets_stay_what_they_are() {
        let header = Header::new(b"Subject", b" gr\xfc\xdfe");
        assert_eq!(parts(&header), [b"Subject".as_slice(), b" gr\xfc\xdfe"]);
        assert_eq!(parts(&Header::new(b"X", b"")), [b"X".as_slice(), b""]);
        assert_eq!(first(&Helo::from(b"h\xe9".as_slice())), b"h\xe9");
    }

    #[test]
    fn addresses_of_all_spellings() {
        let v6: IpAddr = "2001:db8::1".parse().unwrap();
        for text in [
            "2001:db8::1",
            "IPv6:2001:db8::1",
            "ipv6:2001:DB8::1",
            "[2001:db8::1]",
        ] {
            assert_eq!(address(text), Some(v6), "{text}");
        }
        assert_eq!(address("192.0.2.1"), Some([192, 0, 2, 1].into()));
        assert_eq!(address("/run/socket"), None);
        assert_eq!(address("äöüß"), None);
    }

    #[test]
    fn fields_go_back_as_milters_write_them() {
        let text = "X: a\r\n\tb";
        assert_eq!(field(text, true), (b"X".to_vec(), b" a\n\tb".to_vec()));
        assert_eq!(field(text, false), (b"X".to_vec(), b"a\n\tb".to_vec()));
    }
}
