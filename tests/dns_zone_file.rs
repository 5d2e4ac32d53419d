//! Zones from master-file text: what is read, and what is refused, with its line.

use std::time::Duration;

use mailproof::dns::{
    LookupError, Name, NameError, Outcome, Resolver, Txt, Zone, ZoneFileError, block_on,
};

fn zone(text: &str) -> Zone {
    Zone::from_text(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

fn txt(zone: &Zone, at: &str) -> Vec<Txt> {
    let outcome = block_on(zone.txt(&name(at))).expect("an outcome");
    outcome.as_slice().to_vec()
}

fn one_txt(text: impl AsRef<[u8]>) -> Vec<u8> {
    let line = [b"x.example TXT ".as_slice(), text.as_ref(), b"\n"].concat();
    let zone = Zone::from_text(&line).unwrap_or_else(|error| panic!("{error}"));
    let [txt] = txt(&zone, "x.example").try_into().expect("one record");
    txt.as_bytes().to_vec()
}

fn exists(zone: &Zone, at: &str) -> bool {
    let outcome: Outcome<_> = block_on(zone.a(&name(at))).expect("an outcome");
    !outcome.is_no_such_name()
}

fn refused(text: impl AsRef<[u8]>) -> ZoneFileError {
    Zone::from_text(text).expect_err("an error")
}

#[test]
fn strings_are_joined() {
    for (text, expected) in [
        (r#""a b" "c""#, &b"a bc"[..]),
        (
            r#"( "v=DKIM1; k=rsa; " "p=MIG" )"#,
            b"v=DKIM1; k=rsa; p=MIG",
        ),
        ("(\n \"a;\" ; comment ) \"\n \"b\"\n)", b"a;b"),
        ("( \"a\"\n\t\"b\" ) ; ( trailing", b"ab"),
        (r#""a""b"c"d""#, b"abcd"),
        (r#""""#, b""),
        (r#""" "" x"#, b"x"),
        (r#""\"quoted\\ \;""#, br#""quoted\ ;"#),
        (r#""\255\000\065\10010""#, b"\xff\0Ad10"),
        (r#"a\032b\ c\;d\(e\"f"#, br#"a b c;d(e"f"#),
        ("v=spf1 -all", b"v=spf1-all"),
        ("v=DKIM1; p=abc", b"v=DKIM1"),
        ("\"tab\there\"", b"tab\there"),
        ("\"(not;a)group\"", b"(not;a)group"),
    ] {
        assert_eq!(one_txt(text), expected, "{text}");
    }
    assert_eq!(
        one_txt(b"\"gr\xfc\xc3\xbc\xff\x80\""),
        b"gr\xfc\xc3\xbc\xff\x80"
    );
    assert_eq!(one_txt("a".repeat(1000)), "a".repeat(1000).as_bytes());
}

#[test]
fn owners() {
    let zone = zone(
        "\u{feff}; names\r\n\
         plain.example A 192.0.2.1\r\n\
         \t\tTXT \"same owner\"\r\n\
         \r\n\
         \t ; nothing here\r\n\
         \x20 IN TXT \"still\"\r\n\
         $ORIGIN Sub.example.\r\n\
         @ TXT origin\r\n\
         rel TXT relative\r\n\
         abs.test. TXT absolute\r\n\
         dot\\. TXT \"escaped dot\"\r\n\
         \\@ TXT \"an at sign\"\r\n\
         $ORIGIN deeper\r\n\
         rel IN 60 TXT nested\r\n\
         $origin .\r\n\
         top TXT top\r\n\
         a\\032b\\;c\\$\\255.example TXT odd\r\n\
         user+x=y/z!.example TXT visible\r\n\
         *.wild.example TXT wild\r\n\
         _dmarc.UPPER.example. TXT upper",
    );
    assert_eq!(txt(&zone, "plain.example").len(), 2);
    for (at, text) in [
        ("sub.example", "origin"),
        ("rel.sub.example", "relative"),
        ("abs.test", "absolute"),
        (r"dot\..sub.example", "escaped dot"),
        (r"\@.sub.example", "an at sign"),
        ("rel.deeper.sub.example", "nested"),
        ("top", "top"),
        (r"a\032b\;c\$\255.example", "odd"),
        ("user+x=y/z!.example", "visible"),
        ("any.wild.example", "wild"),
        ("_dmarc.upper.example", "upper"),
    ] {
        assert_eq!(txt(&zone, at), [Txt::new(text)], "{at}");
    }
    let zone = Zone::from_text(b"\xe4.example TXT x").expect("octets");
    assert_eq!(txt(&zone, r"\228.example").len(), 1);
}

#[test]
fn times_to_live() {
    let zone = zone(
        "none.example TXT x\n\
         own.example 1h30m IN TXT x\n\
         before.example IN TXT x\n\
         class.example IN 2W3d4H5m6S TXT x\n\
         $TTL 1d ; a day\n\
         default.example TXT x\n\
         alias.example 7 CNAME default.example\n\
         to.least.example CNAME least.example\n\
         least.example 10 TXT x\n\
         least.example 5 TXT y\n\
         most.example 2147483647 TXT x\n",
    );
    for (at, seconds) in [
        ("none.example", None),
        ("own.example", Some(5_400)),
        ("before.example", Some(5_400)),
        ("class.example", Some(1_483_506)),
        ("default.example", Some(86_400)),
        ("alias.example", Some(7)),
        ("to.least.example", Some(5)),
        ("least.example", Some(5)),
        ("most.example", Some(2_147_483_647)),
    ] {
        let outcome = block_on(zone.txt(&name(at))).expect("an outcome");
        assert_eq!(outcome.ttl(), seconds.map(Duration::from_secs), "{at}");
    }
    for ttl in ["2147483648", "3551w", "1x", "1hh", "99999999999", "1h-5"] {
        let text = format!("\nx.example {ttl} TXT x");
        assert_eq!(refused(text), ZoneFileError::Ttl(2), "{ttl}");
    }
    assert_eq!(refused("$TTL h"), ZoneFileError::Ttl(1));
}

#[test]
fn types() {
    let zone = zone(
        "$ORIGIN example.com.\n\
         @ IN SOA ns hostmaster ( 1 2h 1h\n 4w 300 )\n\
         @ NS ns\n\
         @ MX 10 mx1\n\
         @ IN mx 20 mx.example.net.\n\
         null MX 0 .\n\
         mx1 A 192.0.2.1\n\
         mx1 AAAA 2001:db8::1\n\
         www CNAME mx1\n\
         1.2.0.192.in-addr.arpa. PTR mx1\n\
         spf SPF \"v=spf1 -all\"\n\
         srv SRV 0 0 25 mx1\n\
         future TYPE65280 \\# 3 ab cd ef\n\
         t99 TYPE99 \"v=spf1\"\n",
    );
    let mx = block_on(zone.mx(&name("example.com"))).expect("an outcome");
    let exchanges: Vec<_> = mx
        .as_slice()
        .iter()
        .map(|mx| (mx.preference, mx.exchange.to_string()))
        .collect();
    let expected = [
        (10, "mx1.example.com".to_owned()),
        (20, "mx.example.net".to_owned()),
    ];
    assert_eq!(exchanges, expected);
    let null = block_on(zone.mx(&name("null.example.com"))).expect("an outcome");
    assert_eq!(
        null.as_slice().first().map(|mx| &mx.exchange),
        Some(&Name::root())
    );
    let a = block_on(zone.a(&name("www.example.com"))).expect("an outcome");
    assert_eq!(
        a.as_slice(),
        ["192.0.2.1"
            .parse::<std::net::Ipv4Addr>()
            .expect("an address")]
    );
    let aaaa = block_on(zone.aaaa(&name("mx1.example.com"))).expect("an outcome");
    assert_eq!(aaaa.as_slice().len(), 1);
    let ptr = Name::reverse("192.0.2.1".parse().expect("an address"));
    let ptr = block_on(zone.ptr(&ptr)).expect("an outcome");
    assert_eq!(ptr.as_slice(), [name("mx1.example.com")]);
    for at in ["spf", "srv", "future", "t99"] {
        assert!(exists(&zone, &format!("{at}.example.com")), "{at}");
        assert_eq!(txt(&zone, &format!("{at}.example.com")), []);
    }
    assert!(!exists(&zone, "ns.example.com"));
}

#[test]
fn generic_data() {
    let zone = zone(
        "a.example A \\# 4 C0000201\n\
         a.example TYPE28 \\# 16 20010db8000000000000000000000001\n\
         a.example TYPE16 \\# 6 ( 02 6162 ; two strings\n 0163 00 )\n\
         a.example MX \\# 8 000a 026d78 0178 00\n\
         b.example TYPE5 \\# 3 016100\n\
         a TYPE1 10.0.0.1\n",
    );
    assert_eq!(
        block_on(zone.a(&name("a.example")))
            .expect("an outcome")
            .as_slice()
            .len(),
        1
    );
    assert_eq!(
        block_on(zone.aaaa(&name("a.example")))
            .expect("an outcome")
            .as_slice()
            .len(),
        1
    );
    assert_eq!(txt(&zone, "a.example"), [Txt::new("abc")]);
    let mx = block_on(zone.mx(&name("a.example"))).expect("an outcome");
    assert_eq!(
        mx.as_slice().first().map(|mx| mx.exchange.clone()),
        Some(name("mx.x"))
    );
    assert_eq!(
        block_on(zone.a(&name("b.example")))
            .expect("an outcome")
            .as_slice()
            .len(),
        1
    );
    for data in [
        "A \\# 4 C00002",
        "A \\# 3 C00002",
        "A \\# 4 C000020",
        "A \\# 4 C000020g",
        "A \\# x C0000201",
        "TXT \\# 2 0261",
        "TXT \\# 0",
        "MX \\# 5 000a 016100 00",
        "PTR \\# 2 0161",
        "PTR \\# 4 01610000",
        "MX \\# 1 00",
    ] {
        let text = format!("x.example {data}");
        assert_eq!(refused(text), ZoneFileError::Data(1), "{data}");
    }
}

#[test]
fn failures() {
    let zone = zone(
        "s.example FAIL SERVFAIL\n\
         t.example IN FAIL timeout TXT\n\
         u.example FAIL TRUNCATED\n\
         r.example 60 FAIL REFUSED AAAA\n\
         m.example FAIL MALFORMED PTR\n",
    );
    let fails = |at: &str| block_on(zone.txt(&name(at))).err();
    assert_eq!(fails("s.example"), Some(LookupError::ServFail));
    assert_eq!(fails("t.example"), Some(LookupError::Timeout));
    assert_eq!(fails("u.example"), Some(LookupError::Truncated));
    assert_eq!(fails("r.example"), None);
    assert_eq!(
        block_on(zone.aaaa(&name("r.example"))),
        Err(LookupError::Refused)
    );
    assert_eq!(
        block_on(zone.ptr(&name("m.example"))),
        Err(LookupError::Malformed)
    );
    let a = block_on(zone.a(&name("t.example"))).expect("an outcome");
    assert_eq!(a, Outcome::no_data());
    for text in [
        "x. FAIL OOPS",
        "x. FAIL SERVFAIL CNAME",
        "x. FAIL SERVFAIL SOA",
    ] {
        assert_eq!(refused(text), ZoneFileError::Failure(1), "{text}");
    }
}

#[test]
fn refusals_name_line_and_rule() {
    let type_ = |word: &str| ZoneFileError::Type(1, word.into());
    for (text, error) in [
        ("$INCLUDE /etc/passwd", ZoneFileError::Include(1)),
        ("\n$generate 1-9 x$ A 192.0.2.$", ZoneFileError::Generate(2)),
        ("$DATE x", ZoneFileError::Directive(1)),
        ("$ORIGIN a. b.", ZoneFileError::Extra(1)),
        ("$TTL", ZoneFileError::Missing(1)),
        ("@ TXT x", ZoneFileError::NoOrigin(1)),
        (" TXT x", ZoneFileError::NoOwner(1)),
        ("x.example", ZoneFileError::Missing(1)),
        ("x.example TXT", ZoneFileError::Missing(1)),
        ("x.example MX 10", ZoneFileError::Missing(1)),
        ("x.example MX 65536 x.", ZoneFileError::Preference(1)),
        ("x.example MX mx x.", ZoneFileError::Preference(1)),
        ("x.example A 192.0.2.256", ZoneFileError::Address(1)),
        ("x.example A 2001:db8::1", ZoneFileError::Address(1)),
        ("x.example AAAA 192.0.2.1", ZoneFileError::Address(1)),
        ("x.example A 192.0.2.1 x", ZoneFileError::Extra(1)),
        ("x.example CH TXT x", ZoneFileError::Class(1)),
        ("x.example IN IN TXT x", type_("IN")),
        ("x.example TXTT x", type_("TXTT")),
        ("x.example \"v=spf1 -all\"", type_("v=spf1 -all")),
        ("x.example TYPE65536 x", type_("TYPE65536")),
        ("x.example TXT (\n a\n", ZoneFileError::Parenthesis(1)),
        ("x.example TXT\n)", ZoneFileError::Missing(1)),
        ("x.example TXT a )", ZoneFileError::Parenthesis(1)),
        ("x.example TXT (a (b))", ZoneFileError::Parenthesis(1)),
        ("\n\nx.example TXT \"a\n\"", ZoneFileError::Quote(3)),
        ("x.example TXT \"a\\", ZoneFileError::Quote(1)),
        ("x.example TXT \"a\\\"", ZoneFileError::Quote(1)),
        ("x.example TXT \\256", ZoneFileError::Escape(1)),
        ("x.example TXT \\25x", ZoneFileError::Escape(1)),
        ("x.example TXT (\na\\\n)", ZoneFileError::Escape(2)),
        (
            "x..example TXT a",
            ZoneFileError::Name(1, NameError::EmptyLabel),
        ),
        (
            "\\300.example TXT a",
            ZoneFileError::Name(1, NameError::Escape),
        ),
        ("\"\" TXT a", ZoneFileError::Name(1, NameError::Empty)),
    ] {
        assert_eq!(refused(text), error, "{text}");
    }
    let long = format!(
        "$ORIGIN {}example.\nabcdef{}. TXT x",
        "a.".repeat(120),
        ".x".repeat(124)
    );
    let too_long = ZoneFileError::Name(2, NameError::TooLong);
    assert_eq!(refused(&long), too_long);
    let error = Zone::from_text("\n$INCLUDE x").expect_err("an error");
    assert_eq!(error.to_string(), "line 2: $INCLUDE is not supported");
    assert_eq!(error.line(), 2);
}

#[test]
fn sizes_are_bounded() {
    let line = ";".repeat(1023) + "\n";
    assert!(Zone::from_text(line.repeat(1024)).is_ok());
    assert_eq!(refused(line.repeat(1024) + ";"), ZoneFileError::TooLarge(1));
    // Many records at one name take time in proportion to the text.
    let many = "x.example A 192.0.2.1\n".repeat(40_000);
    let zone = zone(&many);
    let outcome = block_on(zone.a(&name("x.example"))).expect("an outcome");
    assert_eq!(outcome.as_slice().len(), 40_000);
}
