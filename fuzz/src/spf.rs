//! Records, macro-strings, whole checks and Received-SPF fields.

use std::net::IpAddr;

use mailproof::Session;
use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::spf::{
    Identity, MacroString, ReceivedSpf, Record, Request, Settings, SpfResult, Survey, check_host,
    check_session,
};

/// A record is printed as it was read, and its normal form means the same.
pub fn spf_record(data: &[u8]) {
    match Record::parse(data) {
        Ok(record) => {
            assert_eq!(record.to_string().as_bytes(), data);
            let normal = record.to_normal_form();
            let again = Record::parse(normal.as_bytes()).expect("the normal form is a record");
            assert_eq!(again.to_normal_form(), normal);
            assert_eq!(again.terms().len(), record.terms().len());
            for (one, other) in record.directives().zip(again.directives()) {
                assert_eq!((one.1, one.2), (other.1, other.2));
            }
            for warning in record.lint() {
                assert!(!warning.to_string().is_empty());
            }
            let _ = record.reporting();
        }
        Err(error) => {
            assert!(error.offset() <= data.len());
            assert!(error.to_string().is_ascii());
        }
    }
}

/// A macro-string expands without growing out of bounds.
pub fn spf_macro_string(data: &[u8]) {
    let (text, sender) = data.split_at(
        data.len()
            .min(usize::from(data.first().copied().unwrap_or_default())),
    );
    let clients: [IpAddr; 2] = [
        [192, 0, 2, 1].into(),
        [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into(),
    ];
    let mut zone = Zone::new();
    zone.add_ptr(clients[0], "mx.example.com").expect("a name");
    zone.add_address("mx.example.com", clients[0])
        .expect("a name");
    for parsed in [
        MacroString::parse_term(text),
        MacroString::parse_explanation(text),
    ] {
        let Ok(parsed) = parsed else { continue };
        assert_eq!(parsed.as_str().as_bytes(), text);
        for client in clients {
            let request = Request::new(
                client,
                Identity::MailFrom,
                sender,
                b"example.com",
                Some(sender),
            );
            let expansion = block_on(parsed.expand(&zone, &request, &Settings::default()));
            if let Some(expansion) = expansion {
                assert!(expansion.len() <= 8_192);
                assert!(!parsed.is_literal() || expansion == text);
            }
        }
    }
}

/// A check ends within its bounds, whatever the zone says: line by line, the first octet of a line
/// is the name, the second the type, the rest the data.
pub fn spf_check_host(data: &[u8]) {
    let zone = zone(data);
    let domain = name(data.first().copied().unwrap_or_default());
    let mut settings = Settings::default();
    settings.trace_events = 20;
    let clients: [IpAddr; 2] = [
        [192, 0, 2, 1].into(),
        [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into(),
    ];
    for client in clients {
        let request = Request::new(
            client,
            Identity::MailFrom,
            b"user",
            domain.as_bytes(),
            Some(data),
        );
        let evaluation = block_on(check_host(&zone, &request, &settings));
        let untraced = block_on(check_host(&zone, &request, &Settings::default()));
        assert_eq!(untraced.cause(), evaluation.cause());
        assert!(evaluation.queries() <= settings.max_queries);
        assert!(evaluation.lookups() <= settings.max_lookup_terms);
        assert_eq!(evaluation.result(), evaluation.cause().result());
        assert!(evaluation.trace().count() <= 20);
        if let Some(explanation) = evaluation.explanation() {
            assert_eq!(evaluation.result(), SpfResult::Fail);
            let is_plain = |octet: u8| (b' '..=b'~').contains(&octet);
            assert!(explanation.as_str().bytes().all(is_plain));
        }
        let session = Session::new(client, data, "user@a.example");
        let written = ReceivedSpf::of(&evaluation, &session, "mx.example").to_field();
        assert!(!written.replace("\r\n\t", "").contains(['\r', '\n']));
    }
    let survey = block_on(Survey::of(
        &zone,
        &domain.parse().expect("a domain"),
        &settings,
    ));
    assert!(survey.errors.len() + survey.warnings.len() <= 1_002);
}

fn name(octet: u8) -> String {
    let letter = char::from(b'a' + octet % 8);
    if octet & 8 == 0 {
        format!("{letter}.example")
    } else {
        format!("x.{letter}.example")
    }
}

fn zone(data: &[u8]) -> Zone {
    let mut zone = Zone::new();
    for line in data.split(|octet| *octet == b'\n').take(64) {
        let [owner, kind, data @ ..] = line else {
            continue;
        };
        let owner = name(*owner);
        let target = name(data.first().copied().unwrap_or_default());
        let added = match kind % 8 {
            0 => zone.add_mx(&owner, 10, &target).map(drop),
            1 => zone.add_address(&owner, [192, 0, 2, 1].into()).map(drop),
            2 => zone.add_cname(&owner, &target).map(drop),
            3 => zone.add_ptr([192, 0, 2, 1].into(), &target).map(drop),
            4 => zone.fail(&owner, LookupError::ServFail).map(drop),
            5 => zone.add_txt(&owner, data).map(drop),
            _ => zone.add_txt(&owner, [b"v=spf1 ", data].concat()).map(drop),
        };
        added.expect("a name");
    }
    zone
}

/// What was read is written so that it reads the same.
pub fn spf_received(data: &[u8]) {
    if let Ok(field) = ReceivedSpf::parse(data) {
        let written = field.to_field();
        assert!(!written.replace("\r\n\t", "").contains(['\r', '\n']));
        let body = written
            .strip_prefix("Received-SPF:")
            .expect("the field has its name");
        assert_eq!(ReceivedSpf::parse(body.as_bytes()).as_ref(), Ok(&field));
        let _ = field.to_method_result();
    }
}

/// A whole session: HELO, MAIL FROM and the client's address, one a line, then zone text. Each check
/// ends within its bounds, and only MAIL FROM authenticates where it is known.
pub fn spf_session(data: &[u8]) {
    let mut parts = data.splitn(4, |octet| *octet == b'\n');
    let helo = parts.next().unwrap_or_default();
    let mail_from = parts.next().unwrap_or_default();
    let client = std::str::from_utf8(parts.next().unwrap_or_default());
    let client = client.ok().and_then(|text| text.trim().parse().ok());
    let zone = Zone::from_text(parts.next().unwrap_or_default()).unwrap_or_default();
    let client: IpAddr = client.unwrap_or(IpAddr::from([192, 0, 2, 1]));
    let session = Session::new(client, helo, mail_from);
    let settings = Settings::default();
    let checked = block_on(check_session(&zone, &session, &settings));
    for evaluation in [checked.helo(), checked.mail_from()].into_iter().flatten() {
        assert!(evaluation.queries() <= settings.max_queries);
        assert!(evaluation.lookups() <= settings.max_lookup_terms);
        assert!(evaluation.void_lookups() <= settings.max_void_lookups + 1);
        assert_eq!(evaluation.result(), evaluation.cause().result());
        assert!(!evaluation.cause().to_string().contains(['\r', '\n', '\0']));
        let _ = evaluation.to_method_result();
        let written = ReceivedSpf::of(evaluation, &session, "mx.example").to_field();
        let body = written.strip_prefix("Received-SPF:").expect("the name");
        let read = ReceivedSpf::parse(body.as_bytes()).expect("our own field");
        assert_eq!(read.result(), evaluation.result());
    }
    if let Some(identifier) = checked.authenticated_identifier()
        && let Some(evaluation) = checked.mail_from()
    {
        assert_eq!(evaluation.domain(), Some(identifier.domain()));
    }
}
