//! Page: what a verb has to say, for people and for programs, and how the process ends.

use std::io::{self, Write};

use serde_json::{Value, json};

use farhold_contract::{Code, exit::Exit};

use crate::refusal::Refusal;

/// What a verb has to say.
pub(crate) struct Page {
    /// For people; whole lines.
    pub(crate) text: String,
    /// For programs: the same.
    pub(crate) json: Value,
    /// What should be known beside the data.
    pub(crate) warnings: Vec<String>,
    /// Why it failed, where there is something to show all the same.
    pub(crate) refusal: Option<Refusal>,
}

impl Page {
    /// A page of data.
    pub(crate) fn new(text: impl Into<String>, json: Value) -> Self {
        Self { text: text.into(), json, warnings: Vec::new(), refusal: None }
    }

    /// With warnings.
    pub(crate) fn with_warnings(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
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
        talk(&format!("warning: {warning}"));
    }
    let data = match (&page, as_json) {
        (Some(page), true) => pretty(&with_parts(page, refusal.as_ref())),
        (Some(page), false) => page.text.clone(),
        (None, true) => refusal.as_ref().map_or(String::new(), error_json),
        (None, false) => String::new(),
    };
    let printed = print(&data);
    if let Some(refusal) = &refusal {
        talk(&format!("error: {} ({})", one_line(refusal.what()), refusal.code()));
        talk(&format!("  try: {}", one_line(refusal.next())));
    }
    refusal.map_or(printed, |refusal| refusal.code().exit())
}

/// Writes to standard output. A reader who has gone has all it wanted.
pub(crate) fn print(data: &str) -> Exit {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(data.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            talk(&format!(
                "error: standard output can't be written: {error} ({})",
                Code::OutputUnwritable
            ));
            talk(&format!("  try: {}", Code::OutputUnwritable.action()));
            Code::OutputUnwritable.exit()
        }
        _ => Exit::Ok,
    }
}

/// A refusal for programs.
pub(crate) fn error_json(refusal: &Refusal) -> String {
    pretty(&json!({ "error": error_object(refusal) }))
}

/// Says something to the person at the terminal.
pub(crate) fn talk(line: &str) {
    let _ = writeln!(io::stderr(), "{line}"); // nobody is left to be told that it failed
}

/// Text of foreign origin on one line, without anything a terminal would act on.
pub(crate) fn one_line(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        // Bidirectional controls reorder what is read; a line break would forge a line.
        let acts = character.is_control()
            || matches!(character,
                '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        if acts {
            plain.push_str(&character.escape_unicode().to_string());
        } else {
            plain.push(character);
        }
    }
    plain
}

fn with_parts(page: &Page, refusal: Option<&Refusal>) -> Value {
    let mut json = page.json.clone();
    if let Value::Object(members) = &mut json {
        if !page.warnings.is_empty() {
            members.insert("warnings".to_owned(), json!(page.warnings));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_terminal_acts_on_passes() {
        assert_eq!(one_line("plain – ñ"), "plain – ñ");
        let plain = one_line("a\u{1b}[2Jb\nc\u{202e}d\u{9b}");
        assert_eq!(plain, "a\\u{1b}[2Jb\\u{a}c\\u{202e}d\\u{9b}");
    }
}
