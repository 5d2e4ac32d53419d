//! The log: lines of JSON on the standard error stream.

use std::io::Write as _;

use serde_json::Value;

/// Writes one line, in one piece. What strangers wrote stands in it as JSON strings, where line ends
/// and other control characters are escaped. A log that cannot be written keeps no mail back.
pub(crate) fn line(value: &Value) {
    let _ = std::io::stderr()
        .lock()
        .write_all(written(value).as_bytes());
}

fn written(value: &Value) -> String {
    format!("{value}\n")
}

/// Writes that something went wrong outside of a message.
pub(crate) fn error(error: &dyn std::error::Error) {
    line(&serde_json::json!({"error": error.to_string()}));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_strangers_write_stays_on_its_line() {
        let forged = "a\r\n{\"done\":\"accepted\"}\n\u{0}\u{1b}[2J\"";
        let text = written(&json!({"helo": forged}));
        assert!(text.ends_with("\"}\n"));
        assert!(
            !text.trim_end_matches('\n').contains(char::is_control),
            "{text:?}"
        );
        let read: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["helo"], forged);
    }
}
