//! The facts of the SMTP session in which a message arrived.

use std::net::IpAddr;
use std::sync::Arc;

use crate::address::{AddressError, ReversePath};
use crate::domain::{Domain, DomainError};

/// Client address, HELO and MAIL FROM, as received; each may be unknown. Cloning is cheap.
///
/// ```
/// use mailproof::Session;
/// use std::net::Ipv4Addr;
///
/// let session = Session::new(Ipv4Addr::new(192, 0, 2, 1).into(), "mail.example.com", "user@example.com");
/// let bounce = Session::new(Ipv4Addr::new(192, 0, 2, 1).into(), "mail.example.com", "");
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Session {
    client_ip: Option<IpAddr>,
    helo: Option<Arc<[u8]>>,
    mail_from: Option<Arc<[u8]>>,
}

impl Session {
    /// A session of which everything is known. `helo` is the argument of HELO or EHLO; `mail_from`
    /// that of MAIL FROM, with or without angle brackets, empty for the null reverse-path.
    #[must_use]
    pub fn new(client_ip: IpAddr, helo: impl AsRef<[u8]>, mail_from: impl AsRef<[u8]>) -> Self {
        Self::unknown()
            .with_client_ip(client_ip)
            .with_helo(helo)
            .with_mail_from(mail_from)
    }

    /// A session of which nothing is known, as for a message that was stored somewhere.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Sets the client's address. An IPv4-mapped IPv6 address is the IPv4 address (RFC 7208 5).
    #[must_use]
    pub fn with_client_ip(mut self, client_ip: IpAddr) -> Self {
        self.client_ip = Some(client_ip.to_canonical());
        self
    }

    /// Sets the argument of HELO or EHLO.
    #[must_use]
    pub fn with_helo(mut self, helo: impl AsRef<[u8]>) -> Self {
        self.helo = Some(helo.as_ref().into());
        self
    }

    /// Sets the argument of MAIL FROM.
    #[must_use]
    pub fn with_mail_from(mut self, mail_from: impl AsRef<[u8]>) -> Self {
        self.mail_from = Some(mail_from.as_ref().into());
        self
    }

    /// The address of the SMTP client.
    #[must_use]
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.client_ip
    }

    /// The argument of HELO or EHLO as received.
    #[must_use]
    pub fn helo(&self) -> Option<&[u8]> {
        self.helo.as_deref()
    }

    /// The domain of HELO. An address literal, a single odd word and the like are errors: none of
    /// them names a domain.
    ///
    /// # Errors
    ///
    /// [`DomainError`] where HELO is no domain.
    pub fn helo_domain(&self) -> Option<Result<Domain, DomainError>> {
        self.helo.as_deref().map(Domain::parse)
    }

    /// The argument of MAIL FROM as received.
    #[must_use]
    pub fn mail_from(&self) -> Option<&[u8]> {
        self.mail_from.as_deref()
    }

    /// The argument of MAIL FROM, read.
    ///
    /// # Errors
    ///
    /// [`AddressError`] where it is neither null nor a mailbox.
    pub fn reverse_path(&self) -> Option<Result<ReversePath, AddressError>> {
        self.mail_from.as_deref().map(ReversePath::parse)
    }
}
