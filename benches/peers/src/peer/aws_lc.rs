//! Version 0.15.1, on aws-lc-rs.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;

use mail_auth_aws_lc::dkim::{DomainKey, Signature};
use mail_auth_aws_lc::dmarc::DmarcRecord;
use mail_auth_aws_lc::dmarc::verify::DmarcParameters;
use mail_auth_aws_lc::dns::TxtRecordParser;
use mail_auth_aws_lc::hickory_resolver::proto::op::ResponseCode;
use mail_auth_aws_lc::spf::SpfRecord;
use mail_auth_aws_lc::spf::verify::SpfParameters;
use mail_auth_aws_lc::{
    ArcResult, AuthenticatedMessage, DkimResult, DmarcResult, DnsCache, DnsError, DnssecStatus,
    Error, MessageAuthenticator, Mx, Negative, Parameters, RecordSet, ResolverCache, SpfResult,
    TxtRecord,
};
use mailproof::dns::block_on;

use super::{Data, Known, RECEIVER};

/// Which one it is.
pub const NAME: &str = "peer: mail-auth 0.15.1 on aws-lc-rs";

/// The peer with everything it may ask for.
pub struct Peer {
    authenticator: MessageAuthenticator,
    txt: Records,
    mx: Known<Box<str>, Answer<Mx>>,
    a: Known<Box<str>, Answer<Ipv4Addr>>,
    aaaa: Known<Box<str>, Answer<Ipv6Addr>>,
    ptr: Known<IpAddr, Answer<Box<str>>>,
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
                    let mx = Mx {
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

    fn parameters<P>(&self, input: P) -> Parameters<'_, P, Self> {
        Parameters::new(input).with_cache(self)
    }

    /// How many signatures pass.
    pub fn dkim(&self, message: &[u8]) -> usize {
        let message = AuthenticatedMessage::parse(message).unwrap();
        let parameters = self.parameters(&message);
        let results = block_on(self.authenticator.verify_dkim(parameters));
        let passed =
            |output: &&mail_auth_aws_lc::DkimOutput<'_>| output.result() == &DkimResult::Pass;
        results.iter().filter(passed).count()
    }

    /// Whether the ARC chain passes.
    pub fn arc(&self, message: &[u8]) -> bool {
        let message = AuthenticatedMessage::parse(message).unwrap();
        let parameters = self.parameters(&message);
        block_on(self.authenticator.verify_arc(parameters)).result() == &ArcResult::Pass
    }

    /// Whether SPF passes.
    pub fn spf(&self, client: IpAddr, helo: &str, sender: &str) -> bool {
        let parameters = SpfParameters::mail_from(client, helo, RECEIVER, sender);
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
        let spf = SpfParameters::mail_from(client, helo, RECEIVER, sender);
        let spf = block_on(self.authenticator.check_host(self.parameters(spf)));
        let domain = sender.rsplit_once('@').unwrap().1;
        show(&|| {
            let parameters = DmarcParameters::new(&message, &dkim, domain, &spf);
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
            let spf = SpfParameters::mail_from(client, helo, RECEIVER, sender);
            let spf = self.authenticator.check_host(self.parameters(spf)).await;
            let domain = sender.rsplit_once('@').unwrap().1;
            let parameters = DmarcParameters::new(&message, &dkim, domain, &spf);
            let dmarc = self
                .authenticator
                .verify_dmarc(self.parameters(parameters))
                .await;
            dmarc.dkim_result() == &DmarcResult::Pass && dmarc.spf_result() == &DmarcResult::Pass
        })
    }
}

impl DnsCache for Peer {
    type Txt = Records;
    type Mx = Known<Box<str>, Answer<Mx>>;
    type Ipv4 = Known<Box<str>, Answer<Ipv4Addr>>;
    type Ipv6 = Known<Box<str>, Answer<Ipv6Addr>>;
    type Ptr = Known<IpAddr, Answer<Box<str>>>;

    fn txt(&self) -> Option<&Self::Txt> {
        Some(&self.txt)
    }

    fn mx(&self) -> Option<&Self::Mx> {
        Some(&self.mx)
    }

    fn ipv4(&self) -> Option<&Self::Ipv4> {
        Some(&self.a)
    }

    fn ipv6(&self) -> Option<&Self::Ipv6> {
        Some(&self.aaaa)
    }

    fn ptr(&self) -> Option<&Self::Ptr> {
        Some(&self.ptr)
    }
}

type Answer<T> = Result<RecordSet<T>, Negative>;

fn records<T>(records: Arc<[T]>) -> Answer<T> {
    Ok(RecordSet {
        records,
        dnssec_status: DnssecStatus::Indeterminate,
    })
}

fn no_records<T>() -> Answer<T> {
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
    black_box(DmarcRecord::parse(record).unwrap());
}

pub fn parse_spf(record: &[u8]) {
    black_box(SpfRecord::parse(record).unwrap());
}

fn parse(text: &[u8]) -> TxtRecord {
    if text.starts_with(b"v=spf1") {
        TxtRecord::Spf(Arc::new(SpfRecord::parse(text).unwrap()))
    } else if text.starts_with(b"v=DMARC1") {
        TxtRecord::Dmarc(Arc::new(DmarcRecord::parse(text).unwrap()))
    } else {
        TxtRecord::DomainKey(Arc::new(DomainKey::parse(text).unwrap()))
    }
}

/// The texts, parsed beforehand or when asked for.
#[derive(Default)]
pub struct Records {
    parsed: HashMap<Box<str>, TxtRecord>,
    texts: HashMap<Box<str>, Vec<u8>>,
    cold: bool,
}

impl ResolverCache<Box<str>, TxtRecord> for Records {
    fn get<Q>(&self, name: &Q) -> Option<TxtRecord>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let known = if self.cold {
            self.texts.get(name).map(|text| parse(text))
        } else {
            self.parsed.get(name).cloned()
        };
        let missing =
            || TxtRecord::Error(Error::Dns(DnsError::RecordNotFound(ResponseCode::NXDomain)));
        Some(known.unwrap_or_else(missing))
    }

    fn remove<Q>(&self, _: &Q) -> Option<TxtRecord>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: TxtRecord, _: Instant) {}
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
