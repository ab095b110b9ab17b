//! The specifications as a judge: what goes over the wire is held against `specs/`, so that code
//! and specifications can't drift apart.
//!
//! [`Specs`] is every file of `specs/` that is JSON, each registered under `farhold:/` and its
//! path, as `specs/README.md` says; [`Exchange`] is one call held against the operation it is.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod exchange;
mod operation;
mod unnamed;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, Mutex, OnceLock},
};

use jsonschema::{Registry, Validator};
use serde_json::{Value, json};

use crate::binaries::project;

pub use exchange::{Exchange, Surface};
pub use operation::{Operation, Parameter};

/// The base under which files are registered: a URI with folders, so that relative references
/// resolve.
const BASE: &str = "farhold:/";

/// Every specification that is JSON.
pub struct Specs {
    files: BTreeMap<String, Value>,
    registry: Registry<'static>,
    validators: Mutex<BTreeMap<String, Arc<Validator>>>,
}

impl Specs {
    /// The specifications of this project, read once.
    ///
    /// # Panics
    /// If a file is not JSON.
    pub fn shared() -> &'static Self {
        static SPECS: OnceLock<Specs> = OnceLock::new();
        SPECS.get_or_init(|| Self::read(&project().join("specs")))
    }

    fn read(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        for room in ["schemas", "openapi", "asyncapi"] {
            collect(folder, &folder.join(room), &mut files);
        }
        assert!(files.len() > 30, "{} specifications are read", files.len());
        let resources = files.iter().map(|(name, file)| (format!("{BASE}{name}"), file.clone()));
        let registry = Registry::new()
            .extend(resources)
            .unwrap_or_else(|error| panic!("a specification can't be registered: {error}"))
            .prepare()
            .unwrap_or_else(|error| panic!("a reference does not resolve: {error}"));
        Self { files, registry, validators: Mutex::default() }
    }

    /// Every file by its path below `specs/`.
    pub fn files(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.files.iter().map(|(name, file)| (name.as_str(), file))
    }

    /// One file by its path below `specs/`.
    ///
    /// # Panics
    /// If there is none.
    pub fn file(&self, name: &str) -> &Value {
        self.files.get(name).unwrap_or_else(|| panic!("there is no specs/{name}"))
    }

    /// Where a reference leads: file and pointer, and what is there.
    pub fn resolve<'s>(&'s self, file: &str, reference: &str) -> Option<(String, &'s Value)> {
        let (path, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let target = if path.is_empty() { file.to_owned() } else { beside(file, path)? };
        let found = self.files.get(&target)?.pointer(pointer)?;
        Some((target, found))
    }

    /// What is wrong with a value by the schema at `pointer` of a file; empty: nothing.
    ///
    /// # Panics
    /// If the schema itself can't be used: a missing schema is a failure, not a pass.
    pub fn faults(&self, file: &str, pointer: &str, value: &Value) -> Vec<String> {
        // Path templates have braces, which no URI has.
        let fragment = pointer.replace('{', "%7B").replace('}', "%7D");
        let validator = self.validator(&format!("{BASE}{file}#{fragment}"));
        let mut faults: Vec<String> = validator
            .iter_errors(value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        let schema = self.file(file).pointer(pointer).expect("the validator found it");
        unnamed::members(self, file, schema, value, "", &mut faults);
        faults
    }

    fn validator(&self, uri: &str) -> Arc<Validator> {
        if let Some(known) = self.validators.lock().unwrap().get(uri) {
            return Arc::clone(known);
        }
        let built = jsonschema::options()
            .with_registry(&self.registry)
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            .build(&json!({ "$ref": uri }))
            .unwrap_or_else(|error| panic!("the schema {uri} can't be used: {error}"));
        let built = Arc::new(built);
        self.validators.lock().unwrap().insert(uri.to_owned(), Arc::clone(&built));
        built
    }
}

/// A path relative to a file, both below `specs/`.
fn beside(file: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()?),
            "." => {}
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

fn collect(base: &Path, folder: &Path, files: &mut BTreeMap<String, Value>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(base, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let name = path.strip_prefix(base).unwrap().to_str().unwrap().to_owned();
            let text = fs::read_to_string(&path).unwrap();
            let json =
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            files.insert(name, json);
        }
    }
}
