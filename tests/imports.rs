//! The architecture as a test: which room may import which, which room may name an outside crate,
//! where the code may wait, and where it may read the clock.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each room may import, floor by floor.
const ROOMS: &[(&str, &[&str])] = &[
    // Pages of documentation.
    ("howto", &[]),
    // Floor 0: words.
    ("domain", &[]),
    ("tag_list", &["text"]),
    ("text", &[]),
    ("crypto", &["text"]),
    // Floor 1: things.
    ("address", &["domain", "text"]),
    ("identifier", &["domain"]),
    ("dns", &["domain", "text"]),
    ("session", &["domain", "address"]),
    ("message", &["domain", "address", "text"]),
    ("auth_results", &["domain", "text"]),
    // Floor 2: protocols.
    ("srs", &["domain", "address", "crypto", "text"]),
    (
        "spf",
        &[
            "domain",
            "address",
            "session",
            "text",
            "dns",
            "identifier",
            "auth_results",
        ],
    ),
    (
        "dkim",
        &[
            "domain",
            "address",
            "tag_list",
            "text",
            "crypto",
            "message",
            "dns",
            "identifier",
            "auth_results",
        ],
    ),
    (
        "arc",
        &[
            "dkim",
            "domain",
            "address",
            "tag_list",
            "text",
            "crypto",
            "message",
            "dns",
            "identifier",
            "auth_results",
        ],
    ),
    (
        "dmarc",
        &[
            "domain",
            "address",
            "tag_list",
            "text",
            "dns",
            "message",
            "identifier",
            "auth_results",
        ],
    ),
    ("iprev", &["domain", "dns", "auth_results"]),
    // Floor 3: verdict.
    (
        "verdict",
        &[
            "domain",
            "address",
            "text",
            "dns",
            "session",
            "message",
            "identifier",
            "auth_results",
            "srs",
            "spf",
            "dkim",
            "arc",
            "dmarc",
            "iprev",
        ],
    ),
    // Floor 4: papers.
    (
        "report",
        &[
            "domain",
            "address",
            "text",
            "dns",
            "session",
            "message",
            "identifier",
            "auth_results",
            "srs",
            "spf",
            "dkim",
            "arc",
            "dmarc",
            "iprev",
            "crypto",
            "verdict",
        ],
    ),
    (
        "diagnosis",
        &[
            "domain",
            "address",
            "text",
            "dns",
            "session",
            "message",
            "identifier",
            "auth_results",
            "srs",
            "spf",
            "dkim",
            "arc",
            "dmarc",
            "iprev",
            "crypto",
            "verdict",
        ],
    ),
    // Floor 5: front door.
    (
        "verifier",
        &[
            "domain",
            "address",
            "text",
            "dns",
            "session",
            "message",
            "identifier",
            "auth_results",
            "srs",
            "spf",
            "dkim",
            "arc",
            "dmarc",
            "iprev",
            "verdict",
        ],
    ),
    (
        "forwarding",
        &[
            "domain",
            "address",
            "text",
            "dns",
            "session",
            "message",
            "identifier",
            "auth_results",
            "srs",
            "spf",
            "dkim",
            "arc",
            "dmarc",
            "iprev",
            "verdict",
            "diagnosis",
            "verifier",
        ],
    ),
];

/// The rooms that may name an outside crate. `thiserror` may stand anywhere, `serde` by derive, and
/// `nom` in files named `parse.rs`.
const CRATES: &[(&str, &[&str])] = &[
    ("base64", &["text"]),
    ("memchr", &["text"]),
    ("ring", &["crypto"]),
    ("aws_lc_rs", &["crypto"]),
    ("subtle", &["crypto"]),
    ("idna", &["domain"]),
    ("mail_parser", &["message"]),
    ("hickory_proto", &["dns"]),
    ("hickory_resolver", &["dns"]),
    ("hickory_net", &["dns"]),
    ("tokio", &["dns"]),
    ("quick_xml", &["report"]),
    ("flate2", &["report"]),
];

/// Files that may wait, outside the room `dns`.
const WAITING: &[&str] = &[
    "eval.rs",
    "fetch.rs",
    "discover.rs",
    "lookup.rs",
    "external.rs",
    "iprev.rs",
];

/// Rooms that may wait in any of their files.
const WAITING_ROOMS: &[&str] = &["dns", "iprev", "verifier", "forwarding"];

/// Rooms that may read the clock, as the default of what a caller can give.
const CLOCK: &[&str] = &["verifier"];

/// Where the tests at the foot of a file begin.
const TESTS: &str = "#[cfg(test)]\nmod ";

/// A source file without its comments and its tests.
struct Source {
    path: PathBuf,
    room: String,
    code: String,
}

