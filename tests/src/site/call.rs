//! Call: one request over HTTP, and the judge that every one of them passes.

use std::{io, path::Path};

use serde_json::Value;
use uuid::Uuid;

use super::Answered;
use crate::{
    http::{Address, Answer},
    schema::{Exchange, Specs, Surface},
};

/// A request in the making.
#[derive(Debug, Clone)]
pub struct Call {
    door: Address,
    surface: Surface,
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Call {
    /// A request without headers of its own.
    pub fn new(door: Address, surface: Surface, method: &str, target: &str) -> Self {
        Self {
            door,
            surface,
            method: method.to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// At another door.
    pub fn at(mut self, door: &Address) -> Self {
        self.door = door.clone();
        self
    }

    /// At the administration door.
    pub fn at_admin(mut self, socket: &Path) -> Self {
        self.door = Address::Unix(socket.to_owned());
        self.surface = Surface::Admin;
        self
    }

    /// With this header, and no other of its name.
    pub fn with(self, name: &str, value: &str) -> Self {
        self.without(name).also(name, value)
    }

    /// With this header beside any other of its name.
    pub fn also(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Without this header.
    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With any body.
    pub fn body(mut self, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.with("content-type", media_type)
    }

    /// Sends it and holds what comes back against the specifications.
    #[track_caller]
    pub fn answer(self) -> Answered {
        match self.tried() {
            Ok(answered) => answered,
            Err(error) => panic!("{} {}: {error}", self.method, self.target),
        }
    }

    /// The same, where the agent may go away before it has answered.
    ///
    /// # Errors
    /// No whole answer came.
    #[track_caller]
    pub fn tried(&self) -> io::Result<Answered> {
        let headers: Vec<(&str, &str)> =
            self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let answer = self.door.call(&self.method, &self.target, &headers, &self.body)?;
        whole(&answer)?;
        let exchange = Exchange {
            surface: self.surface,
            method: &self.method,
            target: &self.target,
            headers: &self.headers,
            body: &self.body,
            answer: &answer,
        };
        let faults = exchange.faults(Specs::shared());
        let asked = format!("{} {}", self.method, self.target);
        assert!(
            faults.is_empty(),
            "{asked} drifts from specs/:\n  {}\nsent {}\nanswered {} {}",
            faults.join("\n  "),
            String::from_utf8_lossy(&self.body[..self.body.len().min(500)]),
            answer.status,
            String::from_utf8_lossy(&answer.body[..answer.body.len().min(2000)]),
        );
        Ok(Answered { asked, answer })
    }
}

/// An answer cut off in its middle is none.
fn whole(answer: &Answer) -> io::Result<()> {
    let declared = answer.header("content-length").and_then(|length| length.parse().ok());
    if declared.is_some_and(|length: usize| length != answer.body.len()) {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
    }
    Ok(())
}

/// Identifiers that a test makes up.
pub mod ids {
    use super::Uuid;

    /// A new UUIDv7.
    pub fn v7() -> String {
        Uuid::now_v7().to_string()
    }
}
