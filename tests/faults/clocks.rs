//! Clocks that stand at the beginning of time, far in the future, or before the message was made.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::crypto::SigningKey;
use mailproof::dkim::{self, DkimResult, Signer};
use mailproof::dns::{Zone, block_on};
use mailproof::srs::{Forwarded, Reversed, Rewriter};
use mailproof::verifier::Settings;
use mailproof::{Message, Session, Verifier};

const MAIL: &str = "From: a@x.example\r\n\r\nHello\r\n";

/// From before the epoch to the last second that a clock can show.
fn times() -> Vec<SystemTime> {
    let mut times: Vec<SystemTime> = [0, 1, 1_700_000_000, u64::from(u32::MAX), 999_999_999_999]
        .map(|seconds| UNIX_EPOCH + Duration::from_secs(seconds))
        .into();
    times.push(UNIX_EPOCH - Duration::from_secs(86_400));
    let last = (0..63).rev().fold(UNIX_EPOCH, |time, bit| {
        time.checked_add(Duration::from_secs(1 << bit))
            .unwrap_or(time)
    });
    times.push(last);
    times
}

fn signer() -> Signer {
    let key = SigningKey::ed25519(&[3; 32]).unwrap();
    Signer::new(key, "x.example".parse().unwrap(), "s").unwrap()
}

/// A signature made by one clock, verified by another. Without a limit of its own it holds for ever;
/// with one it fails behind it and never before, unless the receiver refuses the future.
#[test]
fn signatures() {
    let mut zone = Zone::new();
    zone.add_txt("s._domainkey.x.example", signer().record())
        .unwrap();
    let session = Session::unknown();
    for made in times() {
        for lifetime in [None, Some(Duration::from_secs(7 * 86_400))] {
            let signer = match lifetime {
                None => signer(),
                Some(lifetime) => signer().expires_after(lifetime),
            };
            let signed =
                dkim::Signer::sign(&[signer], &Message::parse(MAIL.as_bytes()), made).unwrap();
            let mail = format!("{}{MAIL}", signed.header());
            let message = Message::parse(mail.as_bytes());
            for now in times() {
                let mut settings = Settings::default();
                for refuse_future in [false, true] {
                    settings.dkim.refuse_future = refuse_future;
                    let verifier = Verifier::with_settings(&zone, settings.clone());
                    let verdict = block_on(verifier.at(now).verify(&session, &message));
                    let since = |time: SystemTime| {
                        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
                        since.as_secs().min(999_999_999_999)
                    };
                    // What a signature cannot express is not in it.
                    let one = &verdict.dkim()[0];
                    let expired = one
                        .expiration()
                        .is_some_and(|expiration| since(now) > expiration + 300);
                    let future = one.timestamp().is_some_and(|made| made > since(now) + 300);
                    let expected = match (expired, future && refuse_future) {
                        (true, _) => DkimResult::Fail,
                        (false, true) => DkimResult::Policy,
                        (false, false) => DkimResult::Pass,
                    };
                    assert_eq!(one.result(), expected, "{made:?} {now:?} {one}");
                }
            }
        }
    }
}

/// An address that was written by one clock comes back by another: valid for its days, expired
/// else, by the days modulo 1024 that it has.
#[test]
fn rewritten_senders() {
    let rewriter = Rewriter::new("fwd.example".parse().unwrap(), "a secret").unwrap();
    for made in times() {
        let Forwarded::Srs0(address) = rewriter.forward("a@x.example", made) else {
            panic!("it is rewritten");
        };
        let same = rewriter.reverse(&address, made);
        assert!(matches!(same, Reversed::Valid { .. }), "{made:?} {same:?}");
        for now in times() {
            match rewriter.reverse(&address, now) {
                Reversed::Valid { .. } | Reversed::Expired(_) => {}
                other => panic!("{made:?} {now:?} {other:?}"),
            }
        }
    }
}
