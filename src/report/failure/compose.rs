//! From a verdict to the reports about it.

use std::time::SystemTime;

use super::{AuthFailure, DeliveryResult, FailureReport, alignment};
use crate::auth_results::{AuthenticationResults, AuthservId, MethodResult};
use crate::dkim::header::{write_own, write_selected};
use crate::dkim::{self, Cause, Signature, Verification};
use crate::dns::{Recording, Resolver as _, block_on};
use crate::identifier::Method;
use crate::message::{Field, Head, Message};
use crate::spf::{self, SpfResult};
use crate::text;
use crate::verdict::{Action, Verdict};

pub(super) struct Composer<'c> {
    pub(super) verdict: &'c Verdict,
    pub(super) message: &'c Message<'c>,
    pub(super) arrival: SystemTime,
    pub(super) authserv_id: &'c AuthservId,
    pub(super) canonical_header: bool,
    pub(super) body: bool,
}

impl Composer<'_> {
    /// The report of RFC 9991.
    pub(super) fn dmarc(&self) -> FailureReport {
        let failed = alignment::failed(self.verdict);
        let result = self.verdict.dmarc().to_method_result();
        let mut report = self.report(AuthFailure::Dmarc, result);
        // §4: what DKIM needs is ‘REQUIRED for DKIM failures of an aligned identifier’, and SPF-DNS
        // ‘for SPF failure of an aligned identifier’.
        if let Some(signature) = alignment::failed_signature(self.verdict) {
            self.add_signature(&mut report, signature);
        }
        if failed.contains(&Method::Spf) {
            report.spf_dns = self.spf_records();
        }
        report.identity_alignment = Some(failed);
        report
    }

    /// The reports of RFC 6591 about signatures.
    pub(super) fn dkim(&self) -> impl Iterator<Item = FailureReport> {
        let failed = self.verdict.dkim().iter().filter_map(|one| {
            let failure = failure_of(one.cause())?;
            Some((one, failure))
        });
        failed.take(SIGNATURES).map(|(one, failure)| {
            let mut report = self.report(failure, one.to_method_result());
            self.add_signature(&mut report, one);
            report
        })
    }

    /// The report of RFC 6591 about SPF. ‘none’ is no failure of SPF, neither is ‘neutral’, and after
    /// ‘temperror’ it may pass the next time.
    pub(super) fn spf(&self) -> Option<FailureReport> {
        let spf = self.verdict.spf().authoritative();
        match spf.result() {
            SpfResult::Fail | SpfResult::Softfail | SpfResult::Permerror => {}
            SpfResult::None | SpfResult::Neutral | SpfResult::Pass | SpfResult::Temperror => {
                return None;
            }
        }
        let mut report = self.report(AuthFailure::Spf, spf.to_method_result());
        report.spf_dns = self.spf_records();
        Some(report)
    }

    /// What all reports have.
    fn report(&self, failure: AuthFailure, result: MethodResult) -> FailureReport {
        let session = self.verdict.session();
        let mail_from = session.mail_from().map(|octets| {
            let inner = octets.strip_prefix(b"<").unwrap_or(octets);
            text::lossy(inner.strip_suffix(b">").unwrap_or(inner)).into_owned()
        });
        let arrival = self.arrival.duration_since(SystemTime::UNIX_EPOCH);
        FailureReport {
            feedback_type: "auth-failure".into(),
            auth_failure: Some(failure),
            authentication_results: vec![self.one_result(result)],
            delivery_result: Some(delivery_result(self.verdict.action())),
            arrival_date: arrival.ok().map(|since| since.as_secs()),
            source_ip: session.client_ip(),
            original_mail_from: mail_from,
            reported_domains: self
                .verdict
                .dmarc()
                .author_domain()
                .cloned()
                .into_iter()
                .collect(),
            reporting_mta: Some(format!("dns; {}", self.authserv_id)),
            user_agent: Some(USER_AGENT.into()),
            header: header(self.message.head()),
            body: self.body.then(|| self.message.body().to_vec()),
            ..FailureReport::empty()
        }
    }

    /// RFC 6591 3.1: ‘it MUST reflect only a single authentication method's result’.
    fn one_result(&self, result: MethodResult) -> String {
        let mut field = AuthenticationResults::new(self.authserv_id.clone());
        field.results.push(result);
        let field = field.to_field();
        let value = field.split_once(':').map_or("", |(_, value)| value);
        words(value)
    }

    fn add_signature(&self, report: &mut FailureReport, one: &Verification) {
        report.dkim_domain = one.domain().cloned();
        report.dkim_identity = one.identity();
        report.dkim_selector = one.selector().map(str::to_owned);
        let field = self.message.head().fields().get(one.position());
        let field = field.filter(|field| field.is(b"DKIM-Signature"));
        let settings = dkim::Settings::default();
        let Some((field, signature)) = field.and_then(|field| {
            let signature = Signature::parse(field.value(), settings.max_signed_fields).ok()?;
            Some((field, signature))
        }) else {
            return;
        };
        if self.canonical_header {
            report.dkim_canonicalized_header =
                self.canonical_header(one, field, &signature, settings.max_signed_octets);
        }
        if self.body {
            report.dkim_canonicalized_body = Some(self.canonical_body(&signature));
        }
    }

    fn canonical_header(
        &self,
        one: &Verification,
        field: &Field<'_>,
        signature: &Signature,
        room: usize,
    ) -> Option<Vec<u8>> {
        let form = signature.header_canonicalization();
        let positions: Vec<_> = one.signed_fields().map(|(_, position)| position).collect();
        let mut octets = write_selected(self.message.head(), &positions, form, room)?;
        write_own(field, form, &mut octets);
        Some(octets)
    }

    /// RFC 6591 3.2.4: ‘limited to those octets that contribute to the DKIM body hash’.
    fn canonical_body(&self, signature: &Signature) -> Vec<u8> {
        let mut out = signature.body_canonicalization().body(self.message.body());
        if let Some(length) = signature.length() {
            out.truncate(usize::try_from(length).unwrap_or(usize::MAX));
        }
        out
    }

    /// RFC 6591 3.2.6: SPF-DNS ‘MUST appear once for every SPF record used to obtain the SPF
    /// result’. The check is made again with the answers that the verdict keeps, to see which
    /// records it came by.
    fn spf_records(&self) -> Vec<(String, String)> {
        let recording = Recording::new(self.verdict.transcript().replay());
        let settings = spf::Settings {
            skip_helo: true,
            ..spf::Settings::default()
        };
        block_on(spf::check_session(
            &recording,
            self.verdict.session(),
            &settings,
        ));
        let transcript = recording.into_transcript();
        let replay = transcript.replay();
        let mut records: Vec<(String, String)> = Vec::new();
        for question in transcript.questions() {
            if question.record_type != crate::dns::RecordType::Txt {
                continue;
            }
            let Ok(outcome) = block_on(replay.txt(&question.name)) else {
                continue;
            };
            for text in outcome.as_slice() {
                let text = text::lossy(text.as_bytes());
                let version = text.get(..6);
                let name = question.name.to_string();
                if version.is_some_and(|version| version.eq_ignore_ascii_case("v=spf1"))
                    && records.len() < RECORDS
                    && !records
                        .iter()
                        .any(|(known, other)| *known == name && *other == text)
                {
                    records.push((name, text.into_owned()));
                }
            }
        }
        records
    }
}

