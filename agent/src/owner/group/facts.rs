//! What a site is, changed within a group: its machine, its open request, what it gave up.

use std::sync::Arc;

use serde_json::json;

use farhold_audit::OwnKind;
use farhold_bundle::SiteFacts;
use farhold_contract::id::TenantId;
use farhold_store::StoreError;

use crate::{
    machine::{MACHINE, MachineState, RELEASED, held_by_memory},
    own_event::Draft,
    site::OPEN_NONCE,
    snapshot::{Documents, Snapshot},
};

use super::Group;

impl Group<'_> {
    /// What the site is, as it will be.
    pub const fn facts(&self) -> &Arc<SiteFacts> {
        &self.staged.site.facts
    }

    /// The machine under it, as it will be.
    pub fn machine(&self) -> &MachineState {
        &self.staged.site.machine
    }

    /// What would follow from the documents at a site of these facts: the same, unless they differ
    /// in what licenses are held to.
    pub fn documents_under(&self, facts: &SiteFacts) -> Arc<Documents> {
        let (known, documents) = (self.facts(), self.documents());
        if known.fingerprint == facts.fingerprint && known.released == facts.released {
            return Arc::clone(documents);
        }
        let Documents { standing, set_aside, .. } = &**documents;
        Arc::new(Documents::new(standing.clone(), facts, set_aside.clone()))
    }

    /// Replaces what the site is, and what follows from it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put_facts(
        &mut self,
        facts: SiteFacts,
        documents: Arc<Documents>,
    ) -> Result<(), StoreError> {
        if facts.open_nonce != self.facts().open_nonce {
            self.txn.put_own(OPEN_NONCE, &facts.open_nonce)?;
        }
        if facts.released != self.facts().released {
            self.txn.put_own(RELEASED, &facts.released)?;
            self.staged.machine_copy = true;
        }
        self.staged.site.facts = Arc::new(facts);
        self.staged.site.documents = documents;
        Ok(())
    }

    /// Uses up the nonce of the open request.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn close_request(&mut self) -> Result<(), StoreError> {
        let facts = SiteFacts { open_nonce: None, ..SiteFacts::clone(self.facts()) };
        self.put_facts(facts, Arc::clone(self.documents()))
    }

    /// Takes in what a look at the machine came to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn put_machine(
        &mut self,
        machine: MachineState,
        changed: &[String],
        tenant_id: Option<TenantId>,
    ) -> Result<(), StoreError> {
        let news = machine.memory != self.machine().memory;
        let fingerprint = machine.fingerprint();
        self.staged.site.machine = Arc::new(machine);
        if fingerprint != self.facts().fingerprint {
            let facts = SiteFacts { fingerprint, ..SiteFacts::clone(self.facts()) };
            let documents = self.documents_under(&facts);
            self.put_facts(facts, documents)?;
        }
        if news { self.keep_machine(changed, tenant_id) } else { Ok(()) }
    }

    /// Keeps what is known of the machine, and that components have changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_machine(
        &mut self,
        changed: &[String],
        tenant_id: Option<TenantId>,
    ) -> Result<(), StoreError> {
        let Snapshot { machine, facts, .. } = &self.staged.site;
        self.txn.put_own(MACHINE, &machine.memory)?;
        // What the second copy alone knew is in the database from here on.
        self.txn.put_own(RELEASED, &facts.released)?;
        self.staged.machine_copy = true;
        if changed.is_empty() {
            return Ok(());
        }
        tracing::warn!(components = changed.join(", "), "components of the machine have changed");
        match tenant_id {
            Some(tenant_id) => {
                let draft = Draft::new(OwnKind::FingerprintChanged, json!({"changed": changed}));
                self.append_own(tenant_id, draft)
            }
            None => Ok(()),
        }
    }

    /// Keeps which licenses hold by what is remembered of the machine, and that this has changed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_held_by_memory(&mut self, tenant_id: Option<TenantId>) -> Result<(), StoreError> {
        let held = held_by_memory(&self.staged.site, &self.now);
        if held == self.machine().memory.held_by_memory {
            return Ok(());
        }
        let mut machine = MachineState::clone(self.machine());
        machine.memory.held_by_memory = held;
        let memory = &machine.memory;
        if !memory.held_by_memory.is_empty() {
            tracing::warn!(
                licenses = memory.held_by_memory.len(),
                "licenses hold by what was read of the machine before, too little can be read now"
            );
        }
        let payload = json!({"licenses": memory.held_by_memory, "remembered": memory.remembered()});
        self.staged.site.machine = Arc::new(machine);
        self.keep_machine(&[], None)?;
        match tenant_id {
            Some(tenant_id) => {
                self.append_own(tenant_id, Draft::new(OwnKind::FingerprintUnread, payload))
            }
            None => Ok(()),
        }
    }
}
