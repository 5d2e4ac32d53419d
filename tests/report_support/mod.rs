//! Random reports, and verdicts on random mail, from fixed seeds.

#![allow(dead_code, reason = "no test needs all of it")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::dkim::DkimResult;
use mailproof::dmarc::{AlignmentMode, Disposition, DmarcResult, PublicSuffixList, RuleSet};
use mailproof::dns::{Zone, block_on};
use mailproof::report::aggregate::{
    Applied, DkimAuth, Extension, Reason, Report, Row, SpfAuth, Text, Word,
};
use mailproof::spf::{Identity, SpfResult};
use mailproof::verdict::{Override, RejectRule};
use mailproof::verifier::Settings;
use mailproof::{Message, Session, Verdict, Verifier};

/// xorshift64*, which is random enough.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).unwrap() % bound
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    pub fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(2) == 0).then(|| make(self))
    }

    pub fn some<T>(&mut self, most: usize, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }
}

/// Text without white space at its ends, with all that needs escaping.
pub fn text(random: &mut Random) -> String {
    let pieces = [
        "a",
        "example.com",
        "&",
        "<",
        ">",
        "\"",
        "'",
        "]]>",
        "&amp;",
        " ",
        "\n",
        "\t",
        "\r",
        "ü",
        "€",
        "𝄞",
        "<!--",
        "&#0;",
        "\u{7f}",
        "\u{85}",
        "\u{fffd}",
        "%00",
        "--",
        "{}",
    ];
    let length = random.below(8);
    let text: String = (0..length).map(|_| random.pick(&pieces)).collect();
    text.trim().to_owned()
}

fn human(random: &mut Random, rules: RuleSet) -> Text {
    let languages = ["en", "de-AT", "zh-Hant-1996"];
    match rules {
        RuleSet::Rfc9989 if random.below(3) == 0 => {
            Text::in_language(text(random), random.pick(&languages))
        }
        _ => text(random).into(),
    }
}

/// A known word, or one that nobody knows.
fn word<T: Clone>(random: &mut Random, known: &[T]) -> Word<T> {
    match random.below(8) {
        0 => Word::Other(format!("odd-{}", random.below(9))),
        _ => Word::Known(random.pick(known)),
    }
}

const DISPOSITIONS: [Disposition; 3] = [
    Disposition::None,
    Disposition::Quarantine,
    Disposition::Reject,
];
const MODES: [AlignmentMode; 2] = [AlignmentMode::Relaxed, AlignmentMode::Strict];

/// A report that a schema can hold without loss.
pub fn report(random: &mut Random, rules: RuleSet) -> Report {
    let is_9990 = rules == RuleSet::Rfc9989;
    let mut report = Report::default();
    report.version = Some("1.0".into());
    report.namespace = Some(
        match rules {
            RuleSet::Rfc9989 => "urn:ietf:params:xml:ns:dmarc-2.0",
            _ => "http://dmarc.org/dmarc-xml/0.1",
        }
        .into(),
    );
    report.org_name = text(random);
    report.email = text(random);
    report.extra_contact_info = random.maybe(|random| human(random, rules));
    report.report_id = text(random);
    report.begin = random.next() >> 20;
    report.end = random.next() >> 20;
    report.errors = random.some(if is_9990 { 1 } else { 3 }, |random| human(random, rules));
    report.generator = random.maybe(text).filter(|_| is_9990);
    let policy = &mut report.policy;
    policy.domain = text(random);
    policy.p = word(random, &DISPOSITIONS);
    policy.adkim = random.maybe(|random| word(random, &MODES));
    policy.aspf = random.maybe(|random| word(random, &MODES));
    if is_9990 {
        policy.sp = random.maybe(|random| word(random, &DISPOSITIONS));
        policy.np = random.maybe(|random| word(random, &DISPOSITIONS));
        policy.discovery_method =
            random.maybe(|random| word(random, &[RuleSet::Rfc9989, RuleSet::Rfc7489]));
        policy.fo = random.maybe(text);
        policy.testing = random.maybe(|random| word(random, &[true, false]));
        report.extensions = random.some(2, extension);
    } else {
        policy.sp = Some(word(random, &DISPOSITIONS));
        policy.fo = Some(text(random));
        policy.pct = Some(word(random, &[0, 50, 100]));
    }
    report.rows = random.some(5, |random| row(random, rules));
    report
}

