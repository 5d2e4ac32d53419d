//! The copy of the tree that is rewritten, and its builds.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Failure;
use crate::mutant::Mutant;
use crate::rewrite::{Region, rewrite};

const SWITCH: &str = include_str!("switch.rs");

pub struct Tree {
    original: PathBuf,
    copy: PathBuf,
    /// What `cargo test` is given to choose tests.
    tests: Vec<String>,
    regions: BTreeMap<PathBuf, Vec<Region>>,
}

/// What came of a build.
pub enum Build {
    /// The test programs.
    Programs(Vec<PathBuf>),
    /// What the compiler had against it.
    Refused(Vec<Complaint>),
}

/// An error of the compiler.
pub struct Complaint {
    message: String,
    code: String,
    /// Files and octets, what matters most first.
    places: Vec<(PathBuf, Range<usize>)>,
}

impl Tree {
    /// Copies what git would, touching only files that differ, so that little is built again.
    pub fn copy(original: &Path, copy: &Path, tests: Vec<String>) -> Result<Self, Failure> {
        let listed = Command::new("git")
            .args([
                "ls-files",
                "--cached",
                "--others",
                "--exclude-standard",
                "-z",
            ])
            .current_dir(original)
            .output()?;
        let listed = String::from_utf8(listed.stdout)?;
        let files: BTreeSet<PathBuf> = listed.split_terminator('\0').map(PathBuf::from).collect();
        for file in &files {
            // Links are kept out of the copy, and what was deleted is still listed.
            if original
                .join(file)
                .symlink_metadata()
                .is_ok_and(|about| about.is_file())
            {
                write(&copy.join(file), &fs::read(original.join(file))?)?;
            }
        }
        remove_others(copy, copy, &files)?;
        let tree = Self {
            original: original.to_owned(),
            copy: copy.to_owned(),
            tests,
            regions: BTreeMap::new(),
        };
        tree.restore()?;
        Ok(tree)
    }

    pub fn folder(&self) -> &Path {
        &self.copy
    }

    /// Takes all mutants out.
    pub fn restore(&self) -> Result<(), Failure> {
        for file in self.regions.keys() {
            write(&self.copy.join(file), &fs::read(self.original.join(file))?)?;
        }
        // The switch stays, whether anything asks it or not.
        write(&self.copy.join("src/mutant.rs"), SWITCH.as_bytes())?;
        let root = fs::read_to_string(self.original.join("src/lib.rs"))?;
        let root = root + "\n#[allow(dead_code)]\nmod mutant;\n";
        write(&self.copy.join("src/lib.rs"), root.as_bytes())
    }

    /// Puts one mutant in, as it is.
    pub fn apply(&self, mutant: &Mutant) -> Result<(), Failure> {
        let text = fs::read_to_string(self.original.join(&mutant.file))?;
        let text = mutant.replace(&text, mutant.span.clone());
        write(&self.copy.join(&mutant.file), text.as_bytes())
    }

    /// Puts mutants in, each behind a switch. The numbers of those are returned that cannot be.
    pub fn apply_all(&mut self, mutants: &[&Mutant]) -> Result<Vec<usize>, Failure> {
        let mut files: BTreeMap<_, Vec<_>> = BTreeMap::new();
        // Files that had mutants and have none any more are written as well.
        files.extend(self.regions.keys().map(|file| (file.clone(), Vec::new())));
        for mutant in mutants {
            files.entry(mutant.file.clone()).or_default().push(*mutant);
        }
        let mut left_out = Vec::new();
        for (file, mutants) in files {
            let text = fs::read_to_string(self.original.join(&file))?;
            let rewritten = rewrite(text, &mutants)?;
            write(&self.copy.join(&file), rewritten.text.as_bytes())?;
            left_out.extend(rewritten.left_out);
            self.regions.insert(file, rewritten.regions);
        }
        Ok(left_out)
    }

    /// The smallest region that any of the complaint's places lies in.
    pub fn blame(&self, complaint: &Complaint) -> Result<&Region, Failure> {
        let around = complaint.places.iter().filter_map(|(file, place)| {
            let regions = self.regions.get(file)?.iter();
            let around = regions.filter(|region| {
                region.place.start <= place.start && place.end <= region.place.end
            });
            around.min_by_key(|region| region.place.len())
        });
        let smallest = around.min_by_key(|region| region.mutants.len());
        Ok(smallest.ok_or_else(|| format!("no mutant's error:\n{}", complaint.message))?)
    }

    pub fn build(&self) -> Result<Build, Failure> {
        let output = Command::new("cargo")
            .args([
                "test",
                "--package",
                "mailproof",
                "--profile",
                "mutants",
                "--no-run",
            ])
            .args(["--message-format", "json", "--quiet"])
            .args(&self.tests)
            .current_dir(&self.copy)
            // Mutants leave much unused.
            .env("RUSTFLAGS", "--cap-lints allow")
            .output()?;
        let mut programs = Vec::new();
        let mut complaints = Vec::new();
        for line in String::from_utf8(output.stdout)?.lines() {
            let line: Value = serde_json::from_str(line)?;
            if let (Some(program), true) =
                (line["executable"].as_str(), line["profile"]["test"] == true)
            {
                programs.push(PathBuf::from(program));
            }
            let message = &line["message"];
            if message["level"] == "error" && !message["spans"].as_array().is_none_or(Vec::is_empty)
            {
                complaints.push(Complaint::read(message));
            }
        }
        match (output.status.success(), complaints.is_empty()) {
            (true, _) => Ok(Build::Programs(programs)),
            (false, false) => Ok(Build::Refused(complaints)),
            (false, true) => Err(String::from_utf8_lossy(&output.stderr).into()),
        }
    }
}

impl Complaint {
    /// Whether the operands have no such operator: that depends on their types alone, not on the
    /// switch around them. E0277 is a trait that is missing, E0368, E0369 and E0600 are for operators.
    pub fn is_about_operands(&self) -> bool {
        matches!(&*self.code, "E0277" | "E0368" | "E0369" | "E0600")
    }

    fn read(message: &Value) -> Self {
        let mut places = Vec::new();
        let spans = message["spans"].as_array().map_or(&[][..], Vec::as_slice);
        let (primary, others): (Vec<_>, Vec<_>) =
            spans.iter().partition(|span| span["is_primary"] == true);
        for span in primary.into_iter().chain(others) {
            // From within a macro out to where it stands in the file.
            let mut span = span;
            while span.is_object() {
                let octet = |key: &str| {
                    span[key]
                        .as_u64()
                        .and_then(|octet| usize::try_from(octet).ok())
                };
                if let (Some(file), Some(start), Some(end)) = (
                    span["file_name"].as_str(),
                    octet("byte_start"),
                    octet("byte_end"),
                ) {
                    places.push((PathBuf::from(file), start..end));
                }
                span = &span["expansion"]["span"];
            }
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            message: text(&message["rendered"]),
            code: text(&message["code"]["code"]),
            places,
        }
    }
}

fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    Ok(fs::write(path, content)?)
}

/// Deletes what is below `folder` and not listed.
fn remove_others(root: &Path, folder: &Path, listed: &BTreeSet<PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(root, &path, listed)?;
        } else if !listed.contains(path.strip_prefix(root)?) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}
