//! Failure reports (RFC 9991, RFC 6591, RFC 5965): which are made, who gets them, what is in them,
//! and that what is written reads the same.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::crypto::SigningKey;
use mailproof::dkim::{Signer, sign};
use mailproof::dmarc::Settings;
use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::identifier::Method;
use mailproof::report::failure::{
    AuthFailure, DeliveryResult, FailureReport, MemoryRateLimiter, RateLimiter, ReadError,
    Reporter, Unreported, Warning,
};
use mailproof::{Address, Limits, Message, Session, Verdict, Verifier};

const RUF: &str = "ruf=mailto:failures@author.example";
const PLAIN: &str = "From: \"The Author\" <author@author.example>\r\n\
    To: \"A User\" <user@receiver.example>\r\nSubject: Good\r\n news\r\n\
    Message-ID: <1@author.example>\r\nDate: Tue, 14 Nov 2023 22:13:20 +0000\r\n\r\n\
    Hello  user@receiver.example \r\n\r\n";

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// No limit at all.
struct All;

impl RateLimiter for All {
    fn admit(&self, _: &Address, _: &str, _: SystemTime) -> Option<u32> {
        Some(1)
    }
}

fn reporter() -> Reporter {
    let from = Address::parse(b"noreply-dmarc@mx.receiver.example").unwrap();
    Reporter::new(from, "mx.receiver.example".parse().unwrap(), b"secret", All)
}

struct World {
    zone: Zone,
    session: Session,
    mail: Vec<u8>,
}

