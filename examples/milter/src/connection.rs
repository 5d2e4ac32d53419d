//! One connection of a mail server: a session, and its messages one after the other.

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use mailproof::Session;
use mailproof::message::Head;
use miltr_common::actions::{Action, Continue, Skip};
use miltr_common::commands::{Body, Connect, Header, Helo, Macro, Mail, Recipient};
use miltr_common::modifications::ModificationResponse;
use miltr_common::optneg::{Capability, OptNeg, Protocol};
use miltr_server::{Error, Milter};
use serde_json::{Value, json};

use crate::edits::{self, Outcome};
use crate::inbound::Inbound;
use crate::log;
use crate::outbound::Outbound;
use crate::serve::Service;
use crate::wire;

/// What is known of the session, and the message at hand.
#[derive(Debug)]
pub(crate) struct Connection {
    service: Arc<Service>,
    /// Whether a message is under way, for whoever wants to stop.
    busy: Arc<AtomicBool>,
    /// Whether values come, and go back, with the space behind the colon.
    leading_space: bool,
    /// Whether the mail server can be told that no more of the body is needed.
    can_skip: bool,
    client: Option<IpAddr>,
    /// `{client_addr}`, which comes before the connection that it is about.
    announced: Option<IpAddr>,
    helo: Option<Vec<u8>>,
    /// `{auth_authen}`: the client has logged in.
    authenticated: bool,
    /// `i`: the mail server's name for the message.
    queue_id: String,
    message: Incoming,
}

#[derive(Debug, Default)]
struct Incoming {
    mail_from: Vec<u8>,
    recipients: usize,
    /// Whether it is for somebody whose mail is sent on.
    sealed: bool,
    fields: Vec<(Vec<u8>, Vec<u8>)>,
    header_octets: usize,
    work: Work,
}

#[derive(Debug, Default)]
enum Work {
    #[default]
    None,
    Verify(Box<Inbound>),
    Sign(Box<Outbound>),
}

impl Connection {
    pub(crate) fn new(service: Arc<Service>, busy: Arc<AtomicBool>) -> Self {
        Self {
            service,
            busy,
            leading_space: false,
            can_skip: false,
            client: None,
            announced: None,
            helo: None,
            authenticated: false,
            queue_id: String::new(),
            message: Incoming::default(),
        }
    }

    /// Between messages: the session stays, the message goes.
    fn forget_message(&mut self) {
        self.message = Incoming::default();
        self.authenticated = false;
        self.queue_id.clear();
        self.busy.store(false, Ordering::Release);
    }

    fn is_ours(&self) -> bool {
        let internal = &self.service.settings.internal;
        let is_internal = |client: IpAddr| {
            internal
                .iter()
                .any(|one| one.contains(client.to_canonical()))
        };
        self.authenticated || self.client.is_some_and(is_internal)
    }

    fn session(&self) -> Session {
        let mut session = Session::unknown().with_mail_from(&self.message.mail_from);
        if let Some(client) = self.client {
            session = session.with_client_ip(client);
        }
        match &self.helo {
            Some(helo) => session.with_helo(helo),
            None => session,
        }
    }

    /// Whether mail for this recipient is sent on.
    fn is_sealed(&self, recipient: &str) -> bool {
        self.service
            .settings
            .seal
            .as_ref()
            .is_some_and(|(_, wanted)| {
                let domain = recipient.rsplit_once('@').map(|(_, domain)| domain);
                wanted.contains(recipient) || domain.is_some_and(|domain| wanted.contains(domain))
            })
    }

    /// One line for each message, with what to look for it by.
    fn log(&self, mut line: Value) {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        line["queue_id"] = json!(self.queue_id);
        line["client"] = json!(self.client);
        line["helo"] = json!(self.helo.as_deref().map(text));
        line["mail_from"] = json!(text(&self.message.mail_from));
        line["recipients"] = json!(self.message.recipients);
        log::line(&line);
    }
}

/// The header block of a message, borrowed from what was collected of it.
fn head(fields: &[(Vec<u8>, Vec<u8>)], leading_space: bool) -> Head<'_> {
    let pairs = fields.iter().map(|(name, value)| (&name[..], &value[..]));
    Head::from_milter(pairs, leading_space)
}

#[async_trait]
impl Milter for Connection {
    type Error = Infallible;

