//! Reads DMARC reports, aggregate reports and failure reports of any number, and prints one table:
//! who sends mail in the name of a domain, what became of it, and what the likely cause is.
//!
//! Without arguments it reads reports that come with it. `--help` lists the options.

/// As the standard one, which panics where the output cannot be written: a closed pipe, a full disk.
macro_rules! println {
    ($($arguments:tt)*) => {
        if let Err(error) = writeln!(std::io::stdout(), $($arguments)*) {
            let _ = crate::unusable(format!("standard output: {error}"));
            std::process::exit(2);
        }
    };
}

#[path = "report/facts.rs"]
mod facts;
#[path = "report/line.rs"]
mod line;
#[path = "report/table.rs"]
mod table;

use std::collections::HashMap;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Cursor, IsTerminal as _, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use line::Line;
use mailproof::report::Limits;
use mailproof::report::ReadError;
use mailproof::report::aggregate::Reader;
use mailproof::report::failure::FailureReport;
use serde_json::{Value, json};

const HELP: &str = "\
Reads DMARC reports and prints who sends mail in a domain's name, and why it fails.

usage: report [options] [FILE|FOLDER|-]...

Files hold a report as XML, compressed with gzip or zip, or a mail with one attached; failure reports
are mails. Of a folder, all files are read. Without any, reports are read that come with this program.

  --failing      leave out what passes DMARC
  --rows NUMBER  print so many rows, those that fail first, then by number of messages (50)
  --progress     say how far the reading is, even if standard error is not a terminal
  --json         print one JSON object, with all rows
  --help         print this

exit status: 0 all was read, 1 some reports or rows could not be read, 2 the program could not run
";

fn main() -> ExitCode {
    let options = match Options::from_arguments() {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{}", HELP.trim_end());
            return ExitCode::SUCCESS;
        }
        Err(error) => return unusable(error),
    };
    let mut reading = Reading::new(options.progress);
    if options.paths.is_empty() {
        for (name, octets) in shipped::REPORTS {
            reading.read(name, || Ok(Box::new(Cursor::new(*octets))));
        }
    }
    for path in &options.paths {
        reading.read_path(path);
    }
    let failed = reading.failed;
    let rows = reading.sorted(options.failing);
    if options.json {
        println!("{:#}", reading.to_json(&rows));
    } else {
        reading.print(&rows, options.rows);
    }
    ExitCode::from(u8::from(failed))
}

fn unusable(error: impl Display) -> ExitCode {
    let _ = writeln!(io::stderr(), "report: {}", table::plain(&error.to_string()));
    ExitCode::from(2)
}

/// What was read: rows that are alike in everything that is printed, and their counts.
#[derive(Default)]
struct Reading {
    lines: HashMap<Line, u64>,
    reports: Vec<Value>,
    failures: Vec<Value>,
    errors: Vec<String>,
    failed: bool,
    /// What was read so far, and when that was last said.
    files: u64,
    rows: u64,
    said: Option<Instant>,
}

impl Reading {
    fn new(progress: bool) -> Self {
        Self {
            said: progress.then(Instant::now),
            ..Self::default()
        }
    }

    fn read_path(&mut self, path: &Path) {
        let name = path.display().to_string();
        if path == Path::new("-") {
            let mut octets = Vec::new();
            match io::stdin().read_to_end(&mut octets) {
                Ok(_) => self.read(&name, || Ok(Box::new(Cursor::new(octets.clone())))),
                Err(error) => self.error(format!("{name}: {error}")),
            }
        } else if path.is_dir() {
            match files_of(path) {
                Ok(files) => files.iter().for_each(|file| self.read_path(file)),
                Err(error) => self.error(format!("{name}: {error}")),
            }
        } else {
            self.read(&name, || Ok(Box::new(File::open(path)?)));
        }
    }

    /// Reads an aggregate report row by row, or else the whole as a failure report.
    fn read(&mut self, name: &str, open: impl Fn() -> io::Result<Box<dyn Read + Send>>) {
        self.files += 1;
        let limits = Limits::default();
        let result =
            open()
                .map_err(|error| error.to_string())
                .and_then(|source| match Reader::new(source, &limits) {
                    Ok(reader) => {
                        self.aggregate(name, reader);
                        Ok(())
                    }
                    Err(ReadError::NotAReport) => {
                        let most = limits.compressed_octets.saturating_add(1);
                        let mut octets = Vec::new();
                        let read =
                            open().and_then(|source| source.take(most).read_to_end(&mut octets));
                        read.map_err(|error| error.to_string())?;
                        let report = FailureReport::read(&octets, &limits);
                        self.failure(&report.map_err(|_| "there is no DMARC report in it")?)
                    }
                    Err(error) => Err(error.to_string()),
                });
        if let Err(error) = result {
            self.error(format!("{name}: {error}"));
        }
    }

    fn aggregate(&mut self, name: &str, mut reader: Reader<'_>) {
        let policy = reader.report().policy.clone();
        let (mut rows, mut messages, mut failing) = (0_u64, 0_u64, 0_u64);
        for row in reader.by_ref() {
            match row {
                Ok(row) => {
                    let line = Line::of_row(&row, &policy);
                    rows += 1;
                    messages = messages.saturating_add(row.count);
                    if !line.passes {
                        failing = failing.saturating_add(row.count);
                    }
                    self.count(line, row.count);
                }
                Err(error) => self.error(format!("{name}: {error}")),
            }
            self.say();
        }
        let report = reader.report();
        self.reports.push(json!({
            "file": name, "reporter": report.org_name, "report_id": report.report_id,
            "begin": report.begin, "end": report.end, "domain": policy.domain,
            "policy": policy.p.to_string(), "rows": rows, "messages": messages, "failing": failing,
            "warnings": reader.warnings().iter().map(|(_, one)| one.to_string()).collect::<Vec<_>>(),
        }));
    }

