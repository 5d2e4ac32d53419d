//! Zones from master-file text.
//!
//! ‘§’ is a section of [RFC 1035](https://www.rfc-editor.org/rfc/rfc1035).

mod error;
mod generic;
mod tokens;

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;
use std::time::Duration;

use super::zone::Data;
use super::{LookupError, Mx, Name, RecordType, Txt, Zone};
use crate::text;
use tokens::{Entries, Entry, Token};

pub use error::ZoneFileError;

impl Zone {
    /// Reads a zone from master-file text (RFC 1035 5): what name servers load, and what people
    /// write into tickets. The octets need not be UTF-8.
    ///
    /// A, AAAA, CNAME, MX, PTR and TXT records are kept, in the generic form of RFC 3597 as well.
    /// Records of other types (SOA, NS and, since RFC 7208 asks for none, SPF) only let their owner
    /// exist. The class is IN or left out. The TTL is a number of seconds or has units (`1h30m`); a
    /// record without one takes it from `$TTL`, else from the record before, else has none.
    ///
    /// Names are relative to `$ORIGIN`. Before the first `$ORIGIN`, and where there is none, they
    /// are fully qualified with and without the final dot. The strings of a TXT record may be of
    /// any length; those without quotes end at white space and `;`.
    ///
    /// One type is our own: `FAIL` makes look-ups of its owner fail with `MALFORMED`, `REFUSED`,
    /// `SERVFAIL`, `TIMEOUT` or `TRUNCATED`, of one type if it is named, else of all.
    ///
    /// `$INCLUDE` and `$GENERATE` are refused, and so are texts over 1 MiB: the text may come from
    /// a stranger, and shall neither open files nor grow.
    ///
    /// # Errors
    ///
    /// [`ZoneFileError`], with the line and the rule that it breaks.
    ///
    /// ```
    /// use mailproof::dns::{LookupError, Resolver, Zone, block_on};
    ///
    /// let zone = Zone::from_text(r#"
    /// $TTL 1h
    /// example.com                 MX   10 mx.example.com
    ///                             TXT  "v=spf1 mx -all"
    /// s1._domainkey.example.com   TXT  ( "v=DKIM1; k=ed25519; p="  ; in parts
    ///                                    "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" )
    /// mx.example.com        300 IN A   192.0.2.25
    /// broken.example            IN FAIL SERVFAIL TXT
    /// "#)?;
    /// let broken = block_on(zone.txt(&"broken.example".parse()?));
    /// assert_eq!(broken, Err(LookupError::ServFail));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_text(text: impl AsRef<[u8]>) -> Result<Self, ZoneFileError> {
        let text = text.as_ref();
        if text.len() > MAX_TEXT {
            return Err(ZoneFileError::TooLarge(1));
        }
        let mut reader = Reader::default();
        let mut entries = Entries::new(text);
        while let Some(entry) = entries.next()? {
            reader.entry(&entry)?;
        }
        Ok(reader.zone)
    }
}

/// The zone so far, and what an entry may leave out.
#[derive(Default)]
struct Reader {
    zone: Zone,
    origin: Option<Name>,
    owner: Option<Name>,
    default_ttl: Option<Duration>,
    last_ttl: Option<Duration>,
}

impl Reader {
    fn entry(&mut self, entry: &Entry<'_>) -> Result<(), ZoneFileError> {
        let mut fields = Fields {
            line: entry.line,
            rest: &entry.tokens,
        };
        if !entry.blank {
            let first = fields.next()?;
            if !first.quoted && first.raw.starts_with(b"$") {
                return self.directive(&first, fields);
            }
            self.owner = Some(self.name(&first)?);
        }
        let owner = self
            .owner
            .clone()
            .ok_or(ZoneFileError::NoOwner(entry.line))?;
        let (record_type, ttl) = self.type_and_ttl(&mut fields)?;
        if record_type.is("FAIL") {
            let (record_type, error) = failure(&mut fields)?;
            self.zone.add_failure(&owner, record_type, error);
            return fields.end();
        }
        match Type::of(&record_type)? {
            Type::Other => self.zone.touch(&owner),
            Type::Kept(kept) => {
                let data = match generic::octets(&mut fields)? {
                    Some(octets) => generic::data(kept, &octets)
                        .ok_or_else(|| record_type.broken(ZoneFileError::Data))?,
                    None => self.data(kept, &mut fields)?,
                };
                fields.end()?;
                self.zone.add(&owner, data, ttl);
            }
        }
        Ok(())
    }

