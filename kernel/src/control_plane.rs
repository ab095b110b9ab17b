//! Control plane: what every call, route and task of the Kernel shares.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Mutex;

use farhold_bundle::{PublicKey, SetAside, Signer, Standing};
use farhold_contract::{
    Timestamp,
    id::{DecisionId, EventId, IdentityId, RuntimeId, TenantId, TokenId},
};
use farhold_keys::FileSigner;
use farhold_policy::Now;

use crate::{
    ca::Authority, clock::Clock, config::Config, control::Control, documents::Documents,
    intake::Intake, random, storage::Storage,
};

/// What every call, route and task of the Kernel shares.
///
/// A call reads an immutable snapshot of the documents; what changes goes through the storage,
/// which answers after its commit.
pub struct ControlPlane {
    /// What is kept.
    pub storage: Storage,
    /// What the operator set.
    pub config: Config,
    /// Issues the agents' certificates.
    pub authority: Authority,
    /// How many batches may be taken in at once.
    pub intake: Intake,
    /// What the contract's calls keep in memory.
    pub control: Control,
    /// The one administration of the vendor's own: every admin action is an event of it.
    pub internal_tenant: TenantId,
    /// Held from planning an import of documents until [`Self::replace_documents`]: what was
    /// planned is still what stands when it is written.
    pub importing: Mutex<()>,
    documents: ArcSwap<Documents>,
    receipts: FileSigner,
    clock: Arc<dyn Clock>,
}

/// What a control plane is made of.
pub struct Parts {
    /// What is kept.
    pub storage: Storage,
    /// What the operator set.
    pub config: Config,
    /// Issues the agents' certificates.
    pub authority: Authority,
    /// Signs receipts.
    pub receipts: FileSigner,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// The vendor's own tenant.
    pub internal_tenant: TenantId,
    /// The documents that stand, verified again from the storage.
    pub standing: Standing,
}

impl ControlPlane {
    /// Puts a control plane together.
    pub fn new(parts: Parts) -> Self {
        Self {
            intake: Intake::new(&parts.config.limits),
            control: Control::default(),
            storage: parts.storage,
            config: parts.config,
            authority: parts.authority,
            internal_tenant: parts.internal_tenant,
            importing: Mutex::new(()),
            documents: ArcSwap::from_pointee(Documents::new(parts.standing)),
            receipts: parts.receipts,
            clock: parts.clock,
        }
    }

    /// Answers from `standing` from now on: call it after the commit of the lines it is made of,
    /// with [`Self::importing`] still held.
    pub fn replace_documents(&self, standing: Standing) {
        self.documents.store(Arc::new(Documents::new(standing)));
    }

    /// The documents that stand.
    pub fn documents(&self) -> Arc<Documents> {
        self.documents.load_full()
    }

    /// The Kernel's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The time that decisions are made at. The Kernel's clock is the one others are held
    /// against, so it is wall and mark in one.
    pub fn decision_time(&self) -> Now {
        let wall = self.now();
        let floor = self.documents.load().standing.floor(&SetAside::new());
        Now { instant: wall.max(floor), quota: wall, wall, mark: wall, floor }
    }

    /// Signs receipts.
    pub fn receipt_signer(&self) -> &dyn Signer {
        &self.receipts
    }

    /// The public half that a trust root lists under its role kernel.
    pub fn receipt_key(&self) -> &PublicKey {
        self.receipts.public_key()
    }

    /// A new id of any kind, for this moment.
    pub fn new_id<I: MintedId>(&self) -> I {
        I::mint(self.now())
    }
}

/// An identifier that the Kernel gives out.
pub trait MintedId: Sized {
    /// A new one for this moment.
    fn mint(now: Timestamp) -> Self;
}

macro_rules! minted {
    ($($id:ident)*) => {$(
        impl MintedId for $id {
            fn mint(now: Timestamp) -> Self {
                Self::from_uuid(random::id_v7(now)).expect("it was made as a UUIDv7")
            }
        }
    )*};
}

minted! { DecisionId EventId IdentityId RuntimeId TenantId TokenId }
