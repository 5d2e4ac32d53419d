//! What the DNS said about the keys of a message.

use std::borrow::Cow;
use std::sync::OnceLock;

use super::key::{KeyRecord, KeyRecordError};
use super::settings::Settings;
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
pub struct Keys(Vec<Answer>);

/// The answer for one name.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    name: Name,
    outcome: Result<Outcome<Txt>, LookupError>,
    /// The first record, once somebody has read it: in ARC, two signatures of each set need it.
    first: OnceLock<Result<KeyRecord, KeyRecordError>>,
}

impl Answer {
    fn new(name: Name, outcome: Result<Outcome<Txt>, LookupError>) -> Self {
        Self {
            name,
            outcome,
            first: OnceLock::new(),
        }
    }

    pub(super) fn error(&self) -> Option<&LookupError> {
        self.outcome.as_ref().err()
    }

    /// The records, read one by one as they are asked for.
    pub(super) fn records(
        &self,
        settings: &Settings,
    ) -> impl Iterator<Item = Cow<'_, Result<KeyRecord, KeyRecordError>>> {
        let records = self.outcome.as_ref().map_or(&[][..], Outcome::as_slice);
        records.iter().enumerate().map(|(place, record)| {
            let octets = record.as_bytes();
            let length = octets.len();
            if length > settings.max_key_record_octets {
                Cow::Owned(Err(KeyRecordError::TooLong { length }))
            } else if place == 0 {
                Cow::Borrowed(self.first.get_or_init(|| KeyRecord::parse(octets)))
            } else {
                Cow::Owned(KeyRecord::parse(octets))
            }
        })
    }
}

impl Keys {
    /// The answer for a single name.
    pub(super) fn of_one(name: Name, outcome: Result<Outcome<Txt>, LookupError>) -> Self {
        Self(vec![Answer::new(name, outcome)])
    }

    /// Adds the answer for a name.
    pub fn insert(&mut self, name: Name, answer: Result<Outcome<Txt>, LookupError>) {
        let answer = Answer::new(name, answer);
        // A message has few, whoever wrote it.
        match self.0.iter_mut().find(|known| known.name == answer.name) {
            Some(known) => *known = answer,
            None => self.0.push(answer),
        }
    }

    /// The answer for a name; `None` where there is none yet.
    #[must_use]
    pub fn get(&self, name: &Name) -> Option<&Result<Outcome<Txt>, LookupError>> {
        self.answer(name).map(|answer| &answer.outcome)
    }

    pub(super) fn answer(&self, name: &Name) -> Option<&Answer> {
        self.0.iter().find(|answer| answer.name == *name)
    }

    /// The names that were answered, in no particular order.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.0.iter().map(|answer| &answer.name)
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
        let answers = self.0.into_iter();
        let answers = answers.map(|answer| (answer.name, answer.outcome));
        answers.collect::<Vec<_>>().into_iter()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// That the first record is kept once it was read changes nothing.
    #[test]
    fn records_are_the_same_each_time() {
        let name: Name = "s._domainkey.example.com".parse().unwrap();
        let records = ["v=DKIM1; p=", "p=!", "v=DKIM1; k=ed25519; p="].map(Txt::new);
        let keys = Keys::of_one(name.clone(), Ok(Outcome::records(records.clone())));
        let answer = keys.answer(&name).unwrap();
        let read = |max_key_record_octets| {
            let settings = Settings {
                max_key_record_octets,
                ..Settings::default()
            };
            let records = answer.records(&settings).map(Cow::into_owned);
            records.collect::<Vec<_>>()
        };
        let expected = |limit: usize| {
            let records = records.iter().map(|record| match record.as_bytes() {
                octets if octets.len() > limit => Err(KeyRecordError::TooLong {
                    length: octets.len(),
                }),
                octets => KeyRecord::parse(octets),
            });
            records.collect::<Vec<_>>()
        };
        for limit in [0, 100, 4, 11, 100] {
            assert_eq!(read(limit), expected(limit), "{limit}");
        }
        assert_eq!(keys.into_iter().count(), 1);
    }
}
