//! The elements of a report: those of both schemas, and their names in drafts.

use super::super::words::Vocabulary;
use super::super::{DkimAuth, Reason, Row, SpfAuth, Text, Word};
use super::Reader;
use super::xml::Token;
use crate::report::{ReadError, Warning};
use crate::text;

macro_rules! names {
    ($($name:ident $($word:literal)|+,)*) => {
        /// The names of elements that are known somewhere.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub(super) enum Element {
            $($name,)*
            Unknown,
        }

        impl Element {
            pub(super) fn of(word: &str) -> Self {
                match word {
                    $($($word)|+ => Self::$name,)*
                    _ => Self::Unknown,
                }
            }
        }
    };
}

names! {
    Adkim "adkim",
    Aspf "aspf",
    AuthResults "auth_results",
    Begin "begin",
    Comment "comment",
    Count "count",
    DateRange "date_range",
    DiscoveryMethod "discovery_method",
    Disposition "disposition",
    Dkim "dkim",
    Domain "domain",
    Email "email",
    End "end",
    EnvelopeFrom "envelope_from",
    EnvelopeTo "envelope_to",
    Error "error",
    Extension "extension",
    Extensions "extensions",
    ExtraContactInfo "extra_contact_info",
    Feedback "feedback",
    Fo "fo",
    Generator "generator",
    HeaderFrom "header_from",
    HumanResult "human_result",
    Identifiers "identifiers" | "identities",
    Np "np",
    OrgName "org_name",
    P "p",
    Pct "pct",
    PolicyEvaluated "policy_evaluated",
    PolicyPublished "policy_published",
    Reason "reason",
    Record "record",
    ReportId "report_id",
    ReportMetadata "report_metadata",
    Result "result",
    Row "row",
    Scope "scope",
    Selector "selector",
    SourceIp "source_ip",
    Sp "sp",
    Spf "spf",
    Testing "testing",
    Type "type",
    Version "version",
}

/// As much of a text as a warning shows.
pub(super) fn shown(text: &str) -> String {
    text::one_line(text, 100)
}

