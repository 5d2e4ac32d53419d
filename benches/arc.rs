//! What validating a chain of seals costs beside its floor: the hash of the body and the check of each
//! signature and seal, in the same run, with the same crypto library.

mod harness;

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use mailproof::auth_results::AuthenticationResults;
use mailproof::crypto::SigningKey;
use mailproof::dkim::{self, ExternalKey, KeyRecord, SignError, SignatureAlgorithm};
use mailproof::dns::{Zone, block_on};
use mailproof::{Message, arc};
use ring::{digest, signature};

fn main() {
    if !harness::is_bench() {
        return;
    }
    for sets in [1, 3, 10] {
        row(sets);
    }
}

/// A chain on a body of 10 KiB, which is its own canonical form.
fn row(sets: usize) {
    let keeper = Arc::new(Keeper {
        key: SigningKey::from_pem(include_str!("../tests/data/dkim/rsa2048.pem")).expect("a key"),
        made: Mutex::default(),
    });
    let record = KeyRecord::new(keeper.key.verifying_key()).to_string();
    let body = "Words of a line that is as long as many are, and a little more\r\n".repeat(160);
    let mut mail = format!("From: a@example.com\r\nSubject: words\r\n\r\n{body}");
    let mut zone = Zone::new();
    for hop in 1..=sets {
        let domain = format!("hop{hop}.example");
        let name = format!("s._domainkey.{domain}");
        zone.add_txt(&name, &record).expect("a name");
        let key: Arc<dyn ExternalKey> = keeper.clone();
        let sealer = arc::Sealer::external(key, domain.parse().expect("a domain"), "s");
        let message = Message::parse(mail.as_bytes());
        let results = AuthenticationResults::new(domain.parse().expect("an identifier"));
        let payload = arc::Payload::new(&results);
        let incoming = validate(&zone, mail.as_bytes());
        let sealer = sealer.expect("a sealer");
        let sealed = block_on(sealer.seal_externally(&message, &payload, &incoming, now()));
        mail = [&sealed.expect("a set").header(), mail.as_str()].concat();
    }
    let ours = || {
        let validation = validate(&zone, black_box(mail.as_bytes()));
        assert_eq!(validation.result(), arc::ArcResult::Pass);
    };
    let made = keeper.made.lock().expect("nobody panicked");
    let public = keeper.public();
    let floor = || {
        black_box(digest::digest(&digest::SHA256, body.as_bytes()));
        for (signed, octets) in &*made {
            let algorithm = &signature::RSA_PKCS1_2048_8192_SHA256;
            let key = signature::UnparsedPublicKey::new(algorithm, &public);
            key.verify(signed, octets).expect("it fits");
        }
    };
    let times = harness::race(Duration::from_millis(400), &[&ours, &floor]);
    let [ours_times, floor_times] = times.as_slice() else {
        panic!("two candidates");
    };
    println!(
        "arc, sets: {sets}: {:8.1} us, floor {:8.1} us, ratio {:.3}, allocations {}",
        ours_times.median() / 1e3,
        floor_times.median() / 1e3,
        ours_times.ratio(floor_times),
        harness::allocations(ours),
    );
}

fn validate(zone: &Zone, mail: &[u8]) -> arc::Validation {
    let settings = arc::Settings::default();
    let message = Message::parse(mail);
    let collected = arc::Collected::read(message.head(), now(), &settings);
    let keys = block_on(dkim::Keys::fetch(zone, &collected.key_names()));
    let mut hasher = collected.body_hasher();
    hasher.update(message.body());
    collected.validate(&keys, &hasher.finish(), &settings)
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_000_000)
}

/// Signs, and remembers what it signed and how.
struct Keeper {
    key: SigningKey,
    made: Mutex<Vec<(Vec<u8>, Vec<u8>)>>,
}

impl Keeper {
    /// The key as RSAPublicKey.
    fn public(&self) -> Vec<u8> {
        let pem = include_str!("../tests/data/dkim/rsa2048.pem");
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        let pair = signature::RsaKeyPair::from_der(&harness::base64(&body));
        let pair = pair.or_else(|_| signature::RsaKeyPair::from_pkcs8(&harness::base64(&body)));
        let pair = pair.expect("a key");
        signature::KeyPair::public_key(&pair).as_ref().to_vec()
    }
}

impl ExternalKey for Keeper {
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RsaSha256
    }

    fn sign<'a>(
        &'a self,
        octets: &'a [u8],
    ) -> Pin<Box<dyn Future<Output = Result<Vec<u8>, SignError>> + Send + 'a>> {
        let signature = self.key.sign(octets).expect("a signature");
        let mut made = self.made.lock().expect("nobody panicked");
        made.push((octets.to_vec(), signature.clone()));
        Box::pin(std::future::ready(Ok(signature)))
    }
}
