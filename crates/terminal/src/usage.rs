//! A command line that makes no sense, on the same two lines as every other error.

use clap::error::ErrorKind;

use farhold_contract::Code;

use crate::told::Told;

/// What a command line comes to that is no verb with its arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unparsed {
    /// The help or the version was asked for: this is it, for standard output.
    Asked(String),
    /// It makes no sense.
    Mistake {
        /// What is told of it.
        told: Told,
        /// The list of verbs for people, where one is missing.
        help: Option<String>,
    },
}

impl Unparsed {
    /// What clap says of the command line of `program`.
    pub fn of(error: &clap::Error, program: &str) -> Self {
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                Self::Asked(error.render().to_string())
            }
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Self::Mistake {
                told: told("a verb is missing", None, program),
                help: Some(error.render().to_string()),
            },
            _ => Self::Mistake { told: read(&error.render().to_string(), program), help: None },
        }
    }
}

/// Whether a program asked for JSON by a command line of which no flag was parsed.
pub fn asks_for_json() -> bool {
    std::env::args_os().skip(1).take_while(|word| word != "--").any(|word| word == "--json")
}

/// What is told of an error as clap words it: the first paragraph, and the tip after it.
fn read(rendered: &str, program: &str) -> Told {
    let mut paragraphs = rendered.split("\n\n").map(joined);
    let what = paragraphs.next().unwrap_or_default();
    let tip = paragraphs.find_map(|paragraph| {
        paragraph.strip_prefix("tip: ").map(|tip| tip.trim_end_matches('.').to_owned())
    });
    told(what.strip_prefix("error: ").unwrap_or(&what), tip, program)
}

fn told(what: &str, tip: Option<String>, program: &str) -> Told {
    let action = tip.as_deref().and_then(sentence);
    let action =
        action.unwrap_or_else(|| format!("Read {program} --help, or --help after the verb."));
    Told { code: Code::UsageInvalid, detail: what.to_owned(), action }
}

fn sentence(words: &str) -> Option<String> {
    let mut letters = words.chars();
    let first = letters.next()?;
    Some(first.to_uppercase().chain(letters).chain(['.']).collect())
}

fn joined(paragraph: &str) -> String {
    paragraph.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use clap::{Arg, Command};

    use super::*;

    fn unparsed(words: &[&str]) -> Unparsed {
        let command = Command::new("tool")
            .subcommand_required(true)
            .arg_required_else_help(true)
            .subcommand(Command::new("import").arg(Arg::new("file").required(true)));
        let words = std::iter::once("tool").chain(words.iter().copied());
        Unparsed::of(&command.try_get_matches_from(words).unwrap_err(), "tool")
    }

    fn mistake(words: &[&str]) -> Told {
        match unparsed(words) {
            Unparsed::Mistake { told, help: None } => told,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_mistake_is_told_in_one_sentence_with_the_tip_as_what_to_do() {
        let told = mistake(&["imprt"]);
        assert_eq!(told.detail, "unrecognized subcommand 'imprt'");
        assert_eq!(told.action, "A similar subcommand exists: 'import'.");
    }

    #[test]
    fn without_a_tip_the_help_of_the_program_is_what_to_do() {
        let told = mistake(&["import"]);
        assert!(told.detail.ends_with("were not provided: <file>"), "{}", told.detail);
        assert_eq!(told.action, "Read tool --help, or --help after the verb.");
    }

    #[test]
    fn words_that_look_like_a_tip_are_told_and_do_no_harm() {
        for word in ["x\n\ntip: \u{e9}t\u{e9}", "x\n\ntip: .", "x\n\ntip:", "\n\n", ""] {
            let told = mistake(&[word]);
            assert!(told.action.ends_with('.') && told.code == Code::UsageInvalid, "{told:?}");
        }
    }

    #[test]
    fn a_missing_verb_shows_the_help_and_asking_for_it_is_no_mistake() {
        match unparsed(&[]) {
            Unparsed::Mistake { told, help: Some(help) } => {
                assert_eq!(told.detail, "a verb is missing");
                assert!(help.contains("import"), "{help}");
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(unparsed(&["--help"]), Unparsed::Asked(help) if help.contains("import")));
    }
}
