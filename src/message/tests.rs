//! Tests of header blocks and messages.

use super::*;

fn shape(octets: &[u8]) -> Vec<(String, String)> {
    let (head, _) = Head::parse(octets);
    let text = |octets: &[u8]| octets.escape_ascii().to_string();
    head.fields()
        .iter()
        .map(|field| (text(field.name()), text(field.value())))
        .collect()
}

#[test]
fn splits_fields_octet_for_octet() {
    let octets = b"A: 1\r\n 2\r\nB :\r\n\t3\r\nC:\r\n\r\nbody\r\n\r\n";
    let (head, body) = Head::parse(octets);
    assert_eq!(body, b"body\r\n\r\n");
    assert_eq!(
        shape(octets),
        [("A", " 1\\r\\n 2"), ("B", "\\r\\n\\t3"), ("C", "")].map(|(n, v)| (n.into(), v.into()))
    );
    assert_eq!(head.fields().get(1).unwrap().gap(), b" ");
    assert_eq!(
        head.anomalies(),
        &Anomalies {
            spaces_before_colon: 1,
            ..Anomalies::default()
        }
    );
}

#[test]
fn records_what_is_odd() {
    let anomalies = |octets: &[u8]| *Head::parse(octets).0.anomalies();
    let none = Anomalies::default();
    assert_eq!(anomalies(b"\r\nbody"), none);
    assert_eq!(
        anomalies(b""),
        Anomalies {
            unseparated: true,
            ..none
        }
    );
    assert_eq!(
        anomalies(b" A: 1\r\n\r\n"),
        Anomalies {
            begins_with_fold: true,
            malformed_names: 1,
            ..none
        }
    );
    assert_eq!(
        anomalies(b"A: 1\r\nfoo\r\n\r\n"),
        Anomalies {
            lines_without_colon: 1,
            ..none
        }
    );
    assert_eq!(
        anomalies(b"A B: 1\r\n\r\n"),
        Anomalies {
            malformed_names: 1,
            ..none
        }
    );
    assert_eq!(
        anomalies(b"A: \n\0\r\r\n\r\n"),
        Anomalies {
            bare_lf: 1,
            bare_cr: 1,
            nul: 1,
            ..none
        }
    );
    assert_eq!(
        anomalies(b"A: 1\n2\r\nB: 3\n4\r\n\r\n"),
        Anomalies { bare_lf: 2, ..none }
    );
    assert_eq!(
        anomalies(b"A: 1\r2\r\n\r\n"),
        Anomalies { bare_cr: 1, ..none }
    );
    assert_eq!(anomalies(b"A: \0\r\n\r\n"), Anomalies { nul: 1, ..none });
    let line = |length: usize| [b"A: ", &[b'x'; 2_000][..length - 3], b"\r\n\r\n"].concat();
    assert_eq!(anomalies(&line(998)), none);
    assert_eq!(
        anomalies(&line(999)),
        Anomalies {
            long_lines: 1,
            ..none
        }
    );
}

#[test]
fn only_crlf_ends_a_line() {
    assert_eq!(
        shape(b"A: 1\nB: 2\r\n\r\n"),
        [("A".into(), " 1\\nB: 2".into())]
    );
    assert_eq!(shape(b"A: 1\n\nB: 2\r\n\r\n").len(), 1);
    assert_eq!(shape(b"A: 1\rB: 2\r\n\r\n").len(), 1);
    let (head, body) = Head::parse(b"A: 1\r\nB: 2");
    assert_eq!((head.fields().len(), body), (2, &b""[..]));
    assert!(head.anomalies().unseparated);
}

#[test]
fn name_folded_before_the_colon_counts() {
    let (head, _) = Head::parse(b"From\r\n : <first@attack.example>\r\nfrom: x@y.example\r\n\r\n");
    assert_eq!(head.named(b"FROM").count(), 2);
}

#[test]
fn pairs_of_a_milter() {
    let pairs = [(&b"A"[..], &b" 1\n\t2"[..]), (b"B", b"x")];
    let head = Head::from_milter(pairs, true);
    assert_eq!(head.fields().first().unwrap().value(), b" 1\r\n\t2");
    assert_eq!(head.fields().get(1).unwrap().value(), b"x");
    let head = Head::from_milter(pairs, false);
    assert_eq!(head.fields().get(1).unwrap().value(), b" x");
    let head = Head::from_pairs([(&b"A"[..], &b" 1\r\n\t2"[..])]);
    assert_eq!(head.fields().first().unwrap().value(), b" 1\r\n\t2");
}
