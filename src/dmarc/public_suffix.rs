//! Public suffix lists, by which RFC 7489 3.2 finds organizational domains.
//!
//! The crate holds no list: it would be stale in every release. The caller brings the text of one,
//! in the format of <https://publicsuffix.org/list/>.

use std::collections::HashMap;

use crate::domain::Domain;

/// The rules of a public suffix list.
///
/// ```
/// use mailproof::dmarc::PublicSuffixList;
///
/// let list = PublicSuffixList::parse(b"// a comment\nuk\nco.uk\n*.ck\n!www.ck\n").unwrap();
/// let registrable = |name: &str| list.registrable_domain(&name.parse().unwrap());
/// assert_eq!(registrable("a.example.co.uk").unwrap().as_str(), "example.co.uk");
/// assert_eq!(registrable("co.uk"), None);
/// assert_eq!(registrable("a.www.ck").unwrap().as_str(), "www.ck");
/// ```
#[derive(Clone, Debug)]
pub struct PublicSuffixList {
    rules: HashMap<Box<str>, Rules>,
}

/// What the list says about one name.
#[derive(Clone, Copy, Debug, Default)]
struct Rules {
    /// The name is a suffix.
    suffix: bool,
    /// Every name right below it is (`*.name`).
    wildcard: bool,
    /// It is none although a wildcard says so (`!name`).
    exception: bool,
}

impl PublicSuffixList {
    /// Reads the text of a list, all its sections: customers of a company that lets names below its
    /// own are strangers to each other. Lines that are no rule are passed over.
    ///
    /// `None` for a text without any rule: with such a list every top-level domain would be one
    /// suffix and everything below it one organization.
    #[must_use]
    pub fn parse(octets: &[u8]) -> Option<Self> {
        Self::read(octets, false)
    }

    /// Reads what of a list stands before `===END ICANN DOMAINS===`: names let by registries.
    #[must_use]
    pub fn parse_icann(octets: &[u8]) -> Option<Self> {
        Self::read(octets, true)
    }

    fn read(octets: &[u8], icann_only: bool) -> Option<Self> {
        let mut rules: HashMap<Box<str>, Rules> = HashMap::new();
        for line in octets.split(|octet| *octet == b'\n') {
            let line = line.trim_ascii();
            if line.starts_with(b"//") {
                let ends_icann = line.ends_with(b"===END ICANN DOMAINS===");
                if ends_icann && icann_only {
                    break;
                }
                continue;
            }
            // ‘Each line is only read up to the first whitespace.’
            let end = line.iter().position(u8::is_ascii_whitespace);
            let rule = line.get(..end.unwrap_or(line.len())).unwrap_or_default();
            let (name, kind) = match rule.split_first() {
                Some((b'!', name)) => (name, Kind::Exception),
                Some((b'*', name)) => (name.strip_prefix(b".").unwrap_or_default(), Kind::Wildcard),
                Some(_) => (rule, Kind::Suffix),
                None => continue,
            };
            let Ok(name) = Domain::parse(name) else {
                continue;
            };
            let entry = rules.entry(name.as_str().into()).or_default();
            match kind {
                Kind::Exception => entry.exception = true,
                Kind::Suffix => entry.suffix = true,
                Kind::Wildcard => entry.wildcard = true,
            }
        }
        (!rules.is_empty()).then_some(Self { rules })
    }

    /// The domain that was registered below a public suffix: the suffix and one label. `None` for
    /// a name that is a public suffix itself.
    #[must_use]
    pub fn registrable_domain(&self, domain: &Domain) -> Option<Domain> {
        domain.suffix(self.suffix_labels(domain) + 1)
    }

    /// RFC 7489 3.2's organizational domain. For a public suffix, which has none, it is the suffix
    /// itself: a registry that sends mail is aligned with itself.
    #[must_use]
    pub fn organizational_domain(&self, domain: &Domain) -> Domain {
        self.registrable_domain(domain)
            .unwrap_or_else(|| domain.clone())
    }

    /// How many labels of the name are its public suffix. The longest matching rule counts; an
    /// exception comes before all others; without any rule, it is the last label.
    fn suffix_labels(&self, domain: &Domain) -> usize {
        let mut labels = domain.label_count();
        let mut name = domain.as_str();
        loop {
            let rules = self.rules.get(name).copied().unwrap_or_default();
            if rules.exception {
                return labels.saturating_sub(1);
            }
            let Some((_, parent)) = name.split_once('.') else {
                return 1;
            };
            let by_wildcard = self.rules.get(parent).is_some_and(|rules| rules.wildcard);
            if rules.suffix || by_wildcard {
                return labels;
            }
            labels = labels.saturating_sub(1);
            name = parent;
        }
    }
}

enum Kind {
    Exception,
    Suffix,
    Wildcard,
}
