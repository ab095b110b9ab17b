//! Sources: the files, variables and flags a configuration is read from, in this order.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{ConfigError, Key, Origin, RawConfig};

/// The file that is read when no other is named; it may be missing.
pub const DEFAULT_FILE: &str = "/etc/farhold/agent.toml";

/// Largest configuration file, in bytes: a default file with every comment has some 3,000.
const FILE_MAX_BYTES: u64 = 1 << 20;

/// Where a configuration is read from. A running agent keeps it to read again.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// `--config`: this file, which must exist, in place of [`DEFAULT_FILE`].
    pub file: Option<PathBuf>,
    /// The `FARHOLD_` variables.
    pub environment: BTreeMap<String, String>,
    /// Flags: how it is written, what it sets, to what.
    pub flags: Vec<(&'static str, Key, String)>,
}

impl Sources {
    /// The process's own `FARHOLD_` variables with what the command line says.
    ///
    /// # Errors
    /// A variable that is not UTF-8.
    pub fn of_process(
        file: Option<PathBuf>,
        flags: Vec<(&'static str, Key, String)>,
    ) -> Result<Self, ConfigError> {
        let mut environment = BTreeMap::new();
        for (name, value) in std::env::vars_os() {
            let Some(name) = name.to_str().filter(|name| name.starts_with("FARHOLD_")) else {
                continue;
            };
            let value = value.into_string().map_err(|_| {
                ConfigError::at(Origin::Environment(name.to_owned()), "is not UTF-8 text")
            })?;
            environment.insert(name.to_owned(), value);
        }
        Ok(Self { file, environment, flags })
    }

    /// Reads everything that is written.
    ///
    /// # Errors
    /// A file that can't be read, or whatever [`RawConfig`] refuses.
    pub fn read(&self) -> Result<RawConfig, ConfigError> {
        let mut raw = RawConfig::default();
        for path in self.files()? {
            raw.lay_file(&path, &read_text(&path)?)?;
        }
        for (name, value) in &self.environment {
            raw.lay_variable(name, value)?;
        }
        for (flag, key, value) in &self.flags {
            raw.lay_flag(flag, *key, value);
        }
        Ok(raw)
    }

    /// The files that are there, in the order they are laid over each other: the main file, then
    /// `agent.d/*.toml` beside it by name.
    ///
    /// # Errors
    /// The named file is missing, or the folder can't be read.
    pub fn files(&self) -> Result<Vec<PathBuf>, ConfigError> {
        let main = self.file.as_deref().unwrap_or(Path::new(DEFAULT_FILE));
        let mut files = Vec::new();
        match fs::metadata(main) {
            Ok(_) => files.push(main.to_owned()),
            // A link to nowhere is no missing file: somebody meant something.
            Err(error)
                if error.kind() == io::ErrorKind::NotFound
                    && self.file.is_none()
                    && main.symlink_metadata().is_err() => {}
            Err(error) => return Err(unreadable(main, error)),
        }
        files.extend(drop_ins(&main.with_file_name("agent.d"))?);
        Ok(files)
    }
}

fn drop_ins(folder: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(folder, error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        // Editors and mounted volumes leave hidden files behind.
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !hidden && path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read_text(path: &Path) -> Result<String, ConfigError> {
    let mut text = String::new();
    let file = File::open(path).map_err(|error| unreadable(path, error))?;
    file.take(FILE_MAX_BYTES + 1)
        .read_to_string(&mut text)
        .map_err(|error| unreadable(path, error))?;
    if text.len() as u64 > FILE_MAX_BYTES {
        let origin = Origin::File { path: path.to_owned(), line: 0 };
        return Err(ConfigError::at(origin, "is larger than 1 MiB"));
    }
    Ok(text)
}

fn unreadable(path: &Path, error: io::Error) -> ConfigError {
    ConfigError::at(Origin::File { path: path.to_owned(), line: 0 }, "can't be read")
        .because(error)
        .action("Check the path and the rights.")
}
