//! SPF in memory: domains of all kinds, records parsed each time, kept by the peer, or kept by both.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use mailproof::dns::{Cache, Resolver, block_on};
use mailproof::spf::{self, Request, SpfResult, check_host};

use crate::peer::{Data, Peer};
use crate::{Row, Table, zone};

/// A domain, who of its clients asks, and what comes of it.
struct Sender {
    name: &'static str,
    client: &'static str,
    result: SpfResult,
}

const SENDERS: &[Sender] = &[
    sender("small", "192.0.2.1", SpfResult::Pass),
    sender("forged-small", "203.0.113.9", SpfResult::Fail),
    sender("a-mx", "192.0.2.26", SpfResult::Pass),
    sender("google", "209.85.128.41", SpfResult::Pass),
    sender("google-last", "35.191.1.1", SpfResult::Pass),
    sender("microsoft", "40.107.1.1", SpfResult::Pass),
    sender("redirect", "74.125.1.1", SpfResult::Pass),
    sender("many-includes", "198.51.100.77", SpfResult::Pass),
    sender("macro", "192.0.2.7", SpfResult::Pass),
    sender("long", "198.18.59.1", SpfResult::Pass),
    sender("exists", "192.0.2.8", SpfResult::Pass),
    sender("ipv6", "2001:db8:17::25", SpfResult::Pass),
    sender("deep", "198.51.100.3", SpfResult::Pass),
    sender("softfail", "203.0.113.9", SpfResult::Softfail),
];

const fn sender(name: &'static str, client: &'static str, result: SpfResult) -> Sender {
    Sender {
        name,
        client,
        result,
    }
}

fn senders() -> Vec<(String, Data)> {
    let mut records: Vec<(String, Data)> = Vec::new();
    let mut txt = |name: &str, text: &str| records.push((name.into(), Data::Txt(text.into())));
    txt("small.example", "v=spf1 ip4:192.0.2.0/28 -all");
    txt("forged-small.example", "v=spf1 ip4:192.0.2.0/28 -all");
    txt("a-mx.example", "v=spf1 a mx ~all");
    txt("google.example", "v=spf1 include:_spf.google.example ~all");
    txt(
        "google-last.example",
        "v=spf1 include:_spf.google.example ~all",
    );
    txt(
        "_spf.google.example",
        "v=spf1 ip4:74.125.0.0/16 ip4:209.85.128.0/17 ip6:2001:4860:4864::/56 ip6:2404:6800:4864::/56 \
         ip6:2607:f8b0:4864::/56 ip6:2800:3f0:4864::/56 ip6:2a00:1450:4864::/56 \
         ip6:2c0f:fb50:4864::/56 ip4:35.190.247.0/24 ip4:64.233.160.0/19 ip4:66.102.0.0/20 \
         ip4:66.249.80.0/20 ip4:72.14.192.0/18 ip4:108.177.8.0/21 ip4:173.194.0.0/16 \
         ip4:216.239.32.0/19 ip4:172.217.0.0/19 ip4:172.217.32.0/20 ip4:172.217.128.0/19 \
         ip4:172.217.160.0/20 ip4:172.217.192.0/19 ip4:172.253.56.0/21 ip4:172.253.112.0/20 \
         ip4:108.177.96.0/19 ip4:35.191.0.0/16 ip4:130.211.0.0/22 ~all",
    );
    txt(
        "microsoft.example",
        "v=spf1 include:spf.protection.outlook.example -all",
    );
    txt(
        "spf.protection.outlook.example",
        "v=spf1 ip4:40.92.0.0/15 ip4:40.107.0.0/16 ip4:52.100.0.0/15 ip4:52.102.0.0/16 \
         ip4:52.103.0.0/17 ip4:104.47.0.0/17 ip6:2a01:111:f400::/48 ip6:2a01:111:f403::/49 \
         ip6:2a01:111:f403:8000::/51 ip6:2a01:111:f403:c000::/51 ip6:2a01:111:f403:f000::/52 -all",
    );
    txt("redirect.example", "v=spf1 redirect=_spf.google.example");
    txt(
        "many-includes.example",
        "v=spf1 include:_spf.google.example include:spf.protection.outlook.example \
         include:one.example include:two.example include:three.example -all",
    );
    txt("one.example", "v=spf1 ip4:198.51.100.0/28 ~all");
    txt("two.example", "v=spf1 ip4:198.51.100.16/28 ~all");
    txt("three.example", "v=spf1 ip4:198.51.100.64/26 ~all");
    txt("macro.example", "v=spf1 exists:%{ir}.%{v}._spf.%{d} -all");
    let networks: String = (0..60).map(|n| format!("ip4:198.18.{n}.0/24 ")).collect();
    txt("long.example", &format!("v=spf1 {networks}-all"));
    txt("softfail.example", &format!("v=spf1 {networks}~all"));
    txt("exists.example", "v=spf1 redirect=_spf.exists.example");
    txt("_spf.exists.example", "v=spf1 exists:%{i}._ip.%{d2} -all");
    let networks: String = (0..24).map(|n| format!("ip6:2001:db8:{n}::/48 ")).collect();
    txt("ipv6.example", &format!("v=spf1 {networks}-all"));
    txt("deep.example", "v=spf1 a include:_1.deep.example ~all");
    txt(
        "_1.deep.example",
        "v=spf1 ip4:203.0.113.0/26 include:_2.deep.example ~all",
    );
    txt(
        "_2.deep.example",
        "v=spf1 ip4:203.0.113.64/26 include:_3.deep.example ~all",
    );
    txt("_3.deep.example", "v=spf1 ip4:198.51.100.0/24 ~all");
    let mut a = |name: &str, address: [u8; 4]| {
        records.push((name.into(), Data::A(Ipv4Addr::from(address))));
    };
    a("a-mx.example", [192, 0, 2, 25]);
    a("mx1.a-mx.example", [192, 0, 2, 26]);
    a("deep.example", [192, 0, 2, 30]);
    a("192.0.2.8._ip.exists.example", [127, 0, 0, 2]);
    a("7.2.0.192.in-addr._spf.macro.example", [127, 0, 0, 2]);
    records.push(("a-mx.example".into(), Data::Mx("mx1.a-mx.example".into())));
    records
}

pub fn rows(table: &mut Table) {
    let records = senders();
    let zone = zone(&records);
    let settings = spf::Settings::default();
    let cache = Cache::new(zone.clone(), || Duration::ZERO);
    let cold = Peer::new(&records).cold();
    let warm = Peer::new(&records);
    for sender in SENDERS {
        let client: IpAddr = sender.client.parse().unwrap();
        let from = format!("alice@{}.example", sender.name);
        let check = |resolver| {
            let request = Request::mail_from(client, "mail.example.org", black_box(&from));
            let evaluation = block_on(check_host(resolver, &request, &settings));
            assert_eq!(evaluation.result(), sender.result, "{}", evaluation.cause());
        };
        let tempers: [(&str, &dyn Resolver, &Peer); 3] = [
            ("(peer cold)", &zone, &cold),
            ("(peer warm)", &zone, &warm),
            ("(both warm)", &cache, &warm),
        ];
        for (temper, resolver, peer) in tempers {
            let ours = || check(resolver);
            let theirs = || {
                let passes = peer.spf(client, "mail.example.org", black_box(&from));
                assert_eq!(passes, sender.result == SpfResult::Pass);
            };
            let name = format!("spf {} {temper}", sender.name);
            table.run(&Row::new(&name, &ours).peer(&theirs));
        }
    }
}
