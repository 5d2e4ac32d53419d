//! What a receiver may decide for itself.

use crate::dkim;
use crate::limits::ArcLimits;

/// How chains are validated where the RFC leaves it to the receiver.
///
/// ```
/// let mut settings = mailproof::arc::Settings::default();
/// settings.limits.sets = 20;
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// How the signatures in a chain are judged: algorithms, key lengths, clocks, the signed length
    /// of the body. What concerns fields that DKIM signatures must cover has no meaning here.
    pub dkim: dkim::Settings,
    /// Bounds on the work.
    pub limits: ArcLimits,
}
