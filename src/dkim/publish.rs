//! Key records to be published (§3.6.1, §3.6.2.2).

use crate::crypto::VerifyingKey;
use crate::text;

/// The text of the TXT record for a public key.
///
/// ```
/// use mailproof::crypto::SigningKey;
/// use mailproof::dkim;
///
/// let (key, pem) = SigningKey::generate_ed25519()?;
/// let record = dkim::record(key.verifying_key());
/// assert!(record.starts_with("v=DKIM1; k=ed25519; p="));
/// # Ok::<(), mailproof::crypto::SigningKeyError>(())
/// ```
#[must_use]
pub fn record(key: &VerifyingKey) -> String {
    let key_type = if key.is_ed25519() { "ed25519" } else { "rsa" };
    let octets = text::base64_encode(&key.to_octets());
    format!("v=DKIM1; k={key_type}; p={octets}")
}

/// A record as zone files have it: character-strings of at most 255 octets (RFC 1035 3.3), quoted,
/// with a space between them. Verifiers join them without a separator.
///
/// ```
/// assert_eq!(mailproof::dkim::record_strings("v=DKIM1; p="), "\"v=DKIM1; p=\"");
/// ```
#[must_use]
pub fn record_strings(record: &str) -> String {
    let strings: Vec<String> = record
        .as_bytes()
        .chunks(255)
        .map(|string| {
            let text = text::lossy(string);
            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
        })
        .collect();
    strings.join(" ")
}
