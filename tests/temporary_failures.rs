//! Temporary DNS failures by method: which result each method gives, for each way of failing, and
//! that none of them is ever read as "no record".

use std::path::Path;
use std::time::{Duration, SystemTime};

use mailproof::dns::{LookupError, RecordType, Zone, block_on};
use mailproof::verifier::Settings;
use mailproof::{Action, Message, Session, Verdict, Verifier};

const FAILURES: [LookupError; 5] = [
    LookupError::ServFail,
    LookupError::Timeout,
    LookupError::Truncated,
    LookupError::Refused,
    LookupError::Malformed,
];

fn read(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/scenarios")
        .join(file);
    std::fs::read(path).unwrap()
}

/// The author signs, and sends from an address that SPF allows.
fn verdict(zone: Zone) -> Verdict {
    let octets = read("b-author-signed.eml");
    let session = Session::new(
        [192, 0, 2, 10].into(),
        "mx.firma-a.tld",
        "userA@firma-a.tld",
    );
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_684_227_600);
    block_on(
        Verifier::new(zone)
            .at(now)
            .verify(&session, &Message::parse(&octets)),
    )
}

fn zone() -> Zone {
    let mut text = [read("base.zone"), read("keys.zone")].concat();
    text.extend_from_slice(b"_dmarc.firma-a.tld. TXT \"v=DMARC1; p=reject\"\n");
    Zone::from_text(&text).unwrap()
}

fn words(verdict: &Verdict) -> (&str, &str, &str) {
    let dkim = verdict
        .dkim()
        .first()
        .map_or("none", |one| one.result().as_str());
    (
        verdict.spf().authoritative().result().as_str(),
        dkim,
        verdict.dmarc().result().as_str(),
    )
}

const KEY: &str = "s1._domainkey.firma-a.tld";

#[test]
fn nothing_fails() {
    let verdict = verdict(zone());
    assert_eq!(words(&verdict), ("pass", "pass", "pass"));
    assert_eq!(verdict.action(), Action::Deliver);
}

/// A conclusive pass of the other method stands.
#[test]
fn one_method_fails_and_the_other_passes() {
    for failure in FAILURES {
        let mut without_spf = zone();
        without_spf
            .fail_type("firma-a.tld", RecordType::Txt, failure.clone())
            .unwrap();
        let spf = verdict(without_spf);
        assert_eq!(words(&spf), ("temperror", "pass", "pass"), "{failure}");
        assert_eq!(spf.action(), Action::Deliver);
        let mut without_key = zone();
        without_key.fail(KEY, failure.clone()).unwrap();
        let dkim = verdict(without_key);
        assert_eq!(words(&dkim), ("pass", "temperror", "pass"), "{failure}");
        assert_eq!(dkim.action(), Action::Deliver);
    }
}

/// Nothing passed, and what could have passed is unknown: try again later.
#[test]
fn nothing_conclusive() {
    for failure in FAILURES {
        let mut both = zone();
        both.fail_type("firma-a.tld", RecordType::Txt, failure.clone())
            .unwrap();
        both.fail(KEY, failure.clone()).unwrap();
        let both = verdict(both);
        assert_eq!(
            words(&both),
            ("temperror", "temperror", "temperror"),
            "{failure}"
        );
        assert_eq!(both.action(), Action::Defer);
        assert!(
            both.smtp_reply()
                .unwrap()
                .to_string()
                .starts_with("451 4.7.5 ")
        );

        let mut revoked = Zone::from_text(read("base.zone")).unwrap();
        revoked.add_txt(KEY, "v=DKIM1; p=").unwrap();
        revoked
            .add_txt("_dmarc.firma-a.tld", "v=DMARC1; p=reject")
            .unwrap();
        revoked
            .fail_type("firma-a.tld", RecordType::Txt, failure.clone())
            .unwrap();
        let revoked = verdict(revoked);
        assert_eq!(
            words(&revoked),
            ("temperror", "permerror", "temperror"),
            "{failure}"
        );
        assert_eq!(revoked.action(), Action::Defer);
        assert!(
            revoked
                .smtp_reply()
                .unwrap()
                .to_string()
                .starts_with("451 4.7.24 ")
        );
    }
}

