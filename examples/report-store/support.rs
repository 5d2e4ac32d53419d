//! What the tests of both examples need: their program as processes, and what it wrote.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use mailproof::report::Limits;
use mailproof::report::aggregate::Reader;

/// 2023-05-16T09:00:00Z
pub const DAY: u64 = 1_684_227_600;
/// Ten minutes after the next midnight.
pub const NIGHT: u64 = 1_684_282_200;

pub fn start(program: &str, arguments: &[&str]) -> Child {
    let mut command = Command::new(program);
    command.args(arguments).stdout(Stdio::piped());
    command.spawn().expect("the program starts")
}

/// What a process says until it ends by itself.
pub fn lines(mut child: Child) -> Vec<String> {
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    let lines = out.lines().collect::<Result<_, _>>().expect("text");
    assert!(child.wait().expect("it ends").success());
    lines
}

/// How many messages each report in a folder counts.
pub fn reports(folder: &Path) -> BTreeMap<String, u64> {
    let mut reports = BTreeMap::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "eml") {
            let file = std::fs::File::open(&path).expect("a file");
            let reader = Reader::new(file, &Limits::default()).expect("a report");
            let counts = reader.map(|row| row.expect("a row").count);
            let name = path.file_name().expect("a name").to_string_lossy();
            reports.insert(name.into_owned(), counts.sum());
        }
    }
    reports
}
