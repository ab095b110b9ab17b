//! More than the Kernel can do: told so at once, and nothing is lost that was answered.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::mpsc,
    task::Poll,
};

use serde_json::json;

use farhold_contract::Code;
use farhold_kernel::storage::Limits;

use crate::{ask::Ask, events::event, kernel::Kernel};

#[tokio::test]
async fn a_full_queue_is_told_to_come_again_and_looks_are_still_answered() {
    let limits = Limits { queue_operations: 4, ..Limits::default() };
    let kernel = Kernel::within(limits).await;
    let tenant = kernel.tenant().await;
    kernel.license(tenant, json!({}));
    let runtime = kernel.runtime(tenant).await;

    // The writer is held up by somebody's operation.
    let (began, has_begun) = tokio::sync::oneshot::channel();
    let (release, held) = mpsc::channel::<()>();
    let storage = kernel.plane.storage.clone();
    let slow = tokio::spawn(async move {
        storage
            .decide(move |_| {
                began.send(()).unwrap();
                held.recv().unwrap();
                Ok(())
            })
            .await
    });
    has_begun.await.unwrap();

    let consume = || Ask::check(tenant, runtime.runtime_id, "live.rooms").by(&runtime).consuming(1);
    let mut waiting = Vec::new();
    let overloaded = loop {
        let mut asked = Box::pin(consume().of(&kernel));
        match polled_once(asked.as_mut()).await {
            Poll::Ready(answer) => break answer,
            Poll::Pending => waiting.push(asked),
        }
        assert!(waiting.len() <= 8, "the queue has no end");
    };
    assert_eq!(overloaded.problem().code, Code::ServerOverloaded);
    assert_eq!(overloaded.status, 503);
    let wait: u64 = overloaded.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));

    for refused in [
        Ask::events(tenant, runtime.runtime_id, json!({"event": event(tenant, None)})),
        Ask::heartbeat(tenant, runtime.runtime_id),
        Ask::register_with(tenant, json!({"version": "2.0.0"})),
        // A first refusal is durable before it is told, or it is not told.
        Ask::check(tenant, runtime.runtime_id, "gold"),
    ] {
        assert_eq!(refused.by(&runtime).refused(&kernel).await, Code::ServerOverloaded);
    }
    let look = Ask::check(tenant, runtime.runtime_id, "courses.play").by(&runtime);
    assert_eq!(look.of(&kernel).await.json()["allowed"], true);

    release.send(()).unwrap();
    slow.await.unwrap().unwrap();
    let answered = u64::try_from(waiting.len()).unwrap();
    for asked in waiting {
        assert_eq!(asked.await.json()["allowed"], true);
    }
    let look = Ask::check(tenant, runtime.runtime_id, "live.rooms").by(&runtime);
    assert_eq!(look.of(&kernel).await.json()["usage"]["used"], answered);
    let gold = Ask::check(tenant, runtime.runtime_id, "gold").by(&runtime);
    gold.of(&kernel).await.json();
    assert_eq!(kernel.events(tenant, "kernel.decision.denied").await.len(), 1, "told after all");
}

/// What a future comes to without waiting: a call that is queued is pending.
async fn polled_once<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
}
