//! SRS as Mail::SRS, libsrs2 and PostSRSd compute it: known answers in both directions, and the
//! days on which they are valid.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::srs::{
    Claimed, Construction, Form, Forwarded, Malformed, MemoryStore, Reversed, Rewriter,
    SettingError, Unchanged,
};

const DAY: u64 = 86_400;

/// 2023-11-14T22:13:20Z.
const NOW: u64 = 1_700_000_000;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn rewriter(domain: &str) -> Rewriter {
    with_secret(domain, "mysecret")
}

fn with_secret(domain: &str, secret: &str) -> Rewriter {
    Rewriter::new(domain.parse().unwrap(), secret).unwrap()
}

/// The rewritten address, too long or not.
fn address(forwarded: &Forwarded) -> &str {
    match forwarded {
        Forwarded::Srs0(address) | Forwarded::Srs1(address) => address,
        Forwarded::TooLong { address, .. } => address,
        other => panic!("{other:?}"),
    }
}

fn reversed(rewriter: &Rewriter, recipient: &str, now: SystemTime) -> String {
    match rewriter.reverse(recipient, now) {
        Reversed::Valid { address, .. } => address,
        other => panic!("{recipient}: {other:?}"),
    }
}

#[test]
fn srs0_known_answers() {
    for (sender, domain, standard, url_safe) in [
        (
            "alice@example.com",
            "fwd.example",
            "SRS0=E4us=G3=example.com=alice@fwd.example",
            "E4us",
        ),
        (
            "Alice@Example.COM",
            "fwd.example",
            "SRS0=E4us=G3=Example.COM=Alice@fwd.example",
            "E4us",
        ),
        (
            "user+tag=x@sub.example.org",
            "fwd.example",
            "SRS0=uo6U=G3=sub.example.org=user+tag=x@fwd.example",
            "uo6U",
        ),
        (
            "BOB+tag@Sub.Example.ORG",
            "srs.example.net",
            "SRS0=dLy4=G3=Sub.Example.ORG=BOB+tag@srs.example.net",
            "dLy4",
        ),
        (
            "prvs=0123abcd=alice@example.com",
            "fwd.example",
            "SRS0=boDF=G3=example.com=prvs=0123abcd=alice@fwd.example",
            "boDF",
        ),
        (
            "postmaster@[192.0.2.1]",
            "fwd.example",
            "SRS0=Bjw6=G3=[192.0.2.1]=postmaster@fwd.example",
            "Bjw6",
        ),
        (
            "SRS0foo@example.com",
            "fwd.example",
            "SRS0=Zn+Q=G3=example.com=SRS0foo@fwd.example",
            "Zn-Q",
        ),
        (
            "\"a b\"@example.com",
            "fwd.example",
            "SRS0=t/Rg=G3=example.com=\"a b\"@fwd.example",
            "t_Rg",
        ),
        (
            "very.long.local.part.with.many.characters.in.it@a-rather-long-domain-name.example.org",
            "fwd.example",
            "SRS0=sAhs=G3=a-rather-long-domain-name.example.org=very.long.local.part.with.many.characters.in.it@fwd.example",
            "sAhs",
        ),
    ] {
        let now = at(NOW);
        let plain = rewriter(domain);
        let forwarded = plain.forward(sender, now);
        assert_eq!(address(&forwarded), standard);
        assert_eq!(reversed(&plain, standard, now), sender);
        let safe = plain.clone().url_safe_hash(true);
        let forwarded = safe.forward(format!("<{sender}>"), now);
        let written = address(&forwarded);
        assert_eq!(written.get(5..9), Some(url_safe), "{sender}");
        assert_eq!(written.get(9..), standard.get(9..), "{sender}");
        // Either url_safe is read, whichever is written.
        assert_eq!(reversed(&plain, written, now), sender);
        assert_eq!(reversed(&safe, standard, now), sender);
    }
}