#[test]
fn rooms_import_only_what_lies_below() {
    let mut wrong = Vec::new();
    for source in sources() {
        let allowed = ROOMS.iter().find(|(room, _)| *room == source.room);
        let Some((room, allowed)) = allowed else {
            wrong.push(format!(
                "{}: room {} is not in the table",
                source.path.display(),
                source.room
            ));
            continue;
        };
        for import in imports(&source.code) {
            if import != *room && !allowed.contains(&import.as_str()) {
                wrong.push(format!(
                    "{}: {room} imports {import}",
                    source.path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn outside_crates_have_one_room_each() {
    let mut wrong = Vec::new();
    for source in sources() {
        for (name, rooms) in CRATES {
            if names_crate(&source.code, name) && !rooms.contains(&source.room.as_str()) {
                wrong.push(format!("{}: names {name}", source.path.display()));
            }
        }
        if names_crate(&source.code, "nom") && file_name(&source) != "parse.rs" {
            wrong.push(format!(
                "{}: names nom outside a parse.rs",
                source.path.display()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_some_files_wait() {
    let wrong: Vec<String> = sources()
        .into_iter()
        .filter(|source| {
            let waits = words(&source.code).any(|word| word == "async" || word == "await");
            waits
                && !WAITING_ROOMS.contains(&source.room.as_str())
                && !WAITING.contains(&file_name(source).as_str())
        })
        .map(|source| source.path.display().to_string())
        .collect();
    assert!(wrong.is_empty(), "these files wait: {wrong:?}");
}

#[test]
fn only_the_front_door_reads_the_clock() {
    let wrong: Vec<String> = sources()
        .into_iter()
        .filter(|source| {
            let reads = ["SystemTime::now", "Instant::now"]
                .iter()
                .any(|now| source.code.contains(now));
            reads && !CLOCK.contains(&source.room.as_str())
        })
        .map(|source| source.path.display().to_string())
        .collect();
    assert!(wrong.is_empty(), "these files read the clock: {wrong:?}");
}

#[test]
fn the_crate_root_defines_nothing() {
    let root =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let defined: Vec<&str> = root
        .lines()
        .map(str::trim_start)
        .filter(|line| {
            let line = line.strip_prefix("pub ").unwrap_or(line);
            [
                "struct ", "enum ", "trait ", "fn ", "type ", "const ", "static ", "impl ",
            ]
            .iter()
            .any(|item| line.starts_with(item))
        })
        .collect();
    assert!(defined.is_empty(), "{defined:?}");
}

#[test]
fn files_stay_readable() {
    let long: Vec<String> = files()
        .into_iter()
        .filter_map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            let lines = text.split(TESTS).next().unwrap_or_default().lines().count();
            (lines > 500).then(|| format!("{} has {lines} lines", path.display()))
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    files()
        .into_iter()
        .filter_map(|path| {
            let inside = path.strip_prefix(&root).unwrap();
            let first = inside
                .components()
                .next()
                .unwrap()
                .as_os_str()
                .to_str()
                .unwrap();
            let room = first.strip_suffix(".rs").unwrap_or(first).to_owned();
            let tests = inside.ends_with("tests.rs");
            (room != "lib" && !tests).then(|| Source {
                code: code(&fs::read_to_string(&path).unwrap()),
                path: path.clone(),
                room,
            })
        })
        .collect()
}

fn files() -> Vec<PathBuf> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// Drops line comments, and the tests at the foot of the file.
fn code(text: &str) -> String {
    let text = text.split(TESTS).next().unwrap_or_default();
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// The rooms that the code names, as `crate::room` or inside `use crate::{..}`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut imports = BTreeSet::new();
    for (at, found) in code.match_indices("crate::") {
        let named = &code[at + found.len()..];
        if let Some(list) = named.strip_prefix('{') {
            let mut depth = 0;
            let mut item = String::new();
            for character in list.chars() {
                match character {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        imports.extend(words(&std::mem::take(&mut item)).next().map(str::to_owned));
                        continue;
                    }
                    _ => {}
                }
                item.push(character);
            }
            imports.extend(words(&item).next().map(str::to_owned));
        } else {
            imports.extend(words(named).next().map(str::to_owned));
        }
    }
    // Re-exports at the crate root stand for the rooms that define them.
    let rooms = [("Address", "address"), ("Domain", "domain")];
    let more = [
        ("Message", "message"),
        ("Session", "session"),
        ("TagListError", "tag_list"),
    ];
    imports
        .into_iter()
        .map(|name| {
            let room = rooms.iter().chain(&more).find(|(item, _)| *item == name);
            room.map_or(name, |(_, room)| (*room).to_owned())
        })
        .collect()
}

fn names_crate(code: &str, name: &str) -> bool {
    code.match_indices(&format!("{name}::")).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':')
    }) || code.contains(&format!("use {name};"))
        || code.contains(&format!("use {name} "))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|word| !word.is_empty())
}

fn file_name(source: &Source) -> String {
    source
        .path
        .file_name()
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned()
}

/// The checks above find what they look for.
#[test]
fn the_checks_can_fail() {
    let sample =
        "use crate::dns::{Name, Zone};\nuse crate::{spf, verdict::{Action}};\ncrate::text::x()";
    let found: Vec<String> = imports(sample).into_iter().collect();
    assert_eq!(found, ["dns", "spf", "text", "verdict"]);
    assert!(names_crate("use ring::digest;", "ring"));
    assert!(names_crate("let x = ring::hmac::sign();", "ring"));
    assert!(!names_crate("let x = string::new();", "ring"));
    assert!(!names_crate("crate::crypto::ring::x", "ring"));
    assert!(!code("// async\nfn f() {}\n#[cfg(test)]\nmod tests { async }").contains("async"));
}
