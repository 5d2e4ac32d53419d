//! ARC (RFC 8617): validating the chain of seals on a message, and sealing.
//!
//! Validation goes in the steps of DKIM: [`Collected::read`] reads the sets of a header block and refuses
//! what needs no further look; their keys and body hashes are those of DKIM, so that
//! [`dkim::Keys::fetch`](crate::dkim::Keys::fetch) and one [`BodyHasher`](crate::dkim::BodyHasher) can serve
//! both; [`Collected::validate`] judges, without any input or output. ‘§’ is a section of RFC 8617.
//!
//! A chain that is valid says that its sealers vouch for what they saw, and nothing else. Whether
//! that is worth anything depends on who they are ([`Validation::first_trusted`]); it never changes
//! a result of DMARC.
//!
//! ```
//! use mailproof::{Message, arc, dkim, dns};
//! use std::time::SystemTime;
//!
//! let zone = dns::Zone::new();
//! let message = Message::parse(b"From: a@example.com\r\n\r\nHello\r\n");
//! let settings = arc::Settings::default();
//! let now = SystemTime::now();
//! let collected = arc::Collected::read(message.head(), now, &settings);
//! let keys = dns::block_on(dkim::Keys::fetch(&zone, &collected.key_names()));
//! let mut hasher = collected.body_hasher();
//! hasher.update(message.body());
//! let validation = collected.validate(&keys, &hasher.finish(), &settings);
//! assert_eq!(validation.result(), arc::ArcResult::None);
//! ```

mod cause;
mod chain;
mod collect;
mod external;
mod fields;
mod parts;
mod payload;
mod plan;
mod seal;
mod set;
mod settings;
mod validate;
mod validation;
mod words;

pub use cause::Cause;
pub use collect::Collected;
pub(crate) use parts::{Parts, parts};
pub use payload::Payload;
pub use seal::{Sealer, Sealing};
pub use set::Set;
pub use settings::Settings;
pub use validation::Validation;
pub use words::ArcResult;
pub(crate) use words::SetField;
