//! Which fields must not enter: those that say they are ours (§5).

use super::read::Tolerated;
use super::{AuthenticationResults, AuthservId};

/// The names under which results are published inside one's own administrative domain: no field
/// that comes from outside may carry them.
///
/// §5: ‘any MTA conforming to this specification MUST delete any discovered instance of this header
/// field that claims, by virtue of its authentication service identifier, to have been added within
/// its trust boundary but that did not come directly from another trusted MTA.’
///
/// ```
/// use mailproof::auth_results::Border;
///
/// let border = Border::new("mx.example.com".parse()?).with_subdomains();
/// let fields: [(&[u8], &[u8]); 4] = [
///     (b"Authentication-Results", b" elsewhere.example; spf=pass"),
///     (b"authentication-results", b" MX.Example.COM; spf=pass"),
///     (b"Subject", b" hello"),
///     (b"Authentication-Results", b" mx.example.com; (unfinished"),
/// ];
/// let plan = border.strip_plan(fields);
/// let removals: Vec<(usize, usize)> = plan.iter().map(|r| (r.index, r.nth)).collect();
/// assert_eq!(removals, [(3, 3), (1, 2)]);
/// # Ok::<(), mailproof::auth_results::ParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Border {
    own: Vec<AuthservId>,
    subdomains: bool,
}

impl Border {
    /// Guards one name.
    #[must_use]
    pub fn new(own: AuthservId) -> Self {
        Self {
            own: vec![own],
            subdomains: false,
        }
    }

    /// Guards another name too.
    #[must_use]
    pub fn with(mut self, own: AuthservId) -> Self {
        self.own.push(own);
        self
    }

    /// Guards all names below those given, too.
    #[must_use]
    pub fn with_subdomains(mut self) -> Self {
        self.subdomains = true;
        self
    }

    /// The fields to remove from a message that comes from outside: those that carry a guarded name
    /// in any case of letters, as A-labels or U-labels; and those that cannot be read in full, since
    /// others may read a guarded name there.
    ///
    /// Takes the names and values of all header fields, from the top. The removals are in descending
    /// order, so that carrying out one does not move those that follow.
    pub fn strip_plan<'a>(
        &self,
        fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Vec<Removal> {
        let named = fields
            .into_iter()
            .enumerate()
            .filter(|(_, (name, _))| is_authentication_results(name));
        let mut plan: Vec<Removal> = named
            .zip(1..)
            .filter_map(|((index, (_, value)), nth)| {
                let unreadable = match self.judge(value) {
                    Claim::Foreign => return None,
                    Claim::Own => false,
                    Claim::Unreadable => true,
                };
                Some(Removal {
                    index,
                    nth,
                    unreadable,
                })
            })
            .collect();
        plan.reverse();
        plan
    }

    fn judge(&self, value: &[u8]) -> Claim {
        let Ok(reading) = AuthenticationResults::read(value) else {
            return Claim::Unreadable;
        };
        let is_own = |id: &AuthservId| {
            self.own.iter().any(|own| {
                if self.subdomains {
                    id.is_within(own)
                } else {
                    id.is_same(own)
                }
            })
        };
        match reading.authserv_id() {
            Some(id) if is_own(id) => Claim::Own,
            None => Claim::Unreadable,
            Some(_) if reading.tolerated().iter().any(hides_a_name) => Claim::Unreadable,
            Some(_) => Claim::Foreign,
        }
    }
}

/// Whose results a field claims to hold.
enum Claim {
    Foreign,
    Own,
    Unreadable,
}

/// Where a name is not delimited, others may see its end elsewhere.
fn hides_a_name(tolerated: &Tolerated) -> bool {
    match tolerated {
        Tolerated::AuthservId(_)
        | Tolerated::Dropped(_)
        | Tolerated::NoAuthservId
        | Tolerated::TooMany => true,
        Tolerated::EmptyResult
        | Tolerated::Encoding
        | Tolerated::NoResults
        | Tolerated::NotAProperty(_)
        | Tolerated::Separated(_)
        | Tolerated::Unquoted(_) => false,
    }
}

/// White space before the colon is an obsolete form (RFC 5322 4.5.8), which many still read.
fn is_authentication_results(name: &[u8]) -> bool {
    crate::text::trim_fws(name).eq_ignore_ascii_case(b"Authentication-Results")
}

/// A field to remove.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Removal {
    /// Its place among all fields, the topmost being 0.
    pub index: usize,
    /// Its place among the fields of this name, the topmost being 1: what milters count by.
    pub nth: usize,
    /// Whether it must go because it does not say whose it is, or cannot be read in full; otherwise it
    /// carries a guarded name.
    pub unreadable: bool,
}
