//! Several processes share a database: each row is counted once, each report sent once.
//!
//! Needs a server, whose parameters are in `MAILPROOF_POSTGRES`, as in `host=127.0.0.1 user=x`; a
//! database of each test's own is made there.

#[path = "../../../tests/report_store/contract.rs"]
#[allow(dead_code)]
mod contract;
#[path = "../../report-store/support.rs"]
mod support;

use std::path::Path;
use std::process::{Child, Command};

use postgres::{Client, NoTls};
use report_postgres::PostgresStore;
use support::{DAY, NIGHT, lines, reports, start};

const PROGRAM: &str = env!("CARGO_BIN_EXE_report-postgres");

/// The parameters of a new database.
fn database(name: &str) -> String {
    let server = std::env::var("MAILPROOF_POSTGRES").expect("the parameters of a server");
    let mut client = Client::connect(&format!("{server} dbname=postgres"), NoTls).unwrap();
    client
        .batch_execute(&format!("DROP DATABASE IF EXISTS {name}"))
        .unwrap();
    client
        .batch_execute(&format!("CREATE DATABASE {name}"))
        .unwrap();
    format!("{server} dbname={name}")
}

fn outputs(processes: Vec<Child>) -> Vec<String> {
    processes.into_iter().flat_map(lines).collect()
}

#[test]
#[ignore = "needs a server, in MAILPROOF_POSTGRES"]
fn the_store_keeps_its_promises() {
    let database = database("contract");
    contract::check(&PostgresStore::open(&database).unwrap());
}

#[test]
#[ignore = "needs a server, in MAILPROOF_POSTGRES"]
fn three_processes_add_to_one_day() {
    let database = database("three");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("three");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let folder = folder.to_str().unwrap();
    // Parts of the day that overlap, as where a queue is handed over; and another day.
    let add =
        |first: &str, day: u64| start(PROGRAM, &[&database, "add", first, "200", &day.to_string()]);
    let day_before = DAY - 86_400;
    let names = outputs(vec![
        add("0", DAY),
        add("100", DAY),
        add("200", DAY),
        add("0", day_before),
    ]);
    assert_eq!(names.len(), 800);
    // One is killed where nobody knows how far it came, and its work done again.
    let mut killed = add("400", DAY);
    std::thread::sleep(std::time::Duration::from_millis(100));
    killed.kill().unwrap();
    killed.wait().unwrap();
    outputs(vec![add("400", DAY), add("400", DAY)]);

    let emit = |now: u64| {
        start(
            PROGRAM,
            &[&database, "emit", folder, &now.to_string(), "600", "20"],
        )
    };
    let mut sent = outputs(vec![emit(NIGHT), emit(NIGHT), emit(NIGHT)]);
    sent.sort();
    let written = reports(Path::new(folder));
    // Each was sent by one of the three, and every row of every process is in it once.
    assert_eq!(sent, written.keys().cloned().collect::<Vec<_>>());
    let mut counts: Vec<u64> = written.into_values().collect();
    counts.sort_unstable();
    assert_eq!(counts, [200, 600]);
    assert_eq!(outputs(vec![emit(NIGHT + 9_999)]), [""; 0]);
    let mut late = Command::new(PROGRAM);
    late.args([&database, "add", "900", "1", &DAY.to_string()]);
    let late = String::from_utf8(late.output().unwrap().stderr).unwrap();
    assert!(late.contains("too late"), "{late}");
}
