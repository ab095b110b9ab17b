//! Waiting: for a state directory that somebody else has.

use std::time::{Duration, Instant};

use crate::{assembly::Assembly, config::Config, site::SiteError};

use super::signals::Signals;

/// How long a start waits for a verb that works on the state directory without an agent: a large
/// import on a slow disk.
const VERB_TIME: Duration = Duration::from_secs(5);
/// How often it looks whether the directory is free.
const LOCK_LOOK: Duration = Duration::from_millis(50);

/// The site, once a verb that works on it is done; none if the agent is told to stop meanwhile.
pub(super) async fn assemble(
    config: &Config,
    signals: &mut Signals,
) -> anyhow::Result<Option<Assembly>> {
    let began = Instant::now();
    let mut told = false;
    let mut agent_before = None;
    loop {
        let error = match Assembly::of_system(config) {
            Ok(assembly) => return Ok(Some(assembly)),
            Err(error) => error,
        };
        let Some(SiteError::Locked { agent, .. }) = error.downcast_ref() else {
            return Err(error);
        };
        // An agent stays. It is looked at twice: a verb that has just come after an agent takes
        // back what that one said of itself a moment later.
        let is_an_agent = agent.is_some() && *agent == agent_before;
        if is_an_agent || began.elapsed() >= VERB_TIME {
            return Err(error);
        }
        if agent.is_none() && !told {
            tracing::warn!(state_dir = %config.state_dir.display(), at_most_seconds = VERB_TIME.as_secs(), "another process has the state directory, a verb perhaps; the agent waits for it");
            told = true;
        }
        agent_before = *agent;
        tokio::select! {
            () = tokio::time::sleep(LOCK_LOOK) => {}
            _ = signals.terminate.recv() => return Ok(None),
            _ = signals.interrupt.recv() => return Ok(None),
        }
    }
}

/// The site, once whoever still reads it for the serving that ended has let go of it.
pub(super) async fn assemble_again(config: &Config) -> anyhow::Result<Assembly> {
    const PATIENCE: Duration = Duration::from_secs(30);
    let began = Instant::now();
    loop {
        match Assembly::of_system(config) {
            Err(error)
                if began.elapsed() < PATIENCE
                    && matches!(error.downcast_ref(), Some(SiteError::Locked { .. })) =>
            {
                tokio::time::sleep(LOCK_LOOK).await;
            }
            assembled => return assembled,
        }
    }
}
