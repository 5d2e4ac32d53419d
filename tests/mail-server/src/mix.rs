//! Mail of ten kinds, each with what must become of it.

use std::ops::Range;
use std::path::Path;
use std::time::SystemTime;

use mailproof::crypto::SigningKey;
use mailproof::dkim::{self, Signer};
use mailproof::dns::{Zone, block_on};
use mailproof::{Action, Message, Session, Verifier};

use crate::AUTHSERV_ID;

pub const KINDS: [&str; 10] = [
    "SPF aligned",
    "DKIM rsa through a relay",
    "forged, p=reject",
    "forged, p=quarantine",
    "forged, p=none",
    "nothing published",
    "altered, p=reject",
    "DKIM ed25519, forged results",
    "DKIM rsa, 200 kB",
    "null sender, SPF of HELO",
];

/// A message with its session, and what must come of it.
pub struct Mail {
    pub name: String,
    pub kind: usize,
    pub ip: String,
    pub helo: String,
    pub mail_from: String,
    pub octets: Vec<u8>,
    pub expected: Expected,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Expected {
    pub action: Action,
    /// The reply, where it is refused.
    pub reply: Option<String>,
    /// The field, where it is accepted, on one line.
    pub results: String,
    pub dkim: String,
    pub dmarc: String,
}

pub fn expected(zone: &Zone, session: &Session, octets: &[u8]) -> Expected {
    let verifier = Verifier::new(zone);
    let verdict = block_on(verifier.verify(session, &Message::parse(octets)));
    let dkim = verdict
        .dkim()
        .first()
        .map_or("none", |one| one.result().as_str());
    Expected {
        action: verdict.action(),
        reply: verdict.smtp_reply().map(|reply| reply.to_string()),
        results: on_one_line(
            &verdict
                .authentication_results(&AUTHSERV_ID.parse().unwrap())
                .to_field(),
        ),
        dkim: dkim.to_owned(),
        dmarc: verdict.dmarc().result().as_str().to_owned(),
    }
}

pub fn on_one_line(field: &str) -> String {
    field.split_whitespace().collect::<Vec<_>>().join(" ")
}

struct Keys {
    rsa: SigningKey,
    ed25519: SigningKey,
}

impl Keys {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/dkim/rsa2048.pem");
        Self {
            rsa: SigningKey::from_pem(std::fs::read(path).unwrap()).unwrap(),
            ed25519: SigningKey::ed25519(&[7; 32]).unwrap(),
        }
    }

    fn signer(&self, kind: usize, domain: &str) -> Signer {
        let (key, selector) = match kind {
            7 => (&self.ed25519, "e"),
            _ => (&self.rsa, "s"),
        };
        Signer::new(key.clone(), domain.parse().unwrap(), selector).unwrap()
    }
}

/// Not below test: resolvers know that there is nothing. Two messages of a kind share a domain, so that caches have something to do, and never run out of
/// new questions either.
fn domain(number: usize) -> String {
    format!("k{}-{}.load.tld", number % 10, number / 20)
}

/// What the name server says: TXT records for messages up to `count`.
pub fn records(count: usize) -> Vec<(String, String)> {
    let keys = Keys::read();
    let mut records = Vec::new();
    for number in (0..count).filter(|number| number / 10 % 2 == 0) {
        let (domain, kind) = (domain(number), number % 10);
        if kind == 5 {
            records.push((format!("other.{domain}"), "nothing for mail".to_owned()));
            continue;
        }
        let spf = "v=spf1 ip4:192.0.2.0/24 -all";
        let policy = match kind {
            3 => "v=DMARC1; p=quarantine",
            4 => "v=DMARC1; p=none",
            _ => "v=DMARC1; p=reject",
        };
        records.push((format!("mx.{domain}"), spf.to_owned()));
        records.push((format!("_dmarc.{domain}"), policy.to_owned()));
        if matches!(kind, 1 | 6 | 7 | 8) {
            let signer = keys.signer(kind, &domain);
            records.push((signer.key_name().to_string(), signer.record()));
        }
        records.push((domain, spf.to_owned()));
    }
    records
}

/// The records as a name server reads them, long ones in two strings.
pub fn zone_text(records: &[(String, String)]) -> String {
    let mut text = String::from("$TTL 300\n");
    for (name, value) in records {
        let (first, second) = value.split_at(value.len().min(200));
        text.push_str(&format!("{name}. TXT \"{first}\" \"{second}\"\n"));
    }
    text
}

pub fn zone(records: &[(String, String)]) -> Zone {
    let mut zone = Zone::new();
    for (name, value) in records {
        zone.add_txt(name, value).unwrap();
    }
    zone
}

/// Messages of these numbers.
pub fn mails(zone: &Zone, prefix: &str, numbers: Range<usize>) -> Vec<Mail> {
    let keys = Keys::read();
    numbers
        .map(|number| mail(zone, &keys, prefix, number))
        .collect()
}

fn mail(zone: &Zone, keys: &Keys, prefix: &str, number: usize) -> Mail {
    let (domain, kind) = (domain(number), number % 10);
    let permitted = matches!(kind, 0 | 8 | 9);
    let ip = if permitted {
        "192.0.2.7"
    } else {
        "203.0.113.9"
    };
    let helo = match kind {
        9 => format!("mx.{domain}"),
        _ => "mail.load.tld".to_owned(),
    };
    let mail_from = match kind {
        9 => String::new(),
        _ => format!("sender{number}@{domain}"),
    };
    let body = match kind {
        8 => "All work and no play makes Jack a dull boy.\r\n".repeat(4_500),
        _ => format!("Message {number}.\r\n.\r\n..with dots\r\n\r\n"),
    };
    let mut head = format!(
        "From: \"S\u{fc}nder\" <sender{number}@{domain}>\r\nTo: list@firma-c.tld\r\n\
         Subject: number {number}\r\n\tof many\r\nDate: Sat, 21 Nov 2026 10:00:00 +0000\r\n\
         Message-ID: <{number}@{domain}>\r\n"
    );
    if kind == 7 {
        head.push_str(&format!(
            "Authentication-Results: {AUTHSERV_ID}; dmarc=pass\r\n"
        ));
        head.push_str(&format!(
            "authentication-results : {AUTHSERV_ID};\r\n\tspf=pass\r\n"
        ));
    }
    let mut octets = format!("{head}\r\n{body}").into_bytes();
    if matches!(kind, 1 | 6 | 7 | 8) {
        let signers = [keys.signer(kind, &domain)];
        let signed =
            dkim::Signer::sign(&signers, &Message::parse(&octets), SystemTime::now()).unwrap();
        octets = [signed.header().as_bytes(), &octets].concat();
    }
    if kind == 6 {
        octets.extend_from_slice(b"-- \r\nappended\r\n");
    }
    let session = Session::new(ip.parse().unwrap(), &helo, &mail_from);
    Mail {
        name: format!("{prefix}{number}"),
        kind,
        ip: ip.to_owned(),
        helo,
        mail_from,
        expected: expected(zone, &session, &octets),
        octets,
    }
}
