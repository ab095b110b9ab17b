//! The site as it is found at the start: state directory, device key, store, documents.

mod membership;
mod standing;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use farhold_audit::{Epoch, Opening};
use farhold_bundle::{KeyId, Signer, SiteFacts, payload::SiteMode};
use farhold_contract::{
    Code, Timestamp,
    id::{RuntimeId, TenantId},
};
use farhold_keys::{FileSigner, KeyError};
use farhold_policy::{ClockReading, ClockState};
use farhold_store::{Birth, DATABASE, Opened, Store, StoreError};

use crate::{
    cap::cap_bytes,
    config::Config,
    kernel_word::{self, KernelWord},
    link::Enrollment,
    random,
    shares::Shares,
    snapshot::{Documents, Registry, Snapshot, UsageBoard},
};

use membership::{enrollment, membership};
use standing::standing;

pub use membership::Membership;

/// What never changes while the process runs.
pub struct Place {
    /// Where the agent keeps what must survive.
    pub state_dir: PathBuf,
    /// What the site is, as licenses see it.
    pub facts: SiteFacts,
    /// How the site is linked; none while nobody has decided.
    pub mode: Option<SiteMode>,
    /// For whom the agent works; none while nobody has decided.
    pub membership: Option<Membership>,
    /// The agent's standing with its Kernel as it was at the start, where it has one.
    pub enrollment: Option<Enrollment>,
    /// The agent's key.
    pub device: FileSigner,
    /// How the chain's epoch began.
    pub opening: Opening,
    /// The queue's cap, in bytes.
    pub cap_bytes: u64,
    /// This run of the agent.
    pub instance: [u8; 16],
    /// When it began.
    pub started_at: Timestamp,
    /// The damaged database that was moved aside at this start, if one was.
    pub moved_aside: Option<PathBuf>,
    _lock: File,
}

impl Place {
    /// The organization in whose context the agent records what it does.
    pub fn own_tenant(&self) -> Option<TenantId> {
        self.membership.as_ref()?.tenants.first().copied()
    }

    /// The agent as its Kernel knows it.
    pub fn runtime_id(&self) -> Option<RuntimeId> {
        self.membership.as_ref()?.runtime_id
    }
}

/// The store; the owner's alone.
pub struct Site {
    /// The store.
    pub store: Store,
    /// What never changes.
    pub place: Arc<Place>,
    /// The mark as it was last written.
    pub mark_kept: Option<Timestamp>,
    /// What callers have taken of the queue's free part.
    pub shares: Arc<Shares>,
    size: Size,
}

/// The database's size as last asked.
#[derive(Default)]
struct Size {
    bytes: u64,
    groups: u32,
}

/// After so many groups the size is asked again: what was added is estimated in between.
const SIZE_ASKED_EVERY: u32 = 32;

/// Why a site can't be opened.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// Another process has it.
    #[error("another process has the state directory {}", .path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// A file or folder can't be used.
    #[error("could not {operation} {}", .path.display())]
    File {
        /// What was being done.
        operation: &'static str,
        /// To which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The device key can't be used.
    #[error("the device key can't be used")]
    DeviceKey(#[from] KeyError),
    /// The database was begun by another device key.
    #[error("the database belongs to device key {expected}, and device.key is another; restore it, or move {} away to begin anew", .database.display())]
    OtherDevice {
        /// The key the database was begun with.
        expected: KeyId,
        /// The database.
        database: PathBuf,
    },
    /// The store can't be used.
    #[error("the database can't be used")]
    Store(#[from] StoreError),
}

impl SiteError {
    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::Locked { .. } => Code::StateLocked,
            Self::File { .. } | Self::DeviceKey(_) | Self::OtherDevice { .. } => {
                Code::StateUnusable
            }
            Self::Store(error) => error.code(),
        }
    }
}

