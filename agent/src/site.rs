//! The site as it is found at the start: state directory, device key, store, documents.

mod device_key;
mod error;
mod fixed_facts;
mod lock;
mod machine_found;
mod membership;
mod set_aside;
mod standing;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use farhold_audit::{Epoch, Opening};
use farhold_bundle::{Signer, payload::SiteMode};
use farhold_contract::{
    Timestamp,
    id::{RuntimeId, TenantId},
};
use farhold_keys::FileSigner;
use farhold_policy::{ClockReading, ClockState};
use farhold_store::{Birth, DATABASE, Opened, Store, StoreError};

use crate::{
    cap::cap_bytes,
    config::Config,
    kernel_word::{self, KernelWord},
    link::Enrollment,
    machine::{Kept, Look, Machine},
    random,
    reserve::Reserve,
    shares::Shares,
    snapshot::{Documents, Registry, Snapshot, UsageBoard},
};

use device_key::device_key;
use lock::Lock;
use machine_found::{MachineFound, machine_found};
use membership::{enrollment, membership};
use set_aside::set_aside;
use standing::{Stood, standing};

pub use error::SiteError;
pub use fixed_facts::FixedFacts;
pub use membership::Membership;
pub(crate) use set_aside::SET_ASIDE;

/// What never changes while the process runs.
pub struct Place {
    /// Where the agent keeps what must survive.
    pub state_dir: PathBuf,
    /// What the site is, as far as that never changes.
    pub facts: FixedFacts,
    /// The machine under it.
    pub machine: Machine,
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
    /// The room that is kept back for a full disk.
    pub reserve: Reserve,
    /// This run of the agent.
    pub instance: [u8; 16],
    /// When it began, by the time that licenses are judged by.
    pub started_at: Timestamp,
    /// The damaged database that was moved aside at this start, if one was.
    pub moved_aside: Option<PathBuf>,
    /// Whether documents of the second copy serve that the database did not have.
    pub by_second_copy: bool,
    lock: Lock,
}

impl Place {
    /// The organization in whose context the agent records what it does.
    pub fn own_tenant(&self) -> Option<TenantId> {
        self.membership.as_ref()?.tenants.first().copied()
    }

    /// Says to whoever wants the state directory that an agent has it, and stays.
    pub fn is_an_agents(&self) {
        self.lock.is_an_agents();
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
    /// Components of the machine that were found to have changed at the start: the first group
    /// that commits keeps that, and what else is new about the machine. None: nothing is.
    pub machine_news: Option<Vec<String>>,
    size: Size,
}

/// The database's size as last asked.
#[derive(Default)]
struct Size {
    bytes: u64,
    groups: u32,
}

/// Under which name the store keeps the nonce of the one open request.
pub(crate) const OPEN_NONCE: &str = "open_nonce";

/// After so many groups the size is asked again: what was added is estimated in between.
const SIZE_ASKED_EVERY: u32 = 32;

impl Site {
    /// Opens the site that a configuration names on a machine, and says what was found; makes what
    /// a first start must make. On a full disk the reserve gives it the room.
    ///
    /// # Errors
    /// [`SiteError`]; nothing that stood is lost by it.
    pub fn open(
        config: &Config,
        machine: &Machine,
        reading: &ClockReading,
    ) -> Result<(Self, Snapshot), SiteError> {
        match Self::open_in_room(config, machine.clone(), reading) {
            Err(SiteError::Store(error))
                if error.is_full() && Reserve::of(&config.state_dir).give_up() =>
            {
                Self::open_in_room(config, machine.clone(), reading)
            }
            opened => opened,
        }
    }