    /// §5.1: ‘[<TTL>] [<class>] <type> <RDATA>’ or ‘[<class>] [<TTL>] <type> <RDATA>’.
    fn type_and_ttl<'a>(
        &mut self,
        fields: &mut Fields<'_, 'a>,
    ) -> Result<(Token<'a>, Option<Duration>), ZoneFileError> {
        let (mut class, mut ttl) = (false, None);
        loop {
            let field = fields.next()?;
            if !class && field.is("IN") {
                class = true;
            } else if !class && ["CH", "CS", "HS"].iter().any(|class| field.is(class)) {
                return Err(field.broken(ZoneFileError::Class));
            } else if ttl.is_none() && field.raw.first().is_some_and(u8::is_ascii_digit) {
                ttl = Some(duration(&field)?);
            } else {
                // $TTL stands for what is left out (RFC 2308 4), and without it ‘omitted class and
                // TTL values are default to the last explicitly stated values’ (§5.1).
                self.last_ttl = ttl.or(self.last_ttl);
                return Ok((field, ttl.or(self.default_ttl).or(self.last_ttl)));
            }
        }
    }

    fn data(&self, kept: Kept, fields: &mut Fields<'_, '_>) -> Result<Data, ZoneFileError> {
        let first = fields.next()?;
        Ok(match kept {
            Kept::A => Data::A(address::<Ipv4Addr>(&first)?),
            Kept::Aaaa => Data::Aaaa(address::<Ipv6Addr>(&first)?),
            Kept::Cname => Data::Cname(self.name(&first)?),
            Kept::Mx => Data::Mx(Mx {
                preference: text::decimal(first.raw, 5)
                    .and_then(|preference| u16::try_from(preference).ok())
                    .ok_or_else(|| first.broken(ZoneFileError::Preference))?,
                exchange: self.name(&fields.next()?)?,
            }),
            Kept::Ptr => Data::Ptr(self.name(&first)?),
            Kept::Txt => {
                let mut octets = first.octets()?;
                while let Ok(string) = fields.next() {
                    octets.extend(string.octets()?);
                }
                Data::Txt(Txt::new(octets))
            }
        })
    }

    fn directive(
        &mut self,
        word: &Token<'_>,
        mut fields: Fields<'_, '_>,
    ) -> Result<(), ZoneFileError> {
        if word.is("$ORIGIN") {
            self.origin = Some(self.name(&fields.next()?)?);
        } else if word.is("$TTL") {
            self.default_ttl = Some(duration(&fields.next()?)?);
        } else if word.is("$INCLUDE") {
            return Err(word.broken(ZoneFileError::Include));
        } else if word.is("$GENERATE") {
            return Err(word.broken(ZoneFileError::Generate));
        } else {
            return Err(word.broken(ZoneFileError::Directive));
        }
        fields.end()
    }

    /// §5.1: ‘Domain names that do not end in a dot are called relative; the actual domain name is
    /// the concatenation of the relative part with an origin’. ‘A free standing @ is used to denote
    /// the current origin.’
    fn name(&self, token: &Token<'_>) -> Result<Name, ZoneFileError> {
        let broken = |error| token.broken(|line| ZoneFileError::Name(line, error));
        if token.is("@") {
            let origin = self.origin.clone();
            return origin.ok_or_else(|| token.broken(ZoneFileError::NoOrigin));
        }
        match &self.origin {
            Some(origin) if *origin != Name::root() && !is_absolute(token.raw) => {
                let name = [token.raw, b".", origin.as_str().as_bytes()].concat();
                // Alone, to find what is wrong before a dot covers it.
                Name::from_text(token.raw).map_err(broken)?;
                Name::from_text(&name).map_err(broken)
            }
            _ => Name::from_text(token.raw).map_err(broken),
        }
    }
}

/// Whether the text ends in a dot that is not escaped.
fn is_absolute(text: &[u8]) -> bool {
    text.strip_suffix(b".").is_some_and(|head| {
        let escapes = head.iter().rev().take_while(|octet| **octet == b'\\');
        escapes.count() % 2 == 0
    })
}

/// The fields of an entry that are still to be read.
struct Fields<'f, 'a> {
    line: usize,
    rest: &'f [Token<'a>],
}

impl<'a> Fields<'_, 'a> {
    fn next(&mut self) -> Result<Token<'a>, ZoneFileError> {
        let Some((first, rest)) = self.rest.split_first() else {
            return Err(ZoneFileError::Missing(self.line));
        };
        self.rest = rest;
        self.line = first.line;
        Ok(*first)
    }

    fn end(&self) -> Result<(), ZoneFileError> {
        match self.rest.first() {
            Some(field) => Err(field.broken(ZoneFileError::Extra)),
            None => Ok(()),
        }
    }
}

/// What is done with a record type.
enum Type {
    Kept(Kept),
    Other,
}

/// The types that a zone keeps.
#[derive(Clone, Copy)]
enum Kept {
    A,
    Aaaa,
    Cname,
    Mx,
    Ptr,
    Txt,
}