#[test]
fn separators() {
    for (separator, srs0, srs1, hashes, foreign) in [
        ('=', "SRS0=E4us", "SRS1=", ("SPGD", "SPGD"), "="),
        ('+', "SRS0+E4us", "SRS1=", ("1+AL", "1-AL"), "+"),
        ('-', "SRS0-E4us", "SRS1=", ("FmuN", "FmuN"), "-"),
    ] {
        let first = rewriter("fwd.example").separator(separator).unwrap();
        let once = first.forward("alice@example.com", at(NOW));
        let expected = format!("{srs0}=G3=example.com=alice@fwd.example");
        assert_eq!(once, Forwarded::Srs0(expected.clone()));
        let second = rewriter("second.example");
        let twice = second.forward(&expected, at(NOW));
        let rest = format!("=fwd.example={foreign}E4us=G3=example.com=alice@second.example");
        let standard = format!("{srs1}{}{rest}", hashes.0);
        assert_eq!(twice, Forwarded::Srs1(standard.clone()));
        let safe = second.clone().url_safe_hash(true);
        let url_safe = format!("{srs1}{}{rest}", hashes.1);
        assert_eq!(
            safe.forward(&expected, at(NOW)),
            Forwarded::Srs1(url_safe.clone())
        );
        for address in [standard, url_safe] {
            assert_eq!(reversed(&second, &address, at(NOW)), expected);
            assert_eq!(reversed(&first, &expected, at(NOW)), "alice@example.com");
        }
    }
}

#[test]
fn srs1_is_rewrapped_with_a_new_hash_only() {
    let third = with_secret("third.example", "othersecret");
    for (address, separator, url_safe, rewritten) in [
        (
            "SRS1=SPGD=fwd.example==E4us=G3=example.com=alice@second.example",
            '=',
            false,
            "SRS1=hwq4=fwd.example==E4us=G3=example.com=alice@third.example",
        ),
        (
            "SRS1=1+AL=fwd.example=+E4us=G3=example.com=alice@second.example",
            '+',
            false,
            "SRS1+14C/=fwd.example=+E4us=G3=example.com=alice@third.example",
        ),
        (
            "SRS1=1-AL=fwd.example=+E4us=G3=example.com=alice@second.example",
            '+',
            true,
            "SRS1+14C_=fwd.example=+E4us=G3=example.com=alice@third.example",
        ),
    ] {
        let third = third
            .clone()
            .separator(separator)
            .unwrap()
            .url_safe_hash(url_safe);
        assert_eq!(
            third.forward(address, at(NOW)),
            Forwarded::Srs1(rewritten.into())
        );
    }
    assert_eq!(
        rewriter("h.example").forward(
            "srs1=AAAA=b.example==CCCC=DD=e.example=f@g.example",
            at(NOW)
        ),
        Forwarded::Srs1("SRS1=iNUT=b.example==CCCC=DD=e.example=f@h.example".into())
    );
}

#[test]
fn hash_lengths_and_other_days() {
    for (length, hash) in [(8, "E4uswx7K"), (27, "E4uswx7KwcpeDUnxxKiJJ6AkYsM")] {
        let long = rewriter("fwd.example").hash_length(length).unwrap();
        let forwarded = long.forward("alice@example.com", at(NOW));
        let expected = format!("SRS0={hash}=G3=example.com=alice@fwd.example");
        assert_eq!(address(&forwarded), expected);
        assert_eq!(reversed(&long, &expected, at(NOW)), "alice@example.com");
        // More characters than we write are compared as far as they go.
        let short = rewriter("fwd.example");
        assert_eq!(reversed(&short, &expected, at(NOW)), "alice@example.com");
        // Fewer are a matter of the setting.
        let shortest = "SRS0=E4us=G3=example.com=alice@fwd.example";
        assert_eq!(
            long.reverse(shortest, at(NOW)),
            Reversed::Malformed(Malformed::Hash)
        );
        let rotating = long.minimum_hash_length(4).unwrap();
        assert_eq!(reversed(&rotating, shortest, at(NOW)), "alice@example.com");
    }
    // 2026-11-21.
    let now = at(1_795_219_200);
    let other = with_secret("fwd.example", "2nd secret with spaces");
    assert_eq!(
        other.forward("alice@example.com", now),
        Forwarded::Srs0("SRS0=Fbe3=JK=example.com=alice@fwd.example".into())
    );
}

