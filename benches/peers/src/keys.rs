//! Keys that sign the messages, and the bare crypto library that checks them.

use std::sync::Arc;

use mailproof::crypto::{SigningKey, VerifyingKey};
use mailproof::dkim::{self, SignatureAlgorithm};
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::DecodePrivateKey;
use sha2::Digest;

use crate::library::signature;

/// A key pair.
#[derive(Clone)]
pub struct Key {
    pub name: &'static str,
    private: Private,
    /// What the crypto library checks with: RSAPublicKey, or the 32 octets.
    pub public: Vec<u8>,
}

#[derive(Clone)]
enum Private {
    Rsa(Box<rsa::RsaPrivateKey>),
    Ed25519(Arc<signature::Ed25519KeyPair>),
}

impl Key {
    pub fn rsa_2048() -> Self {
        let pem = include_str!("../keys/rsa-2048.pem");
        Self::rsa("rsa2048", rsa::RsaPrivateKey::from_pkcs8_pem(pem).unwrap())
    }

    pub fn rsa_1024() -> Self {
        let pem = include_str!("../keys/rsa-1024.pem");
        Self::rsa("rsa1024", rsa::RsaPrivateKey::from_pkcs1_pem(pem).unwrap())
    }

    fn rsa(name: &'static str, key: rsa::RsaPrivateKey) -> Self {
        Self {
            name,
            public: key.to_public_key().to_pkcs1_der().unwrap().into_vec(),
            private: Private::Rsa(key.into()),
        }
    }

    pub fn ed25519() -> Self {
        let pair = signature::Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        Self {
            name: "ed25519",
            public: signature::KeyPair::public_key(&pair).as_ref().to_vec(),
            private: Private::Ed25519(pair.into()),
        }
    }

    /// The key record, as most of the world publishes it.
    pub fn record(&self) -> String {
        match &self.private {
            Private::Rsa(_) => {
                let key = VerifyingKey::rsa(&self.public).unwrap();
                dkim::KeyRecord::new(&key).to_string()
            }
            Private::Ed25519(_) => {
                let key = SigningKey::ed25519(&[7; 32]).unwrap();
                dkim::KeyRecord::new(key.verifying_key()).to_string()
            }
        }
    }

    pub fn algorithm(&self) -> SignatureAlgorithm {
        match self.private {
            Private::Rsa(_) => SignatureAlgorithm::RsaSha256,
            Private::Ed25519(_) => SignatureAlgorithm::Ed25519Sha256,
        }
    }

    pub fn sign(&self, octets: &[u8]) -> Vec<u8> {
        match &self.private {
            Private::Rsa(key) => {
                let hash = sha2::Sha256::digest(octets);
                key.sign(Pkcs1v15Sign::new::<sha2::Sha256>(), &hash)
                    .unwrap()
            }
            Private::Ed25519(pair) => pair.sign(octets).as_ref().to_vec(),
        }
    }

    pub fn verify(&self, octets: &[u8], signature: &[u8]) -> bool {
        let algorithm: &dyn signature::VerificationAlgorithm = match &self.private {
            Private::Rsa(_) => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            Private::Ed25519(_) => &signature::ED25519,
        };
        let key = signature::UnparsedPublicKey::new(algorithm, &self.public);
        key.verify(octets, signature).is_ok()
    }
}
