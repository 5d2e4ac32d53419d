//! Why SPF results differ. Sections are those of RFC 7208.

use mailproof::spf::{Cause as Ours, Evaluation, Limit, Settings, SyntaxRule};

use super::Judged;
use crate::records::Data;
use crate::tally::{Cause, Kind};

impl Judged {
    fn broke(&self, rule: SyntaxRule) -> bool {
        matches!(self.ours.cause(), Ours::Syntax { error, .. } if error.rule() == rule)
    }

    /// The term that breaks a rule, in lower case and without its qualifier.
    fn broken_term(&self) -> String {
        match self.ours.cause() {
            Ours::Syntax { error, .. } => {
                let term = error.term().trim_start_matches(['+', '-', '~', '?']);
                term.to_ascii_lowercase()
            }
            _ => String::new(),
        }
    }

    /// Whether some record has the text, in any case.
    fn has_text(&self, text: &str) -> bool {
        let records = self.case.records.0.iter();
        records.into_iter().any(|(_, data)| match data {
            Data::Txt(record) => record.to_ascii_lowercase().contains(text),
            _ => false,
        })
    }

    fn asks_for_names(&self) -> bool {
        self.has_text("ptr") || self.has_text("%{p")
    }

    /// The names of the client.
    fn client_names(&self) -> impl Iterator<Item = &str> {
        self.case
            .records
            .0
            .iter()
            .filter_map(|(_, data)| match data {
                Data::Ptr(address, name) if *address == self.case.client => Some(name.as_str()),
                _ => None,
            })
    }

    fn fails(&self, name: &str) -> bool {
        let mut records = self.case.records.0.iter();
        records.any(|(owner, data)| owner == name && matches!(data, Data::Fails))
    }

    /// Whether the check ended at a term with this mechanism.
    fn decided_by(&self, mechanism: &str) -> bool {
        let place = self.ours.cause().place();
        let term = place.and_then(|place| place.term()).unwrap_or_default();
        let term = term
            .trim_start_matches(['+', '-', '~', '?'])
            .to_ascii_lowercase();
        term.starts_with(mechanism)
    }

    /// Whether an included record decided that its include matches.
    fn decided_by_include(&self) -> bool {
        let place = self.ours.cause().place();
        place.is_some_and(|place| {
            place.path().any(|(_, term)| {
                let term = term.trim_start_matches(['+', '-', '~', '?']);
                term.to_ascii_lowercase().starts_with("include:")
            })
        })
    }

    /// Whether theirs is what an include decides in a record that is included itself.
    fn ends_at_nested_include(&self) -> bool {
        let records = self.case.records.0.iter();
        let mut included = records.filter(|(name, _)| self.has_text(&format!("include:{name}")));
        included.any(|(name, data)| {
            matches!(data, Data::Txt(_)) && {
                let mut case = self.case.clone();
                case.sender = format!("user-x@{name}");
                let it = self.instead(case.judge(&without_void_limit()));
                it.decided_by_include() && it.ours.result().as_str() == self.theirs
            }
        })
    }

    /// The same input with another result of ours.
    fn instead(&self, ours: Evaluation) -> Self {
        Self {
            case: self.case.clone(),
            ours,
            theirs: self.theirs.clone(),
            remark: self.remark.clone(),
        }
    }

    /// Whether theirs is ours for records that are changed as the peer reads them, or what is left of
    /// the difference then has another cause.
    fn same_for(&self, read: fn(&str) -> String) -> bool {
        let mut it = self.instead(self.ours.clone());
        let mut changed = false;
        for (_, data) in &mut it.case.records.0 {
            if let Data::Txt(record) = data {
                let other = read(record);
                changed |= other != *record;
                *record = other;
            }
        }
        it.ours = it.case.judge(&Settings::default());
        changed && it.agrees_but_for_known_causes()
    }

    fn agrees_but_for_known_causes(&self) -> bool {
        self.ours.result().as_str() == self.theirs
            || MAIL_AUTH.iter().any(|cause| (cause.explains)(self))
    }

    fn same_but_for_void_limit(&self) -> bool {
        let it = self.instead(self.case.judge(&without_void_limit()));
        self.exceeds_void() && it.agrees_but_for_known_causes()
    }