#[test]
fn validity_window() {
    let rewriter = rewriter("fwd.example");
    let srs0 = "SRS0=E4us=G3=example.com=alice@fwd.example";
    let valid =
        |seconds: u64| matches!(rewriter.reverse(srs0, at(seconds)), Reversed::Valid { .. });
    let midnight = 19_675 * DAY;
    for (seconds, expected) in [
        // 2023-11-13: a stamp of the future.
        (midnight - DAY, false),
        (midnight - 1, false),
        (midnight, true),
        (NOW, true),
        // Through 2023-12-05T23:59:59Z.
        (midnight + 22 * DAY - 1, true),
        (midnight + 22 * DAY, false),
        // Again from 2026-09-03 to 2026-09-24.
        (1_788_393_599, false),
        (1_788_393_600, true),
        (1_790_294_399, true),
        (1_790_294_400, false),
    ] {
        assert_eq!(valid(seconds), expected, "{seconds}");
    }
    assert_eq!(
        rewriter.reverse(srs0, at(midnight + 22 * DAY)),
        Reversed::Expired(22)
    );
    assert_eq!(
        rewriter.reverse(srs0, at(midnight - 1)),
        Reversed::Expired(1023)
    );
    let short = rewriter.clone().maximum_age(0).unwrap();
    assert!(matches!(
        short.reverse(srs0, at(NOW)),
        Reversed::Valid { .. }
    ));
    assert_eq!(short.reverse(srs0, at(NOW + DAY)), Reversed::Expired(1));
}

#[test]
fn case_is_lost_on_the_way() {
    let first = rewriter("fwd.example");
    for (recipient, sender) in [
        (
            "srs0=e4us=g3=EXAMPLE.COM=ALICE@FWD.EXAMPLE",
            "ALICE@EXAMPLE.COM",
        ),
        (
            "SRS0=E4US=G3=EXAMPLE.COM=ALICE@fwd.example",
            "ALICE@EXAMPLE.COM",
        ),
        (
            "Srs0-e4Us=g3=example.com=alice@fwd.example",
            "alice@example.com",
        ),
    ] {
        assert_eq!(reversed(&first, recipient, at(NOW)), sender);
    }
    let second = rewriter("second.example");
    assert_eq!(
        reversed(
            &second,
            "srs1=spgd=fwd.example==e4us=g3=example.com=alice@second.example",
            at(NOW)
        ),
        "SRS0=e4us=g3=example.com=alice@fwd.example"
    );
}

