//! The configuration file.

use std::collections::HashSet;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use mailproof::arc::Sealer;
use mailproof::auth_results::{AuthservId, Border};
use mailproof::crypto::SigningKey;
use mailproof::dkim::Signer;
use mailproof::spf::Prefix;
use mailproof::verdict::RejectRule;
use mailproof::{Domain, verifier};
use serde::Deserialize;
use toml::Spanned;

/// The file as it is written; `milter.toml` beside `Cargo.toml` explains each line.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `address:port`, or `unix:` and a path.
    pub listen: String,
    /// The name in our Authentication-Results fields.
    pub authserv_id: Spanned<String>,
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
    pub internal: Vec<Spanned<String>>,
    #[serde(default)]
    pub trusted_sealers: Vec<Spanned<String>>,
    #[serde(default = "max_connections")]
    pub max_connections: Spanned<usize>,
    /// How long a stop waits for messages under way.
    #[serde(default = "stop_seconds")]
    pub stop_seconds: u64,
    #[serde(default)]
    pub dns: Dns,
    #[serde(default)]
    pub sign: Vec<Key>,
    pub seal: Option<Seal>,
    /// The file, to tell the line of what is wrong.
    #[serde(skip)]
    text: String,
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
    pub seconds: Spanned<u64>,
    /// For one question to one server.
    pub question_seconds: Spanned<u64>,
}

