//! Version 0.13.3, on ring.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;

use mail_auth_ring::common::parse::TxtRecordParser;
use mail_auth_ring::common::verify::DomainKey;
use mail_auth_ring::dkim::Signature;
use mail_auth_ring::dmarc::Dmarc;
use mail_auth_ring::dmarc::verify::DmarcParameters;
use mail_auth_ring::hickory_resolver::proto::op::ResponseCode;
use mail_auth_ring::spf::Spf;
use mail_auth_ring::spf::verify::SpfParameters;
use mail_auth_ring::{
    AuthenticatedMessage, DkimResult, DmarcResult, DnsError, DnssecStatus, Error, MX,
    MessageAuthenticator, Parameters, RecordSet, ResolverCache, SpfResult, Txt,
};
use mailproof::dns::block_on;

use super::{Data, Known, RECEIVER};

/// Which one it is.
pub const NAME: &str = "peer: mail-auth 0.13.3 on ring";

/// The peer with everything it may ask for.
pub struct Peer {
    authenticator: MessageAuthenticator,
    txt: Records,
    mx: Known<Box<str>, RecordSet<MX>>,
    a: Known<Box<str>, RecordSet<Ipv4Addr>>,
    aaaa: Known<Box<str>, RecordSet<Ipv6Addr>>,
    ptr: Known<IpAddr, RecordSet<Box<str>>>,
}

impl Peer {
    pub fn new(zone: &[(String, Data)]) -> Self {
        let mut peer = Self {
            authenticator: MessageAuthenticator::new_cloudflare().unwrap(),
            txt: Records::default(),
            mx: Known::new(no_records()),
            a: Known::new(no_records()),
            aaaa: Known::new(no_records()),
            ptr: Known::new(no_records()),
        };
        for (name, data) in zone {
            let name: Box<str> = format!("{name}.").into();
            match data {
                Data::Txt(text) => {
                    peer.txt.parsed.insert(name.clone(), parse(text.as_bytes()));
                    peer.txt.texts.insert(name, text.clone().into_bytes());
                }
                Data::A(address) => {
                    peer.a.records.insert(name, records([*address].into()));
                }
                Data::Mx(exchange) => {
                    let mx = MX {
                        exchanges: [format!("{exchange}.").into()].into(),
                        preference: 10,
                    };
                    peer.mx.records.insert(name, records([mx].into()));
                }
            }
        }
        peer
    }

    /// Parses records when they are asked for, as is done on the first message of a domain.
    pub fn cold(mut self) -> Self {
        self.txt.cold = true;
        self
    }