#[test]
fn negative() {
    let rewriter = rewriter("fwd.example");
    for (recipient, outcome) in [
        ("SRS0=E4us=G3=example.com=bob@fwd.example", Reversed::Forged),
        (
            "SRS0=E4us=G3=example.org=alice@fwd.example",
            Reversed::Forged,
        ),
        (
            "SRS0=E4us=G4=example.com=alice@fwd.example",
            Reversed::Forged,
        ),
        (
            "SRS0=E4usX=G3=example.com=alice@fwd.example",
            Reversed::Forged,
        ),
        (
            "SRS0=E4uswx7KwcpeDUnxxKiJJ6AkYsM1=G3=example.com=alice@fwd.example",
            Reversed::Forged,
        ),
        (
            "SRS0=E4u=G3=example.com=alice@fwd.example",
            Reversed::Malformed(Malformed::Hash),
        ),
        (
            "SRS0==G3=example.com=alice@fwd.example",
            Reversed::Malformed(Malformed::Hash),
        ),
        (
            "SRS0=E4us=G33=example.com=alice@fwd.example",
            Reversed::Malformed(Malformed::Stamp),
        ),
        (
            "SRS0=E4us=1W=example.com=alice@fwd.example",
            Reversed::Malformed(Malformed::Stamp),
        ),
        (
            "SRS0=E4us=G3=exam..ple=alice@fwd.example",
            Reversed::Malformed(Malformed::Host),
        ),
        (
            "SRS0=E4us=G3==alice@fwd.example",
            Reversed::Malformed(Malformed::Host),
        ),
        (
            "SRS0=E4us=G3=example.com=@fwd.example",
            Reversed::Malformed(Malformed::User),
        ),
        (
            "SRS0=E4us=G3=example.com@fwd.example",
            Reversed::Malformed(Malformed::Fields),
        ),
        ("SRS0=@fwd.example", Reversed::Malformed(Malformed::Fields)),
        (
            "SRS1=E4us=fwd.example@fwd.example",
            Reversed::Malformed(Malformed::Fields),
        ),
        (
            "SRS1=E4us=fwd.example=x@fwd.example",
            Reversed::Malformed(Malformed::Opaque),
        ),
        (
            "SRS0=E4us=G3=example.com=alice@other.example",
            Reversed::ForeignDomain,
        ),
        ("alice@fwd.example", Reversed::NotSrs),
        ("SRS0foo@fwd.example", Reversed::NotSrs),
        (
            "SRS0#E4us=G3=example.com=alice@fwd.example",
            Reversed::NotSrs,
        ),
        (
            "SRS2=E4us=G3=example.com=alice@fwd.example",
            Reversed::NotSrs,
        ),
        (
            "xSRS0=E4us=G3=example.com=alice@fwd.example",
            Reversed::NotSrs,
        ),
        ("bounces+SRS=44ldt=IX@contoso.com", Reversed::NotSrs),
        ("<>", Reversed::NotSrs),
        ("SRS0", Reversed::Malformed(Malformed::Address)),
        ("@fwd.example", Reversed::Malformed(Malformed::Address)),
        (
            "SRS0=E4us=G3=example.com=al ice@fwd.example",
            Reversed::Malformed(Malformed::Address),
        ),
    ] {
        assert_eq!(rewriter.reverse(recipient, at(NOW)), outcome, "{recipient}");
    }
}

#[test]
fn what_is_left_alone() {
    let rewriter = rewriter("fwd.example")
        .own_domains(|domain| domain.is_within(&"our.example".parse().unwrap()));
    for (sender, outcome) in [
        ("", Unchanged::NullSender),
        ("<>", Unchanged::NullSender),
        ("a@our.example", Unchanged::OwnDomain),
        ("<a@Sub.OUR.example>", Unchanged::OwnDomain),
        ("a@FWD.example", Unchanged::SrsDomain),
        (
            "SRS0=E4us=G3=example.com=alice@fwd.example",
            Unchanged::SrsDomain,
        ),
    ] {
        assert_eq!(
            rewriter.forward(sender, at(NOW)),
            Forwarded::Unchanged(outcome),
            "{sender}"
        );
    }
    let always = rewriter.always_rewriting();
    assert!(matches!(
        always.forward("a@our.example", at(NOW)),
        Forwarded::Srs0(_)
    ));
    assert!(matches!(
        always.forward("SRS0=E4us=G3=example.com=alice@fwd.example", at(NOW)),
        Forwarded::Srs1(_)
    ));
    for bad in [
        "foo",
        "a b@example.com",
        "@example.com",
        "a@",
        "a@b@c.d",
        "a\r\n@b.c",
        "a@b c",
    ] {
        assert_eq!(
            always.forward(bad, at(NOW)),
            Forwarded::Malformed(Malformed::Address),
            "{bad}"
        );
    }
    assert_eq!(
        address(&always.forward("@relay.example,@b.example:alice@example.com", at(NOW))),
        "SRS0=E4us=G3=example.com=alice@fwd.example"
    );
}

