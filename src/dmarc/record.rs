//! DMARC policy records (§4.7, §4.8), and what RFC 7489 6.3 had besides.
//!
//! One type holds the tags of both specifications; whoever applies a record says by which
//! [`RuleSet`]. ‘Syntax errors in the remainder of the record MUST be discarded in favor of default
//! values (if any) or ignored outright’ (§4.8): all that is ignored is listed by
//! [`Record::warnings`].

use std::fmt;

use super::builder::Builder;
use super::tags::{self, PolicyTag, Tags};
use super::{Disposition, ReportUri, RuleSet, Warning, uri};
use crate::dns::Txt;
use crate::tag_list;

/// A DMARC policy record.
///
/// ```
/// use mailproof::dmarc::{Disposition, Record, Warning};
///
/// let record = Record::parse(b"v=DMARC1; p=reject; ; fo=1").ok_or("not a DMARC record")?;
/// assert_eq!(record.p(), Some(Disposition::Reject));
/// assert!(matches!(
///     record.warnings().as_slice(),
///     [Warning::Malformed { .. }, Warning::FailureOptionsWithoutRuf]
/// ));
/// assert_eq!(Record::parse(b"v=spf1 -all"), None);
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record {
    text: Txt,
    tags: Tags,
}

impl Record {
    /// Reads one TXT record, its strings joined; `None` for what is not a DMARC record, since it
    /// does not begin with exactly `v=DMARC1`. Whatever else is wrong with it is ignored (§4.8), and
    /// listed by [`warnings`](Self::warnings).
    #[must_use]
    pub fn parse(octets: &[u8]) -> Option<Self> {
        let tags = tags::read(octets, &mut None)?;
        Some(Self {
            text: Txt::new(octets),
            tags,
        })
    }

    pub(super) fn from_txt(txt: &Txt) -> Option<Self> {
        let read = |octets: &[u8]| tags::read(octets, &mut None);
        let tags = match txt.kept(|octets, _| read(octets)) {
            Some(kept) => Tags::clone(kept),
            None => read(txt.as_bytes())?,
        };
        Some(Self {
            text: txt.clone(),
            tags,
        })
    }

    /// A record of our own making.
    pub(super) fn from_text(text: &str) -> Self {
        Self {
            // The text begins with the version, so it is one.
            tags: tags::read(text.as_bytes(), &mut None).unwrap_or_default(),
            text: Txt::new(text),
        }
    }

    pub(super) fn published_pct(&self) -> Option<u8> {
        self.tags.pct
    }

    pub(super) fn published_ri(&self) -> Option<u32> {
        self.tags.ri
    }

