//! The Sender Rewriting Scheme: envelope senders that survive forwarding, and reading those that
//! others wrote.
//!
//! A forwarder that keeps the envelope sender fails SPF at the next hop, because the sender's domain
//! never authorized the forwarder's address. SRS puts a domain of the forwarder there instead, with
//! the original sender inside the local part, so that a bounce can find its way back.
//!
//! No RFC defines SRS. What is implemented here is what Mail::SRS, libsrs2 and PostSRSd agree on.

mod foreign;
mod guarded;
mod mac;
mod reverse;
mod rewriter;
mod stamp;
mod store;

pub use foreign::{Claimed, ClaimedAddress, Form, decode};
pub use guarded::{Malformed, Separator};
pub use mac::{Alphabet, Construction};
pub use reverse::{Hop, Reversed, Stored, Valid};
pub use rewriter::{Forwarded, Part, Rewriter, SettingError, TooLong, Unchanged};
pub use stamp::Stamp;
pub use store::{MemoryStore, Shortened, Store};
