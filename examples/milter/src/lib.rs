//! A milter on mailproof. `Milter::serve` accepts connections of a mail server; each is a
//! [`connection::Connection`], which collects one message after the other and hands it to
//! [`inbound`] or [`outbound`]; what they decide is an [`edits::Outcome`].

#![forbid(unsafe_code)]

mod config;
mod connection;
mod edits;
mod inbound;
mod listener;
mod log;
mod outbound;
mod serve;
mod wire;

pub use config::{Config, ConfigError, Settings};
pub use listener::Listener;
pub use serve::Milter;
