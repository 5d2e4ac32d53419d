//! Not more reports than somebody can bear.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::address::Address;

/// Decides how many reports a recipient gets. §2: ‘Report generators MUST implement a rate-limit on
/// outgoing reports so as not to flood report consumers’.
///
/// Clones share what they count.
///
/// ```
/// use mailproof::report::failure::RateLimiter;
/// use std::time::Duration;
///
/// // Each recipient gets 20 reports an hour.
/// let of_this_server = RateLimiter::new(20, Duration::from_secs(3_600));
/// // What several servers share: here, one that refuses all.
/// let shared = RateLimiter::from_fn(|recipient, condition, now| None);
/// ```
#[derive(Clone)]
pub struct RateLimiter(Arc<dyn Admit>);

trait Admit: Fn(&Address, &str, SystemTime) -> Option<u32> + Send + Sync {}

impl<F: Fn(&Address, &str, SystemTime) -> Option<u32> + Send + Sync> Admit for F {}

impl RateLimiter {
    /// A limiter in memory: each recipient gets so many reports per period, and of incidents that are
    /// alike only the first in each; the next report about them tells how many there were. 20 an hour
    /// are enough to find a mistake, and few enough for a person.
    ///
    /// It knows no more than 10,000 recipients at a time. Others get nothing until a period is over:
    /// forgetting one instead would let whoever publishes many policies wash away the limits of all.
    #[must_use]
    pub fn new(reports: u32, period: Duration) -> Self {
        let memory = Memory::new(reports, period);
        Self::from_fn(move |recipient, condition, now| memory.admit(recipient, condition, now))
    }

    /// A limiter of the caller's: several servers that report to the same recipients need one that
    /// they share.
    ///
    /// The function is asked with the recipient, with a text that is the same for incidents that are
    /// alike (nothing else should be read into it), and with the time. It returns `None` if the report
    /// must not be sent; otherwise the number of incidents for which it stands: itself, and those
    /// alike of which nobody was told (RFC 5965 3.2, ‘Incidents’).
    #[must_use]
    pub fn from_fn(
        admit: impl Fn(&Address, &str, SystemTime) -> Option<u32> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(admit))
    }

    pub(super) fn admit(
        &self,
        recipient: &Address,
        condition: &str,
        now: SystemTime,
    ) -> Option<u32> {
        (self.0)(recipient, condition, now)
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RateLimiter")
    }
}

#[derive(Debug)]
struct Memory {
    reports: u32,
    period: Duration,
    recipients: Mutex<HashMap<String, Window>>,
}

/// What a recipient got in a period.
#[derive(Debug)]
struct Window {
    begun: SystemTime,
    sent: u32,
    /// How often each condition was met since it was reported. One that is not from this window
    /// waits to be reported again.
    conditions: HashMap<String, Condition>,
}

#[derive(Debug)]
struct Condition {
    withheld: u32,
    reported: bool,
}

impl Memory {
    fn new(reports: u32, period: Duration) -> Self {
        Self {
            reports,
            period,
            recipients: Mutex::default(),
        }
    }

    fn admit(&self, recipient: &Address, condition: &str, now: SystemTime) -> Option<u32> {
        let mut recipients = self
            .recipients
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let key = recipient.to_string().to_lowercase();
        if recipients.len() >= RECIPIENTS && !recipients.contains_key(&key) {
            // Two periods, since what was withheld in one is told in the next.
            recipients.retain(|_, window| !window.is_over(now, self.period.saturating_mul(2)));
            if recipients.len() >= RECIPIENTS {
                return None;
            }
        }
        let window = recipients
            .entry(key)
            .or_insert_with(|| Window::begin(now, HashMap::new()));
        if window.is_over(now, self.period) {
            let mut conditions = std::mem::take(&mut window.conditions);
            conditions.retain(|_, condition| condition.withheld > 0 && condition.reported);
            for condition in conditions.values_mut() {
                condition.reported = false;
            }
            *window = Window::begin(now, conditions);
        }
        window.admit(condition, self.reports)
    }
}

