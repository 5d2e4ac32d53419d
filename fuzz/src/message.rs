//! Messages, addresses, domains, and the whole verification.

use std::time::{Duration, SystemTime};

use mailproof::address::ReversePath;
use mailproof::auth_results::{AuthenticationResults, AuthservId};
use mailproof::dns::{Name, Zone, block_on};
use mailproof::forwarding::Forwarder;
use mailproof::message::Head;
use mailproof::srs::Rewriter;
use mailproof::{Address, Domain, Message, Session, Verdict, Verifier, iprev};

use crate::diagnosis::explain;

/// The header block: every field is found again in the input, in order, and the body is its rest.
pub fn message(data: &[u8]) {
    let message = Message::parse(data);
    assert!(data.ends_with(message.body()));
    let mut rest = data;
    for field in message.head().fields() {
        let octets = [field.name(), field.gap(), b":", field.value()].concat();
        let at = rest
            .windows(octets.len())
            .position(|window| window == octets);
        rest = &rest[at.expect("a field that is not in the message")..];
    }
    // Fields that are given ready-made are kept as they are.
    let pairs = message
        .head()
        .fields()
        .iter()
        .map(|field| (field.name(), field.value()));
    let again = Head::from_pairs(pairs);
    assert_eq!(again.fields().len(), message.head().fields().len());
}

/// Domains, names and reverse-paths: what is accepted prints and reads as itself.
pub fn names(data: &[u8]) {
    if let Ok(domain) = Domain::parse(data) {
        assert_eq!(domain.as_str().parse(), Ok(domain.clone()));
        assert!(domain.as_str().len() <= 253);
        assert_eq!(Name::from(&domain), domain.as_str().parse().unwrap());
    }
    if let Ok(name) = Name::from_octets(data) {
        assert_eq!(name.as_str().parse(), Ok(name.clone()));
        assert!(name.as_str().is_ascii());
        let octets = data.strip_suffix(b".").unwrap_or(data).to_ascii_lowercase();
        assert_eq!(name.labels().join(&b'.'), octets);
    }
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(name) = text.parse::<Name>()
    {
        assert_eq!(name.as_str().parse(), Ok(name.clone()));
    }
    if let Ok(address) = Address::parse(data) {
        assert_eq!(Address::parse(address.to_string().as_bytes()), Ok(address));
    }
    if let Ok(text) = std::str::from_utf8(data) {
        if let Ok(id) = text.parse::<AuthservId>() {
            assert_eq!(id.to_string().parse(), Ok(id));
        }
    }
    if let Ok(ReversePath::Null) = ReversePath::parse(data) {
        assert!(data.is_empty() || data == b"<>");
    }
}

/// The front door: session, DNS data and message, separated by octets 0xff. The verdict is
/// explained, and the message forwarded.
pub fn verify(data: &[u8]) {
    let mut parts = data.splitn(4, |octet| *octet == 0xff);
    let helo = parts.next().unwrap_or_default();
    let mail_from = parts.next().unwrap_or_default();
    let zone = Zone::from_text(parts.next().unwrap_or_default()).unwrap_or_default();
    let message = Message::parse(parts.next().unwrap_or_default());
    let client = [192, 0, 2, 1].into();
    let session = Session::new(client, helo, mail_from);
    let verifier = Verifier::new(&zone);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_684_227_600);
    let verdict = block_on(verifier.at(now).verify(&session, &message));
    assert!(verdict.questions().len() < 500);
    let field = verdict
        .authentication_results(&"mx.example".parse().unwrap())
        .to_field();
    assert!(!field.replace("\r\n\t", "").contains(['\r', '\n', '\0']));
    if let Some(reply) = verdict.smtp_reply() {
        assert!(reply.to_string().len() < 512);
        assert!(!reply.to_string().contains(char::is_control));
    }
    // A message without exactly one author domain is never waved through.
    if verdict.author().domain().is_none() {
        assert_eq!(verdict.dmarc().result().as_str(), "permerror");
    }
    explain(&verdict.diagnosis());
    explain(&verdict.forensics(&message));
    forward(&verdict, &message, now);
    let iprev = block_on(iprev::Evaluation::of(&zone, client));
    assert!(!iprev.cause().to_string().contains(['\r', '\n', '\0']));
}

/// What is sent on has its results and its seal on top, whatever was sent in.
fn forward(verdict: &Verdict, message: &Message<'_>, now: SystemTime) {
    let rewriter = Rewriter::new("fwd.example".parse().expect("a domain"), "secret");
    let id: AuthservId = "mx.fwd.example".parse().expect("a name");
    let forwarder = Forwarder::new(id, rewriter.expect("a rewriter")).vouching_for_failures();
    let Ok(outgoing) = forwarder.forward(verdict, message, now) else {
        return;
    };
    let sent = Message::parse(&outgoing.message);
    let first = sent.head().fields().first().expect("what was added");
    assert!(first.is(b"Authentication-Results"));
    let fields = sent.head().named(b"Authentication-Results");
    let ours = fields.filter(|field| {
        let read = AuthenticationResults::read(field.value());
        read.is_ok_and(|read| {
            read.authserv_id()
                .is_some_and(|id| id.to_string() == "mx.fwd.example")
        })
    });
    assert_eq!(ours.count(), 1);
}