    fn parameters<P>(&self, params: P) -> Params<'_, P> {
        Parameters {
            params,
            cache_txt: Some(&self.txt),
            cache_mx: Some(&self.mx),
            cache_ptr: Some(&self.ptr),
            cache_ipv4: Some(&self.a),
            cache_ipv6: Some(&self.aaaa),
        }
    }

    /// How many signatures pass.
    pub fn dkim(&self, message: &[u8]) -> usize {
        let message = AuthenticatedMessage::parse(message).unwrap();
        let parameters = self.parameters(&message);
        let results = block_on(self.authenticator.verify_dkim(parameters));
        let passed =
            |output: &&mail_auth_ring::DkimOutput<'_>| output.result() == &DkimResult::Pass;
        results.iter().filter(passed).count()
    }

    /// Whether the ARC chain passes.
    pub fn arc(&self, message: &[u8]) -> bool {
        let message = AuthenticatedMessage::parse(message).unwrap();
        let parameters = self.parameters(&message);
        block_on(self.authenticator.verify_arc(parameters)).result() == &DkimResult::Pass
    }

    /// Whether SPF passes.
    pub fn spf(&self, client: IpAddr, helo: &str, sender: &str) -> bool {
        let parameters = SpfParameters::verify_mail_from(client, helo, RECEIVER, sender);
        let parameters = self.parameters(parameters);
        block_on(self.authenticator.check_host(parameters)).result() == SpfResult::Pass
    }

    /// Shows how DMARC is judged, and seen to pass, once SPF and DKIM are.
    pub fn dmarc(
        &self,
        client: IpAddr,
        helo: &str,
        sender: &str,
        message: &[u8],
        show: &mut dyn FnMut(&dyn Fn()),
    ) {
        let message = AuthenticatedMessage::parse(message).unwrap();
        let dkim = block_on(self.authenticator.verify_dkim(self.parameters(&message)));
        let spf = SpfParameters::verify_mail_from(client, helo, RECEIVER, sender);
        let spf = block_on(self.authenticator.check_host(self.parameters(spf)));
        show(&|| {
            let parameters = DmarcParameters {
                message: &message,
                dkim_output: &dkim,
                dkim2_output: None,
                rfc5321_mail_from_domain: sender.rsplit_once('@').unwrap().1,
                spf_output: &spf,
            };
            let parameters = self.parameters(parameters);
            let dmarc = block_on(self.authenticator.verify_dmarc(parameters));
            assert_eq!(dmarc.dkim_result(), &DmarcResult::Pass);
            assert_eq!(dmarc.spf_result(), &DmarcResult::Pass);
        });
    }

    /// Whether SPF, DKIM and DMARC pass.
    pub fn everything(&self, client: IpAddr, helo: &str, sender: &str, message: &[u8]) -> bool {
        block_on(async {
            let message = AuthenticatedMessage::parse(message).unwrap();
            let dkim = self
                .authenticator
                .verify_dkim(self.parameters(&message))
                .await;
            let spf = SpfParameters::verify_mail_from(client, helo, RECEIVER, sender);
            let spf = self.authenticator.check_host(self.parameters(spf)).await;
            let parameters = DmarcParameters {
                message: &message,
                dkim_output: &dkim,
                dkim2_output: None,
                rfc5321_mail_from_domain: sender.rsplit_once('@').unwrap().1,
                spf_output: &spf,
            };
            let dmarc = self
                .authenticator
                .verify_dmarc(self.parameters(parameters))
                .await;
            dmarc.dkim_result() == &DmarcResult::Pass && dmarc.spf_result() == &DmarcResult::Pass
        })
    }
}

type Params<'a, P> = Parameters<
    'a,
    P,
    Records,
    Known<Box<str>, RecordSet<MX>>,
    Known<Box<str>, RecordSet<Ipv4Addr>>,
    Known<Box<str>, RecordSet<Ipv6Addr>>,
    Known<IpAddr, RecordSet<Box<str>>>,
>;

fn records<T>(records: Arc<[T]>) -> RecordSet<T> {
    RecordSet {
        rrset: records,
        dnssec_status: DnssecStatus::Indeterminate,
    }
}

fn no_records<T>() -> RecordSet<T> {
    records(Arc::from(Vec::new()))
}

pub fn parse_message(message: &[u8]) {
    black_box(AuthenticatedMessage::parse(message).unwrap());
}

pub fn parse_signature(value: &[u8]) {
    black_box(Signature::parse(value).unwrap());
}

pub fn parse_key(record: &[u8]) {
    black_box(DomainKey::parse(record).unwrap());
}

pub fn parse_dmarc(record: &[u8]) {
    black_box(Dmarc::parse(record).unwrap());
}

pub fn parse_spf(record: &[u8]) {
    black_box(Spf::parse(record).unwrap());
}

fn parse(text: &[u8]) -> Txt {
    if text.starts_with(b"v=spf1") {
        Txt::Spf(Arc::new(Spf::parse(text).unwrap()))
    } else if text.starts_with(b"v=DMARC1") {
        Txt::Dmarc(Arc::new(Dmarc::parse(text).unwrap()))
    } else {
        Txt::DomainKey(Arc::new(DomainKey::parse(text).unwrap()))
    }
}

/// The texts, parsed beforehand or when asked for.
#[derive(Default)]
struct Records {
    parsed: HashMap<Box<str>, Txt>,
    texts: HashMap<Box<str>, Vec<u8>>,
    cold: bool,
}

impl ResolverCache<Box<str>, Txt> for Records {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let known = if self.cold {
            self.texts.get(name).map(|text| parse(text))
        } else {
            self.parsed.get(name).cloned()
        };
        let missing = || Txt::Error(Error::Dns(DnsError::RecordNotFound(ResponseCode::NXDomain)));
        Some(known.unwrap_or_else(missing))
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

impl<K: Hash + Eq, V: Clone> ResolverCache<K, V> for Known<K, V> {
    fn get<Q>(&self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        Some(self.of(name))
    }

    fn remove<Q>(&self, _: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: K, _: V, _: Instant) {}
}
