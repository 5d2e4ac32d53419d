use super::*;

fn author(head: &str) -> Author {
    let octets = format!("{head}\r\n\r\n");
    Head::parse(octets.as_bytes()).0.author()
}

fn from(value: &str) -> Author {
    author(&format!("From:{value}"))
}

fn domains(value: &str) -> Vec<String> {
    match from(value) {
        Author::Unparseable(error) => vec![format!("{error:?}")],
        author => author.domains().iter().map(Domain::to_string).collect(),
    }
}

#[test]
fn one_author() {
    for value in [
        " joe@joe.example",
        "joe@joe.example",
        " Joe Johnson <joe@joe.example>",
        " Joe Q. Johnson <joe@JOE.example>",
        " \"Joe Johnson\" <joe@joe.example>",
        " (Joe \\( (nested) Johnson) joe@joe.example",
        " (,) joe@joe.example",
        " \"Mandel, Bob\" <joe@joe.example>",
        " \"evil@other.example\" <joe@joe.example>",
        " Davide D'Marco\r\n <joe@joe.example>",
        " =?UTF-8?B?QmVkIEJhdGggJiBCZXlvbmQ=?=<BdBth&Byond@joe.example>",
        " J\u{fc}rgen <joe@joe.example>",
        " <\"joe q\"@joe.example>",
        " <@attack.example,@any.example:joe@joe.example>",
        " Group: joe@joe.example;",
        " joe@joe.example,",
        " <joe..x@joe.example>",
    ] {
        assert_eq!(domains(value), ["joe.example"], "{value}");
        assert!(matches!(from(value), Author::One(_)), "{value}");
    }
    assert_eq!(
        domains(" <a@m\u{fc}nchen.example>"),
        ["xn--mnchen-3ya.example"]
    );
}

/// A8 to A19 of the ‘Composition Kills’ catalogue; the numbering is the catalogue's.
#[test]
fn composition_kills() {
    let a8 = author("From: a@attack.example\r\nFrom: admin@legitimate.example");
    assert!(matches!(&a8, Author::SeveralFields { fields: 2, domains } if domains.len() == 2));
    let a9 = author(" From: <first@attack.example>\r\nFrom: <admin@legitimate.example>");
    assert_eq!(a9, Author::Unparseable(AuthorError::HeadBeginsWithFold));
    let a10 = author("From : <admin@legitimate.example>\r\nFrom: <first@attack.example>");
    assert!(matches!(a10, Author::SeveralFields { fields: 2, .. }));
    let a11 = author("From\r\n : <first@attack.example>\r\nFrom: <admin@legitimate.example>");
    assert!(matches!(a11, Author::SeveralFields { fields: 2, .. }));
    let a12 = author("From: <admin@legitimate.example\r\nSender: <s@attack.example>");
    assert!(matches!(a12, Author::Unparseable(_)));
    let a13 = author("From: \r\nResent-From: <s@attack.example>");
    assert_eq!(a13, Author::Missing);
    let a14 = from(" <first@attack.example>, <admin@legitimate.example>");
    assert!(matches!(&a14, Author::SeveralDomains(domains) if domains.len() == 2));
    for value in [
        "=?..?B?<admin@legitimate.example>?=,<second@attack.example>",
        " <admin@legitimate.example>\\,<second@attack.example>",
        " <any@attack.example>admin@legitimate.example",
    ] {
        assert!(matches!(from(value), Author::Unparseable(_)), "{value}");
    }
    assert_eq!(
        domains(" <@attack.example,@any.example:admin@legitimate.example>"),
        ["legitimate.example"]
    );
    assert_eq!(
        domains(" admin@legitimate.example,<second@attack.example>"),
        ["legitimate.example", "attack.example"]
    );
    assert_eq!(author("Sender: <s@attack.example>"), Author::Missing);
}

#[test]
fn several_of_one_domain() {
    assert_eq!(
        from(" a@x.example, B <b@X.example>"),
        Author::SameDomain {
            domain: "x.example".parse().unwrap(),
            mailboxes: 2
        }
    );
    assert_eq!(
        domains(" Authors: a@x.example, b@x.example;, c@x.example"),
        ["x.example"]
    );
}