impl Default for Dns {
    fn default() -> Self {
        Self {
            servers: Vec::new(),
            // RFC 7208 4.6.4: at least 20 seconds.
            seconds: unwritten(20),
            question_seconds: unwritten(5),
        }
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    pub domain: Spanned<String>,
    pub selector: Spanned<String>,
    pub key_file: Spanned<PathBuf>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    pub domain: Spanned<String>,
    pub selector: Spanned<String>,
    pub key_file: Spanned<PathBuf>,
    /// Whose mail is sent on: addresses, or domains with all their addresses.
    pub recipients: Vec<String>,
}

/// A value that the file does not have.
fn unwritten<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

fn own_host() -> Vec<Spanned<String>> {
    ["127.0.0.0/8", "::1"]
        .map(|text| unwritten(text.to_owned()))
        .into()
}

fn max_connections() -> Spanned<usize> {
    unwritten(500)
}

fn stop_seconds() -> u64 {
    30
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The text is not TOML, or has other settings than ours; tells the line itself.
    #[error("{0}")]
    Unreadable(#[from] toml::de::Error),
    /// A value cannot be used.
    #[error("line {line}: {setting}: {reason}")]
    Value {
        line: usize,
        setting: &'static str,
        reason: String,
    },
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
    pub question_time: Duration,
    pub max_connections: usize,
}

impl Config {
    /// Reads the text of a configuration file.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text)?;
        text.clone_into(&mut config.text);
        Ok(config)
    }

    /// That a value of the file cannot be used.
    fn wrong<T>(
        &self,
        setting: &'static str,
        value: &Spanned<T>,
        reason: impl ToString,
    ) -> ConfigError {
        let before = self.text.get(..value.span().start).unwrap_or_default();
        ConfigError::Value {
            line: before.matches('\n').count() + 1,
            setting,
            reason: reason.to_string(),
        }
    }

    fn parsed<T: FromStr<Err: ToString>>(
        &self,
        setting: &'static str,
        value: &Spanned<String>,
    ) -> Result<T, ConfigError> {
        let parsed = value.as_ref().parse();
        parsed.map_err(|error: T::Err| self.wrong(setting, value, error))
    }

    fn within<T: Copy + PartialOrd + Display>(
        &self,
        setting: &'static str,
        value: &Spanned<T>,
        range: RangeInclusive<T>,
    ) -> Result<T, ConfigError> {
        let (least, most) = (range.start(), range.end());
        match range.contains(value.as_ref()) {
            true => Ok(*value.as_ref()),
            false => Err(self.wrong(setting, value, format!("not from {least} to {most}"))),
        }
    }

    fn key(
        &self,
        setting: &'static str,
        file: &Spanned<PathBuf>,
    ) -> Result<SigningKey, ConfigError> {
        let path = file.as_ref().display();
        let text = std::fs::read(file.as_ref())
            .map_err(|error| self.wrong(setting, file, format!("{path}: {error}")))?;
        SigningKey::from_pem(text)
            .map_err(|error| self.wrong(setting, file, format!("{path}: {error}")))
    }

    /// Reads keys, names and addresses.
    pub fn settings(&self) -> Result<Settings, ConfigError> {
        let authserv_id: AuthservId = self.parsed("authserv_id", &self.authserv_id)?;
        let mut verifier = verifier::Settings::default();
        verifier.policy.reject_rule = match self.reject_rule {
            Rule::Corroborated => RejectRule::Corroborated,
            Rule::Enforce => RejectRule::Enforce,
            Rule::Never => RejectRule::Never,
        };
        verifier.policy.enforce_spf_fail = self.enforce_spf_fail;
        for name in &self.trusted_sealers {
            let sealer = self.parsed("trusted_sealers", name)?;
            verifier.policy.trusted_sealers.push(sealer);
        }
        let mut signers = Vec::new();
        for key in &self.sign {
            let domain: Domain = self.parsed("sign.domain", &key.domain)?;
            let signing_key = self.key("sign.key_file", &key.key_file)?;
            let signer = Signer::new(signing_key, domain.clone(), key.selector.as_ref())
                .map_err(|error| self.wrong("sign.selector", &key.selector, error))?;
            signers.push((domain, signer));
        }
        let seal = self
            .seal
            .as_ref()
            .map(|seal| self.sealer(seal))
            .transpose()?;
        Ok(Settings {
            border: Border::new(authserv_id.clone()),
            authserv_id,
            mode: self.mode,
            quarantine: self.quarantine,
            internal: self
                .internal
                .iter()
                .map(|text| {
                    let reason = format!("{:?} is no address and no network", text.as_ref());
                    prefix(text.as_ref()).ok_or_else(|| self.wrong("internal", text, reason))
                })
                .collect::<Result<_, _>>()?,
            signers,
            seal,
            verifier,
            dns_time: self.seconds("dns.seconds", &self.dns.seconds)?,
            question_time: self.seconds("dns.question_seconds", &self.dns.question_seconds)?,
            max_connections: self.within("max_connections", &self.max_connections, 1..=100_000)?,
        })
    }

    /// No time at all would defer all mail.
    fn seconds(
        &self,
        setting: &'static str,
        value: &Spanned<u64>,
    ) -> Result<Duration, ConfigError> {
        Ok(Duration::from_secs(self.within(
            setting,
            value,
            1..=3_600,
        )?))
    }

    fn sealer(&self, seal: &Seal) -> Result<(Sealer, HashSet<String>), ConfigError> {
        let domain = self.parsed("seal.domain", &seal.domain)?;
        let key = self.key("seal.key_file", &seal.key_file)?;
        let sealer = Sealer::new(key, domain, seal.selector.as_ref())
            .map_err(|error| self.wrong("seal.selector", &seal.selector, error))?;
        let recipients = seal.recipients.iter().map(|one| one.to_lowercase());
        Ok((sealer, recipients.collect()))
    }
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
    fn what_is_wrong_is_named_with_its_line() {
        let begin = "listen = \"127.0.0.1:1\"\n";
        let key = "[[sign]]\ndomain = \"a.example\"\nselector = \"s\"\nkey_file = \"/nonexistent\"";
        for (text, named) in [
            ("authserv_id = \"a b\x01\"", "TOML parse error at line 2"),
            (
                "authserv_id = \"a\"\nmodus = \"x\"",
                "TOML parse error at line 3",
            ),
            ("authserv_id = \"\"", "line 2: authserv_id: "),
            (
                "authserv_id = \"a\"\ninternal = [\n\"::1\",\n\"10.0.0.0/33\"]",
                "line 5: internal: \"10.0.0.0/33\" is no address",
            ),
            (
                "authserv_id = \"a\"\ntrusted_sealers = [\"..\"]",
                "line 3: trusted_sealers: ",
            ),
            (
                "authserv_id = \"a\"\nmax_connections = 0",
                "line 3: max_connections: not from 1 to 100000",
            ),
            (
                "authserv_id = \"a\"\n[dns]\nseconds = 0",
                "line 4: dns.seconds: not from 1 to 3600",
            ),
            (
                &format!("authserv_id = \"a\"\n{key}"),
                "line 6: sign.key_file: /nonexistent: ",
            ),
        ] {
            let read = Config::parse(&format!("{begin}{text}"));
            let error = read.and_then(|config| config.settings()).unwrap_err();
            assert!(error.to_string().starts_with(named), "{text}: {error}");
        }
    }
}
