//! The fuzz targets as functions, so that corpora can be replayed without a fuzzer.

pub mod auth_results;
pub mod dmarc;
pub mod dns;
pub mod message;
pub mod spf;
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
    ("dns_recording", dns::recording),
    ("dns_zone", dns::zone),
    ("message", message::message),
    ("names", message::names),
    ("spf_check_host", spf::spf_check_host),
    ("spf_macro_string", spf::spf_macro_string),
    ("spf_received", spf::spf_received),
    ("spf_record", spf::spf_record),
    ("srs_decode", srs::decode),
    ("srs_reverse", srs::reverse),
    ("verify", message::verify),
];
