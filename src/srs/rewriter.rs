//! Rewriting the senders of forwarded mail.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use super::forwarded::{self, Forwarded, Unchanged};
use super::guarded::{self, Path, Scheme, Separator, Srs1};
use super::mac::{Construction, HASH_LENGTH, Secrets};
use super::stamp::Stamp;
use crate::domain::Domain;

/// Rewrites envelope senders for one SRS domain, and takes their bounces back.
///
/// The SRS domain should serve nothing else; it needs an SPF record that authorizes the forwarder,
/// and an MX that leads back to it.
///
/// ```
/// use mailproof::srs::{Forwarded, Reversed, Rewriter};
/// use std::time::{Duration, UNIX_EPOCH};
///
/// let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
/// let rewriter = Rewriter::new("fwd.example".parse()?, "mysecret")?;
/// let Forwarded::Srs0(sender) = rewriter.forward("alice@example.com", now) else {
///     panic!("a stranger's address is rewritten");
/// };
/// assert_eq!(sender, "SRS0=E4us=G3=example.com=alice@fwd.example");
///
/// // Days later, a bounce arrives for that address.
/// let Reversed::Valid { address, age, .. } = rewriter.reverse(&sender, now + Duration::from_secs(86_400)) else {
///     panic!("our own address is valid");
/// };
/// assert_eq!((address.as_str(), age), ("alice@example.com", Some(1)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Rewriter {
    pub(super) domain: Domain,
    pub(super) secrets: Secrets,
    pub(super) minimum_hash_length: usize,
    pub(super) maximum_age: u16,
    separator: Separator,
    hash_length: usize,
    url_safe_hash: bool,
    always_rewrite: bool,
    own_domain: Option<OwnDomain>,
}

#[derive(Clone)]
struct OwnDomain(Arc<dyn Fn(&Domain) -> bool + Send + Sync>);

impl Rewriter {
    /// A rewriter that writes addresses at `domain`: `=` as separator, hashes of 4 characters in the
    /// standard alphabet, valid for 21 days, in the [`Compatible`](Construction::Compatible)
    /// construction.
    ///
    /// # Errors
    ///
    /// [`SettingError::EmptySecret`].
    pub fn new(domain: Domain, secret: impl AsRef<[u8]>) -> Result<Self, SettingError> {
        if secret.as_ref().is_empty() {
            return Err(SettingError::EmptySecret);
        }
        Ok(Self {
            domain,
            secrets: Secrets::new(secret.as_ref()),
            minimum_hash_length: DEFAULT_HASH_LENGTH,
            maximum_age: DEFAULT_MAXIMUM_AGE,
            separator: Separator::default(),
            hash_length: DEFAULT_HASH_LENGTH,
            url_safe_hash: false,
            always_rewrite: false,
            own_domain: None,
        })
    }

    /// Accepts addresses made with an older secret as well. The one given to [`new`](Self::new)
    /// signs.
    ///
    /// # Errors
    ///
    /// [`SettingError::EmptySecret`].
    pub fn older_secret(mut self, secret: impl AsRef<[u8]>) -> Result<Self, SettingError> {
        if secret.as_ref().is_empty() {
            return Err(SettingError::EmptySecret);
        }
        self.secrets.push(secret.as_ref());
        Ok(self)
    }

    /// Sets what the hash covers.
    #[must_use]
    pub fn construction(mut self, construction: Construction) -> Self {
        self.secrets.set_construction(construction);
        self
    }

    /// Sets what is written behind `SRS0` and `SRS1`: `=`, as nearly all do, `-`, or `+`, which sends
    /// the address through plus addressing. All are read.
    ///
    /// # Errors
    ///
    /// [`SettingError::Separator`] for any other character.
    pub fn separator(mut self, separator: char) -> Result<Self, SettingError> {
        self.separator =
            Separator::from_char(separator).ok_or(SettingError::Separator { separator })?;
        Ok(self)
    }

    /// Sets whether the hash is written with `-` and `_` (RFC 4648 5) in place of `+` and `/` (RFC
    /// 4648 4), which all but newer PostSRSd write: some servers refuse an address with a slash. Both
    /// are read.
    #[must_use]
    pub fn url_safe_hash(mut self, url_safe: bool) -> Self {
        self.url_safe_hash = url_safe;
        self
    }

