//! The settings of whoever reports, and the way from a verdict to a mail.

use std::time::SystemTime;

use super::compose::Composer;
use super::guard;
use super::limiter::RateLimiter;
use super::redact::Redactor;
use super::{FailureReport, write};
use crate::address::Address;
use crate::auth_results::AuthservId;
use crate::message::Message;
use crate::report::Unreported;
use crate::verdict::Verdict;

/// Makes failure reports in the name of a receiver.
///
/// [`reports`](Self::reports) says what there is to report about a message,
/// [`recipients`](Self::recipients) to whom, and [`mail`](Self::mail) writes it, as often as the
/// limiter admits. The [module](super) shows all three.
///
/// The mail should pass DMARC for the domain of `from` (§5.1): sign it, and send it with an address
/// of that domain as MAIL FROM whose bounces nobody answers.
pub struct Reporter {
    from: Address,
    authserv_id: AuthservId,
    limiter: RateLimiter,
    redactor: Option<Redactor>,
    bodies: bool,
}

impl Reporter {
    /// Reports from this address. `redaction_key` is a secret that should not change, or else the
    /// same user looks like another from then on.
    #[must_use]
    pub fn new(
        from: Address,
        authserv_id: AuthservId,
        redaction_key: impl AsRef<[u8]>,
        limiter: RateLimiter,
    ) -> Self {
        Self {
            from,
            authserv_id,
            limiter,
            redactor: Some(Redactor::new(redaction_key.as_ref())),
            bodies: false,
        }
    }

    /// Leaves local parts and the names of recipients as they are, and adds the canonical header of
    /// a failed signature. Who publishes `ruf` then learns who writes to whom.
    #[must_use]
    pub fn unredacted(mut self) -> Self {
        self.redactor = None;
        self
    }

    /// Sends the bodies of messages as well, and the canonical body of a failed signature, unless
    /// reports are redacted: a body cannot be.
    #[must_use]
    pub fn including_bodies(mut self) -> Self {
        self.bodies = true;
        self
    }

    pub(super) fn from(&self) -> &Address {
        &self.from
    }

    /// What is to be reported about a message: by DMARC's rules, and where `fo` asks for it, a report
    /// for each failed signature (the first four) and for SPF. Never empty. `message` must be the
    /// one that was verified; where its body is not at hand, one with an empty body does, unless
    /// [`including_bodies`](Self::including_bodies) was chosen. `arrival` is when it was received.
    ///
    /// What only the server knows can be added to the reports: the envelope identifier, recipients,
    /// the client's port, what became of the message if not what the verdict says.
    ///
    /// # Errors
    ///
    /// [`Unreported`] says why there is nothing to report.
    pub fn reports(
        &self,
        verdict: &Verdict,
        message: &Message<'_>,
        arrival: SystemTime,
    ) -> Result<Vec<FailureReport>, Unreported> {
        let wanted = guard::wanted(verdict, message.head(), &self.from)?;
        let composer = Composer {
            verdict,
            message,
            arrival,
            authserv_id: &self.authserv_id,
            canonical_header: self.redactor.is_none(),
            body: self.redactor.is_none() && self.bodies,
        };
        let mut reports = Vec::new();
        if wanted.dmarc {
            reports.push(composer.dmarc());
        }
        if wanted.dkim {
            reports.extend(composer.dkim());
        }
        if wanted.spf {
            reports.extend(composer.spf());
        }
        if reports.is_empty() {
            return Err(Unreported::NothingFailed);
        }
        Ok(reports)
    }

    /// The mail that tells one recipient of a report, ready to be signed and sent; `None` where the
    /// limiter holds it back.
    #[must_use]
    pub fn mail(
        &self,
        report: &FailureReport,
        recipient: &Address,
        now: SystemTime,
    ) -> Option<Vec<u8>> {
        let admitted = self.limiter.admit(recipient, &report.condition(), now)?;
        let mut report = match &self.redactor {
            Some(redactor) => redactor.redact(report),
            None => report.clone(),
        };
        report.incidents = report.incidents.max(admitted);
        Some(write::mail(&report, &self.from, recipient, now))
    }
}

impl std::fmt::Debug for Reporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reporter")
            .field("from", &self.from)
            .field("authserv_id", &self.authserv_id)
            .field("redacts", &self.redactor.is_some())
            .field("bodies", &self.bodies)
            .finish_non_exhaustive()
    }
}
