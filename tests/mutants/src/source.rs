//! Where in a file a line and column are.

use proc_macro2::LineColumn;

/// A file's text and where its lines begin.
pub struct Lines {
    text: String,
    starts: Vec<usize>,
}

impl Lines {
    pub fn of(text: String) -> Self {
        let behind = text.match_indices('\n').map(|(place, _)| place + 1);
        let starts = std::iter::once(0).chain(behind).collect();
        Self { text, starts }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The octet at a line, counted from 1, and a column, counted in characters from 0.
    pub fn offset(&self, line: usize, column: usize) -> Option<usize> {
        let start = *self.starts.get(line.checked_sub(1)?)?;
        let rest = &self.text[start..];
        let places = rest.char_indices().map(|(place, _)| place);
        let column = places.chain([rest.len()]).nth(column)?;
        Some(start + column)
    }

    pub fn at(&self, place: LineColumn) -> Option<usize> {
        self.offset(place.line, place.column)
    }
}
