//! What breaks signatures downstream, found before signing.

use std::fmt;

use super::body_facts::BodyFacts;
use crate::message::Head;

/// Properties of a message that some host on its way will repair or convert, and so break its
/// signatures. §5.3 asks signers to convert such messages first.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Hazards {
    /// CR without LF (RFC 5321 2.3.8 forbids it; hosts drop or complete it).
    pub bare_cr: bool,
    /// LF without CR (hosts turn it into CRLF).
    pub bare_lf: bool,
    /// Octets above 127 in the body: where the next hop has no 8BITMIME (RFC 6152), the message is
    /// converted to quoted-printable.
    pub eight_bit: bool,
    /// Lines of more than 998 octets (RFC 5322 2.1.1; hosts break them).
    pub long_lines: bool,
    /// NUL (hosts drop it, or the rest of the message).
    pub nul: bool,
    /// Octets above 127 in the header, which only SMTPUTF8 (RFC 6531) carries.
    pub utf8_header: bool,
}

impl Hazards {
    pub(crate) fn of_head(head: &Head<'_>) -> Self {
        let anomalies = head.anomalies();
        Self {
            bare_cr: anomalies.bare_cr != 0,
            bare_lf: anomalies.bare_lf != 0,
            eight_bit: false,
            long_lines: anomalies.long_lines != 0,
            nul: anomalies.nul != 0,
            utf8_header: head.fields().iter().any(|field| !field.value().is_ascii()),
        }
    }

    pub(super) fn with_body(mut self, facts: Option<&BodyFacts>) -> Self {
        let Some(facts) = facts else {
            return self;
        };
        self.bare_cr |= facts.bare_cr != 0;
        self.bare_lf |= facts.bare_lf != 0;
        self.eight_bit |= facts.eight_bit;
        self.long_lines |= facts.long_lines != 0;
        self.nul |= facts.nul != 0;
        self
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Hazards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [
            (self.bare_cr, "CR without LF"),
            (self.bare_lf, "LF without CR"),
            (self.eight_bit, "8-bit body"),
            (self.long_lines, "lines over 998 octets"),
            (self.nul, "NUL octets"),
            (self.utf8_header, "8-bit header"),
        ];
        let present: Vec<&str> = words
            .iter()
            .filter_map(|(present, word)| present.then_some(*word))
            .collect();
        f.write_str(&present.join(", "))
    }
}
