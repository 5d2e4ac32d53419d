//! The resolver that a server already has, as a `dns::Resolver`: five methods, and care that an error
//! never looks like an answer.

use std::collections::HashMap;
use std::error::Error;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::mpsc;
use std::time::Duration;

use mailproof::dns::{Lookup, LookupError, Mx, Name, Outcome, Resolver, Txt, block_on};
use mailproof::{Message, Session, Verifier};

/// The existing resolver, as libraries of the system are: it blocks, answers in texts, and has a
/// code for what went wrong.
struct SystemResolver {
    records: HashMap<(&'static str, &'static str), Vec<String>>,
}

/// What `h_errno` knows.
enum HostError {
    HostNotFound,
    TryAgain,
    NoData,
}

impl SystemResolver {
    fn search(&self, name: &str, record_type: &'static str) -> Result<Vec<String>, HostError> {
        let found = |(owner, _): &&(&str, &str)| owner.eq_ignore_ascii_case(name);
        let owner = self.records.keys().find(found).map(|(owner, _)| *owner);
        match owner {
            Some("unreachable.example") => Err(HostError::TryAgain),
            Some(owner) => {
                let records = self.records.get(&(owner, record_type));
                records.cloned().ok_or(HostError::NoData)
            }
            None => Err(HostError::HostNotFound),
        }
    }
}

/// The adapter: it asks in a thread, so that it need not wait for ever. Where the resolver has a time
/// limit of its own, `Lookup::ready(…)` around its answer is enough.
struct Adapter(&'static SystemResolver);

impl Adapter {
    fn ask<'a, T: Send + 'static>(
        &'a self,
        name: &'a Name,
        record_type: &'static str,
        read: fn(&str) -> Option<T>,
    ) -> Lookup<'a, T> {
        let (system, name) = (self.0, name.to_string());
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            // The other end is gone if the verification was dropped.
            let _ = sender.send(system.search(&name, record_type));
        });
        // An async server awaits the channel of its runtime here, or uses its `spawn_blocking`.
        Lookup::new(async move {
            match receiver.recv_timeout(Duration::from_secs(5)) {
                // One record that cannot be read makes the answer useless, not shorter.
                Ok(Ok(texts)) => {
                    let records: Option<Vec<T>> = texts.iter().map(|text| read(text)).collect();
                    let outcome = records
                        .map(Outcome::records)
                        .ok_or(LookupError::Malformed)?;
                    // Where the TTL is known, caches want to know it.
                    Ok(outcome.with_ttl(Duration::from_secs(300)))
                }
                // Two answers that mean different things to SPF and DMARC.
                Ok(Err(HostError::HostNotFound)) => Ok(Outcome::no_such_name()),
                Ok(Err(HostError::NoData)) => Ok(Outcome::no_data()),
                // And no answer at all: whatever depends on it is tried again later.
                Ok(Err(HostError::TryAgain)) => Err(LookupError::ServFail),
                Err(_) => Err(LookupError::Timeout),
            }
        })
    }
}

impl Resolver for Adapter {
    fn txt<'a>(&'a self, name: &'a Name) -> Lookup<'a, Txt> {
        self.ask(name, "TXT", |text| Some(Txt::new(text)))
    }

    fn a<'a>(&'a self, name: &'a Name) -> Lookup<'a, Ipv4Addr> {
        self.ask(name, "A", |text| text.parse().ok())
    }

    fn aaaa<'a>(&'a self, name: &'a Name) -> Lookup<'a, Ipv6Addr> {
        self.ask(name, "AAAA", |text| text.parse().ok())
    }

    fn mx<'a>(&'a self, name: &'a Name) -> Lookup<'a, Mx> {
        self.ask(name, "MX", |text| {
            let (preference, exchange) = text.split_once(' ')?;
            Some(Mx {
                preference: preference.parse().ok()?,
                exchange: exchange.parse().ok()?,
            })
        })
    }

    fn ptr<'a>(&'a self, name: &'a Name) -> Lookup<'a, Name> {
        self.ask(name, "PTR", |text| text.parse().ok())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let records = [
        (("example.com", "TXT"), "v=spf1 mx -all"),
        (("example.com", "MX"), "10 mx.example.com"),
        (("mx.example.com", "A"), "192.0.2.1"),
        (("_dmarc.example.com", "TXT"), "v=DMARC1; p=reject"),
        (("unreachable.example", "TXT"), ""),
    ];
    let records = records.map(|(key, text)| (key, vec![text.to_owned()]));
    let system = Box::leak(Box::new(SystemResolver {
        records: records.into(),
    }));
    let verifier = Verifier::new(Adapter(system));
    for (client, domain) in [
        ([192, 0, 2, 1], "example.com"),
        ([203, 0, 113, 9], "example.com"),
        ([192, 0, 2, 1], "unreachable.example"),
        ([192, 0, 2, 1], "unknown.example"),
    ] {
        let session = Session::new(client.into(), "mail.example.org", format!("me@{domain}"));
        let mail = format!("From: me@{domain}\r\n\r\nHello.\r\n");
        let verdict = block_on(verifier.verify(&session, &Message::parse(mail.as_bytes())));
        let spf = verdict.spf().authoritative();
        let (dmarc, action) = (verdict.dmarc(), verdict.action());
        println!(
            "{domain}: spf={} dmarc={}, {action}",
            spf.result(),
            dmarc.result()
        );
    }
    Ok(())
}
