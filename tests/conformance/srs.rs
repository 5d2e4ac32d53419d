//! Suites of kind `srs`: vectors, properties, and reading without the secret.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::Domain;
use mailproof::srs::{Claimed, Forwarded, Reversed, Rewriter, Unchanged};
use serde_json::Value;

use crate::report::{self, Report};

pub fn run(folder: &Path, report: &mut Report) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    for file in files {
        let is_json = file
            .extension()
            .is_some_and(|extension| extension == "json");
        if !is_json || file.ends_with("suite.json") {
            continue;
        }
        let content = report::json(&file)?;
        let mut known = false;
        for cases in [Some(&content), content.get("vectors"), content.get("cases")] {
            for case in cases.and_then(Value::as_array).into_iter().flatten() {
                known = true;
                vector(case, report)?;
            }
        }
        for set in list(&content, "properties") {
            known = true;
            properties(set, report);
        }
        for key in ["exchange_online", "decode_without_key"] {
            for case in list(&content, key) {
                known = true;
                decoding(key, case, report)?;
            }
        }
        if !known {
            return Err(format!("{}: nothing known in it", file.display()));
        }
    }
    Ok(())
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    let list = value.get(key).and_then(Value::as_array);
    list.map_or(&[], Vec::as_slice)
}

fn text<'a>(case: &'a Value, key: &str) -> Option<&'a str> {
    case.get(key).and_then(Value::as_str)
}

fn number(case: &Value, key: &str) -> Option<u64> {
    case.get(key).and_then(Value::as_u64)
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn vector(case: &Value, report: &mut Report) -> Result<(), String> {
    let op = text(case, "op").ok_or(format!("{case} has no op"))?;
    let address = text(case, "address").ok_or(format!("{case} has no address"))?;
    let now = at(number(case, "now").ok_or(format!("{case} has no now"))?);
    let name = format!("{op} {address}");
    if report.skips(&name) {
        return Ok(());
    }
    let (got, cause) = match op {
        "forward" => {
            let forwarder = text(case, "forwarder").ok_or(format!("{case} has no forwarder"))?;
            let forwarded = rewriter(case, forwarder)?.forward(address, now);
            (outcome(&forwarded, address), format!("{forwarded:?}"))
        }
        "reverse" => {
            let reversed = rewriter(case, address)?.reverse(address, now);
            let cause = format!("{reversed:?}");
            match reversed {
                Reversed::Valid { address, .. } => (Some(address), cause),
                _ => (None, cause),
            }
        }
        other => return Err(format!("unknown op {other}")),
    };
    let expect = case.get("expect").ok_or(format!("{case} has no expect"))?;
    let acceptable = acceptable(expect);
    let show = |address: &Option<String>| address.clone().unwrap_or("an error".into());
    let expected: Vec<String> = acceptable.iter().map(show).collect();
    let passed = acceptable.contains(&got);
    report.case(&name, passed, &expected.join(" or "), &show(&got), &cause);
    Ok(())
}

/// The addresses that a case accepts; `None` stands for an error.
fn acceptable(expect: &Value) -> Vec<Option<String>> {
    let owned = |value: &Value| value.as_str().map(str::to_owned);
    if expect.get("error").is_some() {
        return vec![None];
    }
    let single = text(expect, "ok").map(|ok| Some(ok.to_owned()));
    let also = list(expect, "also").iter().map(owned);
    let any_of = list(expect, "any_of").iter().map(owned);
    single.into_iter().chain(also).chain(any_of).collect()
}

/// A rewriter as the case sets it up, for the domain behind the last `@`.
fn rewriter(case: &Value, domain: &str) -> Result<Rewriter, String> {
    let domain = domain.rsplit('@').next().unwrap_or_default();
    let domain = Domain::parse(domain.as_bytes())
        .or_else(|_| "srs.invalid".parse())
        .map_err(|error| error.to_string())?;
    let mut secrets = list(case, "secrets").iter().filter_map(Value::as_str);
    let first = secrets.next().ok_or(format!("{case} has no secrets"))?;
    let mut rewriter = Rewriter::new(domain, first).map_err(|error| error.to_string())?;
    for older in secrets {
        rewriter = rewriter
            .older_secret(older)
            .map_err(|error| error.to_string())?;
    }
    if let Some(separator) = text(case, "separator") {
        let separator = separator.chars().next().ok_or("no separator")?;
        rewriter = rewriter
            .separator(separator)
            .map_err(|error| error.to_string())?;
    }
    let length = |key| number(case, key).and_then(|length| usize::try_from(length).ok());
    if let Some(length) = length("hash_length") {
        rewriter = rewriter
            .hash_length(length)
            .map_err(|error| error.to_string())?;
    }
    if let Some(length) = length("hash_min") {
        rewriter = rewriter
            .minimum_hash_length(length)
            .map_err(|error| error.to_string())?;
    }
    if let Some(days) = number(case, "max_age_days").and_then(|days| u16::try_from(days).ok()) {
        rewriter = rewriter
            .maximum_age(days)
            .map_err(|error| error.to_string())?;
    }
    let always = case.get("always_rewrite").and_then(Value::as_bool);
    Ok(if always == Some(true) {
        rewriter.always_rewriting()
    } else {
        rewriter
    })
}

/// The sender to forward with. Other libraries emit over-long addresses, and call the null sender
/// an error.
fn outcome(forwarded: &Forwarded, sender: &str) -> Option<String> {
    match forwarded {
        Forwarded::Srs0(address) | Forwarded::Srs1(address) => Some(address.clone()),
        Forwarded::TooLong { address, .. } => Some(address.clone()),
        Forwarded::Unchanged(Unchanged::NullSender) => None,
        Forwarded::Unchanged(_) => Some(sender.to_owned()),
        _ => None,
    }
}

const NOW: u64 = 1_700_000_000;

/// The properties that a set names in words, for each of its addresses and separators.
fn properties(set: &Value, report: &mut Report) {
    for separator in list(set, "separators").iter().filter_map(Value::as_str) {
        for sender in list(set, "addresses").iter().filter_map(Value::as_str) {
            let separator = separator.chars().next();
            let broken = match separator.filter(|separator| "=-+".contains(*separator)) {
                Some(separator) => broken_property(sender, separator),
                None => Some("unknown separator"),
            };
            let name = format!("properties {sender}");
            let got = broken.unwrap_or("all hold");
            report.case(&name, broken.is_none(), "all hold", got, "property");
        }
    }
}

fn broken_property(sender: &str, separator: char) -> Option<&'static str> {
    let make = |domain: &str, secret: &str| {
        let rewriter = Rewriter::new(domain.parse().unwrap(), secret).unwrap();
        rewriter.separator(separator).unwrap()
    };
    let chain = ["one", "two", "three", "four"].map(|host| make(&format!("{host}.example"), host));
    let [one, two, three, four] = &chain;
    let day = |days: u64| at(NOW + days * 86_400);
    let forward = |rewriter: &Rewriter, address: &str| {
        outcome(&rewriter.forward(address, day(0)), address).unwrap_or_default()
    };
    let back = |rewriter: &Rewriter, address: &str, now| match rewriter.reverse(address, now) {
        Reversed::Valid { address, .. } => address,
        other => format!("{other:?}"),
    };
    let first = forward(one, sender);
    let second = forward(two, &first);
    let last = forward(four, &forward(three, &second));
    let rotated = make("one.example", "new").older_secret("one").unwrap();
    let always = one.clone().always_rewriting();
    let checks = [
        (
            back(one, &first, day(0)) == sender,
            "reverse(forward(a)) == a",
        ),
        (back(two, &second, day(0)) == first, "the second hop"),
        (
            back(one, &back(four, &last, day(0)), day(0)) == sender,
            "long chains reverse in two steps",
        ),
        (forward(one, &first) == first, "our own is left alone"),
        (forward(&always, &first) != first, "unless always rewriting"),
        (
            back(one, &first.to_lowercase(), day(0)).eq_ignore_ascii_case(sender),
            "lower case reverses",
        ),
        (back(one, &first, day(3)) == sender, "three days later"),
        (back(one, &first, day(50)) == "Expired(50)", "50 days later"),
        (
            back(one, &first, at(NOW - 3 * 86_400)) == "Expired(1021)",
            "three days early",
        ),
        (back(&rotated, &first, day(0)) == sender, "an older secret"),
        (one.clone().separator('!').is_err(), "separator !"),
    ];
    checks
        .into_iter()
        .find(|(holds, _)| !holds)
        .map(|(_, property)| property)
}

