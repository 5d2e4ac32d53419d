//! The examples of RFC 6376 and RFC 8463, and the rules around them.

use std::time::SystemTime;

use mailproof::dkim::{self, Cause, DkimResult, Settings, Verification};
use mailproof::dns::{LookupError, Zone, block_on};
use mailproof::{Domain, Message};

/// RFC 6376 appendix C, RFC 8463 A.2.
fn zone() -> Zone {
    let mut zone = Zone::new();
    zone.add_txt(
        "brisbane._domainkey.example.com",
        "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkM\
         oGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gb\
         to/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB",
    )
    .unwrap();
    zone.add_txt(
        "brisbane._domainkey.football.example.com",
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    )
    .unwrap();
    zone.add_txt(
        "test._domainkey.football.example.com",
        "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6\
         Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqM\
         KrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
    )
    .unwrap();
    zone
}

/// RFC 6376 A.2.
const RFC_6376: &str = "\
DKIM-Signature: v=1; a=rsa-sha256; s=brisbane; d=example.com;
      c=simple/simple; q=dns/txt; i=joe@football.example.com;
      h=Received : From : To : Subject : Date : Message-ID;
      bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
      b=AuUoFEfDxTDkHlLXSZEpZj79LICEps6eda7W3deTVFOk4yAUoqOB
        4nujc7YopdG5dWLSdNg6xNAZpOPr+kHxt1IrE+NahM6L/LbvaHut
        KVdkLLkpVaVVQPzeRDI009SO2Il5Lu7rDNH6mZckBdrIx0orEtZV
        4bmp/YzhwvcubU4=;
Received: from client1.football.example.com  [192.0.2.1]
      by submitserver.example.com with SUBMISSION;
      Fri, 11 Jul 2003 21:01:54 -0700 (PDT)
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game. Are you hungry yet?

Joe.
";

/// RFC 8463 A.3.
const RFC_8463: &str = "\
DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.

";

fn crlf(text: &str) -> String {
    text.replace('\n', "\r\n")
}

fn verify(zone: &Zone, mail: &str) -> Vec<Verification> {
    let message = Message::parse(mail.as_bytes());
    let now = SystemTime::now();
    block_on(dkim::verify_message(
        zone,
        &message,
        now,
        &Settings::default(),
    ))
}

fn causes(mail: &str) -> Vec<Cause> {
    let verifications = verify(&zone(), mail);
    verifications
        .iter()
        .map(|verification| verification.cause().clone())
        .collect()
}

#[test]
fn rfc_6376_appendix_a() {
    assert_eq!(causes(&crlf(RFC_6376)), [Cause::Passed]);
    let verifications = verify(&zone(), &crlf(RFC_6376));
    let verification = verifications.first().unwrap();
    assert_eq!(verification.domain().unwrap().as_str(), "example.com");
    assert_eq!(verification.selector(), Some("brisbane"));
    assert_eq!(verification.identity().unwrap(), "joe@football.example.com");
    assert_eq!(verification.algorithm(), Some("rsa-sha256"));
    assert_eq!(verification.key_bits(), Some(1024));
    assert_eq!(verification.signed_fields().count(), 6);
    assert_eq!(verification.unsigned_fields().count(), 0);
    assert_eq!(verification.body_signed(), verification.body_total());
    assert_eq!(
        verification.computed_body_hash().as_deref(),
        Some("2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=")
    );
    let result = verification.to_method_result();
    let properties: Vec<(&str, &str)> = result
        .properties
        .iter()
        .map(|property| (property.name.as_str(), property.value.as_str()))
        .collect();
    assert_eq!(
        properties,
        [
            ("d", "example.com"),
            ("i", "joe@football.example.com"),
            ("s", "brisbane"),
            ("a", "rsa-sha256"),
            ("b", "AuUoFEfD"),
        ]
    );
}

#[test]
fn rfc_8463_appendix_a() {
    assert_eq!(causes(&crlf(RFC_8463)), [Cause::Passed, Cause::Passed]);
}

