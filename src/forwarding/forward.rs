//! Doing it.

use std::time::SystemTime;

use super::edit;
use crate::arc::{Payload, Sealer};
use crate::auth_results::{AuthservId, Border};
use crate::dkim::{SignError, Signer};
use crate::dmarc::DmarcResult;
use crate::message::Message;
use crate::srs::{Forwarded, Rewriter};
use crate::text;
use crate::verdict::{Action, Verdict};

/// Forwards messages: strips, adds Authentication-Results, signs, seals, rewrites the envelope sender.
///
/// ```
/// use mailproof::dns::{Zone, block_on};
/// use mailproof::forwarding::Forwarder;
/// use mailproof::srs::Rewriter;
/// use mailproof::{Message, Session, Verifier};
/// use std::time::SystemTime;
///
/// let mut zone = Zone::new();
/// zone.add_txt("example.com", "v=spf1 ip4:192.0.2.1 -all")?;
/// let session = Session::new([192, 0, 2, 1].into(), "mail.example.com", "me@example.com");
/// let message = Message::parse(b"From: me@example.com\r\n\r\nHello\r\n");
/// let verdict = block_on(Verifier::new(zone).verify(&session, &message));
///
/// let rewriter = Rewriter::new("fwd.example".parse()?, "a secret of ours")?;
/// let forwarder = Forwarder::new("mx.fwd.example".parse()?, rewriter);
/// let outgoing = forwarder.forward(&verdict, &message, SystemTime::now())?;
/// assert!(outgoing.mail_from.starts_with("SRS0="));
/// assert!(outgoing.message.starts_with(b"Authentication-Results: mx.fwd.example;"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Forwarder {
    authserv_id: AuthservId,
    rewriter: Rewriter,
    signers: Vec<Signer>,
    sealer: Option<Sealer>,
    vouches_for_failures: bool,
}

impl Forwarder {
    /// A forwarder that publishes results under `authserv_id` and rewrites senders with `rewriter`.
    #[must_use]
    pub fn new(authserv_id: AuthservId, rewriter: Rewriter) -> Self {
        Self {
            authserv_id,
            rewriter,
            signers: Vec::new(),
            sealer: None,
            vouches_for_failures: false,
        }
    }

    /// Signs what is forwarded as well, unless it has more of the fields to be signed than verifiers accept.
    #[must_use]
    pub fn signers(mut self, signers: impl IntoIterator<Item = Signer>) -> Self {
        self.signers = signers.into_iter().collect();
        self
    }

    /// Adds an ARC set with the results of the verdict (RFC 8617 5.1), so that receivers that trust the
    /// sealer learn what the message was before it was changed. Chains that are full, or that the last
    /// sealer found to be broken, get no more seals, nor does what is not signed for its number of fields.
    #[must_use]
    pub fn sealer(mut self, sealer: Sealer) -> Self {
        self.sealer = Some(sealer);
        self
    }

    /// Forwards under its own name even what failed. Whoever receives it then sees SPF and DKIM pass for
    /// the forwarder, forged or not.
    #[must_use]
    pub fn vouching_for_failures(mut self) -> Self {
        self.vouches_for_failures = true;
        self
    }

    /// Makes the message and the envelope sender to send on. `message` must be the one the verdict is
    /// about.
    ///
    /// # Errors
    ///
    /// [`ForwardError::Refused`] for what failed, unless
    /// [`vouching_for_failures`](Self::vouching_for_failures); else where the sender cannot be
    /// rewritten or a key does not sign.
    pub fn forward(
        &self,
        verdict: &Verdict,
        message: &Message<'_>,
        now: SystemTime,
    ) -> Result<Outgoing, ForwardError> {
        let (result, action) = (verdict.dmarc().result(), verdict.action());
        if !self.vouches_for_failures && failed(result, action) {
            return Err(ForwardError::Refused { result, action });
        }
        let mail_from = self.sender(verdict, now)?;
        // RFC 8601 5: first what claims to be ours goes, then ours is added.
        let fields = message.head().fields().iter();
        let plan = Border::new(self.authserv_id.clone())
            .strip_plan(fields.map(|field| (field.name(), field.value())));
        let mut removed: Vec<usize> = plan.iter().map(|removal| removal.index).collect();
        let first = message.head().fields().first();
        if first.is_some_and(edit::continues) && removed.last() != Some(&0) {
            removed.push(0);
        }
        let results = verdict.authentication_results(&self.authserv_id);
        let mut octets = edit::rebuilt(message, &format!("{}\r\n", results.to_field()), &removed);
        if !self.signers.is_empty() {
            octets = signed(&self.signers, octets, now)?;
        }
        // RFC 8617 5.1: the seal comes after every change and every signature.
        if let Some(sealer) = &self.sealer {
            let payload = Payload::new(&results);
            octets = sealed(sealer, octets, &payload, verdict, now)?;
        }
        Ok(Outgoing {
            mail_from,
            message: octets,
            removed,
        })
    }