impl Reader<'_> {
    /// Reads the children of an element, each by `each`; the text between them.
    fn children(
        &mut self,
        mut each: impl FnMut(&mut Self, Element) -> Result<(), ReadError>,
    ) -> Result<String, ReadError> {
        let mut stray = String::new();
        loop {
            match self.xml.next()? {
                Token::Start => {
                    let name = Element::of(self.xml.name());
                    each(self, name)?;
                }
                Token::End => return Ok(stray),
                Token::Text if self.xml.text.trim().is_empty() => {}
                Token::Text => stray.push_str(self.xml.text.trim()),
                Token::Eof => return Err(ReadError::Truncated),
            }
        }
    }

    fn text(&mut self) -> Result<String, ReadError> {
        self.xml.element_text()
    }

    /// Text for people, and its language.
    fn human(&mut self) -> Result<Text, ReadError> {
        let lang = self.xml.attribute("lang");
        let text = self.text()?;
        Ok(Text { text, lang })
    }

    fn word<T: Vocabulary>(&mut self, element: &'static str) -> Result<Word<T>, ReadError> {
        let word = Word::from(self.text()?.as_str());
        if let Word::Other(word) = &word {
            let word = shown(word);
            self.warn(if word.is_empty() {
                Warning::Missing { name: element }
            } else {
                Warning::UnknownWord { element, word }
            });
        }
        Ok(word)
    }

    fn number(&mut self, element: &'static str) -> Result<u64, ReadError> {
        let text = self.text()?;
        if let Ok(number) = text.parse() {
            return Ok(number);
        }
        let whole = text.split('.').next().unwrap_or_default();
        let number = whole.parse().unwrap_or_default();
        let text = shown(&text);
        self.warn(Warning::Number { element, text });
        Ok(number)
    }

    /// Skips an element that has no business where it is.
    fn skip(&mut self) -> Result<(), ReadError> {
        let name = shown(self.xml.name());
        self.text()?;
        self.warn(Warning::UnknownElement { name });
        Ok(())
    }

    pub(super) fn metadata(&mut self) -> Result<(), ReadError> {
        self.children(|this, name| {
            match name {
                Element::OrgName => this.report.org_name = this.text()?,
                Element::Email => this.report.email = this.text()?,
                Element::ExtraContactInfo => {
                    this.report.extra_contact_info = Some(this.human()?);
                }
                Element::ReportId => this.report.report_id = this.text()?,
                Element::DateRange => {
                    this.children(|this, name| {
                        match name {
                            Element::Begin => this.report.begin = this.number("begin")?,
                            Element::End => this.report.end = this.number("end")?,
                            _ => this.skip()?,
                        }
                        Ok(())
                    })?;
                }
                Element::Error => {
                    let error = this.human()?;
                    this.report.errors.push(error);
                }
                Element::Generator => this.report.generator = Some(this.text()?),
                _ => this.skip()?,
            }
            Ok(())
        })
        .map(drop)
    }

    pub(super) fn policy(&mut self) -> Result<(), ReadError> {
        self.children(|this, name| {
            match name {
                Element::Domain => this.report.policy.domain = this.text()?,
                Element::P => this.report.policy.p = this.word("p")?,
                Element::Sp => this.report.policy.sp = Some(this.word("sp")?),
                Element::Np => this.report.policy.np = Some(this.word("np")?),
                Element::Adkim => this.report.policy.adkim = Some(this.word("adkim")?),
                Element::Aspf => this.report.policy.aspf = Some(this.word("aspf")?),
                Element::DiscoveryMethod => {
                    this.report.policy.discovery_method = Some(this.word("discovery_method")?);
                }
                Element::Fo => this.report.policy.fo = Some(this.text()?),
                Element::Testing => this.report.policy.testing = Some(this.word("testing")?),
                Element::Pct => this.report.policy.pct = Some(this.word("pct")?),
                _ => this.skip()?,
            }
            Ok(())
        })
        .map(drop)
    }

    /// Notes what is missing before the rows.
    pub(super) fn check_head(&mut self) {
        let report = &self.report;
        let policy = &self.report.policy;
        let period = report.end.checked_sub(report.begin);
        let elements = [
            ("org_name", report.org_name.is_empty()),
            ("email", report.email.is_empty()),
            ("report_id", report.report_id.is_empty()),
            ("date_range", report.end == 0),
            ("domain", policy.domain.is_empty()),
        ];
        for (element, missing) in elements {
            if missing {
                self.warn(Warning::Missing { name: element });
            }
        }
        // Some reporters end a day where the next begins.
        if period.is_none_or(|period| period > 86_400) {
            self.warn(Warning::Period);
        }
    }

    /// Reads a row, up to its end.
    pub(super) fn row(&mut self) -> Result<Row, ReadError> {
        let mut row = Row::default();
        let mut count = None;
        // What stands outside of rows has a limit of its own, all in all.
        let outside = self.xml.kept();
        self.xml.set_kept(0);
        self.children(|this, name| match name {
            Element::Row => this.source(&mut row, &mut count),
            Element::Identifiers => this.identifiers(&mut row),
            Element::AuthResults => this.auth_results(&mut row),
            Element::Extension | Element::Extensions => this.extensions(&mut row.extensions),
            _ => this.extension(&mut row.extensions),
        })?;
        self.xml.set_kept(outside);
        let without = |element| ReadError::RowWithout {
            row: self.row,
            element,
        };
        if row.source_ip == Word::default() {
            return Err(without("source_ip"));
        }
        let count: String = count.ok_or(without("count"))?;
        row.count = count.parse().map_err(|_| ReadError::RowCount {
            row: self.row,
            text: shown(&count),
        })?;
        if row.header_from.is_empty() {
            let element = "header_from";
            self.warn(Warning::Missing { name: element });
        }
        Ok(row)
    }

    fn source(&mut self, row: &mut Row, count: &mut Option<String>) -> Result<(), ReadError> {
        let mut evaluated = false;
        self.children(|this, name| {
            match name {
                Element::SourceIp => row.source_ip = this.word("source_ip")?,
                Element::Count => *count = Some(this.text()?),
                Element::PolicyEvaluated => {
                    evaluated = true;
                    this.policy_evaluated(row)?;
                }
                _ => this.skip()?,
            }
            Ok(())
        })?;
        if !evaluated {
            let element = "policy_evaluated";
            self.warn(Warning::Missing { name: element });
        }
        Ok(())
    }

    fn policy_evaluated(&mut self, row: &mut Row) -> Result<(), ReadError> {
        self.children(|this, name| {
            match name {
                Element::Disposition => row.disposition = this.word("disposition")?,
                Element::Dkim => row.dkim = this.word("dkim")?,
                Element::Spf => row.spf = this.word("spf")?,
                Element::Reason => row.reasons.push(this.reason()?),
                _ => this.skip()?,
            }
            Ok(())
        })
        .map(drop)
    }

    fn reason(&mut self) -> Result<Reason, ReadError> {
        let mut reason = Reason::default();
        let stray = self.children(|this, name| {
            match name {
                Element::Type => reason.kind = this.text()?.as_str().into(),
                Element::Comment => reason.comment = Some(this.human()?),
                _ => this.skip()?,
            }
            Ok(())
        })?;
        // Some reporters write the kind without an element of its own.
        if reason.kind == Word::default() {
            reason.kind = stray.as_str().into();
        }
        if let Word::Other(word) = &reason.kind
            && !["forwarded", "sampled_out"].contains(&word.as_str())
        {
            let (element, word) = ("type", shown(word));
            self.warn(Warning::UnknownWord { element, word });
        }
        Ok(reason)
    }

    fn identifiers(&mut self, row: &mut Row) -> Result<(), ReadError> {
        self.children(|this, name| {
            match name {
                Element::HeaderFrom => row.header_from = this.text()?,
                Element::EnvelopeFrom => row.envelope_from = Some(this.text()?),
                Element::EnvelopeTo => row.envelope_to = Some(this.text()?),
                _ => this.skip()?,
            }
            Ok(())
        })
        .map(drop)
    }

    fn auth_results(&mut self, row: &mut Row) -> Result<(), ReadError> {
        self.children(|this, name| {
            match name {
                Element::Dkim => row.dkim_results.push(this.dkim()?),
                Element::Spf => row.spf_results.push(this.spf()?),
                _ => this.skip()?,
            }
            Ok(())
        })
        .map(drop)
    }

    fn dkim(&mut self) -> Result<DkimAuth, ReadError> {
        let mut entry = DkimAuth::default();
        self.children(|this, name| {
            match name {
                Element::Domain => entry.domain = this.text()?,
                Element::Selector => entry.selector = Some(this.text()?),
                Element::Result => entry.result = this.word("result")?,
                Element::HumanResult => entry.human_result = Some(this.human()?),
                _ => this.skip()?,
            }
            Ok(())
        })?;
        Ok(entry)
    }

    fn spf(&mut self) -> Result<SpfAuth, ReadError> {
        let mut entry = SpfAuth::default();
        self.children(|this, name| {
            match name {
                Element::Domain => entry.domain = this.text()?,
                Element::Scope => entry.scope = Some(this.word("scope")?),
                Element::Result => entry.result = this.word("result")?,
                Element::HumanResult => entry.human_result = Some(this.human()?),
                _ => this.skip()?,
            }
            Ok(())
        })?;
        Ok(entry)
    }
}
