//! Asking for keys, and the whole verification in one call.

use std::time::SystemTime;

use super::collect::Collected;
use super::keys::Keys;
use super::settings::Settings;
use super::verification::Verification;
use crate::dns::{Name, Resolver, join_all};
use crate::message::{Author, Message};

impl Keys {
    /// Asks for the keys, all names at once.
    ///
    /// ```
    /// use mailproof::{dkim, dns};
    ///
    /// let zone = dns::Zone::new();
    /// let names = ["s._domainkey.example.com".parse()?];
    /// let keys = dns::block_on(dkim::Keys::fetch(&zone, &names));
    /// assert!(keys.get(&names[0]).is_some_and(|answer| answer.is_ok()));
    /// # Ok::<(), dns::NameError>(())
    /// ```
    pub async fn fetch(resolver: &dyn Resolver, names: &[Name]) -> Self {
        // Most messages need one, and can do without the room for several.
        if let [name] = names {
            return Self::of_one(name.clone(), resolver.txt(name).await);
        }
        let answers = join_all(names.iter().map(|name| resolver.txt(name))).await;
        names.iter().cloned().zip(answers).collect()
    }
}

/// Verifies all signatures of a message: [`Collected::read`], [`Keys::fetch`],
/// the body, [`Collected::verify`].
///
/// Signatures of the author's domain come first where there are too many. `now` is for `x=` and
/// `t=`. An empty result means that the message is not signed (`none`).
pub async fn verify_message(
    resolver: &dyn Resolver,
    message: &Message<'_>,
    now: SystemTime,
    settings: &Settings,
) -> Vec<Verification> {
    let head = message.head();
    // It matters only where not all signatures are looked at.
    let mut signatures = head.named(b"DKIM-Signature");
    let crowded = signatures.nth(settings.max_signatures).is_some();
    let author = crowded.then(|| head.author());
    let author = author.as_ref().and_then(Author::domain);
    let collected = Collected::read(head, author, now, settings);
    if collected.is_empty() {
        return Vec::new();
    }
    let keys = Keys::fetch(resolver, &collected.key_names()).await;
    let mut hasher = collected.body_hasher();
    if hasher.needs_more() {
        hasher.update(message.body());
    }
    collected.verify(&keys, &hasher.finish(), settings)
}
