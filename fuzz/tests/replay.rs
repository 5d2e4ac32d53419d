//! Runs every target over its corpus, and over what is left when an input is cut or an octet of it
//! is changed; no fuzzer is needed.

use std::fs;
use std::path::Path;

use mailproof_fuzz::TARGETS;

/// How many changed inputs are made of each corpus file.
const CHANGES: usize = 64;

#[test]
fn corpora() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let mut inputs = 0;
    for (name, target) in TARGETS {
        let mut files: Vec<_> = fs::read_dir(folder.join(name))
            .unwrap_or_else(|error| panic!("target {name} has no corpus: {error}"))
            .map(|file| file.unwrap().path())
            .collect();
        files.sort();
        assert!(!files.is_empty(), "target {name} has no corpus");
        target(b"");
        for file in files {
            let seed = fs::read(&file).unwrap();
            target(&seed);
            let mut random = 0x9e37_79b9_7f4a_7c15_u64;
            for _ in 0..CHANGES.min(seed.len()) {
                let mut changed = seed.clone();
                let at = usize::try_from(next(&mut random)).unwrap() % seed.len();
                match next(&mut random) % 3 {
                    0 => changed.truncate(at),
                    1 => changed[at] = next(&mut random).to_le_bytes()[0],
                    _ => drop(changed.remove(at)),
                }
                target(&changed);
            }
            inputs += 1;
        }
    }
    println!("{} targets, {inputs} corpus files", TARGETS.len());
}

/// Every target is in the list, a program for the fuzzer, and known to the package.
#[test]
fn targets_and_programs_agree() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets");
    let mut programs: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|file| {
            file.unwrap()
                .path()
                .file_stem()
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    programs.sort();
    let mut targets: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    targets.sort_unstable();
    assert_eq!(programs, targets);
    let manifest = include_str!("../Cargo.toml");
    for target in targets {
        assert!(
            manifest.contains(&format!("name = \"{target}\"\n")),
            "{target} is not built"
        );
    }
}

/// xorshift64.
fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}
