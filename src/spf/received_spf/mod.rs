//! The Received-SPF field (§9.1), written and read.

mod parse;

use std::net::IpAddr;

use super::cause::Cause;
use super::evaluation::Evaluation;
use super::{Identity, SpfResult};
use crate::auth_results::{Method, MethodResult, ParseError, Property};
use crate::session::Session;
use crate::text::{self, FoldingWriter};

/// A Received-SPF field: a result, and what it is about.
///
/// The writer quotes whatever needs it, and what it writes reads back as the same value.
///
/// ```
/// use mailproof::dns::{block_on, Zone};
/// use mailproof::spf::{check_session, ReceivedSpf, Settings};
/// use mailproof::Session;
///
/// let mut zone = Zone::new();
/// zone.add_txt("example.com", "v=spf1 ip6:2001:db8::/32 -all")?;
/// let session = Session::new("2001:db8::1".parse().unwrap(), "mx.example.com", "user@example.com");
/// let evaluation = block_on(check_session(&zone, &session, &Settings::default()));
///
/// let field = ReceivedSpf::of(evaluation.authoritative(), &session, "mx.example.net").to_field();
/// assert_eq!(
///     field,
///     "Received-SPF: pass (mx.example.net: `ip6:2001:db8::/32` in the record of\r\n\t\
///      example.com covers 2001:db8::1) client-ip=\"2001:db8::1\";\r\n\t\
///      envelope-from=\"user@example.com\"; helo=mx.example.com;\r\n\t\
///      receiver=mx.example.net; identity=mailfrom;\r\n\t\
///      mechanism=\"ip6:2001:db8::/32\""
/// );
/// let read = ReceivedSpf::parse(field.strip_prefix("Received-SPF:").unwrap().as_bytes())?;
/// assert_eq!(read.client_ip(), session.client_ip());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ReceivedSpf {
    result: SpfResult,
    comment: Option<String>,
    pairs: Vec<(String, String)>,
}

impl ReceivedSpf {
    /// A field with nothing but a result.
    #[must_use]
    pub fn new(result: SpfResult) -> Self {
        Self {
            result,
            comment: None,
            pairs: Vec::new(),
        }
    }

    /// The field for an evaluation of the session, by the host `receiver`.
    #[must_use]
    pub fn of(evaluation: &Evaluation, session: &Session, receiver: &str) -> Self {
        let octets = |octets: Option<&[u8]>| octets.map(|octets| text::lossy(octets).into_owned());
        let cause = evaluation.cause();
        let mut field =
            Self::new(evaluation.result()).with_comment(&format!("{receiver}: {cause}"));
        if let Some(client_ip) = session.client_ip() {
            field = field.with_pair("client-ip", &client_ip.to_string());
        }
        if let Some(sender) = octets(session.mail_from()) {
            let sender = sender
                .strip_prefix('<')
                .and_then(|sender| sender.strip_suffix('>'))
                .unwrap_or(&sender);
            field = field.with_pair("envelope-from", sender);
        }
        if let Some(helo) = octets(session.helo()) {
            field = field.with_pair("helo", &helo);
        }
        let field = field
            .with_pair("receiver", receiver)
            .with_pair("identity", &evaluation.identity().to_string());
        match (evaluation.result(), cause) {
            (SpfResult::Temperror | SpfResult::Permerror, cause) => {
                field.with_pair("problem", &cause.to_string())
            }
            (_, Cause::Matched(matched)) => {
                let term = matched.place.term().unwrap_or_default();
                field.with_pair("mechanism", term)
            }
            // §9.1: ‘if no mechanisms matched, substitute the word "default"’
            (_, Cause::NoMatch { .. }) => field.with_pair("mechanism", "default"),
            _ => field,
        }
    }

    /// Sets the comment. Control characters are dropped, and so is what exceeds 450 octets.
    #[must_use]
    pub fn with_comment(mut self, comment: &str) -> Self {
        self.comment = Some(clean(comment));
        self
    }

    /// Adds a key and its value. Control characters of the value are dropped, and so is what exceeds
    /// 450 octets; a key that is none is left out altogether.
    #[must_use]
    pub fn with_pair(mut self, key: &str, value: &str) -> Self {
        if parse::is_key(key.as_bytes()) {
            self.pairs.push((key.to_ascii_lowercase(), clean(value)));
        }
        self
    }