/// A local part of 51 octets together with its domain fits, 52 do not.
#[test]
fn says_what_is_too_long() {
    let rewriter = rewriter("fwd.example");
    let sender = |octets: usize| "a".repeat(octets - "@example.com".len()) + "@example.com";
    assert!(matches!(
        rewriter.forward(sender(51), at(NOW)),
        Forwarded::Srs0(_)
    ));
    let Forwarded::TooLong {
        address,
        length,
        limit,
    } = rewriter.forward(sender(52), at(NOW))
    else {
        panic!("65 octets");
    };
    assert_eq!((length, limit), (65, 64));
    let expected = sender(52);
    assert_eq!(reversed(&rewriter, &address, at(NOW)), expected);
    let domain = format!("{0}.{0}.{0}.example", "a".repeat(63));
    let Forwarded::TooLong { length, limit, .. } =
        with_secret(&domain, "mysecret").forward(sender(50), at(NOW))
    else {
        panic!("over 254 octets");
    };
    assert_eq!((length, limit), (63 + 1 + 199, 254));
}

#[test]
fn database_form() {
    let rewriter = rewriter("fwd.example").url_safe_hash(true);
    let short = rewriter.shorten("alice@example.com", at(NOW)).unwrap();
    let alias = "VGHPH9PTQL6M4DU4VMQOVLUNAD3SUMNJ";
    assert_eq!(short.address, format!("SRS0=-TMU=G3=1={alias}@fwd.example"));
    assert_eq!(short.key, format!("{alias}@1"));
    assert_eq!(
        Claimed::decode(&short.address).unwrap().form(),
        Form::Database
    );
    let Reversed::Stored { key, age } =
        rewriter.reverse(short.address.to_lowercase(), at(NOW + DAY))
    else {
        panic!("a key for the store");
    };
    assert_eq!((key.as_str(), age), (short.key.as_str(), 1));
    // The construction decides the alias as well.
    let delimited = rewriter.construction(Construction::Delimited);
    let other = delimited.shorten("alice@example.com", at(NOW)).unwrap();
    assert_ne!(other.key, short.key);
}

/// Only the host `1` with an alias of 32 digits is a key: anything else is a sender of its own.
#[test]
fn what_looks_like_a_key() {
    let rewriter = rewriter("fwd.example");
    for sender in [
        "alice@1",
        "VGHPH9PTQL6M4DU4VMQOVLUNAD3SUMNJ@example.com",
        "VGHPH9PTQL6M4DU4VMQOVLUNAD3SUMN@1",
        "VGHPH9PTQL6M4DU4VMQOVLUNAD3SUMNW@1",
    ] {
        let Forwarded::Srs0(srs0) = rewriter.forward(sender, at(NOW)) else {
            panic!("{sender}")
        };
        assert_eq!(reversed(&rewriter, &srs0, at(NOW)), sender);
    }
}

/// SRS0 tells its age, SRS1 does not.
#[test]
fn ages() {
    let srs0 = "SRS0=E4us=G3=example.com=alice@fwd.example";
    assert_eq!(
        rewriter("fwd.example").reverse(srs0, at(NOW + 3 * DAY)),
        Reversed::Valid {
            address: "alice@example.com".into(),
            is_sender: true,
            age: Some(3),
        }
    );
    let srs1 = "SRS1=spGD=fwd.example==E4us=G3=example.com=alice@second.example";
    assert_eq!(
        rewriter("second.example").reverse(srs1, at(NOW)),
        Reversed::Valid {
            address: srs0.into(),
            is_sender: false,
            age: None,
        }
    );
}

#[test]
fn a_store_takes_what_is_too_long() {
    let rewriter = rewriter("fwd.example");
    let store = MemoryStore::new(2);
    let short = rewriter.forward_with_store("alice@example.com", at(NOW), &store);
    assert_eq!(address(&short.unwrap()).len(), 42);
    let mut addresses = Vec::new();
    for day in 0..3 {
        let sender = format!("{day}{}@example.com", "a".repeat(60));
        let now = at(NOW + day * DAY);
        let forwarded = rewriter.forward_with_store(&sender, now, &store).unwrap();
        addresses.push((sender, address(&forwarded).to_owned()));
    }
    let now = at(NOW + 3 * DAY);
    for (index, (sender, short)) in addresses.iter().enumerate() {
        let reversed = rewriter.reverse_with_store(short, now, &store).unwrap();
        match reversed {
            Reversed::Valid {
                address, is_sender, ..
            } => {
                assert_eq!((address.as_str(), is_sender), (sender.as_str(), true));
            }
            // The store holds two: the oldest had to go.
            Reversed::Stored { .. } => assert_eq!(index, 0),
            other => panic!("{other:?}"),
        }
    }
    let (_, last) = addresses.last().unwrap();
    let late = rewriter.reverse_with_store(last, at(NOW + 30 * DAY), &store);
    assert_eq!(late.unwrap(), Reversed::Expired(28));
}

