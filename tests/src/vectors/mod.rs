//! Vectors: one case a file, bytes and what must come of them (`specs/vectors/README.md`).
//!
//! They are written by [`all`] from fixed seeds and times. What is expected is stated here by
//! hand; nothing of it is asked of the code that the vectors are for.

mod answer;
mod binding;
mod case;
mod chain;
mod clock;
mod ed25519;
mod format;
mod license;
mod order;
mod payload;
pub mod run;
mod scalar;
mod signature;
#[path = "../../../crates/bundle/tests/support/mod.rs"]
mod support;
mod theft;
mod trust;
mod typed_form;
pub mod vector;

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use vector::Vector;

type Area = (&'static str, fn() -> Vec<(&'static str, Vector)>);

const AREAS: [Area; 13] = [
    ("answer", answer::vectors),
    ("binding", binding::vectors),
    ("chain", chain::vectors),
    ("clock", clock::vectors),
    ("ed25519", ed25519::vectors),
    ("format", format::vectors),
    ("license", license::vectors),
    ("order", order::vectors),
    ("payload", payload::vectors),
    ("signature", signature::vectors),
    ("theft", theft::vectors),
    ("trust", trust::vectors),
    ("typed_form", typed_form::vectors),
];

/// Where the vectors are kept.
pub fn folder() -> PathBuf {
    crate::binaries::project().join("specs/vectors")
}

/// Every vector by its path below [`folder`], as the generator writes it.
pub fn all() -> BTreeMap<PathBuf, Vector> {
    let mut all = BTreeMap::new();
    for (area, vectors) in AREAS {
        for (condition, vector) in vectors() {
            let twice = all.insert(Path::new(area).join(condition).with_extension("json"), vector);
            assert!(twice.is_none(), "{area}/{condition} is written twice");
        }
    }
    all
}

/// Every file of vectors there is, by its path below [`folder`]; the README is none.
///
/// # Errors
/// As reading the folders fails.
pub fn files() -> io::Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder())? {
        let entry = entry?;
        let name = PathBuf::from(entry.file_name());
        if entry.file_type()?.is_dir() {
            for file in fs::read_dir(entry.path())? {
                let file = file?;
                files.insert(name.join(file.file_name()), fs::read(file.path())?);
            }
        } else if name != Path::new("README.md") {
            files.insert(name, fs::read(entry.path())?);
        }
    }
    Ok(files)
}

/// How the files differ from what the generator writes: a path each, with what is wrong.
///
/// # Errors
/// As reading the folders fails.
pub fn drift() -> io::Result<Vec<String>> {
    let mut found = files()?;
    let mut drift = Vec::new();
    for (path, vector) in all() {
        match found.remove(&path) {
            None => drift.push(format!("{} is missing", path.display())),
            Some(bytes) if bytes != vector.to_file() => {
                drift.push(format!("{} differs from what the generator writes", path.display()));
            }
            Some(_) => {}
        }
    }
    drift.extend(found.keys().map(|path| format!("{} is nobody's", path.display())));
    Ok(drift)
}

/// Writes every vector, and removes what is none.
///
/// # Errors
/// As writing or removing a file fails.
pub fn write() -> io::Result<usize> {
    let all = all();
    for path in files()?.into_keys().filter(|path| !all.contains_key(path)) {
        fs::remove_file(folder().join(path))?;
    }
    for (path, vector) in &all {
        let path = folder().join(path);
        fs::create_dir_all(path.parent().expect("a vector lies in the folder of its area"))?;
        fs::write(path, vector.to_file())?;
    }
    Ok(all.len())
}