    fn exceeds_void(&self) -> bool {
        let limit = Limit::VoidLookups {
            most: 2,
            every_empty_answer: false,
        };
        matches!(self.ours.cause(), Ours::Limit { limit: found, .. } if *found == limit)
    }

    fn same_if_every_empty_answer_is_void(&self) -> bool {
        let mut settings = Settings::default();
        settings.every_empty_answer_is_void = true;
        self.result_under(&settings) == self.theirs
    }
}

fn without_void_limit() -> Settings {
    let mut settings = Settings::default();
    settings.max_void_lookups = usize::MAX;
    settings
}

/// `v=spf1` with white space before or in it, or a tab behind it.
fn version_without_blanks(record: &str) -> String {
    let Some((begin, rest)) = record.split_once('1') else {
        return record.to_owned();
    };
    let begin = begin.replace([' ', '\t'], "");
    if !begin.eq_ignore_ascii_case("v=spf") {
        return record.to_owned();
    }
    match rest.strip_prefix('\t') {
        Some(rest) => format!("{begin}1 {rest}"),
        None => format!("{begin}1{rest}"),
    }
}

/// ip6 of networks that have IPv4 addresses, mapped, as ip4.
fn mapped_as_ipv4(record: &str) -> String {
    record
        .replace("ip6:::ffff:192.0.2.1", "ip4:192.0.2.1")
        .replace("ip6:::/0", "ip4:0.0.0.0/0")
}

/// What no record may have.
const UNREADABLE: &str = "unreadable";

/// A term that none can read for each modifier whose name is the beginning of a mechanism's.
fn modifiers_as_mechanisms(record: &str) -> String {
    let known = ["a", "mx", "ptr", "ip4", "ip6", "exists", "include"];
    let terms = record.split(' ').map(|term| {
        let name = term.split_once('=').map_or("", |(name, _)| name);
        let is_one = !name.is_empty() && known.iter().any(|one| one.starts_with(name));
        if is_one { UNREADABLE } else { term }
    });
    terms.collect::<Vec<_>>().join(" ")
}

/// A term that none can read for each whose domain-spec has a slash in it.
fn slashes_as_ends(record: &str) -> String {
    let terms = record.split(' ').map(|term| {
        let domain = term.split_once(':').map_or("", |(_, domain)| domain);
        let behind = domain.split_once('/').map_or("", |(_, behind)| behind);
        let is_one = behind.contains(|one: char| one.is_ascii_alphabetic());
        if is_one { UNREADABLE } else { term }
    });
    terms.collect::<Vec<_>>().join(" ")
}

const PEER: Kind = Kind::Peer;

const TAB: Cause<Judged> = Cause {
    name: "tab between terms",
    kind: PEER,
    reason: "4.6.1: terms are separated by SP alone",
    explains: |it| it.broke(SyntaxRule::Character) && it.broken_term().contains(['\t', '\\']),
};

