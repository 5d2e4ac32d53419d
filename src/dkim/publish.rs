//! Key records, written (§3.6.1, §3.6.2.2).

use std::fmt;

use super::key::{KeyRecord, KeyType};
use super::quoted_printable;
use crate::crypto::VerifyingKey;
use crate::text;

impl KeyRecord {
    /// The record for a public key, without flags, to be published as TXT at
    /// `<selector>._domainkey.<domain>`.
    ///
    /// ```
    /// use mailproof::crypto::SigningKey;
    /// use mailproof::dkim::KeyRecord;
    ///
    /// let (key, pem) = SigningKey::generate_ed25519()?;
    /// let record = KeyRecord::new(key.verifying_key()).with_strict(true);
    /// assert!(record.to_string().starts_with("v=DKIM1; k=ed25519; t=s; p="));
    /// # Ok::<(), mailproof::crypto::SigningKeyError>(())
    /// ```
    #[must_use]
    pub fn new(key: &VerifyingKey) -> Self {
        Self {
            kind: if key.is_ed25519() {
                KeyType::Ed25519
            } else {
                KeyType::Rsa
            },
            key: Some(key.clone()),
            allows_sha1: true,
            allows_sha256: true,
            for_mail: true,
            testing: false,
            strict: false,
            note: None,
        }
    }

    /// Sets `t=y`: whether receivers are to treat the mail as unsigned.
    #[must_use]
    pub fn with_testing(mut self, testing: bool) -> Self {
        self.testing = testing;
        self
    }

    /// Sets `t=s`: whether the domain of `i=` must be `d=` itself. Right for all who do not use
    /// subdomains in `i=`.
    #[must_use]
    pub fn with_strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Sets the note for people (`n=`).
    #[must_use]
    pub fn with_note(mut self, note: &str) -> Self {
        self.note = Some(note.to_owned());
        self
    }

    /// The record as zone files have it: character-strings of at most 255 octets (RFC 1035 3.3), each
    /// quoted. Verifiers join them without a separator.
    #[must_use]
    pub fn to_zone_strings(&self) -> String {
        // The record is ASCII without quotes and backslashes.
        let record = self.to_string();
        let strings = record.as_bytes().chunks(MAX_STRING);
        let strings: Vec<String> = strings
            .map(|string| format!("\"{}\"", text::lossy(string)))
            .collect();
        strings.join(" ")
    }
}

/// The text of the record; of one that was read, as it was understood. Reading it gives an equal
/// record.
impl fmt::Display for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v=DKIM1; k={}; ", self.key_type())?;
        match (self.allows_sha1, self.allows_sha256) {
            (true, true) => {}
            (true, false) => f.write_str("h=sha1; ")?,
            (false, true) => f.write_str("h=sha256; ")?,
            (false, false) => f.write_str("h=; ")?,
        }
        if !self.for_mail {
            f.write_str("s=; ")?;
        }
        match (self.testing, self.strict) {
            (true, true) => f.write_str("t=y:s; ")?,
            (true, false) => f.write_str("t=y; ")?,
            (false, true) => f.write_str("t=s; ")?,
            (false, false) => {}
        }
        if let Some(note) = &self.note {
            write!(f, "n={}; ", quoted_printable::encode_section(note))?;
        }
        let key = self.key.as_ref().map(VerifyingKey::to_octets);
        write!(f, "p={}", text::base64_encode(&key.unwrap_or_default()))
    }
}

/// RFC 1035 3.3: the length of a character-string is one octet.
const MAX_STRING: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back() {
        let key = VerifyingKey::ed25519(&[9; 32]).unwrap();
        let published = KeyRecord::new(&key)
            .with_testing(true)
            .with_strict(true)
            .with_note(" a;b=\"\\ \u{e9} ");
        let parsed = KeyRecord::parse(published.to_string().as_bytes()).unwrap();
        assert_eq!(parsed, published);
        assert_eq!(parsed.key(), Some(&key));
        assert!(parsed.is_testing() && parsed.is_strict());
        assert_eq!(parsed.note(), Some(" a;b=\"\\ \u{e9} "));
        let long = published.with_note(&"x".repeat(300));
        let strings = long.to_zone_strings();
        let joined: String = strings.split('"').skip(1).step_by(2).collect();
        assert_eq!(joined, long.to_string());
        assert!(strings.split('"').all(|string| string.len() <= 255));
    }

    #[test]
    fn what_was_read_reads_back() {
        let key = "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        for tags in [
            "p=".to_owned(),
            "h=sha1; p=".to_owned(),
            format!("k=ed25519; h=sha512:SHA256; s=tlsrpt; {key}"),
            format!("k=ed25519; h=x; t=y:s; n=a=20b; {key}"),
        ] {
            let record = KeyRecord::parse(tags.as_bytes()).unwrap();
            let text = record.to_string();
            assert_eq!(KeyRecord::parse(text.as_bytes()), Ok(record), "{text}");
        }
    }
}
