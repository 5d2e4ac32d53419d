//! What becomes of verdicts: rows, reports, and the messages that carry them (RFC 9990 3).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::crypto::SigningKey;
use mailproof::dkim::Signer;
use mailproof::dmarc::{PublicSuffixList, RuleSet};
use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::report::Limits;
use mailproof::report::Unreported;
use mailproof::report::aggregate::{Accumulator, Reader, ReportKey, Reporter, Row};
use mailproof::verdict::RejectRule;
use mailproof::verifier::Settings;
use mailproof::{Address, Message, Session, Verdict, Verifier};

/// 2023-05-16T09:00:00Z
const NOW: u64 = 1_684_227_600;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn zone(records: &[(&str, &str)]) -> Zone {
    let mut zone = Zone::new();
    for (name, text) in records {
        zone.add_txt(name, text).unwrap();
    }
    zone
}

fn verdict(zone: Zone, session: &Session, mail: &str, settings: Settings) -> Verdict {
    let verifier = Verifier::with_settings(zone, settings);
    let message = Message::parse(mail.as_bytes());
    block_on(verifier.at(at(NOW)).verify(session, &message))
}

const MAIL: &str = "From: me@example.com\r\n\r\nHello\r\n";

fn session() -> Session {
    Session::new(
        [192, 0, 2, 1].into(),
        "mail.example.net",
        "me@mail.example.com",
    )
}

fn forged(record: &str, settings: Settings) -> Option<(ReportKey, Row)> {
    let zone = zone(&[("_dmarc.example.com", record)]);
    Row::observe(&verdict(zone, &session(), MAIL, settings), at(NOW))
}

/// What is applied and why, for a message that nothing authenticates.
fn applied(record: &str, settings: Settings) -> (String, Vec<String>) {
    let (_, row) = forged(record, settings).unwrap();
    let kinds = row.reasons.iter().map(|reason| reason.kind.to_string());
    (row.disposition.to_string(), kinds.collect())
}

const RUA: &str = "rua=mailto:d@example.com";

#[test]
fn dispositions_and_reasons() {
    let never = || {
        let mut settings = Settings::default();
        settings.policy.reject_rule = RejectRule::Never;
        settings
    };
    let blind = || {
        let mut settings = Settings::default();
        settings.policy.spf_only = true;
        settings
    };
    let listed = |sample| {
        let mut settings = Settings::default();
        let list = PublicSuffixList::parse(b"com\n").unwrap();
        settings.dmarc.public_suffix_list = Some(list.into());
        settings.dmarc.pct_sample = sample;
        settings
    };
    let reject = format!("v=DMARC1; p=reject; {RUA}");
    let testing = format!("v=DMARC1; p=reject; t=y; {RUA}");
    let sampled = format!("v=DMARC1; p=reject; pct=10; {RUA}");
    let none = format!("v=DMARC1; p=none; {RUA}");
    for (record, settings, disposition, reasons) in [
        (&none, Settings::default(), "none", &[][..]),
        (&reject, Settings::default(), "reject", &[]),
        (&reject, never(), "quarantine", &["local_policy"]),
        // Whatever made the action differ, a reason is given.
        (&reject, blind(), "none", &["local_policy"]),
        (
            &testing,
            Settings::default(),
            "quarantine",
            &["policy_test_mode"],
        ),
        (&testing, listed(0), "reject", &[]),
        (&sampled, listed(50), "quarantine", &["sampled_out"]),
        (&sampled, listed(5), "reject", &[]),
        (&sampled, Settings::default(), "reject", &[]),
    ] {
        let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
        assert_eq!(
            applied(record, settings),
            (disposition.into(), reasons),
            "{record}"
        );
    }
}

/// ‘pass’ is for what passes under a policy that asks for more than nothing.
#[test]
fn passes() {
    for (policy, disposition) in [("none", "none"), ("quarantine", "pass"), ("reject", "pass")] {
        let record = format!("v=DMARC1; p={policy}; {RUA}");
        let zone = zone(&[
            ("_dmarc.example.com", record.as_str()),
            ("mail.example.com", "v=spf1 ip4:192.0.2.1 -all"),
        ]);
        let (_, row) = Row::observe(
            &verdict(zone, &session(), MAIL, Settings::default()),
            at(NOW),
        )
        .unwrap();
        assert_eq!(row.disposition.to_string(), disposition);
        assert_eq!(
            (row.dkim.to_string(), row.spf.to_string()),
            ("fail".into(), "pass".into())
        );
        assert_eq!(row.spf_results[0].domain, "mail.example.com");
    }
}

