//! Attacks by way of SPF: addresses that thousands share (Wang et al., ‘BreakSPF’, NDSS 2024), and the
//! macros that others expanded beyond their buffers (‘SPFail’, IMC 2022; CVE-2021-20314,
//! CVE-2021-33912, CVE-2021-33913, CVE-2023-42118).

use mailproof::Action;
use mailproof::dns::Zone;

use super::{Attempt, assert_finding, assert_words};

/// The victim's record includes a provider's, whose addresses the attacker can send from. SPF passes,
/// and DMARC with it; no verifier can tell, but it tells what the pass rests on.
#[test]
fn shared_addresses() {
    let mail = "From: admin@customer.example\r\n\r\nNow.\r\n";
    let mut attempt = Attempt::new(mail).envelope("vm.cloud.example", "admin@customer.example");
    for (name, record) in [
        ("customer.example", "v=spf1 include:spf.cloud.example -all"),
        ("spf.cloud.example", "v=spf1 ip4:203.0.0.0/10 -all"),
        ("_dmarc.customer.example", "v=DMARC1; p=reject"),
    ] {
        attempt.zone.add_txt(name, record).unwrap();
    }
    let verdict = attempt.verdict();
    assert_words(&verdict, "pass", &[], "pass", Action::Deliver);
    assert_finding(&verdict, "spf-wide-pass");
    assert_finding(&verdict, "pass-by-spf-alone");
    let matched = verdict.spf().authoritative().matched().unwrap();
    assert_eq!(matched.place.path().len(), 1, "{matched:?}");
    assert_eq!(matched.addresses, Some(1 << 22));
}

/// Each expands to what RFC 7208 7 says, and nothing more.
#[test]
fn macros() {
    let mail = "From: a@attack.example\r\n\r\nNow.\r\n";
    for (text, expected) in [
        ("%{d1r}", "attack"),
        ("%{d1r}.x", "attack.x"),
        ("%{l5r-}.x", "c.b.a.x"),
        ("%{s99}.x", r"a-b-c\@attack.example.x"),
        ("%{d99999999999999999999}.x", "attack.example.x"),
        ("%{d128r}.x", "example.attack.x"),
        ("%%.%_.%-.x", "%.\\032.%20.x"),
        ("%{L}.x", "a-b-c.x"),
    ] {
        let mut attempt =
            Attempt::new(mail).envelope("helo.attack.example", "a-b-c@attack.example");
        attempt.zone = Zone::new();
        let record = format!("v=spf1 exists:{text} -all");
        attempt.zone.add_txt("attack.example", record).unwrap();
        let verdict = attempt.verdict();
        assert_words(&verdict, "fail", &[], "none", Action::Deliver);
        let asked: Vec<String> = verdict
            .questions()
            .map(|question| question.name.as_str().to_owned())
            .collect();
        assert!(asked.contains(&expected.to_owned()), "{text}: {asked:?}");
    }
}

/// An expansion of thousands of octets is cut to the labels that fit, or refused; an explanation is
/// one line of ASCII.
#[test]
fn long_expansions() {
    let mail = "From: a@attack.example\r\n\r\nNow.\r\n";
    let sender = format!("{}@attack.example", "a.".repeat(60) + "b");
    for text in [
        "%{s}".repeat(2),
        "%{s}".repeat(40),
        "%{S99r.-+,/_=}".repeat(200),
    ] {
        let mut attempt = Attempt::new(mail).envelope("x\r\n250 ok\0", &sender);
        attempt.zone = Zone::new();
        let record = format!("v=spf1 exists:{text}.attack.example -all exp=why.attack.example");
        attempt.zone.add_txt("attack.example", record).unwrap();
        let why = "%{h} %{s} ".repeat(100);
        attempt.zone.add_txt("why.attack.example", why).unwrap();
        let verdict = attempt.verdict();
        assert_words(&verdict, "fail", &[], "none", Action::Deliver);
        for question in verdict.questions() {
            let octets: usize = question
                .name
                .labels()
                .iter()
                .map(|label| label.len() + 1)
                .sum();
            assert!(octets <= 254);
        }
        if let Some(explanation) = verdict.spf().authoritative().explanation() {
            let text = explanation.as_str();
            assert!(text.len() <= 500 && !text.contains(char::is_control));
        }
    }
}
