//! Data directory: where a Kernel keeps what must survive, and under which names.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
};

use farhold_contract::Code;

/// The folder that holds a Kernel's keys, certificates, settings and database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataDir(PathBuf);

/// The data directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It can't be made.
    #[error("the data directory {} can't be made", path.display())]
    Unmade {
        /// Its path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Others than its owner may read or change it.
    #[error("the data directory {} is open to others than its owner (mode {mode:04o})", path.display())]
    Exposed {
        /// Its path.
        path: PathBuf,
        /// Its mode bits.
        mode: u32,
    },
    /// A file in it can't be read.
    #[error("{} can't be read", path.display())]
    Unreadable {
        /// The file's path.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file in it is not what its name says.
    #[error("{} is not {expected}", path.display())]
    Damaged {
        /// The file's path.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
    },
}

impl DataDirError {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::Unmade { .. } => Code::OutputUnwritable,
            Self::Exposed { .. } | Self::Unreadable { .. } | Self::Damaged { .. } => {
                Code::StateUnusable
            }
        }
    }
}

impl DataDir {
    /// The folder at a path, whether or not it is there.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Makes the folder for its owner alone, if it is not there.
    ///
    /// # Errors
    /// [`DataDirError::Unmade`]; [`DataDirError::Exposed`] if it is there and open to others.
    pub fn make(&self) -> Result<(), DataDirError> {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
            .map_err(|source| DataDirError::Unmade { path: self.0.clone(), source })?;
        self.check()
    }

    /// Holds the folder to being its owner's alone.
    ///
    /// # Errors
    /// [`DataDirError::Unreadable`] if it is not there, [`DataDirError::Exposed`].
    pub fn check(&self) -> Result<(), DataDirError> {
        let found = fs::metadata(&self.0)
            .map_err(|source| DataDirError::Unreadable { path: self.0.clone(), source })?;
        let mode = found.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(DataDirError::Exposed { path: self.0.clone(), mode });
        }
        Ok(())
    }

    /// A file of the folder, as text without white space around it.
    ///
    /// # Errors
    /// [`DataDirError::Unreadable`].
    pub fn text(&self, path: PathBuf) -> Result<String, DataDirError> {
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(source) => Err(DataDirError::Unreadable { path, source }),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The settings.
    pub fn config_file(&self) -> PathBuf {
        self.0.join("kernel.toml")
    }

    /// Every CA certificate the Kernel stands under, PEM: the one that issues first.
    pub fn ca_certificates(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    /// The private key of the CA that issues.
    pub fn ca_key(&self) -> PathBuf {
        self.0.join("ca.key")
    }

    /// The private key of a CA that is about to issue, while one is rotated.
    pub(crate) fn next_ca_key(&self) -> PathBuf {
        self.0.join("ca.next.key")
    }

    /// The server's certificate, PEM.
    pub fn server_certificate(&self) -> PathBuf {
        self.0.join("server.pem")
    }

    /// The server's private key.
    pub fn server_key(&self) -> PathBuf {
        self.0.join("server.key")
    }

    /// The key that signs receipts.
    pub fn receipt_key(&self) -> PathBuf {
        self.0.join("receipt.key")
    }

    /// The administrator's token.
    pub fn admin_token(&self) -> PathBuf {
        self.0.join("admin.token")
    }

    /// The id of the vendor's own tenant, which the administrator's token belongs to.
    pub fn admin_tenant(&self) -> PathBuf {
        self.0.join("admin.tenant")
    }

    /// The name under which the Kernel issues: the `<kernel>` of its agents' SPIFFE ids.
    pub fn trust_domain(&self) -> PathBuf {
        self.0.join("trust-domain")
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.0.join("kernel.db")
    }
}
