//! Address prefixes, which own their masks.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address and how many of its leading bits count.
///
/// ```
/// # use mailproof::spf::Prefix;
/// let everything = Prefix::new([10, 0, 0, 0].into(), 0).unwrap();
/// assert!(everything.contains([192, 0, 2, 1].into()));
/// assert_eq!(everything.address_count(), 1 << 32);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Prefix {
    address: IpAddr,
    length: u8,
}

impl Prefix {
    /// A prefix; `None` if `length` exceeds 32 for IPv4 or 128 for IPv6. Bits of the address
    /// beyond the length are kept, but count for nothing.
    #[must_use]
    pub fn new(address: IpAddr, length: u8) -> Option<Self> {
        (length <= width(address)).then_some(Self { address, length })
    }

    /// The prefix of one address.
    #[must_use]
    pub fn host(address: IpAddr) -> Self {
        Self {
            address,
            length: width(address),
        }
    }

    pub(super) fn v4(address: Ipv4Addr, length: Option<u8>) -> Self {
        Self {
            address: address.into(),
            length: length.unwrap_or(32).min(32),
        }
    }

    pub(super) fn v6(address: Ipv6Addr, length: Option<u8>) -> Self {
        Self {
            address: address.into(),
            length: length.unwrap_or(128).min(128),
        }
    }

    /// The address as it was written.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// How many leading bits count.
    #[must_use]
    pub fn length(&self) -> u8 {
        self.length
    }

    /// The address with the bits beyond the length cleared.
    #[must_use]
    pub fn network(&self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => Ipv4Addr::from_bits(address.to_bits() & self.mask4()).into(),
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & self.mask6()).into(),
        }
    }

    fn mask4(&self) -> u32 {
        mask4(self.length)
    }

    fn mask6(&self) -> u128 {
        mask6(self.length)
    }

    /// Whether the address lies within. An IPv4 address never lies within an IPv6 prefix, nor the
    /// other way round.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (own.to_bits() ^ other.to_bits()) & self.mask4() == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                (own.to_bits() ^ other.to_bits()) & self.mask6() == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }

    /// How many addresses lie within; all of IPv6, which is one more than a `u128` holds, counts
    /// as [`u128::MAX`].
    #[must_use]
    pub fn address_count(&self) -> u128 {
        let free = u32::from(width(self.address) - self.length);
        1_u128.checked_shl(free).unwrap_or(u128::MAX)
    }
}

/// The mask of an IPv4 prefix. A shift by the full width, which /0 needs, is not a shift: then no bit
/// counts.
pub(super) fn mask4(length: u8) -> u32 {
    let free = 32_u32.saturating_sub(length.into());
    u32::MAX.checked_shl(free).unwrap_or(0)
}

/// The same of IPv6.
pub(super) fn mask6(length: u8) -> u128 {
    let free = 128_u32.saturating_sub(length.into());
    u128::MAX.checked_shl(free).unwrap_or(0)
}

fn width(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.length)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Prefix {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(address: &str, length: u8) -> Prefix {
        Prefix::new(address.parse().unwrap(), length).unwrap()
    }

    #[test]
    fn edges() {
        let any: IpAddr = "192.0.2.1".parse().unwrap();
        let any6: IpAddr = "2001:db8::1".parse().unwrap();
        assert!(prefix("10.0.0.0", 0).contains(any));
        assert!(!prefix("10.0.0.0", 1).contains(any));
        assert!(prefix("192.0.2.1", 32).contains(any));
        assert!(!prefix("192.0.2.0", 32).contains(any));
        assert!(prefix("192.0.2.0", 31).contains(any));
        assert!(prefix("::", 0).contains(any6));
        assert!(!prefix("::", 0).contains(any));
        assert!(!prefix("0.0.0.0", 0).contains(any6));
        assert!(prefix("2001:db8::", 127).contains(any6));
        assert!(!prefix("2001:db8::", 128).contains(any6));
        assert_eq!(Prefix::new(any, 33), None);
        assert_eq!(Prefix::new(any6, 129), None);
        assert_eq!(prefix("::", 0).address_count(), u128::MAX);
        assert_eq!(prefix("::", 1).address_count(), 1 << 127);
        assert_eq!(prefix("10.0.0.1", 32).address_count(), 1);
        assert_eq!(prefix("10.0.0.1", 24).to_string(), "10.0.0.1/24");
        assert_eq!(prefix("10.0.0.1", 24).network().to_string(), "10.0.0.0");
        assert_eq!(prefix("::1", 0).network().to_string(), "::");
    }
}
