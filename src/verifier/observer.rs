//! Telling the host what a verification does, for metrics and logs.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::dkim::Verification;
use crate::dns::Question;
use crate::verdict::{LimitHit, Verdict};

/// Is told of look-ups, signatures, limits and verdicts.
///
/// Every method has an empty default, and further methods will have one too. They are called in the
/// course of a verification and must not block; they may be called from several threads at once.
///
/// ```
/// use mailproof::dns::{Question, Zone, block_on};
/// use mailproof::verifier::Observer;
/// use mailproof::{Message, Session, Verdict, Verifier};
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// #[derive(Default)]
/// struct Counters {
///     lookups: AtomicUsize,
///     verdicts: AtomicUsize,
/// }
///
/// impl Observer for Counters {
///     fn lookup(&self, _: &Question, _: Option<Duration>) {
///         self.lookups.fetch_add(1, Ordering::Relaxed);
///     }
///
///     fn verdict(&self, _: &Verdict) {
///         self.verdicts.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// let counters = Arc::new(Counters::default());
/// let verifier = Verifier::new(Zone::new()).observed_by(Arc::clone(&counters));
/// let session = Session::new([192, 0, 2, 1].into(), "mx.example.com", "me@example.com");
/// let message = Message::parse(b"From: me@example.com\r\n\r\n");
/// block_on(verifier.verify(&session, &message));
/// assert!(counters.lookups.load(Ordering::Relaxed) > 0);
/// assert_eq!(counters.verdicts.load(Ordering::Relaxed), 1);
/// ```
pub trait Observer: Send + Sync {
    /// The time since any fixed point, if look-ups shall be timed: this crate reads no clock for it.
    fn now(&self) -> Option<Duration> {
        None
    }

    /// A look-up came to its end, or was given up
    /// ([`Answer::Unanswered`](crate::dns::Answer::Unanswered)), after this time by
    /// [`now`](Self::now). To be told of what goes over the network behind a cache, see
    /// [`dns::Observed`](crate::dns::Observed).
    fn lookup(&self, question: &Question, elapsed: Option<Duration>) {
        let _ = (question, elapsed);
    }

    /// A signature was judged.
    fn signature(&self, verification: &Verification) {
        let _ = verification;
    }

    /// A limit kept something from being done.
    fn limit(&self, limit: &LimitHit) {
        let _ = limit;
    }

    /// A message was judged.
    fn verdict(&self, verdict: &Verdict) {
        let _ = verdict;
    }
}

impl<O: Observer + ?Sized> Observer for Arc<O> {
    fn now(&self) -> Option<Duration> {
        (**self).now()
    }

    fn lookup(&self, question: &Question, elapsed: Option<Duration>) {
        (**self).lookup(question, elapsed);
    }

    fn signature(&self, verification: &Verification) {
        (**self).signature(verification);
    }

    fn limit(&self, limit: &LimitHit) {
        (**self).limit(limit);
    }

    fn verdict(&self, verdict: &Verdict) {
        (**self).verdict(verdict);
    }
}

/// The observer of a verifier, if it has one.
#[derive(Clone, Default)]
pub(super) struct Watch(pub(super) Option<Arc<dyn Observer>>);

impl Watch {
    /// Tells of everything that a verdict holds.
    pub(super) fn judged(&self, verdict: &Verdict) {
        let Some(observer) = &self.0 else {
            return;
        };
        verdict
            .dkim()
            .iter()
            .for_each(|verification| observer.signature(verification));
        verdict
            .limits_hit()
            .iter()
            .for_each(|limit| observer.limit(limit));
        observer.verdict(verdict);
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() {
            "Watch(observer)"
        } else {
            "Watch(nobody)"
        })
    }
}
