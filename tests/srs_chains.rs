//! Chains of forwarders, the bounce that travels back through them, and what must never happen on
//! the way.

use std::collections::HashSet;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::srs::{Claimed, Construction, Form, Forwarded, Malformed, Reversed, Rewriter};

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_700_000_000)
}

/// Small, fast and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }

    fn text(&mut self, from: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(*self.pick(from))).collect()
    }

    fn address(&mut self) -> String {
        let length = 1 + self.below(30);
        let mut local = self.text(
            b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.=+-_'!#$%&*/?^`{|}~",
            length,
        );
        if self.below(8) == 0 {
            local = format!("\"{} @{}\"", local, self.text(b"ab @,;<>()[]:", 3));
        }
        if self.below(8) == 0 {
            local = format!("prvs=0123abcd={local}");
        }
        let length = 1 + self.below(12);
        let host = self.text(b"abcdefghijklmnopqrstuvwxyzABC0123456789-_", length);
        let top = *self.pick(&["com", "example", "co.uk", "ORG"]);
        format!("{local}@{host}.{top}")
    }
}

fn address(forwarded: Forwarded) -> String {
    match forwarded {
        Forwarded::Srs0(address) | Forwarded::Srs1(address) => address,
        Forwarded::TooLong { address, .. } => address,
        other => panic!("{other:?}"),
    }
}

/// Forwarders of different software: each separator, both url_safes, several hash lengths.
fn forwarders() -> Vec<Rewriter> {
    let new = |host: &str| {
        let domain = format!("{host}.example").parse().unwrap();
        Rewriter::new(domain, format!("secret of {host}")).unwrap()
    };
    vec![
        new("a"),
        new("b").separator('+').unwrap(),
        new("c").url_safe_hash(true),
        new("d").separator('-').unwrap(),
        new("e").hash_length(8).unwrap(),
    ]
}

/// Sends through the chain and returns the sender after each hop.
fn through(chain: &[Rewriter], sender: &str) -> Vec<String> {
    let mut senders = vec![sender.to_owned()];
    for forwarder in chain {
        let last = senders.last().unwrap();
        senders.push(address(forwarder.forward(last, now())));
    }
    senders
}

/// Sends a bounce back and returns every address that it was sent to.
fn bounce(chain: &[Rewriter], to: &str) -> Vec<(String, bool)> {
    let mut stations = Vec::new();
    let mut to = to.to_owned();
    let week = now() + Duration::from_secs(7 * 86_400);
    loop {
        let at = chain
            .iter()
            .find_map(|forwarder| match forwarder.reverse(&to, week) {
                Reversed::NotSrs | Reversed::ForeignDomain => None,
                Reversed::Valid {
                    address, is_sender, ..
                } => Some((address, is_sender)),
                other => panic!("{to}: {other:?}"),
            });
        let Some(station) = at else {
            return stations;
        };
        to.clone_from(&station.0);
        stations.push(station);
    }
}

#[test]
fn chains_of_2_3_and_5() {
    let all = forwarders();
    for length in [2, 3, 5] {
        for rotation in 0..5 {
            let mut chain = all.clone();
            chain.rotate_left(rotation);
            chain.truncate(length);
            let senders = through(&chain, "Alice=x@Example.COM");
            assert_eq!(senders.len(), length + 1);
            assert!(senders[1].starts_with("SRS0"), "{senders:?}");
            assert!(senders[2..].iter().all(|s| s.starts_with("SRS1")));
            // However long the chain, the bounce takes two steps.
            let stations = bounce(&chain, senders.last().unwrap());
            assert_eq!(
                stations,
                [(senders[1].clone(), false), (senders[0].clone(), true)]
            );
            // And from the middle of the chain alike.
            for (hop, sender) in senders.iter().enumerate().skip(1) {
                let stations = bounce(&chain, sender);
                assert_eq!(stations.len(), if hop == 1 { 1 } else { 2 });
                let claimed = Claimed::decode(sender).unwrap();
                let original = claimed.original().unwrap();
                assert_eq!(original, "Alice=x@example.com");
                assert_eq!(claimed.form() == Form::Srs0, hop == 1);
            }
        }
    }
}

#[test]
fn a_forwarder_that_appears_twice() {
    let mut chain = forwarders();
    chain.truncate(2);
    let (first, second) = (&chain[0], &chain[1]);
    let once = address(first.forward("x@example.com", now()));
    let twice = address(second.forward(&once, now()));
    // Back at the first forwarder: SRS1 of itself.
    let thrice = address(first.forward(&twice, now()));
    let stations = bounce(&chain, &thrice);
    assert_eq!(stations.last().unwrap().0, "x@example.com");
    assert_eq!(stations.len(), 2);
}

