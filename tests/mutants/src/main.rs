//! Mutation testing of a room, of always the same sample: `.ci/mutants` calls this.
//!
//! cargo-mutants says what the mutants are. It would build each by itself, which takes half a
//! minute; here all of them are built at once into a copy of the tree, each behind a switch that is
//! read when a test program starts. What cannot be compiled that way is tried by itself.

mod mutant;
mod rewrite;
mod run;
mod source;
mod tree;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::mutant::{Genre, Mutant};
use crate::run::Outcome;
use crate::tree::{Build, Tree};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What came of the sample, by the mutants' numbers; those are missing that cannot be compiled.
type Outcomes = BTreeMap<usize, Outcome>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |what: &str| arguments.next().ok_or(format!("{what} is missing"));
    let (room, count) = (argument("the room")?, argument("the count")?.parse()?);
    let (output, copy) = (
        PathBuf::from(argument("the output")?),
        argument("the copy")?,
    );
    let root = std::env::current_dir()?;
    let begun = Instant::now();
    // What `cargo test` is given, and parts of the names of the mutants that are tried, if not all.
    let mut tests: Vec<String> = arguments.collect();
    let split = tests.iter().position(|argument| argument == "--");
    let parts = tests.split_off(split.unwrap_or(tests.len()));
    let list = fs::read_to_string(output.join("list.json"))?;
    let (mut sample, of) = mutant::sample(&list, &root, count)?;
    if let [_, parts @ ..] = &*parts
        && !parts.is_empty()
    {
        sample.retain(|mutant| parts.iter().any(|part| mutant.name.contains(part)));
    }
    let mut tree = Tree::copy(&root, Path::new(&copy), tests)?;
    let outcomes = try_all(&room, &sample, &mut tree)?;
    let alike = fs::read_to_string(root.join(".ci/mutants-alike"))?;
    fs::write(output.join("outcomes"), record(&sample, &outcomes))?;
    print!("{}", report(&room, &sample, &outcomes, &alike));
    println!(
        "{room}: a sample of {} out of {of}, in {}s",
        sample.len(),
        begun.elapsed().as_secs()
    );
    Ok(())
}

fn try_all(room: &str, sample: &[Mutant], tree: &mut Tree) -> Result<Outcomes, Failure> {
    let built = build_together(sample, tree)?;
    let programs = run::baseline(built.programs, tree.folder(), room)?;
    let numbers: Vec<_> = built.together.iter().map(|mutant| mutant.number).collect();
    let outcomes = run::judge_all(&programs, tree.folder(), &numbers)?;
    let mut outcomes: Outcomes = outcomes.into_iter().collect();
    for mutant in built.by_itself {
        tree.restore()?;
        tree.apply(mutant)?;
        // The programs keep their names.
        if let Build::Programs(_) = tree.build()? {
            let outcome = run::judge(&programs, tree.folder(), mutant.number)?;
            outcomes.insert(mutant.number, outcome);
        }
    }
    tree.restore()?;
    Ok(outcomes)
}

struct Built<'a> {
    /// Behind switches.
    together: Vec<&'a Mutant>,
    /// Still to be tried, each by itself.
    by_itself: Vec<&'a Mutant>,
    programs: Vec<PathBuf>,
}

/// Builds as many mutants as can be compiled behind switches. The others either cannot be compiled
/// at all, or have to be tried each by itself.
fn build_together<'a>(sample: &'a [Mutant], tree: &mut Tree) -> Result<Built<'a>, Failure> {
    let mut together: Vec<&Mutant> = sample.iter().collect();
    let mut by_itself = Vec::new();
    loop {
        let left_out = tree.apply_all(&together)?;
        by_itself.extend(together.extract_if(.., |mutant| left_out.contains(&mutant.number)));
        let complaints = match tree.build()? {
            Build::Refused(complaints) => complaints,
            Build::Programs(programs) => {
                return Ok(Built {
                    together,
                    by_itself,
                    programs,
                });
            }
        };
        let blamed = complaints
            .iter()
            .map(|complaint| Ok((complaint, tree.blame(complaint)?)))
            .collect::<Result<Vec<_>, Failure>>()?;
        // Complaints about a whole function may come from what is wrong with one mutant in it.
        let all = !blamed.iter().any(|(_, region)| region.is_mutated);
        for (complaint, region) in blamed {
            if !all && !region.is_mutated {
                continue;
            }
            let gone = together.extract_if(.., |mutant| region.mutants.contains(&mutant.number));
            // A body becomes `return` of the replacement, of the type that the function declares.
            by_itself.extend(gone.filter(|mutant| {
                let is_sure = complaint.is_about_operands() || mutant.genre == Genre::Body;
                !(region.is_mutated && is_sure)
            }));
        }
    }
}

/// A line for each mutant of the sample.
fn record(sample: &[Mutant], outcomes: &Outcomes) -> String {
    let mut text = String::new();
    for mutant in sample {
        let outcome = match outcomes.get(&mutant.number) {
            None => "cannot be compiled".to_owned(),
            Some(Outcome::Survived) => "survived".to_owned(),
            Some(Outcome::Caught(program)) => format!("caught by {program}"),
            Some(Outcome::TimedOut(program)) => format!("never ends in {program}"),
        };
        let _ = writeln!(text, "{outcome}: {}", mutant.name);
    }
    text
}

fn report(room: &str, sample: &[Mutant], outcomes: &Outcomes, alike: &str) -> String {
    let survived = |mutant: &&Mutant| outcomes.get(&mutant.number) == Some(&Outcome::Survived);
    let mut survivors: Vec<_> = sample.iter().filter(survived).collect();
    survivors.sort_by_key(|mutant| (&mutant.file, mutant.span.start));
    let clock = outcomes
        .values()
        .filter(|outcome| matches!(outcome, Outcome::TimedOut(_)));
    let viable = outcomes.len();
    let caught = viable - survivors.len();
    let mut text = String::new();
    let mut justified = 0;
    for mutant in &survivors {
        let reason = alike.lines().find_map(|line| reason(line, mutant));
        justified += usize::from(reason.is_some());
        let _ = writeln!(text, "{}: {}", reason.unwrap_or("survived"), mutant.name);
    }
    let per_mille = |of: usize| (1000 * caught).checked_div(of).unwrap_or(0);
    format!(
        "{text}{room}: {caught} of {viable} mutants caught ({} per mille), {} of them by the clock; \
         {justified} alike (without them {} per mille), {} survived; {} cannot be compiled\n",
        per_mille(viable),
        clock.count(),
        per_mille(viable - justified),
        survivors.len() - justified,
        sample.len() - viable,
    )
}

/// Why no test can tell the mutant from the original, if this line of the list is about it: what is
/// done, a part of the line where, and the reason.
fn reason<'a>(line: &'a str, mutant: &Mutant) -> Option<&'a str> {
    let (deed, rest) = line.split_once('\t')?;
    let (part, reason) = rest.split_once('\t')?;
    (deed == mutant.deed() && mutant.line.contains(part)).then_some(reason)
}