    /// The record as it was published.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Everything in the record that was ignored or looks like a mistake.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Some(Vec::new());
        // The text was read before, so it is a DMARC record.
        let _ = tags::read(self.as_bytes(), &mut warnings);
        let mut warnings = warnings.unwrap_or_default();
        for (tag, at) in [("rua", self.tags.rua), ("ruf", self.tags.ruf)] {
            uri::warn(tag, self.value_at(at), &mut warnings);
        }
        // §4.7: ‘This tag's content MUST be ignored if a "ruf" tag is not also specified.’
        if self.tags.ruf.is_none() && self.tags.fo != FailureOptions::default() {
            warnings.push(Warning::FailureOptionsWithoutRuf);
        }
        if self.tags.p == PolicyTag::Absent {
            warnings.push(Warning::MissingPolicy);
        }
        warnings
    }

    /// The policies that apply to the domain itself, to its subdomains, and to subdomains that do not
    /// exist (§4.7: `p`, `sp` and `np`, each with what it falls back to); `None` where the record
    /// cannot be applied to anything (§4.10.1).
    ///
    /// ```
    /// use mailproof::dmarc::{Disposition::{None, Reject}, Record, RuleSet};
    ///
    /// let record = Record::parse(b"v=DMARC1; p=none; np=reject").ok_or("not a DMARC record")?;
    /// assert_eq!(record.policies(RuleSet::Rfc9989), Some([None, None, Reject]));
    /// # Ok::<(), &str>(())
    /// ```
    #[must_use]
    pub fn policies(&self, rules: RuleSet) -> Option<[Disposition; 3]> {
        Some([
            self.published(Scope::Domain, rules)?,
            self.published(Scope::Subdomain, rules)?,
            self.published(Scope::NonexistentSubdomain, rules)?,
        ])
    }

    /// The policy that applies to a domain in this relation to the one that publishes the record.
    pub(super) fn published(&self, scope: Scope, rules: RuleSet) -> Option<Disposition> {
        let Tags { p, sp, np, .. } = self.tags;
        let np = match rules {
            RuleSet::Rfc9989 => np,
            RuleSet::Rfc7489 => PolicyTag::Absent,
        };
        let (PolicyTag::Valid(p), false) =
            (p, sp == PolicyTag::Invalid || np == PolicyTag::Invalid)
        else {
            // §4.10.1: without a valid p, or with an invalid sp or np, ‘if a "rua" tag is present
            // and contains at least one syntactically valid reporting URI, the Mail Receiver MUST
            // act as if a record containing "p=none" was retrieved’, else DMARC does not apply.
            // RFC 7489 6.6.3 said the same.
            let reported = uri::any_valid(self.value_at(self.tags.rua));
            return reported.then_some(Disposition::None);
        };
        Some(match scope {
            Scope::Domain => p,
            Scope::Subdomain => sp.valid().unwrap_or(p),
            Scope::NonexistentSubdomain => np.valid().or(sp.valid()).unwrap_or(p),
        })
    }

    /// `p`: what the domain itself asks for; `None` if absent or invalid.
    #[must_use]
    pub fn p(&self) -> Option<Disposition> {
        self.tags.p.valid()
    }

    /// `sp`: what it asks for its subdomains; `None` if absent or invalid.
    #[must_use]
    pub fn sp(&self) -> Option<Disposition> {
        self.tags.sp.valid()
    }

    /// `np`: what it asks for subdomains that do not exist; `None` if absent or invalid.
    #[must_use]
    pub fn np(&self) -> Option<Disposition> {
        self.tags.np.valid()
    }

    /// `adkim`: how DKIM identifiers must be aligned.
    #[must_use]
    pub fn adkim(&self) -> AlignmentMode {
        self.tags.adkim
    }

    /// `aspf`: how the SPF identifier must be aligned.
    #[must_use]
    pub fn aspf(&self) -> AlignmentMode {
        self.tags.aspf
    }

    /// `fo`: when failure reports are wanted. Without [`ruf`](Self::ruf) it means nothing.
    #[must_use]
    pub fn fo(&self) -> FailureOptions {
        self.tags.fo
    }

    /// `psd`: whether the domain is a public suffix (`y`) or an organizational domain (`n`); `None`
    /// where the tree walk has to find out (`u`, the default).
    #[must_use]
    pub fn psd(&self) -> Option<bool> {
        self.tags.psd
    }

    /// `t=y`: whether the policy is being tested, and shall be applied one level lower.
    #[must_use]
    pub fn is_testing(&self) -> bool {
        self.tags.testing
    }

    /// `pct` (RFC 7489 6.3), in per cent; 100 if absent or invalid. Historic in RFC 9989.
    #[must_use]
    pub fn pct(&self) -> u8 {
        self.tags.pct.unwrap_or(100)
    }

    /// `ri` (RFC 7489 6.3), the seconds between aggregate reports; 86,400 if absent or invalid.
    /// Historic in RFC 9989.
    #[must_use]
    pub fn ri(&self) -> u32 {
        self.tags.ri.unwrap_or(86_400)
    }

    /// `rf` (RFC 7489 6.3), the formats of failure reports in lower case; `afrf` if absent.
    /// Historic in RFC 9989.
    #[must_use]
    pub fn rf(&self) -> Vec<String> {
        let formats = self
            .value_at(self.tags.rf)
            .split(|octet| *octet == b':')
            .map(|format| String::from_utf8_lossy(format).trim().to_ascii_lowercase())
            .filter(|format| !format.is_empty())
            .collect::<Vec<_>>();
        if formats.is_empty() {
            vec!["afrf".into()]
        } else {
            formats
        }
    }

    /// `rua`: where aggregate reports shall go, in order; URIs that are none are left out, as are
    /// those of schemes that nobody supports.
    #[must_use]
    pub fn rua(&self) -> Vec<ReportUri> {
        uri::list(self.value_at(self.tags.rua))
    }

    /// `ruf`: where failure reports shall go; see [`rua`](Self::rua).
    #[must_use]
    pub fn ruf(&self) -> Vec<ReportUri> {
        uri::list(self.value_at(self.tags.ruf))
    }

    /// The value of the tag that begins there.
    fn value_at(&self, at: Option<usize>) -> &[u8] {
        let list = at.and_then(|at| self.as_bytes().get(at..));
        match list.and_then(|list| tag_list::specs(list).next()) {
            Some(Ok(tag)) => tag.value,
            Some(Err(_)) | None => &[],
        }
    }
}

