//! Random values of Authentication-Results fields.

use crate::random::Random;

const METHODS: &[&str] = &[
    "spf=pass",
    "dkim=fail",
    "dmarc=none",
    "auth=pass",
    "iprev=permerror",
    "dkim/1=pass",
    "spf = softfail",
    "arc=pass",
    "x-own=whatever",
    "dkim=pass (a comment)",
    "spf=(c)pass",
];

const PROPERTIES: &[&str] = &[
    "smtp.mailfrom=a@example.com",
    "smtp.mailfrom=example.com",
    "header.d=example.com",
    "header.i=@example.com",
    "header.from=example.com",
    "policy.iprev=192.0.2.1",
    "smtp.helo=mx.example.com",
    "header.b=abc",
    "header.s=s1",
    "smtp.auth=\"a b\"",
    "header.i=\"a b\"@example.com",
    "smtp . mailfrom = example.com",
    "header.d (c) = example.com",
    "body.x=y",
];

const ODD: &[&str] = &[
    "action=none",
    "header.d",
    "header.d=",
    "dns.sec=yes",
    "header.=x",
    ".d=x",
    "header.b=a/b+c==",
    "smtp.mailfrom=<>",
    "header.d=a\\b",
    "junk",
    "header.from=\"unfinished",
    "(unfinished",
    "policy.x=2001:db8::1",
];

pub fn value(random: &mut Random) -> String {
    let mut value = random
        .pick(&[
            "mx.example.net",
            "mx.example.net",
            "mx.example.net 1",
            "(c) mx.example.net",
            "mx.example.net 2",
            "",
        ])
        .to_owned();
    if random.once_in(12) {
        value += "; none";
    }
    for _ in 0..random.below(4) {
        value += random.pick(&["; ", "; ", ";", " ; ", ";\r\n\t"]);
        value += random.pick(METHODS);
        if random.once_in(6) {
            value += random.pick(&[
                " reason=\"a reason\"",
                " reason=word",
                " reason = \"q\\\"uoted\"",
                " reason=",
            ]);
        }
        for _ in 0..random.below(3) {
            value += random.pick(&[" ", " ", "\r\n\t", "  ", " (c) "]);
            value += if random.once_in(12) {
                random.pick(ODD)
            } else {
                random.pick(PROPERTIES)
            };
        }
    }
    value += random.pick(&["", "", "", ";", " ", " (end)"]);
    if random.once_in(5) {
        value = random.change(&value, b" ;=.()\"\\@/aZ0");
    }
    value
}
