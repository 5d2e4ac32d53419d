//! A record under evaluation, and what is kept of records that are asked for again.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::parse::{self, Seen};
use super::place::{Step, Via, Words};
use super::prefix::{Prefix, mask4, mask6};
use super::record::{Modifier, Qualifier, Term, TermKind};
use super::syntax::SyntaxError;
use crate::dns::{Name, Txt};

/// The evaluation of one record. Those that led to it wait in a list.
pub(super) struct Level {
    pub(super) domain: Name,
    /// Whether an include is above: then only a pass is of interest, and `exp` is not (§6.2).
    pub(super) included: bool,
    pub(super) record: Txt,
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
    pub(super) fn words(self, record: &Txt) -> Words {
        Words::new(record, self.offset, self.length)
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
            record: Txt::empty(),
            scan: Scan::default(),
            at: 0,
            span: Span::default(),
            qualifier: Qualifier::Pass,
            via: Via::Include,
        }
    }

    /// Takes a record, the syntax of which is checked from end to end (§4.6), though most of its
    /// terms are networks that do not contain the client. Those are not looked at again unless
    /// `every` term is wanted.
    pub(super) fn take(
        &mut self,
        record: &Txt,
        client: IpAddr,
        every: bool,
    ) -> Result<(), SyntaxError> {
        self.scan = match record.kept(Kept::read) {
            Some(kept) if !every => kept.scan(client),
            _ => Scan::of(record.as_bytes(), client, every)?,
        };
        self.record = record.clone();
        self.at = self.scan.first;
        Ok(())
    }

    /// The next directive that may match, and where to go on behind it.
    pub(super) fn directive(&self) -> Option<(Term<'_>, usize)> {
        let Scan { network, every, .. } = self.scan;
        let octets = self.record.as_bytes();
        let mut at = self.at;
        if !every && let Some(kept) = self.record.kept(Kept::read) {
            let other = kept.other(at);
            let network = network.map(|(offset, _)| offset);
            at = other.into_iter().chain(network).min()?;
        }
        let term = match network {
            Some((offset, prefix)) if at == offset => {
                let word = parse::word(octets.get(offset..)?);
                Term::network(word, offset, prefix)
            }
            network => {
                let is_wanted = |offset| every || network.is_some_and(|(at, _)| at == offset);
                parse::directive(octets, at, is_wanted)?
            }
        };
        let behind = term.offset + term.octets.len();
        Some((term, behind))
    }

    /// The `redirect` modifier (§6.1).
    pub(super) fn redirect(&self) -> Option<Term<'_>> {
        parse::term_at(self.record.as_bytes(), self.scan.redirect?)
    }

    /// The `exp` modifier (§6.2).
    pub(super) fn explanation(&self) -> Option<Term<'_>> {
        parse::term_at(self.record.as_bytes(), self.scan.explanation?)
    }

    /// What this level is on the way to another.
    pub(super) fn step(&self) -> Step {
        Step {
            domain: self.domain.clone(),
            term: self.span.words(&self.record),
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
    network: Option<(usize, Prefix)>,
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
        parse::terms(octets, |_, offset, seen| match seen {
            Seen::Ip4(address, length) => {
                let differs = |client| (address.to_bits() ^ client) & mask4(length) != 0;
                if !client4.is_none_or(differs) {
                    scan.contains(offset, Prefix::v4(address, Some(length)));
                }
            }
            Seen::Ip6(address, length) => {
                let differs = |client| (address.to_bits() ^ client) & mask6(length) != 0;
                if !client6.is_none_or(differs) {
                    scan.contains(offset, Prefix::v6(address, Some(length)));
                }
            }
            Seen::Term(TermKind::Directive(_)) => scan.first = scan.first.min(offset),
            Seen::Term(TermKind::Modifier(Modifier::Redirect(_))) => scan.redirect = Some(offset),
            Seen::Term(TermKind::Modifier(Modifier::Explanation(_))) => {
                scan.explanation = Some(offset);
            }
            Seen::Term(TermKind::Modifier(Modifier::Unknown { .. })) => {}
        })?;
        Ok(scan)
    }

    /// Notes a network that contains the client.
    fn contains(&mut self, offset: usize, network: Prefix) {
        self.network.get_or_insert((offset, network));
        self.first = self.first.min(offset);
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
        parse::terms(octets, |_, offset, seen| {
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

    fn scan(&self, client: IpAddr) -> Scan {
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
        Scan {
            first: 0,
            network,
            redirect: self.redirect,
            explanation: self.explanation,
            every: false,
        }
    }
}
