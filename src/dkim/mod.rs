//! DKIM (RFC 6376, with RFC 8301, 8463 and 8616): verifying and making signatures.
//!
//! Verification goes in steps that a server can take one by one, or all at once with
//! [`verify_message`]: [`Collected::read`] reads the signatures of a header block and refuses what needs no
//! further look; [`Keys::fetch`] asks for the keys, all at the same time; a [`BodyHasher`] takes the body
//! in chunks of any size; [`Collected::verify`] judges, without any input or output. ‘§’ is a section of RFC
//! 6376.
//!
//! ```
//! use mailproof::{Message, dkim, dns};
//! use std::time::SystemTime;
//!
//! let zone = dns::Zone::new();
//! let message = Message::parse(b"From: a@example.com\r\n\r\nHello\r\n");
//! let settings = dkim::Settings::default();
//! let verifications =
//!     dns::block_on(dkim::verify_message(&zone, &message, SystemTime::now(), &settings));
//! assert!(verifications.is_empty());
//! ```
//!
//! # Signing, and changing keys
//!
//! A [`Signer`] holds a key, a domain and a selector; [`Signer::sign`] makes the signatures of any number of
//! them in one pass over the body. [`Signer::check`] tells whether the DNS agrees with it. Keys are
//! changed without a gap by using two selectors in turn:
//!
//! 1. Make the new key ([`SigningKey::generate_ed25519`](crate::crypto::SigningKey::generate_ed25519),
//!    or RSA with `openssl`), and publish its record ([`Signer::record`], [`KeyRecord`]) under a
//!    selector that is not in use, such as `2026b` beside `2026a`.
//! 2. Wait until no resolver can still hold the answer that there is no such name: the negative TTL
//!    of the zone. Then [`Signer::check`] for the new signer must find nothing.
//! 3. Sign with the new signer.
//! 4. Keep the old record for as long as mail signed with it may be under way or looked at again: a
//!    week at least. A signature with `x=` needs its key no longer than that.
//! 5. Publish the old record with an empty `p=`, which says that the key was revoked, and some weeks
//!    later remove it. Never publish two records under one selector (§3.6.2.2).
//!
//! To sign with RSA and Ed25519 at once, give [`Signer::sign`] two signers with different selectors; most
//! receivers check RSA only.

mod algorithm;
mod atps;
mod body;
mod body_facts;
pub(crate) mod body_hash;
pub(crate) mod canonicalize;
mod cause;
mod collect;
mod external;
mod fetch;
pub(crate) mod field_writer;
mod hazards;
pub(crate) mod header;
mod key;
pub(crate) mod key_check;
mod keys;
mod lookup;
mod publish;
mod quoted_printable;
mod report_request;
mod settings;
mod sign;
mod signature;
mod signature_error;
pub(crate) mod tags;
mod template;
mod verification;
pub(crate) mod verify;
mod white_space;

pub use algorithm::{DkimResult, SignatureAlgorithm};
pub(crate) use body_hash::BodyHashRequest;
pub use body_hash::{BodyHasher, BodyHashes};
pub use canonicalize::Canonicalization;
pub use cause::Cause;
pub use collect::Collected;
pub use external::ExternalKey;
pub use fetch::verify_message;
pub use hazards::Hazards;
pub use key::{KeyRecord, KeyRecordError};
pub use keys::Keys;
pub use lookup::Unready;
pub use report_request::ReportRequest;
pub use settings::Settings;
pub(crate) use sign::seconds;
pub use sign::{SignError, Signed, Signer, Signing};
pub use signature::Signature;
pub(crate) use signature::key_name;
pub use signature_error::SignatureError;
pub(crate) use template::{check_count, check_names, signer_names};
pub use verification::Verification;
