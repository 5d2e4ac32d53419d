//! Both identities of an SMTP session.

mod eval;

use super::evaluation::Evaluation;
use super::{Identity, SpfResult};
use crate::identifier::{AuthenticatedIdentifier, Method, Status};

pub use eval::check_session;

/// What the checks of HELO and MAIL FROM found out.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct SessionEvaluation {
    /// HELO, where it was checked beside MAIL FROM.
    pub(super) helo: Option<Evaluation>,
    /// MAIL FROM, or HELO in place of a null reverse-path.
    pub(super) authoritative: Evaluation,
}

impl SessionEvaluation {
    /// The check of HELO; `None` where the settings left it out.
    #[must_use]
    pub fn helo(&self) -> Option<&Evaluation> {
        match self.authoritative.identity() {
            Identity::Helo => Some(&self.authoritative),
            Identity::MailFrom => self.helo.as_ref(),
        }
    }

    /// The check of MAIL FROM; `None` for the null reverse-path.
    #[must_use]
    pub fn mail_from(&self) -> Option<&Evaluation> {
        match self.authoritative.identity() {
            Identity::Helo => None,
            Identity::MailFrom => Some(&self.authoritative),
        }
    }

    /// The check that counts: of MAIL FROM, or of HELO where the reverse-path is null (§2.4). A
    /// reverse-path that is unknown or malformed gives `none` and says so; it is not null.
    #[must_use]
    pub fn authoritative(&self) -> &Evaluation {
        &self.authoritative
    }

    /// What DMARC may use: RFC 9989 4.4.2 knows only the domain of MAIL FROM, which is that of HELO
    /// where the reverse-path is null. However HELO fares beside a MAIL FROM, it is never this.
    #[must_use]
    pub fn authenticated_identifier(&self) -> Option<AuthenticatedIdentifier> {
        let status = match self.authoritative.result() {
            SpfResult::Pass => Status::Pass,
            SpfResult::Temperror => Status::Temperror,
            SpfResult::None
            | SpfResult::Neutral
            | SpfResult::Fail
            | SpfResult::Softfail
            | SpfResult::Permerror => return None,
        };
        let domain = self.authoritative.domain()?.clone();
        Some(AuthenticatedIdentifier::new(domain, Method::Spf, status))
    }
}
