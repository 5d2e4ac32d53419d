//! Who counts as the authenticated third party that turns a rejection into quarantine.

use mailproof::dns::{Zone, block_on};
use mailproof::{Action, Message, Session, Verifier};

/// What is done with mail of an author who asks for rejection and strict alignment.
fn action(mail_from: &str, fields: &str) -> Action {
    let mut zone = Zone::new();
    for domain in ["bounce.example.com", "list.example.net"] {
        zone.add_txt(domain, "v=spf1 ip4:192.0.2.1 -all").unwrap();
    }
    zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject; aspf=s")
        .unwrap();
    let session = Session::new([192, 0, 2, 1].into(), "mx.example.net", mail_from);
    let message = format!("From: a@example.com\r\n{fields}\r\n");
    let verifier = Verifier::new(zone);
    block_on(verifier.verify(&session, &Message::parse(message.as_bytes()))).action()
}

const LIST: &str = "List-Id: <list.example.net>\r\n";

#[test]
fn a_list_of_somebody_else() {
    assert_eq!(action("l@list.example.net", LIST), Action::Quarantine);
    assert_eq!(action("l@list.example.net", ""), Action::Reject);
    let announcements = "List-Post: NO\r\n";
    assert_eq!(
        action("l@list.example.net", announcements),
        Action::Quarantine
    );
}

/// RFC 2919 3: a List-Id has at least its label.
#[test]
fn an_empty_field_names_no_list() {
    assert_eq!(
        action("l@list.example.net", "List-Id: \r\n"),
        Action::Reject
    );
}

#[test]
fn the_authors_organization_is_no_third_party() {
    assert_eq!(action("x@bounce.example.com", LIST), Action::Reject);
    let rewritten = "x+SRS=y1OwP=BF=example.org=joe@bounce.example.com";
    assert_eq!(action(rewritten, ""), Action::Reject);
}