    fn open_in_room(
        config: &Config,
        machine: Machine,
        reading: &ClockReading,
    ) -> Result<(Self, Snapshot), SiteError> {
        let look = machine.look();
        let state_dir = &config.state_dir;
        // Whatever is made from here on is the agent's alone, SQLite's own files too.
        rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
        let lock = Lock::take(state_dir)?;
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
        let found = match find(&mut opened.store, config, &device, &look, reading) {
            // Damage may lie where opening does not look. What is verified still serves.
            Err(SiteError::Store(error)) if error.is_corruption() => {
                drop(opened.store);
                opened = Store::open_anew(state_dir, &birth)?;
                find(&mut opened.store, config, &device, &look, reading)?
            }
            found => found?,
        };
        let Opened { store, moved_aside } = opened;
        if let Some(aside) = &moved_aside {
            tracing::error!(kept = %aside.display(), "the database was damaged; it was moved aside and a new one was begun");
        }
        let Found {
            facts,
            machine_news,
            mode,
            membership,
            enrollment,
            by_second_copy,
            snapshot: found,
        } = found;
        let place = Arc::new(Place {
            state_dir: state_dir.clone(),
            facts,
            machine,
            mode,
            membership,
            enrollment,
            device,
            opening: *store.opening(),
            cap_bytes: cap_bytes(config.queue_cap_bytes, state_dir),
            reserve: Reserve::of(state_dir),
            instance: random::salt(),
            started_at: found.now(reading).instant,
            moved_aside,
            by_second_copy,
            lock,
        });
        let shares = Arc::default();
        let size = Size::default();
        Ok((Self { store, place, mark_kept: None, shares, machine_news, size }, found))
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
    facts: FixedFacts,
    machine_news: Option<Vec<String>>,
    mode: Option<SiteMode>,
    membership: Option<Membership>,
    enrollment: Option<Enrollment>,
    by_second_copy: bool,
    snapshot: Snapshot,
}

fn find(
    store: &mut Store,
    config: &Config,
    device: &FileSigner,
    look: &Look,
    reading: &ClockReading,
) -> Result<Found, SiteError> {
    let enrollment = enrollment(config);
    let membership = membership(store, config, enrollment.as_ref())?;
    // Whoever enrolls has decided.
    let mode = config.mode.or(membership.as_ref().map(|_| SiteMode::Managed));
    let tenants = membership.iter().flat_map(|membership| &membership.tenants).copied();
    let facts = FixedFacts {
        mode: mode.unwrap_or(SiteMode::Managed),
        tenants: tenants.collect::<BTreeSet<TenantId>>(),
        device_key: device.public_key().clone(),
    };
    let Stood { standing, by_second_copy } =
        standing(store, &config.state_dir, &config.trust_file, device.public_key())?;
    let set_aside = set_aside(store, &standing)?;
    // What happened to the clock meanwhile, the owner's first group sees and keeps.
    let clock = store.own::<ClockState>("clock")?.unwrap_or_else(|| ClockState::start(reading));
    let mark = clock.now(reading, standing.floor(&set_aside)).mark;
    let issuer = standing.root().map(|root| root.root().issuer.id);
    let found = Kept::load(store, &config.state_dir)?;
    // A verb may open the site and change nothing: what is given up must not hang on a next group.
    if !found.in_copy
        && let Err(error) = found.kept.write_copy(&config.state_dir)
    {
        tracing::error!(%error, "the second copy of what is known of the machine could not be written");
    }
    let MachineFound { machine, news: machine_news } = machine_found(&found, issuer, look, mark);
    let open_nonce = store.own::<Option<String>>(OPEN_NONCE)?.flatten();
    let site_facts = facts.with(&machine, found.kept.released, open_nonce);
    let snapshot = Snapshot {
        documents: Arc::new(Documents::new(standing, &site_facts, set_aside)),
        facts: Arc::new(site_facts),
        machine: Arc::new(machine),
        word: Arc::new(store.own::<KernelWord>(kernel_word::KEPT_AS)?.unwrap_or_default()),
        registry: Arc::new(Registry::new(store.tokens()?, store.runtimes()?)),
        usage: Arc::new(UsageBoard::new(store.counters())),
        clock,
        chain: *store.chain(),
        acknowledged_seq: store.acknowledged_seq(),
    };
    Ok(Found { facts, machine_news, mode, membership, enrollment, by_second_copy, snapshot })
}
