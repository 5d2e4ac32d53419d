//! Nothing is lost and nothing counted twice, whenever the process is killed.

#[path = "../../../tests/report_store/contract.rs"]
#[allow(dead_code)]
mod contract;
#[path = "../../report-store/support.rs"]
mod support;

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use report_sqlite::SqliteStore;
use support::{DAY, NIGHT, lines, reports, start};

const PROGRAM: &str = env!("CARGO_BIN_EXE_report-sqlite");

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn the_store_keeps_its_promises() {
    contract::check(&SqliteStore::open(folder("contract").join("store")).unwrap());
}

/// `kill -9`, and no word to the program about it.
fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Reads what the program says it stored, and kills it after so many names. The last of them.
fn interrupt(mut child: Child, after: u64) -> u64 {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut last = 0;
    for (line, _) in lines.zip(0..after) {
        let line = line.unwrap();
        last = line.strip_prefix("queue-").unwrap().parse().unwrap();
    }
    kill(child);
    last
}

#[test]
fn killed_in_the_middle_of_a_day() {
    const COUNT: u64 = 300;
    let folder = folder("day");
    let database = folder.join("store");
    let database = database.to_str().unwrap();
    let day = DAY.to_string();
    let (mut begin, mut kills) = (0, 0_u64);
    while begin + 1 < COUNT {
        let (first, rest) = (begin.to_string(), (COUNT - begin).to_string());
        let child = start(PROGRAM, &[database, "add", &first, &rest, &day]);
        // Killed while it is busy with a row that it did not yet tell of. The server then tries all
        // again that it has no word of, and the last that it has.
        begin = interrupt(child, 2 + kills * 7 % 23);
        kills += 1;
    }
    assert!(kills > 10, "{kills} kills");
    let out = lines(start(
        PROGRAM,
        &[
            database,
            "emit",
            folder.to_str().unwrap(),
            &NIGHT.to_string(),
            "60",
        ],
    ));
    assert_eq!(out.len(), 1);
    assert_eq!(reports(&folder), [(out[0].clone(), COUNT)].into());
}

/// The same by the clock, so that the kill comes at any point of a transaction.
#[test]
fn killed_at_any_time() {
    const COUNT: u64 = 2_000;
    let folder = folder("any-time");
    let database = folder.join("store");
    let database = database.to_str().unwrap();
    let (day, count) = (DAY.to_string(), COUNT.to_string());
    for round in 0..30 {
        let child = start(PROGRAM, &[database, "add", "0", &count, &day]);
        thread::sleep(Duration::from_micros(5_000 + round * 1_700));
        kill(child);
    }
    let stored: u64 = count_of(database, "SELECT count(*) FROM row");
    assert!((1..COUNT).contains(&stored), "{stored} rows");
    lines(start(PROGRAM, &[database, "add", "0", &count, &day]));
    let out = lines(start(
        PROGRAM,
        &[
            database,
            "emit",
            folder.to_str().unwrap(),
            &NIGHT.to_string(),
            "60",
        ],
    ));
    assert_eq!(reports(&folder), [(out[0].clone(), COUNT)].into());
}

/// Killed between the claim and the mail, and between the mail and the mark.
#[test]
fn killed_while_it_reports() {
    let folder = folder("night");
    let database = folder.join("store");
    let database = database.to_str().unwrap();
    let target = folder.to_str().unwrap();
    lines(start(
        PROGRAM,
        &[database, "add", "0", "20", &DAY.to_string()],
    ));
    let emit = |now: u64, pause: &str| {
        start(
            PROGRAM,
            &[database, "emit", target, &now.to_string(), "60", pause],
        )
    };

    let child = emit(NIGHT, "60000");
    claimed(database);
    kill(child);
    assert!(reports(&folder).is_empty());
    // The lease still runs; then it does not.
    assert_eq!(lines(emit(NIGHT + 59, "0")), [""; 0]);
    let child = emit(NIGHT + 60, "500");
    let begun = Instant::now();
    while reports(&folder).is_empty() {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "no report is written"
        );
        thread::sleep(Duration::from_millis(5));
    }
    kill(child);
    let written = reports(&folder);
    assert_eq!(written.values().collect::<Vec<_>>(), [&20]);
    // It is sent again, as the same report with the same rows, and then never again.
    let out = lines(emit(NIGHT + 120, "0"));
    assert_eq!(out, written.keys().cloned().collect::<Vec<_>>());
    assert_eq!(reports(&folder), written);
    assert_eq!(lines(emit(NIGHT + 9_999, "0")), [""; 0]);
}

/// Waits until a report is claimed.
fn claimed(database: &str) {
    let begun = Instant::now();
    let connection = rusqlite::Connection::open(database).unwrap();
    let claimed = || -> i64 {
        let claimed = "SELECT count(*) FROM report WHERE token > 0";
        connection
            .query_row(claimed, [], |found| found.get(0))
            .unwrap()
    };
    while claimed() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "nobody claims");
        thread::sleep(Duration::from_millis(5));
    }
}

fn count_of(database: &str, query: &str) -> u64 {
    let connection = rusqlite::Connection::open(database).unwrap();
    let count: i64 = connection
        .query_row(query, [], |found| found.get(0))
        .unwrap();
    count.try_into().unwrap()
}
