//! SRS: forwarding and reversing an address. No peer among those that may be looked at does it; the
//! floor is the two HMACs that nobody does without.

use std::hint::black_box;
use std::time::{Duration, UNIX_EPOCH};

use mailproof::srs::{Forwarded, Reversed, Rewriter};

use crate::library::hmac;
use crate::{Row, Table};

pub fn rows(table: &mut Table) {
    let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let rewriter = Rewriter::new("fwd.example".parse().unwrap(), "mysecret").unwrap();
    let ours = || {
        let Forwarded::Srs0(srs) = rewriter.forward(black_box("alice@example.com"), now) else {
            panic!("rewritten");
        };
        let Reversed::Valid { address, .. } = rewriter.reverse(&srs, now) else {
            panic!("valid");
        };
        black_box(address);
    };
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"mysecret");
    let floor = || {
        for _ in 0..2 {
            black_box(hmac::sign(&key, black_box(b"g3example.comalice")));
        }
    };
    table.run(&Row::new("srs forward and reverse", &ours).floor(&floor));
}
