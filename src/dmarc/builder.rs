//! Making and changing DMARC records.

use std::fmt::Write as _;

use super::{AlignmentMode, Disposition, FailureOptions, Record, ReportUri};

/// Making and changing records: what is valid in a record stays, and the tags stand in the usual order.
impl Record {
    /// A record that asks for this (`p`) and leaves all else at its default.
    ///
    /// ```
    /// use mailproof::dmarc::{AlignmentMode, Disposition, Record, ReportUri};
    ///
    /// let reports = ReportUri::mailto(&mailproof::Address::parse(b"dmarc@example.com")?);
    /// let record = Record::new(Disposition::Reject)
    ///     .with_sp(Disposition::Quarantine)
    ///     .with_adkim(AlignmentMode::Strict)
    ///     .with_rua(reports);
    /// assert_eq!(
    ///     record.to_string(),
    ///     "v=DMARC1; p=reject; sp=quarantine; adkim=s; rua=mailto:dmarc@example.com"
    /// );
    /// assert!(record.with_testing(true).is_testing());
    /// # Ok::<(), mailproof::address::AddressError>(())
    /// ```
    #[must_use]
    pub fn new(p: Disposition) -> Self {
        Self::from_text(&format!("v=DMARC1; p={p}"))
    }

    /// `p`: what is asked for the domain itself.
    #[must_use]
    pub fn with_p(self, p: Disposition) -> Self {
        self.with(|tags| tags.p = Some(p))
    }

    /// `sp`: what is asked for subdomains.
    #[must_use]
    pub fn with_sp(self, sp: Disposition) -> Self {
        self.with(|tags| tags.sp = Some(sp))
    }

    /// `np`: what is asked for subdomains that do not exist.
    #[must_use]
    pub fn with_np(self, np: Disposition) -> Self {
        self.with(|tags| tags.np = Some(np))
    }

    /// `adkim`: how DKIM identifiers must be aligned.
    #[must_use]
    pub fn with_adkim(self, mode: AlignmentMode) -> Self {
        self.with(|tags| tags.adkim = mode)
    }

    /// `aspf`: how the SPF identifier must be aligned.
    #[must_use]
    pub fn with_aspf(self, mode: AlignmentMode) -> Self {
        self.with(|tags| tags.aspf = mode)
    }

    /// `fo`: when failure reports are wanted.
    #[must_use]
    pub fn with_fo(self, options: FailureOptions) -> Self {
        self.with(|tags| tags.fo = options)
    }

    /// `psd`: whether the domain is a public suffix (`y`) or an organizational domain (`n`); `None`
    /// leaves that to the tree walk (`u`).
    #[must_use]
    pub fn with_psd(self, psd: Option<bool>) -> Self {
        self.with(|tags| tags.psd = psd)
    }

    /// `t`: whether the policy is being tested.
    #[must_use]
    pub fn with_testing(self, testing: bool) -> Self {
        self.with(|tags| tags.testing = testing)
    }

    /// `rua`: one more destination of aggregate reports.
    #[must_use]
    pub fn with_rua(self, uri: ReportUri) -> Self {
        self.with(|tags| tags.rua.push(uri))
    }

    /// `ruf`: one more destination of failure reports.
    #[must_use]
    pub fn with_ruf(self, uri: ReportUri) -> Self {
        self.with(|tags| tags.ruf.push(uri))
    }

    fn with(self, change: impl FnOnce(&mut Builder)) -> Self {
        let mut tags = Builder::from(&self);
        change(&mut tags);
        Self::from_text(&tags.text())
    }
}

/// The tags of a record that is being changed.
pub(super) struct Builder {
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
    pct: Option<u8>,
    ri: Option<u32>,
}

impl Builder {
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

impl From<&Record> for Builder {
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
