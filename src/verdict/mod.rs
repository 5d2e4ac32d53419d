//! What is known about a message after all checks, and what a receiver does with it.
//!
//! A [`Verdict`] keeps every method's result with its reason. What the author's domain asks for is a
//! [`Disposition`](crate::dmarc::Disposition); what the receiver does is an [`Action`], decided by
//! a [`Policy`] which never changes a result.

mod action;
mod decide;
mod earlier;
mod limit;
mod local;
mod relay;
mod reply;

use crate::arc;
use crate::auth_results::{AuthenticationResults, AuthservId, Method, MethodResult, ResultWord};
use crate::dkim;
use crate::dmarc;
use crate::dns::{Question, Transcript};
use crate::domain::Domain;
use crate::identifier::AuthenticatedIdentifier;
use crate::message::{Anomalies, Author};
use crate::session::Session;
use crate::spf;

use action::Decision;
pub use action::{Action, Override, Policy, Reason, RejectRule};
pub use earlier::EarlierSpf;
pub use limit::LimitHit;
pub(crate) use limit::crowded;
pub use local::{Trust, TrustedForwarder};
pub use relay::Relay;
pub use reply::SmtpReply;

/// Everything that was found out about one message: owned, and without ties to the message.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Verdict {
    #[cfg_attr(feature = "serde", serde(flatten))]
    facts: Facts,
    decision: Decision,
}

/// The facts that a [`Verdict`] is made of.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(crate) struct Facts {
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) session: Session,
    pub(crate) author: Author,
    pub(crate) anomalies: Anomalies,
    pub(crate) relay: Relay,
    pub(crate) spf: spf::SessionEvaluation,
    pub(crate) dkim: Vec<dkim::Verification>,
    pub(crate) arc: arc::Validation,
    pub(crate) dmarc: dmarc::Evaluation,
    #[cfg_attr(feature = "serde", serde(rename = "dns", serialize_with = "questions"))]
    pub(crate) transcript: Transcript,
    /// The names that had more records than were looked at.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) crowded: Vec<LimitHit>,
}

impl Facts {
    /// The domains that SPF and DKIM authenticate, or might have.
    pub(crate) fn identifiers(&self) -> impl Iterator<Item = AuthenticatedIdentifier> {
        let dkim = self
            .dkim
            .iter()
            .filter_map(dkim::Verification::authenticated_identifier);
        self.spf.authenticated_identifier().into_iter().chain(dkim)
    }

    /// The aligned identifier that could not be checked; where there are several, that of a signature.
    fn unknown_identifier(&self) -> Option<&dmarc::Alignment> {
        let identifiers = self.dmarc.identifiers().iter();
        identifiers
            .filter(|one| one.why_not() == Some(&dmarc::WhyNot::NotChecked))
            .min_by_key(|one| one.method())
    }

    /// Whether a domain belongs to the author's organization, by name.
    fn is_of_author(&self, domain: &Domain) -> bool {
        // Where no identifier made the organizational domain worth a look-up, the policy's domain
        // is the closest thing to it.
        let organization = self.dmarc.organizational_domain();
        organization
            .or(self.dmarc.policy_domain())
            .is_some_and(|organization| domain.is_within(organization))
    }
}

impl Verdict {
    /// Decides what to do about the facts.
    pub(crate) fn new(facts: Facts, policy: &Policy) -> Self {
        let decision = decide::decide(policy, &facts);
        let mut verdict = Self { facts, decision };
        if let Some(decision) = decide::excepted(policy, &verdict) {
            verdict.decision = decision;
        }
        verdict
    }

