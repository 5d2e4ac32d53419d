//! Authentication-Results against those who would forge it: injection, removal, and reading.

use mailproof::auth_results::{
    AuthenticationResults, AuthservId, Border, Keyword, Method, MethodResult, Property,
    PropertyType, ResultWord, Tolerated,
};

fn id(text: &str) -> AuthservId {
    text.parse().unwrap()
}

fn body(field: &str) -> &str {
    field.strip_prefix("Authentication-Results:").unwrap()
}

/// What a value may keep: all but control characters.
fn clean(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn hostile_values() -> Vec<String> {
    let mut values: Vec<String> = [
        "u@evil.test\r\nReply-To: attacker@evil.test\r\nX-Injected: yes",
        "evil.test\r\nX-Injected-D: yes",
        "evil.test\nX: y",
        "evil.test\rX: y",
        "\r\n\r\nbody",
        "a\0b",
        "sel\"; smtp.bogus=1",
        "a;b=c (note)\"x@example.org",
        "a; spf=pass smtp.mailfrom=bank.example",
        "example.net(.example.com",
        "example.com(.attacker.example",
        "victim.example)(",
        "(((((",
        ")))))",
        "\\",
        "\\\"",
        "\"",
        "\"\"",
        "a\\",
        "=?utf-8?q?a=3B_spf=3Dpass?=",
        "=?us-ascii?b?OyBzcGY9cGFzcw==?=@example.com",
        "jürgen@bücher.example",
        "\u{202e}\u{2028}\u{feff}",
        "a\tb",
        " leading and trailing ",
        "",
        "@",
        "a@",
        "@@",
        "2001:db8::1",
        "abc/def==",
        "none",
        "reason=x",
        "header.d=example.com",
    ]
    .map(str::to_owned)
    .into();
    values.push("x".repeat(700));
    values.push("\"\\();".repeat(60));
    values
}

fn field_with(value: &str) -> AuthenticationResults {
    let mut field = AuthenticationResults::new(id("mx.example"));
    let other = PropertyType::from(Keyword::new("x-type").unwrap());
    field.results.push(
        MethodResult::new(Method::Dkim, ResultWord::Fail)
            .with_comment(value)
            .with_reason(value)
            .with_property(Property::header("d", value))
            .with_property(Property::smtp("helo", value))
            .with_property(Property::new(other, Keyword::new("y").unwrap(), value)),
    );
    field
        .results
        .push(MethodResult::new(Method::Spf, ResultWord::Fail));
    field
}

fn assert_harmless(written: &str) {
    assert!(written.starts_with("Authentication-Results: "));
    for (number, line) in written.split("\r\n").enumerate() {
        assert!(line.len() <= 998, "{} octets", line.len());
        assert!(!line.chars().any(|c| c.is_control() && c != '\t'));
        assert!(number == 0 || line.starts_with('\t'), "{line}");
        assert!(!line.trim().is_empty());
    }
    assert!(!written.contains("=?"), "{written}");
}

#[test]
fn nothing_breaks_out_of_its_place() {
    for value in hostile_values() {
        let written = field_with(&value).to_field();
        assert_harmless(&written);
        let read = AuthenticationResults::parse(body(&written).as_bytes()).unwrap();
        assert_eq!(read, field_with(&clean(&value)), "{written}");
    }
}

#[test]
fn the_authserv_id_is_encoded_too() {
    for hostile in [
        "a; spf=pass",
        "a (b",
        "\"",
        "a b",
        "bücher.example",
        "=?a?q?b?=",
    ] {
        let written = AuthenticationResults::new(id(hostile)).to_field();
        assert_harmless(&written);
        let read = AuthenticationResults::parse(body(&written).as_bytes()).unwrap();
        assert_eq!(read.authserv_id, id(hostile));
    }
    assert!("x".repeat(256).parse::<AuthservId>().is_err());
}

#[test]
fn ten_kilobytes() {
    for unit in ["x", "ü ", "\\", "\u{1f4a9}", "x\r\n"] {
        let huge = unit.repeat(10_240 / unit.len());
        let mut field = field_with(&huge);
        let written = field.to_field();
        assert_harmless(&written);
        let read = AuthenticationResults::parse(body(&written).as_bytes()).unwrap();
        // Half an identity would be another identity; half a reason is still one.
        field.results[0].properties.clear();
        assert_eq!(read.results[0].properties, []);
        let reason = read.results[0].reason.as_deref().unwrap();
        assert!(!reason.is_empty() && clean(&huge).starts_with(reason));
        assert_eq!(read.results[1], field.results[1]);
    }
}

/// Values at random, of characters that mean something somewhere: what is written reads the same.
#[test]
fn random_fields_round_trip() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(bound).unwrap()).unwrap()
    };
    let pieces = [
        "a",
        "Z",
        "0",
        ".",
        "-",
        "_",
        "@",
        "\"",
        "\\",
        "(",
        ")",
        ";",
        "=",
        "?",
        "/",
        ":",
        " ",
        ",",
        "<",
        ">",
        "[",
        "]",
        "\u{fc}",
        "\u{1f4a9}",
        "none",
        "example.com",
        "=?",
    ];
    for _ in 0..3_000 {
        let mut text = |most: usize| -> String {
            (0..random(most))
                .map(|_| pieces[random(pieces.len())])
                .collect()
        };
        let mut field = AuthenticationResults::new(id(&format!("m{}", text(9))));
        field.version = u32::try_from(text(5).len()).unwrap() + 1;
        for _ in 0..text(5).len().min(4) {
            let word = |text: String| {
                let letters: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
                Keyword::new(&format!("k-_{letters}1")).unwrap()
            };
            let mut result =
                MethodResult::new(Method::from(word(text(3))), ResultWord::from(word(text(3))));
            result.version = u32::try_from(text(4).len()).unwrap();
            if text(3).len() > 1 {
                result = result.with_comment(text(12));
            }
            if text(3).len() > 1 {
                result = result.with_reason(text(12));
            }
            for _ in 0..text(4).len().min(5) {
                let (ptype, name) = (PropertyType::from(word(text(2))), word(text(2)));
                result = result.with_property(Property::new(ptype, name, text(14)));
            }
            field.results.push(result);
        }
        let written = field.to_field();
        assert_harmless(&written);
        let parsed = AuthenticationResults::parse(body(&written).as_bytes());
        assert_eq!(parsed.as_ref(), Ok(&field), "{written}");
        let reading = AuthenticationResults::read(body(&written).as_bytes()).unwrap();
        assert_eq!(reading.results(), field.results);
        assert_eq!(reading.tolerated(), []);
    }
}

