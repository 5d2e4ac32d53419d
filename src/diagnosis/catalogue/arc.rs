//! ARC: seals, trusted or not, and each cause of a chain that does not hold.

entries! {
    TRUSTED = "arc-trusted-sealer", Warning, "RFC 8617 7.2.1 and 7.2.2",
        "This receiver trusts the seals of {sealer} (i={instance}), which reports that DMARC passed for \
         {author} when the message reached it: {saw}.",
        [AuthorDomain: "Sign with DKIM as {author}, so that no trust is needed."];
    TRUSTED_SAW = "arc-trusted-sealer-saw", Note, "RFC 8617 7.2.1",
        "This receiver trusts the seals of {sealer} (i={instance}), but what that host reports is no pass \
         of DMARC for {author}: {saw}.",
        [AuthorDomain: "Sign with DKIM as {author}.",
         Forwarder: "Check DMARC where the message comes in, and seal what you found."];
    NOT_TRUSTED = "arc-sealer-not-trusted", Warning, "RFC 8617 7.2.1",
        "A valid ARC chain, last sealed by {sealer} (i={instance}), says that DMARC passed for {author} \
         before ({saw}); this receiver does not trust {sealer}, so it changes nothing.",
        [Receiver: "If {sealer} is known to be honest, add it to the trusted sealers."];
    NO_HELP = "arc-does-not-help", Note, "RFC 8617 7.2.1",
        "The message carries a valid ARC chain, last sealed by {sealer} (i={instance}), but no set of it \
         says that DMARC passed for {author}.",
        [Forwarder: "Seal what you found before changing anything."];
    BODY = "arc-body-changed", Warning, "RFC 8617 5.2, step 4",
        "The body was changed after {sealer} sealed the message (i={instance}): its hash in the \
         {field} differs. The ARC chain does not count.",
        [Forwarder: "Change nothing behind the last seal; whoever changes a message seals it anew."];
    HEADER = "arc-header-changed", Warning, "RFC 8617 5.2, step 4",
        "The {field} of {sealer} (i={instance}) does not fit the header: a field that it covers was \
         changed after sealing, or the key at {name} is another. The ARC chain does not count.",
        [Forwarder: "Change nothing behind the last seal; whoever changes a message seals it anew.",
         Sender: "Compare the key of the sealing server with the record at {name}."];
    SEAL = "arc-seal-mismatch", Warning, "RFC 8617 5.2, step 6",
        "The {field} of {sealer} (i={instance}) does not fit the ARC fields that it covers: one of them \
         was changed or removed after sealing, or the key at {name} is another. The ARC chain does not \
         count.",
        [Forwarder: "Leave the ARC fields of others as they are.",
         Sender: "Compare the key of the sealing server with the record at {name}."];
    KEY = "arc-key-unusable", Warning, "RFC 8617 5.2; RFC 6376 6.1.2",
        "The {field} of {sealer} (i={instance}) cannot be checked with what the DNS has at {name}: \
         {cause}. The ARC chain does not count.",
        [Sender: "Publish the key that the sealing server of {sealer} uses at {name}, and keep it there \
                  for as long as sealed mail is under way."];
    KEY_UNAVAILABLE = "arc-key-unavailable", Warning, "RFC 8617 5.2.1",
        "The key of {sealer} at {name} could not be looked up ({cause}), so that the {field} of set \
         {instance} fails for good: ARC knows no temporary errors.",
        [Sender: "Repair the name servers that answer for {name}.",
         Receiver: "Check the resolver if other domains fail as well."];
    NOT_ACCEPTED = "arc-signature-not-accepted", Warning, "RFC 8617 4.1.2 and 5.2; RFC 6376 3.5",
        "The {field} of {sealer} (i={instance}) is not accepted, whatever its key: {cause}. The ARC \
         chain does not count.",
        [Sender: "Seal with rsa-sha256 or ed25519-sha256, without l=, and with an x= that lies days ahead."];
    FAILED_BEFORE = "arc-failed-before", Warning, "RFC 8617 5.2, step 2",
        "The last sealer, {sealer} (i={instance}), already found the ARC chain to be broken (cv=fail): \
         nothing behind it can mend that.",
        [Forwarder: "Look for the host in front of {sealer} that changes messages without sealing them."];
    CHAIN_VALIDATION = "arc-cv-out-of-place", Warning, "RFC 8617 5.2, step 3",
        "The {field} of {sealer} (i={instance}) says cv={found}, which cannot be in its place: the first \
         set has cv=none, all others cv=pass. The ARC chain does not count.",
        [Sender: "Have {sealer} validate the chain that it gets, and say what came of it.",
         Forwarder: "Leave the ARC fields of others as they are."];
    MISSING_FIELD = "arc-field-missing", Warning, "RFC 8617 5.2, step 3",
        "ARC set {instance}, of {sealer}, has no {field} field: it was removed on the way, or never \
         written. The ARC chain does not count.",
        [Forwarder: "Remove no ARC fields; a set is of use as a whole only."];
    MISSING_SET = "arc-set-missing", Warning, "RFC 8617 5.2, step 3",
        "ARC set {instance} is missing below that of {sealer}: it was removed, or what stands above it was \
         given another number. The ARC chain does not count.",
        [Forwarder: "Remove no ARC fields, and number a new set one above the highest."];
    REPEATED = "arc-field-repeated", Warning, "RFC 8617 5.2, step 3",
        "ARC set {instance}, of {sealer}, has more than one {field} field: one was added, or two hosts \
         gave their sets the same number. The ARC chain does not count.",
        [Forwarder: "Number a new set one above the highest, and seal a message once."];
    NAMES_FIELDS = "arc-seal-names-fields", Warning, "RFC 8617 4.1.3",
        "The {field} of {sealer} (i={instance}) has h=, which no seal may have. The ARC chain does not count.",
        [Sender: "Correct the sealing software of {sealer}: a seal covers ARC fields only."];
    MALFORMED = "arc-field-malformed", Warning, "RFC 8617 4.1 and 5.2, step 3",
        "The {field} field of ARC set {instance}, of {sealer}, is malformed: {cause}. The ARC chain does \
         not count.",
        [Sender: "Correct the sealing software.", Forwarder: "Leave the ARC fields of others as they are."];
    NO_INSTANCE = "arc-instance-unreadable", Warning, "RFC 8617 4.2.1",
        "An {field} field has no instance (i=) from 1 to 50, so that it belongs to no set. The ARC chain, \
         last sealed by {sealer}, does not count.",
        [Sender: "Correct the sealing software: i= comes first and counts from 1.",
         Forwarder: "Leave the ARC fields of others as they are."];
    TOO_MANY = "arc-too-many-sets", Warning, "RFC 8617 4.2.1 and 5.2, step 1",
        "An ARC set has a number above {limit}; the newest is by {sealer}. The message went in circles, or \
         somebody wants it to look so. The ARC chain does not count.",
        [Forwarder: "Look for a loop of forwarders."];
}
