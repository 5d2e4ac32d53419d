//! Everything at once: SPF, DKIM and DMARC of one message.

use std::hint::black_box;
use std::net::IpAddr;

use mailproof::dkim::Canonicalization;
use mailproof::dns::block_on;
use mailproof::{Message, Session, Verifier, dmarc};

use crate::dkim::{Case, now, octets};
use crate::keys::Key;
use crate::peer::{Data, Peer};
use crate::{Row, Table, mails};

pub fn rows(table: &mut Table) {
    for (key, kind, size) in [
        (Key::rsa_2048(), "text", "10K"),
        (Key::rsa_2048(), "html", "10K"),
        (Key::rsa_2048(), "text", "1M"),
        (Key::rsa_2048(), "html", "1M"),
        (Key::ed25519(), "text", "10K"),
    ] {
        let body = mails::body(kind, octets(size));
        let mut case = Case::new(&key, Canonicalization::Relaxed, &body, 1);
        for (name, text) in [
            ("example.com", "v=spf1 ip4:192.0.2.0/24 -all"),
            ("mail.example.com", "v=spf1 ip4:192.0.2.0/24 -all"),
            (
                "_dmarc.example.com",
                "v=DMARC1; p=reject; rua=mailto:dmarc@example.com",
            ),
        ] {
            case.zone.push((name.into(), Data::Txt(text.into())));
        }
        let client = IpAddr::from([192, 0, 2, 41]);
        let (helo, sender) = ("mail.example.com", "alice@example.com");
        let verifier = Verifier::new(case.zone());
        let verifier = verifier.at(now());
        let session = Session::new(client, helo, sender);
        let ours = || {
            let message = Message::parse(black_box(&case.message));
            let verdict = block_on(verifier.verify(&session, &message));
            assert_eq!(verdict.dmarc().result(), dmarc::DmarcResult::Pass);
        };
        for (temper, peer) in [
            ("cold", Peer::new(&case.zone).cold()),
            ("warm", Peer::new(&case.zone)),
        ] {
            let theirs =
                || assert!(peer.everything(client, helo, sender, black_box(&case.message)));
            let name = format!("everything {} {kind} {size} (peer {temper})", key.name);
            let row = Row::new(&name, &ours).peer(&theirs);
            table.run(&row.floor(&|| case.floor()));
        }
    }
}
