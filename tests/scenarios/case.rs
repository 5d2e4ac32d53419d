//! One case: a session, a message, DNS data, and what must come of them.

use std::path::Path;
use std::time::{Duration, SystemTime};

use mailproof::auth_results::{AuthenticationResults, AuthservId};
use mailproof::diagnosis::{Finding, Value};
use mailproof::dns::{Resolver, Transcript, Zone, block_on};
use mailproof::report::aggregate::Row;
use mailproof::verdict::RejectRule;
use mailproof::verifier::Settings;
use mailproof::{Message, Session, Verdict, Verifier, spf};

/// What goes in.
pub struct Case {
    /// The file in `tests/data/scenarios`, without its ending.
    pub message: &'static str,
    /// Zone text beside the common zone.
    pub zone: &'static str,
    /// Names whose records in the common zone are left out.
    pub without: &'static [&'static str],
    pub ip: &'static str,
    pub helo: &'static str,
    pub mail_from: &'static str,
    pub now: u64,
    /// What the receiver sets.
    pub settings: fn(&mut Settings),
}

/// Report A at the first hop outside the company.
pub const A: Case = Case {
    message: "",
    zone: "",
    without: &[],
    ip: "193.37.132.101",
    helo: "cloudmx.netatwork.de",
    mail_from: "User@Netatwork.de",
    // 2020-09-24T11:19:14Z
    now: 1_600_946_354,
    settings: |_| {},
};

/// Report B at its third station, firma-c.tld.
pub const B: Case = Case {
    message: "",
    zone: "",
    without: &[],
    ip: "104.47.11.20",
    helo: "mail-b.outbound.protection.outlook.com",
    mail_from: "Verteilername+SRS=y1OwP=BF=firma-a.tld=userA@firma-b.tld",
    // 2023-05-16T09:00:00Z
    now: 1_684_227_600,
    settings: |_| {},
};

/// What must come out.
pub struct Expected {
    /// The word and the domain.
    pub spf: (&'static str, &'static str),
    /// The word of each signature.
    pub dkim: &'static [&'static str],
    pub dmarc: &'static str,
    /// The disposition that the author domain asks for.
    pub requested: &'static str,
    /// The action by default.
    pub action: &'static str,
    /// The action under `RejectRule::Enforce`.
    pub enforced: &'static str,
    /// How the SMTP reply begins by default.
    pub reply: Option<&'static str>,
    /// How it begins under `RejectRule::Enforce`.
    pub enforced_reply: Option<&'static str>,
    /// The override under the default rule.
    pub overridden: Option<&'static str>,
    /// The row of the aggregate report under the default rule: disposition, whether DKIM and SPF are
    /// aligned, and the override reasons; empty where there is no policy to report on.
    pub row: &'static str,
    /// Findings that must be among those of the diagnosis, with words that their sentences must
    /// hold; the first of them must come first.
    pub findings: &'static [(&'static str, &'static [&'static str])],
}

/// Delivered without further words.
pub const DELIVERED: Expected = Expected {
    spf: ("none", ""),
    dkim: &[],
    dmarc: "none",
    requested: "none",
    action: "deliver",
    enforced: "deliver",
    reply: None,
    enforced_reply: None,
    overridden: None,
    row: "",
    findings: &[],
};

impl Case {
    /// Runs the case under both rules.
    pub fn gives(&self, expected: &Expected) {
        let verdict = self.verdict(RejectRule::Corroborated);
        asks_what_it_did_before(&verdict);
        let spf = verdict.spf().authoritative();
        let domain = spf
            .domain()
            .map(|domain| domain.as_str())
            .unwrap_or_default();
        assert_eq!(
            (spf.result().as_str(), domain),
            expected.spf,
            "{}",
            spf.cause()
        );
        let dkim: Vec<&str> = verdict
            .dkim()
            .iter()
            .map(|one| one.result().as_str())
            .collect();
        assert_eq!(dkim, expected.dkim, "{:?}", verdict.dkim());
        let dmarc = verdict.dmarc();
        assert_eq!(dmarc.result().as_str(), expected.dmarc, "{}", dmarc.cause());
        assert_eq!(dmarc.disposition().to_string(), expected.requested);
        assert_eq!(verdict.action().to_string(), expected.action);
        reply_begins(&verdict, expected.reply);
        let kind = verdict.overridden().map(|(kind, _)| kind.to_string());
        assert_eq!(kind.as_deref(), expected.overridden);
        found(&verdict.diagnosis(), expected.findings);
        self.states_its_results(&verdict, expected);
        self.is_reported(expected);

        let replay = Transcript::from_text(verdict.transcript().to_string())
            .unwrap()
            .replay();
        let again = self.verify(replay, RejectRule::Corroborated);
        assert_eq!(
            serde_json::to_value(&verdict).unwrap(),
            serde_json::to_value(again).unwrap()
        );

        let verdict = self.verdict(RejectRule::Enforce);
        assert_eq!(verdict.action().to_string(), expected.enforced);
        reply_begins(&verdict, expected.enforced_reply);
        assert_eq!(verdict.dmarc().result().as_str(), expected.dmarc);
    }

