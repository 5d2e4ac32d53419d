//! DMARC: reading records.

use std::hint::black_box;

use mailproof::dmarc;

use crate::{Row, Table, peer};

pub fn rows(table: &mut Table) {
    let record = b"v=DMARC1; p=reject; sp=quarantine; adkim=s; aspf=r; fo=1; \
                   rua=mailto:dmarc@example.com,mailto:reports@example.net!10m; ruf=mailto:ruf@example.com";
    let ours = || drop(black_box(dmarc::Record::parse(black_box(record)).unwrap()));
    let theirs = || peer::parse_dmarc(black_box(record));
    table.run(&Row::new("parse dmarc record", &ours).peer(&theirs));
}
