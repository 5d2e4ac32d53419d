//! The fields of a chain once more, for whoever looks for what was changed.

use super::chain::Chain;
use super::settings::Settings;
use crate::dkim::SignatureAlgorithm;
use crate::dns::Name;
use crate::domain::Domain;
use crate::message::Head;

/// Where the fields of one set stand in the header block, and what its seal says.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    pub(crate) instance: u8,
    pub(crate) results: usize,
    pub(crate) message_signature: usize,
    pub(crate) seal: usize,
    pub(crate) sealer: Domain,
    pub(crate) selector: String,
    pub(crate) key_name: Name,
    pub(crate) algorithm: SignatureAlgorithm,
    /// The octets of the seal's `b=`.
    pub(crate) octets: Vec<u8>,
}

/// The sets from the first on; `None` where the structure of the chain is not sound (§5.2, steps 1
/// to 3).
pub(crate) fn parts(head: &Head<'_>) -> Option<Vec<Parts>> {
    let settings = Settings::default();
    let chain = Chain::read(head, &settings);
    chain.check(&settings).ok()?;
    let sets = chain.links.iter().map(|(instance, link)| {
        let (seal, parsed) = link.seals.first()?;
        let signature = &parsed.as_ref().ok()?.signature;
        Some(Parts {
            instance: *instance,
            results: *link.results.first()?,
            message_signature: link.signatures.first()?.0,
            seal: *seal,
            sealer: signature.domain.clone(),
            selector: signature.selector.as_str().to_owned(),
            key_name: signature.key_name().ok()?,
            algorithm: signature.algorithm,
            octets: signature.octets.clone(),
        })
    });
    sets.collect()
}
