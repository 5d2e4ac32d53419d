//! The two field reports behind the crate, case by case: a Teams invitation whose envelope and From
//! belong to different organizations (a), and a list forwarder that rewrites the envelope sender
//! (b). Each case runs through the front door and asserts every word a receiver would act on.

#[path = "scenarios/case.rs"]
mod case;

use case::{A, B, Case, Expected};

/// As reported: everything is in order, and no DMARC policy applies.
#[test]
fn a0() {
    Case {
        message: "a-signed",
        ..A
    }
    .gives(&Expected {
        spf: ("pass", "netatwork.de"),
        dkim: &["pass"],
        dmarc: "none",
        requested: "none",
        action: "deliver",
        enforced: "deliver",
        reply: None,
        enforced_reply: None,
    });
}

/// The author domain asks to reject; its own signature makes DMARC pass, without SPF.
#[test]
fn a3() {
    Case {
        message: "a-signed",
        zone: "_dmarc.netatwork.onmicrosoft.com. TXT \"v=DMARC1; p=reject\"\n",
        ip: "203.0.113.7",
        helo: "relay.example.net",
        without: &["netatwork.de", "_spf.netatwork.de"],
        ..A
    }
    .gives(&Expected {
        spf: ("none", "netatwork.de"),
        dkim: &["pass"],
        dmarc: "pass",
        requested: "none",
        action: "deliver",
        enforced: "deliver",
        reply: None,
        enforced_reply: None,
    });
}

/// As reported: SPF passes and DKIM passes, both for the forwarder; DMARC fails, and the author
/// domain asks for nothing.
#[test]
fn b0() {
    Case {
        message: "b-list",
        zone: "_dmarc.firma-a.tld. TXT \"v=DMARC1; p=none; rua=mailto:dmarc@firma-a.tld; \
               ruf=mailto:dmarc@firma-a.tld\"\n",
        ..B
    }
    .gives(&Expected {
        spf: ("pass", "firma-b.tld"),
        dkim: &["pass"],
        dmarc: "fail",
        requested: "none",
        action: "deliver",
        enforced: "deliver",
        reply: None,
        enforced_reply: None,
    });
}

/// The author domain asks to reject: quarantined, since an authenticated third party visibly
/// relayed the message.
#[test]
fn b0r() {
    Case {
        message: "b-list",
        zone: REJECT,
        ..B
    }
    .gives(&Expected {
        spf: ("pass", "firma-b.tld"),
        dkim: &["pass"],
        dmarc: "fail",
        requested: "reject",
        action: "quarantine",
        enforced: "reject",
        reply: None,
        enforced_reply: Some("550 5.7.1 DMARC"),
    });
}

#[test]
fn b1() {
    let zone = "_dmarc.firma-a.tld. TXT \"v=DMARC1; p=quarantine\"\n";
    Case {
        message: "b-list",
        zone,
        ..B
    }
    .gives(&Expected {
        spf: ("pass", "firma-b.tld"),
        dkim: &["pass"],
        dmarc: "fail",
        requested: "quarantine",
        action: "quarantine",
        enforced: "quarantine",
        reply: None,
        enforced_reply: None,
    });
}

/// The author signs, and the list changes nothing.
#[test]
fn b2() {
    Case {
        message: "b-list-author-signed",
        zone: REJECT,
        ..B
    }
    .gives(&Expected {
        spf: ("pass", "firma-b.tld"),
        dkim: &["pass", "pass"],
        dmarc: "pass",
        requested: "none",
        action: "deliver",
        enforced: "deliver",
        reply: None,
        enforced_reply: None,
    });
}

/// Forwarded without rewriting, or forged.
#[test]
fn b5() {
    Case {
        message: "b-plain",
        zone: REJECT,
        mail_from: "userA@firma-a.tld",
        ..B
    }
    .gives(&Expected {
        spf: ("fail", "firma-a.tld"),
        dkim: &[],
        dmarc: "fail",
        requested: "reject",
        action: "reject",
        enforced: "reject",
        reply: Some("550 5.7.26 "),
        enforced_reply: Some("550 5.7.26 "),
    });
}

/// Direct from the author's own server, but with an envelope domain that strict alignment refuses.
#[test]
fn b7() {
    Case {
        message: "b-plain",
        zone: "_dmarc.firma-a.tld. TXT \"v=DMARC1; p=reject; aspf=s\"\n",
        ip: "192.0.2.10",
        helo: "mx.firma-a.tld",
        mail_from: "x@bounce.firma-a.tld",
        ..B
    }
    .gives(&Expected {
        spf: ("pass", "bounce.firma-a.tld"),
        dkim: &[],
        dmarc: "fail",
        requested: "reject",
        action: "reject",
        enforced: "reject",
        reply: Some("550 5.7.1 DMARC"),
        enforced_reply: Some("550 5.7.1 DMARC"),
    });
}

const REJECT: &str = "_dmarc.firma-a.tld. TXT \"v=DMARC1; p=reject\"\n";
