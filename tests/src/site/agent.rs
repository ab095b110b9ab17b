//! Agent: the process, its readiness and its log.

use std::{
    fs::{self, File, OpenOptions},
    io::ErrorKind,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

/// A start or an end that takes longer is broken.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at a process.
const GLANCE: Duration = Duration::from_millis(2);

/// What it means that nothing has been heard yet.
const SILENCE: [ErrorKind; 3] =
    [ErrorKind::WouldBlock, ErrorKind::TimedOut, ErrorKind::Interrupted];

/// A running agent.
pub struct Agent {
    child: Child,
}

/// How a start ended.
pub(crate) enum Start {
    /// It serves.
    Ready(Agent),
    /// It ended instead.
    Ended(ExitStatus),
}

impl Agent {
    /// Starts the command and waits until it says READY, or ends. Its log is added to `log`.
    pub(crate) fn start(mut command: Command, notify: &Path, log: &Path) -> Start {
        let _ = fs::remove_file(notify);
        let socket = UnixDatagram::bind(notify).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        command
            .env("NOTIFY_SOCKET", notify)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(appending(log));
        let mut child = command.spawn().expect("the agent can be started");
        let deadline = Instant::now() + PATIENCE;
        let mut message = [0; 512];
        loop {
            match socket.recv(&mut message) {
                Ok(length) if message[..length].windows(7).any(|word| word == b"READY=1") => {
                    return Start::Ready(Self { child });
                }
                Ok(_) => {}
                Err(error) if SILENCE.contains(&error.kind()) => {}
                Err(error) => panic!("the agent's readiness can't be heard: {error}"),
            }
            if let Some(status) = child.try_wait().unwrap() {
                return Start::Ended(status);
            }
            assert!(Instant::now() < deadline, "the agent is not ready: {}", text_of(log));
        }
    }

    /// Starts the command and ends it after a while, ready or not.
    pub(crate) fn start_and_kill(mut command: Command, log: &Path, after: Duration) {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(appending(log));
        let child = command.spawn().expect("the agent can be started");
        thread::sleep(after);
        Self { child }.kill();
    }

    /// The process's number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it without a word, as kill -9 does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process");
        kill_process(id, signal).unwrap();
    }

    /// Tells it to stop, and waits until it has.
    pub fn stop(mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            if Instant::now() >= deadline {
                // Nobody else would end it.
                let _ = self.child.kill();
                panic!("it does not stop");
            }
            thread::sleep(GLANCE);
        }
    }
}

/// Waits, for a bounded time, until something is so.
#[track_caller]
pub fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        thread::sleep(GLANCE);
    }
}

/// A log's lines, each an object as the agent writes them for programs.
pub(crate) fn log_lines(log: &Path) -> Vec<Value> {
    let parsed =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|_| Value::String(line.to_owned()));
    text_of(log).lines().map(parsed).collect()
}

pub(crate) fn text_of(log: &Path) -> String {
    fs::read(log).map_or_else(|_| String::new(), |text| String::from_utf8_lossy(&text).into_owned())
}

fn appending(path: &Path) -> File {
    let path: PathBuf = path.to_owned();
    OpenOptions::new().create(true).append(true).open(path).unwrap()
}
