//! Where nearly the same record, name or text comes to another result.

use mailproof::dns::{Zone, block_on};
use mailproof::spf::{Cause, Evaluation, MacroString, Request, Settings, SpfResult, check_host};

fn zone(records: &[(&str, &str)]) -> Zone {
    let mut zone = Zone::new();
    for (name, text) in records {
        zone.add_txt(name, text).unwrap();
    }
    zone
}

fn check(zone: &Zone, sender: &str) -> Evaluation {
    let client = [192, 0, 2, 1].into();
    let request = Request::mail_from(client, "mx.example.com", sender);
    block_on(check_host(zone, &request, &Settings::default()))
}

/// §6.2: ‘During recursion into an "include" mechanism, an "exp" modifier from the <target-name> MUST
/// NOT be used. In contrast, when executing a "redirect" modifier, an "exp" modifier from the original
/// domain MUST NOT be used.’
#[test]
fn whose_explanation_is_used() {
    let target = ("b.example", "v=spf1 -all exp=b-text.example");
    let texts = [("a-text.example", "by a"), ("b-text.example", "by b")];
    for (records, expected) in [
        (
            &[("a.example", "v=spf1 -all exp=a-text.example")][..],
            Some("by a"),
        ),
        (
            &[("a.example", "v=spf1 include:b.example -all"), target],
            None,
        ),
        (
            &[
                (
                    "a.example",
                    "v=spf1 include:b.example -all exp=a-text.example",
                ),
                target,
            ],
            Some("by a"),
        ),
        (
            &[
                ("a.example", "v=spf1 redirect=b.example exp=a-text.example"),
                target,
            ],
            Some("by b"),
        ),
        // What an include leads to is still included.
        (
            &[
                ("a.example", "v=spf1 include:c.example -all"),
                ("c.example", "v=spf1 redirect=b.example"),
                target,
            ],
            None,
        ),
        (
            &[
                ("a.example", "v=spf1 include:c.example -all"),
                ("c.example", "v=spf1 include:b.example ?all"),
                target,
            ],
            None,
        ),
    ] {
        let evaluation = check(&zone(&[records, &texts].concat()), "a@a.example");
        assert_eq!(evaluation.result(), SpfResult::Fail, "{records:?}");
        let explanation = evaluation.explanation().map(|text| text.as_str());
        assert_eq!(explanation, expected, "{records:?}");
        // One question for each record, and one for the text that is used.
        let questions = records.len() + usize::from(expected.is_some());
        assert_eq!(evaluation.queries(), questions, "{records:?}");
    }
}

/// §4.5: ‘If the resultant record set includes more than one record, check_host() produces the
/// "permerror" result.’
#[test]
fn several_records_are_counted() {
    let records = [
        "v=spf1 -all",
        "v=spf1 +all",
        "v=spf1",
        "v=spf10 -all",
        "other",
    ];
    let records = records.map(|record| ("a.example", record));
    for (records, count) in [(&records[..2], 2), (&records[..3], 3), (&records[..], 3)] {
        let evaluation = check(&zone(records), "a@a.example");
        assert_eq!(evaluation.result(), SpfResult::Permerror);
        assert!(
            matches!(evaluation.cause(), Cause::SeveralRecords { count: found, .. } if *found == count),
            "{:?}",
            evaluation.cause()
        );
    }
}

#[test]
fn expansions_have_8_kib() {
    let request = Request::mail_from([192, 0, 2, 1].into(), "mx.example.com", "a@a.example");
    for (octets, fits) in [(8_191, true), (8_192, true), (8_193, false)] {
        // One macro of one octet among so many.
        let text = format!("{}%{{l}}", "x".repeat(octets - 1));
        let text = MacroString::parse_term(text.as_bytes()).unwrap();
        let expansion = block_on(text.expand(&Zone::new(), &request, &Settings::default()));
        assert_eq!(expansion.map(|text| text.len()), fits.then_some(octets));
    }
}

/// §7.3: ‘the left side is truncated to fit, by removing successive domain labels (and their following
/// dots) until the total length does not exceed 253 characters’, which the final dot is not one of.
#[test]
fn names_are_cut_to_253_octets() {
    let long = [&"b".repeat(63)[..], &"c".repeat(63), &"d".repeat(63)].join(".");
    for dot in ["", "."] {
        for (first, kept) in [(60, true), (61, true), (62, false)] {
            // With its dots the whole has `first` and 192 octets.
            let local_part = "a".repeat(first);
            let rest = &long[..];
            let record = format!("v=spf1 exists:%{{l}}.{rest}{dot} -all");
            let mut zone = zone(&[("a.example", &record)]);
            let whole = format!("{local_part}.{rest}");
            let asked = if kept { &whole[..] } else { rest };
            zone.add_address(asked, [127, 0, 0, 2].into()).unwrap();
            let evaluation = check(&zone, &format!("{local_part}@a.example"));
            assert_eq!(
                evaluation.result(),
                SpfResult::Pass,
                "{first}{dot} {}",
                whole.len()
            );
        }
    }
}
