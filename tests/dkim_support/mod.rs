//! A signer that writes whatever tags a test wants, and shares no code with the crate's own.

use std::time::SystemTime;

use mailproof::Message;
use mailproof::crypto::{HashAlgorithm, SigningKey};
use mailproof::dkim::{self, KeyRecord, Settings, Verification};
use mailproof::dns::{Zone, block_on};

pub fn key() -> SigningKey {
    SigningKey::ed25519(&[5; 32]).unwrap()
}

/// The key under `s._domainkey` of each domain.
pub fn zone(domains: &[&str]) -> Zone {
    let mut zone = Zone::new();
    for domain in domains {
        let name = format!("s._domainkey.{domain}");
        let record = KeyRecord::new(key().verifying_key()).to_string();
        zone.add_txt(&name, record).unwrap();
    }
    zone
}

/// Signs `header` (whole lines) and `body` with a field of these tags, to which `bh=` and `b=` are
/// added. Both canonicalizations are relaxed, and the texts must be canonical as they are but for the
/// letter case of names and one space behind the colon. `length` octets of the body are hashed.
pub fn craft(tags: &str, header: &str, body: &str, length: usize) -> String {
    let hash = HashAlgorithm::Sha256.digest(&body.as_bytes()[..length]);
    let field = format!(
        "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; {} bh={}; b=",
        tags.trim(),
        base64(hash.as_ref())
    );
    let canonical = |line: &str| {
        let (name, value) = line.split_once(':').unwrap();
        format!("{}:{}", name.to_ascii_lowercase(), value.trim())
    };
    let names = tags.split("h=").nth(1).unwrap().split(';').next().unwrap();
    let mut lines: Vec<&str> = header.lines().collect();
    let mut data = String::new();
    for name in names.split(':') {
        let found = lines.iter().rposition(|line| {
            line.split(':')
                .next()
                .unwrap()
                .eq_ignore_ascii_case(name.trim())
        });
        if let Some(at) = found {
            data.push_str(&canonical(lines.remove(at)));
            data.push_str("\r\n");
        }
    }
    data.push_str(&canonical(&field));
    let digest = HashAlgorithm::Sha256.digest(data.as_bytes());
    let signature = key().sign(digest.as_ref()).unwrap();
    format!("{field}{}\r\n{header}\r\n{body}", base64(&signature))
}

pub fn verify(zone: &Zone, mail: &str, settings: &Settings) -> Vec<Verification> {
    verify_at(zone, mail, settings, SystemTime::now())
}

pub fn verify_at(
    zone: &Zone,
    mail: &str,
    settings: &Settings,
    now: SystemTime,
) -> Vec<Verification> {
    let message = Message::parse(mail.as_bytes());
    block_on(dkim::verify_message(zone, &message, now, settings))
}

pub fn base64(octets: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in octets.chunks(3) {
        let octet = |at: usize| usize::from(group.get(at).copied().unwrap_or_default());
        let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
        for at in 0..4 {
            let digit = char::from(ALPHABET[bits >> (18 - 6 * at) & 63]);
            out.push(if at <= group.len() { digit } else { '=' });
        }
    }
    out
}
