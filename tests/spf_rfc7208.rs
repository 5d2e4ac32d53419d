//! The examples of RFC 7208 and the grammar of its section 12; RFC 6652.

use mailproof::Session;
use mailproof::auth_results::{AuthenticationResults, ParseError};
use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::spf::{
    Evaluation, Identity, ReceivedSpf, Record, Request, Settings, SpfResult, SyntaxRule,
    check_host, check_session,
};

/// Appendix A.
fn appendix_a() -> Zone {
    let mut zone = Zone::new();
    for (name, host) in [
        ("example.com", 10),
        ("example.com", 11),
        ("amy.example.com", 65),
        ("bob.example.com", 66),
        ("mail-a.example.com", 129),
        ("mail-b.example.com", 130),
        ("mail-c.example.org", 140),
    ] {
        let address = [192, 0, 2, host].into();
        zone.add_address(name, address).unwrap();
        zone.add_ptr(address, name).unwrap();
    }
    zone.add_ptr([10, 0, 0, 4].into(), "bob.example.com")
        .unwrap()
        .add_cname("www.example.com", "example.com")
        .unwrap()
        .add_mx("example.com", 10, "mail-a.example.com")
        .unwrap()
        .add_mx("example.com", 20, "mail-b.example.com")
        .unwrap()
        .add_mx("example.org", 10, "mail-c.example.org")
        .unwrap();
    zone
}

fn check(zone: &Zone, client: &str, sender: &str) -> Evaluation {
    let request = Request::mail_from(client.parse().unwrap(), "mx.example.org", sender);
    block_on(check_host(zone, &request, &Settings::default()))
}

/// A.1: which clients pass.
#[test]
fn simple_examples() {
    let hosts = [10, 11, 65, 66, 129, 130, 131, 140];
    for (record, passing) in [
        ("v=spf1 +all", &hosts[..]),
        ("v=spf1 a -all", &[10, 11]),
        ("v=spf1 a:example.org -all", &[]),
        ("v=spf1 mx -all", &[129, 130]),
        ("v=spf1 mx:example.org -all", &[140]),
        ("v=spf1 mx mx:example.org -all", &[129, 130, 140]),
        ("v=spf1 mx/30 mx:example.org/30 -all", &[129, 130, 131, 140]),
        ("v=spf1 ptr -all", &[10, 11, 65, 66, 129, 130]),
        ("v=spf1 ip4:192.0.2.128/28 -all", &[129, 130, 131, 140]),
        ("v=spf1 a:www.example.com -all", &[10, 11]),
    ] {
        let mut zone = appendix_a();
        zone.add_txt("example.com", record).unwrap();
        for host in hosts {
            let evaluation = check(&zone, &format!("192.0.2.{host}"), "amy@example.com");
            let expected = if passing.contains(&host) {
                SpfResult::Pass
            } else {
                SpfResult::Fail
            };
            assert_eq!(evaluation.result(), expected, "{record} {host}");
        }
        if record.contains("ptr") {
            let rogue = check(&zone, "10.0.0.4", "amy@example.com");
            assert_eq!(rogue.result(), SpfResult::Fail);
        }
    }
}

