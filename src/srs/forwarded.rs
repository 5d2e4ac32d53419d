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
    ///
    /// The caller may use it nevertheless, as most software does, and many servers accept it; refuse
    /// the message; or keep the sender in a [`Store`](super::Store).
    TooLong {
        /// The address that is too long.
        address: String,
        /// The octets of the part that is too long.
        length: usize,
        /// The octets that it may have: 64 for the local part (RFC 5321 4.5.3.1.1), 254 for the
        /// whole, since a path has 256 with its angle brackets (RFC 5321 4.5.3.1.3).
        limit: usize,
    },
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

/// The length of what is too long of an address, and the limit for it.
pub(super) fn excess(address: &str, local_part: usize) -> Option<(usize, usize)> {
    if local_part > LOCAL_PART_LIMIT {
        Some((local_part, LOCAL_PART_LIMIT))
    } else if address.len() > ADDRESS_LIMIT {
        Some((address.len(), ADDRESS_LIMIT))
    } else {
        None
    }
}

/// RFC 5321 4.5.3.1.1.
const LOCAL_PART_LIMIT: usize = 64;

/// RFC 5321 4.5.3.1.3, less the angle brackets.
pub(super) const ADDRESS_LIMIT: usize = 254;
