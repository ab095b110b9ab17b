//! Every code of the closed list is produced by some test: what nobody can produce is no code.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use std::{fs, path::Path};

use farhold_contract::Code;
use farhold_tests::binaries::project;

/// Where tests are.
const ROOMS: [&str; 6] =
    ["tests/tests", "license-tool", "agent", "crates", "kernel", "specs/vectors"];

#[test]
fn every_code_is_produced_by_some_test() {
    let mut sources = Vec::new();
    for room in ROOMS {
        collect(&project().join(room), &mut sources);
    }
    assert!(sources.len() > 30, "{} sources", sources.len());
    let missing: Vec<String> = Code::ALL
        .iter()
        .filter(|code| !sources.iter().any(|source| produces(source, **code)))
        .map(ToString::to_string)
        .collect();
    assert!(missing.is_empty(), "no test produces {}", missing.join(", "));
}

/// Whether a source names a code, by its variant or by its text as a whole word.
fn produces(source: &str, code: Code) -> bool {
    let variant = format!("Code::{code:?}");
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_' || letter == '.';
    let stands_alone = |word: &str| {
        source.match_indices(word).any(|(at, _)| {
            let before = source[..at].chars().next_back();
            let after = source[at + word.len()..].chars().next();
            !before.is_some_and(is_name) && !after.is_some_and(is_name)
        })
    };
    stands_alone(&variant) || stands_alone(code.as_str())
}

/// Adds every test source and vector below a folder: of `src/`, only what tests compile.
fn collect(folder: &Path, sources: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, sources);
            continue;
        }
        let name = path.to_string_lossy().into_owned();
        let (is_code, is_vector) = (name.ends_with(".rs"), name.ends_with(".json"));
        if !(is_code || is_vector) || name.ends_with("codes_covered.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        if is_vector || name.contains("/tests/") {
            sources.push(text);
        } else if let Some(at) = text.find("#[cfg(test)]") {
            sources.push(text[at..].to_owned());
        }
    }
}