    async fn option_negotiation(&mut self, theirs: OptNeg) -> Result<OptNeg, Error<Infallible>> {
        let ours = OptNeg {
            // An older mail server is answered in its own version.
            version: theirs.version.min(6),
            capabilities: Capability::SMFIF_ADDHDRS
                | Capability::SMFIF_CHGHDRS
                | Capability::SMFIF_QUARANTINE,
            protocol: Protocol::SMFIP_HDR_LEADSPC
                | Protocol::SMFIP_SKIP
                | Protocol::NO_DATA
                | Protocol::NO_UNKNOWN,
            ..OptNeg::default()
        };
        // What is not granted would be left out without a word: a forged field would stay.
        if !theirs.capabilities.contains(ours.capabilities) {
            let message = "the mail server does not let us change headers and hold messages";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message).into());
        }
        let agreed = OptNeg {
            capabilities: ours.capabilities & theirs.capabilities,
            protocol: ours.protocol & theirs.protocol,
            ..ours
        };
        self.leading_space = agreed.protocol.contains(Protocol::SMFIP_HDR_LEADSPC);
        self.can_skip = agreed.protocol.contains(Protocol::SMFIP_SKIP);
        Ok(agreed)
    }

    async fn macro_(&mut self, macros: Macro) -> Result<(), Infallible> {
        match macros.code {
            b'C' => self.announced = None,
            // Those of MAIL begin a message.
            b'M' => {
                self.authenticated = false;
                self.queue_id.clear();
            }
            _ => {}
        }
        for (name, value) in macros.macros() {
            let value = String::from_utf8_lossy(value);
            match name {
                b"i" | b"{i}" => self.queue_id = value.into_owned(),
                b"{auth_authen}" => self.authenticated = !value.is_empty(),
                // Those that come later are about a connection that is known already.
                b"{client_addr}" if macros.code == b'C' => self.announced = wire::address(&value),
                _ => {}
            }
        }
        Ok(())
    }

    async fn connect(&mut self, connect: Connect) -> Result<Action, Infallible> {
        self.forget_message();
        self.helo = None;
        // Behind a proxy the connection may be of no known family; the macro may know more.
        self.client = wire::client_address(&connect).or(self.announced.take());
        Ok(Continue.into())
    }

    async fn helo(&mut self, helo: Helo) -> Result<Action, Infallible> {
        // May come again, after STARTTLS for one; the last counts.
        self.helo = Some(wire::first(&helo));
        Ok(Continue.into())
    }

    async fn mail(&mut self, mail: Mail) -> Result<Action, Infallible> {
        self.busy.store(true, Ordering::Release);
        self.message = Incoming {
            // As the client said it: `{mail_addr}` is what the mail server has made of that.
            mail_from: wire::first(&mail),
            ..Incoming::default()
        };
        Ok(Continue.into())
    }

    async fn rcpt(&mut self, recipient: Recipient) -> Result<Action, Infallible> {
        let recipient = wire::first(&recipient);
        let recipient = String::from_utf8_lossy(&recipient).to_lowercase();
        let recipient = recipient.trim_start_matches('<').trim_end_matches('>');
        self.message.recipients += 1;
        self.message.sealed |= self.is_sealed(recipient);
        Ok(Continue.into())
    }

    async fn header(&mut self, header: Header) -> Result<Action, Infallible> {
        let mut parts = wire::parts(&header).into_iter();
        let field = (
            parts.next().unwrap_or_default(),
            parts.next().unwrap_or_default(),
        );
        self.message.header_octets += field.0.len() + field.1.len() + FIELD_OCTETS;
        if self.message.header_octets > MAX_HEADER_OCTETS {
            self.log(json!({"done": "552 5.3.4"}));
            return Ok(edits::header_too_large());
        }
        self.message.fields.push(field);
        Ok(Continue.into())
    }

    async fn end_of_header(&mut self) -> Result<Action, Infallible> {
        let head = head(&self.message.fields, self.leading_space);
        let work = if self.is_ours() {
            Work::Sign(Box::new(Outbound::begin(&self.service, &head)))
        } else {
            let session = self.session();
            Work::Verify(Box::new(Inbound::begin(
                &self.service,
                &session,
                &head,
                self.message.sealed,
            )))
        };
        self.message.work = work;
        Ok(Continue.into())
    }

    async fn body(&mut self, body: Body) -> Result<Action, Infallible> {
        let needs_more = match &mut self.message.work {
            Work::Verify(inbound) => {
                inbound.update(body.as_bytes());
                inbound.needs_more()
            }
            Work::Sign(outbound) => {
                outbound.update(body.as_bytes());
                outbound.needs_more()
            }
            Work::None => true,
        };
        Ok(match self.can_skip && !needs_more {
            true => Skip.into(),
            false => Continue.into(),
        })
    }

    async fn end_of_body(&mut self) -> Result<ModificationResponse, Infallible> {
        let work = std::mem::take(&mut self.message.work);
        let head = head(&self.message.fields, self.leading_space);
        let (outcome, mut line) = match work {
            Work::Verify(inbound) => inbound.finish(&self.service, head).await,
            Work::Sign(outbound) => outbound.finish(&self.service, &head),
            // No end of the header was told.
            Work::None => (Outcome::TryAgain, json!({"error": "no header"})),
        };
        outcome.describe(&mut line);
        self.log(line);
        self.forget_message();
        Ok(outcome.into_response(self.leading_space))
    }

    async fn abort(&mut self) -> Result<(), Infallible> {
        self.forget_message();
        Ok(())
    }

    async fn quit_nc(&mut self) -> Result<(), Infallible> {
        self.forget_message();
        self.client = None;
        self.announced = None;
        self.helo = None;
        Ok(())
    }
}

/// More than any mail server passes on; Postfix stops at 100 KiB for one field.
const MAX_HEADER_OCTETS: usize = 4 << 20;

/// What a field takes beside its own octets, about: two vectors and what their allocations need.
const FIELD_OCTETS: usize = 96;
