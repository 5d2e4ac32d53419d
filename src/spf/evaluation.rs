//! What a check found out.

use std::fmt;
use std::time::Duration;

use super::cause::{Cause, Matched};
use super::trace::Trace;
use super::{Identity, SpfResult};
use crate::auth_results::{Method, MethodResult, Property};
use crate::dns::Name;
use crate::domain::Domain;

/// The outcome of one check_host(): the result, why, and what it cost.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Evaluation {
    pub(super) result: SpfResult,
    pub(super) identity: Identity,
    pub(super) domain: Option<Domain>,
    pub(super) cause: Cause,
    pub(super) explanation: Option<Explanation>,
    pub(super) lookups: usize,
    pub(super) void_lookups: usize,
    pub(super) queries: usize,
    pub(super) ttl: Option<Duration>,
    pub(super) depends_on_sender: bool,
    pub(super) trace: Option<Trace>,
}

impl Evaluation {
    /// An evaluation that asked nothing.
    pub(super) fn unasked(identity: Identity, cause: Cause) -> Self {
        Self {
            result: cause.result(),
            identity,
            domain: None,
            cause,
            explanation: None,
            lookups: 0,
            void_lookups: 0,
            queries: 0,
            ttl: None,
            depends_on_sender: false,
            trace: None,
        }
    }

    /// The result word.
    #[must_use]
    pub fn result(&self) -> SpfResult {
        self.result
    }

    /// Which identity was checked.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// The domain that was checked; `None` where the identity holds none.
    #[must_use]
    pub fn domain(&self) -> Option<&Domain> {
        self.domain.as_ref()
    }

    /// Why the result is what it is.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The directive that matched, if one did: its prefix and width tell how much the result is
    /// worth.
    #[must_use]
    pub fn matched(&self) -> Option<&Matched> {
        match &self.cause {
            Cause::Matched(matched) => Some(matched),
            _ => None,
        }
    }

    /// What the domain says about a fail (§6.2).
    #[must_use]
    pub fn explanation(&self) -> Option<&Explanation> {
        self.explanation.as_ref()
    }

    /// How many terms that cause look-ups were evaluated, of the ten of §4.6.4. `%{p}` in a term
    /// counts as one more; the record of the domain itself and explanations do not count.
    #[must_use]
    pub fn lookups(&self) -> usize {
        self.lookups
    }

    /// How many look-ups were void. Unless
    /// [each empty answer](super::Settings::every_empty_answer_is_void) counts, a host whose other
    /// family was not asked for does as well.
    #[must_use]
    pub fn void_lookups(&self) -> usize {
        self.void_lookups
    }

    /// How many questions were put to the DNS in all.
    #[must_use]
    pub fn queries(&self) -> usize {
        self.queries
    }

    /// The shortest time to live among the answers that gave one: for so long the result may be
    /// kept, except for a temperror.
    #[must_use]
    pub fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// Whether a term used the sender or HELO, so that before its [`ttl`](Self::ttl) is over the
    /// result can be used again for the same sender and HELO only. It can be for any sender of the same
    /// domain and client address otherwise (§7.3).
    #[must_use]
    pub fn depends_on_sender(&self) -> bool {
        self.depends_on_sender
    }

    /// What was done, in order, a line for each event: questions to the DNS with the kind of answer,
    /// records, expansions of macros, and directives that were compared with the client. As many as
    /// [`Settings::trace_events`](super::Settings::trace_events) asks for, none by default.
    pub fn trace(&self) -> impl Iterator<Item = String> {
        self.trace.iter().flat_map(Trace::lines)
    }

    /// How many events came after those; 0 where none was asked for.
    #[must_use]
    pub fn trace_dropped(&self) -> usize {
        self.trace.as_ref().map_or(0, Trace::dropped)
    }

    /// The result for Authentication-Results: `smtp.mailfrom` or `smtp.helo` is the domain without
    /// a local part (RFC 8601 2.7.2).
    #[must_use]
    pub fn to_method_result(&self) -> MethodResult {
        let result = MethodResult::new(Method::Spf, self.result.into());
        let name = match self.identity {
            Identity::Helo => "helo",
            Identity::MailFrom => "mailfrom",
        };
        match &self.domain {
            Some(domain) => result.with_property(Property::smtp(name, domain.as_str())),
            None => result,
        }
    }
}

/// Text of the checked domain about a fail (§6.2): a stranger's words, to be shown as such.
///
/// It is one line of printable ASCII, at most [`MAX_LENGTH`](Self::MAX_LENGTH) characters long.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Explanation {
    pub(super) domain: Name,
    pub(super) text: Box<str>,
}

impl Explanation {
    /// The RFC sets no bound; an SMTP reply line has 512 octets.
    pub const MAX_LENGTH: usize = 500;

    /// Whose words these are.
    #[must_use]
    pub fn domain(&self) -> &Name {
        &self.domain
    }

    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Explanation {
    /// Names the author, as §6.2 proposes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} explains: {}", self.domain, self.text)
    }
}
