//! Answered: what came back for a call, already held against the specifications.

use serde_json::Value;

use farhold_contract::Code;

use crate::http::Answer;

/// What came back for a call.
#[derive(Debug)]
pub struct Answered {
    /// The call, for people.
    pub asked: String,
    /// The answer.
    pub answer: Answer,
}

impl Answered {
    /// It was done; the body, where there is one.
    #[track_caller]
    pub fn ok(self) -> Value {
        let Self { asked, answer } = self;
        let text = String::from_utf8_lossy(&answer.body);
        assert!((200..300).contains(&answer.status), "{asked}: {} {text}", answer.status);
        serde_json::from_slice(&answer.body).unwrap_or(Value::Null)
    }

    /// It was refused with this code; the problem.
    #[track_caller]
    pub fn refused(self, code: Code) -> Value {
        let Self { asked, answer } = self;
        let text = String::from_utf8_lossy(&answer.body);
        let problem = answer.json().unwrap_or_default();
        assert_eq!(problem["code"], code.as_str(), "{asked}: {} {text}", answer.status);
        assert_eq!(answer.status, code.status(), "{asked}: {text}");
        problem
    }

    /// A header of the answer.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.answer.header(name)
    }

    /// The body's bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.answer.body
    }
}
