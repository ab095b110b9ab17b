//! Server: a process that serves at loopback until it is dropped, and where programs are found.

use std::{
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

use crate::binaries;

/// A start that takes longer is broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// A process that serves; it ends with this.
pub(super) struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts one that prints its address.
    ///
    /// # Errors
    /// If it can't be started, or ends.
    pub(super) fn telling(mut command: Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let out = child.stdout.take().context("it has no standard output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let address = line.trim().parse().context("it did not tell its address")?;
        Ok(Self { child, address })
    }

    /// Starts one that was given a port, and waits until it accepts.
    ///
    /// # Errors
    /// If it can't be started, or ends, or is not ready in time.
    pub(super) fn at(mut command: Command, port: u16) -> Result<Self> {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = quiet.spawn()?;
        let mut server = Self { child, address: (Ipv4Addr::LOCALHOST, port).into() };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect(server.address).is_err() {
            if let Some(status) = server.child.try_wait()? {
                bail!("it ended with {status}");
            }
            if Instant::now() > deadline {
                bail!("it was not ready within {} s", PATIENCE.as_secs());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Ok(server)
    }

    /// Where it serves.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The process's number.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port of loopback that nothing uses now.
///
/// # Errors
/// If there is none.
pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A program of the path.
///
/// # Errors
/// If it is not there.
pub(super) fn program(name: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .with_context(|| format!("{name} is not installed"))
}

/// Runs a command to its end; what it printed.
///
/// # Errors
/// If it can't be started, or fails.
pub(super) fn printed(command: &mut Command) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let Output { status, stdout, stderr } =
        command.stdin(Stdio::null()).output().with_context(|| format!("{name} can't be run"))?;
    let text = String::from_utf8_lossy(&stdout).into_owned();
    if !status.success() {
        bail!("{name} ended with {status}: {text}{}", String::from_utf8_lossy(&stderr));
    }
    Ok(text)
}

/// The bare servers, built exactly as the agent is; it must have been built before. Where
/// `FARHOLD_BIN_DIR` has them too, they are taken as they are.
///
/// # Errors
/// If they can't be built.
pub(super) fn limit_binary() -> Result<PathBuf> {
    let folder = binaries::path("farhold");
    let folder = folder.parent().context("the binary lies in a folder")?;
    let beside = folder.join("limit");
    if std::env::var_os("FARHOLD_BIN_DIR").is_some() && beside.is_file() {
        return Ok(beside);
    }
    let target = folder.parent().and_then(Path::file_name).context("a folder named by target")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build
        .current_dir(binaries::project())
        .args(["build", "--quiet", "--locked", "--release", "--package", "farhold-tests"])
        .args(["--bin", "limit", "--target"])
        .arg(target)
        .env("RUSTFLAGS", "-C target-feature=+crt-static")
        .env_remove("CARGO_ENCODED_RUSTFLAGS");
    printed(&mut build)?;
    Ok(folder.join("limit"))
}
