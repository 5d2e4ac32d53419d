//! Short addresses for long senders: the sender is kept, the address holds a key.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use super::forwarded::Forwarded;
use super::guarded::{Malformed, Path, Srs0};
use super::mac::Construction;
use super::reverse::Reversed;
use super::rewriter::Rewriter;
use super::stamp::Stamp;
use crate::crypto::HashAlgorithm;

/// Keeps senders that are too long to be rewritten, from forwarding until the last bounce.
///
/// Stores that cannot answer at once are used through [`Rewriter::shorten`] and
/// [`Reversed::Stored`] instead.
pub trait Store {
    /// Why the store failed.
    type Error;

    /// Keeps `sender` under `key` until `expires`. The same key always comes with the same sender.
    ///
    /// # Errors
    ///
    /// Whatever the store says; the message is then not forwarded.
    fn insert(&self, key: &str, sender: &str, expires: SystemTime) -> Result<(), Self::Error>;

    /// The sender under `key`, unless it has expired by `now`.
    ///
    /// # Errors
    ///
    /// Whatever the store says; the bounce is then deferred.
    fn find(&self, key: &str, now: SystemTime) -> Result<Option<String>, Self::Error>;
}

impl Rewriter {
    /// Rewrites the sender of a message as [`forward`](Self::forward) does, and puts it into the
    /// store if that would be too long.
    ///
    /// ```
    /// use mailproof::srs::{Forwarded, MemoryStore, Reversed, Rewriter};
    /// use std::time::{Duration, UNIX_EPOCH};
    ///
    /// let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    /// let rewriter = Rewriter::new("fwd.example".parse()?, "mysecret")?;
    /// let store = MemoryStore::new(1_000);
    /// let long = "a.list.name.with.very.many.characters.in.it@a-rather-long-name.example";
    ///
    /// let Forwarded::TooLong { length, limit, .. } = rewriter.forward(long, now) else { panic!() };
    /// assert_eq!((length, limit), (83, 64));
    /// let Forwarded::Srs0(short) = rewriter.forward_with_store(long, now, &store)? else { panic!() };
    /// assert_eq!(short, "SRS0=bPI/=G3=1=BRELBL8IOTRCITE67UKDCBL2O0GJUNSK@fwd.example");
    /// let back = rewriter.reverse_with_store(short, now, &store)?;
    /// assert!(matches!(back, Reversed::Valid { address, .. } if address == long));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The store's.
    pub fn forward_with_store<S: Store + ?Sized>(
        &self,
        reverse_path: impl AsRef<[u8]>,
        now: SystemTime,
        store: &S,
    ) -> Result<Forwarded, S::Error> {
        let reverse_path = reverse_path.as_ref();
        match self.forward(reverse_path, now) {
            Forwarded::TooLong { .. } => match self.shorten(reverse_path, now) {
                Ok(short) => {
                    store.insert(&short.key, &short.sender, short.expires)?;
                    Ok(Forwarded::Srs0(short.address))
                }
                Err(malformed) => Ok(Forwarded::Malformed(malformed)),
            },
            forwarded => Ok(forwarded),
        }
    }

    /// Reads the recipient of a bounce as [`reverse`](Self::reverse) does, and looks the sender up
    /// if need be. A key that the store does not know remains [`Reversed::Stored`].
    ///
    /// # Errors
    ///
    /// The store's.
    pub fn reverse_with_store<S: Store + ?Sized>(
        &self,
        recipient: impl AsRef<[u8]>,
        now: SystemTime,
        store: &S,
    ) -> Result<Reversed, S::Error> {
        let reversed = self.reverse(recipient, now);
        let Reversed::Stored { key, age } = &reversed else {
            return Ok(reversed);
        };
        Ok(match store.find(key, now)? {
            Some(address) => Reversed::Valid {
                address,
                is_sender: true,
                age: Some(*age),
            },
            None => reversed,
        })
    }

