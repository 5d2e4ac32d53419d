//! The fuzz targets as functions, so that corpora can be replayed without a fuzzer.

pub mod arc;
pub mod auth_results;
pub mod crypto;
pub mod diagnosis;
pub mod dkim;
pub mod dmarc;
pub mod dns;
pub mod failure;
pub mod message;
pub mod report;
pub mod spf;
pub mod srs;

/// A target: panics if a property does not hold.
pub type Target = fn(&[u8]);

/// All targets by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("arc_set", arc::set),
    ("arc_validate", arc::validate_sealed),
    ("auth_results_parse", auth_results::parse),
    ("auth_results_round_trip", auth_results::round_trip),
    ("crypto_keys", crypto::keys),
    ("diagnosis_bounce", diagnosis::bounce),
    ("diagnosis_message", diagnosis::message),
    ("dkim_canonicalize", dkim::dkim_canonicalize),
    ("dkim_key_record", dkim::dkim_key_record),
    ("dkim_mutate", dkim::dkim_mutate),
    ("dkim_sign", dkim::dkim_sign),
    ("dkim_signature", dkim::dkim_signature),
    ("dkim_verify", dkim::dkim_verify),
    ("dmarc_author", dmarc::author),
    ("dmarc_discovery", dmarc::discovery),
    ("dmarc_public_suffix_list", dmarc::public_suffix_list),
    ("dmarc_record", dmarc::record),
    ("dns_recording", dns::recording),
    ("dns_zone", dns::zone),
    ("message", message::message),
    ("names", message::names),
    ("report_container", report::container),
    ("report_failure_read", failure::read),
    ("report_failure_write", failure::write),
    ("report_round_trip", report::round_trip),
    ("report_xml", report::xml),
    ("spf_check_host", spf::spf_check_host),
    ("spf_macro_string", spf::spf_macro_string),
    ("spf_received", spf::spf_received),
    ("spf_record", spf::spf_record),
    ("spf_session", spf::spf_session),
    ("srs_decode", srs::decode),
    ("srs_reverse", srs::reverse),
    ("verify", message::verify),
];