/// A HELO that passes says nothing about MAIL FROM, however it is spelled.
#[test]
fn helo_is_not_mail_from() {
    let mut field = AuthenticationResults::new(id("mx.example"));
    let helo = "attacker.example; spf=pass smtp.mailfrom=victim.example";
    field.results.push(
        MethodResult::new(Method::Spf, ResultWord::Pass)
            .with_property(Property::smtp("helo", helo)),
    );
    field.results.push(
        MethodResult::new(Method::Spf, ResultWord::Fail)
            .with_property(Property::smtp("mailfrom", "victim.example")),
    );
    let reading = AuthenticationResults::read(body(&field.to_field()).as_bytes()).unwrap();
    let passing: Vec<_> = reading
        .of(&Method::Spf)
        .filter(|result| result.result == ResultWord::Pass)
        .collect();
    assert_eq!(passing.len(), 1);
    assert_eq!(passing[0].properties, [Property::smtp("helo", helo)]);
}

/// `example.net(.example.com`: the beginning of a comment is not the end of a domain.
#[test]
fn comments_do_not_cut_domains() {
    for value in [
        "mx.example; dkim=pass header.d=example.net(.example.com",
        "mx.example; spf=fail; dkim=pass header.d=example.net(.example.com; dmarc=pass",
    ] {
        assert!(AuthenticationResults::parse(value.as_bytes()).is_err());
        let reading = AuthenticationResults::read(value.as_bytes()).unwrap();
        assert_eq!(reading.of(&Method::Dkim).count(), 0);
        assert_eq!(reading.of(&Method::Dmarc).count(), 0);
        assert!(matches!(reading.tolerated(), [Tolerated::Dropped(_)]));
    }
    let mut field = AuthenticationResults::new(id("mx.example"));
    let whole = Property::header("d", "example.net(.example.com");
    field
        .results
        .push(MethodResult::new(Method::Dkim, ResultWord::Pass).with_property(whole.clone()));
    let written = field.to_field();
    assert!(written.ends_with("header.d=\"example.net(.example.com\""));
    let reading = AuthenticationResults::read(body(&written).as_bytes()).unwrap();
    assert_eq!(reading.results()[0].properties, [whole]);
}

