//! The milter against a mail server that is made of octets.

mod mta;

use std::time::{Duration, SystemTime};

use mailproof::crypto::SigningKey;
use mailproof::dkim::{self, Canonicalization, Signer};
use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::message::Head;
use mailproof::{Message, Session, Verifier};
use mta::{ALL, LEADING_SPACE, Mta, SKIP, milter};

const CLIENT: &str = "192.0.2.1";
const PLAIN: &[u8] = b"From: me@example.com\r\nSubject: hello\r\n\r\nHi.\r\n";

fn signer() -> Signer {
    let key = SigningKey::ed25519(&[7; 32]).unwrap();
    Signer::new(key, "example.com".parse().unwrap(), "s").unwrap()
}

fn zone() -> Zone {
    let mut zone = Zone::new();
    let records = [
        ("example.com", "v=spf1 ip4:192.0.2.1 -all"),
        ("_dmarc.example.com", "v=DMARC1; p=reject"),
        ("_dmarc.strict.example", "v=DMARC1; p=quarantine"),
        ("s._domainkey.example.com", &signer().record()),
    ];
    for (name, text) in records {
        zone.add_txt(name, text).unwrap();
    }
    zone
}

async fn connected(zone: Zone, settings: &str) -> Mta {
    let running = milter(zone, settings).await;
    let mut mta = Mta::open(running.address, ALL).await;
    mta.client(CLIENT, "mail.example.com").await;
    std::mem::forget(running.stop);
    mta
}

#[tokio::test]
async fn what_passes_gets_a_field_on_top() {
    let mut mta = connected(zone(), "").await;
    let answer = mta
        .message("me@example.com", "you@example.net", PLAIN, 65_535)
        .await;
    assert!(answer.accepted());
    let [field] = &answer.changes(b'i')[..] else {
        panic!("{answer:?}");
    };
    assert!(
        field.starts_with("||||Authentication-Results| mx.example.net;"),
        "{field}"
    );
    assert!(
        field.contains("dmarc=pass") && !field.contains('\r'),
        "{field}"
    );
}

#[tokio::test]
async fn fields_that_claim_to_be_ours_are_removed() {
    let mut mta = connected(zone(), "").await;
    let forged = b"Authentication-Results: mx.example.net; dmarc=pass\r\n\
        authentication-results: elsewhere.example; spf=pass\r\n\
        Authentication-Results: MX.example.net;\r\n\tdkim=pass header.d=bank.example\r\n\
        From: me@example.com\r\n\r\nHi.\r\n";
    let answer = mta
        .message("me@example.com", "you@example.net", forged, 9)
        .await;
    let removed = answer.changes(b'm');
    let name = "Authentication-Results||";
    assert_eq!(
        removed,
        [format!("|||\u{3}{name}"), format!("|||\u{1}{name}")]
    );
}

#[tokio::test]
async fn forgeries_are_refused_and_the_connection_goes_on() {
    let mut mta = connected(zone(), "").await;
    mta.client("198.51.100.7", "evil.example").await;
    let answer = mta
        .message("me@example.com", "you@example.net", PLAIN, 3)
        .await;
    let reply = answer.reply();
    assert!(
        reply.starts_with("550 5.7.26 DMARC and SPF fail"),
        "{reply}"
    );
    assert!(answer.changes(b'i').is_empty());

    // The next message is another one, by another client even (XCLIENT, a proxy).
    mta.client("IPv6:2001:db8::1", "mail.example.org").await;
    let other = b"From: me@example.org\r\n\r\nHi.\r\n";
    let answer = mta.message("", "you@example.net", other, 3).await;
    assert!(answer.accepted());
    let field = answer.changes(b'i').concat();
    assert!(
        field.contains("spf=none") && field.contains("helo=mail.example.org"),
        "{field}"
    );
}

/// A mail server that uses a connection for one client after the other: nothing of the one is left for
/// the other.
#[tokio::test]
async fn a_client_of_unknown_address_is_not_the_one_before() {
    let mut mta = connected(zone(), "").await;
    for (macros, passes) in [
        (b"C{client_addr}\x00192.0.2.1\0".as_slice(), true),
        (b"C", false),
        // What is said about the message before is not about the next connection.
        (b"M{client_addr}\x00192.0.2.1\0", false),
    ] {
        mta.send(b'K', b"").await;
        mta.send(b'D', macros).await;
        assert_eq!(mta.ask(b'C', b"unknown\0U").await.0, b'c');
        let answer = mta
            .message("me@example.com", "you@example.net", PLAIN, 3)
            .await;
        let field = answer.changes(b'i').concat();
        assert_eq!(field.contains("spf=pass"), passes, "{answer:?}");
    }
}

