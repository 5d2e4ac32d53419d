//! Opening an RSA signature with its public key (RFC 8017 5.2.2 and 9.2): what was signed.
//!
//! Of a signature that does not hold, this tells whether the key made it at all. It decides about no
//! signature: that is the crypto library's to say. Everything here is public, so that the time it
//! takes need not be the same for all values.

use std::cmp::Ordering;

/// The digest that was signed; `None` where the private key did not make this signature.
pub(super) fn digest(modulus: &[u8], exponent: &[u8], signature: &[u8]) -> Option<Vec<u8>> {
    if signature.len() != modulus.len() {
        return None;
    }
    let ring = Ring {
        modulus: number(modulus),
    };
    let signature = number(signature);
    if compare(&signature, &ring.modulus) != Ordering::Less {
        return None;
    }
    let block = octets(&ring.power(&signature, exponent), modulus.len());
    // ‘EM = 0x00 || 0x01 || PS || 0x00 || T’, PS of at least eight octets.
    let rest = block.strip_prefix(&[0, 1])?;
    let padding = rest.iter().take_while(|octet| **octet == 0xff).count();
    let info = rest.get(padding..)?.strip_prefix(&[0])?;
    let digest = [SHA1, SHA256]
        .into_iter()
        .find_map(|prefix| info.strip_prefix(prefix))?;
    (padding >= 8).then(|| digest.to_vec())
}

/// ‘T = 30 21 30 09 06 05 2b 0e 03 02 1a 05 00 04 14 || H’ (RFC 8017 9.2, note 1).
const SHA1: &[u8] = &[
    0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14,
];

/// Likewise.
const SHA256: &[u8] = &[
    0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
    0x00, 0x04, 0x20,
];

/// Numbers modulo another. All have one limb more than that needs, so that doubling fits.
struct Ring {
    modulus: Vec<u64>,
}

impl Ring {
    fn power(&self, base: &[u64], exponent: &[u8]) -> Vec<u64> {
        let mut power: Option<Vec<u64>> = None;
        for octet in exponent {
            for bit in (0..8).rev() {
                power = power.map(|power| self.product(&power, &power));
                if octet >> bit & 1 == 1 {
                    power = Some(match power {
                        Some(power) => self.product(&power, base),
                        None => base.to_vec(),
                    });
                }
            }
        }
        power.unwrap_or_default()
    }

    /// By doubling and adding: a few milliseconds for 2048 bits and the usual exponent.
    fn product(&self, one: &[u64], other: &[u64]) -> Vec<u64> {
        let mut product = vec![0; self.modulus.len()];
        for limb in other.iter().rev() {
            for bit in (0..u64::BITS).rev() {
                self.double(&mut product);
                if limb >> bit & 1 == 1 {
                    self.add(&mut product, one);
                }
            }
        }
        product
    }

    fn double(&self, number: &mut [u64]) {
        let mut carried = 0;
        for limb in number.iter_mut() {
            let top = *limb >> 63;
            *limb = *limb << 1 | carried;
            carried = top;
        }
        self.reduce(number);
    }

    fn add(&self, sum: &mut [u64], other: &[u64]) {
        carry(sum, other, u64::overflowing_add);
        self.reduce(sum);
    }

    fn reduce(&self, sum: &mut [u64]) {
        if compare(sum, &self.modulus) != Ordering::Less {
            carry(sum, &self.modulus, u64::overflowing_sub);
        }
    }
}

/// Adds or subtracts limb by limb.
fn carry(number: &mut [u64], other: &[u64], operation: fn(u64, u64) -> (u64, bool)) {
    let mut carried = false;
    for (limb, other) in number.iter_mut().zip(other) {
        let (result, first) = operation(*limb, *other);
        let (result, second) = operation(result, u64::from(carried));
        *limb = result;
        carried = first || second;
    }
}

fn compare(one: &[u64], other: &[u64]) -> Ordering {
    one.iter().rev().cmp(other.iter().rev())
}

/// The limbs of a number, the lowest first, with one to spare.
fn number(octets: &[u8]) -> Vec<u64> {
    let limbs = octets.rchunks(8).map(|chunk| {
        let octets = chunk.iter();
        octets.fold(0, |limb, octet| limb << 8 | u64::from(*octet))
    });
    limbs.chain([0]).collect()
}

/// The last octets of a number, the highest first.
fn octets(number: &[u64], length: usize) -> Vec<u8> {
    let octets: Vec<u8> = number
        .iter()
        .rev()
        .flat_map(|limb| limb.to_be_bytes())
        .collect();
    let skipped = octets.len().saturating_sub(length);
    octets.get(skipped..).unwrap_or_default().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        let ring = Ring {
            modulus: number(&[1, 0, 1]),
        };
        let mut expected: u64 = 1;
        for exponent in 1..=u8::MAX {
            expected = expected * 60_000 % 65_537;
            let power = ring.power(&number(&[0xea, 0x60]), &[exponent]);
            assert_eq!(power, [expected, 0]);
        }
        let wide = [0xff; 16];
        let ring = Ring {
            modulus: number(&wide),
        };
        // (m - 1)^2 = 1 modulo m.
        let mut last = wide;
        last[15] = 0xfe;
        assert_eq!(octets(&ring.power(&number(&last), &[2]), 2), [0, 1]);
        assert_eq!(octets(&ring.power(&number(&last), &[3]), 16), last);
    }

    #[test]
    fn opens_nothing_else() {
        assert_eq!(digest(&[0xff; 128], &[3], &[1; 127]), None);
        assert_eq!(digest(&[0x0f; 128], &[3], &[0xff; 128]), None);
        assert_eq!(digest(&[0xff; 128], &[1, 0, 1], &[2; 128]), None);
        assert_eq!(digest(&[], &[], &[]), None);
    }
}