/// Nothing is aligned, since a key cannot be looked up, and the receiver rejects what fails SPF.
#[test]
fn refused_though_dmarc_is_unknown() {
    let key = SigningKey::ed25519(&[7; 32]).unwrap();
    let signer = Signer::new(key, "example.com".parse().unwrap(), "s").unwrap();
    let mut zone = zone(&[
        ("_dmarc.example.com", &format!("v=DMARC1; p=none; {RUA}")),
        ("mail.example.com", "v=spf1 -all"),
    ]);
    zone.fail("s._domainkey.example.com", LookupError::Timeout)
        .unwrap();
    let fields = Signer::sign(&[signer], &Message::parse(MAIL.as_bytes()), at(NOW)).unwrap();
    let mut settings = Settings::default();
    settings.policy.enforce_spf_fail = true;
    let mail = format!("{}{MAIL}", fields.header());
    let (_, row) = Row::observe(&verdict(zone, &session(), &mail, settings), at(NOW)).unwrap();
    assert_eq!(row.disposition.to_string(), "reject");
    assert_eq!(row.reasons[0].kind.to_string(), "local_policy");
}

#[test]
fn what_is_not_reported() {
    let reject = format!("v=DMARC1; p=reject; {RUA}");
    assert!(
        forged("v=DMARC1; p=reject", Settings::default()).is_none(),
        "nobody asked"
    );
    assert!(forged("v=DMARC1; p=reject; rua=nonsense", Settings::default()).is_none());
    assert!(
        forged("v=spf1 -all", Settings::default()).is_none(),
        "no policy"
    );
    let of = |zone: Zone, session: &Session, mail: &str| {
        Row::observe(&verdict(zone, session, mail, Settings::default()), at(NOW))
    };
    let published = || zone(&[("_dmarc.example.com", &reject)]);
    assert!(of(published(), &session(), MAIL).is_some());
    let unknown = Session::unknown();
    assert!(
        of(published(), &unknown, MAIL).is_none(),
        "the client is unknown"
    );
    let two = "From: a@example.com, b@example.net\r\n\r\nHello\r\n";
    assert!(
        of(published(), &session(), two).is_none(),
        "no one author domain"
    );
    let mut failing = published();
    failing
        .fail("mail.example.com", LookupError::Timeout)
        .unwrap();
    assert!(
        of(failing, &session(), MAIL).is_none(),
        "deferred, and so seen again"
    );
    assert!(
        Row::observe(
            &verdict(published(), &session(), MAIL, Settings::default()),
            at(0)
        )
        .is_some()
    );
}

#[test]
fn the_null_reverse_path() {
    let zone = zone(&[
        ("_dmarc.example.com", &format!("v=DMARC1; p=none; {RUA}")),
        ("mail.example.net", "v=spf1 -all"),
    ]);
    let bounce = Session::new([192, 0, 2, 1].into(), "mail.example.net", "");
    let (_, row) =
        Row::observe(&verdict(zone, &bounce, MAIL, Settings::default()), at(NOW)).unwrap();
    assert_eq!(row.envelope_from.as_deref(), Some(""));
    let [spf] = row.spf_results.as_slice() else {
        panic!("{row:?}")
    };
    let told = (
        spf.domain.as_str(),
        spf.scope.as_ref().unwrap().to_string(),
        spf.result.to_string(),
    );
    assert_eq!(told, ("mail.example.net", "mfrom".into(), "fail".into()));
}