pub const PYSPF: &[Cause<Judged>] = &[
    TAB,
    Cause {
        name: "each empty answer is void",
        kind: Kind::Setting,
        reason: "4.6.4 counts queries; ours is the same with every_empty_answer_is_void",
        explains: |it| it.same_if_every_empty_answer_is_void(),
    },
    Cause {
        name: "failing look-up for ptr",
        kind: PEER,
        reason: "5.5: ‘If a DNS error occurs while doing an A RR lookup, then that domain name is skipped’",
        explains: |it| {
            it.theirs == "temperror"
                && it.asks_for_names()
                && it.client_names().any(|name| it.fails(name))
        },
    },
    Cause {
        name: "void look-ups by question",
        kind: Kind::Setting,
        reason: "4.6.4 leaves open whether names of ptr and of mx count each, as queries, or once as ‘terms’ (11.1)",
        explains: |it| {
            it.remark.contains("Void lookup") && (it.asks_for_names() || it.decided_by("mx"))
        },
    },
    Cause {
        name: "asks for all hosts of mx",
        kind: PEER,
        reason: "5.4: hosts are asked for one by one, and the first that matches decides",
        explains: |it| it.remark.contains("DNS fails") && it.decided_by("mx"),
    },
    Cause {
        name: "macro that keeps nothing",
        kind: PEER,
        reason: "7.3: ‘If a DIGIT is specified, the value MUST be nonzero’",
        explains: |it| it.broke(SyntaxRule::MacroZero) && it.broken_term().contains('0'),
    },
    Cause {
        name: "malformed macro",
        kind: PEER,
        reason: "7.1: ‘macro-expand = ( \"%{\" macro-letter transformers *delimiter \"}\" )’",
        explains: |it| it.broke(SyntaxRule::Macro) && it.broken_term().contains("%{"),
    },
    Cause {
        name: "include of itself",
        kind: PEER,
        reason: "4.6: evaluation is from left to right, and only syntax errors are looked for beforehand",
        explains: |it| it.remark.contains("include has trivial recursion"),
    },
    Cause {
        name: "modifier twice",
        kind: PEER,
        reason: "6: only redirect and exp ‘MUST NOT appear in a record more than once’",
        explains: |it| {
            let others = !it.remark.contains("redirect=") && !it.remark.contains("exp=");
            it.remark.contains("MUST appear at most once") && others
        },
    },
    Cause {
        name: "exists without a domain",
        kind: PEER,
        reason: "5.7: ‘exists = \"exists\" \":\" domain-spec’",
        explains: |it| it.broke(SyntaxRule::DomainMissing) && it.broken_term() == "exists",
    },
    Cause {
        name: "dot at the end",
        kind: PEER,
        reason: "4.3: malformed is a ‘zero-length label not at the end’",
        explains: |it| it.theirs == "none" && it.case.sender.ends_with('.'),
    },
];

