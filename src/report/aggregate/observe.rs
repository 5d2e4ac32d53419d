//! From a verdict to a row, and to the report that it belongs to.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Applied, DkimAuth, PublishedPolicy, Reason, Row, SpfAuth, Text, Word};
use crate::address::ReversePath;
use crate::dkim::{self, DkimResult};
use crate::dmarc::{Disposition, DmarcResult, Evaluation, Record, ReportKind, ReportUri, RuleSet};
use crate::domain::Domain;
use crate::identifier::Method;
use crate::report::ReadError;
use crate::spf::{self, Identity, SpfResult};
use crate::text;
use crate::verdict::{Action, Override, Verdict};

/// What makes a report one report: a policy domain, its policy, and a day.
///
/// ‘A single report MUST contain data for one policy configuration’ (RFC 9990 3.1): the owner who
/// changes the record during the day gets two reports.
///
/// Prints as one line, which reads back as the same key: to be kept in a database.
///
/// ```
/// use mailproof::report::aggregate::ReportKey;
///
/// let key: ReportKey = "example.com 1684195200 treewalk v=DMARC1; p=none".parse()?;
/// assert_eq!(key.policy_domain().as_str(), "example.com");
/// assert_eq!((key.begin(), key.end()), (1_684_195_200, 1_684_281_599));
/// assert_eq!(key.to_string(), "example.com 1684195200 treewalk v=DMARC1; p=none");
/// # Ok::<(), mailproof::report::ReadError>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ReportKey {
    policy_domain: Domain,
    begin: u64,
    rules: RuleSet,
    record: String,
}

impl ReportKey {
    /// The policy domain.
    #[must_use]
    pub fn policy_domain(&self) -> &Domain {
        &self.policy_domain
    }

    /// When the day began, in seconds since 1970: ‘a single UTC day, beginning at 0000UTC’
    /// (RFC 9990 3.1.1.5).
    #[must_use]
    pub fn begin(&self) -> u64 {
        self.begin
    }

    /// The last second of the day.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.begin.saturating_add(DAY - 1)
    }

    /// Where the record wants the report, in order. Each host outside the policy domain's
    /// organization has to agree ([`ReportUri::authorize`]).
    #[must_use]
    pub fn destinations(&self) -> Vec<ReportUri> {
        self.record()
            .map(|record| record.report_uris(ReportKind::Aggregate))
            .unwrap_or_default()
    }

    /// The policy as reports state it.
    pub(super) fn policy(&self) -> PublishedPolicy {
        let mut policy = PublishedPolicy {
            domain: self.policy_domain.as_str().to_owned(),
            p: Disposition::None.into(),
            discovery_method: Some(self.rules.into()),
            ..PublishedPolicy::default()
        };
        let Some(record) = self.record() else {
            return policy;
        };
        let applied = record.policies(self.rules).map(|[p, ..]| p);
        policy.p = applied.unwrap_or_default().into();
        // Where something is wrong with the tags, all of them were replaced by p=none.
        if applied == record.p() {
            policy.sp = record.sp().map(Word::from);
            policy.np = record.np().map(Word::from);
        }
        policy.adkim = Some(record.adkim().into());
        policy.aspf = Some(record.aspf().into());
        policy.fo = Some(record.fo().to_string());
        policy.testing = Some(record.is_testing().into());
        if self.rules == RuleSet::Rfc7489 {
            policy.np = None;
            policy.testing = None;
            policy.pct = Some(record.pct().into());
        }
        policy
    }

    /// What is wrong with the record (RFC 9990 3.1.5).
    pub(super) fn errors(&self) -> Vec<Text> {
        let warnings = self.record().map(|record| record.warnings());
        let warnings = warnings.unwrap_or_default();
        warnings
            .iter()
            .map(|one| Text::from(one.to_string()))
            .collect()
    }

    fn record(&self) -> Option<Record> {
        Record::parse(self.record.as_bytes())
    }
}

impl fmt::Display for ReportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            policy_domain,
            begin,
            rules,
            record,
        } = self;
        write!(f, "{policy_domain} {begin} {} {record}", Word::from(*rules))
    }
}

impl FromStr for ReportKey {
    type Err = ReadError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut words = text.splitn(4, ' ');
        let mut word = || words.next().ok_or(ReadError::Key);
        let policy_domain = word()?.parse().map_err(|_| ReadError::Key)?;
        let begin: u64 = word()?.parse().map_err(|_| ReadError::Key)?;
        if !begin.is_multiple_of(DAY) {
            return Err(ReadError::Key);
        }
        let Word::Known(rules) = word()?.into() else {
            return Err(ReadError::Key);
        };
        let record = word()?.to_owned();
        Record::parse(record.as_bytes()).ok_or(ReadError::Key)?;
        Ok(Self {
            policy_domain,
            begin,
            rules,
            record,
        })
    }
}

