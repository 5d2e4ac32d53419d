//! SPF against what is met in the field: records that other implementations got wrong, in small
//! zones.

use std::net::IpAddr;

use mailproof::Session;
use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::identifier::Status;
use mailproof::spf::{
    Cause, Evaluation, Identity, Record, Request, Settings, SpfResult, SyntaxRule, check_host,
    check_session,
};

const CLIENT: &str = "192.0.2.1";

/// A zone of TXT records; an address as text is an A or AAAA record, `mx ` an MX.
fn zone(entries: &[(&str, &str)]) -> Zone {
    let mut zone = Zone::new();
    for (name, data) in entries {
        if let Ok(address) = data.parse() {
            zone.add_address(name, address).unwrap();
        } else if let Some(host) = data.strip_prefix("mx ") {
            zone.add_mx(name, 10, host).unwrap();
        } else {
            zone.add_txt(name, data).unwrap();
        }
    }
    zone
}

fn check_with(zone: &Zone, client: &str, sender: &str, settings: &Settings) -> Evaluation {
    let request = Request::mail_from(client.parse().unwrap(), "mx.example.com", sender);
    block_on(check_host(zone, &request, settings))
}

fn check(zone: &Zone, client: &str, sender: &str) -> Evaluation {
    check_with(zone, client, sender, &Settings::default())
}

/// The result for one record at example.com, with nothing else in the DNS but a host.
fn result_of(record: &str, client: &str) -> SpfResult {
    let zone = zone(&[
        ("example.com", record),
        ("example.com", "192.0.2.1"),
        ("example.com", "mx mx.example.com"),
        ("mx.example.com", "192.0.2.1"),
    ]);
    check(&zone, client, "user@example.com").result()
}

/// Macros of large providers, each of which broke some implementation.
#[test]
fn provider_macros() {
    let mut zone = zone(&[
        (
            "marsh.example",
            "v=spf1 include:%{i}._ip.%{h}._ehlo.%{d}._spf.vali.example ~all",
        ),
        (
            "192.0.2.1._ip.mx.example.com._ehlo.marsh.example._spf.vali.example",
            "v=spf1 ip4:192.0.2.1 -all",
        ),
        ("jobs.example", "v=spf1 include:spf.jobs.example -all"),
        (
            "spf.jobs.example",
            "v=spf1 include:%{ir}.%{v}.%{d}.has.pps.example -all",
        ),
        (
            "1.2.0.192.in-addr.spf.jobs.example.has.pps.example",
            "v=spf1 ip4:192.0.2.0/24 -all",
        ),
        ("mx.example", "v=spf1 mx:%{o} -all"),
        ("mx.example", "mx host.example"),
        ("host.example", "192.0.2.1"),
        ("six.example", "v=spf1 exists:%{ir}._spf.%{d} -all"),
        (
            "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2._spf.six.example",
            "127.0.0.2",
        ),
        ("tag.example", "v=spf1 exists:%{l1r+}._tag.%{d} -all"),
        ("user._tag.tag.example", "127.0.0.2"),
    ]);
    zone.add_txt("why.mx.example", "see %{S} and %{h}").unwrap();
    for (client, sender) in [
        (CLIENT, "user@marsh.example"),
        (CLIENT, "user@jobs.example"),
        (CLIENT, "user@mx.example"),
        ("2001:db8::1", "user@six.example"),
        (CLIENT, "user+folder@tag.example"),
    ] {
        let evaluation = check(&zone, client, sender);
        assert_eq!(
            evaluation.result(),
            SpfResult::Pass,
            "{sender}: {}",
            evaluation.cause()
        );
    }
}

/// A HELO argument that is not known expands to something defined.
#[test]
fn helo_may_be_unknown() {
    let zone = zone(&[
        ("example.com", "v=spf1 exists:%{h}.helo.example.com -all"),
        ("unknown.helo.example.com", "127.0.0.2"),
    ]);
    let request = Request::new(
        CLIENT.parse().unwrap(),
        Identity::MailFrom,
        b"user",
        b"example.com",
        None,
    );
    let evaluation = block_on(check_host(&zone, &request, &Settings::default()));
    assert_eq!(evaluation.result(), SpfResult::Pass);
}

