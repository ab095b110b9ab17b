//! What is meant by what is written.

use std::{
    net::SocketAddr,
    os::unix::ffi::OsStrExt,
    path::{Component, Path, PathBuf},
    time::Duration,
};

use tracing::Level;

use farhold_bundle::payload::SiteMode;
use farhold_contract::id::TenantId;

use super::{
    Config, ConfigError, Key, LinkConfig, LogConfig, LogFormat, Origin, RawConfig, Scalar, Written,
    raw::article, size::parse_bytes,
};

/// A socket's path has 108 bytes with its closing zero (unix(7)).
const SOCKET_PATH_MAX_BYTES: usize = 107;
/// Longer than an hour nobody waits for a link that could be there.
const SPREAD_MAX_SECONDS: u64 = 3_600;
/// Less would not hold the database, its log and a day of a small site.
const QUEUE_CAP_MIN_BYTES: u64 = 8 << 20;

impl Config {
    /// Takes what is written as meant.
    ///
    /// # Errors
    /// A value of the wrong kind, out of bounds, or in contradiction to another.
    pub fn resolve(raw: &RawConfig) -> Result<Self, ConfigError> {
        let value = |key| Value::of(raw, key);
        let runtime_dir = value(Key::RuntimeDir).path()?;
        let config = Self {
            mode: value(Key::Mode)
                .choice(&[("managed", SiteMode::Managed), ("detached", SiteMode::Detached)])?,
            tenant_id: value(Key::TenantId).tenant()?,
            state_dir: value(Key::StateDir).path()?,
            local_tcp: value(Key::LocalTcp).loopback()?,
            local_gid: value(Key::LocalGid).gid()?,
            link: LinkConfig {
                proxy: value(Key::LinkProxy).proxy()?,
                no_proxy: value(Key::LinkNoProxy).text()?.map(str::to_owned),
                proxy_user: value(Key::LinkProxyUser).text()?.map(str::to_owned),
                proxy_password_file: value(Key::LinkProxyPasswordFile).path_if_written()?,
                reconnect_spread: value(Key::LinkReconnectSpread).seconds(SPREAD_MAX_SECONDS)?,
            },
            drop_folder: value(Key::ImportDropFolder).path_if_written()?,
            cluster_id: value(Key::MachineClusterId).cluster()?,
            queue_cap_bytes: value(Key::QueueCap).cap()?,
            log: LogConfig {
                format: value(Key::LogFormat)
                    .choice(&[("text", LogFormat::Text), ("json", LogFormat::Json)])?
                    .unwrap_or(LogFormat::Text),
                level: value(Key::LogLevel).choice(&LEVELS)?.unwrap_or(Level::INFO),
            },
            trust_file: value(Key::TrustFile).path()?,
            runtime_dir,
        };
        config.check_together(raw)?;
        Ok(config)
    }

    fn check_together(&self, raw: &RawConfig) -> Result<(), ConfigError> {
        let mode = Value::of(raw, Key::Mode);
        let tenant = Value::of(raw, Key::TenantId);
        match (self.mode, self.tenant_id) {
            (Some(SiteMode::Detached), None) => {
                return Err(mode
                    .mistake("a detached site needs the tenant_id of its organization")
                    .action("Set tenant_id to the UUID the vendor gave you."));
            }
            (None, Some(_)) => {
                return Err(tenant
                    .mistake("has no effect without a mode")
                    .action("Set mode = \"detached\", or remove tenant_id."));
            }
            (Some(SiteMode::Managed), Some(_)) => {
                return Err(tenant
                    .mistake("belongs to detached sites; a managed one learns it at enrollment")
                    .action("Remove tenant_id, or set mode = \"detached\"."));
            }
            _ => {}
        }
        let runtime = Value::of(raw, Key::RuntimeDir);
        if self.admin_socket().as_os_str().as_bytes().len() > SOCKET_PATH_MAX_BYTES {
            return Err(runtime
                .mistake("is too long: a socket's path has at most 107 bytes")
                .action("Choose a shorter path."));
        }
        if self.runtime_dir.starts_with(&self.state_dir) {
            return Err(runtime
                .mistake("lies in state_dir, which products can't enter to reach the socket")
                .action("Keep the two apart."));
        }
        Ok(())
    }
}

const LEVELS: [(&str, Level); 5] = [
    ("error", Level::ERROR),
    ("warn", Level::WARN),
    ("info", Level::INFO),
    ("debug", Level::DEBUG),
    ("trace", Level::TRACE),
];

/// One key's value on its way from written to meant.
struct Value<'a> {
    key: Key,
    written: Option<&'a Written>,
}

impl<'a> Value<'a> {
    fn of(raw: &'a RawConfig, key: Key) -> Self {
        Self { key, written: raw.written(key) }
    }

    fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<Option<T>, ConfigError> {
        let Some(text) = self.text()? else { return Ok(None) };
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
            return Ok(Some(*value));
        }
        let names: Vec<String> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        Err(self
            .mistake(format!("\"{text}\" is not one of its values"))
            .action(format!("Write {}.", names.join(" or "))))
    }

    fn tenant(&self) -> Result<Option<TenantId>, ConfigError> {
        let Some(text) = self.text()? else { return Ok(None) };
        text.parse().map(Some).map_err(|error| {
            self.mistake(format!("\"{text}\" is {error}"))
                .action("Write the tenant's UUID exactly as the vendor gave it.")
        })
    }

    fn path(&self) -> Result<PathBuf, ConfigError> {
        let text = self.text()?.or(self.key.default()).unwrap_or_default();
        let path = Path::new(text);
        if path.is_absolute() && !path.components().any(|part| part == Component::ParentDir) {
            return Ok(path.to_owned());
        }
        Err(self
            .mistake(format!("\"{text}\" is not an absolute path"))
            .action("Write the whole path, from / and without \"..\"."))
    }

    fn path_if_written(&self) -> Result<Option<PathBuf>, ConfigError> {
        self.written.map(|_| self.path()).transpose()
    }

    fn proxy(&self) -> Result<Option<String>, ConfigError> {
        let Some(text) = self.text()? else { return Ok(None) };
        let example = "Write http://HOST:PORT.";
        if !text.starts_with("http://") {
            return Err(self.mistake("is not the URL of an http proxy").action(example));
        }
        if text.contains('@') {
            return Err(self.mistake("holds a user or a password").action(
                "Set link.proxy_user, and link.proxy_password_file with the password in a file.",
            ));
        }
        Ok(Some(text.to_owned()))
    }

    fn cluster(&self) -> Result<Option<String>, ConfigError> {
        let Some(text) = self.text()? else { return Ok(None) };
        uuid::Uuid::try_parse(text).map(|uuid| Some(uuid.hyphenated().to_string())).map_err(|_| {
            self.mistake(format!("\"{text}\" is not the UUID of a cluster"))
                .action("Write the uid of its namespace kube-system.")
        })
    }

    fn seconds(&self, most: u64) -> Result<Duration, ConfigError> {
        let default = self.key.default().and_then(|text| text.parse().ok());
        let written = self.integer("a number of seconds")?.map(u64::try_from).transpose();
        match written.map(|seconds| seconds.or(default)) {
            Ok(Some(seconds)) if seconds <= most => Ok(Duration::from_secs(seconds)),
            _ => Err(self.mistake(format!("is not a number of seconds from 0 to {most}"))),
        }
    }

    fn loopback(&self) -> Result<Option<SocketAddr>, ConfigError> {
        let Some(text) = self.text()? else { return Ok(None) };
        let example = "Write 127.0.0.1:PORT or [::1]:PORT.";
        let address: SocketAddr = text.parse().map_err(|_| {
            self.mistake(format!("\"{text}\" is not an address with a port")).action(example)
        })?;
        if !address.ip().is_loopback() {
            return Err(self
                .mistake(format!("{address} is not loopback: only this machine may connect"))
                .action(example));
        }
        if address.port() == 0 {
            return Err(self
                .mistake("port 0 is any port: products could not find it")
                .action(example));
        }
        Ok(Some(address))
    }

    fn gid(&self) -> Result<Option<u32>, ConfigError> {
        let Some(number) = self.integer("a group's number")? else { return Ok(None) };
        // chown takes the last one for "leave it".
        match u32::try_from(number) {
            Ok(gid) if gid != u32::MAX => Ok(Some(gid)),
            _ => Err(self.mistake(format!("{number} is no group's number"))),
        }
    }

    fn cap(&self) -> Result<Option<u64>, ConfigError> {
        let Some(written) = self.written else { return Ok(None) };
        let bytes = match &written.value {
            Scalar::Integer(number) => u64::try_from(*number).ok(),
            Scalar::Text(text) => parse_bytes(text),
            Scalar::Other(kind) => return Err(self.wrong_kind("a size like \"4GiB\"", kind)),
        };
        let example = "Write bytes, or a number with KiB, MiB, GiB or TiB: \"4GiB\".";
        match bytes {
            Some(bytes) if bytes >= QUEUE_CAP_MIN_BYTES => Ok(Some(bytes)),
            Some(_) => Err(self.mistake("is less than 8 MiB").action(example)),
            None => Err(self.mistake("is not a size").action(example)),
        }
    }

    fn text(&self) -> Result<Option<&'a str>, ConfigError> {
        match self.written.map(|written| &written.value) {
            None => Ok(None),
            Some(Scalar::Text(text)) => Ok(Some(text)),
            Some(Scalar::Integer(_)) => Err(self.wrong_kind("a text in quotes", "integer")),
            Some(Scalar::Other(kind)) => Err(self.wrong_kind("a text in quotes", kind)),
        }
    }

    fn integer(&self, wanted: &str) -> Result<Option<i64>, ConfigError> {
        let Some(written) = self.written else { return Ok(None) };
        let in_file = matches!(written.origin, Origin::File { .. });
        match &written.value {
            Scalar::Integer(number) => Ok(Some(*number)),
            Scalar::Text(_) if in_file => {
                Err(self.wrong_kind(&format!("{wanted}, without quotes"), "string"))
            }
            Scalar::Text(text) => text
                .parse()
                .map(Some)
                .map_err(|_| self.mistake(format!("\"{text}\" is not {wanted}"))),
            Scalar::Other(kind) => Err(self.wrong_kind(wanted, kind)),
        }
    }

    fn wrong_kind(&self, wanted: &str, found: &str) -> ConfigError {
        self.mistake(format!("needs {wanted}, not {}", article(found))).action(format!(
            "Write {} = {}.",
            self.key.name(),
            self.key.example()
        ))
    }

    fn mistake(&self, what: impl Into<String>) -> ConfigError {
        let origin = self.written.map_or(Origin::Default, |written| written.origin.clone());
        ConfigError::at(origin, what).key(self.key.as_str())
    }
}
