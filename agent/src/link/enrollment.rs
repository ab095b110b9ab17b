//! The agent's standing with the Kernel: one file in the state directory.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use farhold_contract::{
    Code, Sha256Digest, Timestamp,
    id::{RuntimeId, TenantId},
};

use super::{
    certificate::{CertificateError, CertificateFacts, der_of_pem},
    key_pair::TlsKeyPair,
    pinned::Anchors,
    settings::BaseUrl,
};
use crate::file::replace_private;

/// The file's name in the state directory.
pub const ENROLLMENT_FILE: &str = "enrollment.json";

/// Largest file that is read, in bytes: two identities and a few CAs are under 20 KiB.
const READ_MAX_BYTES: u64 = 256 * 1024;

/// Where the agent is enrolled, and what it shows there.
#[derive(Clone, PartialEq, Eq)]
pub struct Enrollment {
    /// The Kernel's base URL.
    pub url: String,
    /// The tenants of the site; the first is the agent's own. Never empty.
    pub tenants: Vec<TenantId>,
    /// The agent, as the Kernel knows it.
    pub runtime_id: RuntimeId,
    /// The CAs that the Kernel stands under, PEM.
    pub ca: Vec<String>,
    /// What the agent shows the Kernel.
    pub current: ClientIdentity,
    /// What it showed before the last renewal.
    pub previous: Option<ClientIdentity>,
}

/// A client certificate with its key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientIdentity {
    /// The certificate, PEM.
    pub certificate: String,
    /// From its issuer to a CA, each PEM.
    pub chain: Vec<String>,
    /// Its private key, PKCS#8 PEM.
    key: SecretPem,
}

#[derive(Clone, PartialEq, Eq)]
struct SecretPem(Zeroizing<String>);

/// Why the agent's standing can't be read or kept. It never holds a part of the key.
#[derive(Debug, thiserror::Error)]
pub enum EnrollmentError {
    /// The file can't be read.
    #[error("{} can't be read", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Others than its owner may read it.
    #[error("{} holds a private key and has mode {mode:04o}", .path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It is not what was written.
    #[error("{} is damaged ({why}); licenses, queue and device key are not touched by that", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It can't be made durable.
    #[error("{} can't be written", .path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

impl EnrollmentError {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::Unreadable { .. } | Self::Exposed { .. } | Self::Damaged { .. } => {
                Code::StateUnusable
            }
            Self::Unwritable { .. } => Code::StoreUnavailable,
        }
    }

    /// What to do.
    pub const fn action(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => {
                "Check that the file and its folder belong to the agent's user."
            }
            Self::Exposed { .. } => "chmod 600 the file; if others read it, enroll anew.",
            Self::Damaged { .. } => {
                "Restore the file, or move it away and enroll again with a new token; products are served meanwhile."
            }
            Self::Unwritable { .. } => "Check the disk's space and the folder's rights.",
        }
    }
}

impl Enrollment {
    /// Reads the file; `None` if there is none.
    ///
    /// # Errors
    /// [`EnrollmentError`]. A damaged file is no reason to stop serving.
    pub fn load(state_dir: &Path) -> Result<Option<Self>, EnrollmentError> {
        let path = state_dir.join(ENROLLMENT_FILE);
        let Some(bytes) = read_private(&path)? else { return Ok(None) };
        let damaged = |why| EnrollmentError::Damaged { path: path.clone(), why };
        let form: FileForm =
            serde_json::from_slice(&bytes).map_err(|_| damaged("it is not whole JSON"))?;
        Self::try_from(form).map(Some).map_err(damaged)
    }

    /// Writes the file anew: it holds the old standing or the new one, also after a crash.
    ///
    /// # Errors
    /// [`EnrollmentError::Unwritable`].
    pub fn save(&self, state_dir: &Path) -> Result<(), EnrollmentError> {
        let path = state_dir.join(ENROLLMENT_FILE);
        let json = serde_json::to_vec_pretty(&FileForm::from(self)).map(Zeroizing::new);
        json.map_err(io::Error::from)
            .and_then(|json| replace_private(&path, &json))
            .map_err(|source| EnrollmentError::Unwritable { path, source })
    }

