//! Key records to be published (§3.6.1, §3.6.2.2).

use std::fmt;

use super::quoted_printable;
use crate::crypto::VerifyingKey;
use crate::text;

/// The record for a public key, to be published as TXT at `<selector>._domainkey.<domain>`.
///
/// ```
/// use mailproof::crypto::SigningKey;
/// use mailproof::dkim::Publication;
///
/// let (key, pem) = SigningKey::generate_ed25519()?;
/// let record = Publication::new(key.verifying_key()).strict();
/// assert!(record.to_string().starts_with("v=DKIM1; k=ed25519; t=s; p="));
/// # Ok::<(), mailproof::crypto::SigningKeyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Publication {
    key: VerifyingKey,
    testing: bool,
    strict: bool,
    note: Option<String>,
}

impl Publication {
    /// A record without flags.
    #[must_use]
    pub fn new(key: &VerifyingKey) -> Self {
        Self {
            key: key.clone(),
            testing: false,
            strict: false,
            note: None,
        }
    }

    /// Adds `t=y`: receivers are to treat the mail as unsigned.
    #[must_use]
    pub fn testing(mut self) -> Self {
        self.testing = true;
        self
    }

    /// Adds `t=s`: the domain of `i=` must be `d=` itself. Right for all who do not use subdomains
    /// in `i=`.
    #[must_use]
    pub fn strict(mut self) -> Self {
        self.strict = true;
        self
    }

    /// Adds a note for people (`n=`).
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

impl fmt::Display for Publication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key_type = if self.key.is_ed25519() {
            "ed25519"
        } else {
            "rsa"
        };
        write!(f, "v=DKIM1; k={key_type}; ")?;
        match (self.testing, self.strict) {
            (true, true) => f.write_str("t=y:s; ")?,
            (true, false) => f.write_str("t=y; ")?,
            (false, true) => f.write_str("t=s; ")?,
            (false, false) => {}
        }
        if let Some(note) = &self.note {
            write!(f, "n={}; ", quoted_printable::encode_section(note))?;
        }
        write!(f, "p={}", text::base64_encode(&self.key.to_octets()))
    }
}

/// RFC 1035 3.3: the length of a character-string is one octet.
const MAX_STRING: usize = 255;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dkim::KeyRecord;

    #[test]
    fn reads_back() {
        let key = VerifyingKey::ed25519(&[9; 32]).unwrap();
        let publication = Publication::new(&key)
            .testing()
            .strict()
            .with_note(" a;b=\"\\ \u{e9} ");
        let record = publication.to_string();
        let parsed = KeyRecord::parse(record.as_bytes()).unwrap();
        assert_eq!(parsed.key(), Some(&key));
        assert!(parsed.is_testing() && parsed.is_strict());
        assert_eq!(parsed.note(), Some(" a;b=\"\\ \u{e9} "));
        let long = publication.with_note(&"x".repeat(300));
        let strings = long.to_zone_strings();
        let joined: String = strings.split('"').skip(1).step_by(2).collect();
        assert_eq!(joined, long.to_string());
        assert!(strings.split('"').all(|string| string.len() <= 255));
    }
}