impl Window {
    fn begin(begun: SystemTime, conditions: HashMap<String, Condition>) -> Self {
        Self {
            begun,
            sent: 0,
            conditions,
        }
    }

    /// A clock that was set back ends the period as well, rather than making it endless.
    fn is_over(&self, now: SystemTime, period: Duration) -> bool {
        now.duration_since(self.begun)
            .map_or(true, |age| age >= period)
    }

    /// Conditions are kept only once they were reported, so that there are never more of them than
    /// reports in two periods.
    fn admit(&mut self, condition: &str, reports: u32) -> Option<u32> {
        let known = self.conditions.get_mut(condition);
        if self.sent >= reports || known.as_ref().is_some_and(|known| known.reported) {
            if let Some(known) = known {
                known.withheld = known.withheld.saturating_add(1);
            }
            return None;
        }
        self.sent += 1;
        let withheld = known.map_or(0, |known| known.withheld);
        let reported = Condition {
            withheld: 0,
            reported: true,
        };
        self.conditions.insert(condition.to_owned(), reported);
        Some(withheld.saturating_add(1))
    }
}

/// At a few kilobytes each where all get their reports, some tens of mebibytes.
const RECIPIENTS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + seconds)
    }

    fn address(text: &str) -> Address {
        Address::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn counts_what_is_alike_and_limits_what_is_not() {
        let limiter = Memory::new(2, Duration::from_secs(60));
        let admit = |condition: &str, seconds| {
            limiter.admit(&address("a@b.example"), condition, at(seconds))
        };
        assert_eq!(admit("x", 0), Some(1));
        assert_eq!(admit("x", 1), None);
        assert_eq!(admit("y", 2), Some(1));
        assert_eq!(admit("z", 3), None);
        assert_eq!(admit("x", 59), None);
        // The next period tells of those that were like x; of z nobody was told, nor counted.
        assert_eq!(admit("x", 60), Some(3));
        assert_eq!(admit("z", 61), Some(1));
        assert_eq!(admit("y", 62), None);
        // What was withheld is not carried for ever.
        assert_eq!(admit("q", 200), Some(1));
        assert_eq!(admit("x", 300), Some(1));
    }

    #[test]
    fn recipients_do_not_share() {
        let limiter = Memory::new(1, Duration::from_secs(60));
        assert_eq!(limiter.admit(&address("a@b.example"), "x", at(0)), Some(1));
        assert_eq!(limiter.admit(&address("A@b.example"), "y", at(0)), None);
        assert_eq!(limiter.admit(&address("c@b.example"), "x", at(0)), Some(1));
        // A clock that was set back.
        assert_eq!(
            limiter.admit(&address("a@b.example"), "y", at(0) - Duration::from_secs(9)),
            Some(1)
        );
    }

    #[test]
    fn memory_is_bounded_and_nothing_is_washed_away() {
        let limiter = Memory::new(1, Duration::from_secs(60));
        for number in 0..RECIPIENTS {
            let recipient = address(&format!("{number}@b.example"));
            assert_eq!(limiter.admit(&recipient, "x", at(0)), Some(1));
        }
        assert_eq!(limiter.admit(&address("new@b.example"), "x", at(1)), None);
        assert_eq!(limiter.admit(&address("0@b.example"), "y", at(1)), None);
        assert_eq!(
            limiter.admit(&address("new@b.example"), "x", at(120)),
            Some(1)
        );
        assert!(limiter.recipients.lock().unwrap().len() < RECIPIENTS);
    }

    #[test]
    fn conditions_are_bounded() {
        let limiter = Memory::new(3, Duration::from_secs(60));
        for second in 0..600 {
            let condition = format!("{second}");
            limiter.admit(&address("a@b.example"), &condition, at(second));
        }
        let recipients = limiter.recipients.lock().unwrap();
        assert!(recipients["a@b.example"].conditions.len() <= 6);
    }
}