    /// What the message itself tells beyond the diagnosis.
    pub fn explains(&self, expected: &[(&str, &[&str])]) {
        let verdict = self.verdict(RejectRule::Corroborated);
        let octets = read(&format!("{}.eml", self.message));
        let message = Message::parse(&octets);
        found(&verdict.forensics(&message), expected);
    }

    /// The Authentication-Results field has a result for each method and signature.
    fn states_its_results(&self, verdict: &Verdict, expected: &Expected) {
        let id: AuthservId = "mx.firma-c.tld".parse().unwrap();
        let field = verdict
            .authentication_results(&id)
            .to_field()
            .replace("\r\n\t", " ");
        let value = field.split_once(':').map(|(_, value)| value).unwrap();
        let again = AuthenticationResults::parse(value.as_bytes()).unwrap();
        assert_eq!(again, verdict.authentication_results(&id), "{field}");
        let (word, domain) = expected.spf;
        assert!(field.contains(&format!("; spf={word} ")), "{field}");
        assert!(
            field.contains(&format!(" smtp.mailfrom={domain}")),
            "{field}"
        );
        let signatures = field.matches("; dkim=").count();
        assert_eq!(signatures, expected.dkim.len().max(1), "{field}");
        assert!(
            field.contains(&format!("; dmarc={}", expected.dmarc)),
            "{field}"
        );
        assert!(!field.contains(['\r', '\n']), "{field}");
    }

    /// The aggregate report that the author domain would get, had it asked for one.
    fn is_reported(&self, expected: &Expected) {
        let Some(row) = self.row(RejectRule::Corroborated) else {
            assert_eq!(expected.row, "", "nothing is reported");
            return;
        };
        let Row {
            disposition,
            dkim,
            spf,
            reasons,
            ..
        } = &row;
        let reasons: String = reasons.iter().map(|one| format!(" {}", one.kind)).collect();
        let told = format!("{disposition} dkim={dkim} spf={spf}{reasons}");
        assert_eq!(told, expected.row);
        assert_eq!(row.source_ip.to_string(), self.ip);
        let results: Vec<String> = row
            .dkim_results
            .iter()
            .map(|one| one.result.to_string())
            .collect();
        let mut signatures = expected.dkim.to_vec();
        // Those that pass come first.
        signatures.sort_by_key(|word| *word != "pass");
        assert_eq!(results, signatures);
        let checked: Vec<(String, &str)> = row
            .spf_results
            .iter()
            .map(|one| (one.result.to_string(), one.domain.as_str()))
            .collect();
        assert_eq!(checked, [(expected.spf.0.to_owned(), expected.spf.1)]);
        let from = self.mail_from.rsplit('@').next().unwrap().to_lowercase();
        assert_eq!(row.envelope_from, Some(from));
        assert_eq!(Row::from_xml(&row.to_xml()), Ok(row));
    }

    /// The row of the aggregate report.
    pub fn row(&self, rule: RejectRule) -> Option<Row> {
        let asking = self.zone_text().replace(
            "TXT \"v=DMARC1; ",
            "TXT \"v=DMARC1; rua=mailto:d@reports.example; ",
        );
        let verdict = self.verify(Zone::from_text(asking.as_bytes()).unwrap(), rule);
        let received = SystemTime::UNIX_EPOCH + Duration::from_secs(self.now);
        let (key, row) = Row::observe(&verdict, received)?;
        assert_eq!(Some(key.policy_domain()), verdict.dmarc().policy_domain());
        assert_eq!(
            Some(row.header_from.as_str()),
            verdict.author().domain().map(|d| d.as_str())
        );
        Some(row)
    }

    pub fn verdict(&self, rule: RejectRule) -> Verdict {
        self.verify(self.zone(), rule)
    }

    fn verify(&self, resolver: impl Resolver, rule: RejectRule) -> Verdict {
        let mut settings = Settings::default();
        settings.policy.reject_rule = rule;
        (self.settings)(&mut settings);
        self.verify_with(resolver, settings)
    }

