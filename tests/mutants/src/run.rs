//! Runs test programs against a mutant.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;

/// A test program and what it takes without any mutant.
#[derive(Clone, Debug)]
pub struct Program {
    path: PathBuf,
    /// Which of its tests run, if not all.
    filter: Option<String>,
    takes: Duration,
}

#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// By which program.
    Caught(String),
    TimedOut(String),
    Survived,
}

/// How many kilobytes a program may ask for: a mutant that never stops may never stop growing.
const MEMORY: u64 = 4 << 20;

impl Program {
    /// The name of the test, without cargo's hash.
    fn name(&self) -> String {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        name.rsplit_once('-')
            .map_or(name.to_string(), |(name, _)| name.to_owned())
    }

    /// Processor time within which a mutant must end, and all time: one that waits for ever uses no
    /// processor, and a busy machine must not look like a mutant that hangs.
    fn limits(&self) -> (Duration, Duration) {
        let processor = Duration::from_secs(5) + 5 * self.takes;
        (processor, 3 * processor)
    }

    /// Whether all is well with it, or `None` if it had to be stopped.
    fn run(&self, folder: &Path, mutant: usize) -> Result<Option<bool>, Failure> {
        let (processor, all) = self.limits();
        let mut child = Command::new("sh")
            .args([
                "-c",
                "ulimit -v $1; ulimit -t $2; shift 2; exec \"$0\" \"$@\"",
            ])
            .arg(&self.path)
            .args([MEMORY.to_string(), processor.as_secs().to_string()])
            .args(&self.filter)
            .current_dir(folder)
            .env("MAILPROOF_MUTANT", mutant.to_string())
            // As many mutants as processors run at once.
            .env("RUST_TEST_THREADS", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let begun = Instant::now();
        loop {
            if let Some(status) = child.try_wait()? {
                return Ok((!out_of_time(status)).then_some(status.success()));
            }
            if begun.elapsed() > all {
                stop(&mut child)?;
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Whether the kernel stopped it for the processor time it used.
fn out_of_time(status: std::process::ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    const SIGKILL: i32 = 9;
    const SIGXCPU: i32 = 24;
    matches!(status.signal(), Some(SIGKILL | SIGXCPU))
}

fn stop(child: &mut Child) -> Result<(), Failure> {
    child.kill()?;
    child.wait()?;
    Ok(())
}

/// Runs the programs without a mutant; the quickest come first in what is returned. The unit tests
/// of the room are run by themselves as well, since those of all rooms take long.
pub fn baseline(paths: Vec<PathBuf>, folder: &Path, room: &str) -> Result<Vec<Program>, Failure> {
    let mut programs = Vec::new();
    for path in paths {
        let program = Program {
            path,
            filter: None,
            takes: Duration::from_secs(60),
        };
        if program.name() == "mailproof" {
            let filter = Some(format!("{room}::"));
            programs.push(Program {
                filter,
                ..program.clone()
            });
        }
        programs.push(program);
    }
    for program in &mut programs {
        let begun = Instant::now();
        if program.run(folder, 0)? != Some(true) {
            return Err(format!("{} fails without any mutant", program.name()).into());
        }
        program.takes = begun.elapsed();
    }
    programs.sort_by_key(|program| program.takes);
    Ok(programs)
}

/// Runs the programs against one mutant, up to the first that notices.
pub fn judge(programs: &[Program], folder: &Path, mutant: usize) -> Result<Outcome, Failure> {
    for program in programs {
        match program.run(folder, mutant)? {
            Some(true) => {}
            Some(false) => return Ok(Outcome::Caught(program.name())),
            None => return Ok(Outcome::TimedOut(program.name())),
        }
    }
    Ok(Outcome::Survived)
}

/// Judges many mutants, two at a time.
pub fn judge_all(
    programs: &[Program],
    folder: &Path,
    mutants: &[usize],
) -> Result<Vec<(usize, Outcome)>, Failure> {
    let waiting = Mutex::new(mutants.iter());
    let next = || waiting.lock().ok()?.next().copied();
    let work = || {
        let mut outcomes = Vec::new();
        while let Some(mutant) = next() {
            outcomes.push((mutant, judge(programs, folder, mutant)?));
        }
        Ok::<_, Failure>(outcomes)
    };
    thread::scope(|scope| {
        let workers = [scope.spawn(work), scope.spawn(work)];
        let mut outcomes = Vec::new();
        for worker in workers {
            outcomes.extend(worker.join().map_err(|_| "a worker panicked")??);
        }
        Ok(outcomes)
    })
}
