//! Reading key and SPF records, and the value of a DKIM-Signature field.

use std::hint::black_box;

use mailproof::dkim::{Canonicalization, KeyRecord, Signature};
use mailproof::{Message, spf};

use crate::dkim::Case;
use crate::keys::Key;
use crate::{Row, Table, peer};

pub fn rows(table: &mut Table) {
    for key in [Key::rsa_2048(), Key::rsa_1024(), Key::ed25519()] {
        let record = key.record();
        let record = record.as_bytes();
        let name = format!("parse key-record {}", key.name);
        let ours = || drop(black_box(KeyRecord::parse(black_box(record)).unwrap()));
        let theirs = || peer::parse_key(black_box(record));
        table.run(&Row::new(&name, &ours).peer(&theirs));
    }
    let terms: String = (0..50).map(|n| format!("ip4:198.18.{n}.0/24 ")).collect();
    let record = format!("v=spf1 {terms}-all");
    let ours = || {
        drop(black_box(
            spf::Record::parse(black_box(record.as_bytes())).unwrap(),
        ))
    };
    let theirs = || peer::parse_spf(black_box(record.as_bytes()));
    table.run(&Row::new("parse spf-record 50 ip4", &ours).peer(&theirs));
    let case = Case::new(&Key::rsa_2048(), Canonicalization::Relaxed, b"", 1);
    let message = Message::parse(&case.message);
    let field = message.head().named(b"DKIM-Signature").next().unwrap();
    let ours = || {
        let signature = Signature::parse(black_box(field.value()), 100);
        drop(black_box(signature.unwrap()));
    };
    let theirs = || peer::parse_signature(black_box(field.value()));
    table.run(&Row::new("parse dkim-signature", &ours).peer(&theirs));
}
