//! What receivers decide, what attackers and broken signers send, and what may not go wrong.

mod dkim_support;

use std::time::{Duration, UNIX_EPOCH};

use dkim_support::{craft, verify, verify_at, zone};
use mailproof::dkim::{Cause, DkimResult, Settings, SignatureError};
use mailproof::dns::Zone;

const HEADER: &str = "From: a@example.com\r\nSubject: hello\r\n";
const BODY: &str = "one\r\ntwo\r\n";

fn cause(zone: &Zone, mail: &str, settings: &Settings) -> Cause {
    let verifications = verify(zone, mail, settings);
    assert_eq!(verifications.len(), 1, "{mail}");
    verifications[0].cause().clone()
}

fn with(change: impl FnOnce(&mut Settings)) -> Settings {
    let mut settings = Settings::default();
    change(&mut settings);
    settings
}

/// Signs `HEADER` and `BODY` for example.com with further tags.
fn mail(tags: &str) -> String {
    let tags = format!("d=example.com; s=s; h=From:Subject; {tags}");
    craft(&tags, HEADER, BODY, BODY.len())
}

#[test]
fn signed_lengths() {
    let zone = zone(&["example.com"]);
    let tags = |length: usize| format!("d=example.com; s=s; h=From; l={length};");
    let whole = craft(&tags(10), HEADER, BODY, 10);
    let part = craft(&tags(5), HEADER, BODY, 5);
    let none = craft(&tags(0), HEADER, BODY, 0);
    let beyond = craft(&tags(11), HEADER, BODY, 10);
    let settings = Settings::default();
    assert_eq!(cause(&zone, &whole, &settings), Cause::Passed);
    let partial = |signed| Cause::PartialBody { signed, total: 10 };
    assert_eq!(cause(&zone, &part, &settings), partial(5));
    assert_eq!(cause(&zone, &none, &settings), partial(0));
    assert_eq!(partial(5).result(), DkimResult::Policy);
    assert_eq!(
        cause(&zone, &beyond, &settings),
        Cause::LengthBeyondBody {
            length: 11,
            total: 10
        }
    );
    // What is appended shows.
    let appended = format!("{whole}more\r\n");
    assert_eq!(
        cause(&zone, &appended, &settings),
        Cause::PartialBody {
            signed: 10,
            total: 16
        }
    );
    let allow = with(|settings| settings.allow_partial_body = true);
    for mail in [&whole, &part, &none, &appended] {
        assert_eq!(cause(&zone, mail, &allow), Cause::Passed);
    }
    assert!(matches!(
        cause(&zone, &beyond, &allow),
        Cause::LengthBeyondBody { .. }
    ));
    let refuse = with(|settings| settings.refuse_length = true);
    assert_eq!(cause(&zone, &whole, &refuse), Cause::LengthGiven);
    // A part that was changed is no matter of policy.
    let changed = part.replace("one", "ONE");
    assert_eq!(cause(&zone, &changed, &settings), Cause::BodyHashMismatch);
    // Numbers beyond 64 bits are beyond any body.
    let huge = mail(&format!("l={};", "9".repeat(76)));
    assert!(matches!(
        cause(&zone, &huge, &settings),
        Cause::LengthBeyondBody { .. }
    ));
    let too_many = mail(&format!("l={};", "9".repeat(77)));
    assert_eq!(
        cause(&zone, &too_many, &settings),
        Cause::Syntax(SignatureError::Number { tag: "l" })
    );
}

#[test]
fn signatures_of_different_lengths_share_a_pass() {
    let zone = zone(&["example.com"]);
    let tags = |length: usize| format!("d=example.com; s=s; h=From; l={length};");
    let field = |length: usize| {
        let mail = craft(&tags(length), HEADER, BODY, length);
        mail.split_once(HEADER).unwrap().0.to_owned()
    };
    let mail = [&field(5), &field(10), HEADER, "\r\n", BODY].concat();
    let verifications = verify(&zone, &mail, &Settings::default());
    assert_eq!(verifications[0].result(), DkimResult::Policy);
    assert_eq!(verifications[1].result(), DkimResult::Pass);
}

