//! Authorized third-party signers (RFC 6541, Experimental): whether the author's domain lets another
//! one sign for it.

use crate::crypto::HashAlgorithm;
use crate::dns::{Name, NameError};
use crate::domain::Domain;
use crate::tag_list::TagList;

/// The hash of `atpsh=` (RFC 6541 4.2).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
pub(crate) enum AtpsHash {
    /// The signing domain itself stands before `._atps.`.
    None,
    /// Its SHA-1 digest in base32; RFC 6541 9.2: this ‘is not a security mechanism’.
    Sha1,
    /// Its SHA-256 digest in base32.
    Sha256,
}

impl AtpsHash {
    /// RFC 6541 4.1: an unknown hash aborts the query.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        match value {
            b"none" => Some(Self::None),
            b"sha1" => Some(Self::Sha1),
            b"sha256" => Some(Self::Sha256),
            _ => None,
        }
    }
}

/// The name to ask whether `author` authorizes `signer` (RFC 6541 4.3).
pub(crate) fn query_name(
    signer: &Domain,
    hash: AtpsHash,
    author: &Domain,
) -> Result<Name, NameError> {
    let name = signer.as_str();
    let label = match hash {
        AtpsHash::None => name.to_owned(),
        AtpsHash::Sha1 => base32(&HashAlgorithm::Sha1.digest(name.as_bytes())),
        AtpsHash::Sha256 => base32(&HashAlgorithm::Sha256.digest(name.as_bytes())),
    };
    Name::below(format!("{label}._atps").as_bytes(), author)
}

/// Whether a record authorizes the signer. RFC 6541 4.4: ‘The record MUST be ignored if the value is
/// not "ATPS1"’; a `d=` for another domain is a collision of hashes.
pub(crate) fn authorizes(record: &[u8], signer: &Domain) -> bool {
    let mut tags = TagList::new();
    tags.read(record).is_ok()
        && tags.get(b"v") == Some(b"ATPS1")
        && tags
            .get(b"d")
            .is_none_or(|domain| Domain::parse(domain).as_ref() == Ok(signer))
}

/// RFC 4648 6 without padding, in lower case as DNS names are kept.
fn base32(octets: &[u8]) -> String {
    let mut out = String::with_capacity(octets.len().div_ceil(5) * 8);
    for group in octets.chunks(5) {
        let octet = |at: usize| u64::from(group.get(at).copied().unwrap_or_default());
        let bits = (0..5).fold(0, |bits, at| bits << 8 | octet(at));
        let digits = (group.len() * 8).div_ceil(5);
        for digit in (0..digits).map(|at| 35 - 5 * at) {
            let value = u8::try_from(bits >> digit & 31).unwrap_or_default();
            let first = if value < 26 { b'a' } else { b'2' - 26 };
            out.push(char::from(first + value));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rfc_6541_appendix_a() {
        let author: Domain = "example.com".parse().unwrap();
        let name = |signer: &str, hash| {
            let signer = signer.parse().unwrap();
            query_name(&signer, hash, &author).unwrap().to_string()
        };
        assert_eq!(
            name("one.example.net", AtpsHash::Sha1),
            "qsp4i4d24crhopdz3o3ziu2ksgs3x6z6._atps.example.com"
        );
        assert_eq!(
            name("TWO.example.net", AtpsHash::Sha1),
            "ztzgrrv3f45a4u6hldkbf3zcow4v2ajx._atps.example.com"
        );
        assert_eq!(
            name("one.example.net", AtpsHash::None),
            "one.example.net._atps.example.com"
        );
        // RFC 4648 10.
        assert_eq!(base32(b"fooba"), "mzxw6ytb");
        assert_eq!(base32(b"foob"), "mzxw6yq");
        assert_eq!(base32(b"f"), "my");
    }

    #[test]
    fn records() {
        let signer: Domain = "one.example.net".parse().unwrap();
        for (record, expected) in [
            ("v=ATPS1", true),
            ("v=ATPS1; d=One.Example.Net;", true),
            ("v=ATPS1; d=two.example.net", false),
            ("d=one.example.net", false),
            ("v=ATPS2; d=one.example.net", false),
            ("v=spf1 -all", false),
        ] {
            assert_eq!(authorizes(record.as_bytes(), &signer), expected, "{record}");
        }
    }
}
