//! Suites of kind `dmarc` (records, evaluation, tree walk, alignment, From domains, external
//! reports) and `psl` (registrable domains).

use std::path::Path;
use std::sync::Arc;

use mailproof::dmarc::{
    self, AlignmentMode, Disposition, PublicSuffixList, Record, ReportKind, ReportUri, RuleSet,
    Settings,
};
use mailproof::dns::{Zone, block_on};
use mailproof::identifier::{AuthenticatedIdentifier, Method, Status};
use mailproof::message::{Author, Head};
use mailproof::{Address, Domain};
use serde_json::Value;

use crate::report::{self, Report};
use crate::zone;

/// Runs the files of a `dmarc` folder, each of which may be absent. What a file holds is told by
/// the fields of its cases.
pub fn run(folder: &Path, report: &mut Report) -> Result<(), String> {
    for path in files(folder, "json")? {
        match report::json(&path)? {
            Value::Array(cases) => cases.iter().for_each(|case| any_case(case, report)),
            Value::Object(lists) => {
                for list in lists.values().filter_map(Value::as_array) {
                    list.iter().for_each(|case| any_case(case, report));
                }
            }
            _ => return Err(format!("{}: neither list nor object", path.display())),
        }
    }
    Ok(())
}

/// Runs a case; one that cannot be read has failed.
fn any_case(case: &Value, report: &mut Report) {
    if let Err(error) = known_case(case, report) {
        report.case(&case.to_string(), false, "a readable case", "none", &error);
    }
}

fn known_case(case: &Value, report: &mut Report) -> Result<(), String> {
    let has = |key: &str| case.get(key).is_some();
    if has("record") {
        record(case, report)
    } else if has("zone") && has("from") {
        evaluate(case, report)
    } else if has("start") {
        tree_walk(case, report)
    } else if has("mode") {
        alignment(case, report)
    } else if has("from") {
        from_domains(case, report)
    } else if has("policy_domain") {
        external_report(case, report)
    } else {
        Err("a case of no known form".into())
    }
}

fn record(case: &Value, report: &mut Report) -> Result<(), String> {
    let source = text(case, "record")?;
    let expected = text(case, "expect")?;
    if report.skips(source) {
        return Ok(());
    }
    let parsed = Record::parse(source.as_bytes());
    let rules = RuleSet::Rfc9989;
    let (got, cause) = match &parsed {
        None => ("not-dmarc", "not v=DMARC1".to_owned()),
        Some(record) if record.policies(rules).is_none() => {
            ("invalid", format!("{:?}", record.warnings()))
        }
        Some(record) => ("valid", format!("{:?}", record.warnings())),
    };
    let mut passed = expected == "either" || expected == got;
    let mut wanted = expected.to_owned();
    if let (Some(record), "valid", Some(fields)) = (&parsed, expected, case.get("fields")) {
        for (key, value) in fields.as_object().into_iter().flatten() {
            let ours = field(record, key);
            let same = match key.as_str() {
                "fo" => failure_options(value) == Some(record.fo().to_string()),
                _ => ours == *value,
            };
            if !same {
                passed = false;
                wanted = format!("{key}={value} (not {ours})");
            }
        }
    }
    // What we print reads back as the same record.
    if let Some(record) = &parsed {
        let printed = record.to_string();
        let again = Record::parse(printed.as_bytes());
        passed &= again.is_some_and(|again| again.to_string() == printed);
    }
    report.case(source, passed, &wanted, got, &cause);
    Ok(())
}