    fn sender(&self, verdict: &Verdict, now: SystemTime) -> Result<String, ForwardError> {
        let mail_from = verdict.session().mail_from();
        let mail_from = mail_from.ok_or(ForwardError::SenderUnknown)?;
        match self.rewriter.forward(mail_from, now) {
            Forwarded::Srs0(address) | Forwarded::Srs1(address) => Ok(address),
            Forwarded::Unchanged(_) => Ok(bare(mail_from)),
            Forwarded::TooLong { address, .. } => Ok(address),
            Forwarded::Malformed(malformed) => Err(ForwardError::Sender(malformed.to_string())),
        }
    }
}

/// With signatures, unless the message has too many fields for any: what a stranger wrote there must not
/// keep mail from being sent on.
pub(super) fn signed(
    signers: &[Signer],
    octets: Vec<u8>,
    now: SystemTime,
) -> Result<Vec<u8>, SignError> {
    match Signer::sign(signers, &Message::parse(&octets), now) {
        Ok(signed) => Ok(edit::below(&signed.header(), &octets)),
        Err(SignError::TooManyFields { .. }) => Ok(octets),
        Err(error) => Err(error),
    }
}

/// With one set more, unless the last seal says that the chain is broken (RFC 8617 5.1, step 2) or the
/// chain is full (RFC 8617 4.2.1), or there are too many fields as for [`signed`].
pub(super) fn sealed(
    sealer: &Sealer,
    octets: Vec<u8>,
    payload: &Payload,
    verdict: &Verdict,
    now: SystemTime,
) -> Result<Vec<u8>, SignError> {
    match sealer.seal(&Message::parse(&octets), payload, verdict.arc(), now) {
        Ok(set) => Ok(edit::below(&set.header(), &octets)),
        Err(SignError::ChainFailed | SignError::ChainFull | SignError::TooManyFields { .. }) => {
            Ok(octets)
        }
        Err(error) => Err(error),
    }
}

/// DMARC said no, or could not say, or the receiver does not want it.
fn failed(result: DmarcResult, action: Action) -> bool {
    match result {
        DmarcResult::Fail | DmarcResult::Permerror | DmarcResult::Temperror => true,
        DmarcResult::Pass | DmarcResult::None => action != Action::Deliver,
    }
}

fn bare(mail_from: &[u8]) -> String {
    let inner = mail_from
        .strip_prefix(b"<")
        .and_then(|rest| rest.strip_suffix(b">"));
    text::lossy(inner.unwrap_or(mail_from)).into_owned()
}

/// What to send on.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Outgoing {
    /// The argument of MAIL FROM, without angle brackets; empty for the null reverse-path.
    pub mail_from: String,
    /// The message.
    pub message: Vec<u8>,
    /// Which fields of the message were removed, by their position from the top, the last first: those
    /// that claim to be ours, and a first line that begins with white space, which would continue what
    /// is put above it.
    pub removed: Vec<usize>,
}

/// Why a message was not forwarded.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ForwardError {
    /// It failed, and the forwarder does not vouch for that.
    #[error("dmarc={result}, action {action}: a forwarder must not vouch for this")]
    Refused {
        /// The result of DMARC.
        result: DmarcResult,
        /// What the verdict says to do.
        action: Action,
    },
    /// The sender cannot be rewritten.
    #[error("the sender cannot be rewritten: {0}")]
    Sender(String),
    /// The session does not tell the sender.
    #[error("the sender is not known")]
    SenderUnknown,
    /// No signature or seal was made.
    #[error("not signed: {0}")]
    Sign(#[from] SignError),
}
