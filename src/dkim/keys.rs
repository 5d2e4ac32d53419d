//! What the DNS said about the keys of a message.

use std::collections::{BTreeMap, btree_map};

use crate::dns::{LookupError, Name, Outcome, Txt};

/// The answers for the names under which keys should stand.
///
/// A name that is missing counts as not answered in time: its signatures get a temporary error.
/// ```
/// use mailproof::dkim::Keys;
/// use mailproof::dns::{Outcome, Txt};
///
/// let mut keys = Keys::default();
/// let name = "s._domainkey.example.com".parse()?;
/// keys.insert(name, Ok(Outcome::records([Txt::new("v=DKIM1; p=")])));
/// # Ok::<(), mailproof::dns::NameError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Keys(BTreeMap<Name, Result<Outcome<Txt>, LookupError>>);

impl Keys {
    /// Adds the answer for a name.
    pub fn insert(&mut self, name: Name, answer: Result<Outcome<Txt>, LookupError>) {
        self.0.insert(name, answer);
    }

    /// The answer for a name; `None` where there is none yet.
    #[must_use]
    pub fn get(&self, name: &Name) -> Option<&Result<Outcome<Txt>, LookupError>> {
        self.0.get(name)
    }

    /// The names that were answered, in no particular order.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.0.keys()
    }
}

impl Extend<(Name, Result<Outcome<Txt>, LookupError>)> for Keys {
    fn extend<I>(&mut self, answers: I)
    where
        I: IntoIterator<Item = (Name, Result<Outcome<Txt>, LookupError>)>,
    {
        self.0.extend(answers);
    }
}

impl IntoIterator for Keys {
    type Item = (Name, Result<Outcome<Txt>, LookupError>);
    type IntoIter = btree_map::IntoIter<Name, Result<Outcome<Txt>, LookupError>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(Name, Result<Outcome<Txt>, LookupError>)> for Keys {
    fn from_iter<I>(answers: I) -> Self
    where
        I: IntoIterator<Item = (Name, Result<Outcome<Txt>, LookupError>)>,
    {
        Self(answers.into_iter().collect())
    }
}
