//! Telling the host about every look-up.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use super::record::{Record, resolve_by};
use super::recording::AnswerSummary;
use super::{Lookup, Mx, Name, RecordType, Resolver, Txt};

/// Is told of look-ups, for metrics and logs.
///
/// Every method has an empty default, and further methods will have one too. Rooms above this one
/// tell of more than look-ups by a trait of their own that has this one as its supertrait.
///
/// The methods are called in the course of a verification and must not block. They may be called
/// from several threads at once.
pub trait Observer: Send + Sync {
    /// The time since any fixed point, if look-ups shall be timed: this crate reads no clock.
    fn now(&self) -> Option<Duration> {
        None
    }

    /// A look-up came to its end, or was given up.
    fn lookup(&self, report: &LookupReport<'_>) {
        let _ = report;
    }
}

macro_rules! forward_observer {
    ($($type:ty),*) => {$(
        impl<O: Observer + ?Sized> Observer for $type {
            fn now(&self) -> Option<Duration> {
                (**self).now()
            }

            fn lookup(&self, report: &LookupReport<'_>) {
                (**self).lookup(report);
            }
        }
    )*};
}

forward_observer!(&O, Box<O>, Arc<O>);

/// A look-up that has ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct LookupReport<'a> {
    /// The name that was asked for.
    pub name: &'a Name,
    /// The record type that was asked for.
    pub record_type: RecordType,
    /// What came of it; [`AnswerSummary::Unanswered`] if it was given up.
    pub answer: AnswerSummary,
    /// How long it took by the observer's clock.
    pub elapsed: Option<Duration>,
}

/// A resolver that reports every look-up to an observer.
///
/// Around a cache it sees what verifications ask for; inside of one, as the
/// resolver that the cache asks, what goes over the network.
///
/// ```
/// use mailproof::dns::{LookupReport, Observed, Observer, Resolver, Zone, block_on};
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use std::time::{Duration, Instant};
///
/// struct Metrics {
///     start: Instant,
///     lookups: AtomicUsize,
/// }
///
/// impl Observer for Metrics {
///     fn now(&self) -> Option<Duration> {
///         Some(self.start.elapsed())
///     }
///     fn lookup(&self, report: &LookupReport<'_>) {
///         self.lookups.fetch_add(1, Ordering::Relaxed);
///         eprintln!("{} {}: {}", report.record_type, report.name, report.answer);
///     }
/// }
///
/// let metrics = Metrics { start: Instant::now(), lookups: AtomicUsize::new(0) };
/// let resolver = Observed::new(Zone::new(), &metrics);
/// block_on(resolver.txt(&"example.com".parse()?))?;
/// assert_eq!(metrics.lookups.load(Ordering::Relaxed), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Observed<R, O> {
    resolver: R,
    observer: O,
}

impl<R, O> Observed<R, O> {
    /// Passes all look-ups on to `resolver` and reports them to `observer`.
    pub fn new(resolver: R, observer: O) -> Self {
        Self { resolver, observer }
    }
}

impl<R: Resolver, O: Observer> Observed<R, O> {
    fn lookup<'a, T: Record>(&'a self, name: &'a Name) -> Lookup<'a, T> {
        let pending = PendingReport {
            observer: &self.observer,
            started: self.observer.now(),
            name,
            record_type: T::TYPE,
            answer: AnswerSummary::Unanswered,
        };
        T::ask(&self.resolver, name).inspect(move |result| pending.answered(result.into()))
    }
}

impl<R: Resolver, O: Observer> Resolver for Observed<R, O> {
    resolve_by!(lookup);
}

/// Reports when it is dropped, so that a look-up which is given up is reported as well.
struct PendingReport<'a, O: Observer> {
    observer: &'a O,
    started: Option<Duration>,
    name: &'a Name,
    record_type: RecordType,
    answer: AnswerSummary,
}

impl<O: Observer> PendingReport<'_, O> {
    fn answered(mut self, answer: AnswerSummary) {
        self.answer = answer;
    }
}

impl<O: Observer> Drop for PendingReport<'_, O> {
    fn drop(&mut self) {
        let started = self.started;
        let elapsed = started.and_then(|started| self.observer.now()?.checked_sub(started));
        self.observer.lookup(&LookupReport {
            name: self.name,
            record_type: self.record_type,
            answer: std::mem::replace(&mut self.answer, AnswerSummary::Unanswered),
            elapsed,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{LookupError, Zone, block_on};
    use std::sync::Mutex;
    use std::task::{Context, Waker};

    #[derive(Default)]
    struct Log {
        lines: Mutex<Vec<String>>,
        clock: Mutex<Duration>,
    }

    impl Observer for Log {
        fn now(&self) -> Option<Duration> {
            let mut clock = self.clock.lock().unwrap();
            *clock += Duration::from_secs(1);
            Some(*clock)
        }

        fn lookup(&self, report: &LookupReport<'_>) {
            self.lines.lock().unwrap().push(format!("{report:?}"));
        }
    }

    struct Silent;

    impl Observer for Silent {}

    #[test]
    fn answers_errors_and_dropped_lookups() {
        let mut zone = Zone::new();
        zone.add_txt("a.example", "x")
            .unwrap()
            .fail("b.example", LookupError::ServFail)
            .unwrap();
        let gate = zone.gate("c.example").unwrap();
        let log = Arc::new(Log::default());
        let resolver = Observed::new(&zone, Arc::clone(&log));
        let name = |name: &str| name.parse::<Name>().unwrap();
        let answers = || {
            let mut lines = log.lines.lock().unwrap();
            std::mem::take(&mut *lines).join("\n")
        };
        let line = |record_type: &str, name: &str, answer: &str| {
            format!(
                "LookupReport {{ name: \"{name}\", record_type: {record_type}, answer: {answer}, \
                 elapsed: Some(1s) }}"
            )
        };

        block_on(resolver.txt(&name("a.example"))).unwrap();
        assert_eq!(answers(), line("Txt", "a.example", "Records(1)"));
        block_on(resolver.mx(&name("b.example"))).unwrap_err();
        assert_eq!(answers(), line("Mx", "b.example", "Error(ServFail)"));
        let waiting = name("c.example");
        let mut context = Context::from_waker(Waker::noop());
        let mut lookup = Box::pin(resolver.a(&waiting));
        assert!(lookup.as_mut().poll(&mut context).is_pending());
        assert_eq!(answers(), "");
        drop(lookup);
        assert_eq!(answers(), line("A", "c.example", "Unanswered"));
        let mut lookup = Box::pin(resolver.a(&waiting));
        gate.open();
        assert!(lookup.as_mut().poll(&mut context).is_ready());
        drop(lookup);
        assert_eq!(answers(), line("A", "c.example", "NoData"));
    }

    #[test]
    fn an_observer_needs_no_method() {
        let resolver = Observed::new(Zone::new(), Silent);
        block_on(resolver.ptr(&"x.example".parse().unwrap())).unwrap();
    }
}
