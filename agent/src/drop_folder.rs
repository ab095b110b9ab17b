//! The drop folder: bundles that somebody puts there are imported, and moved away with the reason.
//!
//! One path for every bundle: what is taken here goes to the same [`Importer`] as what is pulled
//! or imported by hand. Whatever is wrong with the folder is told and tried again; it never ends
//! the agent.

mod error;
mod folder;
mod outcome;
mod sightings;

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
    sync::{
        Arc, Weak,
        mpsc::{self, RecvTimeoutError},
    },
    time::Duration,
};

use tokio::{runtime::Handle, sync::oneshot};

use farhold_api::Refusal;
use farhold_contract::Code;
use farhold_terminal::text;

use crate::importer::{Imported, Importer, Offer, Way};

use folder::{Folder, Offered};
use outcome::Outcome;
use sightings::Sightings;

pub use error::FolderError;
pub use folder::{DONE, REFUSED, examine};

/// How often an empty folder is looked at: soon enough for whoever waits beside it.
const IDLE_LOOK: Duration = Duration::from_secs(5);
/// How often while a file is expected to stand still.
const BUSY_LOOK: Duration = Duration::from_secs(2);
/// How many idle looks a bundle is left alone after a failure that is not its own: a minute.
const LOOKS_TO_WAIT: u32 = 12;
/// How many for one that can't be read or moved away: an hour, and it is told each time.
const LOOKS_WHILE_STUCK: u32 = 720;
/// How long stopping waits for a folder whose filesystem stands still.
const STOP_TIME: Duration = Duration::from_secs(5);

/// The thread that watches a folder; it ends when this is stopped or dropped.
///
/// A thread of its own: a share that hangs must keep nobody waiting who asks for a license.
pub struct Watch {
    stop: mpsc::Sender<()>,
    ended: oneshot::Receiver<()>,
}

impl Watch {
    /// Begins to watch. Call it inside the runtime that will import.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub fn start(path: PathBuf, importer: &Arc<Importer>) -> std::io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let (end, ended) = oneshot::channel();
        // Weak: a look that hangs must not keep the database from being closed.
        let (importer, runtime) = (Arc::downgrade(importer), Handle::current());
        std::thread::Builder::new().name("drop-folder".to_owned()).spawn(move || {
            let agent_uid = rustix::process::geteuid().as_raw();
            watch(DropFolder::new(path, agent_uid), &importer, &runtime, &stopped);
            let _ = end.send(());
        })?;
        Ok(Self { stop, ended })
    }

    /// Ends the watch after the import it is at, if it is at one.
    pub async fn stop(self) {
        drop(self.stop);
        if tokio::time::timeout(STOP_TIME, self.ended).await.is_err() {
            tracing::warn!("the drop folder does not answer; it is left alone");
        }
    }
}

fn watch(
    mut folder: DropFolder,
    importer: &Weak<Importer>,
    runtime: &Handle,
    stopped: &mpsc::Receiver<()>,
) {
    let mut next = Duration::ZERO;
    while stopped.recv_timeout(next) == Err(RecvTimeoutError::Timeout) {
        next = folder.look(&mut |bundle| match importer.upgrade() {
            Some(importer) => runtime.block_on(importer.import(Offer::by(Way::DropFolder, bundle))),
            None => Err(Code::StoreUnavailable.into()),
        });
    }
}

/// A folder and what was seen in it.
pub struct DropFolder {
    path: PathBuf,
    agent_uid: u32,
    sightings: Sightings,
    /// What was told of the folder itself: told again only when it changes.
    failing: Option<String>,
}

impl DropFolder {
    /// A folder as the agent's user sees it; nothing is looked at yet.
    pub fn new(path: PathBuf, agent_uid: u32) -> Self {
        Self { path, agent_uid, sightings: Sightings::default(), failing: None }
    }

    /// Looks once: hands every bundle that stood still to `import` and moves it to where it
    /// belongs. Says after how long to look again.
    pub fn look(
        &mut self,
        import: &mut dyn FnMut(Vec<u8>) -> Result<Imported, Refusal>,
    ) -> Duration {
        let folder = match Folder::open(&self.path, self.agent_uid) {
            Ok(folder) => folder,
            Err(error) => return self.unusable(&error),
        };
        let seen = match folder.bundles() {
            Ok(seen) => seen,
            Err(error) => return self.unusable(&error),
        };
        if self.failing.take().is_some() {
            tracing::info!(folder = %self.path.display(), "the drop folder can be used");
        }
        for name in self.sightings.standing_still(seen) {
            self.take(&folder, &name, import);
        }
        if self.sightings.expects_one() { BUSY_LOOK } else { IDLE_LOOK }
    }

    fn take(
        &mut self,
        folder: &Folder,
        name: &OsStr,
        import: &mut dyn FnMut(Vec<u8>) -> Result<Imported, Refusal>,
    ) {
        let Some(seen) = self.sightings.of(name) else { return };
        let outcome = match folder.open_bundle(name, &seen) {
            Ok(Offered::Bundle(bundle)) => match import(bundle) {
                // The disk, the database: the bundle is not to blame.
                Err(refusal) if refusal.code.status() >= 500 => {
                    tracing::warn!(bundle = %shown(name), code = %refusal.code, "a bundle in the drop folder could not be imported; it is tried again");
                    self.sightings.leave_alone(name, LOOKS_TO_WAIT);
                    return;
                }
                imported => Outcome::of(imported),
            },
            Ok(Offered::Refused(refusal)) => Outcome::of(Err(refusal)),
            // Written to, replaced or taken away meanwhile: seen anew at the next look.
            Ok(Offered::Changed) => return self.sightings.forget(name),
            Err(error) => return self.stuck(name, &error),
        };
        match folder.put_away(name, &seen, &outcome) {
            Ok(kept_as) => {
                self.sightings.forget(name);
                tracing::info!(bundle = %shown(name), code = outcome.code.map_or("none", Code::as_str), kept_as = %shown(kept_as.as_os_str()), "a bundle of the drop folder was taken");
            }
            Err(error) => self.stuck(name, &error),
        }
    }

    /// A disk that is full stays so for a while: tried again later, or when the file changes.
    fn stuck(&mut self, name: &OsStr, error: &FolderError) {
        // It names the file.
        let reason = text::plain(&crate::error_chain(error).to_string());
        tracing::warn!(bundle = %shown(name), %reason, "a bundle of the drop folder can't be taken or moved away");
        self.sightings.leave_alone(name, LOOKS_WHILE_STUCK);
    }

    fn unusable(&mut self, error: &FolderError) -> Duration {
        let reason = crate::error_chain(error).to_string();
        if self.failing.as_ref() != Some(&reason) {
            tracing::warn!(%reason, action = error.action(), "the drop folder is not watched");
            self.failing = Some(reason);
        }
        IDLE_LOOK
    }
}

fn shown(name: &OsStr) -> String {
    text::plain(&OsString::from(name).to_string_lossy())
}