#[test]
fn every_address_that_fits_comes_back() {
    let mut random = Random(0x5eed);
    let all = forwarders();
    let closed: Vec<Rewriter> = all
        .iter()
        .map(|f| f.clone().construction(Construction::Delimited))
        .collect();
    for _ in 0..5_000 {
        let sender = random.address();
        let set = *random.pick(&[&all, &closed]);
        let forwarder = random.pick(set);
        let forwarded = forwarder.forward(&sender, now());
        let fits = matches!(forwarded, Forwarded::Srs0(_));
        let srs = match forwarded {
            Forwarded::Unchanged(_) => continue,
            forwarded => address(forwarded),
        };
        let local = srs.rsplit_once('@').unwrap().0;
        assert_eq!(fits, local.len() <= 64 && srs.len() <= 254, "{srs}");
        match forwarder.reverse(&srs, now()) {
            Reversed::Valid { address, .. } => assert_eq!(address, sender, "{srs}"),
            other => panic!("{sender} {srs}: {other:?}"),
        }
        // What has lost its case comes back without its case.
        match forwarder.reverse(srs.to_ascii_lowercase(), now()) {
            Reversed::Valid { address, .. } => assert!(address.eq_ignore_ascii_case(&sender)),
            other => panic!("{srs}: {other:?}"),
        }
        let others = set.iter().filter(|other| !std::ptr::eq(*other, forwarder));
        for other in others {
            assert_eq!(other.reverse(&srs, now()), Reversed::ForeignDomain);
        }
    }
}

/// Whichever single bit is flipped, no address comes out that was not put in.
#[test]
fn single_bit_changes() {
    let all = forwarders();
    let senders = through(&all, "Alice+x=y@my-Example.com");
    let closed = all[0].clone().construction(Construction::Delimited);
    let mut addresses: Vec<(&Rewriter, String)> = all.iter().zip(senders[1..].to_vec()).collect();
    addresses.push((&closed, address(closed.forward("bob@example.com", now()))));
    for (forwarder, srs) in addresses {
        let Reversed::Valid {
            address: original, ..
        } = forwarder.reverse(&srs, now())
        else {
            panic!("{srs}")
        };
        for bit in 0..srs.len() * 8 {
            let mut octets = srs.clone().into_bytes();
            octets[bit / 8] ^= 1 << (bit % 8);
            let outcome = forwarder.reverse(&octets, now());
            if let Reversed::Valid { address, .. } = outcome {
                assert!(
                    address.eq_ignore_ascii_case(&original),
                    "{}: {}",
                    octets.escape_ascii(),
                    address
                );
            }
            let _ = Claimed::decode(&octets);
        }
    }
}

/// Guesses are refused: of 20,000 random hashes of four characters, next to none fits.
#[test]
fn guessing() {
    let mut random = Random(7);
    let forwarder = &forwarders()[0];
    let guesses: HashSet<String> = (0..20_000)
        .map(|_| random.text(b"abcdefghijklmnopqrstuvwxyz0123456789+/", 4))
        .collect();
    let hits = guesses
        .iter()
        .filter(|hash| {
            let guess = format!("SRS0={hash}=G3=example.com=victim@a.example");
            forwarder.reverse(guess, now()) != Reversed::Forged
        })
        .count();
    assert!(hits <= 2, "{hits}");
}

/// Addresses from bug reports of other implementations.
#[test]
fn seen_in_the_wild() {
    let forwarder = &forwarders()[0];
    // The hash was rejected for its slash: the URL-safe url_safe avoids that.
    for url_safe in [false, true] {
        let forwarder = forwarder.clone().url_safe_hash(url_safe);
        let slashes = (0..500)
            .map(|n| address(forwarder.forward(format!("u{n}@example.com"), now())))
            .filter(|srs| srs.contains('/') || srs.contains('+'))
            .count();
        assert_eq!(slashes != 0, !url_safe);
    }
    let slash = Claimed::decode("SRS0=mL/e=5P=example.org=user@fwd.example").unwrap();
    assert_eq!(slash.original().unwrap(), "user@example.org");
    // Lower case, and not the SRS1 that it seems to be: the first forwarder is missing.
    let mangled = "srs1=7g4y=6ppn=3g=brokersunion.org=a.maldini@a.example";
    assert_eq!(Claimed::decode(mangled), None);
    assert_eq!(
        forwarder.reverse(mangled, now()),
        Reversed::Malformed(Malformed::Opaque)
    );
    // Somebody else's address passes through, whatever its hash.
    for foreign in [
        "srs0=abcd=g3=example.org=user@elsewhere.example",
        "SRS0=abcd=G3=example.org=user@elsewhere.example",
        "SRS1=abcd=x.example==abcd=G3=example.org=user@elsewhere.example",
        "srs0=short@elsewhere.example",
    ] {
        assert_eq!(forwarder.reverse(foreign, now()), Reversed::ForeignDomain);
    }
    // What it is wrapped into leads back to exactly the same address.
    let wrapped = address(forwarder.forward("srs0=short@elsewhere.example", now()));
    match forwarder.reverse(wrapped, now()) {
        Reversed::Valid { address, .. } => assert_eq!(address, "SRS0=short@elsewhere.example"),
        other => panic!("{other:?}"),
    }
}

