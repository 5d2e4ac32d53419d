//! A record under evaluation, and what is kept of records that are asked for again.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use super::parse::{self, Seen};
use super::place::{Step, Via, Words};
use super::prefix::{Prefix, mask4, mask6};
use super::record::{Modifier, Qualifier, Term, TermKind};
use super::syntax::SyntaxError;
use crate::dns::{Name, Outcome, Txt};

/// The evaluation of one record. Those that led to it wait in a list.
pub(super) struct Level {
    pub(super) domain: Name,
    /// Whether an include is above: then only a pass is of interest, and `exp` is not (§6.2).
    pub(super) included: bool,
    /// The answer that holds the record, and which of its records that is.
    answer: Outcome<Txt>,
    index: usize,
    scan: Scan,
    /// Where to go on.
    pub(super) at: usize,
    /// The term that led to the next level.
    pub(super) span: Span,
    pub(super) qualifier: Qualifier,
    pub(super) via: Via,
}

/// Where in a record a term stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    offset: usize,
    length: usize,
}

impl Span {
    /// The offset behind the term.
    pub(super) fn end(self) -> usize {
        self.offset + self.length
    }
}

impl From<Range<usize>> for Span {
    fn from(place: Range<usize>) -> Self {
        Self {
            offset: place.start,
            length: place.len(),
        }
    }
}

impl From<&Term<'_>> for Span {
    fn from(term: &Term<'_>) -> Self {
        Self {
            offset: term.offset,
            length: term.octets.len(),
        }
    }
}

impl Level {
    /// Before there is a record.
    pub(super) fn new(domain: Name, included: bool) -> Self {
        Self {
            domain,
            included,
            answer: Outcome::no_data(),
            index: 0,
            scan: Scan::default(),
            at: 0,
            span: Span::default(),
            qualifier: Qualifier::Pass,
            via: Via::Include,
        }
    }

    fn record(&self) -> Option<&Txt> {
        self.answer.as_slice().get(self.index)
    }

    /// The text of the record; nothing before there is one.
    pub(super) fn octets(&self) -> &[u8] {
        self.record().map_or(&[], Txt::as_bytes)
    }

    /// A term of the record as written.
    pub(super) fn words(&self, term: Span) -> Words {
        let record = self.record().map(Txt::shared).unwrap_or_default();
        Words::new(record, term.offset, term.length)
    }

    /// Takes a record of an answer, the syntax of which is checked from end to end (§4.6), though most of its
    /// terms are networks that do not contain the client. Those are not looked at again unless
    /// `every` term is wanted.
    pub(super) fn take(
        &mut self,
        answer: Outcome<Txt>,
        index: usize,
        client: IpAddr,
        every: bool,
    ) -> Result<(), SyntaxError> {
        (self.answer, self.index) = (answer, index);
        self.scan = match self.kept() {
            Some(kept) if !every => kept.scan(self.octets(), client),
            _ => Scan::of(self.octets(), client, every)?,
        };
        self.at = self.scan.first;
        Ok(())
    }

    fn kept(&self) -> Option<&Kept> {
        self.record()?.kept(Kept::read)
    }

    /// The next directive that may match.
    pub(super) fn directive(&self) -> Option<Term<'_>> {
        let Scan { network, every, .. } = self.scan;
        let octets = self.octets();
        let mut at = self.at;
        if !every && let Some(kept) = self.kept() {
            let other = kept.other(at);
            let network = network.map(|(span, _)| span.offset);
            at = other.into_iter().chain(network).min()?;
        }
        if let Some((span, prefix)) = network
            && at == span.offset
        {
            let word = octets.get(at..span.end())?;
            return Some(Term::network(word, at, prefix));
        }
        let is_wanted = |offset| every || network.is_some_and(|(span, _)| span.offset == offset);
        parse::directive(octets, at, is_wanted)
    }

    /// The `redirect` modifier (§6.1).
    pub(super) fn redirect(&self) -> Option<Term<'_>> {
        parse::term_at(self.octets(), self.scan.redirect?)
    }

    /// The `exp` modifier (§6.2).
    pub(super) fn explanation(&self) -> Option<Term<'_>> {
        parse::term_at(self.octets(), self.scan.explanation?)
    }

    /// What this level is on the way to another.
    pub(super) fn step(&self) -> Step {
        Step {
            domain: self.domain.clone(),
            term: self.words(self.span),
            via: self.via,
        }
    }
}

/// What of a record is of interest to one client, as offsets of terms.
#[derive(Clone, Copy, Default)]
struct Scan {
    /// The first term that is no network, or one that contains the client.
    first: usize,
    /// The first network that contains the client, and where it stands.
    network: Option<(Span, Prefix)>,
    redirect: Option<usize>,
    explanation: Option<usize>,
    /// Whether the networks that do not contain the client are of interest, too.
    every: bool,
}

