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
        let mut index = FieldIndex::new(&head);
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
    let (head, _) = Head::parse(b"D: s\r\nTo: 1\r\nTo: 2\r\nX: 3\r\nFrom: 4\r\n\r\n");
    let mut index = FieldIndex::new(&head);
    index.select(["from", "to"].into_iter(), 0);
    let unsigned = index.unsigned();
    assert_eq!(unsigned.iter().collect::<Vec<_>>(), [("to", 1), ("x", 1)]);
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