impl Site {
    /// Opens the site that a configuration names, and says what was found; makes what a first start
    /// must make.
    ///
    /// # Errors
    /// [`SiteError`]; nothing that stood is lost by it.
    pub fn open(config: &Config, reading: &ClockReading) -> Result<(Self, Snapshot), SiteError> {
        let state_dir = &config.state_dir;
        // Whatever is made from here on is the agent's alone, SQLite's own files too.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        let lock = lock(state_dir)?;
        let device = device_key(state_dir)?;
        let birth = Birth {
            epoch: Epoch::new(random::salt()),
            device_key_id: device.public_key().id(),
            now: reading.wall,
        };
        let mut opened = Store::open(state_dir, &birth)?;
        // An agent is its device key: under another one its chain would verify nowhere.
        let expected = opened.store.opening().device_key_id;
        if expected != birth.device_key_id {
            return Err(SiteError::OtherDevice { expected, database: state_dir.join(DATABASE) });
        }
        let found = match find(&mut opened.store, config, &device, reading) {
            // Damage may lie where opening does not look. What is verified still serves.
            Err(SiteError::Store(error)) if error.is_corruption() => {
                drop(opened.store);
                opened = Store::open_anew(state_dir, &birth)?;
                find(&mut opened.store, config, &device, reading)?
            }
            found => found?,
        };
        let Opened { store, moved_aside } = opened;
        if let Some(aside) = &moved_aside {
            tracing::error!(kept = %aside.display(), "the database was damaged; it was moved aside and a new one was begun");
        }
        let Found { facts, mode, membership, enrollment, snapshot: found } = found;
        let place = Arc::new(Place {
            state_dir: state_dir.clone(),
            facts,
            mode,
            membership,
            enrollment,
            device,
            opening: *store.opening(),
            cap_bytes: cap_bytes(config.queue_cap_bytes, state_dir),
            instance: random::salt(),
            started_at: reading.wall,
            moved_aside,
            _lock: lock,
        });
        let shares = Arc::default();
        Ok((Self { store, place, mark_kept: None, shares, size: Size::default() }, found))
    }

    /// The database's size in bytes: asked now and then, in between what was added to it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn size_bytes(&mut self) -> Result<u64, StoreError> {
        if self.size.groups.is_multiple_of(SIZE_ASKED_EVERY) {
            self.size.bytes = self.store.size_bytes()?;
        }
        self.size.groups = self.size.groups.wrapping_add(1);
        Ok(self.size.bytes)
    }

    /// Notes what a kept group has made of it.
    pub fn has_size(&mut self, bytes: u64) {
        self.size.bytes = bytes;
    }
}

/// What a store holds, and what follows from it at this site.
struct Found {
    facts: SiteFacts,
    mode: Option<SiteMode>,
    membership: Option<Membership>,
    enrollment: Option<Enrollment>,
    snapshot: Snapshot,
}

fn find(
    store: &mut Store,
    config: &Config,
    device: &FileSigner,
    reading: &ClockReading,
) -> Result<Found, SiteError> {
    let enrollment = enrollment(config);
    let membership = membership(store, config, enrollment.as_ref())?;
    // Whoever enrolls has decided.
    let mode = config.mode.or(membership.as_ref().map(|_| SiteMode::Managed));
    let tenants = membership.iter().flat_map(|membership| &membership.tenants).copied();
    let facts = SiteFacts {
        mode: mode.unwrap_or(SiteMode::Managed),
        tenants: tenants.collect::<BTreeSet<TenantId>>(),
        device_key: device.public_key().clone(),
        fingerprint: BTreeMap::new(),
        open_nonce: store.own::<Option<String>>("open_nonce")?.flatten(),
    };
    let standing = standing(store, &config.state_dir, &config.trust_file)?;
    let dated_by = store.own("clock_dated_by")?;
    // What happened to the clock meanwhile, the owner's first group sees and keeps.
    let clock = store.own::<ClockState>("clock")?.unwrap_or_else(|| ClockState::start(reading));
    let snapshot = Snapshot {
        documents: Arc::new(Documents::new(standing, &facts, dated_by)),
        word: Arc::new(store.own::<KernelWord>(kernel_word::KEPT_AS)?.unwrap_or_default()),
        registry: Arc::new(Registry::new(store.tokens()?, store.runtimes()?)),
        usage: Arc::new(UsageBoard::new(store.counters())),
        clock,
        chain: *store.chain(),
        acknowledged_seq: store.acknowledged_seq(),
    };
    Ok(Found { facts, mode, membership, enrollment, snapshot })
}

/// Takes the state directory for this process, making it on a first start.
fn lock(state_dir: &Path) -> Result<File, SiteError> {
    let unusable = |operation, path: &Path| {
        let path = path.to_owned();
        move |source| SiteError::File { operation, path, source }
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state_dir)
        .map_err(unusable("create", state_dir))?;
    let path = state_dir.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(unusable("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(SiteError::Locked { path: state_dir.to_owned() })
        }
        Err(std::fs::TryLockError::Error(source)) => Err(unusable("lock", &path)(source)),
    }
}

/// An agent is its device key: made once, at the first start.
fn device_key(state_dir: &Path) -> Result<FileSigner, SiteError> {
    let path = state_dir.join("device.key");
    if path.exists() {
        return Ok(farhold_keys::load(&path, None)?);
    }
    Ok(farhold_keys::create(&path, None)?)
}
