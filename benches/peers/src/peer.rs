//! mail-auth, with its caches filled beforehand so that it asks nobody: the last version that can use
//! ring, and one on aws-lc-rs.

#[cfg(feature = "aws-lc-rs")]
mod aws_lc;
#[cfg(not(feature = "aws-lc-rs"))]
mod ring;

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::Ipv4Addr;

#[cfg(feature = "aws-lc-rs")]
pub use aws_lc::*;
#[cfg(not(feature = "aws-lc-rs"))]
pub use ring::*;

const RECEIVER: &str = "mx.example.net";

/// A record, as both sides take it.
pub enum Data {
    A(Ipv4Addr),
    Mx(String),
    Txt(String),
}

/// What is known of one type; whatever else is asked for, there is none.
pub struct Known<K, V> {
    records: HashMap<K, V>,
    otherwise: V,
}

impl<K: Hash + Eq, V: Clone> Known<K, V> {
    fn new(otherwise: V) -> Self {
        Self {
            records: HashMap::new(),
            otherwise,
        }
    }

    fn of<Q>(&self, name: &Q) -> V
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.records.get(name).unwrap_or(&self.otherwise).clone()
    }
}
