//! Failure reports as mail (RFC 9991, RFC 6591, RFC 5965, RFC 6590): what is in them, and that it
//! reads the same.

#[path = "report_failure/world.rs"]
#[expect(dead_code, reason = "recipients are another test's")]
mod world;

use std::time::Duration;

use mailproof::report::Limits;
use mailproof::report::Warning;
use mailproof::report::failure::{
    AuthFailure, DeliveryResult, FailureReport, RateLimiter, Reporter,
};
use mailproof::{Address, Message};
use world::{PLAIN, RUF, World, now, recipient, reporter};

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

#[test]
fn what_is_written_reads_the_same() {
    let policy = format!("p=reject; {RUF}; fo=1:d:s");
    let world = World::new(&policy).signed("author.example", ("Hello", "Hallo"));
    let unredacted = reporter().unredacted().including_bodies();
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
    let reporter = reporter().including_bodies();
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
    let limiter = RateLimiter::new(5, Duration::from_secs(3_600));
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
    let reporter = reporter().unredacted().including_bodies();
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
        assert_eq!(read.warnings, [Warning::Missing { name: "User-Agent" }]);
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
