//! Failure reports of others (RFC 9991, RFC 6591, RFC 5965).

use mailproof::identifier::Method;
use mailproof::report::Limits;
use mailproof::report::failure::{AuthFailure, DeliveryResult, FailureReport};
use mailproof::report::{ReadError, Warning};

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
                    name: "Source-Port",
                    value: "many".into()
                },
                Warning::Duplicate {
                    name: "Arrival-Date"
                },
                Warning::Missing { name: "User-Agent" },
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
    assert_eq!(read("", &limits), Err(ReadError::NotAReport));
    assert_eq!(
        read("Subject: x\r\n\r\ny\r\n", &limits),
        Err(ReadError::NotAReport)
    );
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
    limits.compressed_octets = 100;
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
