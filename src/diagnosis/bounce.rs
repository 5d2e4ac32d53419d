//! What a postmaster has in hand: a bounce, with the header of the message that bounced.

use std::net::IpAddr;

use super::View;
use super::catalogue::{bounce as texts, dkim};
use super::dkim::signed_by;
use super::finding::{Draft, Finding, Value};
use crate::dkim::Cause;
use crate::dmarc::DmarcResult;
use crate::message::Head;
use crate::session::Session;
use crate::spf::SpfResult;
use crate::text;
use crate::verdict::Verdict;

/// A bounce: the reply it quotes, and the header block of the message.
///
/// Everything in it is what somebody wrote. To explain it, verify the header block in the
/// [session](Self::session) with [`BodyHashes::unknown`](crate::dkim::BodyHashes::unknown), and
/// give the verdict to [`diagnosis`](Self::diagnosis).
///
/// ```
/// use mailproof::diagnosis::Bounce;
///
/// let bounce = Bounce::parse(b"550 5.7.1 DMARC fail\n\nReturn-Path: <a@b.example>\nFrom: x@y.example\n");
/// assert_eq!(bounce.code(), Some(550));
/// assert_eq!(bounce.enhanced(), Some("5.7.1"));
/// assert_eq!(bounce.session().mail_from(), Some(&b"a@b.example"[..]));
/// assert_eq!(bounce.header(), b"Return-Path: <a@b.example>\r\nFrom: x@y.example\r\n\r\n");
/// ```
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Bounce {
    code: Option<u16>,
    enhanced: Option<String>,
    reply: String,
    header: Vec<u8>,
    mail_from: Option<String>,
    client: Option<IpAddr>,
}

impl Bounce {
    /// Reads a bounce or a part of one: a reply, a header block, in any order, with any line ends. What
    /// is not found stays unknown. No more than the first mebibyte is read.
    #[must_use]
    pub fn parse(octets: &[u8]) -> Self {
        let octets = octets.get(..MOST).unwrap_or(octets);
        let text = text::lossy(octets).replace("\r\n", "\n");
        let mut bounce = Self::default();
        let blocks: Vec<&str> = text
            .split("\n\n")
            .map(|block| block.trim_matches('\n'))
            .collect();
        let header = blocks.iter().rev().find(|block| is_header(block));
        for block in &blocks {
            if Some(block) != header && bounce.code.is_none() {
                bounce.read_reply(block);
            }
        }
        if let Some(header) = header {
            bounce.header = format!("{}\r\n\r\n", header.replace('\n', "\r\n")).into_bytes();
            bounce.read_header();
        }
        if bounce.mail_from.is_none() {
            let rewritten = text.split(|c: char| c.is_whitespace() || "<>,;:\"()".contains(c));
            let rewritten = rewritten.filter(|word| crate::srs::Claimed::decode(word).is_some());
            bounce.mail_from = rewritten.map(str::to_owned).next();
        }
        bounce
    }

    fn read_reply(&mut self, block: &str) {
        for line in block.lines() {
            let Some((at, code)) = reply_code(line) else {
                continue;
            };
            let behind = line.get(at..).unwrap_or_default();
            let behind = behind.get(3..).unwrap_or_default();
            let behind = behind.trim_start_matches(['-', ' ']);
            let first = behind.split_whitespace().next().unwrap_or_default();
            self.code = Some(code);
            let rest = match is_enhanced(first) {
                true => {
                    self.enhanced = Some(first.to_owned());
                    behind.get(first.len()..).unwrap_or_default()
                }
                false => behind,
            };
            self.reply = text::one_line(rest.trim(), REPLY);
            return;
        }
    }

    fn read_header(&mut self) {
        let (head, _) = Head::parse(&self.header);
        let value = |name: &[u8]| {
            let field = head.named(name).next();
            field.map(|field| text::lossy(field.value()).trim().to_owned())
        };
        let path = value(b"Return-Path");
        let client = value(b"Received").as_deref().and_then(address_in);
        self.mail_from = path.map(|path| path.trim_matches(['<', '>']).to_owned());
        self.client = client;
    }

    /// The reply code, as in 550.
    #[must_use]
    pub fn code(&self) -> Option<u16> {
        self.code
    }

    /// The enhanced status code, as in `5.7.23`.
    #[must_use]
    pub fn enhanced(&self) -> Option<&str> {
        self.enhanced.as_deref()
    }

    /// The text of the reply.
    #[must_use]
    pub fn reply(&self) -> &str {
        &self.reply
    }

    /// The header block of the message, with the empty line behind it; empty where there is none.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// The session of the message as far as the bounce tells: MAIL FROM by Return-Path, or by a
    /// rewritten sender anywhere in it; the client by the topmost Received field.
    #[must_use]
    pub fn session(&self) -> Session {
        let mut session = Session::unknown();
        if let Some(mail_from) = &self.mail_from {
            session = session.with_mail_from(mail_from);
        }
        match self.client {
            Some(client) => session.with_client_ip(client),
            None => session,
        }
    }

