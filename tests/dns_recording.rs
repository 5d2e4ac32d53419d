//! Recordings: what they keep, that their text gives them back whole, and what readers refuse.

use std::future::Future;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Waker};
use std::time::Duration;

use mailproof::dns::{
    Answer, Lookup, LookupError, Mx, Name, Outcome, RecordType, Recording, Resolver, Transcript,
    TranscriptError, Txt, Zone, block_on,
};

/// A resolver that makes its answers up.
struct Random(Mutex<u64>);

impl Random {
    fn new(seed: u64) -> Self {
        Self(Mutex::new(seed.wrapping_mul(2).wrapping_add(1)))
    }

    /// The next number below `bound` (splitmix64).
    fn below(&self, bound: u64) -> u64 {
        let mut state = self.0.lock().expect("no panic under the lock");
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn octets(&self, least: u64, most: u64) -> Vec<u8> {
        let length = least + self.below(most - least + 1);
        (0..length)
            .map(|_| match self.below(3) {
                0 => u8::try_from(self.below(256)).expect("an octet"),
                1 => b"\"\\;#.( \t\r\n"[usize::try_from(self.below(10)).expect("an index")],
                _ => b'a',
            })
            .collect()
    }

    fn name(&self) -> Name {
        if self.below(20) == 0 {
            return Name::root();
        }
        let labels: Vec<_> = (0..=self.below(4)).map(|_| self.octets(1, 12)).collect();
        Name::from_labels(labels.iter().map(Vec::as_slice)).expect("a name")
    }

    fn lookup<T: Send>(&self, record: impl Fn(&Self) -> T) -> Lookup<'_, T> {
        let outcome = match self.below(6) {
            0 => return Lookup::ready(Err(self.error())),
            1 => Outcome::no_data(),
            2 => Outcome::no_such_name(),
            _ => {
                let records: Vec<_> = (0..=self.below(4)).map(|_| record(self)).collect();
                Outcome::records(records)
            }
        };
        let outcome = match self.below(4) {
            0 => outcome,
            1 => outcome.with_ttl(Duration::new(u64::MAX, 999_999_999)),
            2 => outcome.with_ttl(Duration::from_nanos(self.below(u64::MAX))),
            _ => outcome.with_ttl(Duration::from_secs(self.below(100_000))),
        };
        Lookup::ready(Ok(outcome.with_authentic(self.below(2) == 0)))
    }

    fn error(&self) -> LookupError {
        match self.below(6) {
            0 => LookupError::Malformed,
            1 => LookupError::Refused,
            2 => LookupError::ServFail,
            3 => LookupError::Timeout,
            4 => LookupError::Truncated,
            _ => {
                let words = [self.octets(0, 20), "\u{fc}\n\u{2028}timeout".into()].concat();
                LookupError::Other(String::from_utf8_lossy(&words).into())
            }
        }
    }
}

impl Resolver for Random {
    fn txt<'a>(&'a self, _: &'a Name) -> Lookup<'a, Txt> {
        self.lookup(|random| Txt::new(random.octets(0, 300)))
    }

    fn a<'a>(&'a self, _: &'a Name) -> Lookup<'a, Ipv4Addr> {
        self.lookup(|random| {
            u32::try_from(random.below(1 << 32))
                .expect("32 bits")
                .into()
        })
    }

    fn aaaa<'a>(&'a self, _: &'a Name) -> Lookup<'a, Ipv6Addr> {
        self.lookup(|random| (u128::from(random.below(u64::MAX)) << random.below(64)).into())
    }

    fn mx<'a>(&'a self, _: &'a Name) -> Lookup<'a, Mx> {
        self.lookup(|random| Mx {
            preference: u16::try_from(random.below(1 << 16)).expect("16 bits"),
            exchange: random.name(),
        })
    }

    fn ptr<'a>(&'a self, _: &'a Name) -> Lookup<'a, Name> {
        self.lookup(Self::name)
    }
}

