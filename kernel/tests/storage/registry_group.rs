//! Many callers, one transaction: who is answered when, who is refused, and who is not touched.

use std::{
    pin::{Pin, pin},
    sync::mpsc::{Receiver, Sender, channel},
    task::{Context, Poll, Waker},
};

use farhold_contract::Code;
use farhold_kernel::storage::{Limits, Storage, StorageError, Tenant, no_trail};

use crate::world::{World, exists, tenant, told};

/// Looks whether an operation is answered; the first look hands it in.
pub(crate) fn look<F: Future>(operation: &mut Pin<&mut F>) -> Poll<F::Output> {
    operation.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// An operation that keeps the writer until it is let go, and says when it has begun.
pub(crate) struct Held {
    pub(crate) begun: Receiver<()>,
    pub(crate) go: Sender<()>,
}

pub(crate) fn hold(storage: &Storage) -> (Held, impl Future<Output = Result<(), StorageError>>) {
    let (says_begun, begun) = channel();
    let (go, waits) = channel::<()>();
    let operation = storage.decide(move |_ledger| {
        says_begun.send(()).unwrap();
        waits.recv().unwrap();
        Ok(())
    });
    (Held { begun, go }, operation)
}

#[tokio::test]
async fn a_group_is_answered_and_seen_only_after_its_commit() {
    let world = World::new();
    let storage = &world.storage;
    let (first, first_done) = hold(storage);
    let (last, last_done) = hold(storage);
    let (mut first_done, mut last_done) = (pin!(first_done), pin!(last_done));
    assert!(look(&mut first_done).is_pending());
    first.begun.recv().unwrap();

    // In one group with the two that hold it: done, and not committed.
    let entered = tenant();
    let mut creating = pin!(storage.create_tenant(entered.clone(), no_trail));
    assert!(look(&mut creating).is_pending());
    assert!(look(&mut last_done).is_pending());
    first.go.send(()).unwrap();
    last.begun.recv().unwrap();
    assert!(look(&mut creating).is_pending());
    assert!(storage.directory().tenant(entered.tenant_id).is_none());
    assert_eq!(storage.tenant(entered.tenant_id).await.unwrap(), None);

    last.go.send(()).unwrap();
    creating.await.unwrap();
    assert!(storage.directory().tenant(entered.tenant_id).is_some());
    assert_eq!(storage.tenant(entered.tenant_id).await.unwrap(), Some(entered));
    first_done.await.unwrap();
    last_done.await.unwrap();
}

#[tokio::test]
async fn what_fails_in_a_group_leaves_nothing_and_touches_no_other() {
    let world = World::new();
    let storage = &world.storage;
    let known = tenant();
    storage.create_tenant(known.clone(), no_trail).await.unwrap();
    let (held, held_done) = hold(storage);
    let mut held_done = pin!(held_done);
    assert!(look(&mut held_done).is_pending());
    held.begun.recv().unwrap();

    let (before, after) = (tenant(), tenant());
    let mut one = pin!(storage.create_tenant(before.clone(), told(before.tenant_id)));
    let mut two = pin!(storage.create_tenant(known.clone(), told(known.tenant_id)));
    // Its own work is done when its trail fails: that goes, too.
    let broken = tenant();
    let fails = |(): &()| panic!("a fault in a caller's code");
    let mut three = pin!(storage.create_tenant(broken.clone(), fails));
    let mut four = pin!(storage.create_tenant(after.clone(), told(after.tenant_id)));
    assert!(look(&mut one).is_pending());
    assert!(look(&mut two).is_pending());
    assert!(look(&mut three).is_pending());
    assert!(look(&mut four).is_pending());
    held.go.send(()).unwrap();
    one.await.unwrap();
    assert!(exists(&two.await));
    assert!(matches!(three.await, Err(StorageError::GivenUp)));
    four.await.unwrap();
    held_done.await.unwrap();

    for (tenant_id, events) in
        [(known.tenant_id, 0), (before.tenant_id, 1), (broken.tenant_id, 0), (after.tenant_id, 1)]
    {
        assert_eq!(world.events(tenant_id).await, events);
    }
    assert_eq!(storage.tenant(broken.tenant_id).await.unwrap(), None);
    assert!(storage.directory().tenant(broken.tenant_id).is_none());
}

#[tokio::test]
async fn a_full_queue_refuses_at_once_and_does_nothing_of_what_it_refused() {
    let world = World::within(Limits { queue_operations: 1, ..Limits::default() });
    let storage = &world.storage;
    let (held, held_done) = hold(storage);
    let mut held_done = pin!(held_done);
    assert!(look(&mut held_done).is_pending());
    held.begun.recv().unwrap();

    let (queued, refused) = (tenant(), tenant());
    let mut waiting = pin!(storage.create_tenant(queued.clone(), no_trail));
    assert!(look(&mut waiting).is_pending());
    let error = storage.create_tenant(refused.clone(), no_trail).await.unwrap_err();
    assert!(matches!(error, StorageError::Overloaded), "{error:?}");
    assert_eq!((error.code(), error.is_retryable()), (Code::ServerOverloaded, true));

    held.go.send(()).unwrap();
    waiting.await.unwrap();
    held_done.await.unwrap();
    assert_eq!(storage.tenant(refused.tenant_id).await.unwrap(), None);
    storage.create_tenant(refused, no_trail).await.unwrap();
}

#[tokio::test]
async fn waiting_bytes_are_bounded_but_one_operation_always_fits() {
    let world = World::within(Limits { queue_bytes: 100, ..Limits::default() });
    let storage = &world.storage;
    storage.put_documents(vec![vec![b'a'; 1_000]], no_trail).await.unwrap();

    let (held, held_done) = hold(storage);
    let mut held_done = pin!(held_done);
    assert!(look(&mut held_done).is_pending());
    held.begun.recv().unwrap();
    let mut waiting = pin!(storage.put_documents(vec![vec![b'b'; 60]], no_trail));
    assert!(look(&mut waiting).is_pending());
    let refused = storage.put_documents(vec![vec![b'c'; 60]], no_trail).await;
    assert!(matches!(refused, Err(StorageError::Overloaded)), "{refused:?}");
    // What brings nothing along is not held up by what others bring.
    let small: Tenant = tenant();
    let mut creating = pin!(storage.create_tenant(small, no_trail));
    assert!(look(&mut creating).is_pending());

    held.go.send(()).unwrap();
    waiting.await.unwrap();
    creating.await.unwrap();
    held_done.await.unwrap();
    assert_eq!(storage.documents().await.unwrap(), [vec![b'b'; 60]]);
    storage.put_documents(vec![vec![b'c'; 60]], no_trail).await.unwrap();
}

#[tokio::test]
async fn a_caller_that_went_away_is_served_all_the_same() {
    let world = World::new();
    let entered = tenant();
    {
        let mut creating = pin!(world.storage.create_tenant(entered.clone(), no_trail));
        let _ = look(&mut creating);
    }
    // Closing works off what is queued.
    let world = world.reopened();
    assert_eq!(world.storage.tenant(entered.tenant_id).await.unwrap(), Some(entered));
}