#[test]
fn valid_records_that_others_refuse() {
    for (record, client) in [
        (
            "v=spf1 ip6:fe80::0000:0000:0000:0000:0000:1 -all",
            "fe80::1",
        ),
        ("v=spf1 ip4:192.0.2.1  ra=postmaster -all ", CLIENT),
        ("v=spf1   ip4:192.0.2.1   -all  ", CLIENT),
        ("v=spf1 ip4:192.0.2.1 ra=postmaster rp=10 rr=e -all", CLIENT),
        ("v=spf1 ip4:192.0.2.1 -all", "::ffff:192.0.2.1"),
        ("v=spf1 mx exp=%{i}.why.example.com -all", CLIENT),
        ("v=spf1 exists:nothing.example.com a -all", CLIENT),
        ("V=SpF1 IP4:192.0.2.1 -ALL", CLIENT),
        ("v=spf1 +a/24//64 -all", "192.0.2.200"),
    ] {
        assert_eq!(result_of(record, client), SpfResult::Pass, "{record}");
    }
    let underscore = zone(&[
        (
            "example.com",
            "v=spf1 include:example_com_d82a85cc_0.flat.spf.example -all",
        ),
        (
            "example_com_d82a85cc_0.flat.spf.example",
            "v=spf1 ip4:192.0.2.1 -all",
        ),
    ]);
    assert_eq!(
        check(&underscore, CLIENT, "user@example.com").result(),
        SpfResult::Pass
    );
}

#[test]
fn errors_name_rule_offset_and_term() {
    for (record, rule, offset, term) in [
        (
            "v=spf1 ipv4:192.0.2.1 -all",
            SyntaxRule::UnknownMechanism,
            7,
            "ipv4:192.0.2.1",
        ),
        (
            "v=spf1 mx ipv6:2001:db8::1 -all",
            SyntaxRule::UnknownMechanism,
            10,
            "ipv6:2001:db8::1",
        ),
        (
            "v=spf1 2602:fd3f:0000:ff06::/64 -all",
            SyntaxRule::UnknownMechanism,
            7,
            "2602:fd3f:0000:ff06::/64",
        ),
        (
            "v=spf1 ip6:192.0.2.1 -all",
            SyntaxRule::Ip6Network,
            11,
            "ip6:192.0.2.1",
        ),
        (
            "v=spf1 ip4:192.0.2.1/33 -all",
            SyntaxRule::PrefixLength,
            21,
            "ip4:192.0.2.1/33",
        ),
        (
            "v=spf1 ip4:192.0.2.1 a:museum -all",
            SyntaxRule::DomainEnd,
            23,
            "a:museum",
        ),
        (
            "v=spf1 include: -all",
            SyntaxRule::DomainMissing,
            15,
            "include:",
        ),
        (
            "v=spf1 exists:%{x}.example -all",
            SyntaxRule::MacroLetter,
            16,
            "exists:%{x}.example",
        ),
        (
            "v=spf1 -all redirect=a.example redirect=b.example",
            SyntaxRule::Duplicate,
            31,
            "redirect=b.example",
        ),
        ("v=spf1 a\tmx -all", SyntaxRule::Character, 8, "a\\tmx"),
        ("v=spf1 -all:x", SyntaxRule::TrailingText, 11, "-all:x"),
    ] {
        let error = Record::parse(record.as_bytes()).unwrap_err();
        assert_eq!(
            (error.rule(), error.offset(), error.term()),
            (rule, offset, term),
            "{record}"
        );
        assert_eq!(result_of(record, CLIENT), SpfResult::Permerror, "{record}");
    }
}

/// A zero-width space between terms crashed one implementation.
#[test]
fn octets_that_are_no_ascii() {
    let record = "v=spf1 mx a include:spf.host.example.com \u{200b}include:_spf.example.com ?all";
    let error = Record::parse(record.as_bytes()).unwrap_err();
    assert_eq!((error.rule(), error.offset()), (SyntaxRule::Character, 41));
    assert_eq!(error.term(), r"\xe2\x80\x8binclude:_spf.example.com");
    for octets in [
        &b"v=spf1 \xff"[..],
        b"v=spf1 a:\xc3\xa9.example",
        b"v=spf1 \0 -all",
    ] {
        assert_eq!(
            Record::parse(octets).unwrap_err().rule(),
            SyntaxRule::Character
        );
    }
}

/// A syntax error counts even behind a term that matches, and in records that are included.
#[test]
fn errors_beat_earlier_matches() {
    assert_eq!(
        result_of("v=spf1 ip4:192.0.2.1 -all moo", CLIENT),
        SpfResult::Permerror
    );
    let zone = zone(&[
        ("example.com", "v=spf1 include:other.example -all"),
        ("other.example", "v=spf1 ip4:192.0.2.1 ip4: -all"),
    ]);
    let evaluation = check(&zone, CLIENT, "user@example.com");
    assert_eq!(evaluation.result(), SpfResult::Permerror);
    assert_eq!(
        evaluation.cause().to_string(),
        "no IPv4 address in `ip4:` at octet 25 of the record of other.example (via include of \
         example.com)"
    );
}

