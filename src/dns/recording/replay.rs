//! Answering from a transcript.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Transcript;
use crate::dns::record::{Record, Told, resolve_by};
use crate::dns::{Lookup, LookupError, Mx, Name, RecordType, Resolver, Txt};

/// A resolver that answers as a [`Transcript`] says, so that a verification can be run again.
///
/// A question that was asked several times gets its answers in their order, and after them the last
/// one again. One that was given up times out. One that was never asked is
/// [`LookupError::Other`].
#[derive(Debug)]
pub struct Replay {
    told: HashMap<(Name, RecordType), Answers>,
}

#[derive(Debug, Default)]
struct Answers {
    told: Vec<Option<Told>>,
    given: AtomicUsize,
}

impl Replay {
    pub(super) fn new(transcript: &Transcript) -> Self {
        let mut told = HashMap::<_, Answers>::new();
        for exchange in &transcript.exchanges {
            let question = (exchange.name.clone(), exchange.record_type);
            let answers = told.entry(question).or_default();
            answers.told.push(exchange.told.clone());
        }
        Self { told }
    }

    fn lookup<'a, T: Record>(&'a self, name: &'a Name) -> Lookup<'a, T> {
        let Some(Answers { told, given }) = self.told.get(&(name.clone(), T::TYPE)) else {
            let reason = "not in the transcript";
            return Lookup::ready(Err(LookupError::Other(reason.into())));
        };
        // Counts to the end and stays there, however often it is asked.
        let next = |given: usize| (given < told.len()).then_some(given + 1);
        let index = match given.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
            Ok(index) => index,
            Err(end) => end.saturating_sub(1),
        };
        let told = told.get(index).and_then(Option::as_ref);
        let result = told.and_then(T::result).cloned();
        Lookup::ready(result.unwrap_or(Err(LookupError::Timeout)))
    }
}

impl Resolver for Replay {
    resolve_by!(lookup);
}
