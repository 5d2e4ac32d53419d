//! Reading the values of the suites.

use std::path::Path;

use serde_json::Value;

use crate::report;

pub fn files(suite: &Path) -> Result<Vec<(String, Value)>, String> {
    let folder = std::fs::read_dir(suite).map_err(|error| error.to_string())?;
    let mut files = Vec::new();
    for entry in folder.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".json") && name != "suite.json" {
            files.push((name, report::json(&entry.path())?));
        }
    }
    files.sort_by(|(first, _), (second, _)| first.cmp(second));
    Ok(files)
}

/// The list itself, or the one under `key`.
pub fn list<'v>(value: &'v Value, key: &str) -> Result<Vec<&'v Value>, String> {
    value
        .as_array()
        .or_else(|| value.get(key).and_then(Value::as_array))
        .map(|list| list.iter().collect())
        .ok_or(format!("no list {key}"))
}

pub fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str)
}

/// A word, or a list of words.
pub fn words(value: &Value) -> Vec<String> {
    match value {
        Value::String(word) => vec![word.clone()],
        Value::Array(words) => words
            .iter()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}

pub fn octets(text: &str) -> Vec<u8> {
    text.as_bytes().to_vec()
}

pub fn chunks(value: &Value) -> Vec<Vec<u8>> {
    words(value).iter().map(|chunk| octets(chunk)).collect()
}
