//! A resolver in memory.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::{
    Gate, Lookup, LookupError, Mx, Name, NameError, Outcome, RecordType, Resolver, Txt, shorter,
};

/// DNS data in memory, for tests, examples and offline use: a [`Resolver`] that answers from what it
/// was given, and fails where it was told to.
///
/// A name exists if it, or a name below it, has data. CNAMEs are followed inside the zone, and a
/// wildcard (`*.example`) answers for names that do not exist (RFC 4592).
///
/// ```
/// use mailproof::dns::{LookupError, Zone};
///
/// let mut zone = Zone::new();
/// zone.add_txt("example.com", "v=spf1 mx -all")?
///     .add_mx("example.com", 10, "mx.example.com")?
///     .add_address("mx.example.com", [192, 0, 2, 25].into())?
///     .fail("broken.example", LookupError::ServFail)?;
/// # Ok::<(), mailproof::dns::NameError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Zone {
    nodes: HashMap<Name, Node>,
    /// Every name that exists because something stands below it.
    ancestors: HashSet<Name>,
    authentic: bool,
}

#[derive(Clone, Debug, Default)]
struct Node {
    a: Set<Ipv4Addr>,
    aaaa: Set<Ipv6Addr>,
    mx: Set<Mx>,
    ptr: Set<Name>,
    txt: Set<Txt>,
    cname: Option<(Name, Option<Duration>)>,
    failures: Vec<(Option<RecordType>, LookupError)>,
    gate: Option<Gate>,
}

/// The records of one name and type.
#[derive(Clone, Debug)]
struct Set<T> {
    records: Vec<T>,
    /// The records as they are handed out, made at the first look-up.
    shared: OnceLock<Arc<[T]>>,
    ttl: Option<Duration>,
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self {
            records: Vec::new(),
            shared: OnceLock::new(),
            ttl: None,
        }
    }
}

impl<T: Clone> Set<T> {
    fn push(&mut self, record: T, ttl: Option<Duration>) {
        self.records.push(record);
        self.shared = OnceLock::new();
        // The records of a set share one TTL (RFC 2181 5.2): the smallest.
        self.ttl = shorter(self.ttl, ttl);
    }

    fn outcome(&self) -> Outcome<T> {
        let shared = self.shared.get_or_init(|| self.records.clone().into());
        let outcome = Outcome::records(shared.clone());
        match self.ttl {
            Some(ttl) => outcome.with_ttl(ttl),
            None => outcome,
        }
    }
}

impl Zone {
    /// A zone without data: every name is unknown.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a TXT record.
    ///
    /// # Errors
    ///
    /// [`NameError`] for a name that is none.
    pub fn add_txt(&mut self, name: &str, text: impl AsRef<[u8]>) -> Result<&mut Self, NameError> {
        self.add(&name.parse()?, Data::Txt(Txt::new(text)), None);
        Ok(self)
    }

    /// Adds an A or AAAA record.
    ///
    /// # Errors
    ///
    /// [`NameError`] for a name that is none.
    pub fn add_address(&mut self, name: &str, address: IpAddr) -> Result<&mut Self, NameError> {
        let data = match address {
            IpAddr::V4(address) => Data::A(address),
            IpAddr::V6(address) => Data::Aaaa(address),
        };
        self.add(&name.parse()?, data, None);
        Ok(self)
    }

    /// Adds an MX record.
    ///
    /// # Errors
    ///
    /// [`NameError`] for a name that is none.
    pub fn add_mx(
        &mut self,
        name: &str,
        preference: u16,
        exchange: &str,
    ) -> Result<&mut Self, NameError> {
        let exchange = exchange.parse()?;
        self.add(
            &name.parse()?,
            Data::Mx(Mx {
                preference,
                exchange,
            }),
            None,
        );
        Ok(self)
    }

    /// Adds the PTR record of an address.
    ///
    /// # Errors
    ///
    /// [`NameError`] for a name that is none.
    pub fn add_ptr(&mut self, address: IpAddr, name: &str) -> Result<&mut Self, NameError> {
        self.add(&Name::reverse(address), Data::Ptr(name.parse()?), None);
        Ok(self)
    }