fn plan(border: &Border, values: &[&str]) -> Vec<(usize, bool)> {
    let fields = values
        .iter()
        .map(|value| (&b"Authentication-Results"[..], value.as_bytes()));
    border
        .strip_plan(fields)
        .into_iter()
        .map(|removal| (removal.index, removal.unreadable))
        .collect()
}

#[test]
fn what_must_not_enter() {
    let border = Border::new(id("mx.example.com")).with(id("Intern"));
    let own = Some(false);
    let unreadable = Some(true);
    for (value, removed) in [
        ("mx.example.com; spf=pass", own),
        ("MX.EXAMPLE.COM; spf=pass", own),
        ("mx.example.com.; spf=pass", own),
        ("\"mx.example.com\"; spf=pass", own),
        ("\"m\\x.example.com\" 1; none", own),
        ("(a comment (nested)) mx.example.com (x) 2; spf=pass", own),
        ("\r\n\tmx.example.com;\r\n\tspf=pass;", own),
        ("intern; spf=pass", own),
        ("mx.example.com; garbage (((", own),
        ("mx.example.com", own),
        ("i=1; mx.example.com; spf=pass", own),
        ("sub.mx.example.com; spf=pass", None),
        ("xmx.example.com; spf=pass", None),
        (
            "elsewhere.example; spf=pass smtp.mailfrom=mx.example.com",
            None,
        ),
        ("elsewhere.example; dkim=pass header.b=gfT/i2HB;", None),
        ("elsewhere.example; none", None),
        ("spf=pass smtp.mailfrom=mx.example.com", unreadable),
        ("", unreadable),
        (";;;", unreadable),
        ("elsewhere.example (; mx.example.com; spf=pass", unreadable),
        ("\"elsewhere.example; mx.example.com; spf=pass", unreadable),
        ("elsewhere.example; ???", unreadable),
        ("mx.example.com/x; spf=pass", unreadable),
        ("mx.example(x).com; spf=pass", unreadable),
        ("mx.example.com spf=pass", unreadable),
        ("=?utf-8?q?mx=2Eexample=2Ecom?=; spf=pass", unreadable),
        ("elsewhere.example;\nmx.example.com; spf=pass", unreadable),
        ("elsewhere.example\0mx.example.com; spf=pass", unreadable),
    ] {
        let expected: Vec<_> = removed
            .map(|unreadable| (0, unreadable))
            .into_iter()
            .collect();
        assert_eq!(plan(&border, &[value]), expected, "{value:?}");
    }
    let huge = format!("mx.example.com; spf=pass ({})", "x".repeat(1 << 20));
    assert_eq!(plan(&border, &[&huge]), [(0, true)]);
    let long = format!("mx.example.com; spf=pass ({})", "x".repeat(5_000));
    assert_eq!(plan(&border, &[&long]), [(0, false)]);
    let wide = border.with_subdomains();
    assert_eq!(plan(&wide, &["sub.mx.example.com; spf=pass"]).len(), 1);
    assert_eq!(plan(&wide, &["xmx.example.com; spf=pass"]).len(), 0);
    let unicode = Border::new(id("bücher.example"));
    assert_eq!(
        plan(&unicode, &["xn--bcher-kva.example; spf=pass"]).len(),
        1
    );
    assert_eq!(plan(&unicode, &["\"Bücher.example\"; none"]).len(), 1);
}

