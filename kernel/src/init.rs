//! Init: makes what a Kernel needs to run, and nothing that is there already.

use std::path::Path;

use serde::Serialize;

use farhold_bundle::{PublicKey, Signer};
use farhold_contract::{
    Code, Sha256Digest, Timestamp,
    call::heartbeat::KernelStanding,
    id::TenantId,
    model::{Policies, RuntimeType, SecurityLevel, TenantType},
};
use farhold_keys::{KeyError, write_secret};

use crate::{
    ca::{Authority, AuthorityError, load_key, make_ca, make_key},
    clock::{Clock, SystemClock},
    config::{Config, ConfigError, default_file},
    data_dir::{DataDir, DataDirError},
    open::{self, OpenError},
    place::PlaceError,
    random,
    server_identity::{IdentityError, ServerIdentity},
    storage::{RuntimeToken, StorageError, Tenant, no_trail},
};

/// What a data directory holds after [`init`].
#[derive(Debug, Clone, Serialize)]
pub struct Initialized {
    /// The public half of the receipt key: `license-tool root init --kernel-key` takes it.
    pub receipt_key: PublicKey,
    /// SHA-256 of the CA's SPKI: what agents pin.
    pub ca_sha256: Sha256Digest,
    /// The vendor's own tenant, which the administrator's token belongs to.
    pub internal_tenant_id: TenantId,
    /// The base URL that enrollment tokens will carry.
    pub url: String,
    /// The files made now; the others were there.
    pub made: Vec<String>,
}

/// What keeps a data directory from being made.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The folder.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A key or another secret file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The CA.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The server certificate.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The control plane's parts.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// A file can't be put in its place.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// No threads to run on.
    #[error("no threads to run on")]
    Threads(#[source] std::io::Error),
}

impl InitError {
    /// The code of the closed list.
    pub fn code(&self) -> Code {
        match self {
            Self::DataDir(source) => source.code(),
            Self::Config(source) => source.code(),
            Self::Key(source) => source.code(),
            Self::Authority(source) => source.code(),
            Self::Identity(source) => source.code(),
            Self::Open(source) => source.code(),
            Self::Storage(source) => source.code(),
            Self::Place(_) => Code::OutputUnwritable,
            Self::Threads(_) => Code::ServerInternal,
        }
    }
}

/// Makes keys, certificates, settings, the administrator's token and the database in `data`,
/// each only where it is missing: what was left half done is finished, nothing is overwritten.
///
/// `hosts` go into new settings; settings that are there keep theirs. It runs a runtime of its
/// own: not for asynchronous callers.
///
/// # Errors
/// [`InitError`] names what could not be made.
pub fn init(data: &Path, hosts: &[String]) -> Result<Initialized, InitError> {
    // Whatever is made from here on is the Kernel's alone, SQLite's own files too.
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(InitError::Threads)?;
    runtime.block_on(initialize(DataDir::new(data), hosts, &SystemClock))
}

/// [`init`], within a runtime and at another time.
///
/// # Errors
/// As [`init`].
pub async fn initialize(
    data_dir: DataDir,
    hosts: &[String],
    clock: &dyn Clock,
) -> Result<Initialized, InitError> {
    let now = clock.now();
    data_dir.make()?;
    let mut made = Made { data_dir: &data_dir, files: Vec::new() };
    let settings_path = data_dir.config_file();
    if !settings_path.exists() {
        // Before it is written: it would never be written over.
        Config::from_toml(data_dir.clone(), &settings_path, &settings(hosts))?;
    }
    made.unless_there("kernel.toml", || settings(hosts))?;
    let config = Config::load(data_dir.clone(), None)?;

    made.unless_there("trust-domain", || format!("{}\n", random::id_v7(now)))?;
    make_authority(&mut made, &data_dir, now)?;
    let authority = Authority::load(&data_dir)?;
    let there = data_dir.server_certificate().exists();
    ServerIdentity::load_or_make(&data_dir, &authority, &config.host_names, now)?;
    if !there {
        made.files.push("server.pem".to_owned());
    }

    let receipts = match farhold_keys::load(&data_dir.receipt_key(), None) {
        Err(KeyError::Unreadable { .. }) if !data_dir.receipt_key().exists() => {
            made.files.push("receipt.key".to_owned());
            farhold_keys::create(&data_dir.receipt_key(), None)?
        }
        loaded => loaded?,
    };
    let internal: TenantId = crate::control_plane::MintedId::mint(now);
    made.unless_there("admin.tenant", || format!("{internal}\n"))?;
    made.unless_there("admin.token", || {
        format!("{TOKEN_PREFIX}{}\n", hex::encode(random::bytes::<32>()))
    })?;
    if !data_dir.database().exists() {
        made.files.push("kernel.db".to_owned());
    }
    let internal_tenant_id = open::internal_tenant(&data_dir)?;
    admit_administrator(&data_dir, receipts.public_key(), internal_tenant_id, now).await?;
    Ok(Initialized {
        receipt_key: receipts.public_key().clone(),
        ca_sha256: authority.anchor_sha256(),
        internal_tenant_id,
        url: config.public_url,
        made: made.files,
    })
}

