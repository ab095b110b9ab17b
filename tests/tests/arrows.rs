//! The arrows between crates: a crate imports of ours what the table in ARCHITECTURE.md names,
//! and nothing else. The table is read, not repeated: the document is what is enforced.

#![allow(clippy::unwrap_used, clippy::panic)] // a test that can't set its stage has failed

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

use farhold_tests::binaries::project;

type Arrows = BTreeMap<String, BTreeSet<String>>;

#[test]
fn every_crate_imports_of_ours_only_what_the_architecture_allows() {
    let drawn = drawn(&std::fs::read_to_string(project().join("ARCHITECTURE.md")).unwrap());
    let found = found();
    let crates = |arrows: &Arrows| arrows.keys().cloned().collect::<BTreeSet<_>>();
    assert_eq!(crates(&drawn), crates(&found), "the table names every crate, and no other");
    for (name, imports) in &found {
        let surplus: Vec<_> = imports.difference(&drawn[name]).collect();
        assert!(surplus.is_empty(), "{name} imports {surplus:?}; its row allows {:?}", drawn[name]);
    }
}

#[test]
fn no_arrow_leads_back_and_none_leads_to_a_binary() {
    let found = found();
    let mut lower: BTreeSet<String> = BTreeSet::new();
    while lower.len() < found.len() {
        let next = found
            .iter()
            .find(|(name, imports)| !lower.contains(*name) && imports.is_subset(&lower))
            .unwrap_or_else(|| panic!("a circle above {lower:?}"));
        lower.insert(next.0.clone());
    }
    for shell in ["farhold-agent", "license-tool"] {
        let importers: Vec<_> =
            found.iter().filter(|(_, imports)| imports.contains(shell)).map(|(n, _)| n).collect();
        assert!(importers.iter().all(|name| *name == "farhold-tests"), "{shell}: {importers:?}");
    }
}

#[test]
fn a_row_is_read_with_its_crate_and_its_imports() {
    let text = "| crate | what | may import |\n|---|---|---|\n\
                | `a-b` | with `code` in it | nothing |\n| `c` | x | `a-b`, `d` |\n\n| `no` | row | `x` |\n";
    let arrows = drawn(text);
    assert_eq!(arrows.len(), 2);
    assert!(arrows["a-b"].is_empty());
    assert_eq!(arrows["c"], BTreeSet::from(["a-b".to_owned(), "d".to_owned()]));
}

/// The table under the heading row `| crate | … | may import |`.
fn drawn(text: &str) -> Arrows {
    let rows = text
        .lines()
        .skip_while(|line| !(line.starts_with("| crate |") && line.ends_with("| may import |")))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, _, imports] = cells[..] else { panic!("a row of {} cells: {row}", cells.len()) };
        (name.trim_matches('`').to_owned(), in_ticks(imports))
    })
    .collect()
}

fn in_ticks(cell: &str) -> BTreeSet<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// What the manifests say, dependencies of tests and builds included.
fn found() -> Arrows {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(project())
        .args(["metadata", "--no-deps", "--offline", "--locked", "--format-version", "1"])
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let ours: BTreeSet<String> = packages.iter().map(|package| text(&package["name"])).collect();
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let imports = dependencies.map(|dependency| text(&dependency["name"]));
            (text(&package["name"]), imports.filter(|name| ours.contains(name)).collect())
        })
        .collect()
}