/// Without the policy DMARC has no conclusion. Mail that the author domain itself vouches for is
/// delivered all the same, since no policy could have anything against it.
#[test]
fn the_policy_is_unknown() {
    for failure in FAILURES {
        let mut authenticated = zone();
        authenticated
            .fail("_dmarc.firma-a.tld", failure.clone())
            .unwrap();
        let authenticated = verdict(authenticated);
        assert_eq!(
            words(&authenticated),
            ("pass", "pass", "temperror"),
            "{failure}"
        );
        assert_eq!(authenticated.action(), Action::Deliver);

        let mut forged = Zone::new();
        forged.add_txt("firma-a.tld", "v=spf1 -all").unwrap();
        forged.fail("_dmarc.firma-a.tld", failure.clone()).unwrap();
        let forged = verdict(forged);
        assert_eq!(
            words(&forged),
            ("fail", "permerror", "temperror"),
            "{failure}"
        );
        assert_eq!(forged.action(), Action::Defer);
        assert!(
            forged
                .smtp_reply()
                .unwrap()
                .to_string()
                .starts_with("451 4.7.1 ")
        );
    }
}

/// A policy that asks for nothing has no use for another attempt; one that cannot be known, or SPF
/// that is enforced, has.
#[test]
fn what_a_later_attempt_could_change() {
    let zone = |policy: &str| {
        let mut zone = Zone::new();
        zone.add_txt("firma-a.tld", "v=spf1 -all").unwrap();
        zone.add_txt("_dmarc.firma-a.tld", policy).unwrap();
        zone.fail(KEY, LookupError::ServFail).unwrap();
        zone
    };
    let lax = verdict(zone("v=DMARC1; p=none"));
    assert_eq!(words(&lax), ("fail", "temperror", "temperror"));
    assert_eq!(lax.action(), Action::Deliver);
    let octets = read("b-author-signed.eml");
    let session = Session::new(
        [192, 0, 2, 10].into(),
        "mx.firma-a.tld",
        "userA@firma-a.tld",
    );
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_684_227_600);
    let mut settings = Settings::default();
    settings.policy.enforce_spf_fail = true;
    let enforcing = Verifier::with_settings(zone("v=DMARC1; p=reject"), settings);
    let enforced = block_on(enforcing.at(now).verify(&session, &Message::parse(&octets)));
    assert_eq!(enforced.action(), Action::Defer);
    assert!(
        enforced
            .smtp_reply()
            .unwrap()
            .to_string()
            .starts_with("451 4.7.5 ")
    );
}

/// SPF's exceptions: a failing PTR look-up is no match, `%{p}` becomes "unknown", and a failing
/// explanation is none.
#[test]
fn exceptions_of_spf() {
    for failure in FAILURES {
        let check = |record: &str, change: &dyn Fn(&mut Zone)| {
            let mut zone = Zone::new();
            zone.add_txt("firma-a.tld", record).unwrap();
            let reverse = "10.2.0.192.in-addr.arpa";
            zone.fail_type(reverse, RecordType::Ptr, failure.clone())
                .unwrap();
            change(&mut zone);
            verdict(zone)
        };
        let ptr = check("v=spf1 ptr ip4:192.0.2.10 -all", &|_| ());
        assert_eq!(words(&ptr).0, "pass", "{failure}");
        let ptr = check("v=spf1 ptr -all", &|_| ());
        assert_eq!(words(&ptr).0, "fail", "{failure}");
        let p = check("v=spf1 exists:%{p}.p.firma-a.tld -all", &|zone| {
            zone.add_address("unknown.p.firma-a.tld", [127, 0, 0, 2].into())
                .unwrap();
        });
        assert_eq!(words(&p).0, "pass", "{failure}");
        let exp = check("v=spf1 exp=why.firma-a.tld -all", &|zone| {
            zone.fail("why.firma-a.tld", failure.clone()).unwrap();
        });
        assert_eq!(words(&exp).0, "fail", "{failure}");
        assert!(exp.spf().authoritative().explanation().is_none());
        for term in ["a", "mx", "exists:x.firma-a.tld", "include:x.firma-a.tld"] {
            let broken = check(&format!("v=spf1 {term} -all"), &|zone| {
                for record_type in [RecordType::A, RecordType::Mx] {
                    zone.fail_type("firma-a.tld", record_type, failure.clone())
                        .unwrap();
                }
                zone.fail("x.firma-a.tld", failure.clone()).unwrap();
            });
            assert_eq!(words(&broken).0, "temperror", "{term} {failure}");
        }
    }
}
