//! Reports as XML, in the order of the schemas.

use std::borrow::Cow;
use std::io::{self, Write};
use std::net::IpAddr;

use super::words::Vocabulary;
use super::{
    Applied, DkimAuth, Extension, PublishedPolicy, Reason, Report, Row, SpfAuth, Text, Word,
};
use crate::dmarc::RuleSet;
use crate::spf::{Identity, SpfResult};
use crate::verdict::Override;

impl Report {
    /// Writes the report: valid by the schema if its words are of the schema.
    ///
    /// What a schema requires is written even if it is empty. A reason that the schema does not know
    /// becomes `other`, and its kind part of the comment.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write_xml(&self, rules: RuleSet, out: impl Write) -> io::Result<()> {
        let form = match rules {
            RuleSet::Rfc9989 => Form::Rfc9990,
            RuleSet::Rfc7489 => Form::Rfc7489,
        };
        let mut xml = Xml::new(form, out);
        xml.raw("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")?;
        xml.open_with("feedback", "xmlns", namespace(rules))?;
        xml.child("version", "1.0")?;
        xml.metadata(self)?;
        xml.policy(&self.policy)?;
        if rules == RuleSet::Rfc9989 && !self.extensions.is_empty() {
            xml.open("extension")?;
            xml.extensions(&self.extensions)?;
            xml.close("extension")?;
        }
        for row in &self.rows {
            xml.row(row)?;
        }
        xml.close("feedback")
    }

    /// The report as [`write_xml`](Self::write_xml) writes it.
    #[must_use]
    pub fn to_xml(&self, rules: RuleSet) -> String {
        let mut out = Vec::new();
        // Writing to a vector cannot fail.
        let _ = self.write_xml(rules, &mut out);
        String::from_utf8(out).unwrap_or_default()
    }
}

impl Row {
    /// The row as an element `record` that holds all of it, whatever the schemas say: for a database
    /// to keep and compare.
    #[must_use]
    pub fn to_xml(&self) -> String {
        let mut out = Vec::new();
        // Writing to a vector cannot fail.
        let _ = Xml::new(Form::Whole, &mut out).row(self);
        String::from_utf8(out).unwrap_or_default()
    }
}

fn namespace(rules: RuleSet) -> &'static str {
    match rules {
        RuleSet::Rfc9989 => "urn:ietf:params:xml:ns:dmarc-2.0",
        RuleSet::Rfc7489 => "http://dmarc.org/dmarc-xml/0.1",
    }
}

/// What is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    Rfc9990,
    Rfc7489,
    /// All there is, with the elements of RFC 9990.
    Whole,
}

/// Writes elements, one to a line.
struct Xml<W> {
    out: W,
    form: Form,
    depth: usize,
}

impl<W: Write> Xml<W> {
    fn new(form: Form, out: W) -> Self {
        Self {
            out,
            form,
            depth: 0,
        }
    }

    fn is_9990(&self) -> bool {
        self.form != Form::Rfc7489
    }

