//! What happened to a message that was sealed (ARC), or to its seals.

use super::changes::undo_value;
use super::probe::{Piece, Probe, Signed};
use super::{Report, Suspect, is_suspect, keys};
use crate::arc::{Cause, Parts, Set, SetField, parts};
use crate::diagnosis::View;
use crate::diagnosis::catalogue::forensics as texts;
use crate::diagnosis::dmarc::count;
use crate::diagnosis::finding::Finding;
use crate::dkim::{self, Canonicalization, Keys, Signature};
use crate::message::Message;
use crate::text;

pub(super) fn findings(view: &View<'_>, message: &Message<'_>) -> Vec<Finding> {
    let looked_into = match view.verdict.arc().cause() {
        Cause::MessageSignature { cause, .. } => is_suspect(cause),
        Cause::Seal { cause, .. } => *cause == dkim::Cause::SignatureMismatch,
        _ => false,
    };
    // Where the structure is broken, the diagnosis has said it all. Another message than the one that
    // was verified tells nothing.
    let chain = looked_into.then(|| parts(message.head())).flatten();
    let sets = view.verdict.arc().sets();
    let is_verified = |chain: &Vec<Parts>| {
        let sealers = chain.iter().map(|set| Some(&set.sealer));
        sealers.eq(sets.iter().map(Set::domain))
    };
    let Some(chain) = chain.filter(is_verified) else {
        return Vec::new();
    };
    match view.verdict.arc().cause() {
        Cause::MessageSignature { instance, cause } => {
            let newest = chain.iter().find(|set| set.instance == *instance);
            newest.map_or_else(Vec::new, |set| of_message(view, set, cause, message))
        }
        _ => of_seals(view, &chain, message).into_iter().collect(),
    }
}

/// The newest message signature, which is a signature like DKIM's.
fn of_message(
    view: &View<'_>,
    set: &Parts,
    cause: &dkim::Cause,
    message: &Message<'_>,
) -> Vec<Finding> {
    let Some(signature) = message_signature(set, message) else {
        return Vec::new();
    };
    let Ok(key_name) = signature.key_name() else {
        return Vec::new();
    };
    let report = Report {
        field: SetField::MessageSignature.as_str(),
        instance: Some(set.instance),
        signer: signature.signing_domain(),
        selector: signature.selector(),
        key_name: &key_name,
        decided: false,
    };
    let suspect = Suspect::at(&signature, set.message_signature, message);
    suspect.explain(view, &report, cause, message)
}

fn message_signature(set: &Parts, message: &Message<'_>) -> Option<Signature> {
    let field = message.head().fields().get(set.message_signature)?;
    let most = dkim::Settings::default().max_signed_fields;
    Signature::parse_sealers(field.value(), most).ok()
}

/// Every seal covers all sets up to its own, so that the lowest one that does not fit tells the set
/// that was changed.
fn of_seals(view: &View<'_>, chain: &[Parts], message: &Message<'_>) -> Option<Finding> {
    let names: Vec<_> = chain.iter().map(|set| set.key_name.clone()).collect();
    let keys = keys(view, &names);
    let mut probes = chain
        .iter()
        .enumerate()
        .take(SETS)
        .map(|(at, set)| seal_probe(chain.get(..=at).unwrap_or_default(), set, message, &keys));
    // A set whose key is of no use may have been changed as well.
    let mut below = 0;
    let probe = loop {
        let probe = probes.next()?;
        match probe.fits_now()? {
            true => below += 1,
            false => break probe,
        }
    };
    let above = probes.position(|probe| probe.fits_now() == Some(true));
    let set = chain.get(below)?;
    let report = Report {
        field: SetField::Seal.as_str(),
        instance: Some(set.instance),
        signer: &set.sealer,
        selector: &set.selector,
        key_name: &set.key_name,
        decided: false,
    };
    if let Some(above) = above.and_then(|above| chain.get(below + 1 + above)) {
        let draft = report.draft(&texts::ARC_BEFORE);
        let draft = draft.domain("later", &above.sealer);
        let above = count(usize::from(above.instance));
        return Some(draft.with("above", above).finish());
    }
    Some(of_set(view, &report, set, probe, message))
}

