//! The arguments of check_host().

use std::net::{IpAddr, Ipv4Addr};

use super::Identity;
use crate::address::Address;
use crate::domain::Domain;

/// What to check (§4.1): the client, the identity with its domain, and the sender for the macros.
///
/// Nothing is required of the texts; what they are is found out in the check.
///
/// ```
/// use mailproof::spf::{Identity, Request};
/// use std::net::Ipv4Addr;
///
/// let client = Ipv4Addr::new(192, 0, 2, 1).into();
/// let request = Request::mail_from(client, "mx.example.com", "user@example.com");
/// assert_eq!(request.domain(), b"example.com");
/// assert_eq!(Request::helo(client, "mx.example.com").local_part(), b"postmaster");
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Request<'a> {
    client_ip: IpAddr,
    identity: Identity,
    domain: &'a [u8],
    local_part: &'a [u8],
    sender_domain: &'a [u8],
    helo: Option<&'a [u8]>,
    /// The domain, where it was read already.
    read_domain: Option<&'a Domain>,
}

impl<'a> Request<'a> {
    /// Checks the domain of an envelope sender: `local-part@domain` without angle brackets, split at
    /// the last `@`. §4.3: a sender without a local part is `postmaster`.
    ///
    /// An IPv4-mapped IPv6 client is the IPv4 client: §5 lists it ‘using the "ip4" mechanism’
    /// only.
    #[must_use]
    pub fn mail_from(
        client_ip: IpAddr,
        helo: &'a (impl AsRef<[u8]> + ?Sized),
        sender: &'a (impl AsRef<[u8]> + ?Sized),
    ) -> Self {
        let sender = sender.as_ref();
        let (local_part, domain) = match crate::text::rfind(sender, b'@') {
            Some(at) => {
                let (local_part, domain) = sender.split_at(at);
                (local_part, domain.get(1..).unwrap_or_default())
            }
            None => (&b""[..], sender),
        };
        Self::new(
            client_ip,
            Identity::MailFrom,
            local_part,
            domain,
            Some(helo.as_ref()),
        )
    }

    /// Checks the name given in HELO; the sender is `postmaster` at it (§2.4, §4.3).
    #[must_use]
    pub fn helo(client_ip: IpAddr, helo: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        let helo = helo.as_ref();
        Self::new(client_ip, Identity::Helo, b"", helo, Some(helo))
    }

    /// Checks any domain; `helo` is for the macro `h` and may be unknown.
    #[must_use]
    pub fn new(
        client_ip: IpAddr,
        identity: Identity,
        local_part: &'a [u8],
        domain: &'a [u8],
        helo: Option<&'a [u8]>,
    ) -> Self {
        let local_part = if local_part.is_empty() {
            b"postmaster"
        } else {
            local_part
        };
        Self {
            client_ip: client_ip.to_canonical(),
            identity,
            domain,
            local_part,
            sender_domain: domain,
            helo,
            read_domain: None,
        }
    }

    /// Checks the domain of an envelope sender that is read already.
    pub(super) fn of_address(
        client_ip: IpAddr,
        helo: Option<&'a [u8]>,
        address: &'a Address,
    ) -> Self {
        let (local_part, domain) = (address.local_part(), address.domain());
        let (local_part, octets) = (local_part.as_bytes(), domain.as_str().as_bytes());
        Self {
            read_domain: Some(domain),
            ..Self::new(client_ip, Identity::MailFrom, local_part, octets, helo)
        }
    }

    /// Checks the record of another domain, with the sender left as it is.
    #[must_use]
    pub fn with_domain(mut self, domain: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.domain = domain.as_ref();
        self.read_domain = None;
        self
    }

    /// The address of the client; never IPv4-mapped.
    #[must_use]
    pub fn client_ip(&self) -> IpAddr {
        self.client_ip
    }

    /// Which identity is checked.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// The domain whose record is evaluated first, as given.
    #[must_use]
    pub fn domain(&self) -> &'a [u8] {
        self.domain
    }

    /// The local part of the sender.
    #[must_use]
    pub fn local_part(&self) -> &'a [u8] {
        self.local_part
    }

    /// The domain of the sender, as given.
    #[must_use]
    pub fn sender_domain(&self) -> &'a [u8] {
        self.sender_domain
    }

    /// The argument of HELO, if it is known.
    #[must_use]
    pub fn helo_argument(&self) -> Option<&'a [u8]> {
        self.helo
    }

    /// §4.3: ‘If the <domain> is malformed (e.g., label longer than 63 characters, zero-length label not
    /// at the end, etc.) or is not a multi-label domain name [..] check_host() immediately returns the
    /// result "none".’
    pub(super) fn usable_domain(&self) -> Result<Domain, Box<str>> {
        let octets = self.domain;
        // An IPv4 address without brackets looks like a domain; no top-level domain is all digits.
        let is_address = |text: &str| text.parse::<Ipv4Addr>().is_ok();
        let is_literal = match octets {
            [b'[', ..] => true,
            [.., b'0'..=b'9'] => std::str::from_utf8(octets).is_ok_and(is_address),
            _ => false,
        };
        if is_literal {
            return Err("it is an address, not a name".into());
        }
        if self.identity == Identity::Helo && !octets.is_ascii() {
            return Err("it is not ASCII".into());
        }
        let domain = match self.read_domain {
            Some(domain) => domain.clone(),
            None => Domain::parse(octets).map_err(|error| error.to_string())?,
        };
        if !domain.as_str().bytes().any(|octet| octet == b'.') {
            return Err("it is a single label".into());
        }
        Ok(domain)
    }
}
