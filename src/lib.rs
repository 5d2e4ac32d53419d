#![doc = include_str!("../README.md")]
#![doc = include_str!("howto/questions.md")]
#![forbid(unsafe_code)]
#![deny(
    missing_docs,
    clippy::as_conversions,
    clippy::exhaustive_enums,
    clippy::exhaustive_structs,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used
)]
#![cfg_attr(
    test,
    allow(
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod address;
pub mod arc;
pub mod auth_results;
pub mod crypto;
pub mod diagnosis;
pub mod dkim;
pub mod dmarc;
pub mod dns;
pub mod domain;
pub mod forwarding;
// Pages, not code: nothing of it is in a build.
#[cfg(any(doc, doctest))]
pub mod howto;
pub mod identifier;
pub mod iprev;
pub mod message;
#[cfg(feature = "report")]
pub mod report;
pub mod session;
pub mod spf;
pub mod srs;
pub mod verdict;
pub mod verifier;

mod tag_list;
mod text;

pub use address::Address;
pub use domain::Domain;
pub use message::Message;
pub use session::Session;
pub use tag_list::TagListError;
pub use verdict::{Action, Verdict};
pub use verifier::Verifier;
