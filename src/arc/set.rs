//! One set of a chain, as far as it could be read.

use std::net::IpAddr;
use std::sync::OnceLock;

use super::chain::{Link, MAX_SETS};
use super::fields;
use super::words::ArcResult;
use crate::auth_results::{
    AuthenticationResults, Method, MethodResult, PropertyType, Reading, ResultWord, Tolerated,
};
use crate::dkim;
use crate::domain::Domain;
use crate::message::Head;
use crate::text;

/// A set: who sealed, with what results, and whether its signatures hold.
///
/// What it says is worth what its sealer is worth, and nothing where the chain is not valid.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Set {
    instance: u8,
    domain: Option<Domain>,
    selector: Option<String>,
    timestamp: Option<u64>,
    chain_validation: Option<ArcResult>,
    signature_domain: Option<Domain>,
    signature_selector: Option<String>,
    #[cfg_attr(feature = "serde", serde(rename = "results_text"))]
    results: Option<Reported>,
    pub(super) message_signature: Option<dkim::Cause>,
    pub(super) seal: Option<dkim::Cause>,
}

impl Set {
    pub(super) fn read(instance: u8, link: &Link, head: &Head<'_>) -> Self {
        let seal = link.seals.first().and_then(|(_, seal)| seal.as_ref().ok());
        let message = link.signatures.first();
        let message = message.and_then(|(_, signature)| signature.as_ref().ok());
        let results = link
            .results
            .first()
            .and_then(|position| head.fields().get(*position));
        let value = results.map(|field| field.value());
        let payload = value
            .and_then(fields::instance_of_results)
            .map(|(_, payload)| payload);
        Self {
            instance,
            domain: seal.map(|seal| seal.signature.domain.clone()),
            selector: seal.map(|seal| seal.signature.selector.as_str().to_owned()),
            timestamp: seal.and_then(|seal| seal.signature.timestamp),
            chain_validation: seal.map(|seal| seal.chain_validation),
            signature_domain: message.map(|message| message.signature.domain.clone()),
            signature_selector: message
                .map(|message| message.signature.selector.as_str().to_owned()),
            results: payload.map(|payload| Reported::new(payload, instance)),
            message_signature: None,
            seal: None,
        }
    }

    /// Its number: 1 for the first sealer, and one more for each further.
    #[must_use]
    pub fn instance(&self) -> u8 {
        self.instance
    }

    /// The `d=` of the seal: who vouches for the results. `None` where there is no seal, or several,
    /// or it is malformed.
    #[must_use]
    pub fn domain(&self) -> Option<&Domain> {
        self.domain.as_ref()
    }

    /// The `s=` of the seal.
    #[must_use]
    pub fn selector(&self) -> Option<&str> {
        self.selector.as_deref()
    }

    /// The `t=` of the seal, in seconds since 1970.
    #[must_use]
    pub fn timestamp(&self) -> Option<u64> {
        self.timestamp
    }

    /// The `cv=` of the seal: what its sealer found the chain below to be.
    #[must_use]
    pub fn chain_validation(&self) -> Option<ArcResult> {
        self.chain_validation
    }

    /// The `d=` of the message signature, usually that of the seal.
    #[must_use]
    pub fn signature_domain(&self) -> Option<&Domain> {
        self.signature_domain.as_ref()
    }

    /// The `s=` of the message signature.
    #[must_use]
    pub fn signature_selector(&self) -> Option<&str> {
        self.signature_selector.as_deref()
    }

    /// What ARC-Authentication-Results says behind its instance, on one line.
    #[must_use]
    pub fn results_text(&self) -> Option<&str> {
        self.results.as_ref().map(Reported::text)
    }

    /// What it says, as far as it could be read; nothing of a field of more than 16 KiB, nor of a set
    /// beyond the fiftieth.
    #[must_use]
    pub fn results(&self) -> Option<&Reading> {
        self.results.as_ref()?.reading()
    }

    /// What came of checking the message signature; `None` where it was not checked, since the chain
    /// had failed before.
    #[must_use]
    pub fn message_signature(&self) -> Option<&dkim::Cause> {
        self.message_signature.as_ref()
    }

    /// What came of checking the seal; `None` where it was not checked, since the chain had failed
    /// before.
    #[must_use]
    pub fn seal(&self) -> Option<&dkim::Cause> {
        self.seal.as_ref()
    }

