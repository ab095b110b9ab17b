//! Check: the question "may I?", and its two answers.

use std::io;

use serde_json::{Value, json};

use farhold_contract::{Code, mode::Mode};

use super::{Answered, Call};
use crate::http::Address;

/// The question in the making.
#[derive(Debug, Clone)]
pub struct Check {
    call: Call,
    body: Value,
}

/// Yes.
#[derive(Debug)]
pub struct Allowed {
    /// The whole answer.
    pub answer: Value,
}

/// No.
#[derive(Debug)]
pub struct Denied {
    /// The whole answer.
    pub answer: Value,
}

impl Check {
    pub(super) fn new(call: Call, body: Value) -> Self {
        Self { call, body }
    }

    /// And consumes so many units.
    pub fn consume(mut self, units: u64) -> Self {
        self.body["context"] = json!({ "consume": units });
        self
    }

    /// With a key that makes it safe to repeat.
    pub fn key(mut self, key: &str) -> Self {
        self.call = self.call.with("idempotency-key", key);
        self
    }

    /// At another door.
    pub fn at(mut self, door: &Address) -> Self {
        self.call = self.call.at(door);
        self
    }

    /// With a member of the body set to something else.
    pub fn saying(mut self, member: &str, value: Value) -> Self {
        self.body[member] = value;
        self
    }

    /// The call as it will be sent.
    pub fn call(self) -> Call {
        self.call.json(&self.body)
    }

    /// Asks.
    #[track_caller]
    pub fn answer(self) -> Answered {
        self.call().answer()
    }

    /// Asks where the agent may go away before it has answered.
    ///
    /// # Errors
    /// No whole answer came.
    #[track_caller]
    pub fn tried(self) -> io::Result<Answered> {
        self.call().tried()
    }

    /// The answer is yes.
    #[track_caller]
    pub fn allowed(self) -> Allowed {
        let answer = self.answer().ok();
        assert_eq!(answer["allowed"], true, "{answer}");
        Allowed { answer }
    }

    /// The answer is no, for this reason.
    #[track_caller]
    pub fn denied(self, reason: Code) -> Denied {
        let answer = self.answer().ok();
        assert_eq!(answer["allowed"], false, "{answer}");
        assert_eq!(answer["reason"], reason.as_str(), "{answer}");
        Denied { answer }
    }

    /// There is no answer but a problem.
    #[track_caller]
    pub fn refused(self, code: Code) -> Value {
        self.answer().refused(code)
    }
}

impl Allowed {
    /// So many units are left.
    #[track_caller]
    pub fn remaining(self, units: u64) -> Self {
        assert_eq!(self.answer["usage"]["remaining"], units, "{}", self.answer);
        self
    }

    /// So many units were used.
    #[track_caller]
    pub fn used(self, units: u64) -> Self {
        assert_eq!(self.answer["usage"]["used"], units, "{}", self.answer);
        self
    }

    /// By a word so fresh and whole.
    #[track_caller]
    pub fn mode(self, mode: Mode) -> Self {
        assert_eq!(self.answer["mode"], json!(mode), "{}", self.answer);
        self
    }
}

impl Denied {
    /// By a word so fresh and whole.
    #[track_caller]
    pub fn mode(self, mode: Mode) -> Self {
        assert_eq!(self.answer["mode"], json!(mode), "{}", self.answer);
        self
    }
}
