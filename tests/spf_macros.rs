//! Macros: the examples of RFC 7208 7.4, and the edges that were holes elsewhere.

use mailproof::dns::{Zone, block_on};
use mailproof::spf::{
    Evaluation, MacroString, Request, Settings, SpfResult, SyntaxRule, check_host,
};

const SENDER: &str = "strong-bad@email.example.com";

fn expansion(text: &str, client: &str, sender: &str) -> String {
    let request = Request::mail_from(client.parse().unwrap(), "mx.example.org", sender);
    let text = MacroString::parse_explanation(text.as_bytes()).unwrap();
    let mut settings = Settings::default();
    settings.receiver = Some("mx.example.net".into());
    settings.now = Some(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_234));
    let expansion = block_on(text.expand(&Zone::new(), &request, &settings)).unwrap();
    String::from_utf8(expansion).unwrap()
}

/// RFC 7208 7.4.
#[test]
fn examples_of_the_rfc() {
    for (text, expected) in [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        (
            "%{ir}.%{v}._spf.%{d2}",
            "3.2.0.192.in-addr._spf.example.com",
        ),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        (
            "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}",
            "bad.strong.lp.3.2.0.192.in-addr._spf.example.com",
        ),
        (
            "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}",
            "3.2.0.192.in-addr.strong.lp._spf.example.com",
        ),
        (
            "%{d2}.trusted-domains.example.net",
            "example.com.trusted-domains.example.net",
        ),
    ] {
        assert_eq!(expansion(text, "192.0.2.3", SENDER), expected, "{text}");
    }
    assert_eq!(
        expansion("%{ir}.%{v}._spf.%{d2}", "2001:db8::cb01", SENDER).to_lowercase(),
        "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"
    );
}

#[test]
fn edges() {
    for (text, sender, expected) in [
        // Reversal comes before the parts are counted off the right.
        ("%{d1r}", SENDER, "email"),
        ("%{l5r-}", SENDER, "bad.strong"),
        ("%{s99}", SENDER, "strong-bad@email.example.com"),
        (
            "%{s99999999999999999999999}",
            SENDER,
            "strong-bad@email.example.com",
        ),
        ("%{d01}", SENDER, "com"),
        ("%%%_%-", SENDER, "% %20"),
        // Empty parts count.
        ("%{l2}", "a..b@example.com", ".b"),
        ("%{lr}", "a..b@example.com", "b..a"),
        ("%{l1}", "a.@example.com", ""),
        ("%{lr+-}", "a+b-c@example.com", "c.b.a"),
        ("%{l2r=_,/}", "a=b_c,d/e@example.com", "b.a"),
        // Upper case escapes what is not unreserved, after the transformation.
        ("%{S}", "a b@example.com", "a%20b%40example.com"),
        (
            "%{L}",
            "~jack&jill=up-a_b3.c@example.com",
            "~jack%26jill%3Dup-a_b3.c",
        ),
        ("%{D2R}", SENDER, "example.email"),
        ("%{l}", "@example.com", "postmaster"),
        ("%{h}", SENDER, "mx.example.org"),
        ("%{p}", SENDER, "unknown"),
        ("%{c} %{r} %{t}", SENDER, "192.0.2.3 mx.example.net 1234"),
    ] {
        assert_eq!(expansion(text, "192.0.2.3", sender), expected, "{text}");
    }
    assert_eq!(expansion("%{c}", "2001:db8::1", SENDER), "2001:db8::1");
    assert_eq!(expansion("%{i}", "::ffff:192.0.2.3", SENDER), "192.0.2.3");
}

#[test]
fn syntax() {
    for (text, rule) in [
        ("%", SyntaxRule::Macro),
        ("%b", SyntaxRule::Macro),
        ("%{", SyntaxRule::Macro),
        ("%{s", SyntaxRule::Macro),
        ("%{s1", SyntaxRule::Macro),
        ("%{s1r", SyntaxRule::Macro),
        ("%{sr1}", SyntaxRule::Macro),
        ("%{s-1}", SyntaxRule::Macro),
        ("%{s&}", SyntaxRule::Macro),
        ("%(ir)", SyntaxRule::Macro),
        ("%{s0}", SyntaxRule::MacroZero),
        ("%{s000}", SyntaxRule::MacroZero),
        ("%{a}", SyntaxRule::MacroLetter),
        ("%{}", SyntaxRule::MacroLetter),
        ("%{c}", SyntaxRule::MacroLetter),
        ("%{R}", SyntaxRule::MacroLetter),
        ("%{t}", SyntaxRule::MacroLetter),
        ("a b", SyntaxRule::Character),
    ] {
        let error = MacroString::parse_term(text.as_bytes()).unwrap_err();
        assert_eq!(error.rule(), rule, "{text}");
    }
    for text in ["", "%{c}%{r}%{t}", "a b  c", "%{sr}"] {
        assert!(MacroString::parse_explanation(text.as_bytes()).is_ok());
    }
    assert!(MacroString::parse_explanation(b"a\tb").is_err());
    assert!(MacroString::parse_explanation(b"a\xc3\xa9").is_err());
}

