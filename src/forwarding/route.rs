//! The hosts that a message passes.

use std::net::IpAddr;

use crate::arc::Sealer;
use crate::dkim::Signer;
use crate::domain::Domain;
use crate::srs::Rewriter;

/// A host that sends the message on, and what it does to it first: whatever the order of the calls
/// here, it tags the Subject, adds the footer, writes From, signs, and seals.
///
/// ```
/// use mailproof::forwarding::Hop;
///
/// let list = Hop::new("list", [104, 47, 11, 20].into(), "mail.firma-b.tld".parse()?)
///     .exchange_srs("list", "firma-b.tld".parse()?)
///     .footer("-- \nThe list");
/// # Ok::<(), mailproof::domain::DomainError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Hop {
    pub(super) name: String,
    pub(super) client_ip: IpAddr,
    pub(super) helo: Domain,
    pub(super) rewriting: Rewriting,
    pub(super) subject_prefix: Option<String>,
    pub(super) footer: Option<String>,
    pub(super) from: Option<(String, Domain)>,
    pub(super) signer: Option<Signer>,
    pub(super) sealer: Option<Sealer>,
}

/// What a host does to the envelope sender.
#[derive(Clone, Debug)]
pub(super) enum Rewriting {
    None,
    Srs(Box<Rewriter>),
    Exchange { mailbox: String, domain: Domain },
}

impl Hop {
    /// A host that passes messages on unchanged: what it is called in the outcome, the address from
    /// which it sends, and the argument of its HELO.
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

    /// Rewrites the envelope sender (SRS).
    #[must_use]
    pub fn srs(mut self, rewriter: Rewriter) -> Self {
        self.rewriting = Rewriting::Srs(Box::new(rewriter));
        self
    }

    /// Rewrites the envelope sender as Exchange Online does where `mailbox` at `domain` forwards. How
    /// its hash is made is not public: `XXXXX` stands in its place.
    #[must_use]
    pub fn exchange_srs(mut self, mailbox: impl Into<String>, domain: Domain) -> Self {
        let mailbox = mailbox.into();
        self.rewriting = Rewriting::Exchange { mailbox, domain };
        self
    }

    /// Puts text before the Subject.
    #[must_use]
    pub fn subject_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.subject_prefix = Some(prefix.into());
        self
    }

    /// Puts text behind the body, its lines separated by LF.
    #[must_use]
    pub fn footer(mut self, footer: impl Into<String>) -> Self {
        self.footer = Some(footer.into());
        self
    }

    /// Writes this mailbox into From in place of the author, who goes to Reply-To.
    #[must_use]
    pub fn from(mut self, mailbox: impl Into<String>, domain: Domain) -> Self {
        self.from = Some((mailbox.into(), domain));
        self
    }

    /// Signs (DKIM).
    #[must_use]
    pub fn signer(mut self, signer: Signer) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Seals (ARC), with the results under its HELO name.
    #[must_use]
    pub fn sealer(mut self, sealer: Sealer) -> Self {
        self.sealer = Some(sealer);
        self
    }
}
