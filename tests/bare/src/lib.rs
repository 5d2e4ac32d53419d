//! Uses mailproof as a blocking server does that has neither a runtime nor any of its features.

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr};

use mailproof::dns::{Lookup, LookupError, Mx, Name, Outcome, Resolver, Txt};

/// A resolver that answers on the spot.
#[derive(Default)]
pub struct Blocking {
    texts: HashMap<String, Vec<Txt>>,
}

impl Blocking {
    /// Adds a TXT record.
    pub fn add(&mut self, name: &str, text: &str) {
        self.texts
            .entry(name.into())
            .or_default()
            .push(Txt::new(text));
    }
}

impl Resolver for Blocking {
    fn txt<'a>(&'a self, name: &'a Name) -> Lookup<'a, Txt> {
        Lookup::ready(Ok(match self.texts.get(name.as_str()) {
            Some(texts) => Outcome::records(texts.clone()),
            None => Outcome::no_such_name(),
        }))
    }

    fn a<'a>(&'a self, _: &'a Name) -> Lookup<'a, Ipv4Addr> {
        Lookup::ready(Err(LookupError::Refused))
    }

    fn aaaa<'a>(&'a self, _: &'a Name) -> Lookup<'a, Ipv6Addr> {
        Lookup::ready(Err(LookupError::Refused))
    }

    fn mx<'a>(&'a self, _: &'a Name) -> Lookup<'a, Mx> {
        Lookup::ready(Err(LookupError::Refused))
    }

    fn ptr<'a>(&'a self, _: &'a Name) -> Lookup<'a, Name> {
        Lookup::ready(Err(LookupError::Refused))
    }
}
