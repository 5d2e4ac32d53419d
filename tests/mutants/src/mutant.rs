//! The mutants as cargo-mutants lists them, and the sample.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Failure;
use crate::source::Lines;

/// One change of the source.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// What the switch is set to: from 1, in the order of the sample.
    pub number: usize,
    /// Below the root of the tree.
    pub file: PathBuf,
    /// Which octets of the file are replaced.
    pub span: Range<usize>,
    pub replacement: String,
    pub genre: Genre,
    /// `src/file.rs:line:column: what is done`.
    pub name: String,
    /// The line of the source where it begins.
    pub line: String,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Genre {
    /// The body of a function becomes a constant.
    Body,
    /// A match arm goes.
    Arm,
    /// Anything within one expression.
    Expression,
}

impl Mutant {
    /// The name without the place, as `.ci/mutants-alike` has it.
    pub fn deed(&self) -> &str {
        self.name.split_once(' ').map_or("", |(_, deed)| deed)
    }

    /// A text with the replacement at `span`, as cargo-mutants itself writes it.
    pub fn replace(&self, text: &str, span: Range<usize>) -> String {
        let (before, behind) = (&text[..span.start], &text[span.end..]);
        format!("{before} {} {behind}", self.replacement)
    }

    fn read(value: &Value, root: &Path) -> Result<Self, Failure> {
        let text = |key: &str| {
            let found = value[key].as_str().map(str::to_owned);
            found.ok_or_else(|| format!("a mutant without {key}: {value}"))
        };
        let file = PathBuf::from(text("file")?);
        let lines = Lines::of(std::fs::read_to_string(root.join(&file))?);
        let offset = |end: &str| {
            let number = |key: &str| {
                let number = value["span"][end][key].as_u64()?;
                usize::try_from(number).ok()
            };
            // Columns are counted from 1 here.
            let place = number("line").zip(number("column")?.checked_sub(1));
            place.and_then(|(line, column)| lines.offset(line, column))
        };
        let span = offset("start")
            .zip(offset("end"))
            .ok_or_else(|| format!("a mutant outside its file: {value}"))?;
        let (before, behind) = lines.text().split_at(span.0);
        let start = before.rfind('\n').map_or(0, |place| place + 1);
        let line = before[start..].chars().chain(behind.chars());
        Ok(Self {
            number: 0,
            file,
            span: span.0..span.1,
            replacement: text("replacement")?,
            genre: match text("genre")?.as_str() {
                "FnValue" => Genre::Body,
                "MatchArm" => Genre::Arm,
                _ => Genre::Expression,
            },
            name: text("name")?,
            line: line.take_while(|character| *character != '\n').collect(),
        })
    }
}

/// Reads the output of `cargo mutants --list --json` and takes `count` mutants, the same each time.
///
/// The order depends on each mutant's file, deed and how many of the same stand before it, not on
/// lines: the sample stays what it is while other code comes and goes.
pub fn sample(list: &str, root: &Path, count: usize) -> Result<(Vec<Mutant>, usize), Failure> {
    let list: Vec<Value> = serde_json::from_str(list)?;
    let mut twins = BTreeMap::new();
    let mut mutants = Vec::new();
    for value in &list {
        let mutant = Mutant::read(value, root)?;
        let name = format!("{}: {}", mutant.file.display(), mutant.deed());
        let twin: &mut usize = twins.entry(name.clone()).or_default();
        *twin += 1;
        mutants.push((hash(&format!("{name} {twin}")), name, mutant));
    }
    mutants.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
    let mut sample: Vec<_> = mutants.into_iter().map(|(.., mutant)| mutant).collect();
    sample.truncate(count);
    for (number, mutant) in (1..).zip(&mut sample) {
        mutant.number = number;
    }
    Ok((sample, list.len()))
}

/// FNV-1a, and the last step of MurmurHash3, since FNV-1a hardly stirs the last octets: the
/// standard library's hashes may change from one compiler to the next.
fn hash(name: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for octet in name.bytes() {
        hash = (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
    }
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
    }
    hash ^ (hash >> 33)
}