/// RFC 9990 3.1.3: at most 100, those that pass and are aligned first; the same set in another order
/// is the same row.
#[test]
fn signatures() {
    let signed_by = ["other.example", "x.example.com", "example.com"];
    let mut zone = zone(&[("_dmarc.example.com", &format!("v=DMARC1; p=reject; {RUA}"))]);
    let mut signed = MAIL.to_owned();
    for domain in signed_by {
        let key = SigningKey::ed25519(&[7; 32]).unwrap();
        let signer = Signer::new(key, domain.parse().unwrap(), "s").unwrap();
        zone.add_txt(&format!("s._domainkey.{domain}"), signer.record())
            .unwrap();
        let fields = Signer::sign(&[signer], &Message::parse(signed.as_bytes()), at(NOW)).unwrap();
        signed = format!("{}{signed}", fields.header());
    }
    let broken: String = (0..150)
        .map(|n| format!("DKIM-Signature: v=1; a=rsa-sha256; d=b{n:03}.example; s=s; h=from; bh=AAAA; b=AAAA\r\n"))
        .collect();
    let mut settings = Settings::default();
    settings.dkim.max_signatures = 200;
    settings.dkim.max_signature_fields = 200;
    let of = |mail: &str| {
        let verdict = verdict(zone.clone(), &session(), mail, settings.clone());
        Row::observe(&verdict, at(NOW)).unwrap().1
    };
    let row = of(&format!("{broken}{signed}"));
    assert_eq!(row.dkim_results.len(), 100);
    let first: Vec<_> = row.dkim_results[..4]
        .iter()
        .map(|one| (one.domain.as_str(), one.result.to_string()))
        .collect();
    let pass = || "pass".to_owned();
    assert_eq!(
        first[..3],
        [
            ("example.com", pass()),
            ("x.example.com", pass()),
            ("other.example", pass())
        ]
    );
    assert_ne!(first[3].1, "pass");
    assert_eq!(row.dkim_results[0].human_result, None);
    assert!(row.dkim_results[3].human_result.is_some());
    assert_eq!(of(&signed).dkim_results.len(), 3);
    let (one, other) = broken[..2 * broken.len() / 150].split_at(broken.len() / 150);
    assert_eq!(
        of(&format!("{one}{other}{signed}")),
        of(&format!("{other}{one}{signed}"))
    );
}

#[test]
fn reports_are_split_by_domain_policy_and_day() {
    let mut accumulator = Accumulator::default();
    let mut add = |zone: Zone, mail: &str, received| {
        accumulator.add(
            &verdict(zone, &session(), mail, Settings::default()),
            at(received),
        );
    };
    let none = format!("v=DMARC1; p=none; {RUA}");
    let sub = "From: me@foo.example.com\r\n\r\nHello\r\n";
    for _ in 0..3 {
        add(zone(&[("_dmarc.example.com", &none)]), MAIL, NOW);
    }
    // RFC 9990 3.1.2: subdomains without a record of their own have their own rows in the report
    // on the policy domain.
    add(zone(&[("_dmarc.example.com", &none)]), sub, NOW);
    add(zone(&[("_dmarc.foo.example.com", &none)]), sub, NOW);
    add(
        zone(&[("_dmarc.example.com", &format!("v=DMARC1; p=reject; {RUA}"))]),
        MAIL,
        NOW,
    );
    let midnight = 1_684_281_600;
    add(zone(&[("_dmarc.example.com", &none)]), MAIL, midnight - 1);
    add(zone(&[("_dmarc.example.com", &none)]), MAIL, midnight);
    assert_eq!(accumulator.take_due(at(midnight - 1)).count(), 0);
    let due: Vec<_> = accumulator.take_due(at(midnight)).collect();
    let told: Vec<_> = due
        .iter()
        .map(|(key, rows)| {
            let rows: Vec<_> = rows
                .iter()
                .map(|row| (row.header_from.as_str(), row.count))
                .collect();
            (key.policy_domain().as_str(), key.begin(), rows)
        })
        .collect();
    let day = midnight - 86_400;
    assert_eq!(
        told,
        [
            (
                "example.com",
                day,
                vec![("example.com", 4), ("foo.example.com", 1)]
            ),
            ("example.com", day, vec![("example.com", 1)]),
            ("foo.example.com", day, vec![("foo.example.com", 1)]),
        ]
    );
    let next: Vec<_> = accumulator.take_due(at(midnight + 86_400)).collect();
    assert_eq!(next.len(), 1);
    assert_eq!(accumulator.take_due(at(u64::MAX >> 2)).count(), 0);
}