    /// Makes `name` an alias of `target`.
    ///
    /// # Errors
    ///
    /// [`NameError`] for a name that is none.
    pub fn add_cname(&mut self, name: &str, target: &str) -> Result<&mut Self, NameError> {
        self.add(&name.parse()?, Data::Cname(target.parse()?), None);
        Ok(self)
    }

    /// Lets the name exist without any data.
    ///
    /// # Errors
    ///
    /// [`NameError`] for a name that is none.
    pub fn add_name(&mut self, name: &str) -> Result<&mut Self, NameError> {
        self.touch(&name.parse()?);
        Ok(self)
    }

    /// Makes every look-up of the name fail.
    ///
    /// # Errors
    ///
    /// [`NameError`] for a name that is none.
    pub fn fail(&mut self, name: &str, error: LookupError) -> Result<&mut Self, NameError> {
        self.add_failure(&name.parse()?, None, error);
        Ok(self)
    }

    /// Makes look-ups of one type at the name fail.
    ///
    /// # Errors
    ///
    /// [`NameError`] for a name that is none.
    pub fn fail_type(
        &mut self,
        name: &str,
        record_type: RecordType,
        error: LookupError,
    ) -> Result<&mut Self, NameError> {
        self.add_failure(&name.parse()?, Some(record_type), error);
        Ok(self)
    }

    /// Makes all look-ups of the name wait until they are [released](Self::release). Tests use this
    /// instead of delays, and for name servers that never answer.
    ///
    /// # Errors
    ///
    /// [`NameError`] for a name that is none.
    pub fn hold(&mut self, name: &str) -> Result<&mut Self, NameError> {
        self.node(&name.parse()?).gate.get_or_insert_default();
        Ok(self)
    }

    /// Lets all look-ups of a name that is held pass, those waiting and those to come, in this zone and
    /// its clones.
    pub fn release(&self, name: &str) {
        if let Some(gate) = self.gate(name) {
            gate.open();
        }
    }

    /// How many look-ups of a name that is held there were so far, in this zone and its clones.
    #[must_use]
    pub fn held(&self, name: &str) -> usize {
        self.gate(name).map_or(0, Gate::asked)
    }

    fn gate(&self, name: &str) -> Option<&Gate> {
        self.nodes.get(&name.parse::<Name>().ok()?)?.gate.as_ref()
    }

    /// Says whether the answers count as vouched for (DNSSEC); they do not by default.
    pub fn authentic(&mut self, authentic: bool) -> &mut Self {
        self.authentic = authentic;
        self
    }

    pub(super) fn add(&mut self, name: &Name, data: Data, ttl: Option<Duration>) {
        let node = self.node(name);
        match data {
            Data::A(address) => node.a.push(address, ttl),
            Data::Aaaa(address) => node.aaaa.push(address, ttl),
            Data::Cname(target) => node.cname = Some((target, ttl)),
            Data::Mx(mx) => node.mx.push(mx, ttl),
            Data::Ptr(target) => node.ptr.push(target, ttl),
            Data::Txt(txt) => node.txt.push(txt, ttl),
        }
    }

    pub(super) fn add_failure(
        &mut self,
        name: &Name,
        record_type: Option<RecordType>,
        error: LookupError,
    ) {
        self.node(name).failures.push((record_type, error));
    }

    /// Lets the name exist.
    pub(super) fn touch(&mut self, name: &Name) {
        self.node(name);
    }

    fn node(&mut self, name: &Name) -> &mut Node {
        let mut ancestor = name.parent();
        while let Some(name) = ancestor {
            ancestor = name.parent();
            if !self.ancestors.insert(name) {
                break;
            }
        }
        self.nodes.entry(name.clone()).or_default()
    }

