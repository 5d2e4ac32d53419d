//! Why DMARC results differ. Sections are those of RFC 9989.

use mailproof::dmarc::{Cause as Ours, Record, Warning as Found};

use super::Judged;
use crate::records::Data;
use crate::tally::{Cause, Kind};

const PEER: Kind = Kind::Peer;
const SETTING: Kind = Kind::Setting;

/// Whether our reading of a record found this.
fn found(text: &str, is_it: fn(&Found) -> bool) -> bool {
    let record = Record::parse(text.as_bytes());
    record.is_some_and(|record| record.warnings().iter().any(is_it))
}

pub const RECORDS: &[Cause<String>] = &[
    Cause {
        name: "version",
        kind: PEER,
        reason: "4.8: a record begins with ‘\"v\" equals %s\"DMARC1\"’, ‘case sensitive’; others are no DMARC records",
        explains: |it| Record::parse(it.as_bytes()).is_none(),
    },
    Cause {
        name: "invalid value",
        kind: PEER,
        reason: "4.7: ‘Syntax errors in the remainder of the record MUST be discarded in favor of default values (if any) or ignored outright’; it drops the record, or misreads the value",
        explains: |it| found(it, |one| matches!(one, Found::InvalidValue { .. })),
    },
    Cause {
        name: "tag twice",
        kind: SETTING,
        reason: "4.7 leaves open which one counts; for us the first, for it the last",
        explains: |it| found(it, |one| matches!(one, Found::DuplicateTag { .. })),
    },
    Cause {
        name: "unusable URI",
        kind: PEER,
        reason: "4.7: what is no URI is ignored, RFC 3986 2 tells which octets one may have",
        explains: |it| found(it, |one| matches!(one, Found::BadUri { .. })),
    },
    Cause {
        name: "malformed tag",
        kind: PEER,
        reason: "4.8: ‘dmarc-tag = 1*ALPHA equals 1*dmarc-value’; what is none is ignored (4.7)",
        explains: |it| {
            found(it, |one| {
                matches!(one, Found::Malformed { .. } | Found::UnknownTag { .. })
            })
        },
    },
];

pub const MESSAGES: &[Cause<Judged>] = &[
    Cause {
        name: "several author domains, or none",
        kind: SETTING,
        reason: "11.5 and RFC 7489 6.6.1 leave it to the receiver; we say permerror",
        explains: |it| {
            matches!(
                it.ours.cause(),
                Ours::SeveralDomains { .. } | Ours::SeveralFields { .. } | Ours::NoAuthor
            )
        },
    },
    Cause {
        name: "several records at a name",
        kind: PEER,
        reason: "4.10: ‘If multiple DMARC Policy Records are returned for a single target, they are all discarded’; ours is the same of the first",
        explains: |it| it.ours_of_first == it.theirs,
    },
    Cause {
        name: "single label",
        kind: PEER,
        reason: "4.10: the walk begins at the author domain, however many labels it has",
        explains: |it| it.theirs == "none" && it.case.message.contains("a@com"),
    },
    Cause {
        name: "failing look-up above the record",
        kind: SETTING,
        reason: "4.10: failures are left to the receiver; it walks to the end first, we say what the author domain's record decides",
        explains: |it| {
            let mut records = it.case.records.0.iter();
            it.theirs == "temperror" && records.any(|(_, data)| matches!(data, Data::Fails))
        },
    },
];
