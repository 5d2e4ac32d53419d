//! DKIM: each cause of each result, and what weakens a pass.

entries! {
    NONE = "dkim-none", Warning, "RFC 6376 6.1; RFC 9989 5.1.2",
        "The message is not signed, so only SPF could authenticate {author}.",
        [AuthorDomain: "Sign with DKIM as {author}."];
    BODY_HASH = "dkim-body-hash-mismatch", Decisive, "RFC 6376 6.1.3",
        "The signature of {signer} (s={selector}) fails: the body was changed after signing; the signed \
         header fields: {header}.",
        [Forwarder: "Do not change the body: no footers, banners or re-encoding.",
         Sender: "Sign after the last host that changes the body."];
    BODY_NOT_HASHED = "dkim-body-not-hashed", Note, "RFC 6376 6.1.3",
        "The signature of {signer} (s={selector}) could not be judged: the body was not at hand; the \
         signed header fields: {header}.",
        [Receiver: "Feed the whole body to the verifier."];
    EXPIRED = "dkim-expired", Decisive, "RFC 6376 3.5",
        "The signature of {signer} (s={selector}) had expired {seconds} seconds before it was checked (x={expiration}).",
        [Sender: "Leave more time until x=: at least a week, queues are slow."];
    FROM_FUTURE = "dkim-from-future", Decisive, "RFC 6376 3.5",
        "The signature of {signer} (s={selector}) is dated in the future (t={timestamp}).",
        [Sender: "Set the clock of the signing host."];
    HASH_NOT_ALLOWED = "dkim-hash-not-allowed", Decisive, "RFC 6376 3.6.1 and 6.1.2",
        "The key record at {name} does not allow the hash that the signature of {signer} uses.",
        [Sender: "Add sha256 to h= of the record at {name}, or remove h=."];
    HEADER_TOO_LONG = "dkim-header-too-long", Warning, "RFC 6376 8.4",
        "The signature of {signer} (s={selector}) was not checked: {cause}.",
        [Sender: "Sign fewer header fields.", Receiver: "Raise the limit on signed octets."];
    IDENTITY_NOT_ALLOWED = "dkim-identity-not-allowed", Decisive, "RFC 6376 3.6.1 and 6.1.2",
        "The key record at {name} forbids subdomains in i= (t=s), which the signature of {signer} uses.",
        [Sender: "Remove s from t= of the record at {name}, or sign without i=."];
    KEY_NAME = "dkim-key-name", Decisive, "RFC 6376 3.6.2.1",
        "The signature of {signer} names a key (s={selector}) at a name that cannot exist: {cause}.",
        [Sender: "Choose a shorter selector."];
    KEY_NOT_FOR_MAIL = "dkim-key-not-for-mail", Decisive, "RFC 6376 3.6.1",
        "The key record at {name}, which the signature of {signer} needs, is not for mail (s=).",
        [Sender: "Add email to s= of the record at {name}, or remove s=."];
    KEY_REVOKED = "dkim-key-revoked", Decisive, "RFC 6376 3.6.1",
        "The key of the signature of {signer} was revoked: the record at {name} has an empty p=.",
        [Sender: "Sign with a key that is published; revoke a key only when its mail has arrived."];
    KEY_SYNTAX = "dkim-key-syntax", Decisive, "RFC 6376 3.6.1 and 6.1.2",
        "The key record at {name}, which the signature of {signer} needs, is unusable: {cause}.",
        [Sender: "Correct the record at {name}; quotes and white space go wrong most often."];
    KEY_TOO_LONG = "dkim-key-too-long", Decisive, "RFC 6376 3.3.3",
        "The key of {signer} at {name} has {bits} bits, which is more than is checked here.",
        [Sender: "Use an RSA key of 2048 bits."];
    KEY_TOO_SHORT = "dkim-key-too-short", Decisive, "RFC 8301 3.2",
        "The key of {signer} at {name} has only {bits} bits; such signatures must not be accepted.",
        [Sender: "Use an RSA key of 2048 bits."];
    KEY_TYPE = "dkim-key-type-mismatch", Decisive, "RFC 6376 6.1.2",
        "The key at {name} is of another type than the signature of {signer}.",
        [Sender: "Publish each key under a selector of its own."];
    KEY_UNAVAILABLE = "dkim-key-unavailable", Decisive, "RFC 6376 6.1.2",
        "The key of {signer} at {name} could not be looked up: {cause}.",
        [Sender: "Repair the name servers that answer for {name}.",
         Receiver: "Check the resolver if other domains fail as well."];
    LENGTH_BEYOND = "dkim-length-beyond-body", Decisive, "RFC 6376 3.5",
        "The signature of {signer} (s={selector}) covers {signed} octets of the body, but it has only {total}: the body was cut.",
        [Forwarder: "Do not cut messages.", Sender: "Sign without l=."];
    LENGTH_GIVEN = "dkim-length-given", Decisive, "RFC 6376 8.2",
        "The signature of {signer} (s={selector}) limits the signed length of the body (l=), which is not accepted here.",
        [Sender: "Sign without l=."];
    NO_KEY = "dkim-no-key", Decisive, "RFC 6376 6.1.2",
        "There is no key at {name} for the signature of {signer}.",
        [Sender: "Publish the key at {name}, and leave it for a week after its last signature."];
    NOT_EVALUATED = "dkim-not-evaluated", Warning, "RFC 6376 8.4",
        "The signature of {signer} (s={selector}) was not looked at, since the message has more than {limit} signatures.",
        [Receiver: "Raise the limit on signatures.", Sender: "Sign once or twice, with the author domain first."];
    PARTIAL_BODY = "dkim-partial-body", Decisive, "RFC 6376 8.2",
        "The signature of {signer} (s={selector}) covers only {signed} of the {total} octets of the body (l=): anybody could have added the rest.",
        [Sender: "Sign without l=.", Forwarder: "Do not append to the body."];
    REQUIRED_UNSIGNED = "dkim-required-field-unsigned", Decisive, "RFC 6376 5.4",
        "The signature of {signer} (s={selector}) does not cover the field {field}, which is required here.",
        [Sender: "Sign the field {field}."];
    SHA1 = "dkim-sha1", Decisive, "RFC 8301 3.1",
        "The signature of {signer} (s={selector}) uses rsa-sha1, which must not be accepted.",
        [Sender: "Sign with rsa-sha256."];
    SIGNATURE = "dkim-signature-mismatch", Decisive, "RFC 6376 6.1.3",
        "The signature of {signer} (s={selector}) fails: the body is as it was signed, but a signed header field was changed, or the key at {name} is another.",
        [Forwarder: "Do not change signed header fields: no tags in the Subject.",
         Sender: "Sign after the last host that changes the header; check that the key at {name} is the signer's."];
    SYNTAX = "dkim-syntax", Warning, "RFC 6376 3.5 and 6.1.1",
        "A DKIM-Signature field of {signer} is malformed: {cause}.",
        [Sender: "Write the field as RFC 6376 has it."];
    TOO_OLD = "dkim-too-old", Decisive, "RFC 6376 3.5",
        "The signature of {signer} (s={selector}) is {seconds} seconds old, which is too old for this receiver.",
        [Sender: "Send messages anew instead of repeating old ones."];
    UNSIGNED_INSTANCE = "dkim-unsigned-instance", Decisive, "RFC 6376 8.15",
        "The message has a field {field} that the signature of {signer} (s={selector}) does not cover, which is not accepted here.",
        [Sender: "Name {field} once more in h= than there are fields of it."];
    THIRD_PARTY = "dkim-third-party-only", Warning, "RFC 9989 4.4.1",
        "The message is signed only by {signer}, which is not of the organization of the author domain {author}.",
        [AuthorDomain: "Have mail signed with d={author}."];
    TENANT = "dkim-tenant-initial-domain", Warning, "RFC 9989 4.4.1",
        "The signature is by {signer}, the initial domain that Exchange Online gives to a tenant, not by a domain of its own.",
        [Forwarder: "Enable DKIM for your own domain in Exchange Online in place of {signer}."];
    TENANT_AUTHOR = "author-at-tenant-initial-domain", Warning, "RFC 9989 5.1",
        "The author domain {author} is the initial domain that Exchange Online gives to a tenant: the tenant can publish nothing there. Such mail must leave through Office 365 with its signature.",
        [AuthorDomain: "Use a custom domain instead of {author}.",
         EnvelopeDomain: "List Office 365's addresses (include:spf.protection.outlook.com) in the SPF record of {envelope}."];
    TESTING = "dkim-testing-key", Warning, "RFC 6376 3.6.1",
        "The key of {signer} at {name} says that its domain is testing DKIM (t=y), so its signatures vouch for nothing yet.",
        [Sender: "Remove y from t= of the record at {name}."];
    WEAK_KEY = "dkim-weak-key", Warning, "RFC 8301 3.2",
        "The key of {signer} at {name} has {bits} bits; fewer than 2048 are no longer recommended.",
        [Sender: "Change to an RSA key of 2048 bits."];
    LENGTH_TAG = "dkim-length-tag", Warning, "RFC 6376 8.2",
        "The signature of {signer} (s={selector}) passes for {signed} of {total} octets of the body only: anything could be appended and it would still pass.",
        [Sender: "Sign without l=."];
    UNSIGNED_FIELDS = "dkim-unsigned-fields", Note, "RFC 6376 5.4.1",
        "The signature of {signer} (s={selector}) does not cover {fields}: these header fields can be changed without breaking it.",
        [Sender: "Sign these fields as well."];
}