    /// Explains the bounce, given the verdict about its header block: what the reply means, the
    /// findings of the verdict, and what cannot be known without the body.
    #[must_use]
    pub fn diagnosis(&self, verdict: &Verdict) -> Vec<Finding> {
        let view = View::of(verdict);
        let mut findings = Vec::new();
        findings.extend(self.misleading(&view));
        // Said below, in the words for a bounce.
        let said = |finding: &Finding| finding.code().as_str() != dkim::BODY_NOT_HASHED.code;
        findings.extend(verdict.diagnosis().into_iter().filter(said));
        if self.code.is_some() {
            let draft = self.reply_in(Draft::new(&texts::REPLY));
            findings.push(draft.finish());
        }
        let unknown = verdict
            .dkim()
            .iter()
            .filter(|one| *one.cause() == Cause::BodyNotHashed);
        findings.extend(unknown.map(|one| {
            let header = match one.header_intact() {
                Some(true) => "yes",
                Some(false) => "no",
                None => "not known, there was no key",
            };
            let draft = signed_by(&texts::BODY_UNKNOWN, one);
            draft.text("header", header).finish()
        }));
        findings.sort_by_key(Finding::severity);
        findings
    }

    /// The reply speaks of SPF where DMARC is meant.
    fn misleading(&self, view: &View<'_>) -> Option<Finding> {
        let words = self.reply.to_ascii_lowercase();
        let of_spf = matches!(self.enhanced.as_deref(), Some("5.7.23" | "5.7.24"))
            || words.contains("sender policy framework")
            || words.contains("spf");
        let spf = view.verdict.spf().authoritative().result();
        let passed = !matches!(spf, SpfResult::Fail | SpfResult::Permerror);
        let (author, envelope) = (view.author?, self.envelope(view)?);
        let dmarc = view.verdict.dmarc().result() == DmarcResult::Fail;
        (of_spf && passed && dmarc && !view.is_authors(&envelope)).then(|| {
            self.reply_in(Draft::new(&texts::SPF_MEANS_DMARC))
                .domain("author", author)
                .domain("envelope", &envelope)
                .finish()
        })
    }

    fn envelope(&self, view: &View<'_>) -> Option<crate::domain::Domain> {
        if let Some(envelope) = view.envelope {
            return Some(envelope.clone());
        }
        let (_, domain) = self.mail_from.as_deref()?.rsplit_once('@')?;
        domain.parse().ok()
    }

    fn reply_in(&self, draft: Draft) -> Draft {
        let code = self.code.map_or(0, u64::from);
        draft
            .with("code", Value::Count(code))
            .text(
                "enhanced",
                self.enhanced.as_deref().unwrap_or("(no status)"),
            )
            .text("text", &self.reply)
    }
}

/// Whether all lines are header fields, and From is among them.
fn is_header(block: &str) -> bool {
    let is_field = |line: &str| {
        line.starts_with([' ', '\t'])
            || line.split_once(':').is_some_and(|(name, _)| {
                !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic())
            })
    };
    block.lines().all(is_field)
        && block.lines().any(|line| {
            line.get(..5)
                .is_some_and(|name| name.eq_ignore_ascii_case("from:"))
        })
}

/// A reply code of a refusal, where a word begins.
fn reply_code(line: &str) -> Option<(usize, u16)> {
    let mut at = 0;
    for word in line.split_inclusive(|c: char| c.is_whitespace() || ":;(<>\"'#".contains(c)) {
        let digits = word
            .get(..3)
            .filter(|digits| digits.bytes().all(|d| d.is_ascii_digit()));
        let ends = word
            .as_bytes()
            .get(3)
            .is_none_or(|next| matches!(next, b' ' | b'-'));
        if let Some(code) = digits.and_then(|digits| digits.parse().ok())
            && (400..600).contains(&code)
            && ends
        {
            return Some((at, code));
        }
        at += word.len();
    }
    None
}

/// class.subject.detail (RFC 3463 2).
fn is_enhanced(word: &str) -> bool {
    let parts: Vec<&str> = word.split('.').collect();
    let [class, subject, detail] = parts.as_slice() else {
        return false;
    };
    let number = |part: &str| {
        (1..=3).contains(&part.len()) && part.bytes().all(|octet| octet.is_ascii_digit())
    };
    matches!(*class, "4" | "5") && number(subject) && number(detail)
}

/// The first address in brackets of a Received field.
fn address_in(received: &str) -> Option<IpAddr> {
    received.split(['[', ']', '(', ')', ' ']).find_map(|word| {
        let word = word.trim_start_matches("IPv6:");
        word.parse().ok()
    })
}

/// A header block of a mebibyte is no longer one that was bounced.
const MOST: usize = 1_048_576;

/// A reply line has 512 octets (RFC 5321 4.5.3.1.5).
const REPLY: usize = 500;
