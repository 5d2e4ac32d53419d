//! Dates as they stand in messages (RFC 5322 3.3), to and from seconds since 1970.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time as a date in UTC; times before 1970 are its first second.
pub(super) fn date_time(time: SystemTime) -> String {
    format(
        time.duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs(),
    )
}

/// A date in UTC, as in `Tue, 19 Jul 2022 05:57:50 +0000`.
pub(super) fn format(seconds: u64) -> String {
    let (days, time) = (seconds / DAY, seconds % DAY);
    let (year, month, day) = civil(days);
    // 1970 began on a Thursday.
    let weekday = name(&WEEKDAYS, (days + 4) % 7);
    let month = name(&MONTHS, month - 1);
    let (hour, minute, second) = (time / 3_600, time / 60 % 60, time % 60);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02} +0000")
}

/// Reads a date: with or without the weekday, which nobody checks, with obsolete zones and years of
/// two digits (RFC 5322 4.3), and whatever follows. A zone that is missing or unknown is UTC. `None`
/// for what is no date, or before 1970.
pub(super) fn parse(text: &str) -> Option<u64> {
    let text = text.split_once(',').map_or(text, |(_, date)| date);
    let mut words = text.split_whitespace();
    let day: u64 = words.next()?.parse().ok()?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| {
        let start = month.get(..3);
        start.is_some_and(|start| start.eq_ignore_ascii_case(name))
    })?;
    let month = u64::try_from(month).ok()? + 1;
    let year = words.next()?;
    let number: u64 = year.parse().ok().filter(|year| *year <= 9_999)?;
    let year = match (year.len(), number) {
        (..=2, 0..=49) => number + 2_000,
        (..=3, _) => number + 1_900,
        _ => number,
    };
    let mut time = words.next()?.split(':').map(str::parse::<u64>);
    let (hour, minute) = (time.next()?.ok()?, time.next()?.ok()?);
    let second = time.next().unwrap_or(Ok(0)).ok()?;
    // A leap second is the last of its minute.
    let valid = (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    if !valid || year < 1_970 {
        return None;
    }
    let time = hour * 3_600 + minute * 60 + second.min(59);
    let (east, offset) = zone(words.next().unwrap_or_default());
    let local = days(year, month, day) * DAY + time;
    match east {
        true => local.checked_sub(offset),
        false => Some(local + offset),
    }
}

/// Whether a zone lies east of UTC, and by how many seconds.
fn zone(word: &str) -> (bool, u64) {
    let hours = match word.to_ascii_uppercase().as_str() {
        "EDT" => 4,
        "EST" | "CDT" => 5,
        "CST" | "MDT" => 6,
        "MST" | "PDT" => 7,
        "PST" => 8,
        word => {
            let number = word.get(1..5).and_then(|digits| digits.parse::<u64>().ok());
            let offset = number.map_or(0, |n| n / 100 * 3_600 + n % 100 * 60);
            return (word.starts_with('+'), offset);
        }
    };
    (false, hours * 3_600)
}

/// Year, month and day of a day since 1970. The year is taken to begin in March, so that the day
/// that leap years add is its last, and cycles of 400 years have the same number of days.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + BEFORE_1970;
    let (cycle, day) = (days / CYCLE, days % CYCLE);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, year) = (day - (153 * month + 2) / 5 + 1, cycle * 400 + year);
    match month {
        0..=9 => (year, month + 3, day),
        _ => (year + 1, month - 9, day),
    }
}

/// The inverse of [`civil`].
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = match month {
        ..=2 => (year - 1, month + 9),
        _ => (year, month - 3),
    };
    let (cycle, year) = (year / 400, year % 400);
    let day = (153 * month + 2) / 5 + day - 1;
    cycle * CYCLE + 365 * year + year / 4 - year / 100 + day - BEFORE_1970
}

fn name(names: &[&'static str], index: u64) -> &'static str {
    let index = usize::try_from(index).ok();
    index
        .and_then(|index| names.get(index))
        .copied()
        .unwrap_or_default()
}

const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

const DAY: u64 = 86_400;

/// Days of 400 years.
const CYCLE: u64 = 146_097;

/// Days from the first of March of the year 0 to 1970.
const BEFORE_1970: u64 = 719_468;

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times() {
        let (after, before) = (
            UNIX_EPOCH + Duration::from_secs(9),
            UNIX_EPOCH - Duration::from_secs(9),
        );
        assert_eq!(date_time(after), "Thu, 01 Jan 1970 00:00:09 +0000");
        assert_eq!(date_time(before), "Thu, 01 Jan 1970 00:00:00 +0000");
    }

    #[test]
    fn known_dates() {
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 +0000"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 +0000"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (1_658_210_268, "Tue, 19 Jul 2022 05:57:48 +0000"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 +0000"),
        ] {
            assert_eq!(format(seconds), text);
            assert_eq!(parse(text), Some(seconds));
        }
    }

    #[test]
    fn every_day_of_five_centuries_is_itself() {
        let mut expected = (1_970, 1, 1);
        for day in 0..182_622 {
            assert_eq!(civil(day), expected);
            assert_eq!(days(expected.0, expected.1, expected.2), day);
            let (year, month, date) = expected;
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 => 28 + u64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            expected = match (month, date == length) {
                (12, true) => (year + 1, 1, 1),
                (_, true) => (year, month + 1, 1),
                _ => (year, month, date + 1),
            };
        }
    }

    #[test]
    fn dates_of_others() {
        let expected = Some(1_658_210_268);
        for text in [
            "Tue, 19 Jul 2022 00:57:48 -0500 (CDT)",
            "19 jul 22 05:57:48",
            "Tue, 19 July 2022 07:57:48 +0200",
            "19 Jul 2022 00:57:48 CDT",
            "Tue,  19 Jul 2022  05:57:48 GMT",
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(parse("8 Oct 2011 20:15 +0000"), Some(1_318_104_900));
        for text in [
            "",
            "yesterday",
            "32 Jul 2022 00:00:00",
            "1 Jul 1969 00:00:00",
            "1 Jul 2022",
            "1 Jul 2022 24:00:00",
            "1 \u{e4}\u{e4} 2022 00:00:00",
            "1 Jan 99999999999999999999 00:00:00",
            "1 Jan 1970 00:00:00 +0100",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(
            parse("1 Jan 2022 00:00:00 +\u{e4}\u{e4}"),
            Some(1_640_995_200)
        );
    }
}
