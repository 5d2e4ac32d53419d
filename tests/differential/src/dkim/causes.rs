//! Why DKIM results differ. Sections are those of RFC 6376.

use mailproof::dkim::{DkimResult, Settings};

use super::Judged;
use crate::tally::{Cause, Kind};

impl Judged {
    /// Whether our reason has the words.
    fn because(&self, words: &str) -> bool {
        self.ours
            .iter()
            .any(|one| one.cause().to_string().contains(words))
    }

    fn we_pass(&self) -> bool {
        self.ours.iter().any(|one| one.result() == DkimResult::Pass)
    }

    fn we_pass_under(&self, change: fn(&mut Settings)) -> bool {
        let mut settings = Settings::default();
        change(&mut settings);
        let results = self.case.judge(&settings);
        results.iter().any(|one| one.result() == DkimResult::Pass)
    }

    fn they_say(&self, words: &str) -> bool {
        self.theirs.contains(words)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.case.message).into_owned()
    }

    /// The lines of the header.
    fn header(&self) -> Vec<String> {
        let text = self.text();
        let header = text.split("\r\n\r\n").next().unwrap_or_default();
        header.split("\r\n").map(str::to_owned).collect()
    }

    /// The value of the signature's field.
    fn signature(&self) -> String {
        let mut lines = self.header().into_iter();
        let is_signature = |line: &String| line.to_ascii_lowercase().starts_with("dkim-signature");
        let mut value = lines.find(is_signature).unwrap_or_default();
        for line in lines.take_while(|line| line.starts_with([' ', '\t'])) {
            value.push_str("\r\n");
            value.push_str(&line);
        }
        value
            .split_once(':')
            .map_or("", |(_, value)| value)
            .to_owned()
    }

    /// What stands for `b=`, with all white space.
    fn b(&self) -> (String, String) {
        let signature = self.signature();
        let specs = signature.split(';').filter_map(|spec| spec.split_once('='));
        let mut b = specs.filter(|(name, _)| name.trim() == "b");
        b.next().map_or_else(Default::default, |(name, value)| {
            (name.into(), value.into())
        })
    }

    fn blank_around_b(&self) -> bool {
        let (name, value) = self.b();
        name.ends_with(blank) || value.starts_with(blank) || value.ends_with(blank)
    }

    /// Whether the body ends in white space and no line end.
    fn ends_in_blanks(&self) -> bool {
        self.case.message.ends_with(b" ") || self.case.message.ends_with(b"\t")
    }

    /// Whether a line of the header is no field: by its name, or without a colon.
    fn has_odd_line(&self) -> bool {
        self.header().iter().any(|line| {
            let name = line.split(':').next().unwrap_or_default();
            let visible = !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic());
            !line.starts_with(blank) && !(visible && line.contains(':'))
        })
    }

    fn blank_before_colon(&self) -> bool {
        self.header().iter().any(|line| {
            let name = line.split(':').next().unwrap_or_default();
            line.contains(':') && !name.starts_with(blank) && name.ends_with(blank)
        })
    }

    /// Whether there is a line end that is not CRLF.
    fn has_bare_line_end(&self) -> bool {
        let rest = self.text().replace("\r\n", "");
        rest.contains(['\r', '\n'])
    }
}

