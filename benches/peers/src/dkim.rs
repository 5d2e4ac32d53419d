//! Verifying DKIM signatures: three kinds of keys, both canonicalizations, bodies of all sizes.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::Message;
use mailproof::crypto::{SigningKey, VerifyingKey};
use mailproof::dkim::{
    self, BodyCanonicalizer, Canonicalization, DkimResult, ExternalKey, ExternalSigner, SignError,
    SignatureAlgorithm, ToSign,
};
use mailproof::dns::{Zone, block_on};
use ring::{digest, signature};
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPublicKey};
use rsa::pkcs1v15::Pkcs1v15Sign;
use rsa::pkcs8::DecodePrivateKey;
use sha2::Digest;

use crate::peer::{Data, Peer};
use crate::{Row, Table, mails};

pub fn rows(table: &mut Table) {
    for key in [Key::rsa_2048(), Key::rsa_1024(), Key::ed25519()] {
        for signatures in [1, 3, 10] {
            for canonicalization in [Canonicalization::Relaxed, Canonicalization::Simple] {
                for (size, octets) in SIZES {
                    for kind in ["text", "html", "base64"] {
                        let name = format!(
                            "dkim {} {canonicalization} {kind} {size} x{signatures}",
                            key.name
                        );
                        if table.wants(&name) {
                            let body = mails::body(kind, *octets);
                            Case::new(&key, canonicalization, &body, signatures).run(&name, table);
                        }
                    }
                }
            }
        }
    }
}

const SIZES: &[(&str, usize)] = &[
    ("1K", 1 << 10),
    ("10K", 10 << 10),
    ("100K", 100 << 10),
    ("1M", 1 << 20),
    ("10M", 10 << 20),
];

/// When everything is signed and checked.
pub const NOW: Duration = Duration::from_secs(1_795_000_000);

pub fn now() -> SystemTime {
    UNIX_EPOCH + NOW
}

/// A message with its signatures, and what is needed to check them.
pub struct Case {
    pub message: Vec<u8>,
    pub zone: Vec<(String, Data)>,
    canonical_body: Vec<u8>,
    signed: Vec<Signed>,
    public: Arc<Key>,
}

/// What was signed, and the signature.
struct Signed {
    octets: Vec<u8>,
    signature: Vec<u8>,
}

impl Case {
    pub fn new(
        key: &Key,
        canonicalization: Canonicalization,
        body: &[u8],
        signatures: usize,
    ) -> Self {
        let unsigned = [mails::HEADER.as_bytes(), b"\r\n", body].concat();
        let keeper = Arc::new(Keeper {
            key: key.clone(),
            signed: Mutex::default(),
        });
        let mut zone = Vec::new();
        let signers: Vec<ExternalSigner> = (0..signatures)
            .map(|number| {
                let selector = format!("s{number}");
                let name = format!("{selector}._domainkey.example.com");
                zone.push((name, Data::Txt(key.record())));
                let domain = "example.com".parse().unwrap();
                ExternalSigner::new(keeper.clone(), domain, &selector)
                    .unwrap()
                    .canonicalization(canonicalization, canonicalization)
            })
            .collect();
        let message = Message::parse(&unsigned);
        let header = block_on(dkim::sign_externally(&signers, &message, now())).unwrap();
        let mut canonicalizer = BodyCanonicalizer::new(canonicalization);
        let mut canonical_body = Vec::new();
        canonicalizer.update(body, |piece| canonical_body.extend_from_slice(piece));
        canonicalizer.finish(|piece| canonical_body.extend_from_slice(piece));
        Self {
            message: [header.header().as_bytes(), &unsigned].concat(),
            zone,
            canonical_body,
            signed: std::mem::take(&mut keeper.signed.lock().unwrap()),
            public: Arc::new(key.clone()),
        }
    }

    /// Our resolver for the case.
    pub fn zone(&self) -> Zone {
        zone(&self.zone)
    }

    fn run(&self, name: &str, table: &mut Table) {
        let zone = self.zone();
        let settings = dkim::Settings::default();
        let ours = || {
            let message = Message::parse(black_box(&self.message));
            let results = block_on(dkim::verify_message(&zone, &message, now(), &settings));
            assert!(results.iter().all(|one| one.result() == DkimResult::Pass));
            assert_eq!(results.len(), self.signed.len());
        };
        let peer = Peer::new(&self.zone);
        let theirs = || assert_eq!(peer.dkim(black_box(&self.message)), self.signed.len());
        table.run(&Row {
            name,
            ours: &ours,
            peer: &theirs,
            floor: Some(&|| self.floor()),
        });
    }

    /// What cannot be done without: the hash of the canonical body, and the check of each signature
    /// over the canonical header.
    fn floor(&self) {
        black_box(digest::digest(
            &digest::SHA256,
            black_box(&self.canonical_body),
        ));
        for signed in &self.signed {
            assert!(
                self.public
                    .verify(black_box(&signed.octets), &signed.signature)
            );
        }
    }
}

/// Our resolver with these records.
pub fn zone(records: &[(String, Data)]) -> Zone {
    let mut zone = Zone::new();
    for (name, data) in records {
        match data {
            Data::A(address) => zone.add_address(name, (*address).into()),
            Data::Mx(exchange) => zone.add_mx(name, 10, exchange),
            Data::Txt(text) => zone.add_txt(name, text),
        }
        .unwrap();
    }
    zone
}

/// A key pair.
#[derive(Clone)]
pub struct Key {
    name: &'static str,
    private: Private,
    /// What ring checks with: RSAPublicKey, or the 32 octets.
    public: Vec<u8>,
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
                dkim::Publication::new(&key).to_string()
            }
            Private::Ed25519(_) => {
                let key = SigningKey::ed25519(&[7; 32]).unwrap();
                dkim::Publication::new(key.verifying_key()).to_string()
            }
        }
    }

    fn sign(&self, to_sign: &ToSign<'_>) -> Vec<u8> {
        match &self.private {
            Private::Rsa(key) => {
                let hash = sha2::Sha256::digest(to_sign.message());
                key.sign(Pkcs1v15Sign::new::<sha2::Sha256>(), &hash)
                    .unwrap()
            }
            Private::Ed25519(pair) => pair.sign(to_sign.message()).as_ref().to_vec(),
        }
    }

    fn verify(&self, octets: &[u8], signature: &[u8]) -> bool {
        let algorithm: &dyn signature::VerificationAlgorithm = match &self.private {
            Private::Rsa(_) => &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY,
            Private::Ed25519(_) => &signature::ED25519,
        };
        let key = signature::UnparsedPublicKey::new(algorithm, &self.public);
        key.verify(octets, signature).is_ok()
    }
}

/// Signs, and remembers what.
struct Keeper {
    key: Key,
    signed: Mutex<Vec<Signed>>,
}

impl ExternalKey for Keeper {
    fn algorithm(&self) -> SignatureAlgorithm {
        match self.key.private {
            Private::Rsa(_) => SignatureAlgorithm::RsaSha256,
            Private::Ed25519(_) => SignatureAlgorithm::Ed25519Sha256,
        }
    }

    fn sign<'a>(
        &'a self,
        to_sign: ToSign<'a>,
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, SignError>> + Send + 'a>> {
        let signature = self.key.sign(&to_sign);
        self.signed.lock().unwrap().push(Signed {
            octets: to_sign.message().to_vec(),
            signature: signature.clone(),
        });
        Box::pin(std::future::ready(Ok(signature)))
    }
}
