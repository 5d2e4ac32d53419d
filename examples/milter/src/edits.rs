//! What the mail server is to do with a message.

use mailproof::auth_results::Removal;
use mailproof::verdict::SmtpReply;
use miltr_common::actions::{Action, Continue, Replycode};
use miltr_common::modifications::ModificationResponse;
use miltr_common::modifications::headers::{ChangeHeader, InsertHeader};
use miltr_common::modifications::quarantine::Quarantine;
use serde_json::{Value, json};

use crate::wire;

/// Accept with changes, or refuse with a reply.
#[derive(Debug)]
pub(crate) enum Outcome {
    Accept(Edits),
    Refuse(SmtpReply),
    /// No signature can be made for it, today or later.
    Unsignable,
    /// Something went wrong on our side: nothing is lost if the client comes again.
    TryAgain,
}

/// Changes to a message that is accepted.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    /// Authentication-Results fields to remove.
    pub(crate) removals: Vec<Removal>,
    /// Fields to put above the message, the topmost first.
    pub(crate) fields: Vec<String>,
    /// Why the mail server shall keep the message.
    pub(crate) hold: Option<String>,
}

impl Outcome {
    /// Adds to the log line what became of the message.
    pub(crate) fn describe(&self, line: &mut Value) {
        line["done"] = match self {
            Self::Accept(edits) => {
                line["removed"] = json!(edits.removals.len());
                json!(edits.hold.as_ref().map_or("accepted", |_| "held"))
            }
            Self::Refuse(reply) => json!(reply.to_string()),
            Self::Unsignable => json!("554 5.6.0"),
            Self::TryAgain => json!("451 4.3.0"),
        };
    }

    /// As the milter protocol has it.
    pub(crate) fn into_response(self, leading_space: bool) -> ModificationResponse {
        let mut response = ModificationResponse::builder();
        let edits = match self {
            Self::Accept(edits) => edits,
            Self::Refuse(reply) => return response.build(reply_code(&reply)),
            Self::Unsignable => return response.build(unsignable()),
            Self::TryAgain => return response.build(try_again()),
        };
        // The last first, so that the count of those before holds.
        for removal in &edits.removals {
            let nth = u32::try_from(removal.nth).unwrap_or(u32::MAX);
            response.push(ChangeHeader::new(nth, b"Authentication-Results", b""));
        }
        // Each goes to the top.
        for field in edits.fields.iter().rev() {
            let (name, value) = wire::field(field, leading_space);
            response.push(InsertHeader::new(0, &name, &value));
        }
        if let Some(reason) = &edits.hold {
            response.push(Quarantine::new(reason.as_bytes()));
        }
        response.build(Continue)
    }
}

/// For failures of our own.
pub(crate) fn try_again() -> Action {
    Replycode::new([4, 5, 1], [4, 3, 0], "Not checked, try again later").into()
}

/// For messages with more header than we keep.
pub(crate) fn header_too_large() -> Action {
    Replycode::new([5, 5, 2], [5, 3, 4], "Message header too large").into()
}

/// For messages with more fields to sign than verifiers accept.
fn unsignable() -> Action {
    Replycode::new([5, 5, 4], [5, 6, 0], "Too many header fields to be signed").into()
}

fn reply_code(reply: &SmtpReply) -> Action {
    // Mail servers take the text for a format, where a percent sign is written twice.
    let text = reply.text.replace('%', "%%");
    let mut digits = reply.enhanced.split('.').map(|part| part.parse().ok());
    let mut digit = || digits.next().flatten();
    match (digit(), digit(), digit()) {
        (Some(class), Some(subject), Some(detail)) => {
            Replycode::new(code(reply.code), [class, subject, detail], &text).into()
        }
        _ => Replycode::without_xcode(code(reply.code), &text).into(),
    }
}

fn code(code: u16) -> [u8; 3] {
    [code / 100, code / 10 % 10, code % 10].map(|digit| u8::try_from(digit).unwrap_or(9))
}
