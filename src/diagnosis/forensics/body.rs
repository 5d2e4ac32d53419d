//! What happened to a body whose hash does not match.

use super::Report;
use super::changes::{Undo, undo_body};
use crate::crypto::Hasher;
use crate::diagnosis::catalogue::forensics as texts;
use crate::diagnosis::finding::{Finding, Value};
use crate::dkim::{Canonicalization, Signature};

/// The most certain thing that can be said.
pub(super) fn explain(report: &Report<'_>, signature: &Signature, body: &[u8]) -> Finding {
    let edited = || {
        let simple = signature.body_canonicalization() == Canonicalization::Simple;
        let entry = match simple && signature.length().is_none() && is_sparse(body) {
            true => &texts::BODY_RELAXED_WOULD,
            false => &texts::BODY_EDITED,
        };
        report.draft(entry).likely().finish()
    };
    if body.len() > MOST {
        return edited();
    }
    let target = Target { signature };
    let canonical = target.canonical(body);
    appended(report, &target, &canonical, body)
        .or_else(|| prepended(report, &target, body))
        .or_else(|| undone(report, &target, body))
        .or_else(|| inserted(report, &target, &canonical))
        .unwrap_or_else(edited)
}

/// No text at all: nothing but white space is left that could have been changed.
fn is_sparse(body: &[u8]) -> bool {
    body.iter().all(u8::is_ascii_whitespace)
}

struct Target<'t> {
    signature: &'t Signature,
}

impl Target<'_> {
    fn hasher(&self) -> Hasher {
        Hasher::new(self.signature.algorithm().hash())
    }

    fn is(&self, hasher: Hasher) -> bool {
        hasher.finish().as_ref() == self.signature.body_hash()
    }

    fn canonical(&self, body: &[u8]) -> Vec<u8> {
        self.signature.body_canonicalization().body(body)
    }

    /// Whether this canonical body is the one that was signed.
    fn fits(&self, canonical: &[u8]) -> bool {
        let length = self.signature.length().map_or(canonical.len(), |length| {
            usize::try_from(length)
                .unwrap_or(usize::MAX)
                .min(canonical.len())
        });
        let mut hasher = self.hasher();
        hasher.update(canonical.get(..length).unwrap_or_default());
        self.is(hasher)
    }
}

/// The hash matches the first lines: a footer.
fn appended(
    report: &Report<'_>,
    target: &Target<'_>,
    canonical: &[u8],
    body: &[u8],
) -> Option<Finding> {
    let mut hasher = target.hasher();
    let mut kept = 0;
    for (number, line) in lines(canonical).enumerate().take(LINES) {
        // An empty body is a CRLF to the simple form and nothing to the relaxed one.
        let mut empty = hasher.clone();
        if number == 0 && target.signature.body_canonicalization() == Canonicalization::Simple {
            empty.update(b"\r\n");
        }
        if target.is(empty) {
            let raw: usize = lines(body).take(number).map(<[u8]>::len).sum();
            return Some(footer(report, kept, body.len().saturating_sub(raw)));
        }
        hasher.update(line);
        kept += line.len();
    }
    // A footer may go on where the last line ended without a line end.
    let tail = canonical.len().saturating_sub(TAIL);
    let (before, tail) = canonical.split_at_checked(tail)?;
    let mut hasher = target.hasher();
    hasher.update(before);
    for (number, octet) in tail.iter().enumerate() {
        hasher.update(std::slice::from_ref(octet));
        let mut ended = hasher.clone();
        ended.update(b"\r\n");
        if target.is(ended) {
            let kept = before.len() + number + 1;
            return Some(footer(report, kept, canonical.len().saturating_sub(kept)));
        }
    }
    None
}

fn footer(report: &Report<'_>, kept: usize, added: usize) -> Finding {
    report
        .draft(&texts::APPENDED)
        .with("octets", octets(added))
        .with("kept", octets(kept))
        .finish()
}

