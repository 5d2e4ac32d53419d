//! Making DMARC records.

use std::fmt::Write as _;

use super::{AlignmentMode, Disposition, FailureOptions, Record, ReportUri};

/// Makes a [`Record`], or changes one: start from a disposition, or from a record.
///
/// ```
/// use mailproof::dmarc::{AlignmentMode, Disposition, RecordBuilder, ReportUri};
///
/// let reports = ReportUri::mailto(&mailproof::Address::parse(b"dmarc@example.com")?);
/// let record = RecordBuilder::new(Disposition::Reject)
///     .subdomains(Disposition::Quarantine)
///     .adkim(AlignmentMode::Strict)
///     .aggregate_reports_to(reports)
///     .build();
/// assert_eq!(
///     record.to_string(),
///     "v=DMARC1; p=reject; sp=quarantine; adkim=s; rua=mailto:dmarc@example.com"
/// );
/// let tested = RecordBuilder::from(&record).testing(true).build();
/// assert!(tested.is_testing());
/// # Ok::<(), mailproof::address::AddressError>(())
/// ```
#[derive(Clone, Debug)]
pub struct RecordBuilder {
    p: Option<Disposition>,
    sp: Option<Disposition>,
    np: Option<Disposition>,
    adkim: AlignmentMode,
    aspf: AlignmentMode,
    fo: FailureOptions,
    psd: Option<bool>,
    testing: bool,
    rua: Vec<ReportUri>,
    ruf: Vec<ReportUri>,
    pub(super) pct: Option<u8>,
    pub(super) ri: Option<u32>,
}

impl RecordBuilder {
    /// A record that asks for this (`p`) and leaves all else at its default.
    #[must_use]
    pub fn new(p: Disposition) -> Self {
        Self {
            p: Some(p),
            sp: None,
            np: None,
            adkim: AlignmentMode::default(),
            aspf: AlignmentMode::default(),
            fo: FailureOptions::default(),
            psd: None,
            testing: false,
            rua: Vec::new(),
            ruf: Vec::new(),
            pct: None,
            ri: None,
        }
    }

    /// `p`: what is asked for the domain itself.
    #[must_use]
    pub fn policy(mut self, p: Disposition) -> Self {
        self.p = Some(p);
        self
    }

    /// `sp`: what is asked for subdomains.
    #[must_use]
    pub fn subdomains(mut self, sp: Disposition) -> Self {
        self.sp = Some(sp);
        self
    }

    /// `np`: what is asked for subdomains that do not exist.
    #[must_use]
    pub fn nonexistent_subdomains(mut self, np: Disposition) -> Self {
        self.np = Some(np);
        self
    }

    /// `adkim`: how DKIM identifiers must be aligned.
    #[must_use]
    pub fn adkim(mut self, mode: AlignmentMode) -> Self {
        self.adkim = mode;
        self
    }

    /// `aspf`: how the SPF identifier must be aligned.
    #[must_use]
    pub fn aspf(mut self, mode: AlignmentMode) -> Self {
        self.aspf = mode;
        self
    }

    /// `fo`: when failure reports are wanted.
    #[must_use]
    pub fn failure_options(mut self, options: FailureOptions) -> Self {
        self.fo = options;
        self
    }

    /// `psd`: whether the domain is a public suffix (`y`) or an organizational domain (`n`); `None`
    /// leaves that to the tree walk (`u`).
    #[must_use]
    pub fn public_suffix(mut self, psd: Option<bool>) -> Self {
        self.psd = psd;
        self
    }

    /// `t`: whether the policy is being tested.
    #[must_use]
    pub fn testing(mut self, testing: bool) -> Self {
        self.testing = testing;
        self
    }

    /// `rua`: one more destination of aggregate reports.
    #[must_use]
    pub fn aggregate_reports_to(mut self, uri: ReportUri) -> Self {
        self.rua.push(uri);
        self
    }

    /// `ruf`: one more destination of failure reports.
    #[must_use]
    pub fn failure_reports_to(mut self, uri: ReportUri) -> Self {
        self.ruf.push(uri);
        self
    }

    /// The record.
    #[must_use]
    pub fn build(&self) -> Record {
        Record::from_text(&self.text())
    }

    /// The tags in the usual order, without those that are at their default. Writing to a String
    /// cannot fail.
    pub(super) fn text(&self) -> String {
        let mut text = String::from("v=DMARC1");
        for (name, policy) in [("p", self.p), ("sp", self.sp), ("np", self.np)] {
            if let Some(policy) = policy {
                let _ = write!(text, "; {name}={policy}");
            }
        }
        for (name, mode) in [("adkim", self.adkim), ("aspf", self.aspf)] {
            match mode {
                AlignmentMode::Relaxed => {}
                AlignmentMode::Strict => {
                    let _ = write!(text, "; {name}=s");
                }
            }
        }
        text.push_str(match self.psd {
            Some(true) => "; psd=y",
            Some(false) => "; psd=n",
            None => "",
        });
        if self.testing {
            text.push_str("; t=y");
        }
        for (name, uris) in [("rua", &self.rua), ("ruf", &self.ruf)] {
            for (index, uri) in uris.iter().enumerate() {
                let _ = match index {
                    0 => write!(text, "; {name}={uri}"),
                    _ => write!(text, ",{uri}"),
                };
            }
        }
        if self.fo != FailureOptions::default() {
            let _ = write!(text, "; fo={}", self.fo);
        }
        if let Some(pct) = self.pct {
            let _ = write!(text, "; pct={pct}");
        }
        if let Some(ri) = self.ri {
            let _ = write!(text, "; ri={ri}");
        }
        text
    }
}

impl From<&Record> for RecordBuilder {
    /// Takes over what is valid in the record.
    fn from(record: &Record) -> Self {
        Self {
            p: record.p(),
            sp: record.sp(),
            np: record.np(),
            adkim: record.adkim(),
            aspf: record.aspf(),
            fo: record.fo(),
            psd: record.psd(),
            testing: record.is_testing(),
            rua: record.rua(),
            ruf: record.ruf(),
            pct: record.published_pct(),
            ri: record.published_ri(),
        }
    }
}