    /// Reads what follows `Received-SPF:`.
    ///
    /// Beyond the grammar it takes values that should have been quoted, as the RFC's own example
    /// `mechanism=ip4:192.0.2.1` and most software have them.
    ///
    /// # Errors
    ///
    /// [`ParseError`] with the offset of what cannot be read: of a pair without key or value as of a
    /// property.
    pub fn parse(value: &[u8]) -> Result<Self, ParseError> {
        parse::field(value)
    }

    /// The result word.
    #[must_use]
    pub fn result(&self) -> SpfResult {
        self.result
    }

    /// The comment behind the result.
    #[must_use]
    pub fn comment(&self) -> Option<&str> {
        self.comment.as_deref()
    }

    /// The keys, in lower case, and their values.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The first value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.pairs()
            .find(|(known, _)| known.eq_ignore_ascii_case(key))
            .map(|(_, value)| value)
    }

    /// `client-ip`, if it is an address.
    #[must_use]
    pub fn client_ip(&self) -> Option<IpAddr> {
        self.get("client-ip")?.parse().ok()
    }

    /// `identity`, if it is one of the RFC's two.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        let identity = self.get("identity")?;
        [Identity::Helo, Identity::MailFrom]
            .into_iter()
            .find(|known| identity.eq_ignore_ascii_case(&known.to_string()))
    }

    /// The whole field, folded, without the CRLF that ends it. §9.1: it belongs above the Received
    /// field of the same server.
    #[must_use]
    pub fn to_field(&self) -> String {
        let mut writer = FoldingWriter::new("Received-SPF");
        writer.word(self.result.as_str());
        if let Some(comment) = &self.comment {
            write_comment(&mut writer, &text::comment(comment));
        }
        for (index, (key, value)) in self.pairs.iter().enumerate() {
            if index != 0 {
                writer.glue();
                writer.word(";");
            }
            let bare = value.is_ascii() && text::is_dot_atom(value.as_bytes());
            if bare {
                writer.word(&format!("{key}={value}"));
            } else {
                writer.word(&format!("{key}={}", text::quoted_string(value)));
            }
        }
        writer.finish()
    }

    /// The same in terms of Authentication-Results (§9.2): `smtp.mailfrom` is the domain of
    /// `envelope-from`, `smtp.helo` is `helo`. The field says which identity it is about; without
    /// that, it is about MAIL FROM, unless that is empty or missing.
    #[must_use]
    pub fn to_method_result(&self) -> MethodResult {
        let result = MethodResult::new(Method::Spf, self.result.into());
        let mail_from = self.get("envelope-from").and_then(domain_of);
        let helo = self.get("helo").filter(|helo| !helo.is_empty());
        match (self.identity(), mail_from, helo) {
            (Some(Identity::MailFrom) | None, Some(domain), _) => {
                result.with_property(Property::smtp("mailfrom", domain))
            }
            (Some(Identity::Helo) | None, _, Some(helo))
            | (Some(Identity::MailFrom), None, Some(helo)) => {
                result.with_property(Property::smtp("helo", helo))
            }
            _ => result,
        }
    }
}

fn domain_of(address: &str) -> Option<&str> {
    let domain = address
        .rsplit_once('@')
        .map_or(address, |(_, domain)| domain);
    (!domain.is_empty()).then_some(domain)
}

/// Folds at the spaces, unless several in a row would leave a line of white space only.
fn write_comment(writer: &mut FoldingWriter, comment: &str) {
    if comment.contains("  ") {
        writer.word(comment);
    } else {
        comment.split(' ').for_each(|word| writer.word(word));
    }
}

fn clean(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars().filter(|character| !character.is_control()) {
        if out.len() + character.len_utf8() > MAX_VALUE {
            break;
        }
        out.push(character);
    }
    out
}

/// §9.1: the field must not be ‘excessively long’: with each octet escaped, a value still fits into
/// one of the lines of 998 octets that RFC 5322 2.1.1 allows. Mailboxes have at most 320 octets.
const MAX_VALUE: usize = 450;
