//! The grammar of RFC 8601 2.2: the examples of its appendix B, and what each rule refuses.

use mailproof::auth_results::{
    AuthenticationResults, Method, ParseError, PropertyType, ResultWord,
};

fn parse(value: &str) -> AuthenticationResults {
    AuthenticationResults::parse(value.as_bytes()).unwrap_or_else(|e| panic!("{value}: {e}"))
}

/// Results as `method/version=result(comment)reason{ptype.name=value,...}`.
fn shape(value: &str) -> Vec<String> {
    let show = |text: Option<&String>| text.map(|text| format!("[{text}]")).unwrap_or_default();
    parse(value)
        .results
        .iter()
        .map(|result| {
            let properties: Vec<String> = result
                .properties
                .iter()
                .map(|p| format!("{}.{}={}", p.ptype, p.name.as_str(), p.value))
                .collect();
            format!(
                "{}/{}={}{}{}{{{}}}",
                result.method,
                result.version,
                result.result,
                show(result.comment.as_ref()),
                show(result.reason.as_ref()),
                properties.join(",")
            )
        })
        .collect()
}

#[test]
fn appendix_b() {
    assert_eq!(shape("example.org 1; none"), Vec::<String>::new());
    assert_eq!(parse("example.org 1; none").version, 1);
    assert_eq!(
        shape("example.com;\r\n          spf=pass smtp.mailfrom=example.net"),
        ["spf/1=pass{smtp.mailfrom=example.net}"]
    );
    assert_eq!(
        shape(
            "example.com;\r\n          auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n          \
             spf=pass smtp.mailfrom=example.net\r\n"
        ),
        [
            "auth/1=pass[cram-md5]{smtp.auth=sender@example.net}",
            "spf/1=pass{smtp.mailfrom=example.net}"
        ]
    );
    assert_eq!(
        shape(
            "example.com;\r\n      dkim=pass reason=\"good signature\"\r\n        \
             header.i=@mail-router.example.net;\r\n      dkim=fail reason=\"bad signature\"\r\n        \
             header.i=@newyork.example.com"
        ),
        [
            "dkim/1=pass[good signature]{header.i=@mail-router.example.net}",
            "dkim/1=fail[bad signature]{header.i=@newyork.example.com}"
        ]
    );
    assert_eq!(
        shape(
            "foo.example.net (foobar) 1 (baz);\r\n    dkim (Because I like it) / 1 (One yay) = \
             (wait for it) fail\r\n      policy (A dot can go here) . (like that) expired\r\n      \
             (this surprised me) = (as I wasn't expecting it) 1362471462"
        ),
        ["dkim/1=fail{policy.expired=1362471462}"]
    );
}

#[test]
fn words_and_values() {
    assert_eq!(
        shape("a; DKIM=Pass HEADER.B=\"abc/d+=\" header.i=\"a b\"@example.com"),
        ["dkim/1=pass{header.b=abc/d+=,header.i=\"a b\"@example.com}"]
    );
    assert_eq!(
        shape("a; x-foo/2=bar reason=why (c1) smtp.remote-ip=\"2001:db8::1\""),
        ["x-foo/2=bar[why]{smtp.remote-ip=2001:db8::1}"]
    );
    assert_eq!(
        shape("\"an id\" 7; spf=none (a (nested (deep)) \\) comment) (second)"),
        ["spf/1=none[a (nested (deep)) ) comment]{}"]
    );
    // RFC 6532 and RFC 8616: UTF-8 in quoted strings, comments, local parts and domains.
    assert_eq!(
        shape(
            "\"bücher.example\"; dkim=pass (ü) header.i=jürgen@bücher.example header.d=bücher.example"
        ),
        ["dkim/1=pass[ü]{header.i=jürgen@bücher.example,header.d=bücher.example}"]
    );
    assert_eq!(
        shape("a; spf=pass smtp.mailfrom=\"fol\r\n ded\""),
        ["spf/1=pass{smtp.mailfrom=fol ded}"]
    );
    let results = parse("a; passive=passive; compauth=softpass dns.sec=na").results;
    assert_eq!(results[0].method.as_str(), "passive");
    assert!(matches!(results[0].method, Method::Other(_)));
    assert!(matches!(results[0].result, ResultWord::Other(_)));
    assert_eq!(results[1].properties[0].ptype, PropertyType::Dns);
}

#[test]
fn refused() {
    for (value, rule) in [
        ("", ParseError::AuthservId as fn(usize) -> ParseError),
        (" \r\n ", ParseError::AuthservId),
        ("; none", ParseError::AuthservId),
        ("\"\"; none", ParseError::AuthservId),
        ("spf=pass", ParseError::End),
        ("a", ParseError::End),
        ("a; spf=pass;", ParseError::Method),
        ("a;; spf=pass", ParseError::Method),
        ("a; spf", ParseError::Method),
        ("a; spf=", ParseError::Result),
        ("a; spf=;", ParseError::Result),
        ("a; spf=pass smtp", ParseError::Property),
        ("a; spf=pass action=none", ParseError::Property),
        ("a; spf=pass smtp.mailfrom=", ParseError::Property),
        ("a; dkim=pass header.b=gfT/i2HB", ParseError::Property),
        ("a; spf=pass policy.iprev=2001:db8::1", ParseError::Property),
        ("a; spf=pass header.i.x=1", ParseError::Property),
        ("a; none; spf=pass", ParseError::End),
        (
            "a; spf=pass smtp.mailfrom=example.net(.example.com",
            ParseError::Property,
        ),
        ("a; spf=pass (unfinished", ParseError::Quoting),
        ("bücher.example; none", ParseError::End),
        ("a\0; none", ParseError::Control),
        ("a; none\r\nX: y", ParseError::LineBreak),
        ("a; none\nX: y", ParseError::LineBreak),
        ("a; none\rX: y", ParseError::LineBreak),
        ("a; none\x7f", ParseError::Control),
    ] {
        let error = AuthenticationResults::parse(value.as_bytes()).expect_err(value);
        assert_eq!(error, rule(error.at()), "{value:?}");
    }
    let long = format!("a; spf=pass ({})", "x".repeat(70_000));
    let error = AuthenticationResults::parse(long.as_bytes()).unwrap_err();
    assert_eq!(error, ParseError::Length(65_536));
    assert!(AuthenticationResults::parse(b"a; spf=pass (\xff)").is_err());
}

/// Where a field stops making sense is said in octets.
#[test]
fn errors_point() {
    let at = |value: &str| {
        let error = AuthenticationResults::parse(value.as_bytes()).unwrap_err();
        error.at()
    };
    assert_eq!(at("mx.example; dkim=pass header.b=gfT/i2HB"), 34);
    assert_eq!(at("mx.example; spf=pass; dkim=?"), 27);
    assert_eq!(at("mx.example; spf=pass; dkim=pass; x"), 34);
    assert_eq!(at("mx.example\0"), 10);
}