impl Type {
    fn of(word: &Token<'_>) -> Result<Self, ZoneFileError> {
        let unknown =
            || word.broken(|line| ZoneFileError::Type(line, text::lossy(word.raw).into()));
        if word.quoted {
            return Err(unknown());
        }
        let upper = word.raw.to_ascii_uppercase();
        let number = match upper.strip_prefix(b"TYPE") {
            Some(digits) => text::decimal(digits, 5).filter(|number| *number <= 0xffff),
            None => None,
        };
        Ok(Self::Kept(match (upper.as_slice(), number) {
            (b"A", _) | (_, Some(1)) => Kept::A,
            (b"AAAA", _) | (_, Some(28)) => Kept::Aaaa,
            (b"CNAME", _) | (_, Some(5)) => Kept::Cname,
            (b"MX", _) | (_, Some(15)) => Kept::Mx,
            (b"PTR", _) | (_, Some(12)) => Kept::Ptr,
            (b"TXT", _) | (_, Some(16)) => Kept::Txt,
            (_, Some(_)) => return Ok(Self::Other),
            (word, None) if OTHER_TYPES.iter().any(|other| other.as_bytes() == word) => {
                return Ok(Self::Other);
            }
            _ => return Err(unknown()),
        }))
    }
}

fn failure(
    fields: &mut Fields<'_, '_>,
) -> Result<(Option<RecordType>, LookupError), ZoneFileError> {
    let word = fields.next()?;
    let error = match word.raw.to_ascii_uppercase().as_slice() {
        b"MALFORMED" => LookupError::Malformed,
        b"REFUSED" => LookupError::Refused,
        b"SERVFAIL" => LookupError::ServFail,
        b"TIMEOUT" => LookupError::Timeout,
        b"TRUNCATED" => LookupError::Truncated,
        _ => return Err(word.broken(ZoneFileError::Failure)),
    };
    let Ok(word) = fields.next() else {
        return Ok((None, error));
    };
    match Type::of(&word)? {
        Type::Kept(Kept::A) => Ok((Some(RecordType::A), error)),
        Type::Kept(Kept::Aaaa) => Ok((Some(RecordType::Aaaa), error)),
        Type::Kept(Kept::Mx) => Ok((Some(RecordType::Mx), error)),
        Type::Kept(Kept::Ptr) => Ok((Some(RecordType::Ptr), error)),
        Type::Kept(Kept::Txt) => Ok((Some(RecordType::Txt), error)),
        Type::Kept(Kept::Cname) | Type::Other => Err(word.broken(ZoneFileError::Failure)),
    }
}

fn address<T: FromStr>(token: &Token<'_>) -> Result<T, ZoneFileError> {
    std::str::from_utf8(token.raw)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| token.broken(ZoneFileError::Address))
}

/// Seconds, or numbers with units, in any order: `1h30m`.
fn duration(token: &Token<'_>) -> Result<Duration, ZoneFileError> {
    let broken = || token.broken(ZoneFileError::Ttl);
    let mut total = 0_u64;
    let mut rest = token.raw;
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|octet| octet.is_ascii_digit());
        let (number, tail) = rest.split_at_checked(digits.count()).ok_or_else(broken)?;
        let number = text::decimal(number, 10).ok_or_else(broken)?;
        let (unit, tail) = match tail {
            [] => (1, tail),
            [b's' | b'S', tail @ ..] => (1, tail),
            [b'm' | b'M', tail @ ..] => (60, tail),
            [b'h' | b'H', tail @ ..] => (3_600, tail),
            [b'd' | b'D', tail @ ..] => (86_400, tail),
            [b'w' | b'W', tail @ ..] => (604_800, tail),
            _ => return Err(broken()),
        };
        total = total.saturating_add(number.saturating_mul(unit));
        rest = tail;
    }
    if token.quoted || token.raw.is_empty() || total > MAX_TTL {
        return Err(broken());
    }
    Ok(Duration::from_secs(total))
}

/// Types that mail authentication does not ask for. The data is not looked at.
const OTHER_TYPES: [&str; 56] = [
    "A6",
    "AFSDB",
    "APL",
    "CAA",
    "CDNSKEY",
    "CDS",
    "CERT",
    "CSYNC",
    "DHCID",
    "DLV",
    "DNAME",
    "DNSKEY",
    "DS",
    "EUI48",
    "EUI64",
    "GPOS",
    "HINFO",
    "HIP",
    "HTTPS",
    "IPSECKEY",
    "ISDN",
    "KEY",
    "KX",
    "L32",
    "L64",
    "LOC",
    "LP",
    "MB",
    "MG",
    "MINFO",
    "MR",
    "NAPTR",
    "NID",
    "NS",
    "NSAP",
    "NSEC",
    "NSEC3",
    "NSEC3PARAM",
    "NULL",
    "OPENPGPKEY",
    "RP",
    "RRSIG",
    "RT",
    "SIG",
    "SMIMEA",
    "SOA",
    "SPF",
    "SRV",
    "SSHFP",
    "SVCB",
    "TA",
    "TLSA",
    "URI",
    "WKS",
    "X25",
    "ZONEMD",
];

/// Large enough for every zone that a person reads. Many-labelled names take 80 times their text.
const MAX_TEXT: usize = 1 << 20;

/// RFC 2181 8: ‘an unsigned number, with a minimum value of 0, and a maximum value of 2147483647’.
const MAX_TTL: u64 = 2_147_483_647;