fn blank(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

const PEER: Kind = Kind::Peer;
const SETTING: Kind = Kind::Setting;

const TWICE: Cause<Judged> = Cause {
    name: "tag twice",
    kind: PEER,
    reason: "3.2: ‘if a tag name does occur more than once, the entire tag-list is invalid’",
    explains: |it| it.because("stands twice"),
};

const UNSIGNED_FROM: Cause<Judged> = Cause {
    name: "From not signed",
    kind: PEER,
    reason: "6.1.1: ‘If the \"h=\" tag does not include the From header field, the Verifier MUST ignore’ it",
    explains: |it| it.because("h= does not name the From") || it.because("h= has something"),
};

const ITSELF: Cause<Judged> = Cause {
    name: "h= names the signature itself",
    kind: PEER,
    reason: "3.5: h= ‘MUST NOT include the DKIM-Signature header field that is being created or verified’: the name means others, and there are none",
    explains: |it| it.we_pass() && it.case.is("h= names itself"),
};

const KEY_HASHES: Cause<Judged> = Cause {
    name: "hashes of the key",
    kind: PEER,
    reason: "3.6.1: h= is a ‘list of hash algorithms that might be used’; 6.1.2 (6) requires the signature's",
    explains: |it| it.because("does not allow the hash"),
};

const BLANK_BEFORE_COLON: Cause<Judged> = Cause {
    name: "white space before a colon",
    kind: PEER,
    reason: "3.4.2: ‘Delete any WSP characters remaining before and after the colon’",
    explains: |it| it.we_pass() && it.blank_before_colon(),
};

const NO_FIELD: Cause<Judged> = Cause {
    name: "line that is no field",
    kind: SETTING,
    reason: "3.8 assumes that messages conform to RFC 5322; an unsigned line that does not is no matter of the signature here",
    explains: |it| it.we_pass() && it.has_odd_line(),
};

const FUTURE: Cause<Judged> = Cause {
    name: "timestamp in the future",
    kind: SETTING,
    reason: "3.5: ‘Implementations MAY ignore’ them; ours is the same with refuse_future",
    explains: |it| it.we_pass() && !it.we_pass_under(|settings| settings.refuse_future = true),
};

const PARTIAL: Cause<Judged> = Cause {
    name: "l= of a part",
    kind: SETTING,
    reason: "8.2: verifiers may refuse what is appended; ours is the same with allow_partial_body",
    explains: |it| !it.we_pass() && it.we_pass_under(|settings| settings.allow_partial_body = true),
};

const BEYOND: Cause<Judged> = Cause {
    name: "l= beyond the body",
    kind: PEER,
    reason: "3.5: ‘This value MUST NOT be larger than the actual number of octets’",
    explains: |it| it.because("but it has only"),
};

const QUERY: Cause<Judged> = Cause {
    name: "no known query method",
    kind: SETTING,
    reason: "3.5: q= lists the methods, and without dns/txt it has none of those known; the RFC does not say whether the default is then meant",
    explains: |it| it.because("q= does not allow"),
};

const TRAILING_BLANKS: Cause<Judged> = Cause {
    name: "white space at the end of the body",
    kind: PEER,
    reason: "3.4.4: ‘Ignore all whitespace at the end of lines’, of the last one too, to which CRLF is added",
    explains: |it| it.ends_in_blanks() && it.case.way.relaxed_body,
};

const BLANK_AROUND_B: Cause<Judged> = Cause {
    name: "white space around b=",
    kind: PEER,
    reason: "3.7: the value of b= is deleted ‘including all surrounding whitespace’, and 3.2 allows FWS before ‘=’",
    explains: |it| it.we_pass() && it.blank_around_b(),
};

const VERSION: Cause<Judged> = Cause {
    name: "version of the key record",
    kind: PEER,
    reason: "3.6.1: v= ‘MUST be the first tag in the record’",
    explains: |it| it.because("v= is not DKIM1 or not the first tag"),
};

const NUMBER: Cause<Judged> = Cause {
    name: "malformed number",
    kind: PEER,
    reason: "3.5: t=, x= and l= are digits alone",
    explains: |it| it.because("is not a number"),
};

const NAMES: Cause<Judged> = Cause {
    name: "names of tags",
    kind: PEER,
    reason: "3.2: tag-name is ‘ALPHA *ALNUMPUNC’, and a list that is not by the grammar is no signature",
    explains: |it| it.because("malformed tag name"),
};

const BASE64: Cause<Judged> = Cause {
    name: "malformed base64",
    kind: PEER,
    reason: "2.10: base64string has its alphabet and FWS, nothing else",
    explains: |it| it.because("is not base64"),
};

const ALGORITHM: Cause<Judged> = Cause {
    name: "algorithm not as it is registered",
    kind: PEER,
    reason: "3.2: ‘Values MUST be processed as case sensitive’ unless otherwise said, and 3.5: ‘x-sig-a-tag-h’ has no white space",
    explains: |it| it.because("unknown algorithm"),
};

const LINE_ENDS: Cause<Judged> = Cause {
    name: "lone CR or LF",
    kind: SETTING,
    reason: "5.3: signers convert them, for verifiers it says nothing; it ends a line with LF, we take octets as they are",
    explains: |it| it.has_bare_line_end(),
};

pub const MAIL_AUTH: &[Cause<Judged>] = &[
    VERSION,
    LINE_ENDS,
    NO_FIELD,
    TWICE,
    UNSIGNED_FROM,
    ITSELF,
    KEY_HASHES,
    BLANK_BEFORE_COLON,
    QUERY,
    Cause {
        name: "l= at all",
        kind: SETTING,
        reason: "8.2: ‘Assessors might wish to ignore signatures that use the tag’; ours is the same with refuse_length",
        explains: |it| it.we_pass() && !it.we_pass_under(|settings| settings.refuse_length = true),
    },
    Cause {
        name: "malformed tag list",
        kind: PEER,
        reason: "3.2: ‘tag-list = tag-spec *( \";\" tag-spec ) [ \";\" ]’, and a tag-spec has a name and ‘=’",
        explains: |it| it.because("empty tag") || it.because("no \"=\" in the tag"),
    },
    Cause {
        name: "tag names in any case",
        kind: PEER,
        reason: "3.2: ‘Tags MUST be interpreted in a case-sensitive manner’",
        explains: |it| it.case.is("tag in upper case"),
    },
    NUMBER,
    BASE64,
    ALGORITHM,
    Cause {
        name: "required tags",
        kind: PEER,
        reason: "3.5: v= and a= are REQUIRED",
        explains: |it| it.because("no v= tag") || it.because("no a= tag"),
    },
    NAMES,
    Cause {
        name: "white space before the first field",
        kind: PEER,
        reason: "RFC 5322 2.2: a line that begins with white space continues a field",
        explains: |it| it.case.message.starts_with(b" ") || it.case.message.starts_with(b"\t"),
    },
    Cause {
        name: "key that is not whole DER",
        kind: PEER,
        reason: "3.6.1: p= is a DER-encoded RSAPublicKey or SubjectPublicKeyInfo",
        explains: |it| it.because("p= is unusable: not a DER"),
    },
    Cause {
        name: "key for other services",
        kind: PEER,
        reason: "3.6.1: s= is a ‘list of service types to which this record applies’; others MUST ignore it",
        explains: |it| it.because("not for mail"),
    },
];

pub const DKIMPY: &[Cause<Judged>] = &[
    VERSION,
    LINE_ENDS,
    Cause {
        name: "b= is the first tag",
        kind: PEER,
        reason: "3.5: tags may be in any order, and 3.7 deletes the value of b= wherever it stands",
        explains: |it| it.we_pass() && it.b().0 == "b" && it.signature().starts_with("b"),
    },
    Cause {
        name: "several From fields",
        kind: SETTING,
        reason: "5.4.2 takes the last ones of a name; it asks for all of From to be signed, which 8.15 allows",
        explains: |it| {
            let is_from = |line: &&String| line.to_ascii_lowercase().starts_with("from:");
            it.we_pass() && it.header().iter().filter(is_from).count() > 1
        },
    },
    UNSIGNED_FROM,
    ITSELF,
    KEY_HASHES,
    BLANK_BEFORE_COLON,
    NO_FIELD,
    BASE64,
    Cause {
        name: "padding of b=",
        kind: SETTING,
        reason: "2.10: base64string ends in none, one or two ‘=’, whatever its length; it asks for a multiple of four",
        explains: |it| {
            let value = it.b().1.replace(blank, "");
            it.we_pass() && value.trim_end_matches('=').len() % 4 != 0 && value.len() % 4 != 0
        },
    },
    FUTURE,
    PARTIAL,
    BEYOND,
    TRAILING_BLANKS,
    BLANK_AROUND_B,
    Cause {
        name: "white space at the end of the field",
        kind: PEER,
        reason: "3.4.1: simple ‘does not change header fields in any way’, and 3.2 allows FWS before and after a tag",
        explains: |it| {
            it.we_pass() && it.signature().ends_with(blank) && !it.case.way.relaxed_header
        },
    },
    Cause {
        name: "key forbids subdomains",
        kind: PEER,
        reason: "3.6.1: with t=s the domain of i= ‘MUST NOT be a subdomain of \"d=\"’",
        explains: |it| it.because("t=s"),
    },
    Cause {
        name: "key for all services",
        kind: PEER,
        reason: "3.6.1: s= is a list, and ‘*’ in it matches all",
        explains: |it| it.we_pass() && it.they_say("UnknownKeyType"),
    },
];

pub const OPENDKIM: &[Cause<Judged>] = &[
    VERSION,
    LINE_ENDS,
    TWICE,
    ITSELF,
    BLANK_BEFORE_COLON,
    NO_FIELD,
    FUTURE,
    PARTIAL,
    QUERY,
    TRAILING_BLANKS,
    BLANK_AROUND_B,
    Cause {
        name: "no From field",
        kind: SETTING,
        reason: "3.8 assumes that messages conform to RFC 5322; a missing From that h= names is signed as missing (5.4.2)",
        explains: |it| it.we_pass() && it.case.is("no From field"),
    },
    ALGORITHM,
    BASE64,
    NUMBER,
    NAMES,
];
