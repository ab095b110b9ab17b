//! Ran: how a verb of one of the tools ended.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
    thread,
};

use serde_json::Value;

use farhold_contract::Code;

/// How a verb ended.
#[derive(Debug)]
pub struct Ran {
    /// What was run, for people.
    pub line: String,
    /// The exit code.
    pub exit: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Runs a command to its end, with nothing at standard input.
    pub fn command(command: &mut Command) -> Self {
        let output = command.stdin(Stdio::null()).output().expect("the tool can be started");
        Self::of(command, &output)
    }

    /// Runs a command to its end, with these bytes at standard input.
    pub fn fed(command: &mut Command, input: &[u8]) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the tool can be started");
        let mut stdin = child.stdin.take().expect("it was asked for");
        let output = thread::scope(|scope| {
            // Whoever has read enough closes it: no fault of the test's.
            scope.spawn(move || drop(stdin.write_all(input)));
            child.wait_with_output().expect("it ends")
        });
        Self::of(command, &output)
    }

    fn of(command: &Command, output: &Output) -> Self {
        let words = command.get_args().map(|word| word.to_string_lossy());
        Self {
            line: words.collect::<Vec<_>>().join(" "),
            exit: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// It did what it was asked; its JSON, if it printed any.
    #[track_caller]
    pub fn done(self) -> Value {
        assert_eq!(self.exit, 0, "{}\n{}{}", self.line, self.stdout, self.stderr);
        serde_json::from_str(&self.stdout).unwrap_or(Value::Null)
    }

    /// It was refused with this code, said so to a program, and ended as the code says.
    ///
    /// What it printed, for a closer look.
    #[track_caller]
    pub fn refused(self, code: Code) -> Value {
        let said: Value = serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("{}: a program reads JSON: {error}\n{}{}", self.line, self.stdout, self.stderr)
        });
        // The two tools wrap it differently.
        let told = said.get("error").unwrap_or(&said);
        assert_eq!(told["code"], code.as_str(), "{}\n{said:#}", self.line);
        assert_eq!(self.exit, i32::from(code.exit().code()), "{}\n{said:#}", self.line);
        said
    }
}
