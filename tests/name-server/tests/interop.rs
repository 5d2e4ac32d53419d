//! The same zones by a name server that others wrote and by `Zone`: every name and type must get
//! the same answer. `.ci/interop-dns.sh` starts the server and names it in `NAME_SERVER`.

use std::fmt::Debug;
use std::time::Duration;

use mailproof::dns::{HickoryResolver, LookupError, Name, Outcome, Resolver, Zone};

const ZONES: [&str; 2] = [
    include_str!("../data/interop.zone"),
    include_str!("../data/other.zone"),
];

/// Below `interop.test`.
const NAMES: [&str; 44] = [
    "",
    "ns",
    "mx1",
    "sub",
    "mx2.sub",
    "nullmx",
    "strings",
    "group",
    "octets",
    "tabs",
    "empty",
    "bare",
    "escaped",
    "many",
    "large",
    r"a\.dot",
    "a.dot",
    "dot",
    r"a\032space",
    r"\000\255",
    r"semi\;colon",
    r"at\@sign",
    "upper",
    "UPPER",
    "user+x=y/z!",
    "absolute",
    "below",
    "relative.below",
    "alias",
    "alias2",
    "dangling",
    "nodata",
    "elsewhere",
    "nowhere",
    "wild",
    "any.wild",
    "two.any.wild",
    "x.wild",
    "z.x.wild",
    "down.empties",
    "srv",
    "unknown",
    "generic",
    "25.2.0.192.in-addr",
];

fn resolver() -> HickoryResolver {
    let server = std::env::var("NAME_SERVER").expect("NAME_SERVER");
    HickoryResolver::new([server.parse().expect("an address and a port")])
        .expect("a resolver")
        .timeout(Duration::from_secs(2))
}

async fn until_started() {
    let name: Name = "ns.interop.test".parse().expect("a name");
    for _ in 0..100 {
        if resolver().a(&name).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the name server does not answer");
}

/// A negative answer has a TTL only on the wire, and the order of records is anybody's.
fn comparable<T: Clone + Debug>(result: Result<Outcome<T>, LookupError>) -> String {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(error) => return error.to_string(),
    };
    let mut records: Vec<_> = outcome
        .as_slice()
        .iter()
        .map(|r| format!("{r:?}"))
        .collect();
    records.sort_unstable();
    match outcome.ttl() {
        _ if outcome.is_no_such_name() => "no such name".to_owned(),
        Some(ttl) if !records.is_empty() => format!("{ttl:?} {records:?}"),
        _ => format!("{records:?}"),
    }
}

#[tokio::test]
#[ignore = "needs a name server"]
async fn the_server_and_the_zone_agree() {
    until_started().await;
    let zone = Zone::from_text(ZONES.concat()).expect("zones");
    for server in [resolver(), resolver().tcp_only()] {
        for below in NAMES {
            let dot = if below.is_empty() { "" } else { "." };
            let name: Name = format!("{below}{dot}interop.test").parse().expect("a name");
            let from_server = [
                comparable(server.txt(&name).await),
                comparable(server.a(&name).await),
                comparable(server.aaaa(&name).await),
                comparable(server.mx(&name).await),
                comparable(server.ptr(&name).await),
            ];
            let from_zone = [
                comparable(zone.txt(&name).await),
                comparable(zone.a(&name).await),
                comparable(zone.aaaa(&name).await),
                comparable(zone.mx(&name).await),
                comparable(zone.ptr(&name).await),
            ];
            assert_eq!(from_server, from_zone, "{name} by {server:?}");
        }
    }
}

#[tokio::test]
#[ignore = "needs a name server"]
async fn failures_are_told_apart() {
    until_started().await;
    let ask = async |name: &str| {
        let name: Name = name.parse().expect("a name");
        resolver().txt(&name).await
    };
    assert_eq!(ask("x.unknown.test").await, Err(LookupError::Refused));
    // A zone without its file.
    assert_eq!(ask("x.broken.test").await, Err(LookupError::ServFail));
    let nowhere = ask("nowhere.interop.test").await.expect("an outcome");
    assert!(nowhere.is_no_such_name());
    assert_eq!(nowhere.ttl(), Some(Duration::from_secs(300)));
    let no_data = ask("ns.interop.test").await.expect("an outcome");
    assert!(no_data.as_slice().is_empty() && !no_data.is_no_such_name());
    assert_eq!(no_data.ttl(), Some(Duration::from_secs(300)));
}