impl Scan {
    fn of(octets: &[u8], client: IpAddr, every: bool) -> Result<Self, SyntaxError> {
        let (client4, client6) = match client {
            IpAddr::V4(client) => (Some(client.to_bits()), None),
            IpAddr::V6(client) => (None, Some(client.to_bits())),
        };
        let mut scan = Self {
            first: if every {
                parse::VERSION.len()
            } else {
                usize::MAX
            },
            every,
            ..Self::default()
        };
        parse::terms(octets, |place, seen| match seen {
            Seen::Ip4(address, length) => {
                let differs = |client| (address.to_bits() ^ client) & mask4(length) != 0;
                if !client4.is_none_or(differs) {
                    scan.contains(place.into(), Prefix::v4(address, Some(length)));
                }
            }
            Seen::Ip6(address, length) => {
                let differs = |client| (address.to_bits() ^ client) & mask6(length) != 0;
                if !client6.is_none_or(differs) {
                    scan.contains(place.into(), Prefix::v6(address, Some(length)));
                }
            }
            Seen::Term(TermKind::Directive(_)) => scan.first = scan.first.min(place.start),
            Seen::Term(TermKind::Modifier(Modifier::Redirect(_))) => {
                scan.redirect = Some(place.start);
            }
            Seen::Term(TermKind::Modifier(Modifier::Explanation(_))) => {
                scan.explanation = Some(place.start);
            }
            Seen::Term(TermKind::Modifier(Modifier::Unknown { .. })) => {}
        })?;
        Ok(scan)
    }

    /// Notes a network that contains the client.
    fn contains(&mut self, span: Span, network: Prefix) {
        self.network.get_or_insert((span, network));
        self.first = self.first.min(span.offset);
    }
}

/// A sound record in the form in which it is quickest to find out what it is to a client.
struct Kept {
    ip4: Networks<u32>,
    ip6: Networks<u128>,
    /// Where the other directives stand.
    others: Box<[u32]>,
    redirect: Option<usize>,
    explanation: Option<usize>,
}

/// The bits of addresses and their masks, and where the terms stand.
struct Networks<T> {
    bits: Box<[(T, T)]>,
    offsets: Box<[u32]>,
}

impl<T> Networks<T> {
    fn first(&self, is_match: impl Fn(&(T, T)) -> bool) -> Option<(usize, T, T)>
    where
        T: Copy,
    {
        let index = self.bits.iter().position(is_match)?;
        let offset = usize::try_from(*self.offsets.get(index)?).ok()?;
        let (bits, mask) = *self.bits.get(index)?;
        Some((offset, bits, mask))
    }

    fn new(networks: Vec<((T, T), u32)>) -> Self {
        let (bits, offsets): (Vec<_>, Vec<_>) = networks.into_iter().unzip();
        Self {
            bits: bits.into(),
            offsets: offsets.into(),
        }
    }

    fn size(&self) -> usize {
        size_of_val(&*self.bits) + size_of_val(&*self.offsets)
    }
}

impl Kept {
    /// `None` where there are syntax errors, which nobody asks for twice, or where it would take up
    /// more than `room` octets.
    fn read(octets: &[u8], room: usize) -> Option<Self> {
        let (mut ip4, mut ip6, mut others) = (Vec::new(), Vec::new(), Vec::new());
        let (mut redirect, mut explanation) = (None, None);
        parse::terms(octets, |place, seen| {
            let offset = place.start;
            let at = u32::try_from(offset).unwrap_or(u32::MAX);
            match seen {
                Seen::Ip4(address, length) => {
                    ip4.push(((address.to_bits(), mask4(length)), at));
                }
                Seen::Ip6(address, length) => {
                    ip6.push(((address.to_bits(), mask6(length)), at));
                }
                Seen::Term(TermKind::Directive(_)) => others.push(at),
                Seen::Term(TermKind::Modifier(Modifier::Redirect(_))) => redirect = Some(offset),
                Seen::Term(TermKind::Modifier(Modifier::Explanation(_))) => {
                    explanation = Some(offset);
                }
                Seen::Term(TermKind::Modifier(Modifier::Unknown { .. })) => {}
            }
        })
        .ok()?;
        let kept = Self {
            ip4: Networks::new(ip4),
            ip6: Networks::new(ip6),
            others: others.into(),
            redirect,
            explanation,
        };
        let size = size_of::<Self>() + kept.ip4.size() + kept.ip6.size();
        (size + size_of_val(&*kept.others) <= room).then_some(kept)
    }

    /// The first directive from an offset on that is no network.
    fn other(&self, from: usize) -> Option<usize> {
        let from = u32::try_from(from).ok()?;
        let index = self.others.partition_point(|offset| *offset < from);
        usize::try_from(*self.others.get(index)?).ok()
    }