pub const MAIL_AUTH: &[Cause<Judged>] = &[
    Cause {
        name: "several records",
        kind: PEER,
        reason: "4.5: ‘If the resultant record set includes more than one record, check_host() produces the \"permerror\" result’",
        explains: |it| matches!(it.ours.cause(), Ours::SeveralRecords { .. }),
    },
    Cause {
        name: "no limit of void look-ups",
        kind: Kind::Setting,
        reason: "4.6.4: ‘SHOULD limit \"void lookups\" to two’; ours is the same without",
        explains: |it| it.same_but_for_void_limit(),
    },
    Cause {
        name: "eleventh mail exchanger not reached",
        kind: Kind::Setting,
        reason: "4.6.4: a mx ‘MUST NOT result in querying more than 10 address records’; it asks for ten and refuses the next, we refuse before; ours is the same without the limit",
        explains: |it| {
            let mut settings = without_void_limit();
            settings.max_mx_names = usize::MAX;
            matches!(
                it.ours.cause(),
                Ours::Limit {
                    limit: Limit::MxNames { .. },
                    ..
                }
            ) && it.result_under(&settings) == it.theirs
        },
    },
    Cause {
        name: "white space in the version",
        kind: PEER,
        reason: "4.5: records that do not ‘begin with a version section of exactly \"v=spf1\"’ are discarded",
        explains: |it| it.same_for(version_without_blanks),
    },
    Cause {
        name: "names count as terms",
        kind: PEER,
        reason: "4.6.4: ten terms that query; names and addresses of ptr have a limit of their own",
        explains: |it| {
            it.theirs == "permerror" && it.asks_for_names() && it.client_names().next().is_some()
        },
    },
    Cause {
        name: "ip6 of an IPv4 client",
        kind: PEER,
        reason: "5: ‘When any mechanism fetches host addresses to compare with <ip>, when <ip> is an IPv4 [...], A records are fetched’; 5.6 ip6 is for IPv6",
        explains: |it| it.case.client.is_ipv4() && it.same_for(mapped_as_ipv4),
    },
    Cause {
        name: "prefix length",
        kind: PEER,
        reason: "5.6: ip4-cidr-length is 0 to 32, ip6-cidr-length 0 to 128, without leading zeros",
        explains: |it| it.broke(SyntaxRule::PrefixLength) && it.broken_term().contains('/'),
    },
    Cause {
        name: "slash at the end",
        kind: PEER,
        reason: "5.6: ‘ip4-cidr-length = \"/\" (\"0\" / %x31-39 0*1DIGIT)’, and a slash without is part of a domain-spec that does not end right (7.1)",
        explains: |it| it.broke(SyntaxRule::DomainEnd) && it.broken_term().ends_with('/'),
    },
    Cause {
        name: "address of ip4",
        kind: PEER,
        reason: "5.6: qnum is 0 to 255 without leading zeros",
        explains: |it| it.broke(SyntaxRule::Ip4Network),
    },
    Cause {
        name: "address of ip6",
        kind: PEER,
        reason: "5.6: ip6-network is as of RFC 4291 2.2",
        explains: |it| it.broke(SyntaxRule::Ip6Network),
    },
    Cause {
        name: "unknown mechanism",
        kind: PEER,
        reason: "12: directive has none but the known mechanisms, and 4.6 wants permerror for what is not by the grammar; a modifier's name begins with a letter",
        explains: |it| it.broke(SyntaxRule::UnknownMechanism),
    },
    Cause {
        name: "end of a domain",
        kind: PEER,
        reason: "7.1: domain-end is ‘( \".\" toplabel [ \".\" ] ) / macro-expand’",
        explains: |it| it.broke(SyntaxRule::DomainEnd),
    },
    Cause {
        name: "macro that keeps nothing",
        kind: PEER,
        reason: "7.3: ‘If a DIGIT is specified, the value MUST be nonzero’",
        explains: |it| it.broke(SyntaxRule::MacroZero) && it.broken_term().contains('0'),
    },
    Cause {
        name: "malformed macro",
        kind: PEER,
        reason: "7.1: ‘A '%' character not followed by a '{', '%', '-', or '_' character is a syntax error’",
        explains: |it| it.broke(SyntaxRule::Macro) && it.broken_term().contains('%'),
    },
    Cause {
        name: "letters of explanations",
        kind: PEER,
        reason: "7.2: c, r, t ‘are allowed only in \"exp\" text’, and others do not exist",
        explains: |it| it.broke(SyntaxRule::MacroLetter) && it.broken_term().contains("%{"),
    },
    Cause {
        name: "no domain",
        kind: PEER,
        reason: "5, 6: the domain-spec of include, exists, redirect and exp, and one behind a colon, is required",
        explains: |it| it.broke(SyntaxRule::DomainMissing),
    },
    Cause {
        name: "text behind a mechanism",
        kind: PEER,
        reason: "5: the mechanism's grammar ends before",
        explains: |it| it.broke(SyntaxRule::TrailingText),
    },
    TAB,
    Cause {
        name: "name of the client is not validated",
        kind: PEER,
        reason: "7.3: p is ‘the validated domain name of <ip>’, or ‘unknown’",
        explains: |it| it.has_text("%{p") && it.client_names().next().is_some(),
    },
    Cause {
        name: "modifier read as a mechanism",
        kind: PEER,
        reason: "4.6.1: a name before ‘=’ is a modifier's, and unknown modifiers are ignored (6)",
        explains: |it| it.same_for(modifiers_as_mechanisms),
    },
    Cause {
        name: "slash in a domain",
        kind: PEER,
        reason: "7.1: macro-literal has all visible characters but ‘%’, so a slash is one of them where no prefix length follows to the end",
        explains: |it| it.theirs == "permerror" && it.same_for(slashes_as_ends),
    },
    Cause {
        name: "modifier without a value",
        kind: PEER,
        reason: "7.1: ‘unknown-modifier = name \"=\" macro-string’, which may be empty",
        explains: |it| it.theirs == "permerror" && it.has_text("x-y_z.1="),
    },
    Cause {
        name: "exists asks for AAAA",
        kind: PEER,
        reason: "5.7: ‘The resulting domain name is used for a DNS A RR lookup (even when the connection type is IPv6)’",
        explains: |it| it.has_text("exists:six.example"),
    },
    Cause {
        name: "ptr is not the name itself",
        kind: PEER,
        reason: "5.5: a name matches too if ‘the <target-name> and a validated domain name are the same’; it keeps the dot of the root",
        explains: |it| it.ours.matched().is_some() && it.decided_by("ptr"),
    },
    Cause {
        name: "nested include",
        kind: PEER,
        reason: "5.2: the result of an included record only tells whether its include matches, at each depth; it ends the check",
        explains: |it| it.ends_at_nested_include(),
    },
];
