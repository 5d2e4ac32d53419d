//! Asking real name servers. The wire format is hickory's, and named in this file only; the exchange
//! over the network is our own, because what tells one failure from another is lost in hickory's.

mod exchange;
mod settings;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{DNSClass, Name as WireName, RData, RecordType as WireType};

use super::record::{Record, resolve_by};
use super::{Lookup, LookupError, Mx, Name, Outcome, Resolver, Txt};

pub use settings::HickoryError;

/// A resolver that asks recursive name servers over UDP and TCP.
///
/// Its look-ups are to be awaited inside a tokio runtime, with time and I/O enabled as they usually
/// are; outside of one they fail. Nothing is cached: see [`Cache`](super::Cache). Dropping a look-up
/// closes its socket.
///
/// A server that stays silent is asked again until the attempts are used up; one that answered with
/// an error, or cannot be reached, is not. Where all fail, the error is the first that is not
/// silence. An answer that was truncated and could not be had over TCP is
/// [`LookupError::Truncated`].
///
/// ```no_run
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use mailproof::dns::{HickoryResolver, Resolver};
///
/// let resolver = HickoryResolver::from_system()?;
/// let outcome = resolver.txt(&"example.com".parse()?).await?;
/// for txt in outcome.as_slice() {
///     println!("{txt:?}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HickoryResolver {
    /// Recursive ones, in the order in which they are asked; at least one.
    name_servers: Vec<SocketAddr>,
    timeout: Duration,
    attempts: usize,
    tcp_only: bool,
    trust_authentic_data: bool,
}

impl HickoryResolver {
    fn lookup<'a, T: Wire>(&'a self, name: &'a Name) -> Lookup<'a, T> {
        Lookup::new(self.follow(name))
    }

    /// Asks for a name, and for the targets of aliases that the server did not follow itself.
    async fn follow<T: Wire>(&self, name: &Name) -> Result<Outcome<T>, LookupError> {
        if !exchange::has_runtime() {
            let reason = "no tokio runtime to look up in";
            return Err(LookupError::Other(reason.into()));
        }
        let mut name = WireName::from_labels(name.labels()).map_err(other)?;
        let mut seen = Seen {
            ttl: None,
            authentic: self.trust_authentic_data,
        };
        for _ in 0..MAX_QUESTIONS {
            let message = self.ask(&name, T::WIRE_TYPE).await?;
            match read::<T>(&message, &name, &mut seen)? {
                Reading::Outcome(outcome) => {
                    let outcome = outcome.with_authentic(seen.authentic);
                    return Ok(match seen.ttl {
                        Some(ttl) => outcome.with_ttl(ttl),
                        None => outcome,
                    });
                }
                Reading::Alias(target) => name = target,
            }
        }
        Err(LookupError::Malformed)
    }

    /// Asks one server after the other.
    async fn ask(&self, name: &WireName, wire_type: WireType) -> Result<Message, LookupError> {
        let mut silent = self.name_servers.clone();
        let mut failure = LookupError::Timeout;
        for _ in 0..self.attempts.max(1) {
            let mut still_silent = Vec::new();
            for server in silent {
                match self.ask_server(server, name, wire_type).await {
                    Ok(message) => return Ok(message),
                    Err(LookupError::Timeout) => still_silent.push(server),
                    Err(error) if failure == LookupError::Timeout => failure = error,
                    Err(_) => {}
                }
            }
            silent = still_silent;
        }
        Err(failure)
    }

    async fn ask_server(
        &self,
        server: SocketAddr,
        name: &WireName,
        wire_type: WireType,
    ) -> Result<Message, LookupError> {
        let message = self.exchange(server, &query(name, wire_type, true)).await?;
        // RFC 6891 7: ‘Responders that choose not to implement the protocol extensions […] MUST
        // respond with a return code (RCODE) of FORMERR’. Some say NOTIMP.
        let message = match message.metadata.response_code {
            ResponseCode::FormErr | ResponseCode::NotImp => {
                self.exchange(server, &query(name, wire_type, false))
                    .await?
            }
            _ => message,
        };
        match message.metadata.response_code {
            ResponseCode::NoError | ResponseCode::NXDomain => Ok(message),
            ResponseCode::ServFail => Err(LookupError::ServFail),
            ResponseCode::Refused | ResponseCode::NotAuth => Err(LookupError::Refused),
            code => {
                let code = u16::from(code);
                let reason = format!("the name server answered with RCODE {code}");
                Err(LookupError::Other(reason))
            }
        }
    }

