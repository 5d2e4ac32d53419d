//! The header block: its fields, and the author.

use std::hint::black_box;

use mailproof::Message;

use crate::{Row, Table, mails, peer};

/// The fields and the author; the peer's only way to them.
pub fn rows(table: &mut Table) {
    let message = [mails::HEADER.as_bytes(), b"\r\nHello\r\n"].concat();
    let theirs = || peer::parse_message(black_box(&message));
    let scan = || {
        black_box(Message::parse(black_box(&message)));
    };
    let author = || {
        let message = Message::parse(black_box(&message));
        black_box(message.head().author());
    };
    table.run(&Row::new("header scan", &scan).peer(&theirs));
    table.run(&Row::new("header scan and author", &author).peer(&theirs));
}
