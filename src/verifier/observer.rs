//! Telling the host what a verification does, for metrics and logs.

use std::fmt;
use std::sync::Arc;

use crate::dkim::Verification;
use crate::dns;
use crate::verdict::{LimitHit, Verdict};

/// Is told of look-ups (by its supertrait), signatures, limits and verdicts.
///
/// Every method has an empty default, and further methods will have one too. They are called in the
/// course of a verification and must not block; they may be called from several threads at once.
///
/// ```
/// use mailproof::dns::{LookupReport, Zone, block_on};
/// use mailproof::{Message, Session, Verdict, Verifier, dns, verifier};
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use std::sync::Arc;
///
/// #[derive(Default)]
/// struct Counters {
///     lookups: AtomicUsize,
///     verdicts: AtomicUsize,
/// }
///
/// impl dns::Observer for Counters {
///     fn lookup(&self, _: &LookupReport<'_>) {
///         self.lookups.fetch_add(1, Ordering::Relaxed);
///     }
/// }
///
/// impl verifier::Observer for Counters {
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
pub trait Observer: dns::Observer {
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
