//! mail-auth, in this process. Its caches are filled with all that there is; what is to fail is not in
//! them, and its resolver has no name servers to ask.

use std::borrow::Borrow;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use mail_auth::dkim::{DomainKey, Signature};
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::dmarc::{DmarcRecord, Policy};
use mail_auth::dns::TxtRecordParser;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::spf::SpfRecord;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    AuthenticatedMessage, DkimOutput, DkimResult, DmarcResult, DnsCache, DnsError, DnssecStatus,
    Error, MessageAuthenticator, Mx, Negative, Parameters, RecordSet, ResolverCache, SpfOutput,
    SpfResult, TxtRecord,
};
use tokio::runtime::{Builder, Runtime};

use crate::records::{Data, Records};

pub const NAME: &str = "mail-auth 0.15.1";

pub struct Peer {
    authenticator: MessageAuthenticator,
    runtime: Runtime,
}

/// What `d=`, or the domain of MAIL FROM, is and how its check ended.
pub struct Identifier<'a> {
    pub domain: &'a str,
    pub passed: bool,
}

impl Peer {
    pub fn new() -> Self {
        let nobody = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
        Self {
            authenticator: MessageAuthenticator::new(nobody, ResolverOpts::default()).unwrap(),
            runtime: Builder::new_current_thread().enable_time().build().unwrap(),
        }
    }

    pub fn spf(&self, records: &Records, client: IpAddr, helo: &str, sender: &str) -> String {
        let caches = Caches::new(records, parse::<SpfRecord>);
        let input = if sender.is_empty() {
            SpfParameters::helo(client, helo, "unknown")
        } else {
            SpfParameters::mail_from(client, helo, "unknown", sender)
        };
        let input = Parameters::new(input).with_cache(&caches);
        let output = self.runtime.block_on(self.authenticator.check_host(input));
        output.result().to_string()
    }

    /// A word for each signature that it could read.
    pub fn dkim(&self, records: &Records, message: &[u8]) -> Vec<&'static str> {
        let Some(message) = AuthenticatedMessage::parse(message) else {
            return Vec::new();
        };
        let caches = Caches::new(records, parse::<DomainKey>);
        let input = Parameters::new(&message).with_cache(&caches);
        let outputs = self.runtime.block_on(self.authenticator.verify_dkim(input));
        let words = outputs.iter().map(|output| match output.result() {
            DkimResult::Pass => "pass",
            DkimResult::TempError(_) => "temperror",
            _ => "fail",
        });
        words.collect()
    }

    /// DMARC's result and the policy that applies.
    pub fn dmarc(
        &self,
        records: &Records,
        message: &[u8],
        spf: &Identifier<'_>,
        dkim: &Identifier<'_>,
    ) -> String {
        let Some(message) = AuthenticatedMessage::parse(message) else {
            return "unreadable".to_owned();
        };
        let caches = Caches::new(records, parse::<DmarcRecord>);
        let signature = format!(
            " v=1; a=rsa-sha256; d={}; s=s; h=from; bh=AAAA; b=AAAA\r\n",
            dkim.domain
        );
        let signature = Signature::parse(signature.as_bytes()).unwrap();
        let result = if dkim.passed {
            DkimResult::Pass
        } else {
            DkimResult::Fail(Error::NotAligned)
        };
        let dkim = [DkimOutput::from(result).with_signature(&signature)];
        let result = if spf.passed {
            SpfResult::Pass
        } else {
            SpfResult::Fail
        };
        let output = SpfOutput::new(spf.domain.to_owned()).with_result(result);
        let input = DmarcParameters::new(&message, &dkim, spf.domain, &output);
        let input = Parameters::new(input).with_cache(&caches);
        let output = self
            .runtime
            .block_on(self.authenticator.verify_dmarc(input));
        let word = match output.result() {
            DmarcResult::Pass => "pass",
            DmarcResult::Fail(_) => "fail",
            DmarcResult::TempError(_) => "temperror",
            DmarcResult::PermError(_) => "permerror",
            DmarcResult::None => "none",
        };
        let policy = match output.policy() {
            Policy::Reject => "reject",
            Policy::Quarantine => "quarantine",
            Policy::None | Policy::Unspecified => "none",
        };
        format!("{word} {policy}")
    }
}

