//! The Sender Rewriting Scheme (SRS): envelope senders that survive forwarding, and reading those
//! that others wrote.
//!
//! A forwarder that keeps the envelope sender fails SPF at the next hop, because the sender's domain
//! never authorized the forwarder's host. SRS puts a domain of the forwarder there instead, with the
//! original sender inside the local part, so that bounces find their way back.
//!
//! No RFC defines SRS. What is implemented here is what Mail::SRS, libsrs2 and PostSRSd agree on:
//!
//! ```text
//! SRS0=hash=stamp=host=user@forwarder            a sender, as the first forwarder rewrites it
//! SRS1=hash=forwarder==hash=stamp=host=user@next what every further forwarder makes of that
//! ```
//!
//! [`Rewriter`] writes such addresses and takes their bounces back; [`Claimed::decode`] reads anybody's,
//! Exchange Online's included, without the secret.
//!
//! # What SRS does, and what it does not do
//!
//! * It makes **SPF** pass at the next hop: for the *forwarder's* domain.
//! * It does nothing for **DMARC**, and takes something away. DMARC asks that the domain that passed
//!   is the author's, the one in the From field. The rewritten sender has the forwarder's domain, so
//!   SPF cannot align any more; what remains is a DKIM signature of the author's domain, which must
//!   reach the next hop intact. SRS raises no DMARC result and is no reason to trust a message.
//! * Its hash says something to the forwarder that wrote it alone. To everybody else an SRS address
//!   is a *claim* about who sent a message, hence [`Claimed`].
//!
//! An example. `userA@firma-a.tld` writes to a list at firma-b.tld, which is hosted by Exchange
//! Online. The list sends the message on to firma-c.tld with the envelope sender rewritten, and with
//! the From field as it was:
//!
//! ```text
//! MAIL FROM:<Verteilername+SRS=y1OwP=BF=firma-a.tld=userA@firma-b.tld>
//! From: "UserA" <userA@firma-a.tld>
//! ```
//!
//! At firma-c.tld SPF passes for firma-b.tld, and so does a signature by the provider's
//! `d=FirmaB.onmicrosoft.com`. Neither is firma-a.tld, which publishes `p=none` and does not sign at
//! all: spf=pass, dkim=pass, dmarc=fail. The author asked for nothing to be done about it; a receiver
//! that refuses the message (‘550 5.7.23 … Sender Policy Framework violation’) does so by a rule of
//! its own. The remedy is not in SRS. firma-a.tld should sign with DKIM, firma-b.tld should leave
//! what is signed alone, or seal what it saw (ARC), and firma-c.tld may decide to trust firma-b.tld.
//!
//! ```
//! use mailproof::srs;
//!
//! let envelope = "Verteilername+SRS=y1OwP=BF=firma-a.tld=userA@firma-b.tld";
//! let claimed = srs::Claimed::decode(envelope).unwrap();
//! // Whom SPF speaks for, and who claims to be the sender: different domains.
//! assert_eq!(claimed.forwarder().as_str(), "firma-b.tld");
//! assert_eq!(claimed.original_domain().unwrap().as_str(), "firma-a.tld");
//! ```
//!
//! # Running a forwarder
//!
//! * Give SRS a domain of its own, with an SPF record that authorizes the forwarder and an MX that
//!   leads back to it. Rewrite what is forwarded only, and forward only what was accepted.
//! * Accept SRS recipients from the null sender only. Refuse [`Reversed::Forged`] and
//!   [`Reversed::Expired`] at RCPT (550), let [`Reversed::ForeignDomain`] pass like any address.
//! * If no other software checks the same addresses with the same secret, choose
//!   [`Construction::Delimited`] and a hash of 8 characters.
//! * To change the secret, put the new one in first place and keep the old one for as long as its
//!   addresses are valid ([`Rewriter::older_secret`]).

mod foreign;
mod forwarded;
mod guarded;
mod mac;
mod reverse;
mod rewriter;
mod stamp;
mod store;

pub use foreign::{Claimed, Form};
pub use forwarded::{Forwarded, Unchanged};
pub use guarded::Malformed;
pub use mac::Construction;
pub use reverse::Reversed;
pub use rewriter::{Rewriter, SettingError};
pub(crate) use stamp::Stamp;
pub use store::{MemoryStore, Shortened, Store};