#[test]
fn secrets_rotate_and_do_not_show() {
    let old = with_secret("fwd.example", "mysecret");
    let new = with_secret("fwd.example", "better-secret");
    let rotating = new.clone().older_secret("mysecret").unwrap();
    let Forwarded::Srs0(before) = old.forward("alice@example.com", at(NOW)) else {
        panic!()
    };
    assert_eq!(reversed(&rotating, &before, at(NOW)), "alice@example.com");
    // One secret twice is as good as once.
    let twice = old.clone().older_secret("mysecret").unwrap();
    assert_eq!(reversed(&twice, &before, at(NOW)), "alice@example.com");
    assert_eq!(new.reverse(&before, at(NOW)), Reversed::Forged);
    assert_eq!(
        rotating.forward("alice@example.com", at(NOW)),
        new.forward("alice@example.com", at(NOW))
    );
    let shown = format!("{rotating:?} {rotating:#?}");
    assert!(!shown.contains("mysecret") && !shown.contains("better-secret"));
    assert!(shown.contains("2 not shown"), "{shown}");
    let domain = || "fwd.example".parse().unwrap();
    assert_eq!(
        Rewriter::new(domain(), "").unwrap_err(),
        SettingError::EmptySecret
    );
    for length in [0, 28] {
        assert_eq!(
            old.clone().hash_length(length).unwrap_err(),
            SettingError::HashLength { length }
        );
    }
    assert!(old.clone().minimum_hash_length(5).is_err());
    assert_eq!(
        old.clone().separator('!').unwrap_err(),
        SettingError::Separator { separator: '!' }
    );
    assert!(old.maximum_age(1023).is_err());
}

/// The hash covers host and user without anything between them.
#[test]
fn boundary_shift() {
    let shifted = "SRS0=E4us=G3=example.co=malice@fwd.example";
    let compatible = rewriter("fwd.example");
    // The price of sharing a secret with other software, which the documentation names.
    assert_eq!(reversed(&compatible, shifted, at(NOW)), "malice@example.co");
    for bad in [
        "SRS0=E4us=G=3example.com=alice@fwd.example",
        "SRS0=E4us=G3e=xample.com=alice@fwd.example",
        "SRS0=E4us=G3=example.=comalice@fwd.example",
    ] {
        assert!(
            matches!(compatible.reverse(bad, at(NOW)), Reversed::Malformed(_)),
            "{bad}"
        );
    }
    let second = rewriter("second.example");
    assert_eq!(
        second.reverse(
            "SRS1=SPGD=fwd.exampl=e=E4us=G3=example.com=alice@second.example",
            at(NOW)
        ),
        Reversed::Malformed(Malformed::Opaque)
    );
    let dashed = "SRS0=E4us=G3=example.com=alice@my-fwd.example";
    let Forwarded::Srs1(srs1) = second.forward(dashed, at(NOW)) else {
        panic!()
    };
    assert_eq!(reversed(&second, &srs1, at(NOW)), dashed);
    let moved = srs1.replace("=my-fwd.example=", "=my=-fwd.example");
    assert_ne!(moved, srs1);
    assert_eq!(
        second.reverse(moved, at(NOW)),
        Reversed::Malformed(Malformed::Opaque)
    );

    let closed = compatible.construction(Construction::Delimited);
    let Forwarded::Srs0(srs0) = closed.forward("alice@example.com", at(NOW)) else {
        panic!()
    };
    assert_eq!(reversed(&closed, &srs0, at(NOW)), "alice@example.com");
    assert_eq!(
        reversed(&closed, &srs0.to_lowercase(), at(NOW)),
        "alice@example.com"
    );
    let shifted = srs0.replace("example.com=alice", "example.co=malice");
    assert_eq!(closed.reverse(shifted, at(NOW)), Reversed::Forged);
    assert_eq!(
        closed.reverse("SRS0=E4us=G3=example.com=alice@fwd.example", at(NOW)),
        Reversed::Forged
    );
}

