//! The hash in a rewritten address: HMAC, in base64, cut short.

use std::fmt;

use crate::crypto::{self, HashAlgorithm, HmacKey};
use crate::text;

/// What the hash of a rewritten address covers, and how.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[non_exhaustive]
pub enum Construction {
    /// HMAC-SHA1 over time stamp, host and user with nothing between them, as Mail::SRS, libsrs2 and
    /// PostSRSd do: for those who share the secret with such software.
    ///
    /// Where nothing stands between host and user, the hash of `alice@example.com` is also that of
    /// `malice@example.co`. Whoever has the one address can write the other. No check of the address
    /// alone can tell them apart; only [`Delimited`](Self::Delimited) can.
    #[default]
    Compatible,
    /// HMAC-SHA256 over scheme, time stamp, host and user with a delimiter behind each. The address
    /// looks the same, and forwarders further on cannot tell; but nobody else's software checks it.
    Delimited,
}

/// The secrets, prepared: the first signs, all verify.
#[derive(Clone)]
pub(super) struct Secrets {
    construction: Construction,
    first: Key,
    older: Vec<Key>,
}

/// One secret, prepared for either construction.
#[derive(Clone)]
struct Key {
    sha1: HmacKey,
    sha256: HmacKey,
}

impl Key {
    fn new(secret: &[u8]) -> Self {
        Self {
            sha1: HmacKey::new(HashAlgorithm::Sha1, secret),
            sha256: HmacKey::new(HashAlgorithm::Sha256, secret),
        }
    }
}

impl Secrets {
    pub(super) fn new(secret: &[u8]) -> Self {
        Self {
            construction: Construction::default(),
            first: Key::new(secret),
            older: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, secret: &[u8]) {
        self.older.push(Key::new(secret));
    }

    pub(super) fn set_construction(&mut self, construction: Construction) {
        self.construction = construction;
    }

    pub(super) fn construction(&self) -> Construction {
        self.construction
    }

    /// Signs with the first secret.
    pub(super) fn sign(&self, scheme: &str, fields: &[&str], length: usize) -> Hash {
        self.hash(&self.first, scheme, fields, length)
    }

    /// Whether `given` is the beginning of a hash by any of the secrets. Mail servers change the
    /// case of local parts, and newer software writes `-` and `_`, so neither makes a difference.
    pub(super) fn verify(&self, scheme: &str, fields: &[&str], given: &str) -> bool {
        let mut folded = [0; HASH_LENGTH];
        let Some(folded) = folded.get_mut(..given.len()) else {
            return false;
        };
        for (to, from) in folded.iter_mut().zip(given.bytes()) {
            *to = fold(from);
        }
        // All secrets are tried, so that the time tells nothing about which one fitted.
        let keys = std::iter::once(&self.first).chain(&self.older);
        keys.fold(false, |valid, key| {
            let mut hash = self.hash(key, scheme, fields, folded.len());
            hash.octets
                .iter_mut()
                .for_each(|octet| *octet = fold(*octet));
            let fits = hash
                .octets
                .get(..folded.len())
                .is_some_and(|hash| crypto::constant_time_eq(hash, folded));
            valid | fits
        })
    }

    /// The first `length` characters of the hash.
    fn hash(&self, key: &Key, scheme: &str, fields: &[&str], length: usize) -> Hash {
        let (key, delimited) = match self.construction {
            Construction::Compatible => (&key.sha1, false),
            Construction::Delimited => (&key.sha256, true),
        };
        let mut hmac = key.start();
        if delimited {
            hmac.update(scheme.as_bytes());
            hmac.update(&[0]);
        }
        for field in fields {
            let mut lower = [0; 64];
            for chunk in field.as_bytes().chunks(lower.len()) {
                for (to, from) in lower.iter_mut().zip(chunk) {
                    *to = from.to_ascii_lowercase();
                }
                hmac.update(lower.get(..chunk.len()).unwrap_or_default());
            }
            // No address has a NUL.
            if delimited {
                hmac.update(&[0]);
            }
        }
        let tag = hmac.finish();
        let mut hash = Hash {
            octets: [0; HASH_LENGTH + 1],
            length,
        };
        // Four characters hold three octets; a whole SHA-1 tag takes 27.
        let octets = length.saturating_mul(3).div_ceil(4).min(tag.as_ref().len());
        let octets = tag.as_ref().get(..octets).unwrap_or_default();
        let _ = text::base64_encode_into(octets, &mut hash.octets);
        hash
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} not shown", self.older.len() + 1)
    }
}

/// A hash, cut to its length, in the standard alphabet.
pub(super) struct Hash {
    octets: [u8; HASH_LENGTH + 1],
    length: usize,
}

impl Hash {
    /// The characters.
    pub(super) fn characters(&self, url_safe: bool) -> impl Iterator<Item = char> {
        self.octets
            .iter()
            .take(self.length)
            .map(move |octet| match (url_safe, octet) {
                (true, b'+') => '-',
                (true, b'/') => '_',
                (_, octet) => char::from(*octet),
            })
    }
}

fn fold(octet: u8) -> u8 {
    match octet {
        b'-' => b'+',
        b'_' => b'/',
        octet => octet.to_ascii_lowercase(),
    }
}

/// HMAC-SHA1 in base64: 27 characters and one of padding.
pub(super) const HASH_LENGTH: usize = 27;
