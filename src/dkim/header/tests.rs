//! Tests of the fields of a header.

use super::*;

fn positions(head: &[u8], names: &[&str], own: usize) -> Vec<Option<usize>> {
    let (head, _) = Head::parse(head);
    FieldIndex::new(&head).select(names.iter().copied(), own)
}

#[test]
fn selects_from_the_bottom_up() {
    let head = b"From: 1\r\nReceived: a\r\nfrom: 2\r\nSubject: s\r\n\r\n";
    assert_eq!(
        positions(head, &["From", "from", "FROM", "x"], 99),
        [Some(2), Some(0), None, None]
    );
    assert_eq!(
        positions(head, &["From", "Subject", "From"], 2),
        [Some(0), Some(3), None]
    );
    let received = b"Received: 1\r\nReceived: 2\r\nReceived: 3\r\nReceived: 4\r\n\r\n";
    assert_eq!(
        positions(received, &["Received"; 5], 99),
        [Some(3), Some(2), Some(1), Some(0), None]
    );
}

/// Names that are nearly the same, few of them and so many that they are sorted.
#[test]
fn tells_names_apart() {
    let names = [
        "X@",
        "x`",
        "X[",
        "x{",
        "-",
        "--",
        "Abcdefg",
        "abcdefgh",
        "abcdefgH1",
        "Abcdefgh-12345678",
        "abcdefgh_12345678",
        "abcdefgh-z12345678",
        "abcdefghZ-12345678",
    ];
    for others in [0, 200] {
        let mut octets: String = (0..others).map(|n| format!("O{n}: o\r\n")).collect();
        octets.extend(names.iter().map(|name| format!("{name}: 1\r\n")));
        octets.extend(
            names
                .iter()
                .map(|name| format!("{}: 2\r\n", name.to_uppercase())),
        );
        let (head, _) = Head::parse(octets.as_bytes());
        let index = FieldIndex::new(&head);
        for (number, name) in names.iter().enumerate() {
            assert_eq!(index.count(name), 2, "{name}");
            let lower = name.to_ascii_lowercase();
            let selected = index.select([*name, lower.as_str(), name].into_iter(), 999);
            let (upper, lower) = (others + number, others + number + names.len());
            assert_eq!(selected, [Some(lower), Some(upper), None], "{name}");
        }
        assert_eq!(index.select(["y@", "x"].into_iter(), 999), [None, None]);
    }
}

#[test]
fn letters_alone_have_a_lower_case() {
    for octet in 0..=u8::MAX {
        let word = u64::from_be_bytes([0, octet, 0xff, octet, b'A', octet, 0, octet]);
        let octets = word.to_be_bytes().map(|octet| octet.to_ascii_lowercase());
        assert_eq!(lower_case(word), u64::from_be_bytes(octets), "{octet}");
    }
}

#[test]
fn lists_what_is_not_signed() {
    let octets = b"D: s\r\nTo: 1\r\nTo: 2\r\nX: 3\r\nFrom: 4\r\nx: 5\r\nZ\xff: 6\r\n: 7\r\n\r\n";
    let (head, _) = Head::parse(octets);
    let index = FieldIndex::new(&head);
    let names = FieldNames::parse(b"from:to:from", 1, 9).unwrap();
    let coverage = Coverage {
        positions: index.select(names.iter(), 0),
        names,
        own: 0,
        present: Present::of(&head),
    };
    let unsigned: Vec<_> = coverage.unsigned().collect();
    assert_eq!(unsigned, [("to", 1), ("x", 2), ("z\u{fffd}", 1), ("", 1)]);
    for (name, count) in [("TO", 1), ("X", 2), ("from", 0), ("d", 0), ("y", 0)] {
        assert_eq!(coverage.count_unsigned(name, &index), count, "{name}");
    }
}

#[test]
fn removes_the_signature() {
    for (value, expected) in [
        (&b"b=abc;h=From"[..], &b"b=;h=From"[..]),
        (b"bh=B64b=;h=From;b=abc", b"bh=B64b=;h=From;b="),
        (b" b\r\n =\r\n abc = ; bb=1", b" b\r\n =; bb=1"),
        (b"B=abc;z=b=1", b"B=abc;z=b=1"),
        (b"b=", b"b="),
        (b"", b""),
    ] {
        assert_eq!(without_signature(value), expected);
    }
}

/// Few fields and many, with names that repeat: as RFC 6376 5.4.2 says it, in so many words.
#[test]
fn selects_as_a_naive_reader_does() {
    const NAMES: [&str; 8] = ["a", "A", "To", "from", "Subject", "subjecT", "X-1", "X-2"];
    let mut state = 1_u32;
    let mut below = |bound: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        usize::try_from(state >> 12).unwrap() % bound
    };
    for round in 0..if cfg!(miri) { 20 } else { 2_000 } {
        let count = [0, 1, 9, 63, 64, 65, 150][round % 7];
        let fields: Vec<_> = (0..count).map(|_| NAMES[below(NAMES.len())]).collect();
        let names: Vec<_> = (0..below(40)).map(|_| NAMES[below(NAMES.len())]).collect();
        let own = below(count + 1);
        let pairs = fields.iter().map(|name| (name.as_bytes(), &b""[..]));
        let head = Head::from_pairs(pairs);
        let index = FieldIndex::new(&head);

        let mut taken = vec![false; count + 1];
        taken[own] = true;
        let expected: Vec<_> = names
            .iter()
            .map(|name| {
                let free = |at: &usize| !taken[*at] && fields[*at].eq_ignore_ascii_case(name);
                let found = (0..count).rev().find(free);
                taken[found.unwrap_or(own)] = true;
                found
            })
            .collect();
        assert_eq!(index.select(names.iter().copied(), own), expected);
        for name in NAMES {
            let same = fields
                .iter()
                .filter(|field| field.eq_ignore_ascii_case(name));
            assert_eq!(index.count(name), same.count());
        }
    }
}
