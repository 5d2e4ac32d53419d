//! SPF in memory: reading records, and whole checks against a zone, with allocations counted.
//!
//! The records have the shapes of those that large senders publish; the names and addresses are
//! for documentation.

mod harness;

use std::hint::black_box;
use std::net::IpAddr;

use mailproof::dns::{Zone, block_on};
use mailproof::spf::{Record, Request, Settings, check_host};

/// Domain, record.
const RECORDS: &[(&str, &str)] = &[
    ("search.example", "v=spf1 include:_spf.search.example ~all"),
    (
        "_spf.search.example",
        "v=spf1 include:_netblocks.search.example include:_netblocks2.search.example include:_netblocks3.search.example ~all",
    ),
    (
        "_netblocks.search.example",
        "v=spf1 ip4:35.190.247.0/24 ip4:64.233.160.0/19 ip4:66.102.0.0/20 ip4:66.249.80.0/20 ip4:72.14.192.0/18 ip4:74.125.0.0/16 ip4:108.177.8.0/21 ip4:173.194.0.0/16 ip4:209.85.128.0/17 ip4:216.58.192.0/19 ip4:216.239.32.0/19 ~all",
    ),
    (
        "_netblocks2.search.example",
        "v=spf1 ip6:2001:db8:4000::/36 ip6:2404:6800:4000::/36 ip6:2607:f8b0:4000::/36 ip6:2800:3f0:4000::/36 ip6:2a00:1450:4000::/36 ip6:2c0f:fb50:4000::/36 ~all",
    ),
    (
        "_netblocks3.search.example",
        "v=spf1 ip4:172.217.0.0/19 ip4:172.217.32.0/20 ip4:172.217.128.0/19 ip4:172.217.160.0/20 ip4:172.217.192.0/19 ip4:172.253.56.0/21 ip4:172.253.112.0/20 ip4:108.177.96.0/19 ip4:35.191.0.0/16 ip4:130.211.0.0/22 ~all",
    ),
    (
        "office.example",
        "v=spf1 include:spf.protection.office.example -all",
    ),
    (
        "spf.protection.office.example",
        "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/15 ip4:52.102.0.0/16 ip4:52.103.0.0/17 ip4:104.47.0.0/17 ip6:2a01:111:f400::/48 ip6:2a01:111:f403::/49 ip6:2a01:111:f403:8000::/51 ip6:2a01:111:f403:c000::/51 ip6:2a01:111:f403:f000::/52 -all",
    ),
    ("own.example", "v=spf1 mx a -all"),
    ("one.example", "v=spf1 ip4:192.0.2.0/24 -all"),
    ("moved.example", "v=spf1 redirect=one.example"),
    ("nobody.example", "v=spf1 -all"),
    (
        "shop.example",
        "v=spf1 a mx include:spf.protection.office.example include:_spf.search.example ip4:198.51.100.17 ~all",
    ),
    (
        "macro.example",
        "v=spf1 include:%{ir}._ip.%{d}._spf.vali.example ~all",
    ),
    (
        "9.2.0.192._ip.macro.example._spf.vali.example",
        "v=spf1 ip4:192.0.2.9 -all",
    ),
    (
        "exists.example",
        "v=spf1 exists:%{i}._spf.exists.example -all",
    ),
    ("why.example", "v=spf1 -all exp=text.why.example"),
];

/// What is checked: domain and client.
const CHECKS: &[(&str, &str)] = &[
    ("search.example", "216.239.32.9"),
    ("search.example", "2a00:1450:4000::25"),
    ("search.example", "192.0.2.9"),
    ("office.example", "104.47.11.20"),
    ("own.example", "192.0.2.25"),
    ("one.example", "192.0.2.9"),
    ("moved.example", "192.0.2.9"),
    ("nobody.example", "192.0.2.9"),
    ("shop.example", "198.51.100.17"),
    ("macro.example", "192.0.2.9"),
    ("exists.example", "192.0.2.9"),
    ("why.example", "192.0.2.9"),
];

fn zone() -> Zone {
    let mut zone = Zone::new();
    for (domain, record) in RECORDS {
        zone.add_txt(domain, record).unwrap();
    }
    for domain in ["own.example", "shop.example"] {
        zone.add_mx(domain, 10, "mx1.own.example").unwrap();
        zone.add_mx(domain, 20, "mx2.own.example").unwrap();
        zone.add_address(domain, [192, 0, 2, 80].into()).unwrap();
    }
    zone.add_address("mx1.own.example", [192, 0, 2, 24].into())
        .unwrap();
    zone.add_address("mx2.own.example", [192, 0, 2, 25].into())
        .unwrap();
    zone.add_address("192.0.2.9._spf.exists.example", [127, 0, 0, 2].into())
        .unwrap();
    zone.add_txt("text.why.example", "%{i} is none of ours")
        .unwrap();
    zone
}

fn main() {
    if !harness::is_bench() {
        return;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // Any other argument picks the lines that contain it.
    let is_wanted = |line: &str| {
        let mut filters = arguments
            .iter()
            .filter(|argument| !argument.starts_with("--"));
        filters.clone().next().is_none() || filters.any(|filter| line.contains(filter.as_str()))
    };
    for (domain, record) in RECORDS {
        if !is_wanted(&format!("parse {domain}")) {
            continue;
        }
        let (time, allocations) = harness::measure(|| {
            black_box(Record::parse(black_box(record.as_bytes()))).ok();
        });
        println!("parse {domain:45} {time:8.0} ns {allocations:4} allocations");
    }
    // The work grows with the terms and no faster.
    for count in [25, 50, 100, 200, 400] {
        if !is_wanted(&format!("terms {count}")) {
            continue;
        }
        let networks: String = (0..count)
            .map(|n| format!("ip4:198.18.{}.0/24 ", n % 256))
            .collect();
        let record = format!("v=spf1 {networks}-all");
        let (time, allocations) = harness::measure(|| {
            black_box(Record::parse(black_box(record.as_bytes()))).ok();
        });
        println!("terms {count:<4} ip4 {time:8.0} ns {allocations:4} allocations");
    }
    let zone = zone();
    let settings = Settings::default();
    for (domain, client) in CHECKS {
        if !is_wanted(&format!("check {domain}")) {
            continue;
        }
        let client: IpAddr = client.parse().unwrap();
        let request = Request::mail_from(client, "mx.example.com", domain);
        let result = block_on(check_host(&zone, &request, &settings));
        let (time, allocations) = harness::measure(|| {
            black_box(block_on(check_host(&zone, black_box(&request), &settings)));
        });
        let word = result.result();
        let queries = result.queries();
        println!(
            "check {domain:20} {client:24} {time:8.0} ns {allocations:4} allocations, {queries} queries, {word}"
        );
    }
}
