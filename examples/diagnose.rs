//! Says why a message was treated as it was, who can change that, and how.
//!
//! Reads a message, its header block alone, or a bounce; asks zone text or a saved recording. Without
//! arguments it takes a bounce that comes with it. `--help` lists the options.

use std::fmt::Display;
use std::io::Read as _;
use std::net::IpAddr;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use mailproof::diagnosis::{Bounce, Finding};
use mailproof::dkim::BodyHashes;
use mailproof::dns::{Resolver, Transcript, Zone, block_on};
use mailproof::message::Head;
use mailproof::{Message, Session, Verdict, Verifier};

const HELP: &str = "\
Explains a verdict: findings with their codes, evidence and remedies, the most decisive first.

usage: diagnose [options]

  --message FILE|-    a message as it came over SMTP
  --header FILE|-     the header block of a message whose body is not at hand
  --bounce FILE|-     a bounce: the reply it quotes, and the header of the message
                      without any of these, a bounce is explained that comes with this program
  --ip ADDRESS        the address of the SMTP client
  --helo NAME         the argument of HELO or EHLO
  --mail-from PATH    the argument of MAIL FROM; empty for the null reverse-path
  --zone FILE         the DNS data, as RFC 1035 zone text; names not in it do not exist
  --recording FILE    the DNS data, as saved with --save; what it lacks counts as not answered
  --save FILE         save what was asked of the DNS, to be given to somebody else
  --now UNIX          the time, in seconds since 1970; without it, the system's
  --json              print one JSON object
  --help              print this

exit status: 0 nothing is wrong, 1 something decisive was found, 2 the program could not run
";

fn main() -> ExitCode {
    match Options::from_arguments() {
        Ok(None) => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        Ok(Some(options)) => run(&options).unwrap_or_else(unusable),
        Err(error) => unusable(error),
    }
}

fn unusable(error: impl Display) -> ExitCode {
    eprintln!("diagnose: {error}");
    ExitCode::from(2)
}

fn run(options: &Options) -> Result<ExitCode, String> {
    let resolver = resolver(options)?;
    let octets = read(options)?;
    let verifier = Verifier::new(resolver.as_ref());
    let verifier = verifier.at(options.now.unwrap_or_else(SystemTime::now));
    let (verdict, findings) = match options.kind {
        Kind::Message => {
            let message = Message::parse(&octets);
            let verdict = block_on(verifier.verify(&options.session(Session::unknown()), &message));
            let mut findings = verdict.forensics(&message);
            findings.extend(verdict.diagnosis());
            findings.sort_by_key(Finding::severity);
            (verdict, findings)
        }
        Kind::Header => {
            let (head, _) = Head::parse(&octets);
            let session = options.session(Session::unknown());
            let (lookups, _) = verifier.begin(&session, &head);
            let verdict = verifier.finish(block_on(lookups.run(&resolver)), BodyHashes::unknown());
            let findings = Bounce::default().diagnosis(&verdict);
            (verdict, findings)
        }
        Kind::Bounce => {
            let bounce = Bounce::parse(&octets);
            let (head, _) = Head::parse(bounce.header());
            let session = options.session(bounce.session());
            let (lookups, _) = verifier.begin(&session, &head);
            let verdict = verifier.finish(block_on(lookups.run(&resolver)), BodyHashes::unknown());
            let findings = bounce.diagnosis(&verdict);
            (verdict, findings)
        }
    };
    if let Some(file) = &options.save {
        std::fs::write(file, verdict.transcript().to_string())
            .map_err(|error| format!("{file}: {error}"))?;
    }
    if options.json {
        let json = serde_json::json!({
            "dmarc": verdict.dmarc().result().as_str(),
            "action": verdict.action().to_string(),
            "findings": findings,
        });
        println!("{json:#}");
    } else {
        print_for_people(&verdict, &findings);
    }
    let decisive = findings
        .iter()
        .any(|finding| finding.severity() == mailproof::diagnosis::Severity::Decisive);
    Ok(ExitCode::from(u8::from(decisive)))
}

fn print_for_people(verdict: &Verdict, findings: &[Finding]) {
    let spf = verdict.spf().authoritative();
    println!(
        "spf={} dmarc={} action={}",
        spf.result(),
        verdict.dmarc().result(),
        verdict.action()
    );
    for finding in findings {
        let likely = if finding.is_certain() {
            ""
        } else {
            " (likely)"
        };
        println!("\n{:?}: {}{likely}", finding.severity(), finding.code());
        println!("  {finding}");
        for (who, how) in finding.remedies() {
            println!("  -> {who}: {how}");
        }
        println!("  {}", finding.code().rfc());
    }
}

