//! RSA signatures with keys of any length, slowly and without any protection of the key: for test
//! data whose keys are too short for the library under test.

use std::future::Future;
use std::pin::Pin;

use base64::Engine as _;
use mailproof::crypto::HashAlgorithm;
use mailproof::dkim::{ExternalKey, SignError, SignatureAlgorithm};

/// A private key: modulus and private exponent, most significant octet first.
pub struct PrivateKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl PrivateKey {
    /// Reads PKCS#1 PEM (`RSA PRIVATE KEY`).
    pub fn from_pem(pem: &str) -> Option<Self> {
        let body: String = pem
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with('-'))
            .collect();
        let der = base64::engine::general_purpose::STANDARD
            .decode(body)
            .ok()?;
        let (_, mut rest, _) = element(&der)?;
        // Version, modulus, public exponent, private exponent.
        let mut numbers = Vec::new();
        for _ in 0..4 {
            let (tag, number, after) = element(rest)?;
            assert_eq!(tag, 2);
            numbers.push(number);
            rest = after;
        }
        let start = usize::from(numbers[1][0] == 0);
        Some(Self {
            modulus: numbers[1][start..].to_vec(),
            exponent: numbers[3].to_vec(),
        })
    }

    /// RSASSA-PKCS1-v1_5 (RFC 8017 8.2.1) of a SHA-256 digest.
    fn sign(&self, digest: &[u8]) -> Vec<u8> {
        let info = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
        let padding = self.modulus.len() - 3 - info.len() - digest.len();
        let padding = vec![0xff; padding];
        let encoded = [&b"\x00\x01"[..], &padding, b"\x00", info, digest].concat();
        let modulus = limbs(&self.modulus);
        let base = limbs(&encoded);
        let mut power = limbs(&[1]);
        power.resize(modulus.len(), 0);
        for octet in &self.exponent {
            for bit in (0..8).rev() {
                power = multiply(&power, &power, &modulus);
                if octet >> bit & 1 == 1 {
                    power = multiply(&power, &base, &modulus);
                }
            }
        }
        let octets: Vec<u8> = power
            .iter()
            .rev()
            .flat_map(|limb| limb.to_be_bytes())
            .collect();
        octets[octets.len() - self.modulus.len()..].to_vec()
    }
}

impl ExternalKey for PrivateKey {
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RsaSha256
    }

    fn sign<'a>(
        &'a self,
        octets: &'a [u8],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, SignError>> + Send + 'a>> {
        Box::pin(async move {
            Ok(PrivateKey::sign(
                self,
                HashAlgorithm::Sha256.digest(octets).as_ref(),
            ))
        })
    }
}

/// A DER element: its tag, its content, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], mut rest) = der.split_first_chunk()?;
    let mut length = usize::from(first);
    if first >= 0x80 {
        length = 0;
        for _ in 0..first & 0x7f {
            let (octet, after) = rest.split_first()?;
            length = length << 8 | usize::from(*octet);
            rest = after;
        }
    }
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Least significant limb first.
fn limbs(octets: &[u8]) -> Vec<u32> {
    let limb = |chunk: &[u8]| {
        chunk
            .iter()
            .fold(0, |limb, octet| limb << 8 | u32::from(*octet))
    };
    octets.rchunks(4).map(limb).collect()
}

/// The product modulo `modulus`, limb by limb of the first factor from the top.
fn multiply(a: &[u32], b: &[u32], modulus: &[u32]) -> Vec<u32> {
    let size = modulus.len();
    let mut sum = vec![0_u32; size + 2];
    for limb in a.iter().rev() {
        sum.rotate_right(1);
        sum[0] = 0;
        let mut carry = 0_u64;
        for (at, slot) in sum.iter_mut().enumerate() {
            let factor = b.get(at).copied().unwrap_or(0);
            carry += u64::from(*slot) + u64::from(*limb) * u64::from(factor);
            *slot = (carry & 0xffff_ffff).try_into().unwrap();
            carry >>= 32;
        }
        reduce(&mut sum, modulus);
    }
    sum.truncate(size);
    sum
}

/// Subtracts the modulus until the sum is smaller, estimating how often from the top limbs.
fn reduce(sum: &mut [u32], modulus: &[u32]) {
    let size = modulus.len();
    loop {
        let top = u128::from(sum[size + 1]) << 64
            | u128::from(sum[size]) << 32
            | u128::from(sum[size - 1]);
        let estimate = top / (u128::from(modulus[size - 1]) + 1);
        let factor = u64::try_from(estimate).unwrap().min(0xffff_ffff);
        if factor == 0 {
            let below = sum[size..].iter().all(|limb| *limb == 0)
                && sum[..size].iter().rev().cmp(modulus.iter().rev()).is_lt();
            if below {
                return;
            }
        }
        subtract(sum, modulus, factor.max(1));
    }
}

fn subtract(sum: &mut [u32], modulus: &[u32], factor: u64) {
    let mut borrow = 0_u64;
    for (at, slot) in sum.iter_mut().enumerate() {
        let limb = u64::from(modulus.get(at).copied().unwrap_or(0));
        let taken = limb * factor + borrow;
        let low = u32::try_from(taken & 0xffff_ffff).unwrap();
        borrow = (taken >> 32) + u64::from(*slot < low);
        *slot = slot.wrapping_sub(low);
    }
}
