//! Header blocks at their edges: what is odd about one, and whom From fields name that only just can
//! or cannot be read.

use mailproof::message::{Anomalies, Author, AuthorError, Head};

fn anomalies(octets: &[u8]) -> Anomalies {
    *Head::parse(octets).0.anomalies()
}

fn from(value: &str) -> Author {
    let octets = format!("From:{value}\r\n\r\n");
    Head::parse(octets.as_bytes()).0.author()
}

fn is_joe(value: &str) -> bool {
    let author = from(value);
    let domain = "joe.example".parse().unwrap();
    matches!(author, Author::One(_)) && author.domain() == Some(&domain)
}

#[test]
fn a_field_without_a_name_has_a_malformed_one() {
    for (octets, malformed) in [
        (&b": 1\r\n\r\n"[..], 1),
        (b":: 1\r\n\r\n", 1),
        (b" : 1\r\n\r\n", 1),
        (b"A: 1\r\n\r\n", 0),
        (b"A:: 1\r\n\r\n", 0),
    ] {
        let found = anomalies(octets).malformed_names;
        assert_eq!(found, malformed, "{}", octets.escape_ascii());
    }
}

/// RFC 5322 2.1.1: ‘Each line of characters MUST be no more than 998 characters, [...] excluding the
/// CRLF.’
#[test]
fn lines_have_998_octets() {
    for (octets, long) in [(997, 0), (998, 0), (999, 1), (1_500, 1)] {
        let line = format!("A: {}", "x".repeat(octets - 3));
        let folds = [
            format!("{line}\r\n\r\n"),
            format!("{line}\r\n y\r\n\r\n"),
            format!("B: 1\r\n{line}\r\n\r\n"),
            // Neither does it matter what else is odd, nor whether the line ends.
            line.replacen('x', "\0", 1) + "\r\n y\r\n\r\n",
            format!("B: \0\r\n{line}"),
            line,
        ];
        for octets in folds {
            let found = anomalies(octets.as_bytes()).long_lines;
            assert_eq!(found, long, "{}", octets.escape_debug());
        }
    }
}

#[test]
fn a_cr_at_the_end_is_bare() {
    for (octets, bare) in [
        (&b"A: 1\r"[..], 1),
        (b"A: 1\r\n", 0),
        (b"A: 1\r\n\r\n", 0),
        (b"A: 1\r\r\n\r\n", 1),
    ] {
        let found = anomalies(octets).bare_cr;
        assert_eq!(found, bare, "{}", octets.escape_ascii());
    }
}

/// RFC 6854: a group may be empty.
#[test]
fn groups_without_mailboxes() {
    assert_eq!(from(" Undisclosed:;"), Author::Missing);
    assert_eq!(from(" Undisclosed: ;"), Author::Missing);
    assert!(is_joe(" Undisclosed:;, joe@joe.example"));
    assert!(matches!(from(" Group: joe;"), Author::Unparseable(_)));
}

#[test]
fn comments_close_as_often_as_they_open() {
    assert!(is_joe(" joe@joe.example (a (b))"));
    for (value, at) in [
        (" joe@joe.example)", 16),
        (" joe@joe.example (a))", 20),
        (" ) joe@joe.example", 1),
    ] {
        let octet = b')';
        let expected = Author::Unparseable(AuthorError::Character { octet, at });
        assert_eq!(from(value), expected, "{value}");
    }
    // A backslash means something inside only.
    assert!(is_joe(" (\\() joe@joe.example (\\))"));
    for (value, at) in [(" \\( joe@joe.example", 1), (" joe@joe.example \\x", 17)] {
        let octet = b'\\';
        let expected = Author::Unparseable(AuthorError::Character { octet, at });
        assert_eq!(from(value), expected, "{value}");
    }
}

/// RFC 5322 3.2.2 and 3.2.4: no control characters in comments and quoted strings but the tab.
#[test]
fn controls_in_comments_and_quotes() {
    for (value, at) in [
        (" (a\x01b) joe@joe.example", 3),
        (" \"a\x01b\" <joe@joe.example>", 3),
        (" (a\\\x01b) joe@joe.example", 4),
    ] {
        let expected = Author::Unparseable(AuthorError::Character { octet: 1, at });
        assert_eq!(from(value), expected, "{value:?}");
        let tab = value.replace('\x01', "\t");
        assert!(is_joe(&tab), "{tab:?} {:?}", from(&tab));
    }
}

/// RFC 2047 5 allows none in an addr-spec, but some readers decode what looks like one.
#[test]
fn encoded_words_in_addresses() {
    for value in [" a=?b@joe.example", " a?=b@joe.example"] {
        assert!(is_joe(value), "{value} {:?}", from(value));
    }
    for value in [" =?utf-8?q?a?=@joe.example", " a?==?b@joe.example"] {
        assert!(matches!(from(value), Author::Unparseable(_)), "{value}");
    }
    // A list to the one reader, an encoded word to the other.
    let ambiguous = Author::Unparseable(AuthorError::Ambiguous);
    assert_eq!(
        from(" =?utf-8?q?a@b.example,?= <joe@joe.example>"),
        ambiguous
    );
    assert!(is_joe(" =?utf-8?q?a=40b.example=2C?= <joe@joe.example>"));
}
