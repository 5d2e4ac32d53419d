//! Whether the client's address has a name that leads back to it: forward-confirmed reverse DNS.
//!
//! ‘§’ is a section of RFC 8601. The check says that one hand controls the address and the name. It
//! authenticates nobody, and nothing else in this crate depends on it.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use crate::auth_results::{Method, MethodResult, Property, ResultWord};
use crate::dns::{LookupError, Name, Resolver, join_all};

/// What the check found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Evaluation {
    client: IpAddr,
    cause: Cause,
    names: Vec<Name>,
    confirmed: Vec<Name>,
    names_ignored: usize,
    queries: usize,
    ttl: Option<Duration>,
}

impl Evaluation {
    /// Looks up the names of a client, and the addresses of those names (§3).
    ///
    /// ‘If the client peer's IP address is I, the list of names to which I maps (after a "PTR" query) is
    /// the set N, and the union of IP addresses to which each member of N maps (after corresponding "A"
    /// and "AAAA" queries) is L, then this test is successful if I is an element of L.’ Only the type of
    /// address that the client has is asked for, and all names are asked about at once.
    ///
    /// Ten names are looked up at most, and a hundred addresses of each looked at.
    ///
    /// An IPv6 address that stands for an IPv4 address is taken for that.
    ///
    /// ```
    /// use mailproof::dns::{Zone, block_on};
    /// use mailproof::iprev::{Evaluation, IprevResult};
    ///
    /// let client = [192, 0, 2, 25].into();
    /// let mut zone = Zone::new();
    /// zone.add_ptr(client, "mail.example.com")?
    ///     .add_address("mail.example.com", client)?;
    /// let evaluation = block_on(Evaluation::of(&zone, client));
    /// assert_eq!(evaluation.result(), IprevResult::Pass);
    /// assert_eq!(evaluation.confirmed()[0].as_str(), "mail.example.com");
    /// # Ok::<(), mailproof::dns::NameError>(())
    /// ```
    pub async fn of(resolver: &dyn Resolver, client: IpAddr) -> Self {
        let client = client.to_canonical();
        let mut evaluation = Self {
            client,
            cause: Cause::NoName,
            names: Vec::new(),
            confirmed: Vec::new(),
            names_ignored: 0,
            queries: 1,
            ttl: None,
        };
        let outcome = match resolver.ptr(&Name::reverse(client)).await {
            Ok(outcome) => outcome,
            Err(error) => {
                evaluation.cause = Cause::NameLookup(error);
                return evaluation;
            }
        };
        evaluation.ttl = outcome.ttl();
        for name in outcome.as_slice() {
            if evaluation.names.contains(name) {
                continue;
            }
            if evaluation.names.len() < MAX_NAMES {
                evaluation.names.push(name.clone());
            } else {
                evaluation.names_ignored += 1;
            }
        }
        let names = &evaluation.names;
        let lookups = names.iter().map(|name| maps_to(resolver, name, client));
        let answers = join_all(lookups).await;
        evaluation.queries += names.len();
        evaluation.judge(answers);
        evaluation
    }

    /// The result word.
    #[must_use]
    pub fn result(&self) -> IprevResult {
        self.cause.result()
    }

    /// What the result rests on.
    #[must_use]
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// The client's address.
    #[must_use]
    pub fn client(&self) -> IpAddr {
        self.client
    }

    /// The names that the address has, as far as they were looked up.
    #[must_use]
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// Those of the names that lead back to the address.
    #[must_use]
    pub fn confirmed(&self) -> &[Name] {
        &self.confirmed
    }

    /// How many names were not looked up because there were ten before them.
    #[must_use]
    pub fn names_ignored(&self) -> usize {
        self.names_ignored
    }

    /// How many DNS queries it took.
    #[must_use]
    pub fn queries(&self) -> usize {
        self.queries
    }

    /// How long the result may be kept, as far as the resolver knows.
    #[must_use]
    pub fn ttl(&self) -> Option<Duration> {
        self.ttl
    }

    /// The result for Authentication-Results (§2.7.3): the address as `policy.iprev`, the first
    /// confirmed name as a comment, any other cause as the reason.
    #[must_use]
    pub fn to_method_result(&self) -> MethodResult {
        let word = match self.result() {
            IprevResult::Fail => ResultWord::Fail,
            IprevResult::Pass => ResultWord::Pass,
            IprevResult::Permerror => ResultWord::Permerror,
            IprevResult::Temperror => ResultWord::Temperror,
        };
        let result = MethodResult::new(Method::Iprev, word)
            .with_property(Property::policy("iprev", self.client.to_string()));
        match self.confirmed.first() {
            Some(name) => result.with_comment(name.as_str()),
            None => result.with_reason(self.cause.to_string()),
        }
    }