    pub fn verdict_with(&self, settings: Settings) -> Verdict {
        self.verify_with(self.zone(), settings)
    }

    fn verify_with(&self, resolver: impl Resolver, settings: Settings) -> Verdict {
        let verifier = Verifier::with_settings(resolver, settings);
        let session = Session::new(self.ip.parse().unwrap(), self.helo, self.mail_from);
        let octets = read(&format!("{}.eml", self.message));
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(self.now);
        block_on(verifier.at(now).verify(&session, &Message::parse(&octets)))
    }

    /// What SPF gives for another sender from the same client.
    pub fn spf_of(&self, sender: &str) -> spf::Evaluation {
        let session = Session::new(self.ip.parse().unwrap(), self.helo, sender);
        let settings = spf::Settings::default();
        let evaluation = block_on(spf::check_session(&self.zone(), &session, &settings));
        evaluation.authoritative().clone()
    }

    pub fn zone(&self) -> Zone {
        Zone::from_text(self.zone_text().as_bytes()).unwrap()
    }

    fn zone_text(&self) -> String {
        let mut text = String::new();
        for file in ["base.zone", "keys.zone"] {
            for line in String::from_utf8(read(file)).unwrap().lines() {
                let owner = line.split_whitespace().next().unwrap_or_default();
                if !self.without.contains(&owner.trim_end_matches('.')) {
                    text.push_str(line);
                    text.push('\n');
                }
            }
        }
        text.push_str(self.zone);
        text
    }
}

/// The findings are there, name what they must, and all are complete.
pub fn found(findings: &[Finding], expected: &[(&str, &[&str])]) {
    let codes: Vec<&str> = findings.iter().map(|one| one.code().as_str()).collect();
    if let Some((first, _)) = expected.first() {
        assert_eq!(codes.first(), Some(first), "{codes:#?}");
    }
    for (code, words) in expected {
        let finding = findings.iter().find(|one| one.code().as_str() == *code);
        let finding = finding.unwrap_or_else(|| panic!("no {code} among {codes:#?}"));
        for word in *words {
            assert!(finding.sentence().contains(word), "{word}: {finding}");
        }
    }
    for finding in findings {
        complete(finding);
        // A reply is what somebody wrote, and need not say about whom.
        let is_reply = finding.code().as_str() == "bounce-reply";
        assert!(is_reply || names_somebody(finding), "{finding}");
    }
}

/// Whether the sentence names a domain, or an address or name of one, that is among the evidence.
fn names_somebody(finding: &Finding) -> bool {
    finding.evidence().any(|(_, value)| {
        let is_name = matches!(value, Value::Domain(_) | Value::Name(_) | Value::Address(_));
        is_name && finding.sentence().contains(&value.to_string())
    })
}

/// Every blank of the templates is filled by evidence.
pub fn complete(finding: &Finding) {
    assert!(finding.evidence().len() != 0, "{finding}");
    let remedies = finding.code().remedy_templates().map(|(_, how)| how);
    for template in remedies.chain([finding.code().template()]) {
        for blank in template.split('{').skip(1) {
            let name = blank.split('}').next().unwrap();
            let code = finding.code();
            assert!(finding.value(name).is_some(), "{code} lacks {name}");
        }
    }
}

/// The questions to the DNS stand in a file of the test's name: a case that asks for more, or in
/// another order, has to say so. `MAILPROOF_WRITE_QUESTIONS=1` writes the files anew.
fn asks_what_it_did_before(verdict: &Verdict) {
    let thread = std::thread::current();
    let test = thread
        .name()
        .unwrap_or_default()
        .rsplit("::")
        .next()
        .unwrap_or_default();
    let file = format!("asked/{test}.txt");
    let asked: String = verdict
        .questions()
        .map(|question| format!("{question}\n"))
        .collect();
    if std::env::var("MAILPROOF_WRITE_QUESTIONS").is_ok() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/scenarios");
        std::fs::create_dir_all(folder.join("asked")).unwrap();
        std::fs::write(folder.join(&file), &asked).unwrap();
    }
    assert_eq!(asked, String::from_utf8(read(&file)).unwrap(), "{test}");
}

fn reply_begins(verdict: &Verdict, expected: Option<&str>) {
    let reply = verdict.smtp_reply().map(|reply| reply.to_string());
    match expected {
        None => assert_eq!(reply, None),
        Some(start) => {
            let reply = reply.unwrap_or_default();
            assert!(reply.starts_with(start), "{reply}");
        }
    }
}

pub fn read(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data/scenarios")
        .join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