    /// Sets how many characters of the hash are written, and how many at least are asked for.
    ///
    /// Since case may be lost on the way, a character is worth about 5.2 bits: 4 of them are what
    /// everybody uses, 8 are better where local parts leave the room for it.
    ///
    /// # Errors
    ///
    /// [`SettingError::HashLength`] for anything but 1 to 27.
    pub fn hash_length(mut self, length: usize) -> Result<Self, SettingError> {
        if !(1..=HASH_LENGTH).contains(&length) {
            return Err(SettingError::HashLength { length });
        }
        self.hash_length = length;
        self.minimum_hash_length = length;
        Ok(self)
    }

    /// Accepts hashes that are shorter than those that are written, as long as addresses made with
    /// an earlier setting are about. Set the length first.
    ///
    /// # Errors
    ///
    /// [`SettingError::HashLength`] for 0, and for more than are written.
    pub fn minimum_hash_length(mut self, length: usize) -> Result<Self, SettingError> {
        if !(1..=self.hash_length).contains(&length) {
            return Err(SettingError::HashLength { length });
        }
        self.minimum_hash_length = length;
        Ok(self)
    }

    /// Sets for how many days after its own an address is valid.
    ///
    /// # Errors
    ///
    /// [`SettingError::MaximumAge`] for more than 1022: time stamps repeat after 1024 days, and one
    /// of tomorrow must not be valid.
    pub fn maximum_age(mut self, days: u16) -> Result<Self, SettingError> {
        if days > 1022 {
            return Err(SettingError::MaximumAge { days });
        }
        self.maximum_age = days;
        Ok(self)
    }

    /// Leaves senders alone whose domain is our own: those that the next hop's SPF check accepts
    /// from us anyway.
    #[must_use]
    pub fn own_domains(mut self, is_own: impl Fn(&Domain) -> bool + Send + Sync + 'static) -> Self {
        self.own_domain = Some(OwnDomain(Arc::new(is_own)));
        self
    }

    /// Rewrites senders of our own domains and of the SRS domain too.
    #[must_use]
    pub fn always_rewriting(mut self) -> Self {
        self.always_rewrite = true;
        self
    }

    /// Rewrites the sender of a message that is about to be forwarded: the argument of MAIL FROM,
    /// with or without its angle brackets.
    ///
    /// A stranger's address becomes SRS0, a rewritten one SRS1, which holds who forwarded first, so
    /// that a bounce needs no more than two steps however many forwarders there are.
    #[must_use]
    pub fn forward(&self, reverse_path: impl AsRef<[u8]>, now: SystemTime) -> Forwarded {
        let path = match Path::parse(reverse_path.as_ref()) {
            Ok(Some(path)) => path,
            Ok(None) => return Forwarded::Unchanged(Unchanged::NullSender),
            Err(malformed) => return Forwarded::Malformed(malformed),
        };
        if !self.always_rewrite {
            if self.is_srs_domain(path.host) {
                return Forwarded::Unchanged(Unchanged::SrsDomain);
            }
            if self.is_own_domain(path.host) {
                return Forwarded::Unchanged(Unchanged::OwnDomain);
            }
        }
        match guarded::scheme(path.local_part) {
            None => self.fitting(self.srs0(&path, now), Forwarded::Srs0),
            Some((Scheme::Srs0, _, _)) => {
                let (_, opaque) = path.local_part.split_at_checked(4).unwrap_or_default();
                self.fitting(self.srs1(path.host, opaque), Forwarded::Srs1)
            }
            Some((Scheme::Srs1, _, rest)) => match Srs1::parse(rest) {
                // Only the hash is ours to replace: the bounce goes to the first forwarder anyway.
                Ok(srs1) => self.fitting(self.srs1(srs1.host, srs1.opaque), Forwarded::Srs1),
                Err(malformed) => Forwarded::Malformed(malformed),
            },
        }
    }

    /// Whether a host is the SRS domain.
    pub(super) fn is_srs_domain(&self, host: &str) -> bool {
        if host == self.domain.as_str() {
            return true;
        }
        let host = host.strip_suffix('.').unwrap_or(host);
        if host.is_ascii() {
            return host.eq_ignore_ascii_case(self.domain.as_str());
        }
        Domain::parse(host.as_bytes()).is_ok_and(|host| host == self.domain)
    }

