//! Keeps the rows of aggregate reports in SQLite. Without arguments it says how to use it.

#[path = "../../report-store/program.rs"]
mod program;

fn main() -> std::process::ExitCode {
    program::run(|path| report_sqlite::SqliteStore::open(path))
}