/// The seconds of a day.
const DAY: u64 = 86_400;

impl Row {
    /// What a verdict contributes: the report, and a row of that report with a count of one. `None` where
    /// nothing is to be reported: no policy applies, its record names no destination, the client is
    /// unknown, or the message was deferred and will be seen again.
    ///
    /// Rows that differ in the count alone are one. The domain of RCPT TO is left out; where it shall
    /// be reported, [`envelope_to`](Self::envelope_to) can be set.
    ///
    /// ```
    /// # use mailproof::dns::{Zone, block_on};
    /// # use mailproof::{Message, Session, Verifier};
    /// # use std::time::{Duration, UNIX_EPOCH};
    /// use mailproof::report::aggregate::Row;
    ///
    /// # let mut zone = Zone::new();
    /// # zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject; rua=mailto:d@example.com")?;
    /// # let verifier = Verifier::new(zone);
    /// # let session = Session::new([192, 0, 2, 1].into(), "mail.example.com", "me@example.com");
    /// # let message = Message::parse(b"From: me@example.com\r\n\r\nHello\r\n");
    /// # let received = UNIX_EPOCH + Duration::from_secs(1_684_227_600);
    /// let verdict = block_on(verifier.verify(&session, &message));
    /// let (key, row) = Row::observe(&verdict, received).ok_or("nothing to report")?;
    /// assert_eq!(key.begin(), 1_684_195_200);
    /// assert_eq!(row.disposition.to_string(), "reject");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn observe(verdict: &Verdict, received: SystemTime) -> Option<(ReportKey, Self)> {
        let dmarc = verdict.dmarc();
        let record = dmarc.record()?;
        dmarc.published()?;
        if record.report_uris(ReportKind::Aggregate).is_empty() {
            return None;
        }
        let since = received.duration_since(UNIX_EPOCH).ok()?.as_secs();
        let key = ReportKey {
            policy_domain: dmarc.policy_domain()?.clone(),
            begin: since - since % DAY,
            rules: dmarc.rules(),
            record: text::one_line(&text::lossy(record.as_bytes()), usize::MAX),
        };
        Some((key, row(verdict)?))
    }
}

fn row(verdict: &Verdict) -> Option<Row> {
    let dmarc = verdict.dmarc();
    let aligned = |method| match dmarc.is_aligned(method) {
        true => DmarcResult::Pass.into(),
        false => DmarcResult::Fail.into(),
    };
    let disposition = disposition(verdict)?;
    let session = verdict.session();
    Some(Row {
        source_ip: session.client_ip()?.into(),
        count: 1,
        disposition: disposition.into(),
        dkim: aligned(Method::Dkim),
        spf: aligned(Method::Spf),
        reasons: reasons(verdict, disposition),
        header_from: dmarc.author_domain()?.as_str().to_owned(),
        envelope_from: match session.reverse_path() {
            Some(Ok(ReversePath::Mailbox(address))) => Some(address.domain().as_str().to_owned()),
            // ‘"envelope_from" MAY be existing but empty if the message had a null reverse-path’.
            Some(Ok(ReversePath::Null)) => Some(String::new()),
            Some(Err(_)) | None => None,
        },
        envelope_to: None,
        dkim_results: dkim_results(verdict),
        spf_results: spf_result(verdict).into_iter().collect(),
        extensions: Vec::new(),
    })
}

/// What was done by way of DMARC; `None` where the message was sent away to come again.
fn disposition(verdict: &Verdict) -> Option<Applied> {
    let passed = verdict.dmarc().result() == DmarcResult::Pass;
    Some(match verdict.action() {
        Action::Defer => return None,
        Action::Reject => Applied::Reject,
        Action::Quarantine => Applied::Quarantine,
        // ‘"pass": No action, passing DMARC w/enforcing policy’. The schema does not say what
        // enforcing means for a policy under test; we take what is published.
        Action::Deliver if passed && enforces(verdict.dmarc()) => Applied::Pass,
        Action::Deliver => Applied::None,
    })
}

fn enforces(dmarc: &Evaluation) -> bool {
    dmarc.published() != Some(Disposition::None)
}

