//! Plan: how the database means to go about a statement, for tests.

use std::path::Path;

use rusqlite::Connection;

use super::migrate;

/// Panics if a statement would not begin with this index, would go through a whole table, or would
/// sort what it found before it could answer.
pub(super) fn assert_indexed(statement: &str, index: &str) {
    let steps = steps(statement);
    let by = |step: &String| step.contains(&format!("INDEX {index} ")) && step.contains("SEARCH");
    assert!(steps.first().is_some_and(by), "{statement}\nbegins with {steps:#?}");
    let slow = |step: &&String| step.starts_with("SCAN") || step.contains("TEMP B-TREE");
    assert_eq!(steps.iter().find(slow), None, "{statement}");
}

/// The steps of a statement, in an empty database of this version.
pub(super) fn steps(statement: &str) -> Vec<String> {
    let mut connection = Connection::open_in_memory().unwrap();
    migrate::migrate(&mut connection, Path::new("nowhere")).unwrap();
    let mut explain = connection.prepare(&format!("EXPLAIN QUERY PLAN {statement}")).unwrap();
    let mut found = explain.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = found.next().unwrap() {
        steps.push(row.get(3).unwrap());
    }
    steps
}
