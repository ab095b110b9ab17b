//! Load: how many events a second the Kernel takes in, over mTLS, with zstd.

use std::time::Instant;

use serde_json::json;

use farhold_audit::Class;

use crate::{
    agent::{Agent, event},
    vendor::tenant_a,
    world::World,
};

const AGENTS: usize = 4;
const BATCHES: usize = 30;
const EVENTS: usize = 1_000;
const EVENT_BYTES: usize = 375;

/// Prints a figure; the bar for it is the whole system's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement: run alone, with --release"]
async fn batches_of_a_thousand_events_a_second() {
    let world = std::sync::Arc::new(World::new().await);
    let mut ready = Vec::new();
    for _ in 0..AGENTS {
        let mut agent = Agent::enrolled(&world, &[tenant_a()]).await;
        let mut batches = Vec::new();
        for at in 0..BATCHES {
            for _ in 0..EVENTS {
                // Hexadecimal of random bytes: zstd halves it and no more.
                let noise: [u8; 68] = farhold_kernel::random::bytes();
                let mut event =
                    event(tenant_a(), "feature.used", &json!({"noise": hex::encode(noise)}));
                let room = EVENT_BYTES.saturating_sub(event.to_string().len());
                event["actor_id"] = json!(format!("someone{}", "-".repeat(room)));
                agent.chain.append(tenant_a(), Class::Usage, event.to_string());
            }
            batches.push(agent.batch(at * EVENTS));
        }
        ready.push((agent, batches));
    }
    let compressed: usize = ready.iter().flat_map(|(_, batches)| batches).map(Vec::len).sum();

    let began = Instant::now();
    let mut pushing = tokio::task::JoinSet::new();
    for (agent, batches) in ready {
        let world = std::sync::Arc::clone(&world);
        pushing.spawn(async move {
            for batch in batches {
                let answer = agent.push(&world, batch).await;
                assert_eq!(answer.status(), 200);
            }
        });
    }
    while let Some(pushed) = pushing.join_next().await {
        pushed.unwrap();
    }
    let events = AGENTS * BATCHES * EVENTS;
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{events} events in {seconds:.2} s: {:.0} events/s, {:.0} compressed bytes an event",
        events as f64 / seconds,
        compressed as f64 / events as f64
    );
}