#[tokio::test]
async fn an_observer_refuses_nothing() {
    let mut mta = connected(zone(), "mode = \"observe\"").await;
    mta.client("198.51.100.7", "evil.example").await;
    let answer = mta
        .message("me@example.com", "you@example.net", PLAIN, 3)
        .await;
    assert!(answer.accepted());
    assert!(answer.changes(b'i').concat().contains("dmarc=fail"));
}

#[tokio::test]
async fn suspicious_mail_is_held_or_marked() {
    let suspicious = b"From: me@strict.example\r\n\r\nHi.\r\n";
    for (settings, held) in [("", 1), ("quarantine = \"mark\"", 0)] {
        let mut mta = connected(zone(), settings).await;
        let answer = mta
            .message("me@example.com", "you@example.net", suspicious, 9)
            .await;
        assert!(answer.accepted());
        assert_eq!(answer.changes(b'q').len(), held);
        assert!(answer.changes(b'i').concat().contains("dmarc=fail"));
    }
}

#[tokio::test]
async fn what_the_dns_does_not_say_defers() {
    let mut zone = zone();
    zone.fail("_dmarc.example.com", LookupError::ServFail)
        .unwrap();
    let mut mta = connected(zone, "").await;
    mta.client("198.51.100.7", "evil.example").await;
    let answer = mta
        .message("me@example.com", "you@example.net", PLAIN, 3)
        .await;
    assert!(answer.reply().starts_with("451 4.7.1 "), "{answer:?}");
}

#[tokio::test]
async fn a_resolver_that_never_answers_defers() {
    let mut zone = zone();
    zone.hold("_dmarc.example.com").unwrap();
    let mut mta = connected(zone, "[dns]\nseconds = 1").await;
    mta.client("198.51.100.7", "evil.example").await;
    let answer = mta
        .message("me@example.com", "you@example.net", PLAIN, 3)
        .await;
    assert!(answer.reply().starts_with("451 4.7.1 "), "{answer:?}");
}

/// Folds, odd spaces, octets that are not UTF-8, and a body in pieces of any size: what was signed is
/// what is verified, octet for octet.
#[tokio::test]
async fn simple_signatures_survive_the_protocol() {
    let simple = Canonicalization::Simple;
    let mail = [
        b"From:  me@example.com\r\nSubject:gr\xfc\xdfe\r\n\tund  so \r\n weiter\r\n".as_slice(),
        "X-Empty:\r\nTo: \"Jürgen\" <you@example.net>\r\n\r\n".as_bytes(),
        b"A body,\r\n\r\n.with dots \xff\r\n",
        &b"and a long line\r\n".repeat(10_000),
    ]
    .concat();
    let signers = [signer().canonicalization(simple, simple)];
    let signed = dkim::Signer::sign(&signers, &Message::parse(&mail), SystemTime::now()).unwrap();
    let mail = [signed.header().as_bytes(), &mail].concat();
    let mut mta = connected(zone(), "").await;
    mta.client("198.51.100.7", "relay.example").await;
    for size in [1_000, 4_096, 65_535] {
        let answer = mta
            .message("me@example.com", "you@example.net", &mail, size)
            .await;
        let field = answer.changes(b'i').concat();
        assert!(
            field.contains("dkim=pass") && field.contains("dmarc=pass"),
            "{field}"
        );
    }
}

/// Without the leading space one is assumed, which is right for what most programs write.
#[tokio::test]
async fn an_old_mail_server() {
    let signed =
        dkim::Signer::sign(&[signer()], &Message::parse(PLAIN), SystemTime::now()).unwrap();
    let mail = [signed.header().as_bytes(), PLAIN].concat();
    let running = milter(zone(), "").await;
    let mut mta = Mta::open(running.address, ALL & !LEADING_SPACE & !SKIP).await;
    mta.client("198.51.100.7", "relay.example").await;
    let answer = mta
        .message("me@example.com", "you@example.net", &mail, 9)
        .await;
    let field = answer.changes(b'i').concat();
    assert!(
        field.starts_with("||||Authentication-Results|mx.example.net;"),
        "{field}"
    );
    assert!(field.contains("dkim=pass"), "{field}");
}

