//! All codes with their texts: the only place where the words of findings stand.
//!
//! In a text, `{name}` stands for the evidence of that name.

macro_rules! entries {
    ($(
        $name:ident = $code:literal, $severity:ident, $rfc:literal, $sentence:literal,
        [$($who:ident: $how:literal),* $(,)?];
    )*) => {
        $(
            pub(in crate::diagnosis) static $name: crate::diagnosis::catalogue::Entry =
                crate::diagnosis::catalogue::Entry {
                    code: $code,
                    severity: crate::diagnosis::finding::Severity::$severity,
                    rfc: $rfc,
                    sentence: $sentence,
                    remedies: &[$((crate::diagnosis::finding::Who::$who, $how)),*],
                };
        )*
        pub(in crate::diagnosis) static ALL: &[&crate::diagnosis::catalogue::Entry] =
            &[$(&$name),*];
    };
}
pub(super) mod arc;
mod authors;
pub(super) mod bounce;
pub(super) mod dkim;
pub(super) mod dmarc;
pub(super) mod forensics;
pub(super) mod relay;
pub(super) mod spf;

pub(super) use authors::*;

use super::finding::{Severity, Who};

/// What is said about one kind of finding.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) code: &'static str,
    pub(super) severity: Severity,
    pub(super) rfc: &'static str,
    pub(super) sentence: &'static str,
    pub(super) remedies: &'static [(Who, &'static str)],
}

/// Every entry, by method.
pub(super) fn all() -> impl Iterator<Item = &'static Entry> {
    [
        authors::ALL,
        dmarc::ALL,
        relay::ALL,
        arc::ALL,
        dkim::ALL,
        spf::ALL,
        forensics::ALL,
        bounce::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}
