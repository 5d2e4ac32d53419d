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
mod error;
mod limits;
mod store;
mod unreported;

pub use error::{ReadError, Warning};
pub use limits::Limits;
pub use store::{Claim, MemoryStore, Store, StoreError};
pub use unreported::Unreported;

use crate::address::Address;
use crate::text;

/// An address as it stands in header fields: what a percent-encoded URI smuggled into the local part
/// is quoted.
fn mailbox(address: &Address) -> String {
    let local_part = address.local_part();
    match is_quoted(local_part) || text::is_dot_atom(local_part.as_bytes()) {
        true => address.to_string(),
        false => format!("{}@{}", text::quoted_string(local_part), address.domain()),
    }
}

/// Whether the text is one quoted-string: a quote within it is escaped.
fn is_quoted(text: &str) -> bool {
    let inner = text.strip_prefix('"');
    let Some(inner) = inner.and_then(|inner| inner.strip_suffix('"')) else {
        return false;
    };
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        let valid = match character {
            '"' => false,
            '\\' => characters.next().is_some(),
            _ => true,
        };
        if !valid {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_cannot_hold_another() {
        for (local_part, written) in [
            ("a.b", "a.b"),
            ("\"a b\"", "\"a b\""),
            ("a>, <b", "\"a>, <b\""),
            ("\"a\">, <\"b\"", "\"\\\"a\\\">, <\\\"b\\\"\""),
            ("\"a\\\"", "\"\\\"a\\\\\\\"\""),
            ("\"", "\"\\\"\""),
        ] {
            let address = Address::new(local_part, "b.example".parse().unwrap()).unwrap();
            assert_eq!(mailbox(&address), format!("{written}@b.example"));
        }
    }
}
