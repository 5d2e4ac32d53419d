//! SMTP smuggling (SEC Consult, 2023; VU#302671): hosts that end lines, or the data, at other octets
//! than CRLF. The library comes after DATA, so what it can do is never to join in.

use mailproof::message::{Author, AuthorError};
use mailproof::{Action, Message};

use super::{ATTACKER, Attempt, VICTIM, assert_finding, assert_words, signed};

/// What a host that smuggles takes for the end of the data, and what it makes of the rest.
const SMUGGLED: &str = "MAIL FROM:<admin@legitimate.example>\r\nRCPT TO:<you@receiver.example>\r\n\
    DATA\r\nFrom: admin@legitimate.example\r\n\r\nPay.\r\n";

/// Not recognized as the end of the data, the smuggled message is the body of the first.
#[test]
fn end_of_data_in_the_body() {
    for end in ["\n.\n", "\n.\r\n", "\r.\r", "\r\n.\r", "\r\n.\n", "\r.\r\n"] {
        let mail = format!("From: a@attack.example\r\n\r\nHello{end}{SMUGGLED}");
        let mail = signed(ATTACKER, &mail);
        let message = Message::parse(mail.as_bytes());
        assert!(message.body().ends_with(SMUGGLED.as_bytes()));
        assert_eq!(message.head().named(b"From").count(), 1);
        // Signed octet for octet: it passes as what it is, a message of the attacker's.
        let verdict = Attempt::new(&mail).verdict();
        assert_eq!(verdict.author().domain().unwrap().as_str(), ATTACKER);
        assert_words(&verdict, "pass", &["pass"], "pass", Action::Deliver);
    }
}

/// A host that took the end for one hands on the rest as a message of its own: nothing vouches for
/// it but the address of that host.
#[test]
fn the_smuggled_message() {
    let mail = "From: admin@legitimate.example\r\n\r\nPay.\r\n";
    let verdict = Attempt::new(mail)
        .envelope("helo.attack.example", "admin@legitimate.example")
        .verdict();
    assert_words(&verdict, "fail", &[], "fail", Action::Reject);
    assert_finding(&verdict, "forwarded-unrewritten-or-forged");
}

/// A header block that ends sooner for others: at a bare LF or CR they see another author.
#[test]
fn header_ends_that_only_some_see() {
    for (broken, count) in [("\n\n", 2), ("\r\r", 2), ("\n", 1), ("\r", 1)] {
        let mail = format!(
            "From: a@attack.example\r\nSubject: x{broken}From: admin@legitimate.example\r\n\r\nPay.\r\n"
        );
        let mail = signed(ATTACKER, &mail);
        let verdict = Attempt::new(&mail).verdict();
        let hidden = Author::Unparseable(AuthorError::HiddenField);
        assert_eq!(verdict.author(), &hidden, "{broken:?}");
        assert_words(&verdict, "pass", &["pass"], "permerror", Action::Quarantine);
        let anomalies = verdict.anomalies();
        assert_eq!(anomalies.bare_lf + anomalies.bare_cr, count);
        assert_finding(&verdict, "header-line-ends");
        assert_finding(&verdict, "author-unreadable");
    }
}

/// The victim's signed mail with an end of data put in: line ends are not repaired, so it breaks.
#[test]
fn signed_mail_with_other_line_ends() {
    let mail = signed(VICTIM, "From: a@legitimate.example\r\n\r\nOne.\r\nTwo.\r\n");
    for (ours, theirs) in [
        ("One.\r\n", "One.\n"),
        ("One.\r\n", "One.\r"),
        ("Two.\r\n", "Two.\n"),
    ] {
        let changed = mail.replace(ours, theirs);
        let verdict = Attempt::new(&changed).verdict();
        assert_words(&verdict, "pass", &["fail"], "fail", Action::Reject);
        assert_finding(&verdict, "dkim-body-hash-mismatch");
    }
}