impl World {
    /// A message of author.example, which publishes this policy, from a server that SPF does not
    /// list, without a signature.
    fn new(policy: &str) -> Self {
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

    fn mail_from(mut self, mail_from: &str) -> Self {
        self.session = self.session.mail_from_is(mail_from);
        self
    }

    fn mail(mut self, mail: impl Into<Vec<u8>>) -> Self {
        self.mail = mail.into();
        self
    }

    /// Signs for a domain, and changes the message afterwards.
    fn signed(mut self, domain: &str, changed: (&str, &str)) -> Self {
        let (key, _) = SigningKey::generate_ed25519().unwrap();
        let signer = Signer::new(key, domain.parse().unwrap(), "sel").unwrap();
        self.zone
            .add_txt(
                &format!("sel._domainkey.{domain}"),
                signer.record().as_str(),
            )
            .unwrap();
        let signed = sign(&[signer], &Message::parse(&self.mail), now()).unwrap();
        let mail = [signed.header().into_bytes(), self.mail].concat();
        let mail = String::from_utf8(mail).unwrap();
        self.mail = mail.replacen(changed.0, changed.1, 1).into_bytes();
        self
    }

    fn verdict(&self) -> Verdict {
        let verifier = Verifier::new(&self.zone);
        block_on(
            verifier
                .at(now())
                .verify(&self.session, &Message::parse(&self.mail)),
        )
    }

    fn reports(&self, reporter: &Reporter) -> Result<Vec<FailureReport>, Unreported> {
        reporter.reports(&self.verdict(), &Message::parse(&self.mail), now())
    }

    fn recipients(&self, reporter: &Reporter) -> Vec<String> {
        let verdict = self.verdict();
        let settings = Settings::default();
        let recipients = reporter.recipients(&self.zone, &verdict, &settings);
        block_on(recipients)
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}

fn kinds(reports: Result<Vec<FailureReport>, Unreported>) -> Vec<&'static str> {
    let reports = reports.unwrap_or_default();
    let kinds = reports.iter().filter_map(|report| report.auth_failure);
    kinds.map(AuthFailure::as_str).collect()
}

fn recipient() -> Address {
    Address::parse(b"failures@author.example").unwrap()
}

/// Writes and reads again.
fn round_trip(reporter: &Reporter, report: &FailureReport) -> FailureReport {
    let mail = reporter.mail(report, &recipient(), now()).unwrap();
    for line in mail.split(|octet| *octet == b'\n') {
        assert!(line.len() <= 999, "{}", String::from_utf8_lossy(line));
    }
    let text = String::from_utf8_lossy(&mail);
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    FailureReport::read(&mail, &Limits::default()).unwrap()
}

/// RFC 9989 4.7.
#[test]
fn fo_decides_which_reports_are_made() {
    let footer = ("Hello", "Hallo");
    let none = ("\u{0}", "");
    for (fo, world, expected) in [
        ("0", World::new(&format!("p=none; {RUF}")), vec!["dmarc"]),
        (
            "0:s",
            World::new(&format!("p=none; {RUF}; fo=0:s")),
            vec!["dmarc", "spf"],
        ),
        (
            "d:s, everything failed",
            World::new(&format!("p=none; {RUF}; fo=d:s")).signed("author.example", footer),
            vec!["dmarc", "bodyhash", "spf"],
        ),
        (
            "0, passed by DKIM alone",
            World::new(&format!("p=none; {RUF}")).signed("author.example", none),
            vec![],
        ),
        (
            "1, passed by DKIM alone",
            World::new(&format!("p=none; {RUF}; fo=1")).signed("author.example", none),
            vec!["dmarc"],
        ),
        (
            "d, another's signature failed",
            World::new(&format!("p=none; {RUF}; fo=d")).signed("third.example", ("Good", "Bad")),
            vec!["dmarc", "signature"],
        ),
        ("no ruf", World::new("p=reject; fo=1:d:s"), vec![]),
        (
            "https alone",
            World::new("p=reject; ruf=ftp://author.example/"),
            vec![],
        ),
        (
            "psd",
            World::new(&format!("p=reject; psd=y; {RUF}")),
            vec![],
        ),
    ] {
        assert_eq!(kinds(world.reports(&reporter())), expected, "{fo}");
    }
    let psd = World::new(&format!("p=reject; psd=y; {RUF}"));
    assert_eq!(psd.reports(&reporter()), Err(Unreported::PublicSuffix));
    let unwanted = World::new("p=reject").reports(&reporter());
    assert_eq!(unwanted, Err(Unreported::NotRequested));
}

/// What could not be looked up has not failed, and who cannot be asked has not agreed.
#[test]
fn temporary_failures_are_not_reported() {
    let mut world = World::new(&format!("p=reject; {RUF}; fo=1:d:s"));
    world
        .zone
        .fail("_spf.author.example", LookupError::Timeout)
        .unwrap();
    assert_eq!(world.reports(&reporter()), Err(Unreported::NothingFailed));

    let mut world = World::new("p=reject; ruf=mailto:a@yes.example");
    let consent = "author.example._report._dmarc.yes.example";
    world.zone.fail(consent, LookupError::ServFail).unwrap();
    assert_eq!(kinds(world.reports(&reporter())), ["dmarc"]);
    assert_eq!(world.recipients(&reporter()), [""; 0]);
}

/// RFC 6591 3.3: a revoked key is a failure of its own kind.
#[test]
fn revoked_keys() {
    let world = World::new(&format!("p=none; {RUF}; fo=d")).signed("author.example", ("\u{0}", ""));
    let mut revoked = World::new(&format!("p=none; {RUF}; fo=d")).mail(world.mail);
    let key = "sel._domainkey.author.example";
    revoked.zone.add_txt(key, "v=DKIM1; p=").unwrap();
    let reports = revoked.reports(&reporter());
    assert_eq!(kinds(reports.clone()), ["dmarc", "revoked"]);
    let report = &reports.unwrap()[1];
    assert_eq!(
        report.dkim_domain.as_ref().unwrap().as_str(),
        "author.example"
    );
    assert_eq!(report.dkim_selector.as_deref(), Some("sel"));
    assert_eq!(report.identity_alignment, None);
}

/// A report about a report is where loops begin.
#[test]
fn nothing_automatic_is_reported() {
    let policy = format!("p=reject; {RUF}; fo=1");
    let with = |field: &str| World::new(&policy).mail(format!("{field}\r\n{PLAIN}"));
    for (world, expected) in [
        (World::new(&policy).mail_from(""), Unreported::Automatic),
        (World::new(&policy).mail_from("<>"), Unreported::Automatic),
        (
            with("Auto-Submitted: auto-generated"),
            Unreported::Automatic,
        ),
        (
            with("auto-submitted:\r\n auto-replied; x=y"),
            Unreported::Automatic,
        ),
        (
            with("Content-Type: Multipart/Report; boundary=x"),
            Unreported::Automatic,
        ),
        (
            with("Content-Type: message/feedback-report"),
            Unreported::Automatic,
        ),
        (
            with("Subject: Report Domain: a.example Submitter: b.example"),
            Unreported::Automatic,
        ),
        (
            World::new(&policy).mail_from("NoReply-DMARC@mx.receiver.example"),
            Unreported::OwnAddress,
        ),
    ] {
        assert_eq!(world.reports(&reporter()), Err(expected));
    }
    for field in [
        "Auto-Submitted: no",
        "Auto-Submitted: No (really)",
        "Content-Type: text/plain",
    ] {
        assert_eq!(
            kinds(with(field).reports(&reporter())),
            ["dmarc"],
            "{field}"
        );
    }
    // Our own report, should it come back to us from a domain that asks for reports.
    let report = &World::new(&policy).reports(&reporter()).unwrap()[0];
    let mail = reporter().mail(report, &recipient(), now()).unwrap();
    let mut again = World::new(&policy).mail(mail);
    let record = format!("v=DMARC1; {policy}");
    let own = "_dmarc.mx.receiver.example";
    again.zone.add_txt(own, record.as_str()).unwrap();
    assert_eq!(again.reports(&reporter()), Err(Unreported::Automatic));
}

#[test]
fn only_who_agrees_is_told() {
    let ruf = "ruf=mailto:a@author.example,mailto:b@yes.example,mailto:c@no.example,\
        https://author.example/,mailto:A@author.example,mailto:noreply-dmarc@mx.receiver.example";
    let mut world = World::new(&format!("p=none; {ruf}"));
    for (name, record) in [
        (
            "author.example._report._dmarc.yes.example",
            "v=DMARC1; ruf=mailto:d@yes.example",
        ),
        (
            "author.example._report._dmarc.mx.receiver.example",
            "v=DMARC1",
        ),
    ] {
        world.zone.add_txt(name, record).unwrap();
    }
    assert_eq!(
        world.recipients(&reporter()),
        ["a@author.example", "d@yes.example"]
    );
    let psd = World::new(&format!("p=none; psd=y; {ruf}"));
    assert_eq!(psd.recipients(&reporter()), [""; 0]);
    let many: Vec<String> = (0..50)
        .map(|n| format!("mailto:{n}@author.example"))
        .collect();
    let world = World::new(&format!("p=none; ruf={}", many.join(",")));
    assert_eq!(world.recipients(&reporter()).len(), 10);
}

/// RFC 9991 4: a method is named where an aligned identifier of it failed.
#[test]
fn identity_alignment_names_what_failed() {
    let policy = format!("p=none; {RUF}; fo=1");
    let changed = ("Hello", "Hallo");
    for (world, expected, domain, records) in [
        (World::new(&policy), vec![Method::Spf], None, 2),
        (
            World::new(&policy).mail_from("x@other.example"),
            vec![],
            None,
            0,
        ),
        (
            World::new(&policy)
                .mail_from("x@other.example")
                .signed("author.example", changed),
            vec![Method::Dkim],
            Some("author.example"),
            0,
        ),
        (
            World::new(&policy).signed("m.author.example", changed),
            vec![Method::Dkim, Method::Spf],
            Some("m.author.example"),
            2,
        ),
        (
            World::new(&format!("{policy}; adkim=s")).signed("m.author.example", changed),
            vec![Method::Spf],
            None,
            2,
        ),
    ] {
        let report = &world.reports(&reporter()).unwrap()[0];
        assert_eq!(report.identity_alignment.as_ref(), Some(&expected));
        assert_eq!(report.dkim_domain.as_ref().map(|d| d.as_str()), domain);
        assert_eq!(report.spf_dns.len(), records, "{:?}", report.spf_dns);
    }
}

#[test]
fn what_is_written_reads_the_same() {
    let policy = format!("p=reject; {RUF}; fo=1:d:s");
    let world = World::new(&policy).signed("author.example", ("Hello", "Hallo"));
    let unredacted = reporter().unredacted().with_bodies();
    let mut reports = world.reports(&unredacted).unwrap();
    assert_eq!(reports.len(), 3);
    for report in &mut reports {
        report.original_envelope_id = Some("queue 7".into());
        report.original_rcpt_to = vec!["user@receiver.example".into(), "b@receiver.example".into()];
        report.source_port = Some(2525);
        report.reported_uris = vec!["https://author.example/".into()];
        report.incidents = 7;
        report.delivery_result = Some(DeliveryResult::Policy);
        assert_eq!(round_trip(&unredacted, report), *report);
    }
    let dkim = &reports[1];
    assert_eq!(dkim.auth_failure, Some(AuthFailure::BodyHash));
    // The canonical forms are those that DKIM hashes: relaxed.
    let body = dkim.dkim_canonicalized_body.as_deref().unwrap();
    assert_eq!(body, b"Hallo user@receiver.example\r\n");
    let header = dkim.dkim_canonicalized_header.as_deref().unwrap();
    assert!(
        header.starts_with(b"from:") && header.ends_with(b"b="),
        "{}",
        header.escape_ascii()
    );
    let spf = &reports[2];
    let records = [
        ("author.example", "v=spf1 include:_spf.author.example -all"),
        ("_spf.author.example", "v=spf1 ip4:192.0.2.1"),
    ];
    assert_eq!(
        spf.spf_dns,
        records.map(|(name, text)| (name.to_owned(), text.to_owned()))
    );
    assert_eq!(
        spf.body(),
        Some(&b"Hallo  user@receiver.example \r\n\r\n"[..])
    );
}

/// What RFC 9991's report must hold, in its words.
#[test]
fn the_mail_has_the_fields_of_the_rfcs() {
    let world = World::new(&format!("p=reject; {RUF}"));
    let report = &world.reports(&reporter()).unwrap()[0];
    let mail = reporter().mail(report, &recipient(), now()).unwrap();
    let mail = String::from_utf8(mail).unwrap();
    for expected in [
        "From: noreply-dmarc@mx.receiver.example\r\n",
        "To: failures@author.example\r\n",
        "Subject: FW: Good news\r\n",
        "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n",
        "Auto-Submitted: auto-generated\r\n",
        "Content-Type: multipart/report; report-type=feedback-report;\r\n",
        "\r\nContent-Type: message/feedback-report\r\nContent-Transfer-Encoding: 7bit\r\n\r\n",
        "\r\nFeedback-Type: auth-failure\r\nVersion: 1\r\nUser-Agent: mailproof/",
        "\r\nAuth-Failure: dmarc\r\nIdentity-Alignment: spf\r\nDelivery-Result: reject\r\n",
        "\r\nArrival-Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nSource-IP: 198.51.100.7\r\n",
        "\r\nReporting-MTA: dns; mx.receiver.example\r\n",
        "\r\nSPF-DNS: txt : _spf.author.example : \"v=spf1 ip4:192.0.2.1\"\r\n",
        "\r\nAuthentication-Results: mx.receiver.example; dmarc=fail reason=",
        "\r\nReported-Domain: author.example\r\n",
        "\r\nContent-Type: text/rfc822-headers\r\n",
    ] {
        assert!(mail.contains(expected), "{expected:?} is not in\n{mail}");
    }
    // RFC 6591 3.1: one method's result alone.
    assert!(!mail.contains("spf=") && !mail.contains("dkim="));
    assert!(!mail.contains("Incidents"));
}

/// RFC 6590: nobody's local part, and not the body, unless that was asked for.
#[test]
fn redaction_hides_people_and_keeps_them_apart() {
    let policy = format!("p=none; {RUF}; fo=1:d:s");
    let world = World::new(&policy).signed("author.example", ("Hello", "Hallo"));
    let reporter = reporter().with_bodies();
    for report in &world.reports(&reporter).unwrap() {
        let mut report = report.clone();
        report.original_rcpt_to = vec!["User@receiver.example".into()];
        let read = round_trip(&reporter, &report);
        let mail = reporter.mail(&report, &recipient(), now()).unwrap();
        let mail = String::from_utf8(mail).unwrap();
        for secret in [
            "user@",
            "User@",
            "author@",
            "x@author",
            "Hallo",
            "A User",
            "DKIM-Canon",
        ] {
            assert!(!mail.contains(secret), "{secret}\n{mail}");
        }
        // The recipient is the same in the header and in the envelope, whatever the letter case.
        let token = read.original_rcpt_to[0].split('@').next().unwrap();
        assert_eq!(token.len(), 16);
        assert!(
            mail.contains(&format!("\r\nTo: {token}@receiver.example\r\n")),
            "{mail}"
        );
        assert!(mail.contains("Message-ID: <1@author.example>"));
        assert_eq!(read.body(), None);
        assert_eq!(read.warnings, []);
    }
    let bare = world.reports(&reporter).unwrap();
    assert!(bare.iter().all(|report| report.body().is_none()));
}

#[test]
fn the_limiter_holds_back_and_counts() {
    let limiter = MemoryRateLimiter::new(5, Duration::from_secs(3_600));
    let from = Address::parse(b"noreply@mx.receiver.example").unwrap();
    let authserv_id = "mx.receiver.example".parse().unwrap();
    let reporter = Reporter::new(from, authserv_id, b"secret", limiter);
    let world = World::new(&format!("p=none; {RUF}"));
    let report = &world.reports(&reporter).unwrap()[0];
    let mail = |seconds| reporter.mail(report, &recipient(), now() + Duration::from_secs(seconds));
    let read = |mail: Vec<u8>| FailureReport::read(&mail, &Limits::default()).unwrap();
    assert_eq!(read(mail(0).unwrap()).incidents, 1);
    assert_eq!((mail(1), mail(2), mail(3)), (None, None, None));
    assert_eq!(read(mail(3_600).unwrap()).incidents, 4);
}

/// A header block that no server should have accepted still makes a mail that servers accept.
#[test]
fn hostile_headers_stay_in_their_part() {
    let policy = format!("p=none; {RUF}");
    let reporter = reporter().unredacted().with_bodies();
    for head in [
        format!("X: {}\r\n", "x".repeat(5_000)),
        "X: a\rb\nc\r\n".into(),
        "X: a\n\n--boundary\n\r\n \r\n".into(),
        "X\n\rY: a\r\n".into(),
        "Subject: \u{1f600}\r\n \r\n Evil: x\r\n".into(),
        format!("Subject: {}\r\n", "x".repeat(2_000)),
        "X: \0\0\r\n".into(),
    ] {
        let world =
            World::new(&policy).mail(format!("{head}{PLAIN}a\rb\nc\0{}", "y".repeat(3_000)));
        let mut report = world.reports(&reporter).unwrap().remove(0);
        report.original_envelope_id = Some("a\r\nBcc: evil@x.example\r\n\r\nb".into());
        report.original_mail_from = Some("\u{e4}\r\n\r\n@x.example".into());
        report.user_agent = Some("z".repeat(2_000));
        report.authentication_results.push("z".repeat(2_000));
        let read = round_trip(&reporter, &report);
        assert_eq!(read.auth_failure, Some(AuthFailure::Dmarc));
        assert_eq!(
            read.original_envelope_id.as_deref(),
            Some("a Bcc: evil@x.example b")
        );
        assert_eq!(read.warnings, [Warning::Missing("User-Agent")]);
        assert!(
            read.header().ends_with(b"+0000\r\n"),
            "{}",
            read.header().escape_ascii()
        );
        let mail = reporter.mail(&report, &recipient(), now()).unwrap();
        let mail = Message::parse(&mail);
        assert_eq!(mail.head().fields().len(), 9);
        assert_eq!(
            mail.head().anomalies(),
            &mailproof::message::Anomalies::default()
        );
    }
}

const FOREIGN: &str = include_str!("data/report/failure.eml");

/// A report with all that receivers do differently.
#[test]
fn reads_what_others_write() {
    let expected = |report: &FailureReport| {
        assert_eq!(report.auth_failure, Some(AuthFailure::Dmarc));
        assert_eq!(
            report.identity_alignment.as_deref(),
            Some(&[Method::Dkim, Method::Spf][..])
        );
        assert_eq!(report.delivery_result, Some(DeliveryResult::Reject));
        assert_eq!(report.source_ip, Some("2001:db8::7".parse().unwrap()));
        assert_eq!(report.arrival_date, Some(1_700_000_000));
        assert_eq!(
            report.original_mail_from.as_deref(),
            Some("author@author.example")
        );
        assert_eq!(
            report.original_rcpt_to,
            ["a@receiver.example", "b@receiver.example"]
        );
        assert_eq!(
            report.dkim_canonicalized_body.as_deref(),
            Some(&b"Hello\r\n"[..])
        );
        assert_eq!(
            report.spf_dns,
            [(
                "author.example".to_owned(),
                "v=spf1 exp=\"x\" -all".to_owned()
            )]
        );
        assert_eq!(report.reported_domains[0].as_str(), "author.example");
        assert_eq!(report.incidents, 3);
        assert_eq!(
            report.warnings,
            [
                Warning::Malformed {
                    field: "Source-Port",
                    value: "many".into()
                },
                Warning::Duplicate("Arrival-Date"),
                Warning::Missing("User-Agent"),
            ]
        );
        assert_eq!(report.body(), Some(&b"Hello"[..]));
    };
    let lf = FOREIGN.replace("\r\n", "\n");
    let crlf = lf.replace('\n', "\r\n");
    let limits = Limits::default();
    for mail in [&lf, &crlf] {
        let report = FailureReport::read(mail.as_bytes(), &limits).unwrap();
        expected(&report);
        assert!(report.header().starts_with(b"From: author@author.example"));
        // Sent on as an attachment.
        let attached = format!(
            "Subject: see\nContent-Type: multipart/mixed; boundary=\"outer\"\n\n--outer\n\nlook\n\
             --outer\nContent-Type: message/rfc822\n\n{mail}\n--outer--\n"
        );
        expected(&FailureReport::read(attached.as_bytes(), &limits).unwrap());
    }
}

#[test]
fn refuses_what_is_none_and_what_is_too_much() {
    let read = |mail: &str, limits: &Limits| FailureReport::read(mail.as_bytes(), limits);
    let mut limits = Limits::default();
    assert_eq!(read("", &limits), Err(ReadError::NoReport));
    assert_eq!(read(PLAIN, &limits), Err(ReadError::NoReport));
    let parts =
        "Content-Type: multipart/mixed; boundary=x\n\n".to_owned() + &"--x\n\na\n".repeat(999);
    assert_eq!(read(&parts, &limits), Err(ReadError::TooManyParts));
    let fields = format!(
        "Content-Type: message/feedback-report\n\n{}",
        "Original-Rcpt-To: a@b.example\n".repeat(5_000)
    );
    let report = read(&fields, &limits).unwrap();
    assert_eq!(report.original_rcpt_to.len(), 1_000);
    assert!(report.warnings.contains(&Warning::TooManyFields));
    limits.report.compressed_octets = 100;
    assert_eq!(
        read(&fields, &limits),
        Err(ReadError::TooLarge { limit: 100 })
    );
}

/// RFC 9991, appendix A.
#[test]
fn reads_the_example_of_rfc_9991() {
    let mail = include_bytes!("data/report/rfc9991.eml");
    let report = FailureReport::read(mail, &Limits::default()).unwrap();
    assert_eq!(report.warnings, []);
    assert_eq!(report.auth_failure, Some(AuthFailure::Dmarc));
    let results = "gen.example; dmarc=fail header.from=consumer.example";
    assert_eq!(report.authentication_results, [results]);
    assert_eq!(
        report.identity_alignment.as_deref(),
        Some(&[Method::Dkim][..])
    );
    assert_eq!(
        report.dkim_domain.as_ref().unwrap().as_str(),
        "consumer.example"
    );
    assert_eq!(report.dkim_identity.as_deref(), Some("@consumer.example"));
    assert_eq!(report.dkim_selector.as_deref(), Some("epsilon"));
    assert_eq!(report.original_envelope_id.as_deref(), Some("65E1A3F0A0"));
    let mail_from = "author=gen.example@forwarder.example";
    assert_eq!(report.original_mail_from.as_deref(), Some(mail_from));
    assert_eq!(report.source_ip, Some("192.0.2.2".parse().unwrap()));
    assert_eq!(report.source_port, Some(12_345));
    assert_eq!(report.reported_domains[0].as_str(), "consumer.example");
    assert_eq!(report.user_agent.as_deref(), Some("DMARC-Filter/1.2.3"));
    assert!(
        report
            .header()
            .ends_with(b"Content-Transfer-Encoding: 8bit\n")
    );
    assert_eq!(report.body(), Some(&b"[ Message body was here ]"[..]));
}

/// RFC 6591, appendix B.
#[test]
fn reads_the_example_of_rfc_6591() {
    let mail = include_bytes!("data/report/rfc6591.eml");
    let report = FailureReport::read(mail, &Limits::default()).unwrap();
    assert_eq!(report.warnings, []);
    assert_eq!(report.auth_failure, Some(AuthFailure::BodyHash));
    assert_eq!(report.arrival_date, Some(1_318_104_958));
    assert_eq!(
        report.dkim_domain.as_ref().unwrap().as_str(),
        "sender.example"
    );
    assert_eq!(report.reported_uris, ["http://www.sender.example/"]);
    let body = report.dkim_canonicalized_body.as_deref().unwrap();
    assert!(body.starts_with(b"This is a message body that got modified in transit.\n"));
    assert!(body.ends_with(b"reported along with phishing in a single report.\n"));
    assert!(report.header().ends_with(b"@out.sender.example>\n") && report.body().is_none());
}