/// Removing by position, from the top, moves what is below: some forged fields used to survive.
#[test]
fn removals_do_not_move_each_other() {
    let border = Border::new(id("mx.example.com"));
    let mut fields: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for n in 0..40 {
        let field = match n % 4 {
            0 => ("Received", "from x".to_owned()),
            1 => (
                "Authentication-Results",
                format!("mx.example.com; spf=pass ({n})"),
            ),
            2 => (
                "AUTHENTICATION-RESULTS ",
                format!("mx.example.com; spf=pass ({n})"),
            ),
            _ => (
                "Authentication-Results",
                format!("elsewhere.example; spf=pass ({n})"),
            ),
        };
        fields.push((field.0.into(), field.1.into_bytes()));
    }
    let plan = border.strip_plan(fields.iter().map(|(name, value)| (&name[..], &value[..])));
    assert_eq!(plan.len(), 20);
    assert!(plan.windows(2).all(|pair| pair[0].index > pair[1].index));
    // By index.
    let mut by_index = fields.clone();
    for removal in &plan {
        by_index.remove(removal.index);
    }
    // As a milter does: the nth field of the name.
    let mut by_name = fields;
    for removal in &plan {
        let is_named = |name: &[u8]| {
            name.trim_ascii()
                .eq_ignore_ascii_case(b"authentication-results")
        };
        let index = (0..by_name.len())
            .filter(|index| is_named(&by_name[*index].0))
            .nth(removal.nth - 1);
        by_name.remove(index.unwrap());
    }
    assert_eq!(by_index, by_name);
    assert_eq!(by_index.len(), 20);
    let own = |value: &[u8]| value.starts_with(b"mx.example.com");
    assert!(!by_index.iter().any(|(_, value)| own(value)));
}

#[test]
fn trust_is_counted_from_the_top() {
    let results = |values: &[&str], most| -> Vec<String> {
        let trusted = [id("mx.example.com"), id("filter.example.com")];
        AuthenticationResults::read_trusted(
            values.iter().map(|value| value.as_bytes()),
            &trusted,
            most,
        )
        .iter()
        .map(|reading| reading.results()[0].result.to_string())
        .collect()
    };
    let forged = "mx.example.com; spf=pass";
    assert_eq!(results(&["mx.example.com; spf=fail", forged], 1), ["fail"]);
    assert_eq!(
        results(
            &[
                "MX.example.com; spf=fail",
                "filter.example.com; spf=none",
                forged
            ],
            2
        ),
        ["fail", "none"]
    );
    // Below a stranger's field nothing counts, and a stranger may be unreadable.
    for stranger in [
        "elsewhere.example; spf=fail",
        "spf=pass",
        "",
        "mx.example.com 2; spf=pass",
    ] {
        assert_eq!(results(&[stranger, forged], 2), Vec::<String>::new());
    }
    assert_eq!(results(&[forged], 0), Vec::<String>::new());
    assert_eq!(
        results(&["sub.mx.example.com; spf=pass"], 1),
        Vec::<String>::new()
    );
}

