//! A session: what the global flags say, and the way to the configuration and to the agent.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use clap::Args;
use tracing::Level;

use farhold_contract::Code;
use farhold_store::DATABASE;
use farhold_terminal::{Failure, stderr};

use super::log;
use crate::{
    admin::client::AdminDoor,
    config::{Config, ConfigError, Key, Sources},
    site::SiteError,
};

/// An agent takes less from its lock to its sockets, unless its disk is very slow.
const START_TIME: Duration = Duration::from_secs(5);

/// Flags that every verb takes.
#[derive(Args)]
pub(super) struct Global {
    /// Read this file instead of /etc/farhold/agent.toml, and agent.d beside it
    #[arg(long, global = true, value_name = "FILE", help_heading = "Configuration")]
    config: Option<PathBuf>,
    /// Keep state in this directory [state_dir]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Configuration")]
    state_dir: Option<String>,
    /// Find the sockets in this directory [runtime_dir]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Configuration")]
    runtime_dir: Option<String>,
    /// Write the log as text or json [log.format]
    #[arg(long, global = true, value_name = "FORM", help_heading = "Configuration")]
    log_format: Option<String>,
    /// Write the log down to this level [log.level]
    #[arg(long, global = true, value_name = "LEVEL", help_heading = "Configuration")]
    log_level: Option<String>,
    /// Answer in JSON, errors too
    #[arg(long, global = true)]
    json: bool,
}

impl Global {
    /// Whether a program reads the answer.
    pub(super) const fn json(&self) -> bool {
        self.json
    }
}

/// What the global flags say.
pub(super) struct Session {
    global: Global,
}

impl Session {
    pub(super) const fn new(global: Global) -> Self {
        Self { global }
    }

    /// Whether a program reads the answer.
    pub(super) const fn json(&self) -> bool {
        self.global.json()
    }

    /// Where the configuration is read from.
    pub(super) fn sources(&self) -> Result<Sources, ConfigError> {
        let flags = [
            ("--state-dir", Key::StateDir, &self.global.state_dir),
            ("--runtime-dir", Key::RuntimeDir, &self.global.runtime_dir),
            ("--log-format", Key::LogFormat, &self.global.log_format),
            ("--log-level", Key::LogLevel, &self.global.log_level),
        ];
        let flags = flags
            .into_iter()
            .filter_map(|(flag, key, value)| Some((flag, key, value.clone()?)))
            .collect();
        Sources::of_process(self.global.config.clone(), flags)
    }

    pub(super) fn config(&self) -> Result<Config, ConfigError> {
        Config::load(&self.sources()?)
    }

    /// The running agent, or its state directory in this process where none runs.
    ///
    /// # Errors
    /// Where no agent has ever been: whoever looks at a directory that is mistyped makes none.
    pub(super) fn door(&self) -> anyhow::Result<AdminDoor> {
        self.open(Wants::AnAgent)
    }

    /// The same for what may come before the agent's first start: its state is made.
    pub(super) fn door_making_state(&self) -> anyhow::Result<AdminDoor> {
        self.open(Wants::AnAgentOrANewOne)
    }

    fn open(&self, wants: Wants) -> anyhow::Result<AdminDoor> {
        let config = self.config()?;
        let socket = config.admin_socket();
        // The verb tells its own outcome; only what must not go unseen is logged beside it.
        log::begin(&config.log, Level::ERROR);
        let began = Instant::now();
        loop {
            if let Some(door) = AdminDoor::running(&socket)? {
                return Ok(door);
            }
            if wants == Wants::AnAgent {
                require_state(&config)?;
            }
            match AdminDoor::in_process(&config.state_dir, || crate::standalone(&config)) {
                Ok(door) => {
                    stderr::write(format!(
                        "No agent runs at {}: working on {} directly.\n",
                        config.runtime_dir.display(),
                        config.state_dir.display()
                    ));
                    return Ok(door);
                }
                // An agent that has the directory and does not answer is about to: it starts, or
                // begins anew after an enrollment.
                Err(error) if is_locked(&error) && began.elapsed() < START_TIME => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// What a verb needs where no agent runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wants {
    /// The state of one.
    AnAgent,
    /// The state of one, or a new one's.
    AnAgentOrANewOne,
}

/// Refuses a directory in which no agent has ever kept its state.
fn require_state(config: &Config) -> Result<(), Failure> {
    // One that this user may not look into is told of when it is opened.
    if config.state_dir.join(DATABASE).try_exists().unwrap_or(true) {
        return Ok(());
    }
    let what = format!(
        "no agent runs at {}, and none has kept its state in {}",
        config.runtime_dir.display(),
        config.state_dir.display()
    );
    let action = "Name the directory of its state with --state-dir, or that of its sockets with \
        --runtime-dir; the first agent here begins with farhold run.";
    Err(Failure::new(Code::AgentUnreachable, what).action(action))
}

fn is_locked(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref::<SiteError>(), Some(SiteError::Locked { .. }))
}
