//! Telling the host of every look-up.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use super::record::{Record, resolve_by};
use super::{Lookup, LookupError, Mx, Name, Outcome, Question, Resolver, Txt};

/// A resolver that tells of every look-up that ends or is given up, for metrics and logs.
///
/// Around a cache it sees what verifications ask for; inside of one, as the resolver that the cache
/// asks, what goes over the network. A [`verifier::Observer`](crate::verifier::Observer) is told of the
/// former anyway.
///
/// ```
/// use mailproof::dns::{Observed, Resolver, Zone, block_on};
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use std::time::Instant;
///
/// let lookups = Arc::new(AtomicUsize::new(0));
/// let (counter, start) = (Arc::clone(&lookups), Instant::now());
/// let resolver = Observed::new(Zone::new(), move |question, elapsed| {
///     counter.fetch_add(1, Ordering::Relaxed);
///     eprintln!("{question} after {elapsed:?}"); // TXT example.com: no such name after Some(3µs)
/// })
/// .clock(move || start.elapsed());
/// block_on(resolver.txt(&"example.com".parse()?))?;
/// assert_eq!(lookups.load(Ordering::Relaxed), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Observed<R> {
    resolver: R,
    #[expect(clippy::type_complexity, reason = "its parts have no use elsewhere")]
    tell: Arc<dyn Fn(&Question, Option<Duration>) + Send + Sync>,
    clock: Arc<dyn Fn() -> Option<Duration> + Send + Sync>,
}

impl<R> Observed<R> {
    /// Passes all look-ups on to `resolver`, and tells of each what came of it
    /// ([`Answer::Unanswered`](super::Answer::Unanswered) if it was given up) and, with a
    /// [`clock`](Self::clock), how long it took.
    ///
    /// `tell` is called in the course of a verification and must not block; it may be called from
    /// several threads at once.
    pub fn new(
        resolver: R,
        tell: impl Fn(&Question, Option<Duration>) + Send + Sync + 'static,
    ) -> Self {
        Self {
            resolver,
            tell: Arc::new(tell),
            clock: Arc::new(|| None),
        }
    }

    /// Times the look-ups by this clock, the time since any fixed point: this crate reads none.
    #[must_use]
    pub fn clock(self, clock: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        self.possible_clock(move || Some(clock()))
    }

    /// A clock that may not be there.
    pub(crate) fn possible_clock(
        mut self,
        clock: impl Fn() -> Option<Duration> + Send + Sync + 'static,
    ) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

impl<R: Resolver> Observed<R> {
    fn lookup<'a, T: Record>(&'a self, name: &'a Name) -> Lookup<'a, T> {
        let pending = PendingReport {
            observed: self,
            started: (self.clock)(),
            question: Question::unanswered(name, T::TYPE),
        };
        T::ask(&self.resolver, name).inspect(move |result| pending.answered(result))
    }
}

impl<R: Resolver> Resolver for Observed<R> {
    resolve_by!(lookup);
}

impl<R: fmt::Debug> fmt::Debug for Observed<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed")
            .field("resolver", &self.resolver)
            .finish_non_exhaustive()
    }
}

/// Reports when it is dropped, so that a look-up which is given up is reported as well.
struct PendingReport<'a, R> {
    observed: &'a Observed<R>,
    started: Option<Duration>,
    question: Question,
}

impl<R> PendingReport<'_, R> {
    fn answered<T>(mut self, result: &Result<Outcome<T>, LookupError>) {
        self.question = self.question.clone().answered(result);
    }
}

impl<R> Drop for PendingReport<'_, R> {
    fn drop(&mut self) {
        let elapsed = self
            .started
            .and_then(|started| (self.observed.clock)()?.checked_sub(started));
        (self.observed.tell)(&self.question, elapsed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{LookupError, Zone, block_on};
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::task::{Context, Waker};

    #[test]
    fn answers_errors_and_dropped_lookups() {
        let mut zone = Zone::new();
        zone.add_txt("a.example", "x")
            .unwrap()
            .fail("b.example", LookupError::ServFail)
            .unwrap();
        zone.hold("c.example").unwrap();
        let log: Arc<Mutex<Vec<String>>> = Arc::default();
        let lines = Arc::clone(&log);
        let seconds = AtomicU64::new(0);
        let resolver = Observed::new(&zone, move |question, elapsed| {
            lines
                .lock()
                .unwrap()
                .push(format!("{question} {elapsed:?}"));
        })
        .clock(move || Duration::from_secs(seconds.fetch_add(1, Ordering::Relaxed)));
        let name = |name: &str| name.parse::<Name>().unwrap();
        let answers = || std::mem::take(&mut *log.lock().unwrap()).join("\n");
        block_on(resolver.txt(&name("a.example"))).unwrap();
        assert_eq!(answers(), "TXT a.example: 1 record Some(1s)");
        block_on(resolver.mx(&name("b.example"))).unwrap_err();
        assert_eq!(
            answers(),
            "MX b.example: error: the name server failed (SERVFAIL) Some(1s)"
        );
        let waiting = name("c.example");
        let mut context = Context::from_waker(Waker::noop());
        let mut lookup = Box::pin(resolver.a(&waiting));
        assert!(lookup.as_mut().poll(&mut context).is_pending());
        assert_eq!(answers(), "");
        drop(lookup);
        assert_eq!(answers(), "A c.example: unanswered Some(1s)");
        let mut lookup = Box::pin(resolver.a(&waiting));
        zone.release("c.example");
        assert!(lookup.as_mut().poll(&mut context).is_ready());
        drop(lookup);
        assert_eq!(answers(), "A c.example: no data Some(1s)");
    }

    #[test]
    fn without_a_clock_nothing_is_timed() {
        let resolver = Observed::new(Zone::new(), |_, elapsed| assert_eq!(elapsed, None));
        block_on(resolver.ptr(&"x.example".parse().unwrap())).unwrap();
    }
}
