//! Holding a signature against the keys that the DNS has at its name (§6.1.2, §6.1.3).

use super::algorithm::SignatureAlgorithm;
use super::cause::Cause;
use super::key::{KeyRecord, KeyType};
use super::keys::Keys;
use super::settings::Settings;
use crate::crypto::{CHECKABLE_BITS, HashAlgorithm, Opened, VerifyingKey};
use crate::dns::Name;

/// What a key is needed for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyUse<'a> {
    pub(crate) algorithm: SignatureAlgorithm,
    /// Whether `i=` is a subdomain of `d=`, which `t=s` forbids.
    pub(crate) identity_below: bool,
    /// What the signature was made over: the canonical header, or its digest for Ed25519.
    pub(crate) signed: &'a [u8],
    pub(crate) signature: &'a [u8],
}

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) struct KeyCheck {
    /// [`Cause::Passed`] where a key fits.
    pub(crate) cause: Cause,
    pub(crate) key_bits: Option<usize>,
    pub(crate) testing: bool,
}

impl KeyCheck {
    fn without_key(cause: Cause) -> Self {
        Self {
            cause,
            key_bits: None,
            testing: false,
        }
    }
}

/// What is signed, as the key's algorithm takes it: Ed25519 signs the SHA-256 digest of the header
/// (RFC 8463 3), RSA hashes for itself.
pub(crate) fn signed_octets(algorithm: SignatureAlgorithm, header: Vec<u8>) -> Vec<u8> {
    match algorithm {
        SignatureAlgorithm::Ed25519Sha256 => HashAlgorithm::Sha256.digest(&header),
        SignatureAlgorithm::RsaSha1 | SignatureAlgorithm::RsaSha256 => header,
    }
}

/// Tries the key records at `name`.
///
/// §3.6.2.2: ‘TXT RRs MUST be unique for a particular selector name; that is, if there are multiple
/// records in an RRset, the results are undefined.’ Two do stand there while keys are rotated, and
/// other text by mistake; so each record is tried, up to a limit, and the result is that of the one
/// that comes closest.
pub(crate) fn check(
    keys: &Keys,
    name: &Name,
    key_use: &KeyUse<'_>,
    settings: &Settings,
) -> KeyCheck {
    let Some(answer) = keys.answer(name) else {
        return KeyCheck::without_key(Cause::KeyUnavailable(None));
    };
    if let Some(error) = answer.error() {
        return KeyCheck::without_key(Cause::KeyUnavailable(Some(error.clone())));
    }
    let mut tried = 0;
    let mut best: Option<KeyCheck> = None;
    for record in answer.records(settings) {
        let check = match &*record {
            Ok(record) if tried < settings.max_key_records => {
                tried += 1;
                check_record(record, key_use, settings)
            }
            Ok(_) => break,
            Err(error) => KeyCheck::without_key(Cause::KeySyntax(error.clone())),
        };
        if check.cause == Cause::Passed {
            return check;
        }
        if best
            .as_ref()
            .is_none_or(|best| closeness(&best.cause) < closeness(&check.cause))
        {
            best = Some(check);
        }
    }
    best.unwrap_or(KeyCheck::without_key(Cause::NoKey))
}

/// What a signature holds by the key records at `name`, the first that made it.
pub(crate) fn open(keys: &Keys, name: &Name, signature: &[u8], settings: &Settings) -> Opened {
    let Some(answer) = keys.answer(name) else {
        return Opened::Sealed;
    };
    let records = answer.records(settings).filter(|record| record.is_ok());
    let mut opened = Opened::Sealed;
    // As many as are tried by `check`.
    for record in records.take(settings.max_key_records) {
        let key = record.as_ref().as_ref().ok().and_then(KeyRecord::key);
        match key.map(|key| key.open(signature)) {
            Some(Opened::Digest(digest)) => return Opened::Digest(digest),
            Some(Opened::NotByThisKey) => opened = Opened::NotByThisKey,
            Some(Opened::Sealed) | None => {}
        }
    }
    opened
}

fn check_record(record: &KeyRecord, key_use: &KeyUse<'_>, settings: &Settings) -> KeyCheck {
    KeyCheck {
        cause: match suitable(record, key_use, settings) {
            Err(cause) => cause,
            Ok(key) => {
                let hash = key_use.algorithm.hash();
                if key.verify(hash, key_use.signed, key_use.signature) {
                    Cause::Passed
                } else {
                    Cause::SignatureMismatch
                }
            }
        },
        key_bits: record.key().map(VerifyingKey::bits),
        testing: record.is_testing(),
    }
}

/// §6.1.2, steps 5 to 9.
fn suitable<'k>(
    record: &'k KeyRecord,
    key_use: &KeyUse<'_>,
    settings: &Settings,
) -> Result<&'k VerifyingKey, Cause> {
    if !record.allows(key_use.algorithm.hash()) {
        return Err(Cause::HashNotAllowed);
    }
    let key = record.key().ok_or(Cause::KeyRevoked)?;
    let wanted = match key_use.algorithm {
        SignatureAlgorithm::Ed25519Sha256 => KeyType::Ed25519,
        SignatureAlgorithm::RsaSha1 | SignatureAlgorithm::RsaSha256 => KeyType::Rsa,
    };
    if record.kind() != wanted {
        let key_type = record.key_type();
        return Err(Cause::KeyTypeMismatch { key_type });
    }
    if !record.is_for_mail() {
        return Err(Cause::KeyNotForMail);
    }
    if record.is_strict() && key_use.identity_below {
        return Err(Cause::IdentityNotAllowed);
    }
    if wanted == KeyType::Rsa {
        let bits = key.bits();
        if bits < settings.min_rsa_bits {
            let limit = settings.min_rsa_bits;
            return Err(Cause::KeyTooShort { bits, limit });
        }
        if bits > settings.max_rsa_bits {
            let limit = settings.max_rsa_bits;
            return Err(Cause::KeyTooLong { bits, limit });
        }
        // The crypto library checks no shorter keys, whatever the settings allow.
        let limit = *CHECKABLE_BITS.start();
        if bits < limit {
            return Err(Cause::KeyTooShort { bits, limit });
        }
    }
    Ok(key)
}

/// How far the check with one of several records came.
fn closeness(cause: &Cause) -> u8 {
    match cause {
        Cause::SignatureMismatch => 3,
        Cause::KeyTooLong { .. } | Cause::KeyTooShort { .. } => 2,
        Cause::KeySyntax(_) => 0,
        _ => 1,
    }
}