    fn failure(&mut self, report: &FailureReport) -> Result<(), String> {
        if report.auth_failure.is_none() {
            let kind = &report.feedback_type;
            return Err(format!(
                "a report of the type \"{kind}\", not of authentication"
            ));
        }
        self.count(Line::of_failure(report), u64::from(report.incidents));
        self.failures.push(json!(report));
        Ok(())
    }

    fn count(&mut self, line: Line, count: u64) {
        self.rows += 1;
        let sum = self.lines.entry(line).or_default();
        *sum = sum.saturating_add(count);
    }

    /// Keeps an error; the first hundred are enough.
    fn error(&mut self, error: String) {
        self.failed = true;
        if self.errors.len() < 100 {
            self.errors.push(error);
        }
    }

    /// Says how far the reading is, every second.
    fn say(&mut self) {
        let elapsed = self.said.map(|said| said.elapsed());
        if elapsed.is_some_and(|elapsed| elapsed >= Duration::from_secs(1)) {
            let (files, rows) = (self.files, self.rows);
            let _ = writeln!(io::stderr(), "report: file {files}, {rows} rows so far");
            self.said = Some(Instant::now());
        }
    }

    fn sorted(&self, failing: bool) -> Vec<(&Line, u64)> {
        let rows = self.lines.iter().map(|(line, count)| (line, *count));
        let mut rows: Vec<_> = rows.filter(|(line, _)| !failing || !line.passes).collect();
        rows.sort_by_key(|(line, count)| (line.passes, std::cmp::Reverse(*count), *line));
        rows
    }

    fn print(&self, rows: &[(&Line, u64)], most: usize) {
        for report in &self.reports {
            let text = |name: &str| match report.get(name) {
                Some(Value::String(text)) => table::plain(text),
                Some(other) => other.to_string(),
                None => String::new(),
            };
            println!(
                "{} on {} ({}), p={}: {} messages, {} fail",
                text("reporter"),
                text("domain"),
                days(report),
                text("policy"),
                text("messages"),
                text("failing"),
            );
            for warning in report
                .get("warnings")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
            {
                println!("    {}", table::plain(warning.as_str().unwrap_or_default()));
            }
        }
        if !self.failures.is_empty() {
            let number = self.failures.len();
            println!("failure reports: {number}");
        }
        let shown = rows.get(..most).unwrap_or(rows);
        table::print(shown);
        if rows.len() > shown.len() {
            println!("and {} more rows", rows.len() - shown.len());
        }
        for error in &self.errors {
            let _ = writeln!(io::stderr(), "report: {}", table::plain(error));
        }
    }

    fn to_json(&self, rows: &[(&Line, u64)]) -> Value {
        let rows = rows.iter().map(|(line, count)| {
            json!({
                "source": line.source, "count": count, "from": line.from, "spf": line.spf,
                "dkim": line.dkim, "aligned": line.aligned,
                "dmarc": if line.passes { "pass" } else { "fail" }, "action": line.action,
                "code": line.cause.code, "cause": line.cause.sentence,
            })
        });
        json!({
            "reports": self.reports, "rows": rows.collect::<Vec<_>>(),
            "failure_reports": self.failures, "errors": self.errors,
        })
    }
}

/// The first and the last day, as in 2023-05-16.
fn days(report: &Value) -> String {
    let day = |name: &str| {
        let seconds = report.get(name).and_then(Value::as_u64).unwrap_or_default();
        let days = i64::try_from(seconds / 86_400).unwrap_or_default() + 719_468;
        let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let (day, late) = (day - (153 * month + 2) / 5 + 1, month > 9);
        let month = if late { month - 9 } else { month + 3 };
        format!("{}-{month:02}-{day:02}", era * 400 + year + i64::from(late))
    };
    match (day("begin"), day("end")) {
        (begin, end) if begin == end => begin,
        (begin, end) => format!("{begin} to {end}"),
    }
}

/// What is in a folder, but for links to other folders.
fn files_of(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)?;
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry?;
        // A link to a folder may lead out of this one, or round in circles.
        if !(entry.file_type()?.is_symlink() && entry.path().is_dir()) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

struct Options {
    paths: Vec<PathBuf>,
    failing: bool,
    rows: usize,
    progress: bool,
    json: bool,
}

impl Options {
    /// `None` if only help was asked for.
    fn from_arguments() -> Result<Option<Self>, String> {
        use lexopt::Arg::{Long, Value};
        let mut options = Self {
            paths: Vec::new(),
            failing: false,
            rows: 50,
            progress: io::stderr().is_terminal(),
            json: false,
        };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next().map_err(|error| error.to_string())? {
            match argument {
                Long("help") => return Ok(None),
                Long("failing") => options.failing = true,
                Long("progress") => options.progress = true,
                Long("json") => options.json = true,
                Long("rows") => {
                    let value = arguments.value().map_err(|error| error.to_string())?;
                    let number = value.to_str().and_then(|value| value.parse().ok());
                    options.rows = number.ok_or("--rows: not a number")?;
                }
                Value(path) => options.paths.push(path.into()),
                other => return Err(format!("{} (--help tells more)", other.unexpected())),
            }
        }
        Ok(Some(options))
    }
}

/// What firma-a.tld was told about its mail: two aggregate reports and a failure report.
mod shipped {
    pub const REPORTS: &[(&str, &[u8])] = &[
        ("aggregate.xml", include_bytes!("data/report/aggregate.xml")),
        ("legacy.eml", include_bytes!("data/report/legacy.eml")),
        ("failure.eml", include_bytes!("data/report/failure.eml")),
    ];
}
