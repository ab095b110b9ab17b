//! Work: what the people of a site do there, by the verbs of `farhold`.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicU16, Ordering},
};

use serde_json::Value;

use super::{Document, Ran, Site};

impl Site {
    /// Imports a file.
    pub fn imports(&self, document: &Document) -> Ran {
        self.verb(["import", document.path().to_str().unwrap()])
    }

    /// Says what importing a file would do.
    #[track_caller]
    pub fn previews(&self, document: &Document) -> Value {
        self.verb(["import", document.path().to_str().unwrap(), "--dry-run"]).done()
    }

    /// Imports what is pasted at standard input.
    pub fn pasted(&self, text: &[u8]) -> Ran {
        Ran::fed(self.command(["import", "-"]).arg("--json"), text)
    }

    /// Writes a request into a new file.
    #[track_caller]
    pub fn requests(&self, words: &[&str]) -> PathBuf {
        static NUMBER: AtomicU16 = AtomicU16::new(0);
        let out = self.path(&format!("{}.request", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let path = out.to_str().unwrap();
        self.verb(["request", "--out", path].into_iter().chain(words.iter().copied())).done();
        out
    }

    /// Every license stored, as `license show` tells it.
    #[track_caller]
    pub fn licenses(&self) -> Vec<Value> {
        let shown = self.verb(["license", "show"]).done();
        shown["licenses"].as_array().unwrap().clone()
    }

    /// Exports the audit into a new file.
    #[track_caller]
    pub fn export(&self) -> Document {
        static NUMBER: AtomicU16 = AtomicU16::new(0);
        let name = format!("{}.export", NUMBER.fetch_add(1, Ordering::Relaxed));
        let out = self.path(&name);
        self.verb(["export", "--out", out.to_str().unwrap()]).done();
        Document::at(out)
    }
}