/// The envelope of an Exchange Online forwarder: who the claimed sender was, and the bounce to it.
#[test]
fn exchange_online() {
    let envelope = "Verteilername+SRS=y1OwP=BF=firma-a.tld=userA@firma-b.tld";
    let claimed = Claimed::decode(envelope).unwrap();
    assert_eq!(claimed.form(), Form::Exchange);
    assert_eq!(claimed.original().unwrap(), "userA@firma-a.tld");
    assert_eq!(claimed.forwarder().as_str(), "firma-b.tld");
    assert_eq!(claimed.mailbox(), Some("Verteilername"));
    // 2023-05-16, as it happens the stamp of SRS.
    let sent = UNIX_EPOCH + Duration::from_secs(1_684_195_200);
    let noon = sent + Duration::from_secs(43_200);
    assert_eq!(claimed.days(noon).next(), Some(sent));
    // To us it is an ordinary address with a plus, at our domain or not.
    let rewriter = Rewriter::new("firma-b.tld".parse().unwrap(), "secret").unwrap();
    assert_eq!(rewriter.reverse(envelope, now()), Reversed::NotSrs);
    let opaque = Claimed::decode("bounces+SRS=DmMzc=V3@tenant.onmicrosoft.com").unwrap();
    assert_eq!(opaque.form(), Form::ExchangeOpaque);
    assert!(opaque.original().is_none());
}

#[test]
fn hostile_addresses_do_no_harm() {
    let forwarder = &forwarders()[0];
    let long = "=".repeat(1 << 20);
    let mut hostile: Vec<Vec<u8>> = vec![
        format!("SRS0={long}@a.example").into_bytes(),
        format!("SRS1=abcd=a.example={long}@a.example").into_bytes(),
        format!("SRS1=abcd=a-b.example=-{long}@a.example").into_bytes(),
        format!("{}x@a.example", "+SRS=".repeat(1 << 16)).into_bytes(),
        "@".repeat(1 << 20).into_bytes(),
        b"SRS0=\0=\r\n=\xff=\x80@a.example".to_vec(),
        b"\"SRS0=".to_vec(),
        b"\"@a.example".to_vec(),
        b"<".to_vec(),
        b"<>>".to_vec(),
        b"@:".to_vec(),
        b"SRS0=@".to_vec(),
        b"SRS0=a=AA=[=x@a.example".to_vec(),
        "a\u{85}b@b.example".as_bytes().to_vec(),
        "SRS0=a\u{9f}=AA=b.c=x@b.example".as_bytes().to_vec(),
        "\"a\u{80}\"@b.example".as_bytes().to_vec(),
        "SRS0=\u{1f4a9}=AA=b.c=x@a.example".as_bytes().to_vec(),
        "sr\u{df}0=a@a.example".as_bytes().to_vec(),
    ];
    let mut random = Random(99);
    for _ in 0..20_000 {
        let length = random.below(60);
        let noise = random.text(b"SRSsrs01=+-@.\"\\<>[]:abAB23\0\x7f", length);
        hostile.push(noise.into_bytes());
    }
    for octets in hostile {
        if let Forwarded::Srs0(srs) | Forwarded::Srs1(srs) = forwarder.forward(&octets, now()) {
            assert!(srs.rsplit_once('@').unwrap().0.len() <= 64 && srs.len() <= 254);
            assert!(!srs.chars().any(char::is_control), "{srs:?}");
        }
        let reversed = forwarder.reverse(&octets, now());
        assert!(!matches!(reversed, Reversed::Valid { .. }), "{reversed:?}");
        if let Some(claimed) = Claimed::decode(&octets) {
            assert!(!format!("{claimed:?}").is_empty());
        }
    }
}
