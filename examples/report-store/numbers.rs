//! What both stores need: times and numbers as their databases have them, and errors.

use std::error::Error;
use std::time::{SystemTime, UNIX_EPOCH};

use mailproof::report::StoreError;

pub fn failed(error: impl Error + Send + Sync + 'static) -> StoreError {
    StoreError::Failed(Box::new(error))
}

/// Both databases have signed numbers only.
pub fn whole(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(failed)
}

/// Seconds since 1970.
pub fn seconds(time: SystemTime) -> Result<i64, StoreError> {
    whole(time.duration_since(UNIX_EPOCH).map_err(failed)?.as_secs())
}

/// For how many seconds it is known that a report was sent. Eight days: a queue gives up a message
/// after five.
pub const REMEMBERED: i64 = 8 * 86_400;
