//! A quick hash of names, for tables that are full of them.

use std::hash::{BuildHasher, Hasher, RandomState};

/// Hashes names with a secret of its own: strangers choose what is asked, and may have written the zone.
#[derive(Clone, Copy, Debug)]
pub(super) struct NameHash {
    start: u64,
    factor: u64,
}

impl Default for NameHash {
    fn default() -> Self {
        let random = RandomState::new();
        Self {
            start: random.hash_one(0),
            // Odd, so that a product keeps all that it is made from.
            factor: random.hash_one(1) | 1,
        }
    }
}

impl BuildHasher for NameHash {
    type Hasher = NameHasher;

    fn build_hasher(&self) -> NameHasher {
        NameHasher {
            state: self.start,
            factor: self.factor,
        }
    }
}

/// The hash of one name under way: eight octets at a time are multiplied with the secret, and the halves
/// of the product folded.
pub(super) struct NameHasher {
    state: u64,
    factor: u64,
}

impl NameHasher {
    fn mix(&mut self, word: u64) {
        let product = u128::from(self.state ^ word) * u128::from(self.factor);
        let [high, low] = halves(product);
        self.state = high ^ low;
    }
}

fn halves(product: u128) -> [u64; 2] {
    let low = product & u128::from(u64::MAX);
    [product >> 64, low].map(|half| u64::try_from(half).unwrap_or_default())
}

impl Hasher for NameHasher {
    fn write(&mut self, octets: &[u8]) {
        let length = u64::try_from(octets.len()).unwrap_or_default();
        let (words, rest) = octets.as_chunks();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        // Those that were read already do no harm.
        let rest = octets.last_chunk().map_or_else(
            || {
                rest.iter()
                    .fold(0, |word, octet| word << 8 | u64::from(*octet))
            },
            |last| u64::from_le_bytes(*last),
        );
        self.mix(rest ^ length.rotate_right(8));
    }

    /// What stands behind every text, so that texts behind one another differ: here is one only.
    fn write_u8(&mut self, _: u8) {}

    fn finish(&self) -> u64 {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_that_differ_little_have_hashes_of_their_own() {
        let secret = NameHash::default();
        let hash = |name: &str| secret.hash_one(name);
        let mut names: HashSet<String> = (0..1_000).map(|n| format!("host{n}.example")).collect();
        // Each is the other's end, or its beginning.
        names.extend((0..100).map(|length| "a".repeat(length)));
        names.extend((0..100).map(|length| "example.".repeat(length)));
        let hashes: HashSet<u64> = names.iter().map(|name| hash(name)).collect();
        assert_eq!(hashes.len(), names.len());
        // Tables look at both ends of a hash.
        let low: HashSet<u64> = hashes.iter().map(|hash| hash & 0xfff).collect();
        let high: HashSet<u64> = hashes.iter().map(|hash| hash >> 52).collect();
        assert!(low.len() > 900 && high.len() > 900, "{low:?} {high:?}");
    }

    #[test]
    fn each_table_has_a_secret() {
        let hashes = [(); 2].map(|()| NameHash::default().hash_one("example.com"));
        assert_ne!(hashes[0], hashes[1]);
        let secret = NameHash::default();
        assert_eq!(secret.hash_one("a"), secret.hash_one(String::from("a")));
    }
}