fn extension(random: &mut Random) -> Extension {
    let inner = Extension::parse("<n/>").unwrap();
    let xml = format!(
        "<x:e{} xmlns:x=\"urn:x\" xmlns:y='urn:y' y:a=\"{}\" b='c' xml:lang='de'>\
         t&amp;&lt;<x:i>{}</x:i><y:j xmlns:y='urn:z'/><k/></x:e{0}>",
        random.below(3),
        random.below(9),
        random.pick(&["", "1", "a &quot;b&quot;"]),
    );
    Extension::parse(if random.below(4) == 0 {
        inner.as_xml()
    } else {
        &xml
    })
    .unwrap()
}

fn address(random: &mut Random) -> IpAddr {
    match random.below(2) {
        0 => Ipv4Addr::from_bits(u32::try_from(random.next() >> 32).unwrap()).into(),
        _ => Ipv6Addr::from_bits(u128::from(random.next()) << random.below(64)).into(),
    }
}

fn row(random: &mut Random, rules: RuleSet) -> Row {
    let is_9990 = rules == RuleSet::Rfc9989;
    let mut row = Row::default();
    row.source_ip = match random.below(8) {
        0 => Word::Other("somewhere".into()),
        _ => address(random).into(),
    };
    row.count = random.next();
    let applied = [
        Applied::None,
        Applied::Quarantine,
        Applied::Reject,
        Applied::Pass,
    ];
    row.disposition = word(random, &applied[..if is_9990 { 4 } else { 3 }]);
    row.dkim = word(random, &[DmarcResult::Pass, DmarcResult::Fail]);
    row.spf = word(random, &[DmarcResult::Pass, DmarcResult::Fail]);
    row.reasons = random.some(3, |random| reason(random, rules));
    row.header_from = text(random);
    row.envelope_from = random.maybe(text);
    row.envelope_to = random.maybe(text);
    row.dkim_results = random.some(3, |random| dkim(random, rules));
    row.spf_results = random.some(1, |random| spf(random, rules));
    if is_9990 {
        row.extensions = random.some(2, extension);
    } else {
        row.envelope_from.get_or_insert_default();
        if row.spf_results.is_empty() {
            row.spf_results.push(spf(random, rules));
        }
    }
    row
}

fn reason(random: &mut Random, rules: RuleSet) -> Reason {
    let kinds: [Word<Override>; 6] = [
        Override::LocalPolicy.into(),
        Override::MailingList.into(),
        Override::Other.into(),
        Override::TrustedForwarder.into(),
        match rules {
            RuleSet::Rfc9989 => Override::PolicyTestMode.into(),
            _ => Word::Other("forwarded".into()),
        },
        match rules {
            RuleSet::Rfc9989 => Override::PolicyTestMode.into(),
            _ => Word::Other("sampled_out".into()),
        },
    ];
    let mut reason = Reason::default();
    reason.kind = random.pick(&kinds);
    reason.comment = random.maybe(|random| human(random, rules));
    reason
}

fn dkim(random: &mut Random, rules: RuleSet) -> DkimAuth {
    let results = [
        DkimResult::None,
        DkimResult::Pass,
        DkimResult::Fail,
        DkimResult::Policy,
        DkimResult::Neutral,
        DkimResult::Temperror,
        DkimResult::Permerror,
    ];
    let mut entry = DkimAuth::default();
    entry.domain = text(random);
    entry.selector = match rules {
        RuleSet::Rfc9989 => Some(text(random)),
        _ => random.maybe(text),
    };
    entry.result = word(random, &results);
    entry.human_result = random.maybe(|random| human(random, rules));
    entry
}

fn spf(random: &mut Random, rules: RuleSet) -> SpfAuth {
    let results = [
        SpfResult::None,
        SpfResult::Neutral,
        SpfResult::Pass,
        SpfResult::Fail,
        SpfResult::Softfail,
        SpfResult::Temperror,
        SpfResult::Permerror,
    ];
    let mut entry = SpfAuth::default();
    entry.domain = text(random);
    entry.result = word(random, &results);
    if rules == RuleSet::Rfc9989 {
        entry.scope = random.maybe(|_| Identity::MailFrom.into());
        entry.human_result = random.maybe(|random| human(random, rules));
    } else {
        entry.scope = Some(word(random, &[Identity::MailFrom, Identity::Helo]));
    }
    entry
}

