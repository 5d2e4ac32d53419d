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
pub use model::{DkimAuth, Metadata, PublishedPolicy, Reason, Report, Row, SpfAuth, Text};
pub use observe::{ReportKey, ReportKeyError, observe};
pub use read::{ReadError, Reader, Warning};
pub use reporter::Reporter;
pub use words::{Applied, Word};
pub use write::Generation;
