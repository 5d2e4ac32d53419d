//! Verifying DKIM signatures: three kinds of keys, both canonicalizations, bodies of all sizes.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::Message;
use mailproof::dkim::{
    self, Canonicalization, DkimResult, ExternalKey, SignError, SignatureAlgorithm, Signer,
};
use mailproof::dns::{Zone, block_on};

use crate::keys::Key;
use crate::library::digest;
use crate::peer::{Data, Peer};
use crate::{Row, Table, mails, naive, zone};

pub fn rows(table: &mut Table) {
    let keys = [Key::rsa_2048(), Key::rsa_1024(), Key::ed25519()];
    let both = [Canonicalization::Relaxed, Canonicalization::Simple];
    for key in &keys {
        for canonicalization in both {
            for size in ["1K", "10K"] {
                row(table, key, canonicalization, "text", size, 1);
            }
        }
    }
    for canonicalization in both {
        for kind in ["base64", "mixed", "text", "html"] {
            for size in ["100K", "1M"] {
                row(table, &keys[0], canonicalization, kind, size, 1);
            }
        }
    }
    for size in ["10K", "1M"] {
        for signatures in [3, 10] {
            let relaxed = Canonicalization::Relaxed;
            row(table, &keys[0], relaxed, "text", size, signatures);
        }
    }
}

fn row(
    table: &mut Table,
    key: &Key,
    canonicalization: Canonicalization,
    kind: &str,
    size: &str,
    signatures: usize,
) {
    let key_name = key.name;
    let name = format!("dkim {key_name} {canonicalization} {kind} {size} x{signatures}");
    if table.wants(&name) {
        let body = mails::body(kind, octets(size));
        Case::new(key, canonicalization, &body, signatures).run(&name, table);
    }
}

pub fn octets(size: &str) -> usize {
    let (number, unit) = size.split_at(size.len() - 1);
    let number: usize = number.parse().unwrap();
    number << if unit == "M" { 20 } else { 10 }
}

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
    public: Key,
}

/// What was signed, and the signature.
pub struct Signed {
    pub octets: Vec<u8>,
    pub signature: Vec<u8>,
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
        let signers: Vec<Signer<Arc<dyn ExternalKey>>> = (0..signatures)
            .map(|number| {
                let selector = format!("s{number}");
                let name = format!("{selector}._domainkey.example.com");
                zone.push((name, Data::Txt(key.record())));
                let domain = "example.com".parse().unwrap();
                Signer::external(keeper.clone(), domain, &selector)
                    .unwrap()
                    .canonicalization(canonicalization, canonicalization)
            })
            .collect();
        let message = Message::parse(&unsigned);
        let header = block_on(dkim::Signer::sign_externally(&signers, &message, now())).unwrap();
        Self {
            message: [header.header().as_bytes(), &unsigned].concat(),
            zone,
            canonical_body: canonicalization.body(body),
            signed: std::mem::take(&mut keeper.signed.lock().unwrap()),
            public: key.clone(),
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
        let twin = || {
            assert_eq!(
                naive::verify(black_box(&self.message), &self.zone),
                self.signed.len()
            )
        };
        let row = Row::new(name, &ours).peer(&theirs).twin(&twin);
        table.run(&row.floor(&|| self.floor()));
    }

    /// What cannot be done without: the hash of the canonical body, and the check of each signature
    /// over the canonical header.
    pub fn floor(&self) {
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

/// Signs, and remembers what.
pub struct Keeper {
    pub key: Key,
    pub signed: Mutex<Vec<Signed>>,
}

impl ExternalKey for Keeper {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }

    fn sign<'a>(
        &'a self,
        octets: &'a [u8],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, SignError>> + Send + 'a>> {
        let signature = self.key.sign(octets);
        self.signed.lock().unwrap().push(Signed {
            octets: octets.to_vec(),
            signature: signature.clone(),
        });
        Box::pin(std::future::ready(Ok(signature)))
    }
}
