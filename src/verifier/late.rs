//! What stands in for the DNS once the time is up.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::dns::{Lookup, LookupError, Mx, Name, Resolver, Txt};

/// A resolver whose every answer comes too late.
pub(super) struct Late;

impl Late {
    fn answer<'a, T>() -> Lookup<'a, T> {
        Lookup::ready(Err(LookupError::Timeout))
    }
}

impl Resolver for Late {
    fn txt<'a>(&'a self, _: &'a Name) -> Lookup<'a, Txt> {
        Self::answer()
    }

    fn a<'a>(&'a self, _: &'a Name) -> Lookup<'a, Ipv4Addr> {
        Self::answer()
    }

    fn aaaa<'a>(&'a self, _: &'a Name) -> Lookup<'a, Ipv6Addr> {
        Self::answer()
    }

    fn mx<'a>(&'a self, _: &'a Name) -> Lookup<'a, Mx> {
        Self::answer()
    }

    fn ptr<'a>(&'a self, _: &'a Name) -> Lookup<'a, Name> {
        Self::answer()
    }
}
