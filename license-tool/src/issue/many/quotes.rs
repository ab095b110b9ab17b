//! Quotes: each that opens a cell must close it, or the rows after it would be taken for its text.

use super::mistake::RowMistake;

/// Where a reader stands in a cell.
enum At {
    Start,
    Plain,
    /// Inside quotes that were opened on this line.
    Quoted(u64),
    /// After a quote inside quotes: it closes them, or is the first of two.
    Quote(u64),
}

/// Refuses a table in which a quote is left open, or text follows a closing one: RFC 4180 has
/// neither, and a lenient reader swallows rows by both.
///
/// # Errors
/// The line of the mistake.
pub(super) fn require_closed(bytes: &[u8], delimiter: u8) -> Result<(), RowMistake> {
    let mut at = At::Start;
    let mut line = 1;
    for &byte in bytes {
        let ends_cell = byte == delimiter || byte == b'\n';
        at = match at {
            At::Start if byte == b'"' => At::Quoted(line),
            At::Start | At::Plain if ends_cell => At::Start,
            At::Start | At::Plain => At::Plain,
            At::Quoted(opened) if byte == b'"' => At::Quote(opened),
            At::Quoted(opened) => At::Quoted(opened),
            At::Quote(opened) if byte == b'"' => At::Quoted(opened),
            At::Quote(_) if ends_cell => At::Start,
            At::Quote(opened) if matches!(byte, b' ' | b'\t' | b'\r') => At::Quote(opened),
            At::Quote(opened) => {
                let why = format!("text follows the quote that closes the cell of line {opened}");
                return Err(RowMistake::of_row(line, why));
            }
        };
        line += u64::from(byte == b'\n');
    }
    match at {
        At::Quoted(opened) => {
            Err(RowMistake::of_row(opened, "a quote is opened here and never closed"))
        }
        _ => Ok(()),
    }
}
