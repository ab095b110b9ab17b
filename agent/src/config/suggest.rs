//! Suggestions: the word that was probably meant.

/// Below this likeness a suggestion misleads more than it helps.
const LIKENESS_MIN: f64 = 0.75;

/// The known word most like `written`, if any is like it at all.
///
/// Dotted words are compared whole and by their last part, so that a key in the wrong table
/// finds its place.
pub fn did_you_mean<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    known
        .into_iter()
        .map(|word| {
            let whole = strsim::jaro_winkler(written, word);
            // A little less, so that the same likeness of the whole wins.
            let last = strsim::jaro_winkler(last_part(written), last_part(word)) - 0.05;
            (word, whole.max(last))
        })
        .filter(|(_, likeness)| *likeness >= LIKENESS_MIN)
        .max_by(|(_, one), (_, other)| one.total_cmp(other))
        .map(|(word, _)| word)
}

fn last_part(word: &str) -> &str {
    word.rsplit('.').next().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_a_wrong_table_and_nonsense() {
        let known = ["mode", "tenant_id", "local.tcp", "local.gid", "queue.cap"];
        assert_eq!(did_you_mean("tennant_id", known), Some("tenant_id"));
        assert_eq!(did_you_mean("local.tpc", known), Some("local.tcp"));
        assert_eq!(did_you_mean("tcp", known), Some("local.tcp"));
        assert_eq!(did_you_mean("zzzz", known), None);
    }
}