    /// Whether the sealer reports that DMARC passed for this author domain, and no other result of
    /// DMARC. Where its results cannot be read to their end, it may have reported one.
    #[must_use]
    pub fn reports_dmarc_pass(&self, author_domain: &Domain) -> bool {
        let Some(results) = self.results().filter(|results| is_whole(results)) else {
            return false;
        };
        let mut dmarc = results.of(&Method::Dmarc).peekable();
        dmarc.peek().is_some()
            && dmarc.all(|result| {
                let from = value(result, &PropertyType::Header, &["from"]);
                result.result == ResultWord::Pass
                    && from.is_some_and(|from| from.parse().as_ref() == Ok(author_domain))
            })
    }

    /// The address from which the sealer says it got the message: `smtp.remote-ip` (§6), what iprev
    /// was made for (RFC 8601 2.7.3), or the address in the comment of SPF's result, where Google and
    /// Microsoft have it.
    #[must_use]
    pub fn remote_ip(&self) -> Option<IpAddr> {
        let results = self.results()?.results();
        let properties = [
            (PropertyType::Smtp, &["remote-ip", "client-ip"][..]),
            (PropertyType::Policy, &["iprev"]),
        ];
        properties
            .iter()
            .find_map(|(ptype, names)| {
                let mut values = results.iter().filter_map(|one| value(one, ptype, names));
                values.find_map(|value| value.parse().ok())
            })
            .or_else(|| {
                let mut spf = results.iter().filter(|one| one.method == Method::Spf);
                let comment = spf.find_map(|one| one.comment.as_deref())?;
                comment.split([' ', ';']).find_map(|word| word.parse().ok())
            })
    }
}

/// Whether all results were read: one that was not may say the contrary.
fn is_whole(results: &Reading) -> bool {
    !results.is_unfinished() && !results.tolerated().contains(&Tolerated::TooMany)
}

fn value<'a>(result: &'a MethodResult, ptype: &PropertyType, names: &[&str]) -> Option<&'a str> {
    let mut properties = result.properties.iter();
    let property = properties
        .find(|property| property.ptype == *ptype && names.contains(&property.name.as_str()))?;
    Some(&property.value)
}

/// What stands behind the instance in ARC-Authentication-Results. Most of it is never asked for, so it is
/// read when somebody does.
#[derive(Clone, Debug)]
struct Reported {
    /// As much of it as is shown.
    payload: Vec<u8>,
    is_readable: bool,
    text: OnceLock<String>,
    reading: OnceLock<Option<Reading>>,
}

impl Reported {
    fn new(payload: &[u8], instance: u8) -> Self {
        let text = text::trim_fws(payload);
        let beginning = text.get(..MAX_CHARACTER * SHOWN).unwrap_or(text);
        Self {
            payload: beginning.to_vec(),
            is_readable: payload.len() <= SHOWN && usize::from(instance) <= MAX_SETS,
            text: OnceLock::new(),
            reading: OnceLock::new(),
        }
    }

    /// On one line.
    fn text(&self) -> &str {
        self.text.get_or_init(|| {
            let text = text::lossy(&self.payload).replace("\r\n", "");
            text::one_line(&text, SHOWN)
        })
    }

    fn reading(&self) -> Option<&Reading> {
        let read = || AuthenticationResults::read(&self.payload).ok();
        let reading = self.reading.get_or_init(|| self.is_readable.then(read)?);
        reading.as_ref()
    }
}

impl Eq for Reported {}

impl PartialEq for Reported {
    fn eq(&self, other: &Self) -> bool {
        (&self.payload, self.is_readable) == (&other.payload, other.is_readable)
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Reported {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.text())
    }
}

/// Octets of a character in UTF-8.
const MAX_CHARACTER: usize = 4;

/// The longest ARC-Authentication-Results seen have 6,000; a whole chain of these stays small.
const SHOWN: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_before_results_hides_nothing() {
        let padded = [
            b" ".repeat(MAX_CHARACTER * SHOWN).as_slice(),
            b"mx; dkim=pass",
        ]
        .concat();
        assert_eq!(Reported::new(&padded, 1).text(), "mx; dkim=pass");
    }
}
