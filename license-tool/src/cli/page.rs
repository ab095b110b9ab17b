//! Page: what a verb has to say, for people and for programs, and how the process ends.

use std::io::{self, Write};

use serde_json::{Value, json};

use farhold_contract::{Code, exit::Exit};
use farhold_terminal::{Told, Unparsed};

use crate::refusal::Refusal;

/// Text of foreign origin on one line, without anything a terminal would act on.
pub(crate) use farhold_terminal::text::plain as one_line;

/// What a verb has to say.
pub(crate) struct Page {
    /// For people; whole lines.
    pub(crate) text: String,
    /// For programs: the same.
    pub(crate) json: Value,
    /// What should be known beside the data.
    pub(crate) warnings: Vec<String>,
    /// Warnings that people have read already, for programs.
    pub(crate) said: Vec<String>,
    /// Why it failed, where there is something to show all the same.
    pub(crate) refusal: Option<Refusal>,
}

impl Page {
    /// A page of data.
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, warnings: Vec::new(), said: Vec::new(), refusal: None }
    }

    /// With warnings.
    pub(crate) fn with_warnings(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }

    /// With warnings that were said at once.
    pub(crate) fn with_said(mut self, said: impl IntoIterator<Item = String>) -> Self {
        self.said.extend(said);
        self
    }
}

/// Prints the page or the refusal, and says how the process ends.
pub(crate) fn end(as_json: bool, page: Result<Page, Refusal>) -> Exit {
    let (page, refusal) = match page {
        Ok(mut page) => {
            let refusal = page.refusal.take();
            (Some(page), refusal)
        }
        Err(refusal) => (None, Some(refusal)),
    };
    let warnings = page.as_ref().map_or(&[][..], |page| &page.warnings);
    for warning in warnings {
        warn(warning);
    }
    let data = match (&page, as_json) {
        (Some(page), true) => pretty(&with_parts(page, refusal.as_ref())),
        (Some(page), false) => page.text.clone(),
        (None, true) => refusal.as_ref().map_or(String::new(), error_json),
        (None, false) => String::new(),
    };
    let printed = print(&data);
    if let Some(refusal) = &refusal {
        complain(refusal);
    }
    refusal.map_or(printed, |refusal| refusal.code().exit())
}

/// Prints the help that was asked for, or refuses a command line that was not understood.
pub(crate) fn end_unparsed(as_json: bool, unparsed: Unparsed) -> Exit {
    match unparsed {
        Unparsed::Asked(help) => print(&help),
        Unparsed::Mistake { told, help } => {
            if let Some(help) = help.filter(|_| !as_json) {
                talk(&help);
            }
            end(as_json, Err(Refusal::new(told.code, told.detail).with_next(told.action)))
        }
    }
}

/// Writes to standard output. A reader who has gone has all it wanted.
fn print(data: &str) -> Exit {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(data.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let what = format!("standard output can't be written: {error}");
            complain(&Refusal::new(Code::OutputUnwritable, what));
            Code::OutputUnwritable.exit()
        }
        _ => Exit::Ok,
    }
}

/// A refusal for programs.
fn error_json(refusal: &Refusal) -> String {
    pretty(&json!({ "error": error_object(refusal) }))
}

/// Says something to the person at the terminal.
pub(crate) fn talk(line: &str) {
    let _ = writeln!(io::stderr(), "{line}"); // nobody is left to be told that it failed
}

/// Warns the person at the terminal; a document's or a file's words in it move no terminal.
pub(crate) fn warn(warning: &str) {
    talk(&format!("warning: {}", one_line(warning)));
}

/// The two lines of every error.
fn complain(refusal: &Refusal) {
    let (detail, action) = (refusal.what().to_owned(), refusal.next().to_owned());
    let lines = Told { code: refusal.code(), detail, action }.lines();
    let _ = io::stderr().write_all(lines.as_bytes()); // as in `talk`
}

fn with_parts(page: &Page, refusal: Option<&Refusal>) -> Value {
    let mut json = page.json.clone();
    if let Value::Object(members) = &mut json {
        let warnings: Vec<&String> = page.said.iter().chain(&page.warnings).collect();
        if !warnings.is_empty() {
            members.insert("warnings".to_owned(), json!(warnings));
        }
        if let Some(refusal) = refusal {
            members.insert("error".to_owned(), error_object(refusal));
        }
    }
    json
}

fn error_object(refusal: &Refusal) -> Value {
    json!({
        "code": refusal.code().as_str(),
        "message": refusal.what(),
        "action": refusal.next(),
        "exit": refusal.code().exit().code(),
    })
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
