//! Table: a CSV file, read whole, so that both passes see the same rows.

use farhold_contract::Code;

use super::{mistake::RowMistake, quotes};
use crate::refusal::Refusal;

/// Largest table, in bytes: some million rows.
pub const CSV_MAX_BYTES: usize = 1 << 30;

/// Rows under their headings.
#[derive(Debug)]
pub struct Table {
    headings: Vec<String>,
    rows: Vec<Row>,
}

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    /// Its first line in the file, from 1.
    pub(super) line: u64,
    cells: csv::StringRecord,
}

impl Row {
    /// Its cells, without the blanks around them.
    pub(super) fn cells(&self) -> impl Iterator<Item = &str> {
        self.cells.iter().map(str::trim)
    }
}

impl Table {
    /// Reads CSV (RFC 4180), also as spreadsheets write it: with a byte order mark, with `;` for
    /// the comma, with blanks around cells.
    ///
    /// # Errors
    /// `template.invalid` with the line.
    pub fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let first_line = bytes.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let delimiter =
            if first_line.contains(&b';') && !first_line.contains(&b',') { b';' } else { b',' };
        quotes::require_closed(bytes, delimiter).map_err(|mistake| mistake.refuse())?;
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter).trim(csv::Trim::All).from_reader(bytes);
        let headings: Vec<String> = reader
            .headers()
            .map_err(|error| refuse(error, 1))?
            .iter()
            .map(|name| name.trim().to_owned())
            .collect();
        if headings.iter().all(String::is_empty) {
            return Err(RowMistake::of_row(1, "there are no headings").refuse());
        }
        let mut lines = Lines { bytes, at: 0, line: 1 };
        let mut rows = Vec::new();
        for cells in reader.into_records() {
            let cells = cells.map_err(|error| {
                let line = lines.of(error.position());
                refuse(error, line)
            })?;
            // A spreadsheet's empty rows at the end.
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            let line = lines.of(cells.position());
            rows.push(Row { line, cells });
        }
        if rows.is_empty() {
            return Err(RowMistake::of_row(2, "there are no rows under the headings").refuse());
        }
        Ok(Self { headings, rows })
    }

    /// The headings.
    pub fn headings(&self) -> &[String] {
        &self.headings
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Never: a table without rows is refused when it is read.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }
}

/// Lines by their places: a reader of CRLF counts a row's line before its line feed.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of a row's first cell. Rows come in their order.
    fn of(&mut self, position: Option<&csv::Position>) -> u64 {
        let to = position.map_or(self.at, |position| position.byte() as usize);
        while let Some(byte) = self.bytes.get(self.at)
            && (self.at < to || matches!(byte, b'\r' | b'\n'))
        {
            self.line += u64::from(*byte == b'\n');
            self.at += 1;
        }
        self.line
    }
}

fn refuse(error: csv::Error, line: u64) -> Refusal {
    let why = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} cells where there are {expected_len} headings")
        }
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8; save the table as CSV UTF-8".to_owned(),
        _ => error.to_string(),
    };
    let refusal = RowMistake::of_row(line, why).refuse();
    Refusal::new(Code::TemplateInvalid, refusal.what())
        .with_next("Correct the table; nothing was signed.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_those_of_the_file_whatever_ends_them() {
        for end in ["\n", "\r\n"] {
            let text = ["a,b", "1,2", "", "3,\"x\ny\"", "5,6", "7,8,9"].join(end);
            let refused = Table::read(text.as_bytes()).unwrap_err();
            assert!(refused.what().starts_with("line 7: has 3 cells"), "{}", refused.what());
            let table = Table::read(text.trim_end_matches("7,8,9").as_bytes()).unwrap();
            let lines: Vec<u64> = table.rows().iter().map(|row| row.line).collect();
            assert_eq!(lines, [2, 4, 6], "{end:?}");
        }
    }

    #[test]
    fn a_quote_left_open_swallows_no_rows() {
        let rows = "4,four\n5,five\n";
        for (text, told) in [
            (format!("a,b\n3,\"n\n{rows}"), "line 2"),
            (format!("a,b\n1,one\n3,\"n\n{rows}6,\"six\"\n"), "line 6"),
        ] {
            let refused = Table::read(text.as_bytes()).unwrap_err();
            assert!(refused.what().starts_with(told), "{}", refused.what());
        }
        let quoted = "a,b\n\"1\" ,\"say \"\"yes\"\"\"\n2,4\" pipe\n";
        assert_eq!(Table::read(quoted.as_bytes()).unwrap().len(), 2);
    }

    #[test]
    fn a_table_without_rows_or_headings_is_refused() {
        for text in ["", "\n", "a,b", "a,b\n,\n"] {
            assert!(Table::read(text.as_bytes()).is_err(), "{text:?}");
        }
    }
}