/// The record with its tags in the usual order, and without what it leaves at its default.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Builder::from(self).text())
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for Record {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&String::from_utf8_lossy(self.as_bytes()))
    }
}

/// The relation of a domain to the one whose record applies to it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope {
    /// It is that domain: `p`.
    Domain,
    /// It exists below that domain: `sp`.
    Subdomain,
    /// It does not exist (NXDOMAIN): `np`.
    NonexistentSubdomain,
}

/// `adkim` and `aspf`: how an identifier must be aligned.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "lowercase")
)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9989 4.7: r or s")]
pub enum AlignmentMode {
    /// The organizational domains are equal.
    #[default]
    Relaxed,
    /// The domains are equal.
    Strict,
}

/// `fo`: when failure reports are wanted.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct FailureOptions {
    /// `1`: when any mechanism fails to give an aligned pass; else, `0`, when all do.
    pub any: bool,
    /// `d`: when a signature failed, aligned or not.
    pub dkim: bool,
    /// `s`: when SPF failed, aligned or not.
    pub spf: bool,
}

impl FailureOptions {
    /// The values in any order with colons between. 0 and 1 exclude each other; where both stand,
    /// 1 contains 0.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let mut options = Self::default();
        for option in value.split(|octet| *octet == b':') {
            match option.trim_ascii() {
                b"0" => {}
                b"1" => options.any = true,
                b"d" | b"D" => options.dkim = true,
                b"s" | b"S" => options.spf = true,
                _ => return None,
            }
        }
        Some(options)
    }
}

