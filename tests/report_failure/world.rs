//! A message that fails, and who reports it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::crypto::SigningKey;
use mailproof::dkim::Signer;
use mailproof::dmarc::Settings;
use mailproof::dns::{Zone, block_on};
use mailproof::report::Unreported;
use mailproof::report::failure::{FailureReport, RateLimiter, Reporter};
use mailproof::{Address, Message, Session, Verdict, Verifier};

pub const RUF: &str = "ruf=mailto:failures@author.example";
pub const PLAIN: &str = "From: \"The Author\" <author@author.example>\r\n\
    To: \"A User\" <user@receiver.example>\r\nSubject: Good\r\n news\r\n\
    Message-ID: <1@author.example>\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n\r\n\
    Hello  user@receiver.example \r\n\r\n";

pub fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

pub fn reporter() -> Reporter {
    let from = Address::parse(b"noreply-dmarc@mx.receiver.example").unwrap();
    Reporter::new(
        from,
        "mx.receiver.example".parse().unwrap(),
        b"secret",
        RateLimiter::from_fn(|_, _, _| Some(1)),
    )
}

pub struct World {
    pub zone: Zone,
    pub session: Session,
    pub mail: Vec<u8>,
}

impl World {
    /// A message of author.example, which publishes this policy, from a server that SPF does not
    /// list, without a signature.
    pub fn new(policy: &str) -> Self {
        let mut zone = Zone::new();
        let record = format!("v=DMARC1; {policy}");
        zone.add_txt("_dmarc.author.example", record.as_str())
            .unwrap();
        zone.add_txt("author.example", "v=spf1 include:_spf.author.example -all")
            .unwrap();
        zone.add_txt("_spf.author.example", "v=spf1 ip4:192.0.2.1")
            .unwrap();
        zone.add_txt("other.example", "v=spf1 ip4:198.51.100.0/24 -all")
            .unwrap();
        Self {
            zone,
            session: Session::new(
                [198, 51, 100, 7].into(),
                "mx.other.example",
                "x@author.example",
            ),
            mail: PLAIN.into(),
        }
    }

    pub fn mail_from(mut self, mail_from: &str) -> Self {
        self.session = self.session.with_mail_from(mail_from);
        self
    }

    pub fn mail(mut self, mail: impl Into<Vec<u8>>) -> Self {
        self.mail = mail.into();
        self
    }

    /// Signs for a domain, and changes the message afterwards.
    pub fn signed(mut self, domain: &str, changed: (&str, &str)) -> Self {
        let (key, _) = SigningKey::generate_ed25519().unwrap();
        let signer = Signer::new(key, domain.parse().unwrap(), "sel").unwrap();
        self.zone
            .add_txt(
                &format!("sel._domainkey.{domain}"),
                signer.record().as_str(),
            )
            .unwrap();
        let signed = Signer::sign(&[signer], &Message::parse(&self.mail), now()).unwrap();
        let mail = [signed.header().into_bytes(), self.mail].concat();
        let mail = String::from_utf8(mail).unwrap();
        self.mail = mail.replacen(changed.0, changed.1, 1).into_bytes();
        self
    }

    pub fn verdict(&self) -> Verdict {
        let verifier = Verifier::new(&self.zone);
        block_on(
            verifier
                .at(now())
                .verify(&self.session, &Message::parse(&self.mail)),
        )
    }

    pub fn reports(&self, reporter: &Reporter) -> Result<Vec<FailureReport>, Unreported> {
        reporter.reports(&self.verdict(), &Message::parse(&self.mail), now())
    }

    pub fn recipients(&self, reporter: &Reporter) -> Vec<String> {
        let verdict = self.verdict();
        let settings = Settings::default();
        let recipients = reporter.recipients(&self.zone, &verdict, &settings);
        block_on(recipients)
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}

pub fn recipient() -> Address {
    Address::parse(b"failures@author.example").unwrap()
}