    fn lookup<'a, T: Clone + Send + Sync + 'a>(
        &'a self,
        name: &'a Name,
        record_type: RecordType,
        set: fn(&Node) -> &Set<T>,
    ) -> Lookup<'a, T> {
        let exact = self.exact(name);
        if let Found::Node(Node {
            gate: Some(gate), ..
        }) = exact
        {
            return Lookup::new(async move {
                gate.passed().await;
                self.answer(name, exact, record_type, set)
            });
        }
        if let Found::Node(node) = exact
            && node.is_plain()
        {
            let outcome = set(node).outcome();
            return Lookup::ready(Ok(outcome.with_authentic(self.authentic)));
        }
        Lookup::ready(self.answer(name, exact, record_type, set))
    }

    /// The answer for a name, at which exactly there is `found`.
    fn answer<'a, T: Clone>(
        &'a self,
        name: &'a Name,
        mut found: Found<'a>,
        record_type: RecordType,
        set: fn(&Node) -> &Set<T>,
    ) -> Result<Outcome<T>, LookupError> {
        let (mut name, mut ttl) = (name, None);
        for _ in 0..MAX_CNAMES {
            let outcome = match self.or_wildcard(name, found) {
                Found::Nothing => Outcome::no_such_name(),
                Found::Empty => Outcome::no_data(),
                Found::Node(node) => {
                    if let Some(error) = node.failure(record_type) {
                        return Err(error.clone());
                    }
                    if let Some((target, cname_ttl)) = &node.cname {
                        name = target;
                        found = self.exact(target);
                        ttl = shorter(ttl, *cname_ttl);
                        continue;
                    }
                    set(node).outcome()
                }
            };
            // An answer lives no longer than the aliases that lead to it.
            let outcome = match shorter(outcome.ttl(), ttl) {
                Some(ttl) => outcome.with_ttl(ttl),
                None => outcome,
            };
            return Ok(outcome.with_authentic(self.authentic));
        }
        Err(LookupError::Malformed)
    }

    /// What was found at a name, or where that is nothing, the wildcard that stands for it: the one
    /// below its closest ancestor that exists (RFC 4592 3.3.1).
    fn or_wildcard<'a>(&'a self, name: &Name, found: Found<'a>) -> Found<'a> {
        match found {
            Found::Nothing => {}
            found => return found,
        }
        let mut ancestor = name.parent();
        while let Some(name) = ancestor {
            if !matches!(self.exact(&name), Found::Nothing) {
                let labels = name.labels();
                let labels = labels.iter().map(Vec::as_slice);
                let wildcard = Name::from_labels(std::iter::once(b"*".as_slice()).chain(labels));
                return wildcard.map_or(Found::Nothing, |wildcard| self.exact(&wildcard));
            }
            ancestor = name.parent();
        }
        Found::Nothing
    }

    fn exact(&self, name: &Name) -> Found<'_> {
        match self.nodes.get(name) {
            Some(node) => Found::Node(node),
            None if self.ancestors.contains(name) => Found::Empty,
            None => Found::Nothing,
        }
    }
}

impl Node {
    /// Whether there is nothing but records.
    fn is_plain(&self) -> bool {
        self.failures.is_empty() && self.cname.is_none()
    }

    fn failure(&self, record_type: RecordType) -> Option<&LookupError> {
        let mut failures = self.failures.iter();
        failures
            .find(|(failing, _)| failing.is_none_or(|failing| failing == record_type))
            .map(|(_, error)| error)
    }
}

/// What stands at a name.
#[derive(Clone, Copy)]
enum Found<'a> {
    Node(&'a Node),
    /// Nothing but names below it.
    Empty,
    Nothing,
}

/// One record's data.
pub(super) enum Data {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Cname(Name),
    Mx(Mx),
    Ptr(Name),
    Txt(Txt),
}

impl Resolver for Zone {
    fn txt<'a>(&'a self, name: &'a Name) -> Lookup<'a, Txt> {
        self.lookup(name, RecordType::Txt, |node| &node.txt)
    }

    fn a<'a>(&'a self, name: &'a Name) -> Lookup<'a, Ipv4Addr> {
        self.lookup(name, RecordType::A, |node| &node.a)
    }

    fn aaaa<'a>(&'a self, name: &'a Name) -> Lookup<'a, Ipv6Addr> {
        self.lookup(name, RecordType::Aaaa, |node| &node.aaaa)
    }

