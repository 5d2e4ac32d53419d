//! DMARC reports: what receivers tell domain owners about their mail.
//!
//! [`aggregate`] writes and reads the daily reports that `rua` asks for. Where they may go is decided
//! by [`Record::report_uris`](crate::dmarc::Record::report_uris) and
//! [`ReportUri::authorize`](crate::dmarc::ReportUri::authorize).
//!
//! Their rows wait in a [`Store`] for the end of the day.
//!
//! [`failure`] writes and reads the reports about single messages that `ruf` asks for.

pub mod aggregate;
pub mod failure;

mod date;
mod store;

pub use store::{Claim, MemoryStore, Store, StoreError};
