//! The feature-free crate verifies a signed message on one thread.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use mailproof::dns::block_on;
use mailproof::{Action, Message, Session, Verifier};
use mailproof_bare::Blocking;

fn data(file: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data/scenarios");
    std::fs::read(folder.join(file)).unwrap()
}

#[test]
fn verifies_without_a_runtime() {
    let mut resolver = Blocking::default();
    resolver.add("firma-a.tld", "v=spf1 ip4:192.0.2.10 -all");
    resolver.add("_dmarc.firma-a.tld", "v=DMARC1; p=reject");
    let keys = String::from_utf8(data("keys.zone")).unwrap();
    let key = keys
        .lines()
        .find(|line| line.starts_with("s1._domainkey.firma-a.tld"))
        .unwrap();
    let text: String = key.split('"').skip(1).step_by(2).collect();
    resolver.add("s1._domainkey.firma-a.tld", &text);

    let verifier = Verifier::new(resolver);
    let session = Session::new(
        [192, 0, 2, 10].into(),
        "mx.firma-a.tld",
        "userA@firma-a.tld",
    );
    let octets = data("b-author-signed.eml");
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_684_227_600);
    let verdict = block_on(verifier.at(now).verify(&session, &Message::parse(&octets)));
    assert_eq!(verdict.spf().authoritative().result().as_str(), "pass");
    assert_eq!(verdict.dkim().first().unwrap().result().as_str(), "pass");
    assert_eq!(verdict.dmarc().result().as_str(), "pass");
    assert_eq!(verdict.action(), Action::Deliver);
}

/// The whole dependency tree holds no async runtime.
#[test]
fn no_runtime_in_the_tree() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--edges", "normal", "--prefix", "none"])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"),
        ])
        .output()
        .unwrap();
    let tree = String::from_utf8(tree.stdout).unwrap();
    assert!(tree.contains("mailproof v"), "{tree}");
    for runtime in ["tokio", "async-std", "smol", "futures", "mio"] {
        assert!(
            !tree
                .lines()
                .any(|line| line.starts_with(&format!("{runtime} v"))),
            "{tree}"
        );
    }
}
