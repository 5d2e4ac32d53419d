//! The hash in a rewritten address: HMAC, in base64, cut short.

use std::fmt;

use crate::crypto::{self, HashAlgorithm, HmacKey};

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
            let characters = hash.characters.iter_mut().take(folded.len());
            characters.for_each(|octet| *octet = fold(*octet));
            valid | crypto::constant_time_eq(hash.as_bytes(), folded)
        })
    }

    /// The first `length` characters of the hash.
    fn hash(&self, key: &Key, scheme: &str, fields: &[&str], length: usize) -> Hash {
        let (key, head) = match self.construction {
            Construction::Compatible => (&key.sha1, ""),
            Construction::Delimited => (&key.sha256, scheme),
        };
        let most = fields.iter().map(|field| field.len() + 1).sum::<usize>() + head.len() + 1;
        let (mut buffer, mut longer) = ([0; USUAL_MESSAGE], Vec::new());
        let buffer = if most > USUAL_MESSAGE {
            longer.resize(most, 0);
            longer.as_mut_slice()
        } else {
            buffer.as_mut_slice()
        };
        let end = write_message(buffer, head, fields);
        let tag = key.sign(buffer.get(..end).unwrap_or_default());
        Hash::new(tag.as_ref(), length)
    }
}

/// Writes what is hashed, the fields in lower case. Where there is a head, a NUL stands behind it and
/// behind each field; no address has one. Gives the length.
fn write_message(buffer: &mut [u8], head: &str, fields: &[&str]) -> usize {
    let mut end = 0;
    let mut push = |octets: &[u8]| {
        let start = end;
        end += octets.len();
        if let Some(copy) = buffer.get_mut(start..end) {
            copy.copy_from_slice(octets);
        }
    };
    let delimiter: &[u8] = if head.is_empty() { b"" } else { b"\0" };
    push(head.as_bytes());
    push(delimiter);
    for field in fields {
        push(field.as_bytes());
        push(delimiter);
    }
    let fields = buffer.get_mut(head.len()..end);
    fields.unwrap_or_default().make_ascii_lowercase();
    end
}

/// Addresses have at most 254 octets that every server accepts, and most have few.
const USUAL_MESSAGE: usize = 128;

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} not shown", self.older.len() + 1)
    }
}

/// A hash in base64, cut to its length.
pub(super) struct Hash {
    characters: [u8; HASH_LENGTH],
    length: usize,
}

impl Hash {
    /// What is left of six bits at the end is zero.
    fn new(tag: &[u8], length: usize) -> Self {
        let mut characters = [0; HASH_LENGTH];
        for (to, from) in characters
            .chunks_mut(4)
            .zip(tag.chunks(3))
            .take(length.div_ceil(4))
        {
            let octet = |index| from.get(index).copied().map_or(0, u32::from);
            let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
            for (character, shift) in to.iter_mut().zip([18, 12, 6, 0]) {
                let digit = usize::try_from(bits >> shift & 63).unwrap_or_default();
                *character = ALPHABET.get(digit).copied().unwrap_or_default();
            }
        }
        Self { characters, length }
    }

    fn as_bytes(&self) -> &[u8] {
        self.characters
            .get(..self.length)
            .unwrap_or(&self.characters)
    }

    /// The characters.
    pub(super) fn characters(&self, url_safe: bool) -> impl Iterator<Item = char> {
        self.as_bytes()
            .iter()
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

/// RFC 4648 4.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
