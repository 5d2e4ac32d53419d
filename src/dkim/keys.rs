//! What the DNS said about the keys of a message.

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
pub struct Keys(pub(super) Vec<(Name, Result<Outcome<Txt>, LookupError>)>);

impl Keys {
    /// Adds the answer for a name.
    pub fn insert(&mut self, name: Name, answer: Result<Outcome<Txt>, LookupError>) {
        // A message has few, whoever wrote it.
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = answer,
            None => self.0.push((name, answer)),
        }
    }

    /// The answer for a name; `None` where there is none yet.
    #[must_use]
    pub fn get(&self, name: &Name) -> Option<&Result<Outcome<Txt>, LookupError>> {
        let answer = self.0.iter().find(|(known, _)| known == name);
        answer.map(|(_, answer)| answer)
    }

    /// The names that were answered, in no particular order.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.0.iter().map(|(name, _)| name)
    }
}

impl Extend<(Name, Result<Outcome<Txt>, LookupError>)> for Keys {
    fn extend<I>(&mut self, answers: I)
    where
        I: IntoIterator<Item = (Name, Result<Outcome<Txt>, LookupError>)>,
    {
        let answers = answers.into_iter();
        self.0.reserve(answers.size_hint().0);
        answers.for_each(|(name, answer)| self.insert(name, answer));
    }
}

impl IntoIterator for Keys {
    type Item = (Name, Result<Outcome<Txt>, LookupError>);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<(Name, Result<Outcome<Txt>, LookupError>)> for Keys {
    fn from_iter<I>(answers: I) -> Self
    where
        I: IntoIterator<Item = (Name, Result<Outcome<Txt>, LookupError>)>,
    {
        let mut keys = Self::default();
        keys.extend(answers);
        keys
    }
}