    /// The session in which the message arrived.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.facts.session
    }

    /// Who the message says it is from.
    #[must_use]
    pub fn author(&self) -> &Author {
        &self.facts.author
    }

    /// What is unusual about the header block.
    #[must_use]
    pub fn anomalies(&self) -> &Anomalies {
        &self.facts.anomalies
    }

    /// The traces that forwarders and lists left.
    #[must_use]
    pub fn relay(&self) -> &Relay {
        &self.facts.relay
    }

    /// The results of SPF, for HELO and for MAIL FROM.
    #[must_use]
    pub fn spf(&self) -> &spf::SessionEvaluation {
        &self.facts.spf
    }

    /// The result of each DKIM signature, in the order of the message; empty without signatures.
    #[must_use]
    pub fn dkim(&self) -> &[dkim::Verification] {
        &self.facts.dkim
    }

    /// The result of the ARC chain. It never changes that of DMARC.
    #[must_use]
    pub fn arc(&self) -> &arc::Validation {
        &self.facts.arc
    }

    /// The result of DMARC.
    #[must_use]
    pub fn dmarc(&self) -> &dmarc::Evaluation {
        &self.facts.dmarc
    }

    /// What was asked of the DNS, in the order of the questions, and what it said.
    #[must_use]
    pub fn questions(&self) -> impl ExactSizeIterator<Item = Question> {
        self.facts.transcript.questions()
    }

    /// All that the DNS was asked and answered: to be attached to a ticket, and replayed.
    #[must_use]
    pub fn transcript(&self) -> &Transcript {
        &self.facts.transcript
    }

    /// The limits that kept something from being done; usually none.
    #[must_use]
    pub fn limits_hit(&self) -> Vec<LimitHit> {
        limit::hit(self)
    }

    /// What to do with the message.
    #[must_use]
    pub fn action(&self) -> Action {
        self.decision.action
    }

    /// Why that is done.
    #[must_use]
    pub fn reason(&self) -> &Reason {
        &self.decision.reason
    }

    /// Why the action is not what the author domain asked for, in the terms of aggregate reports
    /// (RFC 9990 3.1.1.6) and in one sentence; `None` where it is, or where nothing was asked for
    /// since DMARC did not fail.
    #[must_use]
    pub fn overridden(&self) -> Option<(Override, &str)> {
        let overridden = self.decision.overridden.as_ref();
        overridden.map(|overridden| (overridden.kind, overridden.comment.as_str()))
    }

    /// The one of the [`trusted_forwarders`](Policy::trusted_forwarders) that the envelope names, and
    /// what came of holding the message against it; `None` where it names none of them.
    #[must_use]
    pub fn trust(&self) -> Option<(&TrustedForwarder, Trust)> {
        let trusted = self.decision.trust.as_ref();
        trusted.map(|trusted| (&trusted.forwarder, trusted.trust))
    }

    /// The first trusted hop of a valid ARC chain, by the number of its set.
    pub(crate) fn trusted_set(&self) -> Option<u8> {
        self.decision.trusted_set
    }

    /// Whose records could not be looked up, where the message is deferred for that.
    pub(crate) fn unknown_domain(&self) -> Option<Domain> {
        let facts = &self.facts;
        let domain = match (self.reason(), facts.dmarc.cause()) {
            (Reason::SpfUnknown, _) => facts.spf.authoritative().domain(),
            (Reason::KeyUnknown, _) => match facts.unknown_identifier() {
                Some(identifier) => Some(identifier.domain()),
                None => return facts.relay.unknown_signer(facts),
            },
            (Reason::PolicyUnknown, dmarc::Cause::AlignmentUnknown { domain, .. }) => Some(domain),
            (Reason::PolicyUnknown, _) => facts.dmarc.author_domain(),
            _ => None,
        };
        domain.cloned()
    }

    /// The reply to give where the message is rejected or deferred. Mail that is delivered or
    /// quarantined is accepted with the server's own words.
    #[must_use]
    pub fn smtp_reply(&self) -> Option<SmtpReply> {
        reply::of(self)
    }

    /// The results as an Authentication-Results field (RFC 8601), to be put above the message. Of
    /// many signatures, all that pass are in it, and the first of the others.
    #[must_use]
    pub fn authentication_results(&self, authserv_id: &AuthservId) -> AuthenticationResults {
        let mut field = AuthenticationResults::new(authserv_id.clone());
        let spf = [self.facts.spf.mail_from(), self.facts.spf.helo()];
        field.results.extend(
            spf.into_iter()
                .flatten()
                .map(spf::Evaluation::to_method_result),
        );
        if self.facts.dkim.is_empty() {
            field
                .results
                .push(MethodResult::new(Method::Dkim, ResultWord::None));
        }
        let listed =
            self.facts.dkim.iter().enumerate().filter(|(at, one)| {
                *at < LISTED_SIGNATURES || one.result() == dkim::DkimResult::Pass
            });
        field
            .results
            .extend(listed.map(|(_, one)| one.to_method_result()));
        let client_ip = self.facts.session.client_ip();
        field
            .results
            .push(self.facts.arc.to_method_result(client_ip));
        field.results.push(self.facts.dmarc.to_method_result());
        field
    }
}

/// Who sends thousands of broken signatures must not make the field as long: twice what is
/// evaluated by default.
const LISTED_SIGNATURES: usize = 20;

#[cfg(feature = "serde")]
fn questions<S: serde::Serializer>(
    transcript: &Transcript,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(transcript.questions())
}
