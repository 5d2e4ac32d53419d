//! Keeps the rows of aggregate reports in PostgreSQL. Without arguments it says how to use it.

#[path = "../../report-store/program.rs"]
mod program;

fn main() -> std::process::ExitCode {
    program::run(report_postgres::PostgresStore::open)
}