/// A.2 to A.4.
#[test]
fn larger_examples() {
    let mut zone = appendix_a();
    zone.add_txt(
        "example.org",
        "v=spf1 include:example.com include:example.net -all",
    )
    .unwrap()
    .add_txt("la.example.org", "v=spf1 redirect=example.org")
    .unwrap()
    .add_txt(
        "example.com",
        "v=spf1 mx include:mobile-users._spf.%{d} include:remote-users._spf.%{d} -all",
    )
    .unwrap()
    .add_txt(
        "mobile-users._spf.example.com",
        "v=spf1 exists:%{l1r+}.%{d}",
    )
    .unwrap()
    .add_txt(
        "remote-users._spf.example.com",
        "v=spf1 exists:%{ir}.%{l1r+}.%{d}",
    )
    .unwrap()
    .add_txt("example.net", "v=spf1 ip4:198.51.100.1 -all")
    .unwrap()
    .add_txt(
        "both.example",
        "v=spf1 -include:ip4._spf.%{d} -include:ptr._spf.%{d} +all",
    )
    .unwrap()
    .add_txt("ip4._spf.both.example", "v=spf1 -ip4:192.0.2.0/24 +all")
    .unwrap()
    .add_txt("ptr._spf.both.example", "v=spf1 -ptr:example.com +all")
    .unwrap();
    for name in [
        "mary.mobile-users",
        "fred.mobile-users",
        "15.15.168.192.joel.remote-users",
        "16.15.168.192.joel.remote-users",
    ] {
        let name = format!("{name}._spf.example.com");
        zone.add_address(&name, [127, 0, 0, 2].into()).unwrap();
    }
    for (client, sender, result) in [
        ("198.51.100.1", "a@la.example.org", SpfResult::Pass),
        ("192.0.2.129", "a@la.example.org", SpfResult::Pass),
        ("198.51.100.2", "a@la.example.org", SpfResult::Fail),
        ("203.0.113.1", "mary@example.com", SpfResult::Pass),
        ("203.0.113.1", "fred+x@example.com", SpfResult::Pass),
        ("192.168.15.15", "joel@example.com", SpfResult::Pass),
        ("192.168.15.17", "joel@example.com", SpfResult::Fail),
        ("192.0.2.65", "a@both.example", SpfResult::Pass),
        ("192.0.2.140", "a@both.example", SpfResult::Fail),
        ("10.0.0.4", "a@both.example", SpfResult::Fail),
    ] {
        let evaluation = check(&zone, client, sender);
        assert_eq!(
            evaluation.result(),
            result,
            "{client} {sender}: {}",
            evaluation.cause()
        );
    }
}

