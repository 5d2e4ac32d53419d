//! Taking the bounces of forwarded mail back.

use std::time::SystemTime;

use super::forwarded::ADDRESS_LIMIT;
use super::guarded::{self, Malformed, Path, Scheme, Separator, Srs0, Srs1};
use super::rewriter::Rewriter;
use super::store;

impl Rewriter {
    /// Reads the recipient of a bounce: the argument of RCPT TO, with or without its angle brackets.
    ///
    /// A valid address says that we made it in the last weeks, for that sender. Mail to it should be
    /// accepted from the null sender only, or else everybody who has seen an address may relay
    /// through it; and RCPT answers tell whether a guess was right, so limit how many are given.
    #[must_use]
    pub fn reverse(&self, recipient: impl AsRef<[u8]>, now: SystemTime) -> Reversed {
        let path = match Path::parse(recipient.as_ref()) {
            Ok(Some(path)) => path,
            Ok(None) => return Reversed::NotSrs,
            Err(malformed) => return Reversed::Malformed(malformed),
        };
        let quoted = path
            .local_part
            .strip_prefix('"')
            .and_then(|inner| inner.strip_suffix('"'));
        let local_part = quoted.unwrap_or(path.local_part);
        if guarded::scheme(local_part).is_none() {
            return Reversed::NotSrs;
        }
        if !self.is_srs_domain(path.host) {
            return Reversed::ForeignDomain;
        }
        let reversed = self.reverse_local_part(local_part, quoted.is_some(), now);
        if reversed != Reversed::Forged || quoted.is_none() || !local_part.contains('\\') {
            return reversed;
        }
        // Some server quoted the whole because of the quotes inside, and escaped them.
        self.reverse_local_part(&guarded::unquote(path.local_part), true, now)
    }

    fn reverse_local_part(&self, local_part: &str, quoted: bool, now: SystemTime) -> Reversed {
        let reversed = match guarded::scheme(local_part) {
            Some((Scheme::Srs0, _, rest)) => {
                Srs0::parse(rest).map(|srs0| self.reverse_srs0(&srs0, quoted, now))
            }
            Some((Scheme::Srs1, _, rest)) => {
                Srs1::parse(rest).map(|srs1| self.reverse_srs1(&srs1, quoted))
            }
            None => Ok(Reversed::NotSrs),
        };
        reversed.unwrap_or_else(Reversed::Malformed)
    }

    fn reverse_srs0(&self, srs0: &Srs0<'_>, quoted: bool, now: SystemTime) -> Reversed {
        if srs0.hash.len() < self.minimum_hash_length {
            return Reversed::Malformed(Malformed::Hash);
        }
        let fields = [srs0.letters, srs0.host, srs0.user];
        if !self.secrets.verify("SRS0", &fields, srs0.hash) {
            return Reversed::Forged;
        }
        let age = srs0.stamp.age(now);
        if age > self.maximum_age {
            return Reversed::Expired(age);
        }
        if let Some(key) = store::key(srs0) {
            return Reversed::Stored { key, age };
        }
        let Some(address) = assemble("", srs0.user, srs0.host, quoted) else {
            return Reversed::Malformed(Malformed::User);
        };
        Reversed::Valid {
            address,
            is_sender: true,
            age: Some(age),
        }
    }

    fn reverse_srs1(&self, srs1: &Srs1<'_>, quoted: bool) -> Reversed {
        if srs1.hash.len() < self.minimum_hash_length {
            return Reversed::Malformed(Malformed::Hash);
        }
        if !self
            .secrets
            .verify("SRS1", &[srs1.host, srs1.opaque], srs1.hash)
        {
            return Reversed::Forged;
        }
        if is_shifted(srs1) {
            return Reversed::Malformed(Malformed::Opaque);
        }
        let Some(address) = assemble("SRS0", srs1.opaque, srs1.host, quoted) else {
            return Reversed::Malformed(Malformed::User);
        };
        Reversed::Valid {
            address,
            is_sender: false,
            age: None,
        }
    }
}

/// Whether somebody moved the boundary between host and opaque part, which the hash does not cover:
/// `a-b.example` and `=hash=...` hash like `a` and `-b.example=hash=...`. What another forwarder
/// wrote has the form of SRS0; where only a different boundary gives that form, it was the real one.
fn is_shifted(srs1: &Srs1<'_>) -> bool {
    let is_srs0 = |opaque: &str| {
        let mut characters = opaque.chars();
        let separator = characters.next().and_then(Separator::from_char);
        separator.is_some() && Srs0::parse(characters.as_str()).is_ok()
    };
    if is_srs0(srs1.opaque) {
        return false;
    }
    let whole = format!("{}{}", srs1.host, srs1.opaque);
    whole
        .match_indices(['=', '-', '+'])
        .filter_map(|(at, _)| whole.split_at_checked(at))
        .take_while(|(host, _)| !host.contains('='))
        .any(|(host, opaque)| guarded::is_host(host) && is_srs0(opaque))
}

/// Puts an address together; `None` if the local part cannot be one. Where quotes stood around the
/// whole rewritten local part, they belong to the user that needs them.
fn assemble(tag: &str, user: &str, host: &str, quoted: bool) -> Option<String> {
    let mut address = String::with_capacity(ADDRESS_LIMIT);
    address.push_str(tag);
    address.push_str(user);
    if !guarded::is_local_part(&address) {
        address.insert(0, '"');
        address.push('"');
        if !quoted || !guarded::is_local_part(&address) {
            return None;
        }
    }
    address.push('@');
    address.push_str(host);
    Some(address)
}

/// What a recipient turned out to be. Only [`Valid`](Self::Valid) and [`Stored`](Self::Stored) are
/// addresses that we made.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Reversed {
    /// We made it so many days ago, more than the maximum age. An address of tomorrow is 1023 days
    /// old.
    Expired(u16),
    /// It looks rewritten, but is not at our SRS domain: somebody else's, to be passed on as it is.
    ForeignDomain,
    /// The hash is not by any of our secrets.
    Forged,
    /// It calls itself SRS and breaks its form.
    Malformed(Malformed),
    /// An ordinary address.
    NotSrs,
    /// We made it; the sender is in a [`Store`](super::Store).
    Stored {
        /// The key to look up.
        key: String,
        /// How many days ago we made it.
        age: u16,
    },
    /// We made it; this is where the bounce goes.
    Valid {
        /// Where to.
        address: String,
        /// Whether that is the sender, as we saw it. Otherwise it is the first forwarder: a bounce
        /// to SRS1 skips those in between.
        is_sender: bool,
        /// How many days ago we made it. SRS1 does not say: its only time stamp is the first
        /// forwarder's, who checks it.
        age: Option<u16>,
    },
}