#[test]
fn times() {
    let zone = zone(&["example.com"]);
    let at = |mail: &str, seconds: u64, settings: &Settings| {
        let now = UNIX_EPOCH + Duration::from_secs(seconds);
        verify_at(&zone, mail, settings, now)[0].cause().clone()
    };
    let settings = Settings::default();
    let mail_x = mail("t=1000; x=2000;");
    assert_eq!(at(&mail_x, 2_300, &settings), Cause::Passed);
    assert!(matches!(
        at(&mail_x, 2_301, &settings),
        Cause::Expired { .. }
    ));
    assert_eq!(at(&mail_x, 2_301, &settings).result(), DkimResult::Fail);
    // A t= in the future is no reason by default.
    assert_eq!(at(&mail_x, 0, &settings), Cause::Passed);
    let strict = with(|settings| settings.refuse_future = true);
    assert_eq!(at(&mail_x, 700, &strict), Cause::Passed);
    assert!(matches!(
        at(&mail_x, 699, &strict),
        Cause::FromFuture { .. }
    ));
    let aged = with(|settings| settings.maximum_age = Some(Duration::from_secs(100)));
    let old = mail("t=1000;");
    assert_eq!(at(&old, 1_400, &aged), Cause::Passed);
    assert_eq!(at(&old, 1_401, &aged), Cause::TooOld { seconds: 401 });
    for (tags, error) in [
        ("t=5; x=5;", SignatureError::ExpiresBeforeMade),
        ("t=;", SignatureError::Number { tag: "t" }),
        ("x=-1;", SignatureError::Number { tag: "x" }),
        ("t=1234567890123;", SignatureError::Number { tag: "t" }),
    ] {
        assert_eq!(at(&mail(tags), 0, &settings), Cause::Syntax(error));
    }
}

#[test]
fn fields_that_must_be_signed() {
    let zone = zone(&["example.com"]);
    let signed = mail("");
    let required = with(|settings| settings.required_fields = vec!["subject".into()]);
    assert_eq!(cause(&zone, &signed, &required), Cause::Passed);
    let required = with(|settings| settings.required_fields = vec!["Date".into()]);
    assert_eq!(
        cause(&zone, &signed, &required),
        Cause::RequiredFieldUnsigned {
            name: "Date".into()
        }
    );
    let forbidden = with(|settings| settings.forbidden_unsigned = vec!["SUBJECT".into()]);
    assert_eq!(cause(&zone, &signed, &forbidden), Cause::Passed);
    let added = signed.replacen("\r\nFrom:", "\r\nSubject: added\r\nFrom:", 1);
    assert_eq!(cause(&zone, &added, &Settings::default()), Cause::Passed);
    assert_eq!(
        cause(&zone, &added, &forbidden),
        Cause::UnsignedInstance {
            name: "subject".into()
        }
    );
    // The first of the message is named, whatever the order of the settings.
    let several =
        with(|settings| settings.forbidden_unsigned = vec!["Subject".into(), "From".into()]);
    let added = signed.replacen(
        "\r\nFrom:",
        "\r\nFrom: x@example.com\r\nSubject: added\r\nFrom:",
        1,
    );
    assert_eq!(
        cause(&zone, &added, &several),
        Cause::UnsignedInstance {
            name: "from".into()
        }
    );
    let without_from = craft("d=example.com; s=s; h=Subject;", HEADER, BODY, BODY.len());
    let from = cause(&zone, &without_from, &Settings::default());
    assert_eq!(from, Cause::Syntax(SignatureError::FromNotSigned));
    assert_eq!(from.result(), DkimResult::Permerror);
}

