//! What a bounce tells.

entries! {
    SPF_MEANS_DMARC = "bounce-spf-code-means-dmarc", Decisive, "RFC 7372 3.2; RFC 9989 7.2",
        "The reply {code} {enhanced} speaks of SPF, but SPF does not fail for {envelope}: what failed is \
         that {envelope} is not aligned with the author domain {author}, which is DMARC.",
        [AuthorDomain: "Sign with DKIM as {author}: SPF of a forwarder can never align.",
         Receiver: "Use 5.7.1 with the word DMARC for what DMARC refuses (RFC 9989 7.2)."];
    REPLY = "bounce-reply", Note, "RFC 5321 4.2; RFC 3463",
        "The receiver replied {code} {enhanced}: {text}",
        [Sender: "Quote this reply when writing to the receiver's postmaster."];
    BODY_UNKNOWN = "body-unknown", Note, "RFC 6376 3.7",
        "The body is not at hand, so whether the signature of {signer} held cannot be told; whether it \
         fits the header: {header}.",
        [Receiver: "Keep the whole message if this must be known."];
}
