//! Looking at the machine again.

use std::sync::Arc;

use farhold_api::Refusal;
use farhold_contract::{Code, Timestamp};
use farhold_store::StoreError;

use crate::{
    clock::Clock,
    machine::{Look, MachineState, Observed, held_by_memory},
    site::Place,
    snapshot::Documents,
};

use super::{Owner, group::Group, work::Operation};

/// Reads the machine off the event loop and takes in what it is now.
///
/// # Errors
/// As [`Owner::submit`].
pub async fn look_again(owner: &Owner, place: &Arc<Place>) -> Result<(), Refusal> {
    let look = look(place).await?;
    owner.submit(Observe { look, place: Arc::clone(place) }).await
}

/// The same where nobody asks: a look that brings nothing new is not worth a commit.
///
/// # Errors
/// As [`Owner::submit`].
pub async fn look_for_changes(
    owner: &Owner,
    place: &Arc<Place>,
    clock: &dyn Clock,
) -> Result<(), Refusal> {
    let look = look(place).await?;
    let is_news = {
        let snapshot = owner.snapshot();
        let now = snapshot.now(&clock.read());
        let known = &snapshot.machine;
        let Observed { state, .. } = observe(known, &snapshot.documents, &look, now.mark);
        // Time alone may have made it so, or a bundle.
        !state.says_the_same_as(known)
            || held_by_memory(&snapshot, &now) != known.memory.held_by_memory
    };
    if is_news { owner.submit(Observe { look, place: Arc::clone(place) }).await } else { Ok(()) }
}

/// Takes in a look at the machine.
struct Observe {
    look: Look,
    place: Arc<Place>,
}

impl Operation for Observe {
    type Answer = ();

    fn apply(self, group: &mut Group<'_>) -> Result<(), StoreError> {
        let Observed { state, changed } =
            observe(group.machine(), group.documents(), &self.look, group.now.mark);
        state.warn_of_ignored(Some(group.machine()));
        let tenant_id = self.place.own_tenant();
        group.put_machine(state, &changed, tenant_id)?;
        group.note_held_by_memory(tenant_id)
    }
}

async fn look(place: &Arc<Place>) -> Result<Look, Refusal> {
    let machine = place.machine.clone();
    let looking = tokio::task::spawn_blocking(move || machine.look());
    looking.await.map_err(|_| Code::ServerInternal.into())
}

fn observe(known: &MachineState, documents: &Documents, look: &Look, mark: Timestamp) -> Observed {
    let issuer = documents.standing.root().map(|root| root.root().issuer.id);
    MachineState::observe(known.memory.clone(), issuer, look, mark)
}
