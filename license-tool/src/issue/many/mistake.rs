//! Mistake: what is wrong in a table, and where.

use farhold_contract::Code;

use crate::refusal::Refusal;

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowMistake {
    /// The line of the file, from 1.
    pub line: u64,
    /// The column, where one is to blame.
    pub column: Option<String>,
    /// What is wrong.
    pub why: String,
}

/// Mistakes of a table: the first ones, and how many there are.
#[derive(Debug, Default)]
pub struct Mistakes {
    first: Vec<RowMistake>,
    count: u64,
}

/// Most mistakes that are told one by one.
const TOLD: usize = 10;

impl RowMistake {
    /// A mistake of a row.
    pub fn of_row(line: u64, why: impl Into<String>) -> Self {
        Self { line, column: None, why: why.into() }
    }

    /// A mistake of a cell.
    pub fn of_cell(line: u64, column: &str, why: impl Into<String>) -> Self {
        Self { line, column: Some(column.to_owned()), why: why.into() }
    }

    /// In words.
    pub fn text(&self) -> String {
        match &self.column {
            Some(column) => format!("line {}, column {column}: {}", self.line, self.why),
            None => format!("line {}: {}", self.line, self.why),
        }
    }

    /// The refusal for it alone.
    pub fn refuse(&self) -> Refusal {
        Refusal::new(Code::TemplateInvalid, self.text())
    }
}

impl Mistakes {
    /// Takes a mistake in.
    pub fn add(&mut self, mistake: RowMistake) {
        self.count += 1;
        if self.first.len() < TOLD {
            self.first.push(mistake);
        }
    }

    /// Takes the mistakes of later rows in.
    pub(super) fn merge(&mut self, later: Self) {
        self.count += later.count;
        let room = TOLD.saturating_sub(self.first.len());
        self.first.extend(later.first.into_iter().take(room));
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The refusal for the first, with the number of the others.
    pub fn refusal(&self) -> Refusal {
        let first = self.first.first().map_or_else(String::new, RowMistake::text);
        let others = match self.count.saturating_sub(1) {
            0 => String::new(),
            1 => " (and 1 mistake more)".to_owned(),
            more => format!(" (and {more} mistakes more)"),
        };
        Refusal::new(Code::TemplateInvalid, format!("{first}{others}"))
            .with_next("Correct the table; nothing was signed.")
    }

    /// The mistakes after the first, in words; not more than a screen holds.
    pub fn others(&self) -> impl Iterator<Item = String> + '_ {
        self.first.iter().skip(1).map(RowMistake::text)
    }
}
