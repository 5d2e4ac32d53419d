//! Suites of kind `authres`: reading at four levels, writing, injection, folding, real fields.

use std::path::Path;

use mailproof::auth_results::{
    AuthenticationResults, Keyword, Method, MethodResult, Property, PropertyType, Reading,
    ResultWord, Tolerated,
};
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
        let mut each = |key: &str, run: fn(&Value, &mut Report) -> Result<(), String>| {
            for case in list(&content, key) {
                known = true;
                run(case, report)?;
            }
            Ok::<(), String>(())
        };
        each("parse", parse)?;
        each("format", format)?;
        each("injection", injection)?;
        each("fold_inputs", fold)?;
        for case in content.as_array().into_iter().flatten() {
            known = true;
            real(case, report)?;
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

fn text<'a>(case: &'a Value, key: &str) -> Result<&'a str, String> {
    let value = case.get(key).and_then(Value::as_str);
    value.ok_or(format!("{case} has no {key}"))
}

/// What either parser found.
struct Found {
    authserv_id: Option<String>,
    version: u32,
    instance: Option<u32>,
    results: Vec<MethodResult>,
}

impl From<AuthenticationResults> for Found {
    fn from(field: AuthenticationResults) -> Self {
        Self {
            authserv_id: Some(field.authserv_id.as_str().to_owned()),
            version: field.version,
            instance: None,
            results: field.results,
        }
    }
}

impl From<Reading> for Found {
    fn from(reading: Reading) -> Self {
        Self {
            authserv_id: reading.authserv_id().map(ToString::to_string),
            version: reading.version(),
            instance: reading.instance(),
            results: reading.results().to_vec(),
        }
    }
}

fn parse(case: &Value, report: &mut Report) -> Result<(), String> {
    let value = text(case, "value")?;
    let level = text(case, "level")?;
    let expect = text(case, "expect")?;
    let name = format!(
        "{level} {}",
        value.split_whitespace().collect::<Vec<_>>().join(" ")
    );
    if report.skips(&name) {
        return Ok(());
    }
    let tolerant = AuthenticationResults::read(value.as_bytes());
    let found = match level {
        // A message without SMTPUTF8 has no octets above 127.
        "strict" if !value.is_ascii() => Err("not ASCII".to_owned()),
        "strict" | "eai" => AuthenticationResults::parse(value.as_bytes())
            .map(Found::from)
            .map_err(|error| error.to_string()),
        _ => match (tolerant, expect) {
            (Err(error), _) => Err(error.to_string()),
            (Ok(reading), "invalid") if !reading.tolerated().is_empty() => {
                Err(format!("{:?}", reading.tolerated()))
            }
            (Ok(reading), _) => Ok(Found::from(reading)),
        },
    };
    let (passed, got, cause) = match (expect, found) {
        ("valid", Ok(found)) => match mismatch(&found, case) {
            None => (true, "valid", String::new()),
            Some(mismatch) => (false, "other facts", mismatch),
        },
        ("valid", Err(error)) => (false, "invalid", error),
        ("invalid", Err(error)) => (true, "invalid", error),
        ("invalid", Ok(_)) => (false, "valid", String::new()),
        ("either" | "no-crash", _) => (true, "no crash", String::new()),
        (other, _) => return Err(format!("unknown expectation {other}")),
    };
    report.case(&name, passed, expect, got, &cause);
    Ok(())
}

/// The first fact of the case that is not so. Lists of results and properties need not be complete.
fn mismatch(found: &Found, case: &Value) -> Option<String> {
    let differs = |key: &str, got: Value| {
        let wanted = case.get(key)?;
        (*wanted != got).then(|| format!("{key} is {got}, not {wanted}"))
    };
    let id = found.authserv_id.clone().unwrap_or_default();
    differs("authserv_id", id.into())
        .or_else(|| differs("version", found.version.into()))
        .or_else(|| differs("arc_instance", found.instance.into()))
        .or_else(|| differs("result_count", found.results.len().into()))
        .or_else(|| {
            let mut rest = found.results.iter();
            list(case, "results")
                .iter()
                .find(|wanted| !rest.any(|result| is(result, wanted)))
                .map(|wanted| format!("{wanted} is not among {:?}", found.results))
        })
}

fn is(result: &MethodResult, wanted: &Value) -> bool {
    let text = |key: &str| wanted.get(key).and_then(Value::as_str);
    let number = |key: &str| wanted.get(key).and_then(Value::as_u64);
    let properties_hold = list(wanted, "props").iter().all(|wanted| {
        let part = |at: usize| wanted.get(at).and_then(Value::as_str).unwrap_or_default();
        result.properties.iter().any(|property| {
            property.ptype.as_str().eq_ignore_ascii_case(part(0))
                && property.name.as_str().eq_ignore_ascii_case(part(1))
                && property.value == part(2)
        })
    });
    properties_hold
        && text("method").is_none_or(|wanted| result.method.as_str() == wanted)
        && text("result").is_none_or(|wanted| result.result.as_str() == wanted)
        && text("reason").is_none_or(|wanted| result.reason.as_deref() == Some(wanted))
        && text("comment").is_none_or(|wanted| result.comment.as_deref() == Some(wanted))
        && number("method_version").is_none_or(|wanted| u64::from(result.version) == wanted)
}

