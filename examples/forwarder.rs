//! What a forwarder does with one message: judge it, rewrite its sender (SRS), sign and seal it, send
//! it on; and take the bounce back to where it belongs.

use std::error::Error;
use std::time::SystemTime;

use mailproof::arc::Sealer;
use mailproof::crypto::SigningKey;
use mailproof::dkim::Signer;
use mailproof::dns::{Zone, block_on};
use mailproof::forwarding::{ForwardError, Forwarder};
use mailproof::srs::{Reversed, Rewriter};
use mailproof::{Message, Session, Verifier};

fn main() -> Result<(), Box<dyn Error>> {
    let mut zone = Zone::new();
    zone.add_txt("example.com", "v=spf1 ip4:192.0.2.1 -all")?;
    zone.add_txt("_dmarc.example.com", "v=DMARC1; p=reject")?;
    let verifier = Verifier::new(zone);

    // One key may sign and seal; the secret is the forwarder's alone.
    let (key, _) = SigningKey::generate_ed25519()?;
    let rewriter = Rewriter::new("fwd.example".parse()?, "a secret of ours")?;
    let forwarder = Forwarder::new("mx.fwd.example".parse()?, rewriter.clone())
        .signers([Signer::new(key.clone(), "fwd.example".parse()?, "2026")?])
        .sealer(Sealer::new(key, "fwd.example".parse()?, "2026")?);

    let mail = b"From: me@example.com\r\nTo: you@fwd.example\r\nSubject: hello\r\n\r\nHi.\r\n";
    let message = Message::parse(mail);
    for client in [[192, 0, 2, 1], [203, 0, 113, 9]] {
        let session = Session::new(client.into(), "mail.example.com", "me@example.com");
        let verdict = block_on(verifier.verify(&session, &message));
        match forwarder.forward(&verdict, &message, SystemTime::now()) {
            Ok(outgoing) => {
                println!("MAIL FROM:<{}>", outgoing.mail_from);
                let out = Message::parse(&outgoing.message);
                for field in out.head().fields() {
                    println!("  {}", String::from_utf8_lossy(field.name()));
                }
                // It could not be delivered: the bounce comes to the address that was rewritten.
                match rewriter.reverse(&outgoing.mail_from, SystemTime::now()) {
                    Reversed::Valid { address, .. } => println!("a bounce goes to <{}>", address),
                    other => println!("a bounce goes nowhere: {other:?}"),
                }
            }
            // To send a forgery on under one's own name would make it one's own.
            Err(error @ ForwardError::Refused { .. }) => println!("not forwarded: {error}"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
