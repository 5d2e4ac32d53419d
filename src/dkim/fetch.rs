//! Asking for keys, and the whole verification in one call.

use std::time::SystemTime;

use super::collect::collect;
use super::keys::Keys;
use super::settings::Settings;
use super::verification::Verification;
use super::verify::verify;
use crate::dns::{Name, Resolver, join_all};
use crate::message::Message;

/// Asks for the keys, all names at once.
///
/// ```
/// use mailproof::{dkim, dns};
///
/// let zone = dns::Zone::new();
/// let names = ["s._domainkey.example.com".parse()?];
/// let keys = dns::block_on(dkim::fetch(&zone, &names));
/// assert!(keys.get(&names[0]).is_some_and(|answer| answer.is_ok()));
/// # Ok::<(), dns::NameError>(())
/// ```
pub async fn fetch(resolver: &dyn Resolver, names: &[Name]) -> Keys {
    let answers = join_all(names.iter().map(|name| resolver.txt(name))).await;
    names.iter().cloned().zip(answers).collect()
}

/// Verifies all signatures of a message: [`collect`], [`fetch`], the body, [`verify`].
///
/// Signatures of the author's domain come first where there are too many. `now` is for `x=` and
/// `t=`. An empty result means that the message is not signed (`none`).
pub async fn verify_message(
    resolver: &dyn Resolver,
    message: &Message<'_>,
    now: SystemTime,
    settings: &Settings,
) -> Vec<Verification> {
    let author = message.head().author(&Default::default());
    let collected = collect(message.head(), author.domain(), now, settings);
    if collected.is_empty() {
        return Vec::new();
    }
    let keys = fetch(resolver, &collected.key_names()).await;
    let mut hasher = collected.body_hasher();
    if hasher.needs_more() {
        hasher.update(message.body());
    }
    verify(collected, &keys, &hasher.finish(), settings)
}
