//! Failure reports (RFC 9991, RFC 6591): which are made, what they say, and who gets them.

#[path = "report_failure/world.rs"]
mod world;

use mailproof::dns::LookupError;
use mailproof::identifier::Method;
use mailproof::report::Unreported;
use mailproof::report::failure::{AuthFailure, FailureReport};
use world::{PLAIN, RUF, World, now, recipient, reporter};

fn kinds(reports: Result<Vec<FailureReport>, Unreported>) -> Vec<&'static str> {
    let reports = reports.unwrap_or_default();
    let kinds = reports.iter().filter_map(|report| report.auth_failure);
    kinds.map(AuthFailure::as_str).collect()
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
