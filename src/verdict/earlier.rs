//! What earlier hosts say that SPF gave.

use crate::auth_results::{AuthenticationResults, Method, MethodResult, PropertyType};
use crate::domain::Domain;
use crate::message::{Field, Head};
use crate::spf::{ReceivedSpf, SpfResult};
use crate::text;

/// A result of SPF that an earlier host noted. Anybody can write such a field: it is a reason to look
/// twice, and never one to trust a message.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct EarlierSpf {
    /// The field that says so: Received-SPF (RFC 7208 9.1), Authentication-Results (RFC 8601 2.7.2)
    /// or ARC-Authentication-Results (RFC 8617 4.1.1).
    pub field: &'static str,
    /// The host that says so, by its own account.
    pub receiver: Option<String>,
    /// The result.
    pub result: SpfResult,
    /// The domain of the envelope sender it was given for.
    pub domain: Option<Domain>,
}

/// The results in a header block, top to bottom.
pub(super) fn read(head: &Head<'_>) -> Vec<EarlierSpf> {
    let noted = head.fields().iter().filter_map(|field| {
        let name = FIELDS.into_iter().find(|name| field.is(name.as_bytes()))?;
        Some((name, field))
    });
    noted
        .take(MOST_FIELDS)
        .flat_map(|(name, field)| match name {
            RECEIVED_SPF => received_spf(field).into_iter().collect(),
            name => authentication_results(name, field),
        })
        .collect()
}

fn received_spf(field: &Field<'_>) -> Option<EarlierSpf> {
    let field = ReceivedSpf::parse(field.value()).ok()?;
    Some(EarlierSpf {
        field: RECEIVED_SPF,
        receiver: field.get("receiver").map(host),
        result: field.result(),
        domain: field.get("envelope-from").and_then(domain),
    })
}

/// Results for the name of HELO alone say nothing about an envelope sender.
fn authentication_results(name: &'static str, field: &Field<'_>) -> Vec<EarlierSpf> {
    let Ok(reading) = AuthenticationResults::read(field.value()) else {
        return Vec::new();
    };
    let receiver = reading.authserv_id().map(|id| host(id.as_str()));
    let results = reading.of(&Method::Spf).filter_map(|result| {
        Some(EarlierSpf {
            field: name,
            receiver: receiver.clone(),
            result: SpfResult::from_word(result.result.as_str())?,
            domain: Some(domain(mail_from(result)?)?),
        })
    });
    results.take(MOST_RESULTS).collect()
}

fn mail_from(result: &MethodResult) -> Option<&str> {
    let property = result.properties.iter().find(|property| {
        property.ptype == PropertyType::Smtp && property.name.as_str() == "mailfrom"
    })?;
    Some(&property.value)
}

/// The domain of an address, or what stands for it.
fn domain(sender: &str) -> Option<Domain> {
    let sender = sender.trim_matches(['<', '>', '"']);
    let domain = sender.rsplit_once('@').map_or(sender, |(_, domain)| domain);
    Domain::parse(domain.as_bytes()).ok()
}

fn host(name: &str) -> String {
    text::one_line(name, HOST_CHARACTERS)
}

const RECEIVED_SPF: &str = "Received-SPF";

const FIELDS: [&str; 3] = [
    RECEIVED_SPF,
    "Authentication-Results",
    "ARC-Authentication-Results",
];

/// Each hop adds two or three; loops end after 100 (RFC 5321 6.3), forwarding rarely has five.
const MOST_FIELDS: usize = 20;

/// A field has one result of SPF, or two with that of HELO.
const MOST_RESULTS: usize = 4;

/// The length of a domain name (RFC 5321 4.5.3.1.2).
const HOST_CHARACTERS: usize = 255;
