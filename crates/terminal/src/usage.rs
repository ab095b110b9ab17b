//! A command line that makes no sense, on the same two lines as every other error.

use clap::error::ErrorKind;

use farhold_contract::Code;

use crate::told::Told;

/// What `program` tells of it; `None` where the help or the version was asked for.
pub(crate) fn told(error: &clap::Error, program: &str) -> Option<Told> {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return None;
    }
    if wants_help(error) {
        return Some(of("a verb is missing", None, program));
    }
    let text = error.render().to_string();
    let mut paragraphs = text.split("\n\n").map(joined);
    let what = paragraphs.next().unwrap_or_default();
    let tip = paragraphs.find_map(|paragraph| {
        paragraph.strip_prefix("tip: ").map(|tip| tip.trim_end_matches('.').to_owned())
    });
    Some(of(what.strip_prefix("error: ").unwrap_or(&what), tip, program))
}

/// Whether a verb is missing: then its error holds the list of them.
pub(crate) fn wants_help(error: &clap::Error) -> bool {
    error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
}

fn of(what: &str, tip: Option<String>, program: &str) -> Told {
    let action = tip.map_or_else(
        || format!("Read {program} --help, or --help after the verb."),
        |tip| format!("{}{}.", tip[..1].to_uppercase(), &tip[1..]),
    );
    Told { code: Code::UsageInvalid, detail: what.to_owned(), action }
}

fn joined(paragraph: &str) -> String {
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command};

    use super::*;

    fn refused(words: &[&str]) -> clap::Error {
        let command = Command::new("tool")
            .subcommand_required(true)
            .arg_required_else_help(true)
            .subcommand(Command::new("import").arg(Arg::new("file").required(true)));
        let words = std::iter::once("tool").chain(words.iter().copied());
        command.try_get_matches_from(words).unwrap_err()
    }

    #[test]
    fn a_mistake_is_told_in_one_sentence_with_the_tip_as_what_to_do() {
        let told = told(&refused(&["imprt"]), "tool").unwrap();
        assert_eq!(told.detail, "unrecognized subcommand 'imprt'");
        assert_eq!(told.action, "A similar subcommand exists: 'import'.");
    }

    #[test]
    fn without_a_tip_the_help_of_the_program_is_what_to_do() {
        let told = told(&refused(&["import"]), "tool").unwrap();
        assert!(told.detail.ends_with("were not provided: <file>"), "{}", told.detail);
        assert_eq!(told.action, "Read tool --help, or --help after the verb.");
    }

    #[test]
    fn a_missing_verb_shows_the_help_and_asking_for_it_is_no_mistake() {
        let missing = refused(&[]);
        assert!(wants_help(&missing));
        assert_eq!(told(&missing, "tool").unwrap().detail, "a verb is missing");
        assert_eq!(told(&refused(&["--help"]), "tool"), None);
    }
}
