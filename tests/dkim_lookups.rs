//! Third-party authorization, report addresses, and odd shapes of header fields.

mod dkim_support;

use std::time::SystemTime;

use dkim_support::{craft, key, verify, zone};
use mailproof::dkim::{self, Canonicalization, Cause, DkimResult, Settings, Signer, Verification};
use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::{Domain, Message};

const HEADER: &str = "From: a@example.com\r\nSubject: hello\r\n";
const BODY: &str = "one\r\ntwo\r\n";

fn verified(zone: &Zone, tags: &str) -> Verification {
    let mail = craft(tags, HEADER, BODY, BODY.len());
    verify(zone, &mail, &Settings::default()).remove(0)
}

#[test]
fn authorized_third_parties() {
    let author: Domain = "example.com".parse().unwrap();
    let ask = |zone: &Zone, tags: &str| {
        let tags = format!("d=one.example.net; s=s; h=From; {tags}");
        let verification = verified(zone, &tags);
        block_on(verification.check_third_party(zone, &author))
    };
    let sha1 = "atps=Example.com; atpsh=sha1;";
    let name = "qsp4i4d24crhopdz3o3ziu2ksgs3x6z6._atps.example.com";
    let mut zone = zone(&["one.example.net"]);
    assert_eq!(ask(&zone, sha1), Some(DkimResult::Fail));
    assert_eq!(ask(&zone, ""), None);
    assert_eq!(ask(&zone, "atps=example.com;"), None);
    assert_eq!(ask(&zone, "atps=example.com; atpsh=md5;"), None);
    assert_eq!(ask(&zone, "atps=other.example; atpsh=none;"), None);
    zone.add_txt(name, "v=ATPS1; d=two.example.net").unwrap();
    assert_eq!(ask(&zone, sha1), Some(DkimResult::Fail));
    zone.add_txt(name, "v=ATPS1; d=one.example.net").unwrap();
    assert_eq!(ask(&zone, sha1), Some(DkimResult::Pass));
    let none = "atps=example.com; atpsh=none;";
    assert_eq!(ask(&zone, none), Some(DkimResult::Fail));
    zone.add_txt("one.example.net._atps.example.com", "v=ATPS1")
        .unwrap();
    assert_eq!(ask(&zone, none), Some(DkimResult::Pass));
    zone.fail(name, LookupError::ServFail).unwrap();
    assert_eq!(ask(&zone, sha1), Some(DkimResult::Temperror));
    // A signature that does not verify authorizes nobody.
    let unsigned = Zone::new();
    assert_eq!(ask(&unsigned, none), None);
}

#[test]
fn report_addresses() {
    let mut zone = Zone::new();
    let ask = |zone: &Zone, tags: &str| {
        let verification = verified(zone, &format!("d=example.com; s=s; h=From; {tags}"));
        assert_eq!(verification.cause(), &Cause::NoKey);
        block_on(verification.report_request(zone))
    };
    assert_eq!(ask(&zone, "r=y;"), None);
    let name = "_report._domainkey.example.com";
    zone.add_txt(name, "ra=dkim; rp=10; rr=d:v").unwrap();
    let request = ask(&zone, "r=y;").unwrap();
    assert_eq!(request.address().unwrap().to_string(), "dkim@example.com");
    assert_eq!(request.percentage(), 10);
    assert_eq!(ask(&zone, ""), None);
    assert_eq!(ask(&zone, "r=n;"), None);
    zone.add_txt(name, "ra=other").unwrap();
    assert_eq!(ask(&zone, "r=y;"), None);
    let mut zone = Zone::new();
    zone.add_txt(name, "ra=dkim; rr=v:x").unwrap();
    assert_eq!(ask(&zone, "r=y;"), None);
    let mut zone = Zone::new();
    zone.fail(name, LookupError::Timeout).unwrap();
    assert_eq!(ask(&zone, "r=y;"), None);
}

#[test]
fn odd_fields_survive_both_canonicalizations() {
    let long: String = (0..400)
        .map(|n| format!("user{n}@example.net,\r\n\t"))
        .collect();
    let fields: &[&[u8]] = &[
        b"From: a@example.com",
        b"From:a@example.com",
        b"From:\r\n\ta@example.com",
        b"From : a@example.com",
        b"from: J\xfcrgen <a@example.com> \t",
        b"X-Empty:",
        b"X-Empty: ",
        b"X-Blank:\r\n \r\n\tx",
        b"X-Control: a\x0b\x0c\x00b\rc\nd",
        b"To: ",
    ];
    let names = [
        "From",
        "From",
        "X-Empty",
        "X-Blank",
        "X-Control",
        "To",
        "X-Absent",
    ];
    let names: Vec<String> = names.map(str::to_owned).to_vec();
    for header in [Canonicalization::Simple, Canonicalization::Relaxed] {
        let signer = Signer::new(key(), "example.com".parse().unwrap(), "s")
            .unwrap()
            .canonicalization(header, Canonicalization::Relaxed)
            .fields(&names)
            .unwrap();
        for field in fields {
            let mail = [
                field,
                &b"\r\nTo: "[..],
                long.as_bytes(),
                b"z@example.net\r\n\r\nx",
            ];
            let mail = mail.concat();
            let now = SystemTime::now();
            let signed =
                dkim::Signer::sign(std::slice::from_ref(&signer), &Message::parse(&mail), now);
            let mail = [signed.unwrap().header().as_bytes(), &mail].concat();
            let message = Message::parse(&mail);
            let zone = zone(&["example.com"]);
            let settings = Settings::default();
            let verifications = block_on(dkim::verify_message(&zone, &message, now, &settings));
            assert_eq!(
                verifications[0].cause(),
                &Cause::Passed,
                "{header} {}",
                field.escape_ascii()
            );
        }
    }
}
