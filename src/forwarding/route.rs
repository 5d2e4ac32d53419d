//! The hosts that a message passes.

use std::net::IpAddr;

use crate::arc::Sealer;
use crate::dkim::Signer;
use crate::domain::Domain;
use crate::srs::Rewriter;

/// A host that sends the message on, and what it does to it first. The changes are made in the order
/// of the fields here; the signature and the seal are made last.
///
/// ```
/// use mailproof::forwarding::{Hop, Rewriting};
///
/// let mut list = Hop::new("list", [104, 47, 11, 20].into(), "mail.firma-b.tld".parse()?);
/// list.rewriting = Rewriting::Exchange { mailbox: "list".into(), domain: "firma-b.tld".parse()? };
/// list.footer = Some("-- \nThe list".into());
/// # Ok::<(), mailproof::domain::DomainError>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Hop {
    /// What it is called in the outcome.
    pub name: String,
    /// The address from which it sends.
    pub client_ip: IpAddr,
    /// The argument of HELO.
    pub helo: Domain,
    /// What it does to the envelope sender.
    pub rewriting: Rewriting,
    /// Text put before the Subject.
    pub subject_prefix: Option<String>,
    /// Text put behind the body, its lines separated by LF.
    pub footer: Option<String>,
    /// The mailbox that it writes into From in place of the author; the author goes to Reply-To.
    pub from: Option<(String, Domain)>,
    /// How it signs.
    pub signer: Option<Signer>,
    /// How it seals (ARC), with the results under its HELO name.
    pub sealer: Option<Sealer>,
}

impl Hop {
    /// A host that passes messages on unchanged.
    #[must_use]
    pub fn new(name: impl Into<String>, client_ip: IpAddr, helo: Domain) -> Self {
        Self {
            name: name.into(),
            client_ip,
            helo,
            rewriting: Rewriting::None,
            subject_prefix: None,
            footer: None,
            from: None,
            signer: None,
            sealer: None,
        }
    }
}

/// What a host does to the envelope sender.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Rewriting {
    /// Nothing: plain forwarding.
    None,
    /// SRS.
    Srs(Box<Rewriter>),
    /// Exchange Online's form. How its hash is made is not public: `XXXXX` stands in its place.
    Exchange {
        /// The mailbox that forwards.
        mailbox: String,
        /// Its domain.
        domain: Domain,
    },
}
