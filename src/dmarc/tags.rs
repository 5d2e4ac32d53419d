//! The tags of a DMARC record, read one by one (§4.8).

use std::str::FromStr;

use super::{AlignmentMode, Disposition, FailureOptions, Warning};
use crate::tag_list::{self, Tag};

/// What the tags of a record say.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Tags {
    pub(super) p: PolicyTag,
    pub(super) sp: PolicyTag,
    pub(super) np: PolicyTag,
    pub(super) adkim: AlignmentMode,
    pub(super) aspf: AlignmentMode,
    pub(super) fo: FailureOptions,
    pub(super) psd: Option<bool>,
    pub(super) testing: bool,
    pub(super) pct: Option<u8>,
    pub(super) ri: Option<u32>,
    /// Where these stand in the text; they are read when they are wanted.
    pub(super) rf: Option<usize>,
    pub(super) rua: Option<usize>,
    pub(super) ruf: Option<usize>,
}

/// `p`, `sp` or `np`: their invalid values are not the same as their absence.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum PolicyTag {
    #[default]
    Absent,
    Invalid,
    Valid(Disposition),
}

impl PolicyTag {
    pub(super) fn valid(self) -> Option<Disposition> {
        match self {
            Self::Absent | Self::Invalid => None,
            Self::Valid(disposition) => Some(disposition),
        }
    }
}

/// Reads the tags; `None` for what is no DMARC record. Collects warnings where they are wanted.
pub(super) fn read(octets: &[u8], warnings: &mut Option<Vec<Warning>>) -> Option<Tags> {
    // dmarc-version = "v" equals %s"DMARC1". The list reader would skip white space before the
    // name and all folding white space around the value; the grammar has neither.
    octets
        .first()
        .filter(|first| first.eq_ignore_ascii_case(&b'v'))?;
    let mut specs = tag_list::specs(octets);
    let version = specs.next()?.ok()?;
    if !version.name.eq_ignore_ascii_case(b"v") || version.value != b"DMARC1" {
        return None;
    }
    let mut reader = Reader {
        tags: Tags::default(),
        seen: Known::V.bit(),
        warnings,
    };
    for spec in specs {
        match spec {
            Ok(tag) => reader.tag(&tag),
            Err(error) => reader.note(|| Warning::Malformed { error }),
        }
    }
    Some(reader.tags)
}

macro_rules! known_tags {
    ($($variant:ident $name:literal $bit:literal,)*) => {
        /// The tags of RFC 9989 4.7 and RFC 7489 6.3.
        #[derive(Clone, Copy)]
        enum Known {
            $($variant,)*
        }

        impl Known {
            /// Literals of ABNF are case-insensitive (RFC 5234 2.3), so these names are.
            fn of(name: &[u8]) -> Option<Self> {
                let number = folded(name);
                $(if number == const { folded($name.as_bytes()) } {
                    return Some(Self::$variant);
                })*
                None
            }

            fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Its bit in a set of tags.
            fn bit(self) -> u16 {
                match self {
                    $(Self::$variant => 1 << $bit,)*
                }
            }
        }
    };
}

known_tags! {
    V "v" 0,
    P "p" 1,
    Sp "sp" 2,
    Np "np" 3,
    Rua "rua" 4,
    Ruf "ruf" 5,
    Adkim "adkim" 6,
    Aspf "aspf" 7,
    Fo "fo" 8,
    Psd "psd" 9,
    T "t" 10,
    Pct "pct" 11,
    Rf "rf" 12,
    Ri "ri" 13,
}

/// The name of a tag as a number, which is the same for upper and lower case: a name has letters, digits
/// and underscores only. No known one is longer than this tells apart.
const fn folded(name: &[u8]) -> u64 {
    let octets = match *name {
        [a] => [a, 0, 0, 0, 0, 0, 0, 0],
        [a, b] => [a, b, 0, 0, 0, 0, 0, 0],
        [a, b, c] => [a, b, c, 0, 0, 0, 0, 0],
        [a, b, c, d] => [a, b, c, d, 0, 0, 0, 0],
        [a, b, c, d, e] => [a, b, c, d, e, 0, 0, 0],
        _ => [0; 8],
    };
    u64::from_le_bytes(octets) | 0x2020_2020_2020_2020
}

