//! Seeing what the next hops would make of a message.

use std::time::SystemTime;

use super::edit;
use super::forward::{ForwardError, sealed, signed};
use super::route::{Hop, Rewriting};
use crate::address::ReversePath;
use crate::arc::Payload;
use crate::diagnosis::Finding;
use crate::dns::Resolver;
use crate::message::Message;
use crate::session::Session;
use crate::srs::{Forwarded, Stamp};
use crate::text;
use crate::verdict::Verdict;
use crate::verifier::{Settings, Verifier};

/// A host that receives the message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Station {
    /// From whom: `None` for the first, which receives the message as it was given.
    pub from: Option<String>,
    /// The session in which it came.
    pub session: Session,
    /// The message as it came, put together from its fields and its body.
    pub message: Vec<u8>,
    /// What a receiver with these settings makes of it.
    pub verdict: Verdict,
    /// The explanation: the forensics first where there are any, then the diagnosis.
    pub findings: Vec<Finding>,
}

impl Station {
    /// Sends a message along a route and gives the verdict wherever it arrives: first where its own
    /// session leads, then behind each hop.
    ///
    /// ```
    /// use mailproof::dns::{Zone, block_on};
    /// use mailproof::forwarding::{Hop, Station};
    /// use mailproof::{Message, Session, verifier::Settings};
    /// use std::time::SystemTime;
    ///
    /// let mut zone = Zone::new();
    /// zone.add_txt("example.com", "v=spf1 ip4:192.0.2.1 -all")?;
    /// zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject")?;
    /// let session = Session::new([192, 0, 2, 1].into(), "mail.example.com", "me@example.com");
    /// let message = Message::parse(b"From: me@example.com\r\n\r\nHello\r\n");
    /// let route = [Hop::new("forwarder", [198, 51, 100, 7].into(), "fwd.example".parse()?)];
    /// let now = SystemTime::UNIX_EPOCH;
    /// let settings = Settings::default();
    /// let stations = Station::simulate(&zone, &session, &message, &route, &settings, now);
    /// let stations = block_on(stations)?;
    /// assert_eq!(stations[0].verdict.dmarc().result().as_str(), "pass");
    /// assert_eq!(stations[1].verdict.dmarc().result().as_str(), "fail");
    /// assert_eq!(stations[1].findings[0].code().as_str(), "forwarded-unrewritten-or-forged");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ForwardError`] where the signer of a hop does not sign, or its sealer does not seal.
    pub async fn simulate(
        resolver: &dyn Resolver,
        session: &Session,
        message: &Message<'_>,
        route: &[Hop],
        settings: &Settings,
        now: SystemTime,
    ) -> Result<Vec<Self>, ForwardError> {
        let verifier = Verifier::with_settings(resolver, settings.clone());
        let verifier = verifier.at(now);
        let mut session = session.clone();
        let mut octets = edit::rebuilt(message, "", &[]);
        let mut stations = Vec::with_capacity(route.len().saturating_add(1));
        let mut from = None;
        let mut hops = route.iter();
        loop {
            let parsed = Message::parse(&octets);
            // Put together again, it lacks what is wrong with the header block that was given.
            let arrived = if from.is_none() { message } else { &parsed };
            let verdict = verifier.verify(&session, arrived).await;
            let mut findings = verdict.forensics(arrived);
            findings.extend(verdict.diagnosis());
            // Forensics of a signature that mattered come first, of others with the rest.
            findings.sort_by_key(Finding::severity);
            let Some(hop) = hops.next() else {
                stations.push(Self {
                    from,
                    session,
                    message: octets,
                    verdict,
                    findings,
                });
                return Ok(stations);
            };
            let next = sent_on(hop, &octets, &verdict, now)?;
            let next_session =
                Session::new(hop.client_ip, hop.helo.as_str(), sender(hop, &session, now));
            stations.push(Self {
                from: from.replace(hop.name.clone()),
                session: std::mem::replace(&mut session, next_session),
                message: std::mem::replace(&mut octets, next),
                verdict,
                findings,
            });
        }
    }
}

/// The message as a hop sends it on.
fn sent_on(
    hop: &Hop,
    message: &[u8],
    verdict: &Verdict,
    now: SystemTime,
) -> Result<Vec<u8>, ForwardError> {
    let mut octets = message.to_vec();
    if let Some(prefix) = &hop.subject_prefix {
        octets = edit::with_subject_prefix(&Message::parse(&octets), prefix);
    }
    if let Some(footer) = &hop.footer {
        octets = edit::with_footer(&Message::parse(&octets), footer);
    }
    if let Some((mailbox, domain)) = &hop.from {
        octets = edit::with_from_of(&Message::parse(&octets), mailbox, domain);
    }
    if let Some(signer) = &hop.signer {
        octets = signed(std::slice::from_ref(signer), octets, now)?;
    }
    if let (Some(sealer), Ok(id)) = (&hop.sealer, hop.helo.as_str().parse()) {
        let payload = Payload::new(&verdict.authentication_results(&id));
        octets = sealed(sealer, octets, &payload, verdict, now)?;
    }
    Ok(octets)
}

/// The envelope sender as a hop rewrites it; what cannot be rewritten stays.
fn sender(hop: &Hop, session: &Session, now: SystemTime) -> Vec<u8> {
    let before = session.mail_from().unwrap_or_default();
    let after = match &hop.rewriting {
        Rewriting::None => None,
        Rewriting::Srs(rewriter) => match rewriter.forward(before, now) {
            Forwarded::Srs0(address) | Forwarded::Srs1(address) => Some(address),
            Forwarded::TooLong { address, .. } => Some(address),
            Forwarded::Unchanged(_) | Forwarded::Malformed(_) => None,
        },
        Rewriting::Exchange { mailbox, domain } => match ReversePath::parse(before) {
            Ok(ReversePath::Mailbox(address)) => Some(format!(
                "{}+SRS={PLACEHOLDER}={}={}={}@{domain}",
                text::one_line(mailbox, MAILBOX),
                Stamp::of(now),
                address.domain(),
                address.local_part(),
            )),
            Ok(ReversePath::Null) | Err(_) => None,
        },
    };
    after.map_or_else(|| before.to_vec(), String::into_bytes)
}

/// In place of Exchange's hash, whose making is not public.
const PLACEHOLDER: &str = "XXXXX";

/// The length of a local part (RFC 5321 4.5.3.1.1).
const MAILBOX: usize = 64;