/// What a DMARC record says, for those who can read it.
pub fn dmarc_record(text: &[u8]) -> Option<DmarcRecord> {
    DmarcRecord::parse(text).ok()
}

type Answer<T> = Result<RecordSet<T>, Negative>;

struct Caches {
    txt: Known<Box<str>, TxtRecord>,
    mx: Known<Box<str>, Answer<Mx>>,
    ipv4: Known<Box<str>, Answer<Ipv4Addr>>,
    ipv6: Known<Box<str>, Answer<Ipv6Addr>>,
    ptr: Known<IpAddr, Answer<Box<str>>>,
}

impl Caches {
    fn new(records: &Records, parse: fn(&[Vec<u8>]) -> TxtRecord) -> Self {
        let missing = Negative {
            code: ResponseCode::NXDomain,
        };
        let mut caches = Self {
            txt: Known::new(TxtRecord::Error(Error::Dns(DnsError::RecordNotFound(
                ResponseCode::NXDomain,
            )))),
            mx: Known::new(Err(missing)),
            ipv4: Known::new(Err(missing)),
            ipv6: Known::new(Err(missing)),
            ptr: Known::new(Err(missing)),
        };
        for (owner, data) in &records.0 {
            let name: Box<str> = format!("{}.", owner.to_ascii_lowercase()).into();
            match data {
                Data::Address(IpAddr::V4(address)) => add(&mut caches.ipv4, name, *address),
                Data::Address(IpAddr::V6(address)) => add(&mut caches.ipv6, name, *address),
                Data::Fails => {
                    caches.txt.fails.insert(name.clone());
                    caches.mx.fails.insert(name.clone());
                    caches.ipv4.fails.insert(name.clone());
                    caches.ipv6.fails.insert(name);
                }
                Data::Mx(preference, exchange) => {
                    let mx = Mx {
                        exchanges: [format!("{exchange}.").into()].into(),
                        preference: *preference,
                    };
                    add(&mut caches.mx, name, mx);
                }
                Data::Ptr(address, name) => {
                    add(&mut caches.ptr, *address, format!("{name}.").into());
                }
                Data::Txt(_) => {
                    caches
                        .txt
                        .records
                        .insert(name, parse(&records.texts(owner)));
                }
            }
        }
        caches
    }
}

fn parse<T: TxtRecordParser>(texts: &[Vec<u8>]) -> TxtRecord
where
    TxtRecord: From<Result<T, Error>>,
{
    TxtRecord::from(T::parse_records(texts))
}

fn add<K: Hash + Eq, T: Clone>(known: &mut Known<K, Answer<T>>, name: K, record: T) {
    let mut records = match known.records.get(&name) {
        Some(Ok(set)) => set.records.to_vec(),
        _ => Vec::new(),
    };
    records.push(record);
    let set = RecordSet {
        records: records.into(),
        dnssec_status: DnssecStatus::Indeterminate,
    };
    known.records.insert(name, Ok(set));
}

/// What is known of one type; whatever else is asked for, there is none.
struct Known<K, V> {
    records: HashMap<K, V>,
    fails: HashSet<K>,
    otherwise: V,
}

impl<K, V> Known<K, V> {
    fn new(otherwise: V) -> Self {
        Self {
            records: HashMap::new(),
            fails: HashSet::new(),
            otherwise,
        }
    }
}

impl<K: Hash + Eq, V: Clone> ResolverCache<K, V> for Known<K, V> {
    fn get<Q>(&self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        if self.fails.contains(name) {
            return None;
        }
        Some(self.records.get(name).unwrap_or(&self.otherwise).clone())
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

impl DnsCache for Caches {
    type Txt = Known<Box<str>, TxtRecord>;
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
        Some(&self.ipv4)
    }

    fn ipv6(&self) -> Option<&Self::Ipv6> {
        Some(&self.ipv6)
    }

    fn ptr(&self) -> Option<&Self::Ptr> {
        Some(&self.ptr)
    }
}
