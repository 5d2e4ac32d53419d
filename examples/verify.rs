//! Verifies one message and says why: SPF, DKIM, ARC, DMARC, what to do, and what to tell the sender.
//!
//! Without arguments it takes a message that comes with it. `--help` lists the options.

use std::fmt::Display;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use mailproof::auth_results::AuthservId;
use mailproof::dmarc::DmarcResult;
use mailproof::dns::{HickoryResolver, Resolver, Transcript, Zone};
use mailproof::identifier::Method;
use mailproof::verdict::RejectRule;
use mailproof::verifier::Settings;
use mailproof::{Message, Session, Verdict, Verifier};
use serde_json::{Value, json};

const HELP: &str = "\
Verifies a message: SPF, DKIM, ARC, DMARC, and what to do with it.

usage: verify [options]

  --message FILE|-    the message as it came over SMTP; without it, one is verified that comes with
                      this program, in its own session, with its own DNS data and clock
  --ip ADDRESS        the address of the SMTP client
  --helo NAME         the argument of HELO or EHLO
  --mail-from PATH    the argument of MAIL FROM; empty for the null reverse-path
  --zone FILE         the DNS data, as RFC 1035 zone text; names not in it do not exist
  --dns system|IP[:PORT]
                      ask the system's name servers, or this one
  --replay FILE       answer as was recorded; questions not in the recording fail
  --record FILE       write what the DNS was asked and answered to FILE, for a ticket or --replay
  --now UNIX          the time, in seconds since 1970; without it, the system's
  --authserv-id NAME  the name for Authentication-Results (localhost)
  --enforce-reject    reject where the author domain asks to, even if a forwarder was involved
  --json              print one JSON object
  --help              print this

exit status: 0 DMARC pass or none, 1 fail or permerror, 75 temperror, 2 the program could not run
";

/// As the standard one, which panics where the output cannot be written: a closed pipe, a full disk.
macro_rules! println {
    ($($arguments:tt)*) => {
        if let Err(error) = writeln!(std::io::stdout(), $($arguments)*) {
            let _ = unusable(format!("standard output: {error}"));
            std::process::exit(2);
        }
    };
}

fn main() -> ExitCode {
    let options = match Options::from_arguments() {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{}", HELP.trim_end());
            return ExitCode::SUCCESS;
        }
        Err(error) => return unusable(error),
    };
    match run(&options) {
        Ok(status) => status,
        Err(error) => unusable(error),
    }
}

fn unusable(error: impl Display) -> ExitCode {
    // One line, whatever names and data it quotes; and nothing if nobody can read it.
    let line = error.to_string().replace(char::is_control, " ");
    let _ = writeln!(std::io::stderr(), "verify: {line}");
    ExitCode::from(2)
}

fn run(options: &Options) -> Result<ExitCode, String> {
    let octets = read_message(options.message.as_deref())?;
    let resolver = options.resolver()?;
    let authserv_id: AuthservId = options
        .authserv_id
        .parse()
        .map_err(|error| format!("--authserv-id: {error}"))?;
    let mut settings = Settings::default();
    if options.enforce_reject {
        settings.policy.reject_rule = RejectRule::Enforce;
    }
    let verifier = Verifier::with_settings(resolver, settings);
    let now = options.now.unwrap_or_else(SystemTime::now);
    let message = Message::parse(&octets);
    // Only real name servers need the runtime; the library itself never does.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let verdict = runtime.map_err(|error| error.to_string())?.block_on(async {
        let deadline = tokio::time::sleep(PATIENCE);
        verifier
            .at(now)
            .verify_until(&options.session(), &message, deadline)
            .await
    });
    if let Some(file) = &options.record {
        let text = verdict.transcript().to_string();
        std::fs::write(file, text).map_err(|error| format!("{file}: {error}"))?;
    }
    if options.json {
        println!("{:#}", as_json(&verdict, &authserv_id));
    } else {
        print_for_people(&verdict, &authserv_id);
    }
    Ok(match verdict.dmarc().result() {
        DmarcResult::Pass | DmarcResult::None => ExitCode::SUCCESS,
        DmarcResult::Fail | DmarcResult::Permerror => ExitCode::FAILURE,
        DmarcResult::Temperror => ExitCode::from(75),
    })
}

