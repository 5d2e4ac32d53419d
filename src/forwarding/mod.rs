//! Forwarding a message in the right order, and seeing beforehand what the next hops would make of it.
//!
//! A [`Forwarder`] does in one call what a forwarder must do after a verdict: remove
//! Authentication-Results fields that claim to be its own, add its own, sign, seal, and rewrite the
//! envelope sender. It does not vouch for what failed unless told to: a signature, or an envelope sender that
//! passes SPF, on a forged message is what attackers send mail through forwarders for.
//!
//! [`Station::simulate`] sends a message along a route of [`Hop`]s and gives the verdict at each, with
//! its findings. It asks the resolver and nobody else.

mod edit;
mod forward;
mod route;
mod simulate;

pub use forward::{ForwardError, Forwarder, Outgoing};
pub use route::Hop;
pub use simulate::Station;
