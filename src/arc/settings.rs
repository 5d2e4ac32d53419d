//! What a receiver may decide for itself.

use super::chain::MAX_SETS;
use crate::dkim;

/// How chains are validated where the RFC leaves it to the receiver.
///
/// ```
/// let mut settings = mailproof::arc::Settings::default();
/// settings.max_sets = 20;
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// How the signatures in a chain are judged: algorithms, key lengths, clocks, the signed length
    /// of the body. What concerns fields that DKIM signatures must cover has no meaning here.
    pub dkim: dkim::Settings,
    /// ARC sets in a chain. RFC 8617 4.2.1 allows 50, and more never pass.
    pub max_sets: usize,
    /// Whether the message signatures of all sets are checked, for
    /// [`oldest_pass`](super::Validation::oldest_pass) and for saying at which hop a message was
    /// changed; else only the newest, on which the result rests (§5.2, step 5, is optional). Each is
    /// as dear as a DKIM signature.
    pub check_older: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            dkim: dkim::Settings::default(),
            max_sets: MAX_SETS,
            check_older: true,
        }
    }
}
