//! Why readings of Authentication-Results differ. Sections are those of RFC 8601.

use mailproof::auth_results::{AuthenticationResults, Property};
use serde_json::Value;

use super::Judged;
use crate::tally::{Cause, Kind};

impl Judged {
    fn they_refuse(&self) -> bool {
        self.theirs == "null"
    }

    /// Ours, where they refuse.
    fn ours_alone(&self) -> Option<&AuthenticationResults> {
        self.ours.as_ref().ok().filter(|_| self.they_refuse())
    }

    /// Theirs, where we refuse: whose field it is, and the results.
    fn theirs_alone(&self) -> Option<(String, Vec<Value>)> {
        let theirs = self
            .ours
            .is_err()
            .then(|| serde_json::from_str(&self.theirs));
        theirs?.ok()
    }

    /// Whether one of their results, where we refuse, has such a part.
    fn they_read(&self, pointers: &[&str], is_it: impl Fn(&str) -> bool) -> bool {
        let results = self
            .theirs_alone()
            .map_or_else(Vec::new, |(_, results)| results);
        results.iter().any(|one| {
            let mut parts = pointers.iter().filter_map(|at| one.pointer(at)?.as_str());
            parts.any(&is_it)
        })
    }

    /// Whether such a part of a property (type, name, value) is in what they read, where we refuse.
    fn they_read_property(&self, part: usize, is_it: impl Fn(&str) -> bool) -> bool {
        let results = self
            .theirs_alone()
            .map_or_else(Vec::new, |(_, results)| results);
        let mut properties = results
            .iter()
            .filter_map(|one| one.get(4)?.as_array())
            .flatten();
        properties.any(|one| one.get(part).and_then(Value::as_str).is_some_and(&is_it))
    }

    fn they_read_value(&self, is_it: impl Fn(&str) -> bool) -> bool {
        self.they_read_property(2, is_it)
    }
}

/// No `Keyword` of RFC 5321 4.1.2.
fn no_keyword(word: &str) -> bool {
    !word
        .bytes()
        .all(|octet| octet.is_ascii_alphanumeric() || octet == b'-')
}

const PEER: Kind = Kind::Peer;
const SETTING: Kind = Kind::Setting;

pub const AUTHRES: &[Cause<Judged>] = &[
    Cause {
        name: "version",
        kind: SETTING,
        reason: "2.2: authres-version is any number; what to do with others than 1 is left to the caller here",
        explains: |it| it.ours_alone().is_some_and(|field| field.version != 1),
    },
    Cause {
        name: "extension property type",
        kind: PEER,
        reason: "2.2: ptype is ‘one of the \"property types\" explicitly defined as valid, or an extension ptype’",
        explains: |it| {
            let known = ["smtp", "header", "body", "policy"];
            let unknown = |one: &Property| !known.contains(&one.ptype.as_str());
            let results = it.ours_alone().map_or(&[][..], |field| &field.results);
            results.iter().any(|one| one.properties.iter().any(unknown))
        },
    },
    Cause {
        name: "quoted string before the last property",
        kind: PEER,
        reason: "2.2: ‘[ CFWS 1*propspec ]’ with any pvalue in each, not only in the last",
        explains: |it| {
            let quoted = |one: &Property| {
                let stands_in_quotes = it.value.contains(&format!("=\"{}\"", one.value));
                stands_in_quotes || one.value.contains(' ') && !one.value.contains('@')
            };
            let results = it.ours_alone().map_or(&[][..], |field| &field.results);
            results.iter().any(|one| {
                let before = one
                    .properties
                    .split_last()
                    .map_or(&[][..], |(_, before)| before);
                before.iter().any(quoted)
            })
        },
    },
    Cause {
        name: "quoted pair",
        kind: PEER,
        reason: "RFC 5322 3.2.4: the \"\\\" in a quoted-pair is ‘semantically \"invisible\"’",
        explains: |it| it.ours.is_ok() && it.words.replace('\\', "") == it.theirs.replace('\\', ""),
    },
    Cause {
        name: "property without a value",
        kind: PEER,
        reason: "2.2: pvalue is a value or a domain-name, and neither is empty",
        explains: |it| it.they_read_value(str::is_empty),
    },
    Cause {
        name: "slash or equals sign in a value",
        kind: PEER,
        reason: "2.2: a value that has tspecials (RFC 2045 5.1) must be quoted, and a domain-name has none",
        explains: |it| it.they_read_value(|value| value.contains(['/', '='])),
    },
    Cause {
        name: "method or result is no Keyword",
        kind: PEER,
        reason: "2.2: ‘result = Keyword’, of RFC 5321 4.1.2: letters, digits and hyphens",
        explains: |it| it.they_read(&["/0", "/2"], no_keyword),
    },
    Cause {
        name: "authserv-id with a slash or an equals sign",
        kind: PEER,
        reason: "2.2: ‘authserv-id = value’, which is a token or a quoted-string",
        explains: |it| {
            it.theirs_alone()
                .is_some_and(|(id, _)| id.contains(['/', '=']))
        },
    },
    Cause {
        name: "address without a domain, or with two",
        kind: PEER,
        reason: "2.2: ‘[ [ local-part ] \"@\" ] domain-name’",
        explains: |it| {
            it.they_read_value(|value| value.ends_with('@') || value.matches('@').count() > 1)
        },
    },
    Cause {
        name: "address with an empty atom or label",
        kind: PEER,
        reason: "2.2: ‘[ [ local-part ] \"@\" ] domain-name’; a dot-atom (RFC 5322 3.2.3) and a domain-name have no dot at an end, nor two in a row",
        explains: |it| {
            it.they_read_value(|value| {
                let (local, domain) = value.split_once('@').unwrap_or_default();
                let empty = |part: &str| part.split('.').any(str::is_empty);
                !value.starts_with('@') && empty(local) || empty(domain)
            })
        },
    },
    Cause {
        name: "dot in the name of a property",
        kind: PEER,
        reason: "2.2: ‘property = special-smtp-verb / Keyword’, which has no dot",
        explains: |it| it.they_read_property(1, |name| name.contains('.')),
    },
    Cause {
        name: "white space behind a comment in a reason",
        kind: PEER,
        reason: "2.2: ‘reasonspec = \"reason\" [CFWS] \"=\" [CFWS] value’, and CFWS may have white space on both sides of a comment",
        explains: |it| {
            let reason = it.value.split("reason").nth(1).unwrap_or_default();
            it.ours_alone().is_some() && reason.starts_with("= (") && reason.contains(") ")
        },
    },
    Cause {
        name: "authserv-id that is a token but no dot-atom",
        kind: PEER,
        reason: "2.2: ‘authserv-id = value’, and dots may stand anywhere in a token of RFC 2045 5.1",
        explains: |it| {
            let ours = it.ours_alone();
            ours.is_some_and(|field| field.authserv_id.as_str().split('.').any(str::is_empty))
        },
    },
];