/// Section 12, with the section in which the rule is explained.
#[test]
fn grammar() {
    for valid in [
        "v=spf1",
        "v=spf1 ",
        "v=spf1 a/24//64 a//64 a/0 mx/32//128",
        "v=spf1 a:foo.example. a:foo:bar/baz.example.com/24",
        "v=spf1 a:.com a:%{d} a:x.%{d} a:%{i}.1-2 exists:as%-",
        "v=spf1 include:%{i}._spf.%{d2} ptr ptr:example.com",
        "v=spf1 ip6:::1.1.1.1/0 ip6::: ip6:2001:db8::/128 ip4:0.0.0.0/0",
        "v=spf1 moo.cow-far_out=man:dog/cat x= default=+ x=1 x=2",
        "v=spf1 redirect=_spf.example.com exp=why.example.com",
    ] {
        let record = Record::parse(valid.as_bytes());
        assert!(record.is_ok(), "{valid}: {record:?}");
    }
    for (term, rule) in [
        ("a:", SyntaxRule::DomainMissing),
        ("a:/24", SyntaxRule::DomainMissing),
        ("exists", SyntaxRule::DomainMissing),
        ("exists:", SyntaxRule::DomainMissing),
        ("include", SyntaxRule::DomainMissing),
        ("ptr:", SyntaxRule::DomainMissing),
        ("redirect=", SyntaxRule::DomainMissing),
        ("exp=", SyntaxRule::DomainMissing),
        ("a:museum", SyntaxRule::DomainEnd),
        ("a:museum.", SyntaxRule::DomainEnd),
        ("a:foo.123", SyntaxRule::DomainEnd),
        ("a:foo.-x", SyntaxRule::DomainEnd),
        ("a:foo.x-", SyntaxRule::DomainEnd),
        ("a:foo-bar", SyntaxRule::DomainEnd),
        ("a:foo..", SyntaxRule::DomainEnd),
        ("a:foo:8080", SyntaxRule::DomainEnd),
        ("a:example.com:8080", SyntaxRule::DomainEnd),
        ("a:%{d}.", SyntaxRule::DomainEnd),
        ("a:%{d}com", SyntaxRule::DomainEnd),
        ("exists:mail.example.com/24", SyntaxRule::DomainEnd),
        ("exp=-all", SyntaxRule::DomainEnd),
        ("redirect=-all", SyntaxRule::DomainEnd),
        ("a/33", SyntaxRule::PrefixLength),
        ("a//129", SyntaxRule::PrefixLength),
        ("a/024", SyntaxRule::PrefixLength),
        ("a//00", SyntaxRule::PrefixLength),
        ("a/", SyntaxRule::PrefixLength),
        ("a/x24", SyntaxRule::PrefixLength),
        ("mx///2", SyntaxRule::PrefixLength),
        ("a//64/24", SyntaxRule::PrefixLength),
        ("ip4:1.2.3.4/032", SyntaxRule::PrefixLength),
        ("ip4:1.2.3.4//32", SyntaxRule::PrefixLength),
        ("ip4:1.2.3.4/", SyntaxRule::PrefixLength),
        ("ip6:::1.1.1.1/129", SyntaxRule::PrefixLength),
        ("ip6:::1.1.1.1//33", SyntaxRule::PrefixLength),
        ("ip4", SyntaxRule::Ip4Network),
        ("ip4:", SyntaxRule::Ip4Network),
        ("ip4:1.2.3", SyntaxRule::Ip4Network),
        ("ip4:1.2.3.4.5", SyntaxRule::Ip4Network),
        ("ip4:1.2.3.256", SyntaxRule::Ip4Network),
        ("ip4:1.2.3.04", SyntaxRule::Ip4Network),
        ("ip4:1.2.3.4:25", SyntaxRule::Ip4Network),
        ("ip4/24", SyntaxRule::Ip4Network),
        ("ip6", SyntaxRule::Ip6Network),
        ("ip6::CAFE::BABE", SyntaxRule::Ip6Network),
        ("ip6:1.2.3.4", SyntaxRule::Ip6Network),
        ("ip6:fe80::1%eth0", SyntaxRule::Ip6Network),
        ("all.", SyntaxRule::UnknownMechanism),
        ("all:x", SyntaxRule::TrailingText),
        ("all/8", SyntaxRule::TrailingText),
        ("ptr/0", SyntaxRule::TrailingText),
        ("redirect:a.example", SyntaxRule::UnknownMechanism),
        ("?redirect=a.example", SyntaxRule::UnknownMechanism),
        ("1up=foo", SyntaxRule::UnknownMechanism),
        ("=all", SyntaxRule::UnknownMechanism),
        ("moo", SyntaxRule::UnknownMechanism),
        ("moo.cow/far_out=man", SyntaxRule::UnknownMechanism),
        ("--all", SyntaxRule::UnknownMechanism),
        ("!", SyntaxRule::UnknownMechanism),
        ("foo=%abc", SyntaxRule::Macro),
        ("foo=%", SyntaxRule::Macro),
        ("exists:%(ir).sbl.example.org", SyntaxRule::Macro),
        ("exp=%{r}.example", SyntaxRule::MacroLetter),
        ("a:%{a}.example", SyntaxRule::MacroLetter),
        ("a\rptr", SyntaxRule::Character),
        ("a\u{7f}", SyntaxRule::Character),
    ] {
        let record = format!("v=spf1 {term} -all");
        let error = Record::parse(record.as_bytes()).unwrap_err();
        assert_eq!(error.rule(), rule, "{term}");
        assert!((7..=7 + term.len()).contains(&error.offset()), "{term}");
    }
}

/// RFC 6652 3.
#[test]
fn reporting() {
    let parse = |text: &'static str| Record::parse(text.as_bytes()).unwrap();
    let record = parse("v=spf1 mx:example.org -all RA=postmaster rp=10 rr=e");
    assert_eq!(record.reporting(), Some(("postmaster", 10, "e")));
    assert_eq!(
        parse("v=spf1 ra=x -all rp=200").reporting(),
        Some(("x", 100, "all"))
    );
    assert_eq!(parse("v=spf1 -all rp=10 rr=all").reporting(), None);
    assert_eq!(parse("v=spf1 -all ra=").reporting(), None);
}