#[tokio::test]
async fn aborted_messages_leave_nothing_behind() {
    let mut mta = connected(zone(), "").await;
    for stop_after in 0..4 {
        mta.send(b'D', b"Mi\0abandoned\0{auth_authen}\0me\0").await;
        if stop_after > 0 {
            mta.envelope("other@example.org", "you@example.net").await;
        }
        if stop_after > 1 {
            mta.header(&Head::parse(b"From: other@example.org\r\n\r\n").0)
                .await;
        }
        if stop_after > 2 {
            assert_eq!(mta.ask(b'B', b"half a bo").await.0, b's');
        }
        mta.send(b'A', b"").await;
        let answer = mta
            .message("me@example.com", "you@example.net", PLAIN, 65_535)
            .await;
        let field = answer.changes(b'i').concat();
        assert!(field.contains("header.from=example.com"), "{field}");
        assert!(field.contains("smtp.mailfrom=example.com"), "{field}");
    }
}

#[tokio::test]
async fn a_body_that_nobody_signed_is_not_needed() {
    let mut mta = connected(zone(), "").await;
    mta.envelope("me@example.com", "you@example.net").await;
    mta.header(&Head::parse(PLAIN).0).await;
    assert_eq!(mta.ask(b'B', b"Hi.\r\n").await.0, b's');
    assert!(mta.end().await.accepted());
}

fn keys(name: &str) -> String {
    let (_, pem) = SigningKey::generate_ed25519().unwrap();
    let path = std::env::temp_dir().join(format!("milter-{}-{name}.pem", std::process::id()));
    std::fs::write(&path, pem).unwrap();
    path.to_str().unwrap().to_owned()
}

fn published(file: &str, domain: &str) -> Zone {
    let key = SigningKey::from_pem(std::fs::read(file).unwrap()).unwrap();
    let signer = Signer::new(key, domain.parse().unwrap(), "s").unwrap();
    let mut zone = zone();
    zone.add_txt(&format!("s._domainkey.{domain}"), signer.record())
        .unwrap();
    zone
}