/// A verdict on some mail: any policy, any outcome, signatures by strangers, hostile names.
pub fn verdict(random: &mut Random) -> (Verdict, SystemTime) {
    let domains = [
        "a.example",
        "x.a.example",
        "b.example",
        "y.b.example",
        "c.example",
    ];
    let mut zone = Zone::new();
    for domain in domains {
        let policy = random.pick(&[
            "v=DMARC1; p=none; rua=mailto:r@a.example",
            "v=DMARC1; p=reject; rua=mailto:r@b.example; fo=1:d:s; ruf=mailto:r@b.example",
            "v=DMARC1; p=quarantine; sp=reject; np=none; adkim=s; rua=mailto:r@a.example",
            "v=DMARC1; p=reject; t=y; pct=0; rua=mailto:r@a.example!1m",
            "v=DMARC1; p=bogus; <&>\u{1}; rua=mailto:r@a.example",
            "v=DMARC1; p=reject; aspf=s; sp=nonsense; rua=mailto:r@a.example",
            "v=DMARC1; p=reject",
            "",
        ]);
        if !policy.is_empty() {
            zone.add_txt(&format!("_dmarc.{domain}"), policy).unwrap();
        }
        let record = random.pick(&[
            "v=spf1 ip4:192.0.2.0/24 -all",
            "v=spf1 ip6:2001:db8::/32 ~all",
            "v=spf1 nonsense",
            "v=spf1 ?all",
            "",
        ]);
        if !record.is_empty() {
            zone.add_txt(domain, record).unwrap();
        }
    }
    let author = random.pick(&domains);
    let mut mail = format!("From: me@{author}\r\nSubject: hi\r\n");
    for _ in 0..random.pick(&[0, 0, 1, 2, 3, 120]) {
        mail.insert_str(
            0,
            &format!(
                "DKIM-Signature: v=1; a=rsa-sha256; d={}; s={}; h=from; bh=AAAA; b=AAAA\r\n",
                random.pick(&domains),
                random.pick(&["s1", "s2", "a..b", "<x>&"]),
            ),
        );
    }
    if random.below(2) == 0 {
        mail.push_str("List-Id: <users.lists.example>\r\n");
    }
    mail.push_str("\r\nHello\r\n");
    let sender = random.pick(&[
        "",
        "me@a.example",
        "x@b.example",
        "not an address",
        "<i@y.b.example>",
    ]);
    let address = random.pick(&[
        "192.0.2.1",
        "198.51.100.7",
        "2001:db8::1",
        "::ffff:192.0.2.9",
    ]);
    let session = Session::new(address.parse().unwrap(), "mail.c.example", sender);
    let settings = settings(random);
    let verifier = Verifier::with_settings(zone, settings);
    let received = UNIX_EPOCH + Duration::from_secs(1_684_227_600 + random.next() % 200_000);
    let verdict = block_on(
        verifier
            .at(received)
            .verify(&session, &Message::parse(mail.as_bytes())),
    );
    (verdict, received)
}

fn settings(random: &mut Random) -> Settings {
    let mut settings = Settings::default();
    let policy = &mut settings.policy;
    policy.reject_rule = random.pick(&[
        RejectRule::Corroborated,
        RejectRule::Enforce,
        RejectRule::Never,
    ]);
    policy.enforce_spf_fail = random.below(3) == 0;
    policy.spf_only = random.below(8) == 0;
    if random.below(3) == 0 {
        policy.mailing_lists(|_| Some("a list <we> read & trust\u{2}".into()));
    }
    if random.below(3) == 0 {
        policy.exceptions(|_| Some("an exception".into()));
    }
    settings.dkim.max_signatures = 200;
    if random.below(3) == 0 {
        let list = PublicSuffixList::parse(b"example\n").unwrap();
        settings.dmarc.public_suffix_list = Some(list.into());
        settings.dmarc.pct_sample = 50;
    }
    settings
}
