//! Why there is no report.

/// Why no report is made.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Unreported {
    /// The message was made by a program, or is a report itself: a report about it may be answered
    /// by another. A forger can pretend that; aggregate reports count it all the same.
    #[error("the message is automatic, so that a report about it could be the start of a loop")]
    Automatic,
    /// There are no rows to report.
    #[error("there are no rows to report")]
    NoRows,
    /// There is nobody to send the report to.
    #[error("there is nobody to send the report to")]
    NoRecipients,
    /// Nothing failed in a way that the domain owner asked to hear of (`fo`).
    #[error("nothing failed that the domain owner wants to know")]
    NothingFailed,
    /// The domain owner asks for no failure reports.
    #[error("the domain owner asks for no failure reports")]
    NotRequested,
    /// The policy is that of a public suffix (`psd=y`), whose `ruf` ‘MUST NOT’ be considered
    /// (RFC 9991 2).
    #[error("the policy is that of a public suffix, which gets no failure reports")]
    PublicSuffix,
    /// The message comes from the address that reports are sent from.
    #[error("the message comes from the address that reports are sent from")]
    OwnAddress,
}