fn check(zone: &Zone, helo: &str, sender: &str) -> Evaluation {
    let request = Request::mail_from([192, 0, 2, 3].into(), helo, sender);
    block_on(check_host(zone, &request, &Settings::default()))
}

/// What exceeds 253 octets loses labels on the left; what has no dot to cut at is no name.
#[test]
fn truncation() {
    let label = "a".repeat(62);
    let mut zone = Zone::new();
    zone.add_txt("example.com", "v=spf1 exists:%{h}.%{h}.x.example.com -all")
        .unwrap();
    let evaluation = check(&zone, &format!("b.{label}.{label}"), "user@example.com");
    // b.L.L.b.L.L.x.example.com has 269 octets: "b" and the first L go.
    assert_eq!(evaluation.result(), SpfResult::Fail);
    zone.add_address(
        &format!("{label}.b.{label}.{label}.x.example.com"),
        [127, 0, 0, 2].into(),
    )
    .unwrap();
    let evaluation = check(&zone, &format!("b.{label}.{label}"), "user@example.com");
    assert_eq!(evaluation.result(), SpfResult::Pass);
    let evaluation = check(&zone, &"c".repeat(300), "user@example.com");
    assert_eq!(evaluation.result(), SpfResult::Fail);
}

/// One final dot is that of a full name; with two, an expansion is none.
#[test]
fn final_dots() {
    let mut zone = Zone::new();
    zone.add_txt("example.com", "v=spf1 exists:%{h} -all")
        .unwrap()
        .add_address("a.example", [127, 0, 0, 2].into())
        .unwrap();
    for (helo, expected) in [
        ("a.example", SpfResult::Pass),
        ("a.example.", SpfResult::Pass),
        ("a.example..", SpfResult::Fail),
        ("a.example...", SpfResult::Fail),
        (".", SpfResult::Fail),
    ] {
        let evaluation = check(&zone, helo, "user@example.com");
        assert_eq!(evaluation.result(), expected, "{helo}");
    }
}

/// An explanation is a stranger's text: one line of ASCII, of bounded length.
#[test]
fn explanations_are_tame() {
    let mut zone = Zone::new();
    zone.add_txt("example.com", "v=spf1 -all exp=why.example.com")
        .unwrap()
        .add_txt("why.example.com", format!("%{{h}} {}", "x".repeat(2_000)))
        .unwrap();
    let evaluation = check(&zone, "a\r\n250 OK\0", "user@example.com");
    let explanation = evaluation.explanation().unwrap();
    assert!(explanation.as_str().starts_with("a  250 OK  xxx"));
    assert_eq!(explanation.as_str().len(), 500);
    assert!(
        explanation
            .to_string()
            .starts_with("example.com explains: ")
    );
    let evaluation = check(&zone, "h\u{e9}lo", "user@example.com");
    assert_eq!(evaluation.result(), SpfResult::Fail);
    assert_eq!(evaluation.explanation(), None);
}

/// The octets of a name are meant, not the text that shows them.
#[test]
fn validated_names_are_octets() {
    let mut zone = Zone::new();
    let client = [192, 0, 2, 3].into();
    zone.add_txt("example.com", "v=spf1 exists:%{p}.ok.example.com -all")
        .unwrap()
        .add_ptr(client, r"a\@b.example.com")
        .unwrap()
        .add_address(r"a\@b.example.com", client)
        .unwrap()
        .add_address(r"a\@b.example.com.ok.example.com", [127, 0, 0, 2].into())
        .unwrap();
    let evaluation = check(&zone, "mx.example.com", "user@example.com");
    assert_eq!(evaluation.result(), SpfResult::Pass);
}
