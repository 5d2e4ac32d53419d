//! The resolver that does it.

use std::fmt::Debug;
use std::future::{pending, poll_fn};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;

use mailproof::dns::{Lookup, LookupError, Mx, Name, Outcome, Resolver, Txt, Zone};

/// What happens to a question.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It fails.
    Fail(LookupError),
    /// It is answered after so many polls.
    Delay { polls: usize },
    /// It is never answered.
    Silence,
    /// It has ten thousand answers.
    Flood,
    /// Its answer is junk.
    Junk,
    /// It has none.
    NoData,
    /// Nobody has heard of the name.
    NoSuchName,
    /// Its answer has no records, and says that it has.
    Empty,
}

/// A zone of which some questions meet a fault.
#[derive(Debug)]
pub struct Faulty {
    zone: Zone,
    fault: Fault,
    at: usize,
    last: usize,
    every: usize,
    asked: AtomicUsize,
    healed: AtomicBool,
}

impl Faulty {
    /// The question with this number meets the fault.
    pub fn new(zone: Zone, fault: Fault, at: usize) -> Self {
        Self {
            zone,
            fault,
            at,
            last: at,
            every: 1,
            asked: AtomicUsize::new(0),
            healed: AtomicBool::new(false),
        }
    }

    /// And all that follow.
    pub fn and_all_later(mut self) -> Self {
        self.last = usize::MAX;
        self
    }

    /// And each further one at this distance.
    pub fn every(mut self, distance: usize) -> Self {
        self.every = distance;
        self.and_all_later()
    }

    /// No question meets it any more.
    pub fn heal(&self) {
        self.healed.store(true, Ordering::Relaxed);
    }

    fn fault(&self) -> Option<&Fault> {
        let number = self.asked.fetch_add(1, Ordering::Relaxed);
        let meets = (self.at..=self.last).contains(&number)
            && (number - self.at).is_multiple_of(self.every);
        (meets && !self.healed.load(Ordering::Relaxed)).then_some(&self.fault)
    }

    fn answer<'a, T>(
        &'a self,
        right: Lookup<'a, T>,
        many: impl Fn() -> Vec<T>,
        junk: impl Fn() -> Vec<T>,
    ) -> Lookup<'a, T>
    where
        T: Clone + Debug + Send + Sync + 'a,
    {
        let Some(fault) = self.fault() else {
            return right;
        };
        let outcome = match fault {
            Fault::Fail(error) => return Lookup::ready(Err(error.clone())),
            Fault::Silence => return Lookup::new(pending()),
            Fault::Delay { polls } => return Lookup::new(delayed(*polls, right)),
            Fault::Flood => Outcome::records(many()),
            Fault::Junk => Outcome::records(junk()),
            Fault::Empty => Outcome::records(Vec::new()),
            Fault::NoData => Outcome::no_data(),
            Fault::NoSuchName => Outcome::no_such_name(),
        };
        Lookup::ready(Ok(outcome))
    }
}

async fn delayed<T>(mut polls: usize, right: Lookup<'_, T>) -> Result<Outcome<T>, LookupError> {
    poll_fn(|context| {
        if polls == 0 {
            return Poll::Ready(());
        }
        polls -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
    right.await
}

const MANY: u32 = 10_000;

fn odd_name(label: &[u8]) -> Name {
    Name::from_octets(label).unwrap()
}

impl Resolver for Faulty {
    fn txt<'a>(&'a self, name: &'a Name) -> Lookup<'a, Txt> {
        let many = || {
            let texts = ["v=spf1 +all", "v=DMARC1; p=none", "v=DKIM1; p=AAAA", "x"];
            let texts = texts.iter().cycle().take(MANY.try_into().unwrap());
            texts.map(Txt::new).collect()
        };
        let junk = || vec![Txt::new(b"\0\xff\r\n;;==".repeat(8_000))];
        self.answer(self.zone.txt(name), many, junk)
    }

    fn a<'a>(&'a self, name: &'a Name) -> Lookup<'a, Ipv4Addr> {
        let many = || (0..MANY).map(Ipv4Addr::from_bits).collect();
        let junk = || vec![Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST];
        self.answer(self.zone.a(name), many, junk)
    }

    fn aaaa<'a>(&'a self, name: &'a Name) -> Lookup<'a, Ipv6Addr> {
        let many = || {
            (0..MANY)
                .map(|bits| Ipv6Addr::from_bits(bits.into()))
                .collect()
        };
        let junk = || vec![Ipv6Addr::UNSPECIFIED, Ipv4Addr::LOCALHOST.to_ipv6_mapped()];
        self.answer(self.zone.aaaa(name), many, junk)
    }

    fn mx<'a>(&'a self, name: &'a Name) -> Lookup<'a, Mx> {
        let mx = |exchange| Mx {
            preference: 0,
            exchange,
        };
        let many = || (0..MANY).map(|_| mx(odd_name(b"a.example"))).collect();
        let junk = || vec![mx(odd_name(b"\0 \".\xff")), mx(odd_name(b"x"))];
        self.answer(self.zone.mx(name), many, junk)
    }

    fn ptr<'a>(&'a self, name: &'a Name) -> Lookup<'a, Name> {
        let many = || (0..MANY).map(|_| odd_name(b"a.example")).collect();
        let junk = || vec![odd_name(b"\r\n(\".\xff"), odd_name(b"x")];
        self.answer(self.zone.ptr(name), many, junk)
    }
}
