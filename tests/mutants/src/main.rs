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

use crate::mutant::Mutant;
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
    let list = fs::read_to_string(output.join("list.json"))?;
    let (sample, of) = mutant::sample(&list, &root, count)?;
    let mut tree = Tree::copy(&root, Path::new(&copy), arguments.collect())?;
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
    let mut together: Vec<&Mutant> = sample.iter().collect();
    let programs = loop {
        let left_out = tree.apply_all(&together)?;
        together.retain(|mutant| !left_out.contains(&mutant.number));
        match tree.build()? {
            Build::Programs(programs) => break programs,
            Build::Refused(complaints) => {
                for complaint in &complaints {
                    let blamed = tree.blame(complaint)?;
                    together.retain(|mutant| !blamed.contains(&mutant.number));
                }
            }
        }
    };
    let programs = run::baseline(programs, tree.folder(), room)?;
    let numbers: Vec<_> = together.iter().map(|mutant| mutant.number).collect();
    let mut outcomes: Outcomes = run::judge_all(&programs, tree.folder(), &numbers)?
        .into_iter()
        .collect();
    for mutant in sample {
        if numbers.contains(&mutant.number) {
            continue;
        }
        tree.restore()?;
        tree.apply(mutant)?;
        // The programs keep their names.
        if let Build::Programs(_) = tree.build()? {
            outcomes.insert(
                mutant.number,
                run::judge(&programs, tree.folder(), mutant.number)?,
            );
        }
    }
    tree.restore()?;
    Ok(outcomes)
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
    format!(
        "{text}{room}: {caught} of {viable} mutants caught ({} per mille), {} of them by the clock; \
         {justified} alike, {} survived; {} cannot be compiled\n",
        (1000 * caught).checked_div(viable).unwrap_or(0),
        clock.count(),
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