#[test]
fn an_accumulator_that_is_full() {
    let mut limits = Limits::default();
    limits.kept_rows = 1;
    let mut accumulator = Accumulator::with_limits(limits);
    let (key, row) = forged(&format!("v=DMARC1; p=none; {RUA}"), Settings::default()).unwrap();
    let mut other = row.clone();
    other.header_from = "other.example.com".into();
    accumulator.add_row(key.clone(), row.clone());
    accumulator.add_row(key.clone(), row.clone());
    accumulator.add_row(key.clone(), other.clone());
    assert_eq!(accumulator.dropped(), 1);
    let (_, rows) = accumulator.take_due(at(NOW * 2)).next().unwrap();
    assert_eq!(rows.iter().map(|row| row.count).collect::<Vec<_>>(), [2]);
    accumulator.add_row(key, other);
    assert_eq!(accumulator.dropped(), 1);
}

fn reporter() -> Reporter {
    let email = Address::parse(b"dmarc@mx.example.net").unwrap();
    Reporter::new("Example Networks", email, "mx.example.net".parse().unwrap())
}

fn key(record: &str) -> ReportKey {
    format!("example.com 1684195200 {record}").parse().unwrap()
}

#[test]
fn what_a_report_states_of_the_policy() {
    let policy = |record: &str| {
        let report = reporter().report(&key(record), vec![]);
        let xml = report.to_xml(RuleSet::Rfc9989);
        let (_, rest) = xml.split_once("<policy_published>").unwrap();
        let (policy, _) = rest.split_once("</policy_published>").unwrap();
        let errors = report.errors.len();
        (policy.split_whitespace().collect::<String>(), errors)
    };
    assert_eq!(
        policy(
            "treewalk v=DMARC1; p=quarantine; sp=reject; np=none; aspf=s; fo=1:d; ruf=mailto:a@b.c; t=y"
        ),
        (
            "<domain>example.com</domain><p>quarantine</p><sp>reject</sp><np>none</np>\
             <adkim>r</adkim><aspf>s</aspf><discovery_method>treewalk</discovery_method>\
             <fo>1:d</fo><testing>y</testing>"
                .into(),
            0
        )
    );
    let (psl, _) = policy("psl v=DMARC1; p=none; np=reject; t=y; pct=50");
    assert!(
        psl.contains("psl") && !psl.contains("testing") && !psl.contains("np>"),
        "{psl}"
    );
    let (old, errors) = policy("treewalk v=DMARC1; p=reject; sp=bogus; rua=mailto:a@b.c");
    assert!(
        old.starts_with("<domain>example.com</domain><p>none</p><adkim>"),
        "{old}"
    );
    assert_eq!(errors, 1);
}

#[test]
fn all_can_move_between_threads() {
    fn is_send<T: Send>() {}
    is_send::<Reader<'_>>();
    is_send::<Accumulator>();
    is_send::<Reporter>();
}

#[test]
fn file_name_and_subject() {
    let (reporter, key) = (reporter(), key("treewalk v=DMARC1; p=none"));
    let id = reporter.report_id(&key);
    assert!(
        id.len() == 32 && id.bytes().all(|octet| octet.is_ascii_alphanumeric()),
        "{id}"
    );
    assert_eq!(
        reporter.file_name(&key),
        format!("mx.example.net!example.com!1684195200!1684281599!{id}.xml.gz")
    );
    let subject = reporter.subject(&key);
    assert_eq!(
        subject.split_whitespace().collect::<Vec<_>>().join(" "),
        format!("Report Domain: example.com Submitter: mx.example.net Report-ID: <{id}>")
    );
    // The same report keeps its name; whatever differs gets another.
    assert_eq!(reporter.report_id(&key), id);
    let mut other = reporter.clone();
    other.instance = "mx2".into();
    let others = [
        other.report_id(&key),
        reporter.report_id(
            &"example.com 1684281600 treewalk v=DMARC1; p=none"
                .parse()
                .unwrap(),
        ),
        reporter.report_id(
            &"example.com 1684195200 psl v=DMARC1; p=none"
                .parse()
                .unwrap(),
        ),
    ];
    assert!(others.iter().all(|other| *other != id), "{others:?}");
}

