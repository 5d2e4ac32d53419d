//! Reading rewritten senders without their secret: what they *claim*.

use std::fmt;
use std::time::SystemTime;

use super::guarded::{self, Scheme, Srs0, Srs1};
use super::stamp::Stamp;
use super::store;
use crate::address::Address;
use crate::domain::Domain;
use crate::text;

/// What a rewritten address claims. *Unverified*: only the forwarder that wrote it can check it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Claimed {
    form: Form,
    forwarder: Domain,
    first_forwarder: Option<Domain>,
    mailbox: Option<String>,
    original: Option<ClaimedAddress>,
    previous: Option<ClaimedAddress>,
    stamp: Option<Stamp>,
}

impl Claimed {
    /// Reads the envelope sender or recipient that some forwarder rewrote, without its secret.
    ///
    /// `None` for an address that is not rewritten, or not in a form that we know. Nothing of what is
    /// returned is authenticated: anybody can write such an address. Angle brackets, a BATV tag in front
    /// (`prvs=`), quotes around the whole local part, and upper or lower case change nothing.
    ///
    /// ```
    /// use mailproof::srs::{Claimed, Form};
    ///
    /// let claimed = Claimed::decode("john.work+SRS=44ldt=IX=fabrikam.com=bob@contoso.com").unwrap();
    /// assert_eq!(claimed.form(), Form::Exchange);
    /// assert_eq!(claimed.original(), Some("bob@fabrikam.com"));
    /// assert_eq!(claimed.forwarder().as_str(), "contoso.com");
    /// assert!(Claimed::decode("bob@fabrikam.com").is_none());
    /// ```
    #[must_use]
    pub fn decode(address: impl AsRef<[u8]>) -> Option<Self> {
        let octets = match address.as_ref() {
            [b'<', inner @ .., b'>'] => inner,
            octets => octets,
        };
        if octets.len() > MAX_OCTETS {
            return None;
        }
        let (local_part, host) = std::str::from_utf8(octets).ok()?.rsplit_once('@')?;
        if local_part.chars().any(char::is_control) {
            return None;
        }
        claim(local_part, Domain::parse(host.as_bytes()).ok()?)
    }

    /// The same of an address that is read already.
    pub(crate) fn of(address: &Address) -> Option<Self> {
        let (local_part, domain) = (address.local_part(), address.domain());
        let octets = local_part.len() + 1 + domain.as_str().len();
        if octets > MAX_OCTETS {
            return None;
        }
        claim(local_part, domain.clone())
    }

    /// Which software's form the address has.
    #[must_use]
    pub fn form(&self) -> Form {
        self.form
    }

    /// The sender before any rewriting, as claimed, with the local part quoted where it must be.
    /// `None` where the address does not hold it, or holds an address literal.
    ///
    /// On purpose it is no [`Address`](crate::Address): it may explain a result, or be compared with
    /// another name, but it authenticates nothing.
    #[must_use]
    pub fn original(&self) -> Option<&str> {
        self.original
            .as_ref()
            .map(|original| original.text.as_str())
    }

    /// The domain of the [`original`](Self::original) sender.
    #[must_use]
    pub fn original_domain(&self) -> Option<&Domain> {
        self.original.as_ref().map(|original| &original.domain)
    }

    /// The sender that the forwarder claims to have seen: the original one, or, behind another
    /// forwarder, that one's rewritten address.
    #[must_use]
    pub fn previous(&self) -> Option<&str> {
        self.previous
            .as_ref()
            .map(|previous| previous.text.as_str())
    }

    /// The domain of the [`previous`](Self::previous) sender.
    #[must_use]
    pub fn previous_domain(&self) -> Option<&Domain> {
        self.previous.as_ref().map(|previous| &previous.domain)
    }

    /// The domain of the address: who rewrote it. SPF speaks for this domain.
    #[must_use]
    pub fn forwarder(&self) -> &Domain {
        &self.forwarder
    }

    /// In SRS1, who forwarded first, as claimed; bounces go straight there.
    #[must_use]
    pub fn first_forwarder(&self) -> Option<&Domain> {
        self.first_forwarder.as_ref()
    }

    /// In Exchange's forms, the mailbox that forwarded: what stands before `+SRS=`.
    #[must_use]
    pub fn mailbox(&self) -> Option<&str> {
        self.mailbox.as_deref()
    }