#[test]
fn repeated_names() {
    let zone = zone(&["example.com"]);
    let settings = Settings::default();
    for count in 1..=3 {
        let header = "From: x@example.com\r\n".repeat(count);
        let tags = "d=example.com; s=s; h=From:from:FROM;";
        let mail = craft(tags, &header, BODY, BODY.len());
        assert_eq!(cause(&zone, &mail, &settings), Cause::Passed, "{count}");
        let added = mail.replacen("\r\nFrom:", "\r\nFrom: y@example.com\r\nFrom:", 1);
        let expected = if count == 3 {
            Cause::Passed
        } else {
            Cause::SignatureMismatch
        };
        assert_eq!(cause(&zone, &added, &settings), expected, "{count}");
    }
    let received = "Received: 1\r\nReceived: 2\r\nReceived: 3\r\nReceived: 4\r\n";
    for names in ["Received:Received:Received:Received", "Received:Received"] {
        let tags = format!("d=example.com; s=s; h=From:{names};");
        let mail = craft(&tags, &format!("{received}{HEADER}"), BODY, BODY.len());
        assert_eq!(cause(&zone, &mail, &settings), Cause::Passed);
        // A fifth one above is not among those counted from below.
        let more = mail.replacen("\r\nReceived:", "\r\nReceived: 0\r\nReceived:", 1);
        assert_eq!(cause(&zone, &more, &settings), Cause::Passed);
        let fewer = mail.replacen("Received: 4\r\n", "", 1);
        assert_eq!(cause(&zone, &fewer, &settings), Cause::SignatureMismatch);
    }
}

#[test]
fn identities_outside_the_domain() {
    let zone = zone(&["example.net"]);
    let settings = Settings::default();
    let tags = |identity: &str| format!("d=example.net; s=s; h=From; i={identity};");
    for (identity, passes) in [
        ("@example.net", true),
        ("a@EXAMPLE.net", true),
        ("=61=40x.example.net", true),
        ("a=3Bb@x.example.net", true),
        ("@fexample.net", false),
        ("@evilexample.net", false),
        ("@net", false),
        ("example.net", false),
        ("@", false),
        ("a=0D=0A@example.net", false),
        ("a=4@example.net", false),
        ("", false),
    ] {
        let mail = craft(&tags(identity), HEADER, BODY, BODY.len());
        let got = cause(&zone, &mail, &settings);
        assert_eq!(got == Cause::Passed, passes, "{identity}: {got}");
    }
    let mut strict = Zone::new();
    let record = dkim_support::key();
    let record = mailproof::dkim::KeyRecord::new(record.verifying_key()).with_strict(true);
    strict
        .add_txt("s._domainkey.example.net", record.to_string())
        .unwrap();
    let below = craft(&tags("@x.example.net"), HEADER, BODY, BODY.len());
    assert_eq!(cause(&strict, &below, &settings), Cause::IdentityNotAllowed);
    let same = craft(&tags("a@example.net"), HEADER, BODY, BODY.len());
    assert_eq!(cause(&strict, &same, &settings), Cause::Passed);
}

#[test]
fn internationalized_domains() {
    let zone = zone(&["xn--mnchen-3ya.example", "xn--strae-oqa.example"]);
    let settings = Settings::default();
    for domain in [
        "münchen.example",
        "xn--mnchen-3ya.example",
        "MÜNCHEN.example",
        "straße.example",
    ] {
        let tags = format!("d={domain}; s=s; i=ü@{domain}; h=From;");
        let mail = craft(&tags, HEADER, BODY, BODY.len());
        assert_eq!(cause(&zone, &mail, &settings), Cause::Passed, "{domain}");
        let verifications = verify(&zone, &mail, &settings);
        assert!(verifications[0].domain().unwrap().as_str().is_ascii());
    }
    // i= may be written in the other form.
    let tags = "d=xn--mnchen-3ya.example; s=s; i=@x.münchen.example; h=From;";
    let mail = craft(tags, HEADER, BODY, BODY.len());
    assert_eq!(cause(&zone, &mail, &settings), Cause::Passed);
}