#[test]
fn the_message() {
    let reporter = reporter();
    let long = format!("{}.example.com", "a".repeat(60));
    let key: ReportKey = format!("{long} 1684195200 treewalk v=DMARC1; p=none")
        .parse()
        .unwrap();
    let (_, row) = forged(&format!("v=DMARC1; p=none; {RUA}"), Settings::default()).unwrap();
    let to = [b"d@example.com", b"e@example.com"].map(|to| Address::parse(to).unwrap());
    let rows = vec![row; 50];
    let mail = reporter.mail(&key, rows.clone(), &to, at(NOW)).unwrap();
    let again = reporter.mail(&key, rows.clone(), &to, at(NOW));
    assert_eq!(Ok(mail.clone()), again);

    let message = Message::parse(&mail);
    assert_eq!(message.head().anomalies(), &Default::default());
    let field = |name: &str| {
        let [field] = message.head().named(name.as_bytes()).collect::<Vec<_>>()[..] else {
            panic!("one {name}");
        };
        String::from_utf8(field.value().to_vec())
            .unwrap()
            .replace("\r\n\t", " ")
            .trim()
            .to_owned()
    };
    assert_eq!(field("Date"), "Tue, 16 May 2023 09:00:00 +0000");
    assert_eq!(field("From"), "<dmarc@mx.example.net>");
    assert_eq!(field("To"), "<d@example.com>, <e@example.com>");
    assert_eq!(field("Auto-Submitted"), "auto-generated");
    let id = reporter.report_id(&key);
    assert_eq!(field("Message-ID"), format!("<{id}@mx.example.net>"));
    assert!(field("Subject").ends_with(&format!("Report-ID: <{id}>")));
    let lines = mail.split(|octet| *octet == b'\n');
    assert!(
        lines
            .clone()
            .all(|line| line.last().is_none_or(|last| *last == b'\r'))
    );
    assert!(lines.map(<[u8]>::len).max() <= Some(200));
    let text = String::from_utf8(mail.clone()).unwrap();
    assert!(text.contains("Content-Type: application/gzip;"), "{text}");
    assert!(
        text.contains(&format!("filename=\"{}\"", reporter.file_name(&key))),
        "{text}"
    );

    let mut reader = Reader::new(mail.as_slice(), &Limits::default()).unwrap();
    assert_eq!(reader.report().report_id, id);
    assert_eq!(
        reader.by_ref().map(Result::unwrap).collect::<Vec<_>>(),
        rows
    );
    assert_eq!(reader.warnings(), []);
}

#[test]
fn keys_are_of_days() {
    for begin in ["1684195201", "18446744073709551615", "-86400"] {
        let key = format!("example.com {begin} treewalk v=DMARC1; p=none");
        assert!(key.parse::<ReportKey>().is_err(), "{key}");
    }
    // The last day that the type can hold.
    let key = format!(
        "example.com {} treewalk v=DMARC1; p=none",
        u64::MAX / 86_400 * 86_400
    );
    let key: ReportKey = key.parse().unwrap();
    let to = [Address::parse(b"d@example.com").unwrap()];
    let mail = |rows, to| reporter().mail(&key, rows, to, at(NOW));
    assert!(mail(vec![Row::default()], &to).is_ok());
    assert_eq!(mail(Vec::new(), &to), Err(Unreported::NoRows));
    assert_eq!(
        mail(vec![Row::default()], &[]),
        Err(Unreported::NoRecipients)
    );
}

/// RFC 9990 9.1: no more of a person than need be. A macro puts the sender's local part into names.
#[test]
fn names_that_macros_made_are_not_told() {
    let policy = format!("v=DMARC1; p=none; {RUA}");
    let included = "v=spf1 include:%{l}._spf.sender.example -all";
    let redirected = "v=spf1 redirect=%{l}.x.sender.example";
    for (record, target) in [
        (included, "v=nothing"),
        (redirected, "v=nothing"),
        (redirected, "v=spf1 foo"),
        (redirected, "v=spf1 a:"),
    ] {
        let zone = zone(&[
            ("_dmarc.example.com", &policy),
            ("sender.example", record),
            ("jane.doe.x.sender.example", target),
        ]);
        let session = Session::new([192, 0, 2, 1].into(), "mx", "jane.doe@sender.example");
        let row = Row::observe(&verdict(zone, &session, MAIL, Settings::default()), at(NOW));
        let spf = &row.unwrap().1.spf_results[0];
        assert_eq!(spf.result.to_string(), "permerror");
        let told = spf.human_result.as_ref().unwrap().text.as_str();
        assert!(!told.contains("jane"), "{told}");
        assert!(told.contains("%{l}"), "{told}");
    }
}
