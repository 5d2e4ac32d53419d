//! Whether there is anything to report, and whether reporting it could make a loop.

use crate::address::{Address, ReversePath};
use crate::dmarc::{DmarcResult, FailureOptions, ReportKind};
use crate::identifier::Method;
use crate::message::{Author, Head};
use crate::report::Unreported;
use crate::text;
use crate::verdict::Verdict;

/// What the domain owner wants to know of this message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) dmarc: bool,
    pub(super) dkim: bool,
    pub(super) spf: bool,
}

/// What of the verdict is to be reported, as far as `fo` and the nature of the message tell.
pub(super) fn wanted(
    verdict: &Verdict,
    head: &Head<'_>,
    own: &Address,
) -> Result<Wanted, Unreported> {
    let record = verdict.dmarc().record().ok_or(Unreported::NotRequested)?;
    if record.psd() == Some(true) && !record.ruf().is_empty() {
        return Err(Unreported::PublicSuffix);
    }
    if record.report_uris(ReportKind::Failure).is_empty() {
        return Err(Unreported::NotRequested);
    }
    if is_automatic(verdict, head) {
        return Err(Unreported::Automatic);
    }
    if is_from(verdict, own) {
        return Err(Unreported::OwnAddress);
    }
    let FailureOptions { any, dkim, spf, .. } = record.fo();
    Ok(Wanted {
        dmarc: dmarc_failed(verdict, any),
        dkim,
        spf,
    })
}

/// RFC 9989 4.7: for ‘0’, all mechanisms ‘fail to produce an aligned "pass" result’; for ‘1’, any
/// does. Where the look-ups failed, nothing is known yet.
fn dmarc_failed(verdict: &Verdict, any: bool) -> bool {
    let dmarc = verdict.dmarc();
    match dmarc.result() {
        DmarcResult::Fail => true,
        DmarcResult::Pass => {
            any && !(dmarc.is_aligned(Method::Dkim) && dmarc.is_aligned(Method::Spf))
        }
        DmarcResult::None | DmarcResult::Temperror | DmarcResult::Permerror => false,
    }
}

/// §5.1 warns of loops, and leaves to the reader how to avoid them. Reports, bounces and answers of
/// programs are known by their null reverse-path, by RFC 3834's field, and by their type; our own
/// reports have the latter two.
fn is_automatic(verdict: &Verdict, head: &Head<'_>) -> bool {
    let session = verdict.session();
    let null = matches!(session.reverse_path(), Some(Ok(ReversePath::Null)));
    let submitted = head.named(b"Auto-Submitted").any(|field| {
        let value = text::trim_fws(field.value());
        let word = value.split(|o| text::is_fws(*o) || matches!(o, b';' | b'('));
        !word
            .take(1)
            .all(|word| word.eq_ignore_ascii_case(b"no") || word.is_empty())
    });
    let report = head.named(b"Content-Type").any(|field| {
        let value = text::trim_fws(field.value());
        let kind = value.split(|octet| *octet == b';').next();
        let kind = text::trim_fws(kind.unwrap_or_default());
        kind.eq_ignore_ascii_case(b"multipart/report")
            || kind.eq_ignore_ascii_case(b"message/feedback-report")
    });
    // Aggregate reports are known by their subject (RFC 9990 3.5.2), whatever their type.
    let aggregate = head.named(b"Subject").any(|field| {
        let value = text::lossy(field.value());
        let value = value.trim_start();
        value.starts_with("Report Domain:") && value.contains("Submitter:")
    });
    null || submitted || report || aggregate
}

fn is_from(verdict: &Verdict, own: &Address) -> bool {
    let envelope = match verdict.session().reverse_path() {
        Some(Ok(ReversePath::Mailbox(address))) => is_same(&address, own),
        _ => false,
    };
    envelope || matches!(verdict.author(), Author::One(author) if is_same(author, own))
}

/// No server in use tells local parts apart by letter case.
pub(super) fn is_same(one: &Address, other: &Address) -> bool {
    one.domain() == other.domain() && one.local_part().eq_ignore_ascii_case(other.local_part())
}
