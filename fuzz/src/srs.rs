//! SRS: whatever the address, nothing panics, and only what we wrote reverses.

use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::srs::{self, Construction, Forwarded, Reversed, Rewriter};

static REWRITERS: LazyLock<[Rewriter; 2]> = LazyLock::new(|| {
    let domain = "fwd.example".parse().expect("a domain");
    let compatible = Rewriter::new(domain, "mysecret").expect("a secret");
    let delimited = compatible
        .clone()
        .construction(Construction::Delimited)
        .hash_length(8)
        .expect("a length");
    [compatible, delimited]
});

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// Any octets as recipient and as sender. What is rewritten within the limits reverses to what it
/// was, and says so if it is beyond them.
pub fn reverse(data: &[u8]) {
    for rewriter in &*REWRITERS {
        let _ = rewriter.reverse(data, now());
        let (address, fits) = match rewriter.forward(data, now()) {
            Forwarded::Srs0(address) | Forwarded::Srs1(address) => (address, true),
            Forwarded::TooLong { address, .. } => (address, false),
            _ => continue,
        };
        let (local_part, _) = address.rsplit_once('@').expect("an address");
        assert_eq!(fits, local_part.len() <= 64 && address.len() <= 254);
        assert!(!address.chars().any(char::is_control));
        match rewriter.reverse(&address, now()) {
            Reversed::Valid { address: back, .. } if address.starts_with("SRS0") => {
                // Angle brackets and source routes are not kept.
                assert!(data.ends_with(back.as_bytes()) || data.ends_with(b">"));
            }
            Reversed::Valid { .. } | Reversed::Stored { .. } => {}
            // Quoted strings in another forwarder's opaque part may be cut anywhere.
            Reversed::Malformed(_) if address.starts_with("SRS1") => {}
            other => panic!("{address}: {other:?}"),
        }
    }
}

/// Any octets, read without the secret: what is claimed is made of one line of valid text.
pub fn decode(data: &[u8]) {
    let Some(claimed) = srs::Claimed::decode(data) else {
        return;
    };
    for address in [claimed.original(), claimed.previous()]
        .into_iter()
        .flatten()
    {
        assert!(!address.chars().any(char::is_control));
        assert!(address.find('@').is_some_and(|at| at > 0));
    }
    assert!(claimed.age(now()).is_none_or(|age| age < 1024));
    assert!(claimed.days(now()).all(|day| day <= now()));
}
