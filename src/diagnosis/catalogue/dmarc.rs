//! DMARC: policy, alignment, and what was made of them.

entries! {
    NO_POLICY = "dmarc-no-policy", Decisive, "RFC 9989 4.10.1",
        "The author domain {author} publishes no DMARC policy, so nothing says what shall be done \
         with mail that it did not send.",
        [AuthorDomain: "Publish a DMARC record at {place}."];
    SIGNED_WITHOUT_POLICY = "dmarc-signed-without-policy", Decisive, "RFC 9989 4.4.1",
        "The signature of {signer} is right and would be aligned with the author domain {author}, but \
         without a DMARC policy nobody has to care.",
        [AuthorDomain: "Publish a DMARC record at {place}."];
    ENVELOPE_POLICY = "dmarc-envelope-policy-does-not-apply", Decisive, "RFC 9989 4.10",
        "DMARC asks only for the policy of the author domain {author}, which publishes none; \
         whatever {envelope}, the domain of MAIL FROM, publishes does not apply to this message.",
        [AuthorDomain: "Publish a DMARC record at {place}, or write From addresses of {envelope}."];
    UNPROTECTED = "author-domain-unprotected", Decisive, "RFC 9989 1",
        "Nothing protects the author domain {author}: it publishes no DMARC policy, and the message \
         carries no passing signature of its own.",
        [AuthorDomain: "Sign with DKIM and publish a DMARC record at {place}."];
    UNUSABLE_POLICY = "dmarc-unusable-policy", Decisive, "RFC 9989 4.7",
        "The DMARC record of {policy_domain} has no valid policy, so none applies to {author}.",
        [AuthorDomain: "Correct the p tag of the record at _dmarc.{policy_domain}."];
    SEVERAL_RECORDS = "dmarc-several-records", Decisive, "RFC 7489 6.6.3; RFC 9989 4.10",
        "{policy_domain} publishes several DMARC records, so none of them applies to {author}.",
        [AuthorDomain: "Leave exactly one record at _dmarc.{policy_domain}."];
    POLICY_UNKNOWN = "dmarc-policy-unknown", Decisive, "RFC 9989 4.10",
        "The policy of {author} could not be looked up: {name}: {answer}.",
        [AuthorDomain: "Repair the name servers that answer for {name}.",
         Receiver: "Check the resolver if other domains fail as well."];
    EXISTENCE_UNKNOWN = "dmarc-existence-unknown", Decisive, "RFC 9989 4.7",
        "Whether {author} exists, on which its policy depends, could not be looked up: {name}: {answer}.",
        [AuthorDomain: "Repair the name servers that answer for {name}."];
    ALIGNMENT_UNKNOWN = "dmarc-alignment-unknown", Decisive, "RFC 9989 4.10.2",
        "Whether {domain} is aligned with {author} could not be looked up: {name}: {answer}.",
        [AuthorDomain: "Repair the name servers that answer for {name}."];
    IDENTIFIER_UNKNOWN = "dmarc-identifier-unknown", Decisive, "RFC 9989 5.3.4",
        "{domain} would be aligned with {author}, but {method} could not be checked for now.",
        [Sender: "Repair the name servers of {domain}."];
    NOT_DISCOVERED = "dmarc-not-discovered", Decisive, "RFC 9989 4.10",
        "The look-ups that DMARC needs for {domain} have not been made.",
        [Receiver: "Run the discovery for this author before the evaluation."];
    NOTHING_AUTHENTICATED = "dmarc-nothing-authenticated", Decisive, "RFC 9989 4.4",
        "Neither SPF nor DKIM authenticates anybody for this message, so nothing can be aligned \
         with the author domain {author}.",
        [AuthorDomain: "Sign with DKIM, and list the servers that send for {author} in its SPF record."];
    STRICT = "align-strict-mode", Decisive, "RFC 9989 4.4",
        "{method} passed for {domain}, which is of the author's organization, but the policy of \
         {policy_domain} asks for strict alignment ({tag}=s) with {author}; relaxed alignment would pass.",
        [AuthorDomain: "Send with {author} itself in {method}, or publish {tag}=r."];
    SPF_OTHER = "align-spf-other-organization", Decisive, "RFC 9989 4.4.2",
        "SPF passed for {domain}, the domain of MAIL FROM, which is another organization than the \
         author domain {author}: SPF cannot make DMARC pass here.",
        [AuthorDomain: "Sign with DKIM as {author}, and see that the signature arrives intact: it survives a change of envelope.",
         Sender: "Use an envelope sender within the organization of {author}."];
    DKIM_OTHER = "align-dkim-other-organization", Decisive, "RFC 9989 4.4.1",
        "The signature of {domain} passed, but that is another organization than the author domain \
         {author}.",
        [AuthorDomain: "Have mail signed with d={author} as well.",
         Sender: "Sign with a key of the author domain {author}."];
    SPF_NEVER = "spf-could-not-align", Warning, "RFC 9989 4.4.2",
        "SPF could not have made DMARC pass whatever its result: MAIL FROM belongs to {envelope}, \
         From to {author}, and these are different organizations.",
        [Sender: "Let envelope and From be of one organization, or rely on DKIM for {author}."];
    ORGANIZATION_UNKNOWN = "align-organization-unknown", Decisive, "RFC 9989 4.10.2",
        "Whether {domain} is of the organization of {author} could not be looked up: {name}: {answer}.",
        [AuthorDomain: "Repair the name servers that answer for {name}."];
    NOT_CHECKED = "align-not-checked", Warning, "RFC 9989 4.4",
        "{method} for {domain} could not be checked for now, so it could not be held against {author}.",
        [Sender: "Repair the name servers of {domain}."];
    ALIGN_NOT_DISCOVERED = "align-not-discovered", Warning, "RFC 9989 4.10.2",
        "The organization of {domain} was not looked up, so it was not held against {author}.",
        [Receiver: "Run the discovery for the authenticated domains before the evaluation."];
    ALIGN_LIMIT = "align-limit", Warning, "RFC 9989 11.5",
        "The organization of {domain} was not looked up, since too many domains authenticated the \
         message; it was not held against {author}.",
        [Sender: "Sign with the author domain {author}; a dozen signatures help nobody.",
         Receiver: "Raise the limit on walks if such mail is common."];
    MONITORING = "dmarc-monitoring-only", Warning, "RFC 9989 4.7 and 7.4",
        "{author} asks for nothing to be done with mail that fails (p=none at {policy_domain}): whoever \
         refuses this message does so by a rule of its own, not at the author's request.",
        [Receiver: "Do not refuse mail on DMARC where the policy is none."];
    LOWERED = "dmarc-policy-lowered", Warning, "RFC 9989 4.7; RFC 7489 6.6.4",
        "{policy_domain} publishes {published} for {author}, but only {requested} is asked for this \
         message: the policy is being tested or applied to a sample.",
        [AuthorDomain: "Remove t=y (or pct) once the reports look right."];
    WITHOUT_DKIM = "dmarc-without-dkim", Warning, "RFC 9989 5.1.2",
        "{author} publishes DMARC, but the message carries no signature of its organization: DMARC \
         then fails as soon as mail is forwarded.",
        [AuthorDomain: "Sign all mail with d={author}."];
    DKIM_ALONE = "pass-by-dkim-alone", Warning, "RFC 9989 5.1",
        "DMARC passes for {author} by the signature of {signer} alone; SPF ({spf} for {envelope}) does \
         not support it. One change to a signed field or the body, and it fails.",
        [AuthorDomain: "Let the envelope sender be within {author}'s organization and list {client}."];
    SPF_ALONE = "pass-by-spf-alone", Warning, "RFC 9989 5.1",
        "DMARC passes for {author} by SPF of {envelope} alone; no signature supports it, so it fails \
         once the message is forwarded.",
        [AuthorDomain: "Sign with DKIM as {author}."];
    OVERRIDDEN = "policy-overridden", Warning, "RFC 9989 5.4 and 7.4; RFC 9990 3.1.1.6",
        "{author} asks for {requested}, this receiver does {action} ({kind}): {comment}.",
        [AuthorDomain: "Have the mail arrive with an aligned signature, so that nothing needs an exception."];
    DEFERRED = "action-deferred", Decisive, "RFC 7372 3; RFC 9989 5.3.4",
        "The message is refused for now, since the DNS could not be asked about {what} of {domain}; it \
         will be tried again.",
        [Sender: "Repair the name servers of {domain}.", Receiver: "Check the resolver if this is common."];
    SOME_CHECK_FROM = "some-receivers-check-author-spf", Note, "RFC 7208 2.4",
        "Some receivers wrongly hold SPF against the From domain: for {author} that gives {spf} at \
         {client}. RFC 7208 checks MAIL FROM and HELO only; this is not our verdict.",
        [AuthorDomain: "List the servers that send for {author} in its SPF record too."];
    SPF_ONLY = "dkim-would-have-helped", Decisive, "RFC 7208 8.4; RFC 9989 5.3",
        "This receiver refuses on SPF alone and did not use the signature of {signer}; a DKIM check \
         would have let the message of {author} pass, had the signature held.",
        [Receiver: "Check DKIM and DMARC before refusing on SPF.",
         EnvelopeDomain: "List {client} in the SPF record of {envelope}."];
}