/// What a runtime token begins with (contract v0.2 §1.5).
const TOKEN_PREFIX: &str = "fhr_";

/// The files made so far.
struct Made<'a> {
    data_dir: &'a DataDir,
    files: Vec<String>,
}

impl Made<'_> {
    /// Writes a file of the data directory, for its owner alone, unless it is there.
    fn unless_there(
        &mut self,
        name: &str,
        content: impl FnOnce() -> String,
    ) -> Result<(), InitError> {
        let path = self.data_dir.path().join(name);
        if path.exists() {
            return Ok(());
        }
        write_secret(&path, content().as_bytes())?;
        self.files.push(name.to_owned());
        Ok(())
    }
}

/// The default settings, with the hosts given.
fn settings(hosts: &[String]) -> String {
    let mut names: Vec<&str> = hosts.iter().map(String::as_str).collect();
    if names.is_empty() {
        return default_file().to_owned();
    }
    names.dedup();
    // Names are checked when the settings are read back; JSON's strings are TOML's, too.
    let line = format!("host_names = {}", serde_json::json!(names));
    default_file().replace("#= host_names = [\"localhost\"]", &line)
}

/// The key comes first: a certificate without its key would be of no use to anyone.
fn make_authority(
    made: &mut Made<'_>,
    data_dir: &DataDir,
    now: Timestamp,
) -> Result<(), InitError> {
    if data_dir.ca_certificates().exists() {
        return Ok(());
    }
    let key = make_key()?;
    made.unless_there("ca.key", || key.serialize_pem())?;
    let key = load_key(data_dir, data_dir.ca_key())?;
    let certificate = make_ca(&data_dir.text(data_dir.trust_domain())?, &key, now)?;
    made.unless_there("ca.pem", || certificate)
}

/// Enters the vendor's tenant and the administrator's token, where the database lacks them.
async fn admit_administrator(
    data_dir: &DataDir,
    receipt_key: &PublicKey,
    internal: TenantId,
    now: Timestamp,
) -> Result<(), InitError> {
    let token = data_dir.text(data_dir.admin_token())?;
    let well_formed = token
        .strip_prefix(TOKEN_PREFIX)
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    if !well_formed {
        let expected = "a runtime token";
        return Err(DataDirError::Damaged { path: data_dir.admin_token(), expected }.into());
    }
    let storage = open::storage(data_dir, receipt_key, now)?;
    let tenant = Tenant {
        tenant_id: internal,
        kind: TenantType::Internal,
        name: None,
        standing: KernelStanding::ACTIVE,
        policies: Policies { security_level: SecurityLevel::Enterprise, data_residency: None },
        created_at: now,
    };
    unless_there(storage.create_tenant(tenant, no_trail).await)?;
    let token = RuntimeToken {
        token_id: crate::control_plane::MintedId::mint(now),
        hash: open::token_hash(&token),
        tenant_id: internal,
        runtime_type: RuntimeType::Custom,
        name: Some("administrator".to_owned()),
        created_at: now,
        revoked_at: None,
    };
    if storage.directory().token(&token.hash).is_none() {
        unless_there(storage.create_runtime_token(token, no_trail).await)?;
    }
    Ok(())
}

fn unless_there(outcome: Result<(), StorageError>) -> Result<(), StorageError> {
    match outcome {
        Err(StorageError::Exists { .. }) => Ok(()),
        other => other,
    }
}