fn field(record: &Record, key: &str) -> Value {
    let policy = |of: usize| {
        let policies = record.policies(RuleSet::Rfc9989);
        policies.map(|policies| policies[of].as_str()).into()
    };
    let mode = |mode| match mode {
        AlignmentMode::Relaxed => "r".into(),
        AlignmentMode::Strict => "s".into(),
    };
    let uris = |uris: Vec<ReportUri>| uris.iter().map(ReportUri::as_str).collect();
    match key {
        "p" | "effective_p" => policy(0),
        "sp" => policy(1),
        "np" => policy(2),
        "adkim" => mode(record.adkim()),
        "aspf" => mode(record.aspf()),
        "psd" => match record.psd() {
            Some(true) => "y".into(),
            Some(false) => "n".into(),
            None => "u".into(),
        },
        "t" if record.is_testing() => "y".into(),
        "t" => "n".into(),
        "pct" => record.pct().into(),
        "ri" => record.ri().into(),
        "rua" => uris(record.rua()),
        "ruf" => uris(record.ruf()),
        "rua_sizes" => {
            let size = |uri: ReportUri| {
                let limit = uri.size_limit()?;
                Some(match limit {
                    _ if limit % (1 << 20) == 0 => format!("{}m", limit >> 20),
                    _ if limit % (1 << 10) == 0 => format!("{}k", limit >> 10),
                    _ => limit.to_string(),
                })
            };
            record.rua().into_iter().map(size).collect()
        }
        _ => Value::Null,
    }
}

/// The options in our order. 0 is what the absence of 1 means, so it counts only where it is alone.
fn failure_options(value: &Value) -> Option<String> {
    let mut options: Vec<&str> = value.as_array()?.iter().filter_map(Value::as_str).collect();
    options.sort_unstable();
    if options.iter().any(|option| *option != "0") {
        options.retain(|option| *option != "0");
    }
    Some(options.join(":"))
}

fn evaluate(case: &Value, report: &mut Report) -> Result<(), String> {
    let id = text(case, "id")?;
    if report.skips(id) {
        return Ok(());
    }
    let spec = case.get("spec").and_then(Value::as_str);
    if spec != Some("7489") {
        evaluate_with(id, case, &Settings::default(), report)?;
    }
    if matches!(spec, Some("both" | "7489")) {
        let mut settings = Settings::default();
        settings.public_suffix_list = Some(small_list()?);
        evaluate_with(&format!("{id} (psl)"), case, &settings, report)?;
    }
    Ok(())
}

fn evaluate_with(
    id: &str,
    case: &Value,
    settings: &Settings,
    report: &mut Report,
) -> Result<(), String> {
    let zone = zone(case)?;
    let author = author(text(case, "from")?)?;
    let identifiers = identifiers(case)?;
    let discovery = block_on(dmarc::Discovery::of_author(&zone, &author, settings));
    let queries: Vec<String> = discovery.queries().iter().map(|q| q.to_string()).collect();
    let discovery = block_on(discovery.with_identifiers(&zone, &identifiers, settings));
    let verdict = discovery.evaluate(&author, &identifiers, settings);
    let ours = |key: &str| -> Value {
        match key {
            "result" => verdict.result().as_str().into(),
            "record_domain" => verdict.policy_domain().map(Domain::as_str).into(),
            "policy" => verdict.published().map(Disposition::as_str).into(),
            "disposition" => verdict.disposition().as_str().into(),
            "dkim_aligned" => verdict.is_aligned(Method::Dkim).into(),
            "spf_aligned" => verdict.is_aligned(Method::Spf).into(),
            "org_domain" => match verdict.organizational_domain() {
                Some(organization) => organization.as_str().into(),
                None => organization_of(&zone, verdict.author_domain(), settings).into(),
            },
            "queries" => queries.iter().map(String::as_str).collect(),
            _ => Value::Null,
        }
    };
    let expected = case.get("expect").and_then(Value::as_object);
    let mut passed = true;
    let (mut wanted, mut got) = (String::new(), String::new());
    for (key, value) in expected.ok_or("no expect")? {
        let ours = ours(key);
        let any_of = key != "queries" && value.as_array().is_some_and(|any| any.contains(&ours));
        if ours != *value && !any_of {
            passed = false;
            wanted += &format!("{key}={value} ");
            got += &format!("{key}={ours} ");
        }
    }
    report.case(
        id,
        passed,
        wanted.trim(),
        got.trim(),
        &verdict.cause().to_string(),
    );
    Ok(())
}

/// An author domain, or the value of a From field.
fn author(from: &str) -> Result<Author, String> {
    if from.contains('@') {
        return Ok(read_author(from));
    }
    let address = Address::new("a", domain(from)?).map_err(|error| error.to_string())?;
    Ok(Author::One(address))
}