#[test]
fn refuses_what_is_not_certain() {
    for value in [
        " <<<><joe@joe.example>>>",
        " Mail From:<joe@joe.example>",
        " \"Johnson <x@y.example>\" joe@joe.example",
        " joe@joe.example>",
        " <joe@joe.example",
        " joe@joe.example (unfinished",
        " \"joe@joe.example",
        " <joe@[192.0.2.1]>",
        " <joe@joe .example>",
        " <joe@joe.example.@x.example>",
        " <joe@>",
        " <@joe.example>",
        " <>",
        " joe@@joe.example",
        " joe",
        " joe <>",
        " joe@joe.example\nx",
        " joe@joe.exa\0mple",
        " <joe@legitimate.example(x.attack.example>",
        " <joe@legitimate.example'a.attack.example>",
        " =?utf-8?b?PGpvZUBsZWdpdGltYXRlLmV4YW1wbGU+?=@attack.example",
        " <\"=?utf-8?q?=3Cjoe=40legitimate.example=3E?=\"@attack.example>",
    ] {
        assert!(
            matches!(from(value), Author::Unparseable(_)),
            "{value:?} {:?}",
            from(value)
        );
    }
}

/// Both readers find a mailbox, and not the same: comments at the end of a list, and in a domain.
#[test]
fn two_readers_must_agree() {
    for value in [
        " a@x.example, (\r\n b@y.example)",
        " a@(x.exa)mple",
        " \" =?utf-8?q?b=40y.e\"ample?= <a@x.example>",
    ] {
        let ambiguous = Author::Unparseable(AuthorError::Ambiguous);
        assert_eq!(from(value), ambiguous, "{value:?}");
    }
    // On each of these they do.
    for value in [
        " a@x.example (\r\n b@y.example)",
        " \"b@y.e\" <a@x.example>",
    ] {
        assert_eq!(domains(value), ["x.example"], "{value:?}");
    }
}

#[test]
fn bounds() {
    let many = " a@x.example,".repeat(101);
    assert_eq!(
        from(&many),
        Author::Unparseable(AuthorError::TooMany { limit: 100 })
    );
    let long = format!(" ({}) a@x.example", "x".repeat(70_000));
    assert!(matches!(
        from(&long),
        Author::Unparseable(AuthorError::TooLong { .. })
    ));
}

/// A source route is no cover for what stands beside it.
#[test]
fn routes_do_not_hide_the_rest() {
    assert_eq!(
        domains(" <@r.example:a@x.example>, B <@s.example,@t.example : b@y.example>"),
        ["x.example", "y.example"]
    );
    for value in [
        " <@r.example:a@x.example> b@y.example",
        " <@r.example:a@x.example>\\,<b@y.example>",
        " <@r.example a@x.example>",
        " <@r.example:>",
        " <@r.example:@x.example>",
        " @r.example:a@x.example",
    ] {
        assert!(matches!(from(value), Author::Unparseable(_)), "{value:?}");
    }
}

/// Octets changed at random: what is still read has its domains in the field, right behind an `@`.
#[test]
fn finds_only_what_is_written() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % n
    };
    let seeds: [&[u8]; 6] = [
        b" \"b@y.example\" (c@z.example) <a@x.example>",
        b" G: a@x.example, B <b@y.example>;, c@z.example",
        b" <@r.example:a@x.example>, b@y.example",
        b" =?utf-8?q?b=40y.example?= <a@x.example>",
        b" \"q\\\"b@y.example\"@x.example",
        b" a@x.example (\r\n b@y.example)",
    ];
    let mut read = 0;
    // Miri takes its time.
    let rounds = if cfg!(miri) { 60 } else { 30_000 };
    for _ in 0..rounds {
        let mut value = seeds[random(seeds.len())].to_vec();
        for _ in 0..=random(3) {
            let at = random(value.len());
            match random(3) {
                0 => value[at] = b" <>()[]\"\\,;:@.a\r\n\xc3\0=?"[random(21)],
                1 => drop(value.remove(at)),
                _ => value.insert(at, b" <>()\"\\,;:@.\r\n"[random(14)]),
            }
        }
        let octets = [b"From:", value.as_slice(), b"\r\n\r\n"].concat();
        let author = Head::parse(&octets).0.author();
        for domain in author.domains() {
            read += 1;
            let text = domain.as_str().as_bytes();
            let written = octets.windows(text.len()).enumerate().any(|(at, window)| {
                let before = octets.get(..at).unwrap_or_default().trim_ascii_end();
                window.eq_ignore_ascii_case(text) && before.ends_with(b"@")
            });
            // A comment may stand between the two.
            assert!(
                written || octets.contains(&b'('),
                "{}",
                octets.escape_ascii()
            );
        }
    }
    assert!(read > rounds / 6, "{read}");
}