/// What the world sends, and what of it counts.
#[test]
fn tolerated_forms() {
    let shown = |value: &str| {
        let reading = AuthenticationResults::read(value.as_bytes())
            .unwrap_or_else(|e| panic!("{value}: {e}"));
        let results: Vec<String> = reading
            .results()
            .iter()
            .map(|result| {
                let properties: Vec<String> = result
                    .properties
                    .iter()
                    .map(|p| format!(" {}.{}={}", p.ptype, p.name.as_str(), p.value))
                    .collect();
                format!("{}={}{}", result.method, result.result, properties.concat())
            })
            .collect();
        (results.join("; "), reading.tolerated().to_vec())
    };
    let unquoted = |text: &str| Tolerated::Unquoted(text.into());
    let stray = |text: &str| Tolerated::NotAProperty(text.into());
    for (value, results, tolerated) in [
        (
            "spf=pass (sender IP is 192.0.2.48); smtp.mailfrom=a.example; dkim=pass (signature was \
             verified) header.d=a.example;dmarc=pass action=none; header.from=a.example;compauth=pass \
             reason=100",
            "spf=pass smtp.mailfrom=a.example; dkim=pass header.d=a.example; dmarc=pass \
             header.from=a.example; compauth=pass",
            vec![
                Tolerated::NoAuthservId,
                Tolerated::Separated("smtp.mailfrom=a.example".into()),
                stray("action=none"),
                Tolerated::Separated("header.from=a.example".into()),
            ],
        ),
        ("mx.example; dkim-atps=neutral", "dkim-atps=neutral", vec![]),
        (
            "mx.example; spf=pass;",
            "spf=pass",
            vec![Tolerated::EmptyResult],
        ),
        (
            "mx.example; dkim=pass header.b=gfT/i2HB header.d=a.example",
            "dkim=pass header.b=gfT/i2HB header.d=a.example",
            vec![unquoted("gfT/i2HB")],
        ),
        (
            "mx.example; spf=pass smtp.mailfrom=<> policy.iprev=2001:db8::1 (c)",
            "spf=pass smtp.mailfrom=<> policy.iprev=2001:db8::1",
            vec![unquoted("<>"), unquoted("2001:db8::1")],
        ),
        (
            "mx.example; bimi=pass policy.authority-uri=\r\n https://a.example/b.pem header.d=x",
            "bimi=pass policy.authority-uri=https://a.example/b.pem header.d=x",
            vec![unquoted("https://a.example/b.pem")],
        ),
        (
            "mx.example; spf=pass smtp.mailfrom= smtp.helo=h.example",
            "spf=pass smtp.helo=h.example",
            vec![stray("smtp.mailfrom=")],
        ),
        (
            "mx.example; dkim=pass header.i.x=1 header.__proto__.y=2 a b=c header.d=d.example",
            "dkim=pass header.d=d.example",
            vec![
                stray("header.i.x=1"),
                stray("header.__proto__.y=2"),
                stray("a"),
                stray("b=c"),
            ],
        ),
        (
            "a.example; dkim=none header.d=none;a.example; dmarc=none action=none header.from=b.example;",
            "dkim=none header.d=none; dmarc=none header.from=b.example",
            vec![
                Tolerated::Dropped("a.example".into()),
                stray("action=none"),
                Tolerated::EmptyResult,
            ],
        ),
        (
            "mx.example; spf=passive; dkim=pass.but.not; dmarc=passé",
            "spf=passive",
            vec![
                Tolerated::Dropped("dkim=pass.but.not".into()),
                Tolerated::Dropped("dmarc=passé".into()),
            ],
        ),
        (
            "mx.example; spf=fail a\"b(c\" smtp.helo=h.example",
            "spf=fail",
            vec![stray("a\"b"), stray("(c\" smtp.helo=h.example")],
        ),
        (
            "mx.example; spf=fail; dkim=pass (unfinished; dmarc=pass",
            "spf=fail",
            vec![Tolerated::Dropped(
                "dkim=pass (unfinished; dmarc=pass".into(),
            )],
        ),
        ("mx.example", "", vec![Tolerated::NoResults]),
        (
            "mx.example/a; none",
            "",
            vec![Tolerated::AuthservId("mx.example/a".into())],
        ),
    ] {
        let expected = (results.to_owned(), tolerated);
        assert_eq!(shown(value), expected, "{value}");
    }
    let aar = AuthenticationResults::read(b"i=1; mx.microsoft.example 1; spf=fail; arc=none (0)")
        .unwrap();
    assert_eq!(aar.instance(), Some(1));
    assert_eq!(aar.authserv_id(), Some(&id("mx.microsoft.example")));
    assert_eq!(aar.results().len(), 2);
    // A comment is no instance, and a later one does not count.
    let aar =
        AuthenticationResults::read(b"i=2; mx.example; arc=pass (i=1; x=y) header.oldest-pass=0")
            .unwrap();
    assert_eq!((aar.instance(), aar.results().len()), (Some(2), 1));
}

