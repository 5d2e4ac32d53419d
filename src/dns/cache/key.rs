//! What is asked, hashed once: for the shard and for the tables in it.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};

use crate::dns::{Name, RecordType};

/// A question.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Key {
    hash: u64,
    pub(super) name: Name,
    record_type: RecordType,
}

impl Key {
    /// The hasher must have a secret: strangers choose what is asked.
    pub(super) fn new(name: Name, record_type: RecordType, hasher: &impl BuildHasher) -> Self {
        Self {
            hash: hasher.hash_one((&name, record_type)),
            name,
            record_type,
        }
    }

    /// Bits of the hash that matter least to the tables, which look at both ends.
    pub(super) fn middle(&self) -> usize {
        let [_, _, high, low, ..] = self.hash.to_be_bytes();
        usize::from(u16::from_be_bytes([high, low]))
    }
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.hash);
    }
}

/// A table of keys.
pub(super) type Table<V> = HashMap<Key, V, BuildHasherDefault<Hashed>>;

/// Gives the hash that a key has already.
#[derive(Default)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.0 = self.0.rotate_left(8) ^ u64::from(*octet);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}
