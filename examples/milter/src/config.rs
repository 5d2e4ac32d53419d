//! The configuration file.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use mailproof::arc::Sealer;
use mailproof::auth_results::{AuthservId, Border};
use mailproof::crypto::SigningKey;
use mailproof::dkim::Signer;
use mailproof::spf::Prefix;
use mailproof::verdict::RejectRule;
use mailproof::{Domain, verifier};
use serde::Deserialize;

/// The file as it is written; `milter.toml` beside `Cargo.toml` explains each line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `address:port`, or `unix:` and a path.
    pub listen: String,
    /// The name in our Authentication-Results fields.
    pub authserv_id: String,
    #[serde(default)]
    pub mode: Mode,
    #[serde(default)]
    pub quarantine: Quarantine,
    #[serde(default)]
    pub reject_rule: Rule,
    #[serde(default)]
    pub enforce_spf_fail: bool,
    /// Clients whose mail is our own.
    #[serde(default = "own_host")]
    pub internal: Vec<String>,
    #[serde(default)]
    pub trusted_sealers: Vec<String>,
    #[serde(default = "max_connections")]
    pub max_connections: usize,
    /// How long a stop waits for messages under way.
    #[serde(default = "stop_seconds")]
    pub stop_seconds: u64,
    #[serde(default)]
    pub dns: Dns,
    #[serde(default)]
    pub sign: Vec<Key>,
    pub seal: Option<Seal>,
}

/// Whether the milter acts or only looks on.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    #[default]
    Enforce,
    /// Adds the field and writes the log, but accepts everything.
    Observe,
}

/// What becomes of suspicious mail.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Quarantine {
    /// The mail server keeps it, as in Postfix's hold queue.
    #[default]
    Hold,
    /// It is delivered; whoever sorts the mail reads `dmarc=fail` in our field.
    Mark,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    #[default]
    Corroborated,
    Enforce,
    Never,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dns {
    /// Empty: those of the system.
    pub servers: Vec<SocketAddr>,
    /// For all look-ups of one message.
    pub seconds: u64,
    /// For one question to one server.
    pub question_seconds: u64,
}

impl Default for Dns {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            // RFC 7208 4.6.4: at least 20 seconds.
            seconds: 20,
            question_seconds: 5,
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    pub domain: String,
    pub selector: String,
    pub key_file: PathBuf,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    pub domain: String,
    pub selector: String,
    pub key_file: PathBuf,
    /// Whose mail is sent on: addresses, or domains with all their addresses.
    pub recipients: Vec<String>,
}

fn own_host() -> Vec<String> {
    ["127.0.0.0/8", "::1"].map(str::to_owned).into()
}

fn max_connections() -> usize {
    500
}

fn stop_seconds() -> u64 {
    30
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{setting}: {reason}")]
pub struct ConfigError {
    setting: &'static str,
    reason: String,
}

fn wrong<E: ToString>(setting: &'static str) -> impl Fn(E) -> ConfigError {
    move |reason| ConfigError {
        setting,
        reason: reason.to_string(),
    }
}

/// The configuration with everything read that can be wrong in it.
#[derive(Debug)]
pub struct Settings {
    pub authserv_id: AuthservId,
    pub border: Border,
    pub mode: Mode,
    pub quarantine: Quarantine,
    pub internal: Vec<Prefix>,
    pub signers: Vec<(Domain, Signer)>,
    pub seal: Option<(Sealer, HashSet<String>)>,
    pub verifier: verifier::Settings,
    pub dns_time: Duration,
}

impl Config {
    /// Reads the text of a configuration file.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        toml::from_str(text).map_err(wrong("configuration"))
    }

    /// Reads keys, names and addresses.
    pub fn settings(&self) -> Result<Settings, ConfigError> {
        let authserv_id: AuthservId = self.authserv_id.parse().map_err(wrong("authserv_id"))?;
        let mut verifier = verifier::Settings::default();
        verifier.policy.reject_rule = match self.reject_rule {
            Rule::Corroborated => RejectRule::Corroborated,
            Rule::Enforce => RejectRule::Enforce,
            Rule::Never => RejectRule::Never,
        };
        verifier.policy.enforce_spf_fail = self.enforce_spf_fail;
        for name in &self.trusted_sealers {
            let sealer = name.parse().map_err(wrong("trusted_sealers"))?;
            verifier.policy.trusted_sealers.push(sealer);
        }
        let mut signers = Vec::new();
        for key in &self.sign {
            let domain: Domain = key.domain.parse().map_err(wrong("sign.domain"))?;
            let signing_key = read_key(&key.key_file, "sign.key_file")?;
            let signer = Signer::new(signing_key, domain.clone(), &key.selector);
            signers.push((domain, signer.map_err(wrong("sign"))?));
        }
        let seal = self.seal.as_ref().map(Seal::read).transpose()?;
        Ok(Settings {
            border: Border::new(authserv_id.clone()),
            authserv_id,
            mode: self.mode,
            quarantine: self.quarantine,
            internal: self
                .internal
                .iter()
                .map(|text| prefix(text).ok_or_else(|| wrong("internal")(text)))
                .collect::<Result<_, _>>()?,
            signers,
            seal,
            verifier,
            dns_time: Duration::from_secs(self.dns.seconds),
        })
    }
}

impl Seal {
    fn read(&self) -> Result<(Sealer, HashSet<String>), ConfigError> {
        let domain = self.domain.parse().map_err(wrong("seal.domain"))?;
        let key = read_key(&self.key_file, "seal.key_file")?;
        let sealer = Sealer::new(key, domain, &self.selector).map_err(wrong("seal"))?;
        let recipients = self.recipients.iter().map(|one| one.to_lowercase());
        Ok((sealer, recipients.collect()))
    }
}

fn read_key(file: &PathBuf, setting: &'static str) -> Result<SigningKey, ConfigError> {
    let text = std::fs::read(file)
        .map_err(|error| wrong(setting)(format!("{}: {error}", file.display())))?;
    SigningKey::from_pem(text).map_err(wrong(setting))
}

/// `192.0.2.0/24`, or an address alone.
fn prefix(text: &str) -> Option<Prefix> {
    let Some((address, length)) = text.split_once('/') else {
        return Some(Prefix::host(text.parse().ok()?));
    };
    let address: IpAddr = address.parse().ok()?;
    Prefix::new(address, length.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_that_comes_with_it() {
        let config = Config::parse(include_str!("../milter.toml")).unwrap();
        let settings = config.settings().unwrap();
        assert_eq!(settings.authserv_id.as_str(), "mx.example.net");
        assert_eq!(settings.dns_time, Duration::from_secs(20));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let begin = "listen = \"127.0.0.1:1\"\n";
        for (text, named) in [
            ("authserv_id = \"a b\x01\"", "configuration"),
            ("authserv_id = \"\"", "authserv_id"),
            ("authserv_id = \"a\"\nmodus = \"x\"", "configuration"),
            (
                "authserv_id = \"a\"\ninternal = [\"10.0.0.0/33\"]",
                "internal",
            ),
            (
                "authserv_id = \"a\"\ntrusted_sealers = [\"..\"]",
                "trusted_sealers",
            ),
            (
                "authserv_id = \"a\"\n[[sign]]\ndomain = \"a.example\"\nselector = \"s\"\n\
                 key_file = \"/nonexistent\"",
                "sign.key_file",
            ),
        ] {
            let read = Config::parse(&format!("{begin}{text}"));
            let error = read.and_then(|config| config.settings()).unwrap_err();
            assert!(error.to_string().starts_with(named), "{text}: {error}");
        }
    }
}
