#![doc = include_str!("codes.md")]

mod arc;
mod bounce;
mod catalogue;
mod dkim;
mod dmarc;
mod finding;
mod forensics;
mod notes;
mod relay;
mod spf;

use crate::domain::Domain;
use crate::message::Message;
use crate::verdict::Verdict;

pub use bounce::Bounce;
pub use finding::{Code, Finding, Severity, Value, Who};

impl Verdict {
    /// Explains the verdict from the facts it keeps: without the message, and without asking anything.
    /// The most decisive finding comes first. The codes are listed in [`diagnosis`](self).
    ///
    /// ```
    /// use mailproof::dns::{Zone, block_on};
    /// use mailproof::{Message, Session, Verifier};
    ///
    /// let mut zone = Zone::new();
    /// zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject")?;
    /// let session = Session::new([192, 0, 2, 1].into(), "mail.example.net", "me@example.net");
    /// let message = Message::parse(b"From: me@example.com\r\n\r\nHello\r\n");
    /// let verdict = block_on(Verifier::new(zone).verify(&session, &message));
    /// let findings = verdict.diagnosis();
    /// assert_eq!(findings[0].code().as_str(), "dmarc-nothing-authenticated");
    /// assert!(findings[0].sentence().contains("example.com"));
    /// # Ok::<(), mailproof::dns::NameError>(())
    /// ```
    #[must_use]
    pub fn diagnosis(&self) -> Vec<Finding> {
        let view = View::of(self);
        let mut findings = dmarc::before(&view);
        findings.extend(dmarc::decision(&view));
        findings.extend(dkim::failures(&view));
        findings.extend(relay::findings(&view));
        findings.extend(dmarc::alignment(&view));
        findings.extend(spf::weak_pass(&view));
        findings.extend(dmarc::outcome(&view));
        findings.extend(arc::findings(&view));
        findings.extend(dkim::others(&view));
        findings.extend(spf::findings(&view));
        findings.extend(notes::findings(&view));
        findings.sort_by_key(Finding::severity);
        findings
    }

    /// Adds what only the message can tell: why each failed signature failed, which field was
    /// changed, what was added to the body. `message` must be the one that was verified; findings that
    /// are no proof say so ([`Finding::is_certain`]). Nothing is asked of the DNS: the keys are those
    /// the verdict has seen. The work is bounded, but this hashes the body and checks signatures some
    /// hundred times: call it when somebody asks why.
    ///
    /// ```
    /// use mailproof::dns::{Zone, block_on};
    /// use mailproof::{Message, Session, Verifier};
    ///
    /// let session = Session::new([192, 0, 2, 1].into(), "mail.example.net", "me@example.net");
    /// let message = Message::parse(b"From: me@example.com\r\n\r\nHello\r\n");
    /// let verdict = block_on(Verifier::new(Zone::new()).verify(&session, &message));
    /// assert!(verdict.forensics(&message).is_empty());
    /// ```
    #[must_use]
    pub fn forensics(&self, message: &Message<'_>) -> Vec<Finding> {
        forensics::findings(self, message)
    }
}

/// A verdict with what is asked of it again and again.
struct View<'v> {
    verdict: &'v Verdict,
    author: Option<&'v Domain>,
    /// The domain that SPF was checked for.
    envelope: Option<&'v Domain>,
    passes: bool,
}

impl<'v> View<'v> {
    fn of(verdict: &'v Verdict) -> Self {
        let dmarc = verdict.dmarc();
        Self {
            verdict,
            author: dmarc.author_domain().or(verdict.author().domain()),
            envelope: verdict.spf().authoritative().domain(),
            passes: dmarc.result() == crate::dmarc::DmarcResult::Pass,
        }
    }

    /// Whether a domain is of the author's organization, as far as that is known without a look-up:
    /// by the evaluation, else by one name being below the other.
    fn is_authors(&self, domain: &Domain) -> bool {
        let Some(author) = self.author else {
            return false;
        };
        let dmarc = self.verdict.dmarc();
        let known = dmarc
            .identifiers()
            .iter()
            .any(|alignment| alignment.domain() == domain && alignment.relaxed());
        let organization = dmarc.organizational_domain().or(dmarc.policy_domain());
        known
            || organization.is_some_and(|organization| domain.is_within(organization))
            || domain.is_within(author)
            || author.is_within(domain)
    }
}

#[cfg(test)]
mod tests;
