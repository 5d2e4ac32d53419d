//! What a receiver says to the sender, and writes into the message: in bounds whatever strangers
//! chose.

use mailproof::dns::{Zone, block_on};
use mailproof::verifier::Settings;
use mailproof::{Message, Session, Verdict, Verifier};

/// A domain as long as domains may be.
fn long_domain() -> String {
    let [a, b, c, d] = [("a", 63), ("b", 63), ("c", 63), ("d", 61)].map(|(s, n)| s.repeat(n));
    format!("{a}.{b}.{c}.{d}")
}

fn verdict(zone: &Zone, message: &str, enforce_spf_fail: bool) -> Verdict {
    let mut settings = Settings::default();
    settings.policy.enforce_spf_fail = enforce_spf_fail;
    let client = "2001:db8:1111:2222:3333:4444:5555:6666";
    let mail_from = format!("x@{}", long_domain());
    let session = Session::new(client.parse().unwrap(), "mx.example.net", mail_from);
    let verifier = Verifier::with_settings(zone, settings);
    block_on(verifier.verify(&session, &Message::parse(message.as_bytes())))
}

/// RFC 5321 4.5.3.1.5: 512 octets, code and CRLF included.
#[test]
fn replies_fit_on_their_line() {
    let domain = long_domain();
    let (_, parent) = domain.split_once('.').unwrap();
    let mut zone = Zone::new();
    zone.add_txt(&domain, "v=spf1 exp=e.example.com -all")
        .unwrap();
    zone.add_txt("e.example.com", "x".repeat(480)).unwrap();
    zone.add_txt(&format!("_dmarc.{parent}"), "v=DMARC1; p=reject")
        .unwrap();
    for (author, enforce_spf_fail, code) in [
        ("example.org", true, "550 5.7.23 SPF fail: "),
        (&*domain, false, "550 5.7.26 DMARC and SPF fail: "),
    ] {
        let message = format!("From: a@{author}\r\n\r\n");
        let reply = verdict(&zone, &message, enforce_spf_fail).smtp_reply();
        let reply = reply.unwrap().to_string();
        assert!(reply.starts_with(code), "{reply}");
        assert_eq!(reply.len() + 2, 512, "{reply}");
    }
}

/// RFC 7208 8.4: the text is the sender's, which is said once.
#[test]
fn names_who_explains() {
    let mut zone = Zone::new();
    zone.add_txt(&long_domain(), "v=spf1 redirect=example.com")
        .unwrap();
    zone.add_txt("example.com", "v=spf1 exp=e.example.com -all")
        .unwrap();
    zone.add_txt("e.example.com", "go away").unwrap();
    let reply = verdict(&zone, "From: a@example.org\r\n\r\n", true).smtp_reply();
    let text = reply.unwrap().text;
    assert!(
        text.ends_with("to send its mail; example.com explains: go away"),
        "{text}"
    );
}

#[test]
fn many_broken_signatures_do_not_fill_the_field() {
    let message = format!(
        "{}From: a@example.org\r\n\r\n",
        "DKIM-Signature: v=1\r\n".repeat(5_000)
    );
    let verdict = verdict(&Zone::new(), &message, false);
    assert_eq!(verdict.dkim().len(), 5_000);
    let field = verdict.authentication_results(&"mx.example.net".parse().unwrap());
    let field = field.to_field();
    assert_eq!(field.matches("dkim=neutral").count(), 20, "{field}");
    assert!(field.contains("dmarc=none"), "{field}");
}
