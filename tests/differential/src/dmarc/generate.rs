//! Random DMARC records, and messages whose identifiers are aligned or not.

use crate::random::Random;
use crate::records::{Data, Records};

#[derive(Clone, Debug)]
pub struct Case {
    pub records: Records,
    pub message: String,
    /// Domain, and whether it passed.
    pub spf: (String, bool),
    pub dkim: (String, bool),
}

const DOMAINS: &[&str] = &[
    "example.com",
    "mail.example.com",
    "a.b.example.com",
    "other.com",
    "sub.other.com",
    "com",
    "Example.COM",
    "x.a.b.example.com",
    "notexample.com",
    "1.2.3.4.5.6.7.8.9.example.com",
    "example.org",
    "new.mail.example.com",
];

impl Case {
    pub fn random(random: &mut Random) -> Self {
        let mut records = Records::default();
        for name in [
            "com",
            "example.com",
            "b.example.com",
            "mail.example.com",
            "other.com",
            "example.org",
        ] {
            records.add(name, Data::Address("192.0.2.1".parse().unwrap()));
            let owner = format!("_dmarc.{name}");
            let count = match random.below(12) {
                0..5 => 0,
                11 => 2,
                _ => 1,
            };
            for _ in 0..count {
                records.add(&owner, Data::Txt(plain(random)));
            }
            if random.once_in(40) {
                records.add(&owner, Data::Fails);
            }
        }
        // Exists, whether it has an address or not.
        records.add(
            "a.b.example.com",
            Data::Address("192.0.2.1".parse().unwrap()),
        );
        let author = random.pick(DOMAINS);
        let message = match random.below(20) {
            0 => format!("From: a@{author}, b@{}\r\n\r\n", random.pick(DOMAINS)),
            1 => format!("From: a@{author}, b@{author}\r\n\r\n"),
            2 => "Subject: no author\r\n\r\n".to_owned(),
            3 => format!(
                "From: a@{author}\r\nFrom: b@{}\r\n\r\n",
                random.pick(DOMAINS)
            ),
            4 => format!("From: \"x@evil.example\" <a@{author}>\r\n\r\n"),
            _ => format!("From: A <a@{author}>\r\n\r\n"),
        };
        Self {
            records,
            message,
            spf: (random.pick(DOMAINS).to_owned(), random.once_in(2)),
            dkim: (random.pick(DOMAINS).to_owned(), random.once_in(2)),
        }
    }
}

impl Case {
    /// The case with the first TXT record of each name alone.
    pub fn with_first_records(&self) -> Self {
        let mut records = Records::default();
        for (name, data) in &self.records.0 {
            let is_text = matches!(data, Data::Txt(_));
            if !is_text || records.texts(name).is_empty() {
                records.add(name, data.clone());
            }
        }
        Self {
            records,
            ..self.clone()
        }
    }
}

const POLICIES: &[&str] = &["none", "quarantine", "reject"];

/// A record that is sound.
fn plain(random: &mut Random) -> String {
    let mut text = format!("v=DMARC1; p={}", random.pick(POLICIES));
    for (name, values) in [
        ("sp", POLICIES),
        ("np", POLICIES),
        ("adkim", &["r", "s"][..]),
        ("aspf", &["r", "s"]),
        ("psd", &["y", "n", "u"]),
        ("t", &["y", "n"]),
        ("pct", &["0", "50", "100"]),
    ] {
        if random.once_in(3) {
            text += &format!("; {name}={}", random.pick(values));
        }
    }
    text
}

const TAGS: &[&str] = &[
    "sp=none",
    "sp=reject",
    "np=quarantine",
    "adkim=s",
    "adkim=r",
    "aspf=s",
    "aspf=R",
    "fo=1",
    "fo=0:d:s",
    "psd=y",
    "psd=n",
    "psd=u",
    "t=y",
    "t=n",
    "pct=50",
    "ri=86400",
    "rf=afrf",
    "rua=mailto:a@example.com",
    "rua=mailto:a@example.com,mailto:b@example.org!10m",
    "ruf=mailto:c@example.com",
    "unknown=x",
    "p=reject",
];

const ODD: &[&str] = &[
    "sp=bad",
    "np=",
    "adkim=x",
    "aspf=strict",
    "fo=2",
    "fo=d:",
    "psd=x",
    "t=maybe",
    "pct=x",
    "pct=101",
    "ri=-1",
    "rua=https://example.com",
    "rua=a@example.com",
    "rua=mailto:",
    "rua=mailto:a@example.com,",
    "ruf=,",
    "P=reject",
    "junk",
    "=x",
    "SP=none",
    "x=",
    "p=none; p=reject",
    "adkim = s",
    "sp= reject ",
    "sp=Reject",
    "sp=rejected",
];

/// Any record.
pub fn record(random: &mut Random) -> String {
    let version = match random.below(30) {
        0 => "v=dmarc1",
        1 => "V=DMARC1",
        2 => " v=DMARC1",
        3 => "v = DMARC1 ",
        4 => "v=DMARC2",
        5 => "v=DMARC1x",
        _ => "v=DMARC1",
    };
    let policy = match random.below(16) {
        0 => "p=bad",
        1 => "p = reject",
        2 => "p=",
        3 => "sp=none",
        4 => "p=Quarantine",
        _ => random.pick(&["p=none", "p=quarantine", "p=reject"]),
    };
    let mut tags = vec![policy];
    for _ in 0..random.below(5) {
        tags.push(if random.once_in(8) {
            random.pick(ODD)
        } else {
            random.pick(TAGS)
        });
    }
    if random.once_in(6) {
        random.shuffle(&mut tags);
    }
    tags.insert(0, version);
    let mut text = tags.join(random.pick(&["; ", "; ", ";", " ; ", ";  "]));
    text += random.pick(&["", "", ";", "; ", " "]);
    if random.once_in(12) {
        text = random.change(&text, b" ;=:,!aZ0\t");
    }
    text
}
