//! Chen, Paxson, Jiang, ‘Composition Kills’ (USENIX Security 2020): components that read the same
//! octets differently. A1 to A7 mix up the envelope and DNS names, A8 to A19 the author.

use mailproof::dkim::Cause;
use mailproof::message::{Author, AuthorError};
use mailproof::verdict::RejectRule;
use mailproof::{Action, Verdict};

use super::dkim_support::craft;
use super::{ATTACKER, Attempt, VICTIM, assert_finding, assert_words, signed};

const FORGED: &str = "From: <admin@legitimate.example>\r\nSubject: pay\r\n\r\nNow.\r\n";

/// HELO passes, MAIL FROM names a host of the victim's that does not exist: the pass is HELO's.
#[test]
fn a1_helo_passes_for_a_mail_from_that_does_not_exist() {
    let verdict = Attempt::new(FORGED)
        .envelope(
            "helo.attack.example",
            "any@mailfrom.notexist.legitimate.example",
        )
        .verdict();
    assert_words(&verdict, "none", &[], "fail", Action::Reject);
    assert_eq!(verdict.spf().helo().unwrap().result().as_str(), "pass");
    assert!(verdict.dmarc().identifiers().is_empty());
    assert_finding(&verdict, "spf-no-such-domain");
}

/// A reverse-path that cannot be read is not the null one, for which HELO would count.
#[test]
fn a2_malformed_mail_from_is_not_empty() {
    let verdict = Attempt::new(FORGED)
        .envelope(ATTACKER, "<(any@legitimate.example>")
        .verdict();
    assert_words(&verdict, "none", &[], "fail", Action::Reject);
    assert!(verdict.dmarc().identifiers().is_empty());
    assert_finding(&verdict, "spf-malformed-reverse-path");
}

/// A NUL in `s=` ends the name for resolvers in C, and asks the attacker for the victim's key.
#[test]
fn a3_nul_in_the_selector() {
    for selector in [
        "s._domainkey.attack.example.\0.any",
        "s._domainkey.attack.example\0",
        "s\0",
        "s._domainkey.attack.example.#",
    ] {
        let tags = format!("d={VICTIM}; s={selector}; h=From:Subject;");
        let (header, body) = FORGED.split_once("\r\n\r\n").unwrap();
        let mail = craft(&tags, &format!("{header}\r\n"), body, body.len());
        let verdict = Attempt::new(&mail).verdict();
        assert_words(&verdict, "pass", &["neutral"], "fail", Action::Reject);
        assert!(matches!(verdict.dkim()[0].cause(), Cause::Syntax(_)));
        assert!(
            verdict
                .questions()
                .all(|question| !question.name.as_str().contains("_domainkey"))
        );
        assert_finding(&verdict, "dkim-syntax");
    }
}

/// `d=` with a quote or parenthesis reads as the victim's domain where it is cut there.
#[test]
fn a4_quotes_and_parentheses_in_the_signing_domain() {
    for mark in ["'", "\"", "("] {
        let domain = format!("{VICTIM}{mark}a.attack.example");
        let tags = format!("d={domain}; s=s; h=From:Subject;");
        let (header, body) = FORGED.split_once("\r\n\r\n").unwrap();
        let mail = craft(&tags, &format!("{header}\r\n"), body, body.len());
        let mut attempt = Attempt::new(&mail);
        let key = super::signer(ATTACKER).record();
        let name = format!(
            "s._domainkey.{}",
            domain.replace(mark, &format!("\\{mark}"))
        );
        attempt.zone.add_txt(&name, key).unwrap();
        let verdict = attempt.verdict();
        assert_words(&verdict, "pass", &["neutral"], "fail", Action::Reject);
        assert_eq!(verdict.dkim()[0].domain(), None);
        assert_finding(&verdict, "dkim-syntax");
    }
}

/// The same in MAIL FROM.
#[test]
fn a5_parenthesis_in_the_domain_of_mail_from() {
    let mail_from = "any@legitimate.example(a.attack.example";
    let mut attempt = Attempt::new(FORGED).envelope("helo.attack.example", mail_from);
    let name = r"legitimate.example\(a.attack.example";
    attempt.zone.add_txt(name, "v=spf1 +all").unwrap();
    let verdict = attempt.verdict();
    assert_words(&verdict, "none", &[], "fail", Action::Reject);
    assert!(verdict.dmarc().identifiers().is_empty());
    assert_finding(&verdict, "spf-malformed-reverse-path");
}

/// The last `@` separates.
#[test]
fn a6_quote_before_a_second_at() {
    let verdict = Attempt::new(FORGED)
        .envelope(
            "helo.attack.example",
            "<any@legitimate.example'@any.attack.example>",
        )
        .verdict();
    assert_words(&verdict, "pass", &[], "fail", Action::Reject);
    assert_eq!(spf_domain(&verdict), "any.attack.example");
    assert_finding(&verdict, "align-spf-other-organization");
}

/// A source route is no domain of the sender's.
#[test]
fn a7_source_route_in_mail_from() {
    let verdict = Attempt::new(FORGED)
        .envelope(
            "helo.attack.example",
            "<@legitimate.example,@any.example:'any@attack.example>",
        )
        .verdict();
    assert_words(&verdict, "pass", &[], "fail", Action::Reject);
    assert_eq!(spf_domain(&verdict), ATTACKER);
    assert_finding(&verdict, "align-spf-other-organization");
}

fn spf_domain(verdict: &Verdict) -> &str {
    let domain = verdict.spf().authoritative().domain();
    domain.expect("a domain").as_str()
}

