//! Writing Authentication-Results so that no value can break out of its place.

use super::{AuthenticationResults, MethodResult, encode};
use crate::text::{self, FoldingWriter};

/// The whole field without its final CRLF.
pub(super) fn field(results: &AuthenticationResults) -> String {
    let mut writer = FoldingWriter::new("Authentication-Results");
    writer.word(&authserv_id(results.authserv_id.as_str()));
    writer.glue();
    writer.word(";");
    if results.results.is_empty() {
        writer.word("none");
    }
    let mut rest = results.results.iter().peekable();
    while let Some(result) = rest.next() {
        write(&mut writer, result);
        if rest.peek().is_some() {
            writer.glue();
            writer.word(";");
        }
    }
    writer.finish()
}

fn write(writer: &mut FoldingWriter, result: &MethodResult) {
    writer.word(&format!("{}={}", result.method, result.result));
    if let Some(reason) = &result.reason {
        writer.word(&format!("reason={}", text::quoted_string(reason)));
    }
    for property in &result.properties {
        let (ptype, name) = (&property.ptype, property.name.as_str());
        writer.word(&format!("{ptype}.{name}={}", encode(&property.value)));
    }
}

/// §2.2: authserv-id is a `value`, which has no address form.
fn authserv_id(id: &str) -> String {
    if id.bytes().all(text::is_token) {
        id.to_owned()
    } else {
        text::quoted_string(id)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AuthenticationResults, Method, MethodResult, Property, ResultWord};

    fn value(value: &str) -> String {
        let mut results = AuthenticationResults::new("mx".parse().unwrap());
        let property = Property::smtp("x", value);
        results
            .results
            .push(MethodResult::new(Method::Spf, ResultWord::Pass).with_property(property));
        results
            .to_field()
            .split_once("smtp.x=")
            .unwrap()
            .1
            .to_owned()
    }

    #[test]
    fn encodes_every_value() {
        for (plain, written) in [
            ("example.com", "example.com"),
            ("user@example.com", "user@example.com"),
            ("@example.com", "@example.com"),
            ("a+b=c@example.com", "a+b=c@example.com"),
            ("2001:db8::1", "\"2001:db8::1\""),
            ("abc/def=", "\"abc/def=\""),
            ("a b@example.com", "\"a b@example.com\""),
            ("a@b@example.com", "\"a@b@example.com\""),
            ("a@example.com; spf=pass", "\"a@example.com; spf=pass\""),
            (
                "u@evil.test\r\nReply-To: x@y",
                "\"u@evil.testReply-To: x@y\"",
            ),
            (
                "a;b=c (note)\"x@example.org",
                "\"a;b=c (note)\\\"x@example.org\"",
            ),
            ("sel\"; smtp.bogus=1", "\"sel\\\"; smtp.bogus=1\""),
            ("example.net(.example.com", "\"example.net(.example.com\""),
            ("", "\"\""),
            ("@", "\"@\""),
            ("j\u{fc}rgen@example.com", "\"j\u{fc}rgen@example.com\""),
        ] {
            assert_eq!(value(plain), written);
        }
    }

    #[test]
    fn whole_fields() {
        let mut results = AuthenticationResults::new("my mx".parse().unwrap());
        assert_eq!(
            results.to_field(),
            "Authentication-Results: \"my mx\"; none"
        );
        results
            .results
            .push(MethodResult::new(Method::Spf, ResultWord::Fail).with_reason("a \"b\""));
        results
            .results
            .push(MethodResult::new(Method::Dkim, ResultWord::None));
        assert_eq!(
            results.to_field(),
            "Authentication-Results: \"my mx\"; spf=fail reason=\"a \\\"b\\\"\"; dkim=none"
        );
        assert!("".parse::<super::super::AuthservId>().is_err());
        assert!("a\r\nb".parse::<super::super::AuthservId>().is_err());
    }
}