/// 6.2: only after a fail, from the record that decided, never from an included one.
#[test]
fn explanations() {
    let mut zone = Zone::new();
    for (domain, record) in [
        (
            "a.example",
            "v=spf1 include:b.example -all exp=text.a.example",
        ),
        ("b.example", "v=spf1 -all exp=text.b.example"),
        ("c.example", "v=spf1 redirect=b.example exp=text.a.example"),
        ("d.example", "v=spf1 ~all exp=text.a.example"),
        ("e.example", "v=spf1 -all exp=two.example"),
        ("f.example", "v=spf1 -all exp=broken.example"),
        ("g.example", "v=spf1 -all exp=none.example"),
        ("text.a.example", "See http://%{d}/why.html?s=%{S}&i=%{I}"),
        ("text.b.example", "%{o} says %{l}"),
        ("two.example", "one"),
        ("two.example", "two"),
    ] {
        zone.add_txt(domain, record).unwrap();
    }
    zone.fail("broken.example", LookupError::Timeout).unwrap();
    for (domain, text) in [
        (
            "a.example",
            Some("See http://a.example/why.html?s=u%40a.example&i=192.0.2.1"),
        ),
        ("b.example", Some("b.example says u")),
        ("c.example", Some("c.example says u")),
        ("d.example", None),
        ("e.example", None),
        ("f.example", None),
        ("g.example", None),
    ] {
        let evaluation = check(&zone, "192.0.2.1", &format!("u@{domain}"));
        let explanation = evaluation.explanation();
        assert_eq!(explanation.map(|text| text.as_str()), text, "{domain}");
    }
}

#[test]
fn traces() {
    let mut zone = Zone::new();
    zone.add_txt(
        "example.com",
        "v=spf1 a:%{l}.example.com redirect=b.example",
    )
    .unwrap()
    .add_txt("b.example", "v=spf1 -all")
    .unwrap();
    let request = Request::mail_from([192, 0, 2, 1].into(), "mx.example.org", "u@example.com");
    let mut settings = Settings::default();
    let evaluation = block_on(check_host(&zone, &request, &settings));
    assert_eq!(
        (evaluation.trace().count(), evaluation.trace_dropped()),
        (0, 0)
    );
    settings.trace_events = 100;
    let evaluation = block_on(check_host(&zone, &request, &settings));
    let lines: Vec<String> = evaluation.trace().collect();
    assert_eq!(
        lines,
        [
            "TXT of example.com: 1 record",
            "the record of example.com is `v=spf1 a:%{l}.example.com redirect=b.example`",
            "`%{l}.example.com` expands to `u.example.com`",
            "A of u.example.com: no such name",
            "`a:%{l}.example.com` in the record of example.com does not match",
            "TXT of b.example: 1 record",
            "the record of b.example is `v=spf1 -all`",
            "`-all` in the record of b.example matches",
        ]
    );
    let path: Vec<_> = evaluation.matched().unwrap().place.path().collect();
    assert_eq!(
        path,
        [(&"example.com".parse().unwrap(), "redirect=b.example")]
    );

    let json = serde_json::to_value(&evaluation).unwrap();
    assert_eq!(json["result"], "fail");
    assert_eq!(json["cause"]["matched"]["place"]["domain"], "b.example");
    assert_eq!(json["trace"]["events"][0]["asked"]["record_type"], "TXT");

    settings.trace_events = 3;
    let evaluation = block_on(check_host(&zone, &request, &settings));
    assert_eq!(
        (evaluation.trace().count(), evaluation.trace_dropped()),
        (3, 5)
    );
}

/// The examples of 9.1, the last of which has a value without the quotes that it needs.
#[test]
fn received_spf_examples() {
    let comment = "mybox.example.org: domain of myname@example.com designates 192.0.2.1 as \
                   permitted sender";
    let first = ReceivedSpf::parse(
        b" pass (mybox.example.org: domain of\r\n myname@example.com designates 192.0.2.1 as \
          permitted sender)\r\n    receiver=mybox.example.org; client-ip=192.0.2.1;\r\n    \
          envelope-from=\"myname@example.com\"; helo=foo.example.com;",
    )
    .unwrap();
    assert_eq!(first.result(), SpfResult::Pass);
    assert_eq!(first.comment(), Some(comment));
    assert_eq!(first.client_ip(), Some([192, 0, 2, 1].into()));
    assert_eq!(first.get("Envelope-From"), Some("myname@example.com"));
    assert_eq!(first.identity(), None);
    let field = |field: &ReceivedSpf| {
        let mut results = AuthenticationResults::new("mx".parse().unwrap());
        results.results.push(field.to_method_result());
        results.to_field()
    };
    assert_eq!(
        field(&first),
        "Authentication-Results: mx; spf=pass smtp.mailfrom=example.com"
    );
    let third = ReceivedSpf::parse(
        b" Fail identity=helo; mechanism=ip4:192.0.2.1; envelope-from=\"\"; helo=foo.example.com",
    )
    .unwrap();
    assert_eq!(third.identity(), Some(Identity::Helo));
    assert_eq!(third.get("mechanism"), Some("ip4:192.0.2.1"));
    assert_eq!(
        field(&third),
        "Authentication-Results: mx; spf=fail smtp.helo=foo.example.com"
    );
    for broken in [
        &b""[..],
        b" passed",
        b" pass (comment",
        b" pass client-ip",
        b" pass client-ip=\"1",
        b" pass =1",
        b" pass 1a=1",
        b" (x",
    ] {
        assert!(ReceivedSpf::parse(broken).is_err(), "{broken:?}");
    }
}