fn read_message(file: Option<&str>) -> Result<Vec<u8>, String> {
    let octets = match file {
        None => return Ok(shipped::MESSAGE.to_vec()),
        Some("-") => {
            let mut octets = Vec::new();
            std::io::stdin().read_to_end(&mut octets).map(|_| octets)
        }
        Some(file) => std::fs::read(file),
    };
    let octets = octets.map_err(|error| format!("{}: {error}", file.unwrap_or("-")))?;
    // A message in transit ends its lines with CRLF; a file without a single one was converted
    // when it was saved, and no signature can hold unless that is undone.
    if octets.windows(2).any(|pair| pair == b"\r\n") || !octets.contains(&b'\n') {
        return Ok(octets);
    }
    eprintln!("verify: the message has LF line ends only; read as if they were CRLF");
    Ok(octets
        .split_inclusive(|octet| *octet == b'\n')
        .flat_map(crlf)
        .collect())
}

fn crlf(line: &[u8]) -> Vec<u8> {
    match line.strip_suffix(b"\n") {
        Some(text) => [text, b"\r\n"].concat(),
        None => line.to_vec(),
    }
}

fn print_for_people(verdict: &Verdict, authserv_id: &AuthservId) {
    let section = |name: &str| println!("\n{name}");
    let session = verdict.session();
    let known = |octets: Option<&[u8]>| match octets {
        Some(octets) => octets.escape_ascii().to_string(),
        None => "(unknown)".into(),
    };
    println!(
        "client     {}",
        session
            .client_ip()
            .map_or("(unknown)".into(), |ip| ip.to_string())
    );
    println!("HELO       {}", known(session.helo()));
    println!("MAIL FROM  <{}>", known(session.mail_from()));
    let author = verdict
        .author()
        .domains()
        .iter()
        .map(|domain| domain.as_str());
    println!("From       {}", list_or(author, "no usable author domain"));

    section("SPF");
    for evaluation in [verdict.spf().mail_from(), verdict.spf().helo()]
        .into_iter()
        .flatten()
    {
        let domain = evaluation.domain().map_or("-", |domain| domain.as_str());
        println!(
            "  {:<10} {domain} ({})",
            evaluation.result().as_str(),
            evaluation.identity()
        );
        println!("             {}", evaluation.cause());
    }
    section("DKIM");
    if verdict.dkim().is_empty() {
        println!("  none       the message is not signed");
    }
    for signature in verdict.dkim() {
        let domain = signature.domain().map_or("-", |domain| domain.as_str());
        println!("  {:<10} {domain}", signature.result().as_str());
        println!("             {}", signature.cause());
    }
    section("ARC");
    let arc = verdict.arc();
    println!("  {:<10} {}", arc.result().as_str(), arc.cause());
    let dmarc = verdict.dmarc();
    section("DMARC");
    println!("  {:<10} {}", dmarc.result().as_str(), dmarc.cause());
    println!("  requested  {}", dmarc.disposition());
    section("Alignment with the author domain");
    if dmarc.identifiers().is_empty() {
        println!("  nothing is authenticated that could align");
    }
    for alignment in dmarc.identifiers() {
        let outcome = match alignment.why_not() {
            None => "aligned".into(),
            Some(why_not) => format!("no: {why_not}"),
        };
        println!(
            "  {:<10} {}, {outcome}",
            alignment.method().to_string(),
            alignment.domain()
        );
    }
    section("Action");
    println!(
        "  {:<10} {}",
        verdict.action().to_string(),
        verdict.reason()
    );
    section("Why");
    for finding in verdict.diagnosis() {
        println!("  {}: {}", finding.severity(), finding.sentence());
    }
    section("SMTP reply");
    match verdict.smtp_reply() {
        Some(reply) => println!("  {reply}"),
        None => println!("  none needed: the message is accepted"),
    }
    section("Asked of the DNS");
    for question in verdict.questions() {
        println!("  {question}");
    }
    println!(
        "\n{}",
        verdict
            .authentication_results(authserv_id)
            .to_field()
            .replace("\r\n", "\n")
    );
}

