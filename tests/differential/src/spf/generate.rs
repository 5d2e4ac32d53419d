//! Random zones of SPF records, and requests that are held against them.

use std::net::IpAddr;

use crate::random::Random;
use crate::records::{Data, Records};

#[derive(Clone)]
pub struct Case {
    pub records: Records,
    pub client: IpAddr,
    pub helo: String,
    pub sender: String,
}

const CLIENTS: &[&str] = &[
    "192.0.2.1",
    "192.0.2.2",
    "198.51.100.9",
    "2001:db8::1",
    "2001:db8::2",
];

/// The domains that may have records. Each terms names those after its own more often than itself.
const DOMAINS: usize = 6;

/// Hosts with addresses of the clients, with others, with none, and one that fails.
const HOSTS: &[&str] = &[
    "four.example",
    "six.example",
    "both.example",
    "other.example",
    "empty.example",
    "gone.example",
    "fails.example",
    "many.example",
    "mail.d0.example",
];

const MACROS: &[&str] = &[
    "%{d}",
    "%{d2}.example",
    "x.%{o}",
    "%{ir}.ip.example",
    "%{i}.ip.example",
    "%{l}.user.example",
    "%{l1r-}.user.example",
    "%{h}",
    "%{p}",
    "%{s}.at.example",
    "%{v}.version.example",
    "%{D1}.example",
    "%{d10r}.example",
    "a%%b.example",
    "a%_b.example",
    "%{ir}.%{v}._spf.%{d2}",
    "%{l1r+-/_,=}.user.example",
];

/// What no domain-spec may be, and what one may be that looks wrong.
const ODD: &[&str] = &[
    "%{x}.example",
    "%{c}.example",
    "%{d0}.example",
    "%(d).example",
    "%",
    "%{d",
    "nodots",
    "d1.example.",
    "a..example",
    "127.0.0.1",
    "-bad-.example",
    "d1.example.1",
    "d1.e-",
    "_x.example",
    "d1.example:80",
    "%{d}..example",
    ".example",
    "d1.exa mple",
];

impl Case {
    pub fn random(random: &mut Random) -> Self {
        let mut records = Records::default();
        for domain in 0..DOMAINS {
            add_domain(&mut records, random, domain);
        }
        add_hosts(&mut records, random);
        let sender = match random.below(12) {
            0 => String::new(),
            1 => "@d0.example".to_owned(),
            2 => "d0.example".to_owned(),
            3 => "user@Mail.D0.example".to_owned(),
            4 => "first.last+tag=x@d0.example".to_owned(),
            5 => format!("user@{}", random.pick(ODD_DOMAINS)),
            _ => "user-x@d0.example".to_owned(),
        };
        Self {
            records,
            client: random.pick(CLIENTS).parse().unwrap(),
            helo: random
                .pick(&[
                    "d0.example",
                    "mail.d0.example",
                    "d1.example",
                    "mx",
                    "[192.0.2.1]",
                ])
                .to_owned(),
            sender,
        }
    }
}

const ODD_DOMAINS: &[&str] = &[
    "gone.example",
    "nodots",
    "a..example",
    "d0.example.",
    "fails.example",
    "[192.0.2.1]",
];

fn add_domain(records: &mut Records, random: &mut Random, domain: usize) {
    let name = format!("d{domain}.example");
    match random.below(30) {
        0 => return,
        1 => return records.add(&name, Data::Fails),
        2 => records.add(&name, Data::Txt(record(random, domain))),
        3 => records.add(&name, Data::Txt("some other text".to_owned())),
        _ => {}
    }
    let mut text = record(random, domain);
    if random.once_in(12) {
        text = random.change(&text, b" :=/%{}.-+~?19aZ\t");
    }
    records.add(&name, Data::Txt(text));
}

fn record(random: &mut Random, domain: usize) -> String {
    let mut terms = vec![match random.below(40) {
        0 => "v=spf10".to_owned(),
        1 => "V=SPF1".to_owned(),
        2 => " v=spf1".to_owned(),
        _ => "v=spf1".to_owned(),
    }];
    let count = if random.once_in(20) {
        14
    } else {
        random.below(6)
    };
    for _ in 0..count {
        terms.push(term(random, domain));
    }
    if random.once_in(2) {
        terms.push(format!("{}all", random.pick(&["-", "~", "?", "+", ""])));
    }
    let separator = random.pick(&[" ", " ", " ", " ", "  "]);
    terms.join(separator)
}

fn term(random: &mut Random, domain: usize) -> String {
    let qualifier = random.pick(&["", "", "", "+", "-", "~", "?"]);
    let target = target(random, domain);
    let mechanism = match random.below(26) {
        0..4 => format!("include:{target}"),
        4..7 => format!("a:{target}{}", prefixes(random)),
        7 => format!("a{}", prefixes(random)),
        8..10 => format!("mx:{target}{}", prefixes(random)),
        10 => format!("mx{}", prefixes(random)),
        11..13 => format!("exists:{target}"),
        13 => "ptr".to_owned(),
        14 => format!("ptr:{target}"),
        15..18 => format!("ip4:{}", random.pick(NETWORKS_4)),
        18..20 => format!("ip6:{}", random.pick(NETWORKS_6)),
        20 | 21 => return format!("redirect={target}"),
        22 => return format!("exp={target}"),
        23 => return random.pick(MODIFIERS).to_owned(),
        24 => random.pick(ODD_TERMS).to_owned(),
        _ => random
            .pick(&["A", "MX", "Include:d1.example", "IP4:192.0.2.1", "aLL"])
            .to_owned(),
    };
    format!("{qualifier}{mechanism}")
}