#[test]
fn domains_and_selectors_that_cannot_be() {
    let zone = Zone::new();
    let settings = Settings::default();
    for tags in [
        "d=com; s=s;",
        "d=example.com.; s=s;",
        "d=legitimate.com'a.attack.com; s=s;",
        "d=legitimate.com(a.attack.com; s=s;",
        "d=example..com; s=s;",
        "d=; s=s;",
        "d=example.com; s=;",
        "d=example.com; s=a..b;",
        "d=example.com; s=a b;",
        "d=example.com; s=selector._domainkey.attack.com.\0.any;",
    ] {
        let mail = craft(&format!("{tags} h=From;"), HEADER, BODY, BODY.len());
        let got = cause(&zone, &mail, &settings);
        assert!(matches!(got, Cause::Syntax(_)), "{tags}: {got}");
        assert_eq!(got.result(), DkimResult::Neutral);
    }
    let long = [["a"; 60].concat().as_str(); 3].join(".");
    let tags = format!("d={long}.example; s={long}; h=From;");
    let mail = craft(&tags, HEADER, BODY, BODY.len());
    assert!(matches!(cause(&zone, &mail, &settings), Cause::KeyName(_)));
}

#[test]
fn broken_signatures_are_named_nevertheless() {
    let mail = "DKIM-Signature: v=1; a=rsa-md5; d=example.com; s=sel; i=x@example.com; b=ABCDEFGHIJ; \
         d=other.example\r\nFrom: a@example.com\r\n\r\n";
    let verifications = verify(&Zone::new(), mail, &Settings::default());
    let broken = &verifications[0];
    assert_eq!(broken.result(), DkimResult::Neutral);
    assert_eq!(broken.domain().unwrap().as_str(), "example.com");
    assert_eq!(broken.selector(), Some("sel"));
    assert_eq!(broken.algorithm(), Some("rsa-md5"));
    assert_eq!(broken.prefix(), Some("ABCDEFGH"));
    assert_eq!(
        broken.to_string(),
        "dkim=neutral for d=example.com, s=sel: the DKIM-Signature field is malformed: \
         tag d= stands twice (at 69)"
    );
    assert_eq!(broken.authenticated_identifier(), None);
    let nothing = verify(
        &Zone::new(),
        "DKIM-Signature:\r\nFrom: a\r\n\r\n",
        &Settings::default(),
    );
    assert_eq!(nothing[0].domain(), None);
}

#[test]
fn sha1_is_a_matter_of_policy() {
    let mail = "DKIM-Signature: v=1; a=rsa-sha1; d=example.com; s=s; h=From;\r\n \
         bh=uoq1oCgLlTqpdDX/iUbLy7J1Wic=; b=AAAA\r\nFrom: a@example.com\r\n\r\n";
    let settings = Settings::default();
    assert_eq!(cause(&Zone::new(), mail, &settings), Cause::Sha1);
    assert_eq!(Cause::Sha1.result(), DkimResult::Policy);
    let allow = with(|settings| settings.allow_sha1 = true);
    assert_eq!(cause(&Zone::new(), mail, &allow), Cause::NoKey);
}

#[test]
fn copied_fields_are_decoded() {
    use mailproof::dkim::Signature;
    let value = "v=1; a=rsa-sha256; d=example.com; s=s; h=From; b=AA==;\r\n \
         bh=Ba3gj8+xBPQLJTahTfzW6RbWQ/XPgESxkCi2B66PSQg=;\r\n \
         z=From:foo@example.com|Subject:demo=20run|\r\n Date:July=205|x|y:=";
    let signature = Signature::parse(value.as_bytes(), 10).unwrap();
    let copies: Vec<(String, String)> = signature
        .copied_fields()
        .map(|(name, value)| (name, String::from_utf8(value).unwrap()))
        .collect();
    let expected = [
        ("From", "foo@example.com"),
        ("Subject", "demo run"),
        ("Date", "July 5"),
    ];
    assert_eq!(
        copies,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[cfg(feature = "serde")]
#[test]
fn results_can_be_serialized() {
    let verifications = verify(&zone(&["example.com"]), &mail(""), &Settings::default());
    let json = serde_json::to_value(&verifications).unwrap();
    assert_eq!(json[0]["result"], "pass");
    assert_eq!(json[0]["domain"], "example.com");
    assert_eq!(json[0]["cause"]["code"], "passed");
}