#[tokio::test]
async fn our_own_mail_is_signed() {
    let file = keys("sign");
    let settings =
        format!("[[sign]]\ndomain = \"example.net\"\nselector = \"s\"\nkey_file = \"{file}\"\n");
    let mut mta = connected(zone(), &settings).await;
    let mail = b"From: me@sub.example.net\r\nDate: today\r\n\r\nHi.\r\n";
    mta.client("10.0.0.1", "laptop.local").await;
    for sign in [true, false] {
        // Who has logged in is the mail server's to say, message for message.
        let user: &[u8] = if sign { b"M{auth_authen}\0me\0" } else { b"M" };
        mta.send(b'D', user).await;
        let answer = mta
            .message("me@sub.example.net", "you@example.com", mail, 2)
            .await;
        assert!(answer.accepted());
        let fields = answer.changes(b'i').concat();
        assert_eq!(fields.contains("DKIM-Signature"), sign, "{fields}");
        if sign {
            let out = answer.applied(mail);
            let zone = published(&file, "example.net");
            let verdict = Verifier::new(zone);
            let session = Session::unknown();
            let verdict = block_on(verdict.verify(&session, &Message::parse(&out)));
            assert_eq!(verdict.dkim()[0].result().as_str(), "pass");
        }
    }
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn what_can_never_be_signed_is_refused_for_good() {
    let file = keys("never");
    let settings =
        format!("[[sign]]\ndomain = \"example.net\"\nselector = \"s\"\nkey_file = \"{file}\"\n");
    let mut mta = connected(zone(), &settings).await;
    let to = "To: you@example.com\r\n".repeat(1_000);
    let mail = format!("From: me@example.net\r\n{to}\r\nHi.\r\n");
    mta.client("10.0.0.1", "laptop.local").await;
    mta.send(b'D', b"M{auth_authen}\0me\0").await;
    let answer = mta
        .message("me@example.net", "you@example.com", mail.as_bytes(), 2)
        .await;
    assert!(answer.reply().starts_with("554 5.6.0 "), "{answer:?}");
    std::fs::remove_file(file).unwrap();
}

#[tokio::test]
async fn what_is_sent_on_is_sealed() {
    let file = keys("seal");
    let settings = format!(
        "[seal]\ndomain = \"example.net\"\nselector = \"s\"\nkey_file = \"{file}\"\n\
         recipients = [\"Friends@example.net\", \"lists.example.net\"]\n"
    );
    let mut mta = connected(zone(), &settings).await;
    for (recipient, sealed) in [
        ("friends@EXAMPLE.net", true),
        ("users@lists.example.net", true),
        ("you@example.net", false),
    ] {
        let answer = mta.message("me@example.com", recipient, PLAIN, 2).await;
        let fields = answer.changes(b'i').concat();
        assert_eq!(fields.contains("ARC-Seal"), sealed, "{recipient}: {fields}");
        if sealed {
            let out = answer.applied(PLAIN);
            assert!(out.starts_with(b"ARC-Seal"));
            let zone = published(&file, "example.net");
            let verdict = Verifier::new(zone);
            let session = Session::unknown();
            let verdict = block_on(verdict.verify(&session, &Message::parse(&out)));
            assert_eq!(verdict.arc().result().as_str(), "pass");
        }
    }
    std::fs::remove_file(file).unwrap();
}

/// A stop waits for the message under way, and only for that.
#[tokio::test]
async fn stops_between_messages() {
    let running = milter(zone(), "").await;
    let mut idle = Mta::open(running.address, ALL).await;
    let mut busy = Mta::open(running.address, ALL).await;
    busy.client(CLIENT, "mail.example.com").await;
    busy.envelope("me@example.com", "you@example.net").await;
    busy.header(&Head::parse(PLAIN).0).await;
    running.stop.send(()).unwrap();
    assert!(idle.read().await.is_none());
    assert!(!running.task.is_finished());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(busy.end().await.accepted());
    assert!(busy.read().await.is_none());
    running.task.await.unwrap();
}

/// Where fields cannot be removed, or messages not held, a mail server that went on would deliver what
/// we said it must not.
#[tokio::test]
async fn a_mail_server_that_grants_too_little_is_left() {
    let running = milter(zone(), "").await;
    for (actions, enough) in [(0x31, true), (0, false), (0x11, false), (0x21, false)] {
        let mut mta = Mta::connect(running.address).await;
        let words: [u32; 3] = [6, actions, ALL];
        mta.send(b'O', &words.map(u32::to_be_bytes).concat()).await;
        assert_eq!(mta.read().await.is_some(), enough, "{actions:x}");
    }
}

/// However many fields there are and however short: what is kept of them has an end.
#[tokio::test]
async fn empty_fields_are_counted() {
    let mut mta = connected(zone(), "").await;
    mta.envelope("me@example.com", "you@example.net").await;
    let mut answer = (b'c', Vec::new());
    let mut count = 0;
    while answer.0 == b'c' && count < 100_000 {
        answer = mta.ask(b'L', b"X\0\0").await;
        count += 1;
    }
    assert!(answer.1.starts_with(b"552 5.3.4 "), "{count}");
    assert!((40_000..50_000).contains(&count), "{count}");
}

/// Whoever does not speak the protocol is disconnected, and hurts nobody else.
#[tokio::test]
async fn nonsense_ends_one_connection() {
    let running = milter(zone(), "").await;
    for nonsense in [b"".as_slice(), b"\xff\xff\xff", b"O", b"\0\0\0"] {
        let mut mta = Mta::open(running.address, ALL).await;
        mta.send(b'?', nonsense).await;
        assert!(mta.read().await.is_none());
    }
    let mut mta = Mta::open(running.address, ALL).await;
    mta.client(CLIENT, "mail.example.com").await;
    // An end without a header is nothing to judge.
    mta.envelope("me@example.com", "you@example.net").await;
    assert!(mta.end().await.reply().starts_with("451 4.3.0"));
    let long = vec![b'x'; 900_000];
    for _ in 0..4 {
        let field = [b"X\0", long.as_slice(), b"\0"].concat();
        assert_eq!(mta.ask(b'L', &field).await.0, b'c');
    }
    let field = [b"X\0", long.as_slice(), b"\0"].concat();
    assert_eq!(
        mta.ask(b'L', &field).await.1,
        b"552 5.3.4 Message header too large\0"
    );
}