    /// The time stamp: the day on which the address was made, as claimed, in days since 1970 modulo
    /// 1024, in two letters of base32. In SRS1 it is the first forwarder's.
    #[must_use]
    pub fn stamp(&self) -> Option<String> {
        self.stamp.map(|stamp| stamp.to_string())
    }

    /// How many days ago the address was made, as its [`stamp`](Self::stamp) claims, if that was less
    /// than 1024 days before `now`. A stamp of tomorrow is therefore 1023 days old.
    #[must_use]
    pub fn age(&self, now: SystemTime) -> Option<u16> {
        Some(self.stamp?.age(now))
    }

    /// The beginning (UTC) of each day that the [`stamp`](Self::stamp) may mean, since it comes again
    /// every 1024 days: from the latest one not after `now` back to 1970.
    pub fn days(&self, now: SystemTime) -> impl Iterator<Item = SystemTime> {
        self.stamp
            .into_iter()
            .flat_map(move |stamp| stamp.candidates(now))
    }
}

/// The forms of rewritten senders.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Form {
    /// PostSRSd's database form, `SRS0=hash=stamp=1=key`: the sender is in a database of the
    /// forwarder.
    Database,
    /// Exchange Online's forwarding, `user+SRS=hash=stamp=host=user`.
    Exchange,
    /// Exchange Online's relaying and over-long senders, `bounces+SRS=hash=stamp`: no sender inside.
    ExchangeOpaque,
    /// SRS0 as Exim itself writes it: four hexadecimal digits and a stamp in lower case.
    Exim,
    /// `SRS0=hash=stamp=host=user`.
    Srs0,
    /// `SRS1=hash=host==...`, from the second forwarder on.
    Srs1,
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Database => "database",
            Self::Exchange => "exchange",
            Self::ExchangeOpaque => "exchange-opaque",
            Self::Exim => "exim",
            Self::Srs0 => "srs0",
            Self::Srs1 => "srs1",
        })
    }
}

/// An address that somebody claims, and nobody has verified: no [`Address`](crate::Address).
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct ClaimedAddress {
    text: String,
    domain: Domain,
}

impl ClaimedAddress {
    /// Quotes the local part where it must be.
    fn new(local_part: &str, host: &str) -> Option<Self> {
        let domain = Domain::parse(host.as_bytes()).ok()?;
        let text = if guarded::is_local_part(local_part) {
            format!("{local_part}@{domain}")
        } else {
            format!("{}@{domain}", text::quoted_string(local_part))
        };
        Some(Self { text, domain })
    }
}

fn claim(local_part: &str, forwarder: Domain) -> Option<Claimed> {
    let unquoted = guarded::unquote(local_part);
    let local_part = without_batv(&unquoted);
    let mut claimed = Claimed {
        form: Form::Srs0,
        forwarder,
        first_forwarder: None,
        mailbox: None,
        original: None,
        previous: None,
        stamp: None,
    };
    match guarded::scheme(local_part) {
        Some((Scheme::Srs0, _, rest)) => claimed.read_srs0(local_part, rest)?,
        Some((Scheme::Srs1, _, rest)) => claimed.read_srs1(rest)?,
        None => claimed.read_exchange(local_part)?,
    }
    Some(claimed.with_original())
}

impl Claimed {
    fn read_srs0(&mut self, local_part: &str, rest: &str) -> Option<()> {
        let fields = Srs0::parse(rest).ok()?;
        self.stamp = Some(fields.stamp);
        if fields.host == store::HOST {
            self.form = Form::Database;
            return Some(());
        }
        if is_exim(local_part, fields.hash, fields.letters) {
            self.form = Form::Exim;
        }
        self.previous = ClaimedAddress::new(fields.user, fields.host);
        Some(())
    }

    fn read_srs1(&mut self, rest: &str) -> Option<()> {
        let fields = Srs1::parse(rest).ok().filter(|f| !f.hash.is_empty())?;
        self.form = Form::Srs1;
        self.first_forwarder = Domain::parse(fields.host.as_bytes()).ok();
        self.previous = ClaimedAddress::new(&format!("SRS0{}", fields.opaque), fields.host);
        Some(())
    }