/// A field of 10 MB could hold three million pairs, each with two texts.
#[test]
fn received_spf_has_a_longest_length() {
    let read = |length: usize| {
        let field = format!("pass{}", " a=;".repeat(length / 4 - 1));
        ReceivedSpf::parse(field.as_bytes())
    };
    assert_eq!(read(65_536).unwrap().pairs().count(), 16_383);
    assert_eq!(read(65_540), Err(ParseError::Length(65_536)));
}

/// Nothing that a stranger says gets out of its place.
#[test]
fn received_spf_is_injection_proof() {
    let mut zone = Zone::new();
    zone.add_txt("example.com", "v=spf1 exists:%{h}.example.com -all")
        .unwrap();
    let session = Session::new(
        [192, 0, 2, 1].into(),
        "x\r\nX-Evil: 1\"; identity=helo (",
        "\"a;b) c\"@example.com",
    );
    let evaluation = block_on(check_session(&zone, &session, &Settings::default()));
    let field = ReceivedSpf::of(evaluation.authoritative(), &session, "mx.example.org");
    let written = field.to_field();
    assert!(
        !written.replace("\r\n\t", "").contains(['\r', '\n']),
        "{written}"
    );
    let read = ReceivedSpf::parse(written.strip_prefix("Received-SPF:").unwrap().as_bytes());
    assert_eq!(read.as_ref(), Ok(&field));
    assert_eq!(field.identity(), Some(Identity::MailFrom));
    assert_eq!(field.get("helo"), Some("xX-Evil: 1\"; identity=helo ("));
    assert_eq!(field.get("envelope-from"), Some("\"a;b) c\"@example.com"));
    assert_eq!(field.get("mechanism"), Some("-all"));
    for long in ["h", "\"", "\u{fc}", "(", "a "] {
        let text = long.repeat(5_000);
        let field = ReceivedSpf::new(SpfResult::None)
            .with_comment(&text)
            .with_pair("helo", &text);
        let written = field.to_field();
        assert!(
            written.split("\r\n").all(|line| line.len() <= 998),
            "{long}"
        );
        let body = written.strip_prefix("Received-SPF:").unwrap();
        assert_eq!(ReceivedSpf::parse(body.as_bytes()), Ok(field));
    }
    assert_eq!(
        ReceivedSpf::new(SpfResult::None).with_pair("a b", "c"),
        ReceivedSpf::new(SpfResult::None)
    );
}

#[test]
fn authentication_results() {
    let mut zone = Zone::new();
    zone.add_txt("example.com", "v=spf1 -all").unwrap();
    for (helo, mail_from, expected) in [
        (
            "mx.example.com",
            "user@example.com",
            "fail smtp.mailfrom=example.com",
        ),
        ("example.com", "", "fail smtp.helo=example.com"),
        (
            "mx.example.com",
            "user@b\u{fc}cher.example",
            "none smtp.mailfrom=xn--bcher-kva.example",
        ),
        ("mx.example.com", "user@[192.0.2.1]", "none"),
    ] {
        let session = Session::new([192, 0, 2, 1].into(), helo, mail_from);
        let evaluation = block_on(check_session(&zone, &session, &Settings::default()));
        let mut results = AuthenticationResults::new("mx".parse().unwrap());
        let result = evaluation.authoritative().to_method_result();
        results.results.push(result);
        assert_eq!(
            results.to_field(),
            format!("Authentication-Results: mx; spf={expected}")
        );
    }
    let unknown = block_on(check_session(
        &zone,
        &Session::unknown(),
        &Settings::default(),
    ));
    assert_eq!(
        unknown.authoritative().cause().to_string(),
        "the argument of MAIL FROM is not known"
    );
}
