//! One message that meets every limit at once.

use std::net::{Ipv4Addr, Ipv6Addr};

use mailproof::arc::{ArcResult, Payload, Sealer};
use mailproof::crypto::SigningKey;
use mailproof::dkim::KeyRecord;
use mailproof::dns::{Lookup, LookupError, Mx, Name, Outcome, Resolver, Txt, Zone, block_on};
use mailproof::message::Head;
use mailproof::{Message, Session, Verifier};

use super::counting::{Counting, Plenty, peak};
use super::{now, signature};

/// Keys as they are; below `_dmarc.` something that is no record, so that each walk goes to its end;
/// SPF records that ask for as much as they may; keys of DKIM that cannot be had, so that their
/// domains count as candidates.
struct Worst {
    keys: Zone,
    rest: Plenty,
}

impl Resolver for Worst {
    fn txt<'a>(&'a self, name: &'a Name) -> Lookup<'a, Txt> {
        match name.as_str() {
            policy if policy.starts_with("_dmarc.x.") => {
                Lookup::ready(Ok(Outcome::records([Txt::new(
                    "v=DMARC1; p=reject; np=none",
                )])))
            }
            policy if policy.starts_with("_dmarc.") => Lookup::ready(Ok(Outcome::no_such_name())),
            key if key.starts_with("arc") => self.keys.txt(name),
            key if key.contains("._domainkey.") => Lookup::ready(Err(LookupError::ServFail)),
            _ => self.rest.txt(name),
        }
    }

    /// As many as are looked at.
    fn a<'a>(&'a self, _: &'a Name) -> Lookup<'a, Ipv4Addr> {
        let addresses: Vec<Ipv4Addr> = (1_000..1_100).map(Ipv4Addr::from_bits).collect();
        Lookup::ready(Ok(Outcome::records(addresses)))
    }

    fn aaaa<'a>(&'a self, name: &'a Name) -> Lookup<'a, Ipv6Addr> {
        self.rest.aaaa(name)
    }

    fn mx<'a>(&'a self, name: &'a Name) -> Lookup<'a, Mx> {
        self.rest.mx(name)
    }

    fn ptr<'a>(&'a self, name: &'a Name) -> Lookup<'a, Name> {
        self.rest.ptr(name)
    }
}

fn key() -> SigningKey {
    SigningKey::ed25519(&[9; 32]).unwrap()
}

/// Fifty hosts that sealed it, each with a key of its own.
fn sealed(mail: &str, keys: &mut Zone) -> String {
    let mut mail = mail.to_owned();
    for number in 1..=50 {
        let selector = format!("arc{number}");
        let sealer = Sealer::new(key(), "sealer.example".parse().unwrap(), &selector).unwrap();
        let name = sealer.key_name().as_str().to_owned();
        let record = KeyRecord::new(key().verifying_key()).to_string();
        keys.add_txt(&name, record).unwrap();
        let message = Message::parse(mail.as_bytes());
        let incoming = block_on(
            Verifier::new(&*keys)
                .at(now())
                .verify(&Session::unknown(), &message),
        );
        let payload: Payload = "mx.example; dmarc=pass".parse().unwrap();
        let sealed = sealer
            .seal(&message, &payload, incoming.arc(), now())
            .unwrap();
        mail.insert_str(0, &sealed.header());
    }
    mail
}

/// 300 for SPF, 10 + 100 for keys, 9 + 4 * 8 for DMARC.
const MOST: usize = 451;

/// What the page on limits promises, and that the message comes near to it.
#[test]
fn everything_at_once() {
    let labels = "a.".repeat(12);
    let domain = |number: usize| format!("{labels}d{number}.x.example");
    let from = format!("From: a@{}\r\n", domain(10));
    let mut keys = Zone::new();
    let chain = sealed(&format!("{from}\r\nbody\r\n"), &mut keys);
    let signatures: String = (0..200)
        .map(|number| signature(number).replace(&format!("d{number}.example"), &domain(number)))
        .collect();
    let filler = "x: y\r\n".repeat(Head::MAX_FIELDS - 200 - 150 - 1);
    let mail = format!("{signatures}{filler}{chain}");
    let rest = Plenty("v=spf1 mx mx mx mx mx mx mx mx mx mx -all");
    let resolver = Counting::new(Worst { keys, rest });
    let session = Session::new([192, 0, 2, 1].into(), "mx.example.net", "a@example.net");
    let verifier = Verifier::new(&resolver);
    let (verdict, peak) = peak(|| {
        let message = Message::parse(mail.as_bytes());
        block_on(verifier.at(now()).verify(&session, &message))
    });
    assert_eq!(verdict.arc().result(), ArcResult::Pass, "{}", verdict.arc());
    let asked = resolver.asked();
    assert_eq!(asked, verdict.questions().len());
    println!("{asked} questions, {peak} octets for {}", mail.len());
    assert!((300..=MOST).contains(&asked), "{asked}");
    assert!(peak < 8 << 20, "{peak}");
    assert!(!verdict.limits_hit().is_empty());
    assert!(verdict.diagnosis().len() < 60);
}