#[test]
fn selection_of_the_record() {
    for (records, result) in [
        (&["v=spf10 +all"][..], SpfResult::None),
        (&["V=SPF1 +all"], SpfResult::Pass),
        (&[" v=spf1 +all"], SpfResult::None),
        (&["\tv=spf1 +all"], SpfResult::None),
        (&["v=spf1 +all", "v=spf1 +all -all"], SpfResult::Permerror),
        (&["spf2.", "v=spf1 +all"], SpfResult::Pass),
        (&["spf2.0/pra -all", "v=spf1 +all"], SpfResult::Pass),
        (&["v=spf1"], SpfResult::Neutral),
        (&["something", "v=spf1 +all", "else"], SpfResult::Pass),
        (&["v=spf1\t+all"], SpfResult::None),
        (&[], SpfResult::None),
    ] {
        let mut zone = Zone::new();
        zone.add_name("example.com").unwrap();
        for record in records {
            zone.add_txt("example.com", record).unwrap();
        }
        zone.add_txt("example.com", b"\xe2\x80\x9dquoted\xe2\x80\x9d")
            .unwrap();
        let evaluation = check(&zone, CLIENT, "user@example.com");
        assert_eq!(evaluation.result(), result, "{records:?}");
    }
}

#[test]
fn include_and_redirect_together() {
    let mut zone = zone(&[
        ("leaf.example", "v=spf1 ip4:198.51.100.1 -all"),
        ("pass.example", "v=spf1 ip4:192.0.2.1 -all"),
        (
            "a.example",
            "v=spf1 include:leaf.example redirect=pass.example",
        ),
        ("b.example", "v=spf1 redirect=none.example"),
        ("c.example", "v=spf1 redirect=pass.example ~all"),
        ("d.example", "v=spf1 include:none.example +all"),
        ("e.example", "v=spf1 include:broken.example +all"),
        ("f.example", "v=spf1 redirect=broken.example"),
        ("g.example", "v=spf1 include:h.example -all"),
        ("h.example", "v=spf1 redirect=pass.example"),
        (
            "i.example",
            "v=spf1 exists:none.example include:pass.example -all",
        ),
        ("j.example", "v=spf1 ?include:pass.example -all"),
        ("k.example", "v=spf1 include:k.example +all"),
    ]);
    zone.fail("broken.example", LookupError::ServFail).unwrap();
    for (domain, result) in [
        ("a.example", SpfResult::Pass),
        ("b.example", SpfResult::Permerror),
        ("c.example", SpfResult::Softfail),
        ("d.example", SpfResult::Permerror),
        ("e.example", SpfResult::Temperror),
        ("f.example", SpfResult::Temperror),
        ("g.example", SpfResult::Pass),
        ("i.example", SpfResult::Pass),
        ("j.example", SpfResult::Neutral),
        ("k.example", SpfResult::Permerror),
    ] {
        let evaluation = check(&zone, CLIENT, domain);
        assert_eq!(
            evaluation.result(),
            result,
            "{domain}: {}",
            evaluation.cause()
        );
    }
    let evaluation = check(&zone, CLIENT, "g.example");
    assert_eq!(
        evaluation.cause().to_string(),
        "`ip4:192.0.2.1` in the record of pass.example (via include of g.example, redirect of \
         h.example) covers 192.0.2.1"
    );
    let error = check(&zone, CLIENT, "e.example").cause().to_string();
    assert!(error.contains("TXT records of broken.example"), "{error}");
}

/// `/0` is legal and covers everything of its family; elsewhere it crashed or failed.
#[test]
fn prefix_length_zero() {
    assert_eq!(
        result_of("v=spf1 ip4:10.0.0.0/0 -all", CLIENT),
        SpfResult::Pass
    );
    assert_eq!(
        result_of("v=spf1 ip6:::/0 -all", "2001:db8::1"),
        SpfResult::Pass
    );
    assert_eq!(result_of("v=spf1 ip6:::/0 -all", CLIENT), SpfResult::Fail);
    assert_eq!(result_of("v=spf1 a/0 -all", "203.0.113.5"), SpfResult::Pass);
    assert_eq!(
        result_of("v=spf1 a//0 -all", "2001:db8::1"),
        SpfResult::Fail
    );
}

/// A validated name must be the target or lie below it, at a label boundary; and it must be validated.
#[test]
fn ptr_compares_labels_and_validates() {
    let client: IpAddr = CLIENT.parse().unwrap();
    for (name, address, result) in [
        ("evilexample.com", CLIENT, SpfResult::Fail),
        ("evilexample.com", "203.0.113.9", SpfResult::Fail),
        ("mail.example.com", "203.0.113.9", SpfResult::Fail),
        ("mail.example.com", CLIENT, SpfResult::Pass),
        ("example.com", CLIENT, SpfResult::Pass),
        ("com", CLIENT, SpfResult::Fail),
    ] {
        let mut zone = zone(&[("example.com", "v=spf1 ptr -all")]);
        zone.add_ptr(client, name).unwrap();
        zone.add_address(name, address.parse().unwrap()).unwrap();
        let evaluation = check(&zone, CLIENT, "user@example.com");
        assert_eq!(evaluation.result(), result, "{name} {address}");
    }
}