    async fn exchange(&self, server: SocketAddr, query: &Message) -> Result<Message, LookupError> {
        let octets = query.to_vec().map_err(other)?;
        let timeout = self.timeout;
        let answers = |answer: &[u8]| is_for(answer, query);
        let answer = if self.tcp_only {
            exchange::tcp(server, &octets, timeout).await?
        } else {
            let answer = exchange::udp(server, &octets, timeout, answers).await?;
            if is_truncated(&answer) {
                // Whatever goes wrong there: what we know is that the answer was truncated.
                let answer = exchange::tcp(server, &octets, timeout).await;
                answer.map_err(|_| LookupError::Truncated)?
            } else {
                answer
            }
        };
        if !answers(&answer) {
            return Err(LookupError::Malformed);
        }
        if is_truncated(&answer) {
            return Err(LookupError::Truncated);
        }
        Message::from_vec(&answer).map_err(|_| LookupError::Malformed)
    }
}

impl Resolver for HickoryResolver {
    resolve_by!(lookup);
}

fn other(error: impl std::fmt::Display) -> LookupError {
    LookupError::Other(error.to_string())
}

/// A query with a random ID, for recursion. The AD bit says that we understand the one in the answer
/// (RFC 6840 5.7).
fn query(name: &WireName, wire_type: WireType, edns: bool) -> Message {
    let mut message = Message::query();
    message.metadata.recursion_desired = true;
    message.metadata.authentic_data = true;
    message.add_query(Query::query(name.clone(), wire_type));
    if edns {
        let mut edns = Edns::new();
        edns.set_max_payload(exchange::UDP_PAYLOAD);
        message.set_edns(edns);
    }
    message
}

/// Whether the octets answer this query, so far as can be seen without reading their records.
/// Others can send to our port as well, and what they send is no answer.
fn is_for(answer: &[u8], query: &Message) -> bool {
    let [id_0, id_1, flags, ..] = answer else {
        return false;
    };
    if u16::from_be_bytes([*id_0, *id_1]) != query.metadata.id || flags & 0x80 == 0 {
        return false;
    }
    match Message::from_vec(answer) {
        Ok(answer) => {
            let failed = !matches!(
                answer.metadata.response_code,
                ResponseCode::NoError | ResponseCode::NXDomain
            );
            // Servers may leave the question out of an error.
            answer.metadata.message_type == MessageType::Response
                && answer.metadata.op_code == OpCode::Query
                && (answer.queries == query.queries || failed && answer.queries.is_empty())
        }
        // It is truncated, or malformed and then to be reported so.
        Err(_) => true,
    }
}

/// The TC bit (RFC 1035 4.1.1). Records that are cut in the middle cannot be read, so it is looked
/// at before them.
fn is_truncated(answer: &[u8]) -> bool {
    answer.get(2).is_some_and(|flags| flags & 0x02 != 0)
}

/// What an answer says.
enum Reading<T> {
    Outcome(Outcome<T>),
    /// Nothing but that the name is an alias of this one.
    Alias(WireName),
}

/// What holds for all answers of a look-up together.
struct Seen {
    /// The smallest TTL.
    ttl: Option<Duration>,
    authentic: bool,
}

impl Seen {
    fn ttl(&mut self, seconds: u32) {
        // RFC 2181 8: ‘treat TTL values received with the most significant bit set as if the entire
        // value received was zero’.
        let seconds = if seconds >> 31 == 0 { seconds } else { 0 };
        let ttl = Duration::from_secs(seconds.into());
        self.ttl = Some(self.ttl.map_or(ttl, |least| least.min(ttl)));
    }
}

