//! What else of DKIM is asked of the DNS: whether a signer is ready, authorized third parties,
//! addresses for reports.

use std::fmt;
use std::time::SystemTime;

use super::algorithm::DkimResult;
use super::atps;
use super::cause::Cause;
use super::fetch::verify_message;
use super::key::{KeyRecord, KeyRecordError};
use super::report_request::ReportRequest;
use super::settings::Settings;
use super::sign::{SignError, Signer};
use super::verification::Verification;
use crate::dns::{LookupError, Name, Resolver};
use crate::domain::Domain;
use crate::message::Message;

impl Signer {
    /// Checks a signer before it goes live: whether the published record is that of its key, whether its
    /// domain aligns with the From domain of the mail it will sign, and whether a test message that it
    /// signs verifies. Nothing is sent.
    ///
    /// An empty result means that it is ready.
    ///
    /// ```
    /// use mailproof::crypto::SigningKey;
    /// use mailproof::{dkim, dns};
    /// use std::time::SystemTime;
    ///
    /// let signer = dkim::Signer::new(SigningKey::ed25519(&[7; 32])?, "example.com".parse()?, "new")?;
    /// let from = "example.com".parse()?;
    /// let mut zone = dns::Zone::new();
    /// let found = dns::block_on(signer.check(&zone, &from, SystemTime::now()));
    /// assert_eq!(found, [dkim::Unready::NoKey]);
    ///
    /// zone.add_txt("new._domainkey.example.com", signer.record())?;
    /// let found = dns::block_on(signer.check(&zone, &from, SystemTime::now()));
    /// assert!(found.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn check(
        &self,
        resolver: &dyn Resolver,
        from: &Domain,
        now: SystemTime,
    ) -> Vec<Unready> {
        let mut found = Vec::new();
        if !self.domain().is_within(from) && !from.is_within(self.domain()) {
            found.push(Unready::Unaligned);
        }
        match resolver.txt(self.key_name()).await {
            Ok(answer) => {
                let records = answer.as_slice().iter();
                check_records(self, records.map(|record| record.as_bytes()), &mut found);
            }
            Err(error) => found.push(Unready::KeyUnavailable(error)),
        }
        if found.iter().all(Unready::allows_a_test)
            && let Some(problem) = sign_and_verify(resolver, self, from, now).await
        {
            found.push(problem);
        }
        found
    }
}

fn check_records<'r>(
    signer: &Signer,
    records: impl ExactSizeIterator<Item = &'r [u8]>,
    found: &mut Vec<Unready>,
) {
    let count = records.len();
    let mut unusable = None;
    let mut matching = None;
    let mut other = false;
    for record in records {
        match KeyRecord::parse(record) {
            Err(error) => unusable = Some(error),
            Ok(record) if record.key() == Some(signer.key().verifying_key()) => {
                matching = Some(record);
            }
            Ok(_) => other = true,
        }
    }
    match (matching, unusable) {
        (Some(record), _) if record.is_testing() => found.push(Unready::Testing),
        (Some(_), _) => {}
        (None, _) if other => found.push(Unready::OtherKey),
        (None, Some(error)) => found.push(Unready::KeySyntax(error)),
        (None, None) => found.push(Unready::NoKey),
    }
    if count > 1 {
        found.push(Unready::SeveralRecords { count });
    }
}

async fn sign_and_verify(
    resolver: &dyn Resolver,
    signer: &Signer,
    from: &Domain,
    now: SystemTime,
) -> Option<Unready> {
    let mail = format!("From: postmaster@{from}\r\nSubject: test\r\n\r\n Test \r\n");
    let signed = match Signer::sign(
        std::slice::from_ref(signer),
        &Message::parse(mail.as_bytes()),
        now,
    ) {
        Ok(signed) => signed,
        Err(error) => return Some(Unready::CannotSign(error)),
    };
    let mail = format!("{}{mail}", signed.header());
    let settings = Settings {
        count_testing_keys: true,
        ..Settings::default()
    };
    let message = Message::parse(mail.as_bytes());
    let verifications = verify_message(resolver, &message, now, &settings).await;
    let cause = verifications.first()?.cause();
    (*cause != Cause::Passed).then(|| Unready::DoesNotVerify(cause.clone()))
}

