//! The fuzz targets as functions, so that corpora can be replayed without a fuzzer.

pub mod auth_results;
pub mod dmarc;
pub mod message;
pub mod srs;

/// A target: panics if a property does not hold.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("auth_results_parse", auth_results::parse),
    ("auth_results_round_trip", auth_results::round_trip),
    ("dmarc_author", dmarc::author),
    ("dmarc_discovery", dmarc::discovery),
    ("dmarc_public_suffix_list", dmarc::public_suffix_list),
    ("dmarc_record", dmarc::record),
    ("message", message::message),
    ("names", message::names),
    ("srs_decode", srs::decode),
    ("srs_reverse", srs::reverse),
    ("verify", message::verify),
];
