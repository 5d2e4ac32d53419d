//! Writing Authentication-Results so that no value can break out of its place.

use std::borrow::Cow;

use super::{AuthenticationResults, MethodResult};
use crate::text::{self, FoldingWriter};

/// The whole field without its final CRLF.
pub(super) fn field(results: &AuthenticationResults) -> String {
    let mut writer = FoldingWriter::new("Authentication-Results");
    writer.word(&authserv_id(results.authserv_id.as_str()));
    if results.version != 1 {
        writer.word(&results.version.to_string());
    }
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
    let (method, word) = (&result.method, &result.result);
    if result.version == 1 {
        writer.word(&format!("{method}={word}"));
    } else {
        writer.word(&format!("{method}/{}={word}", result.version));
    }
    if let Some(comment) = &result.comment {
        writer.word(&shortened(comment, |text| unmarked(text::comment(text))));
    }
    if let Some(reason) = &result.reason {
        writer.word(&format!("reason={}", shortened(reason, quoted)));
    }
    for property in &result.properties {
        let (ptype, name) = (&property.ptype, property.name.as_str());
        let value = encode(&property.value);
        // Half an identity would be a wrong one.
        if value.len() <= MAX_WORD {
            writer.word(&format!("{ptype}.{name}={value}"));
        }
    }
}

/// Text for people, encoded, without its end if it would not fit on a line.
fn shortened(text: &str, encode: impl Fn(&str) -> String) -> String {
    let whole = encode(text);
    if whole.len() <= MAX_WORD {
        return whole;
    }
    // No character takes more than four octets, or two with its backslash.
    let kept: String = text.chars().take(MAX_WORD / 4 - 1).collect();
    encode(&kept)
}

/// §2.2: authserv-id is a `value`, which has no address form.
fn authserv_id(id: &str) -> String {
    if id.bytes().all(text::is_token) {
        id.to_owned()
    } else {
        quoted(id)
    }
}

/// `value` of §2.2, or the address form of `pvalue`, as it must be written.
fn encode(value: &str) -> Cow<'_, str> {
    if is_bare(value.as_bytes()) {
        value.into()
    } else {
        quoted(value).into()
    }
}

/// Whether a value may stand without quotes: a MIME token, or `[[local-part] "@"] domain-name`.
fn is_bare(value: &[u8]) -> bool {
    let is_token = |octets: &[u8]| !octets.is_empty() && octets.iter().all(|o| text::is_token(*o));
    match text::split_once(value, b'@') {
        None => is_token(value),
        Some((local_part, domain)) => {
            let is_name = |octet: &u8| octet.is_ascii_alphanumeric() || b"-._".contains(octet);
            (local_part.is_empty() || (local_part.is_ascii() && text::is_dot_atom(local_part)))
                && !local_part.starts_with(b"?")
                && !local_part.windows(2).any(|pair| pair == b"=?")
                && domain.iter().all(is_name)
                && text::is_dot_atom(domain)
        }
    }
}

fn quoted(text: &str) -> String {
    unmarked(text::quoted_string(text))
}

/// RFC 2047 5 gives encoded-words no meaning in quoted strings, but much software decodes fields
/// before it parses them. A backslash between the first two octets changes nothing for the others.
fn unmarked(encoded: String) -> String {
    if encoded.contains("=?") {
        encoded.replace("=?", "=\\?")
    } else {
        encoded
    }
}

/// RFC 5322 2.1.1: lines MUST have no more than 998 octets. The rest is for what stands around.
const MAX_WORD: usize = 800;

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
            ("=?utf-8?q?a=3B?=", "\"=\\?utf-8?q?a=3B?=\""),
            ("=?a?q?b?=@example.com", "\"=\\?a?q?b?=@example.com\""),
            ("?a@example.com", "\"?a@example.com\""),
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
