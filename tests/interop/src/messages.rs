//! The messages to be signed: each has something that implementations have differed over.

/// Names and messages, with line ends of CRLF.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("plain", message("", "Hello\n")),
        (
            "folded",
            message(
                "To:\n\t=?utf-8?q?J=C3=B6rg?=\n  <joerg@example.org> ,\n \t b@example.org\n\
                 X-Long: one\n two\n\tthree   four \t\n  five\n",
                "Hello\n",
            ),
        ),
        (
            "spaces-in-header",
            message(
                "subject:  two  blanks\t and a tab \t \nX-Empty:\nX-Blank: \t \n\
                 x-cOLON:no blank: a colon\n",
                "Hello\n",
            ),
        ),
        (
            "blank-before-colon",
            message("Subject : obsolete\nX-Tab\t:\tobsolete\n", "Hello\n"),
        ),
        (
            "spaces-in-body",
            message(
                "",
                " leading\ntrailing \t \n \t \nin  the \t middle\n\t\nlast \n",
            ),
        ),
        ("empty-lines", message("", "\n\none\n\n\n\ntwo\n\n\n\n")),
        ("only-empty-lines", message("", "\n\n\n")),
        ("only-blank-lines", message("", " \n\t\n \t \n")),
        ("empty-body", message("", "")),
        (
            "no-last-line-end",
            [message("", "one\n"), b"two".to_vec()].concat(),
        ),
        (
            "no-last-line-end-blanks",
            [message("", "one\n"), b"two \t".to_vec()].concat(),
        ),
        (
            "dots",
            message("", ".\n..\nFrom nobody\n>From nobody\n.dot\n"),
        ),
        (
            "eight-bit",
            message(
                "X-Utf-8: Gr\u{fc}\u{df}e \u{2003} \u{1f4e7}\nContent-Transfer-Encoding: 8bit\n\
                 Content-Type: text/plain; charset=utf-8\n",
                "Gr\u{fc}\u{df}e\u{a0}\u{a0}aus K\u{f6}ln \u{a0}\n",
            ),
        ),
        (
            "latin-1",
            [
                message("Content-Transfer-Encoding: 8bit\n", "one\n"),
                b"Gr\xfc\xdfe \xa0 \xff\r\n".to_vec(),
            ]
            .concat(),
        ),
        (
            "repeated",
            message(
                "Comments: the first\nReceived: by a.example\nComments: the second\n\
                 X-Repeated: one\ncomments: the  third\nReceived: by b.example\nx-repeated: two\n\
                 X-Repeated: three\n",
                "Hello\n",
            ),
        ),
        ("long-lines", message("", &long_lines())),
        (
            "large",
            message("", &"0123456789 abcdef  \n".repeat(10_000)),
        ),
        (
            "multipart",
            message(
                "MIME-Version: 1.0\nContent-Type: multipart/alternative;\n boundary=\"=_b\"\n\
                 Reply-To: c@example.org\nCc: d@example.org\nIn-Reply-To: <1@example.org>\n\
                 References: <0@example.org>\n <1@example.org>\nList-Id: <l.example.org>\n",
                "--=_b\n\none\n--=_b\nContent-Type: text/html\n\n<p>one \n--=_b--\n\n",
            ),
        ),
    ]
}

fn long_lines() -> String {
    format!("{}\n{} \n", "x".repeat(998), "word  ".repeat(2_000))
}

/// A message with the usual fields, `more` of them, and a body. Line ends are `\n` here.
fn message(more: &str, body: &str) -> Vec<u8> {
    let text = format!(
        "From: Alice <alice@interop.example>\nDate: Tue, 16 May 2023 08:59:31 +0000\n\
         Message-ID: <1@interop.example>\n{more}\n{body}"
    );
    text.replace('\n', "\r\n").into_bytes()
}
