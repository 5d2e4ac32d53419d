//! What a sealer says: the results that go into ARC-Authentication-Results (§4.1.1).

use super::fields::skip_cfws;
use crate::auth_results::{AuthenticationResults, AuthservId, ParseError};
use crate::message::Head;
use crate::text;

/// The `authres-payload` of an ARC-Authentication-Results field: who checked, and what came of it.
///
/// ```
/// use mailproof::{arc::Payload, auth_results::AuthenticationResults};
///
/// let results = AuthenticationResults::new("mx.example.com".parse()?);
/// assert_eq!(Payload::new(&results).as_str(), "mx.example.com; none");
/// # Ok::<(), mailproof::auth_results::ParseError>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Payload(String);

impl Payload {
    /// The results of one check, as in
    /// [`Verdict::authentication_results`](crate::Verdict::authentication_results).
    #[must_use]
    pub fn new(results: &AuthenticationResults) -> Self {
        let field = results.to_field();
        let value = field.split_once(':').map_or("", |(_, value)| value);
        Self(value.trim_start().to_owned())
    }

    /// The results of all Authentication-Results fields that `authserv_id` has put into the header,
    /// in their order and as they are written.
    ///
    /// §4.1.1: ‘the AAR MUST contain the combined authres-payload with all of the authentication
    /// results from within the participating ADMD, regardless of how many Authentication-Results
    /// header fields are attached to the message.’ Fields that claim this name but came from outside
    /// must have been removed on arrival (RFC 8601 5). One that ends inside a quoted string or comment is
    /// left out.
    #[must_use]
    pub fn combined(head: &Head<'_>, authserv_id: &AuthservId) -> Self {
        let mut payload = if authserv_id.as_str().bytes().all(text::is_token) {
            authserv_id.as_str().to_owned()
        } else {
            text::quoted_string(authserv_id.as_str())
        };
        let mut any = false;
        for field in head.named(b"Authentication-Results") {
            if let Some(results) = results_of(field.value(), authserv_id) {
                payload.push_str(if any { ";\r\n\t" } else { "; " });
                payload.push_str(&results);
                any = true;
            }
        }
        if !any {
            payload.push_str("; none");
        }
        Self(payload)
    }

    /// The text, folded with CRLF.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text behind field name and instance, on the same line where it fits.
    pub(super) fn below(&self, name: &str) -> String {
        let first = self.0.split("\r\n").next().unwrap_or_default();
        let fits = name.len() + ": i=50; ".len() + first.len() <= LINE_WIDTH;
        format!("{}{}", if fits { " " } else { "\r\n\t" }, self.0)
    }
}

impl std::str::FromStr for Payload {
    type Err = ParseError;

    /// Takes results as another program has written them, folded or not, for the sealer to vouch for
    /// as they are.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        AuthenticationResults::read(text.as_bytes())?;
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
        Ok(Self(with_crlf(text)))
    }
}

/// Line breaks that a milter has cut short are made whole.
fn with_crlf(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\n', "\r\n")
}

/// What stands behind the authserv-id, if it is the one wanted and there are results, to the end of which
/// the field can be read.
fn results_of(value: &[u8], authserv_id: &AuthservId) -> Option<String> {
    let reading = AuthenticationResults::read(value).ok()?;
    let is_ours = reading.authserv_id() == Some(authserv_id);
    if !is_ours || reading.results().is_empty() || reading.is_unfinished() {
        return None;
    }
    let results = std::str::from_utf8(behind_first_semicolon(value)?).ok()?;
    let results = results.trim_matches(|c: char| c == ';' || c.is_ascii_whitespace());
    Some(with_crlf(results))
}

/// What follows the first semicolon outside of comments and quoted strings.
fn behind_first_semicolon(value: &[u8]) -> Option<&[u8]> {
    let mut rest = value;
    let mut quoted = false;
    loop {
        if !quoted {
            rest = skip_cfws(rest)?;
        }
        rest = match (quoted, rest) {
            (_, []) => return None,
            (false, [b';', rest @ ..]) => return Some(rest),
            (true, [b'\\', _, rest @ ..]) => rest,
            (_, [b'"', rest @ ..]) => {
                quoted = !quoted;
                rest
            }
            (_, [_, rest @ ..]) => rest,
        };
    }
}

/// RFC 5322 2.1.1: lines SHOULD be no more than 78 characters.
const LINE_WIDTH: usize = 78;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn combines_own_fields() {
        let (head, _) = Head::parse(
            b"Authentication-Results: \"mx;1\" (a;b) 1; spf=pass (x;y)\r\n smtp.mailfrom=a.example;\r\n\
              Authentication-Results: other.example; dmarc=pass\r\n\
              Authentication-Results: \"MX;1\"; none\r\n\
              Authentication-Results: \"mx;1\"; dkim=pass\n header.d=a.example\r\n\r\n",
        );
        let payload = Payload::combined(&head, &"mx;1".parse().unwrap());
        assert_eq!(
            payload.as_str(),
            "\"mx;1\"; spf=pass (x;y)\r\n smtp.mailfrom=a.example;\r\n\tdkim=pass\r\n \
             header.d=a.example"
        );
        let payload = Payload::combined(&head, &"nobody.example".parse().unwrap());
        assert_eq!(payload.as_str(), "nobody.example; none");
    }

    /// A comment or quoted string that does not end would go on in the field behind it, and make results of
    /// what stands there in quotes.
    #[test]
    fn leaves_out_what_does_not_end() {
        for unfinished in [
            "dmarc=none; spf=pass (sender is \"a(\"@b.example) smtp.mailfrom=b.example",
            "dmarc=none; spf=pass reason=\"b.example",
            "dmarc=none; (",
        ] {
            let head = format!(
                "Authentication-Results: mx; {unfinished}\r\n\
                 Authentication-Results: mx; dkim=pass\r\n\
                 \theader.i=\")); dmarc=pass header.from=bank.example; (@b.example\"\r\n\r\n"
            );
            let (head, _) = Head::parse(head.as_bytes());
            let payload = Payload::combined(&head, &"mx".parse().unwrap());
            let reading = AuthenticationResults::read(payload.as_str().as_bytes()).unwrap();
            let methods = reading.results().iter();
            let methods: Vec<&str> = methods.map(|result| result.method.as_str()).collect();
            assert_eq!(methods, ["dkim"], "{}", payload.as_str());
        }
    }
}
