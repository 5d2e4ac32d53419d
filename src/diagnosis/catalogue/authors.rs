//! The From field and the header block.

entries! {
    AUTHOR_MISSING = "author-missing", Decisive, "RFC 5322 3.6.2; RFC 9989 5.3.1",
        "The message has no author ({cause}), so no domain can be asked for a DMARC policy.",
        [Sender: "Write exactly one From field with one mailbox."];
    AUTHOR_SEVERAL_DOMAINS = "author-several-domains", Decisive, "RFC 9989 11.5",
        "The From field names authors of several domains ({domains}); DMARC knows no single \
         domain to hold the message against.",
        [Sender: "Send in the name of one domain; mailboxes of the same domain are fine."];
    AUTHOR_SEVERAL_FIELDS = "author-several-fields", Decisive, "RFC 5322 3.6; RFC 9989 11.5",
        "The message has {fields} From fields ({domains}); readers may be shown another one than \
         was checked.",
        [Sender: "Write exactly one From field."];
    AUTHOR_UNREADABLE = "author-unreadable", Decisive, "RFC 5322 3.4; RFC 9989 5.3.1",
        "The From field cannot be read with certainty: {cause}.",
        [Sender: "Write the From field as RFC 5322 has it: one mailbox, its domain in ASCII or as A-labels."];
    HEADER_LINE_ENDS = "header-line-ends", Warning, "RFC 5321 2.3.8 and 4.1.1.4",
        "The header block has {count} line ends that are not CRLF; hosts repair them, which breaks \
         signatures, and smugglers use them to hide a second message.",
        [Sender: "End lines with CRLF only.", Receiver: "Refuse bare CR and LF before storing a message."];
    HEADER_MALFORMED = "header-malformed", Note, "RFC 5322 2.2",
        "The header block is malformed: {what}. What other software takes for a field may differ.",
        [Sender: "Write well-formed header fields and an empty line behind them."];
}