    fn raw(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())
    }

    fn indent(&mut self) -> io::Result<()> {
        (0..self.depth).try_for_each(|_| self.raw("  "))
    }

    fn open(&mut self, name: &str) -> io::Result<()> {
        self.indent()?;
        writeln!(self.out, "<{name}{}>", self.unqualified())?;
        self.depth += 1;
        Ok(())
    }

    /// RFC 7489's schema has a namespace for the root alone: `elementFormDefault` is missing.
    fn unqualified(&self) -> &'static str {
        match (self.form, self.depth) {
            (Form::Rfc7489, 1) => " xmlns=\"\"",
            _ => "",
        }
    }

    fn open_with(&mut self, name: &str, attribute: &str, value: &str) -> io::Result<()> {
        writeln!(self.out, "<{name} {attribute}=\"{}\">", escape(value))?;
        self.depth += 1;
        Ok(())
    }

    fn close(&mut self, name: &str) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        self.indent()?;
        writeln!(self.out, "</{name}>")
    }

    fn child(&mut self, name: &str, text: &str) -> io::Result<()> {
        self.indent()?;
        let unqualified = self.unqualified();
        writeln!(self.out, "<{name}{unqualified}>{}</{name}>", escape(text))
    }

    fn word<T: Vocabulary>(&mut self, name: &str, word: &Word<T>) -> io::Result<()> {
        self.child(name, &word.to_string())
    }

    fn optional<T: Vocabulary>(&mut self, name: &str, word: Option<&Word<T>>) -> io::Result<()> {
        word.map_or(Ok(()), |word| self.word(name, word))
    }

    fn optional_text(&mut self, name: &str, text: Option<&str>) -> io::Result<()> {
        text.map_or(Ok(()), |text| self.child(name, text))
    }

    /// Text that may have a language.
    fn text(&mut self, name: &str, text: Option<&Text>) -> io::Result<()> {
        let Some(Text { text, lang }) = text else {
            return Ok(());
        };
        match lang
            .as_deref()
            .filter(|lang| self.is_9990() && is_language(lang))
        {
            None => self.child(name, text),
            Some(lang) => {
                self.indent()?;
                writeln!(
                    self.out,
                    "<{name} lang=\"{lang}\">{}</{name}>",
                    escape(text)
                )
            }
        }
    }

    fn metadata(&mut self, report: &Report) -> io::Result<()> {
        self.open("report_metadata")?;
        self.child("org_name", &report.org_name)?;
        self.child("email", &report.email)?;
        self.text("extra_contact_info", report.extra_contact_info.as_ref())?;
        self.child("report_id", &report.report_id)?;
        self.open("date_range")?;
        self.child("begin", &report.begin.to_string())?;
        self.child("end", &report.end.to_string())?;
        self.close("date_range")?;
        if self.is_9990() {
            self.text("error", joined(&report.errors).as_deref())?;
            self.optional_text("generator", report.generator.as_deref())?;
        } else {
            for error in &report.errors {
                self.text("error", Some(error))?;
            }
        }
        self.close("report_metadata")
    }

    fn policy(&mut self, policy: &PublishedPolicy) -> io::Result<()> {
        self.open("policy_published")?;
        self.child("domain", &policy.domain)?;
        if self.is_9990() {
            self.word("p", &policy.p)?;
            self.optional("sp", policy.sp.as_ref())?;
            self.optional("np", policy.np.as_ref())?;
            self.optional("adkim", policy.adkim.as_ref())?;
            self.optional("aspf", policy.aspf.as_ref())?;
            self.optional("discovery_method", policy.discovery_method.as_ref())?;
            self.optional_text("fo", policy.fo.as_deref())?;
            self.optional("testing", policy.testing.as_ref())?;
        } else {
            self.optional("adkim", policy.adkim.as_ref())?;
            self.optional("aspf", policy.aspf.as_ref())?;
            self.word("p", &policy.p)?;
            self.word("sp", policy.sp.as_ref().unwrap_or(&policy.p))?;
            self.word("pct", policy.pct.as_ref().unwrap_or(&Word::Known(100)))?;
            self.child("fo", policy.fo.as_deref().unwrap_or("0"))?;
        }
        self.close("policy_published")
    }

    fn row(&mut self, row: &Row) -> io::Result<()> {
        self.open("record")?;
        self.open("row")?;
        self.child("source_ip", &self.address(&row.source_ip))?;
        self.child("count", &row.count.to_string())?;
        self.open("policy_evaluated")?;
        let disposition = match &row.disposition {
            Word::Known(Applied::Pass) if !self.is_9990() => &Word::Known(Applied::None),
            disposition => disposition,
        };
        self.word("disposition", disposition)?;
        self.word("dkim", &row.dkim)?;
        self.word("spf", &row.spf)?;
        for reason in &row.reasons {
            self.reason(reason)?;
        }
        self.close("policy_evaluated")?;
        self.close("row")?;
        self.open("identifiers")?;
        if self.is_9990() {
            self.child("header_from", &row.header_from)?;
            self.optional_text("envelope_from", row.envelope_from.as_deref())?;
            self.optional_text("envelope_to", row.envelope_to.as_deref())?;
        } else {
            self.optional_text("envelope_to", row.envelope_to.as_deref())?;
            self.child(
                "envelope_from",
                row.envelope_from.as_deref().unwrap_or_default(),
            )?;
            self.child("header_from", &row.header_from)?;
        }
        self.close("identifiers")?;
        self.auth_results(row)?;
        if self.is_9990() {
            self.extensions(&row.extensions)?;
        }
        self.close("record")
    }

    /// RFC 7489's pattern for IPv6 addresses knows only the form with all eight groups.
    fn address(&self, address: &Word<IpAddr>) -> String {
        match address {
            Word::Known(IpAddr::V6(address)) if !self.is_9990() => address
                .segments()
                .map(|group| format!("{group:x}"))
                .join(":"),
            address => address.to_string(),
        }
    }

    fn reason(&mut self, reason: &Reason) -> io::Result<()> {
        let Reason { kind, comment } = reason;
        let kept = match (self.form, kind) {
            (Form::Whole, _) | (Form::Rfc9990, Word::Known(_)) => true,
            (Form::Rfc7489, Word::Known(kind)) => *kind != Override::PolicyTestMode,
            (Form::Rfc9990, Word::Other(_)) => false,
            (Form::Rfc7489, Word::Other(word)) => {
                ["forwarded", "sampled_out"].contains(&word.as_str())
            }
        };
        self.open("reason")?;
        if kept {
            self.word("type", kind)?;
            self.text("comment", comment.as_ref())?;
        } else {
            let mut comment = comment.clone().unwrap_or_default();
            let separator = if comment.text.is_empty() { "" } else { ": " };
            comment.text = format!("{kind}{separator}{}", comment.text);
            self.word("type", &Word::Known(Override::Other))?;
            self.text("comment", Some(&comment))?;
        }
        self.close("reason")
    }

    fn auth_results(&mut self, row: &Row) -> io::Result<()> {
        self.open("auth_results")?;
        for entry in &row.dkim_results {
            self.dkim(entry)?;
        }
        let of_mail_from = |entry: &&SpfAuth| entry.scope != Some(Word::Known(Identity::Helo));
        match self.form {
            // RFC 9990 3.1.1.13: ‘Only the "MAIL FROM" identity is used in DMARC.’
            Form::Rfc9990 => {
                if let Some(entry) = row.spf_results.iter().find(of_mail_from) {
                    self.spf(entry)?;
                }
            }
            // Its schema requires at least one.
            Form::Rfc7489 if row.spf_results.is_empty() => self.spf(&SpfAuth {
                domain: row.envelope_from.clone().unwrap_or_default(),
                result: SpfResult::None.into(),
                ..SpfAuth::default()
            })?,
            Form::Rfc7489 | Form::Whole => {
                for entry in &row.spf_results {
                    self.spf(entry)?;
                }
            }
        }
        self.close("auth_results")
    }

    fn dkim(&mut self, entry: &DkimAuth) -> io::Result<()> {
        self.open("dkim")?;
        self.child("domain", &entry.domain)?;
        let required = (self.form == Form::Rfc9990).then_some("");
        self.optional_text("selector", entry.selector.as_deref().or(required))?;
        self.word("result", &entry.result)?;
        self.text("human_result", entry.human_result.as_ref())?;
        self.close("dkim")
    }

    fn spf(&mut self, entry: &SpfAuth) -> io::Result<()> {
        self.open("spf")?;
        self.child("domain", &entry.domain)?;
        if self.is_9990() {
            self.optional("scope", entry.scope.as_ref())?;
            self.word("result", &entry.result)?;
            self.text("human_result", entry.human_result.as_ref())?;
        } else {
            let mail_from = Word::Known(Identity::MailFrom);
            self.word("scope", entry.scope.as_ref().unwrap_or(&mail_from))?;
            self.word("result", &entry.result)?;
        }
        self.close("spf")
    }

    fn extensions(&mut self, extensions: &[Extension]) -> io::Result<()> {
        extensions.iter().try_for_each(|extension| {
            self.indent()?;
            self.raw(extension.as_xml())?;
            self.raw("\n")
        })
    }
}