fn list_or<'a>(items: impl Iterator<Item = &'a str>, otherwise: &str) -> String {
    let items: Vec<&str> = items.collect();
    if items.is_empty() {
        otherwise.into()
    } else {
        items.join(", ")
    }
}

/// The keys and the form of their values stay as they are; others may join them.
fn as_json(verdict: &Verdict, authserv_id: &AuthservId) -> Value {
    let spf = verdict.spf().authoritative();
    let dmarc = verdict.dmarc();
    let dkim = verdict.dkim().iter().map(|signature| {
        json!({
            "result": signature.result().as_str(),
            "domain": signature.domain().map(|domain| domain.as_str()),
            "selector": signature.selector(),
            "reason": signature.cause().to_string(),
        })
    });
    let sets = verdict.arc().sets().iter().map(|set| {
        json!({
            "instance": set.instance(),
            "domain": set.domain().map(|domain| domain.as_str()),
            "selector": set.selector(),
        })
    });
    let findings = verdict.diagnosis().into_iter().map(|finding| {
        json!({
            "code": finding.code().as_str(),
            "severity": finding.severity().to_string(),
            "sentence": finding.sentence(),
        })
    });
    let dns = verdict.questions().map(|question| {
        json!({
            "name": question.name.as_str(),
            "type": question.record_type.to_string(),
            "answer": question.answer.to_string(),
        })
    });
    json!({
        "spf": {
            "result": spf.result().as_str(),
            "domain": spf.domain().map(|domain| domain.as_str()),
            "identity": spf.identity().to_string(),
        },
        "dkim": dkim.collect::<Vec<_>>(),
        "arc": {
            "result": verdict.arc().result().as_str(),
            "reason": verdict.arc().cause().to_string(),
            "oldest_pass": verdict.arc().oldest_pass(),
            "sets": sets.collect::<Vec<_>>(),
        },
        "dmarc": {
            "result": dmarc.result().as_str(),
            "author_domain": dmarc.author_domain().map(|domain| domain.as_str()),
            "disposition": dmarc.disposition().to_string(),
            "aligned": {
                "spf": dmarc.is_aligned(Method::Spf),
                "dkim": dmarc.is_aligned(Method::Dkim),
            },
        },
        "action": verdict.action().to_string(),
        "smtp_reply": verdict.smtp_reply().map(|reply| reply.to_string()),
        "authentication_results": verdict.authentication_results(authserv_id).to_field(),
        "dns": dns.collect::<Vec<_>>(),
        "findings": findings.collect::<Vec<_>>(),
    })
}

struct Options {
    message: Option<String>,
    ip: Option<IpAddr>,
    helo: Option<String>,
    mail_from: Option<String>,
    dns: Option<Dns>,
    record: Option<String>,
    now: Option<SystemTime>,
    authserv_id: String,
    enforce_reject: bool,
    json: bool,
}

impl Options {
    /// `None` if only help was asked for.
    fn from_arguments() -> Result<Option<Self>, String> {
        use lexopt::Arg::Long;
        let mut options = Self {
            message: None,
            ip: None,
            helo: None,
            mail_from: None,
            dns: None,
            record: None,
            now: None,
            authserv_id: "localhost".into(),
            enforce_reject: false,
            json: false,
        };
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next().map_err(|error| error.to_string())? {
            let name = match argument {
                Long(name) => name.to_owned(),
                other => return Err(format!("{} (--help tells more)", other.unexpected())),
            };
            let mut text = || {
                let value = arguments.value().map_err(|error| error.to_string())?;
                value
                    .into_string()
                    .map_err(|value| format!("--{name}: {value:?} is not UTF-8"))
            };
            match name.as_str() {
                "help" => return Ok(None),
                "message" => options.message = Some(text()?),
                "ip" => options.ip = Some(parse(&name, &text()?, "an IP address")?),
                "helo" => options.helo = Some(text()?),
                "mail-from" => options.mail_from = Some(text()?),
                "zone" => options.set_dns(Dns::Zone(text()?))?,
                "dns" => options.set_dns(Dns::parse(&text()?)?)?,
                "replay" => options.set_dns(Dns::Replay(text()?))?,
                "record" => options.record = Some(text()?),
                "now" => {
                    let seconds =
                        Duration::from_secs(parse(&name, &text()?, "a number of seconds")?);
                    let now = SystemTime::UNIX_EPOCH.checked_add(seconds);
                    options.now = Some(now.ok_or("--now: too far in the future")?);
                }
                "authserv-id" => options.authserv_id = text()?,
                "enforce-reject" => options.enforce_reject = true,
                "json" => options.json = true,
                _ => return Err(format!("unknown option --{name} (--help tells more)")),
            }
        }
        if options.message.is_none() {
            options.ip = options.ip.or(Some(shipped::CLIENT));
            options.helo = options.helo.or(Some(shipped::HELO.into()));
            options.mail_from = options.mail_from.or(Some(shipped::MAIL_FROM.into()));
            options.now = options.now.or(Some(SystemTime::UNIX_EPOCH + shipped::NOW));
        }
        Ok(Some(options))
    }

