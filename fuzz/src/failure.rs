//! Failure reports: of strangers, and about what strangers send.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::dns::{Zone, block_on};
use mailproof::report::Limits;
use mailproof::report::failure::{FailureReport, RateLimiter, Reporter};
use mailproof::{Address, Message, Session, Verifier};

fn reporter() -> Reporter {
    let from = Address::parse(b"noreply@mx.example.net").expect("an address");
    let authserv_id = "mx.example.net".parse().expect("an authserv-id");
    Reporter::new(
        from,
        authserv_id,
        b"secret",
        RateLimiter::from_fn(|_, _, _| Some(1)),
    )
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// Writes a report, and reads it again.
fn again(reporter: &Reporter, report: &FailureReport) -> FailureReport {
    let recipient = Address::parse(b"ruf@example.com").expect("an address");
    let mail = reporter.mail(report, &recipient, now()).expect("no limit");
    for line in mail.split_inclusive(|octet| *octet == b'\n') {
        assert!(line.len() <= 1_000 && line.ends_with(b"\r\n"));
        let inner = line.strip_suffix(b"\r\n").unwrap_or(line);
        assert!(!inner.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0)));
    }
    FailureReport::read(&mail, &Limits::default()).expect("our own mail")
}

/// A report of a stranger: what was understood of it is understood again when it is written.
pub fn read(data: &[u8]) {
    let Ok(report) = FailureReport::read(data, &Limits::default()) else {
        return;
    };
    let reporter = reporter().unredacted().including_bodies();
    let written = again(&reporter, &report);
    let mut twice = again(&reporter, &written);
    // What could not be written is missing from the first time on.
    twice.warnings.clone_from(&written.warnings);
    assert_eq!(written, twice);
}

/// A message of which everything is to be reported: the report is what was meant, and redacted it
/// has none of the local parts.
pub fn write(data: &[u8]) {
    let mut zone = Zone::new();
    let policy = "v=DMARC1; p=reject; fo=1:d:s; ruf=mailto:ruf@example.com";
    zone.add_txt("*.example.com", policy).expect("a name");
    zone.add_txt("example.com", "v=spf1 -all").expect("a name");
    let session = Session::new([192, 0, 2, 1].into(), "mx.example.org", "joe@example.com");
    let mail = [b"From: joe@example.com\r\n", data].concat();
    let message = Message::parse(&mail);
    let verifier = Verifier::new(&zone);
    let verdict = block_on(verifier.at(now()).verify(&session, &message));
    for reporter in [reporter().unredacted().including_bodies(), reporter()] {
        for report in reporter
            .reports(&verdict, &message, now())
            .unwrap_or_default()
        {
            let read = again(&reporter, &report);
            assert_eq!(read.auth_failure, report.auth_failure);
            assert_eq!(read.identity_alignment, report.identity_alignment);
            assert_eq!(read.spf_dns, report.spf_dns);
            assert_eq!(
                read.original_mail_from.is_some(),
                report.original_mail_from.is_some()
            );
        }
    }
}
