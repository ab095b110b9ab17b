//! Text for people: aligned columns, times with their distance, nothing that moves a terminal.

use std::time::Duration;

use farhold_contract::Timestamp;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What others wrote, without what a terminal would obey, what reorders or breaks the line, and what
/// nobody sees: two names that look alike are alike.
pub fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() || is_unseen(c) { '\u{fffd}' } else { c }).collect()
}

/// Whether a character shows nothing of its own: Unicode's `Default_Ignorable_Code_Point` (which
/// holds the controls of direction, joiners, fillers, selectors and tags), the separators of lines
/// and paragraphs, and interlinear annotation.
const fn is_unseen(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// Rows in columns two blanks apart.
pub fn columns(rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max()
    };
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let blanks = width(column).unwrap_or(0).saturating_sub(cell.chars().count()) + 2;
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', blanks));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Rows under their heads, in columns.
pub fn table(heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let heads = heads.iter().map(|head| (*head).to_owned()).collect();
    columns(&std::iter::once(heads).chain(rows).collect::<Vec<_>>())
}

/// Names and values, the values aligned.
pub fn facts(facts: &[(&str, String)]) -> String {
    columns(
        &facts
            .iter()
            .map(|(name, value)| vec![format!("  {name}"), value.clone()])
            .collect::<Vec<_>>(),
    )
}

/// A moment with its distance from now: `2027-01-31T11:59:59Z (in 70 days)`.
pub fn moment(at: Timestamp, now: Timestamp) -> String {
    match (span(at.saturating_since(now)), span(now.saturating_since(at))) {
        (Some(ahead), _) => format!("{at} (in {ahead})"),
        (None, Some(behind)) => format!("{at} ({behind} ago)"),
        (None, None) => format!("{at} (now)"),
    }
}

/// A duration in its largest unit, rounded down; `None` below a second.
pub fn span(duration: Duration) -> Option<String> {
    let seconds = duration.as_secs();
    let (count, unit) = match seconds {
        0 => return None,
        1..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / DAY.as_secs(), "day"),
    };
    Some(if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") })
}

/// What there is, or a dash.
pub fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

/// `1 record`, `2 records`.
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_moves_no_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\r\n\u{202e}c"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}\u{fffd}c");
        for seen in
            ["Zürich – 東京", "C++ & Söhne, «Perú»", "שלום", "سلام", "a\u{301}", "नमस्ते", "\u{fffd}"]
        {
            assert_eq!(plain(seen), seen);
        }
    }

    #[test]
    fn no_character_of_a_class_that_acts_or_hides_passes() {
        for (class, ranges) in [
            ("C0", &['\0'..='\u{1f}'][..]),
            ("DEL and C1", &['\u{7f}'..='\u{9f}']),
            ("marks of direction", &['\u{200e}'..='\u{200f}', '\u{61c}'..='\u{61c}']),
            ("embeddings and overrides", &['\u{202a}'..='\u{202e}']),
            ("isolates", &['\u{2066}'..='\u{2069}']),
            (
                "zero width",
                &['\u{200b}'..='\u{200d}', '\u{2060}'..='\u{2060}', '\u{feff}'..='\u{feff}'],
            ),
            ("line and paragraph", &['\u{2028}'..='\u{2029}']),
            ("invisible operators", &['\u{2061}'..='\u{2064}']),
            ("deprecated format controls", &['\u{206a}'..='\u{206f}']),
            ("soft hyphen, grapheme joiner", &['\u{ad}'..='\u{ad}', '\u{34f}'..='\u{34f}']),
            (
                "fillers",
                &['\u{115f}'..='\u{1160}', '\u{3164}'..='\u{3164}', '\u{ffa0}'..='\u{ffa0}'],
            ),
            ("inherent vowels", &['\u{17b4}'..='\u{17b5}']),
            (
                "selectors",
                &['\u{180b}'..='\u{180f}', '\u{fe00}'..='\u{fe0f}', '\u{e0100}'..='\u{e01ef}'],
            ),
            ("annotation", &['\u{fff9}'..='\u{fffb}']),
            ("shorthand and music", &['\u{1bca0}'..='\u{1bca3}', '\u{1d173}'..='\u{1d17a}']),
            ("tags", &['\u{e0001}'..='\u{e0001}', '\u{e0020}'..='\u{e007f}']),
        ] {
            for c in ranges.iter().cloned().flatten() {
                assert_eq!(plain(&format!("at{c}las")), "at\u{fffd}las", "{class}: {c:?}");
            }
        }
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["a".into(), "b".into()], vec!["ccc".into(), "d".into()]];
        assert_eq!(columns(&rows), "a    b\nccc  d\n");
    }

    #[test]
    fn a_table_has_its_heads_on_top() {
        let rows =
            [vec!["1".to_owned(), or_dash(Some(2))], vec!["33".to_owned(), or_dash(None::<u8>)]];
        assert_eq!(table(&["ID", "OF"], rows), "ID  OF\n1   2\n33  -\n");
    }

    #[test]
    fn a_moment_says_how_far_it_is() {
        let now = Timestamp::from_ms(1_000_000_000);
        assert!(moment(now + DAY * 3, now).ends_with("(in 3 days)"));
        assert!(moment(now - Duration::from_secs(60), now).ends_with("(1 minute ago)"));
        assert!(moment(now, now).ends_with("(now)"));
    }
}