    /// `user+SRS=hash=stamp=host=user`, or without host and user.
    fn read_exchange(&mut self, local_part: &str) -> Option<()> {
        let (mailbox, rest) = split_exchange(local_part)?;
        let (hash, rest) = rest.split_once('=')?;
        let (letters, rest) = match rest.split_once('=') {
            Some((letters, rest)) => (letters, Some(rest)),
            None => (rest, None),
        };
        // Microsoft documents neither hash nor stamp; the stamps that are seen are those of SRS.
        let is_stamp = letters.len() == 2 && letters.bytes().all(|o| o.is_ascii_alphanumeric());
        if mailbox.is_empty() || hash.is_empty() || !is_stamp {
            return None;
        }
        self.stamp = Stamp::parse(letters);
        self.mailbox = Some(mailbox.to_owned());
        self.form = Form::ExchangeOpaque;
        if let Some(rest) = rest {
            let (host, user) = rest.split_once('=')?;
            if !guarded::is_host(host) || user.is_empty() {
                return None;
            }
            self.form = Form::Exchange;
            self.previous = ClaimedAddress::new(user, host);
        }
        Some(())
    }

    /// Looks for the original sender inside the previous one, which may have been rewritten too.
    fn with_original(mut self) -> Self {
        let Some(previous) = &self.previous else {
            return self;
        };
        let (local_part, _) = previous.text.rsplit_once('@').unwrap_or_default();
        match claim(local_part, previous.domain.clone()) {
            Some(inner) => {
                if self.form == Form::Srs1 {
                    self.stamp = inner.stamp;
                }
                self.original = inner.original;
            }
            None if self.form == Form::Srs1 => {}
            None => self.original = Some(previous.clone()),
        }
        self
    }
}

/// Takes off the tag that a forwarder's own bounce protection puts in front: `prvs=tag=` of
/// draft-levine-smtp-batv, `btv1==tag==` of Barracuda.
fn without_batv(local_part: &str) -> &str {
    let behind = |prefix: &str, separator: &str| {
        let (head, rest) = local_part.split_at_checked(prefix.len())?;
        let (_, rest) = rest.split_once(separator)?;
        head.eq_ignore_ascii_case(prefix).then_some(rest)
    };
    behind("prvs=", "=")
        .or_else(|| behind("btv1==", "=="))
        .unwrap_or(local_part)
}

/// Splits at the first `+SRS=` that has something before it.
fn split_exchange(local_part: &str) -> Option<(&str, &str)> {
    local_part.match_indices('+').find_map(|(at, _)| {
        let (mailbox, rest) = local_part.split_at_checked(at)?;
        let (tag, rest) = rest.split_at_checked("+SRS=".len())?;
        tag.eq_ignore_ascii_case("+SRS=").then_some((mailbox, rest))
    })
}

/// Whether SRS0 was written by Exim itself, as far as can be told: it writes nothing but lower case
/// behind an upper-case `SRS0=`. An address that was folded in transit is so altogether.
fn is_exim(local_part: &str, hash: &str, letters: &str) -> bool {
    let is_hex = |octet: u8| matches!(octet, b'0'..=b'9' | b'a'..=b'f');
    local_part.starts_with("SRS0=")
        && hash.len() == 4
        && hash.bytes().all(is_hex)
        && letters.bytes().any(|octet| octet.is_ascii_lowercase())
}

/// RFC 5321 4.5.3.1 gives a path 256 octets. Rewriting ignores that often, but not to this extent;
/// the bound keeps nested rewritings from costing much.
const MAX_OCTETS: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// An address that was read claims what its text claims, up to the same length.
    #[test]
    fn addresses_claim_what_their_texts_do() {
        for (length, claims) in [(60, true), (1_000, true), (1_001, false)] {
            let (start, domain) = ("SRS0=abcd=44=example.com=", "forwarder.example");
            let user = "u".repeat(length - start.len() - 1 - domain.len());
            let text = format!("{start}{user}@{domain}");
            let address = Address::parse(text.as_bytes()).unwrap();
            let claimed = Claimed::of(&address);
            assert_eq!(claimed.is_some(), claims, "{length}");
            assert_eq!(claimed, Claimed::decode(text));
        }
    }
}