/// What a seal covers (RFC 8617 5.1.1): the sets below it, and of its own set the other two fields.
fn seal_probe<'k>(
    covered: &[Parts],
    set: &Parts,
    message: &Message<'_>,
    keys: &'k Keys,
) -> Probe<'k> {
    let signed = Signed {
        algorithm: set.algorithm,
        octets: set.octets.clone(),
        canonicalization: Canonicalization::Relaxed,
        identity_below: false,
        key_name: set.key_name.clone(),
    };
    let at = |position| Piece::at(message.head(), "", Some(position));
    let mut pieces: Vec<Piece> = covered
        .iter()
        .flat_map(|set| [set.results, set.message_signature, set.seal])
        .map(at)
        .collect();
    // Its own field stands last, without its signature.
    pieces.pop();
    Probe::new(signed, pieces, at(set.seal), keys)
}

/// Which of the three fields of a set it was.
fn of_set(
    view: &View<'_>,
    report: &Report<'_>,
    set: &Parts,
    mut probe: Probe<'_>,
    message: &Message<'_>,
) -> Finding {
    if probe.is_not_by_key() {
        return report.not_by_key();
    }
    let results = probe.pieces.len().saturating_sub(2);
    undone_results(report, results, &mut probe)
        .or_else(|| undone_seal(report, &mut probe))
        .unwrap_or_else(|| by_message_signature(view, report, set, message))
}

fn undone_results(report: &Report<'_>, at: usize, probe: &mut Probe<'_>) -> Option<Finding> {
    let name = SetField::AuthenticationResults.as_str();
    let now = probe.pieces.get(at)?.clone();
    let value = text::lossy(&now.value).into_owned();
    let spaced = [value.replace("; ", ";"), value.replace(';', "; ")];
    let spaced = spaced.map(String::into_bytes);
    let was = undo_value(name, &now.value).into_iter().chain(spaced);
    let mut was = was.map(|value| Piece {
        value,
        ..now.clone()
    });
    let was = was.find(|was| probe.fits_with(at, was))?;
    let (was, now) = difference(&was.value, &now.value);
    Some(report.changed(&texts::ARC_FIELD, name, &was, &now).finish())
}

/// What the seal says of the chain below it. RFC 8617 5.1.2: a seal that says fail covers the fields of
/// its own set only.
fn undone_seal(report: &Report<'_>, probe: &mut Probe<'_>) -> Option<Finding> {
    let (now, pieces) = (probe.own.clone(), probe.pieces.clone());
    let below = pieces.len().saturating_sub(2);
    let value = text::lossy(&now.value).into_owned();
    let is = WORDS.into_iter().find(|word| value.contains(word))?;
    for was in WORDS {
        let own = Piece {
            value: value.replace(is, was).into_bytes(),
            ..now.clone()
        };
        let covered = match was {
            "cv=fail" => pieces.get(below..)?,
            _ => &pieces,
        };
        if own != now && probe.fits(covered, &own) {
            let (was, is) = (was.as_bytes(), is.as_bytes());
            let name = SetField::Seal.as_str();
            return Some(report.changed(&texts::ARC_FIELD, name, was, is).finish());
        }
    }
    None
}

/// The message signature is covered by the seal and holds by itself, or does not.
fn by_message_signature(
    view: &View<'_>,
    report: &Report<'_>,
    set: &Parts,
    message: &Message<'_>,
) -> Finding {
    let intact = message_signature(set, message).and_then(|signature| {
        let key_name = signature.key_name().ok()?;
        let keys = keys(view, std::slice::from_ref(&key_name));
        let suspect = Suspect::at(&signature, set.message_signature, message);
        suspect.probe(&key_name, message, &keys).fits_now()
    });
    let (field, reason) = match intact {
        Some(true) => (
            SetField::AuthenticationResults,
            "its message signature still holds, and seals are changed least",
        ),
        Some(false) => (
            SetField::MessageSignature,
            "its message signature does not hold by itself either",
        ),
        None => (
            SetField::AuthenticationResults,
            "nothing tells about its message signature, and results are changed most",
        ),
    };
    report
        .about(&texts::ARC_FIELD_LIKELY, field.as_str(), None, None)
        .text("reason", reason)
        .likely()
        .finish()
}

/// The first words in which two values differ.
fn difference(was: &[u8], now: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (was_text, now_text) = (text::lossy(was), text::lossy(now));
    let words = was_text.split_whitespace().zip(now_text.split_whitespace());
    match words.into_iter().find(|(was, now)| was != now) {
        Some((was, now)) => (was.as_bytes().to_vec(), now.as_bytes().to_vec()),
        None => (was.to_vec(), now.to_vec()),
    }
}

/// Sets that are looked into; chains rarely have five.
const SETS: usize = 10;

/// What a seal may say of the chain below it.
const WORDS: [&str; 3] = ["cv=none", "cv=pass", "cv=fail"];
