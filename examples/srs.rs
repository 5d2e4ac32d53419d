//! Rewrites envelope senders, takes bounces back, and reads what others rewrote.
//!
//! Without arguments it shows a message that is forwarded three times, and its bounce.
//!
//! ```sh
//! cargo run --example srs
//! cargo run --example srs -- --forward alice@example.com --secret s3cret --domain fwd.example
//! cargo run --example srs -- --decode john+SRS=44ldt=IX=fabrikam.com=bob@contoso.com
//! ```

use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mailproof::srs::{self, Claimed, Forwarded, Reversed, Rewriter};

const USAGE: &str = "\
usage: srs                                  a demonstration
       srs --forward ADDRESS --secret S --domain D [--now UNIX]
       srs --reverse ADDRESS --secret S --domain D [--now UNIX]
       srs --decode ADDRESS [--now UNIX]

An ADDRESS of - stands for the lines of standard input. --secret may be repeated: the first signs, all verify. --now is a time in seconds since 1970.
Exit status: 0 if there is an address to use, 1 if there is none, 2 for wrong usage.";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.is_empty() {
        return match demonstrate() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => usage_error(&error),
        };
    }
    if arguments.iter().any(|argument| argument == "--help") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match Options::read(arguments).and_then(|options| options.run()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => usage_error(&error),
    }
}

fn usage_error(error: &str) -> ExitCode {
    eprintln!("srs: {error}\n\n{USAGE}");
    ExitCode::from(2)
}

enum Task {
    Decode,
    Forward,
    Reverse,
}

struct Options {
    task: Task,
    address: String,
    secrets: Vec<String>,
    domain: Option<String>,
    now: SystemTime,
}

impl Options {
    fn read(arguments: Vec<String>) -> Result<Self, String> {
        let mut task = None;
        let mut secrets = Vec::new();
        let mut domain = None;
        let mut now = SystemTime::now();
        let mut arguments = arguments.into_iter();
        while let Some(name) = arguments.next() {
            let kind = match name.as_str() {
                "--decode" => Some(Task::Decode),
                "--forward" => Some(Task::Forward),
                "--reverse" => Some(Task::Reverse),
                "--secret" | "--domain" | "--now" => None,
                other => return Err(format!("unknown argument {other}")),
            };
            let value = arguments.next().ok_or(format!("{name} needs a value"))?;
            match (kind, name.as_str()) {
                (Some(_), _) if task.is_some() => {
                    return Err("one of --forward, --reverse, --decode at a time".into());
                }
                (Some(kind), _) => task = Some((kind, value)),
                (None, "--secret") => secrets.push(value),
                (None, "--domain") => domain = Some(value),
                (None, _) => now = time(&value)?,
            }
        }
        let (task, address) = task.ok_or("one of --forward, --reverse, --decode is needed")?;
        Ok(Self {
            task,
            address,
            secrets,
            domain,
            now,
        })
    }

    /// Whether there is an address to use, for every address asked about.
    fn run(&self) -> Result<bool, String> {
        let rewriter = match self.task {
            Task::Decode => None,
            Task::Forward | Task::Reverse => Some(self.rewriter()?),
        };
        let one = |address: &str| match (&self.task, &rewriter) {
            (Task::Forward, Some(rewriter)) => {
                print_forwarded(&rewriter.forward(address, self.now))
            }
            (Task::Reverse, Some(rewriter)) => print_reversed(&rewriter.reverse(address, self.now)),
            _ => print_claimed(address, self.now),
        };
        if self.address != "-" {
            return Ok(one(&self.address));
        }
        let mut all = true;
        for line in std::io::stdin().lines() {
            all &= one(&line.map_err(|error| error.to_string())?);
        }
        Ok(all)
    }

    fn rewriter(&self) -> Result<Rewriter, String> {
        let domain = self.domain.as_deref().ok_or("--domain is needed")?;
        let (first, older) = self.secrets.split_first().ok_or("--secret is needed")?;
        let mut rewriter = rewriter(domain, first)?;
        for secret in older {
            rewriter = rewriter
                .older_secret(secret)
                .map_err(|error| format!("--secret: {error}"))?;
        }
        Ok(rewriter)
    }
}

fn rewriter(domain: &str, secret: &str) -> Result<Rewriter, String> {
    let domain = domain
        .parse()
        .map_err(|error| format!("--domain {domain}: {error}"))?;
    Rewriter::new(domain, secret).map_err(|error| format!("--secret: {error}"))
}

