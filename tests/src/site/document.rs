//! Document: a file that is carried from vendor to site or back.

use std::{
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

/// A file that is carried: a license, a bundle, an export, a receipt.
#[derive(Debug, Clone)]
pub struct Document {
    path: PathBuf,
}

impl Document {
    /// What lies at a path.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Writes it.
    pub fn written(path: impl Into<PathBuf>, bytes: &[u8]) -> Self {
        let path = path.into();
        fs::write(&path, bytes).unwrap();
        Self { path }
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds.
    pub fn bytes(&self) -> Vec<u8> {
        fs::read(&self.path).unwrap()
    }

    /// The payload of its first line, unverified.
    pub fn payload(&self) -> Value {
        let bytes = self.bytes();
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap();
        let envelope: Value = serde_json::from_slice(line).unwrap();
        let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
        serde_json::from_slice(&payload).unwrap()
    }

    /// A copy of which one byte of the payload is another: still base64, no longer signed.
    pub fn tampered(&self) -> Self {
        let mut bytes = self.bytes();
        let start = bytes.windows(11).position(|word| word == b"\"payload\":\"").unwrap() + 11;
        let byte = &mut bytes[start + 40];
        *byte = if *byte == b'A' { b'B' } else { b'A' };
        Self::written(self.path.with_extension("tampered"), &bytes)
    }

    /// A copy whose payload says something else in a place; no longer signed.
    pub fn saying(&self, text: &str, other: &str) -> Self {
        let mut envelope = String::from_utf8(self.bytes()).unwrap();
        let payload = serde_json::from_str::<Value>(envelope.lines().next().unwrap()).unwrap();
        let payload = payload["payload"].as_str().unwrap();
        let said = String::from_utf8(STANDARD.decode(payload).unwrap()).unwrap();
        assert!(said.contains(text), "{text} is not in {said}");
        envelope = envelope.replacen(payload, &STANDARD.encode(said.replacen(text, other, 1)), 1);
        Self::written(self.path.with_extension("rewritten"), envelope.as_bytes())
    }

    /// A copy of which only the first so many bytes are there.
    pub fn truncated(&self, bytes: usize) -> Self {
        Self::written(self.path.with_extension("truncated"), &self.bytes()[..bytes])
    }

    /// This file and then those, in one.
    pub fn and(&self, others: &[&Self]) -> Self {
        let mut bytes = self.bytes();
        others.iter().for_each(|other| bytes.extend(other.bytes()));
        Self::written(self.path.with_extension("bundle"), &bytes)
    }
}