#[test]
fn many_results() {
    let value =
        |count: usize| "mx.example".to_owned() + &"; dkim=pass header.d=a.example".repeat(count);
    let reading = AuthenticationResults::read(value(17).as_bytes()).unwrap();
    assert_eq!(reading.results().len(), 17);
    let reading = AuthenticationResults::read((value(500) + ";").as_bytes()).unwrap();
    assert_eq!(reading.results().len(), 100);
    assert!(reading.tolerated().contains(&Tolerated::TooMany));
}

#[test]
fn noise_does_no_harm() {
    let mut state = 88_172_645_463_325_252_u64;
    let alphabet = b"mx.example; spf=pass\"\\()=;.@/\t\r\n\0\xff\xc3\xbc ";
    for _ in 0..20_000 {
        let mut value = Vec::new();
        for _ in 0..state % 60 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            let at = usize::try_from(state % u64::try_from(alphabet.len()).unwrap()).unwrap();
            value.push(alphabet[at]);
        }
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let strict = AuthenticationResults::parse(&value);
        let tolerant = AuthenticationResults::read(&value);
        if let Ok(field) = strict {
            let reading = tolerant.unwrap();
            assert_eq!(reading.results(), field.results);
            assert_eq!(reading.authserv_id(), Some(&field.authserv_id));
        }
        let fields = [(&b"Authentication-Results"[..], &value[..])];
        let _ = Border::new(id("mx.example")).strip_plan(fields);
    }
    for unit in [
        "(", "\"", ";", "=", "a=b;", "a.b=", "\\", " ", "(\\", "((", "a; ", "x.y=z ",
    ] {
        let value = "mx.example; spf=pass ".to_owned() + &unit.repeat(65_000 / unit.len());
        let start = std::time::Instant::now();
        let _ = AuthenticationResults::read(value.as_bytes());
        let _ = AuthenticationResults::parse(value.as_bytes());
        assert!(
            start.elapsed().as_secs() < 2,
            "{unit:?} {:?}",
            start.elapsed()
        );
    }
}

/// What cannot be read is told however much else is odd before it: others may read our name there.
#[test]
fn oddities_do_not_hide_what_cannot_be_read() {
    let border = Border::new("mx.example.com".parse().unwrap());
    for odd in ["a=b ", "; ", "; spf=pass a=b"] {
        for end in ["; \"x", "; dkim=pass (x", ";; spf pass"] {
            let value = format!("elsewhere.example; spf=pass {}{end}", odd.repeat(99));
            let few = [(&b"Authentication-Results"[..], value.as_bytes())];
            assert_eq!(border.strip_plan(few).len(), 1, "{end} behind 99 of {odd}");
            let value = format!("elsewhere.example; spf=pass {}{end}", odd.repeat(200));
            let many = [(&b"Authentication-Results"[..], value.as_bytes())];
            assert_eq!(
                border.strip_plan(many).len(),
                1,
                "{end} behind 200 of {odd}"
            );
            let reading = AuthenticationResults::read(value.as_bytes()).unwrap();
            assert!(reading.tolerated().len() <= 101);
        }
    }
}