    fn judge(&mut self, answers: Vec<Answer>) {
        let mut failure = None;
        for (name, answer) in self.names.iter().zip(answers) {
            self.ttl = self.ttl.into_iter().chain(answer.ttl).min();
            match answer.confirmed {
                Ok(true) => self.confirmed.push(name.clone()),
                Ok(false) => {}
                Err(error) => {
                    failure.get_or_insert(Cause::AddressLookup(name.clone(), error));
                }
            }
        }
        self.cause = match (self.names.is_empty(), self.confirmed.is_empty(), failure) {
            (true, _, _) => Cause::NoName,
            // One name that leads back is enough, whatever became of the others.
            (false, false, _) => Cause::Confirmed,
            (false, true, Some(failure)) => failure,
            (false, true, None) => Cause::NotConfirmed,
        };
    }
}

/// What the result rests on.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Cause {
    /// No name leads back, and the addresses of this one could not be had.
    #[error("looking up {0}: {1}")]
    AddressLookup(Name, LookupError),
    /// A name leads back to the address.
    #[error("a name leads back to the address")]
    Confirmed,
    /// The names could not be had.
    #[error("looking up the name: {0}")]
    NameLookup(LookupError),
    /// The address has no name.
    #[error("the address has no name")]
    NoName,
    /// The address has names, and none leads back.
    #[error("no name leads back to the address")]
    NotConfirmed,
}

impl Cause {
    /// §2.7.3.
    fn result(&self) -> IprevResult {
        match self {
            // ‘the "reverse" and "forward" lookup results were returned and were in agreement’
            Self::Confirmed => IprevResult::Pass,
            // ‘they were not in agreement, or the "forward" query completed but produced no result’
            Self::NotConfirmed => IprevResult::Fail,
            // ‘no PTR data are published for the connecting IP address’
            Self::NoName => IprevResult::Permerror,
            // ‘some error that is likely transient in nature’
            Self::AddressLookup(..) | Self::NameLookup(_) => IprevResult::Temperror,
        }
    }
}

/// The result of the check (§2.7.3).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "RFC 8601 2.7.3 has these four")]
pub enum IprevResult {
    /// No name of the address leads back to it.
    Fail,
    /// A name of the address leads back to it.
    Pass,
    /// The address has no name.
    Permerror,
    /// The DNS failed; later it may answer.
    Temperror,
}

impl IprevResult {
    /// The word as RFC 8601 2.7.3 writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Pass => "pass",
            Self::Permerror => "permerror",
            Self::Temperror => "temperror",
        }
    }
}

impl fmt::Display for IprevResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// §3 asks for a limit and names that of SPF.
const MAX_NAMES: usize = 10;

/// No host that sends mail has this many.
const MAX_ADDRESSES: usize = 100;

/// What came of the look-up of one name.
struct Answer {
    confirmed: Result<bool, LookupError>,
    ttl: Option<Duration>,
}

