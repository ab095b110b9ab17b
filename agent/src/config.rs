//! Configuration: what is written in files, environment and flags, and what is meant by it.
//!
//! [`RawConfig`] is what is written, each value with where it stands; [`Config`] is what is meant.
//! Reading files and the environment is [`Sources`]; everything else here is text in, values out.

mod error;
mod key;
mod meant;
mod raw;
mod shown;
mod size;
mod sources;
mod suggest;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use tracing::Level;

use farhold_bundle::payload::SiteMode;
use farhold_contract::id::TenantId;

pub use error::{ConfigError, Origin};
pub use key::Key;
pub use raw::{RawConfig, Scalar, Written};
pub use shown::{default_file, effective, setting};
pub use size::{bytes_for_people, parse_bytes};
pub use sources::{DEFAULT_FILE, Sources};
pub use suggest::did_you_mean;

/// What is meant: every value checked, every default in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// How the site is linked; `None` until someone decides: the agent serves `mode: none`.
    pub mode: Option<SiteMode>,
    /// The one organization of a detached site; always there when the mode is detached.
    pub tenant_id: Option<TenantId>,
    /// Where the agent keeps what must survive.
    pub state_dir: PathBuf,
    /// Where its sockets are.
    pub runtime_dir: PathBuf,
    /// The one TCP address for runtimes, always loopback; `None`: no TCP socket at all.
    pub local_tcp: Option<SocketAddr>,
    /// The group that may open the runtimes' socket, by number: no name is looked up.
    pub local_gid: Option<u32>,
    /// The way to the Kernel.
    pub link: LinkConfig,
    /// The folder whose bundles are imported; `None`: none is watched.
    pub drop_folder: Option<PathBuf>,
    /// The Kubernetes cluster the site runs in, where its operator tells.
    pub cluster_id: Option<String>,
    /// The audit queue's cap in bytes; `None`: a share of the filesystem.
    pub queue_cap_bytes: Option<u64>,
    /// How the log is written.
    pub log: LogConfig,
    /// The trust root that the vendor's package installed, if it did.
    pub trust_file: PathBuf,
}

/// The way to the Kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkConfig {
    /// The proxy's URL; `None`: what the environment says.
    pub proxy: Option<String>,
    /// Hosts reached without it.
    pub no_proxy: Option<String>,
    /// The user at the proxy.
    pub proxy_user: Option<String>,
    /// The file with that user's password.
    pub proxy_password_file: Option<PathBuf>,
    /// Over how long agents come back after a lost link.
    pub reconnect_spread: Duration,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line.
    Json,
}

impl Config {
    /// Reads every source and takes it as meant.
    ///
    /// # Errors
    /// [`ConfigError`] with file and line, variable or flag.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        Self::resolve(&sources.read()?)
    }

    /// The runtimes' socket.
    pub fn agent_socket(&self) -> PathBuf {
        self.runtime_dir.join("agent.sock")
    }

    /// The administration socket.
    pub fn admin_socket(&self) -> PathBuf {
        self.runtime_dir.join("admin.sock")
    }
}
