//! ip4-network and ip6-network (§12), read from octets without a detour over text: most terms of
//! most records are one of these.

use std::net::{Ipv4Addr, Ipv6Addr};

/// ip4-network = qnum "." qnum "." qnum "." qnum; and what follows it.
pub(super) fn ip4(input: &[u8]) -> Option<(&[u8], Ipv4Addr)> {
    let mut octets = [0; 4];
    let mut rest = input;
    for (index, octet) in octets.iter_mut().enumerate() {
        if index != 0 {
            rest = rest.strip_prefix(b".")?;
        }
        (rest, *octet) = qnum(rest)?;
    }
    Some((rest, octets.into()))
}

/// qnum: 0 to 255 without leading zeros; and what follows it.
pub(super) fn qnum(input: &[u8]) -> Option<(&[u8], u8)> {
    let digit = |octet: &u8| u16::from(octet.wrapping_sub(b'0'));
    let (value, rest) = match input {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] => {
            (digit(a) * 100 + digit(b) * 10 + digit(c), rest)
        }
        [a @ b'1'..=b'9', b @ b'0'..=b'9', rest @ ..] => (digit(a) * 10 + digit(b), rest),
        [a @ b'0'..=b'9', rest @ ..] => (digit(a), rest),
        _ => return None,
    };
    Some((rest, u8::try_from(value).ok()?))
}

/// ip6-network: the forms of RFC 4291 2.2; and what follows it.
pub(super) fn ip6(input: &[u8]) -> Option<(&[u8], Ipv6Addr)> {
    let mut groups = [0; 8];
    let mut count = 0;
    let mut gap = None;
    let mut rest = input;
    if let [b':', b':', behind @ ..] = rest {
        gap = Some(0);
        rest = behind;
    }
    while let Some((behind, group)) = group(rest) {
        if behind.first() == Some(&b'.') {
            // The last 32 bits as an IPv4 address.
            let (behind, address) = ip4(rest)?;
            let [first, second, third, fourth] = address.octets();
            *groups.get_mut(count)? = u16::from_be_bytes([first, second]);
            *groups.get_mut(count + 1)? = u16::from_be_bytes([third, fourth]);
            count += 2;
            rest = behind;
            break;
        }
        *groups.get_mut(count)? = group;
        count += 1;
        match behind {
            [b':', b':', behind @ ..] if gap.is_none() => {
                gap = Some(count);
                rest = behind;
            }
            [b':', behind @ ..] if behind.first().is_some_and(u8::is_ascii_hexdigit) => {
                rest = behind;
            }
            _ => {
                rest = behind;
                break;
            }
        }
    }
    match gap {
        // What stands behind the gap belongs at the end.
        Some(at) if count < groups.len() => {
            let zeros = groups.len() - count;
            groups.get_mut(at..)?.rotate_right(zeros);
        }
        None if count == groups.len() => {}
        _ => return None,
    }
    Some((rest, groups.into()))
}

/// One to four hexadecimal digits.
fn group(input: &[u8]) -> Option<(&[u8], u16)> {
    let mut value = 0;
    let mut length = 0;
    for octet in input.iter().take(4) {
        let digit = match octet {
            b'0'..=b'9' => octet - b'0',
            b'a'..=b'f' => octet - b'a' + 10,
            b'A'..=b'F' => octet - b'A' + 10,
            _ => break,
        };
        value = value << 4 | u16::from(digit);
        length += 1;
    }
    let (_, rest) = input.split_at_checked(length)?;
    (length != 0).then_some((rest, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole<T>(read: Option<(&[u8], T)>) -> Option<T> {
        read.filter(|(rest, _)| rest.is_empty())
            .map(|(_, address)| address)
    }

    /// The standard library reads the same texts as the same addresses.
    fn same_as_std(text: &str) {
        assert_eq!(whole(ip4(text.as_bytes())), text.parse().ok(), "{text}");
        assert_eq!(whole(ip6(text.as_bytes())), text.parse().ok(), "{text}");
    }

    #[test]
    fn edges() {
        for text in [
            "",
            ":",
            "::",
            ":::",
            "::1",
            "1::",
            "1:",
            ":1",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7::8",
            "1::3::5",
            "::1.2.3.4",
            "::1.2.3",
            "::1.2.3.4.5",
            "::1.2.3.04",
            "1:2:3:4:5:6:1.2.3.4",
            "1:2:3:4:5:6:7:1.2.3.4",
            "::FFFF:1.2.3.4",
            "12345::",
            "g::",
            "fe80::0000:0000:0000:0000:0000:1",
            "::1:2:",
            "0.0.0.0",
            "255.255.255.255",
            "256.0.0.0",
            "1.2.3",
            "01.2.3.4",
            "1.2.3.4 ",
            "1..2.3",
        ] {
            same_as_std(text);
        }
        assert_eq!(ip4(b"1.2.3.4/24").unwrap().0, b"/24");
        assert_eq!(ip6(b"1::/24").unwrap().0, b"/24");
        assert_eq!(ip6(b"::/24").unwrap().0, b"/24");
        assert_eq!(ip6(b"::1.2.3.4/0").unwrap().0, b"/0");
    }

    #[test]
    fn texts_at_random() {
        let mut state = 1_u32;
        let mut next = |bound: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            usize::try_from(state >> 16).unwrap() % bound
        };
        for _ in 0..if cfg!(miri) { 100 } else { 100_000 } {
            let pieces = [
                "::", ":", ":", ":", "0", "1", "ff", "abcd", ".", "12", "255", "9",
            ];
            let text: String = (0..next(18)).map(|_| pieces[next(pieces.len())]).collect();
            same_as_std(&text);
        }
    }
}