#[test]
fn identities_do_not_stand_in_for_each_other() {
    let zone = zone(&[
        ("helo.attack.example", "v=spf1 +all"),
        ("legitimate.example", "v=spf1 -all"),
    ]);
    let evaluate = |helo: &str, mail_from: &str| {
        let session = Session::new(CLIENT.parse().unwrap(), helo, mail_from);
        block_on(check_session(&zone, &session, &Settings::default()))
    };
    let sender = "any@mailfrom.notexist.legitimate.example";
    let evaluation = evaluate("helo.attack.example", sender);
    assert_eq!(evaluation.helo().unwrap().result(), SpfResult::Pass);
    assert_eq!(evaluation.mail_from().unwrap().result(), SpfResult::None);
    assert_eq!(evaluation.authenticated_identifier(), None);

    // Not an address: never the null reverse-path.
    let evaluation = evaluate("helo.attack.example", "(any@legitimate.example");
    assert_eq!(evaluation.authoritative().result(), SpfResult::None);
    let cause = evaluation.authoritative().cause();
    assert!(matches!(cause, Cause::MalformedReversePath { .. }));
    assert_eq!(evaluation.authenticated_identifier(), None);

    let evaluation = evaluate("helo.attack.example", "<>");
    assert_eq!(evaluation.mail_from(), None);
    assert_eq!(evaluation.authoritative().result(), SpfResult::Pass);
    let identifier = evaluation.authenticated_identifier().unwrap();
    assert_eq!(identifier.domain().as_str(), "helo.attack.example");
    assert_eq!(identifier.status(), Status::Pass);
}

#[test]
fn identities_without_a_domain() {
    let zone = Zone::new();
    for helo in [
        "[192.0.2.1]",
        "[IPv6:2001:db8::1]",
        "10.88.0.3",
        "localhost",
        "",
        "a..b",
    ] {
        let session = Session::new(CLIENT.parse().unwrap(), helo, "");
        let evaluation = block_on(check_session(&zone, &session, &Settings::default()));
        let evaluation = evaluation.authoritative();
        assert_eq!(evaluation.result(), SpfResult::None, "{helo}");
        assert_eq!(evaluation.identity(), Identity::Helo);
    }
    let quoted = check(&zone, CLIENT, "\"info@\"example.com");
    assert_eq!(quoted.result(), SpfResult::None);
    let literal = check(&zone, CLIENT, "user@[192.0.2.1]");
    let Cause::UnusableDomain { error, .. } = literal.cause() else {
        panic!("{}", literal.cause());
    };
    assert_eq!(&**error, "it is an address, not a name");
    assert_eq!(
        check(&zone, CLIENT, "user@localhost").cause().to_string(),
        "MAIL FROM has no domain to check in \"localhost\": it is a single label"
    );
}

/// RFC 8616 4.
#[test]
fn names_and_local_parts_beyond_ascii() {
    let zone = zone(&[
        (
            "xn--bcher-kva.example",
            "v=spf1 exists:%{l}.%{d} exists:%{o}.x.example -all",
        ),
        ("j\u{fc}rgen.xn--bcher-kva.example", "127.0.0.2"),
        ("xn--bcher-kva.example.x.example", "127.0.0.2"),
    ]);
    let evaluation = check(&zone, CLIENT, "j\u{fc}rgen@b\u{fc}cher.example");
    assert_eq!(evaluation.result(), SpfResult::Pass);
    let matched = evaluation.matched().unwrap();
    assert_eq!(matched.place.term(), Some("exists:%{o}.x.example"));
    let request = Request::helo(CLIENT.parse().unwrap(), "b\u{fc}cher.example");
    let evaluation = block_on(check_host(&zone, &request, &Settings::default()));
    assert_eq!(evaluation.result(), SpfResult::None);
}

#[test]
fn width_cache_and_time_to_live() {
    let zone = zone(&[
        ("wide.example", "v=spf1 ip4:10.0.0.0/8 -all"),
        ("all.example", "v=spf1 +all"),
        ("host.example", "v=spf1 a/24 -all"),
        ("host.example", "192.0.2.77"),
        ("macro.example", "v=spf1 exists:%{l}.macro.example ?all"),
    ]);
    let matched = |client, domain: &str| {
        let evaluation = check(&zone, client, domain);
        evaluation.matched().unwrap().addresses
    };
    assert_eq!(matched("10.1.2.3", "wide.example"), Some(1 << 24));
    assert_eq!(matched(CLIENT, "all.example"), Some(1 << 32));
    assert_eq!(matched(CLIENT, "host.example"), Some(256));
    assert!(check(&zone, CLIENT, "macro.example").depends_on_sender());
    assert!(!check(&zone, CLIENT, "host.example").depends_on_sender());
}
