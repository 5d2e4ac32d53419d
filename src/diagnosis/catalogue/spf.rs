//! SPF: each cause of each result.

entries! {
    NOT_LISTED = "spf-client-not-listed", Warning, "RFC 7208 8.4",
        "SPF fails for {envelope}: no term of its record covers {client}, so `{term}` in the record of \
         {record} decided.",
        [EnvelopeDomain: "If {client} sends for {envelope}, add it (ip4:, ip6: or its provider's include) to the record of {record}."];
    FAIL_TERM = "spf-client-refused", Warning, "RFC 7208 8.4",
        "SPF fails for {envelope}: `{term}` in the record of {record} names {client} as not allowed.",
        [EnvelopeDomain: "Remove `{term}` if {client} may send for {envelope}."];
    SOFTFAIL = "spf-softfail", Warning, "RFC 7208 8.5",
        "SPF gives softfail for {envelope}: `{term}` in the record of {record} decided about {client}.",
        [EnvelopeDomain: "If {client} sends for {envelope}, add it to the record of {record}."];
    NEUTRAL = "spf-neutral", Warning, "RFC 7208 8.2",
        "SPF is neutral for {envelope}: `{term}` in the record of {record} says nothing about {client}.",
        [EnvelopeDomain: "If {client} sends for {envelope}, add it to the record of {record}, and end it with -all."];
    NO_MATCH = "spf-no-match", Warning, "RFC 7208 4.7",
        "SPF is neutral for {envelope}: nothing in the record of {record} covers {client}, and the record \
         does not say what then.",
        [EnvelopeDomain: "End the record of {record} with -all, and add {client} if it sends for {envelope}."];
    NO_RECORD = "spf-no-record", Warning, "RFC 7208 4.5",
        "{envelope} has no SPF record, so SPF says nothing about {client}.",
        [EnvelopeDomain: "Publish an SPF record for {envelope}."];
    NO_SUCH_DOMAIN = "spf-no-such-domain", Warning, "RFC 7208 4.3",
        "{envelope}, whose SPF record should be checked, does not exist.",
        [Sender: "Send with a domain that exists; a bounce could not be delivered either."];
    UNUSABLE_DOMAIN = "spf-unusable-domain", Warning, "RFC 7208 4.3",
        "SPF has no domain to check: {cause}.",
        [Sender: "Send with a full domain name in HELO and MAIL FROM."];
    MALFORMED_PATH = "spf-malformed-reverse-path", Warning, "RFC 5321 4.1.2; RFC 7208 4.3",
        "SPF has no domain to check: {cause}.",
        [Sender: "Send with a well-formed address in MAIL FROM."];
    SESSION_UNKNOWN = "spf-session-unknown", Note, "RFC 7208 4.1",
        "SPF could not be checked, since {cause}.",
        [Receiver: "Pass on the client's address, HELO and MAIL FROM."];
    SEVERAL_RECORDS = "spf-several-records", Warning, "RFC 7208 4.5",
        "{record} has several SPF records, which makes SPF of {envelope} a permanent error ({cause}).",
        [EnvelopeDomain: "Merge the records of {record} into one."];
    SYNTAX = "spf-syntax", Warning, "RFC 7208 4.6",
        "The SPF record of {record} has a syntax error, which makes SPF of {envelope} a permanent error: {cause}.",
        [EnvelopeDomain: "Correct the record of {record}."];
    TARGET_WITHOUT_RECORD = "spf-target-without-record", Warning, "RFC 7208 5.2 and 6.1",
        "`{term}` in the record of {record} leads to {name}, which has no SPF record: SPF of {envelope} is a permanent error.",
        [EnvelopeDomain: "Remove `{term}` from the record of {record}, or publish a record for {name}."];
    UNUSABLE_TARGET = "spf-unusable-target", Warning, "RFC 7208 5.2 and 6.1",
        "`{term}` in the record of {record} leads to no domain that could have a record: SPF of {envelope} is a permanent error.",
        [EnvelopeDomain: "Correct `{term}` in the record of {record}."];
    LIMIT = "spf-limit", Warning, "RFC 7208 4.6.4",
        "The SPF record of {envelope} exceeds a limit in the record of {record}, which makes it a permanent error: {cause}.",
        [EnvelopeDomain: "Use fewer includes, or ip4 and ip6 in their place; remove names that no longer exist."];
    DNS = "spf-dns-failure", Warning, "RFC 7208 2.6.6",
        "SPF of {envelope} could not be checked for now: {name}: {answer}.",
        [EnvelopeDomain: "Repair the name servers that answer for {name}.",
         Receiver: "Check the resolver if other domains fail as well."];
    WIDE = "spf-wide-pass", Warning, "RFC 7208 11.4",
        "SPF passes for {envelope} by `{term}` in the record of {record}, which covers {count} addresses.",
        [EnvelopeDomain: "Narrow the record: everybody at one of these addresses can pass as {envelope}."];
    SHARED = "spf-shared-include", Warning, "RFC 7208 5.2 and 11.4",
        "SPF passes for {envelope} through the record of {record}, which it shares with other customers of \
         that provider: every one of them passes as well, so this proves nothing about one tenant.",
        [EnvelopeDomain: "Sign with DKIM; a key of your own is shared with nobody.",
         Receiver: "Do not trust a forwarder by SPF through a shared include; require its DKIM signature."];
    EVERYBODY = "spf-everybody-passes", Warning, "RFC 7208 5.1",
        "SPF passes for {envelope} by `{term}` in the record of {record}: the record lets everybody pass.",
        [EnvelopeDomain: "End the record of {record} with -all."];
    HELO = "spf-helo-not-pass", Note, "RFC 7208 2.3",
        "SPF of the HELO name {domain} gives {spf}: {cause}. This does not count for DMARC beside a MAIL FROM.",
        [Sender: "Publish an SPF record for {domain}."];
    DNS_TROUBLE = "dns-trouble", Note, "RFC 1034 5.3.1",
        "The DNS could not answer for {name}, in the charge of {owner}: {answer}.",
        [Sender: "Repair the name servers of {owner}."];
}