    /// The short form of a sender, as PostSRSd writes it with a database:
    /// `SRS0=hash=stamp=1=key`. The caller must keep the sender under the key.
    ///
    /// # Errors
    ///
    /// [`Malformed::Address`] for what is no address, the null reverse-path included.
    pub fn shorten(
        &self,
        reverse_path: impl AsRef<[u8]>,
        now: SystemTime,
    ) -> Result<Shortened, Malformed> {
        let path = Path::parse(reverse_path.as_ref())?.ok_or(Malformed::Address)?;
        let sender = format!("{}@{}", path.local_part, path.host);
        let algorithm = match self.secrets.construction() {
            Construction::Compatible => HashAlgorithm::Sha1,
            Construction::Delimited => HashAlgorithm::Sha256,
        };
        let alias = base32hex(&algorithm.digest(sender.as_bytes()));
        let age = u32::from(self.maximum_age).saturating_add(1);
        Ok(Shortened {
            address: self.write_srs0(Stamp::of(now), HOST, &alias, None),
            key: alias + "@1",
            sender,
            expires: now + DAY * age,
        })
    }
}

/// A short address, and what must be kept for it.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Shortened {
    /// The address to forward with.
    pub address: String,
    /// The key to keep the sender under.
    pub key: String,
    /// The sender to keep.
    pub sender: String,
    /// When it may be forgotten: the address is not valid from then on.
    pub expires: SystemTime,
}

/// The key in an address of the short form. Servers may have changed its case.
pub(super) fn key(srs0: &Srs0<'_>) -> Option<String> {
    let is_digit = |octet: u8| matches!(octet.to_ascii_uppercase(), b'0'..=b'9' | b'A'..=b'V');
    let is_alias = srs0.user.len() == ALIAS_LENGTH && srs0.user.bytes().all(is_digit);
    (srs0.host == HOST && is_alias).then(|| srs0.user.to_ascii_uppercase() + "@1")
}

/// The first 20 octets in the alphabet of RFC 4648 7, which survives a change of case.
fn base32hex(octets: &[u8]) -> String {
    let mut out = String::with_capacity(ALIAS_LENGTH);
    let (mut bits, mut held) = (0_u32, 0);
    for octet in octets.iter().take(20) {
        bits = bits << 8 | u32::from(*octet);
        held += 8;
        while held >= 5 {
            held -= 5;
            out.extend(char::from_digit(bits >> held & 31, 32));
        }
        bits &= 31;
    }
    out.make_ascii_uppercase();
    out
}

/// A store in memory, for tests and for servers that may forget with a restart.
#[derive(Debug)]
pub struct MemoryStore {
    capacity: usize,
    senders: Mutex<HashMap<String, (String, SystemTime)>>,
}

impl MemoryStore {
    /// A store for at most `capacity` senders. When it is full, those go first that would be
    /// forgotten next.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            capacity,
            senders: Mutex::default(),
        }
    }
}

impl Store for MemoryStore {
    type Error = std::convert::Infallible;

    fn insert(&self, key: &str, sender: &str, expires: SystemTime) -> Result<(), Self::Error> {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        if senders.len() >= self.capacity && !senders.contains_key(key) {
            let next = senders.iter().min_by_key(|(_, (_, expires))| *expires);
            if let Some(next) = next.map(|(key, _)| key.clone()) {
                senders.remove(&next);
            }
        }
        if self.capacity != 0 {
            senders.insert(key.to_owned(), (sender.to_owned(), expires));
        }
        Ok(())
    }

    fn find(&self, key: &str, now: SystemTime) -> Result<Option<String>, Self::Error> {
        let mut senders = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        if senders.get(key).is_some_and(|(_, expires)| *expires <= now) {
            senders.remove(key);
        }
        Ok(senders.get(key).map(|(sender, _)| sender.clone()))
    }
}

/// The host that stands for the store.
pub(super) const HOST: &str = "1";

/// 160 bits, five to a character.
const ALIAS_LENGTH: usize = 32;

const DAY: Duration = Duration::from_secs(86_400);