struct Reader<'a> {
    tags: Tags,
    /// A bit for each known tag that was met.
    seen: u16,
    warnings: &'a mut Option<Vec<Warning>>,
}

impl Reader<'_> {
    fn tag(&mut self, tag: &Tag<'_>) {
        let Some(known) = Known::of(tag.name) else {
            return self.note(|| Warning::UnknownTag {
                name: printable(tag.name),
            });
        };
        let name = known.as_str();
        // RFC 9989 is silent on duplicates, RFC 6376 3.2 refuses the whole list, receivers differ.
        // The first wins: an owner who left a stricter second one behind is told.
        if self.seen & known.bit() != 0 {
            return self.note(|| Warning::DuplicateTag { name });
        }
        self.seen |= known.bit();
        if !self.value(known, tag) {
            self.note(|| Warning::InvalidValue {
                name,
                value: printable(tag.value),
            });
        }
        match known {
            Known::Pct | Known::Rf | Known::Ri => {
                self.note(|| Warning::HistoricTag { name });
            }
            _ => {}
        }
    }

    /// Takes the value of a known tag; whether it is valid.
    fn value(&mut self, known: Known, tag: &Tag<'_>) -> bool {
        let tags = &mut self.tags;
        match known {
            Known::P => policy(tag.value, &mut tags.p),
            Known::Sp => policy(tag.value, &mut tags.sp),
            Known::Np => policy(tag.value, &mut tags.np),
            Known::Adkim => set(&mut tags.adkim, alignment_mode(tag.value)),
            Known::Aspf => set(&mut tags.aspf, alignment_mode(tag.value)),
            Known::Fo => set(&mut tags.fo, FailureOptions::read(tag.value)),
            Known::Psd => set(&mut tags.psd, public_suffix(tag.value)),
            Known::T => set(&mut tags.testing, yes_or_no(tag.value)),
            Known::Pct => {
                tags.pct = decimal(tag.value).filter(|pct| *pct <= 100);
                tags.pct.is_some()
            }
            Known::Ri => {
                tags.ri = decimal(tag.value);
                tags.ri.is_some()
            }
            Known::Rf => set(&mut tags.rf, Some(Some(tag.at))),
            Known::Rua => set(&mut tags.rua, Some(Some(tag.at))),
            Known::Ruf => set(&mut tags.ruf, Some(Some(tag.at))),
            // The version was read before all tags; this is a second one, and so a duplicate.
            Known::V => false,
        }
    }

    fn note(&mut self, warning: impl FnOnce() -> Warning) {
        if let Some(warnings) = self.warnings {
            warnings.push(warning());
        }
    }
}

fn set<T>(slot: &mut T, value: Option<T>) -> bool {
    match value {
        Some(value) => {
            *slot = value;
            true
        }
        None => false,
    }
}

/// 1*DIGIT, as far as the type can hold it.
fn decimal<T: FromStr>(value: &[u8]) -> Option<T> {
    let digits = value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| digits)?;
    text.parse().ok()
}

/// Text from the network for a diagnostic: no control characters, and not much of it.
pub(super) fn printable(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets)
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(80)
        .collect()
}

/// dmarc-request = "none" / "quarantine" / "reject"
fn policy(value: &[u8], slot: &mut PolicyTag) -> bool {
    *slot = if value.eq_ignore_ascii_case(b"none") {
        PolicyTag::Valid(Disposition::None)
    } else if value.eq_ignore_ascii_case(b"quarantine") {
        PolicyTag::Valid(Disposition::Quarantine)
    } else if value.eq_ignore_ascii_case(b"reject") {
        PolicyTag::Valid(Disposition::Reject)
    } else {
        PolicyTag::Invalid
    };
    *slot != PolicyTag::Invalid
}

fn alignment_mode(value: &[u8]) -> Option<AlignmentMode> {
    match value {
        b"r" | b"R" => Some(AlignmentMode::Relaxed),
        b"s" | b"S" => Some(AlignmentMode::Strict),
        _ => None,
    }
}

/// `y`, `n` or `u`.
fn public_suffix(value: &[u8]) -> Option<Option<bool>> {
    match value {
        b"u" | b"U" => Some(None),
        _ => yes_or_no(value).map(Some),
    }
}

fn yes_or_no(value: &[u8]) -> Option<bool> {
    match value {
        b"y" | b"Y" => Some(true),
        b"n" | b"N" => Some(false),
        _ => None,
    }
}