#[test]
fn changes_are_found() {
    for (from, to, cause) in [
        ("hungry", "angry", Cause::BodyHashMismatch),
        ("dinner", "supper", Cause::SignatureMismatch),
        ("Hi.\r\n", "Hi. \r\n", Cause::BodyHashMismatch),
        ("From: Joe", "from: Joe", Cause::SignatureMismatch),
        ("\r\nTo: Suzie", "\r\nTo:  Suzie", Cause::SignatureMismatch),
    ] {
        let mail = crlf(RFC_6376).replace(from, to);
        assert_eq!(causes(&mail), [cause], "{from}");
    }
    // Relaxed does not see white space and letter case of names.
    for (from, to) in [
        ("Hi.\r\n", "Hi. \t\r\n"),
        ("the game.  Are", "the game. \t Are"),
        ("From: Joe", "fROM:Joe"),
        ("To: Suzie Q", "To: Suzie\r\n\tQ  "),
        ("Joe.\r\n\r\n", "Joe.\r\n\t\r\n \r\n\r\n"),
        ("Joe.\r\n\r\n", "Joe."),
    ] {
        let mail = crlf(RFC_8463).replacen(from, to, 1);
        assert_eq!(causes(&mail), [Cause::Passed, Cause::Passed], "{from}");
    }
    // Both signatures name From twice, so one more breaks them; RFC 6376's does not.
    let added = "From: someone@else.example\r\n";
    let mail = format!("{added}{}", crlf(RFC_8463));
    assert_eq!(causes(&mail), [const { Cause::SignatureMismatch }; 2]);
    let mail = format!("{added}{}", crlf(RFC_6376));
    assert_eq!(causes(&mail), [Cause::Passed]);
    let verifications = verify(&zone(), &mail);
    let mut unsigned = verifications[0].unsigned_fields();
    assert_eq!(unsigned.next(), Some(("from", 1)));
}

#[test]
fn each_signature_has_its_own_result() {
    let mut mail = crlf(RFC_8463);
    mail = mail.replacen("b=/gCr", "b=/gCs", 1);
    assert_eq!(causes(&mail), [Cause::SignatureMismatch, Cause::Passed]);
    let verifications = verify(&zone(), &mail);
    assert_eq!(verifications[0].position(), 0);
    assert_eq!(verifications[1].position(), 1);
    assert_eq!(verifications[0].header_intact(), Some(false));
    let domain: Domain = "football.example.com".parse().unwrap();
    let identifiers: Vec<_> = verifications
        .iter()
        .filter_map(Verification::authenticated_identifier)
        .collect();
    assert_eq!(identifiers.len(), 1);
    assert_eq!(identifiers[0].domain(), &domain);
}

#[test]
fn failing_look_ups_are_temporary() {
    let mut zone = zone();
    zone.fail("test._domainkey.football.example.com", LookupError::Timeout)
        .unwrap();
    let verifications = verify(&zone, &crlf(RFC_8463));
    assert_eq!(verifications[0].result(), DkimResult::Pass);
    assert_eq!(verifications[1].result(), DkimResult::Temperror);
    assert!(verifications[1].authenticated_identifier().is_some());
    assert_eq!(
        verifications[1].to_string(),
        "dkim=temperror for d=football.example.com, s=test: \
         the key could not be looked up (no answer in time)"
    );
    // Nothing asked at all is the same.
    let mail = crlf(RFC_8463);
    let message = Message::parse(mail.as_bytes());
    let settings = Settings::default();
    let collected = dkim::Collected::read(message.head(), None, SystemTime::now(), &settings);
    let mut hasher = collected.body_hasher();
    hasher.update(message.body());
    let keys = dkim::Keys::default();
    let verifications = collected.verify(&keys, &hasher.finish(), &settings);
    for verification in verifications {
        assert_eq!(verification.cause(), &Cause::KeyUnavailable(None));
    }
}

#[test]
fn results_do_not_depend_on_the_cuts() {
    let mail = crlf(RFC_8463);
    let message = Message::parse(mail.as_bytes());
    let settings = Settings::default();
    let collected = dkim::Collected::read(message.head(), None, SystemTime::now(), &settings);
    let keys = block_on(dkim::Keys::fetch(&zone(), &collected.key_names()));
    let body = message.body();
    for at in 0..=body.len() {
        let (first, second) = body.split_at(at);
        let mut hasher = collected.body_hasher();
        hasher.update(first);
        hasher.update(second);
        let verified = collected.clone().verify(&keys, &hasher.finish(), &settings);
        assert!(verified.iter().all(|v| v.result() == DkimResult::Pass));
    }
    let mut hasher = collected.body_hasher();
    body.chunks(1).for_each(|octet| hasher.update(octet));
    let verified = collected.verify(&keys, &hasher.finish(), &settings);
    assert!(verified.iter().all(|v| v.result() == DkimResult::Pass));
}

#[test]
fn one_answer_serves_signatures_with_the_same_key() {
    let mail = crlf(RFC_6376);
    let (signature, rest) = mail.split_once("Received:").unwrap();
    let mail = format!("{signature}{signature}Received:{rest}");
    let message = Message::parse(mail.as_bytes());
    let collected = dkim::Collected::read(
        message.head(),
        None,
        SystemTime::now(),
        &Settings::default(),
    );
    assert_eq!(collected.len(), 2);
    assert_eq!(collected.key_names().len(), 1);
    assert_eq!(causes(&mail), [Cause::Passed, Cause::Passed]);
}
