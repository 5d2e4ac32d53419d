//! ARC: seals, trusted or not.

entries! {
    TRUSTED = "arc-trusted-sealer", Warning, "RFC 8617 7.2.1 and 7.2.2",
        "This receiver trusts the seals of {sealer} (i={instance}), which reports that DMARC passed for \
         {author} before the message was changed.",
        [AuthorDomain: "Sign with DKIM as {author}, so that no trust is needed."];
    NOT_TRUSTED = "arc-sealer-not-trusted", Warning, "RFC 8617 7.2.1",
        "A valid ARC chain, last sealed by {sealer} (i={instance}), says that DMARC passed for {author} \
         before; this receiver does not trust {sealer}, so it changes nothing.",
        [Receiver: "If {sealer} is known to be honest, add it to the trusted sealers."];
    NO_HELP = "arc-does-not-help", Note, "RFC 8617 7.2.1",
        "The message carries a valid ARC chain, last sealed by {sealer} (i={instance}), but no set of it \
         says that DMARC passed for {author}.",
        [Forwarder: "Seal what you found before changing anything."];
    FAILED = "arc-chain-fails", Warning, "RFC 8617 5.2",
        "The ARC chain of the message, last sealed by {sealer}, is not valid ({code}): {cause}. Whatever \
         it says does not count.",
        [Forwarder: "Change nothing behind the last seal; check keys and clock of the sealer."];
}