    fn set_dns(&mut self, dns: Dns) -> Result<(), String> {
        match self.dns.replace(dns) {
            None => Ok(()),
            Some(_) => Err("--zone, --dns and --replay exclude each other".into()),
        }
    }

    fn resolver(&self) -> Result<Box<dyn Resolver>, String> {
        match &self.dns {
            None if self.message.is_some() => {
                Err("no DNS data: give --dns system, --zone FILE or --replay FILE".into())
            }
            None => boxed("the shipped zone", Zone::from_text(shipped::ZONE)),
            Some(Dns::Zone(file)) => boxed(file, Zone::from_text(read(file)?)),
            Some(Dns::Replay(file)) => {
                let transcript = Transcript::from_text(read(file)?);
                boxed(file, transcript.map(|transcript| transcript.replay()))
            }
            Some(Dns::System) => boxed("--dns", HickoryResolver::from_system()),
            Some(Dns::Server(address)) => boxed("--dns", HickoryResolver::new([*address])),
        }
    }

    fn session(&self) -> Session {
        let mut session = Session::unknown();
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

/// Where DNS data come from.
enum Dns {
    Replay(String),
    Server(SocketAddr),
    System,
    Zone(String),
}

impl Dns {
    fn parse(text: &str) -> Result<Self, String> {
        if text == "system" {
            return Ok(Self::System);
        }
        let with_port = text.parse().ok();
        let address = with_port.or_else(|| Some(SocketAddr::new(text.parse().ok()?, 53)));
        let error = || format!("--dns: {text:?} is neither \"system\" nor an IP address");
        address.map(Self::Server).ok_or_else(error)
    }
}

fn read(file: &str) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("{file}: {error}"))
}

fn boxed<R, E>(source: &str, resolver: Result<R, E>) -> Result<Box<dyn Resolver>, String>
where
    R: Resolver + 'static,
    E: Display,
{
    match resolver {
        Ok(resolver) => Ok(Box::new(resolver)),
        Err(error) => Err(format!("{source}: {error}")),
    }
}

fn parse<T: std::str::FromStr>(name: &str, text: &str, what: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("--{name}: {text:?} is not {what}"))
}

/// How long the DNS may take in all; RFC 7208 4.6.4 asks for at least 20 seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// A message through a list forwarder: SPF passes, DKIM passes, and DMARC fails all the same.
mod shipped {
    use std::net::{IpAddr, Ipv4Addr};
    use std::time::Duration;

    pub const MESSAGE: &[u8] = include_bytes!("data/forwarded.eml");
    pub const ZONE: &[u8] = include_bytes!("data/forwarded.zone");
    pub const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(104, 47, 11, 20));
    pub const HELO: &str = "mail-b.outbound.protection.outlook.com";
    pub const MAIL_FROM: &str = "Verteilername+SRS=y1OwP=BF=firma-a.tld=userA@firma-b.tld";
    /// 2023-05-16T09:00:00Z
    pub const NOW: Duration = Duration::from_secs(1_684_227_600);
}
