//! ip4-network and ip6-network (§12), read from octets without a detour over text: most terms of
//! most records are one of these.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::parse::Seen;

/// Most terms of most records are networks as their owners write them. They need no search for
/// their end, and what is not read here is read, or refused, as any other term.
#[inline(always)]
pub(super) fn network(octets: &[u8], at: usize) -> Option<(usize, Seen<'_, '_>)> {
    let mut cursor = Cursor::new(octets, at + b"ip4:".len());
    let seen = match octets.get(at..)? {
        [b'i', b'p', b'4', b':', ..] => {
            let address = cursor.ip4()?;
            Seen::Ip4(address, cidr_length(&mut cursor, 32)?)
        }
        [b'i', b'p', b'6', b':', ..] => {
            let address = cursor.ip6()?;
            Seen::Ip6(address, cidr_length(&mut cursor, 128)?)
        }
        _ => return None,
    };
    Some((cursor.at, seen))
}

/// [ "/" length ] at the end of a term; `most` is the greatest length, and that of an address alone.
#[inline(always)]
fn cidr_length(cursor: &mut Cursor<'_>, most: u32) -> Option<u8> {
    let length = match cursor.skip(b'/') {
        Some(()) => cursor.qnum()?,
        None => most,
    };
    let length = u8::try_from(length).ok()?;
    (u32::from(length) <= most && cursor.is_at_end()).then_some(length)
}

/// How far some octets are read. A method that gives nothing leaves the place open.
///
/// The methods for IPv4 are always inlined: with the place in memory instead of a register, a record
/// of networks takes a tenth more instructions.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    octets: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(octets: &'a [u8], at: usize) -> Self {
        Self { octets, at }
    }

    /// What is left.
    pub(super) fn rest(self) -> &'a [u8] {
        self.octets.get(self.at..).unwrap_or_default()
    }

    /// The octet so far behind; a space, which ends a term, behind the end.
    #[inline(always)]
    fn peek(self, behind: usize) -> u8 {
        match self.octets.get(self.at + behind) {
            Some(octet) => *octet,
            None => b' ',
        }
    }

    /// Whether this is the end of a term.
    #[inline(always)]
    fn is_at_end(self) -> bool {
        self.peek(0) == b' '
    }

    #[inline(always)]
    fn skip(&mut self, octet: u8) -> Option<()> {
        if self.peek(0) != octet {
            return None;
        }
        self.at += 1;
        Some(())
    }

    /// qnum: 0 to 255 without leading zeros.
    #[inline(always)]
    pub(super) fn qnum(&mut self) -> Option<u32> {
        let first = self.digit()?;
        let Some(second) = self.digit() else {
            return Some(first);
        };
        if first == 0 {
            return None;
        }
        let value = first * 10 + second;
        let Some(third) = self.digit() else {
            return Some(value);
        };
        let value = value * 10 + third;
        (value <= 255).then_some(value)
    }

    #[inline(always)]
    fn digit(&mut self) -> Option<u32> {
        let digit = u32::from(self.peek(0)).wrapping_sub(u32::from(b'0'));
        if digit > 9 {
            return None;
        }
        self.at += 1;
        Some(digit)
    }

    /// ip4-network = qnum "." qnum "." qnum "." qnum
    #[inline(always)]
    pub(super) fn ip4(&mut self) -> Option<Ipv4Addr> {
        let mut bits = self.qnum()?;
        for _ in 1..4 {
            self.skip(b'.')?;
            bits = bits << 8 | self.qnum()?;
        }
        Some(bits.into())
    }

    /// ip6-network: the forms of RFC 4291 2.2.
    pub(super) fn ip6(&mut self) -> Option<Ipv6Addr> {
        let mut groups = [0; 8];
        let (mut count, mut gap) = (0, None);
        if (self.peek(0), self.peek(1)) == (b':', b':') {
            gap = Some(0);
            self.at += 2;
        }
        loop {
            let start = self.at;
            let Some(group) = self.group() else {
                break;
            };
            if self.peek(0) == b'.' {
                // The last 32 bits as an IPv4 address.
                self.at = start;
                let [first, second, third, fourth] = self.ip4()?.octets();
                *groups.get_mut(count)? = u16::from_be_bytes([first, second]);
                *groups.get_mut(count + 1)? = u16::from_be_bytes([third, fourth]);
                count += 2;
                break;
            }
            *groups.get_mut(count)? = group;
            count += 1;
            if self.peek(0) != b':' {
                break;
            }
            match self.peek(1) {
                b':' if gap.is_none() => {
                    gap = Some(count);
                    self.at += 2;
                }
                octet if is_hex(octet) => self.at += 1,
                _ => break,
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
        Some(groups.into())
    }

    /// One to four hexadecimal digits.
    #[inline]
    fn group(&mut self) -> Option<u16> {
        let mut value = u16::from(self.hex()?);
        for _ in 1..4 {
            let Some(digit) = self.hex() else {
                break;
            };
            value = value << 4 | u16::from(digit);
        }
        Some(value)
    }

    #[inline]
    fn hex(&mut self) -> Option<u8> {
        let digit = hex(self.peek(0));
        (digit < 16).then(|| {
            self.at += 1;
            digit
        })
    }
}

#[inline]
fn hex(octet: u8) -> u8 {
    HEX.get(usize::from(octet)).copied().unwrap_or(u8::MAX)
}

#[inline]
fn is_hex(octet: u8) -> bool {
    hex(octet) < 16
}

/// What hexadecimal digits stand for; more than they can for other octets.
static HEX: [u8; 256] = {
    let mut table = [u8::MAX; 256];
    let mut digit = 0_u8;
    while digit < 16 {
        #[expect(
            clippy::as_conversions,
            clippy::indexing_slicing,
            reason = "at compile time"
        )]
        {
            table[b"0123456789abcdef"[digit as usize] as usize] = digit;
            table[b"0123456789ABCDEF"[digit as usize] as usize] = digit;
        }
        digit += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn whole<'a, T>(text: &'a str, read: fn(&mut Cursor<'a>) -> Option<T>) -> Option<T> {
        let mut cursor = Cursor::new(text.as_bytes(), 0);
        read(&mut cursor).filter(|_| cursor.rest().is_empty())
    }

    /// The standard library reads the same texts as the same addresses.
    fn same_as_std(text: &str) {
        assert_eq!(whole(text, Cursor::ip4), text.parse().ok(), "{text}");
        assert_eq!(whole(text, Cursor::ip6), text.parse().ok(), "{text}");
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
        let rest = |text: &'static [u8]| {
            let mut cursor = Cursor::new(text, 0);
            cursor.ip6().unwrap();
            cursor.rest()
        };
        assert_eq!(rest(b"1::/24"), b"/24");
        assert_eq!(rest(b"::/24"), b"/24");
        assert_eq!(rest(b"::1.2.3.4/0"), b"/0");
        let mut cursor = Cursor::new(b"1.2.3.4/24", 0);
        assert!(cursor.ip4().is_some() && cursor.rest() == b"/24");
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