fn read_author(from: &str) -> Author {
    let message = format!("From: {from}\r\n\r\n");
    let (head, _) = Head::parse(message.as_bytes());
    head.author()
}

fn organization_of(zone: &Zone, domain: Option<&Domain>, settings: &Settings) -> Option<String> {
    match block_on(dmarc::Discovery::of_organization(zone, domain?, settings)).0 {
        Ok(organization) => Some(organization.to_string()),
        Err(_) => None,
    }
}

fn identifiers(case: &Value) -> Result<Vec<AuthenticatedIdentifier>, String> {
    let one = |method| move |value: &Value| (method, value.clone());
    let spf = case.get("spf").filter(|spf| spf.is_object());
    let dkim = case.get("dkim").and_then(Value::as_array);
    let results = spf.into_iter().map(one(Method::Spf));
    let mut identifiers = Vec::new();
    for (method, value) in results.chain(dkim.into_iter().flatten().map(one(Method::Dkim))) {
        let status = match text(&value, "result")? {
            "pass" => Status::Pass,
            "temperror" => Status::Temperror,
            _ => continue,
        };
        let domain = domain(text(&value, "domain")?)?;
        identifiers.push(AuthenticatedIdentifier::trust_result_obtained_elsewhere(
            domain, method, status,
        ));
    }
    Ok(identifiers)
}

fn tree_walk(case: &Value, report: &mut Report) -> Result<(), String> {
    let start = text(case, "start")?;
    let expected = text(case, "org_domain")?;
    let id = format!("{start} {}", case.get("source").unwrap_or(&Value::Null));
    if report.skips(&id) {
        return Ok(());
    }
    let zone = zone(case)?;
    let (start, settings) = (domain(start)?, Settings::default());
    let found = dmarc::Discovery::of_organization(&zone, &start, &settings);
    let (organization, discovery) = block_on(found);
    let got = match &organization {
        Ok(organization) => organization.to_string(),
        Err(error) => format!("{error:?}"),
    };
    let queries: Value = discovery.queries().iter().map(|q| q.to_string()).collect();
    let as_asked = case.get("queries").is_none_or(|wanted| *wanted == queries);
    report.case(
        &id,
        got == expected && as_asked,
        expected,
        &got,
        &queries.to_string(),
    );
    Ok(())
}

fn alignment(case: &Value, report: &mut Report) -> Result<(), String> {
    let (a, b) = (text(case, "a")?, text(case, "b")?);
    let id = format!("{a} {b}");
    let list = small_list()?;
    let (a, b) = (domain(a)?, domain(b)?);
    let aligned = match text(case, "mode")? {
        "s" => a == b,
        _ => list.organizational_domain(&a) == list.organizational_domain(&b),
    };
    let expected = case.get("aligned").and_then(Value::as_bool);
    let passed = expected == Some(aligned);
    report.case(
        &id,
        passed,
        &format!("{expected:?}"),
        &aligned.to_string(),
        "alignment",
    );
    Ok(())
}

/// ‘Rows that RFC 5322 does not allow are scored as refused or the listed domain, never another one.’
fn from_domains(case: &Value, report: &mut Report) -> Result<(), String> {
    let from = text(case, "from")?;
    let author = read_author(from);
    let got: Value = author.domains().iter().map(Domain::as_str).collect();
    let expected = case.get("domains").ok_or("no domains")?;
    let refused = author.domains().is_empty();
    let malformed = case
        .get("note")
        .and_then(Value::as_str)
        .is_some_and(|note| note.contains("malformed"));
    let passed = got == *expected || (refused && malformed);
    report.case(
        from,
        passed,
        &expected.to_string(),
        &got.to_string(),
        &format!("{author:?}"),
    );
    Ok(())
}