fn resolver(options: &Options) -> Result<Box<dyn Resolver>, String> {
    let text = |file: &str| std::fs::read(file).map_err(|error| format!("{file}: {error}"));
    if let Some(file) = &options.recording {
        let octets = text(file)?;
        let transcript =
            Transcript::from_text(&octets).map_err(|error| format!("{file}: {error}"))?;
        return Ok(Box::new(transcript.replay()));
    }
    let octets = match &options.zone {
        Some(file) => text(file)?,
        None if options.file.is_none() => shipped::ZONE.to_vec(),
        None => return Err("no DNS data: give --zone FILE or --recording FILE".into()),
    };
    let zone = Zone::from_text(&octets).map_err(|error| error.to_string())?;
    Ok(Box::new(zone))
}

fn read(options: &Options) -> Result<Vec<u8>, String> {
    let octets = match options.file.as_deref() {
        None => return Ok(shipped::bounce()),
        Some("-") => {
            let mut octets = Vec::new();
            std::io::stdin().read_to_end(&mut octets).map(|_| octets)
        }
        Some(file) => std::fs::read(file),
    };
    octets.map_err(|error| error.to_string())
}

#[derive(Clone, Copy)]
enum Kind {
    Bounce,
    Header,
    Message,
}

struct Options {
    kind: Kind,
    file: Option<String>,
    ip: Option<IpAddr>,
    helo: Option<String>,
    mail_from: Option<String>,
    zone: Option<String>,
    recording: Option<String>,
    save: Option<String>,
    now: Option<SystemTime>,
    json: bool,
}

impl Options {
    /// `None` if only help was asked for.
    fn from_arguments() -> Result<Option<Self>, String> {
        use lexopt::Arg::Long;
        let mut options = Self {
            kind: Kind::Bounce,
            file: None,
            ip: None,
            helo: None,
            mail_from: None,
            zone: None,
            recording: None,
            save: None,
            now: None,
            json: false,
        };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next().map_err(|error| error.to_string())? {
            let name = match argument {
                Long(name) => name.to_owned(),
                other => return Err(format!("{} (--help tells more)", other.unexpected())),
            };
            match name.as_str() {
                "help" => return Ok(None),
                "json" => {
                    options.json = true;
                    continue;
                }
                _ => {}
            }
            let value = arguments.value().map_err(|error| error.to_string())?;
            let value = value
                .into_string()
                .map_err(|value| format!("--{name}: {value:?} is not UTF-8"))?;
            options.set(&name, value)?;
        }
        if options.file.is_none() {
            let now = SystemTime::UNIX_EPOCH + shipped::NOW;
            options.now = options.now.or(Some(now));
        }
        Ok(Some(options))
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), String> {
        match name {
            "message" | "header" | "bounce" => {
                self.kind = match name {
                    "message" => Kind::Message,
                    "header" => Kind::Header,
                    _ => Kind::Bounce,
                };
                self.file = Some(value);
            }
            "ip" => {
                let ip = value.parse();
                self.ip = Some(ip.map_err(|_| format!("--ip: {value:?} is not an address"))?);
            }
            "helo" => self.helo = Some(value),
            "mail-from" => self.mail_from = Some(value),
            "zone" => self.zone = Some(value),
            "recording" => self.recording = Some(value),
            "save" => self.save = Some(value),
            "now" => {
                let seconds = value
                    .parse()
                    .map_err(|_| "--now: not a number of seconds")?;
                let now = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
                self.now = Some(now.ok_or("--now: too far in the future")?);
            }
            _ => return Err(format!("unknown option --{name} (--help tells more)")),
        }
        Ok(())
    }

    /// What is given, over what the bounce tells.
    fn session(&self, mut session: Session) -> Session {
        if let Some(ip) = self.ip {
            session = session.with_client_ip(ip);
        }
        if let Some(helo) = &self.helo {
            session = session.with_helo(helo);
        }
        if let Some(mail_from) = &self.mail_from {
            session = session.with_mail_from(mail_from);
        }
        session
    }
}

/// The bounce of a field report: refused with a word about SPF, where DMARC was meant.
mod shipped {
    use std::time::Duration;

    const MESSAGE: &[u8] = include_bytes!("data/forwarded.eml");
    pub const ZONE: &[u8] = include_bytes!("data/forwarded.zone");
    /// 2023-05-16T09:00:00Z
    pub const NOW: Duration = Duration::from_secs(1_684_227_600);

    pub fn bounce() -> Vec<u8> {
        let message = String::from_utf8_lossy(MESSAGE);
        let header = message.split("\r\n\r\n").next().unwrap_or_default();
        format!(
            "550 5.7.23 The message was rejected because of Sender Policy Framework violation -> \
             550 DMARC Sender Invalid - envelope rejected\r\n\r\n\
             Return-Path: <Verteilername+SRS=y1OwP=BF=firma-a.tld=userA@firma-b.tld>\r\n\
             Received: from mail-b.outbound.protection.outlook.com ([104.47.11.20]) by mx.firma-c.tld\r\n\
             {header}\r\n"
        )
        .into_bytes()
    }
}