/// Some readers end lines at LF or CR alone, and would see two authors.
#[test]
fn fields_that_only_some_readers_see() {
    let hidden = Author::Unparseable(AuthorError::HiddenField);
    for head in [
        "Subject: x\nFrom: ceo@legitimate.example\r\nFrom: a@attack.example",
        "Subject: x\rFrom: ceo@legitimate.example\r\nFrom: a@attack.example",
        "Subject: x\nFROM \t: ceo@legitimate.example\r\nFrom: a@attack.example",
        "junk\nFrom: ceo@legitimate.example\r\nFrom: a@attack.example",
        "junk\rfrom : ceo@legitimate.example\r\nFrom: a@attack.example",
        "From: a@attack.example\r\nX: \n\nFrom: ceo@legitimate.example",
        "Subject: x\nFrom: Joe\n <joe@joe.example>\nTo: y@z.example",
        "Subject: x\nFrom\n : ceo@legitimate.example\r\nFrom: a@attack.example",
        "Subject: x\nFrom\r\n : ceo@legitimate.example\r\nFrom: a@attack.example",
        "junk\nFrom\u{b}: ceo@legitimate.example\r\nFrom: a@attack.example",
    ] {
        assert_eq!(author(head), hidden, "{head:?}");
    }
    // What others have split may have whole lines inside.
    let pairs = [
        (&b"Subject"[..], &b" x\r\nFrom: ceo@legitimate.example"[..]),
        (b"From", b" a@attack.example"),
    ];
    let head = Head::from_pairs(pairs);
    assert_eq!(head.author(), hidden);
    for head in [
        "Subject: x\r\n From: nobody\r\nFrom: joe@joe.example",
        "Subject: From: nobody\r\nFrom: joe@joe.example",
        "Subject: x\nFromage: y\r\nFrom: joe@joe.example",
        "X-Original-From: a@b.example\r\nFrom: joe@joe.example",
    ] {
        assert!(matches!(author(head), Author::One(_)), "{head:?}");
    }
}

/// Some readers trim more than white space from a field's name.
#[test]
fn names_that_only_some_readers_take_for_from() {
    for name in [
        "From\0",
        "From\u{b}",
        "from \u{c} ",
        "From\u{a0}",
        "\u{feff}From",
        "\u{b}FROM",
        "From\u{200b}",
    ] {
        let head = format!("{name}: ceo@legitimate.example\r\nFrom: a@attack.example");
        let refused = Author::Unparseable(AuthorError::DisguisedField);
        assert_eq!(author(&head), refused, "{head:?}");
    }
    for name in ["Fr om", "From x", "Frommage\u{e9}", "\u{b}", "X From"] {
        let head = format!("{name}: ceo@legitimate.example\r\nFrom: a@attack.example");
        assert!(matches!(author(&head), Author::One(_)), "{head:?}");
    }
}

/// Values that the quick look lets through, made of all that it knows and of what it must not let
/// through: mail-parser finds the same address in each.
#[test]
fn plain_values_are_read_alike() {
    const PIECES: &[&str] = &[
        " ",
        " ",
        "\"",
        "<",
        ">",
        "@",
        "a",
        "Ab.c",
        "b-d.example",
        "x_y+z",
        "=?",
        "?=",
        "?",
        "=?utf-8?Q?a=40b?=",
        "=?UTF-8?b?YUBiLmV4YW1wbGU=?=",
        "=?x?q?=3Cc=40d=3E?=",
        "utf-8",
        "Q",
        "=3C",
        "<a@b.example>",
        " <a@b.example>",
        "c@d.example",
        ",",
        "(",
        ")",
        ";",
        ":",
        "\\",
        "\r\n ",
        "\t",
        "'",
    ];
    let mut state = 1_u64;
    let mut below = |bound: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % bound
    };
    let rounds = if cfg!(miri) { 1_000 } else { 200_000 };
    let mut plain = 0;
    for _ in 0..rounds {
        let mut value: String = (0..below(6)).map(|_| PIECES[below(PIECES.len())]).collect();
        value.push_str(["<a@b.example>", " <a@b.example>", "a@b.example", ""][below(4)]);
        if is_plain(value.as_bytes()) {
            let list = mailboxes::read(value.as_bytes(), 10);
            if let Ok(list) = list {
                plain += 1;
                assert_eq!(
                    (list.mailboxes.len(), list.routes.len()),
                    (1, 0),
                    "{value:?}"
                );
                assert!(agrees(value.as_bytes(), &list.mailboxes), "{value:?}");
            }
        }
    }
    assert!(plain > rounds / 200, "{plain} of {rounds}");
}
