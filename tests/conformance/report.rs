//! Counts and prints the outcomes of cases, and holds them against the list of divergences.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

/// Reads a JSON file.
pub fn json(path: &Path) -> Result<Value, String> {
    let octets = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&octets).map_err(|error| format!("{}: {error}", path.display()))
}

/// The cases in which we knowingly differ: suite and case, what we say, and whether the case is out
/// of scope.
pub struct Divergences(HashMap<(String, String), Divergence>);

struct Divergence {
    ours: String,
    skip: bool,
}

impl Divergences {
    pub fn read() -> Result<Self, String> {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/conformance/divergences.json"
        );
        let list = json(Path::new(path))?;
        let mut divergences = HashMap::new();
        for entry in list.as_array().ok_or("not a list")? {
            let text = |key: &str| {
                let value = entry.get(key).and_then(Value::as_str);
                value
                    .map(str::to_owned)
                    .ok_or(format!("{entry} has no {key}"))
            };
            text("reason")?;
            let skip = entry
                .get("skip")
                .and_then(Value::as_bool)
                .unwrap_or_default();
            let ours = if skip { String::new() } else { text("ours")? };
            divergences.insert((text("suite")?, text("case")?), Divergence { ours, skip });
        }
        Ok(Self(divergences))
    }
}

/// The outcomes of one suite.
pub struct Report<'a> {
    suite: String,
    divergences: &'a Divergences,
    passed: usize,
    failed: usize,
    divergent: usize,
    skipped: usize,
    seen: RefCell<HashMap<String, usize>>,
}

impl<'a> Report<'a> {
    pub fn new(suite: &str, divergences: &'a Divergences) -> Self {
        Self {
            suite: suite.into(),
            divergences,
            passed: 0,
            failed: 0,
            divergent: 0,
            skipped: 0,
            seen: RefCell::default(),
        }
    }

    /// Whether the case is out of scope; counts it as skipped if it is.
    pub fn skips(&mut self, case: &str) -> bool {
        let skips = self
            .divergence(case)
            .is_some_and(|divergence| divergence.skip);
        self.skipped += usize::from(skips);
        skips
    }

    /// Records the outcome of a case: `passed` says whether `got` is (one of) `expected`.
    pub fn case(&mut self, case: &str, passed: bool, expected: &str, got: &str, cause: &str) {
        let case = self.unique(case);
        let suite = self.suite.clone();
        match self.divergence(&case) {
            None if passed => self.passed += 1,
            Some(divergence) if !passed && divergence.ours == got => self.divergent += 1,
            Some(_) if passed => {
                self.failed += 1;
                println!(
                    "FAIL {suite}/{case}: expected {expected}, got {got} (listed as divergent)"
                );
            }
            _ => {
                self.failed += 1;
                println!("FAIL {suite}/{case}: expected {expected}, got {got} ({cause})");
            }
        }
    }

    /// Prints the counts; whether nothing failed and something ran.
    pub fn finish(&self) -> bool {
        let Self {
            suite,
            passed,
            failed,
            divergent,
            skipped,
            ..
        } = self;
        println!(
            "suite {suite}: {passed} passed, {failed} failed, {divergent} divergent, {skipped} skipped"
        );
        let executed = passed + failed + divergent;
        if executed == 0 {
            println!("FAIL {suite}: no case was executed");
        }
        *failed == 0 && executed != 0
    }

    /// The name of a case, numbered from the second of the same name on.
    fn unique(&self, case: &str) -> String {
        let mut seen = self.seen.borrow_mut();
        let count = seen.entry(case.to_owned()).or_default();
        *count += 1;
        if *count == 1 {
            case.to_owned()
        } else {
            format!("{case}#{count}")
        }
    }

    fn divergence(&self, case: &str) -> Option<&'a Divergence> {
        self.divergences
            .0
            .get(&(self.suite.clone(), case.to_owned()))
    }
}
