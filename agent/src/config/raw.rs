//! What is written: keys and values with their places, before anything is made of them.

use std::{collections::BTreeMap, path::Path};

use toml::de::{DeTable, DeValue};

use super::{ConfigError, Key, Origin, did_you_mean};

/// What is written, the last source of each key winning.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawConfig {
    written: BTreeMap<Key, Written>,
}

/// One value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The value.
    pub value: Scalar,
    /// Where it stands.
    pub origin: Origin,
}

/// A value as it is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scalar {
    /// A string of a file; every value of the environment or a flag.
    Text(String),
    /// An integer of a file.
    Integer(i64),
    /// Something no key takes, by its TOML name.
    Other(&'static str),
}

impl RawConfig {
    /// Lays one TOML file over what is written so far.
    ///
    /// # Errors
    /// Bad TOML or an unknown key, by file and line.
    pub fn lay_file(&mut self, path: &Path, text: &str) -> Result<(), ConfigError> {
        let file = File { path, text };
        let table = DeTable::parse(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            ConfigError::at(file.origin(start), error.message().to_owned())
        })?;
        // The table is in the order of the alphabet; people correct from the top.
        let mut first_mistake: Option<(usize, ConfigError)> = None;
        self.lay_table(&file, table.get_ref(), "", &mut |start, mistake| {
            if first_mistake.as_ref().is_none_or(|(earliest, _)| start < *earliest) {
                first_mistake = Some((start, mistake));
            }
        });
        first_mistake.map_or(Ok(()), |(_, mistake)| Err(mistake))
    }

    /// Lays one environment variable over it. Those of other programs are left alone.
    ///
    /// # Errors
    /// An unknown `FARHOLD_` variable, or an empty one.
    pub fn lay_variable(&mut self, variable: &str, value: &str) -> Result<(), ConfigError> {
        if !variable.starts_with("FARHOLD_") || is_service_link(variable) {
            return Ok(());
        }
        let origin = Origin::Environment(variable.to_owned());
        let Some(key) = Key::ALL.iter().copied().find(|key| key.variable() == variable) else {
            let mistake = ConfigError::at(origin, "is no setting of this version");
            // As a key, so that the prefix they all share makes nothing alike.
            let written = variable["FARHOLD_".len()..].to_ascii_lowercase().replacen('_', ".", 1);
            let key = did_you_mean(&written, Key::ALL.iter().map(|key| key.as_str()));
            return Err(match key.and_then(Key::named) {
                Some(meant) => mistake.action(format!("Did you mean {}?", meant.variable())),
                None => mistake.action("Unset it; farhold config default lists the settings."),
            });
        };
        if value.is_empty() {
            return Err(ConfigError::at(origin, "is set, but empty").action("Unset it."));
        }
        self.lay(key, Scalar::Text(value.to_owned()), origin);
        Ok(())
    }

    /// Lays one flag over it.
    pub fn lay_flag(&mut self, flag: &str, key: Key, value: &str) {
        self.lay(key, Scalar::Text(value.to_owned()), Origin::Flag(flag.to_owned()));
    }

    /// What is written for a key, if anything.
    pub fn written(&self, key: Key) -> Option<&Written> {
        self.written.get(&key)
    }

    fn lay(&mut self, key: Key, value: Scalar, origin: Origin) {
        self.written.insert(key, Written { value, origin });
    }

    fn lay_table(
        &mut self,
        file: &File<'_>,
        table: &DeTable<'_>,
        prefix: &str,
        mistake: &mut dyn FnMut(usize, ConfigError),
    ) {
        for (name, value) in table {
            let start = name.span().start;
            let path = format!("{prefix}{}", name.get_ref());
            if let Some(key) = Key::named(&path) {
                self.lay(key, scalar(value.get_ref()), file.origin(value.span().start));
            } else if !Key::ALL.iter().any(|key| key.table() == path) {
                mistake(start, unknown(file.origin(start), &path));
            } else if let DeValue::Table(inner) = value.get_ref() {
                self.lay_table(file, inner, &format!("{path}."), mistake);
            } else {
                let what = format!("is a table, not {}", article(value.get_ref().type_str()));
                let error = ConfigError::at(file.origin(start), what).key(&path);
                mistake(start, error.action(format!("Write [{path}] and its keys below it.")));
            }
        }
    }
}

struct File<'a> {
    path: &'a Path,
    text: &'a str,
}

impl File<'_> {
    fn origin(&self, start: usize) -> Origin {
        let before = self.text.as_bytes().iter().take(start);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        Origin::File { path: self.path.to_owned(), line }
    }
}

fn scalar(value: &DeValue<'_>) -> Scalar {
    match value {
        DeValue::String(text) => Scalar::Text(text.clone().into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map_or(Scalar::Other("integer out of range"), Scalar::Integer),
        other => Scalar::Other(other.type_str()),
    }
}

fn unknown(origin: Origin, path: &str) -> ConfigError {
    let mistake = ConfigError::at(origin, "is no key of this version").key(path);
    let tables = Key::ALL.iter().map(|key| key.table()).filter(|table| !table.is_empty());
    match did_you_mean(path, Key::ALL.iter().map(|key| key.as_str()).chain(tables)) {
        Some(meant) => mistake.action(format!("Did you mean {meant}?")),
        None => mistake.action("Remove it; farhold config default lists the keys."),
    }
}

pub(super) fn article(noun: &str) -> String {
    let an = noun.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {noun}", if an { "an" } else { "a" })
}

/// A cluster that runs a service named `farhold` puts its addresses into every container's
/// environment; nobody wrote those, so they are no mistake.
fn is_service_link(variable: &str) -> bool {
    let words: Vec<&str> = variable.split('_').skip(1).collect();
    let protocol = |word: &&str| matches!(*word, "TCP" | "UDP" | "SCTP");
    let number = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    words.windows(2).any(|pair| pair[0] == "SERVICE" && matches!(pair[1], "HOST" | "PORT"))
        || words.last() == Some(&"PORT")
        || words
            .windows(3)
            .any(|three| three[0] == "PORT" && number(&three[1]) && protocol(&three[2]))
}
