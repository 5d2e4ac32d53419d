//! What a finding consists of.

use std::fmt;
use std::net::IpAddr;

use super::catalogue::{self, Entry};
use crate::dns::Name;
use crate::domain::Domain;
use crate::text;

/// Something that explains a verdict.
///
/// Prints as its sentence.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Finding {
    code: Code,
    severity: Severity,
    certainty: Certainty,
    sentence: String,
    evidence: Vec<Evidence>,
    remedies: Vec<Remedy>,
}

impl Finding {
    /// What kind of finding it is.
    #[must_use]
    pub fn code(&self) -> Code {
        self.code
    }

    /// How much it matters for this message.
    #[must_use]
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// Whether it follows from the facts; otherwise it is what is most often behind such facts.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        self.certainty == Certainty::Certain
    }

    /// One sentence for a postmaster.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// The facts behind it, each with its name as in the templates; never empty.
    pub fn evidence(&self) -> impl ExactSizeIterator<Item = (&'static str, &Value)> {
        self.evidence.iter().map(|fact| (fact.name, &fact.value))
    }

    /// The evidence of one name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        value(&self.evidence, name)
    }

    /// Who can do something about it, and what, in one sentence each.
    pub fn remedies(&self) -> impl ExactSizeIterator<Item = (Who, &str)> {
        self.remedies
            .iter()
            .map(|remedy| (remedy.who, remedy.how.as_str()))
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

/// The code of a finding. Codes are never given another meaning, and never used again; the list is
/// in the [module's documentation](super).
#[derive(Clone, Copy)]
pub struct Code(&'static Entry);

impl Code {
    /// The code, as in `envelope-srs`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0.code
    }

    /// The sections of RFCs that say more.
    #[must_use]
    pub fn rfc(self) -> &'static str {
        self.0.rfc
    }

    /// The sentence before the evidence is put in: `{name}` stands for the evidence of that name.
    #[must_use]
    pub fn template(self) -> &'static str {
        self.0.sentence
    }

    /// Who can do something about it, and what, before the evidence is put in.
    pub fn remedy_templates(self) -> impl Iterator<Item = (Who, &'static str)> {
        self.0.remedies.iter().copied()
    }

    /// All codes.
    pub fn all() -> impl Iterator<Item = Self> {
        catalogue::all().map(Self)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Code {}

impl PartialEq<str> for Code {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// How much a finding matters for the message.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Severity {
    /// The verdict is what it is because of this.
    Decisive,
    /// It did not decide, but will hurt other mail, or weakens a pass.
    Warning,
    /// Good to know.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Decisive => "decisive",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
enum Certainty {
    /// It follows from the facts.
    Certain,
    /// It is what is most often behind such facts.
    Likely,
}

/// Who can do something.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Who {
    /// Whoever runs the domain in From.
    AuthorDomain,
    /// Whoever runs the domain in MAIL FROM.
    EnvelopeDomain,
    /// A forwarder, list or gateway on the way.
    Forwarder,
    /// The receiver.
    Receiver,
    /// Whoever runs the server that sent or signed the message.
    Sender,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AuthorDomain => "author domain",
            Self::EnvelopeDomain => "envelope domain",
            Self::Forwarder => "forwarder",
            Self::Receiver => "receiver",
            Self::Sender => "sender",
        })
    }
}

/// What somebody can do.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Remedy {
    who: Who,
    how: String,
}

/// A fact behind a finding.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
struct Evidence {
    name: &'static str,
    value: Value,
}

/// A fact.
#[derive(Clone, Debug, Eq, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Value {
    /// A mail address, as written or claimed.
    Address(String),
    /// What the DNS answered, or why it did not.
    Answer(String),
    /// The address of a client.
    Client(IpAddr),
    /// A number of something.
    Count(u64),
    /// A domain.
    Domain(Domain),
    /// A header field, with what it was and what it is where that is known.
    Field {
        /// Its name.
        name: String,
        /// Its value when it was signed, as far as it is known.
        was: Option<String>,
        /// Its value now.
        now: Option<String>,
    },
    /// A name in the DNS.
    Name(Name),
    /// A number of octets.
    Octets(u64),
    /// A term of an SPF record, as written.
    Term(String),
    /// Words: of an error, a result, a list.
    Text(String),
}

impl fmt::Display for Value {
    /// On one line, whoever wrote it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(text) | Self::Answer(text) | Self::Term(text) | Self::Text(text) => {
                f.write_str(&text::one_line(text, SHOWN))
            }
            Self::Client(address) => address.fmt(f),
            Self::Count(number) | Self::Octets(number) => number.fmt(f),
            Self::Domain(domain) => domain.fmt(f),
            Self::Field { name, .. } => f.write_str(&text::one_line(name, SHOWN)),
            Self::Name(name) => name.fmt(f),
        }
    }
}

/// A finding in the making.
#[derive(Debug)]
pub(super) struct Draft {
    entry: &'static Entry,
    severity: Severity,
    certainty: Certainty,
    evidence: Vec<Evidence>,
}

impl Draft {
    pub(super) fn new(entry: &'static Entry) -> Self {
        Self {
            entry,
            severity: entry.severity,
            certainty: Certainty::Certain,
            evidence: Vec::new(),
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: Value) -> Self {
        self.evidence.push(Evidence { name, value });
        self
    }

    pub(super) fn domain(self, name: &'static str, domain: &Domain) -> Self {
        self.with(name, Value::Domain(domain.clone()))
    }

    /// A domain that may be missing, which is then said in words.
    pub(super) fn domain_or(
        self,
        name: &'static str,
        domain: Option<&Domain>,
        otherwise: &str,
    ) -> Self {
        match domain {
            Some(domain) => self.domain(name, domain),
            None => self.text(name, otherwise),
        }
    }

    pub(super) fn text(self, name: &'static str, text: impl fmt::Display) -> Self {
        self.with(name, Value::Text(text.to_string()))
    }

    pub(super) fn client(self, client: Option<IpAddr>) -> Self {
        match client {
            Some(client) => self.with("client", Value::Client(client)),
            None => self.text("client", "an unknown client"),
        }
    }

    pub(super) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub(super) fn likely(mut self) -> Self {
        self.certainty = Certainty::Likely;
        self
    }

    pub(super) fn finish(self) -> Finding {
        let remedies = self.entry.remedies.iter();
        Finding {
            code: Code(self.entry),
            severity: self.severity,
            certainty: self.certainty,
            sentence: fill(self.entry.sentence, &self.evidence),
            remedies: remedies
                .map(|(who, how)| Remedy {
                    who: *who,
                    how: fill(how, &self.evidence),
                })
                .collect(),
            evidence: self.evidence,
        }
    }
}

fn value<'e>(evidence: &'e [Evidence], name: &str) -> Option<&'e Value> {
    let found = evidence.iter().find(|evidence| evidence.name == name)?;
    Some(&found.value)
}

/// Puts the evidence into a template.
fn fill(template: &str, evidence: &[Evidence]) -> String {
    let mut out = String::with_capacity(template.len() + 32);
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        out.push_str(before);
        let Some((name, following)) = behind.split_once('}') else {
            break;
        };
        match value(evidence, name) {
            Some(value) => out.push_str(&value.to_string()),
            None => out.push_str("unknown"),
        }
        rest = following;
    }
    out.push_str(rest);
    out
}

/// How much of a stranger's text a sentence shows.
const SHOWN: usize = 300;
