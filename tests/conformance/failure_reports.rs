//! Failure reports of the suites of kind `dmarc-reports`.

use std::path::Path;

use mailproof::Message;
use mailproof::report::Limits;
use mailproof::report::failure::FailureReport;
use serde_json::{Value, json};

use crate::report::Report;

/// Holds each field, as the origin reads it, and the original message against what we read.
pub fn run(folder: &Path, file: &str, case: &Value, report: &mut Report) -> Result<(), String> {
    let octets = std::fs::read(folder.join(file)).map_err(|error| error.to_string())?;
    let read = match FailureReport::read(&octets, &Limits::default()) {
        Ok(read) => read,
        Err(error) => {
            report.case(file, false, "valid", "unreadable", &error.to_string());
            return Ok(());
        }
    };
    report.case(file, true, "valid", "valid", "");
    let origin = |name: &str| case.pointer(&format!("/origin_json/{name}")).cloned();
    for field in case
        .get("fields")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let [Some(name), Some(value)] = [0, 1].map(|at| field.get(at).and_then(Value::as_str))
        else {
            return Err(format!("{file}: {field} is no field"));
        };
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        let bare = value.trim_matches(['<', '>']);
        let own = json!(value);
        let among = |found: bool| (own.clone(), if found { own.clone() } else { Value::Null });
        let (expected, got) = match name {
            "Feedback-Type" => (own, json!(read.feedback_type)),
            "User-Agent" => (own, json!(read.user_agent)),
            "Auth-Failure" => (own, json!(read.auth_failure)),
            "Authentication-Results" => among(read.authentication_results.contains(&value)),
            "Original-Envelope-Id" => (own, json!(read.original_envelope_id)),
            "Original-Mail-From" => (json!(bare), json!(read.original_mail_from)),
            "Original-Rcpt-To" => among(read.original_rcpt_to.iter().any(|to| to == bare)),
            "Arrival-Date" | "Received-Date" => (
                origin("arrival_date").unwrap_or_default(),
                json!(read.arrival_date),
            ),
            "Source-IP" => (
                origin("source_ip").unwrap_or_default(),
                json!(read.source_ip),
            ),
            "Reporting-MTA" => (own, json!(read.reporting_mta)),
            "Reported-Domain" => among(read.reported_domains.iter().any(|d| d.as_str() == value)),
            "Reported-Uri" | "Reported-URI" => among(read.reported_uris.contains(&value)),
            "DKIM-Domain" => (own, json!(read.dkim_domain)),
            "DKIM-Identity" => (own, json!(read.dkim_identity)),
            "DKIM-Selector" => (own, json!(read.dkim_selector)),
            "DKIM-Canonicalized-Body" => {
                let text = read.dkim_canonicalized_body.as_deref().unwrap_or_default();
                (
                    json!(true),
                    json!(text.starts_with(b"This is a message body")),
                )
            }
            // Our type has no place for these.
            "Version" | "Removal-Recipient" => continue,
            other => return Err(format!("{file}: unknown field {other}")),
        };
        let (same, name) = (expected == got, format!("{file} {name}"));
        report.case(&name, same, &expected.to_string(), &got.to_string(), "");
    }
    // The header block as it was in the report, line ends aside.
    let header = String::from_utf8_lossy(read.header())
        .replace("\r\n", "\n")
        .replace('\n', "\r\n");
    let message = Message::parse(header.as_bytes());
    for (key, name) in [
        ("from", "From"),
        ("subject", "Subject"),
        ("message_id", "Message-ID"),
    ] {
        let expected = case
            .pointer(&format!("/original/{key}"))
            .and_then(Value::as_str);
        let Some(expected) = expected else { continue };
        let field = message.head().named(name.as_bytes()).next();
        let got = field.map(|field| String::from_utf8_lossy(field.value()).trim().to_owned());
        let got = got.unwrap_or_default();
        report.case(
            &format!("{file} {key}"),
            got == expected,
            expected,
            &got,
            "",
        );
    }
    Ok(())
}
