//! DNS data from strangers: transcripts and zone files that came with a ticket.

use std::mem::discriminant;

use mailproof::dns::{Name, RecordType, Resolver, Transcript, Zone, block_on};

/// What is read prints as a text that reads as the same, and its replay answers every question as
/// the transcript says.
pub fn recording(data: &[u8]) {
    let Ok(transcript) = Transcript::from_text(data) else {
        return;
    };
    let text = transcript.to_string();
    assert!(
        text.bytes()
            .all(|octet| matches!(octet, b' '..=b'~' | b'\n'))
    );
    let again = Transcript::from_text(&text).expect("what we wrote");
    assert_eq!(again, transcript);
    assert_eq!(again.to_string(), text);

    let recording = mailproof::dns::Recording::new(transcript.replay());
    for question in transcript.questions() {
        ask(&recording, question.record_type, &question.name);
    }
    // One that was given up is an error when it is replayed.
    let replayed = recording.into_transcript();
    for (question, answer) in transcript.questions().zip(replayed.questions()) {
        assert_eq!(
            (&question.name, question.record_type),
            (&answer.name, answer.record_type)
        );
        let given_up = question.answer == mailproof::dns::Answer::Unanswered;
        assert!(given_up || question == answer);
    }
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What is read can be asked for all that it names; a line before it only moves the error.
pub fn zone(data: &[u8]) {
    // A byte order mark is one only at the beginning.
    let (mark, lines) = match data.strip_prefix(BYTE_ORDER_MARK) {
        Some(lines) => (BYTE_ORDER_MARK, lines),
        None => (&b""[..], data),
    };
    let below_comment = [mark, b"; comment\n", lines].concat();
    // Up to the size that is read.
    if below_comment.len() > 1 << 20 {
        return;
    }
    let (zone, moved) = match (Zone::from_text(data), Zone::from_text(&below_comment)) {
        (Ok(zone), Ok(moved)) => (zone, moved),
        (Err(error), Err(moved)) => {
            assert_eq!(error.line() + 1, moved.line());
            assert_eq!(discriminant(&error), discriminant(&moved));
            return;
        }
        _ => panic!("a comment changes the outcome"),
    };
    let words = data.split(|octet| octet.is_ascii_whitespace());
    for word in words
        .filter_map(|word| std::str::from_utf8(word).ok())
        .take(100)
    {
        let Ok(name) = word.parse::<Name>() else {
            continue;
        };
        for record_type in [
            RecordType::A,
            RecordType::Aaaa,
            RecordType::Mx,
            RecordType::Ptr,
            RecordType::Txt,
        ] {
            assert_eq!(
                ask(&zone, record_type, &name),
                ask(&moved, record_type, &name)
            );
        }
    }
}

fn ask(resolver: &impl Resolver, record_type: RecordType, name: &Name) -> String {
    match record_type {
        RecordType::A => format!("{:?}", block_on(resolver.a(name))),
        RecordType::Aaaa => format!("{:?}", block_on(resolver.aaaa(name))),
        RecordType::Mx => format!("{:?}", block_on(resolver.mx(name))),
        RecordType::Ptr => format!("{:?}", block_on(resolver.ptr(name))),
        _ => format!("{:?}", block_on(resolver.txt(name))),
    }
}
