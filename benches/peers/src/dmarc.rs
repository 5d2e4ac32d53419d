//! DMARC: reading records, and judging from records.

use std::hint::black_box;
use std::net::IpAddr;
use std::time::Duration;

use mailproof::dkim::Canonicalization;
use mailproof::dmarc::{self, Discovery, DmarcResult, Settings};
use mailproof::dns::{Cache, Resolver, block_on};
use mailproof::identifier::{AuthenticatedIdentifier, Method, Status};
use mailproof::message::Author;
use mailproof::{Address, Domain};

use crate::dkim::Case;
use crate::keys::Key;
use crate::peer::{Data, Peer};
use crate::{Row, Table, peer, zone};

pub fn rows(table: &mut Table) {
    let record = b"v=DMARC1; p=reject; sp=quarantine; adkim=s; aspf=r; fo=1; \
                   rua=mailto:dmarc@example.com,mailto:reports@example.net!10m; ruf=mailto:ruf@example.com";
    let ours = || drop(black_box(dmarc::Record::parse(black_box(record)).unwrap()));
    let theirs = || peer::parse_dmarc(black_box(record));
    table.run(&Row::new("parse dmarc record", &ours).peer(&theirs));
    judging(table);
}

/// The peer has no judging without discovery, so it looks its kept record up in both rows.
fn judging(table: &mut Table) {
    let mut case = Case::new(&Key::rsa_2048(), Canonicalization::Relaxed, b"Hello\r\n", 1);
    for (name, text) in [
        ("example.com", "v=spf1 ip4:192.0.2.0/24 -all"),
        (
            "_dmarc.example.com",
            "v=DMARC1; p=reject; rua=mailto:dmarc@example.com",
        ),
    ] {
        case.zone.push((name.into(), Data::Txt(text.into())));
    }
    let zone = zone(&case.zone);
    let settings = Settings::default();
    let domain = || "example.com".parse::<Domain>().unwrap();
    let author = Author::One(Address::new("alice", domain()).unwrap());
    let identifiers = [Method::Spf, Method::Dkim].map(|method| {
        AuthenticatedIdentifier::trust_result_obtained_elsewhere(domain(), method, Status::Pass)
    });
    let cache = Cache::new(zone.clone(), || Duration::ZERO);
    let discover = |resolver: &dyn Resolver| {
        let discovery = block_on(Discovery::of_author(
            resolver,
            black_box(&author),
            &settings,
        ));
        block_on(discovery.with_identifiers(resolver, &identifiers, &settings))
    };
    let evaluate = |discovery: &Discovery| {
        let evaluation = discovery.evaluate(black_box(&author), &identifiers, &settings);
        assert_eq!(evaluation.result(), DmarcResult::Pass);
    };
    let discovery = discover(&zone);
    let from_records = || evaluate(&discovery);
    let with_discovery = || evaluate(&discover(&zone));
    let with_cache = || evaluate(&discover(&cache));
    let rows: [(&str, &dyn Fn(), Peer); 4] = [
        ("dmarc evaluate", &from_records, Peer::new(&case.zone)),
        (
            "dmarc discovery (peer cold)",
            &with_discovery,
            Peer::new(&case.zone).cold(),
        ),
        (
            "dmarc discovery (peer warm)",
            &with_discovery,
            Peer::new(&case.zone),
        ),
        (
            "dmarc discovery (both warm)",
            &with_cache,
            Peer::new(&case.zone),
        ),
    ];
    for (name, ours, peer) in rows {
        let client = IpAddr::from([192, 0, 2, 41]);
        peer.dmarc(
            client,
            "mail.example.com",
            "alice@example.com",
            &case.message,
            &mut |theirs| {
                table.run(&Row::new(name, ours).peer(theirs));
            },
        );
    }
}
