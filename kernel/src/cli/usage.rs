//! A command line that makes no sense, on the same two lines as every other error.

use clap::error::ErrorKind;

use farhold_contract::Code;

use super::failure::Told;

/// What to tell of it; `None` where the help or the version was asked for.
pub(super) fn told(error: &clap::Error) -> Option<Told> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return None;
    }
    if wants_help(error) {
        return Some(of("a verb is missing", None));
    }
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(joined);
    let what = paragraphs.next().unwrap_or_default();
    let tip = paragraphs.find_map(|paragraph| {
        paragraph.strip_prefix("tip: ").map(|tip| tip.trim_end_matches('.').to_owned())
    });
    Some(of(what.strip_prefix("error: ").unwrap_or(&what), tip))
}

/// Whether a verb is missing: then its error holds the list of them.
pub(super) fn wants_help(error: &clap::Error) -> bool {
    error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
}

fn of(what: &str, tip: Option<String>) -> Told {
    let action = tip.map_or_else(
        || "Read farhold-kernel --help, or --help after the verb.".to_owned(),
        |tip| format!("{}{}.", tip[..1].to_uppercase(), &tip[1..]),
    );
    Told { code: Code::UsageInvalid, detail: what.to_owned(), action }
}

fn joined(paragraph: &str) -> String {
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}
