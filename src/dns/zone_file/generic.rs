//! Record data in the generic form: `\# length hexadecimal` (RFC 3597 5).

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Data, Fields, Kept, ZoneFileError};
use crate::dns::{Mx, Name, Txt};
use crate::text;

/// The octets of data in the generic form; `None` if it is in the form of its type.
pub(super) fn octets(fields: &mut Fields<'_, '_>) -> Result<Option<Vec<u8>>, ZoneFileError> {
    match fields.rest {
        [mark, ..] if !mark.quoted && mark.raw == br"\#" => {}
        _ => return Ok(None),
    }
    let mark = fields.next()?;
    let length = text::decimal(fields.next()?.raw, 5);
    let mut digits = Vec::new();
    while let Ok(word) = fields.next() {
        digits.extend_from_slice(word.raw);
    }
    let octets: Option<Vec<u8>> = digits.chunks(2).map(octet).collect();
    octets
        .filter(|octets| u64::try_from(octets.len()).ok() == length)
        .map(Some)
        .ok_or_else(|| mark.broken(ZoneFileError::Data))
}

fn octet(digits: &[u8]) -> Option<u8> {
    let [high, low] = digits else { return None };
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// Reads data as it is on the wire, without compression (RFC 1035 3.3, RFC 3596 2.2).
pub(super) fn data(kept: Kept, octets: &[u8]) -> Option<Data> {
    Some(match kept {
        Kept::A => Data::A(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?)),
        Kept::Aaaa => Data::Aaaa(Ipv6Addr::from(<[u8; 16]>::try_from(octets).ok()?)),
        Kept::Cname => Data::Cname(name(octets)?),
        Kept::Mx => {
            let (preference, exchange) = octets.split_first_chunk()?;
            Data::Mx(Mx {
                preference: u16::from_be_bytes(*preference),
                exchange: name(exchange)?,
            })
        }
        Kept::Ptr => Data::Ptr(name(octets)?),
        Kept::Txt if octets.is_empty() => return None,
        Kept::Txt => Data::Txt(Txt::new(strings(octets)?.concat())),
    })
}

fn name(octets: &[u8]) -> Option<Name> {
    let labels = strings(octets.strip_suffix(&[0])?)?;
    if labels.is_empty() {
        return Some(Name::root());
    }
    Name::from_labels(labels).ok()
}

/// Splits octets into what length octets are before.
fn strings(mut octets: &[u8]) -> Option<Vec<&[u8]>> {
    let mut strings = Vec::new();
    while let [length, rest @ ..] = octets {
        let (string, rest) = rest.split_at_checked(usize::from(*length))?;
        strings.push(string);
        octets = rest;
    }
    Some(strings)
}
