//! Keys as strangers and files have them.

use mailproof::crypto::{SigningKey, VerifyingKey};
use mailproof::dkim::KeyRecord;

/// Public keys are published so that they read the same; errors of private keys repeat nothing of
/// their text.
pub fn keys(data: &[u8]) {
    for key in [VerifyingKey::rsa(data), VerifyingKey::ed25519(data)] {
        let Ok(key) = key else { continue };
        assert!(key.bits() > 0);
        let published = KeyRecord::new(&key).to_string();
        let read = KeyRecord::parse(published.as_bytes()).expect("our own record");
        assert_eq!(read.key(), Some(&key));
    }
    for key in [SigningKey::from_der(data), SigningKey::from_pem(data)] {
        match key {
            Ok(key) => assert!(!format!("{key:?}").is_empty()),
            Err(error) => {
                let text = error.to_string();
                assert!(text.len() < 200);
                let words = data.split(|octet| !octet.is_ascii_graphic());
                for word in words.filter(|word| word.len() > 24) {
                    assert!(!text.as_bytes().windows(word.len()).any(|part| part == word));
                }
            }
        }
    }
}
