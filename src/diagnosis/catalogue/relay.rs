//! The envelope, and the traces of forwarders and lists.

entries! {
    SRS = "envelope-srs", Decisive, "RFC 9989 4.4.2; RFC 7208 D.2",
        "MAIL FROM was rewritten by {forwarder} ({form}): SPF speaks for the forwarder, not for the \
         author domain {author}, and cannot align with it.",
        [AuthorDomain: "Sign with DKIM as {author}, and see that the signature arrives intact: it survives rewriting.",
         Forwarder: "Keep the body and the signed fields intact, or seal (RFC 8617).",
         Receiver: "If {forwarder} is known to be honest, trust it with a proof."];
    EXCHANGE_SRS = "envelope-exchange-srs", Decisive, "RFC 9989 4.4.2; RFC 7208 D.2",
        "MAIL FROM is Exchange Online's rewriting by {forwarder}: SPF speaks for the forwarder, not \
         for the author domain {author}, and cannot align with it.",
        [AuthorDomain: "Sign with DKIM as {author}, and see that the signature arrives intact: it survives rewriting.",
         Forwarder: "Keep the body and the signed fields intact, or seal (RFC 8617).",
         Receiver: "If {forwarder} is known to be honest, trust it with a proof."];
    EXCHANGE_OPAQUE = "envelope-exchange-srs-opaque", Decisive, "RFC 9989 4.4.2; RFC 7208 D.2",
        "MAIL FROM is Exchange Online's rewriting by {forwarder} in its long form: no original sender \
         can be read from it, SPF speaks for the forwarder and cannot align with {author}.",
        [AuthorDomain: "Sign with DKIM as {author}, and see that the signature arrives intact: it survives rewriting.",
         Forwarder: "Keep the body and the signed fields intact, or seal (RFC 8617)."];
    ORIGINAL_IS_AUTHOR = "srs-original-is-author", Warning, "RFC 7208 D.2",
        "The rewritten MAIL FROM claims the original sender {original}, which fits the author domain \
         {author}. Unverified: only {forwarder} can check the hash.",
        [Forwarder: "Seal or sign what you forward, so that the claim can be trusted."];
    ORIGINAL_IS_OTHER = "srs-original-is-other", Warning, "RFC 7208 D.2",
        "The rewritten MAIL FROM claims the original sender {original}, which is not of the author \
         domain {author}.",
        [Receiver: "Do not let a trusted forwarder vouch for {author} here."];
    UNREWRITTEN = "forwarded-unrewritten-or-forged", Decisive, "RFC 7208 D; RFC 7960 3.2.1",
        "{client} may not send for {envelope}, and nothing else authenticates {author}: the message was \
         forwarded without rewriting MAIL FROM, or it is forged - nothing here can tell which.",
        [AuthorDomain: "Sign with DKIM as {author}: signatures survive plain forwarding.",
         Forwarder: "Rewrite MAIL FROM (SRS) when forwarding.",
         EnvelopeDomain: "If {client} is a server of yours, list it in the SPF record of {envelope}."];
    LIST = "relayed-by-list", Warning, "RFC 2919; RFC 7960 3.2.3",
        "The message came through the mailing list {list}; lists change what {author} signed.",
        [Forwarder: "Change nothing that is signed, or rewrite From to the list's own domain."];
    SENDER = "sent-on-behalf", Note, "RFC 5322 3.6.2; RFC 9989 1",
        "The Sender field names {sender}, another organization than the author domain {author}; DMARC \
         looks at From only.",
        [Sender: "Sign as {author}, or write From addresses of your own domain."];
    RESENT = "resent", Note, "RFC 5322 3.6.6",
        "Resent fields name {resender}, who introduced the message again; DMARC still looks at From, \
         {author}.",
        [Forwarder: "Keep the body and the signed fields intact."];
    NULL_PATH = "null-reverse-path", Note, "RFC 7208 2.4",
        "MAIL FROM is null, as for bounces and notices, so SPF was checked for {envelope}, the name of HELO.",
        [Sender: "Let HELO be a name of the author's organization that has an SPF record."];
    FORWARDER_TRUSTED = "forwarder-trusted", Warning, "RFC 9989 7.4; RFC 9990 3.1.1.6",
        "This receiver trusts {forwarder} to forward mail of {author}; the proof holds: {proof}.",
        [AuthorDomain: "Sign with DKIM as {author}, so that no trust is needed."];
    PROOF_FAILED = "forwarder-proof-failed", Decisive, "RFC 9989 7.4",
        "MAIL FROM claims the trusted forwarder {forwarder}, but its proof is missing: {proof}. SPF \
         alone does not prove it.",
        [Forwarder: "Sign everything you forward as agreed with the receiver.",
         Receiver: "Treat the message as if nobody vouched for it."];
    OTHER_AUTHOR = "forwarder-claims-other-author", Decisive, "RFC 9989 7.4",
        "The forwarder {forwarder} is trusted and proven, but claims the original sender {original}, \
         not the author domain {author}: it vouches for nobody here.",
        [Forwarder: "Rewrite the envelope of the message that is being forwarded."];
    NO_ORIGINAL = "forwarder-claims-nobody", Warning, "RFC 9989 7.4",
        "The forwarder {forwarder} is trusted and proven, but its address names no original sender, \
         so it does not vouch for {author}.",
        [Forwarder: "Use a form of SRS that holds the original sender."];
    SECOND_HAND = "forwarder-claims-second-hand", Warning, "RFC 9989 7.4; RFC 7208 D.2",
        "The forwarder {forwarder} is trusted and proven, but has the original sender {original} from \
         another forwarder, which it cannot check, so it does not vouch for {author}.",
        [AuthorDomain: "Sign with DKIM as {author}: signatures survive plain forwarding.",
         Forwarder: "Seal what you forward (RFC 8617), so that more than the envelope tells of its way."];
    SPF_UPGRADE = "spf-upgraded-by-forwarding", Warning, "RFC 7208 D.2; RFC 7960 3.2.1",
        "A {noted} field, which anybody may have written, says that an earlier host ({host}) found \
         spf={spf} for {envelope}; now SPF passes. The pass speaks for the last host only: forwarding has \
         washed away a result that was not a pass.",
        [Receiver: "Do not let SPF alone vouch for {author} here.",
         Forwarder: "Do not forward what failed SPF under a name that passes."];
}
