//! The table as text.

use std::io::{self, IsTerminal as _, Write as _};

use crate::line::Line;

const TITLE: [&str; 8] = [
    "source", "count", "from", "spf", "dkim", "aligned", "dmarc", "action",
];

/// Prints the table, the cause of each row below it. In colour on a terminal only.
pub fn print(rows: &[(&Line, u64)]) {
    let cells: Vec<[String; 8]> = rows
        .iter()
        .map(|(line, count)| {
            let dmarc = if line.passes { "pass" } else { "fail" };
            let count = count.to_string();
            [
                &line.source,
                &count,
                &line.from,
                &line.spf,
                &line.dkim,
                line.aligned,
                dmarc,
                &line.action,
            ]
            .map(str::to_owned)
        })
        .collect();
    let length = |cell: &str| cell.chars().count();
    let widths: Vec<usize> = (0..TITLE.len())
        .map(|column| {
            let column = cells.iter().filter_map(|row| row.get(column));
            column.map(|cell| length(cell)).max().unwrap_or_default()
        })
        .zip(TITLE)
        .map(|(width, title)| width.max(title.len()))
        .collect();
    let colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let print = |cells: &[String], red: bool| {
        let mut out = String::new();
        for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            // Numbers are set to the right.
            out += &match column {
                1 => format!("{cell:>width$}  "),
                6 if red => format!("\u{1b}[31m{cell:<width$}\u{1b}[0m  "),
                _ => format!("{cell:<width$}  "),
            };
        }
        println!("{}", out.trim_end());
    };
    println!();
    print(&TITLE.map(str::to_owned), false);
    for (row, (line, _)) in cells.iter().zip(rows) {
        print(row, colour && !line.passes);
        for line in wrapped(&line.cause.sentence, 92) {
            println!("    {line}");
        }
    }
}

fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A stranger's text on one line, without anything that a terminal obeys.
pub fn plain(text: &str) -> String {
    let text = text.chars().take(300);
    text.map(|c| if c.is_control() { ' ' } else { c }).collect()
}
