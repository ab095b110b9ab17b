//! Repeats of refusals: written by the tick, and counted on where it can't write.

use std::sync::{Arc, mpsc};

use farhold_agent::{
    denials::SharedDenials,
    owner::{Group, Operation, tick},
};
use farhold_contract::{Code, Timestamp};
use farhold_policy::DenialKey;
use farhold_store::StoreError;
use tokio::sync::oneshot;

use crate::stage::{Ground, NOON, Stage, at, tenant};

/// Says that the owner has come to it, and holds the owner until it is told to go on.
struct Hold {
    begun: oneshot::Sender<()>,
    go_on: mpsc::Receiver<()>,
}

impl Operation for Hold {
    type Answer = ();

    fn apply(self, _: &mut Group<'_>) -> Result<(), StoreError> {
        self.begun.send(()).unwrap();
        self.go_on.recv().unwrap();
        Ok(())
    }
}

/// What the store can't do.
struct Impossible;

impl Operation for Impossible {
    type Answer = ();

    fn apply(self, _: &mut Group<'_>) -> Result<(), StoreError> {
        Err(StoreError::Row { what: "row" })
    }
}

/// One refusal that was told, and repeated so often.
fn refused(stage: &Stage, now: Timestamp, repeats: u32) -> (DenialKey, Arc<SharedDenials>) {
    let key = DenialKey {
        tenant_id: tenant(),
        runtime_id: stage.admin.place.own_tenant().unwrap().to_string().parse().unwrap(),
        feature: "export".to_owned(),
        code: Code::FeatureNotGranted,
    };
    let denials = Arc::<SharedDenials>::default();
    for _ in 0..=repeats {
        denials.held().is_first(&key, now);
    }
    (key, denials)
}

#[tokio::test]
async fn repeats_that_could_not_be_written_are_counted_on() {
    let ground = Ground::new();
    let stage = ground.start();
    let (key, denials) = refused(&stage, at(NOON), 2);
    // While the owner is held, tick and fault queue up behind it: one group, that is not kept.
    let ((begun, is_held), (release, go_on)) = (oneshot::channel(), mpsc::channel());
    let holding = stage.owner.submit(Hold { begun, go_on });
    let meanwhile = async {
        is_held.await.unwrap();
        let ticking = tick(&stage.owner, &denials, Vec::new(), true);
        let failing = stage.owner.submit(Impossible);
        tokio::join!(ticking, failing, async { release.send(()).unwrap() })
    };
    let (held, (ticked, failed, ())) = tokio::join!(holding, meanwhile);
    held.unwrap();
    assert_eq!(ticked.unwrap_err().code, Code::StoreUnavailable);
    assert_eq!(failed.unwrap_err().code, Code::StoreUnavailable);
    assert!(stage.events("agent.decision.denied").await.is_empty());

    assert!(!denials.held().is_first(&key, at(NOON)), "it was told before");
    tick(&stage.owner, &denials, Vec::new(), true).await.unwrap();
    let written = stage.events("agent.decision.denied").await;
    let counts: Vec<_> = written.iter().map(|event| &event["payload"]["count"]).collect();
    assert_eq!(counts, [3]);
}
