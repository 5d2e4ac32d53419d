//! The time stamp of SRS: a day, modulo 1024, in two letters.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A day as SRS writes it: days since 1970 modulo 1024, in two letters of base32 (RFC 4648 6).
///
/// So a stamp names a day every 2.8 years, and every stamp becomes valid again 1024 days later.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(crate) struct Stamp(u16);

impl Stamp {
    /// The stamp of the (UTC) day of `now`. A time before 1970 counts as its first day.
    pub(crate) fn of(now: SystemTime) -> Self {
        Self(u16::try_from(days(now) % MODULUS).unwrap_or_default())
    }

    /// Reads two letters, upper or lower case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let [high, low] = text.as_bytes() else {
            return None;
        };
        Some(Self(digit(*high)? << 5 | digit(*low)?))
    }

    /// How many days ago the stamp was made, if that was less than 1024 days before `now`. A stamp
    /// of tomorrow is therefore 1023 days old.
    pub(super) fn age(self, now: SystemTime) -> u16 {
        let today = Self::of(now).0;
        (today | 1024).wrapping_sub(self.0) & 1023
    }

    /// The beginning of each day that the stamp may mean, from the latest one not after `now` back
    /// to 1970.
    pub(super) fn candidates(self, now: SystemTime) -> impl Iterator<Item = SystemTime> {
        let latest = days(now).checked_sub(u64::from(self.age(now)));
        std::iter::successors(latest, |day| day.checked_sub(MODULUS))
            .map(|day| UNIX_EPOCH + Duration::from_secs(day * DAY))
    }

    pub(super) fn letters(self) -> [u8; 2] {
        [letter(self.0 >> 5), letter(self.0 & 31)]
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [high, low] = self.letters().map(char::from);
        write!(f, "{high}{low}")
    }
}

fn days(now: SystemTime) -> u64 {
    now.duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() / DAY)
}

fn digit(letter: u8) -> Option<u16> {
    match letter.to_ascii_uppercase() {
        upper @ b'A'..=b'Z' => Some(u16::from(upper - b'A')),
        digit @ b'2'..=b'7' => Some(u16::from(digit - b'2' + 26)),
        _ => None,
    }
}

fn letter(digit: u16) -> u8 {
    ALPHABET
        .get(usize::from(digit))
        .copied()
        .unwrap_or_default()
}

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

const DAY: u64 = 86_400;

/// Two letters of five bits.
const MODULUS: u64 = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn writes_days() {
        for (seconds, stamp) in [
            (0, "AA"),
            (86_399, "AA"),
            (86_400, "AB"),
            (1_577_836_799, "2V"),
            (1_577_836_800, "2W"),
            (1_700_000_000, "G3"),
            (1_709_164_800, "KG"),
            (1_795_219_200, "JK"),
            (4_102_444_800, "L2"),
        ] {
            assert_eq!(Stamp::of(at(seconds)).to_string(), stamp, "{seconds}");
        }
        assert_eq!(Stamp::of(UNIX_EPOCH - Duration::from_secs(1)), Stamp(0));
    }

    #[test]
    fn every_stamp_round_trips() {
        for value in 0..1024 {
            let stamp = Stamp(value);
            assert_eq!(Stamp::parse(&stamp.to_string()), Some(stamp));
            assert_eq!(
                Stamp::parse(&stamp.to_string().to_ascii_lowercase()),
                Some(stamp)
            );
        }
        for bad in ["", "G", "G33", "G1", "G0", "8A", "G=", "\u{e9}"] {
            assert_eq!(Stamp::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn ages_wrap() {
        let stamp = Stamp::of(at(1_700_000_000));
        let after = |days: u64| at(1_700_000_000 + days * DAY);
        assert_eq!(stamp.age(after(0)), 0);
        assert_eq!(stamp.age(after(21)), 21);
        assert_eq!(stamp.age(after(1023)), 1023);
        assert_eq!(stamp.age(after(1024)), 0);
        assert_eq!(stamp.age(at(1_700_000_000 - DAY)), 1023);
    }

    #[test]
    fn candidates_reach_back_to_1970() {
        let stamp = Stamp::of(at(1_700_000_000));
        let days: Vec<u64> = stamp
            .candidates(at(1_700_000_000 + DAY))
            .map(|day| day.duration_since(UNIX_EPOCH).unwrap().as_secs() / DAY)
            .collect();
        assert_eq!(days.first(), Some(&19_675));
        assert_eq!(days.last(), Some(&219));
        assert_eq!(days.len(), 20);
        assert_eq!(Stamp(5).candidates(at(0)).count(), 0);
    }
}
