//! Which name servers are asked, and how.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::HickoryResolver;
use crate::text;

impl HickoryResolver {
    /// Asks these recursive name servers, in their order.
    ///
    /// A server has five seconds to answer and is asked twice, over UDP, and over TCP for answers that
    /// were truncated; AD bits are trusted. The methods below change that.
    ///
    /// ```
    /// use mailproof::dns::HickoryResolver;
    /// use std::time::Duration;
    ///
    /// let resolver = HickoryResolver::new(["192.0.2.53:53".parse()?])?
    ///     .timeout(Duration::from_secs(2))
    ///     .attempts(3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`HickoryError::NoNameServer`] if there is none.
    pub fn new(name_servers: impl IntoIterator<Item = SocketAddr>) -> Result<Self, HickoryError> {
        let name_servers: Vec<_> = name_servers.into_iter().collect();
        if name_servers.is_empty() {
            return Err(HickoryError::NoNameServer);
        }
        Ok(Self {
            name_servers,
            timeout: Duration::from_secs(5),
            attempts: 2,
            tcp_only: false,
            trust_authentic_data: true,
        })
    }

    /// Asks as `/etc/resolv.conf` says, see [`from_resolv_conf`](Self::from_resolv_conf).
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

    /// Asks as the text of a resolv.conf(5) says: `nameserver` and, of the options, `attempts`,
    /// `timeout`, `trust-ad` and `use-vc`. Search lists are not for mail, and ignored.
    ///
    /// AD bits are trusted with `trust-ad`, or if all servers are on this host.
    ///
    /// # Errors
    ///
    /// [`HickoryError::NoNameServer`] if it names no server.
    pub fn from_resolv_conf(text: &[u8]) -> Result<Self, HickoryError> {
        let mut name_servers = Vec::new();
        let mut options = Vec::new();
        for line in text.split(|octet| *octet == b'\n') {
            let line = text::lossy(line);
            let mut words = line.split_ascii_whitespace();
            match words.next() {
                Some("nameserver") => {
                    let address = words.next().and_then(|word| word.parse::<IpAddr>().ok());
                    let server = address.map(|address| SocketAddr::new(address, DNS_PORT));
                    name_servers.extend(server);
                }
                Some("options") => options.extend(words.map(str::to_owned)),
                _ => {}
            }
        }
        name_servers.truncate(MAX_NAME_SERVERS);
        let mut resolver = Self::new(name_servers)?;
        let mut servers = resolver.name_servers.iter();
        resolver.trust_authentic_data = servers.all(|server| server.ip().is_loopback());
        options.iter().for_each(|word| resolver.option(word));
        Ok(resolver)
    }

    /// How long to wait for an answer. A TCP connection has that time once more.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How often a silent server is asked, at least once.
    #[must_use]
    pub fn attempts(mut self, attempts: usize) -> Self {
        self.attempts = attempts;
        self
    }

    /// Asks over TCP from the start.
    #[must_use]
    pub fn tcp_only(mut self) -> Self {
        self.tcp_only = true;
        self
    }

    /// Whether the AD bit of an answer makes it [authentic](crate::dns::Outcome::is_authentic). That is
    /// worth what the way to the name server is worth: anybody on it can set the bit (RFC 6840 5.8).
    #[must_use]
    pub fn trust_authentic_data(mut self, trust: bool) -> Self {
        self.trust_authentic_data = trust;
        self
    }

    /// Applies an option of resolv.conf(5), within the bounds that its manual page states.
    fn option(&mut self, word: &str) {
        let (option, value) = word.split_once(':').unwrap_or((word, ""));
        let value = text::decimal(value.as_bytes(), 9);
        match (option, value) {
            ("attempts", Some(attempts)) => {
                self.attempts = usize::try_from(attempts.clamp(1, 5)).unwrap_or(5);
            }
            ("timeout", Some(seconds)) => self.timeout = Duration::from_secs(seconds.clamp(1, 30)),
            ("use-vc", None) => self.tcp_only = true,
            ("trust-ad", None) => self.trust_authentic_data = true,
            _ => {}
        }
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
        let resolver = HickoryResolver::from_resolv_conf(text).unwrap();
        let servers: Vec<_> = resolver
            .name_servers
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            servers,
            ["192.0.2.1:53", "[2001:db8::1]:53", "192.0.2.3:53"]
        );
        assert_eq!(resolver.timeout, Duration::from_secs(30));
        assert_eq!(resolver.attempts, 1);
        assert!(resolver.tcp_only);
        assert!(resolver.trust_authentic_data);
    }

    #[test]
    fn trusts_the_own_host() {
        let trusts = |text: &[u8]| {
            let resolver = HickoryResolver::from_resolv_conf(text);
            resolver.map(|resolver| resolver.trust_authentic_data)
        };
        assert_eq!(trusts(b"nameserver 127.0.0.53"), Ok(true));
        assert_eq!(trusts(b"nameserver ::1\nnameserver 192.0.2.1"), Ok(false));
        assert_eq!(trusts(b"domain example"), Err(HickoryError::NoNameServer));
    }
}