fn read<T: Wire>(
    message: &Message,
    name: &WireName,
    seen: &mut Seen,
) -> Result<Reading<T>, LookupError> {
    seen.authentic &= message.metadata.authentic_data;
    let mut name = name;
    for aliases in 0..=MAX_ALIASES {
        let mut records = Vec::new();
        let mut alias = None;
        for record in &message.answers {
            if record.name != *name || record.dns_class != DNSClass::IN {
                continue;
            }
            if record.record_type() == T::WIRE_TYPE {
                records.push(T::from_wire(&record.data).ok_or(LookupError::Malformed)?);
                seen.ttl(record.ttl);
            } else if let RData::CNAME(target) = &record.data {
                alias = Some((&target.0, record.ttl));
            }
        }
        if !records.is_empty() {
            return Ok(Reading::Outcome(Outcome::records(records)));
        }
        let Some((target, ttl)) = alias else {
            return without_records(message, (aliases > 0).then_some(name), seen);
        };
        seen.ttl(ttl);
        name = target;
    }
    Err(LookupError::Malformed)
}

/// What an answer says without records, at the end of an alias if it has one.
fn without_records<T>(
    message: &Message,
    alias: Option<&WireName>,
    seen: &mut Seen,
) -> Result<Reading<T>, LookupError> {
    let metadata = &message.metadata;
    let soa = message.authorities.iter().find_map(|record| {
        let RData::SOA(soa) = &record.data else {
            return None;
        };
        Some((record.ttl, soa.minimum))
    });
    let negative = match metadata.response_code {
        ResponseCode::NXDomain => Outcome::no_such_name(),
        _ => Outcome::no_data(),
    };
    if let Some((ttl, minimum)) = soa {
        // RFC 2308 3: ‘the minimum of the MINIMUM field of the SOA record and the TTL of the SOA
        // itself’.
        seen.ttl(ttl);
        seen.ttl(minimum);
        return Ok(Reading::Outcome(negative));
    }
    if let Some(name) = alias
        && metadata.response_code == ResponseCode::NoError
    {
        return Ok(Reading::Alias(name.clone()));
    }
    // RFC 2308 2.2: NS without SOA is a referral, if it does not come from where the name is known.
    // It says nothing about the name.
    let mut authorities = message.authorities.iter();
    if !metadata.authoritative
        && !metadata.recursion_available
        && authorities.any(|record| record.record_type() == WireType::NS)
    {
        let reason = "the name server does not resolve names for us";
        return Err(LookupError::Other(reason.into()));
    }
    // Without SOA there is no TTL, whatever that of the aliases on the way.
    seen.ttl = None;
    Ok(Reading::Outcome(negative))
}

/// Data of one type on the wire.
trait Wire: Record {
    const WIRE_TYPE: WireType;

    /// `None` if it is malformed.
    fn from_wire(data: &RData) -> Option<Self>;
}

impl Wire for Ipv4Addr {
    const WIRE_TYPE: WireType = WireType::A;

    fn from_wire(data: &RData) -> Option<Self> {
        match data.ip_addr()? {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        }
    }
}

impl Wire for Ipv6Addr {
    const WIRE_TYPE: WireType = WireType::AAAA;

    fn from_wire(data: &RData) -> Option<Self> {
        match data.ip_addr()? {
            IpAddr::V4(_) => None,
            IpAddr::V6(address) => Some(address),
        }
    }
}

impl Wire for Mx {
    const WIRE_TYPE: WireType = WireType::MX;

    fn from_wire(data: &RData) -> Option<Self> {
        let RData::MX(mx) = data else { return None };
        Some(Self {
            preference: mx.preference,
            exchange: name(&mx.exchange)?,
        })
    }
}

impl Wire for Name {
    const WIRE_TYPE: WireType = WireType::PTR;

    fn from_wire(data: &RData) -> Option<Self> {
        let RData::PTR(target) = data else {
            return None;
        };
        name(&target.0)
    }
}

impl Wire for Txt {
    const WIRE_TYPE: WireType = WireType::TXT;

    fn from_wire(data: &RData) -> Option<Self> {
        let RData::TXT(txt) = data else { return None };
        Some(Self::new(txt.txt_data.concat()))
    }
}

fn name(name: &WireName) -> Option<Name> {
    if name.is_root() {
        return Some(Name::root());
    }
    Name::from_labels(name.iter()).ok()
}

/// Aliases in one answer; as in a [`Zone`](super::Zone).
const MAX_ALIASES: usize = 16;

/// Questions for one look-up. A recursive server follows aliases itself, so that the second question
/// is an exception already.
const MAX_QUESTIONS: usize = 4;
