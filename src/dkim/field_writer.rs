//! Writing signature fields: tags in order, folded between tags, and inside `h=` and base64 only.

use crate::text;

/// A field under construction. What it holds is what will be sent, octet for octet.
#[derive(Clone, Debug)]
pub(crate) struct FieldWriter {
    out: String,
    column: usize,
    tags: usize,
}

impl FieldWriter {
    /// Begins a field; `name` ends with the colon.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            out: name.to_owned(),
            column: name.len(),
            tags: 0,
        }
    }

    /// Adds `name=value`.
    pub(crate) fn tag(&mut self, name: &str, value: &str) {
        self.separate();
        self.word(&format!("{name}={value}"), " ");
    }

    /// Adds a list with colons between its items, after which it may be folded.
    pub(crate) fn list(&mut self, name: &str, items: &[String]) {
        self.separate();
        for (number, item) in items.iter().enumerate() {
            let colon = if number + 1 == items.len() { "" } else { ":" };
            if number == 0 {
                self.word(&format!("{name}={item}{colon}"), " ");
            } else {
                self.word(&format!("{item}{colon}"), "");
            }
        }
    }

    /// Adds `name=` on a line of its own; [`finish`](Self::finish) adds the value.
    pub(crate) fn begin(&mut self, name: &str) {
        self.separate();
        self.fold();
        self.out.push_str(name);
        self.out.push('=');
        self.column += name.len() + 1;
    }

    /// The field so far.
    pub(crate) fn as_str(&self) -> &str {
        &self.out
    }

    /// Adds the signature as base64 and ends the field, without CRLF.
    pub(crate) fn finish(mut self, signature: &[u8]) -> String {
        for character in text::base64_encode(signature).chars() {
            if self.column >= LINE_WIDTH {
                self.fold();
            }
            self.out.push(character);
            self.column += 1;
        }
        self.out
    }

    fn separate(&mut self) {
        if self.tags != 0 {
            self.out.push(';');
            self.column += 1;
        }
        self.tags += 1;
    }

    /// Writes a word after `space`, or on a new line. One column is left for the semicolon.
    fn word(&mut self, word: &str, space: &str) {
        if self.column + space.len() + word.len() >= LINE_WIDTH {
            self.fold();
        } else {
            self.out.push_str(space);
            self.column += space.len();
        }
        self.out.push_str(word);
        self.column += word.len();
    }

    fn fold(&mut self) {
        self.out.push_str("\r\n\t");
        // A tab is shown as up to eight columns.
        self.column = 8;
    }
}

/// RFC 5322 2.1.1: lines SHOULD be no more than 78 characters.
const LINE_WIDTH: usize = 78;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_where_white_space_means_nothing() {
        let mut field = FieldWriter::new("X-Signature:");
        field.tag("v", "1");
        field.tag("d", &"d".repeat(60));
        let names: Vec<String> = (0..20).map(|n| format!("Name-{n}")).collect();
        field.list("h", &names);
        field.begin("b");
        let field = field.finish(&[0xff; 256]);
        assert!(field.starts_with("X-Signature: v=1;\r\n\td="));
        for line in field.split("\r\n\t") {
            assert!(line.len() <= 78, "{line}");
        }
        let unfolded: String = field.split("\r\n\t").collect();
        assert!(unfolded.contains("h=Name-0:Name-1:"));
        assert!(unfolded.ends_with("=="));
    }

    /// A word stays on its line if a semicolon fits behind it.
    #[test]
    fn lines_are_filled() {
        for (octets, fold) in [(61, " "), (62, " "), (63, "\r\n\t"), (64, "\r\n\t")] {
            let value = "d".repeat(octets);
            let mut field = FieldWriter::new("X:");
            field.tag("v", "1");
            field.tag("a", "1");
            field.tag("d", &value);
            assert_eq!(field.as_str(), format!("X: v=1; a=1;{fold}d={value}"));
        }
        let mut field = FieldWriter::new("X:");
        field.begin("b");
        let field = field.finish(&[0; 300]);
        // A tab takes eight columns, and 68 characters have room behind `b=`.
        let lines: Vec<_> = field.split("\r\n\t").map(str::len).collect();
        assert_eq!(lines, [2, 70, 70, 70, 70, 70, 52]);
    }
}
