//! What both examples do with their store: adding what a server received, and sending what is due.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::dns::{Zone, block_on};
use mailproof::report::aggregate::{Reporter, Row};
use mailproof::report::{Store, StoreError};
use mailproof::{Address, Message, Session, Verifier};

const HELP: &str = "\
Keeps the rows of aggregate reports in a database, and writes the reports.

usage: PROGRAM DATABASE add FIRST COUNT NOW [PAUSE]
       PROGRAM DATABASE emit FOLDER NOW LEASE [PAUSE]

  add   checks a message that comes with this program as if it was received at NOW, and adds its
        row COUNT times, under the names queue-FIRST and following; prints each name when the
        database has it
  emit  claims each report that is due at NOW for LEASE seconds, puts its mail into FOLDER and marks
        it as sent; prints the names of the files

NOW is in seconds since 1970. PAUSE is a number of milliseconds to wait between all steps, so that
there is something to interrupt.
";

/// Runs the program with the store that `open` makes of the first argument.
pub fn run<S: Store>(open: impl Fn(&str) -> Result<S, StoreError>) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [database, "add", rest @ ..] if matches!(rest.len(), 3 | 4) => open(database)
            .map_err(Into::into)
            .and_then(|store| add(&store, rest)),
        [database, "emit", rest @ ..] if matches!(rest.len(), 3 | 4) => open(database)
            .map_err(Into::into)
            .and_then(|store| emit(&store, rest)),
        _ => {
            print!("{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// What a server does with each message: the name of the message in its queue makes sure that it is
/// counted once, however often it is tried.
fn add(store: &dyn Store, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let number = |at: usize| arguments.get(at).map_or(Ok(0), |text| text.parse::<u64>());
    let (first, count, received) = (number(0)?, number(1)?, at(number(2)?));
    let pause = Duration::from_millis(number(3)?);
    let verifier = Verifier::new(Zone::from_text(ZONE)?);
    let session = Session::new(CLIENT.into(), HELO, MAIL_FROM);
    let verdict = block_on(
        verifier
            .at(received)
            .verify(&session, &Message::parse(MESSAGE)),
    );
    let (key, row) = Row::observe(&verdict, received).ok_or("there is nothing to report")?;
    for number in first..first.saturating_add(count) {
        let name = format!("queue-{number}");
        store.add(&key, &name, &row)?;
        println!("{name}");
        thread::sleep(pause);
    }
    Ok(())
}

/// What one of its processes does some minutes after midnight. The mail is put where the queue finds
/// it before the report is marked: the other order would lose it if the process died in between.
fn emit(store: &dyn Store, arguments: &[&str]) -> Result<(), Box<dyn Error>> {
    let [folder, rest @ ..] = arguments else {
        return Err("no folder".into());
    };
    let number = |at: usize| rest.get(at).map_or(Ok(0), |text| text.parse::<u64>());
    let (now, lease) = (at(number(0)?), Duration::from_secs(number(1)?));
    let pause = Duration::from_millis(number(2)?);
    let email = Address::parse(b"noreply-dmarc@firma-c.tld")?;
    let reporter = Reporter::new("firma-c", email, "firma-c.tld".parse()?);
    while let Some(claim) = store.claim(now, lease)? {
        let key = claim.key();
        let rows = match store.summed(&claim) {
            Ok(rows) => rows,
            // Another process was quicker than this one after the end of its lease.
            Err(StoreError::Lost) => continue,
            Err(error) => return Err(error.into()),
        };
        thread::sleep(pause);
        // A server asks `ReportUri::authorize` about each destination before.
        let destinations = key.destinations();
        let to: Vec<Address> = destinations
            .iter()
            .filter_map(|uri| uri.address())
            .collect();
        let Ok(mail) = reporter.mail(key, rows, &to, now) else {
            // Nobody takes it by mail. Left as it is, it would come first again and again, and keep the
            // reports of all others waiting.
            store.mark_sent(&claim, now)?;
            continue;
        };
        // Whoever reads the folder sees the whole file or none.
        let name = format!("{}.eml", reporter.file_name(key));
        let unfinished = Path::new(folder).join(format!("{name}.{}", std::process::id()));
        let mut file = std::fs::File::create(&unfinished)?;
        file.write_all(&mail)?;
        file.sync_all()?;
        std::fs::rename(&unfinished, Path::new(folder).join(&name))?;
        thread::sleep(pause);
        // Where this is false, another process sent the same report meanwhile.
        if store.mark_sent(&claim, now)? {
            println!("{name}");
        }
    }
    Ok(())
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

const MESSAGE: &[u8] = include_bytes!("../data/forwarded.eml");
const ZONE: &[u8] = include_bytes!("../data/forwarded.zone");
const CLIENT: [u8; 4] = [104, 47, 11, 20];
const HELO: &str = "mail-b.outbound.protection.outlook.com";
const MAIL_FROM: &str = "Verteilername+SRS=y1OwP=BF=firma-a.tld=userA@firma-b.tld";

#[cfg(test)]
mod tests {
    use super::*;
    use mailproof::report::MemoryStore;

    /// Any message can name a domain that wants its reports by other means than mail.
    #[test]
    fn a_report_that_cannot_be_mailed_keeps_none_waiting() {
        let store = MemoryStore::new(10);
        let now = at(1_684_227_600);
        for (domain, uri) in [
            ("a.example", "https://a.example/"),
            ("b.example", "mailto:d@b.example"),
        ] {
            let mut zone = Zone::new();
            let record = format!("v=DMARC1; p=none; rua={uri}");
            zone.add_txt(&format!("_dmarc.{domain}"), record).unwrap();
            let session = Session::new(CLIENT.into(), HELO, MAIL_FROM);
            let message = format!("From: x@{domain}\r\n\r\n");
            let message = Message::parse(message.as_bytes());
            let verdict = block_on(Verifier::new(zone).at(now).verify(&session, &message));
            let (key, row) = Row::observe(&verdict, now).unwrap();
            store.add(&key, "one", &row).unwrap();
        }
        let folder = std::env::temp_dir().join(format!("report-store-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let night = "1684282200";
        emit(&store, &[folder.to_str().unwrap(), night, "60"]).unwrap();
        let names = std::fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name());
        let names: Vec<String> = names
            .map(|name| name.to_string_lossy().into_owned())
            .collect();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(
            names.len() == 1 && names[0].contains("b.example"),
            "{names:?}"
        );
    }
}