    fn is_own_domain(&self, host: &str) -> bool {
        let Some(OwnDomain(is_own)) = &self.own_domain else {
            return false;
        };
        Domain::parse(host.as_bytes()).is_ok_and(|host| is_own(&host))
    }

    fn srs0(&self, path: &Path<'_>, now: SystemTime) -> String {
        // Everybody puts a quoted local part behind the fields as it is. Where it holds an `@`, much
        // software would split there; then the quotes go around the whole.
        let inner = path
            .local_part
            .strip_prefix('"')
            .and_then(|inner| inner.strip_suffix('"'))
            .filter(|inner| inner.contains('@'));
        self.write_srs0(Stamp::of(now), path.host, path.local_part, inner)
    }

    pub(super) fn write_srs0(
        &self,
        stamp: Stamp,
        host: &str,
        user: &str,
        quoted: Option<&str>,
    ) -> String {
        let letters = stamp.letters();
        // The letters are ASCII.
        let letters = std::str::from_utf8(&letters).unwrap_or_default();
        let hash = self.secrets.sign(
            "SRS0",
            &[letters, host, quoted.unwrap_or(user)],
            self.hash_length,
        );
        let mut out = String::with_capacity(forwarded::ADDRESS_LIMIT);
        if quoted.is_some() {
            out.push('"');
        }
        out.push_str("SRS0");
        out.push(self.separator.as_char());
        out.extend(hash.characters(self.url_safe_hash));
        out.push('=');
        out.push_str(letters);
        out.push('=');
        out.push_str(host);
        out.push('=');
        match quoted {
            Some(quoted) => {
                out.push_str(quoted);
                out.push('"');
            }
            None => out.push_str(user),
        }
        out.push('@');
        out.push_str(self.domain.as_str());
        out
    }

    fn srs1(&self, host: &str, opaque: &str) -> String {
        let hash = self.secrets.sign("SRS1", &[host, opaque], self.hash_length);
        let mut out = String::with_capacity(forwarded::ADDRESS_LIMIT);
        out.push_str("SRS1");
        out.push(self.separator.as_char());
        out.extend(hash.characters(self.url_safe_hash));
        for field in [host, opaque] {
            out.push('=');
            out.push_str(field);
        }
        out.push('@');
        out.push_str(self.domain.as_str());
        out
    }

    fn fitting(&self, address: String, rewritten: fn(String) -> Forwarded) -> Forwarded {
        let local_part = address.len().saturating_sub(self.domain.as_str().len() + 1);
        match forwarded::excess(&address, local_part) {
            Some((length, limit)) => Forwarded::TooLong {
                address,
                length,
                limit,
            },
            None => rewritten(address),
        }
    }
}

impl fmt::Debug for Rewriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rewriter")
            .field("domain", &self.domain)
            .field("secrets", &self.secrets)
            .field("construction", &self.secrets.construction())
            .field("separator", &self.separator)
            .field("url_safe_hash", &self.url_safe_hash)
            .field("hash_length", &self.hash_length)
            .field("minimum_hash_length", &self.minimum_hash_length)
            .field("maximum_age", &self.maximum_age)
            .field("always_rewrite", &self.always_rewrite)
            .finish_non_exhaustive()
    }
}

/// Why a [`Rewriter`] cannot be set up so.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// With an empty secret, everybody could write our addresses.
    #[error("empty secret")]
    EmptySecret,
    /// The hash cannot have this length.
    #[error("hash length {length} is not possible")]
    HashLength {
        /// The length asked for.
        length: usize,
    },
    /// Time stamps do not reach that far.
    #[error("maximum age of {days} days, at most 1022 are possible")]
    MaximumAge {
        /// The days asked for.
        days: u16,
    },
    /// No deployed software reads this separator.
    #[error("separator {separator:?}, only '=', '-' and '+' are possible")]
    Separator {
        /// The character asked for.
        separator: char,
    },
}

const DEFAULT_HASH_LENGTH: usize = 4;

/// Servers keep trying for 4 to 5 days (RFC 5321 4.5.4.1); all software allows three weeks.
const DEFAULT_MAXIMUM_AGE: u16 = 21;