/// What stands in the way of a signer going live.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Unready {
    /// It cannot sign.
    CannotSign(SignError),
    /// What it signs does not verify.
    DoesNotVerify(Cause),
    /// The record is no key record.
    KeySyntax(KeyRecordError),
    /// The record could not be looked up.
    KeyUnavailable(LookupError),
    /// No record at the name.
    NoKey,
    /// The record has another key.
    OtherKey,
    /// Several TXT records at the name (§3.6.2.2: ‘the results are undefined’).
    SeveralRecords {
        /// How many.
        count: usize,
    },
    /// The record says that the domain is testing (`t=y`); receivers treat its mail as unsigned.
    Testing,
    /// The signing domain is unrelated to the From domain, so DMARC will take nothing from it.
    Unaligned,
}

impl Unready {
    /// Whether a test message may verify nevertheless.
    fn allows_a_test(&self) -> bool {
        matches!(
            self,
            Self::SeveralRecords { .. } | Self::Testing | Self::Unaligned
        )
    }
}

impl fmt::Display for Unready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CannotSign(error) => write!(f, "the signer cannot sign: {error}"),
            Self::DoesNotVerify(cause) => write!(f, "a test message does not verify: {cause}"),
            Self::KeySyntax(error) => write!(f, "the published record is unusable: {error}"),
            Self::KeyUnavailable(error) => write!(f, "the record could not be looked up: {error}"),
            Self::NoKey => f.write_str("no key record is published at the selector's name"),
            Self::OtherKey => f.write_str("the published record has another key"),
            Self::SeveralRecords { count } => {
                write!(
                    f,
                    "{count} TXT records are published at the selector's name"
                )
            }
            Self::Testing => f.write_str("the published record says t=y, for testing only"),
            Self::Unaligned => {
                f.write_str("the signing domain does not align with the From domain")
            }
        }
    }
}

impl Verification {
    /// Asks whether the author's domain authorizes the signer of a signature that passed (RFC 6541 4):
    /// pass, fail or temperror, the result of `dkim-atps` (RFC 6541 8.3).
    /// `None` where there is nothing to ask: the signature did not pass, has no `atps=`, or one for another
    /// domain than the author's.
    pub async fn check_third_party(
        &self,
        resolver: &dyn Resolver,
        author: &Domain,
    ) -> Option<DkimResult> {
        let (domain, hash) = self.authorization()?;
        let signer = self.domain()?;
        if *self.cause() != Cause::Passed || domain != author {
            return None;
        }
        let Ok(name) = atps::query_name(signer, *hash, author) else {
            return Some(DkimResult::Fail);
        };
        Some(match resolver.txt(&name).await {
            Err(_) => DkimResult::Temperror,
            Ok(answer) => {
                let mut records = answer.as_slice().iter();
                if records.any(|record| atps::authorizes(record.as_bytes(), signer)) {
                    DkimResult::Pass
                } else {
                    DkimResult::Fail
                }
            }
        })
    }

    /// Asks where to report a failed signature (RFC 6651 3.3, steps 1 to 8; the random choice of `rp=`
    /// is the caller's). `None` where no report is wanted, or none for this cause.
    pub async fn report_request(&self, resolver: &dyn Resolver) -> Option<ReportRequest> {
        let domain = self.domain().filter(|_| self.wants_reports())?;
        let name = Name::below(b"_report._domainkey", domain).ok()?;
        let answer = resolver.txt(&name).await.ok()?;
        // ‘... or if multiple TXT records are returned, terminate.’
        let [record] = answer.as_slice() else {
            return None;
        };
        ReportRequest::parse(record.as_bytes(), domain)
            .filter(|request| request.wants(self.cause()))
    }
}
