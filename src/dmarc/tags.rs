//! The tags of a DMARC record, read one by one (§4.8).

use std::str::FromStr;

use super::{AlignmentMode, Disposition, FailureOptions, PublicSuffixFlag, RecordError};
use crate::tag_list::{self, Tag, TagListError};

/// What the tags of a record say.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Tags {
    pub(super) p: PolicyTag,
    pub(super) sp: PolicyTag,
    pub(super) np: PolicyTag,
    pub(super) adkim: AlignmentMode,
    pub(super) aspf: AlignmentMode,
    pub(super) fo: FailureOptions,
    pub(super) psd: PublicSuffixFlag,
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

/// Reads the tags; collects diagnostics where they are wanted.
pub(super) fn read(
    octets: &[u8],
    diagnostics: &mut Option<Vec<RecordDiagnostic>>,
) -> Result<Tags, RecordError> {
    // dmarc-version = "v" equals %s"DMARC1". The list reader would skip white space before the
    // name and all folding white space around the value; the grammar has neither.
    if !octets
        .first()
        .is_some_and(|o| o.eq_ignore_ascii_case(&b'v'))
    {
        return Err(RecordError::NoVersion);
    }
    let mut specs = tag_list::specs(octets);
    match specs.next() {
        Some(Ok(tag)) if !tag.name.eq_ignore_ascii_case(b"v") => {
            return Err(RecordError::NoVersion);
        }
        Some(Ok(tag)) if tag.value == b"DMARC1" => {}
        Some(Ok(_)) => return Err(RecordError::OtherVersion),
        Some(Err(_)) | None => return Err(RecordError::NoVersion),
    }
    let mut reader = Reader {
        tags: Tags::default(),
        seen: Known::V.bit(),
        diagnostics,
    };
    for spec in specs {
        match spec {
            Ok(tag) => reader.tag(&tag),
            Err(error) => reader.note(|| RecordDiagnostic::Malformed { error }),
        }
    }
    Ok(reader.tags)
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
                $(if name.eq_ignore_ascii_case($name.as_bytes()) {
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

struct Reader<'a> {
    tags: Tags,
    /// A bit for each known tag that was met.
    seen: u16,
    diagnostics: &'a mut Option<Vec<RecordDiagnostic>>,
}

impl Reader<'_> {
    fn tag(&mut self, tag: &Tag<'_>) {
        let Some(known) = Known::of(tag.name) else {
            return self.note(|| RecordDiagnostic::UnknownTag {
                name: printable(tag.name),
            });
        };
        let name = known.as_str();
        // RFC 9989 is silent on duplicates, RFC 6376 3.2 refuses the whole list, receivers differ.
        // The first wins: an owner who left a stricter second one behind is told.
        if self.seen & known.bit() != 0 {
            return self.note(|| RecordDiagnostic::DuplicateTag { name });
        }
        self.seen |= known.bit();
        if !self.value(known, tag) {
            self.note(|| RecordDiagnostic::InvalidValue {
                name,
                value: printable(tag.value),
            });
        }
        match known {
            Known::Pct | Known::Rf | Known::Ri => {
                self.note(|| RecordDiagnostic::HistoricTag { name });
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
            Known::Psd => set(&mut tags.psd, public_suffix_flag(tag.value)),
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

    fn note(&mut self, diagnostic: impl FnOnce() -> RecordDiagnostic) {
        if let Some(diagnostics) = self.diagnostics {
            diagnostics.push(diagnostic());
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
    *slot = [
        Disposition::None,
        Disposition::Quarantine,
        Disposition::Reject,
    ]
    .into_iter()
    .find(|word| value.eq_ignore_ascii_case(word.as_str().as_bytes()))
    .map_or(PolicyTag::Invalid, PolicyTag::Valid);
    *slot != PolicyTag::Invalid
}

fn alignment_mode(value: &[u8]) -> Option<AlignmentMode> {
    match value {
        b"r" | b"R" => Some(AlignmentMode::Relaxed),
        b"s" | b"S" => Some(AlignmentMode::Strict),
        _ => None,
    }
}

fn public_suffix_flag(value: &[u8]) -> Option<PublicSuffixFlag> {
    match value {
        b"y" | b"Y" => Some(PublicSuffixFlag::Yes),
        b"n" | b"N" => Some(PublicSuffixFlag::No),
        b"u" | b"U" => Some(PublicSuffixFlag::Unknown),
        _ => None,
    }
}

fn yes_or_no(value: &[u8]) -> Option<bool> {
    match value {
        b"y" | b"Y" => Some(true),
        b"n" | b"N" => Some(false),
        _ => None,
    }
}

/// Something in a record that was ignored, or looks like a mistake.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordDiagnostic {
    /// A URI of `rua` or `ruf` that is none.
    #[error("{name}= has a URI that cannot be used: {uri}")]
    BadUri {
        /// The tag.
        name: &'static str,
        /// The URI, as far as it can be printed.
        uri: String,
    },
    /// A tag that stood before; this one is ignored.
    #[error("{name}= stands twice; the first counts")]
    DuplicateTag {
        /// The tag.
        name: &'static str,
    },
    /// `fo` without `ruf` has no effect.
    #[error("fo= without ruf= has no effect")]
    FailureOptionsWithoutRuf,
    /// A tag that RFC 9989 no longer knows.
    #[error("{name}= is no longer used (RFC 9989)")]
    HistoricTag {
        /// The tag.
        name: &'static str,
    },
    /// A known tag with a value that it does not have.
    #[error("{name}={value} is not valid")]
    InvalidValue {
        /// The tag.
        name: &'static str,
        /// The value, as far as it can be printed.
        value: String,
    },
    /// Text that is no tag.
    #[error("{error}")]
    Malformed {
        /// What is wrong with it.
        error: TagListError,
    },
    /// There is no `p`.
    #[error("there is no p=")]
    NoPolicy,
    /// A size limit behind a URI, which RFC 9989 ignores.
    #[error("{name}= has a size limit, which is no longer used (RFC 9989)")]
    SizeLimit {
        /// The tag.
        name: &'static str,
    },
    /// A tag that nobody knows.
    #[error("unknown tag {name}=")]
    UnknownTag {
        /// The tag.
        name: String,
    },
}