/// A case of reading without the secret: an address under one of several names, and what of it the
/// case names.
fn decoding(set: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    let names = [
        "address",
        "srs",
        "input",
        "rewritten",
        "recipient",
        "mail_from",
    ];
    let address = names.iter().find_map(|name| text(case, name));
    let address = address
        .or(case.as_str())
        .ok_or(format!("{case} has no address"))?;
    let name = format!("{set} {address}");
    if report.skips(&name) {
        return Ok(());
    }
    let claimed = Claimed::decode(address);
    let expect = case.get("expect").unwrap_or(case);
    let refused = expect.is_null()
        || expect.get("error").is_some()
        || expect.as_str() == Some("none")
        || case.get("srs") == Some(&Value::Bool(false));
    let (passed, expected) = match (&claimed, refused) {
        (None, refused) => (refused, expect.to_string()),
        (Some(_), true) => (false, "nothing".to_owned()),
        (Some(claimed), false) => match mismatch(claimed, expect) {
            None => (true, expect.to_string()),
            Some(expected) => (false, expected),
        },
    };
    report.case(&name, passed, &expected, &format!("{claimed:?}"), set);
    Ok(())
}

/// The first fact that differs from what the case says, in the words that cases may use for it.
fn mismatch(claimed: &Claimed, expect: &Value) -> Option<String> {
    let original = claimed.original();
    let facts = [
        (
            &["original", "original_sender", "sender", "ok"][..],
            original.map(ToString::to_string),
        ),
        (
            &[
                "local",
                "local_part",
                "user",
                "original_user",
                "original_local",
            ],
            original
                .and_then(|original| original.rsplit_once('@'))
                .map(|(local_part, _)| local_part.to_owned()),
        ),
        (
            &["domain", "host", "original_domain", "original_host"],
            claimed.original_domain().map(ToString::to_string),
        ),
        (
            &["forwarder", "forwarder_domain", "forwarding_domain"],
            Some(claimed.forwarder().to_string()),
        ),
        (
            &["mailbox", "forwarding_user", "forwarding_mailbox"],
            claimed.mailbox().map(str::to_owned),
        ),
        (&["timestamp", "tt", "stamp"], claimed.stamp()),
    ];
    facts.iter().find_map(|(names, fact)| {
        let (name, wanted) = names
            .iter()
            .find_map(|name| expect.get(name).map(|wanted| (name, wanted)))?;
        let same = match (wanted.as_str(), fact) {
            (Some(wanted), Some(fact)) => wanted.eq_ignore_ascii_case(fact),
            (None, None) => wanted.is_null(),
            _ => false,
        };
        (!same).then(|| format!("{name}={wanted}"))
    })
}
