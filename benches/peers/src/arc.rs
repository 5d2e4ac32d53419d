//! Validating an ARC chain of three sets.

use std::hint::black_box;
use std::sync::{Arc, Mutex};

use mailproof::auth_results::AuthenticationResults;
use mailproof::dkim::{self, Canonicalization};
use mailproof::dns::block_on;
use mailproof::{Message, arc};

use crate::dkim::{Keeper, now};
use crate::keys::Key;
use crate::library::digest;
use crate::peer::{Data, Peer};
use crate::{Row, Table, mails, zone};

pub fn rows(table: &mut Table) {
    for (name, check_older) in [
        ("arc rsa2048 3 sets 10K", true),
        ("arc rsa2048 3 sets 10K (newest only)", false),
    ] {
        if table.wants(name) {
            chain(table, name, check_older);
        }
    }
}

fn chain(table: &mut Table, name: &str, check_older: bool) {
    let key = Key::rsa_2048();
    let body = mails::body("text", 10 << 10);
    let mut mail = [mails::HEADER.as_bytes(), b"\r\n", &body].concat();
    let mut settings = arc::Settings::default();
    settings.check_older = check_older;
    let mut records = Vec::new();
    let mut signed = Vec::new();
    for hop in 1..=3 {
        let domain = format!("hop{hop}.example");
        records.push((format!("s._domainkey.{domain}"), Data::Txt(key.record())));
        let keeper = Arc::new(Keeper {
            key: key.clone(),
            signed: Mutex::default(),
        });
        let sealer = arc::Sealer::external(keeper.clone(), domain.parse().unwrap(), "s").unwrap();
        let message = Message::parse(&mail);
        let incoming = validate(&message, &records, &settings);
        let results = AuthenticationResults::new(domain.parse().unwrap());
        let payload = arc::Payload::new(&results);
        let sealed =
            block_on(sealer.seal_externally(&message, &payload, &incoming, now())).unwrap();
        // A message signature and a seal. Step 5 of RFC 8617 5.2, which is optional and which the peer
        // leaves out, checks the older message signatures.
        let mut both = std::mem::take(&mut *keeper.signed.lock().unwrap());
        if !check_older && hop < 3 {
            both.remove(0);
        }
        signed.append(&mut both);
        mail = [sealed.header().as_bytes(), &mail].concat();
    }
    let resolver = zone(&records);
    let ours = || {
        let message = Message::parse(black_box(&mail));
        let collected = arc::Collected::read(message.head(), now(), &settings);
        let keys = block_on(dkim::Keys::fetch(&resolver, &collected.key_names()));
        let mut hasher = collected.body_hasher();
        hasher.update(message.body());
        let validation = collected.validate(&keys, &hasher.finish(), &settings);
        assert_eq!(validation.result(), arc::ArcResult::Pass);
    };
    let peer = Peer::new(&records);
    let theirs = || assert!(peer.arc(black_box(&mail)));
    let canonical = Canonicalization::Relaxed.body(&body);
    let floor = || {
        black_box(digest::digest(&digest::SHA256, black_box(&canonical)));
        for signed in &signed {
            assert!(key.verify(black_box(&signed.octets), &signed.signature));
        }
    };
    table.run(&Row::new(name, &ours).peer(&theirs).floor(&floor));
}

fn validate(
    message: &Message<'_>,
    records: &[(String, Data)],
    settings: &arc::Settings,
) -> arc::Validation {
    let collected = arc::Collected::read(message.head(), now(), settings);
    let keys = block_on(dkim::Keys::fetch(&zone(records), &collected.key_names()));
    let mut hasher = collected.body_hasher();
    hasher.update(message.body());
    collected.validate(&keys, &hasher.finish(), settings)
}