fn time(text: &str) -> Result<SystemTime, String> {
    let seconds = text
        .parse()
        .map_err(|_| format!("--now {text}: not a number of seconds"))?;
    UNIX_EPOCH
        .checked_add(Duration::from_secs(seconds))
        .ok_or(format!("--now {text}: too far away"))
}

fn print_forwarded(forwarded: &Forwarded) -> bool {
    match forwarded {
        Forwarded::Srs0(address) | Forwarded::Srs1(address) => println!("{address}"),
        Forwarded::Unchanged(reason) => println!("unchanged: {reason:?}"),
        Forwarded::TooLong {
            address,
            length,
            limit,
        } => {
            println!("too long: {length} octets, at most {limit} are allowed: {address}");
            return false;
        }
        Forwarded::Malformed(rule) => {
            println!("cannot be rewritten: {rule}");
            return false;
        }
        other => {
            println!("{other:?}");
            return false;
        }
    }
    true
}

fn print_reversed(reversed: &Reversed) -> bool {
    match reversed {
        Reversed::Valid { address, .. } => {
            println!("{}", address);
            return true;
        }
        Reversed::Stored { key, .. } => println!("stored under {key}"),
        Reversed::Expired(age) => println!("expired: {age} days old"),
        Reversed::ForeignDomain => println!("not at our SRS domain"),
        Reversed::Forged => println!("forged: the hash is by none of the secrets"),
        Reversed::Malformed(rule) => println!("malformed: {rule}"),
        Reversed::NotSrs => println!("not SRS"),
        other => println!("{other:?}"),
    }
    false
}

fn print_claimed(address: &str, now: SystemTime) -> bool {
    let Some(claimed) = srs::Claimed::decode(address) else {
        println!("not rewritten, or in no known form");
        return false;
    };
    println!("{}", describe(&claimed, now));
    true
}

/// One line per fact; none of them is verified.
fn describe(claimed: &Claimed, now: SystemTime) -> String {
    let mut lines = vec![format!("form       {}", claimed.form())];
    let original = claimed.original().map_or("unknown".into(), |original| {
        format!("{original} (claimed, unverified)")
    });
    lines.push(format!("original   {original}"));
    lines.push(format!("forwarder  {}", claimed.forwarder()));
    if let Some(first) = claimed.first_forwarder() {
        lines.push(format!("first      {first}"));
    }
    if let (Some(stamp), Some(age)) = (claimed.stamp(), claimed.age(now)) {
        lines.push(format!("stamp      {stamp}, {age} days ago"));
    }
    lines.join("\n")
}

/// Three forwarders, and the bounce of what they forwarded.
fn demonstrate() -> Result<(), String> {
    let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let chain = [
        rewriter("one.example", "first secret")?,
        rewriter("two.example", "second secret")?,
        rewriter("three.example", "third secret")?,
    ];
    let mut sender = "alice@example.com".to_owned();
    println!("MAIL FROM:<{sender}>");
    for forwarder in &chain {
        match forwarder.forward(&sender, now) {
            Forwarded::Srs0(address) | Forwarded::Srs1(address) => sender = address,
            other => return Err(format!("{sender}: {other:?}")),
        }
        println!("  forwarded as <{sender}>");
    }
    println!("\nThe last hop reads, without any secret:");
    print_claimed(&sender, now);
    println!("\nMAIL FROM:<> RCPT TO:<{sender}>");
    let week = now + Duration::from_secs(7 * 86_400);
    while let Some((address, is_sender)) =
        chain.iter().find_map(|f| match f.reverse(&sender, week) {
            Reversed::Valid {
                address, is_sender, ..
            } => Some((address, is_sender)),
            _ => None,
        })
    {
        sender = address;
        let whose = if is_sender {
            "the sender"
        } else {
            "the first forwarder"
        };
        println!("  goes on to <{sender}> ({whose})");
    }
    println!("\nThe same address with one letter changed, and three weeks too late:");
    let forged = "SRS0=E4us=G3=example.com=mallory@one.example";
    print_reversed(&chain[0].reverse(forged, now));
    if let Forwarded::Srs0(address) = chain[0].forward("alice@example.com", now) {
        let late = now + Duration::from_secs(22 * 86_400);
        print_reversed(&chain[0].reverse(address, late));
    }
    Ok(())
}
