//! What the message itself tells about a signature that failed.

entries! {
    APPENDED = "body-appended", Decisive, "RFC 6376 3.7 and 8.2",
        "{octets} octets were appended after the body that {who} signed; the {kept} octets before them match.",
        [Forwarder: "Append no footer.", AuthorDomain: "Ask the list or gateway to leave the body of {signer}'s mail alone."];
    PREPENDED = "body-prepended", Decisive, "RFC 6376 3.7",
        "{octets} octets were put before the body that {who} signed; all that follows them matches.",
        [Forwarder: "Put no banner before the text."];
    INSERTED = "body-lines-inserted", Decisive, "RFC 6376 3.7",
        "{octets} octets were inserted into the body that {who} signed; without them it matches.",
        [Forwarder: "Change nothing in the body."];
    LINE_ENDS = "body-line-ends-changed", Decisive, "RFC 6376 5.3",
        "The line ends of the body were changed after {who} signed it: {change} makes the hash match.",
        [Forwarder: "Pass line ends on as they are.", Sender: "Convert line ends to CRLF before signing."];
    WHITE_SPACE = "body-white-space-changed", Decisive, "RFC 6376 3.4",
        "White space in the body was changed after {who} signed it: {change} makes the hash match.",
        [Forwarder: "Leave white space alone.", Sender: "Sign with relaxed body canonicalization."];
    TRANSFER = "body-transfer-encoding-changed", Decisive, "RFC 6376 5.3",
        "The body was re-encoded after {who} signed it: {change} makes the hash match.",
        [Forwarder: "Do not convert the transfer encoding.", Sender: "Send 7-bit text (quoted-printable), which nobody converts."];
    REPAIRED = "body-text-escaped", Decisive, "RFC 6376 5.3; RFC 5321 4.5.2",
        "Lines of the body were escaped or unescaped after {who} signed it: {change} makes the hash match.",
        [Forwarder: "Undo dot-stuffing and mbox quoting before passing a message on."];
    OTHER_CANONICALIZATION = "body-other-canonicalization", Decisive, "RFC 6376 3.4",
        "The hash in the signature of {who} matches under {change} body canonicalization, not under the one it names.",
        [Sender: "Correct c= in the signing software."];
    BODY_RELAXED_WOULD = "body-white-space-likely", Decisive, "RFC 6376 3.4.3",
        "The signature of {who} uses simple body canonicalization; it breaks when white space changes, and nothing that was tried restores the body.",
        [Sender: "Sign with relaxed body canonicalization.", Forwarder: "Change nothing in the body."];
    BODY_EDITED = "body-edited", Decisive, "RFC 6376 3.7",
        "The body was edited after {who} signed it, in a way that cannot be undone: neither octets added at its ends, nor white space, line ends or encoding explain it.",
        [Forwarder: "Change nothing in the body: links, images and attachments included.",
         Sender: "Sign after the last host that changes the body."];
    LENGTH_SHORT = "body-beyond-length", Decisive, "RFC 6376 8.2",
        "{octets} octets follow the part of the body that {who} signed (l=).",
        [Sender: "Sign without l=.", Forwarder: "Do not append to the body."];
    FIELD_CHANGED = "header-field-changed", Decisive, "RFC 6376 5.4",
        "The field {field} was changed after {who} signed it ({change}): with that undone the signature fits.",
        [Forwarder: "Leave the signed field {field} alone."];
    FIELD_COPY = "header-field-differs-from-copy", Decisive, "RFC 6376 3.5 (z=)",
        "The field {field} is not the one that {who} signed: its copy in z= differs.",
        [Forwarder: "Leave the signed field {field} alone."];
    FIELD_ADDED = "header-field-added", Decisive, "RFC 6376 8.15",
        "A field {field} was added after {who} signed: without it the signature fits.",
        [Forwarder: "Add no field that a signature names.", Receiver: "Refuse mail with two {field} fields."];
    FIELD_REMOVED = "header-field-removed", Decisive, "RFC 6376 5.4",
        "The field {field} is named in the signature of {who} but missing; it was probably removed on the way.",
        [Forwarder: "Remove no signed field."];
    FOLDED = "header-folded", Decisive, "RFC 6376 3.4.1",
        "The field {field} was folded or spaced differently after {who} signed it ({change}); with simple header canonicalization this breaks the signature.",
        [Sender: "Sign with relaxed header canonicalization.", Forwarder: "Leave the folding of {field} alone."];
    CASE = "header-name-case", Decisive, "RFC 6376 3.4.1",
        "The name of the field {field} is written in other letters than when {who} signed it ({change}); with simple header canonicalization this breaks the signature.",
        [Sender: "Sign with relaxed header canonicalization.", Forwarder: "Leave names of header fields alone."];
    SIGNATURE_FIELD = "signature-field-changed", Decisive, "RFC 6376 3.7",
        "The {signature} field of {signer} itself was changed: {change}.",
        [Forwarder: "Leave {signature} fields alone."];
    OTHER_KEY = "signature-not-by-this-key", Decisive, "RFC 6376 3.7 and 6.1.3; RFC 8017 9.2",
        "The {signature} of {signer} was not made with the key that the DNS has at {name}: either the \
         signer uses another key than it publishes, or the octets of the signature (b=) were changed.",
        [Sender: "Compare the key of the signing server with the record at {name}; after a change of \
                  keys, sign under a new selector.",
         Forwarder: "Leave {signature} fields alone."];
    ARC_FIELD = "arc-field-changed", Warning, "RFC 8617 5.1.1 and 5.2",
        "The {field} field of ARC set {instance} was changed after {signer} sealed it ({change}): with \
         that undone the seal fits.",
        [Forwarder: "Leave ARC fields alone; add a set of your own above them."];
    ARC_FIELD_LIKELY = "arc-field-likely", Warning, "RFC 8617 5.1.1 and 5.2",
        "Of ARC set {instance}, which {signer} sealed, a field was changed: {reason}, so that it is \
         probably {field}.",
        [Forwarder: "Leave ARC fields alone; add a set of your own above them."];
    ARC_BEFORE = "arc-seal-broken-before", Warning, "RFC 8617 5.1 and 5.2",
        "The seal of {signer} (i={instance}) was broken already when {later} sealed the message above it \
         (i={above}), or its key at {name} is another since: what that later seal covers is as it was.",
        [Forwarder: "Say cv=fail where the chain does not hold when you get it.",
         Sender: "Keep the key at {name} published for as long as mail sealed with it is under way."];
    LIKELY = "header-field-likely", Decisive, "RFC 6376 5.4",
        "A field that {who} signed was changed in a way that could not be found by trying; of the signed ones, hosts change {field} most often.",
        [Forwarder: "Leave the signed field {field} alone.",
         Sender: "Sign with z= for a while, which tells exactly what was changed; check that the key is the signer's."];
}