/// A message whose author is the attacker to one reader and the victim to another, sent and signed
/// by the attacker: no author, so neither a pass nor ‘no policy’.
#[track_caller]
fn unusable(header: &str, expected: impl Fn(&Author) -> bool, code: &str) {
    let mail = format!("{header}\r\nSubject: pay\r\n\r\nNow.\r\n");
    let mail = signed(ATTACKER, &mail);
    let mut attempt = Attempt::new(&mail);
    let verdict = attempt.verdict();
    assert!(expected(verdict.author()), "{:?}", verdict.author());
    assert_words(&verdict, "pass", &["pass"], "permerror", Action::Quarantine);
    assert_finding(&verdict, code);
    attempt.settings.policy.reject_rule = RejectRule::Enforce;
    let verdict = attempt.verdict();
    assert_words(&verdict, "pass", &["pass"], "permerror", Action::Reject);
    let reply = verdict.smtp_reply().unwrap().to_string();
    assert!(reply.starts_with("550 5.7.1 "), "{reply}");
}

fn two_fields(author: &Author) -> bool {
    matches!(author, Author::SeveralFields { fields: 2, .. })
}

fn unreadable(author: &Author) -> bool {
    matches!(author, Author::Unparseable(_))
}

fn two_domains(author: &Author) -> bool {
    matches!(author, Author::SeveralDomains(domains) if domains.len() == 2)
}

#[test]
fn a8_two_from_fields() {
    for header in [
        "From: <first@attack.example>\r\nFrom: <admin@legitimate.example>",
        "From: <admin@legitimate.example>\r\nFrom: <first@attack.example>",
        "from: <first@attack.example>\r\nFROM: <admin@legitimate.example>",
    ] {
        unusable(header, two_fields, "author-several-fields");
    }
}

/// Unsigned, since a signature above it would make the first line a continuation of its own.
#[test]
fn a9_space_before_the_first_from() {
    let mail = " From: <first@attack.example>\r\nFrom: <admin@legitimate.example>\r\n\r\nNow.\r\n";
    let verdict = Attempt::new(mail).verdict();
    let begins = Author::Unparseable(AuthorError::HeadBeginsWithFold);
    assert_eq!(verdict.author(), &begins);
    assert_words(&verdict, "pass", &[], "permerror", Action::Quarantine);
    assert_finding(&verdict, "author-unreadable");
    assert_finding(&verdict, "header-malformed");
    // Below a signature it belongs to the signature, which breaks: the author is the victim.
    let signed = format!("DKIM-Signature: v=1; d=attack.example\r\n{mail}");
    let verdict = Attempt::new(&signed).verdict();
    assert_words(&verdict, "pass", &["neutral"], "fail", Action::Reject);
}

#[test]
fn a10_space_before_the_colon() {
    for header in [
        "From : <admin@legitimate.example>\r\nFrom: <first@attack.example>",
        "From: <first@attack.example>\r\nFrom\t: <admin@legitimate.example>",
    ] {
        unusable(header, two_fields, "author-several-fields");
    }
}

#[test]
fn a11_fold_before_the_colon() {
    let header = "From\r\n : <first@attack.example>\r\nFrom: <admin@legitimate.example>";
    unusable(header, two_fields, "author-several-fields");
}

#[test]
fn a12_malformed_from_and_sender() {
    let header = "From: <admin@legitimate.example\r\nSender: <first@attack.example>";
    unusable(header, unreadable, "author-unreadable");
    let header = "From:\r\nSender: <first@attack.example>";
    unusable(
        header,
        |author| *author == Author::Missing,
        "author-missing",
    );
}

#[test]
fn a13_malformed_from_and_resent_from() {
    let header = "From: <admin@legitimate.example\r\nResent-From: <first@attack.example>";
    unusable(header, unreadable, "author-unreadable");
}

#[test]
fn a14_two_mailboxes() {
    for header in [
        "From: <first@attack.example>, <admin@legitimate.example>",
        "From: <admin@legitimate.example>, <first@attack.example>",
    ] {
        unusable(header, two_domains, "author-several-domains");
    }
}

/// An encoded-word is no address. Decoded, it would be the victim's.
#[test]
fn a15_encoded_address() {
    let encoded = "=?utf-8?B?PGFkbWluQGxlZ2l0aW1hdGUuZXhhbXBsZT4=?=";
    let header = format!("From: {encoded},<second@attack.example>");
    unusable(&header, unreadable, "author-unreadable");
    let header = format!("From: {encoded}@attack.example");
    unusable(&header, unreadable, "author-unreadable");
}

/// The route is the attacker's, the address the victim's: that is who is held against the policy.
#[test]
fn a16_source_route() {
    let mail = signed(
        ATTACKER,
        "From: <@attack.example,@any.example:admin@legitimate.example>\r\n\r\nNow.\r\n",
    );
    let verdict = Attempt::new(&mail).verdict();
    assert_eq!(verdict.author().domain().unwrap().as_str(), VICTIM);
    assert_words(&verdict, "pass", &["pass"], "fail", Action::Reject);
    assert_finding(&verdict, "dkim-third-party-only");
}

#[test]
fn a17_escaped_comma() {
    let header = r"From: <admin@legitimate.example>\,<second@attack.example>";
    unusable(header, unreadable, "author-unreadable");
}

#[test]
fn a18_bare_address_before_another() {
    let header = "From: admin@legitimate.example,<second@attack.example>";
    unusable(header, two_domains, "author-several-domains");
}

#[test]
fn a19_address_behind_the_angle() {
    let header = "From: <any@attack.example>admin@legitimate.example";
    unusable(header, unreadable, "author-unreadable");
    let header = "From: admin@legitimate.example<any@attack.example>";
    unusable(header, unreadable, "author-unreadable");
}