const NETWORKS_4: &[&str] = &[
    "192.0.2.1",
    "192.0.2.0/24",
    "192.0.2.3/31",
    "0.0.0.0/0",
    "198.51.100.0/25",
    "203.0.113.1/32",
    "192.0.2.256",
    "192.0.2.1/33",
    "192.0.2",
    "192.0.2.1/024",
    "192.0.2.01",
    "192.0.2.1/",
    "2001:db8::1",
];

const NETWORKS_6: &[&str] = &[
    "2001:db8::1",
    "2001:db8::/32",
    "::/0",
    "2001:DB8:0:0::2/127",
    "2001:db8::1/129",
    "::ffff:192.0.2.1",
    "192.0.2.1",
    "2001:db8::1/0128",
    "2001:db8:::1",
    "1:2:3:4:5:6:7:8:9",
];

const MODIFIERS: &[&str] = &[
    "unknown=%{d}",
    "x-y_z.1=",
    "moo=a%%b",
    "bad=%{q}",
    "1st=x",
    "op=x",
    "default=pass",
    "match_subdomains=yes",
];

const ODD_TERMS: &[&str] = &[
    "all:x",
    "ip4",
    "ip6:",
    "include",
    "exists",
    "moo",
    "moo:x.example",
    "all/8",
    "include:d1.example/24",
    "exists:d1.example/24",
    "ptr/24",
    "a:",
    "mx:",
    "ip4:192.0.2.1//24",
    "a,",
    "-",
    "ip5:192.0.2.1",
    "redirect:d1.example",
    "include=d1.example",
    "a=four.example",
    "exists=four.example",
];

fn prefixes(random: &mut Random) -> &'static str {
    match random.below(3) {
        0 => random.pick(&[
            "/24", "//64", "/24//64", "/0", "//0", "/32", "/31//127", "//128", "/33", "//129", "/",
            "//", "/024", "/24/64", "/-1", "/24//", "/0//0",
        ]),
        _ => "",
    }
}

fn target(random: &mut Random, domain: usize) -> String {
    match random.below(10) {
        0..5 => {
            // Forward only, mostly, or most chains would run into the limit.
            let after = DOMAINS - 1 - domain;
            let next = domain + 1 + random.below(after);
            format!(
                "d{}.example",
                if random.once_in(25) {
                    domain
                } else {
                    next % DOMAINS
                }
            )
        }
        5..8 => random.pick(HOSTS).to_owned(),
        8 => random.pick(MACROS).to_owned(),
        _ if random.once_in(2) => random.pick(ODD).to_owned(),
        _ => random.pick(MACROS).to_owned(),
    }
}

fn add_hosts(records: &mut Records, random: &mut Random) {
    let address = |records: &mut Records, name: &str, address: &str| {
        records.add(name, Data::Address(address.parse().unwrap()));
    };
    address(records, "four.example", "192.0.2.1");
    address(records, "six.example", "2001:db8::1");
    address(records, "both.example", "192.0.2.2");
    address(records, "both.example", "2001:db8::2");
    address(records, "other.example", "203.0.113.5");
    address(records, "mail.d0.example", "192.0.2.1");
    address(records, "mail.d0.example", "2001:db8::1");
    address(records, "1.2.0.192.ip.example", "127.0.0.2");
    address(records, "192.0.2.1.ip.example", "127.0.0.2");
    address(records, "user-x.user.example", "127.0.0.2");
    address(records, "d2.example", "192.0.2.1");
    records.add("empty.example", Data::Txt("nothing to look for".to_owned()));
    records.add("mail.d0.example", Data::Txt("v=spf1 a -all".to_owned()));
    records.add("fails.example", Data::Fails);
    for domain in 0..DOMAINS {
        for _ in 0..random.below(3) {
            let preference = random.below(3) as u16 * 10;
            let exchange = random.pick(HOSTS).to_owned();
            records.add(
                &format!("d{domain}.example"),
                Data::Mx(preference, exchange),
            );
        }
    }
    let exchanges = 9 + random.below(4);
    for at in 0..exchanges {
        let host = format!("mx{at}.example");
        records.add("many.example", Data::Mx(10, host.clone()));
        address(
            records,
            &host,
            if at + 1 == exchanges {
                "192.0.2.1"
            } else {
                "203.0.113.5"
            },
        );
    }
    for client in CLIENTS {
        let bound = if random.once_in(8) { 14 } else { 3 };
        for _ in 0..random.below(bound) {
            let name = random.pick(HOSTS);
            records.add("", Data::Ptr(client.parse().unwrap(), name.to_owned()));
        }
    }
}
