//! Explaining what strangers wrote.

use mailproof::diagnosis::Bounce;
use mailproof::dkim::BodyHashes;
use mailproof::dns::{Zone, block_on};
use mailproof::message::Head;
use mailproof::{Message, Session, Verifier};

/// A bounce: its header block can be verified, and every finding has evidence on one line.
pub fn bounce(data: &[u8]) {
    let bounce = Bounce::parse(data);
    let verifier = Verifier::new(Zone::new());
    let (head, _) = Head::parse(bounce.header());
    let (lookups, _) = verifier.begin(&bounce.session(), &head);
    let verdict = verifier.finish(block_on(lookups.run(Zone::new())), BodyHashes::unknown());
    explain(&bounce.diagnosis(&verdict));
}

/// A message: whatever the verdict is, it is explained.
pub fn message(data: &[u8]) {
    let message = Message::parse(data);
    let session = Session::new([192, 0, 2, 1].into(), "mail.example.net", "a@example.net");
    let verdict = block_on(Verifier::new(Zone::new()).verify(&session, &message));
    let findings = verdict.diagnosis();
    assert!(!findings.is_empty(), "nothing passes without DNS data");
    explain(&findings);
    explain(&verdict.forensics(&message));
}

/// Every finding has evidence, on one line.
pub fn explain(findings: &[mailproof::diagnosis::Finding]) {
    for finding in findings {
        assert!(finding.evidence().len() != 0);
        assert!(
            !finding.sentence().chars().any(char::is_control),
            "{finding}"
        );
    }
}
