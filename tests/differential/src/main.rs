//! The differential test: random inputs, valid, mutated and hostile, are judged by us and by other
//! implementations. Each disagreement must have a named cause, a defect of the peer or a choice that
//! the RFC leaves; one without is printed with its input, and fails the run.
//!
//! `mailproof-differential LEG...` runs `spf`, `dkim`, `dmarc` or `auth-results` against the peers that
//! the environment names (see `.ci/differential`). `MAILPROOF_SCALE` multiplies the number of inputs,
//! `MAILPROOF_SEED` gives others.

mod auth_results;
mod dkim;
mod dmarc;
mod mail_auth;
mod process;
mod random;
mod records;
mod spf;
mod tally;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use tally::Comparison;

/// What is run, by the environment.
pub struct Run {
    seed: u64,
    scale: f64,
}

impl Run {
    /// The cases to be run of so many.
    fn cases(&self, count: usize) -> std::ops::Range<usize> {
        0..(count as f64 * self.scale) as usize
    }

    /// Whether Python has the peer's module; says so where it has not.
    fn has_python(&self, module: &str) -> bool {
        let status = Command::new("python3")
            .args(["-c", &format!("import {module}")])
            .status();
        let found = status.is_ok_and(|status| status.success());
        if !found {
            println!("SKIPPED: Python has no module {module}");
        }
        found
    }
}

/// One of the scripts that drive a peer.
pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("peers")
        .join(name)
}

fn main() -> ExitCode {
    let number = |name, otherwise: f64| {
        std::env::var(name).map_or(otherwise, |value| value.parse().expect(name))
    };
    let run = Run {
        seed: number("MAILPROOF_SEED", 1.0) as u64,
        scale: number("MAILPROOF_SCALE", 1.0),
    };
    let mut comparisons: Vec<Comparison> = Vec::new();
    for leg in std::env::args().skip(1) {
        comparisons.extend(match leg.as_str() {
            "spf" => spf::run(&run),
            "dkim" => dkim::run(&run),
            "dmarc" => dmarc::run(&run),
            "auth-results" => auth_results::run(&run),
            other => panic!("{other}: no such leg"),
        });
    }
    println!("\nseed {}", run.seed);
    let explained: Vec<bool> = comparisons.iter().map(Comparison::print).collect();
    if explained.is_empty() || explained.contains(&false) {
        println!("FAIL: not everything is explained");
        return ExitCode::FAILURE;
    }
    println!("none unexplained");
    ExitCode::SUCCESS
}
