//! Dates of mail.

use std::time::{SystemTime, UNIX_EPOCH};

/// The time as a `date-time` of RFC 5322 3.3, in UTC; times before 1970 are its first second.
pub(super) fn date_time(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let weekday = weekdays.into_iter().cycle().nth(small(days % 7));
    let (year, month, day) = civil(days);
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month = months.get(small(month - 1));
    format!(
        "{}, {day:02} {} {year:04} {:02}:{:02}:{:02} +0000",
        weekday.unwrap_or_default(),
        month.copied().unwrap_or_default(),
        second / 3_600,
        second / 60 % 60,
        second % 60
    )
}

fn small(number: u64) -> usize {
    usize::try_from(number).unwrap_or_default()
}

/// Year, month and day, of days since 1970. Counted from 1 March, so that the leap day is the last
/// day of a year, in eras of 400 years.
fn civil(days: u64) -> (u64, u64, u64) {
    const ERA: u64 = 146_097;
    const FROM_YEAR_0: u64 = 719_468;
    let days = days + FROM_YEAR_0;
    let (era, day) = (days / ERA, days % ERA);
    let year = (day - day / 1_460 + day / 36_524 - day / (ERA - 1)) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    // Five months from March on have 153 days, twice in a year.
    let months = (5 * of_year + 2) / 153;
    let day = of_year - (153 * months + 2) / 5 + 1;
    let month = if months < 10 { months + 3 } else { months - 9 };
    (era * 400 + year + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates() {
        for (seconds, expected) in [
            (0, "Thu, 01 Jan 1970 00:00:00 +0000"),
            (68_255_999, "Tue, 29 Feb 1972 23:59:59 +0000"),
            (951_868_800, "Wed, 01 Mar 2000 00:00:00 +0000"),
            (1_684_227_600, "Tue, 16 May 2023 09:00:00 +0000"),
            (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 +0000"),
            (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 +0000"),
        ] {
            assert_eq!(
                date_time(UNIX_EPOCH + Duration::from_secs(seconds)),
                expected
            );
        }
        assert_eq!(
            date_time(UNIX_EPOCH - Duration::from_secs(1)),
            "Thu, 01 Jan 1970 00:00:00 +0000"
        );
    }
}