/// The hash matches what follows the first lines: a banner.
fn prepended(report: &Report<'_>, target: &Target<'_>, body: &[u8]) -> Option<Finding> {
    let mut rest = body;
    let mut budget = BUDGET;
    for line in lines(body).take(BANNER_LINES) {
        rest = rest.get(line.len()..).unwrap_or_default();
        budget = budget.checked_sub(rest.len())?;
        if target.fits(&target.canonical(rest)) {
            let added = octets(body.len().saturating_sub(rest.len()));
            return Some(
                report
                    .draft(&texts::PREPENDED)
                    .with("octets", added)
                    .finish(),
            );
        }
    }
    None
}

/// The hash matches once something that hosts do is undone, or under the other canonicalization.
fn undone(report: &Report<'_>, target: &Target<'_>, body: &[u8]) -> Option<Finding> {
    let entry_of = |undo: Undo| match undo {
        Undo::Encoding => &texts::TRANSFER,
        Undo::Escaping => &texts::REPAIRED,
        Undo::LineEnds => &texts::LINE_ENDS,
        Undo::WhiteSpace => &texts::WHITE_SPACE,
    };
    let found = |entry, change: &str| Some(report.draft(entry).text("change", change).finish());
    match target.signature.body_canonicalization() {
        Canonicalization::Relaxed => {
            if target.fits(&Canonicalization::Simple.body(body)) {
                return found(&texts::OTHER_CANONICALIZATION, "simple");
            }
        }
        // A body that was in its relaxed form when it was signed, and no longer is.
        Canonicalization::Simple => {
            if target.fits(&Canonicalization::Relaxed.body(body)) {
                return found(&texts::WHITE_SPACE, "reducing it to single spaces");
            }
        }
    }
    undo_body(body).find_map(|(undo, change, body)| {
        let fits = target.fits(&target.canonical(&body));
        // A signer that hashed what it had not made canonical.
        (fits || (undo == Undo::LineEnds && target.fits(&body)))
            .then(|| found(entry_of(undo), change))
            .flatten()
    })
}

/// The hash matches once some lines in the middle are left out.
fn inserted(report: &Report<'_>, target: &Target<'_>, canonical: &[u8]) -> Option<Finding> {
    let lines: Vec<&[u8]> = lines(canonical).collect();
    if lines.len() > MIDDLE_LINES || canonical.len() > MIDDLE_OCTETS {
        return None;
    }
    let mut before = target.hasher();
    for (first, line) in lines.iter().enumerate() {
        for last in first + 1..lines.len() {
            let mut hasher = before.clone();
            for kept in lines.get(last..).unwrap_or_default() {
                hasher.update(kept);
            }
            if target.is(hasher) {
                let left_out = lines.get(first..last).unwrap_or_default();
                let added = left_out.iter().map(|line| line.len()).sum();
                let draft = report.draft(&texts::INSERTED);
                return Some(draft.with("octets", octets(added)).finish());
            }
        }
        before.update(line);
    }
    None
}

/// Lines with their ends.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split_inclusive(|octet| *octet == b'\n')
}

fn octets(number: usize) -> Value {
    Value::Octets(u64::try_from(number).unwrap_or(u64::MAX))
}

/// Larger bodies are not looked into: what is known about them is that they were changed.
const MOST: usize = 16_777_216;

/// Line ends at which a footer may begin.
const LINES: usize = 200_000;

/// Octets at the end of the body among which a footer may begin within a line.
const TAIL: usize = 4_096;

/// Lines that a banner may have.
const BANNER_LINES: usize = 200;

/// Octets hashed in search of a banner.
const BUDGET: usize = 67_108_864;

/// Bodies this short are searched for lines inserted anywhere, at a cost of half the square.
const MIDDLE_LINES: usize = 100;

/// Likewise.
const MIDDLE_OCTETS: usize = 16_384;
