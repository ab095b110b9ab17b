//! The doors: sockets bound first, served when there is something to answer with.

use std::{
    io,
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tokio::net::{TcpListener, UnixListener};

use crate::config::Config;

/// Every door of the agent, bound and not yet served.
pub struct Doors {
    /// For runtimes: the file's mode and group are the allow-list.
    pub runtimes: UnixListener,
    /// For runtimes over loopback, if configured.
    pub tcp: Option<TcpListener>,
    /// For the administrator.
    pub admin: UnixListener,
}

/// A door could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// A socket in the file system.
    #[error("could not open the socket {}", .path.display())]
    Unix {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A TCP address.
    #[error("could not listen on {address}")]
    Tcp {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl Doors {
    /// Binds every door that a configuration names.
    ///
    /// # Errors
    /// [`DoorError`] names the one that could not be.
    pub async fn bind(config: &Config) -> Result<Self, DoorError> {
        make_runtime_dir(&config.runtime_dir)?;
        let runtimes = unix(&config.agent_socket(), 0o660, config.local_gid)?;
        let admin = unix(&config.admin_socket(), 0o600, None)?;
        let tcp = match config.local_tcp {
            Some(address) => {
                let listener = TcpListener::bind(address).await;
                Some(listener.map_err(|source| DoorError::Tcp { address, source })?)
            }
            None => None,
        };
        Ok(Self { runtimes, tcp, admin })
    }
}

fn make_runtime_dir(path: &Path) -> Result<(), DoorError> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
        .map_err(|source| DoorError::Unix { path: path.to_owned(), source })
}

fn unix(path: &Path, mode: u32, gid: Option<u32>) -> Result<UnixListener, DoorError> {
    let bind = || -> io::Result<UnixListener> {
        // Whoever holds the state directory's lock owns the sockets: one left over is a corpse.
        match std::fs::symlink_metadata(path) {
            Ok(found) if found.file_type().is_socket() => std::fs::remove_file(path)?,
            Ok(_) => {
                return Err(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    "a file that is no socket is in the way",
                ));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // Nobody may connect between bind and the final mode.
        let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
        let listener = UnixListener::bind(path);
        rustix::process::umask(before);
        let listener = listener?;
        if let Some(gid) = gid {
            std::os::unix::fs::chown(path, None, Some(gid))?;
        }
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
        Ok(listener)
    };
    bind().map_err(|source| DoorError::Unix { path: path.to_owned(), source })
}