#[test]
fn exims_own_addresses_are_read_without_the_secret() {
    for (address, original) in [
        (
            "SRS0=4492=g3=example.com=alice@fwd.example",
            "alice@example.com",
        ),
        (
            "\"SRS0=3df4=g3=example.com=a b\"@fwd.example",
            "\"a b\"@example.com",
        ),
        (
            "SRS0=0dac=g3=fwd.example=SRS0=E4us=G3=example.com=alice@second.example",
            "alice@example.com",
        ),
    ] {
        let claimed = Claimed::decode(address).unwrap();
        assert_eq!(claimed.form(), Form::Exim);
        assert_eq!(claimed.original().unwrap(), original);
        // Its hash is not ours, whatever the secret.
        let domain = claimed.forwarder().as_str();
        assert_eq!(rewriter(domain).reverse(address, at(NOW)), Reversed::Forged);
    }
}

/// Quotes around the user, around the whole, and added by a server on the way.
#[test]
fn quoted_local_parts() {
    let rewriter = rewriter("fwd.example");
    for sender in [
        "\"a b\"@example.com",
        "\"a@b\"@example.com",
        "\"a\\\"@\\\\b\"@example.com",
        "\"a\\\"b\"@example.com",
        "\"plain\"@example.com",
        "\"\"@example.com",
        "a.\"b c\".d@example.com",
        "a=\"b=c\"@example.com",
        "jürgen@bücher.example",
    ] {
        let Forwarded::Srs0(srs0) = rewriter.forward(sender, at(NOW)) else {
            panic!("{sender}")
        };
        assert_eq!(reversed(&rewriter, &srs0, at(NOW)), sender, "{srs0}");
    }
    assert_eq!(
        reversed(
            &rewriter,
            "\"SRS0=t/Rg=G3=example.com=\\\"a b\\\"\"@fwd.example",
            at(NOW)
        ),
        "\"a b\"@example.com"
    );
    assert_eq!(
        reversed(
            &rewriter,
            "\"SRS0=E4us=G3=example.com=alice\"@fwd.example",
            at(NOW)
        ),
        "alice@example.com"
    );
}

/// The hash covers a long sender to its last octet.
#[test]
fn every_octet_is_hashed() {
    let rewriter = rewriter("fwd.example");
    for length in 1..=240 {
        let user = "a".repeat(length);
        let [one, other] = ["b", "c"].map(|last| {
            let sender = format!("{user}{last}@example.com");
            address(&rewriter.forward(sender, at(NOW))).to_owned()
        });
        assert_ne!(one.get(..9), other.get(..9), "{length}");
        let altered = one.replace("ab@", "ac@");
        assert_eq!(rewriter.reverse(&altered, at(NOW)), Reversed::Forged);
    }
}

/// What cannot stand before an `@` is not rewritten, whichever way the quotes hide it.
#[test]
fn local_parts_that_are_none() {
    let rewriter = rewriter("fwd.example");
    for sender in [
        "\"a\\\u{1}b\"@example.com",
        "\"a\u{1}b\"@example.com",
        "\"a\\\"@example.com",
        "\"a@example.com",
        "a b@example.com",
        "a\u{85}b@example.com",
        "[a]@example.com",
    ] {
        assert!(
            matches!(rewriter.forward(sender, at(NOW)), Forwarded::Malformed(_)),
            "{sender:?}"
        );
    }
}