/// Whether a name has the client among its addresses.
async fn maps_to(resolver: &dyn Resolver, name: &Name, client: IpAddr) -> Answer {
    let (found, ttl) = match client {
        IpAddr::V4(client) => match resolver.a(name).await {
            Ok(outcome) => {
                let mut addresses = outcome.as_slice().iter().take(MAX_ADDRESSES);
                (Ok(addresses.any(|a| *a == client)), outcome.ttl())
            }
            Err(error) => (Err(error), None),
        },
        IpAddr::V6(client) => match resolver.aaaa(name).await {
            Ok(outcome) => {
                let mut addresses = outcome.as_slice().iter().take(MAX_ADDRESSES);
                (Ok(addresses.any(|a| *a == client)), outcome.ttl())
            }
            Err(error) => (Err(error), None),
        },
    };
    Answer {
        confirmed: found,
        ttl,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{RecordType, Zone, block_on};

    fn client() -> IpAddr {
        [192, 0, 2, 25].into()
    }

    fn run(zone: &Zone, client: IpAddr) -> Evaluation {
        block_on(Evaluation::of(zone, client))
    }

    fn words(evaluation: &Evaluation) -> String {
        let mut field =
            crate::auth_results::AuthenticationResults::new("mx.example".parse().unwrap());
        field.results.push(evaluation.to_method_result());
        let field = field.to_field().replace("\r\n\t", " ");
        field.split_once("; ").unwrap().1.to_owned()
    }

    #[test]
    fn every_result() {
        let mut zone = Zone::new();
        let none = run(&zone, client());
        assert_eq!(none.cause(), &Cause::NoName);
        assert_eq!(
            words(&none),
            "iprev=permerror reason=\"the address has no name\" policy.iprev=192.0.2.25"
        );
        zone.add_ptr(client(), "a.example").unwrap();
        let unknown = run(&zone, client());
        assert_eq!(unknown.cause(), &Cause::NotConfirmed);
        assert_eq!(unknown.result().to_string(), "fail");
        zone.add_address("a.example", [192, 0, 2, 26].into())
            .unwrap();
        assert_eq!(run(&zone, client()).result(), IprevResult::Fail);
        zone.add_ptr(client(), "b.example").unwrap();
        zone.fail("b.example", LookupError::ServFail).unwrap();
        let failing = run(&zone, client());
        assert_eq!(failing.result(), IprevResult::Temperror);
        assert_eq!(failing.queries(), 3);
        // A name that leads back makes up for one that cannot be looked up.
        zone.add_ptr(client(), "c.example").unwrap();
        zone.add_address("c.example", client()).unwrap();
        let pass = run(&zone, client());
        assert_eq!(pass.result(), IprevResult::Pass);
        assert_eq!(pass.names().len(), 3);
        assert_eq!(
            words(&pass),
            "iprev=pass (c.example) policy.iprev=192.0.2.25"
        );
    }

    #[test]
    fn the_name_cannot_be_looked_up() {
        let mut zone = Zone::new();
        let name = Name::reverse(client());
        zone.fail_type(name.as_str(), RecordType::Ptr, LookupError::Timeout)
            .unwrap();
        let evaluation = run(&zone, client());
        assert_eq!(evaluation.cause(), &Cause::NameLookup(LookupError::Timeout));
        assert_eq!(evaluation.result().to_string(), "temperror");
    }

    #[test]
    fn address_families() {
        let v6: IpAddr = "2001:db8::25".parse().unwrap();
        let mapped: IpAddr = "::ffff:192.0.2.25".parse().unwrap();
        let mut zone = Zone::new();
        zone.add_ptr(v6, "six.example").unwrap();
        zone.add_address("six.example", v6).unwrap();
        zone.add_ptr(client(), "four.example").unwrap();
        zone.add_address("four.example", client()).unwrap();
        assert_eq!(
            words(&run(&zone, v6)),
            "iprev=pass (six.example) policy.iprev=\"2001:db8::25\""
        );
        assert_eq!(run(&zone, mapped).client(), client());
        assert_eq!(run(&zone, mapped).result(), IprevResult::Pass);
    }

    #[test]
    fn work_is_bounded() {
        let mut zone = Zone::new();
        for n in 0..1_000 {
            zone.add_ptr(client(), &format!("n{n}.example")).unwrap();
        }
        zone.add_address("n999.example", client()).unwrap();
        let evaluation = run(&zone, client());
        assert_eq!(evaluation.result(), IprevResult::Fail);
        assert_eq!(
            (evaluation.queries(), evaluation.names_ignored()),
            (11, 990)
        );
        for n in 1..=200 {
            zone.add_address("n0.example", [198, 51, 100, n].into())
                .unwrap();
        }
        zone.add_address("n0.example", client()).unwrap();
        assert_eq!(run(&zone, client()).result(), IprevResult::Fail);
    }

    #[test]
    fn hostile_names_stay_in_their_place() {
        let mut zone = Zone::new();
        let name = r"a\)\;spf\=pass\013\010X\:.example";
        zone.add_ptr(client(), name).unwrap();
        zone.add_address(name, client()).unwrap();
        let field = words(&run(&zone, client()));
        assert!(!field.contains(['\r', '\n']), "{field}");
        let read = crate::auth_results::AuthenticationResults::read(
            format!("mx.example; {field}").as_bytes(),
        )
        .unwrap();
        assert_eq!((read.results().len(), read.tolerated().len()), (1, 0));
    }

    #[test]
    fn the_future_may_move_between_threads() {
        fn is_send<T: Send>(_: T) {}
        let zone: &dyn Resolver = &Zone::new();
        is_send(Evaluation::of(zone, client()));
    }
}