/// Asks, and shows the answer for comparison.
fn ask(resolver: &impl Resolver, record_type: RecordType, name: &Name) -> String {
    match record_type {
        RecordType::A => format!("{:?}", block_on(resolver.a(name))),
        RecordType::Aaaa => format!("{:?}", block_on(resolver.aaaa(name))),
        RecordType::Mx => format!("{:?}", block_on(resolver.mx(name))),
        RecordType::Ptr => format!("{:?}", block_on(resolver.ptr(name))),
        _ => format!("{:?}", block_on(resolver.txt(name))),
    }
}

#[test]
fn random_answers_survive_text_and_replay() {
    let types = [
        RecordType::A,
        RecordType::Aaaa,
        RecordType::Mx,
        RecordType::Ptr,
        RecordType::Txt,
    ];
    for seed in 0..500 {
        let random = Random::new(seed);
        let recording = Recording::new(&random);
        let mut asked: Vec<(RecordType, Name)> = Vec::new();
        let mut answers = Vec::new();
        for _ in 0..random.below(12) {
            let repeated = usize::try_from(random.below(12)).expect("an index");
            let (record_type, name) = asked.get(repeated).cloned().unwrap_or_else(|| {
                let index = usize::try_from(random.below(5)).expect("an index");
                (types[index], random.name())
            });
            answers.push(ask(&recording, record_type, &name));
            asked.push((record_type, name));
        }
        let transcript = recording.into_transcript();
        let text = transcript.to_string();
        assert!(
            text.bytes()
                .all(|octet| matches!(octet, b' '..=b'~' | b'\n')),
            "{text}"
        );
        let read = Transcript::from_text(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(read, transcript);
        // Mail makes CRLF of line ends.
        assert_eq!(Transcript::from_text(text.replace('\n', "\r\n")), Ok(read));
        let replay = transcript.replay();
        for ((record_type, name), answer) in asked.iter().zip(&answers) {
            assert_eq!(ask(&replay, *record_type, name), *answer, "seed {seed}");
        }
        if let Some((record_type, name)) = asked.last() {
            let last = answers.last().cloned();
            assert_eq!(Some(ask(&replay, *record_type, name)), last);
        }
    }
}

#[test]
fn questions_in_their_order() {
    let mut zone = Zone::new();
    let x: Name = "x.example".parse().expect("a name");
    let y: Name = "y.example".parse().expect("a name");
    zone.add_txt("x.example", "a").expect("a name");
    zone.add_txt("x.example", "b").expect("a name");
    zone.fail("y.example", LookupError::Timeout)
        .expect("a name");
    zone.hold("x.example").expect("a name");
    let recording = Recording::new(&zone);
    let waker = Waker::noop();
    {
        let mut first = pin!(recording.txt(&x));
        assert!(
            first
                .as_mut()
                .poll(&mut Context::from_waker(waker))
                .is_pending()
        );
        assert!(block_on(recording.mx(&y)).is_err());
        let shown: Vec<_> = recording
            .questions()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            shown,
            [
                "TXT x.example: unanswered",
                "MX y.example: error: no answer in time"
            ]
        );
        zone.release("x.example");
        assert!(
            first
                .as_mut()
                .poll(&mut Context::from_waker(waker))
                .is_ready()
        );
    }
    let questions = recording.questions();
    let answers: Vec<_> = questions.iter().map(|question| &question.answer).collect();
    let expected = [Answer::Records(2), Answer::Error(LookupError::Timeout)];
    assert_eq!(answers, expected.iter().collect::<Vec<_>>());
    let json = serde_json::to_value(&questions).expect("JSON");
    assert_eq!(json[0]["record_type"], "TXT");
    assert_eq!(json[0]["answer"]["records"], 2);
    assert_eq!(json[1]["answer"]["error"], "timeout");
}

#[test]
fn given_up_lookups_time_out_in_replay() {
    let mut zone = Zone::new();
    let name: Name = "x.example".parse().expect("a name");
    zone.hold("x.example").expect("a name");
    let recording = Recording::new(zone);
    drop(recording.a(&name));
    let text = recording.transcript().to_string();
    assert_eq!(text, "mailproof dns 1\nA x.example unanswered\n");
    let replay = Transcript::from_text(text).expect("a transcript").replay();
    assert_eq!(block_on(replay.a(&name)), Err(LookupError::Timeout));
    assert!(matches!(
        block_on(replay.txt(&name)),
        Err(LookupError::Other(_))
    ));
}