/// RFC 9990 has one `error` element.
fn joined(errors: &[Text]) -> Option<Cow<'_, Text>> {
    match errors {
        [] => None,
        [error] => Some(Cow::Borrowed(error)),
        [first, ..] => {
            let texts: Vec<&str> = errors.iter().map(|error| error.text.as_str()).collect();
            Some(Cow::Owned(Text {
                text: texts.join("; "),
                lang: first.lang.clone(),
            }))
        }
    }
}

/// `xs:language`.
fn is_language(lang: &str) -> bool {
    let mut subtags = lang.split('-');
    let is_subtag = |subtag: &str| (1..=8).contains(&subtag.len());
    let letters = |tag: &str| is_subtag(tag) && tag.bytes().all(|o| o.is_ascii_alphabetic());
    subtags.next().is_some_and(letters)
        && subtags.all(|tag| is_subtag(tag) && tag.bytes().all(|o| o.is_ascii_alphanumeric()))
}

/// Text as the content of an element or attribute. What XML 1.0 has no room for becomes U+FFFD: a
/// reference to such a character is an error as well.
pub(super) fn escape(text: &str) -> Cow<'_, str> {
    let plain = |c: char| is_xml(c) && !matches!(c, '&' | '<' | '>' | '"' | '\t' | '\n' | '\r');
    if text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // Readers make other white space of these, unless they are references.
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            character if is_xml(character) => out.push(character),
            _ => out.push(char::REPLACEMENT_CHARACTER),
        }
    }
    Cow::Owned(out)
}

/// Text that came where XML has no room for it, as [`escape`] would write it.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_xml) {
        return Cow::Borrowed(text);
    }
    let replaced = |c| {
        if is_xml(c) {
            c
        } else {
            char::REPLACEMENT_CHARACTER
        }
    };
    Cow::Owned(text.chars().map(replaced).collect())
}

/// `Char` of XML 1.0 2.2.
pub(super) fn is_xml(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_what_xml_cannot_hold() {
        assert_eq!(escape("a b-ü𝄞"), "a b-ü𝄞");
        assert_eq!(
            escape("<&>\"'\r\n\t]]>"),
            "&lt;&amp;&gt;&quot;'&#13;&#10;&#9;]]&gt;"
        );
        assert_eq!(
            escape("\0\u{1}\u{b}\u{1f}\u{7f}\u{fffe}\u{ffff}"),
            "\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{7f}\u{fffd}\u{fffd}"
        );
    }

    #[test]
    fn languages() {
        for good in ["en", "de-AT", "x-private", "zh-Hant-1996"] {
            assert!(is_language(good), "{good}");
        }
        for bad in ["", "-", "en-", "1", "deutschland", "e\"n", "en us"] {
            assert!(!is_language(bad), "{bad}");
        }
    }
}
