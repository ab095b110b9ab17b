//! The doors: bound first, spoken TLS on, served when there is something to answer with.

use std::{io, net::SocketAddr, sync::Arc};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;

use crate::{
    config::Config,
    control_plane::ControlPlane,
    server_identity::ServerIdentity,
    tls::{Asks, TlsError, TlsListener},
};

/// Connections that may wait to be accepted: a thousand agents come back at once.
const BACKLOG: u32 = 4096;

/// Every door of the Kernel, bound and not yet served.
pub struct Doors {
    calls: TcpListener,
    admin: TcpListener,
}

/// A door could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// An address can't be listened on.
    #[error("could not listen on {address}")]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// TLS can't be spoken on it.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Doors {
    /// Binds every door that the settings name.
    ///
    /// # Errors
    /// [`DoorError`] names the address that could not be.
    pub fn bind(config: &Config) -> Result<Self, DoorError> {
        Ok(Self { calls: listen(config.listen)?, admin: listen(config.admin_listen)? })
    }

    /// Where they are, once a port 0 has become one: calls, administration.
    ///
    /// # Errors
    /// What the system says.
    pub fn addresses(&self) -> io::Result<(SocketAddr, SocketAddr)> {
        Ok((self.calls.local_addr()?, self.admin.local_addr()?))
    }

    /// Speaks TLS at them: for calls, for administration.
    ///
    /// # Errors
    /// [`DoorError::Tls`].
    pub fn speak(
        self,
        plane: &ControlPlane,
        identity: &Arc<ServerIdentity>,
    ) -> Result<(TlsListener, TlsListener), DoorError> {
        let door = |tcp, asks| TlsListener::new(tcp, Arc::clone(identity), &plane.authority, asks);
        Ok((door(self.calls, Asks::ForCertificates)?, door(self.admin, Asks::ForNothing)?))
    }
}

/// Raises the number of open files to what the system allows: each connection is one.
pub(crate) fn allow_connections() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        tracing::warn!(%error, "the open-files limit could not be raised");
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, DoorError> {
    let bind = || {
        let socket = match address {
            SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4()?,
            SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6()?,
        };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        socket.listen(BACKLOG)
    };
    bind().map_err(|source| DoorError::Address { address, source })
}