#[test]
fn recordings_are_bounded() {
    let recording = Recording::new(Zone::new());
    let name: Name = "x.example".parse().expect("a name");
    for _ in 0..10_003 {
        assert!(
            block_on(recording.a(&name))
                .expect("an outcome")
                .is_no_such_name()
        );
    }
    let transcript = recording.transcript();
    assert_eq!(
        (transcript.questions().len(), transcript.missed()),
        (10_000, 3)
    );
    let text = transcript.to_string();
    assert!(Transcript::from_text(&text) == Ok(transcript));
    let error = refused(text + "A x.example no-data\n");
    assert_eq!(error, TranscriptError::TooLarge(10_003));
    let error = refused(" ".repeat((16 << 20) + 1));
    assert_eq!(error, TranscriptError::TooLarge(1));
}

fn refused(text: impl AsRef<[u8]>) -> TranscriptError {
    Transcript::from_text(text).expect_err("an error")
}

#[test]
fn people_may_add_comments() {
    let transcript = Transcript::from_text(
        "\u{feff}; from ticket 1\r\n\
         mailproof dns 1\r\n\
         \r\n\
         # the policy\r\n\
         TXT x.example records dnssec ttl=5 \r\n\
         ; two of them\r\n\
         \t\"a\"\r\n\
         \r\n\
         \t\"b\"\r\n",
    )
    .expect("a transcript");
    let question = transcript.questions().next().expect("a question");
    assert_eq!(question.answer, Answer::Records(2));
    assert!(question.authentic);
    assert_eq!(question.ttl, Some(Duration::from_secs(5)));
}

#[test]
fn refusals_name_line_and_rule() {
    for (text, error) in [
        ("SRV x.example no-data", TranscriptError::Type(2)),
        ("txt x.example no-data", TranscriptError::Type(2)),
        ("TXT x..example no-data", TranscriptError::Name(2)),
        ("TXT", TranscriptError::Name(2)),
        ("TXT x.example", TranscriptError::Answer(2)),
        ("TXT x.example records", TranscriptError::Answer(2)),
        ("TXT x.example no-data\n \"a\"", TranscriptError::Answer(2)),
        (
            "TXT x.example unanswered\n \"a\"",
            TranscriptError::Answer(2),
        ),
        ("TXT x.example no-data ttl=-1", TranscriptError::Answer(2)),
        ("TXT x.example no-data ttl=1.5", TranscriptError::Answer(2)),
        (
            "TXT x.example no-data ttl=18446744073709551616",
            TranscriptError::Answer(2),
        ),
        ("TXT x.example no-data fresh", TranscriptError::Answer(2)),
        ("TXT x.example error", TranscriptError::Answer(2)),
        ("TXT x.example error odd", TranscriptError::Answer(2)),
        ("TXT x.example error \"\\255\"", TranscriptError::Answer(2)),
        ("missed many", TranscriptError::Answer(2)),
        (" \"a\"", TranscriptError::Name(2)),
    ] {
        let text = format!("mailproof dns 1\n{text}");
        assert_eq!(refused(&text), error, "{text}");
        assert_eq!(error.line(), 2);
    }
    for text in [
        "TXT x records\n a",
        "TXT x records\n \"a",
        "TXT x records\n \"a\"b\"",
        "TXT x records\n \"a\\\"",
        "TXT x records\n \"\\25\"",
        "TXT x records\n \"\\256\"",
        "A x records\n 192.0.2",
        "A x records\n ::1",
        "AAAA x records\n 192.0.2.1",
        "MX x records\n 10",
        "MX x records\n 65536 x",
        "PTR x records\n x..y",
    ] {
        let text = format!("mailproof dns 1\n{text}");
        assert_eq!(refused(&text), TranscriptError::Record(3), "{text}");
    }
    for text in [
        "",
        "mailproof dns 2\n",
        "mailproof dns 1 \u{a0}",
        "A x no-data",
    ] {
        assert_eq!(refused(text), TranscriptError::Version(1), "{text}");
    }
}
