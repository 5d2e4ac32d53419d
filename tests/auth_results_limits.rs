//! Authentication-Results at the limits of what is read and written.

use mailproof::auth_results::{
    AuthenticationResults, AuthservId, Method, MethodResult, ParseError, ResultWord, Tolerated,
};

fn read(value: &str) -> mailproof::auth_results::Reading {
    AuthenticationResults::read(value.as_bytes()).unwrap()
}

#[test]
fn an_authserv_id_has_at_most_255_octets() {
    assert!("x".repeat(255).parse::<AuthservId>().is_ok());
    let longer = "x".repeat(256).parse::<AuthservId>();
    assert_eq!(longer.unwrap_err(), ParseError::Length(255));
}

#[test]
fn a_field_has_at_most_64_kib() {
    for (octets, fits) in [(65_535, true), (65_536, true), (65_537, false)] {
        let value = "mx.example; none";
        let value = format!("{value}{}", " ".repeat(octets - value.len()));
        let expected = (!fits).then_some(ParseError::Length(65_536));
        let value = value.as_bytes();
        assert_eq!(AuthenticationResults::parse(value).err(), expected);
        assert_eq!(AuthenticationResults::read(value).err(), expected);
    }
}

/// What is read of a reason and comment.
fn written(text: &str) -> (String, String) {
    let mut field = AuthenticationResults::new("mx.example".parse().unwrap());
    let result = MethodResult::new(Method::Spf, ResultWord::Fail);
    field
        .results
        .push(result.with_reason(text).with_comment(text));
    let (_, value) = field
        .to_field()
        .split_once(": ")
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .unwrap();
    let result = AuthenticationResults::parse(value.as_bytes())
        .unwrap()
        .results
        .remove(0);
    (result.reason.unwrap(), result.comment.unwrap())
}

#[test]
fn text_for_people_keeps_what_fits_for_certain() {
    // With its quotes or parentheses it may take 800 octets.
    for (characters, kept) in [(798, 798), (799, 199)] {
        let (reason, comment) = written(&"x".repeat(characters));
        assert_eq!((reason.len(), comment.len()), (kept, kept), "{characters}");
    }
    // So many characters fit whatever they are.
    let (reason, comment) = written(&"\u{1f4a9}".repeat(1_000));
    assert_eq!(
        (reason.chars().count(), comment.chars().count()),
        (199, 199)
    );
}

#[test]
fn properties_behind_a_semicolon_belong_to_a_result_before_them() {
    let dropped = |text: &str| Tolerated::Dropped(text.to_owned());
    let reading = read("mx.example; smtp.mailfrom=a.example; spf=pass");
    assert_eq!(reading.tolerated(), [dropped("smtp.mailfrom=a.example")]);
    assert_eq!(reading.results()[0].properties, []);
    // One that does not end may hold anything.
    let reading = read("mx.example; spf=pass; smtp.mailfrom=a.example (unfinished");
    let rest = "smtp.mailfrom=a.example (unfinished";
    assert_eq!(reading.tolerated(), [dropped(rest)]);
    assert_eq!(reading.results()[0].properties, []);
    let reading = read("mx.example; spf=pass; anything else");
    assert_eq!(reading.tolerated(), [dropped("anything else")]);
}

/// Departures are listed where they are, no more than results are read, and then that there are more.
#[test]
fn departures() {
    for value in [
        "mx.example; dkim=pass header.d=a.example header.b=gfT/i2HB",
        "mx.example; dkim=pass header.d=a.example(c) header.b=gfT/i2HB",
        "mx.example; dkim=pass header.d=\"a.example\"header.b=gfT/i2HB",
    ] {
        let reading = read(value);
        let properties = &reading.results()[0].properties;
        let values: Vec<_> = properties.iter().map(|one| &*one.value).collect();
        assert_eq!(values, ["a.example", "gfT/i2HB"], "{value}");
        let unquoted = Tolerated::Unquoted("gfT/i2HB".to_owned());
        assert_eq!(reading.tolerated(), [unquoted], "{value}");
    }
    for (departures, listed) in [(99, 99), (100, 100), (101, 101), (150, 101)] {
        let reading = read(&format!("mx.example; spf=pass{}", ";".repeat(departures)));
        let last = reading.tolerated().last() == Some(&Tolerated::TooMany);
        assert_eq!((reading.tolerated().len(), last), (listed, listed == 101));
    }
}

/// `none` is no result of any method, and nothing else of four letters is.
#[test]
fn words_beside_results() {
    let reading = read("mx.example; none; junk; spf=fail reason=policy-x;");
    let junk = Tolerated::Dropped("junk".to_owned());
    assert_eq!(reading.tolerated(), [junk, Tolerated::EmptyResult]);
    assert_eq!(reading.results()[0].reason.as_deref(), Some("policy-x"));
    let reading = read("mx.example; spf=fail reason=a/b; dkim=fail reason=\"c/d\";");
    let unquoted = Tolerated::Unquoted("a/b".to_owned());
    assert_eq!(reading.tolerated(), [unquoted, Tolerated::EmptyResult]);
    let reading = read("mx.example; spf=fail reason= ;");
    let empty = Tolerated::NotAProperty("reason=".to_owned());
    assert_eq!(reading.tolerated(), [empty, Tolerated::EmptyResult]);
    assert_eq!(reading.results()[0].reason, None);
}

#[test]
fn versions() {
    for (value, version) in [
        ("mx.example; spf=pass", 1),
        ("mx.example 1; spf=pass", 1),
        ("mx.example 2; spf=pass", 2),
        ("mx.example 2; spf=pass;", 2),
        ("mx.example; spf=pass;", 1),
        ("spf=pass", 1),
    ] {
        assert_eq!(read(value).version(), version, "{value}");
    }
}
