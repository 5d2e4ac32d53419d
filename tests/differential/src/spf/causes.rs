//! Why SPF results differ. Sections are those of RFC 7208.

use mailproof::spf::{Cause as Ours, Limit, Settings, SyntaxRule};

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
        let term = place
            .and_then(|place| place.term.as_deref())
            .unwrap_or_default();
        let term = term
            .trim_start_matches(['+', '-', '~', '?'])
            .to_ascii_lowercase();
        term.starts_with(mechanism)
    }

    /// How many records include another.
    fn includes(&self) -> usize {
        let records = self.case.records.0.iter();
        let include = |data: &Data| match data {
            Data::Txt(record) => record.to_ascii_lowercase().contains("include:"),
            _ => false,
        };
        records.filter(|(_, data)| include(data)).count()
    }

    /// Whether a record has white space before or in its version.
    fn has_odd_version(&self) -> bool {
        self.case.records.0.iter().any(|(_, data)| match data {
            Data::Txt(record) => {
                let begin = record.split('1').next().unwrap_or_default();
                begin.contains([' ', '\t'])
                    && begin.replace([' ', '\t'], "").eq_ignore_ascii_case("v=spf")
            }
            _ => false,
        })
    }

    fn exceeds_void(&self) -> bool {
        let limit = Limit::VoidLookups {
            most: 2,
            every_empty_answer: false,
        };
        matches!(self.ours.cause(), Ours::Limit { limit: found, .. } if *found == limit)
    }

    /// Whether ours is theirs without a limit of void look-ups.
    fn same_without_void_limit(&self, settings: Settings) -> bool {
        let mut settings = settings;
        settings.max_void_lookups = usize::MAX;
        self.result_under(&settings) == self.theirs
    }

    fn same_if_every_empty_answer_is_void(&self) -> bool {
        let mut settings = Settings::default();
        settings.every_empty_answer_is_void = true;
        self.result_under(&settings) == self.theirs
    }
}

const PEER: Kind = Kind::Peer;

pub const PYSPF: &[Cause<Judged>] = &[
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
        explains: |it| it.exceeds_void() && it.same_without_void_limit(Settings::default()),
    },
    Cause {
        name: "white space in the version",
        kind: PEER,
        reason: "4.5: records that do not ‘begin with a version section of exactly \"v=spf1\"’ are discarded",
        explains: |it| it.has_odd_version(),
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
        explains: |it| it.case.client.is_ipv4() && it.has_text("ip6:::"),
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
        reason: "5.6: ‘\"/\" ip4-cidr-length’, and a slash without is part of a domain-spec that does not end right (7.1)",
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
        reason: "4.6.1: ‘Unrecognized mechanisms cause processing to abort: permerror’; a modifier's name begins with a letter",
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
        reason: "7.1: ‘A \"%\" character not followed by a \"{\", \"%\", \"-\", or \"_\" character is a syntax error’",
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
    Cause {
        name: "tab between terms",
        kind: PEER,
        reason: "4.6.1: terms are separated by SP alone",
        explains: |it| it.broke(SyntaxRule::Character) && it.has_text("\t"),
    },
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
        explains: |it| {
            [" a=", " mx=", "exists=", "include="]
                .iter()
                .any(|text| it.has_text(text))
        },
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
        reason: "5.5: matches if ‘the validated domain name either is a subdomain of <target-name> or is identical’; it keeps the dot of the root",
        explains: |it| it.ours.matched().is_some() && it.decided_by("ptr"),
    },
    Cause {
        name: "nested include",
        kind: PEER,
        reason: "5.2: the result of an included record only tells whether its include matches, at each depth; it ends the check",
        explains: |it| it.includes() > 1,
    },
];
