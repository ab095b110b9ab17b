//! Turns: what the agent does by itself while it serves.

use std::{sync::Arc, time::Duration};

use tokio::task::{JoinHandle, JoinSet};

use crate::{
    admin::Admin,
    kernel::LocalKernel,
    owner::{look_for_changes, tick},
    probes,
};

use super::{listeners::ended_unasked, signals::Signals};

/// How often the mark is written and repeats of refusals are told.
const TICK: Duration = Duration::from_secs(30);
/// How often the machine is looked at: a few dozen small files.
const LOOK: Duration = Duration::from_secs(5 * 60);

/// Why serving ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The agent was told to stop.
    Stopped,
    /// What never changes while it serves has changed: it was enrolled.
    ToBeginAnew,
}

/// What recurs, and what of it is being done.
pub(super) struct Turns {
    kernel: Arc<LocalKernel>,
    admin: Arc<Admin>,
    beating: JoinHandle<()>,
    looking: JoinHandle<()>,
}

impl Turns {
    /// Nothing is done yet.
    pub(super) fn of(kernel: &Arc<LocalKernel>, admin: &Arc<Admin>) -> Self {
        Self {
            kernel: Arc::clone(kernel),
            admin: Arc::clone(admin),
            beating: tokio::spawn(async {}),
            looking: tokio::spawn(async {}),
        }
    }

    /// Does it until the agent is told to end.
    ///
    /// # Errors
    /// A door is served no more, by a defect of ours.
    pub(super) async fn until_told(
        &mut self,
        signals: &mut Signals,
        listeners: &mut JoinSet<()>,
        reconfigure: impl Fn(),
    ) -> anyhow::Result<Ended> {
        let mut tick = tokio::time::interval(TICK);
        // The first look was at the opening.
        let mut look = tokio::time::interval_at(tokio::time::Instant::now() + LOOK, LOOK);
        let watchdog = sd_notify::watchdog_enabled();
        let mut pat = tokio::time::interval(watchdog.map_or(TICK, |period| period / 3));
        loop {
            tokio::select! {
                _ = signals.terminate.recv() => return Ok(Ended::Stopped),
                _ = signals.interrupt.recv() => return Ok(Ended::Stopped),
                () = self.admin.reopen.notified() => return Ok(Ended::ToBeginAnew),
                error = ended_unasked(listeners) => return Err(error),
                _ = signals.hangup.recv() => reconfigure(),
                _ = tick.tick() => {
                    // Not waited for here: a disk that stands still must not keep a signal waiting.
                    if self.beating.is_finished() {
                        let kernel = Arc::clone(&self.kernel);
                        self.beating = tokio::spawn(async move { beat(&kernel, false).await });
                    }
                }
                _ = look.tick() => {
                    if self.looking.is_finished() {
                        let kernel = Arc::clone(&self.kernel);
                        // The owner says so itself when nothing can be written.
                        self.looking = tokio::spawn(async move {
                            let _ = look_for_changes(&kernel.owner, &kernel.place, &*kernel.clock).await;
                        });
                    }
                }
                _ = pat.tick() => if probes::is_alive(&self.admin) {
                    notify(&[sd_notify::NotifyState::Watchdog]);
                },
            }
        }
    }

    /// Waits for what is being done, and does it a last time.
    pub(super) async fn last(self) {
        let _ = self.looking.await;
        let _ = self.beating.await;
        beat(&self.kernel, true).await;
    }
}

async fn beat(kernel: &Arc<LocalKernel>, last: bool) {
    if !last {
        let place = Arc::clone(&kernel.place);
        let kept = tokio::task::spawn_blocking(move || place.reserve.keep()).await;
        if let Ok(Err(error)) = kept {
            tracing::warn!(%error, "the reserve for a full disk can't be made");
        }
    }
    let heartbeats = kernel.heartbeats.unwritten();
    // The owner says so itself when nothing can be written.
    let _ = tick(&kernel.owner, &kernel.denials, heartbeats, last).await;
}

/// Tells the service manager.
pub(super) fn notify(states: &[sd_notify::NotifyState<'_>]) {
    // Outside a service manager there is nobody to tell.
    let _ = sd_notify::notify(states);
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tempfile::TempDir;

    use super::*;
    use crate::{
        assembly::Assembly,
        config::{Config, RawConfig},
    };

    fn assembly() -> (TempDir, Assembly) {
        let folder = tempfile::tempdir().unwrap();
        let mut raw = RawConfig::default();
        let written = format!(
            "mode = \"detached\"\ntenant_id = \"01939b6e-3c5f-7a31-8b53-0f6f1c2d3e4f\"\n\
             state_dir = \"{0}/state\"\nruntime_dir = \"{0}/run\"\n",
            folder.path().display()
        );
        raw.lay_file("agent.toml".as_ref(), &written).unwrap();
        let assembly = Assembly::of_system(&Config::resolve(&raw).unwrap()).unwrap();
        (folder, assembly)
    }

    async fn ends_by(assembly: &Assembly, mut listeners: JoinSet<()>) -> String {
        let mut turns = Turns::of(&assembly.kernel, &assembly.admin);
        let mut signals = Signals::catch().unwrap();
        let ended = turns.until_told(&mut signals, &mut listeners, || {}).await;
        turns.last().await;
        format!("{:#}", ended.unwrap_err())
    }

    #[tokio::test]
    async fn an_agent_whose_listener_has_ended_ends() {
        let (_folder, assembly) = assembly();
        let mut listeners = JoinSet::new();
        listeners.spawn(pending());
        listeners.spawn(async { panic!("as a defect would") });
        let told = ends_by(&assembly, listeners).await;
        assert!(told.starts_with("a listener has ended: ") && told.contains("panicked"), "{told}");
        let mut listeners = JoinSet::new();
        listeners.spawn(async {});
        assert_eq!(ends_by(&assembly, listeners).await, "a listener has ended");
    }
}