/// The options with colons between; `0` stands alone.
impl fmt::Display for FailureOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = [(self.any, "1"), (self.dkim, "d"), (self.spf, "s")];
        let mut chosen = options.iter().filter(|(chosen, _)| *chosen);
        f.write_str(chosen.next().map_or("0", |(_, option)| option))?;
        chosen.try_for_each(|(_, option)| write!(f, ":{option}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> Record {
        Record::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn every_tag() {
        let record = record(
            "v=DMARC1; p=quarantine; sp=reject; np=none; adkim=s; aspf=S; fo=s:1:d; psd=n; t=y; \
             pct=25; rf=AFRF:iodef; ri=3600; rua=mailto:a@b.example!10m , mailto:c@d.example; \
             ruf=mailto:e@f.example; x=y",
        );
        assert_eq!(record.p(), Some(Disposition::Quarantine));
        assert_eq!(record.sp(), Some(Disposition::Reject));
        assert_eq!(record.np(), Some(Disposition::None));
        assert_eq!(record.adkim(), AlignmentMode::Strict);
        assert_eq!(record.aspf(), AlignmentMode::Strict);
        assert_eq!(record.fo().to_string(), "1:d:s");
        assert_eq!(record.psd(), Some(false));
        assert!(record.is_testing());
        assert_eq!((record.pct(), record.ri()), (25, 3600));
        assert_eq!(record.rf(), ["afrf", "iodef"]);
        assert_eq!(record.rua()[1].as_str(), "mailto:c@d.example");
        assert_eq!(record.rua()[0].size_limit(), Some(10 << 20));
        assert_eq!(record.ruf()[0].host().as_str(), "f.example");
        assert_eq!(
            record.to_string(),
            "v=DMARC1; p=quarantine; sp=reject; np=none; adkim=s; aspf=s; psd=n; t=y; \
             rua=mailto:a@b.example!10485760,mailto:c@d.example; ruf=mailto:e@f.example; \
             fo=1:d:s; pct=25; ri=3600"
        );
    }

    #[test]
    fn defaults() {
        let record = record("v=DMARC1; p=none");
        assert_eq!((record.sp(), record.np()), (None, None));
        assert_eq!(record.adkim(), AlignmentMode::Relaxed);
        assert_eq!(record.fo(), FailureOptions::default());
        assert_eq!(record.psd(), None);
        assert_eq!((record.pct(), record.ri()), (100, 86_400));
        assert_eq!(record.rf(), ["afrf"]);
        assert!(record.rua().is_empty() && record.warnings().is_empty());
        assert_eq!(record.to_string(), "v=DMARC1; p=none");
    }

    /// §4.7: np falls back to sp, sp to p.
    #[test]
    fn published_by_scope() {
        let published = |text: &str| {
            let policies = record(text).policies(RuleSet::Rfc9989);
            policies.map_or(["-"; 3], |policies| policies.map(Disposition::as_str))
        };
        for (text, expected) in [
            ("v=DMARC1; p=reject", ["reject", "reject", "reject"]),
            ("v=DMARC1; p=none; sp=reject", ["none", "reject", "reject"]),
            ("v=DMARC1; p=none; np=reject", ["none", "none", "reject"]),
            ("v=DMARC1; p=reject; sp=x", ["-", "-", "-"]),
            (
                "v=DMARC1; sp=reject; rua=mailto:a@b.example",
                ["none", "none", "none"],
            ),
            (
                "v=DMARC1; p=reject; sp=x; rua=mailto:a@b.example",
                ["none", "none", "none"],
            ),
            (
                "v=DMARC1; p=reject; sp=x; rua=a@b.example,ftp:x",
                ["-", "-", "-"],
            ),
        ] {
            assert_eq!(published(text), expected, "{text}");
        }
    }

    #[test]
    fn everything_ignored_is_listed() {
        let listed = |text: &str| -> Vec<String> {
            let warnings = record(text).warnings();
            warnings.iter().map(ToString::to_string).collect()
        };
        for (text, expected) in [
            ("v=DMARC1; p=none; ; t=n", "empty tag at 17"),
            ("v=DMARC1; p=none; reject", "no \"=\" in the tag at 17"),
            (
                "v=DMARC1; p=none; p=reject",
                "p= stands twice; the first counts",
            ),
            (
                "v=DMARC1; p=none; v=DMARC1",
                "v= stands twice; the first counts",
            ),
            ("v=DMARC1; p=none; aspf=x", "aspf=x is not valid"),
            ("v=DMARC1; p=none; fo=1", "fo= without ruf= has no effect"),
            (
                "v=DMARC1; p=none; pct=5",
                "pct= is no longer used (RFC 9989)",
            ),
            ("v=DMARC1; p=none; new=1", "unknown tag new="),
            ("v=DMARC1; p=none; adkimx=r", "unknown tag adkimx="),
            ("v=DMARC1; t=n", "there is no p="),
            (
                "v=DMARC1; p=none; rua=mailto:a@b.example!1m",
                "rua= has a size limit, which is no longer used (RFC 9989)",
            ),
            (
                "v=DMARC1; p=none; ruf=a@b.example",
                "ruf= has a URI that cannot be used: a@b.example",
            ),
            (
                "v=DMARC1; p=none; t=\u{7}",
                "octet 0x07 in the value of t= (at 17)",
            ),
        ] {
            assert_eq!(listed(text), [expected], "{text}");
        }
    }
}
