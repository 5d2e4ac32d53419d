//! What becomes of the sender of a forwarded message.

use super::guarded::Malformed;

/// What became of the sender of a forwarded message.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Forwarded {
    /// It cannot be rewritten. Forwarding it with a sender of one's own, or not at all, is for the
    /// caller to choose.
    Malformed(Malformed),
    /// The sender as SRS0: bounces come to us, and go to the sender.
    Srs0(String),
    /// The sender as SRS1: bounces come to us, and go to the first forwarder.
    Srs1(String),
    /// The rewritten address exceeds what RFC 5321 lets every server accept.
    TooLong(TooLong),
    /// The sender stays as it is.
    Unchanged(Unchanged),
}

/// Why a sender stays as it is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Unchanged {
    /// The null reverse-path: a bounce, which must not bounce again.
    NullSender,
    /// A domain of our own, as the caller's predicate says.
    OwnDomain,
    /// It is at the SRS domain already.
    SrsDomain,
}

/// A rewritten address that is too long.
///
/// The caller may use [`address`](Self::address) nevertheless, as most software does, and many
/// servers accept it; refuse the message; or keep the sender in a [`Store`](super::Store).
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TooLong {
    address: String,
    part: Part,
    length: usize,
    limit: usize,
}

impl TooLong {
    /// Gives the address back if it is not too long.
    pub(super) fn new(address: String, local_part: usize) -> Result<Self, String> {
        let (part, length, limit) = if local_part > LOCAL_PART_LIMIT {
            (Part::LocalPart, local_part, LOCAL_PART_LIMIT)
        } else if address.len() > ADDRESS_LIMIT {
            (Part::Address, address.len(), ADDRESS_LIMIT)
        } else {
            return Err(address);
        };
        Ok(Self {
            address,
            part,
            length,
            limit,
        })
    }

    /// The address that was too long.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What of it was too long.
    #[must_use]
    pub fn part(&self) -> Part {
        self.part
    }

    /// The length of that part, in octets.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }

    /// The limit for that part, in octets.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit
    }
}

/// A part of an address that has a limit.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[expect(clippy::exhaustive_enums, reason = "RFC 5321 4.5.3.1 limits these")]
pub enum Part {
    /// The whole: 254 octets, since a path has 256 with its angle brackets (RFC 5321 4.5.3.1.3).
    Address,
    /// The local part: 64 octets (RFC 5321 4.5.3.1.1).
    LocalPart,
}

/// RFC 5321 4.5.3.1.1.
const LOCAL_PART_LIMIT: usize = 64;

/// RFC 5321 4.5.3.1.3, less the angle brackets.
const ADDRESS_LIMIT: usize = 254;