    fn mx<'a>(&'a self, name: &'a Name) -> Lookup<'a, Mx> {
        self.lookup(name, RecordType::Mx, |node| &node.mx)
    }

    fn ptr<'a>(&'a self, name: &'a Name) -> Lookup<'a, Name> {
        self.lookup(name, RecordType::Ptr, |node| &node.ptr)
    }
}

/// Longer chains are loops, or as good as one; BIND stops at 16.
const MAX_CNAMES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::block_on;

    fn txt(zone: &Zone, name: &str) -> Result<Vec<String>, LookupError> {
        let outcome = block_on(zone.txt(&name.parse().unwrap()))?;
        if outcome.is_no_such_name() {
            return Ok(vec!["NXDOMAIN".into()]);
        }
        let records = outcome.as_slice().iter();
        Ok(records.map(|txt| format!("{txt:?}")).collect())
    }

    #[test]
    fn names_exist_or_not() {
        let mut zone = Zone::new();
        zone.add_txt("a.b.example", "x")
            .unwrap()
            .add_txt("A.B.example.", "y")
            .unwrap();
        assert_eq!(
            txt(&zone, "a.b.EXAMPLE"),
            Ok(vec!["\"x\"".into(), "\"y\"".into()])
        );
        assert_eq!(txt(&zone, "b.example"), Ok(vec![]));
        assert_eq!(txt(&zone, "c.example"), Ok(vec!["NXDOMAIN".into()]));
        assert_eq!(
            block_on(zone.mx(&"a.b.example".parse().unwrap())).unwrap(),
            Outcome::no_data()
        );
    }

    #[test]
    fn aliases_and_wildcards() {
        let mut zone = Zone::new();
        zone.add_cname("a.example", "b.example")
            .unwrap()
            .add_txt("b.example", "x")
            .unwrap();
        zone.add_cname("l1.example", "l2.example")
            .unwrap()
            .add_cname("l2.example", "l1.example")
            .unwrap();
        zone.add_txt("*.w.example", "wild")
            .unwrap()
            .add_txt("x.w.example", "own")
            .unwrap();
        zone.add_cname("gone.example", "nowhere.test").unwrap();
        zone.add_txt("below.*.e.example", "x").unwrap();
        assert_eq!(txt(&zone, "a.example"), Ok(vec!["\"x\"".into()]));
        assert_eq!(txt(&zone, "l1.example"), Err(LookupError::Malformed));
        assert_eq!(txt(&zone, "y.w.example"), Ok(vec!["\"wild\"".into()]));
        assert_eq!(txt(&zone, "z.y.w.example"), Ok(vec!["\"wild\"".into()]));
        assert_eq!(txt(&zone, "x.w.example"), Ok(vec!["\"own\"".into()]));
        assert_eq!(txt(&zone, "z.x.w.example"), Ok(vec!["NXDOMAIN".into()]));
        assert_eq!(txt(&zone, "gone.example"), Ok(vec!["NXDOMAIN".into()]));
        // The wildcard exists without data, because a name below it does (RFC 4592 2.2.2).
        assert_eq!(txt(&zone, "x.e.example"), Ok(vec![]));
        assert_eq!(txt(&zone, "nowhere"), Ok(vec!["NXDOMAIN".into()]));
        zone.add_txt("*", "root").unwrap();
        assert_eq!(txt(&zone, "nowhere"), Ok(vec!["\"root\"".into()]));
        assert_eq!(txt(&zone, "x.example"), Ok(vec!["NXDOMAIN".into()]));
    }

    #[test]
    fn failures_by_type() {
        let mut zone = Zone::new();
        zone.fail("x.example", LookupError::Timeout).unwrap();
        zone.fail_type("y.example", RecordType::Txt, LookupError::ServFail)
            .unwrap();
        assert_eq!(txt(&zone, "x.example"), Err(LookupError::Timeout));
        assert_eq!(txt(&zone, "y.example"), Err(LookupError::ServFail));
        assert_eq!(
            block_on(zone.a(&"y.example".parse().unwrap())),
            Ok(Outcome::no_data())
        );
    }
}
