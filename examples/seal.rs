//! Seals one message with ARC, as a forwarder or mailing list does when it sends mail on.
//!
//! Reads a message from the standard input, validates the chain it has, and writes it with one more
//! set. `--help` lists the options.

use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use mailproof::arc::{self, Payload, Sealer};
use mailproof::auth_results::{AuthenticationResults, AuthservId};
use mailproof::crypto::SigningKey;
use mailproof::dns::{Zone, block_on};
use mailproof::message::Head;
use mailproof::{Domain, Message, dkim};

const HELP: &str = "\
Reads a message from the standard input and writes it with one more ARC set.

usage: seal --key FILE --domain NAME --selector NAME --authserv-id NAME [options] < message

  --key FILE          the private key, PEM
  --domain NAME       the sealing domain (d=)
  --selector NAME     the selector (s=)
  --authserv-id NAME  whose Authentication-Results fields are sealed; without any, the result of the
                      chain alone is
  --zone FILE         the DNS data for the keys of earlier sealers, as RFC 1035 zone text
  --now UNIX          the time, in seconds since 1970; without it, the system's
  --help              print this
";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("seal: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let Some(options) = Options::from_arguments()? else {
        print!("{HELP}");
        return Ok(());
    };
    let sealer = Sealer::new(options.key, options.domain, &options.selector)?;
    let mut octets = Vec::new();
    std::io::stdin().read_to_end(&mut octets)?;
    let message = Message::parse(&octets);

    let settings = arc::Settings::default();
    let collected = arc::Collected::read(message.head(), options.now, &settings);
    let keys = block_on(dkim::Keys::fetch(&options.zone, &collected.key_names()));
    let mut hasher = collected.body_hasher();
    hasher.update(message.body());
    let chain = collected.validate(&keys, &hasher.finish(), &settings);
    eprintln!("seal: {chain}");

    let payload = payload(message.head(), options.authserv_id, &chain);
    let sealed = sealer.seal(&message, &payload, &chain, options.now)?;
    let mut out = std::io::stdout().lock();
    out.write_all(sealed.header().as_bytes())?;
    out.write_all(&octets)?;
    Ok(())
}

/// What was found on arrival stands in our own Authentication-Results fields. A server that has just
/// verified the message takes `Verdict::authentication_results` instead.
fn payload(head: &Head<'_>, authserv_id: AuthservId, chain: &arc::Validation) -> Payload {
    if head.named(b"Authentication-Results").next().is_some() {
        return Payload::combined(head, &authserv_id);
    }
    let mut results = AuthenticationResults::new(authserv_id);
    results.results.push(chain.to_method_result(None));
    Payload::new(&results)
}

struct Options {
    key: SigningKey,
    domain: Domain,
    selector: String,
    authserv_id: AuthservId,
    zone: Zone,
    now: SystemTime,
}

impl Options {
    /// `None` if only help was asked for.
    fn from_arguments() -> Result<Option<Self>, Box<dyn std::error::Error>> {
        use lexopt::Arg::Long;
        let (mut key, mut domain, mut selector, mut authserv_id) = (None, None, None, None);
        let mut zone = Zone::new();
        let mut now = SystemTime::now();
        let mut arguments = lexopt::Parser::from_env();
        while let Some(argument) = arguments.next()? {
            let name = match argument {
                Long(name) => name.to_owned(),
                other => return Err(other.unexpected().into()),
            };
            if name == "help" {
                return Ok(None);
            }
            let value = arguments.value()?.to_string_lossy().into_owned();
            match name.as_str() {
                "key" => key = Some(SigningKey::from_pem(std::fs::read(value)?)?),
                "domain" => domain = Some(value.parse()?),
                "selector" => selector = Some(value),
                "authserv-id" => authserv_id = Some(value.parse()?),
                "zone" => zone = Zone::from_text(&std::fs::read(value)?)?,
                "now" => now = SystemTime::UNIX_EPOCH + Duration::from_secs(value.parse()?),
                _ => return Err(format!("unknown option --{name} (--help tells more)").into()),
            }
        }
        Ok(Some(Self {
            key: key.ok_or("--key is missing (--help tells more)")?,
            domain: domain.ok_or("--domain is missing")?,
            selector: selector.ok_or("--selector is missing")?,
            authserv_id: authserv_id.ok_or("--authserv-id is missing")?,
            zone,
            now,
        }))
    }
}