/// What other software writes, read and written again, is the same text.
fn format(case: &Value, report: &mut Report) -> Result<(), String> {
    let wanted = text(case, "text")?;
    let name = format!("format {wanted}");
    if report.skips(&name) {
        return Ok(());
    }
    let mut field = AuthenticationResults::new("mx.example".parse().unwrap());
    let reading = AuthenticationResults::read(format!("mx.example; {wanted}").as_bytes())
        .map_err(|e| e.to_string())?;
    field.results = reading.results().to_vec();
    let got = unfolded(&field.to_field());
    let got = got
        .split_once("; ")
        .map_or("", |(_, results)| results)
        .to_owned();
    let method = text(case, "method")?;
    let named = field
        .results
        .first()
        .is_some_and(|result| result.method.as_str() == method);
    report.case(&name, named && got == wanted, wanted, &got, "format");
    Ok(())
}

fn unfolded(field: &str) -> String {
    field.replace("\r\n\t", " ")
}

fn injection(case: &Value, report: &mut Report) -> Result<(), String> {
    let (field, value) = (text(case, "field")?, text(case, "value")?);
    let name = format!("injection {field} {value:?}");
    let (ptype, property) = field.rsplit_once(['.', ' ']).unwrap_or(("header", field));
    let ptype = PropertyType::from(Keyword::new(ptype).ok_or("no keyword")?);
    let property = Property::new(ptype, Keyword::new(property).ok_or("no keyword")?, value);
    let mut results = AuthenticationResults::new("mx.example".parse().unwrap());
    results.results.push(
        MethodResult::new(Method::Dkim, ResultWord::Pass)
            .with_comment(value)
            .with_reason(value)
            .with_property(property.clone()),
    );
    let written = results.to_field();
    let (_, body) = written.split_once(": ").unwrap_or_default();
    let clean: String = value.chars().filter(|c| !c.is_control()).collect();
    let passed = !unfolded(&written).contains(['\r', '\n'])
        && AuthenticationResults::parse(body.as_bytes()).is_ok_and(|read| {
            let [result] = read.results.as_slice() else {
                return false;
            };
            result.properties.len() == 1
                && result.properties.iter().all(|p| p.value == clean)
                && result.comment.as_deref() == Some(clean.as_str())
                && result.reason.as_deref() == Some(clean.as_str())
        });
    report.case(&name, passed, "one property", &written, "injection");
    Ok(())
}

fn fold(case: &Value, report: &mut Report) -> Result<(), String> {
    let value = case.as_str().ok_or("not a text")?;
    let name = format!("fold {value}");
    let field = match AuthenticationResults::parse(value.as_bytes()) {
        Ok(field) => field,
        Err(error) => {
            report.case(&name, false, "a field", "invalid", &error.to_string());
            return Ok(());
        }
    };
    let written = field.to_field();
    let (_, body) = written.split_once(':').unwrap_or_default();
    let same = AuthenticationResults::parse(body.as_bytes()).as_ref() == Ok(&field);
    let longest = value.split(' ').map(str::len).max().unwrap_or_default();
    let short = written
        .split("\r\n")
        .all(|line| line.len() <= 78.max(longest + 30));
    report.case(&name, same && short, "the same, folded", &written, "fold");
    Ok(())
}

/// A field from a real message.
fn real(case: &Value, report: &mut Report) -> Result<(), String> {
    let value = text(case, "value")?;
    let field = text(case, "field").unwrap_or("Authentication-Results");
    if !field
        .to_ascii_lowercase()
        .ends_with("authentication-results")
    {
        return Ok(());
    }
    let name = format!(
        "real {}",
        value.split_whitespace().collect::<Vec<_>>().join(" ")
    );
    if report.skips(&name) {
        return Ok(());
    }
    let reading = AuthenticationResults::read(value.as_bytes());
    let cause = format!("{reading:?}");
    let got = match reading {
        Err(_) => "refused",
        Ok(reading) => {
            let lost = reading
                .tolerated()
                .iter()
                .any(|tolerated| matches!(tolerated, Tolerated::Dropped(_) | Tolerated::TooMany));
            if lost { "lost" } else { "read" }
        }
    };
    report.case(&name, got == "read", "read", got, &cause);
    Ok(())
}
