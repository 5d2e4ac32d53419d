//! What the record types have in common, for resolvers that treat all alike.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Lookup, LookupError, Mx, Name, Outcome, RecordType, Resolver, Txt};

/// The data of one record type.
pub(super) trait Record: Clone + Send + Sync + 'static {
    /// The type.
    const TYPE: RecordType;

    /// Looks records of the type up.
    fn ask<'a, R: Resolver + ?Sized>(resolver: &'a R, name: &'a Name) -> Lookup<'a, Self>;

    /// Puts a result where those of other types can be as well.
    fn told(result: Result<Outcome<Self>, LookupError>) -> Told;

    /// The result, if it is one of this type.
    fn result(told: &Told) -> Option<&Result<Outcome<Self>, LookupError>>;

    /// The octets that a record takes up outside itself.
    fn heap(&self) -> usize;

    /// The outcome as a cache keeps it.
    fn kept(outcome: &Outcome<Self>) -> Outcome<Self>;
}

/// The result of a look-up of any type.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Told {
    A(Result<Outcome<Ipv4Addr>, LookupError>),
    Aaaa(Result<Outcome<Ipv6Addr>, LookupError>),
    Mx(Result<Outcome<Mx>, LookupError>),
    Ptr(Result<Outcome<Name>, LookupError>),
    Txt(Result<Outcome<Txt>, LookupError>),
}

macro_rules! record {
    ($type:ty, $record_type:ident, $method:ident, $heap:expr, $kept:expr) => {
        impl Record for $type {
            const TYPE: RecordType = RecordType::$record_type;

            fn ask<'a, R: Resolver + ?Sized>(resolver: &'a R, name: &'a Name) -> Lookup<'a, Self> {
                resolver.$method(name)
            }

            fn told(result: Result<Outcome<Self>, LookupError>) -> Told {
                Told::$record_type(result)
            }

            fn result(told: &Told) -> Option<&Result<Outcome<Self>, LookupError>> {
                match told {
                    Told::$record_type(result) => Some(result),
                    _ => None,
                }
            }

            fn heap(&self) -> usize {
                let heap: fn(&Self) -> usize = $heap;
                heap(self)
            }

            fn kept(outcome: &Outcome<Self>) -> Outcome<Self> {
                let kept: fn(&Outcome<Self>) -> Outcome<Self> = $kept;
                kept(outcome)
            }
        }
    };
}

record!(Ipv4Addr, A, a, |_| 0, Outcome::clone);
record!(Ipv6Addr, Aaaa, aaaa, |_| 0, Outcome::clone);
record!(Mx, Mx, mx, |mx| mx.exchange.heap(), Outcome::clone);
record!(
    Name,
    Ptr,
    ptr,
    |name| COUNTS + name.as_str().len(),
    Outcome::clone
);
record!(Txt, Txt, txt, Txt::heap, Txt::all_with_room);

/// What an `Arc` adds to its value: the two counts.
pub(super) const COUNTS: usize = 2 * size_of::<usize>();

/// The methods of [`Resolver`], each by the generic method of that name.
macro_rules! resolve_by {
    ($lookup:ident) => {
        fn txt<'a>(&'a self, name: &'a Name) -> Lookup<'a, Txt> {
            self.$lookup(name)
        }

        fn a<'a>(&'a self, name: &'a Name) -> Lookup<'a, Ipv4Addr> {
            self.$lookup(name)
        }

        fn aaaa<'a>(&'a self, name: &'a Name) -> Lookup<'a, Ipv6Addr> {
            self.$lookup(name)
        }

        fn mx<'a>(&'a self, name: &'a Name) -> Lookup<'a, Mx> {
            self.$lookup(name)
        }

        fn ptr<'a>(&'a self, name: &'a Name) -> Lookup<'a, Name> {
            self.$lookup(name)
        }
    };
}

pub(super) use resolve_by;