fn delivery_result(action: Action) -> DeliveryResult {
    match action {
        Action::Deliver => DeliveryResult::Delivered,
        Action::Quarantine => DeliveryResult::Spam,
        Action::Reject => DeliveryResult::Reject,
        Action::Defer => DeliveryResult::Other,
    }
}

/// Which kind of failure a cause is; `None` where the signature passed, or was not judged.
fn failure_of(cause: &Cause) -> Option<AuthFailure> {
    match cause {
        Cause::BodyHashMismatch | Cause::LengthBeyondBody { .. } => Some(AuthFailure::BodyHash),
        Cause::KeyRevoked => Some(AuthFailure::Revoked),
        Cause::Expired { .. }
        | Cause::FromFuture { .. }
        | Cause::HashNotAllowed
        | Cause::IdentityNotAllowed
        | Cause::KeyName(_)
        | Cause::KeyNotForMail
        | Cause::KeySyntax(_)
        | Cause::KeyTooLong { .. }
        | Cause::KeyTooShort { .. }
        | Cause::KeyTypeMismatch { .. }
        | Cause::LengthGiven
        | Cause::NoKey
        | Cause::PartialBody { .. }
        | Cause::RequiredFieldUnsigned { .. }
        | Cause::Sha1
        | Cause::SignatureMismatch
        | Cause::Syntax(_)
        | Cause::TooOld { .. }
        | Cause::UnsignedInstance { .. } => Some(AuthFailure::Signature),
        Cause::BodyNotHashed
        | Cause::HeaderTooLong { .. }
        | Cause::KeyUnavailable(_)
        | Cause::NotEvaluated { .. }
        | Cause::Passed => None,
    }
}

/// The header block as it can be sent on: each line end is a CRLF, and what continues a field begins
/// with white space.
fn header(head: &Head<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    for field in head.fields() {
        let name = field.name().iter();
        out.extend(name.map(|o| if o.is_ascii_control() { b'?' } else { *o }));
        out.push(b':');
        let mut lines = field.value().split(|octet| matches!(octet, b'\r' | b'\n'));
        if let Some(first) = lines.next() {
            push_line(first, &mut out);
        }
        for line in lines.filter(|line| !text::trim_fws(line).is_empty()) {
            out.extend_from_slice(b"\r\n");
            if !line.first().is_some_and(|octet| text::is_wsp(*octet)) {
                out.push(b' ');
            }
            push_line(line, &mut out);
        }
        out.extend_from_slice(b"\r\n");
    }
    out
}

/// RFC 5322 2.1.1: a line has 998 octets at most, and none is NUL.
fn push_line(line: &[u8], out: &mut Vec<u8>) {
    for (index, piece) in line.chunks(LINE).enumerate() {
        if index > 0 {
            out.extend_from_slice(b"\r\n ");
        }
        out.extend(piece.iter().filter(|octet| **octet != 0));
    }
}

/// The words of a folded value with single spaces between.
pub(super) fn words(value: &str) -> String {
    let words: Vec<&str> = value.split_whitespace().collect();
    words.join(" ")
}

const USER_AGENT: &str = concat!("mailproof/", env!("CARGO_PKG_VERSION"));

/// Who signs a message a hundred times shall not get a hundred reports.
const SIGNATURES: usize = 4;

/// The record of the domain and ten look-ups (RFC 7208 4.6.4), with room for mistakes.
const RECORDS: usize = 20;

/// Leaves room for a field name of the usual length.
const LINE: usize = 900;