fn external_report(case: &Value, report: &mut Report) -> Result<(), String> {
    let (policy, destination) = (text(case, "policy_domain")?, text(case, "dest")?);
    let id = format!("{policy} {destination}");
    if report.skips(&id) {
        return Ok(());
    }
    let zone = zone(case)?;
    let uri = ReportUri::parse(format!("mailto:reports@{destination}").as_bytes());
    let uri = uri.ok_or("destination")?;
    let settings = Settings::default();
    let policy = domain(policy)?;
    let answer = uri.authorize(&zone, &policy, ReportKind::Aggregate, &settings);
    let answer = block_on(answer);
    let accepts = !answer.destinations(&uri).is_empty();
    // No expectation: the destination could not be asked, or implementations differ.
    let expected = case.get("accepts").and_then(Value::as_bool);
    let passed = expected.is_none_or(|expected| expected == accepts);
    let expected = format!("{expected:?}");
    report.case(
        &id,
        passed,
        &expected,
        &accepts.to_string(),
        &format!("{answer:?}"),
    );
    Ok(())
}

/// Runs the files of a `psl` folder: the published tests against the list beside them, and JSON
/// files that bring small lists of their own.
pub fn run_psl(folder: &Path, report: &mut Report) -> Result<(), String> {
    if let Some(path) = files(folder, "dat")?.first() {
        let octets = std::fs::read(path).map_err(|error| error.to_string())?;
        let list = PublicSuffixList::parse(&octets);
        let list = list.ok_or("a list without rules")?;
        for path in files(folder, "txt")? {
            let tests = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
            for line in tests.lines() {
                if let Some((name, expected)) = psl_test(line) {
                    registrable(&list, &name, expected.as_deref(), report);
                }
            }
        }
    }
    for path in files(folder, "json")? {
        let suite = report::json(&path)?;
        let Some(cases) = suite.get("cases").and_then(Value::as_array) else {
            continue;
        };
        let list = PublicSuffixList::parse_icann(text(&suite, "list")?.as_bytes());
        let list = list.ok_or("a list without rules")?;
        for case in cases {
            let expected = case.get("registrable").and_then(Value::as_str);
            registrable(&list, text(case, "domain")?, expected, report);
        }
    }
    Ok(())
}

/// `name expected`, or `checkPublicSuffix('name', 'expected');`; `null` is nothing.
fn psl_test(line: &str) -> Option<(String, Option<String>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with("//") {
        return None;
    }
    let line = line
        .trim_start_matches("checkPublicSuffix(")
        .trim_end_matches(");");
    let mut words = line
        .split([',', ' '])
        .filter(|word| !word.is_empty())
        .map(|word| word.trim_matches('\''));
    let (name, expected) = (words.next()?, words.next()?);
    Some((name.into(), (expected != "null").then(|| expected.into())))
}

fn registrable(list: &PublicSuffixList, name: &str, expected: Option<&str>, report: &mut Report) {
    // What is no domain (`null`, a leading dot) has no registrable domain.
    let parsed = name.parse::<Domain>().ok().filter(|_| name != "null");
    let got = parsed.and_then(|domain| list.registrable_domain(&domain));
    // Answers are expected in the form of the question; A-labels are equal to U-labels.
    let expected = expected.and_then(|expected| expected.parse::<Domain>().ok());
    let passed = got == expected;
    report.case(
        name,
        passed,
        &format!("{expected:?}"),
        &format!("{got:?}"),
        "list",
    );
}

/// The list that the README of these suites asks for.
fn small_list() -> Result<Arc<PublicSuffixList>, String> {
    PublicSuffixList::parse(b"example\ncom\nnet\norg\n")
        .map(Arc::new)
        .ok_or_else(|| "a list without rules".into())
}

fn zone(case: &Value) -> Result<Zone, String> {
    let mut zone = zone::zone(case.get("zone").ok_or("no zone")?)?;
    for name in case
        .get("exists")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let name = name.as_str().ok_or("exists")?;
        zone.add_name(name)
            .map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(zone)
}

fn files(folder: &Path, extension: &str) -> Result<Vec<std::path::PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| error.to_string())?;
    let mut paths: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .filter(|path| path.file_name().is_some_and(|name| name != "suite.json"))
        .collect();
    paths.sort();
    Ok(paths)
}

fn domain(text: &str) -> Result<Domain, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

fn text<'a>(value: &'a Value, key: &str) -> Result<&'a str, String> {
    let text = value.get(key).and_then(Value::as_str);
    text.ok_or(format!("{value} has no {key}"))
}
