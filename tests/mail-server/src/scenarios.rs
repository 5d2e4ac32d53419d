//! The two field reports, as `tests/scenarios.rs` has them, with the words they must give.

use std::path::Path;

use mailproof::dns::Zone;
use mailproof::{Action, Session};

use crate::mix::{Mail, expected};

pub struct Scenario {
    pub name: &'static str,
    message: &'static str,
    /// Records beside the common ones.
    records: &'static str,
    /// Names whose common records are left out.
    without: &'static [&'static str],
    client: (&'static str, &'static str),
    mail_from: &'static str,
    dmarc: &'static str,
    action: Action,
}

const UNLISTED: (&str, &str) = ("203.0.113.7", "relay.example.net");
const EXCHANGE: (&str, &str) = ("104.47.12.54", "mail-a.outbound.protection.outlook.com");
const FILTER: (&str, &str) = ("193.37.132.101", "cloudmx.netatwork.de");
const LIST: (&str, &str) = ("104.47.11.20", "mail-b.outbound.protection.outlook.com");
const A: &str = "User@Netatwork.de";
const B: &str = "Verteilername+SRS=y1OwP=BF=firma-a.tld=userA@firma-b.tld";
const A_REJECT: &str = "_dmarc.netatwork.onmicrosoft.com. TXT \"v=DMARC1; p=reject\"\n";
const REJECT: &str = "_dmarc.firma-a.tld. TXT \"v=DMARC1; p=reject\"\n";
const NONE: &str = "_dmarc.firma-a.tld. TXT \"v=DMARC1; p=none\"\n";
const QUARANTINE: &str = "_dmarc.firma-a.tld. TXT \"v=DMARC1; p=quarantine\"\n";
const STRICT: &str = "_dmarc.firma-a.tld. TXT \"v=DMARC1; p=reject; aspf=s\"\n";
const SHARED: &str = "_dmarc.firma-a.tld. TXT \"v=DMARC1; p=reject\"\n\
    firma-a.tld. TXT \"v=spf1 ip4:192.0.2.10 include:spf.protection.outlook.com -all\"\n";
const NO_SPF: &[&str] = &["netatwork.de", "_spf.netatwork.de"];

macro_rules! scenario {
    ($name:literal $message:literal $records:expr, $without:expr, $client:expr, $from:expr, $dmarc:literal $action:ident) => {
        Scenario {
            name: $name,
            message: $message,
            records: $records,
            without: $without,
            client: $client,
            mail_from: $from,
            dmarc: $dmarc,
            action: Action::$action,
        }
    };
}

pub const ALL: [Scenario; 19] = [
    scenario!("a0" "a-sealed" "", &[], FILTER, A, "none" Deliver),
    scenario!("a1" "a" "", NO_SPF, UNLISTED, A, "none" Deliver),
    scenario!("a1d" "a-signed" "", NO_SPF, UNLISTED, A, "none" Deliver),
    scenario!("a2" "a" "", &[], EXCHANGE, A, "none" Deliver),
    scenario!("a2x" "a" "", &[], UNLISTED, A, "none" Deliver),
    scenario!("a3" "a-signed" A_REJECT, NO_SPF, UNLISTED, A, "pass" Deliver),
    scenario!("a4" "a-signed" A_REJECT, &[], EXCHANGE, A, "pass" Deliver),
    scenario!("a5" "a-signed" A_REJECT, &[], UNLISTED, A, "pass" Deliver),
    scenario!("a5x" "a-check-changed" A_REJECT, &[], UNLISTED, A, "fail" Reject),
    scenario!("b0" "b-list" NONE, &[], LIST, B, "fail" Deliver),
    scenario!("b0r" "b-list" REJECT, &[], LIST, B, "fail" Quarantine),
    scenario!("b1" "b-list" QUARANTINE, &[], LIST, B, "fail" Quarantine),
    scenario!("b2" "b-list-author-signed" REJECT, &[], LIST, B, "pass" Deliver),
    scenario!("b3" "b-list-footer" REJECT, &[], LIST, B, "fail" Quarantine),
    scenario!("b4" "b-list-subject" REJECT, &[], LIST, B, "fail" Quarantine),
    scenario!("b5" "b-plain" REJECT, &[], LIST, "userA@firma-a.tld", "fail" Reject),
    scenario!("b6" "b-plain" SHARED, &["firma-a.tld"], LIST, "userA@firma-a.tld", "pass" Deliver),
    scenario!("b7" "b-plain" STRICT, &[], ("192.0.2.10", "mx.firma-a.tld"), "x@bounce.firma-a.tld", "fail" Reject),
    scenario!("b10" "b-list-sealed" REJECT, &[], LIST, B, "fail" Quarantine),
];

fn read(file: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/scenarios");
    std::fs::read(folder.join(file)).unwrap()
}

impl Scenario {
    /// Zone text; long strings in pieces, since a name server takes none of more than 255 octets.
    pub fn zone_text(&self) -> String {
        let mut text = String::from("$TTL 0\n");
        for file in ["base.zone", "keys.zone"] {
            for line in String::from_utf8(read(file)).unwrap().lines() {
                let owner = line.split_whitespace().next().unwrap_or_default();
                if self.without.contains(&owner.trim_end_matches('.')) {
                    continue;
                }
                match line.split_once(" \"").filter(|_| line.len() > 255) {
                    Some((start, value)) => {
                        let (first, second) = value.split_at(200);
                        text.push_str(&format!("{start} \"{first}\" \"{second}\n"));
                    }
                    None => text.push_str(&format!("{line}\n")),
                }
            }
        }
        text + self.records
    }

    /// The message, with what the library alone makes of it; that must be what is written above.
    pub fn mail(&self) -> Mail {
        let zone = Zone::from_text(self.zone_text().as_bytes()).unwrap();
        let octets = read(&format!("{}.eml", self.message));
        let (ip, helo) = self.client;
        let session = Session::new(ip.parse().unwrap(), helo, self.mail_from);
        let expected = expected(&zone, &session, &octets);
        assert_eq!(expected.dmarc, self.dmarc, "{}", self.name);
        assert_eq!(expected.action, self.action, "{}", self.name);
        Mail {
            name: self.name.to_owned(),
            kind: 0,
            ip: ip.to_owned(),
            helo: helo.to_owned(),
            mail_from: self.mail_from.to_owned(),
            octets,
            expected,
        }
    }
}
