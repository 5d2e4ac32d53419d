//! Attacks from the literature and the field, end to end: each runs through the front door from an
//! address of the attacker's, whose own domain is in perfect order, against a victim whose policy is
//! to reject. What is held is what a receiver acts on: the words, the action, and what it is told.

#[path = "attacks/composition.rs"]
mod composition;
#[expect(
    dead_code,
    reason = "it verifies as well, which is the front door's part here"
)]
mod dkim_support;
#[path = "attacks/forwarding.rs"]
mod forwarding;
#[path = "attacks/message.rs"]
mod message;
#[path = "attacks/smuggling.rs"]
mod smuggling;
#[path = "attacks/spf.rs"]
mod spf;

use std::time::{Duration, SystemTime};

use mailproof::auth_results::{AuthenticationResults, AuthservId};
use mailproof::crypto::SigningKey;
use mailproof::dkim::{self, KeyRecord, Signer};
use mailproof::dns::{Zone, block_on};
use mailproof::verifier::Settings;
use mailproof::{Action, Message, Session, Verdict, Verifier};

const VICTIM: &str = "legitimate.example";
const ATTACKER: &str = "attack.example";
const VICTIM_IP: [u8; 4] = [192, 0, 2, 10];
const ATTACKER_IP: [u8; 4] = [203, 0, 113, 66];

/// 2023-11-14T22:13:20Z
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// The attacker's key is that of the signer that writes any tags.
fn signer(domain: &str) -> Signer {
    let key = match domain {
        VICTIM => SigningKey::ed25519(&[1; 32]).unwrap(),
        _ => dkim_support::key(),
    };
    Signer::new(key, domain.parse().unwrap(), "s").unwrap()
}

/// `mail` below a signature of the domain.
fn signed(domain: &str, mail: &str) -> String {
    let message = Message::parse(mail.as_bytes());
    let signed = dkim::Signer::sign(&[signer(domain)], &message, now()).unwrap();
    format!("{}{mail}", signed.header())
}

/// Both domains, in order, and every name below the attacker's that an attack uses.
fn zone() -> Zone {
    let mut zone = Zone::new();
    let key = |domain| KeyRecord::new(signer(domain).key().verifying_key()).to_string();
    zone.add_txt(VICTIM, "v=spf1 ip4:192.0.2.10 -all").unwrap();
    zone.add_txt("_dmarc.legitimate.example", "v=DMARC1; p=reject")
        .unwrap();
    zone.add_txt("s._domainkey.legitimate.example", key(VICTIM))
        .unwrap();
    for name in ["", "helo.", "any."] {
        zone.add_txt(&format!("{name}{ATTACKER}"), "v=spf1 ip4:203.0.113.66 -all")
            .unwrap();
    }
    zone.add_txt("_dmarc.attack.example", "v=DMARC1; p=reject")
        .unwrap();
    zone.add_txt("s._domainkey.attack.example", key(ATTACKER))
        .unwrap();
    zone
}

/// One attempt: by default from the attacker's host, in the attacker's name.
struct Attempt<'a> {
    zone: Zone,
    settings: Settings,
    now: SystemTime,
    ip: [u8; 4],
    helo: &'a [u8],
    mail_from: &'a [u8],
    mail: &'a [u8],
}

impl<'a> Attempt<'a> {
    fn new(mail: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self {
            zone: zone(),
            settings: Settings::default(),
            now: now(),
            ip: ATTACKER_IP,
            helo: b"helo.attack.example",
            mail_from: b"any@attack.example",
            mail: mail.as_ref(),
        }
    }

    fn envelope(mut self, helo: &'a str, mail_from: &'a str) -> Self {
        (self.helo, self.mail_from) = (helo.as_bytes(), mail_from.as_bytes());
        self
    }

    /// Whatever is tried, the words for other servers are one line each, read as they were written,
    /// and do not say that the victim was authenticated.
    fn verdict(&self) -> Verdict {
        let session = Session::new(self.ip.into(), self.helo, self.mail_from);
        let verifier = Verifier::with_settings(&self.zone, self.settings.clone());
        let message = Message::parse(self.mail);
        let verdict = block_on(verifier.at(self.now).verify(&session, &message));
        let id: AuthservId = "mx.receiver.example".parse().unwrap();
        let results = verdict.authentication_results(&id);
        let field = results.to_field();
        let (_, value) = field.split_once(':').unwrap();
        let read = AuthenticationResults::parse(value.as_bytes());
        assert_eq!(read.as_ref(), Ok(&results), "{field}");
        if let Some(reply) = verdict.smtp_reply() {
            assert!(!reply.to_string().contains(char::is_control));
        }
        verdict
    }
}

/// The words of SPF for MAIL FROM, of each signature, and of DMARC, and the action.
#[track_caller]
fn assert_words(verdict: &Verdict, spf: &str, dkim: &[&str], dmarc: &str, action: Action) {
    let signatures: Vec<&str> = verdict
        .dkim()
        .iter()
        .map(|one| one.result().as_str())
        .collect();
    assert_eq!(
        (
            verdict.spf().authoritative().result().as_str(),
            signatures.as_slice(),
            verdict.dmarc().result().as_str(),
            verdict.action()
        ),
        (spf, dkim, dmarc, action),
        "{}",
        verdict.dmarc().cause()
    );
}

#[track_caller]
fn assert_finding(verdict: &Verdict, code: &str) {
    let codes: Vec<&str> = verdict
        .diagnosis()
        .iter()
        .map(|finding| finding.code().as_str())
        .collect();
    assert!(codes.contains(&code), "{code} is not among {codes:?}");
}
