//! Configuration: kernel.toml, every value checked, every default in its place.

use std::{
    fs, io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use tracing::Level;

use farhold_contract::{Code, call::heartbeat::POLL_AFTER_MAX};

use crate::{data_dir::DataDir, life};

/// The settings as [`default_file`] shows them and [`Config::default`] means them.
const DEFAULT_FILE: &str = include_str!("kernel.toml");

/// What the operator set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where keys, certificates and the database are.
    pub data_dir: DataDir,
    /// Where agents and runtimes call.
    pub listen: SocketAddr,
    /// Where the administrator calls.
    pub admin_listen: SocketAddr,
    /// The base URL that enrollment tokens carry: `https://`, without a trailing slash.
    pub public_url: String,
    /// The names and addresses of the server certificate.
    pub host_names: Vec<String>,
    /// Seconds that agents wait between two heartbeats.
    pub poll_after_s: u32,
    /// How long an agent's certificate holds.
    pub certificate_life: Duration,
    /// How much one Kernel takes on at once.
    pub limits: KernelLimits,
    /// How the log is written.
    pub log: LogConfig,
}

/// How much one Kernel takes on at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KernelLimits {
    /// Connections of agents and runtimes together.
    pub connections: usize,
    /// Connections of administrators.
    pub admin_connections: usize,
    /// Batches verified at once: each has a thread, and up to 16 MiB, while it is.
    pub batches: usize,
    /// Batches that may be on their way, or wait for their turn, before others are told to come
    /// again; their bytes have a limit of their own.
    pub batches_waiting: usize,
    /// Compressed bytes of one batch.
    pub batch_bytes: usize,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogConfig {
    /// For people or for programs.
    pub format: LogFormat,
    /// The least severe level that is written.
    pub level: Level,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// Why the settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file can't be read.
    #[error("{} can't be read", path.display())]
    Unreadable {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The file is not the TOML it should be, or has a key that is not known.
    #[error("{}{}: {why}", path.display(), .line.map_or(String::new(), |line| format!(", line {line}")))]
    Malformed {
        /// Its path.
        path: PathBuf,
        /// The line, from 1.
        line: Option<usize>,
        /// What is wrong there.
        why: String,
    },
    /// A value makes no sense.
    #[error("{}: {key} {why}", path.display())]
    Value {
        /// The file's path.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// What it must be.
        why: String,
    },
}

impl ConfigError {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        Code::ConfigInvalid
    }
}

/// The settings file with every default, and what each means.
pub const fn default_file() -> &'static str {
    DEFAULT_FILE
}

impl Config {
    /// Reads the settings of a data directory: `file`, or its own kernel.toml, or the defaults
    /// where that is not there.
    ///
    /// # Errors
    /// [`ConfigError`] with file, line and key.
    pub fn load(data_dir: DataDir, file: Option<&Path>) -> Result<Self, ConfigError> {
        let own = data_dir.config_file();
        let path = file.unwrap_or(&own);
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if file.is_none() && error.kind() == io::ErrorKind::NotFound => {
                String::new()
            }
            Err(source) => return Err(ConfigError::Unreadable { path: path.to_owned(), source }),
        };
        Self::from_toml(data_dir.clone(), path, &text)
    }

    /// Reads settings; `path` is named in errors.
    ///
    /// # Errors
    /// [`ConfigError`] with file, line and key.
    pub fn from_toml(data_dir: DataDir, path: &Path, text: &str) -> Result<Self, ConfigError> {
        let raw: RawConfig = toml::from_str(text).map_err(|error| ConfigError::Malformed {
            path: path.to_owned(),
            line: error.span().map(|span| line_of(text, span.start)),
            why: error.message().replace('\n', " "),
        })?;
        raw.meant(data_dir).map_err(|(key, why)| ConfigError::Value {
            path: path.to_owned(),
            key,
            why,
        })
    }
}

fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The settings as written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    listen: Option<SocketAddr>,
    admin_listen: Option<SocketAddr>,
    public_url: Option<String>,
    host_names: Option<Vec<String>>,
    poll_after_s: Option<u32>,
    certificate_life: Option<String>,
    #[serde(default)]
    limits: RawLimits,
    #[serde(default)]
    log: RawLog,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLimits {
    connections: Option<usize>,
    batches: Option<usize>,
    batches_waiting: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLog {
    format: Option<LogFormat>,
    level: Option<String>,
}

type Wrong = (&'static str, String);

impl RawConfig {
    fn meant(self, data_dir: DataDir) -> Result<Config, Wrong> {
        let listen = self.listen.unwrap_or((Ipv4Addr::UNSPECIFIED, 7443).into());
        let admin_listen = self.admin_listen.unwrap_or((Ipv4Addr::LOCALHOST, 7444).into());
        let host_names = self.host_names.unwrap_or_else(|| vec!["localhost".to_owned()]);
        let Some(first) = host_names.first() else {
            return Err(("host_names", "must name at least one host".to_owned()));
        };
        if let Some(bad) = host_names.iter().find(|name| !is_host(name)) {
            return Err(("host_names", format!("has {bad:?}, which is no host name or address")));
        }
        let public_url = self
            .public_url
            .unwrap_or_else(|| format!("https://{}:{}", bracketed(first), listen.port()));
        if !public_url.starts_with("https://") || public_url.ends_with('/') {
            return Err((
                "public_url",
                "must begin with https:// and not end with a slash".to_owned(),
            ));
        }
        let poll_after_s = self.poll_after_s.unwrap_or(60);
        if !(1..=POLL_AFTER_MAX).contains(&poll_after_s) {
            return Err(("poll_after_s", format!("must be 1 to {POLL_AFTER_MAX}")));
        }
        let certificate_life = match self.certificate_life {
            None => Duration::from_hours(24 * 30),
            Some(text) => life::parse(&text).map_err(|why| ("certificate_life", why.to_owned()))?,
        };
        Ok(Config {
            data_dir,
            listen,
            admin_listen,
            public_url,
            host_names,
            poll_after_s,
            certificate_life,
            limits: self.limits.meant()?,
            log: self.log.meant()?,
        })
    }
}

impl RawLimits {
    fn meant(self) -> Result<KernelLimits, Wrong> {
        let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
        let limits = KernelLimits {
            connections: self.connections.unwrap_or(8192),
            admin_connections: 32,
            batches: self.batches.unwrap_or(cores.max(2)),
            batches_waiting: self.batches_waiting.unwrap_or(512),
            // A batch that does not compress at all is still taken, with what zstd adds to it.
            batch_bytes: (8 << 20) + (64 << 10),
        };
        for (key, value) in
            [("limits.connections", limits.connections), ("limits.batches", limits.batches)]
        {
            if value == 0 {
                return Err((key, "must be at least 1".to_owned()));
            }
        }
        Ok(limits)
    }
}

impl RawLog {
    fn meant(self) -> Result<LogConfig, Wrong> {
        let level = match self.level.as_deref() {
            None => Level::INFO,
            Some(text) => text.parse().map_err(|_| {
                ("log.level", "must be error, warn, info, debug or trace".to_owned())
            })?,
        };
        Ok(LogConfig { format: self.format.unwrap_or(LogFormat::Text), level })
    }
}

/// A DNS name or an IP address.
fn is_host(name: &str) -> bool {
    let is_name = || {
        !name.is_empty()
            && name.len() <= 253
            && name.split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                    && !label.starts_with('-')
                    && !label.ends_with('-')
            })
    };
    name.parse::<IpAddr>().is_ok() || is_name()
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, ConfigError> {
        Config::from_toml(DataDir::new("/data"), Path::new("kernel.toml"), text)
    }

    #[test]
    fn the_default_file_means_the_defaults() {
        assert_eq!(read(default_file()).unwrap(), read("").unwrap());
    }

    #[test]
    fn every_key_of_the_default_file_is_known_when_it_is_set() {
        let set: String = default_file()
            .lines()
            .map(|line| line.strip_prefix("#= ").unwrap_or(line))
            .map(|line| format!("{line}\n"))
            .collect();
        assert!(set.contains("\nlisten = "), "{set}");
        read(&set).unwrap();
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line() {
        for (text, line) in
            [("poll_after_s = 5\nlisen = \"0.0.0.0:1\"\n", 2), ("\n[limits]\nconections = 1\n", 3)]
        {
            let error = read(text).unwrap_err();
            assert!(error.to_string().contains(&format!("line {line}")), "{error}");
        }
    }

    #[test]
    fn a_value_that_makes_no_sense_is_refused_by_its_key() {
        for (text, key) in [
            ("host_names = []", "host_names"),
            ("host_names = [\"a b\"]", "host_names"),
            ("public_url = \"http://kernel.example\"", "public_url"),
            ("public_url = \"https://kernel.example/\"", "public_url"),
            ("poll_after_s = 0", "poll_after_s"),
            ("certificate_life = \"soon\"", "certificate_life"),
            ("certificate_life = \"0s\"", "certificate_life"),
            ("[limits]\nconnections = 0", "limits.connections"),
            ("[log]\nlevel = \"loud\"", "log.level"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.to_string().contains(key), "{text}: {error}");
        }
    }

    #[test]
    fn the_public_url_follows_the_first_host_and_the_port() {
        let config = read("listen = \"[::]:8443\"\nhost_names = [\"::1\"]").unwrap();
        assert_eq!(config.public_url, "https://[::1]:8443");
    }
}
