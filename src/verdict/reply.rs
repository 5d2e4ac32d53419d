//! SMTP replies: the enhanced status codes of RFC 7372 and RFC 9989 7.2.

use std::fmt;

use super::{Action, Reason, Verdict};
use crate::domain::Domain;
use crate::text;

/// A reply to the end of DATA.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct SmtpReply {
    /// The reply code, 451 or 550.
    pub code: u16,
    /// The enhanced status code (RFC 3463), as in `5.7.1`.
    pub enhanced: &'static str,
    /// The text: one line of printable characters.
    pub text: String,
}

impl fmt::Display for SmtpReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.code, self.enhanced, self.text)
    }
}

/// The reply for a verdict, if its action needs one. Each reason has one code.
pub(super) fn of(verdict: &Verdict) -> Option<SmtpReply> {
    let (code, enhanced) = match (verdict.action(), verdict.reason()) {
        (Action::Deliver | Action::Quarantine, _) => return None,
        // RFC 9989 7.2: 5.7.1, with the word DMARC in the text.
        (Action::Reject, Reason::DmarcPolicy | Reason::AuthorUnusable) => (550, "5.7.1"),
        // RFC 7372 3.2.
        (Action::Reject, Reason::SpfFail) => (550, "5.7.23"),
        (Action::Reject, Reason::SpfPermerror) => (550, "5.7.24"),
        // RFC 7372 3.3.
        (Action::Reject, Reason::SeveralMethods) => (550, "5.7.26"),
        (Action::Defer, Reason::SpfUnknown) => (451, "4.7.24"),
        // RFC 6376 6.1.2: ‘a 451/4.7.5 reply code’ where the key is unavailable.
        (Action::Defer, Reason::KeyUnknown) => (451, "4.7.5"),
        (Action::Defer, _) => (451, "4.7.1"),
        // These reasons quarantine.
        (
            Action::Reject,
            Reason::NothingAgainst
            | Reason::AuthorAuthenticated
            | Reason::RelayedByForwarder { .. }
            | Reason::RelayedByList { .. }
            | Reason::RelayedBySealer { .. }
            | Reason::RejectRuleNever
            | Reason::TrustedForwarder(_)
            | Reason::Excepted
            | Reason::UpgradedSpf
            | Reason::KeyUnknown
            | Reason::PolicyUnknown
            | Reason::SpfUnknown
            | Reason::TrustedSealer { .. },
        ) => (550, "5.7.1"),
    };
    Some(SmtpReply {
        code,
        enhanced,
        text: text::one_line(&words(verdict), TEXT_CHARACTERS),
    })
}

fn words(verdict: &Verdict) -> String {
    let author = match verdict.dmarc().author_domain() {
        Some(domain) => domain.as_str(),
        None => "its author",
    };
    let spf = verdict.spf().authoritative();
    let sender = spf.domain().map_or("the sender", |domain| domain.as_str());
    let client = verdict.session().client_ip();
    let client = client.map_or("the client".into(), |client| client.to_string());
    match verdict.reason() {
        Reason::SpfFail => {
            let mut words = format!("SPF fail: {sender} does not permit {client} to send its mail");
            if let Some(explanation) = spf.explanation() {
                // RFC 7208 8.4: say that the text is the sender's and not ours.
                words.push_str(&format!("; {explanation}"));
            }
            words
        }
        Reason::SpfPermerror => format!("SPF permerror: the SPF record of {sender} is broken"),
        Reason::AuthorUnusable => {
            "DMARC cannot be applied: the message does not have exactly one author domain".into()
        }
        Reason::SeveralMethods => format!(
            "DMARC and SPF fail: nothing authenticates {author}, whose policy asks to reject, and \
             {sender} does not permit {client}"
        ),
        reason @ (Reason::KeyUnknown | Reason::PolicyUnknown | Reason::SpfUnknown) => {
            let domain = verdict.unknown_domain();
            let domain = domain.as_ref().map_or("the sender", Domain::as_str);
            format!("{reason} of {domain}, try again")
        }
        Reason::DmarcPolicy
        | Reason::AuthorAuthenticated
        | Reason::NothingAgainst
        | Reason::RelayedByForwarder { .. }
        | Reason::RelayedByList { .. }
        | Reason::RelayedBySealer { .. }
        | Reason::TrustedForwarder(_)
        | Reason::Excepted
        | Reason::UpgradedSpf
        | Reason::RejectRuleNever
        | Reason::TrustedSealer { .. } => {
            format!("DMARC fail: nothing authenticates {author}, whose policy asks to reject")
        }
    }
}

/// RFC 5321 4.5.3.1.5: ‘The maximum total length of a reply line including the reply code and the
/// <CRLF> is 512 octets’; the codes take 11 of them.
const TEXT_CHARACTERS: usize = 499;
