//! Aggregate reports (RFC 9990, and RFC 7489's schema): counted from verdicts, written, and read.

mod accumulator;
mod extension;
mod model;
mod observe;
mod read;
mod reporter;
mod words;
mod write;

pub use accumulator::Accumulator;
pub use extension::Extension;
pub use model::{DkimAuth, PublishedPolicy, Reason, Report, Row, SpfAuth, Text};
pub use observe::ReportKey;
pub use read::Reader;
pub use reporter::Reporter;
pub use words::{Applied, Word};