    /// The agent's own tenant.
    pub fn own_tenant(&self) -> TenantId {
        self.tenants[0]
    }

    /// Whom a connection to this Kernel may lead to: its CAs as last told, and those the trust
    /// root names.
    ///
    /// # Errors
    /// [`CertificateError`]; not for an enrollment that was loaded.
    pub fn anchors(&self, kernel_ca: &[Sha256Digest]) -> Result<Anchors, CertificateError> {
        Anchors::new(kernel_ca.iter().copied(), &self.ca)
    }
}

impl ClientIdentity {
    /// Puts a certificate and its key together.
    ///
    /// # Errors
    /// [`CertificateError`]; whether they belong together is `ClientIdentity::check`'s.
    pub fn new(
        certificate: String,
        chain: Vec<String>,
        key: &TlsKeyPair,
    ) -> Result<Self, CertificateError> {
        CertificateFacts::of_pem(&certificate)?;
        Ok(Self { certificate, chain, key: SecretPem(key.to_pem()) })
    }

    /// What the certificate says.
    ///
    /// # Errors
    /// [`CertificateError`]; not for one that was loaded.
    pub fn facts(&self) -> Result<CertificateFacts, CertificateError> {
        CertificateFacts::of_pem(&self.certificate)
    }

    /// Whether the certificate holds at `at`.
    pub fn holds_at(&self, at: Timestamp) -> bool {
        self.facts().is_ok_and(|facts| facts.holds_at(at))
    }

    /// The private key, PKCS#8 PEM.
    pub(super) fn key_pem(&self) -> &str {
        &self.key.0
    }

    fn check(&self) -> Result<(), &'static str> {
        let facts = self.facts().map_err(|_| "its certificate can't be read")?;
        if self.chain.iter().any(|pem| der_of_pem(pem).is_err()) {
            return Err("its chain can't be read");
        }
        let key = TlsKeyPair::of_pem(self.key_pem()).map_err(|_| "its key can't be read")?;
        if key.spki() == facts.spki { Ok(()) } else { Err("its key is not its certificate's") }
    }
}

/// Shows where it leads, never the keys.
impl fmt::Debug for Enrollment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enrollment")
            .field("url", &self.url)
            .field("tenants", &self.tenants)
            .field("runtime_id", &self.runtime_id)
            .finish_non_exhaustive()
    }
}

impl Serialize for SecretPem {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for SecretPem {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|pem| Self(Zeroizing::new(pem)))
    }
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
struct FileForm {
    url: String,
    tenants: Vec<TenantId>,
    runtime_id: RuntimeId,
    ca: Vec<String>,
    current: ClientIdentity,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<ClientIdentity>,
}

impl From<&Enrollment> for FileForm {
    fn from(enrollment: &Enrollment) -> Self {
        let Enrollment { url, tenants, runtime_id, ca, current, previous } = enrollment.clone();
        Self { url, tenants, runtime_id, ca, current, previous }
    }
}

impl TryFrom<FileForm> for Enrollment {
    type Error = &'static str;

    fn try_from(form: FileForm) -> Result<Self, &'static str> {
        let FileForm { url, tenants, runtime_id, ca, current, previous } = form;
        url.parse::<BaseUrl>().map_err(|_| "its url is not a base URL with https")?;
        if tenants.is_empty() {
            return Err("it names no tenant");
        }
        if ca.is_empty() || ca.iter().any(|pem| der_of_pem(pem).is_err()) {
            return Err("its CA can't be read");
        }
        current.check()?;
        // The one before is kept for people: it must not keep the agent from using the current.
        let previous = previous.filter(|identity| identity.check().is_ok());
        Ok(Self { url, tenants, runtime_id, ca, current, previous })
    }
}

fn read_private(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, EnrollmentError> {
    let unreadable = |source| EnrollmentError::Unreadable { path: path.to_owned(), source };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    let mode = file.metadata().map_err(unreadable)?.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(EnrollmentError::Exposed { path: path.to_owned(), mode });
    }
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(READ_MAX_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > READ_MAX_BYTES {
        return Err(EnrollmentError::Damaged { path: path.to_owned(), why: "it is too large" });
    }
    Ok(Some(bytes))
}
