//! What the record types have in common, for resolvers that treat all alike.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{Lookup, Mx, Name, RecordType, Resolver, Txt};

/// The data of one record type.
pub(super) trait Record: Clone + Send + Sync + 'static {
    /// The type.
    const TYPE: RecordType;

    /// Looks records of the type up.
    fn ask<'a, R: Resolver + ?Sized>(resolver: &'a R, name: &'a Name) -> Lookup<'a, Self>;
}

macro_rules! record {
    ($type:ty, $record_type:ident, $method:ident) => {
        impl Record for $type {
            const TYPE: RecordType = RecordType::$record_type;

            fn ask<'a, R: Resolver + ?Sized>(resolver: &'a R, name: &'a Name) -> Lookup<'a, Self> {
                resolver.$method(name)
            }
        }
    };
}

record!(Ipv4Addr, A, a);
record!(Ipv6Addr, Aaaa, aaaa);
record!(Mx, Mx, mx);
record!(Name, Ptr, ptr);
record!(Txt, Txt, txt);

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