    fn scan(&self, octets: &[u8], client: IpAddr) -> Scan {
        let network = match client {
            IpAddr::V4(client) => {
                let client = client.to_bits();
                let found = self.ip4.first(|(bits, mask)| (client ^ bits) & mask == 0);
                found.map(|(offset, bits, mask)| {
                    let length = u8::try_from(mask.count_ones()).ok();
                    (offset, Prefix::v4(Ipv4Addr::from_bits(bits), length))
                })
            }
            IpAddr::V6(client) => {
                let client = client.to_bits();
                let found = self.ip6.first(|(bits, mask)| (client ^ bits) & mask == 0);
                found.map(|(offset, bits, mask)| {
                    let length = u8::try_from(mask.count_ones()).ok();
                    (offset, Prefix::v6(Ipv6Addr::from_bits(bits), length))
                })
            }
        };
        let network = network.map(|(offset, network)| {
            let word = parse::word(octets.get(offset..).unwrap_or_default());
            ((offset..offset + word.len()).into(), network)
        });
        Scan {
            first: 0,
            network,
            redirect: self.redirect,
            explanation: self.explanation,
            every: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spf::record::{Mechanism, Record};

    const TERMS: &[&str] = &[
        "ip4:192.0.2.0/24",
        "ip4:192.0.2.7",
        "IP4:198.51.100.0/24",
        "-ip4:192.0.2.1",
        "ip6:2001:db8::/32",
        "ip6:::ffff:192.0.2.1/96",
        "a",
        "a:x.example/24//64",
        "~MX//64",
        "mx:%{d}/28",
        "ptr",
        "?ptr:x.example",
        "+exists:%{i}._spf.%{d2}",
        "include:_spf.x.example.",
        "-all",
        "redirect=x.example",
        "exp=%{ir}.why.example",
        "x-y_z.1=a=b:c/%{s}",
    ];

    /// Records put together at random: what is met on the way through one is what reading it as a whole
    /// gives, without the networks that are far from the client unless every term is wanted.
    #[test]
    fn directives_as_the_whole_record_has_them() {
        let client = IpAddr::from([192, 0, 2, 1]);
        let mut state = 1_u32;
        let mut below = |bound: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            usize::try_from(state >> 16).unwrap() % bound
        };
        let rounds = if cfg!(miri) { 50 } else { 5_000 };
        let mut sound = 0;
        for _ in 0..rounds {
            let terms: String = (0..below(7))
                .map(|_| [[" ", "  "][below(2)], TERMS[below(TERMS.len())]].concat())
                .collect();
            let text = format!("v=spf1{terms}");
            let every = below(2) == 0;
            let mut level = Level::new(Name::root(), false);
            let answer = Outcome::records([Txt::new("other"), Txt::new(&text)]);
            let taken = level.take(answer, 1, client, every);
            let record = match Record::parse(text.as_bytes()) {
                Ok(record) => record,
                Err(error) => {
                    assert_eq!(taken, Err(error));
                    continue;
                }
            };
            sound += 1;
            let is_met = |term: &&Term<'_>| match term.directive() {
                Some((Qualifier::Pass, Mechanism::Ip4(prefix) | Mechanism::Ip6(prefix)))
                    if term.as_str().starts_with("ip") =>
                {
                    every || prefix.contains(client)
                }
                directive => directive.is_some(),
            };
            let mut expected: Vec<&Term<'_>> = record.terms().iter().filter(is_met).collect();
            if !every {
                // What follows the first network that contains the client is not asked for.
                let is_near = |term: &&Term<'_>| {
                    matches!(
                        term.directive(),
                        Some((_, Mechanism::Ip4(_) | Mechanism::Ip6(_)))
                    ) && term.as_str().starts_with("ip")
                };
                if let Some(last) = expected.iter().position(is_near) {
                    expected.truncate(last + 1);
                }
            }
            let mut met = Vec::new();
            while met.len() < expected.len()
                && let Some(term) = level.directive()
            {
                assert_eq!(level.words(Span::from(&term)).as_str(), term.as_str());
                let at = Span::from(&term).end();
                met.push(format!("{term:?}"));
                level.at = at;
            }
            let expected: Vec<String> = expected.iter().map(|term| format!("{term:?}")).collect();
            assert_eq!(met, expected, "{text}");
            let redirect = record.redirect().map(|(term, _)| term.clone());
            assert_eq!(level.redirect(), redirect, "{text}");
        }
        assert!(sound > rounds / 5, "{sound} of {rounds}");
    }

    /// The least room in which a record is kept.
    fn needed(terms: &str) -> usize {
        let record = format!("v=spf1 {terms} -all");
        let mut rooms = 0..10_000;
        let least = rooms.find(|room| Kept::read(record.as_bytes(), *room).is_some());
        least.unwrap()
    }

    #[test]
    fn all_that_is_kept_takes_room() {
        let bare = needed("");
        assert!(bare > size_of::<Kept>());
        let mut sum = bare;
        for (terms, least) in [
            ("ip4:192.0.2.1 ip4:198.51.100.0/24", 2 * 8),
            ("ip6:2001:db8::1 ip6:2001:db8:1::/48", 2 * 32),
            ("mx a", 2 * 4),
        ] {
            let more = needed(terms) - bare;
            assert!(more >= least, "{terms}: {more}");
            sum += more;
        }
        let all = "ip4:192.0.2.1 ip4:198.51.100.0/24 ip6:2001:db8::1 ip6:2001:db8:1::/48 mx a";
        assert_eq!(needed(all), sum);
    }
}