/// ‘If alignment fails and the policy applied does not match the DMARC Policy Domain's configured
/// policy, the "reason" element MUST be included’ (RFC 9990 3.1.1.9).
fn reasons(verdict: &Verdict, disposition: Applied) -> Vec<Reason> {
    let dmarc = verdict.dmarc();
    let mut reasons = Vec::new();
    let failed = dmarc.result() == DmarcResult::Fail;
    if failed && dmarc.published() != Some(dmarc.disposition()) {
        let kind = match dmarc.rules() {
            RuleSet::Rfc9989 => Override::PolicyTestMode.into(),
            // pct spared it.
            RuleSet::Rfc7489 => Word::Other("sampled_out".into()),
        };
        reasons.push(Reason {
            kind,
            comment: None,
        });
    }
    if let Some((kind, comment)) = verdict.overridden() {
        reasons.push(Reason {
            kind: kind.into(),
            comment: Some(one_line(comment)),
        });
    }
    let asked = match dmarc.published() {
        Some(Disposition::Quarantine) => Applied::Quarantine,
        Some(Disposition::Reject) => Applied::Reject,
        Some(Disposition::None) | None => Applied::None,
    };
    // Where a look-up failed, nothing was aligned either. A message that passed and was not let in
    // was kept out by the receiver.
    let differs = match dmarc.result() {
        DmarcResult::Pass => matches!(disposition, Applied::Quarantine | Applied::Reject),
        DmarcResult::None | DmarcResult::Fail | DmarcResult::Temperror | DmarcResult::Permerror => {
            disposition != asked
        }
    };
    if differs && reasons.is_empty() {
        reasons.push(Reason {
            kind: Override::LocalPolicy.into(),
            comment: Some(one_line(&verdict.reason().to_string())),
        });
    }
    reasons
}

/// The signatures, the most telling first, so that the same set always makes the same row.
fn dkim_results(verdict: &Verdict) -> Vec<DkimAuth> {
    let mut ranked: Vec<_> = verdict
        .dkim()
        .iter()
        .filter_map(|one| {
            let entry = DkimAuth {
                domain: one.domain()?.as_str().to_owned(),
                selector: Some(one.selector().unwrap_or_default().to_owned()),
                result: one.result().into(),
                // The sentence may hold what differs from message to message; its code does not.
                human_result: (one.result() != DkimResult::Pass).then(|| one.cause().code().into()),
            };
            Some((Reverse(rank(one, verdict.dmarc())), entry))
        })
        .collect();
    ranked.sort();
    ranked.truncate(MAX_SIGNATURES);
    ranked.into_iter().map(|(_, entry)| entry).collect()
}

/// RFC 9990 3.1.3: ‘A report SHOULD contain no more than 100 signatures for a given "row", in
/// decreasing priority.’
const MAX_SIGNATURES: usize = 100;

/// The priority of RFC 9990 3.1.3: passes in strict alignment, in relaxed alignment, other passes,
/// the rest.
fn rank(one: &dkim::Verification, dmarc: &Evaluation) -> u8 {
    if one.result() != DkimResult::Pass {
        return 0;
    }
    let relaxed = dmarc.identifiers().iter().any(|identifier| {
        identifier.method() == Method::Dkim
            && Some(identifier.domain()) == one.domain()
            && identifier.relaxed()
    });
    if one.domain() == dmarc.author_domain() {
        3
    } else if relaxed {
        2
    } else {
        1
    }
}

/// ‘Only the "MAIL FROM" identity is used in DMARC’ (RFC 9990 3.1.1.13), which is made of HELO where
/// the reverse-path is null (RFC 7208 2.4).
fn spf_result(verdict: &Verdict) -> Option<SpfAuth> {
    let spf = verdict.spf().authoritative();
    Some(SpfAuth {
        domain: spf.domain()?.as_str().to_owned(),
        scope: Some(Identity::MailFrom.into()),
        result: spf.result().into(),
        // Other sentences may name the sender.
        human_result: (spf.result() == SpfResult::Permerror).then(|| one_line(&fault(spf.cause()))),
    })
}

/// What is wrong with an SPF record, without names into which a macro put the sender: reports tell of
/// domains, not of people.
fn fault(cause: &spf::Cause) -> String {
    let names_sender = |term: &str| {
        let term = term.to_ascii_lowercase();
        ["%{l", "%{s"]
            .iter()
            .any(|of_sender| term.contains(of_sender))
    };
    let sentence = cause.to_string();
    let Some(place) = cause.place() else {
        return sentence;
    };
    let own = place.term().map(|term| (place.domain(), term));
    // The name before the first of them is made without.
    match place.path().chain(own).find(|(_, term)| names_sender(term)) {
        Some((domain, term)) => {
            format!("permerror at or behind `{term}` in the record of {domain}")
        }
        None => sentence,
    }
}

/// Text that XML can hold, of a length that suits a report.
fn one_line(text: &str) -> Text {
    text::one_line(text, MAX_COMMENT).trim().into()
}

/// RFC 9990 3.1.5 on errors: not ‘an extremely large body’.
const MAX_COMMENT: usize = 1_000;
