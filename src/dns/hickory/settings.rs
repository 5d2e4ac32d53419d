//! Which name servers are asked, and how.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::text;

/// Which name servers are asked, and how.
///
/// ```
/// use mailproof::dns::{HickoryResolver, HickorySettings};
/// use std::time::Duration;
///
/// let mut settings = HickorySettings::new(["192.0.2.53:53".parse()?]);
/// settings.timeout = Duration::from_secs(2);
/// let resolver = HickoryResolver::with_settings(settings)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct HickorySettings {
    /// The recursive name servers, in the order in which they are asked.
    pub name_servers: Vec<SocketAddr>,
    /// How long to wait for an answer: five seconds. A TCP connection has that time once more.
    pub timeout: Duration,
    /// How often a silent server is asked: twice.
    pub attempts: usize,
    /// Over what to ask.
    pub transport: Transport,
    /// Whether the AD bit of an answer makes it
    /// [authentic](crate::dns::Outcome::is_authentic). That is worth what the way to the name server
    /// is worth: anybody on it can set the bit (RFC 6840 5.8).
    pub trust_authentic_data: bool,
}

/// Over what name servers are asked.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Transport {
    /// TCP alone.
    Tcp,
    /// UDP alone; truncated answers are errors.
    Udp,
    /// UDP, and TCP for answers that were truncated.
    UdpThenTcp,
}

impl HickorySettings {
    /// These name servers, and the usual values for the rest; AD bits are trusted.
    pub fn new(name_servers: impl IntoIterator<Item = SocketAddr>) -> Self {
        Self {
            name_servers: name_servers.into_iter().collect(),
            timeout: Duration::from_secs(5),
            attempts: 2,
            transport: Transport::UdpThenTcp,
            trust_authentic_data: true,
        }
    }

    /// What `/etc/resolv.conf` says, see [`from_resolv_conf`](Self::from_resolv_conf).
    ///
    /// # Errors
    ///
    /// [`HickoryError`] if it cannot be read or names no server; systems without that file need
    /// [`new`](Self::new).
    pub fn from_system() -> Result<Self, HickoryError> {
        let text = std::fs::read(RESOLV_CONF).map_err(|error| HickoryError::SystemSettings {
            reason: format!("{RESOLV_CONF}: {error}"),
        })?;
        Self::from_resolv_conf(&text)
    }

    /// What the text of a resolv.conf(5) says: `nameserver` and, of the options, `attempts`,
    /// `timeout`, `trust-ad` and `use-vc`. Search lists are not for mail, and ignored.
    ///
    /// AD bits are trusted with `trust-ad`, or if all servers are on this host.
    ///
    /// # Errors
    ///
    /// [`HickoryError::NoNameServer`] if it names no server.
    pub fn from_resolv_conf(text: &[u8]) -> Result<Self, HickoryError> {
        let mut settings = Self::new([]);
        let mut trust_ad = false;
        for line in text.split(|octet| *octet == b'\n') {
            let line = text::lossy(line);
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") => {
                    let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
                    let server = address.map(|address| SocketAddr::new(address, DNS_PORT));
                    settings.name_servers.extend(server);
                }
                Some("options") => {
                    words.for_each(|word| trust_ad |= settings.option(word));
                }
                _ => {}
            }
        }
        settings.name_servers.truncate(MAX_NAME_SERVERS);
        if settings.name_servers.is_empty() {
            return Err(HickoryError::NoNameServer);
        }
        let servers = &settings.name_servers;
        settings.trust_authentic_data =
            trust_ad || servers.iter().all(|server| server.ip().is_loopback());
        Ok(settings)
    }

    /// Applies an option of resolv.conf(5), within the bounds that its manual page states. Says
    /// whether it is `trust-ad`.
    fn option(&mut self, word: &str) -> bool {
        let (option, value) = word.split_once(':').unwrap_or((word, ""));
        let value = text::decimal(value.as_bytes(), 9);
        match (option, value) {
            ("attempts", Some(attempts)) => {
                self.attempts = usize::try_from(attempts.clamp(1, 5)).unwrap_or(5);
            }
            ("timeout", Some(seconds)) => self.timeout = Duration::from_secs(seconds.clamp(1, 30)),
            ("use-vc", None) => self.transport = Transport::Tcp,
            _ => {}
        }
        option == "trust-ad"
    }
}

/// Why there is no resolver.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum HickoryError {
    /// There is nobody to ask.
    #[error("no name server")]
    NoNameServer,
    /// The settings of the system cannot be read.
    #[error("cannot read the system's name servers: {reason}")]
    SystemSettings {
        /// In the words of the system.
        reason: String,
    },
}

const RESOLV_CONF: &str = "/etc/resolv.conf";

const DNS_PORT: u16 = 53;

/// MAXNS of resolv.conf(5).
const MAX_NAME_SERVERS: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_resolv_conf() {
        let text = b"# comment\n; comment\nsearch example.com\nnameserver 192.0.2.1\r\n\
            nameserver\t2001:db8::1 # second\nnameserver x\nnameserver 192.0.2.3\n\
            nameserver 192.0.2.4\noptions ndots:5 timeout:60 attempts:0 trust-ad\n\
            options use-vc timeout:x attempts:\n\xff\n";
        let settings = HickorySettings::from_resolv_conf(text).unwrap();
        let servers: Vec<_> = settings
            .name_servers
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            servers,
            ["192.0.2.1:53", "[2001:db8::1]:53", "192.0.2.3:53"]
        );
        assert_eq!(settings.timeout, Duration::from_secs(30));
        assert_eq!(settings.attempts, 1);
        assert_eq!(settings.transport, Transport::Tcp);
        assert!(settings.trust_authentic_data);
    }

    #[test]
    fn trusts_the_own_host() {
        let trusts = |text: &[u8]| {
            let settings = HickorySettings::from_resolv_conf(text);
            settings.map(|settings| settings.trust_authentic_data)
        };
        assert_eq!(trusts(b"nameserver 127.0.0.53"), Ok(true));
        assert_eq!(trusts(b"nameserver ::1\nnameserver 192.0.2.1"), Ok(false));
        assert_eq!(trusts(b"domain example"), Err(HickoryError::NoNameServer));
    }
}
