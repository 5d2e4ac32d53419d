//! The DNS of one case, as all sides take it.

use std::net::IpAddr;

use mailproof::dns::{LookupError, Name, Zone};
use serde_json::{Value, json};

#[derive(Clone, Debug)]
pub enum Data {
    Address(IpAddr),
    /// Every question fails.
    Fails,
    Mx(u16, String),
    /// A name of a client; its address stands for the owner.
    Ptr(IpAddr, String),
    Txt(String),
}

/// Owners and data. What is not there does not exist.
#[derive(Clone, Debug, Default)]
pub struct Records(pub Vec<(String, Data)>);

impl Records {
    pub fn add(&mut self, name: &str, data: Data) {
        self.0.push((name.to_owned(), data));
    }

    pub fn zone(&self) -> Zone {
        let mut zone = Zone::new();
        for (name, data) in &self.0 {
            let added = match data {
                Data::Address(address) => zone.add_address(name, *address),
                Data::Fails => zone.fail(name, LookupError::ServFail),
                Data::Mx(preference, exchange) => zone.add_mx(name, *preference, exchange),
                Data::Ptr(address, name) => zone.add_ptr(*address, name),
                Data::Txt(text) => zone.add_txt(name, text),
            };
            added.unwrap_or_else(|error| panic!("{name}: {error}"));
        }
        zone
    }

    pub fn texts(&self, owner: &str) -> Vec<Vec<u8>> {
        let texts = self.0.iter().filter(|(name, _)| name == owner);
        let texts = texts.filter_map(|(_, data)| match data {
            Data::Txt(text) => Some(text.clone().into_bytes()),
            _ => None,
        });
        texts.collect()
    }

    pub fn to_json(&self) -> Value {
        let lines = self.0.iter().map(|(name, data)| match data {
            Data::Address(IpAddr::V4(address)) => json!(["A", name, address]),
            Data::Address(IpAddr::V6(address)) => json!(["AAAA", name, address]),
            Data::Fails => json!(["FAILS", name]),
            Data::Mx(preference, exchange) => json!(["MX", name, [preference, exchange]]),
            Data::Ptr(address, target) => {
                let owner = Name::reverse(*address).to_string();
                json!(["PTR", owner.trim_end_matches('.'), target])
            }
            Data::Txt(text) => json!(["TXT", name, text]),
        });
        lines.collect()
    }
}
